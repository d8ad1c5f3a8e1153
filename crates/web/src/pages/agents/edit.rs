//! An agent's own page.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    agent::{Agent, Provider},
    id::AgentId,
    version::{Expected, Version},
};
use serde_json::Value;

use super::{PATH, check, crumbs, form, named, provider, row, webhook_section::webhook_section};
use crate::{
    api::agents::update::described,
    app::App,
    error::ApiError,
    input::{Id, Query},
    pages::{
        done,
        door::{Form, Visitor},
        failure::Failure,
        parts::{self, field, time},
        shell::{self, Section},
        webhook::{self, Panel, Place},
        wrong::Wrong,
    },
    validation::Verdict,
};

const DONE: [(&str, &str); 2] = [
    ("created", "The agent is there. Check its configuration, and choose which webhook hears of its runs."),
    ("saved", "The changes are saved."),
];

/// What a page of an agent shows beside the agent.
pub(super) struct Shown {
    agent: Agent,
    done: Markup,
    typed: Option<Form>,
    wrong: Wrong,
    verdict: Option<Verdict>,
}

impl Shown {
    fn now(agent: Agent) -> Self {
        Self { agent, done: html! {}, typed: None, wrong: Wrong::default(), verdict: None }
    }

    /// With what a check found.
    pub(super) fn checked(agent: Agent, verdict: Verdict) -> Self {
        Self { verdict: Some(verdict), ..Self::now(agent) }
    }
}

/// `GET /agents/{id}`
pub(in crate::pages) async fn lead(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    let agent = named(&app, &visitor, &id).await?;
    Ok(Redirect::to(&format!("{PATH}/{}/edit", agent.id)))
}

/// `GET /agents/{id}/edit`
pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    mut query: Query,
) -> Result<Response, Failure> {
    let done = done::notice(&mut query, &[DONE.as_slice(), &webhook::DONE].concat())?;
    let agent = named(&app, &visitor, &id).await?;
    page(&app, &visitor, &Shown { done, ..Shown::now(agent) }).await
}

/// `POST /agents/{id}/edit`: a change of the version that the form was made from.
pub(in crate::pages) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Id,
    input: Form,
) -> Result<Response, Failure> {
    let agent = named(&app, &visitor, &id).await?;
    match save(&app, &agent, &input).await {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{}/edit?done=saved", agent.id)).into_response()),
        Err(error) => {
            let wrong = Wrong::of(error)?;
            let agent = named(&app, &visitor, &id).await?;
            let shown = Shown { typed: Some(input), wrong, ..Shown::now(agent) };
            Ok(shown.wrong.shown_on(page(&app, &visitor, &shown).await?))
        }
    }
}

async fn save(app: &App, agent: &Agent, input: &Form) -> Result<(), ApiError> {
    let version = input.text("version").parse().ok().map(Version);
    let description = input.text("description").trim();
    let fields = form::with_config(input.fields(&["provider"]), input)?
        .with("name", input.text("name").trim())
        .with("description", if description.is_empty() { Value::Null } else { description.into() })
        .with("is_active", input.has("is_active"));
    let changes = described(fields, Expected::OneOf(version.into_iter().collect()))?;
    app.store.update_agent(agent.organization_id, agent.id, changes, app.clock.now()).await?;
    Ok(())
}

/// The page with something to say about the agent's webhook.
pub(in crate::pages) async fn with_webhook(
    app: &App,
    visitor: &Visitor,
    id: AgentId,
    panel: &Panel,
) -> Result<Response, Failure> {
    let agent = app.store.agent(visitor.organization.id, id).await?.ok_or_else(ApiError::agent_not_found)?;
    page_with(app, visitor, &Shown::now(agent), panel).await
}

/// The page, with a form for those who may change the agent.
pub(super) async fn page(app: &App, visitor: &Visitor, shown: &Shown) -> Result<Response, Failure> {
    let panel = Panel::load(app, visitor, Place::Agent(shown.agent.id)).await?;
    page_with(app, visitor, shown, &panel).await
}

async fn page_with(app: &App, visitor: &Visitor, shown: &Shown, panel: &Panel) -> Result<Response, Failure> {
    let agent = &shown.agent;
    let may_change = visitor.member.role.may_change();
    let webhook = webhook_section(app, visitor, agent, panel).await?;
    let about = html! { span.line { (provider::name(agent.provider)) (row::state(agent)) a href={ "/runs?agent_id=" (agent.id) } { "Its runs" } } };
    let content = html! {
        (crumbs())
        (parts::page_head(&agent.name, &about, &html! {}))
        div.stack.narrow {
            (shown.done)
            @if may_change { (form(visitor, shown)) (check::section(visitor, agent, shown.verdict.as_ref())) }
            (webhook)
            (facts(agent, may_change))
            @if may_change { (end(agent)) }
        }
    };
    Ok(shell::page(visitor, Section::Agents, &agent.name, &content))
}

fn form(visitor: &Visitor, Shown { agent, typed, wrong, .. }: &Shown) -> Markup {
    let text = |name, stored: &str| typed.as_ref().map_or_else(|| stored.to_owned(), |typed| typed.text(name).to_owned());
    let is_active = typed.as_ref().map_or(agent.is_active, |typed| typed.has("is_active"));
    let choices = Provider::ALL.map(|each| (each.as_str(), provider::name(each)));
    html! {
        section.card {
            div.card-head { h2 { "Agent" } }
            form.card-body method="post" action={ (PATH) "/" (agent.id) "/edit" } {
                (shell::csrf(visitor))
                input type="hidden" name="version" value=(agent.version.0);
                (wrong.notice(&form::FIELDS))
                (form::name(&text("name", &agent.name), wrong))
                (form::description(&text("description", agent.description.as_deref().unwrap_or_default()), wrong))
                (field::select("provider", "Provider", &choices, &text("provider", agent.provider.as_str()),
                    Some("Another provider usually needs another configuration.")))
                (field::tick("is_active", "Active", is_active, Some("For runners and people to see. A run of an inactive agent is taken all the same.")))
                (replacement(agent, &text("config", ""), wrong))
                div.actions { button.button.primary { "Save" } }
            }
        }
    }
}

/// A new configuration. What is stored is never shown, so it can only be replaced as a whole.
fn replacement(agent: &Agent, typed: &str, wrong: &Wrong) -> Markup {
    let error = wrong.with("config");
    html! {
        details.more id="replace" open[error.is_some() || !typed.is_empty()] {
            summary { "Replace the configuration" }
            div.stack-small {
                p.muted.small { "What is stored holds credentials and is never shown. Leave this empty to keep it, or give all of it anew:" }
                (form::example(agent.provider))
                (field::text_area("config", "New configuration", typed, 7, None, error.as_deref()))
            }
        }
    }
}

fn facts(agent: &Agent, may_change: bool) -> Markup {
    let content = html! {
        div.field { label for="agent-id" { "Id" } (parts::copyable("agent-id", &agent.id.to_string(), "Id of the agent")) }
        dl.pairs {
            @if let (false, Some(description)) = (may_change, &agent.description) { dt { "Description" } dd { (description) } }
            dt { "Created" } dd { (time::time(agent.created_at)) }
            dt { "Changed" } dd { (time::time(agent.updated_at)) }
        }
    };
    parts::card("For programs", Some("Runners name the agent by its id when they create a run."), &content)
}

fn end(agent: &Agent) -> Markup {
    html! {
        section.card.danger {
            div.card-head {
                h2 { "Delete" }
                div.actions { a.button.danger href={ (PATH) "/" (agent.id) "/delete" } { "Delete agent" } }
                p { "Its webhook goes with it. Its runs stay." }
            }
        }
    }
}
