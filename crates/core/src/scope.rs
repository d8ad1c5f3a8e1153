//! What a key may do, and what a call asks of it.

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read everything but keys.
    Read,
    /// What a runner does: find its agent, create runs, report results, end runs.
    Report,
    /// Everything.
    Write,
}

impl Scope {
    /// All scopes, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Report, Self::Write];

    /// The scope's name, in the store and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Report => "report",
            Self::Write => "write",
        }
    }

    /// The scope of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// Whether a key of this scope may make such a call.
    pub const fn permits(self, need: Need) -> bool {
        match need {
            Need::Read => matches!(self, Self::Read | Self::Write),
            Need::FollowRuns => true,
            Need::Report => matches!(self, Self::Report | Self::Write),
            Need::Write => matches!(self, Self::Write),
        }
    }
}

/// What a call asks of the scope of its caller's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It reads.
    Read,
    /// It reads what a runner has to know, too.
    FollowRuns,
    /// It does a runner's work.
    Report,
    /// It changes what is set up, or says who has keys.
    Write,
}

impl Need {
    /// The narrowest scope that is enough.
    pub const fn least(self) -> Scope {
        match self {
            Self::Read | Self::FollowRuns => Scope::Read,
            Self::Report => Scope::Report,
            Self::Write => Scope::Write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_permits_what_its_name_says() {
        let permitted = |need: Need| Scope::ALL.map(|scope| scope.permits(need));
        assert_eq!(permitted(Need::Read), [true, false, true]);
        assert_eq!(permitted(Need::FollowRuns), [true, true, true]);
        assert_eq!(permitted(Need::Report), [false, true, true]);
        assert_eq!(permitted(Need::Write), [false, false, true]);
        for need in [Need::Read, Need::FollowRuns, Need::Report, Need::Write] {
            assert!(need.least().permits(need));
        }
    }

    #[test]
    fn a_scope_is_read_by_its_name_alone() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        assert_eq!((Scope::parse("Write"), Scope::parse("admin"), Scope::parse("")), (None, None, None));
    }
}
