//! `/agents`

pub(crate) mod create;
pub(super) mod delete;
pub(super) mod effective_webhook;
pub(super) mod get;
pub(super) mod list;
pub(crate) mod update;
pub(super) mod validate;

pub(super) use create::create;
pub(super) use delete::delete;
pub(super) use effective_webhook::effective_webhook;
pub(super) use get::get;
pub(super) use list::list;
pub(super) use update::update;
pub(super) use validate::validate;

use preclinical_core::agent::{AgentConfig, Provider};

use crate::{error::ApiError, input::Fields, openapi::Field};

/// The provider of a body.
fn provider(body: &mut Fields) -> Result<Option<Provider>, ApiError> {
    let known = Provider::ALL.map(Provider::as_str).join(", ");
    body.choice("provider", &format!("one of {known}"), Provider::parse)
}

/// The configuration of a body.
fn config(body: &mut Fields) -> Result<Option<AgentConfig>, ApiError> {
    let config = body.object("config")?;
    config.map(|config| serde_json::to_vec(&config).map(AgentConfig).map_err(|_| ApiError::internal())).transpose()
}

fn config_field() -> Field {
    Field::object().says("How the agent is reached, such as `api_key` and `base_url`. Stored sealed, and never shown.")
}
