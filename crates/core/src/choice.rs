//! Which webhook hears of a run, and why the others do not.

use crate::{id::WebhookId, webhook::DisabledReason};

/// Where a webhook is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// At the agent.
    Agent,
    /// At the organization, for all agents without one of their own.
    Organization,
}

impl Level {
    /// Both, the one that overrides first.
    pub const ALL: [Self; 2] = [Self::Agent, Self::Organization];

    /// The level on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Organization => "organization",
        }
    }

    /// The level of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// What choosing needs to know of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which one it is.
    pub id: WebhookId,
    /// Whether it may be sent to.
    pub is_enabled: bool,
    /// Why it may not, if we decided that.
    pub disabled_reason: Option<DisabledReason>,
}

/// What is decided about one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It hears of the run.
    Sent,
    /// It would, but it is disabled: by us for that reason, else by its owner.
    Disabled(Option<DisabledReason>),
    /// The agent has its own.
    Overridden,
}

impl Ruling {
    /// Whether a delivery is written: what a webhook misses because we disabled it is kept for the time when it is enabled again.
    pub const fn has_delivery(self) -> bool {
        matches!(self, Self::Sent | Self::Disabled(Some(_)))
    }
}

/// What is decided about both levels; `None` where there is no webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the levels")]
pub struct Rulings {
    pub agent: Option<Ruling>,
    pub organization: Option<Ruling>,
}

/// Decides: the agent's own webhook if it has one, else the organization's, else none.
///
/// A disabled webhook of the agent still overrides, and so mutes that agent; to fall back to the organization's, delete it.
pub fn decide(agent: Option<Candidate>, organization: Option<Candidate>) -> Rulings {
    let own = |candidate: Candidate| {
        if candidate.is_enabled { Ruling::Sent } else { Ruling::Disabled(candidate.disabled_reason) }
    };
    let agent = agent.map(own);
    let organization = organization.map(|candidate| if agent.is_some() { Ruling::Overridden } else { own(candidate) });
    Rulings { agent, organization }
}

impl Rulings {
    /// The level whose webhook is in force, enabled or not.
    pub fn in_force(self) -> Option<(Level, Ruling)> {
        let agents = self.agent.map(|ruling| (Level::Agent, ruling));
        agents.or(self.organization.map(|ruling| (Level::Organization, ruling)))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{
        Ruling::{Disabled, Overridden, Sent},
        *,
    };

    #[derive(Clone, Copy)]
    enum Set {
        Missing,
        On,
        Off,
        Gone,
    }

    fn candidate(set: Set) -> Option<Candidate> {
        let (is_enabled, disabled_reason) = match set {
            Set::Missing => return None,
            Set::On => (true, None),
            Set::Off => (false, None),
            Set::Gone => (false, Some(DisabledReason::Gone)),
        };
        Some(Candidate { id: WebhookId::from_uuid(Uuid::nil()), is_enabled, disabled_reason })
    }

    #[test]
    fn every_combination_of_the_two_levels_has_its_rulings() {
        let gone = Disabled(Some(DisabledReason::Gone));
        let own = [(Set::Missing, None), (Set::On, Some(Sent)), (Set::Off, Some(Disabled(None))), (Set::Gone, Some(gone))];
        for (agent, agents) in own {
            for (organization, organizations) in own {
                let rulings = decide(candidate(agent), candidate(organization));
                assert_eq!(rulings.agent, agents, "an agent's webhook is judged by itself alone");
                let expected = if agents.is_some() { organizations.map(|_| Overridden) } else { organizations };
                assert_eq!(rulings.organization, expected, "the organization's yields to any of the agent's");
                let in_force = match (agents, organizations) {
                    (Some(ruling), _) => Some((Level::Agent, ruling)),
                    (None, Some(ruling)) => Some((Level::Organization, ruling)),
                    (None, None) => None,
                };
                assert_eq!(rulings.in_force(), in_force);
            }
        }
    }

    #[test]
    fn never_more_than_one_webhook_hears_of_a_run() {
        for agent in [Set::Missing, Set::On, Set::Off, Set::Gone] {
            for organization in [Set::Missing, Set::On, Set::Off, Set::Gone] {
                let rulings = decide(candidate(agent), candidate(organization));
                assert_ne!((rulings.agent, rulings.organization), (Some(Sent), Some(Sent)));
            }
        }
    }
}
