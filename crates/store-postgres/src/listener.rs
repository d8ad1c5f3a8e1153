//! The connection on which nodes hear of each other's commits, and tell of their own.
//!
//! Telling happens after the commit, in a transaction of its own and for many commits at once: `NOTIFY` in the transaction that
//! changed something would make all commits of the server wait for each other. What is lost that way, because a node died in
//! between, is found by whoever looks anyway: engines do every half minute, and every bell rings after a new connection.

mod line;
mod waiting;

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep_until},
};

use self::{
    line::{Heard, Line},
    waiting::Waiting,
};
use crate::{
    address::Address,
    bells::Bells,
    failure::{Failure, unavailable},
};

/// The pause after a connection that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// How often others are told at most; what happens meanwhile is told together.
const PACE: Duration = Duration::from_millis(10);

/// The task that listens and rings; it ends when this is dropped.
pub(crate) struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listener {
    pub(crate) fn start(address: &Address, bells: Arc<Bells>) -> Self {
        let address = address.clone();
        Self(tokio::spawn(async move {
            loop {
                // What is announced while there is no connection is told by the next one.
                if let Err(failure) = listen(&address, &bells).await {
                    let error = unavailable(failure);
                    tracing::warn!(%error, "cannot listen to other nodes; it is tried again");
                }
                tokio::time::sleep(PAUSE).await;
                bells.ring_all();
            }
        }))
    }
}

async fn listen(address: &Address, bells: &Bells) -> Result<(), Failure> {
    let mut line = Line::open(address).await?;
    let mut waiting = Waiting::default();
    let mut tell_at = Instant::now();
    bells.ring_all();
    loop {
        tokio::select! {
            heard = line.hear() => match heard? {
                Heard::News(news) => {
                    if news.work {
                        bells.ring_for_work();
                    }
                    waiting.add(bells.watched_of(news.organizations));
                }
                Heard::Nothing => bells.ring_all(),
            },
            () = async { sleep_until(tell_at).await; bells.told.notified().await } => {
                let news = bells.take_untold();
                line.tell(&news).await?;
                tell_at = Instant::now() + PACE;
                waiting.add(bells.watched_of(news.organizations));
            }
            () = waiting.over() => waiting.look(&line, bells).await?,
        }
    }
}
