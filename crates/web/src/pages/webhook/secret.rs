//! What requests are signed with.

use maud::{Markup, html};
use preclinical_core::{id::RotationId, reveal::SecretReveal, webhook::Webhook};

use super::rotate::OVERLAPS;
use crate::{
    app::App,
    pages::{
        door::Visitor,
        parts::{self, Icon, Tone, field, time},
        shell,
    },
};

pub(super) fn card(app: &App, webhook: &Webhook, reveals: &[SecretReveal], visitor: &Visitor) -> Markup {
    let now = app.clock.now();
    let state = if webhook.has_secret {
        "Requests are signed."
    } else {
        "Requests are not signed: anybody could send your receiver one."
    };
    parts::card(
        "Signing secret",
        None,
        &html! {
            p { (state) }
            @if let Some(until) = webhook.rotated_until.filter(|until| *until > now) {
                (parts::notice(Tone::Info, &html! {
                    p { "Requests carry the signature of the secret before, too, until " (time::time(until)) " (" (time::countdown(until)) ")." }
                }))
            }
            @if visitor.member.role.may_change() {
                @if webhook.has_secret { (reveal(webhook, visitor)) }
                (rotation(app, webhook, visitor))
            }
            @if !reveals.is_empty() { (shown_to(reveals)) }
        },
    )
}

fn reveal(webhook: &Webhook, visitor: &Visitor) -> Markup {
    html! {
        form.stack-small method="post" action={ "/webhooks/" (webhook.id) "/reveal" } {
            (shell::csrf(visitor))
            div.actions { button.button { (Icon::Eye) "Reveal the secret" } span.small.muted { "It is recorded who looks at it." } }
        }
    }
}

fn shown_to(reveals: &[SecretReveal]) -> Markup {
    html! {
        div.stack-small {
            h3 { "Shown to" }
            ul.small { @for reveal in reveals { li { (reveal.by) ", " (time::ago(reveal.at)) } } }
        }
    }
}

fn rotation(app: &App, webhook: &Webhook, visitor: &Visitor) -> Markup {
    let id = RotationId::generate(app.clock.now(), &*app.chance);
    let hint = "Give your receiver the new secret within that time, and no request fails its check.";
    html! {
        form.stack-small method="post" action={ "/webhooks/" (webhook.id) "/rotate" } {
            (shell::csrf(visitor))
            input type="hidden" name="rotation" value=(id);
            @if webhook.has_secret {
                div.form-row {
                    (field::select("overlap", "Keep the current secret valid for", &OVERLAPS, "86400", Some(hint)))
                }
                div.actions { button.button { (Icon::Repeat) "Rotate the secret" } }
            } @else {
                input type="hidden" name="overlap" value="0";
                div.actions { button.button { (Icon::Key) "Generate a secret" } }
            }
        }
    }
}

/// A new secret, or one that somebody asked to see.
pub(super) fn shown_once(secret: &str) -> Markup {
    parts::notice(
        Tone::Good,
        &html! {
            p { strong { "This is the signing secret." } " Copy it now, and give it to your receiver." }
            (parts::copyable("shown-secret", secret, "Signing secret"))
        },
    )
}
