//! A stream from its beginning to its end.

use std::{collections::VecDeque, convert::Infallible, future::Future, sync::Arc};

use axum::{
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response, Sse, sse::Event},
};
use futures_util::stream;
use preclinical_core::port::{Store, StoreError, Watch};

use super::{
    listener::Listener,
    streams::{Room, Signal},
};
use crate::{app::App, error::ApiError};

/// How many rows are read for a stream at once; so many events wait at most until its client takes them.
pub(super) const PAGE: u32 = 100;

/// What a stream tells of.
pub(super) trait Story: Send + 'static {
    /// What is new in the store, and where that leaves the story. A piece of it, if there is much.
    fn go_on(&mut self, store: &dyn Store) -> impl Future<Output = Result<(Vec<Event>, Now), StoreError>> + Send;
}

/// Where a story stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Now {
    /// There may be more to read already.
    MayGoOn,
    /// All is told that is known.
    UpToDate,
    /// There will never be more.
    Over,
}

/// Answers with the story as a stream of events, as far as the listener may have another one open.
pub(super) async fn tell(app: Arc<App>, listener: Listener, story: impl Story) -> Result<Response, ApiError> {
    let room = app.streams.enter(listener.id())?;
    // Before the first reading: what comes after that one rings.
    let watch = app.store.watch(listener.organization()).await?;
    let telling = Telling { app, listener, room, watch, story, told: VecDeque::new(), now: Now::MayGoOn };
    let events = stream::unfold(telling, |mut telling| async move {
        let event = telling.next().await?;
        Some((Ok::<_, Infallible>(event), telling))
    });
    // Proxies of the kind of nginx hold events back unless they are told.
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    Ok((unbuffered, Sse::new(events)).into_response())
}

struct Telling<S> {
    app: Arc<App>,
    listener: Listener,
    room: Room,
    watch: Box<dyn Watch>,
    story: S,
    told: VecDeque<Event>,
    now: Now,
}

impl<S: Story> Telling<S> {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Looked at before everything else, so that no amount of news keeps a stream open whose key is revoked.
            if let Some(signal) = self.room.pending_signal() {
                return self.answer(signal).await;
            }
            if let Some(event) = self.told.pop_front() {
                return Some(event);
            }
            match self.now {
                Now::Over => return None,
                Now::MayGoOn => self.read().await?,
                Now::UpToDate => tokio::select! {
                    signal = self.room.signal() => return self.answer(signal).await,
                    () = self.watch.rung() => self.now = Now::MayGoOn,
                },
            }
        }
    }

    /// Whoever is cut off here comes back with the id of the last event.
    async fn read(&mut self) -> Option<()> {
        match self.story.go_on(&*self.app.store).await {
            Ok((events, now)) => {
                self.told.extend(events);
                self.now = now;
                Some(())
            }
            Err(error) => {
                tracing::error!(%error, "a stream of events is cut off");
                None
            }
        }
    }

    async fn answer(&mut self, signal: Signal) -> Option<Event> {
        let goes_on = signal == Signal::Beat && self.listener.is_still_admitted(&self.app).await;
        goes_on.then(|| Event::default().comment("ping"))
    }
}
