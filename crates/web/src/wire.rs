//! What resources look like on the wire. Field names and their order are those of the documented API.

mod agent;
mod api_key;
mod decision;
mod delivery;
mod list;
mod live;
mod redelivery;
mod run;
mod test_suite;
mod webhook;

pub(crate) use agent::AgentView;
pub(crate) use api_key::ApiKeyView;
pub(crate) use decision::DecisionView;
pub(crate) use delivery::{AttemptView, DeliveryView};
pub(crate) use list::list;
pub(crate) use live::{RunEvent, ScenarioEvent};
pub(crate) use redelivery::RedeliveryJobView;
pub(crate) use run::{ResultView, RunRow, RunView};
pub(crate) use test_suite::TestSuiteView;
pub(crate) use webhook::WebhookView;
