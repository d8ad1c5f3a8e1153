//! What stands before every page there is, whichever are added.

use axum::{
    body::Body,
    http::{StatusCode, header},
};
use preclinical_core::member::Role;
use preclinical_web::{Need, PageCall, page_calls};

use super::Browser;
use crate::app::{NOBODY, TestApp};

/// Pages that everybody may open. A new one has to be thought about here, too.
const FOR_EVERYBODY: [(&str, &str); 5] = [
    ("GET", "/assets/{name}"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/join/{token}"),
    ("POST", "/join/{token}"),
];

fn guarded(method: &str) -> Vec<(String, Need)> {
    let calls = page_calls().into_iter().filter(|call| call.method == method);
    calls.filter_map(|PageCall { path, need, .. }| need.map(|need| (path.replace("{id}", NOBODY), need))).collect()
}

#[test]
fn few_pages_are_for_everybody_and_these_are_known() {
    let open: Vec<_> =
        page_calls().into_iter().filter(|call| call.need.is_none()).map(|call| (call.method, call.path)).collect();
    assert_eq!(open, FOR_EVERYBODY);
}

#[tokio::test]
async fn nothing_is_shown_and_nothing_done_for_whoever_is_not_signed_in() {
    let app = TestApp::new().await;
    for session in [None, Some("planted".to_owned())] {
        let browser = Browser { session, ..Browser::new(app.router()) };
        for (path, _) in guarded("GET") {
            assert!(browser.get(&path).await.leads_to().starts_with("/sign-in"), "{path}");
        }
        for (path, _) in guarded("POST") {
            assert_eq!(browser.post(&path, &[]).await.leads_to(), "/sign-in", "{path}");
        }
    }
}

#[tokio::test]
async fn a_role_does_what_it_may_and_no_more() {
    let app = TestApp::new().await;
    for (role, may) in [
        (Role::Owner, &[Need::Look, Need::Change, Need::Govern][..]),
        (Role::Member, &[Need::Look, Need::Change]),
        (Role::Viewer, &[Need::Look]),
    ] {
        let browser = Browser::of(app.router(), &app.world, role).await;
        for (path, need) in guarded("GET") {
            let forbidden = browser.get(&path).await.status == StatusCode::FORBIDDEN;
            assert_eq!(forbidden, !may.contains(&need), "{role:?} {path}");
        }
        for (path, need) in guarded("POST").into_iter().filter(|(path, _)| !path.starts_with("/sign-out")) {
            let forbidden = browser.post(&path, &[]).await.status == StatusCode::FORBIDDEN;
            assert_eq!(forbidden, !may.contains(&need), "{role:?} {path}");
        }
    }
}

#[tokio::test]
async fn a_form_without_its_token_or_from_elsewhere_does_nothing() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    let stranger = Browser::of(app.router(), &app.world, Role::Owner).await;
    for (path, _) in guarded("POST") {
        let without = Browser { csrf: String::new(), ..owner.clone() };
        without.post(&path, &[]).await.is(403);
        let of_another_session = Browser { csrf: stranger.csrf.clone(), ..owner.clone() };
        of_another_session.post(&path, &[]).await.is(403).says("belongs to another session");
        for site in ["cross-site", "same-site"] {
            let request = owner.request("POST", &path).header("sec-fetch-site", site);
            let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let form = format!("csrf={}", owner.csrf);
            owner.send(request.body(Body::from(form)).unwrap()).await.is(403).says("another site");
        }
    }
    owner.get("/settings/webhooks").await.is(200);
}

#[tokio::test]
async fn a_form_is_a_form_and_not_endless() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    let send = async |kind: &str, body: String| {
        let request = owner.request("POST", "/theme").header("sec-fetch-site", "same-origin");
        owner.send(request.header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap()).await
    };
    send("application/json", "{}".to_owned()).await.is(415);
    send("multipart/form-data; boundary=x", String::new()).await.is(415);
    send("application/x-www-form-urlencoded", "a".repeat(512 * 1024 + 1)).await.is(413);
    let anybody = Browser::new(app.router());
    anybody.post("/sign-in", &[("email", &"a".repeat(8 * 1024))]).await.is(413);
}

#[tokio::test]
async fn every_answer_keeps_others_out() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    for path in ["/settings/webhooks", "/sign-in", "/join/x", "/nowhere", "/test/x", "/join/%ff"] {
        let shown = owner.get(path).await;
        let policy = shown.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(shown.headers[header::X_FRAME_OPTIONS], "DENY", "{path}");
        assert_eq!(shown.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store", "{path}");
    }
}

#[tokio::test]
async fn an_id_that_is_no_text_is_one_of_nothing() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
    for call in page_calls().into_iter().filter(|call| call.need.is_some() && call.path.contains("{id}")) {
        let path = call.path.replace("{id}", "%ff");
        let shown =
            if call.method == "GET" { owner.get(&path).await } else { owner.post(&path, &[("role", "viewer")]).await };
        shown.is(404).says("There is nothing here");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_a_name_that_changes_with_them() {
    let app = TestApp::new().await;
    let browser = Browser::new(app.router());
    let page = browser.get("/sign-in").await;
    let style = page.html.split_once("href=\"/assets/app-").unwrap().1.split_once('"').unwrap().0;
    let shown = browser.get(&format!("/assets/app-{style}")).await;
    assert_eq!(shown.is(200).headers[header::CONTENT_TYPE], "text/css; charset=utf-8");
    assert_eq!(shown.headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    browser.get("/assets/app-000000000000.css").await.is(404);
}

#[tokio::test]
async fn a_path_that_leads_nowhere_says_so_to_people_as_a_page_and_to_programs_as_json() {
    let app = TestApp::new().await;
    let browser = Browser::new(app.router());
    browser.get("/nowhere").await.is(404).says("<!DOCTYPE html>").says("There is nothing here");
    browser.get("/api/v1/nowhere").await.is(404).says("\"code\":\"NOT_FOUND\"");
}

#[tokio::test]
async fn the_chosen_colours_are_kept_and_lead_back() {
    let app = TestApp::new().await;
    let owner = Browser::of(app.router(), &app.world, Role::Viewer).await;
    let form = format!("csrf={}&theme=dark", owner.csrf);
    let request = owner.request("POST", "/theme").header(header::REFERER, "https://any.example/runs?status=failed");
    let request =
        request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin");
    let chosen = owner.send(request.body(Body::from(form)).unwrap()).await;
    assert_eq!(chosen.leads_to(), "/runs?status=failed");
    assert!(chosen.headers[header::SET_COOKIE].to_str().unwrap().starts_with("theme=dark; "));
    let request = owner.request("GET", "/sign-in").header(header::COOKIE, "theme=dark");
    owner.send(request.body(Body::empty()).unwrap()).await.says("data-theme=\"dark\"");
}
