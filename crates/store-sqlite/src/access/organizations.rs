//! Organizations.

use preclinical_core::{
    organization::Organization,
    port::{Page, StoreError},
    slug::Slug,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::row::{Id, Time, id, named, time, unavailable};

fn read(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization {
        id: id(row, "id")?,
        slug: named(row, "slug", |text| text.parse().ok())?,
        created_at: time(row, "created_at")?,
    })
}

pub(super) fn ensure(connection: &Connection, organization: &Organization) -> Result<Organization, StoreError> {
    connection
        .execute(
            "INSERT INTO organizations (id, slug, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (slug) DO NOTHING",
            params![Id(organization.id), organization.slug.as_str(), Time(organization.created_at)],
        )
        .and_then(|_| find(connection, &organization.slug))
        .map_err(unavailable)?
        .ok_or_else(|| StoreError::Corrupt("an organization vanished".into()))
}

pub(super) fn find(connection: &Connection, slug: &Slug) -> rusqlite::Result<Option<Organization>> {
    connection.prepare_cached("SELECT * FROM organizations WHERE slug = ?1")?.query_row([slug.as_str()], read).optional()
}

pub(super) fn list(connection: &Connection, page: Page) -> rusqlite::Result<(Vec<Organization>, u64)> {
    let total = connection.query_row("SELECT count(*) FROM organizations", [], |row| row.get(0))?;
    let rows = connection
        .prepare_cached("SELECT * FROM organizations ORDER BY slug LIMIT ?1 OFFSET ?2")?
        .query_map(params![page.limit, page.offset], read)?
        .collect::<rusqlite::Result<_>>()?;
    Ok((rows, total))
}
