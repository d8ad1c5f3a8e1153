//! Paths and methods that there are, and all others.

use crate::app::{NOBODY, TestApp};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let app = TestApp::new().await;
    for path in ["", "/", "/run", "/runs/", "//runs", "/RUNS", "/runs/a/b", "/runs/a/results/b", "/webhooks/a/b", "/../runs"]
    {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            assert!(app.api.call(method, path, "").await.refuses(404, "NOT_FOUND").is_null(), "{method} {path}");
        }
    }
    for path in ["/api", "/api/v2/runs", "/health/", "/events/", "/test"] {
        let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
        app.api.send(request).await.refuses(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_id_that_is_no_text_names_nothing_of_its_kind() {
    let app = TestApp::new().await;
    for (path, code) in [
        ("/runs/%ff", "RUN_NOT_FOUND"),
        ("/runs/%ff/results", "RUN_NOT_FOUND"),
        ("/runs/%00", "RUN_NOT_FOUND"),
        ("/agents/%ff", "AGENT_NOT_FOUND"),
        ("/webhooks/%ff", "NOT_FOUND"),
        ("/webhooks/deliveries/%c3%28", "NOT_FOUND"),
    ] {
        app.api.get(path).await.refuses(404, code);
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_refused_with_those_it_has() {
    let app = TestApp::new().await;
    let paths = [
        ("/agents", "GET,HEAD,POST"),
        ("/agents/{id}", "GET,HEAD,PUT,PATCH,DELETE"),
        ("/agents/{id}/validate", "POST"),
        ("/api-keys", "GET,HEAD,POST"),
        ("/api-keys/{id}", "DELETE"),
        ("/agents/{id}/effective-webhook", "GET,HEAD"),
        ("/events", "GET,HEAD"),
        ("/stream", "GET,HEAD"),
        ("/test-suites", "GET,HEAD,POST"),
        ("/webhooks/{id}/rotate-secret", "POST"),
        ("/webhooks", "GET,HEAD,POST"),
        ("/webhooks/{id}", "GET,HEAD,PUT,DELETE"),
        ("/webhooks/{id}/test", "POST"),
        ("/webhooks/{id}/deliveries", "GET,HEAD"),
        ("/webhooks/deliveries", "GET,HEAD"),
        ("/webhooks/deliveries/{id}", "GET,HEAD"),
        ("/webhooks/deliveries/{id}/redeliver", "POST"),
        ("/webhooks/deliveries/{id}/cancel", "POST"),
        ("/webhooks/redeliveries", "GET,HEAD,POST"),
        ("/webhooks/redeliveries/{id}", "GET,HEAD"),
        ("/webhooks/redeliveries/{id}/cancel", "POST"),
        ("/runs", "GET,HEAD,POST"),
        ("/runs/{id}", "GET,HEAD"),
        ("/runs/{id}/decisions", "GET,HEAD"),
        ("/runs/{id}/results", "GET,HEAD,POST"),
        ("/runs/{id}/complete", "POST"),
        ("/runs/{id}/cancel", "POST"),
    ];
    for (path, allowed) in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if allowed.split(',').any(|known| known == method) {
                continue;
            }
            let answer = app.api.call(method, &path.replace("{id}", NOBODY), "{}").await;
            assert!(answer.refuses(405, "METHOD_NOT_ALLOWED").is_null());
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_text_that_is_no_id_names_nothing() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    app.api.run(&agent, None).await;
    app.api.get("/runs/TR-00001").await.is(200);
    let wrong = [
        "1",
        "TR-1",
        "TR-000001",
        "TR-+0001",
        "TR-00001%20",
        "tr-00001",
        "TR-99999999999",
        "..",
        "%00",
        "%F0%9F%92%A9",
        "a%2Fb",
        "' OR 1=1 --",
    ];
    for id in wrong.map(|id| id.replace(' ', "%20")) {
        app.api.get(&format!("/runs/{id}")).await.refuses(404, "RUN_NOT_FOUND");
        app.api.get(&format!("/runs/{id}/results")).await.refuses(404, "RUN_NOT_FOUND");
        for call in ["results", "complete", "cancel"] {
            let body = r#"{"results":[{"scenario_id":"1","scenario_name":"1","status":"passed"}]}"#;
            let body = if call == "results" { body } else { "{}" };
            app.api.call("POST", &format!("/runs/{id}/{call}"), body).await.refuses(404, "RUN_NOT_FOUND");
        }
        app.api.get(&format!("/agents/{id}")).await.refuses(404, "AGENT_NOT_FOUND");
        for path in ["/webhooks/{id}", "/webhooks/{id}/deliveries", "/webhooks/deliveries/{id}"] {
            app.api.get(&path.replace("{id}", &id)).await.refuses(404, "NOT_FOUND");
        }
        for path in ["/webhooks/{id}/test", "/webhooks/deliveries/{id}/redeliver", "/webhooks/deliveries/{id}/cancel"] {
            app.api.call("POST", &path.replace("{id}", &id), "").await.refuses(404, "NOT_FOUND");
        }
        app.api.call("PUT", &format!("/webhooks/{id}"), "{}").await.refuses(404, "NOT_FOUND");
        app.api.delete(&format!("/webhooks/{id}")).await.refuses(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_path_is_asked_for_its_headers_alone() {
    let app = TestApp::new().await;
    let answer = app.api.call("HEAD", "/runs", "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}
