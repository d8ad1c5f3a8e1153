use std::sync::Arc;

use axum::{Json, extract::State};
use preclinical_core::in_force::{InForce, NOBODY_LISTENS};
use serde_json::{Value, json};

use crate::{app::App, auth::Caller, error::ApiError, input::Id, wire::WebhookView};

/// The webhook that a run of the agent would be judged by if it ended now, and why. One that is disabled is shown, too: it mutes.
pub(crate) async fn effective_webhook(State(app): State<Arc<App>>, caller: Caller, id: Id) -> Result<Json<Value>, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    app.store.agent(caller.organization, id).await?.ok_or_else(ApiError::agent_not_found)?;
    Ok(Json(match &app.store.webhook_in_force(caller.organization, id).await? {
        Some(in_force) => shown(in_force),
        None => json!({"webhook": null, "level": null, "muted": false, "reason": NOBODY_LISTENS}),
    }))
}

fn shown(in_force: &InForce) -> Value {
    json!({
        "webhook": WebhookView::from(&in_force.webhook),
        "level": in_force.level.as_str(),
        "muted": in_force.is_muted(),
        "reason": in_force.reason(),
    })
}
