//! Links that work once, shown once.

use maud::{Markup, html};
use preclinical_core::{
    id::InvitationId,
    invitation::{Invitation, Purpose, VALID_FOR},
    port::InviteError,
    token::Token,
};

use super::{PATH, back};
use crate::{
    app::App,
    pages::{
        door::Visitor,
        parts::{self, Icon, Tone},
    },
};

/// An invitation of the visitor's organization, as the address that opens it.
pub(super) async fn make(app: &App, visitor: &Visitor, purpose: Purpose) -> Result<String, InviteError> {
    let (now, token) = (app.clock.now(), Token::generate(&*app.chance));
    let id = InvitationId::generate(now, &*app.chance);
    app.store.invite(Invitation::new(id, visitor.organization.id, token.hash(), purpose, now).by(visitor.member.id)).await?;
    Ok(format!("{}/join/{}", app.public_url, token.expose()))
}

/// The one page that has the link on it.
pub(super) fn shown_once(title: &str, what_it_does: &Markup, url: &str) -> Markup {
    let days = VALID_FOR.as_hours() / 24;
    html! {
        div.narrow {
            (back())
            section.card {
                div.card-head { h2 { (title) } }
                div.card-body {
                    (parts::notice(Tone::Warn, &html! { p { strong { "Copy it now." } " This page is the only one that shows it." } }))
                    div.field { label for="link" { "Link" } (parts::copyable("link", url, "Link")) }
                    ul.facts {
                        li { (what_it_does) }
                        li { "It works once, within " (days) " days. Until then you can withdraw it." }
                        li { "Nothing is sent from here: pass it on yourself, over a channel that only they read." }
                    }
                    div.actions { a.button.primary href=(PATH) { (Icon::Check) "I have copied it" } }
                }
            }
        }
    }
}
