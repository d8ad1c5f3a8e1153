use std::sync::Arc;

use axum::{Json, extract::State};
use preclinical_core::{
    id::{DeliveryId, EventId, OrganizationId, WebhookId},
    port::{AttemptSummary, Reservation, TestDelivery},
};
use serde_json::{Value, json};

use crate::{
    app::{self, App},
    auth::Caller,
    error::ApiError,
    input::{Body, Id, SMALL},
};

/// Sends a test delivery and waits for its one attempt to end. One whose outcome was lost in a crash is sent again under the
/// same `Idempotency-Key`: nobody can tell how it ended.
pub(crate) async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    Body(body): Body<SMALL>,
) -> Result<Json<Value>, ApiError> {
    let webhook = id.parse(super::missing)?;
    body.finish()?;
    let place = app.handoff.reserve().ok_or_else(|| ApiError::busy("too many deliveries are under way; try again"))?;
    let summary = app::to_its_end(attempt(app, caller.organization, webhook, place)).await??;
    Ok(Json(describe(&summary)))
}

async fn attempt(
    app: Arc<App>,
    organization_id: OrganizationId,
    webhook_id: WebhookId,
    place: Box<dyn Reservation>,
) -> Result<AttemptSummary, ApiError> {
    let at = app.clock.now();
    let (event_id, delivery_id) = (EventId::generate(at, &*app.chance), DeliveryId::generate(at, &*app.chance));
    let test = TestDelivery { organization_id, webhook_id, event_id, delivery_id, lease: place.lease(), at };
    let claimed = app.store.enqueue_test(test).await?.ok_or_else(super::missing)?;
    place.send(claimed).await.ok_or_else(ApiError::internal)
}

fn describe(summary: &AttemptSummary) -> Value {
    let message = match (&summary.error, summary.http_status) {
        (Some(error), _) => error.message.clone(),
        (None, Some(status)) if summary.delivered => format!("the receiver answered {status}"),
        (None, Some(status)) => format!("the receiver answered {status}, which is not a success"),
        (None, None) => "no answer".to_owned(),
    };
    let mut answer = json!({"success": summary.delivered, "message": message});
    if let Some(status) = summary.http_status {
        answer["http_status"] = status.into();
    }
    answer
}
