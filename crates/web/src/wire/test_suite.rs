//! Test suites on the wire.

use jiff::Timestamp;
use preclinical_core::{id::TestSuiteId, test_suite::TestSuite, wire_time};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct TestSuiteView<'a> {
    id: TestSuiteId,
    name: &'a str,
    description: Option<&'a str>,
    scenario_count: u32,
    #[serde(serialize_with = "wire_time::serialize")]
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
