//! How a webhook is doing.

use jiff::Timestamp;
use maud::{Markup, html};
use preclinical_core::{delivery::Delivery, webhook::Webhook};

use crate::pages::parts::{self, Icon, Tone, badge, time};

pub(super) fn card(webhook: &Webhook, recent: &[Delivery], now: Timestamp) -> Markup {
    let history = html! {
        a.button href={ "/deliveries?webhook_id=" (webhook.id) } { (Icon::Clock) "Its deliveries" }
    };
    parts::card_with(
        "Health",
        None,
        &history,
        &html! {
            @if webhook.consecutive_failures > 0 { (failing(webhook)) }
            (strip(recent))
            dl.pairs {
                dt { "Last sent" }
                dd { @if let Some(at) = webhook.last_triggered_at.filter(|at| *at <= now) { (time::ago(at)) } @else { "Never" } }
                dt { "Failed attempts in a row" } dd.number { (webhook.consecutive_failures) }
            }
        },
    )
}

fn failing(webhook: &Webhook) -> Markup {
    let count = webhook.consecutive_failures;
    parts::notice(
        Tone::Bad,
        &html! {
            p {
                @if count == 1 { "The last attempt failed." }
                @else { "The last " (count) " attempts failed." }
                " Look at a delivery to see what the receiver answers."
            }
        },
    )
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
