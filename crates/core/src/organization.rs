//! Organizations: the tenants. Everything else belongs to exactly one of them.

use jiff::Timestamp;

use crate::{id::OrganizationId, slug::Slug};

/// The organization that the first start creates.
pub const DEFAULT_SLUG: &str = "default";

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its short name for the command line, unique in the installation.
    pub slug: Slug,
    /// When it was created.
    pub created_at: Timestamp,
}
