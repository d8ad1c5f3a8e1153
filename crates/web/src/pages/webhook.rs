//! A webhook on the page of its level: set up, tried out, watched, and taken away.
//!
//! The organization's is on Settings → Webhooks, an agent's in a section of the agent's page. Both show the same [`Panel`].

mod check_url;
mod delete;
mod form;
mod given_up;
mod headers;
mod health;
mod in_force;
mod panel;
mod replay;
mod reveal;
mod rotate;
mod save;
mod schedule;
mod secret;
mod switch;
mod test;
mod verification;

use std::sync::Arc;

use axum::response::Response;
use preclinical_core::{id::AgentId, webhook::Webhook};

pub(super) use self::{
    check_url::check_url,
    delete::{ask_to_delete, delete},
    given_up::given_up,
    in_force::in_force,
    panel::Panel,
    replay::replay,
    reveal::reveal,
    rotate::rotate,
    save::save,
    schedule::schedule,
    switch::{disable, enable},
    test::send_test,
};
use super::{agents, door::Visitor, failure::Failure, settings};
use crate::{app::App, error::ApiError, input::Id};

/// Where a webhook is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Organization,
    Agent(AgentId),
}

impl Place {
    pub(super) fn of(webhook: &Webhook) -> Self {
        webhook.agent_id.map_or(Self::Organization, Self::Agent)
    }

    /// The path of its page, at the webhook's part of it.
    pub(super) fn path(self) -> String {
        match self {
            Self::Organization => "/settings/webhooks".to_owned(),
            Self::Agent(id) => format!("/agents/{id}/edit#webhook"),
        }
    }

    /// The path of its page behind what was done.
    fn behind(self, done: &str) -> String {
        match self {
            Self::Organization => format!("/settings/webhooks?done={done}"),
            Self::Agent(id) => format!("/agents/{id}/edit?done={done}"),
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
            Self::Agent(id) => agents::with_webhook(app, visitor, id, &panel).await?,
        };
        Ok(panel.wrong.shown_on(page))
    }
}

/// The webhook that a path names.
async fn named(app: &App, visitor: &Visitor, id: Id) -> Result<Webhook, ApiError> {
    let missing = || ApiError::not_found("webhook");
    let id = id.parse(missing)?;
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

type Shared = Arc<App>;
