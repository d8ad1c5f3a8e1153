//! Pages of the delivery history, followed by their cursors.

use crate::app::{TestApp, URL};

/// Reads a page of two and answers its ids and where to go on.
async fn page(app: &TestApp, path: &str, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
    let page = app.api.get(&format!("{path}?limit=2{cursor}")).await.is(200);
    let deliveries = page["deliveries"].as_array().unwrap();
    let ids = deliveries.iter().map(|delivery| delivery["id"].as_str().unwrap().to_owned()).collect();
    (ids, page["next_cursor"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn pages_show_every_delivery_once_while_others_arrive() {
    let app = TestApp::new().await;
    let webhook = app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for path in ["/webhooks/deliveries".to_owned(), format!("/webhooks/{webhook}/deliveries")] {
        app.pass(60);
        for _ in 0..3 {
            // Three of the same microsecond on pages of two: their ids have to tell them apart.
            app.api.delivered(&agent).await;
            app.api.delivered(&agent).await;
            app.api.delivered(&agent).await;
            app.pass(1);
        }
        let all = app.api.deliveries("").await;
        let expected: Vec<&str> = all.iter().map(|delivery| delivery["id"].as_str().unwrap()).collect();
        let (mut seen, mut next) = page(&app, &path, None).await;
        while let Some(cursor) = next {
            app.api.delivered(&agent).await;
            let (ids, after) = page(&app, &path, Some(&cursor)).await;
            assert!(!ids.is_empty());
            seen.extend(ids);
            next = after;
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_cursor() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    assert_eq!(page(&app, "/webhooks/deliveries", None).await, (vec![], None));
    app.api.delivered(&agent).await;
    app.api.delivered(&agent).await;
    let (ids, next) = page(&app, "/webhooks/deliveries", None).await;
    assert_eq!((ids.len(), next), (2, None));
}

#[tokio::test]
async fn a_page_is_twenty_unless_told() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for _ in 0..21 {
        app.api.delivered(&agent).await;
    }
    let page = app.api.get("/webhooks/deliveries").await.is(200);
    assert_eq!(page["deliveries"].as_array().unwrap().len(), 20);
    assert!(page["next_cursor"].is_string());
}

#[tokio::test]
async fn a_cursor_that_was_tampered_with_is_refused() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    for _ in 0..3 {
        app.api.delivered(&agent).await;
    }
    let cursor = page(&app, "/webhooks/deliveries", None).await.1.unwrap();
    assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");
    let mut wrong: Vec<String> = (0..cursor.len())
        .map(|at| {
            let other = if &cursor[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &cursor[..at], &cursor[at + 1..])
        })
        .collect();
    wrong.extend((0..cursor.len()).map(|at| cursor[..at].to_owned()));
    wrong.extend([
        format!("{cursor}A"),
        format!("A{cursor}"),
        format!("{cursor}="),
        cursor.to_uppercase(),
        "null".to_owned(),
    ]);
    for wrong in wrong {
        let answer = app.api.get(&format!("/webhooks/deliveries?cursor={wrong}")).await;
        answer.refuses_field("INVALID_FIELD_VALUE", "cursor");
    }
    app.api.get(&format!("/webhooks/deliveries?cursor={cursor}")).await.is(200);
}
