//! A delivery from its event to its end, one thing after the other.

use jiff::Timestamp;
use maud::{Markup, html};
use preclinical_core::{attempt::Attempt, delivery::DeliveryStatus, event::EventKind, run::RunStatus};

use super::{attempt, detail::Detail};
use crate::pages::parts::{Icon, Tone, badge::of_delivery, time};

/// All of it.
pub(super) fn shown(detail: &Detail) -> Markup {
    let last = detail.attempts.len().saturating_sub(1);
    html! {
        ol.timeline {
            (origin(detail))
            (entry(Tone::Quiet, Icon::Inbox, "Accepted", Some(detail.delivery.created_at), &html! {}))
            @for (index, each) in detail.attempts.iter().enumerate() {
                @let look = attempt::look(each);
                li {
                    (dot(look.tone, look.icon))
                    @let wait = index.checked_sub(1).and_then(|before| wait(detail.attempts.get(before)?, each));
                    (attempt::shown(each, wait, index == last))
                }
            }
            (next(detail))
            (end(detail))
        }
    }
}

/// What it is about: a run that ended, a test, or an older delivery.
fn origin(detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    if let Some(of) = delivery.redelivery_of {
        let about = html! { p.small { "Somebody repeated " a href={ "/deliveries/" (of) } { "an earlier delivery" } "." } };
        return entry(Tone::Quiet, Icon::Repeat, "Repeated", None, &about);
    }
    if delivery.event == EventKind::Test {
        return entry(Tone::Quiet, Icon::Send, "Test sent by hand", None, &html! {});
    }
    let run = detail.run.as_ref();
    let title = match run.map(|run| run.status) {
        Some(RunStatus::Failed) => "Run failed",
        Some(RunStatus::Canceled) => "Run canceled",
        _ => "Run completed",
    };
    // A run that ended again since has a later end, which is the beginning of another delivery.
    let ended = run.and_then(|run| run.completed_at).filter(|ended| *ended <= delivery.created_at);
    entry(Tone::Quiet, Icon::Runs, title, ended, &html! {})
}

fn next(detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    let title = if delivery.attempt_count == 0 { "First attempt" } else { "Next attempt" };
    html! {
        @if let (DeliveryStatus::Pending, Some(at)) = (delivery.status, delivery.next_attempt_at) {
            (entry(Tone::Info, Icon::Clock, title, None, &html! {
                p { strong.countdown { (time::countdown(at)) } " " span.small.muted { (time::time(at)) } }
            }))
        }
    }
}

fn end(detail: &Detail) -> Markup {
    let delivery = &detail.delivery;
    let about = match delivery.status {
        DeliveryStatus::Pending => return html! {},
        DeliveryStatus::Delivered => "The receiver has it.",
        DeliveryStatus::Failed => "No further attempt is made. It can be repeated when the receiver is ready.",
        DeliveryStatus::Canceled if detail.is_under_way() => {
            "No further attempt is made. The one under way is not cut off: if the receiver takes it, this is delivered after all."
        }
        DeliveryStatus::Canceled => {
            "No further attempt is made: somebody canceled it, or its webhook was disabled or deleted."
        }
    };
    let look = of_delivery(delivery.status);
    entry(look.tone, look.icon, look.word, delivery.completed_at, &html! { p.small.muted { (about) } })
}

fn entry(tone: Tone, icon: Icon, title: &str, at: Option<Timestamp>, about: &Markup) -> Markup {
    html! {
        li {
            (dot(tone, icon))
            div.line { h3 { (title) } @if let Some(at) = at { span.small.muted { (time::time(at)) } } }
            (about)
        }
    }
}

fn dot(tone: Tone, icon: Icon) -> Markup {
    html! { span.dot.(tone.class()) { (icon.sized(14)) } }
}

/// How long it was from the end of an attempt to the beginning of the next, in milliseconds.
fn wait(before: &Attempt, next: &Attempt) -> Option<u64> {
    let from = before.started_at.as_millisecond() + i64::try_from(before.duration_ms?).ok()?;
    u64::try_from(next.started_at.as_millisecond() - from).ok().filter(|wait| *wait >= 1000)
}
