//! Versions of resources, so that a change can be refused that was made up from an older one.

/// How often a resource was set up or changed, by its owner or by us: 1 when it is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(pub u32);

impl Version {
    /// The version of what was just created.
    pub const FIRST: Self = Self(1);

    /// The version after one more change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Which versions a change is meant for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever is there.
    #[default]
    Any,
    /// One of these; none at all if there are none.
    OneOf(Vec<Version>),
}

impl Expected {
    /// Whether a resource of that version may be changed.
    pub fn allows(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}
