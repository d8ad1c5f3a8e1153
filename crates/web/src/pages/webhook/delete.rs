use axum::{
    extract::State,
    response::{Redirect, Response},
};
use maud::html;
use preclinical_core::{delivery::DeliveryStatus, port::DeliveryFilter, version::Expected, webhook::Webhook};

use super::{Place, Shared, named};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    input::MAX_LIMIT,
    pages::{
        door::Visitor,
        failure::Failure,
        parts,
        shell::{self, Section},
    },
};

/// `GET /webhooks/{id}/delete`: says what is lost, and asks.
pub(in crate::pages) async fn ask_to_delete(
    State(app): State<Shared>,
    visitor: Visitor,
    id: Id,
) -> Result<Response, Failure> {
    let webhook = named(&app, &visitor, id).await?;
    let pending = pending(&app, &webhook).await?;
    let place = Place::of(&webhook);
    let section = match place {
        Place::Organization => Section::Settings,
        Place::Agent(_) => Section::Agents,
    };
    let content = html! {
        (parts::page_head("Delete this webhook?", &html! { span.mono { (webhook.url) } }, &html! {}))
        section.card.danger {
            div.card-body {
                ul.stack-small {
                    li { (pending) }
                    li { "Its signing secret is lost." }
                    @match place {
                        Place::Organization => li { "Nobody hears of runs of agents without a webhook of their own any more." },
                        Place::Agent(_) => li { "The organization’s webhook, if there is one, hears of this agent’s runs again." },
                    }
                    li { "The delivery history stays. What was delivered to it can no longer be redelivered." }
                }
                form.actions method="post" {
                    (shell::csrf(&visitor))
                    button.button.destructive { "Delete the webhook" }
                    a.button href=(place.path()) { "Keep it" }
                }
            }
        }
    };
    Ok(shell::page(&visitor, section, "Delete a webhook", &content))
}

/// `POST /webhooks/{id}/delete`
pub(in crate::pages) async fn delete(State(app): State<Shared>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    let webhook = named(&app, &visitor, id).await?;
    let deleted = app.store.delete_webhook(visitor.organization.id, webhook.id, Expected::default(), app.clock.now()).await;
    deleted.map_err(ApiError::from)?;
    Ok(Redirect::to(&Place::of(&webhook).behind("webhook-deleted")))
}

/// How many deliveries will not be made.
async fn pending(app: &App, webhook: &Webhook) -> Result<String, ApiError> {
    let filter = DeliveryFilter {
        status: Some(DeliveryStatus::Pending),
        webhook_id: Some(webhook.id),
        limit: MAX_LIMIT,
        ..DeliveryFilter::default()
    };
    let page = app.store.deliveries(webhook.organization_id, filter).await?;
    Ok(match (page.deliveries.len(), page.next) {
        (_, Some(_)) => format!("More than {MAX_LIMIT} pending deliveries are canceled."),
        (0, None) => "No delivery is pending.".to_owned(),
        (1, None) => "1 pending delivery is canceled.".to_owned(),
        (count, None) => format!("{count} pending deliveries are canceled."),
    })
}
