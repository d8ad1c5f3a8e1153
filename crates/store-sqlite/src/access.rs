//! [`Access`] on SQLite.

use async_trait::async_trait;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    organization::Organization,
    port::{Access, CreateKeyError, StoreError},
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    SqliteStore,
    row::{Id, Time, id, is_taken, time, unavailable},
};

fn find(connection: &Connection, slug: &str) -> rusqlite::Result<Option<Organization>> {
    connection
        .prepare_cached("SELECT id, slug, created_at FROM organizations WHERE slug = ?1")?
        .query_row([slug], |row| {
            Ok(Organization { id: id(row, "id")?, slug: row.get("slug")?, created_at: time(row, "created_at")? })
        })
        .optional()
}

#[async_trait]
impl Access for SqliteStore {
    async fn ensure_organization(&self, organization: Organization) -> Result<Organization, StoreError> {
        self.write(move |connection| {
            connection
                .execute(
                    "INSERT INTO organizations (id, slug, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (slug) DO NOTHING",
                    params![Id(organization.id), organization.slug, Time(organization.created_at)],
                )
                .and_then(|_| find(connection, &organization.slug))
                .map_err(unavailable)?
                .ok_or_else(|| StoreError::Corrupt("an organization vanished".into()))
        })
        .await
    }

    async fn organization(&self, slug: &str) -> Result<Option<Organization>, StoreError> {
        let slug = slug.to_owned();
        self.read(move |connection| find(connection, &slug).map_err(unavailable)).await
    }

    async fn create_key(&self, key: ApiKey) -> Result<(), CreateKeyError> {
        self.write(move |connection| {
            let inserted = connection.execute(
                "INSERT INTO api_keys (id, organization_id, name, hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![Id(key.id), Id(key.organization_id), key.name, key.hash.bytes(), Time(key.created_at)],
            );
            match inserted {
                Ok(_) => Ok(()),
                Err(error) if is_taken(&error) => Err(CreateKeyError::NameTaken),
                Err(error) => Err(unavailable(error).into()),
            }
        })
        .await
    }

    async fn key(&self, hash: ApiKeyHash) -> Result<Option<ApiKey>, StoreError> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT id, organization_id, name, created_at FROM api_keys WHERE hash = ?1")
                .and_then(|mut statement| {
                    statement
                        .query_row([hash.bytes()], |row| {
                            Ok(ApiKey {
                                id: id(row, "id")?,
                                organization_id: id(row, "organization_id")?,
                                name: row.get("name")?,
                                hash,
                                created_at: time(row, "created_at")?,
                            })
                        })
                        .optional()
                })
                .map_err(unavailable)
        })
        .await
    }
}
