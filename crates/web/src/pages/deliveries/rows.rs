//! Deliveries in rows.

use maud::{Markup, html};
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    event::EventKind,
};

use super::names::{Names, host};
use crate::pages::parts::{
    Tone,
    badge::{of_delivery, of_http},
    time,
};

const COLUMNS: [&str; 8] = ["Status", "Run", "Agent", "Webhook", "Answer", "Response time", "Attempts", "Created"];

/// A table of deliveries, each leading to its own page.
pub(super) fn table(deliveries: &[Delivery], names: &Names) -> Markup {
    html! {
        div.table-box {
            table.folds.deliveries {
                thead { tr { @for name in COLUMNS { th scope="col" { (name) } } } }
                tbody id="found-rows" data-live-rows { @for delivery in deliveries { (row(delivery, names)) } }
            }
        }
    }
}

fn row(delivery: &Delivery, names: &Names) -> Markup {
    html! {
        tr id={ "delivery-" (delivery.id) } {
            td data-label=(COLUMNS[0]) {
                a.row-open href={ "/deliveries/" (delivery.id) } {
                    (of_delivery(delivery.status)) span.sr { " delivery of " (what(delivery)) }
                }
            }
            td.nowrap data-label=(COLUMNS[1]) { (run(delivery)) }
            td data-label=(COLUMNS[2]) { (agent(delivery, names)) }
            td data-label=(COLUMNS[3]) { (webhook(delivery, names)) }
            td.nowrap data-label=(COLUMNS[4]) { (answer(delivery)) }
            td.number.nowrap data-label=(COLUMNS[5]) {
                @match delivery.duration_ms { Some(duration) => (time::duration(duration)), None => (none()) }
            }
            td.number data-label=(COLUMNS[6]) { (delivery.attempt_count) }
            td.nowrap data-label=(COLUMNS[7]) { (time::ago(delivery.created_at)) }
        }
    }
}

/// The run of a delivery in words.
pub(super) fn what(delivery: &Delivery) -> String {
    match (delivery.event, delivery.run_number) {
        (EventKind::Test, _) => "a test".to_owned(),
        (EventKind::TestRunCompleted, Some(number)) => number.to_string(),
        (EventKind::TestRunCompleted, None) => "a run".to_owned(),
        (EventKind::WebhookDisabled, _) => "news of a disabled webhook".to_owned(),
    }
}

fn run(delivery: &Delivery) -> Markup {
    match (delivery.event, delivery.run_id) {
        (EventKind::Test, _) => html! { span.badge.quiet { "Test" } },
        (EventKind::WebhookDisabled, _) => html! { span.badge.quiet { "Webhook disabled" } },
        (EventKind::TestRunCompleted, Some(run)) => {
            html! { a.strong-link.number href={ "/test/" (run) } { (what(delivery)) } }
        }
        (EventKind::TestRunCompleted, None) => none(),
    }
}

fn agent(delivery: &Delivery, names: &Names) -> Markup {
    match delivery.agent_id.map(|id| names.agent(id)) {
        Some(Some(agent)) => html! { span.clip title=(agent.name) { (agent.name) } },
        Some(None) => html! { span.muted { "Deleted agent" } },
        None => none(),
    }
}

fn webhook(delivery: &Delivery, names: &Names) -> Markup {
    let host = host(&delivery.url);
    let level = match names.webhook(delivery.webhook_id).map(|webhook| webhook.agent_id) {
        Some(Some(_)) => "Agent’s",
        Some(None) => "Organization’s",
        None => "Deleted",
    };
    html! { div { span.clip title=(delivery.url) { (host) } span.small.muted { (level) } } }
}

/// What the last attempt came to, as far as the list knows.
pub(super) fn answer(delivery: &Delivery) -> Markup {
    if let Some(status) = delivery.http_status {
        return of_http(status);
    }
    let word = match (delivery.status, delivery.attempt_count, delivery.next_attempt_at) {
        (DeliveryStatus::Pending, 1.., None) => "Under way",
        (DeliveryStatus::Pending, 0, _) => "Not sent yet",
        (_, 0, _) => "Not sent",
        (DeliveryStatus::Pending | DeliveryStatus::Failed | DeliveryStatus::Delivered, ..) => {
            return html! { span class=(Tone::Bad.class()) { "No answer" } };
        }
        (DeliveryStatus::Canceled, ..) => "No answer",
    };
    html! { span.muted { (word) } }
}

fn none() -> Markup {
    html! { span.muted { "–" } }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use preclinical_core::id::{DeliveryId, WebhookId};
    use uuid::Uuid;

    use super::*;

    fn delivery(status: DeliveryStatus, attempt_count: u32, http_status: Option<u16>, waits: bool) -> Delivery {
        Delivery {
            id: DeliveryId::from_uuid(Uuid::nil()),
            event: EventKind::Test,
            status,
            webhook_id: WebhookId::from_uuid(Uuid::nil()),
            agent_id: None,
            run_id: None,
            run_number: None,
            url: "https://a.example/".to_owned(),
            attempt_count,
            http_status,
            duration_ms: None,
            next_attempt_at: waits.then_some(Timestamp::UNIX_EPOCH),
            redelivery_of: None,
            created_at: Timestamp::UNIX_EPOCH,
            completed_at: None,
        }
    }

    #[test]
    fn the_last_attempt_is_told_in_a_word_without_reading_it() {
        use DeliveryStatus::{Canceled, Delivered, Failed, Pending};
        for (status, attempts, http, waits, word) in [
            (Pending, 0, None, true, "Not sent yet"),
            (Pending, 1, None, false, "Under way"),
            (Pending, 1, None, true, "No answer"),
            (Pending, 2, Some(500), true, "500"),
            (Delivered, 1, Some(204), false, "204"),
            (Failed, 4, None, false, "No answer"),
            (Canceled, 0, None, false, "Not sent"),
            (Canceled, 1, None, false, "No answer"),
        ] {
            let shown = answer(&delivery(status, attempts, http, waits)).into_string();
            assert!(shown.contains(&format!(">{word}<")), "{shown} for {word}");
        }
    }
}
