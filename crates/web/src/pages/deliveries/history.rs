//! The delivery history.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::port::DeliveryPage;

use super::{ABOVE, bulk::offer_of, filter::Filter, filter_bar, names::Names, nothing::Nothing, rows};
use crate::{
    app::App,
    input::Query,
    pages::{
        door::Visitor,
        failure::Failure,
        parts::{self, Icon},
        shell::{self, Section},
    },
};

/// `GET /deliveries`
pub(in crate::pages) async fn history(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    let (filter, now) = (Filter::read(query)?, app.clock.now());
    let organization = visitor.organization.id;
    let page = app.store.deliveries(organization, filter.wanted(now)).await?;
    let chosen = (filter.webhook_id, filter.agent_id);
    let names = Names::load(&*app.store, organization, &page.deliveries, chosen).await?;
    let listed = if page.deliveries.is_empty() {
        Nothing::look(&*app.store, organization, &filter).await?.shown(&visitor, &filter)
    } else {
        rows::table(&page.deliveries, &names)
    };
    let repeat = filter
        .redelivery(now)
        .map(|selection| offer_of(&selection))
        .filter(|_| visitor.member.role.may_change() && !page.deliveries.is_empty());
    let content = html! {
        (parts::crumbs(&ABOVE[..2]))
        (parts::page_head("Delivery history", &html! { "Every webhook that was sent, and what came back." },
            &actions(repeat.as_deref())))
        div.stack data-live=[filter.cursor.is_none().then(|| filter.live())] {
            (filter_bar::shown(&filter, &names))
            (found(&filter, &page, &listed))
        }
    };
    Ok(shell::page(&visitor, Section::Settings, "Delivery history", &content))
}

fn actions(repeat: Option<&str>) -> Markup {
    html! {
        a.button.plain href="/deliveries/redeliveries" { "Bulk redeliveries" }
        @if let Some(repeat) = repeat { a.button href=(repeat) { (Icon::Repeat) "Redeliver these…" } }
    }
}

/// A page of rows that stay where they are; while there are none, the whole of it is read again.
fn found(filter: &Filter, page: &DeliveryPage, listed: &Markup) -> Markup {
    let is_first = filter.cursor.is_none();
    let is_empty = page.deliveries.is_empty();
    html! {
        section.card id="found" data-live-region[is_empty] aria-label="Deliveries" {
            @if is_first && !is_empty {
                div.found-head {
                    span.live data-needs-script hidden { "Connecting" }
                    span aria-live="polite" {
                        a.button.little.news href=(filter.address()) data-news="found-rows" hidden { "New deliveries" }
                    }
                }
            }
            (listed)
            @if !is_first || page.next.is_some() { (pager(filter, page)) }
        }
    }
}

fn pager(filter: &Filter, page: &DeliveryPage) -> Markup {
    let older = page.next.map(|cursor| Filter { cursor: Some(cursor), ..filter.clone() });
    html! {
        nav.pager aria-label="Pages" {
            @if filter.cursor.is_some() { a.button.little href=(filter.first_page().address()) { (Icon::Back.sized(14)) "Newest" } }
            @else { span { "The newest " (page.deliveries.len()) } }
            @if let Some(older) = older { a.button.little href=(older.address()) { "Older" (Icon::Next.sized(14)) } }
            @else { span { "These are the oldest." } }
        }
    }
}
