//! The settings: the head that their pages share.

pub(super) mod account;
pub(super) mod api_keys;
pub(super) mod members;
pub(super) mod organization;
pub(super) mod webhooks;

use axum::response::{Redirect, Response};
use maud::{Markup, html};

use super::{
    door::Visitor,
    parts,
    shell::{self, Section},
};

/// A page of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Tab {
    Webhooks,
    ApiKeys,
    Members,
    Organization,
}

const TABS: [(Tab, &str, &str); 4] = [
    (Tab::Webhooks, "Webhooks", "/settings/webhooks"),
    (Tab::ApiKeys, "API Keys", "/settings/api-keys"),
    (Tab::Members, "Members", "/settings/members"),
    (Tab::Organization, "Organization", "/settings/organization"),
];

/// `GET /settings`
pub(super) async fn first() -> Redirect {
    Redirect::to("/settings/webhooks")
}

/// A page of the settings below their common head. What it is called in the browser is its tab's name.
pub(in crate::pages) fn page(visitor: &Visitor, tab: Tab, content: &Markup) -> Response {
    page_with(visitor, tab, &html! {}, content)
}

/// One with something to do in its head.
pub(in crate::pages) fn page_with(visitor: &Visitor, tab: Tab, actions: &Markup, content: &Markup) -> Response {
    let name = TABS.iter().find(|(each, ..)| *each == tab).map_or("Settings", |(_, name, _)| name);
    let whole = html! { (head(tab, actions)) div.stack { (content) } };
    shell::page(visitor, Section::Settings, &format!("{name} · Settings"), &whole)
}

fn head(tab: Tab, actions: &Markup) -> Markup {
    html! {
        (parts::page_head("Settings", &html! {}, actions))
        nav.tabs aria-label="Settings" {
            @for (each, name, path) in TABS { a href=(path) aria-current=[(each == tab).then_some("page")] { (name) } }
        }
    }
}
