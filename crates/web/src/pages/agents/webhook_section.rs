//! The section `webhook` of an agent’s page.

use maud::{Markup, html};
use preclinical_core::agent::Agent;

use crate::{app::App, error::ApiError, pages::door::Visitor};

/// Which webhook is in force for the agent, and its own.
pub(super) async fn webhook_section(_app: &App, _visitor: &Visitor, _agent: &Agent) -> Result<Markup, ApiError> {
    Ok(html! {})
}
