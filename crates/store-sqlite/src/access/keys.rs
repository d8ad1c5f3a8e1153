//! API keys, by the hashes of their texts.

use jiff::Timestamp;
use preclinical_core::{
    api_key::{ApiKey, ApiKeyHash},
    id::{ApiKeyId, OrganizationId},
    port::{CreateKeyError, Page},
    scope::Scope,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    administration,
    row::{Columns, Id, Time, is_taken, unavailable},
};

/// A row of all columns.
fn read(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let mut columns = Columns::of(row);
    Ok(ApiKey {
        id: columns.id()?,
        organization_id: columns.id()?,
        name: columns.value()?,
        scope: columns.named(Scope::parse)?,
        prefix: columns.value()?,
        hash: ApiKeyHash::from_bytes(columns.value()?),
        created_at: columns.time()?,
        expires_at: columns.maybe_time()?,
        last_used_at: columns.maybe_time()?,
        revoked_at: columns.maybe_time()?,
    })
}

/// Where a key was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    Anew,
    InPlaceOfAnother,
}

pub(super) fn create(connection: &Connection, key: &ApiKey) -> Result<Created, CreateKeyError> {
    let inserted = connection.execute(
        "INSERT INTO api_keys (id, organization_id, name, scope, prefix, hash, created_at, expires_at, last_used_at, revoked_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            Id(key.id),
            Id(key.organization_id),
            key.name,
            key.scope.as_str(),
            key.prefix,
            key.hash.bytes(),
            Time(key.created_at),
            key.expires_at.map(Time),
            key.last_used_at.map(Time),
            key.revoked_at.map(Time),
        ],
    );
    match inserted {
        Ok(_) => Ok(Created::Anew),
        Err(error) if is_taken(&error) => {
            let replaced = replace(connection, key).map_err(unavailable)?;
            if replaced { Ok(Created::InPlaceOfAnother) } else { Err(CreateKeyError::NameTaken) }
        }
        Err(error) => Err(unavailable(error).into()),
    }
}

/// Puts the key in the place of the one of its id and name, if there is one that is not revoked.
fn replace(connection: &Connection, key: &ApiKey) -> rusqlite::Result<bool> {
    let replaced = connection.execute(
        "UPDATE api_keys SET scope = ?4, prefix = ?5, hash = ?6, created_at = ?7, expires_at = ?8 \
         WHERE id = ?1 AND organization_id = ?2 AND name = ?3 AND revoked_at IS NULL",
        params![
            Id(key.id),
            Id(key.organization_id),
            key.name,
            key.scope.as_str(),
            key.prefix,
            key.hash.bytes(),
            Time(key.created_at),
            key.expires_at.map(Time),
        ],
    )?;
    Ok(replaced > 0)
}

pub(super) fn find(connection: &Connection, hash: ApiKeyHash) -> rusqlite::Result<Option<ApiKey>> {
    connection.prepare_cached("SELECT * FROM api_keys WHERE hash = ?1")?.query_row([hash.bytes()], read).optional()
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    page: Page,
) -> rusqlite::Result<(Vec<ApiKey>, u64)> {
    administration::page(connection, "api_keys", "true", &[(":organization", &Id(organization))], page, read)
}

pub(super) fn revoke(
    connection: &Connection,
    organization: OrganizationId,
    id: ApiKeyId,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let known = connection.execute(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?3) WHERE id = ?1 AND organization_id = ?2",
        params![Id(id), Id(organization), Time(at)],
    )?;
    Ok(known > 0)
}

pub(super) fn note_use(connection: &Connection, id: ApiKeyId, at: Timestamp) -> rusqlite::Result<()> {
    let later = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
    connection.execute(later, params![Id(id), Time(at)]).map(drop)
}
