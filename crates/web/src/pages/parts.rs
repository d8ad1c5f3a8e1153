//! What pages are put together of. What it looks like is in the style sheet, each part under the same name.

pub(super) mod badge;
pub(super) mod field;
mod icon;
pub(super) mod options;
pub(super) mod time;
pub(super) mod visible;

use maud::{Markup, html};

pub(super) use badge::Tone;
pub(super) use icon::Icon;

/// The head of a page: what it is, and what can be done with all of it.
pub(super) fn page_head(title: &str, about: &Markup, actions: &Markup) -> Markup {
    html! {
        header.page-head {
            div { h1 { (title) } @if !about.0.is_empty() { p { (about) } } }
            @if !actions.0.is_empty() { div.actions { (actions) } }
        }
    }
}

/// Where the page lies below others.
pub(super) fn crumbs(above: &[(&str, &str)]) -> Markup {
    html! {
        nav.crumbs aria-label="Breadcrumb" {
            @for (name, path) in above { a href=(path) { (name) } span aria-hidden="true" { "/" } }
        }
    }
}

/// A part of a page with a name.
pub(super) fn card(title: &str, about: Option<&str>, content: &Markup) -> Markup {
    card_with(title, about, &html! {}, content)
}

/// One with actions beside its name.
pub(super) fn card_with(title: &str, about: Option<&str>, actions: &Markup, content: &Markup) -> Markup {
    html! {
        section.card {
            div.card-head {
                h2 { (title) }
                @if !actions.0.is_empty() { div.actions { (actions) } }
                @if let Some(about) = about { p { (about) } }
            }
            div.card-body { (content) }
        }
    }
}

/// Something that has to be said.
pub(super) fn notice(tone: Tone, content: &Markup) -> Markup {
    let icon = match tone {
        Tone::Good => Icon::Check,
        Tone::Bad | Tone::Warn => Icon::Alert,
        Tone::Info | Tone::Quiet => Icon::Info,
    };
    html! { div.notice.(tone.class()) role="status" { (icon.sized(18)) div { (content) } } }
}

/// Instead of a list that has nothing in it: why that is, and what to do.
pub(super) fn empty(icon: Icon, title: &str, why: &Markup, action: &Markup) -> Markup {
    html! { div.empty { (icon.sized(32)) h2 { (title) } p { (why) } (action) } }
}

/// The same as all that a page has.
pub(super) fn nothing_else(icon: Icon, title: &str, why: &Markup, action: &Markup) -> Markup {
    html! { div.empty { (icon.sized(32)) h1 { (title) } p { (why) } (action) } }
}

/// Where a list goes on, in both directions: addresses, and what they lead to.
pub(super) fn pager(label: &str, about: &Markup, before: Option<(String, &str)>, next: Option<(String, &str)>) -> Markup {
    html! {
        nav.pager aria-label=(label) {
            span.number { (about) }
            span.line {
                @if let Some((path, name)) = before { a.button.little href=(path) rel="prev" { (Icon::Back.sized(14)) (name) } }
                @if let Some((path, name)) = next { a.button.little href=(path) rel="next" { (name) (Icon::Next.sized(14)) } }
            }
        }
    }
}

/// A text to be copied, with the button that does.
pub(super) fn copyable(id: &str, text: &str, label: &str) -> Markup {
    html! {
        div.with-button {
            input.input.mono id=(id) value=(text) readonly aria-label=(label);
            (copy_button(id))
        }
    }
}

/// A block of code with a button that copies it.
pub(super) fn code(id: &str, text: &str, label: &str) -> Markup {
    html! { div.code-box { pre.code id=(id) tabindex="0" aria-label=(label) { (text) } (copy_button(id)) } }
}

/// Copies what the element of that id holds. Hidden where no script runs.
pub(super) fn copy_button(id: &str) -> Markup {
    html! {
        button.button.little type="button" data-copy=(id) data-needs-script hidden {
            (Icon::Copy.sized(14)) span data-label-text { "Copy" }
        }
    }
}
