//! The form that sets a webhook up.

use maud::{Markup, html};
use preclinical_core::webhook::Webhook;

use super::{Panel, Place};
use crate::{
    error::ApiError,
    pages::{
        door::{Form, Visitor},
        failure::sentence,
        parts::{
            Icon,
            field::{TextField, tick},
        },
        shell,
    },
};

/// What stands in the fields, and what is wrong with it. A secret that was typed is not among it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) url: String,
    pub(super) description: String,
    errors: Vec<(String, String)>,
}

impl Typed {
    pub(super) fn of(form: &Form) -> Self {
        Self { url: form.text("url").to_owned(), description: form.text("description").to_owned(), errors: Vec::new() }
    }

    /// Keeps what is wrong with a field, and answers the rest.
    pub(super) fn check<T>(&mut self, value: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
        match value {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.note(error).map(|()| None),
        }
    }

    /// Keeps an error that is about a field; any other is none of the form's.
    pub(super) fn note(&mut self, error: ApiError) -> Result<(), ApiError> {
        let Some(field) = error.field() else { return Err(error) };
        let why = error.message().strip_prefix(field).unwrap_or(error.message()).trim_start();
        self.errors.push((field.to_owned(), sentence(why)));
        Ok(())
    }

    pub(super) fn is_wrong(&self) -> bool {
        !self.errors.is_empty()
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, why)| why.as_str())
    }
}

impl From<Option<&Webhook>> for Typed {
    fn from(webhook: Option<&Webhook>) -> Self {
        let Some(webhook) = webhook else { return Self::default() };
        let description = webhook.description.clone().unwrap_or_default();
        Self { url: webhook.url.clone(), description, errors: Vec::new() }
    }
}

pub(super) fn form(panel: &Panel, visitor: &Visitor) -> Markup {
    let has_secret = panel.webhook.as_ref().is_some_and(|webhook| webhook.has_secret);
    let generate = html! {
        button.button type="button" data-generate="secret" data-needs-script hidden { (Icon::Key) "Generate" }
    };
    let secret_hint = if has_secret {
        "One is set. Leave this empty to keep it; to change it without a gap, rotate it below."
    } else {
        "Recommended. Your receiver checks with it that a request comes from here and was not changed."
    };
    let typed = &panel.typed;
    html! {
        form.card-body method="post" action="/webhooks/save" {
            (shell::csrf(visitor))
            @if let Place::Agent(id) = panel.place { input type="hidden" name="agent_id" value=(id); }
            (TextField { kind: "url", value: &typed.url, required: true, placeholder: "https://hooks.example.com/preclinical",
                autocomplete: "url", error: typed.error("url"), checked_at: Some("/webhooks/check-url"),
                ..TextField::new("url", "URL") })
            (TextField { kind: "password", autocomplete: "new-password", longest: 512, hint: Some(secret_hint),
                error: typed.error("secret"), beside: Some(generate), ..TextField::new("secret", "Signing secret") })
            @if has_secret { (tick("remove_secret", "Remove the secret", false, Some("Requests are no longer signed then."))) }
            (TextField { value: &typed.description, error: typed.error("description"), longest: 1000,
                ..TextField::new("description", "Description") })
            div.actions { button.button.primary { "Save" } }
        }
    }
}
