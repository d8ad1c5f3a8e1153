//! Test suites: named sets of scenarios that a run may be of. The scenarios themselves are the runner's.

use jiff::Timestamp;

use crate::id::{OrganizationId, TestSuiteId};

/// A test suite.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the documented ones of the API")]
pub struct TestSuite {
    pub id: TestSuiteId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub description: Option<String>,
    pub scenario_count: u32,
    pub created_at: Timestamp,
}
