//! [`Administration`](preclinical_core::port::Administration) on PostgreSQL.

use preclinical_core::id::{AgentId, OrganizationId, TestSuiteId};

use crate::{failure::Failure, row::Id, transaction::Transaction};

/// Whether the organization has that agent.
pub(crate) async fn agent_exists(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM agents WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL";
    Ok(transaction.row(sql, &[&Id(agent), &Id(organization)]).await?.is_some())
}

/// Whether the organization has that test suite.
pub(crate) async fn test_suite_exists(
    transaction: &Transaction,
    organization: OrganizationId,
    suite: TestSuiteId,
) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM test_suites WHERE id = $1 AND organization_id = $2";
    Ok(transaction.row(sql, &[&Id(suite), &Id(organization)]).await?.is_some())
}
