use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Field, Parameter, Topic},
    wire::{self, WebhookView},
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let agent = query.id("agent_id")?;
    let page = query.page()?;
    query.finish()?;
    let (webhooks, total) = app.store.webhooks(caller.organization, agent, page).await?;
    let views: Vec<WebhookView<'_>> = webhooks.iter().map(WebhookView::from).collect();
    Ok(wire::list("webhooks", &views, total, page))
}

pub(crate) fn describe() -> Description {
    let agent = Parameter::query("agent_id", Field::id().says("Only the webhook of this agent."));
    Description::new(Topic::Webhooks, "list_webhooks", "List webhooks").parameter(agent).page::<WebhookView<'_>>("webhooks")
}
