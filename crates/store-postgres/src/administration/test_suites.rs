//! Test suites.

use preclinical_core::{
    id::{OrganizationId, TestSuiteId},
    port::{Page, StoreError},
    test_suite::TestSuite,
};
use tokio_postgres::Row;

use crate::{
    failure::{Failure, unavailable},
    row::{Id, Time, get, id, number, time},
    transaction::Transaction,
};

fn read(row: &Row) -> Result<TestSuite, Failure> {
    Ok(TestSuite {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        name: get(row, "name")?,
        description: get(row, "description")?,
        scenario_count: number(row, "scenario_count")?,
        created_at: time(row, "created_at")?,
    })
}

pub(super) async fn create(transaction: &Transaction, suite: &TestSuite) -> Result<TestSuite, StoreError> {
    if insert(transaction, suite).await.map_err(unavailable)? {
        return Ok(suite.clone());
    }
    let repeated = find(transaction, suite.organization_id, suite.id).await.map_err(unavailable)?;
    repeated.ok_or_else(|| StoreError::Unavailable("another test suite has the id".to_owned()))
}

async fn insert(transaction: &Transaction, suite: &TestSuite) -> Result<bool, Failure> {
    let sql = "INSERT INTO test_suites (id, organization_id, name, description, scenario_count, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let inserted = transaction
        .run(
            sql,
            &[
                &Id(suite.id),
                &Id(suite.organization_id),
                &suite.name,
                &suite.description,
                &i64::from(suite.scenario_count),
                &Time(suite.created_at),
            ],
        )
        .await?;
    Ok(inserted > 0)
}

async fn find(
    transaction: &Transaction,
    organization: OrganizationId,
    suite: TestSuiteId,
) -> Result<Option<TestSuite>, Failure> {
    let sql = "SELECT * FROM test_suites WHERE id = $1 AND organization_id = $2";
    let row = transaction.row(sql, &[&Id(suite), &Id(organization)]).await?;
    row.as_ref().map(read).transpose()
}

/// Whether the organization has that test suite.
pub(crate) async fn exists(
    transaction: &Transaction,
    organization: OrganizationId,
    suite: TestSuiteId,
) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM test_suites WHERE id = $1 AND organization_id = $2";
    Ok(transaction.row(sql, &[&Id(suite), &Id(organization)]).await?.is_some())
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    page: Page,
) -> Result<(Vec<TestSuite>, u64), Failure> {
    super::page(transaction, "test_suites", "true", &[&Id(organization)], page, read).await
}
