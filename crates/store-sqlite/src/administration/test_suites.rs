//! Test suites.

use preclinical_core::{
    id::{OrganizationId, TestSuiteId},
    port::Page,
    test_suite::TestSuite,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::row::{Id, Time, id, is_taken, time};

fn read(row: &Row<'_>) -> rusqlite::Result<TestSuite> {
    Ok(TestSuite {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        scenario_count: row.get("scenario_count")?,
        created_at: time(row, "created_at")?,
    })
}

pub(super) fn create(connection: &Connection, suite: TestSuite) -> rusqlite::Result<TestSuite> {
    let inserted = connection.execute(
        "INSERT INTO test_suites (id, organization_id, name, description, scenario_count, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            Id(suite.id),
            Id(suite.organization_id),
            suite.name,
            suite.description,
            suite.scenario_count,
            Time(suite.created_at),
        ],
    );
    match inserted {
        Ok(_) => Ok(suite),
        Err(error) if is_taken(&error) => find(connection, suite.organization_id, suite.id)?.ok_or(error),
        Err(error) => Err(error),
    }
}

pub(super) fn find(
    connection: &Connection,
    organization: OrganizationId,
    id: TestSuiteId,
) -> rusqlite::Result<Option<TestSuite>> {
    connection
        .prepare_cached("SELECT * FROM test_suites WHERE id = ?1 AND organization_id = ?2")?
        .query_row(params![Id(id), Id(organization)], read)
        .optional()
}

/// Whether the organization has that test suite.
pub(crate) fn exists(connection: &Connection, organization: OrganizationId, id: TestSuiteId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM test_suites WHERE id = ?1 AND organization_id = ?2")?
        .exists(params![Id(id), Id(organization)])
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    page: Page,
) -> rusqlite::Result<(Vec<TestSuite>, u64)> {
    super::page(connection, "test_suites", "true", &[(":organization", &Id(organization))], page, read)
}
