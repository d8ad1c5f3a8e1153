//! The keys that programs call the API with: which there are, and what they are good for.

pub(in crate::pages) mod create;
pub(in crate::pages) mod revoke;
mod scope;
mod table;

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    api_key::ApiKey,
    port::{StoreError, every},
};

use super::{
    super::{done, door::Visitor, failure::Failure, parts::Icon},
    Tab, page,
};
use crate::{app::App, input::Query};

const PATH: &str = "/settings/api-keys";
const DONE: [(&str, &str); 1] = [("revoked", "The key is revoked. Calls with it are refused from now on.")];

/// `GET /settings/api-keys`
pub(in crate::pages) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    mut query: Query,
) -> Result<Response, Failure> {
    let done = done::notice(&mut query, &DONE)?;
    let now = app.clock.now();
    let (in_force, gone): (Vec<ApiKey>, Vec<ApiKey>) =
        keys(&app, &visitor).await?.into_iter().partition(|key| key.is_in_force(now));
    let may_change = visitor.member.role.may_change();
    let create = html! { @if may_change { a.button.primary href="/settings/api-keys/new" { (Icon::Plus) "Create key" } } };
    let content = html! {
        (done)
        section.card {
            div.card-head {
                h2 { "API keys" }
                @if !in_force.is_empty() { div.actions { (create) } }
                p { "Runners and scripts call the API with them. What is stored of a key is its fingerprint, so it is shown once." }
            }
            @if in_force.is_empty() { (nothing(may_change, !gone.is_empty(), &create)) }
            @else { (table::of(&in_force, now, may_change)) }
        }
        @if !gone.is_empty() { (table::folded(&gone, now)) }
    };
    Ok(page(&visitor, Tab::ApiKeys, &content))
}

async fn keys(app: &App, visitor: &Visitor) -> Result<Vec<ApiKey>, StoreError> {
    let organization = visitor.organization.id;
    every(|page| app.store.keys(organization, page)).await
}

fn nothing(may_change: bool, were_some: bool, create: &Markup) -> Markup {
    let title = if were_some { "No key is in force" } else { "No keys yet" };
    let why = if may_change {
        html! { "A runner needs one to create runs and to report their results. Give each program its own, so that you can revoke one without the others." }
    } else {
        html! { "Nobody has created one. An owner or a member of the organization can." }
    };
    html! { div.empty { (Icon::Key.sized(32)) h3 { (title) } p { (why) } (create) } }
}

/// The way back to the list.
fn back() -> Markup {
    html! { a.back href=(PATH) { (Icon::Back.sized(14)) "All keys" } }
}
