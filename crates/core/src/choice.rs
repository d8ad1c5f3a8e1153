//! Which webhook hears of a run.

use crate::id::WebhookId;

/// What choosing needs to know of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which one it is.
    pub id: WebhookId,
    /// Whether it may be sent to.
    pub is_enabled: bool,
}

/// The webhook to send to: the agent's own if it has one, else the organization's, else none.
///
/// A disabled webhook of the agent still overrides, and so mutes that agent; to fall back to the organization's, delete it.
pub fn choose(agents: Option<Candidate>, organizations: Option<Candidate>) -> Option<WebhookId> {
    let in_force = agents.or(organizations)?;
    in_force.is_enabled.then_some(in_force.id)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn candidate(id: u128, is_enabled: bool) -> Candidate {
        Candidate { id: WebhookId::from_uuid(Uuid::from_u128(id)), is_enabled }
    }

    #[test]
    fn every_combination_of_the_two_levels_has_its_outcome() {
        let (agents, organizations) = (1, 2);
        let chosen = |a: Option<bool>, o: Option<bool>| {
            choose(a.map(|on| candidate(agents, on)), o.map(|on| candidate(organizations, on))).map(|id| id.uuid().as_u128())
        };
        assert_eq!(chosen(Some(true), Some(true)), Some(agents), "the agent's overrides");
        assert_eq!(chosen(Some(true), Some(false)), Some(agents));
        assert_eq!(chosen(Some(true), None), Some(agents));
        assert_eq!(chosen(Some(false), Some(true)), None, "a disabled one of the agent mutes");
        assert_eq!(chosen(Some(false), Some(false)), None);
        assert_eq!(chosen(Some(false), None), None);
        assert_eq!(chosen(None, Some(true)), Some(organizations));
        assert_eq!(chosen(None, Some(false)), None);
        assert_eq!(chosen(None, None), None);
    }
}
