//! A member forgot the password.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::html;
use preclinical_core::invitation::Purpose;

use super::{link, member};
use crate::{
    app::App,
    input::Id,
    pages::{
        door::Visitor,
        failure::Failure,
        settings::{Tab, page},
    },
};

/// `POST /settings/members/{id}/password-link`: the link is in this answer alone, and in place of every earlier one.
pub(in crate::pages) async fn make(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let (_, member) = member(&app, &visitor, &id).await?;
    let url = link::make(&app, &visitor, Purpose::ResetPassword(member.id)).await?;
    let does = html! {
        "Whoever opens it chooses a new password for " strong { (member.email) } ", who is signed out everywhere then. \
         Until then the old one holds."
    };
    Ok(page(&visitor, Tab::Members, &link::shown_once("Link for a new password", &does, &url)))
}
