//! Whether an agent's configuration can work: what is in it, and for an OpenAI-compatible endpoint, what it answers.

mod openai;

use preclinical_core::{
    agent::{AgentConfig, Provider},
    port::Prober,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::openapi::HttpStatus;

/// What was found. A check that was not made is not a check that was passed: it is listed as such.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentValidation")]
pub(crate) struct Verdict {
    pub(crate) valid: bool,
    /// The reason, in a sentence.
    pub(crate) message: String,
    pub(crate) details: Checks,
}

/// What was looked at.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(rename = "AgentChecks")]
pub(crate) struct Checks {
    pub(crate) checked: Vec<&'static str>,
    pub(crate) not_checked: Vec<&'static str>,
    /// What the endpoint answered, if it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "HttpStatus")]
    pub(crate) http_status: Option<u16>,
}

impl Verdict {
    fn new(valid: bool, message: impl Into<String>) -> Self {
        Self { valid, message: message.into(), details: Checks::default() }
    }

    fn checked(mut self, checked: &[&'static str]) -> Self {
        self.details.checked = checked.to_vec();
        self
    }

    fn not_checked(mut self, not_checked: &[&'static str]) -> Self {
        self.details.not_checked = not_checked.to_vec();
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.details.http_status = Some(status);
        self
    }
}

/// Checks what can be checked from here.
pub(crate) async fn of(prober: &dyn Prober, provider: Provider, config: &AgentConfig) -> Verdict {
    let Ok(config) = serde_json::from_slice::<Map<String, Value>>(&config.0) else {
        return Verdict::new(false, "the configuration is not a JSON object");
    };
    match provider {
        Provider::Openai => openai::check(prober, &config).await,
        _ => by_its_fields(provider, &config),
    }
}

/// Spoken agents are reached through their providers' own protocols, which this server does not speak.
fn by_its_fields(provider: Provider, config: &Map<String, Value>) -> Verdict {
    let missing: Vec<&str> =
        needed(provider).iter().filter(|names| field(config, names).is_none()).map(|names| names[0]).collect();
    let name = provider.as_str();
    let verdict = if missing.is_empty() {
        Verdict::new(true, format!("the configuration has the fields that {name} needs; the agent itself was not called"))
    } else {
        Verdict::new(false, format!("the configuration lacks {}", missing.join(", ")))
    };
    verdict.checked(&["fields"]).not_checked(&["endpoint", "credentials"])
}

/// The fields that a provider cannot do without, each with its other spellings.
fn needed(provider: Provider) -> &'static [&'static [&'static str]] {
    const KEY: &[&str] = &["api_key", "apiKey"];
    match provider {
        Provider::Openai => &[],
        Provider::Vapi => &[KEY],
        Provider::Livekit => &[&["url"], KEY, &["api_secret", "apiSecret"]],
        Provider::Pipecat | Provider::Browser => &[&["url"]],
        Provider::Retell | Provider::Elevenlabs => &[KEY, &["agent_id", "agentId"]],
    }
}

/// The first of these fields that holds a text.
fn field<'a>(config: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().filter_map(|name| config.get(*name)?.as_str()).find(|text| !text.trim().is_empty())
}
