//! Organizations and API keys.

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    id::{ApiKeyId, OrganizationId},
    organization::Organization,
    port::{Access, CreateKeyError, Page, StoreError},
    slug::Slug,
};

use super::{Ledger, OrganizationRow, ReferenceStore, page};

impl Ledger {
    fn organization(&self, slug: &Slug) -> Option<Organization> {
        let mut rows = self.organizations.values().map(|row| &row.organization);
        rows.find(|organization| organization.slug == *slug).cloned()
    }

    fn create_key(&mut self, key: ApiKey) -> Result<(), CreateKeyError> {
        let in_use = |known: &&ApiKey| known.organization_id == key.organization_id && known.revoked_at.is_none();
        match self.keys.values().filter(in_use).find(|known| known.name == key.name) {
            Some(known) if known.id != key.id => Err(CreateKeyError::NameTaken),
            None if self.keys.contains_key(&key.id) => Err(CreateKeyError::NameTaken),
            _ => {
                self.keys.insert(key.id, key);
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Access for ReferenceStore {
    async fn ensure_organization(&self, organization: Organization) -> Result<Organization, StoreError> {
        Ok(self.write(|ledger| {
            ledger.organization(&organization.slug).unwrap_or_else(|| {
                let row = OrganizationRow { organization: organization.clone(), last_run: 0, last_change: 0 };
                ledger.organizations.insert(organization.id, row);
                organization
            })
        }))
    }

    async fn organization(&self, slug: &Slug) -> Result<Option<Organization>, StoreError> {
        Ok(self.read(|ledger| ledger.organization(slug)))
    }

    async fn organizations(&self, wanted: Page) -> Result<(Vec<Organization>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let mut rows: Vec<_> = ledger.organizations.values().map(|row| row.organization.clone()).collect();
            rows.sort_by(|one, other| one.slug.cmp(&other.slug));
            page(rows, wanted)
        }))
    }

    async fn create_key(&self, key: ApiKey) -> Result<(), CreateKeyError> {
        self.write(|ledger| ledger.create_key(key))
    }

    async fn key(&self, hash: ApiKeyHash, at: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.read(|ledger| ledger.keys.values().find(|key| key.hash == hash && key.is_in_force(at)).cloned()))
    }

    async fn keys(&self, organization: OrganizationId, wanted: Page) -> Result<(Vec<ApiKey>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let mut rows: Vec<_> = ledger.keys.values().filter(|key| key.organization_id == organization).cloned().collect();
            rows.sort_by_key(|key| std::cmp::Reverse((key.created_at, key.id)));
            page(rows, wanted)
        }))
    }

    async fn revoke_key(&self, organization: OrganizationId, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.write(|ledger| {
            let key = ledger.keys.get_mut(&id).filter(|key| key.organization_id == organization);
            key.map(|key| key.revoked_at.get_or_insert(at)).is_some()
        }))
    }

    async fn note_key_use(&self, id: ApiKeyId, at: Timestamp) -> Result<(), StoreError> {
        self.write(|ledger| {
            if let Some(key) = ledger.keys.get_mut(&id) {
                key.last_used_at = key.last_used_at.max(Some(at));
            }
        });
        Ok(())
    }
}
