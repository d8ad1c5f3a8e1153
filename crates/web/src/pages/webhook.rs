//! A webhook on the page of its level: set up, tried out, watched, and taken away.
//!
//! The organization's is on Settings → Webhooks, an agent's in a section of the agent's page. Both show the same [`Panel`].

mod check_url;
mod delete;
mod form;
mod health;
mod panel;
mod rotate;
mod save;
mod schedule;
mod secret;
mod switch;
mod test;
mod verification;

use std::sync::Arc;

use axum::{extract::Path, response::Response};
use preclinical_core::{
    id::{AgentId, WebhookId},
    webhook::Webhook,
};

pub(super) use self::{
    check_url::check_url,
    delete::{ask_to_delete, delete},
    panel::Panel,
    rotate::rotate,
    save::save,
    schedule::schedule,
    switch::{disable, enable},
    test::send_test,
};
use super::{door::Visitor, failure::Failure, settings};
use crate::app::App;

/// Where a webhook is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Organization,
    Agent(AgentId),
}

impl Place {
    fn of(webhook: &Webhook) -> Self {
        webhook.agent_id.map_or(Self::Organization, Self::Agent)
    }

    /// The path of its page, behind which something was done.
    fn path(self, done: &str) -> String {
        match self {
            Self::Organization => format!("/settings/webhooks?done={done}"),
            Self::Agent(id) => format!("/agents/{id}/edit?done={done}#webhook"),
        }
    }

    fn agent(self) -> Option<AgentId> {
        match self {
            Self::Organization => None,
            Self::Agent(id) => Some(id),
        }
    }

    /// Its page, with something to say on it.
    async fn show(self, app: &App, visitor: &Visitor, panel: Panel) -> Result<Response, Failure> {
        let page = match self {
            Self::Organization => settings::webhooks::page(app, visitor, &panel).await?,
            Self::Agent(_) => return Err(Failure::not_found("agent")),
        };
        Ok(panel.wrong.shown_on(page))
    }
}

/// The webhook that a path names.
async fn named(app: &App, visitor: &Visitor, id: &str) -> Result<Webhook, Failure> {
    let missing = || Failure::not_found("webhook");
    let id: WebhookId = id.parse().map_err(|_| missing())?;
    app.store.webhook(visitor.organization.id, id).await?.ok_or_else(missing)
}

/// What was done to a webhook, for the page behind it.
pub(super) const DONE: [(&str, &str); 5] = [
    ("webhook-saved", "The webhook was saved."),
    ("webhook-created", "The webhook was saved. Send a test to see that it works."),
    ("webhook-enabled", "The webhook is enabled again."),
    ("webhook-disabled", "The webhook is disabled. Its pending deliveries were canceled."),
    ("webhook-deleted", "The webhook was deleted. Its history stays."),
];

type WebhookPath = Path<String>;
type Shared = Arc<App>;
