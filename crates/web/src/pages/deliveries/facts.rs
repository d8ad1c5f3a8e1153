//! What a delivery is: where it goes, what about, and under which ids.

use maud::{Markup, html};
use preclinical_core::{event::EventKind, request};

use super::detail::Detail;
use crate::pages::{
    parts::{self, badge, visible::visible_line},
    webhook::Place,
};

/// All of it.
pub(super) fn card(detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    html! {
        section.card {
            div.card-head { h2 { "Details" } }
            div.card-body {
                dl.pairs.delivery-facts {
                    dt { "Event" } dd { (event(detail)) }
                    @if delivery.run_id.is_some() { dt { "Run" } dd { (run(detail)) } }
                    @if delivery.agent_id.is_some() { dt { "Agent" } dd { (agent(detail)) } }
                    dt { "Webhook" } dd { (webhook(detail)) }
                    dt { "URL" } dd.mono { (visible_line(&delivery.url)) }
                    @if let Some(of) = delivery.redelivery_of {
                        dt { "Repeats" } dd { a.mono href={ "/deliveries/" (of) } { (of) } }
                    }
                    @if !detail.repetitions.is_empty() {
                        dt { "Repeated by" }
                        dd.stack-small {
                            @for repetition in &detail.repetitions {
                                span.line {
                                    (badge::of_delivery(repetition.status))
                                    a.mono href={ "/deliveries/" (repetition.id) } { (repetition.id) }
                                }
                            }
                        }
                    }
                }
                (id("delivery-id", "Delivery id", &delivery.id.to_string()))
                (id("message-id", "webhook-id", &request::message_id(delivery.id)))
                p.small.muted { "Every attempt has the same webhook-id. A receiver knows repetitions by it." }
            }
        }
    }
}

/// An id as a whole, to be copied.
fn id(name: &str, label: &str, text: &str) -> Markup {
    html! {
        div.field {
            div.line.id-line { span.label { (label) } (parts::copy_button(name)) }
            code.mono id=(name) { (text) }
        }
    }
}

fn event(detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    html! {
        span.line {
            code { (delivery.event.as_str()) }
            @if delivery.event == EventKind::Test { span.badge.quiet { "Test" } }
        }
    }
}

fn run(detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    html! {
        @if let Some(id) = delivery.run_id {
            span.line {
                a.number href={ "/test/" (id) } {
                    @match delivery.run_number { Some(number) => (number), None => (id) }
                }
                @if let Some(run) = &detail.run { (badge::of_run(run.status)) }
            }
            @if let Some(run) = &detail.run { div.small.muted { (visible_line(&run.name)) } }
        }
    }
}

fn agent(detail: &Detail) -> Markup {
    html! {
        @match &detail.agent {
            Some(agent) => a href={ "/agents/" (agent.id) } { (visible_line(&agent.name)) },
            None => span.muted { "Deleted since" },
        }
    }
}

fn webhook(detail: &Detail) -> Markup {
    html! {
        @match &detail.webhook {
            Some(webhook) => span.line {
                a href=(Place::of(webhook).path()) { @if webhook.agent_id.is_some() { "The agent’s own" } @else { "The organization’s" } }
                @if !webhook.is_enabled { span.badge.warn { "Disabled" } }
            },
            None => span.muted { "Deleted since" },
        }
    }
}
