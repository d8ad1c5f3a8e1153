//! Every call there is, with every kind of key, and with every id of another organization.
//!
//! What each call is for is stated here a second time, apart from the table that the router is made of: a call that is added
//! there and not here is a failure, and so is one whose scope was changed in one place alone.

mod estate;
mod table;

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, header},
};
use jiff::SignedDuration;
use preclinical_core::{api_key::ApiKey, scope::Scope};
use serde_json::json;

use self::{
    estate::Estate,
    table::{CALLS, Row},
};
use crate::app::{Answer, Client, TestApp};

async fn call(client: &Client, method: &str, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    client.send(request.body(body.into()).unwrap()).await
}

async fn with_scope(app: &TestApp, scope: Scope) -> Client {
    app.with_key(|key| ApiKey { scope, name: format!("for {}", scope.as_str()), ..key }).await
}

/// What a refusal leaves as it was.
fn traces(app: &TestApp) -> impl PartialEq + use<> {
    (app.database.rows(), app.handoff.sent().len(), app.handoff.wakes())
}

#[test]
fn every_call_of_the_router_is_in_the_table_and_every_scope_is_stated_twice() {
    let stated: BTreeSet<_> = CALLS.iter().map(|row| (row.method, row.path.to_owned(), row.scopes.to_owned())).collect();
    let real = preclinical_web::calls().into_iter().map(|call| {
        let scopes =
            call.need.map(|need| Scope::ALL.into_iter().filter(move |scope| scope.permits(need)).map(Scope::as_str));
        (call.method, call.path, scopes.map_or("everybody".to_owned(), |scopes| scopes.collect::<Vec<_>>().join(" ")))
    });
    assert_eq!(real.collect::<BTreeSet<_>>(), stated);
    assert_eq!((stated.len(), preclinical_web::calls().len()), (CALLS.len(), CALLS.len()), "none is there twice");
}

#[test]
fn the_router_takes_calls_and_pages_from_their_tables_alone() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut adding = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // What is offered to be copied is not ours.
            if path.components().any(|part| part.as_os_str() == "assets") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let added = ["route", "nest", "merge", "route_service", "nest_service"].map(|method| format!(".{method}("));
            let count: usize = added.iter().map(|call| source.matches(call.as_str()).count()).sum();
            adding.extend(std::iter::repeat_n(path.file_name().unwrap().to_owned(), count));
        }
    }
    adding.sort();
    // What leads from a form's path to the page above it follows from the table, too.
    let expected = ["pages.rs", "pages.rs", "route.rs", "router.rs"];
    assert_eq!(adding, expected, "add calls to the table in api.rs, pages to the one in pages.rs");
}

#[tokio::test]
async fn a_key_that_is_unknown_expired_or_revoked_opens_nothing_and_leaves_no_trace() {
    let app = TestApp::new().await;
    let estate = Estate::of(&app.api).await;
    let end = app.world.now() + SignedDuration::from_secs(60);
    let expired = app.with_key(|key| ApiKey { expires_at: Some(end), name: "to expire".to_owned(), ..key }).await;
    let (revoked, id) = estate::key(&app, "to revoke").await;
    for valid in [&expired, &revoked] {
        valid.get("/api-keys").await.is(200);
    }
    assert_eq!(app.api.delete(&format!("/api-keys/{id}")).await.status, 204);
    app.pass(60);
    let nobody = app.presenting(None);
    let unknown = app.presenting(Some(&format!("Bearer sk_live_{}", "a".repeat(40))));
    let (before, reserved) = (traces(&app), app.handoff.reservations());
    for row in CALLS.iter().filter(|row| row.scopes != "everybody") {
        let path = row.path_in(&estate);
        let refused = call(&nobody, row.method, &path, "{not json").await;
        assert!(refused.refuses(401, "UNAUTHORIZED").is_null());
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"), "{} {path}", row.method);
        for client in [&unknown, &expired, &revoked] {
            for body in ["{not json".to_owned(), row.body_in(&estate)] {
                assert_eq!(call(client, row.method, &path, body).await, refused, "{} {path}", row.method);
            }
        }
    }
    assert!(traces(&app) == before && app.handoff.reservations() == reserved);
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which_one_it_needs_and_leaves_no_trace() {
    let app = TestApp::new().await;
    let estate = Estate::of(&app.api).await;
    let mut refusals = 0;
    for scope in Scope::ALL {
        let client = with_scope(&app, scope).await;
        let (before, reserved) = (traces(&app), app.handoff.reservations());
        for row in CALLS.iter().filter(|row| !row.serves(scope)) {
            for (path, body) in [
                (row.path_in(&estate), row.body_in(&estate)),
                (row.path.replace("{id}", "nonsense"), "{not json".to_owned()),
                (format!("{}?limit=x", row.path_in(&estate)), "[]".to_owned()),
            ] {
                let answer = call(&client, row.method, &path, body).await;
                let details = answer.refuses(403, "FORBIDDEN");
                let least = row.scopes.split(' ').next().unwrap();
                assert_eq!(details, json!({"required_scope": least, "scope": scope.as_str()}), "{} {path}", row.method);
                assert!(answer.json()["error"].as_str().unwrap().contains(&format!("scope {least}")));
                refusals += 1;
            }
        }
        assert!(traces(&app) == before && app.handoff.reservations() == reserved, "{}", scope.as_str());
    }
    assert!(refusals > 60, "{refusals}");
}

#[tokio::test]
async fn a_key_with_the_scope_succeeds_with_every_call_that_it_is_for() {
    for row in CALLS {
        for scope in Scope::ALL.into_iter().filter(|scope| row.serves(*scope)) {
            let app = TestApp::new().await;
            let estate = Estate::of(&app.api).await;
            let client = if row.scopes == "everybody" { app.presenting(None) } else { with_scope(&app, scope).await };
            let answer = call(&client, row.method, &row.path_in(&estate), row.body_in(&estate)).await;
            assert!(answer.status.is_success(), "{} {} with {}: {answer:?}", row.method, row.path, scope.as_str());
        }
    }
}

#[tokio::test]
async fn another_organizations_ids_in_paths_answer_like_ids_of_nothing() {
    let app = TestApp::new().await;
    let theirs = Estate::of(&app.api).await;
    let stranger = app.stranger().await;
    let before = traces(&app);
    let hostile = r#"{"url":"ftp://evil.example.com","passed_count":-1,"results":[],"name":"x"}"#;
    for row in CALLS.iter().filter(|row| row.path.contains('{')) {
        app.pass(60);
        for body in [row.body_in(&theirs).as_str(), "", "{}", "[]", hostile] {
            for suffix in ["", "?status=nonsense"] {
                let with = |id: &str| {
                    let path = format!("{}{suffix}", row.path.replace("{id}", id));
                    let (stranger, body) = (&stranger, body.to_owned());
                    async move { call(stranger, row.method, &path, body).await }
                };
                for (id, nothing) in theirs.ids() {
                    let of_nothing = with(nothing).await;
                    assert!(of_nothing.status.is_client_error() && of_nothing.status != 429, "{of_nothing:?}");
                    assert_eq!(with(id).await, of_nothing, "{} {} {body} {id}", row.method, row.path);
                }
            }
        }
    }
    app.handoff.idle().await;
    assert!(traces(&app) == before);
}

#[tokio::test]
async fn another_organizations_ids_in_parameters_and_bodies_answer_like_ids_of_nothing() {
    let app = TestApp::new().await;
    let theirs = Estate::of(&app.api).await;
    // A number that nobody else has.
    app.api.run(&theirs.agent, None).await;
    let stranger = app.stranger().await;
    let ours = Estate::of(&stranger).await;
    let before = traces(&app);
    let fields = [
        "agent_id",
        "webhook_id",
        "delivery_id",
        "redelivery_of",
        "run_id",
        "test_run_id",
        "test_suite_id",
        "api_key_id",
        "id",
        "search",
        "q",
    ];
    for row in CALLS.iter().filter(|row| row.scopes != "everybody") {
        app.pass(60);
        for field in fields {
            for (id, nothing) in theirs.ids() {
                let of_nothing = naming(&stranger, row, &ours, field, nothing).await;
                assert_ne!(of_nothing.status, 429);
                assert_eq!(
                    naming(&stranger, row, &ours, field, id).await,
                    of_nothing,
                    "{} {} {field}",
                    row.method,
                    row.path
                );
            }
        }
    }
    app.handoff.idle().await;
    assert!(traces(&app) == before);
}

/// A call that names an id where it might be taken for something: a reading one as a parameter, another one as a field.
async fn naming(client: &Client, row: &Row, ours: &Estate, field: &str, id: &str) -> Answer {
    let path = row.path_in(ours);
    if matches!(row.method, "GET" | "DELETE") {
        // The id of nothing, so that nothing is deleted whatever becomes of the parameter.
        let path = if row.method == "DELETE" { row.path.replace("{id}", crate::app::NOBODY) } else { path };
        let path = path.split('?').next().unwrap();
        return call(client, row.method, &format!("{path}?{field}={id}"), "").await;
    }
    let mut body: serde_json::Value = serde_json::from_str(&row.body_in(ours)).unwrap_or_else(|_| json!({}));
    body[field] = json!(id);
    call(client, row.method, &path, body.to_string()).await
}

#[tokio::test]
async fn what_an_organization_reads_names_nothing_of_another() {
    let app = TestApp::new().await;
    let theirs = Estate::of(&app.api).await;
    let stranger = app.stranger().await;
    let ours = Estate::of(&stranger).await;
    for row in CALLS.iter().filter(|row| row.method == "GET") {
        for (whose, client, others) in [(&ours, &stranger, &theirs), (&theirs, &app.api, &ours)] {
            let answer = call(client, row.method, &row.path_in(whose), "").await;
            assert_eq!(answer.status, 200, "{}", row.path);
            for (id, _) in others.ids().into_iter().filter(|(id, _)| !id.starts_with("TR-")) {
                assert!(!answer.text().contains(id), "{} shows {id}", row.path);
            }
        }
    }
}
