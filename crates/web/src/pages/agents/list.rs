//! The list of the agents.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use futures_util::future::try_join_all;
use maud::{Markup, html};
use preclinical_core::{agent::Provider, port::Page};

use super::{
    provider,
    row::{Glance, rows},
};
use crate::{
    app::App,
    input::Query,
    pages::{
        done,
        door::Visitor,
        failure::Failure,
        parts::{self, Icon},
        shell::{self, Section},
    },
};

/// How many are on a page.
const LIMIT: u32 = 25;

const DONE: [(&str, &str); 1] = [("deleted", "The agent is deleted. Its runs are still there.")];

/// `GET /agents`
pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    mut query: Query,
) -> Result<Response, Failure> {
    let done = done::notice(&mut query, &DONE)?;
    let chosen = query.parsed("provider", "a known provider", |text| match text {
        "" => Some(None),
        text => Provider::parse(text).map(Some),
    })?;
    let chosen = chosen.flatten();
    let number = query.parsed("page", "a whole number from 1", |text| text.parse().ok().filter(|number| *number > 0))?;
    let number: u32 = number.unwrap_or(1);
    let page = Page { limit: LIMIT, offset: (number - 1).saturating_mul(LIMIT) };
    let (agents, total) = app.store.agents(visitor.organization.id, chosen, page).await?;
    let glances = try_join_all(agents.into_iter().map(|agent| Glance::at(Arc::clone(&app), agent))).await?;
    let create =
        html! { @if visitor.member.role.may_change() { a.button.primary href="/agents/new" { (Icon::Plus) "New agent" } } };
    let about = html! { "What is tested. A run belongs to an agent, and the agent decides which webhook hears of it." };
    let content = html! {
        (parts::page_head("Agents", &about, &html! { @if total > 0 || chosen.is_some() { (create) } }))
        div.stack {
            (done)
            section.card {
                @if total == 0 && chosen.is_none() { (nothing(&visitor, &create)) }
                @else {
                    (filter(chosen))
                    @if glances.is_empty() { div.card-body { p.muted { "There are none here." } } }
                    @else { (rows(&glances)) }
                    (pager(chosen, number, total))
                }
            }
        }
    };
    Ok(shell::page(&visitor, Section::Agents, "Agents", &content))
}

fn filter(chosen: Option<Provider>) -> Markup {
    html! {
        div.card-head {
            form.filter method="get" action="/agents" {
                label.label for="provider" { "Provider" }
                select.input id="provider" name="provider" autocomplete="off" {
                    option value="" { "All" }
                    @for each in Provider::ALL {
                        option value=(each.as_str()) selected[Some(each) == chosen] { (provider::name(each)) }
                    }
                }
                button.button { "Show" }
            }
        }
    }
}

fn nothing(visitor: &Visitor, create: &Markup) -> Markup {
    let why = if visitor.member.role.may_change() {
        html! { "Describe the agent that you test: where it runs and how it is reached. Then a runner can report runs of it." }
    } else {
        html! { "Nobody has described one. An owner or a member of the organization can." }
    };
    parts::empty(Icon::Agents, "No agents yet", &why, create)
}

fn pager(chosen: Option<Provider>, number: u32, total: u64) -> Markup {
    let pages = total.div_ceil(u64::from(LIMIT)).max(1);
    let to = |number: u64| match chosen {
        Some(provider) => format!("/agents?provider={}&page={number}", provider.as_str()),
        None => format!("/agents?page={number}"),
    };
    let number = u64::from(number);
    html! {
        @if pages > 1 || number > 1 {
            nav.pager aria-label="Pages" {
                span { "Page " (number) " of " (pages) ", " (total) " agents" }
                span.line {
                    @if number > 1 { a.button.little href=(to((number - 1).min(pages))) rel="prev" { (Icon::Back) "Newer" } }
                    @if number < pages { a.button.little href=(to(number + 1)) rel="next" { "Older" (Icon::Next) } }
                }
            }
        }
    }
}
