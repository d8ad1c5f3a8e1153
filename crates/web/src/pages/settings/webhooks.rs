//! Settings → Webhooks: the organization's webhook, and which one is in force for each agent.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{agent::Agent, in_force::InForce, port::Page};

use crate::{
    app::App,
    error::ApiError,
    input::Query,
    pages::{
        done,
        door::Visitor,
        failure::Failure,
        parts::{self, Icon},
        settings::{self, Tab},
        webhook::{self, Panel, Place},
    },
};

/// How many agents are listed; the others are on their own page.
const AGENTS: u32 = 50;

/// `GET /settings/webhooks`
pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    mut query: Query,
) -> Result<Response, Failure> {
    let done = done::notice(&mut query, &webhook::DONE)?;
    let panel = Panel::load(&app, &visitor, Place::Organization).await?;
    render(&app, &visitor, &panel, &done).await
}

/// The page with a panel that has something to say.
pub(in crate::pages) async fn page(app: &App, visitor: &Visitor, panel: &Panel) -> Result<Response, Failure> {
    render(app, visitor, panel, &html! {}).await
}

async fn render(app: &App, visitor: &Visitor, panel: &Panel, done: &Markup) -> Result<Response, Failure> {
    let (agents, total) = agents(app, visitor).await?;
    let given_up = webhook::given_up(app, visitor.organization.id, panel.about()).await?;
    let history = html! { a.button href="/deliveries" { (Icon::Clock) "View Delivery History" } };
    let content = html! {
        (done)
        (given_up)
        div.wide-narrow {
            div.stack { (panel.render(app, visitor)) }
            div.stack {
                (parts::card("Retries", None, &webhook::schedule(&app.schedule, app.request_timeout)))
                (in_force(&agents, total))
            }
        }
    };
    Ok(settings::page_with(visitor, Tab::Webhooks, &history, &content))
}

type Agents = Vec<(Agent, Option<InForce>)>;

async fn agents(app: &App, visitor: &Visitor) -> Result<(Agents, u64), ApiError> {
    let organization = visitor.organization.id;
    let (agents, total) = app.store.agents(organization, None, Page { limit: AGENTS, offset: 0 }).await?;
    let mut list = Vec::with_capacity(agents.len());
    for agent in agents {
        let in_force = app.store.webhook_in_force(organization, agent.id).await?;
        list.push((agent, in_force));
    }
    Ok((list, total))
}

fn in_force(agents: &Agents, total: u64) -> Markup {
    let about = "Which webhook hears of an agent’s runs.";
    parts::card(
        "In force for each agent",
        Some(about),
        &html! {
            @if agents.is_empty() { p.muted { "There are no agents yet. " a href="/agents" { "Create the first one" } "." } }
            ul.stack-small {
                @for (agent, in_force) in agents {
                    li.line {
                        a.strong-link.clip href={ "/agents/" (agent.id) "/edit#webhook" } { (agent.name) }
                        (webhook::in_force(in_force.as_ref()))
                    }
                }
            }
            @if total > agents.len() as u64 {
                p.small { a href="/agents" { "All " (total) " agents" } }
            }
        },
    )
}
