//! One delivery: what it is, everything that was tried, and what came back.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    agent::Agent,
    attempt::{Attempt, Message},
    custom_header::MASK,
    delivery::{Delivery, DeliveryStatus},
    id::{DeliveryId, OrganizationId},
    port::{DeliveryFilter, Store},
    run::{Run, RunRef},
    webhook::Webhook,
};

use super::{ABOVE, actions, check, curl::curl, facts, missing, rows, timeline};
use crate::{
    app::App,
    error::ApiError,
    input::{Id, Query},
    pages::{
        door::Visitor,
        failure::Failure,
        parts::{self, Tone, badge, time},
        shell::{self, Section},
    },
};

/// How many deliveries of a run are looked through for repetitions.
const LOOKED_THROUGH: u32 = 100;

/// A delivery and what it is about. What was deleted since is missing.
pub(super) struct Detail {
    pub(super) delivery: Delivery,
    pub(super) attempts: Vec<Attempt>,
    pub(super) run: Option<Run>,
    pub(super) agent: Option<Agent>,
    pub(super) webhook: Option<Webhook>,
    /// Deliveries that repeat it, newest first.
    pub(super) repetitions: Vec<Delivery>,
}

impl Detail {
    /// The delivery that a path names.
    pub(super) async fn load(store: &dyn Store, organization: OrganizationId, id: &Id) -> Result<Self, ApiError> {
        let id: DeliveryId = id.parse(missing)?;
        let (delivery, attempts) = store.delivery(organization, id).await?.ok_or_else(missing)?;
        let mut detail = Self {
            webhook: store.webhook(organization, delivery.webhook_id).await?,
            run: None,
            agent: None,
            repetitions: Vec::new(),
            delivery,
            attempts,
        };
        if let Some(run) = detail.delivery.run_id {
            detail.run = store.run(organization, RunRef::Id(run)).await?;
            let of_run = DeliveryFilter { run_id: Some(run), limit: LOOKED_THROUGH, ..DeliveryFilter::default() };
            detail.repetitions = store.deliveries(organization, of_run).await?.deliveries;
            detail.repetitions.retain(|other| other.redelivery_of == Some(id));
        }
        if let Some(agent) = detail.delivery.agent_id {
            detail.agent = store.agent(organization, agent).await?;
        }
        Ok(detail)
    }

    /// Whether an attempt has not ended yet; that of a canceled delivery is not cut off.
    pub(super) fn is_under_way(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.http_status.is_none() && attempt.error.is_none())
    }

    /// The requests that were kept, by the numbers of their attempts.
    pub(super) fn requests(&self) -> impl DoubleEndedIterator<Item = (u32, &Message)> {
        self.attempts.iter().filter_map(|attempt| Some((attempt.number, attempt.request.as_ref()?)))
    }
}

/// `GET /deliveries/{id}`
pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    mut query: Query,
) -> Result<Response, Failure> {
    let done = query.text("done")?;
    query.finish()?;
    let detail = Detail::load(&*app.store, visitor.organization.id, &id).await?;
    let said = match done.as_str() {
        "redelivered" => parts::notice(Tone::Good, &html! { p { "This is the new delivery. It is sent at once." } }),
        "canceled" => parts::notice(Tone::Good, &html! { p { "No further attempt is made." } }),
        _ => html! {},
    };
    let check = check::card(&visitor, &detail, &check::Answer::default());
    Ok(page(&app, &visitor, &detail, &said, &check))
}

/// The page, with what is to be said first, and the part that checks signatures.
pub(super) fn page(app: &App, visitor: &Visitor, detail: &Detail, said: &Markup, check: &Markup) -> Response {
    let delivery = &detail.delivery;
    let title = format!("Delivery of {}", rows::what(delivery));
    let may_change = delivery.status == DeliveryStatus::Pending || detail.is_under_way();
    let live = may_change.then(|| format!("/live/deliveries?webhook_id={}", delivery.webhook_id));
    let content = html! {
        (parts::crumbs(&ABOVE[..3]))
        div data-live=[live.as_deref()] {
            div id="delivery-head" data-live-region {
                (parts::page_head(&title, &about(delivery), &actions::buttons(app, visitor, detail)))
            }
            @if !said.0.is_empty() { div.delivery-said { (said) } }
            div.wide-narrow {
                div.stack {
                    section.card {
                        div.card-head { h2 { "What happened" } @if live.is_some() { span.live data-needs-script hidden { "Connecting" } } }
                        div.card-body id="delivery-timeline" data-live-region { (timeline::shown(detail)) }
                    }
                    div id="delivery-curl" data-live-region { (as_curl(detail)) }
                    (check)
                }
                div id="delivery-facts" data-live-region { (facts::card(detail)) }
            }
        }
    };
    shell::page(visitor, Section::Settings, &title, &content)
}

fn about(delivery: &Delivery) -> Markup {
    html! {
        span.line {
            (badge::of_delivery(delivery.status))
            span { "Created " (time::ago(delivery.created_at)) }
            @if let Some(next) = delivery.next_attempt_at { span { "· next attempt " (time::countdown(next)) } }
        }
    }
}

fn as_curl(detail: &Detail) -> Markup {
    let last = detail.requests().next_back();
    let is_masked = last.is_some_and(|(_, request)| request.headers.iter().any(|(_, value)| value == MASK));
    let command = last.and_then(|(number, request)| Some((number, curl(&detail.delivery.url, request)?)));
    html! {
        @if let Some((number, command)) = command {
            (parts::card("Send it yourself",
                Some("The same headers and the same body, for a shell. The secret is not in it; the signatures are those that were sent, \
                      so a receiver that checks how old they are may refuse it."),
                &html! {
                    (parts::code("curl", &command, "Command"))
                    p.small.muted {
                        "Attempt " (number) " as a curl command."
                        @if is_masked { " Put in the values of the headers that read " (MASK) ": they are not kept." }
                    }
                }))
        }
    }
}
