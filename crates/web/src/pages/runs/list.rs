//! The list of the runs.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    agent::Agent,
    id::{AgentId, OrganizationId},
    port::{Page, RunFilter, StoreError},
    run::RunStatus,
};

use super::{chart, nothing, rows};
use crate::{
    app::App,
    error::ApiError,
    input::Query,
    pages::{
        address::{self, PageNumber, address},
        door::Visitor,
        failure::Failure,
        parts::{self, Icon, badge, field},
        shell::{self, Section},
        webhook,
    },
};

/// How many runs are on a page.
const ROWS: u32 = 25;

/// The most agents that can be chosen from.
const AGENTS: Page = Page { limit: 100, offset: 0 };

/// What the address asks for.
pub(super) struct Asked {
    filter: RunFilter,
    page: PageNumber,
}

impl Asked {
    fn read(mut query: Query) -> Result<Self, ApiError> {
        let statuses = "one of pending, running, grading, completed, failed, canceled";
        let status = address::choice(&mut query, "status", statuses, RunStatus::parse)?;
        let agent_id = address::choice(&mut query, "agent", "the id of an agent", |text| text.parse().ok())?;
        Ok(Self { filter: RunFilter { status, agent_id }, page: PageNumber::read(&mut query, ROWS)? })
    }

    fn restricts(&self) -> bool {
        self.filter.status.is_some() || self.filter.agent_id.is_some()
    }

    /// Another page of the same list.
    fn at(&self, page: u32) -> String {
        let status = self.filter.status.map(|status| status.as_str().to_owned());
        let agent = self.filter.agent_id.map(|id| id.to_string());
        address("/runs", &[("status", status), ("agent", agent), ("page", (page > 1).then(|| page.to_string()))])
    }
}

/// The address of the list of one agent's runs.
pub(in crate::pages) fn of_agent(id: AgentId) -> String {
    address("/runs", &[("agent", Some(id.to_string()))])
}

/// `GET /runs`
pub(in crate::pages) async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    let asked = Asked::read(query)?;
    let organization = visitor.organization.id;
    let (runs, total) = app.store.runs(organization, asked.filter, asked.page.page()).await?;
    let agents = agents(&app, organization, asked.filter.agent_id).await?;
    let given_up = webhook::given_up(&app, organization, None).await?;
    if total == 0 && !asked.restricts() {
        let content = html! { (head()) (given_up) (nothing::reported_yet(&app, &visitor, agents.first())) };
        return Ok(shell::page(&visitor, Section::Runs, "Runs", &content));
    }
    let chart = if asked.page.number == 1 {
        let judged = chart::last_judged(&app, organization, asked.filter.agent_id).await?;
        chart::card(&judged, asked.filter.agent_id.is_some())
    } else {
        html! {}
    };
    let content = html! {
        (head())
        div.stack {
            (given_up)
            (chart)
            section.card aria-label="All runs" {
                (filters(&asked, &agents))
                @if runs.is_empty() { (no_match(&asked, total)) } @else { (rows::table(&runs)) }
                (pager(&asked, total))
            }
        }
    };
    Ok(shell::page(&visitor, Section::Runs, "Runs", &content))
}

/// The agents to choose from; the chosen one is among them, unless it was deleted.
async fn agents(app: &App, organization: OrganizationId, chosen: Option<AgentId>) -> Result<Vec<Agent>, StoreError> {
    let (mut agents, _) = app.store.agents(organization, None, AGENTS).await?;
    if let Some(id) = chosen.filter(|id| agents.iter().all(|agent| agent.id != *id)) {
        agents.extend(app.store.agent(organization, id).await?);
    }
    Ok(agents)
}

fn head() -> Markup {
    parts::page_head("Runs", &html! { "Every test run that was reported, newest first." }, &html! {})
}

fn filters(asked: &Asked, agents: &[Agent]) -> Markup {
    let statuses: Vec<(&str, &str)> =
        RunStatus::ALL.iter().map(|status| (status.as_str(), badge::of_run(*status).word)).collect();
    let chosen = asked.filter.agent_id.map(|id| id.to_string()).unwrap_or_default();
    let mut choices: Vec<(String, &str)> = agents.iter().map(|agent| (agent.id.to_string(), agent.name.as_str())).collect();
    if !chosen.is_empty() && choices.iter().all(|(id, _)| *id != chosen) {
        choices.push((chosen.clone(), "A deleted agent"));
    }
    let choices: Vec<(&str, &str)> = choices.iter().map(|(id, name)| (id.as_str(), *name)).collect();
    let status = asked.filter.status.map(RunStatus::as_str).unwrap_or_default();
    html! {
        form.filters method="get" action="/runs" role="search" aria-label="Filter the runs" {
            (field::select("agent", "Agent", &[&[("", "All agents")], choices.as_slice()].concat(), &chosen, None))
            (field::select("status", "Status", &[&[("", "Any status")], statuses.as_slice()].concat(), status, None))
            button.button { "Filter" }
            @if asked.restricts() { a.button.plain href="/runs" { "Show all" } }
        }
    }
}

fn no_match(asked: &Asked, total: u64) -> Markup {
    let (title, why, back) = if total == 0 {
        ("No run matches", "There are runs, but none of this agent and status.", "/runs".to_owned())
    } else {
        ("The list ends before this page", "Runs may have been fewer than you expected.", asked.at(1))
    };
    let action = html! { a.button href=(back) { @if total == 0 { "Show all runs" } @else { "To the first page" } } };
    parts::empty(Icon::Search, title, &html! { (why) }, &action)
}

fn pager(asked: &Asked, total: u64) -> Markup {
    let Page { offset, .. } = asked.page.page();
    let last = u64::from(offset).saturating_add(u64::from(ROWS)).min(total);
    let about = html! {
        @if u64::from(offset) < total { (u64::from(offset) + 1) "–" (last) " of " (total) }
        @else { (total) @if total == 1 { " run" } @else { " runs" } }
    };
    let at = |page: Option<u32>, name| page.map(|page| (asked.at(page), name));
    parts::pager("Pages", &about, at(asked.page.before(total), "Newer"), at(asked.page.next(total), "Older"))
}
