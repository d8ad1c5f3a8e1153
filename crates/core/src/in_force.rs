//! Which webhook is in force for an agent now.

use crate::{
    choice::{Level, Ruling},
    webhook::{DisabledReason, Webhook},
};

/// The webhook that the next run of an agent would be judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct InForce {
    pub webhook: Webhook,
    pub level: Level,
    pub ruling: Ruling,
}

impl InForce {
    /// Whether nothing is sent although there is a webhook.
    pub fn is_muted(&self) -> bool {
        matches!(self.ruling, Ruling::Disabled(_))
    }

    /// Why it is this one, and what that means, in a sentence or two.
    pub fn reason(&self) -> &'static str {
        match (self.level, self.ruling) {
            (Level::Agent, Ruling::Disabled(Some(DisabledReason::Gone))) => {
                "The agent's own webhook was disabled because its receiver answered 410 Gone, and mutes this agent. \
                 To fall back to the organization's webhook, delete it."
            }
            (Level::Agent, Ruling::Disabled(Some(DisabledReason::Failing))) => {
                "The agent's own webhook was disabled because it did nothing but fail, and mutes this agent. \
                 To fall back to the organization's webhook, delete it."
            }
            (Level::Agent, Ruling::Disabled(None)) => {
                "The agent's own webhook is disabled, and mutes this agent. To fall back to the organization's webhook, delete it."
            }
            (Level::Agent, _) => "The agent has a webhook of its own, which overrides the organization's.",
            (Level::Organization, Ruling::Disabled(Some(DisabledReason::Gone))) => {
                "The agent has no webhook of its own, and the organization's was disabled because its receiver answered 410 Gone."
            }
            (Level::Organization, Ruling::Disabled(Some(DisabledReason::Failing))) => {
                "The agent has no webhook of its own, and the organization's was disabled because it did nothing but fail."
            }
            (Level::Organization, Ruling::Disabled(None)) => {
                "The agent has no webhook of its own, and the organization's is disabled."
            }
            (Level::Organization, _) => "The agent has no webhook of its own, so the organization's is in force.",
        }
    }
}

/// What is said instead when there is none.
pub const NOBODY_LISTENS: &str = "Neither the agent nor the organization has a webhook.";
