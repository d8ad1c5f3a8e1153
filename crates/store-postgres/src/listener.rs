//! The connection on which nodes hear of each other's commits, and tell of their own.
//!
//! Telling happens after the commit, in a transaction of its own and for many commits at once: `NOTIFY` in the transaction that
//! changed something would make all commits of the server wait for each other. What is lost that way, because a node died in
//! between, is found by whoever looks anyway: engines do every half minute, and every bell rings after a new connection.

mod line;
mod waiting;

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use preclinical_core::id::OrganizationId;

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
    pool::Connections,
};

/// The pause after a connection that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// How long after a commit others are told at the earliest: telling takes the processors away from what the commit was waited for by.
const BREATH: Duration = Duration::from_millis(2);

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
    /// Returns when it listens, or cannot: whoever watches from then on misses nothing, and is not rung for what was before.
    pub(crate) async fn start(address: &Address, others: Connections, bells: Arc<Bells>) -> Self {
        let address = address.clone();
        let mut line = Line::open(&address, &others).await;
        Self(tokio::spawn(async move {
            // Whose changes may have passed unheard.
            let mut missed = BTreeSet::new();
            loop {
                // What is announced while there is no connection is told by the next one.
                let Err(failure) = match line {
                    Ok(line) => listen(line, &bells, std::mem::take(&mut missed)).await,
                    Err(failure) => Err(failure),
                };
                let error = unavailable(failure);
                tracing::warn!(%error, "cannot listen to other nodes; it is tried again");
                tokio::time::sleep(PAUSE).await;
                line = Line::open(&address, &others).await;
                missed = bells.watched();
                bells.ring_for_work();
            }
        }))
    }
}

/// Tells and rings until the connection fails.
async fn listen(mut line: Line, bells: &Bells, missed: BTreeSet<OrganizationId>) -> Result<Infallible, Failure> {
    let mut waiting = Waiting::default();
    waiting.add(missed);
    // What the connection before this one did not tell.
    let (mut tell_at, mut has_news) = (Instant::now(), true);
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
            () = bells.told.notified(), if !has_news => {
                has_news = true;
                tell_at = tell_at.max(Instant::now() + BREATH);
            }
            () = sleep_until(tell_at), if has_news => {
                has_news = false;
                let news = bells.take_untold();
                if news.work {
                    bells.ring_for_work();
                }
                // What was not told is told by the next connection.
                line.tell(&news).await.inspect_err(|_| bells.announce(news.clone()))?;
                tell_at = Instant::now() + PACE;
                waiting.add(bells.watched_of(news.organizations));
            }
            () = waiting.over() => waiting.look(&line, bells).await?,
        }
    }
}
