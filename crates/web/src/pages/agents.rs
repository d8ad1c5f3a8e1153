//! The agents under test: which there are, how they are reached, and which webhook hears of them.

pub(super) mod check;
pub(super) mod create;
pub(super) mod delete;
pub(super) mod edit;
mod form;
pub(super) mod list;
mod provider;
mod row;
mod webhook_section;

use maud::Markup;
use preclinical_core::agent::Agent;

pub(super) use self::edit::with_webhook;
use super::{door::Visitor, parts};
use crate::{app::App, error::ApiError, input::Id};

const PATH: &str = "/agents";

/// The agent that a path names.
async fn named(app: &App, visitor: &Visitor, id: &Id) -> Result<Agent, ApiError> {
    let id = id.parse(ApiError::agent_not_found)?;
    app.store.agent(visitor.organization.id, id).await?.ok_or_else(ApiError::agent_not_found)
}

fn crumbs() -> Markup {
    parts::crumbs(&[("Agents", PATH)])
}
