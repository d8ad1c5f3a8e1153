//! API keys, by the hashes of their texts.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    id::{ApiKeyId, OrganizationId},
    port::{CreateKeyError, Page, StoreError},
    scope::Scope,
};
use tokio_postgres::Row;

use crate::{
    PostgresStore, administration,
    failure::{Failure, unavailable},
    row::{Id, Time, bytes, get, id, maybe_time, named, time},
    transaction::Transaction,
};

/// Keys by their hashes.
pub(super) type Found = HashMap<[u8; 32], Result<ApiKey, StoreError>>;

fn read(row: &Row) -> Result<ApiKey, Failure> {
    Ok(ApiKey {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        name: get(row, "name")?,
        scope: named(row, "scope", Scope::parse)?,
        prefix: get(row, "prefix")?,
        hash: ApiKeyHash::from_bytes(bytes(row, "hash")?),
        created_at: time(row, "created_at")?,
        expires_at: maybe_time(row, "expires_at")?,
        last_used_at: maybe_time(row, "last_used_at")?,
        revoked_at: maybe_time(row, "revoked_at")?,
    })
}

pub(super) async fn create(transaction: &Transaction, key: &ApiKey) -> Result<(), CreateKeyError> {
    let created = insert(transaction, key).await.map_err(unavailable)?;
    if created || replace(transaction, key).await.map_err(unavailable)? { Ok(()) } else { Err(CreateKeyError::NameTaken) }
}

async fn insert(transaction: &Transaction, key: &ApiKey) -> Result<bool, Failure> {
    let sql = "INSERT INTO api_keys (id, organization_id, name, scope, prefix, hash, created_at, expires_at, last_used_at, revoked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let hash: &[u8] = key.hash.bytes();
    let inserted = transaction
        .run(
            sql,
            &[
                &Id(key.id),
                &Id(key.organization_id),
                &key.name,
                &key.scope.as_str(),
                &key.prefix,
                &hash,
                &Time(key.created_at),
                &key.expires_at.map(Time),
                &key.last_used_at.map(Time),
                &key.revoked_at.map(Time),
            ],
        )
        .await?;
    Ok(inserted > 0)
}

/// Puts the key in the place of the one of its id and name, if there is one that is not revoked.
async fn replace(transaction: &Transaction, key: &ApiKey) -> Result<bool, Failure> {
    let sql = "UPDATE api_keys SET scope = $4, prefix = $5, hash = $6, created_at = $7, expires_at = $8 \
         WHERE id = $1 AND organization_id = $2 AND name = $3 AND revoked_at IS NULL";
    let hash: &[u8] = key.hash.bytes();
    let replaced = transaction
        .run(
            sql,
            &[
                &Id(key.id),
                &Id(key.organization_id),
                &key.name,
                &key.scope.as_str(),
                &key.prefix,
                &hash,
                &Time(key.created_at),
                &key.expires_at.map(Time),
            ],
        )
        .await?;
    Ok(replaced > 0)
}

/// Those of these hashes that there are, in force or not; an error for each that cannot be read.
pub(super) async fn find(store: &PostgresStore, hashes: BTreeSet<[u8; 32]>) -> Result<Found, StoreError> {
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
    let rows = store.glance_at("SELECT * FROM api_keys WHERE hash = ANY($1)", &[&hashes]).await?;
    let key = |row: &Row| Ok((bytes(row, "hash").map_err(unavailable)?, read(row).map_err(unavailable)));
    rows.iter().map(key).collect()
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    page: Page,
) -> Result<(Vec<ApiKey>, u64), Failure> {
    administration::page(transaction, "api_keys", "true", &[&Id(organization)], page, read).await
}

pub(super) async fn revoke(
    transaction: &Transaction,
    organization: OrganizationId,
    key: ApiKeyId,
    at: Timestamp,
) -> Result<bool, Failure> {
    let sql = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND organization_id = $2";
    let known = transaction.run(sql, &[&Id(key), &Id(organization), &Time(at)]).await?;
    Ok(known > 0)
}

pub(super) async fn note_use(transaction: &Transaction, key: ApiKeyId, at: Timestamp) -> Result<(), Failure> {
    let later = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    transaction.run(later, &[&Id(key), &Time(at)]).await.map(drop)
}
