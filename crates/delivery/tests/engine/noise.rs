//! Whatever a receiver answers, the attempt ends and is recorded.

use preclinical_core::chance::Chance;
use preclinical_testkit::{
    authority::Authority,
    chance::SeededChance,
    fuzz::cases,
    receiver::{
        Reaction, Receiver,
        frames::{END_HEADERS, END_STREAM, STATUS_200, frame, kind, settings},
    },
};

use crate::rig::{Rig, loopback, platform};

/// How many answers of each sort are tried.
const ROUNDS: u32 = 150;

/// How many connections of frames are tried.
const CONNECTIONS: u32 = 60;

const SOUND: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\nretry-after: 9\r\n\r\nhello\
    HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\ntrailer: x\r\n\r\n";

struct Noise(SeededChance);

impl Noise {
    fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % limit as u64).unwrap()
    }

    /// Bytes without any sense, behind a sound beginning now and then.
    fn senseless(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.below(600)];
        self.0.fill(&mut bytes);
        [&SOUND[..self.below(2) * self.below(SOUND.len())], &bytes].concat()
    }

    /// A sound answer with some bytes changed, lost or doubled.
    fn damaged(&self) -> Vec<u8> {
        let mut bytes = SOUND[self.below(2) * 85..].to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(3) {
                0 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
        }
        bytes
    }

    /// Frames of all kinds, each a sensible one now and then, on streams that may be there.
    fn frames(&self) -> Vec<u8> {
        let mut bytes = if self.below(8) > 0 { settings() } else { vec![] };
        if self.below(2) > 0 {
            bytes.extend(frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, STATUS_200));
        }
        for _ in 0..self.below(8) {
            let mut payload = vec![0; [0, 4, 8, 60][self.below(4)]];
            self.0.fill(&mut payload);
            let payload =
                if self.below(3) > 0 { [STATUS_200, &payload[..self.below(2) * payload.len()]].concat() } else { payload };
            let (any_kind, flags) = (u8::try_from(self.below(11)).unwrap(), [0, 1, 4, 5, 8, 32, 255][self.below(7)]);
            bytes.extend(frame(any_kind, flags, [0, 1, 1, 1, 2, 3, 0x7fff_ffff][self.below(7)], &payload));
        }
        bytes
    }
}

#[tokio::test]
async fn every_sequence_of_frames_however_odd_ends_in_a_record() {
    let (authority, noise) = (Authority::default(), Noise(SeededChance::new(815)));
    let rig = Rig::on_platform(platform(None, authority.roots()), loopback()).await;
    let mut sound = 0;
    for _ in 0..cases(CONNECTIONS) {
        let reaction = Reaction::BytesThenClose(noise.frames());
        let receiver = Receiver::start_frames(authority.server("127.0.0.1", &["h2"]), [reaction]).await;
        let attempt = rig.attempt_to(&receiver.url()).await;
        let ended = (attempt.http_status.is_some(), attempt.error.is_some(), attempt.response.is_some());
        assert!(matches!(ended, (true, false, true) | (false, true, false)), "{attempt:?}");
        assert!(receiver.waiting().await <= 1, "one attempt is one request");
        sound += u32::from(attempt.http_status.is_some());
    }
    assert!(sound > 0 && sound < cases(CONNECTIONS), "the noise has become too loud or too soft: {sound}");
}

#[tokio::test]
async fn every_answer_however_odd_ends_in_a_record() {
    let (rig, noise) = (Rig::new().await, Noise(SeededChance::new(4711)));
    let answers: Vec<Vec<u8>> = (0..cases(ROUNDS)).flat_map(|_| [noise.senseless(), noise.damaged()]).collect();
    let mut sound = 0;
    for bytes in &answers {
        let receiver = Receiver::start([Reaction::BytesThenClose(bytes.clone())]).await;
        let attempt = rig.attempt_to(&receiver.url()).await;
        assert!(attempt.duration_ms.is_some());
        let ended = (attempt.http_status.is_some(), attempt.error.is_some(), attempt.response.is_some());
        assert!(matches!(ended, (true, false, true) | (false, true, false)), "{attempt:?}");
        assert!(receiver.waiting().await <= 1, "one attempt is one request");
        sound += usize::from(attempt.http_status.is_some());
    }
    assert!(sound > 20 && sound < answers.len() - 20, "the noise has become too loud or too soft: {sound}");
}
