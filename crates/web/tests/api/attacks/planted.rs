//! Texts that want to be more than text, in every field that a receiver, a runner, a member or a visitor chooses, on every page.

use axum::{body::Body, http::header};
use preclinical_core::{
    attempt::{AttemptError, ErrorKind, Outcome},
    member::Role,
    port::AttemptRecord,
    retry::NextStep,
};
use preclinical_testkit::world::{answered, message};
use preclinical_web::page_calls;
use serde_json::json;

use super::markup::{dangers, shapes};
use crate::{
    app::{NOBODY, TestApp},
    pages::{Browser, Shown},
};

/// What is tried, by what it tries.
const TEXTS: [(&str, &str); 20] = [
    ("an element that runs", "<script>alert(1)</script>"),
    ("an element in capitals with a source elsewhere", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>"),
    ("an element that fails and runs", "<img src=x onerror=alert(1)>"),
    ("the end of an attribute in double quotes", "\" onmouseover=\"alert(1)\" x=\""),
    ("the end of an attribute in single quotes", "' onmouseover='alert(1)' x='"),
    ("the end of an attribute and its element", "\"><svg onload=alert(1)>"),
    ("an attribute without quotes", "x onfocus=alert(1) autofocus"),
    ("an address that runs", "javascript:alert(1)"),
    ("an address that is a document", "data:text/html,<script>alert(1)</script>"),
    ("a picture that runs", "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>"),
    ("the end of a title", "</title><script>alert(1)</script>"),
    ("the end of a text area", "</textarea><script>alert(1)</script>"),
    ("the end of a block of code", "</pre></code><iframe srcdoc=x>"),
    ("the end of a comment", "--><script>alert(1)</script><!--"),
    ("a template of another language", "{{constructor.constructor('alert(1)')()}}${7*7}<%= 7*7 %>#{7*7}"),
    ("a style", "</style><style>*{background:url(//evil.example)}</style>"),
    ("entities that are markup when they are read twice", "&lt;script&gt;alert(1)&lt;/script&gt;&#x3C;b&#x3E;"),
    ("a new base and a new place to go", "<base href=//evil.example><meta http-equiv=refresh content=0>"),
    ("a form within a form", "</form><form action=//evil.example><input name=csrf>"),
    ("the name of a prototype", "__proto__[x]=<b id=location name=cookie>"),
];

/// Texts that hide what they say; not every field takes them.
const HIDDEN: [(&str, &str); 4] = [
    ("letters from right to left", "safe\u{202e}gpj.exe\u{2066}x\u{2069}"),
    ("letters without width", "a\u{200b}d\u{2060}m\u{feff}in"),
    ("nothing and escape", "a\0b\u{1b}[31mred\u{7f}"),
    ("lines where there is one", "a\r\nset-cookie: x=y\r\n\r\n<b>"),
];

/// An organization that says `text` wherever it may, and whoever owns it.
struct Planted {
    app: TestApp,
    owner: Browser,
    agent: String,
    webhook: String,
    run: String,
    delivery: String,
}

impl Planted {
    /// With `text` where names are, and `free` where any text may be.
    async fn with(text: &str, free: &str) -> Self {
        let app = TestApp::new().await;
        let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
        let agent = json!({"provider": "openai", "name": text, "description": text, "config": {}});
        let agent = app.api.post("/agents", agent).await.id();
        let mut url = url::Url::parse("https://hooks.example.com/x").unwrap();
        url.set_path(text);
        url.set_query(Some(text));
        let webhook = json!({"url": url.as_str(), "description": text, "secret": "s3cret"});
        let webhook = app.api.post("/webhooks", webhook).await.id();
        app.api.post("/test-suites", json!({"name": text})).await.id();
        app.api.post("/api-keys", json!({"name": text})).await.id();
        let run = app.api.post("/runs", json!({"agent_id": agent, "name": text})).await.id();
        let told = if free.chars().any(char::is_control) { text } else { free };
        let statuses = ["passed", "failed", "error", "canceled"];
        let results = statuses.map(|status| {
            let transcript = json!([{"role": text, "content": free}, {text: [free, {text: text}]}]);
            let criteria = json!([{"name": told, "met": true, "reason": told}]);
            json!({"scenario_id": format!("{status}{text}"), "scenario_name": text, "status": status, "grade_summary": told,
                "error_message": told, "criteria_results": criteria, "transcript": transcript})
        });
        app.api.post(&format!("/runs/{run}/results"), json!({"results": results})).await.is(200);
        app.handoff.fill();
        app.api.complete(&run).await;
        let mut planted = Self { app, owner, agent, webhook, run, delivery: String::new() };
        planted.answered(free).await;
        planted
    }

    /// One attempt failed with the text as its error, the next was answered with it.
    async fn answered(&mut self, text: &str) {
        let (world, store) = (&self.app.world, &self.app.world.store);
        let first = store.claim_due(world.now(), world.leases(1)).await.unwrap().pop().unwrap();
        let failed = Outcome::Failed(AttemptError { kind: ErrorKind::Tls, message: text.to_owned() });
        store.record(world.record(&first, failed, NextStep::RetryAt(world.now()))).await.unwrap();
        let second = store.claim_due(world.now(), world.leases(1)).await.unwrap().pop().unwrap();
        let response = message(&[("content-type", text), (text, text), ("location", text)], text.as_bytes());
        let record = world.record(&second, answered(502), NextStep::Exhausted);
        store.record(AttemptRecord { response: Some(response), ..record }).await.unwrap();
        self.delivery = first.delivery_id.to_string();
    }

    /// Every page there is, of what was planted.
    async fn pages(&self) -> Vec<(String, Shown)> {
        let mut pages = Vec::new();
        let all = page_calls().into_iter().filter(|call| call.method == "GET" && call.need.is_some());
        for call in all.filter(|call| !call.path.starts_with("/live/")) {
            let id = match call.path.split('/').nth(1) {
                Some("agents") => &self.agent,
                Some("webhooks") => &self.webhook,
                Some("test") => &self.run,
                Some("deliveries") if !call.path.contains("redeliveries") => &self.delivery,
                _ => NOBODY,
            };
            pages.push((call.path.to_owned(), self.owner.get(&call.path.replace("{id}", id)).await));
        }
        pages
    }
}

#[track_caller]
fn is_text_alone(what: &str, path: &str, shown: &Shown) {
    assert!(!shown.status.is_server_error(), "{what} on {path}: {}", shown.html);
    assert_eq!(dangers(&shown.html), [] as [String; 0], "{what} on {path}");
    is_behind_the_policy(path, shown);
}

#[track_caller]
fn is_behind_the_policy(path: &str, shown: &Shown) {
    let policy = shown.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
}

#[tokio::test]
async fn what_others_write_is_text_on_every_page_and_adds_no_element_and_no_attribute() {
    let harmless = Planted::with("harmless text", "harmless text").await.pages().await;
    for (what, text) in TEXTS {
        let pages = Planted::with(text, text).await.pages().await;
        assert!(pages.iter().filter(|(_, shown)| shown.html.contains("alert(1)")).count() > 8 || !text.contains("alert(1)"));
        for ((path, shown), (_, plain)) in pages.iter().zip(&harmless) {
            is_text_alone(what, path, shown);
            assert_eq!(shown.status, plain.status, "{what} on {path}");
            let (with, without) = (shapes(&shown.html), shapes(&plain.html));
            let new: Vec<_> = with.difference(&without).collect();
            assert!(new.is_empty(), "{what} on {path}: {new:?}");
        }
    }
    for (what, text) in HIDDEN {
        // A name is one line without control characters.
        let name = if text.chars().any(char::is_control) { "harmless text" } else { text };
        for (path, shown) in Planted::with(name, text).await.pages().await {
            is_text_alone(what, &path, &shown);
        }
    }
}

#[tokio::test]
async fn what_is_typed_into_a_form_or_an_address_comes_back_as_text() {
    let planted = Planted::with("harmless text", "harmless text").await;
    let owner = &planted.owner;
    let delivery = &planted.delivery;
    let forms: [(String, &[&str]); 7] = [
        ("/webhooks/save".to_owned(), &["url", "description", "replay_on_recovery", "version", "agent_id"]),
        ("/webhooks/check-url".to_owned(), &["url"]),
        ("/agents/new".to_owned(), &["name", "description", "provider", "config"]),
        (format!("/agents/{}/edit", planted.agent), &["name", "description", "config", "version"]),
        ("/settings/api-keys/new".to_owned(), &["name", "scope", "expires", "expires_at", "new"]),
        (format!("/deliveries/{delivery}/check-signature"), &["body", "secret", "attempt"]),
        ("/sign-in".to_owned(), &["email", "next", "password"]),
    ];
    for (what, text) in TEXTS.into_iter().chain(HIDDEN) {
        for (path, fields) in &forms {
            for wrong in *fields {
                let fields: Vec<_> = fields.iter().map(|name| (*name, if name == wrong { text } else { "x" })).collect();
                is_text_alone(what, path, &owner.post(path, &fields).await);
            }
        }
        let typed: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for path in
            ["/deliveries?q=", "/deliveries?from=", "/deliveries?status=", "/deliveries?cursor=", "/deliveries?done="]
        {
            is_text_alone(what, path, &owner.get(&format!("{path}{typed}")).await);
        }
        for path in ["/runs?status=", "/runs?agent=", "/runs?page=", "/runs?done=", "/agents?provider=", "/sign-in?next="] {
            is_text_alone(what, path, &owner.get(&format!("{path}{typed}")).await);
        }
        for path in ["/test/", "/deliveries/", "/agents/", "/join/", "/nowhere/"] {
            let path = format!("{path}{}", typed.replace('+', "%20"));
            let request = owner.request("GET", &path).body(Body::empty()).unwrap();
            let shown = owner.send(request).await;
            assert!(matches!(shown.status.as_u16(), 303 | 404), "{path}: {}", shown.status);
            is_text_alone(what, &path, &shown);
        }
    }
}
