//! What a webhook missed, and the order to replay it.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    id::RedeliveryJobId, port::NewRedeliveryJob, redelivery::MAX_PENDING_OF_JOB, replay_on_recovery::ReplayOnRecovery,
    webhook::Webhook,
};

use super::{Place, Shared, named};
use crate::{
    api::{redeliveries::create, webhooks::replay::missed},
    app::{self, App},
    error::ApiError,
    input::Id,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::{Icon, field, time},
        shell,
    },
};

/// Deliveries that can be replayed.
pub(super) struct Missed {
    pub(super) count: u64,
    /// A form that is sent twice is one order.
    new: RedeliveryJobId,
}

impl Missed {
    /// What it is now; `None` if there is nothing.
    pub(super) async fn load(app: &App, webhook: &Webhook) -> Result<Option<Self>, ApiError> {
        if webhook.health.missed_since.is_none() {
            return Ok(None);
        }
        let now = app.clock.now();
        let selection = missed(webhook, None, false, now);
        let count = app.store.count_redeliveries(webhook.organization_id, selection, now).await?;
        let new = RedeliveryJobId::generate(now, &*app.chance);
        Ok((count > 0).then_some(Self { count, new }))
    }

    /// `1 delivery`, `2 deliveries`
    pub(super) fn deliveries(&self) -> String {
        if self.count == 1 { "1 delivery".to_owned() } else { format!("{} deliveries", self.count) }
    }
}

/// What is replayed without an order, in words.
pub(super) const fn by_itself(wish: ReplayOnRecovery) -> &'static str {
    match wish {
        ReplayOnRecovery::Off => "Nothing by itself",
        ReplayOnRecovery::All => "Everything that was missed",
        ReplayOnRecovery::NewestPerAgent => "The newest run of each agent",
    }
}

/// How many were missed, with the button that replays them for those who may.
pub(super) fn card(webhook: &Webhook, missed: &Missed, visitor: &Visitor) -> Markup {
    let may_change = visitor.member.role.may_change();
    html! {
        section.card id="missed" {
            div.card-head {
                h2 { "Missed" }
                p {
                    (missed.deliveries()) " did not get through"
                    @if let Some(since) = webhook.health.missed_since { " since " (time::time(since)) }
                    ", and can be sent again."
                    @if webhook.replay_on_recovery != ReplayOnRecovery::Off {
                        " That happens by itself once the receiver takes something."
                    }
                }
            }
            div.card-body {
                @if !webhook.is_enabled {
                    p.muted { "Enable the webhook first. What it missed is still here then." }
                } @else if may_change {
                    form.stack-small method="post" action={ "/webhooks/" (webhook.id) "/replay" } {
                        (shell::csrf(visitor))
                        input type="hidden" name="new" value=(missed.new);
                        (field::tick("newest_per_agent", "Only the newest run of each agent", false,
                            Some("For receivers that want the latest state and no history.")))
                        div.actions { button.button.primary { (Icon::Repeat) "Replay what was missed" } }
                    }
                    p.small.muted {
                        "Oldest first, and at most " (MAX_PENDING_OF_JOB) " under way at once, so that a receiver that has just come back "
                        "is not overrun. It can be stopped. Send a test first if you are not sure."
                    }
                } @else {
                    p.muted { "An owner or a member of the organization can replay them." }
                }
            }
        }
    }
}

/// `POST /webhooks/{id}/replay`: gives the order. One that comes too late for anything is one for nothing.
pub(in crate::pages) async fn replay(
    State(app): State<Shared>,
    visitor: Visitor,
    id: Id,
    input: Form,
) -> Result<Response, Failure> {
    let webhook = named(&app, &visitor, id).await?;
    if !webhook.is_enabled {
        return Ok(Redirect::to(&Place::of(&webhook).path()).into_response());
    }
    let at = app.clock.now();
    let id = input.text("new").parse().unwrap_or_else(|_| RedeliveryJobId::generate(at, &*app.chance));
    let selection = missed(&webhook, None, input.has("newest_per_agent"), at);
    let job = NewRedeliveryJob { id, organization_id: webhook.organization_id, selection, at };
    let job = app::to_its_end(create::start(app, job)).await??;
    Ok(Redirect::to(&format!("/deliveries/redeliveries/{}", job.id)).into_response())
}

/// What to do where nothing can be replayed yet.
pub(super) fn afterwards(missed: Option<&Missed>) -> Markup {
    html! {
        @match missed {
            Some(missed) => { "Then replay what it missed: " (missed.deliveries()) " so far." },
            None => "Then it hears of the next run that ends.",
        }
    }
}
