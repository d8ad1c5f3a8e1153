//! Webhooks that we disabled: said wherever somebody may see it, until somebody enables or deletes them.

use maud::{Markup, html};
use preclinical_core::{
    id::{AgentId, OrganizationId, WebhookId},
    webhook::{DisabledReason, Webhook},
};

use super::{
    Place,
    replay::{self, Missed},
};
use crate::{
    app::App,
    error::ApiError,
    pages::{
        door::Visitor,
        parts::{self, Icon, Tone, time},
        shell,
    },
};

/// How many are named; the others are on the pages of their agents.
const NAMED: u32 = 5;

/// What happened to a webhook that we disabled, and what to do about it.
pub(super) fn banner(webhook: &Webhook, missed: Option<&Missed>, visitor: &Visitor) -> Markup {
    let Some(reason) = webhook.disabled_reason else { return html! {} };
    let health = &webhook.health;
    parts::notice(
        Tone::Bad,
        &html! {
            p { strong { "This webhook was disabled automatically" } }
            p {
                @match reason {
                    DisabledReason::Gone => { "Its receiver answered 410 Gone: nobody listens at that address any more." },
                    DisabledReason::Failing => {
                        "It did nothing but fail"
                        @if let Some(since) = health.failing_since { " since " (time::time(since)) }
                        ": " (health.consecutive_failures) " attempts in a row, and " (health.exhausted_deliveries)
                        " deliveries for good."
                    },
                }
            }
            p { (consequence(webhook)) }
            ol.bullets {
                li {
                    @match reason {
                        DisabledReason::Gone => "Set the address where somebody listens now.",
                        DisabledReason::Failing => "See what it answered in its deliveries, and repair the receiver or set another address.",
                    }
                }
                li { "Send a test: that works while it is disabled." }
                li { "Enable it. " (replay::afterwards(missed)) }
            }
            @if visitor.member.role.may_change() {
                form method="post" action={ "/webhooks/" (webhook.id) "/enable" } {
                    (shell::csrf(visitor))
                    button.button { (Icon::Check) "Enable it again" }
                }
            }
        },
    )
}

/// A notice of every webhook of the organization that we disabled, but for the one that the page is about.
pub(in crate::pages) async fn given_up(
    app: &App,
    organization: OrganizationId,
    but: Option<WebhookId>,
) -> Result<Markup, ApiError> {
    let mut webhooks = app.store.given_up_webhooks(organization, NAMED + 1).await?;
    webhooks.retain(|webhook| Some(webhook.id) != but);
    let has_more = webhooks.len() > NAMED as usize;
    webhooks.truncate(NAMED as usize);
    let mut named = Vec::with_capacity(webhooks.len());
    for webhook in webhooks {
        let whose = match webhook.agent_id {
            Some(id) => of_agent(app, organization, id).await?,
            None => "The organization’s webhook".to_owned(),
        };
        named.push((webhook, whose));
    }
    if named.is_empty() {
        return Ok(html! {});
    }
    Ok(parts::notice(
        Tone::Bad,
        &html! {
            p { strong { @if named.len() == 1 { "A webhook was disabled automatically" } @else { "Webhooks were disabled automatically" } } }
            ul.stack-small {
                @for (webhook, whose) in &named { li { (whose) ", because " (because(webhook)) ". " a href=(Place::of(webhook).path()) { "See what to do" } } }
            }
            @if has_more { p { "There are more. " a href="/agents" { "All agents" } } }
        },
    ))
}

async fn of_agent(app: &App, organization: OrganizationId, id: AgentId) -> Result<String, ApiError> {
    let agent = app.store.agent(organization, id).await?;
    Ok(agent.map_or_else(|| "The webhook of an agent".to_owned(), |agent| format!("The webhook of {}", agent.name)))
}

/// What it means that a webhook is disabled.
pub(super) fn consequence(webhook: &Webhook) -> &'static str {
    if webhook.agent_id.is_some() {
        "While it is disabled, nobody hears of this agent’s runs. To fall back to the organization’s webhook, delete it."
    } else {
        "While it is disabled, nobody hears of runs of agents without a webhook of their own."
    }
}

/// Ends a sentence.
fn because(webhook: &Webhook) -> &'static str {
    match webhook.disabled_reason {
        Some(DisabledReason::Gone) => "its receiver answered 410 Gone",
        Some(DisabledReason::Failing) => "it did nothing but fail",
        None => "its owner wanted it so",
    }
}
