//! Fields of forms: a label, the control, a hint, and what is wrong with what was typed.

use maud::{Markup, html};

use super::Icon;

/// A line of text to type.
pub(in crate::pages) struct TextField<'a> {
    /// Its name in the form.
    pub(in crate::pages) name: &'static str,
    /// Its id, which is unique on a page.
    pub(in crate::pages) id: &'static str,
    pub(in crate::pages) label: &'a str,
    pub(in crate::pages) kind: &'static str,
    pub(in crate::pages) value: &'a str,
    pub(in crate::pages) hint: Option<&'a str>,
    pub(in crate::pages) error: Option<&'a str>,
    pub(in crate::pages) placeholder: &'static str,
    pub(in crate::pages) autocomplete: &'static str,
    pub(in crate::pages) required: bool,
    /// Another field decides whether it is needed, so it is not called optional.
    pub(in crate::pages) depends: bool,
    /// The longest text it takes, in UTF-16 units as browsers count.
    pub(in crate::pages) longest: usize,
    /// What stands behind it in the same line.
    pub(in crate::pages) beside: Option<Markup>,
    /// Where its value is judged when it is left.
    pub(in crate::pages) checked_at: Option<&'static str>,
}

impl<'a> TextField<'a> {
    /// A field for any short text.
    pub(in crate::pages) fn new(name: &'static str, label: &'a str) -> Self {
        Self {
            name,
            id: name,
            label,
            kind: "text",
            value: "",
            hint: None,
            error: None,
            placeholder: "",
            autocomplete: "off",
            required: false,
            depends: false,
            longest: 2048,
            beside: None,
            checked_at: None,
        }
    }
}

impl maud::Render for TextField<'_> {
    fn render(&self) -> Markup {
        let Self { name, id, kind, value, placeholder, autocomplete, .. } = self;
        let described = described_by(id, self.hint.is_some(), self.error.is_some(), self.checked_at.is_some());
        let input = html! {
            input.input id=(id) name=(name) type=(kind) value=(value) placeholder=[some(placeholder)]
                autocomplete=(autocomplete) required[self.required] maxlength=(self.longest) spellcheck="false"
                autocapitalize="none" aria-invalid=[self.error.map(|_| "true")] aria-describedby=[described]
                data-check=[self.checked_at];
        };
        html! {
            div.field {
                (label(id, self.label, self.required || self.depends))
                @if let Some(beside) = &self.beside { div.with-button { (input) (beside) } } @else { (input) }
                @if self.checked_at.is_some() { div id={ (id) "-check" } aria-live="polite" {} }
                (below(id, self.hint, self.error))
            }
        }
    }
}

/// Something to choose from a list: values, what they are called, and which one is chosen.
pub(in crate::pages) fn select(
    name: &str,
    text: &str,
    choices: &[(&str, &str)],
    chosen: &str,
    hint: Option<&str>,
) -> Markup {
    html! {
        div.field {
            (label(name, text, true))
            select.input id=(name) name=(name) aria-describedby=[described_by(name, hint.is_some(), false, false)] {
                @for (value, shown) in choices { option value=(value) selected[*value == chosen] { (shown) } }
            }
            (below(name, hint, None))
        }
    }
}

/// Several lines of text.
pub(in crate::pages) fn text_area(
    name: &str,
    text: &str,
    value: &str,
    rows: u32,
    hint: Option<&str>,
    error: Option<&str>,
) -> Markup {
    html! {
        div.field {
            (label(name, text, true))
            textarea.input.mono id=(name) name=(name) rows=(rows) spellcheck="false" autocapitalize="none" autocomplete="off"
                aria-invalid=[error.map(|_| "true")]
                aria-describedby=[described_by(name, hint.is_some(), error.is_some(), false)] { "\n" (value) }
            (below(name, hint, error))
        }
    }
}

/// Something to tick.
pub(in crate::pages) fn tick(name: &str, text: &str, ticked: bool, hint: Option<&str>) -> Markup {
    html! {
        div.check {
            input id=(name) name=(name) type="checkbox" value="yes" checked[ticked]
                aria-describedby=[described_by(name, hint.is_some(), false, false)];
            div.field {
                label for=(name) { (text) }
                (below(name, hint, None))
            }
        }
    }
}

fn label(name: &str, text: &str, required: bool) -> Markup {
    html! { label for=(name) { (text) @if !required { " " span.muted { "optional" } } } }
}

fn below(name: &str, hint: Option<&str>, error: Option<&str>) -> Markup {
    html! {
        @if let Some(error) = error { p.error id={ (name) "-error" } { (Icon::Alert.sized(14)) span { (error) } } }
        @if let Some(hint) = hint { p.hint id={ (name) "-hint" } { (hint) } }
    }
}

fn described_by(name: &str, hint: bool, error: bool, check: bool) -> Option<String> {
    let parts = [(error, "error"), (hint, "hint"), (check, "check")];
    let ids: Vec<String> = parts.into_iter().filter(|(there, _)| *there).map(|(_, part)| format!("{name}-{part}")).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

fn some(text: &'static str) -> Option<&'static str> {
    (!text.is_empty()).then_some(text)
}
