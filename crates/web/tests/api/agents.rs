//! `/agents`

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, names};

const FIELDS: [&str; 7] = ["id", "provider", "name", "description", "is_active", "created_at", "updated_at"];

#[tokio::test]
async fn an_agent_is_created_and_its_configuration_is_never_shown() {
    let app = TestApp::new().await;
    let body = json!({
        "provider": "vapi", "name": "Healthcare Assistant", "description": "Answers calls.\nDay and night.",
        "config": {"api_key": "canary-of-config", "nested": {"a": [1, null]}}, "is_active": false,
    });
    let answer = app.api.post("/agents", body).await;
    let agent = answer.is(201);
    assert_eq!(names(&agent), FIELDS);
    let id = agent["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/agents/{id}").as_str()));
    let expected = json!({
        "id": id, "provider": "vapi", "name": "Healthcare Assistant", "description": "Answers calls.\nDay and night.",
        "is_active": false, "created_at": "2026-01-30T10:30:00Z", "updated_at": "2026-01-30T10:30:00Z",
    });
    assert_eq!(agent, expected);
    assert_eq!(app.api.get(&format!("/agents/{id}")).await.is(200), expected);
    let listed = app.api.get("/agents").await.is(200);
    assert_eq!(listed, json!({"agents": [expected], "total": 1, "limit": 20, "offset": 0}));
    assert_eq!(names(&listed["agents"][0]), FIELDS);
}

#[tokio::test]
async fn an_agent_needs_no_more_than_a_provider_a_name_and_a_configuration() {
    let app = TestApp::new().await;
    for provider in ["vapi", "livekit", "pipecat", "openai", "retell", "elevenlabs", "browser"] {
        let body = json!({"provider": provider, "name": provider, "config": {}, "description": null, "is_active": null});
        let agent = app.api.post("/agents", body).await.is(201);
        assert_eq!(
            (&agent["provider"], &agent["description"], &agent["is_active"]),
            (&json!(provider), &Value::Null, &json!(true))
        );
    }
}

#[tokio::test]
async fn a_name_is_taken_once_in_an_organization() {
    let app = TestApp::new().await;
    app.api.agent("Assistant").await;
    let before = app.database.rows();
    let again = json!({"provider": "vapi", "name": "Assistant", "config": {}});
    assert!(app.api.post("/agents", again.clone()).await.refuses(409, "ALREADY_EXISTS").is_null());
    assert_eq!(app.database.rows(), before);
    app.stranger().await.post("/agents", again).await.is(201);
}

#[tokio::test]
async fn agents_are_listed_newest_first_in_pages() {
    let app = TestApp::new().await;
    for number in 0..25 {
        let provider = if number % 5 == 0 { "retell" } else { "openai" };
        let body = json!({"provider": provider, "name": format!("Agent {number}"), "config": {}});
        app.api.post("/agents", body).await.is(201);
        app.pass(1);
    }
    let page = async |query: &str| {
        let page = app.api.get(&format!("/agents{query}")).await.is(200);
        assert_eq!(names(&page), ["agents", "total", "limit", "offset"]);
        let agents = page["agents"].as_array().unwrap();
        let names: Vec<String> = agents.iter().map(|agent| agent["name"].as_str().unwrap().to_owned()).collect();
        (names, page["total"].clone(), page["limit"].clone(), page["offset"].clone())
    };
    let named = |numbers: Vec<u32>| numbers.iter().map(|number| format!("Agent {number}")).collect::<Vec<_>>();
    assert_eq!(page("").await, (named((5..25).rev().collect()), json!(25), json!(20), json!(0)));
    assert_eq!(page("?offset=20").await, (named((0..5).rev().collect()), json!(25), json!(20), json!(20)));
    assert_eq!(page("?limit=2&offset=1").await, (named(vec![23, 22]), json!(25), json!(2), json!(1)));
    assert_eq!(page("?provider=retell&limit=3").await, (named(vec![20, 15, 10]), json!(5), json!(3), json!(0)));
    assert_eq!(page("?offset=4294967295").await, (vec![], json!(25), json!(20), json!(4_294_967_295_u32)));
}

#[tokio::test]
async fn an_unknown_agent_is_missing_in_a_path_and_wrong_in_a_body() {
    let app = TestApp::new().await;
    assert!(app.api.get(&format!("/agents/{NOBODY}")).await.refuses(404, "AGENT_NOT_FOUND").is_null());
    let before = app.database.rows();
    app.api.post("/runs", json!({"agent_id": NOBODY})).await.refuses_field("AGENT_NOT_FOUND", "agent_id");
    let webhook = json!({"url": crate::app::URL, "agent_id": NOBODY});
    app.api.post("/webhooks", webhook).await.refuses_field("AGENT_NOT_FOUND", "agent_id");
    assert_eq!(app.database.rows(), before);
}
