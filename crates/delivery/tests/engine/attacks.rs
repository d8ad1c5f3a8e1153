//! What users and receivers may try, as tables: a name, what is done, and what must come of it.

mod answers;
mod frames;
mod handshakes;
mod heads;
mod patience;
mod urls;

use preclinical_core::{
    attempt::{Attempt, ErrorKind},
    delivery::DeliveryStatus,
};
use preclinical_testkit::receiver::{Reaction, Receiver};

use crate::rig::Rig;

/// What must come of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Must {
    /// It is delivered.
    Deliver,
    /// It was answered with that status, and is tried again.
    Answer(u16),
    /// It failed so, and is tried again. Nothing of an answer is kept.
    Fail(ErrorKind),
}

/// What a receiver does.
struct Case {
    name: &'static str,
    does: Reaction,
    must: Must,
}

impl Case {
    fn new(name: &'static str, does: Reaction, must: Must) -> Self {
        Self { name, does, must }
    }

    /// Says these bytes and then nothing.
    fn says(name: &'static str, bytes: impl Into<Vec<u8>>, must: Must) -> Self {
        Self::new(name, Reaction::BytesThenHang(bytes.into()), must)
    }

    /// Says these bytes and ends the connection.
    fn ends(name: &'static str, bytes: impl Into<Vec<u8>>, must: Must) -> Self {
        Self::new(name, Reaction::BytesThenClose(bytes.into()), must)
    }
}

fn came((status, attempt): &(DeliveryStatus, Attempt)) -> Result<Must, String> {
    let is_whole = attempt.duration_ms.is_some() && attempt.request.is_some();
    match (status, attempt.http_status, &attempt.error, &attempt.response) {
        _ if !is_whole => Err(format!("the record is not whole: {attempt:?}")),
        (DeliveryStatus::Delivered, Some(200..=299), None, Some(_)) => Ok(Must::Deliver),
        (DeliveryStatus::Pending, Some(status), None, Some(_)) => Ok(Must::Answer(status)),
        (DeliveryStatus::Pending, None, Some(error), None) if !error.message.is_empty() => Ok(Must::Fail(error.kind)),
        _ => Err(format!("{status:?} {attempt:?}")),
    }
}

/// Every case on one engine, and then a receiver without fault on the same one. Names everything that came out otherwise.
async fn check(rig: &Rig, cases: Vec<Case>, receiver: impl AsyncFn(Reaction) -> Receiver) {
    let mut wrong = Vec::new();
    for case in cases {
        let receiver = receiver(case.does).await;
        let came = came(&rig.exchange(&receiver.url()).await);
        if came != Ok(case.must) {
            wrong.push(format!("{}: must {:?}, came {came:?}", case.name, case.must));
        }
        assert!(receiver.waiting().await <= 1, "{}: one attempt is one request", case.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let sound = Receiver::start([]).await;
    assert_eq!(rig.attempt_to(&sound.url()).await.http_status, Some(200));
}

async fn plain(reaction: Reaction) -> Receiver {
    Receiver::start([reaction]).await
}
