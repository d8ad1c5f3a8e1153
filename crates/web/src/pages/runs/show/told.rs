//! Who was told of the run, who was not and why, and the deliveries that followed.

use maud::{Markup, html};
use preclinical_core::{
    choice::Level,
    decision::{Decision, DecisionOutcome, Judged},
    delivery::Delivery,
    port::DeliveryPage,
    run::Run,
};

use crate::pages::{
    parts::{
        Icon, Tone,
        badge::{self, Look},
        time,
    },
    runs::rows,
    webhook::Place,
};

/// Both, as one part of the page.
pub(super) fn of(run: &Run, decisions: &[Decision], deliveries: &DeliveryPage) -> Markup {
    let content = html! {
        @if decisions.is_empty() {
            p.muted {
                @if run.status.is_final() { "Nothing is known about a webhook of this run." }
                @else { "When the run ends, it is decided here which webhook hears of it: the agent's own, or the organization's." }
            }
        } @else {
            ul.decisions { @for decision in decisions { (decided(run, decision)) } }
        }
    };
    html! {
        section.card {
            div.card-head { h2 { "Webhook" } }
            div.card-body { (content) }
            @if !deliveries.deliveries.is_empty() {
                (table(&deliveries.deliveries))
                @if deliveries.next.is_some() {
                    div.pager { a href={ "/deliveries?q=" (run.number) } { "All deliveries of this run" } }
                }
            }
        }
    }
}

fn decided(run: &Run, decision: &Decision) -> Markup {
    html! {
        li {
            (look(decision.outcome()))
            div.stack-small {
                p {
                    (decision.reason())
                    @if let Some(next) = decision.about.as_ref().and_then(next_attempt) { " " span.muted { (time::countdown(next)) } }
                }
                @if let Some(judged) = &decision.about { (about(run, judged)) }
                p.small.muted { "Decided " (time::time(decision.decided_at)) }
            }
        }
    }
}

fn next_attempt(judged: &Judged) -> Option<jiff::Timestamp> {
    judged.delivery.as_ref().filter(|delivery| delivery.attempt_count > 0)?.next_attempt_at
}

fn about(run: &Run, judged: &Judged) -> Markup {
    let (whose, place) = match judged.level {
        Level::Organization => ("Webhook of the organization", Place::Organization),
        Level::Agent => ("Webhook of the agent", Place::Agent(run.agent_id)),
    };
    html! {
        p.line.small {
            a href=(place.path()) { (whose) }
            span.mono.clip title=(judged.url) { (judged.url) }
            @if let Some(delivery) = &judged.delivery { a href={ "/deliveries/" (delivery.id) } { "See its delivery" } }
        }
    }
}

fn look(outcome: DecisionOutcome) -> Look {
    match outcome {
        DecisionOutcome::Delivered => Look { tone: Tone::Good, icon: Icon::Check, word: "Delivered" },
        DecisionOutcome::Retrying => Look { tone: Tone::Info, icon: Icon::Clock, word: "Pending" },
        DecisionOutcome::Failed => Look { tone: Tone::Bad, icon: Icon::Cross, word: "Failed" },
        DecisionOutcome::Canceled => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "Canceled" },
        DecisionOutcome::NoWebhook => Look { tone: Tone::Quiet, icon: Icon::Hook, word: "No webhook" },
        DecisionOutcome::Disabled => Look { tone: Tone::Warn, icon: Icon::Mute, word: "Disabled" },
        DecisionOutcome::Overridden => Look { tone: Tone::Quiet, icon: Icon::Next, word: "Overridden" },
    }
}

fn table(deliveries: &[Delivery]) -> Markup {
    html! {
        div.table-box {
            table.folds {
                caption.sr { "Deliveries of this run, newest first" }
                thead {
                    tr {
                        @for name in ["Delivery", "To", "Answer"] { th scope="col" { (name) } }
                        @for name in ["Attempts", "When"] { th.end scope="col" { (name) } }
                    }
                }
                tbody { @for delivery in deliveries { (row(delivery)) } }
            }
        }
    }
}

fn row(delivery: &Delivery) -> Markup {
    let look = badge::of_delivery(delivery.status);
    html! {
        tr id={ "delivery-" (delivery.id) } {
            td {
                a.line.plain-link href={ "/deliveries/" (delivery.id) } aria-label={ "Delivery: " (look.word) } { (look) }
            }
            td data-label="To" {
                span.mono.clip title=(delivery.url) { (delivery.url) }
                @if delivery.redelivery_of.is_some() { span.small.muted { "Sent again" } }
            }
            td data-label="Answer" {
                @match delivery.http_status { Some(status) => (badge::of_http(status)), None => (rows::or_none(None)) }
            }
            td.end.number data-label="Attempts" { (delivery.attempt_count) }
            td.end.nowrap data-label="When" { (time::ago(delivery.created_at)) }
        }
    }
}
