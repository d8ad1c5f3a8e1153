//! Decisions on the wire.

use preclinical_core::{
    choice::Level,
    decision::{Decision, DecisionOutcome, Judged},
    id::{DeliveryId, EventId, WebhookId},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::delivery::precise;
use crate::openapi::{Choice, DateTime, Uuid};

/// What was decided about one webhook when a run ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Decision")]
pub(crate) struct DecisionView<'a> {
    #[schemars(with = "Uuid")]
    event_id: EventId,
    #[schemars(with = "DateTime")]
    decided_at: String,
    #[schemars(with = "Option<Choice<Level>>")]
    level: Option<&'a str>,
    #[schemars(with = "Option<Uuid>")]
    webhook_id: Option<WebhookId>,
    url: Option<&'a str>,
    #[schemars(with = "Choice<DecisionOutcome>")]
    outcome: &'a str,
    #[schemars(with = "Option<Uuid>")]
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
