//! Decisions on the wire.

use preclinical_core::{
    decision::{Decision, Judged},
    id::{DeliveryId, EventId, WebhookId},
};
use serde::Serialize;

use super::delivery::precise;

#[derive(Serialize)]
pub(crate) struct DecisionView<'a> {
    event_id: EventId,
    decided_at: String,
    level: Option<&'a str>,
    webhook_id: Option<WebhookId>,
    url: Option<&'a str>,
    outcome: &'a str,
    delivery_id: Option<DeliveryId>,
    reason: String,
}

impl<'a> From<&'a Decision> for DecisionView<'a> {
    fn from(decision: &'a Decision) -> Self {
        let about: Option<&Judged> = decision.about.as_ref();
        Self {
            event_id: decision.event_id,
            decided_at: precise(decision.decided_at),
            level: about.map(|judged| judged.level.as_str()),
            webhook_id: about.map(|judged| judged.webhook_id),
            url: about.map(|judged| judged.url.as_str()),
            outcome: decision.outcome().as_str(),
            delivery_id: about.and_then(|judged| judged.delivery.as_ref()).map(|delivery| delivery.id),
            reason: decision.reason(),
        }
    }
}
