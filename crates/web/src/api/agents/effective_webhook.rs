use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use preclinical_core::{
    choice::Level,
    in_force::{InForce, NOBODY_LISTENS},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Id,
    openapi::{Choice, Description, Resource, Topic},
    wire::WebhookView,
};

/// The webhook that is in force for an agent.
#[derive(Serialize, JsonSchema)]
struct EffectiveWebhook<'a> {
    webhook: Option<WebhookView<'a>>,
    /// Where it is set.
    #[schemars(with = "Option<Choice<Level>>")]
    level: Option<&'static str>,
    /// Whether nothing is sent although there is a webhook.
    muted: bool,
    /// Why it is this one, and what that means.
    reason: &'static str,
}

/// The webhook that a run of the agent would be judged by if it ended now, and why. One that is disabled is shown, too: it mutes.
pub(crate) async fn effective_webhook(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<Response, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    app.store.agent(caller.organization, id).await?.ok_or_else(ApiError::agent_not_found)?;
    let in_force = app.store.webhook_in_force(caller.organization, id).await?;
    let nobody = || EffectiveWebhook { webhook: None, level: None, muted: false, reason: NOBODY_LISTENS };
    Ok(Json(in_force.as_ref().map_or_else(nobody, EffectiveWebhook::from)).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Agents, "get_effective_webhook", "Which webhook is in force for an agent")
        .text("The webhook that a run of the agent would be judged by if it ended now, and why. One that is disabled is shown, too: it mutes.")
        .of(Resource::Agent)
        .ok::<EffectiveWebhook<'_>>("The webhook and the reason, or the reason why there is none.")
}

impl<'a> From<&'a InForce> for EffectiveWebhook<'a> {
    fn from(in_force: &'a InForce) -> Self {
        Self {
            webhook: Some(WebhookView::from(&in_force.webhook)),
            level: Some(in_force.level.as_str()),
            muted: in_force.is_muted(),
            reason: in_force.reason(),
        }
    }
}
