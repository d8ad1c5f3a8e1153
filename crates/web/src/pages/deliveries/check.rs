//! Why a receiver does not find the signature that it was sent.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    attempt::Message,
    signature_check::{self, BodyDifference, HeaderFinding, SecretFinding, SignatureCheck, Spelling},
};

use super::{
    body::bytes,
    detail::{self, Detail},
};
use crate::{
    app::App,
    input::Id,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::{
            self, Icon, Tone,
            badge::badge,
            field::{TextField, text_area},
            visible::visible_line,
        },
        shell,
    },
};

/// How many bytes before and behind the first difference are shown.
const AROUND: usize = 24;

/// What the form was sent with, but for the secret, and what came of it.
#[derive(Default)]
pub(super) struct Answer {
    attempt: Option<u32>,
    body: String,
    error: Option<&'static str>,
    found: Option<SignatureCheck>,
}

/// `POST /deliveries/{id}/check-signature`: nothing of it is kept, and the secret is not shown again.
pub(in crate::pages) async fn check_signature(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    input: Form,
) -> Result<Response, Failure> {
    let detail = Detail::load(&*app.store, visitor.organization.id, &id).await?;
    let chosen = input.text("attempt").parse().ok();
    // Forms send every line break as two characters, whatever it was.
    let body = input.text("body").replace("\r\n", "\n");
    let sent = chosen_request(&detail, chosen);
    let secret = input.text("secret");
    let answer = Answer {
        attempt: sent.map(|(number, _)| number),
        error: secret.is_empty().then_some("Paste the secret that the receiver uses."),
        found: sent.filter(|_| !secret.is_empty()).map(|(_, message)| {
            let received = (!body.is_empty()).then_some(body.as_bytes());
            signature_check::check(message, secret, received)
        }),
        body,
    };
    let status = if answer.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let card = card(&visitor, &detail, &answer);
    Ok((status, detail::page(&app, &visitor, &detail, &html! {}, &card)).into_response())
}

/// The request of that attempt; of the last one if it has none.
fn chosen_request(detail: &Detail, chosen: Option<u32>) -> Option<(u32, &Message)> {
    let named = detail.requests().find(|(number, _)| Some(*number) == chosen);
    named.or_else(|| detail.requests().next_back())
}

/// The form, and what came of it.
pub(super) fn card(visitor: &Visitor, detail: &Detail, answer: &Answer) -> Markup {
    let requests: Vec<u32> = detail.requests().map(|(number, _)| number).collect();
    html! {
        section.card id="signature-check" {
            div.card-head {
                h2 { "Check a signature" }
                p { "If your receiver refuses a signature, this tells why. What you paste is compared and forgotten." }
            }
            div.card-body {
                @if let (Some(found), Some((_, sent))) = (&answer.found, chosen_request(detail, answer.attempt)) {
                    (verdict(found, sent, &answer.body))
                }
                @if requests.is_empty() { p.muted { "No request was kept yet." } }
                @else { (form(visitor, detail, answer, &requests)) }
            }
        }
    }
}

fn form(visitor: &Visitor, detail: &Detail, answer: &Answer, requests: &[u32]) -> Markup {
    let chosen = answer.attempt.or(requests.last().copied());
    html! {
        form.stack-small method="post" action={ "/deliveries/" (detail.delivery.id) "/check-signature#signature-check" }
            data-swap="signature-check" {
            (shell::csrf(visitor))
            div.form-row {
                (TextField { kind: "password", required: true, longest: 1024, error: answer.error,
                    ..TextField::new("secret", "The receiver’s signing secret") })
                @if requests.len() > 1 {
                    div.field {
                        label for="attempt" { "Attempt" }
                        select.input id="attempt" name="attempt" {
                            @for number in requests.iter().rev() {
                                option value=(number) selected[Some(*number) == chosen] { "Attempt " (number) }
                            }
                        }
                    }
                }
            }
            details.more id="check-body" open[!answer.body.is_empty()] {
                summary { "Compare the body, too" }
                (text_area("body", "Body as the receiver saw it", &answer.body, 5,
                    Some("The text that the receiver computes its signature of. A form does not tell LF from CRLF."), None))
            }
            div { button.button { (Icon::Key) "Check" } }
        }
    }
}

fn verdict(found: &SignatureCheck, sent: &Message, received: &str) -> Markup {
    let (tone, text) = of_secret(found.secret);
    let tone = if tone == Tone::Good && found.body.is_some() { Tone::Warn } else { tone };
    html! {
        (parts::notice(tone, &html! {
            p { strong { (text) } }
            @match found.body {
                Some(difference) => (of_body(difference, &sent.body, received)),
                None if !received.is_empty() => p { "The body is the one that was sent, byte by byte." },
                None if found.secret == SecretFinding::Right => p {
                    "If the receiver still refuses it, it sees another body: compare that, too."
                },
                None => {}
            }
        }))
        dl.pairs {
            dt.mono { "X-Preclinical-Signature" } dd { (of_header(found.preclinical)) }
            dt.mono { "webhook-signature" } dd { (of_header(found.standard)) }
        }
    }
}

fn of_header(finding: HeaderFinding) -> Markup {
    match finding {
        HeaderFinding::Missing => badge(Tone::Quiet, Icon::Stop, "Not sent"),
        HeaderFinding::Matches => badge(Tone::Good, Icon::Check, "Matches this secret"),
        HeaderFinding::Differs => badge(Tone::Bad, Icon::Cross, "Made with another one"),
    }
}

const fn of_secret(finding: SecretFinding) -> (Tone, &'static str) {
    match finding {
        SecretFinding::NotSigned => (
            Tone::Info,
            "This request was not signed, because the webhook had no secret then. Set one on the webhook and send again.",
        ),
        SecretFinding::Right => (Tone::Good, "The secret is right."),
        SecretFinding::RotatedOut => (
            Tone::Warn,
            "This is the secret before the current one. It still signs webhook-signature for a while; X-Preclinical-Signature is made \
             with the new one. Give the receiver the new secret.",
        ),
        SecretFinding::SameKey => (
            Tone::Warn,
            "This is enough for webhook-signature. X-Preclinical-Signature is made with the text of the secret exactly as it was set, \
             with its whsec_ and every = at its end.",
        ),
        SecretFinding::Misspelt(spelling) => (Tone::Bad, of_spelling(spelling)),
        SecretFinding::Wrong => {
            (Tone::Bad, "The request was signed with another secret. If it was changed since, check a later attempt.")
        }
    }
}

const fn of_spelling(spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::Spaced => {
            "There is white space around the secret, such as a line break at its end. Without it, it is right."
        }
        Spelling::Quoted => "There are quotation marks around the secret. Without them, it is right.",
        Spelling::WithoutPrefix => "The secret begins with whsec_, which is missing here. With it, it is right.",
        Spelling::WithPrefix => "The secret does not begin with whsec_. Without it, it is right.",
        Spelling::Decoded => {
            "This is what the secret decodes to. Use the whole text with its whsec_: a library for Standard Webhooks decodes it by itself."
        }
        Spelling::Encoded => {
            "This is the base64 of the secret. Use its text; only libraries for Standard Webhooks take the base64 of it."
        }
    }
}

fn of_body(difference: BodyDifference, sent: &[u8], received: &str) -> Markup {
    let what = match difference {
        BodyDifference::Empty => "The receiver saw no body: something read it before, such as a parser.".to_owned(),
        BodyDifference::Surrounded => {
            "White space was added or removed around the body, such as a line break at its end.".to_owned()
        }
        BodyDifference::LineBreaks => "The line breaks of the body were changed.".to_owned(),
        BodyDifference::Reserialized => "The body is the same JSON, but written anew.".to_owned(),
        BodyDifference::CutOff(at) => {
            format!("The body is cut off after {} of {}.", bytes(at as u64), bytes(sent.len() as u64))
        }
        BodyDifference::Other(at) => format!("The body differs from what was sent, from byte {} on.", at + 1),
    };
    html! {
        p { (what) " Compute the signature of the raw bytes, before anything parses or changes them." }
        @if let BodyDifference::Other(at) = difference {
            dl.pairs.mono {
                dt { "Sent" } dd { (around(sent, at)) }
                dt { "Received" } dd { (around(received.as_bytes(), at)) }
            }
        }
    }
}

/// A piece of a body with the byte of that place in it.
fn around(body: &[u8], at: usize) -> String {
    let from = at.saturating_sub(AROUND);
    let to = at.saturating_add(AROUND).min(body.len());
    let piece = String::from_utf8_lossy(body.get(from..to).unwrap_or_default());
    let (before, behind) = (if from > 0 { "…" } else { "" }, if to < body.len() { "…" } else { "" });
    format!("{before}{}{behind}", visible_line(&piece))
}
