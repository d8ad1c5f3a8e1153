//! [`Access`] on PostgreSQL.

mod keys;
mod lookups;
mod organizations;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    id::{ApiKeyId, OrganizationId},
    organization::Organization,
    port::{Access, CreateKeyError, Page, StoreError},
    slug::Slug,
};

pub(crate) use self::lookups::{Lookups, lookups};
use crate::{PostgresStore, failure::unavailable, transaction::Turn};

#[async_trait]
impl Access for PostgresStore {
    async fn ensure_organization(&self, organization: Organization) -> Result<Organization, StoreError> {
        let new = &organization;
        self.write(Turn::Free, |transaction| Box::pin(async move { organizations::ensure(&transaction, new).await })).await
    }

    async fn organization(&self, slug: &Slug) -> Result<Option<Organization>, StoreError> {
        self.read(|transaction| Box::pin(async move { organizations::find(&transaction, slug).await })).await
    }

    async fn organizations(&self, page: Page) -> Result<(Vec<Organization>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { organizations::list(&transaction, page).await })).await
    }

    async fn create_key(&self, key: ApiKey) -> Result<(), CreateKeyError> {
        let key = &key;
        self.write(Turn::Alone(key.organization_id), |transaction| {
            Box::pin(async move { keys::create(&transaction, key).await })
        })
        .await
    }

    async fn key(&self, hash: ApiKeyHash, at: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        lookups::find_in_force(self, hash, at).await
    }

    async fn keys(&self, organization: OrganizationId, page: Page) -> Result<(Vec<ApiKey>, u64), StoreError> {
        self.read(|transaction| Box::pin(async move { keys::list(&transaction, organization, page).await })).await
    }

    async fn revoke_key(&self, organization: OrganizationId, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.write(Turn::Alone(organization), |transaction| {
            Box::pin(async move { keys::revoke(&transaction, organization, id, at).await.map_err(unavailable) })
        })
        .await
    }

    async fn note_key_use(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.write(Turn::Free, |transaction| {
            Box::pin(async move { keys::note_use(&transaction, id, at).await.map_err(unavailable) })
        })
        .await
    }
}
