//! The list of the agents.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use futures_util::future::try_join_all;
use maud::{Markup, html};
use preclinical_core::agent::Provider;

use super::{
    provider,
    row::{Glance, rows},
};
use crate::{
    app::App,
    input::Query,
    pages::{
        address::{self, PageNumber, address},
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
    let chosen = address::choice(&mut query, "provider", "a known provider", Provider::parse)?;
    let page = PageNumber::read(&mut query, LIMIT)?;
    let (agents, total) = app.store.agents(visitor.organization.id, chosen, page.page()).await?;
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
                    (pager(chosen, page, total))
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

fn pager(chosen: Option<Provider>, page: PageNumber, total: u64) -> Markup {
    let pages = total.div_ceil(u64::from(LIMIT)).max(1);
    let provider = chosen.map(|provider| provider.as_str().to_owned());
    let to = |number: u32| address("/agents", &[("provider", provider.clone()), ("page", Some(number.to_string()))]);
    let at = |number: Option<u32>, name| number.map(|number| (to(number), name));
    let about = html! { "Page " (page.number) " of " (pages) ", " (total) " agents" };
    html! {
        @if pages > 1 || page.number > 1 {
            (parts::pager("Pages", &about, at(page.before(total), "Newer"), at(page.next(total), "Older")))
        }
    }
}
