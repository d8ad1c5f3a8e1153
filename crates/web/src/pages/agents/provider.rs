//! Where agents run, in words.

use preclinical_core::agent::Provider;

/// Its name.
pub(super) const fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Vapi => "Vapi",
        Provider::Livekit => "LiveKit",
        Provider::Pipecat => "Pipecat",
        Provider::Openai => "OpenAI-compatible",
        Provider::Retell => "Retell",
        Provider::Elevenlabs => "ElevenLabs",
        Provider::Browser => "Browser",
    }
}

/// A configuration to fill in, with every field that the provider needs.
pub(super) const fn template(provider: Provider) -> &'static str {
    match provider {
        Provider::Vapi => "{\n  \"api_key\": \"\",\n  \"assistant_id\": \"\"\n}",
        Provider::Livekit => {
            "{\n  \"url\": \"wss://your-project.livekit.cloud\",\n  \"api_key\": \"\",\n  \"api_secret\": \"\"\n}"
        }
        Provider::Pipecat => "{\n  \"url\": \"https://agent.example.com/connect\"\n}",
        Provider::Openai => {
            "{\n  \"base_url\": \"https://api.openai.com/v1\",\n  \"api_key\": \"\",\n  \"target_model\": \"\"\n}"
        }
        Provider::Retell | Provider::Elevenlabs => "{\n  \"api_key\": \"\",\n  \"agent_id\": \"\"\n}",
        Provider::Browser => "{\n  \"url\": \"https://www.example.com/chat\"\n}",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn every_template_is_an_object() {
        for provider in Provider::ALL {
            assert!(serde_json::from_str::<Map<String, Value>>(template(provider)).is_ok(), "{}", provider.as_str());
        }
    }
}
