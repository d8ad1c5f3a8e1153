//! The section `webhook` of an agent’s page.

use maud::{Markup, html};
use preclinical_core::{agent::Agent, in_force};

use crate::{
    app::App,
    error::ApiError,
    pages::{
        door::Visitor,
        parts::{self, Tone},
        webhook::{self, Panel},
    },
};

/// Which webhook is in force for the agent, and its own.
pub(super) async fn webhook_section(app: &App, visitor: &Visitor, agent: &Agent, panel: &Panel) -> Result<Markup, ApiError> {
    let in_force = app.store.webhook_in_force(agent.organization_id, agent.id).await?;
    let (tone, reason) = match &in_force {
        None => (Tone::Quiet, in_force::NOBODY_LISTENS),
        Some(in_force) if in_force.is_muted() => (Tone::Warn, in_force.reason()),
        Some(in_force) => (Tone::Info, in_force.reason()),
    };
    Ok(html! {
        section.stack id="webhook" aria-label="Webhook" {
            (parts::notice(tone, &html! {
                p { span.line { strong { "In force" } (webhook::in_force(in_force.as_ref())) } }
                p { (reason) " " a href="/settings/webhooks" { "The organization’s webhook" } }
            }))
            (panel.render(app, visitor))
        }
    })
}
