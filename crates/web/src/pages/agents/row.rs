//! Agents as rows: what one wants to know of each at a glance.

use std::sync::Arc;

use maud::{Markup, html};
use preclinical_core::{
    agent::Agent,
    in_force::InForce,
    port::{Page, RunFilter, StoreError},
    run::Run,
};

use super::{PATH, provider};
use crate::{
    app::App,
    pages::{
        parts::{
            Icon, Tone,
            badge::{badge, of_run},
            time,
        },
        webhook,
    },
};

/// An agent, which webhook hears of it, and its last run.
pub(super) struct Glance {
    agent: Agent,
    in_force: Option<InForce>,
    last_run: Option<Run>,
}

impl Glance {
    pub(super) async fn at(app: Arc<App>, agent: Agent) -> Result<Self, StoreError> {
        let organization = agent.organization_id;
        let in_force = app.store.webhook_in_force(organization, agent.id).await?;
        let filter = RunFilter { agent_id: Some(agent.id), ..RunFilter::default() };
        let (runs, _) = app.store.runs(organization, filter, Page { limit: 1, offset: 0 }).await?;
        Ok(Self { agent, in_force, last_run: runs.into_iter().next() })
    }
}

pub(super) fn rows(glances: &[Glance]) -> Markup {
    html! {
        div.table-box {
            table.folds {
                thead { tr {
                    th scope="col" { "Agent" } th scope="col" { "Provider" } th scope="col" { "State" }
                    th scope="col" { "Webhook in force" } th scope="col" { "Last run" }
                } }
                tbody { @for glance in glances { (row(glance)) } }
            }
        }
    }
}

fn row(glance: &Glance) -> Markup {
    let Glance { agent, in_force, last_run } = glance;
    html! {
        tr {
            td.flexible data-label="Agent" {
                div {
                    a.strong-link.clip href={ (PATH) "/" (agent.id) "/edit" } title=(agent.name) { (agent.name) }
                    @if let Some(description) = &agent.description { span.clip.muted.small title=(description) { (description) } }
                }
            }
            td.nowrap data-label="Provider" { (provider::name(agent.provider)) }
            td data-label="State" { div { (state(agent)) } }
            td data-label="Webhook" { div { (webhook::in_force(in_force.as_ref())) } }
            td data-label="Last run" {
                @match last_run { Some(run) => (last(run)), None => span.muted { "None yet" } }
            }
        }
    }
}

fn last(run: &Run) -> Markup {
    html! {
        div {
            div.last-run { a href={ "/test/" (run.id) } { (run.number.to_string()) } (of_run(run.status)) }
            span.muted.small.number {
                @if run.status.is_final() && run.tally.total > 0 { (run.tally.pass_rate().percent()) " % passed · " }
                (time::ago(run.completed_at.unwrap_or(run.created_at)))
            }
        }
    }
}

/// Whether the agent is in use.
pub(super) fn state(agent: &Agent) -> Markup {
    if agent.is_active { badge(Tone::Good, Icon::Check, "Active") } else { badge(Tone::Quiet, Icon::Stop, "Inactive") }
}
