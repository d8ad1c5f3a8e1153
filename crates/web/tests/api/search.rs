//! `/webhooks/deliveries?q=`: an id that somebody copied from somewhere.

use serde_json::{Value, json};

use crate::app::{NOBODY, TestApp, URL};

async fn found(app: &TestApp, q: &str) -> Vec<String> {
    let mut deliveries = app.api.deliveries(&format!("q={q}")).await;
    deliveries.iter_mut().map(|delivery| delivery["id"].take().as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn whatever_names_a_delivery_finds_it_in_any_spelling() {
    let app = TestApp::new().await;
    let (agent, other) = (app.api.agent("Assistant").await, app.api.agent("Other").await);
    let webhook = app.api.webhook(URL, Some(&agent)).await;
    app.api.webhook(URL, None).await;
    let delivery = app.api.delivered(&agent).await;
    app.api.delivered(&other).await;
    let shown = app.api.get(&format!("/webhooks/deliveries/{delivery}")).await.is(200);
    let run = shown["run_id"].as_str().unwrap();
    let event = app.api.get(&format!("/runs/{run}/decisions")).await.is(200)["decisions"][0]["event_id"].take();
    for id in [&delivery, run, &webhook, &agent, event.as_str().unwrap()] {
        for spelling in [
            id.to_owned(),
            id.to_uppercase(),
            id.replace('-', ""),
            format!("msg_{id}"),
            format!("%20{id}%20"),
            format!("urn:uuid:{id}"),
            format!("%7B{id}%7D"),
        ] {
            assert_eq!(found(&app, &spelling).await, [delivery.as_str()], "{spelling}");
        }
    }
    for spelling in ["TR-00001", "tr-00001", "TR-1"] {
        assert_eq!(found(&app, spelling).await, [delivery.as_str()], "{spelling}");
    }
    let of_webhook = app.api.get(&format!("/webhooks/{webhook}/deliveries?q={run}")).await.is(200);
    assert_eq!(of_webhook["deliveries"][0]["id"], delivery.as_str());
}

#[tokio::test]
async fn a_text_that_names_nothing_finds_nothing_and_an_empty_one_restricts_nothing() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let part = &delivery[..8];
    let texts = [
        NOBODY,
        "Assistant",
        "hooks.example.com",
        "1",
        "00001",
        "TR-",
        "TR-00002",
        "TR-%2B1",
        part,
        "%25",
        "*",
        "%00",
        "%FF",
    ];
    for text in texts {
        let page = app.api.get(&format!("/webhooks/deliveries?q={text}")).await.is(200);
        assert_eq!(page, json!({"deliveries": [], "next_cursor": null}), "{text}");
    }
    for text in ["", "%20"] {
        assert_eq!(found(&app, text).await, [delivery.as_str()]);
    }
    let twice = app.api.get(&format!("/webhooks/deliveries?q={delivery}&q={delivery}")).await;
    twice.refuses_field("INVALID_FIELD_VALUE", "q");
}

#[tokio::test]
async fn a_search_combines_with_every_filter() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    for fits in [
        "status=pending".to_owned(),
        format!("webhook_id={webhook}"),
        format!("agent_id={agent}"),
        "run_id=RUN".to_owned(),
        "created_after=2026-01-30T10:30:00Z".to_owned(),
        "created_before=2026-01-30T10:30:01Z".to_owned(),
    ] {
        let run = app.api.get("/runs/TR-00001").await.is(200)["id"].as_str().unwrap().to_owned();
        for q in [delivery.as_str(), "TR-00001", &webhook, &agent] {
            assert_eq!(found(&app, &format!("{q}&{}", fits.replace("RUN", &run))).await, [delivery.as_str()], "{fits} {q}");
        }
    }
    for misses in [
        "status=failed",
        &format!("webhook_id={NOBODY}"),
        &format!("run_id={NOBODY}"),
        "created_before=2026-01-30T10:30:00Z",
    ] {
        for q in [delivery.as_str(), "TR-00001", &webhook, &agent] {
            assert_eq!(found(&app, &format!("{q}&{misses}")).await, [""; 0], "{misses} {q}");
        }
    }
}

#[tokio::test]
async fn pages_of_what_was_found_stay_where_they_are_while_rows_arrive() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for q in [webhook.as_str(), agent.as_str()] {
        app.pass(60);
        for _ in 0..5 {
            app.api.delivered(&agent).await;
        }
        let expected = found(&app, q).await;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.api.get(&format!("/webhooks/deliveries?limit=2&q={q}{cursor}")).await.is(200);
            let ids = page["deliveries"].as_array().unwrap().iter().map(|delivery| delivery["id"].as_str().unwrap());
            seen.extend(ids.map(str::to_owned));
            app.pass(1);
            app.api.delivered(&agent).await;
            match &page["next_cursor"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn nothing_of_another_organization_is_found() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let delivery = app.api.delivered(&agent).await;
    let stranger = app.stranger().await;
    for q in [delivery.as_str(), "TR-00001", &webhook, &agent] {
        assert_eq!(stranger.deliveries(&format!("q={q}")).await, [] as [Value; 0]);
    }
}
