use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    attempt::{Attempt, Message},
    id::DeliveryId,
    port::AttemptSummary,
};

use super::{Panel, Place, Shared, named};
use crate::{
    api::webhooks,
    input::Id,
    pages::{
        door::Visitor,
        failure::{Failure, sentence},
        parts::{self, Tone, time},
    },
};

/// How much of an answer is shown here; the delivery's own page has the rest.
const SHOWN_BYTES: usize = 2048;

/// What came of a test delivery.
pub(in crate::pages) struct TestResult {
    delivery: DeliveryId,
    summary: AttemptSummary,
    attempt: Option<Attempt>,
}

/// `POST /webhooks/{id}/test`: sends a test and shows what came of it.
pub(in crate::pages) async fn send_test(State(app): State<Shared>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let webhook = named(&app, &visitor, id).await?;
    let organization = visitor.organization.id;
    let (delivery, summary) = webhooks::test::send(app.clone(), organization, webhook.id).await?;
    let attempts = app.store.delivery(organization, delivery).await?.map(|(_, attempts)| attempts);
    let place = Place::of(&webhook);
    let mut panel = Panel::load(&app, &visitor, place).await?;
    panel.test = Some(TestResult { delivery, summary, attempt: attempts.and_then(|mut attempts| attempts.pop()) });
    place.show(&app, &visitor, panel).await
}

impl TestResult {
    /// The place where the result appears, also while there is none.
    pub(super) fn render(result: Option<&Self>) -> Markup {
        html! {
            div id="test-result" aria-live="polite" {
                @if let Some(Self { delivery, summary, attempt }) = result {
                    @let tone = if summary.delivered { Tone::Good } else { Tone::Bad };
                    div.card-body {
                        (parts::notice(tone, &html! {
                            p { strong { (headline(summary, attempt.as_ref())) } }
                            p.small { a href={ "/deliveries/" (delivery) } { "See the whole delivery" } }
                        }))
                        @if let Some(attempt) = attempt { (conversation(attempt)) }
                    }
                }
            }
        }
    }
}

fn headline(summary: &AttemptSummary, attempt: Option<&Attempt>) -> String {
    let took = attempt.and_then(|attempt| attempt.duration_ms);
    let took = took.map(|took| format!(" after {}", time::duration(took))).unwrap_or_default();
    match (&summary.error, summary.http_status) {
        (Some(error), _) => sentence(&error.message),
        (None, Some(status)) => format!("The receiver answered {status}{took}."),
        (None, None) => "No answer came.".to_owned(),
    }
}

fn conversation(attempt: &Attempt) -> Markup {
    html! {
        @if let Some(response) = attempt.response.as_ref().filter(|response| !response.body.is_empty()) {
            div.stack-small { h3 { "What it answered" } pre.code tabindex="0" { (shown(response)) } }
        }
        @if let Some(request) = &attempt.request {
            details.more {
                summary { "What was sent and signed" }
                dl.headers { @for (name, value) in request.headers.iter() { dt { (name) } dd { (value) } } }
                pre.code tabindex="0" { (shown(request)) }
            }
        }
    }
}

fn shown(message: &Message) -> String {
    let text = String::from_utf8_lossy(&message.body[..message.body.len().min(SHOWN_BYTES)]).into_owned();
    if message.body.len() > SHOWN_BYTES { text + "…" } else { text }
}
