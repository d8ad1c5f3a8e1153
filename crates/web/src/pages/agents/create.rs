//! A new agent.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    agent::{Agent, Provider},
    id::AgentId,
};

use super::{PATH, crumbs, form, provider};
use crate::{
    api::agents::create::described,
    app::App,
    error::ApiError,
    input::Query,
    pages::{
        door::{Form, Visitor},
        failure::Failure,
        parts::{self, field},
        shell::{self, Section},
        wrong::Wrong,
    },
};

/// `GET /agents/new`: for the provider that was chosen.
pub(in crate::pages) async fn show(visitor: Visitor, mut query: Query) -> Result<Response, Failure> {
    let provider = query.parsed("provider", "a known provider", Provider::parse)?.unwrap_or(Provider::Vapi);
    Ok(page(&visitor, provider, &Form::default(), &Wrong::default()))
}

/// `POST /agents/new`: goes on to the agent's page, where its webhook is.
pub(in crate::pages) async fn submit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    input: Form,
) -> Result<Response, Failure> {
    match create(&app, &visitor, &input).await {
        Ok(agent) => Ok(Redirect::to(&format!("{PATH}/{}/edit?done=created", agent.id)).into_response()),
        Err(error) => {
            let wrong = Wrong::of(error)?;
            let provider = Provider::parse(input.text("provider")).unwrap_or(Provider::Vapi);
            Ok(wrong.shown_on(page(&visitor, provider, &input, &wrong)))
        }
    }
}

async fn create(app: &App, visitor: &Visitor, input: &Form) -> Result<Agent, ApiError> {
    let now = app.clock.now();
    let id = AgentId::generate(now, &*app.chance);
    let fields = form::with_config(input.fields(&["provider", "name", "description"]), input)?;
    Ok(app.store.create_agent(described(fields, id, visitor.organization.id, now)?).await?)
}

fn page(visitor: &Visitor, chosen: Provider, input: &Form, wrong: &Wrong) -> Response {
    let config = if input.has("config") { input.text("config") } else { provider::template(chosen) };
    let about = html! { "Describe how the agent is reached. Its webhook comes next." };
    let content = html! {
        (crumbs())
        (parts::page_head("New agent", &about, &html! {}))
        div.stack.narrow {
            (providers(chosen))
            section.card {
                div.card-head { h2 { (provider::name(chosen)) } }
                form.card-body method="post" action="/agents/new" {
                    (shell::csrf(visitor))
                    (wrong.notice(&form::FIELDS))
                    input type="hidden" name="provider" value=(chosen.as_str());
                    (form::name(input.text("name"), wrong))
                    (form::description(input.text("description"), wrong))
                    (field::text_area("config", "Configuration", config, 8,
                        Some("A JSON object. It is stored sealed and never shown again, neither here nor by the API."),
                        wrong.with("config").as_deref()))
                    div.actions {
                        button.button.primary { "Create agent" }
                        a.button.plain href=(PATH) { "Cancel" }
                    }
                }
            }
        }
    };
    shell::page(visitor, Section::Agents, "New agent", &content)
}

/// Choosing one brings its template, without a script.
fn providers(chosen: Provider) -> Markup {
    html! {
        nav aria-label="Provider" {
            p.label { "Where does it run?" }
            div.providers {
                @for each in Provider::ALL {
                    a.button href={ "/agents/new?provider=" (each.as_str()) } aria-current=[(each == chosen).then_some("true")] {
                        (provider::name(each))
                    }
                }
            }
        }
    }
}
