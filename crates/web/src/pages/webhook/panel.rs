//! Everything about one webhook, or the place for one.

use maud::{Markup, html};
use preclinical_core::{
    custom_header::HeaderName, delivery::Delivery, id::WebhookId, port::DeliveryFilter, reveal::SecretReveal,
    webhook::Webhook,
};

use super::{
    Place,
    form::Typed,
    given_up, health,
    replay::{self, Missed},
    secret,
    test::TestResult,
    verification,
};
use crate::{
    app::App,
    error::ApiError,
    pages::{
        door::Visitor,
        parts::{self, Icon, Tone, badge},
        shell,
        wrong::Wrong,
    },
};

/// How many of the latest deliveries show how a webhook is doing.
const RECENT: u32 = 20;

/// How many reveals of the secret are listed.
const REVEALS: u32 = 5;

/// A webhook's part of a page.
pub(in crate::pages) struct Panel {
    pub(super) place: Place,
    pub(super) webhook: Option<Webhook>,
    /// The latest deliveries, newest first.
    recent: Vec<Delivery>,
    /// What it missed, if it did.
    missed: Option<Missed>,
    /// Who was shown the secret, the last first.
    reveals: Vec<SecretReveal>,
    /// What was typed and is not saved.
    pub(super) typed: Typed,
    /// Why it is not.
    pub(super) wrong: Wrong,
    /// A secret to be shown this one time.
    pub(super) shown_secret: Option<String>,
    pub(super) test: Option<TestResult>,
}

impl Panel {
    /// The panel as it is stored.
    pub(in crate::pages) async fn load(app: &App, visitor: &Visitor, place: Place) -> Result<Self, ApiError> {
        let organization = visitor.organization.id;
        let webhook = app.store.webhook_at(organization, place.agent()).await?;
        let recent = match &webhook {
            Some(webhook) => {
                let filter = DeliveryFilter { webhook_id: Some(webhook.id), limit: RECENT, ..DeliveryFilter::default() };
                app.store.deliveries(organization, filter).await?.deliveries
            }
            None => Vec::new(),
        };
        let reveals = match &webhook {
            Some(webhook) => app.store.secret_reveals(organization, webhook.id, REVEALS).await?,
            None => Vec::new(),
        };
        let missed = match &webhook {
            Some(webhook) => Missed::load(app, webhook).await?,
            None => None,
        };
        let typed = Typed::from(webhook.as_ref());
        Ok(Self { place, webhook, recent, missed, reveals, typed, wrong: Wrong::default(), shown_secret: None, test: None })
    }

    /// The webhook that it is about, if there is one.
    pub(in crate::pages) fn about(&self) -> Option<WebhookId> {
        self.webhook.as_ref().map(|webhook| webhook.id)
    }

    /// The panel with what can be done by this visitor.
    pub(in crate::pages) fn render(&self, app: &App, visitor: &Visitor) -> Markup {
        let (may_change, now) = (visitor.member.role.may_change(), app.clock.now());
        html! {
            @if let Some(secret) = &self.shown_secret { (secret::shown_once(secret)) }
            @if let Some(webhook) = &self.webhook { (given_up::banner(webhook, self.missed.as_ref(), visitor)) }
            (self.settings(visitor, may_change))
            @if let Some(webhook) = &self.webhook {
                (health::card(webhook, &self.recent, app.patience, now))
                @if let Some(missed) = &self.missed { (replay::card(webhook, missed, visitor)) }
                (secret::card(app, webhook, &self.reveals, visitor))
                (verification::card(webhook))
            }
        }
    }

    fn settings(&self, visitor: &Visitor, may_change: bool) -> Markup {
        let (title, about) = match self.place {
            Place::Organization => {
                ("Organization webhook", "Hears of every run that ends, unless the run’s agent has a webhook of its own.")
            }
            Place::Agent(_) => ("Webhook", "Hears of this agent’s runs instead of the organization’s webhook."),
        };
        html! {
            section.card {
                div.card-head {
                    h2 { (title) }
                    (state(self.webhook.as_ref()))
                    p { (about) }
                }
                @if may_change { (super::form::form(self, visitor)) } @else { div.card-body { (read_only(self.webhook.as_ref())) } }
                @if let (Some(webhook), true) = (&self.webhook, may_change) { (actions(webhook, visitor)) }
                (TestResult::render(self.test.as_ref()))
            }
        }
    }
}

fn state(webhook: Option<&Webhook>) -> Markup {
    match webhook {
        None => badge::badge(Tone::Quiet, Icon::Info, "Not set up"),
        Some(webhook) => maud::Render::render(&health::look(webhook)),
    }
}

fn read_only(webhook: Option<&Webhook>) -> Markup {
    html! {
        @if let Some(webhook) = webhook {
            dl.pairs {
                dt { "URL" } dd.mono { (webhook.url) }
                dt { "Signing secret" } dd { (if webhook.has_secret { "Set" } else { "None: requests are not signed" }) }
                @if !webhook.header_names.is_empty() { dt { "Custom headers" } dd.mono { (HeaderName::join(&webhook.header_names).replace(',', ", ")) } }
                dt { "Replay after a recovery" } dd { (replay::by_itself(webhook.replay_on_recovery)) }
                @if let Some(description) = &webhook.description { dt { "Description" } dd { (description) } }
            }
        } @else { p.muted { "There is none. An owner or a member of the organization can set one up." } }
    }
}

fn actions(webhook: &Webhook, visitor: &Visitor) -> Markup {
    let id = webhook.id;
    html! {
        div.card-foot {
            div.actions {
                form method="post" action={ "/webhooks/" (id) "/test" } data-swap="test-result" {
                    (shell::csrf(visitor))
                    button.button { (Icon::Send) "Send test" }
                }
                form method="post" action={ "/webhooks/" (id) (if webhook.is_enabled { "/disable" } else { "/enable" }) } {
                    (shell::csrf(visitor))
                    @if webhook.is_enabled { button.button { (Icon::Mute) "Disable" } }
                    @else { button.button { (Icon::Check) "Enable" } }
                }
                a.button.danger href={ "/webhooks/" (id) "/delete" } { "Delete" }
            }
            @if !webhook.is_enabled && webhook.disabled_reason.is_none() {
                (parts::notice(Tone::Warn, &html! { p { (given_up::consequence(webhook)) } }))
            }
        }
    }
}
