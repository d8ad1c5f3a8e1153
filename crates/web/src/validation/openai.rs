//! An OpenAI-compatible endpoint: asks it for its list of models.

use preclinical_core::port::{ProbeAnswer, Prober};
use serde_json::{Map, Value};

use super::{Verdict, field};

const DEFAULT_BASE: &str = "https://api.openai.com/v1";

pub(super) async fn check(prober: &dyn Prober, config: &Map<String, Value>) -> Verdict {
    let base = field(config, &["base_url", "baseUrl"]).unwrap_or(DEFAULT_BASE).trim_end_matches('/');
    let key = field(config, &["api_key", "apiKey"]);
    let model = field(config, &["target_model", "targetModel", "model"]);
    let url = format!("{base}/models");
    let answer = match prober.get(&url, key).await {
        Ok(answer) => answer,
        Err(error) => {
            return Verdict::new(false, format!("the endpoint cannot be used: {}", error.message))
                .checked(&["endpoint"])
                .not_checked(&["credentials", "model", "conversation"]);
        }
    };
    // An endpoint that lists its models to anybody has not looked at the key.
    let key_matters = key.is_some()
        && answer.status == 200
        && prober.get(&url, None).await.is_ok_and(|stranger| matches!(stranger.status, 401 | 403));
    judge(&answer, key.is_some(), key_matters, model).status(answer.status)
}

fn judge(answer: &ProbeAnswer, has_key: bool, key_matters: bool, model: Option<&str>) -> Verdict {
    let refused =
        |why| Verdict::new(false, why).checked(&["endpoint", "credentials"]).not_checked(&["model", "conversation"]);
    let reached = |valid, why: String| {
        Verdict::new(valid, why).checked(&["endpoint"]).not_checked(&["credentials", "model", "conversation"])
    };
    match answer.status {
        200 => judge_models(&answer.body, key_matters, model),
        401 | 403 if has_key => refused("the endpoint refuses the API key"),
        401 | 403 => refused("the endpoint wants an API key, and the configuration has none"),
        404 | 405 => reached(true, "the endpoint answers, but lists no models".to_owned()),
        status => reached(false, format!("the endpoint answers {status}")),
    }
}

fn judge_models(body: &[u8], key_matters: bool, model: Option<&str>) -> Verdict {
    let list: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(models) = list["data"].as_array() else {
        return Verdict::new(false, "the endpoint answers, but not as an OpenAI-compatible one")
            .checked(&["endpoint"])
            .not_checked(&["credentials", "model", "conversation"]);
    };
    let verdict = match model {
        Some(model) if !models.iter().any(|listed| listed["id"] == model) => {
            Verdict::new(false, "the endpoint does not list the model of the configuration")
        }
        _ => Verdict::new(true, "the endpoint answers"),
    };
    match (key_matters, model.is_some()) {
        (true, true) => verdict.checked(&["endpoint", "credentials", "model"]).not_checked(&["conversation"]),
        (true, false) => verdict.checked(&["endpoint", "credentials"]).not_checked(&["model", "conversation"]),
        (false, true) => verdict.checked(&["endpoint", "model"]).not_checked(&["credentials", "conversation"]),
        (false, false) => verdict.checked(&["endpoint"]).not_checked(&["credentials", "model", "conversation"]),
    }
}
