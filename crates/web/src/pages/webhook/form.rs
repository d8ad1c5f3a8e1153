//! The form that sets a webhook up.

use maud::{Markup, html};
use preclinical_core::{replay_on_recovery::ReplayOnRecovery, webhook::Webhook};

use super::{
    Panel, Place,
    headers::{self, TypedHeaders},
    replay,
};
use crate::pages::{
    door::{Form, Visitor},
    parts::{
        Icon,
        field::{TextField, select, tick},
    },
    shell,
};

/// What stands in the fields. A secret that was typed is not among it, nor is the value of a header.
#[derive(Debug, Default)]
pub(super) struct Typed {
    url: String,
    description: String,
    headers: TypedHeaders,
    replay_on_recovery: ReplayOnRecovery,
}

impl From<&Form> for Typed {
    fn from(form: &Form) -> Self {
        Self {
            url: form.text("url").to_owned(),
            description: form.text("description").to_owned(),
            headers: TypedHeaders::from(form),
            replay_on_recovery: ReplayOnRecovery::parse(form.text("replay_on_recovery")).unwrap_or_default(),
        }
    }
}

impl From<Option<&Webhook>> for Typed {
    fn from(webhook: Option<&Webhook>) -> Self {
        let Some(webhook) = webhook else { return Self::default() };
        Self {
            url: webhook.url.clone(),
            description: webhook.description.clone().unwrap_or_default(),
            headers: TypedHeaders::from(webhook),
            replay_on_recovery: webhook.replay_on_recovery,
        }
    }
}

pub(super) fn form(panel: &Panel, visitor: &Visitor) -> Markup {
    let has_secret = panel.webhook.as_ref().is_some_and(|webhook| webhook.has_secret);
    let generate = html! {
        button.button type="button" data-generate="webhook-secret" data-needs-script hidden { (Icon::Key) "Generate" }
    };
    let secret_hint = if has_secret {
        "One is set. Leave this empty to keep it; to change it without a gap, rotate it below."
    } else {
        "Recommended. Your receiver checks with it that a request comes from here and was not changed."
    };
    let (typed, wrong) = (&panel.typed, |field: &str| panel.wrong.with(field));
    let wishes = ReplayOnRecovery::ALL.map(|wish| (wish.as_str(), replay::by_itself(wish)));
    let of_headers = headers::fields(&typed.headers);
    let shown: Vec<_> = ["url", "secret", "description"].into_iter().chain(of_headers.iter().map(String::as_str)).collect();
    html! {
        form.card-body method="post" action="/webhooks/save" {
            (shell::csrf(visitor))
            (panel.wrong.notice(&shown))
            @if let Some(webhook) = &panel.webhook { input type="hidden" name="version" value=(webhook.version.0); }
            @if let Place::Agent(id) = panel.place { input type="hidden" name="agent_id" value=(id); }
            (TextField { kind: "url", value: &typed.url, required: true, placeholder: "https://hooks.example.com/preclinical",
                id: "webhook-url", autocomplete: "url", error: wrong("url").as_deref(), checked_at: Some("/webhooks/check-url"),
                ..TextField::new("url", "URL") })
            (TextField { kind: "password", id: "webhook-secret", autocomplete: "new-password", longest: 512, hint: Some(secret_hint),
                error: wrong("secret").as_deref(), beside: Some(generate), ..TextField::new("secret", "Signing secret") })
            @if has_secret { (tick("remove_secret", "Remove the secret", false, Some("Requests are no longer signed then."))) }
            (TextField { id: "webhook-description", value: &typed.description, error: wrong("description").as_deref(), longest: 1000,
                ..TextField::new("description", "Description") })
            (select("replay_on_recovery", "Replay after a recovery", &wishes, typed.replay_on_recovery.as_str(),
                Some("What it missed is sent again by itself, oldest first, once your receiver takes something.")))
            (headers::section(panel.webhook.as_ref(), &typed.headers, &panel.wrong))
            div.actions { button.button.primary { "Save" } }
        }
    }
}
