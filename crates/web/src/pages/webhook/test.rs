use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use preclinical_core::{
    attempt::{Attempt, Message},
    delivery::Delivery,
};

use super::{Panel, Place, Shared, WebhookPath, named};
use crate::{
    api::webhooks,
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
    delivery: Delivery,
    attempt: Option<Attempt>,
}

/// `POST /webhooks/{id}/test`: sends a test and shows what came of it.
pub(in crate::pages) async fn send_test(
    State(app): State<Shared>,
    visitor: Visitor,
    Path(id): WebhookPath,
) -> Result<Response, Failure> {
    let webhook = named(&app, &visitor, &id).await?;
    let organization = visitor.organization.id;
    let (delivery, _) = webhooks::test::send(app.clone(), organization, webhook.id).await?;
    let (delivery, mut attempts) =
        app.store.delivery(organization, delivery).await?.ok_or_else(|| Failure::not_found("delivery"))?;
    let place = Place::of(&webhook);
    let mut panel = Panel::load(&app, &visitor, place).await?;
    panel.test = Some(TestResult { delivery, attempt: attempts.pop() });
    place.show(&app, &visitor, panel).await
}

impl TestResult {
    /// The place where the result appears, also while there is none.
    pub(super) fn render(result: Option<&Self>) -> Markup {
        html! {
            div id="test-result" aria-live="polite" {
                @if let Some(Self { delivery, attempt }) = result {
                    div.card-body {
                        (parts::notice(tone(attempt.as_ref()), &html! {
                            p { strong { (headline(attempt.as_ref())) } }
                            p.small { a href={ "/deliveries/" (delivery.id) } { "See the whole delivery" } }
                        }))
                        @if let Some(attempt) = attempt { (conversation(attempt)) }
                    }
                }
            }
        }
    }
}

fn tone(attempt: Option<&Attempt>) -> Tone {
    let status = attempt.and_then(|attempt| attempt.http_status);
    if status.is_some_and(|status| (200..300).contains(&status)) { Tone::Good } else { Tone::Bad }
}

fn headline(attempt: Option<&Attempt>) -> String {
    let Some(attempt) = attempt else { return "No attempt was recorded.".to_owned() };
    let took = attempt.duration_ms.map(|took| format!(" after {}", time::duration(took))).unwrap_or_default();
    match (&attempt.error, attempt.http_status) {
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
                dl.headers { @for (name, value) in &request.headers { dt { (name) } dd { (value) } } }
                pre.code tabindex="0" { (shown(request)) }
            }
        }
    }
}

fn shown(message: &Message) -> String {
    let text = String::from_utf8_lossy(&message.body[..message.body.len().min(SHOWN_BYTES)]).into_owned();
    if message.body.len() > SHOWN_BYTES { text + "…" } else { text }
}
