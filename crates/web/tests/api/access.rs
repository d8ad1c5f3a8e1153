//! Who is let in.

use serde_json::json;

use crate::app::{NOBODY, TestApp};

/// Every call that there is, with ids that nothing has.
const CALLS: [(&str, &str); 20] = [
    ("GET", "/agents"),
    ("POST", "/agents"),
    ("GET", "/agents/{id}"),
    ("GET", "/webhooks"),
    ("POST", "/webhooks"),
    ("GET", "/webhooks/{id}"),
    ("PUT", "/webhooks/{id}"),
    ("DELETE", "/webhooks/{id}"),
    ("POST", "/webhooks/{id}/test"),
    ("GET", "/webhooks/{id}/deliveries"),
    ("GET", "/webhooks/deliveries"),
    ("GET", "/webhooks/deliveries/{id}"),
    ("POST", "/webhooks/deliveries/{id}/redeliver"),
    ("GET", "/runs"),
    ("POST", "/runs"),
    ("GET", "/runs/{id}"),
    ("GET", "/runs/{id}/results"),
    ("POST", "/runs/{id}/results"),
    ("POST", "/runs/{id}/complete"),
    ("POST", "/runs/{id}/cancel"),
];

#[tokio::test]
async fn without_a_known_key_every_call_is_refused_and_nothing_is_read() {
    let app = TestApp::new().await;
    let unknown = format!("Bearer sk_live_{}", "a".repeat(40));
    let presented = [None, Some(unknown.as_str()), Some("Basic dXNlcjpwYXNz"), Some("Bearer"), Some("Bearer "), Some("")];
    for (method, path) in CALLS {
        for authorization in presented {
            let api = app.presenting(authorization);
            let answer = api.call(method, &path.replace("{id}", NOBODY), "{not json").await;
            assert!(answer.refuses(401, "UNAUTHORIZED").is_null());
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
        }
    }
    assert_eq!(app.handoff.reservations(), 0);
}

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
