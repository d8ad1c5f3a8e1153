//! Why the history shows nothing, and what to do about it.

use maud::{Markup, html};
use preclinical_core::{
    id::{AgentId, OrganizationId},
    in_force::NOBODY_LISTENS,
    port::{DeliveryFilter, Page, Store, StoreError},
};

use super::filter::Filter;
use crate::pages::{
    door::Visitor,
    parts::{self, Icon},
};

/// The reason, the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    /// Nobody is to be told.
    NoWebhook,
    /// There are deliveries, and the filter leaves all of them out.
    NoMatch,
    /// Whoever was to be told is not, by somebody's choice.
    Muted(&'static str),
    /// Whoever is to be told was not yet.
    NoneEnded,
}

/// What the reason follows from.
struct Facts {
    has_webhook: bool,
    has_deliveries: bool,
    narrows: bool,
    /// Why nothing was ever sent of the chosen agent, if that is so and would be now.
    of_agent: Option<&'static str>,
    /// Why nothing is sent of anybody, if that is so.
    of_all: Option<&'static str>,
}

impl Facts {
    fn reason(&self) -> Nothing {
        match (self.of_agent, self.of_all) {
            _ if !self.has_webhook && !self.has_deliveries => Nothing::NoWebhook,
            (Some(why), _) => Nothing::Muted(why),
            _ if self.narrows && self.has_deliveries => Nothing::NoMatch,
            (None, Some(why)) => Nothing::Muted(why),
            (None, None) => Nothing::NoneEnded,
        }
    }
}

impl Nothing {
    /// Looks for the reason.
    pub(super) async fn look(store: &dyn Store, organization: OrganizationId, filter: &Filter) -> Result<Self, StoreError> {
        let sent_of = async |agent_id| {
            let any = DeliveryFilter { agent_id, limit: 1, ..DeliveryFilter::default() };
            Ok::<_, StoreError>(!store.deliveries(organization, any).await?.deliveries.is_empty())
        };
        let (webhooks, total) = store.webhooks(organization, None, Page { limit: LOOKED_AT, offset: 0 }).await?;
        let is_any_enabled = total > u64::from(LOOKED_AT) || webhooks.iter().any(|webhook| webhook.is_enabled);
        let of_agent = match filter.agent_id {
            Some(agent) if !sent_of(Some(agent)).await? => why_not(store, organization, agent).await?,
            _ => None,
        };
        let facts = Facts {
            has_webhook: total > 0,
            has_deliveries: sent_of(None).await?,
            narrows: filter.narrows(),
            of_agent,
            of_all: (!is_any_enabled).then_some(ALL_DISABLED),
        };
        Ok(facts.reason())
    }

    /// As part of the page.
    pub(super) fn shown(self, visitor: &Visitor, filter: &Filter) -> Markup {
        let may_change = visitor.member.role.may_change();
        match self {
            Self::NoWebhook => parts::empty(
                Icon::Hook,
                "There is no webhook yet",
                &html! { "Say where to send, and every run that ends is told there and listed here." },
                &html! { @if may_change { a.button.primary href="/settings/webhooks" { "Set up a webhook" } } },
            ),
            Self::NoMatch => parts::empty(
                Icon::Search,
                "No delivery matches",
                &html! { "There are deliveries, but none that fits every filter." },
                &html! { a.button href="/deliveries" { "Clear filters" } },
            ),
            Self::Muted(why) => parts::empty(Icon::Mute, "Nothing is sent", &html! { (why) }, &remedy(filter)),
            Self::NoneEnded => parts::empty(
                Icon::Inbox,
                "No run has ended yet",
                &html! {
                    "The webhook is ready. Send it a test from its settings, or report a run with "
                    code { "preclinical-webhooks report" } " or through the " a href="/api/docs" { "API" } "."
                },
                &html! { a.button href="/settings/webhooks" { (Icon::Send) "Go to the webhook" } },
            ),
        }
    }
}

/// Why a run of the agent would not be told if it ended now.
async fn why_not(
    store: &dyn Store,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<Option<&'static str>, StoreError> {
    let in_force = store.webhook_in_force(organization, agent).await?;
    Ok(in_force.map_or(Some(NOBODY_LISTENS), |in_force| in_force.is_muted().then(|| in_force.reason())))
}

/// How many webhooks are asked whether they are enabled.
const LOOKED_AT: u32 = 100;

const ALL_DISABLED: &str = "Every webhook is disabled, so no run that ends is told to anybody. Enable one to go on.";

fn remedy(filter: &Filter) -> Markup {
    html! {
        @if let Some(agent) = filter.agent_id { a.button href={ "/agents/" (agent) } { "Go to the agent" } }
        @else { a.button href="/settings/webhooks" { "Go to the webhooks" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_reasons_are_told_apart() {
        let facts = |has_webhook, has_deliveries, narrows, of_agent, of_all| {
            Facts { has_webhook, has_deliveries, narrows, of_agent, of_all }.reason()
        };
        let (agent, all) = (Some(NOBODY_LISTENS), Some(ALL_DISABLED));
        assert_eq!(facts(false, false, false, None, all), Nothing::NoWebhook);
        assert_eq!(facts(false, false, true, agent, all), Nothing::NoWebhook);
        assert_eq!(facts(true, false, false, None, None), Nothing::NoneEnded);
        assert_eq!(facts(true, false, true, None, None), Nothing::NoneEnded);
        assert_eq!(facts(true, true, true, None, None), Nothing::NoMatch);
        assert_eq!(facts(true, true, true, None, all), Nothing::NoMatch);
        assert_eq!(facts(true, false, false, None, all), Nothing::Muted(ALL_DISABLED));
        assert_eq!(facts(true, true, true, agent, None), Nothing::Muted(NOBODY_LISTENS));
        assert_eq!(facts(false, true, true, None, all), Nothing::NoMatch, "the webhook was deleted");
    }
}
