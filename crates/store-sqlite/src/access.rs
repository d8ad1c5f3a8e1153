//! [`Access`] on SQLite.

mod keys;
mod known_keys;
mod organizations;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    id::{ApiKeyId, OrganizationId},
    organization::Organization,
    port::{Access, CreateKeyError, Page, StoreError},
    slug::Slug,
};

use self::keys::Created;
pub(crate) use self::known_keys::KnownKeys;
use crate::{SqliteStore, row::unavailable};

impl SqliteStore {
    /// A server that this process stands beside may have looked a key up just before it was changed.
    async fn until_no_other_process_knows_it(&self) {
        if self.exclusive.is_none() {
            tokio::time::sleep(known_keys::KNOWN_FOR).await;
        }
    }
}

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
        let known_keys = Arc::clone(&self.known_keys);
        let created = self.write(move |connection| {
            known_keys.note_change();
            keys::create(connection, &key)
        });
        if created.await? == Created::InPlaceOfAnother {
            self.until_no_other_process_knows_it().await;
        }
        Ok(())
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
        let known_keys = Arc::clone(&self.known_keys);
        let revoked = self.write(move |connection| {
            known_keys.note_change();
            keys::revoke(connection, organization, id, at).map_err(unavailable)
        });
        let revoked = revoked.await?;
        self.until_no_other_process_knows_it().await;
        Ok(revoked)
    }

    async fn note_key_use(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |connection| keys::note_use(connection, id, at).map_err(unavailable)).await
    }
}
