//! `/webhooks`

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL, names};

const FIELDS: [&str; 13] = [
    "id",
    "url",
    "description",
    "agent_id",
    "is_enabled",
    "disabled_reason",
    "last_triggered_at",
    "consecutive_failures",
    "health",
    "created_at",
    "updated_at",
    "headers",
    "replay_on_recovery",
];

#[tokio::test]
async fn a_webhook_is_created_and_its_secret_is_never_shown() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let body =
        json!({"url": URL, "secret": "canary-of-secret", "description": "Pages us", "agent_id": agent, "is_enabled": false});
    let answer = app.api.post("/webhooks", body).await;
    let webhook = answer.is(201);
    assert_eq!(names(&webhook), FIELDS);
    let id = webhook["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/webhooks/{id}").as_str()));
    let health = json!({
        "status": "disabled", "last_success_at": null, "failing_since": null, "consecutive_failures": 0, "exhausted_deliveries": 0,
        "missed_since": null,
    });
    let expected = json!({
        "id": id, "url": URL, "description": "Pages us", "agent_id": agent, "is_enabled": false, "disabled_reason": null,
        "last_triggered_at": null, "consecutive_failures": 0, "health": health, "created_at": "2026-01-30T10:30:00Z", "updated_at": "2026-01-30T10:30:00Z",
        "headers": {}, "replay_on_recovery": "off",
    });
    assert_eq!(webhook, expected);
    assert_eq!(app.api.get(&format!("/webhooks/{id}")).await.is(200), expected);
    let listed = app.api.get("/webhooks").await.is(200);
    assert_eq!(listed, json!({"webhooks": [expected], "total": 1, "limit": 20, "offset": 0}));
    assert_eq!(names(&listed), ["webhooks", "total", "limit", "offset"]);
    assert_eq!(names(&listed["webhooks"][0]), FIELDS);
}

#[tokio::test]
async fn a_webhook_needs_no_more_than_a_url() {
    let app = TestApp::new().await;
    let webhook = app.api.post("/webhooks", json!({"url": "https://example.com"})).await.is(201);
    assert_eq!(webhook["url"], "https://example.com/");
    assert_eq!((&webhook["agent_id"], &webhook["description"]), (&Value::Null, &Value::Null));
    assert_eq!(webhook["is_enabled"], true);
}

#[tokio::test]
async fn each_level_has_one_webhook() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    app.api.webhook(URL, None).await;
    app.api.webhook(URL, Some(&agent)).await;
    let before = app.database.rows();
    for agent in [Value::Null, json!(agent)] {
        let answer = app.api.post("/webhooks", json!({"url": "https://other.example.com", "agent_id": agent})).await;
        assert!(answer.refuses(409, "ALREADY_EXISTS").is_null());
    }
    assert_eq!(app.database.rows(), before);
    app.stranger().await.post("/webhooks", json!({"url": URL})).await.is(201);
}

#[tokio::test]
async fn webhooks_are_listed_newest_first_and_by_agent() {
    let app = TestApp::new().await;
    let mut ids = vec![app.api.webhook(URL, None).await];
    let mut agents = Vec::new();
    for number in 0..24 {
        app.pass(1);
        agents.push(app.api.agent(&format!("Agent {number}")).await);
        ids.push(app.api.webhook(URL, agents.last().map(String::as_str)).await);
    }
    ids.reverse();
    let page = async |query: &str| {
        let page = app.api.get(&format!("/webhooks{query}")).await.is(200);
        let webhooks = page["webhooks"].as_array().unwrap();
        let ids: Vec<String> = webhooks.iter().map(|webhook| webhook["id"].as_str().unwrap().to_owned()).collect();
        (ids, page["total"].as_u64().unwrap())
    };
    assert_eq!(page("").await, (ids[..20].to_vec(), 25));
    assert_eq!(page("?limit=100").await, (ids.clone(), 25));
    assert_eq!(page("?offset=22&limit=2").await, (ids[22..24].to_vec(), 25));
    assert_eq!(page(&format!("?agent_id={}", agents[23])).await, (ids[..1].to_vec(), 1));
}

#[tokio::test]
async fn a_change_touches_only_the_fields_that_are_present() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let body = json!({"url": URL, "secret": "first-secret", "description": "Pages us", "agent_id": agent});
    let created = app.api.post("/webhooks", body).await.is(201);
    let id = created["id"].as_str().unwrap();
    let path = format!("/webhooks/{id}");
    let mut expected = created.clone();
    let changes = [
        (json!({}), None),
        (json!({"url": null, "is_enabled": null}), None),
        (json!({"url": "https://other.example.com/"}), Some(("url", json!("https://other.example.com/")))),
        (json!({"is_enabled": false}), Some(("is_enabled", json!(false)))),
        (json!({"description": "Nobody\nlistens"}), Some(("description", json!("Nobody\nlistens")))),
        (json!({"replay_on_recovery": "newest_per_agent"}), Some(("replay_on_recovery", json!("newest_per_agent")))),
        (json!({"description": null}), Some(("description", Value::Null))),
        (json!({"replay_on_recovery": null}), None),
        (json!({"secret": "second-secret"}), None),
        (json!({"is_enabled": true}), Some(("is_enabled", json!(true)))),
    ];
    for (change, effect) in changes {
        app.pass(60);
        let answered = app.api.put(&path, change).await.is(200);
        if let Some((field, value)) = effect {
            expected[field] = value;
        }
        expected["health"]["status"] = json!(if expected["is_enabled"] == true { "healthy" } else { "disabled" });
        expected["updated_at"] = json!(app.world.now().to_string());
        assert_eq!(answered, expected);
        assert_eq!(names(&answered), FIELDS);
        assert_eq!(app.api.get(&path).await.is(200), expected);
    }
}

#[tokio::test]
async fn a_changed_or_removed_secret_signs_the_next_delivery() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let path = format!("/webhooks/{}", app.api.webhook(URL, None).await);
    let changes = [
        (json!({}), vec!["canary-of-secret"]),
        (json!({"secret": "second"}), vec!["second"]),
        (json!({"url": "https://other.example.com/"}), vec!["second"]),
        (json!({"secret": null}), vec![]),
    ];
    for (change, expected) in changes {
        app.api.put(&path, change).await.is(200);
        app.api.delivered(&agent).await;
        let claimed = app.handoff.sent().pop().unwrap();
        let secrets: Vec<&str> = claimed.secrets.iter().map(preclinical_core::secret::SigningSecret::expose).collect();
        assert_eq!(secrets, expected);
    }
    assert_eq!(app.handoff.sent().pop().unwrap().url, "https://other.example.com/");
}

#[tokio::test]
async fn a_deleted_webhook_is_gone_and_its_level_is_free_again() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let id = app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    let answer = app.api.delete(&format!("/webhooks/{id}")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
    assert!(app.api.get(&format!("/webhooks/{id}")).await.refuses(404, "NOT_FOUND").is_null());
    app.api.put(&format!("/webhooks/{id}"), json!({})).await.refuses(404, "NOT_FOUND");
    app.api.delete(&format!("/webhooks/{id}")).await.refuses(404, "NOT_FOUND");
    app.api.get(&format!("/webhooks/{id}/deliveries")).await.refuses(404, "NOT_FOUND");
    let kept = app.api.get(&format!("/webhooks/deliveries/{delivery}")).await.is(200);
    assert_eq!((&kept["status"], &kept["webhook_id"]), (&json!("canceled"), &json!(id)));
    app.api.webhook(URL, None).await;
}

#[tokio::test]
async fn a_missing_webhook_is_not_found() {
    let app = TestApp::new().await;
    app.api.get(&format!("/webhooks/{NOBODY}")).await.refuses(404, "NOT_FOUND");
    app.api.put(&format!("/webhooks/{NOBODY}"), json!({"url": URL})).await.refuses(404, "NOT_FOUND");
    app.api.delete(&format!("/webhooks/{NOBODY}")).await.refuses(404, "NOT_FOUND");
}
