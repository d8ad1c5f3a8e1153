//! Measures where the time of one exchange goes.
//!
//! The client begins a connection for an exchange that finds none idle, and then takes whichever is there first: that one, or one
//! that another exchange gave back or shares. So a connection is named by its laps, and they count for an exchange only
//!
//! - if it was begun for that exchange, and is the one over which the request was written; or
//! - if the request was never written: then the connection that was last begun is what the exchange waited for.
//!
//! A connection that was begun for an exchange and came too late is nobody's: it waits in the pool, and whoever uses it later finds
//! it there already. The time for which such an exchange waited for a connection is in none of its parts.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Extensions, Request};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use preclinical_core::timing::Timing;
use tokio::time::Instant;

tokio::task_local! {
    /// The exchange for which connections are begun.
    static UNDER_WAY: Arc<Stopwatch>;
}

/// The stopwatch of one exchange. It can be read at any time, also after the exchange was dropped.
#[derive(Default)]
pub struct Stopwatch {
    /// The connection that was last begun for the exchange.
    begun: Mutex<Option<Arc<Laps>>>,
    /// The connection that the exchange was given, whoever began it.
    given: OnceLock<CaptureConnection>,
    writing_began: OnceLock<Instant>,
    head_came: OnceLock<Instant>,
}

impl Stopwatch {
    /// The request with a body that this stopwatch sees written.
    pub(crate) fn attach(self: &Arc<Self>, body: Bytes) -> Request<WatchedBody> {
        let mut request = Request::new(WatchedBody { body: Full::new(body), stopwatch: Arc::clone(self) });
        let _ = self.given.set(capture_connection(&mut request));
        request
    }

    /// Waits for the head of the answer to a request that was made by [`Self::attach`].
    pub(crate) async fn head<T, E>(self: &Arc<Self>, exchange: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let head = UNDER_WAY.scope(Arc::clone(self), exchange).await?;
        let _ = self.head_came.set(Instant::now());
        Ok(head)
    }

    /// What was measured until now.
    pub(crate) fn read(&self) -> Timing {
        let begun = lock(&self.begun).clone();
        let Some(writing_began) = self.writing_began.get() else {
            return begun.map(|laps| *lock(&laps.0)).unwrap_or_default();
        };
        let connection = begun.filter(|laps| self.was_given(laps)).map(|laps| *lock(&laps.0)).unwrap_or_default();
        let head_came = self.head_came.get().copied().unwrap_or_else(Instant::now);
        Timing { first_byte: Some(whole_micros(head_came.duration_since(*writing_began))), ..connection }
    }

    fn was_given(&self, laps: &Arc<Laps>) -> bool {
        let Some(given) = self.given.get() else { return false };
        let mut extras = Extensions::new();
        if let Some(connected) = given.connection_metadata().as_ref() {
            connected.get_extras(&mut extras);
        }
        extras.get::<Arc<Laps>>().is_some_and(|given| Arc::ptr_eq(given, laps))
    }
}

/// What it took to make one connection.
#[derive(Default)]
pub(crate) struct Laps(Mutex<Timing>);

impl Laps {
    /// Those of a connection that is begun for the exchange in which this is called, if it is called in one.
    pub(crate) fn begin() -> Arc<Self> {
        let laps = Arc::<Self>::default();
        let _ = UNDER_WAY.try_with(|stopwatch| *lock(&stopwatch.begun) = Some(Arc::clone(&laps)));
        laps
    }

    /// Carries out a part of the connection. Its time is taken however it ends, also when it is dropped.
    pub(crate) async fn time<T>(&self, part: Part, doing: impl Future<Output = T>) -> T {
        let _lap = Lap { laps: self, part, began: Instant::now() };
        doing.await
    }
}

/// Where a part's time is kept.
type Part = fn(&mut Timing) -> &mut Option<Duration>;

struct Lap<'a> {
    laps: &'a Laps,
    part: Part,
    began: Instant,
}

impl Drop for Lap<'_> {
    fn drop(&mut self) {
        *(self.part)(&mut lock(&self.laps.0)) = Some(whole_micros(self.began.elapsed()));
    }
}

fn whole_micros(time: Duration) -> Duration {
    Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request's body. A connection that takes the request asks for it when the head is about to be written.
pub(crate) struct WatchedBody {
    body: Full<Bytes>,
    stopwatch: Arc<Stopwatch>,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.stopwatch.writing_began.get_or_init(Instant::now);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
