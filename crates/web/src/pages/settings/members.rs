//! The people of the organization, and who is invited.

pub(in crate::pages) mod invitations;
pub(in crate::pages) mod invite;
mod link;
pub(in crate::pages) mod password_link;
pub(in crate::pages) mod remove;
pub(in crate::pages) mod role;
mod table;

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    id::MemberId,
    member::{Member, Role},
    port::{InviteError, MemberError, StoreError, every},
};

use super::{Tab, page};
use crate::{
    app::App,
    error::ApiError,
    input::{Id, Query},
    pages::{done, door::Visitor, failure::Failure, parts::Icon},
};

const PATH: &str = "/settings/members";
const DONE: [(&str, &str); 3] = [
    ("role", "The role is changed. It holds from the next click on."),
    ("removed", "The member is removed and signed out everywhere."),
    ("withdrawn", "The link is withdrawn. It opens nothing any more."),
];

/// `GET /settings/members`
pub(in crate::pages) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    mut query: Query,
) -> Result<Response, Failure> {
    let done = done::notice(&mut query, &DONE)?;
    let members = members(&app, &visitor).await?;
    let invitations = invitations::pending(&app, &visitor).await?;
    let may_govern = visitor.member.role.may_govern();
    let invite = html! { @if may_govern { a.button.primary href="/settings/members/invite" { (Icon::Plus) "Invite" } } };
    let about = if may_govern { "Who signs in here." } else { "Who signs in here. Owners invite and remove members." };
    let content = html! {
        (done)
        section.card {
            div.card-head { h2 { "Members" } div.actions { (invite) } p { (about) } }
            (table::of(&members, &visitor))
        }
        @if may_govern || !invitations.is_empty() { (invitations::card(&invitations, &members, &visitor)) }
    };
    Ok(page(&visitor, Tab::Members, &content))
}

async fn members(app: &App, visitor: &Visitor) -> Result<Vec<Member>, StoreError> {
    every(|page| app.store.members(visitor.organization.id, page)).await
}

/// Everybody, and the one whom a path names.
async fn member(app: &App, visitor: &Visitor, id: &Id) -> Result<(Vec<Member>, Member), ApiError> {
    let id: MemberId = id.parse(missing)?;
    let members = members(app, visitor).await?;
    let member = members.iter().find(|member| member.id == id).cloned().ok_or_else(missing)?;
    Ok((members, member))
}

/// Whether the organization would be left without an owner.
fn is_last_owner(members: &[Member], member: &Member) -> bool {
    member.role == Role::Owner && members.iter().filter(|member| member.role == Role::Owner).count() == 1
}

fn missing() -> ApiError {
    ApiError::not_found("member")
}

/// The way back to the list.
fn back() -> Markup {
    html! { a.back href=(PATH) { (Icon::Back.sized(14)) "All members" } }
}

impl From<MemberError> for ApiError {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::NotFound => missing(),
            MemberError::LastOwner => {
                let why = "the organization keeps at least one owner: make somebody else an owner first";
                Self::invalid_state(why, Role::Owner.as_str())
            }
            MemberError::Store(error) => error.into(),
        }
    }
}

impl From<InviteError> for ApiError {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::NoSuchMember => missing(),
            InviteError::TooMany => {
                Self::already_exists("there are as many invitations as there may be: withdraw one that nobody will use")
            }
            InviteError::Store(error) => error.into(),
        }
    }
}
