//! Who may do what: organizations and API keys.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Page, StoreError};
use crate::{
    api_key::{ApiKey, ApiKeyHash},
    id::{ApiKeyId, OrganizationId},
    organization::Organization,
    slug::Slug,
};

/// Organizations and keys.
#[async_trait]
pub trait Access: Send + Sync {
    /// Creates the organization unless one of its slug exists; answers the one that does.
    async fn ensure_organization(&self, organization: Organization) -> Result<Organization, StoreError>;

    /// The organization of that slug.
    async fn organization(&self, slug: &Slug) -> Result<Option<Organization>, StoreError>;

    /// A page of the organizations, by their slugs, and how many there are in all.
    async fn organizations(&self, page: Page) -> Result<(Vec<Organization>, u64), StoreError>;

    /// Keeps a key, by its hash. Names are unique among the organization's keys that are not revoked. Under the id of one that
    /// the organization has and nobody revoked, the new one takes its place: nobody may have seen the text of that one.
    async fn create_key(&self, key: ApiKey) -> Result<(), CreateKeyError>;

    /// The key with that hash, if it is in force at that time. A revoked one is unknown to every call after the revocation.
    async fn key(&self, hash: ApiKeyHash, at: Timestamp) -> Result<Option<ApiKey>, StoreError>;

    /// A page of the keys, newest first, also those no longer in force, and how many there are in all.
    async fn keys(&self, organization: OrganizationId, page: Page) -> Result<(Vec<ApiKey>, u64), StoreError>;

    /// Revokes a key; its name is free again. One that was revoked stays as it was. `false` if there is none.
    async fn revoke_key(&self, organization: OrganizationId, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError>;

    /// Notes that a key was used. The latest time counts, in whatever order they come.
    async fn note_key_use(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError>;
}

/// Why a key was not kept.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// A key of that organization that is not revoked has the name.
    #[error("a key of that name exists")]
    NameTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
