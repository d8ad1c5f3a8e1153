//! Test suites on the wire.

use jiff::Timestamp;
use preclinical_core::{id::TestSuiteId, test_suite::TestSuite, wire_time};
use schemars::JsonSchema;
use serde::Serialize;

use crate::openapi::{DateTime, Uuid};

/// A test suite.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TestSuite")]
pub(crate) struct TestSuiteView<'a> {
    #[schemars(with = "Uuid")]
    id: TestSuiteId,
    name: &'a str,
    description: Option<&'a str>,
    scenario_count: u32,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
}

impl<'a> From<&'a TestSuite> for TestSuiteView<'a> {
    fn from(suite: &'a TestSuite) -> Self {
        Self {
            id: suite.id,
            name: &suite.name,
            description: suite.description.as_deref(),
            scenario_count: suite.scenario_count,
            created_at: suite.created_at,
        }
    }
}
