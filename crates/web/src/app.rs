//! What every handler works with.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use preclinical_core::{
    chance::Chance,
    clock::Clock,
    endpoint::EndpointPolicy,
    health::Patience,
    id::{DeliveryId, EventId},
    port::{Dispatch, Fate, Finished, Handoff, Prober, Store},
    retry::RetrySchedule,
    run::Run,
};

use crate::{error::ApiError, idempotency::Subject, limits::Limits, live::Streams};

/// The parts of the API's world.
pub struct App {
    /// Where facts are kept.
    pub store: Arc<dyn Store>,
    /// Where deliveries go that are to be sent at once.
    pub handoff: Arc<dyn Handoff>,
    /// How an agent's endpoint is looked at.
    pub prober: Arc<dyn Prober>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub chance: Arc<dyn Chance>,
    /// Which URLs webhooks may have.
    pub endpoints: EndpointPolicy,
    /// The address under which people reach the pages, without a slash at its end.
    pub public_url: String,
    /// When deliveries are tried again.
    pub schedule: RetrySchedule,
    /// How long an attempt may take as a whole.
    pub request_timeout: Duration,
    /// How long a webhook may fail before it is disabled; it is not if that is missing.
    pub patience: Option<Patience>,
    /// How long calls may take, and how many there may be.
    pub limits: Limits,
    /// The streams of events that are open.
    pub streams: Arc<Streams>,
}

impl App {
    /// Makes a write that may end a run, and sends the delivery that follows. Both go on when the caller is dropped.
    /// The event is the call's subject, by which a repetition is known.
    pub(crate) async fn ending<F, E>(
        self: &Arc<Self>,
        subject: Subject,
        write: impl FnOnce(Arc<dyn Store>, Timestamp, Dispatch) -> F + Send + 'static,
    ) -> Result<Run, ApiError>
    where
        F: Future<Output = Result<Finished, E>> + Send,
        E: Into<ApiError> + Send + 'static,
    {
        let app = Arc::clone(self);
        let work = async move {
            let now = app.clock.now();
            let offer = app.handoff.offer();
            let dispatch = Dispatch {
                event_id: EventId::from_uuid(subject.uuid(now, &*app.chance)),
                delivery_id: DeliveryId::generate(now, &*app.chance),
                places: Arc::clone(&offer) as _,
                public_url: app.public_url.clone(),
            };
            let Finished { run, fate } = write(Arc::clone(&app.store), now, dispatch).await?;
            match fate {
                Fate::Claimed(claimed) => drop(offer.send(claimed)),
                Fate::Due => app.handoff.wake(),
                Fate::NotFinal | Fate::NoWebhook => {}
            }
            Ok::<_, E>(run)
        };
        to_its_end(work).await?.map_err(Into::into)
    }
}

/// Runs work that must not stop half way when the client hangs up.
pub(crate) async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, ApiError> {
    tokio::spawn(work).await.map_err(|error| {
        tracing::error!(%error, "a handler's work failed");
        ApiError::internal()
    })
}
