//! `POST /agents/{id}/validate`

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, names};

const MODELS: &str = r#"{"object":"list","data":[{"id":"gpt-4o"},{"id":"gpt-4o-mini"}]}"#;

async fn validate(app: &TestApp, provider: &str, config: Value) -> Value {
    let agent = json!({"provider": provider, "name": app.world.now().to_string(), "config": config});
    let id = app.api.post("/agents", agent).await.id();
    app.pass(1);
    let verdict = app.api.post(&format!("/agents/{id}/validate"), json!({})).await.is(200);
    assert_eq!(names(&verdict), ["valid", "message", "details"]);
    verdict
}

#[tokio::test]
async fn an_endpoint_that_looks_at_the_key_and_lists_the_model_is_valid() {
    let app = TestApp::new().await;
    app.endpoints.open("https://llm.example.com/v1/models", Some("right"), 200, MODELS);
    app.endpoints.open("https://llm.example.com/v1/models", Some("wrong"), 401, "{}");
    app.endpoints.open("https://llm.example.com/v1/models", None, 401, "{}");
    let config = |key: &str, model: &str| json!({"base_url": "https://llm.example.com/v1/", "api_key": key, "model": model});
    assert_eq!(
        validate(&app, "openai", config("right", "gpt-4o")).await,
        json!({"valid": true, "message": "the endpoint answers", "details": {
            "checked": ["endpoint", "credentials", "model"], "not_checked": ["conversation"], "http_status": 200}})
    );
    let verdict = validate(&app, "openai", config("right", "gpt-5")).await;
    assert_eq!((&verdict["valid"], &verdict["details"]["http_status"]), (&json!(false), &json!(200)));
    let verdict = validate(&app, "openai", config("wrong", "gpt-4o")).await;
    assert_eq!((&verdict["valid"], &verdict["message"]), (&json!(false), &json!("the endpoint refuses the API key")));
    assert_eq!(verdict["details"]["http_status"], 401);
}

#[tokio::test]
async fn a_key_that_nobody_looked_at_is_not_called_checked() {
    let app = TestApp::new().await;
    for key in [Some("any"), None] {
        app.endpoints.open("http://llm.example.com/v1/models", key, 200, MODELS);
    }
    let verdict = validate(&app, "openai", json!({"baseUrl": "http://llm.example.com/v1", "apiKey": "any"})).await;
    assert_eq!(verdict["valid"], true);
    assert_eq!(verdict["details"]["not_checked"], json!(["credentials", "model", "conversation"]));
}

#[tokio::test]
async fn what_cannot_be_reached_or_is_something_else_is_invalid_and_says_why() {
    let app = TestApp::new().await;
    let at = |path: &str| json!({"base_url": format!("https://llm.example.com{path}"), "api_key": "k"});
    for (path, status, body) in [("/html", 200, "<html>"), ("/busy", 503, ""), ("/none", 404, "")] {
        app.endpoints.open(&format!("https://llm.example.com{path}/models"), Some("k"), status, body);
    }
    let verdict = validate(&app, "openai", at("/closed")).await;
    assert_eq!(verdict["message"], "the endpoint cannot be used: blocked: on purpose");
    assert_eq!((&verdict["valid"], names(&verdict["details"])), (&json!(false), vec!["checked", "not_checked"]));
    assert_eq!(validate(&app, "openai", at("/html")).await["valid"], false);
    assert_eq!(validate(&app, "openai", at("/busy")).await["valid"], false);
    let unlisted = validate(&app, "openai", at("/none")).await;
    assert_eq!(unlisted["valid"], true);
    assert_eq!(unlisted["details"]["not_checked"], json!(["credentials", "model", "conversation"]));
}

#[tokio::test]
async fn an_agent_of_another_kind_is_judged_by_its_fields_and_that_is_said() {
    let app = TestApp::new().await;
    for (provider, good) in [
        ("vapi", json!({"api_key": "k"})),
        ("livekit", json!({"url": "wss://x", "api_key": "k", "apiSecret": "s"})),
        ("pipecat", json!({"url": "http://x"})),
        ("browser", json!({"url": "https://x"})),
        ("retell", json!({"apiKey": "k", "agent_id": "a"})),
        ("elevenlabs", json!({"api_key": "k", "agentId": "a"})),
    ] {
        let verdict = validate(&app, provider, good).await;
        assert_eq!(verdict["valid"], true, "{provider}: {verdict}");
        assert_eq!(verdict["details"], json!({"checked": ["fields"], "not_checked": ["endpoint", "credentials"]}));
        let verdict = validate(&app, provider, json!({"api_key": " ", "url": 1})).await;
        assert_eq!(verdict["valid"], false, "{provider}: {verdict}");
        assert!(verdict["message"].as_str().unwrap().starts_with("the configuration lacks "), "{verdict}");
    }
}

#[tokio::test]
async fn only_an_agent_of_the_organization_is_validated() {
    let app = TestApp::new().await;
    let id = app.api.agent("Assistant").await;
    let stranger = app.stranger().await;
    for path in [format!("/agents/{id}/validate"), format!("/agents/{NOBODY}/validate"), "/agents/x/validate".to_owned()] {
        stranger.post(&path, json!({})).await.refuses(404, "AGENT_NOT_FOUND");
    }
    app.api.post(&format!("/agents/{id}/validate"), json!({"x": 1})).await.refuses_field("INVALID_FIELD_VALUE", "x");
}
