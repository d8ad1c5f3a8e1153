//! The check of an agent's configuration.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::agent::Agent;

use super::{PATH, edit};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    pages::{
        door::Visitor,
        failure::{Failure, sentence},
        parts::{Icon, Tone, badge::badge},
        shell,
    },
    validation::{self, Verdict},
};

/// `POST /agents/{id}/validate`: the agent's page again, with what was found.
pub(in crate::pages) async fn submit(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let id = id.parse(ApiError::agent_not_found)?;
    let found = app.store.agent_config(visitor.organization.id, id).await?;
    let (agent, config) = found.ok_or_else(ApiError::agent_not_found)?;
    let verdict = validation::of(&*app.prober, agent.provider, &config).await;
    edit::page(&app, &visitor, &edit::Shown::checked(agent, verdict)).await
}

/// The part of the page about it.
pub(super) fn section(visitor: &Visitor, agent: &Agent, verdict: Option<&Verdict>) -> Markup {
    html! {
        section.card id="check" aria-live="polite" {
            div.card-head {
                h2 { "Check" }
                div.actions {
                    form method="post" action={ (PATH) "/" (agent.id) "/validate#check" } data-swap="check" {
                        (shell::csrf(visitor))
                        button.button { (Icon::Check) "Check the configuration" }
                    }
                }
                p { "Looks at the stored configuration, as far as that can be done from here. No conversation is begun." }
            }
            @if let Some(verdict) = verdict { (found(verdict)) }
        }
    }
}

fn found(verdict: &Verdict) -> Markup {
    let details = &verdict.details;
    html! {
        div.card-body {
            div.line {
                @if verdict.valid { (badge(Tone::Good, Icon::Check, "Can work")) }
                @else { (badge(Tone::Bad, Icon::Cross, "Cannot work")) }
                span { (sentence(&verdict.message)) }
            }
            dl.pairs {
                @if let Some(status) = details.http_status { dt { "Endpoint’s answer" } dd.number { "HTTP " (status) } }
                dt { "Checked" } dd { (names(&details.checked)) }
                dt { "Not checked" } dd { (names(&details.not_checked)) }
            }
        }
    }
}

fn names(names: &[&str]) -> Markup {
    html! { @if names.is_empty() { "Nothing" } @else { (sentence(&names.join(", "))) } }
}
