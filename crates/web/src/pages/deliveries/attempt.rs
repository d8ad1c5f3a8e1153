//! One attempt: what it came to, and both messages down to the bytes.

use maud::{Markup, html};
use preclinical_core::{
    attempt::{Attempt, ErrorKind, Message},
    request::Headers,
};

use super::{
    advice::{Advice, advice},
    body, timing,
};
use crate::pages::parts::{
    Icon, Tone,
    badge::{Look, badge, of_http},
    time,
    visible::visible_line,
};

/// How an attempt stands out in the time line.
pub(super) fn look(attempt: &Attempt) -> Look {
    match (attempt.http_status, &attempt.error) {
        (Some(200..=299), _) => Look { tone: Tone::Good, icon: Icon::Check, word: "Taken" },
        (Some(_), _) => Look { tone: Tone::Bad, icon: Icon::Cross, word: "Refused" },
        (None, Some(error)) if error.kind == ErrorKind::Interrupted => {
            Look { tone: Tone::Warn, icon: Icon::Alert, word: in_words(error.kind) }
        }
        (None, Some(error)) => Look { tone: Tone::Bad, icon: Icon::Cross, word: in_words(error.kind) },
        (None, None) => Look { tone: Tone::Info, icon: Icon::Send, word: "Under way" },
    }
}

/// The kind of a failure, as a badge says it.
const fn in_words(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Dns => "Name not found",
        ErrorKind::Connect => "No connection",
        ErrorKind::Tls => "TLS failed",
        ErrorKind::Timeout => "Timed out",
        ErrorKind::Blocked => "Blocked",
        ErrorKind::Reset => "Connection broke",
        ErrorKind::Protocol => "Not HTTP",
        ErrorKind::Interrupted => "Interrupted",
    }
}

/// Its part of the time line, with the wait before it in milliseconds. The messages of the last one are open.
pub(super) fn shown(attempt: &Attempt, wait: Option<u64>, is_last: bool) -> Markup {
    let advice = advice(attempt);
    html! {
        div.line {
            h3 { "Attempt " (attempt.number) }
            (result(attempt))
            span.small.muted {
                (time::time(attempt.started_at))
                @if let Some(wait) = wait { ", after a wait of " (time::duration(wait)) }
                @if let Some(duration) = attempt.duration_ms { " · took " (time::duration(duration)) }
            }
        }
        (in_plain_words(attempt, &advice))
        (timing::shown(attempt))
        @if attempt.request.is_some() || attempt.response.is_some() {
            details.more id={ "attempt-" (attempt.number) } open[is_last] {
                summary { "Request and answer" }
                div.messages { (messages(attempt)) }
            }
        }
    }
}

fn result(attempt: &Attempt) -> Markup {
    let Look { tone, icon, word } = look(attempt);
    match attempt.http_status {
        Some(status) => {
            html! { span.badge.(tone.class()) { (icon.sized(13)) (of_http(status)) span.sr { " " (word) } } }
        }
        None => badge(tone, icon, word),
    }
}

fn in_plain_words(attempt: &Attempt, advice: &Advice) -> Markup {
    html! {
        div.advice {
            p { strong { (advice.what) } @if !advice.next_step.is_empty() { " " (advice.next_step) } }
            @if advice.is_web_page {
                p {
                    "The answer is a web page and not one of an API: it may come from a proxy, a firewall or a page to sign in, "
                    "and not from the receiver."
                }
            }
            @if let Some(error) = attempt.error.as_ref().filter(|error| !error.message.is_empty()) {
                p.small.muted { "In detail: " (visible_line(&error.message)) }
            }
        }
    }
}

fn messages(attempt: &Attempt) -> Markup {
    html! {
        @for (name, message) in [("Request", &attempt.request), ("Answer", &attempt.response)] {
            div.message {
                h4 { (name) }
                @match message {
                    Some(message) => (one(&format!("attempt-{}-{}", attempt.number, name.to_ascii_lowercase()), message)),
                    None => p.small.muted { @if name == "Answer" { "None came." } @else { "It was not kept." } },
                }
            }
        }
    }
}

fn one(id: &str, message: &Message) -> Markup {
    html! { (headers(&message.headers)) (body::shown(id, message)) }
}

fn headers(headers: &Headers) -> Markup {
    html! {
        @if headers.is_empty() { p.small.muted { "Without headers." } }
        @else {
            dl.headers tabindex="0" { @for (name, value) in headers { dt { (visible_line(name)) } dd { (visible_line(value)) } } }
        }
    }
}
