//! What a member may do, in words, and another role for one.

use std::sync::Arc;

use axum::{extract::State, response::Redirect};
use preclinical_core::member::Role;

use super::missing;
use crate::{
    app::App,
    error::ApiError,
    input::{Fields, Id},
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::options::Choice,
    },
};

/// Its name and what it permits.
pub(in crate::pages) const fn in_words(role: Role) -> Choice<'static> {
    let (name, about) = match role {
        Role::Owner => ("Owner", "Does everything, and invites and removes members."),
        Role::Member => ("Member", "Changes webhooks, agents and keys, and sends deliveries again. Cannot change members."),
        Role::Viewer => ("Viewer", "Looks at everything, changes nothing."),
    };
    Choice { value: role.as_str(), name, about }
}

/// The role that a form names.
pub(super) fn named(mut fields: Fields) -> Result<Role, ApiError> {
    let role = fields.choice("role", "one of owner, member, viewer", Role::parse)?;
    fields.require("role", role)
}

/// `POST /settings/members/{id}/role`
pub(in crate::pages) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    input: Form,
) -> Result<Redirect, Failure> {
    let role = named(input.fields(&["role"]))?;
    app.store.change_role(visitor.organization.id, id.parse(missing)?, role).await?;
    Ok(Redirect::to("/settings/members?done=role"))
}
