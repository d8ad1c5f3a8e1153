//! Links that nobody has used yet.

use std::sync::Arc;

use axum::{extract::State, response::Redirect};
use maud::{Markup, html};
use preclinical_core::{
    invitation::{Invitation, Purpose},
    member::Member,
    port::{StoreError, every},
};

use super::{PATH, role};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    pages::{door::Visitor, failure::Failure, parts::time, shell},
};

/// The invitations in force.
pub(super) async fn pending(app: &App, visitor: &Visitor) -> Result<Vec<Invitation>, StoreError> {
    let now = app.clock.now();
    every(|page| app.store.invitations(visitor.organization.id, now, page)).await
}

/// `POST /settings/members/invitations/{id}/withdraw`
pub(in crate::pages) async fn withdraw(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    let missing = || ApiError::not_found("invitation");
    let existed = app.store.withdraw_invitation(visitor.organization.id, id.parse(missing)?).await?;
    if existed { Ok(Redirect::to("/settings/members?done=withdrawn")) } else { Err(missing().into()) }
}

pub(super) fn card(invitations: &[Invitation], members: &[Member], visitor: &Visitor) -> Markup {
    let may_govern = visitor.member.role.may_govern();
    html! {
        section.card {
            div.card-head { h2 { "Pending links" } p { "Invitations and links for new passwords that nobody has used yet." } }
            @if invitations.is_empty() {
                div.card-body { p.muted { "There are none." } }
            } @else {
                div.table-box {
                    table.folds {
                        thead { tr {
                            th scope="col" { "What it opens" } th scope="col" { "Made by" } th scope="col" { "Created" } th scope="col" { "Expires" }
                            @if may_govern { th scope="col" { span.sr { "Actions" } } }
                        } }
                        tbody { @for invitation in invitations { (row(invitation, members, visitor, may_govern)) } }
                    }
                }
            }
        }
    }
}

fn row(invitation: &Invitation, members: &[Member], visitor: &Visitor, may_govern: bool) -> Markup {
    html! {
        tr {
            td data-label="Opens" { div { (purpose(invitation.purpose, members)) } }
            td data-label="Made by" { (maker(invitation, members)) }
            td.nowrap data-label="Created" { (time::ago(invitation.created_at)) }
            td.nowrap data-label="Expires" { (time::ago(invitation.expires_at)) }
            @if may_govern {
                td {
                    form.row-actions method="post" action={ (PATH) "/invitations/" (invitation.id) "/withdraw" } {
                        (shell::csrf(visitor))
                        button.button.little { "Withdraw" span.sr { " the link of " (time::ago(invitation.created_at)) } }
                    }
                }
            }
        }
    }
}

fn maker(invitation: &Invitation, members: &[Member]) -> Markup {
    let member = invitation.created_by.and_then(|id| members.iter().find(|member| member.id == id));
    html! {
        @if let Some(member) = member { span.clip title=(member.email) { (member.email) } }
        @else { span.muted { "The command line" } }
    }
}

fn purpose(purpose: Purpose, members: &[Member]) -> Markup {
    match purpose {
        Purpose::SetUp => html! { "Join as " strong { "owner" } },
        Purpose::Join(role) => html! { "Join as " strong { (role::in_words(role).name.to_lowercase()) } },
        Purpose::ResetPassword(id) => {
            let member = members.iter().find(|member| member.id == id);
            html! { "New password" @if let Some(member) = member { " for " strong { (member.email) } } }
        }
    }
}
