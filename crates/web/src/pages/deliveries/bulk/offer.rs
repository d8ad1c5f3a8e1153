//! What an order would do, before it is given.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    id::RedeliveryJobId,
    port::NewRedeliveryJob,
    redelivery::{MAX_PENDING_OF_JOB, RedeliverySelection, Repeated, RepeatedStatus},
};

use super::{
    super::ABOVE,
    selection::{Described, deliveries, offer_of, pairs, word},
};
use crate::{
    api::redeliveries::create,
    app::{self, App},
    input::Query,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::{self, Icon},
        shell::{self, Section},
    },
};

/// What the form has, as the API's body has it.
const FIELDS: [&str; 6] = ["status", "webhook_id", "agent_id", "run_id", "created_after", "created_before"];

/// `GET /deliveries/redeliver`: counts, and writes nothing.
pub(in crate::pages) async fn offer(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    let mut fields = query.fields();
    let selection = create::selection(&mut fields)?;
    fields.finish()?;
    let (organization, now) = (visitor.organization.id, app.clock.now());
    let count = app.store.count_redeliveries(organization, selection, now).await?;
    let described = Described::load(&*app.store, organization, &selection).await?;
    // A form that is sent twice is one order.
    let new = RedeliveryJobId::generate(now, &*app.chance);
    let content = html! {
        (parts::crumbs(&ABOVE[..3]))
        (parts::page_head("Redeliver many", &html! { "Repeat what did not arrive, for instance after the receiver was down." }, &html! {}))
        div.stack {
            (statuses(&selection))
            section.card {
                div.card-head { h2 { @if count == 0 { "Nothing to repeat" } @else { (deliveries(count)) " to repeat" } } }
                div.card-body {
                    (described.shown(&selection))
                    (consequences(count))
                    (order(&visitor, &selection, count, new))
                }
            }
        }
    };
    Ok(shell::page(&visitor, Section::Settings, "Redeliver many", &content))
}

fn statuses(selection: &RedeliverySelection) -> Markup {
    let address = |status| offer_of(&RedeliverySelection { ended: Repeated::As(status), ..*selection });
    html! {
        nav.buttons aria-label="Which deliveries" {
            @for status in [RepeatedStatus::Failed, RepeatedStatus::Canceled, RepeatedStatus::Delivered] {
                a.button.little href=(address(status)) aria-current=[(Repeated::As(status) == selection.ended).then_some("true")] { (word(status)) }
            }
        }
    }
}

fn consequences(count: u64) -> Markup {
    html! {
        @if count == 0 {
            p.muted {
                "Nothing that fits is left. Tests are never repeated in bulk, nor is what a webhook got later or is about to get."
            }
        } @else {
            ul.bullets {
                li { "Each becomes a new delivery of the same event; the old one stays in the history as it is." }
                li { "At most " (MAX_PENDING_OF_JOB) " of them are under way at once, so that a receiver that has just come back is not overrun." }
                li { "Left out are tests, and events that the webhook got later or is about to get. Of several deliveries of an event the newest counts." }
                li { "It goes on by itself, also when this page is closed, and can be stopped." }
            }
        }
    }
}

fn order(visitor: &Visitor, selection: &RedeliverySelection, count: u64, new: RedeliveryJobId) -> Markup {
    html! {
        form.line method="post" action="/deliveries/redeliver" {
            (shell::csrf(visitor))
            input type="hidden" name="new" value=(new);
            @for (name, value) in pairs(selection) { @if let Some(value) = value { input type="hidden" name=(name) value=(value); } }
            @if count > 0 { button.button.primary { (Icon::Repeat) "Redeliver " (deliveries(count)) } }
            a.button href="/deliveries" { "Back to the history" }
        }
    }
}

/// `POST /deliveries/redeliver`: gives the order.
pub(in crate::pages) async fn start(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    input: Form,
) -> Result<Response, Failure> {
    let mut fields = input.fields(&FIELDS);
    let selection = create::selection(&mut fields)?;
    fields.finish()?;
    let at = app.clock.now();
    let id = input.text("new").parse().unwrap_or_else(|_| RedeliveryJobId::generate(at, &*app.chance));
    let job = NewRedeliveryJob { id, organization_id: visitor.organization.id, selection, at };
    let job = app::to_its_end(create::start(app, job)).await??;
    Ok(Redirect::to(&format!("/deliveries/redeliveries/{}", job.id)).into_response())
}
