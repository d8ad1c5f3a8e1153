//! What is around every page.

use std::borrow::Cow;

use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::{
    assets::{MARK, SCRIPT, STYLE},
    door::{Theme, Visitor},
    parts::{Icon, visible::legible},
};

/// What the sidebar shows as the place where one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Section {
    Runs,
    Agents,
    Settings,
    /// None of them.
    None,
}

const SECTIONS: [(Section, &str, &str, Icon); 3] = [
    (Section::Runs, "Runs", "/runs", Icon::Runs),
    (Section::Agents, "Agents", "/agents", Icon::Agents),
    (Section::Settings, "Settings", "/settings/webhooks", Icon::Settings),
];

/// A page for somebody who is signed in.
pub(in crate::pages) fn page(visitor: &Visitor, section: Section, title: &str, content: &Markup) -> Response {
    let body = html! {
        div.app {
            header.sidebar {
                (brand())
                nav.nav aria-label="Main" {
                    @for (each, name, path, icon) in SECTIONS {
                        a.nav-link href=(path) aria-current=[(each == section).then_some("page")] { (icon.sized(18)) (name) }
                    }
                }
                (who(visitor))
            }
            main.main id="main" tabindex="-1" { (content) }
        }
    };
    document(visitor.theme, title, &body)
}

/// A page for somebody who is not.
pub(in crate::pages) fn alone(theme: Theme, title: &str, content: &Markup) -> Response {
    let body = html! { main.alone id="main" { div { (brand()) } (content) } };
    document(theme, title, &body)
}

fn brand() -> Markup {
    html! {
        a.brand href="/" { img src=(MARK.path()) width="32" height="32" alt=""; span { "Preclinical" small { "Webhooks" } } }
    }
}

fn who(visitor: &Visitor) -> Markup {
    let themes = [
        (Theme::System, Icon::Screen, "As the system"),
        (Theme::Light, Icon::Sun, "Light"),
        (Theme::Dark, Icon::Moon, "Dark"),
    ];
    html! {
        div.who {
            a.who-name href="/settings/account" {
                strong { (visitor.member.email) }
                span { (visitor.organization.slug) " · " (visitor.member.role.as_str()) }
            }
            div.who-actions {
                form.buttons method="post" action="/theme" aria-label="Colours" {
                    (csrf(visitor))
                    @for (theme, icon, name) in themes {
                        button.button.little name="theme" value=(theme.as_str()) title=(name) aria-label=(name)
                            aria-pressed=(if theme == visitor.theme { "true" } else { "false" }) { (icon.sized(14)) }
                    }
                }
                form method="post" action="/sign-out" {
                    (csrf(visitor))
                    button.button.plain.little title="Sign out" aria-label="Sign out" { (Icon::SignOut.sized(16)) }
                }
            }
        }
    }
}

/// What every form of a visitor carries.
pub(in crate::pages) fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf); }
}

fn document(theme: Theme, title: &str, body: &Markup) -> Response {
    let theme = (theme != Theme::System).then(|| theme.as_str());
    let markup = html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Preclinical Webhooks" }
                link rel="icon" href=(MARK.path()) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE.path());
                script type="module" src=(SCRIPT.path()) {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (body)
            }
        }
    };
    let html = markup.into_string();
    // Names and texts of others stand on every page: none may turn around what stands beside it.
    let signs = match legible(&html) {
        Cow::Borrowed(_) => None,
        Cow::Owned(changed) => Some(changed),
    };
    Html(signs.unwrap_or(html)).into_response()
}
