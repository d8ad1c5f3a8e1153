//! The description of the API, as far as it can be judged without calling what it describes; `acceptance/test_openapi.py` does.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::app::{Answer, TestApp};

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

async fn open(path: &str) -> Answer {
    let request = axum::http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    TestApp::new().await.presenting(None).send(request).await
}

async fn document() -> Value {
    open("/api/openapi.json").await.is(200)
}

/// Every call of the document: its method, its path, and itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let methods = |(path, methods): (&String, &Value)| {
        let operation = |(method, operation): (&String, &Value)| (method.to_uppercase(), path.clone(), operation.clone());
        methods.as_object().unwrap().iter().map(operation).collect::<Vec<_>>()
    };
    document["paths"].as_object().unwrap().iter().flat_map(methods).collect()
}

fn codes(operation: &Value, document: &Value) -> BTreeSet<(u16, String)> {
    let of_status = |(status, response): (&String, &Value)| {
        let shared = response["$ref"].as_str().map(|path| document.pointer(&path[1..]).unwrap());
        let codes = shared.unwrap_or(response)["x-codes"].as_array().cloned().unwrap_or_default();
        let status: u16 = status.parse().unwrap();
        codes.into_iter().map(move |code| (status, code.as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    operation["responses"].as_object().unwrap().iter().flat_map(of_status).collect()
}

#[tokio::test]
async fn the_stored_document_is_the_one_that_is_served() {
    let served = format!("{}\n", serde_json::to_string_pretty(&document().await).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(STORED, &served).unwrap();
    }
    let stored = fs::read_to_string(Path::new(STORED)).unwrap_or_default();
    assert!(stored == served, "docs/openapi.json is stale: UPDATE=1 cargo test -p preclinical-web --test api openapi");
}

#[tokio::test]
async fn the_document_lists_exactly_the_calls_of_the_router_each_under_a_name_of_its_own() {
    let document = document().await;
    let listed = operations(&document);
    let real: BTreeSet<_> = preclinical_web::calls().into_iter().map(|call| (call.method.to_owned(), call.path)).collect();
    let described: BTreeSet<_> = listed.iter().map(|(method, path, _)| (method.clone(), path.clone())).collect();
    assert_eq!(described, real);
    let names: BTreeSet<_> = listed.iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), listed.len());
    for (method, path, operation) in &listed {
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(in_path, path.matches('{').count(), "{method} {path}");
        assert_eq!(
            operation["requestBody"].is_object(),
            matches!(method.as_str(), "POST" | "PUT" | "PATCH"),
            "{method} {path}"
        );
        assert_eq!(operation["security"].is_array(), operation["x-scopes"].is_array(), "{method} {path}");
    }
}

#[tokio::test]
async fn every_documented_error_code_appears_at_a_call_under_its_status() {
    let document = document().await;
    let all: BTreeSet<_> = operations(&document).iter().flat_map(|(_, _, operation)| codes(operation, &document)).collect();
    for (status, code) in [
        (400, "MISSING_REQUIRED_FIELD"),
        (400, "INVALID_FIELD_VALUE"),
        (400, "INVALID_STATE"),
        (400, "INVALID_JSON"),
        (400, "AGENT_NOT_FOUND"),
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (404, "RUN_NOT_FOUND"),
        (404, "AGENT_NOT_FOUND"),
        (409, "ALREADY_EXISTS"),
        (413, "PAYLOAD_TOO_LARGE"),
        (429, "RATE_LIMITED"),
        (500, "INTERNAL_ERROR"),
    ] {
        assert!(all.contains(&(status, code.to_owned())), "{status} {code}");
        let known = document["components"]["schemas"]["Error"]["properties"]["code"]["enum"].as_array().unwrap();
        assert!(known.iter().any(|name| name == code), "{code}");
    }
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let document = document().await;
    let text = document.to_string();
    let references: BTreeSet<&str> = text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 50, "{}", references.len());
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_page_shows_every_call_and_asks_nobody_else_for_anything() {
    let (document, page) = (document().await, open("/api/docs").await);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let html = page.text();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(html.contains(&format!("id=\"{id}\"")), "{method} {path}");
    }
    let ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an anchor is there twice");
    for link in html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(ids.contains(&link), "{link}");
    }
    for foreign in ["<script", "src=", "url(", "@import", "href=\"http", "href=\"//", " style=", " onclick="] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}
