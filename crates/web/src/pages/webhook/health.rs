//! How a webhook is doing.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use preclinical_core::{
    delivery::Delivery,
    health::{HealthStatus, Patience},
    webhook::Webhook,
};

use crate::pages::parts::{
    self, Icon, Tone,
    badge::{self, Look},
    time,
};

/// How a webhook is doing, in a word.
pub(super) fn look(webhook: &Webhook) -> Look {
    match HealthStatus::of(webhook) {
        HealthStatus::Healthy => Look { tone: Tone::Good, icon: Icon::Check, word: "Enabled" },
        HealthStatus::Failing => Look { tone: Tone::Bad, icon: Icon::Alert, word: "Failing" },
        HealthStatus::Disabled if webhook.disabled_reason.is_some() => {
            Look { tone: Tone::Bad, icon: Icon::Mute, word: "Disabled automatically" }
        }
        HealthStatus::Disabled => Look { tone: Tone::Warn, icon: Icon::Mute, word: "Disabled" },
    }
}

pub(super) fn card(webhook: &Webhook, recent: &[Delivery], patience: Option<Patience>, now: Timestamp) -> Markup {
    let health = &webhook.health;
    let history = html! {
        a.button href={ "/deliveries?webhook_id=" (webhook.id) } { (Icon::Clock) "Its deliveries" }
    };
    let ago = |at: Option<Timestamp>| {
        let at = at.filter(|at| *at <= now);
        html! { @if let Some(at) = at { (time::ago(at)) } @else { "Never" } }
    };
    parts::card_with(
        "Health",
        None,
        &history,
        &html! {
            (concern(webhook, patience))
            (strip(recent))
            dl.pairs {
                dt { "Last sent" } dd { (ago(health.last_triggered_at)) }
                dt { "Last success" } dd { (ago(health.last_success_at)) }
                dt { "Failed attempts in a row" } dd.number { (health.consecutive_failures) }
                @if let Some(since) = health.failing_since {
                    dt { "Failing since" } dd { (time::ago(since)) }
                    dt { "Deliveries failed for good since then" } dd.number { (health.exhausted_deliveries) }
                }
            }
        },
    )
}

/// What is wrong, if something is, and what to do. Of one that is disabled that is said elsewhere.
fn concern(webhook: &Webhook, patience: Option<Patience>) -> Markup {
    let health = &webhook.health;
    match HealthStatus::of(webhook) {
        HealthStatus::Disabled => html! {},
        HealthStatus::Healthy if health.consecutive_failures == 0 => html! {},
        HealthStatus::Healthy => {
            parts::notice(Tone::Warn, &html! { p { (last(health.consecutive_failures)) " It is tried again by itself." } })
        }
        HealthStatus::Failing => parts::notice(
            Tone::Bad,
            &html! {
                p {
                    strong { (last(health.consecutive_failures)) } " "
                    @match health.exhausted_deliveries {
                        0 => "",
                        1 => "1 delivery has failed for good. ",
                        count => { (count) " deliveries have failed for good. " },
                    }
                    "Look at a delivery to see what the receiver answers, repair it, and send a test."
                }
                @if let Some(patience) = patience {
                    p.small {
                        "If nothing gets through for " (length(patience.time)) ", and " (patience.exhausted)
                        " deliveries have failed for good, it is disabled."
                    }
                }
            },
        ),
    }
}

fn last(failures: u32) -> String {
    match failures {
        1 => "The last attempt failed.".to_owned(),
        count => format!("The last {count} attempts failed."),
    }
}

/// `5 days`, in the largest unit that fits.
fn length(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let fits = |(unit, _): &(i64, &str)| seconds >= *unit && seconds % unit == 0;
    let (unit, name) = units.into_iter().find(fits).unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// The latest deliveries, the newest at the right.
fn strip(recent: &[Delivery]) -> Markup {
    html! {
        @if recent.is_empty() { p.muted { "Nothing was sent to it yet." } }
        @else {
            ol.strip aria-label={ "The latest " (recent.len()) " deliveries, the newest last" } {
                @for delivery in recent.iter().rev() {
                    @let look = badge::of_delivery(delivery.status);
                    li {
                        a class=(look.tone.class()) href={ "/deliveries/" (delivery.id) }
                            title={ (look.word) ", " (time::in_utc(delivery.created_at)) } {
                            span.sr { (look.word) ", " (time::in_utc(delivery.created_at)) }
                        }
                    }
                }
            }
        }
    }
}
