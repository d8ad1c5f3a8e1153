//! Why the history shows nothing, and what to do about it.

use maud::{Markup, html};
use preclinical_core::{
    id::OrganizationId,
    in_force::{InForce, NOBODY_LISTENS},
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
    NothingEnded,
}

/// What the reason follows from.
struct Facts {
    has_webhook: bool,
    narrows: bool,
    has_deliveries: bool,
    /// Why nothing is sent now, if that is so.
    muted: Option<&'static str>,
    /// Whether nothing was ever sent of the chosen agent, and nothing would be now.
    nobody_listens: bool,
}

impl Facts {
    fn reason(&self) -> Nothing {
        match self.muted {
            _ if !self.has_webhook && !self.has_deliveries => Nothing::NoWebhook,
            Some(why) if self.nobody_listens || !self.has_deliveries => Nothing::Muted(why),
            _ if self.narrows && self.has_deliveries => Nothing::NoMatch,
            Some(why) => Nothing::Muted(why),
            None => Nothing::NothingEnded,
        }
    }
}

impl Nothing {
    /// Looks for the reason.
    pub(super) async fn look(
        store: &dyn Store,
        organization: OrganizationId,
        filter: &Filter,
    ) -> Result<Self, StoreError> {
        let any = DeliveryFilter { limit: 1, ..DeliveryFilter::default() };
        let has_deliveries = !store.deliveries(organization, any).await?.deliveries.is_empty();
        let (webhooks, total) = store.webhooks(organization, None, Page { limit: LOOKED_AT, offset: 0 }).await?;
        let mut facts = Facts {
            has_webhook: total > 0,
            narrows: filter.narrows(),
            has_deliveries,
            muted: (total <= u64::from(LOOKED_AT) && !webhooks.iter().any(|webhook| webhook.is_enabled))
                .then_some(ALL_DISABLED),
            nobody_listens: false,
        };
        if let Some(agent) = filter.agent_id {
            let in_force = store.webhook_in_force(organization, agent).await?;
            let of_agent = DeliveryFilter { agent_id: Some(agent), limit: 1, ..DeliveryFilter::default() };
            let is_new = store.deliveries(organization, of_agent).await?.deliveries.is_empty();
            facts.nobody_listens = is_new && in_force.as_ref().is_none_or(InForce::is_muted);
            facts.muted = match &in_force {
                None => Some(NOBODY_LISTENS),
                Some(in_force) => in_force.is_muted().then(|| in_force.reason()),
            };
        }
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
            Self::NothingEnded => parts::empty(
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

/// How many webhooks are asked whether they are enabled.
const LOOKED_AT: u32 = 100;

const ALL_DISABLED: &str = "Every webhook is disabled, so no run that ends is told to anybody. Enable one to go on.";

fn remedy(filter: &Filter) -> Markup {
    match filter.agent_id {
        Some(agent) => html! { a.button href={ "/agents/" (agent) } { "Go to the agent" } },
        None => html! { a.button href="/settings/webhooks" { "Go to the webhooks" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_reasons_are_told_apart() {
        let facts = |has_webhook, narrows, has_deliveries, muted, nobody_listens| {
            Facts { has_webhook, narrows, has_deliveries, muted, nobody_listens }.reason()
        };
        assert_eq!(facts(false, false, false, Some(ALL_DISABLED), false), Nothing::NoWebhook);
        assert_eq!(facts(false, true, false, Some(ALL_DISABLED), false), Nothing::NoWebhook);
        assert_eq!(facts(true, false, false, None, false), Nothing::NothingEnded);
        assert_eq!(facts(true, true, false, None, false), Nothing::NothingEnded);
        assert_eq!(facts(true, true, true, None, false), Nothing::NoMatch);
        assert_eq!(facts(true, true, true, Some(ALL_DISABLED), false), Nothing::NoMatch);
        assert_eq!(facts(true, false, false, Some(ALL_DISABLED), false), Nothing::Muted(ALL_DISABLED));
        assert_eq!(facts(true, true, true, Some(NOBODY_LISTENS), true), Nothing::Muted(NOBODY_LISTENS));
        assert_eq!(facts(false, true, true, Some(ALL_DISABLED), false), Nothing::NoMatch, "the webhook was deleted");
    }
}
