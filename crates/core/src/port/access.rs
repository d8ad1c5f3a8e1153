//! Who may do what: organizations and API keys.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    api_key::{ApiKey, ApiKeyHash},
    organization::Organization,
};

/// Organizations and keys.
#[async_trait]
pub trait Access: Send + Sync {
    /// Creates the organization unless one of its slug exists; answers the one that does.
    async fn ensure_organization(&self, organization: Organization) -> Result<Organization, StoreError>;

    /// The organization of that slug.
    async fn organization(&self, slug: &str) -> Result<Option<Organization>, StoreError>;

    /// Keeps a key, by its hash.
    async fn create_key(&self, key: ApiKey) -> Result<(), CreateKeyError>;

    /// The key with that hash.
    async fn key(&self, hash: ApiKeyHash) -> Result<Option<ApiKey>, StoreError>;
}

/// Why a key was not kept.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// A key of that organization has the name.
    #[error("a key of that name exists")]
    NameTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
