//! How a key is presented. Which key opens what is in `matrix`.

use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn a_key_must_be_presented_as_it_was_shown() {
    let app = TestApp::new().await;
    let shown = app.api.authorization().to_owned();
    let key = shown.strip_prefix("Bearer ").unwrap();
    assert_eq!(key.len(), "sk_live_".len() + 40);
    for right in [shown.clone(), format!("bearer {key}"), format!("BEARER {key}")] {
        app.presenting(Some(&right)).get("/runs").await.is(200);
    }
    let wrong = [
        key.to_owned(),
        format!("Token {key}"),
        format!("Basic {key}"),
        format!("Bearer {}", &key[..key.len() - 1]),
        format!("Bearer {key}a"),
        format!("Bearer {}", key.to_uppercase()),
        format!("Bearer {key}, Bearer {key}"),
        format!("Bearer\t{key}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        String::new(),
    ];
    for wrong in wrong {
        app.presenting(Some(&wrong)).get("/runs").await.refuses(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_header_that_is_no_text_is_refused() {
    let app = TestApp::new().await;
    let request = axum::http::Request::get("/api/v1/runs").header("authorization", &b"Bearer \xff\xfe"[..]);
    let answer = app.presenting(None).send(request.body(axum::body::Body::empty()).unwrap()).await;
    answer.refuses(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn the_health_of_the_server_is_told_to_everybody() {
    let app = TestApp::new().await;
    let request = axum::http::Request::get("/health").body(axum::body::Body::empty()).unwrap();
    assert_eq!(app.presenting(None).send(request).await.is(200), json!({"status": "ok"}));
}
