//! What the history can be narrowed by.

use maud::{Markup, html};
use preclinical_core::delivery::DeliveryStatus;

use super::{
    filter::{Filter, Span, local},
    names::Names,
};
use crate::pages::parts::{Icon, badge::of_delivery};

/// The whole of it. Links and one form, which carry each other's choices.
pub(super) fn shown(filter: &Filter, names: &Names) -> Markup {
    html! {
        section.history-filter aria-label="Filter" {
            div.history-line {
                (statuses(filter))
                (spans(filter))
                @if filter.narrows() { a.button.plain.little href="/deliveries" { "Clear filters" } }
            }
            form.history-line method="get" action="/deliveries" role="search" {
                @for (name, value) in filter.pairs() {
                    @if let ("status" | "run_id" | "within", Some(value)) = (name, value) { input type="hidden" name=(name) value=(value); }
                }
                (search(filter))
                (webhooks(filter, names))
                (agents(filter, names))
                (times(filter))
            }
        }
    }
}

fn statuses(filter: &Filter) -> Markup {
    let choices = DeliveryStatus::ALL.into_iter().map(Some);
    html! {
        nav.buttons aria-label="Status" {
            @for status in std::iter::once(None).chain(choices) {
                @let chosen = Filter { status, ..filter.first_page() };
                a.button.little href=(chosen.address()) aria-current=[(status == filter.status).then_some("true")] {
                    (status.map_or("All", |status| of_delivery(status).word))
                }
            }
        }
    }
}

fn spans(filter: &Filter) -> Markup {
    let is_free = filter.from.is_none() && filter.to.is_none();
    html! {
        nav.buttons aria-label="Time" {
            @for within in Span::ALL {
                @let chosen = Filter { within, from: None, to: None, ..filter.first_page() };
                a.button.little href=(chosen.address()) aria-current=[(is_free && within == filter.within).then_some("true")] {
                    (within.words())
                }
            }
        }
    }
}

fn search(filter: &Filter) -> Markup {
    html! {
        div.field.history-search {
            label for="q" { "Search" }
            div.with-button {
                input.input id="q" name="q" type="search" value=(filter.q) maxlength="200" spellcheck="false"
                    autocapitalize="none" autocomplete="off" placeholder="TR-00042, any id, webhook-id";
                button.button { (Icon::Search) "Search" }
            }
        }
    }
}

fn webhooks(filter: &Filter, names: &Names) -> Markup {
    let choices = names.webhooks.iter().map(|webhook| (webhook.id.to_string(), names.of_webhook(webhook))).collect();
    choice("webhook_id", "Webhook", "Every webhook", choices, filter.webhook_id.map(|id| id.to_string()).as_deref())
}

fn agents(filter: &Filter, names: &Names) -> Markup {
    let choices = names.agents.iter().map(|agent| (agent.id.to_string(), agent.name.clone())).collect();
    choice("agent_id", "Agent", "Every agent", choices, filter.agent_id.map(|id| id.to_string()).as_deref())
}

/// A list to choose from. What is chosen is in it even if it was deleted.
fn choice(name: &str, label: &str, all: &str, mut choices: Vec<(String, String)>, chosen: Option<&str>) -> Markup {
    if let Some(chosen) = chosen
        && !choices.iter().any(|(id, _)| id == chosen)
    {
        choices.push((chosen.to_owned(), format!("Deleted, {chosen}")));
    }
    html! {
        div.field {
            label for=(name) { (label) }
            select.input id=(name) name=(name) data-submits {
                option value="" selected[chosen.is_none()] { (all) }
                @for (id, shown) in &choices { option value=(id) selected[chosen == Some(id.as_str())] { (shown) } }
            }
        }
    }
}

fn times(filter: &Filter) -> Markup {
    let is_used = filter.from.is_some() || filter.to.is_some();
    html! {
        details.more.history-times open[is_used] {
            summary { "Between two times" }
            div.history-line {
                @for (name, label, value) in [("from", "From, in UTC", filter.from), ("to", "Before, in UTC", filter.to)] {
                    div.field {
                        label for=(name) { (label) }
                        input.input id=(name) name=(name) type="datetime-local" value=[value.map(local)]
                            step=[value.filter(|time| time.as_second() % 60 != 0).map(|_| "1")];
                    }
                }
                button.button { "Apply" }
            }
        }
    }
}
