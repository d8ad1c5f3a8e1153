//! [`Access`] on SQLite.

mod keys;
mod known_keys;
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

pub(crate) use self::known_keys::KnownKeys;
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
        let created = self.write(move |connection| keys::create(connection, &key)).await;
        self.known_keys.forget();
        created
    }

    async fn key(&self, hash: ApiKeyHash, at: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let look_up = || self.look_up(|connection| keys::find(connection, hash).map_err(unavailable));
        let key = self.known_keys.get(hash, at, look_up)?;
        Ok(key.filter(|key| key.is_in_force(at)))
    }

    async fn keys(&self, organization: OrganizationId, page: Page) -> Result<(Vec<ApiKey>, u64), StoreError> {
        self.read(move |connection| keys::list(connection, organization, page).map_err(unavailable)).await
    }

    async fn revoke_key(&self, organization: OrganizationId, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError> {
        let revoked =
            self.write(move |connection| keys::revoke(connection, organization, id, at).map_err(unavailable)).await;
        self.known_keys.forget();
        revoked
    }

    async fn note_key_use(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| keys::note_use(connection, id, at).map_err(unavailable)).await
    }
}
