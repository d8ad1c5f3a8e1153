//! What becomes of what a webhook missed, once its receiver takes something again.

/// How often what fails for good is replayed by itself, each time after a recovery. A receiver that is well and refuses it all the same
/// would otherwise be asked forever.
pub const MAX_REPLAYS: u32 = 3;

/// What a webhook's owner wants to be replayed when it has recovered, without an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReplayOnRecovery {
    /// Nothing: it waits for an order.
    #[default]
    Off,
    /// Everything that it missed.
    All,
    /// Of each agent's runs the newest alone.
    NewestPerAgent,
}

impl ReplayOnRecovery {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::All, Self::NewestPerAgent];

    /// The wish on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::All => "all",
            Self::NewestPerAgent => "newest_per_agent",
        }
    }

    /// The wish of that name; `None` for every other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wish_is_known_by_its_name_and_nothing_is_replayed_unless_somebody_says_so() {
        for wish in ReplayOnRecovery::ALL {
            assert_eq!(ReplayOnRecovery::parse(wish.as_str()), Some(wish));
        }
        for unknown in ["", "OFF", "newest", "on"] {
            assert_eq!(ReplayOnRecovery::parse(unknown), None);
        }
        assert_eq!(ReplayOnRecovery::default(), ReplayOnRecovery::Off);
    }
}
