//! The end of an agent.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    agent::Agent,
    port::{Page, RunFilter, StoreError},
    version::Expected,
};

use super::{PATH, crumbs, named};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    pages::{
        door::Visitor,
        failure::Failure,
        parts,
        shell::{self, Section},
    },
};

/// What an agent leaves behind, or takes with it.
struct Belongings {
    runs: u64,
    /// Where its own webhook leads.
    webhook: Option<String>,
}

impl Belongings {
    async fn of(app: &App, agent: &Agent) -> Result<Self, StoreError> {
        let (organization, first) = (agent.organization_id, Page { limit: 1, offset: 0 });
        let filter = RunFilter { agent_id: Some(agent.id), ..RunFilter::default() };
        let (_, runs) = app.store.runs(organization, filter, first).await?;
        let webhook = app.store.webhook_at(organization, Some(agent.id)).await?;
        Ok(Self { runs, webhook: webhook.map(|webhook| webhook.url) })
    }
}

/// `GET /agents/{id}/delete`
pub(in crate::pages) async fn ask(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let agent = named(&app, &visitor, &id).await?;
    let belongings = Belongings::of(&app, &agent).await?;
    Ok(shell::page(&visitor, Section::Agents, "Delete agent", &question(&visitor, &agent, &belongings)))
}

/// `POST /agents/{id}/delete`
pub(in crate::pages) async fn delete(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Redirect, Failure> {
    let id = id.parse(ApiError::agent_not_found)?;
    let existed = app.store.delete_agent(visitor.organization.id, id, Expected::Any, app.clock.now()).await?;
    if existed { Ok(Redirect::to("/agents?done=deleted")) } else { Err(ApiError::agent_not_found().into()) }
}

fn question(visitor: &Visitor, agent: &Agent, Belongings { runs, webhook }: &Belongings) -> Markup {
    html! {
        (crumbs())
        (parts::page_head("Delete this agent?", &html! { strong { (agent.name) } }, &html! {}))
        section.card.danger.narrow {
            form.card-body method="post" {
                (shell::csrf(visitor))
                ul.facts {
                    li { "Its configuration is erased, with the credentials in it." }
                    @if let Some(url) = webhook {
                        li { "Its webhook to " code { (url) } " is deleted, and what is still on its way there is canceled." }
                    } @else {
                        li { "It has no webhook of its own." }
                    }
                    li { (kept(*runs)) }
                    li { "Programs that create runs of it are refused from now on. The name is free again." }
                }
                div.actions {
                    button.button.destructive { "Delete agent" }
                    a.button.plain href={ (PATH) "/" (agent.id) "/edit" } { "Keep it" }
                }
            }
        }
    }
}

fn kept(runs: u64) -> String {
    match runs {
        0 => "It has no runs.".to_owned(),
        1 => "Its run stays, with the results and the deliveries of it.".to_owned(),
        runs => format!("Its {runs} runs stay, with their results and deliveries."),
    }
}
