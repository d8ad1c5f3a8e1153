//! [`Access`] on SQLite.

mod keys;
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

use crate::{SqliteStore, row::unavailable};

#[async_trait]
impl Access for SqliteStore {
    async fn ensure_organization(&self, organization: Organization) -> Result<Organization, StoreError> {
        self.write(move |connection| organizations::ensure(connection, &organization)).await
    }

    async fn organization(&self, slug: &Slug) -> Result<Option<Organization>, StoreError> {
        let slug = slug.clone();
        self.read(move |connection| organizations::find(connection, &slug).map_err(unavailable)).await
    }

    async fn organizations(&self, page: Page) -> Result<(Vec<Organization>, u64), StoreError> {
        self.read(move |connection| organizations::list(connection, page).map_err(unavailable)).await
    }

    async fn create_key(&self, key: ApiKey) -> Result<(), CreateKeyError> {
        self.write(move |connection| keys::create(connection, &key)).await
    }

    async fn key(&self, hash: ApiKeyHash, at: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        self.look_up(|connection| keys::find_in_force(connection, hash, at).map_err(unavailable))
    }

    async fn keys(&self, organization: OrganizationId, page: Page) -> Result<(Vec<ApiKey>, u64), StoreError> {
        self.read(move |connection| keys::list(connection, organization, page).map_err(unavailable)).await
    }

    async fn revoke_key(&self, organization: OrganizationId, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| keys::revoke(connection, organization, id, at).map_err(unavailable)).await
    }

    async fn note_key_use(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| keys::note_use(connection, id, at).map_err(unavailable)).await
    }
}
