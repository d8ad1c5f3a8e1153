//! What can be done with a delivery.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{delivery::DeliveryStatus, event::EventKind, id::DeliveryId};

use super::{
    check,
    detail::{self, Detail},
    missing,
};
use crate::{
    api::deliveries::{cancel, redeliver::enqueue},
    app::{self, App},
    error::ApiError,
    idempotency::Subject,
    input::Id,
    pages::{
        door::{Form, Visitor},
        failure::{Failure, sentence},
        parts::{self, Icon, Tone},
        shell,
    },
};

/// The buttons of a delivery's page, for those who may press them.
pub(super) fn buttons(app: &App, visitor: &Visitor, detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    if !visitor.member.role.may_change() {
        return html! {};
    }
    // A form that is sent twice is one repetition.
    let new = DeliveryId::generate(app.clock.now(), &*app.chance);
    html! {
        @if delivery.status == DeliveryStatus::Pending {
            form method="post" action={ "/deliveries/" (delivery.id) "/cancel" } {
                (shell::csrf(visitor))
                button.button.danger { (Icon::Stop) "Cancel" }
            }
        }
        @match obstacle(detail) {
            Some(why) => span.small.muted { (why) },
            None => form method="post" action={ "/deliveries/" (delivery.id) "/redeliver" } {
                (shell::csrf(visitor))
                input type="hidden" name="new" value=(new);
                button.button.primary[delivery.status == DeliveryStatus::Failed] { (Icon::Repeat) "Redeliver" }
            },
        }
    }
}

/// Why a delivery cannot be repeated now, if that is so. Whoever tries a webhook out may do so while it is disabled.
fn obstacle(detail: &Detail) -> Option<&'static str> {
    match &detail.webhook {
        None => Some("Its webhook was deleted, so it cannot be repeated."),
        Some(webhook) if !webhook.is_enabled && detail.delivery.event != EventKind::Test => {
            Some("Its webhook is disabled: enable it to repeat this.")
        }
        Some(_) => None,
    }
}

/// `POST /deliveries/{id}/redeliver`: writes a new delivery, sends it at once, and shows it.
pub(in crate::pages) async fn redeliver(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    input: Form,
) -> Result<Response, Failure> {
    let of: DeliveryId = id.parse(missing)?;
    let subject = input.text("new").parse().map(|id: DeliveryId| Subject::named(id.uuid())).unwrap_or_default();
    let written = app::to_its_end(enqueue(Arc::clone(&app), visitor.organization.id, of, subject)).await?;
    match written {
        Ok(delivery) => Ok(Redirect::to(&format!("/deliveries/{}?done=redelivered", delivery.id)).into_response()),
        Err(error) => refused(&app, &visitor, &id, error).await,
    }
}

/// `POST /deliveries/{id}/cancel`: ends it, if it is still pending.
pub(in crate::pages) async fn cancel(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let delivery: DeliveryId = id.parse(missing)?;
    match cancel::end(&app, visitor.organization.id, delivery).await {
        Ok(_) => Ok(Redirect::to(&format!("/deliveries/{delivery}?done=canceled")).into_response()),
        Err(error) => refused(&app, &visitor, &id, error).await,
    }
}

/// The page as it is now, with the reason why nothing was done.
async fn refused(app: &App, visitor: &Visitor, id: &Id, error: impl Into<ApiError>) -> Result<Response, Failure> {
    let error = error.into();
    if !error.is_of_state() {
        return Err(error.into());
    }
    let detail = Detail::load(&*app.store, visitor.organization.id, id).await?;
    let said = parts::notice(Tone::Bad, &html! { p { (sentence(error.message())) } });
    let check = check::card(visitor, &detail, &check::Answer::default());
    Ok((StatusCode::UNPROCESSABLE_ENTITY, detail::page(app, visitor, &detail, &said, &check)).into_response())
}
