//! Parameters of lists, and what is refused of them.

use serde_json::json;

use crate::app::{NOBODY, TestApp};

const LISTS: [&str; 4] = ["/runs", "/agents", "/webhooks", "/webhooks/deliveries"];

#[tokio::test]
async fn a_parameter_that_is_out_of_range_is_refused_by_its_name() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(crate::app::URL, None).await;
    let history = format!("/webhooks/{webhook}/deliveries");
    for list in LISTS.into_iter().chain([history.as_str()]) {
        for wrong in ["0", "101", "-1", "1.5", "ten", "", "4294967297", "1e1", "%20", "99999999999999999999"] {
            app.api.get(&format!("{list}?limit={wrong}")).await.refuses_field("INVALID_FIELD_VALUE", "limit");
        }
        for right in [1, 100] {
            app.api.get(&format!("{list}?limit={right}")).await.is(200);
        }
        let twice = app.api.get(&format!("{list}?limit=5&limit=5")).await;
        twice.refuses_field("INVALID_FIELD_VALUE", "limit");
        assert_eq!(twice.json()["error"], "limit is given more than once");
        app.api.get(&format!("{list}?limits=5")).await.refuses_field("INVALID_FIELD_VALUE", "limits");
        app.api.get(&format!("{list}?LIMIT=5")).await.refuses_field("INVALID_FIELD_VALUE", "LIMIT");
    }
    for list in &LISTS[..3] {
        for wrong in ["-1", "1.5", "x", "", "4294967296"] {
            app.api.get(&format!("{list}?offset={wrong}")).await.refuses_field("INVALID_FIELD_VALUE", "offset");
        }
        app.api.get(&format!("{list}?cursor=AAAA")).await.refuses_field("INVALID_FIELD_VALUE", "cursor");
    }
    app.api.get("/webhooks/deliveries?offset=1").await.refuses_field("INVALID_FIELD_VALUE", "offset");
    app.api.get(&format!("{history}?webhook_id={webhook}")).await.refuses_field("INVALID_FIELD_VALUE", "webhook_id");
}

#[tokio::test]
async fn a_filter_takes_only_values_that_there_can_be() {
    let app = TestApp::new().await;
    let filters = [
        ("/runs", "status", "done"),
        ("/runs", "status", "Completed"),
        ("/runs", "status", "completed,failed"),
        ("/runs", "agent_id", "me"),
        ("/agents", "provider", "twilio"),
        ("/agents", "provider", "OpenAI"),
        ("/webhooks", "agent_id", "null"),
        ("/webhooks/deliveries", "status", "success"),
        ("/webhooks/deliveries", "webhook_id", "1"),
        ("/webhooks/deliveries", "agent_id", "1"),
        ("/webhooks/deliveries", "run_id", "TR-00001"),
        ("/webhooks/deliveries", "created_after", "yesterday"),
        ("/webhooks/deliveries", "created_after", "2026-01-30"),
        ("/webhooks/deliveries", "created_before", "2026-13-01T00:00:00Z"),
        ("/webhooks/deliveries", "created_before", "1769769000"),
    ];
    for (list, name, wrong) in filters {
        app.api.get(&format!("{list}?{name}={wrong}")).await.refuses_field("INVALID_FIELD_VALUE", name);
        app.api.get(&format!("{list}?{name}=")).await.refuses_field("INVALID_FIELD_VALUE", name);
    }
}

#[tokio::test]
async fn a_filter_that_nothing_passes_finds_nothing() {
    let app = TestApp::new().await;
    app.api.webhook(crate::app::URL, None).await;
    let agent = app.api.agent("Assistant").await;
    app.api.delivered(&agent).await;
    for list in ["runs?status=failed", "runs?agent_id={id}", "agents?provider=browser", "webhooks?agent_id={id}"] {
        let name = list.split('?').next().unwrap();
        let found = app.api.get(&format!("/{list}").replace("{id}", NOBODY)).await.is(200);
        assert_eq!(found, json!({name: [], "total": 0, "limit": 20, "offset": 0}));
    }
    for filter in ["status=failed", "webhook_id={id}", "agent_id={id}", "run_id={id}"] {
        let found = app.api.get(&format!("/webhooks/deliveries?{filter}").replace("{id}", NOBODY)).await.is(200);
        assert_eq!(found, json!({"deliveries": [], "next_cursor": null}));
    }
}
