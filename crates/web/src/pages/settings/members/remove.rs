//! A member leaves.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::member::Member;

use super::{PATH, back, is_last_owner, member, missing, role};
use crate::{
    app::App,
    input::Id,
    pages::{
        door::Visitor,
        failure::Failure,
        parts::{self, Tone, time},
        settings::{Tab, page},
        shell,
    },
};

/// `GET /settings/members/{id}/remove`
pub(in crate::pages) async fn ask(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let (members, member) = member(&app, &visitor, &id).await?;
    Ok(page(&visitor, Tab::Members, &question(&visitor, &member, is_last_owner(&members, &member))))
}

/// `POST /settings/members/{id}/remove`
pub(in crate::pages) async fn remove(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    app.store.remove_member(visitor.organization.id, id.parse(missing)?).await?;
    Ok(Redirect::to("/settings/members?done=removed"))
}

fn question(visitor: &Visitor, member: &Member, is_last: bool) -> Markup {
    let is_me = member.id == visitor.member.id;
    html! {
        div.narrow {
            (back())
            section.card.danger {
                div.card-head { h2 { @if is_me { "Remove yourself?" } @else { "Remove this member?" } } }
                form.card-body method="post" {
                    (shell::csrf(visitor))
                    dl.pairs {
                        dt { "E-mail" } dd { strong { (member.email) } }
                        dt { "Role" } dd { (role::in_words(member.role).name) }
                        dt { "Joined" } dd { (time::ago(member.joined_at)) }
                    }
                    @if is_last {
                        (parts::notice(Tone::Warn, &html! { p { "This is the last owner. Make somebody else an owner first." } }))
                    } @else {
                        (consequences(is_me))
                    }
                    div.actions {
                        @if !is_last { button.button.destructive { "Remove" } }
                        a.button.plain href=(PATH) { @if is_last { "Back to the members" } @else { "Cancel" } }
                    }
                }
            }
        }
    }
}

fn consequences(is_me: bool) -> Markup {
    html! {
        ul.facts {
            @if is_me { li { "You are signed out everywhere at once, and cannot come back without an invitation." } }
            @else { li { "They are signed out everywhere at once, and cannot sign in any more." } }
            li { "Links that " @if is_me { "you" } @else { "they" } " made for others open nothing any more." }
            li { "API keys belong to the organization: those that they created keep working. Revoke those they have a copy of." }
            li { "Webhooks, agents and runs stay as they are." }
        }
    }
}
