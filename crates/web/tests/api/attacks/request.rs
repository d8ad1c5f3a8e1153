//! A request as it is written in the table, and how it is sent.

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::BodyExt;
use preclinical_core::member::Role;
use tower::ServiceExt;

use super::markup::dangers;
use crate::{
    app::{TestApp, URL},
    pages::Browser,
};

/// Who attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Somebody without a key and without a session.
    Anybody,
    /// Whoever has a key with every right.
    Key,
    /// The browser of an owner, led by somebody else or not.
    Owner,
}

/// What has to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Must {
    /// Refused with that status and code of the API.
    Refused(u16, &'static str),
    /// Answered with that status by the API or by a page.
    Answered(u16),
    /// Led to that path.
    Lead(&'static str),
    /// Answered as if it was not there, with 200, and nothing found.
    FindNothing,
}

/// One attack: what it is, who it is, what is sent, what must happen.
#[derive(Debug)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) who: Who,
    /// The method and the path; then a line for each header; then an empty line and the body. What stands in braces is filled in.
    pub(super) request: &'static str,
    pub(super) must: Must,
}

/// What no answer may say.
const INSIDES: [&str; 14] = [
    "sqlite",
    "no such table",
    "syntax error",
    "SELECT",
    "panicked",
    "crates/",
    ".rs:",
    "/tmp/",
    "root:",
    "canary-of-secret",
    "canary-of-config",
    "set-cookie: evil",
    "evil.example",
    "\r\n",
];

/// An organization with one of everything, its key, and its owner's browser.
pub(super) struct Target {
    pub(super) app: TestApp,
    pub(super) owner: Browser,
    foreign_csrf: String,
    agent: String,
    webhook: String,
    run: String,
    delivery: String,
}

impl Target {
    pub(super) async fn of(app: TestApp) -> Self {
        let owner = Browser::of(app.router(), &app.world, Role::Owner).await;
        let other = Browser::of(app.router(), &app.world, Role::Owner).await;
        let (agent, webhook) = (app.api.agent("Assistant").await, app.api.webhook(URL, None).await);
        let delivery = app.api.delivered(&agent).await;
        let run = app.api.run(&agent, Some(3)).await;
        app.handoff.idle().await;
        Self { app, owner, foreign_csrf: other.csrf, agent, webhook, run, delivery }
    }

    /// A path or a body with the ids of what there is.
    pub(super) fn filled(&self, text: &str) -> String {
        [
            ("{agent}", &self.agent),
            ("{webhook}", &self.webhook),
            ("{run}", &self.run),
            ("{delivery}", &self.delivery),
            ("{csrf}", &self.owner.csrf),
            ("{foreign}", &self.foreign_csrf),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Carries an attack out. `Err` says what came of it instead of what must.
    pub(super) async fn endure(&self, attack: &Attack) -> Result<(), String> {
        let before = self.app.database.rows();
        let response = self.app.router().oneshot(self.request(attack)).await.unwrap();
        let (parts, body) = response.into_parts();
        let is_stream = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Body::empty() } else { body };
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let (status, place) = (parts.status.as_u16(), parts.headers.get(header::LOCATION));
        let came = match attack.must {
            Must::Refused(expected, code) => status == expected && text.contains(&format!("\"code\":\"{code}\"")),
            Must::Answered(expected) => status == expected,
            Must::Lead(path) => status == 303 && place.is_some_and(|place| place == path),
            Must::FindNothing => status == 200 && !text.contains(&self.delivery) && !text.contains(&self.agent),
        };
        self.app.handoff.idle().await;
        if !came {
            return Err(format!("{status} {place:?} {text}"));
        }
        if self.app.database.rows() != before {
            return Err("it changed something".to_owned());
        }
        is_guarded(&parts.headers, &text)
    }

    fn request(&self, attack: &Attack) -> Request<Body> {
        let text = self.filled(attack.request);
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        match attack.who {
            Who::Anybody => {}
            Who::Key => request = request.header(header::AUTHORIZATION, self.app.api.authorization()),
            Who::Owner => {
                let session = self.owner.session.as_deref().unwrap();
                request = request.header(header::COOKIE, format!("__Host-session={session}"));
            }
        }
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        request.body(body_of(body).into()).unwrap()
    }
}

/// What is too long to be written down is told: `10000 x [`, then `|` and what follows. `\xff` is a byte that no text has.
fn body_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in text.split('|') {
        let (times, what) =
            part.split_once(" x ").and_then(|(times, what)| Some((times.parse().ok()?, what))).unwrap_or((1, part));
        for number in 0..times {
            bytes.extend(what.replace("{number}", &number.to_string()).into_bytes());
        }
    }
    let broken = b"{broken}";
    while let Some(at) = bytes.windows(broken.len()).position(|part| part == broken) {
        bytes.splice(at..at + broken.len(), [0xff]);
    }
    bytes
}

/// What every answer has, whatever was asked. `Err` says what it lacks.
fn is_guarded(headers: &HeaderMap, text: &str) -> Result<(), String> {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let policy = said("content-security-policy");
    let is_page = said("content-type").starts_with("text/html");
    let is_strict = policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'");
    let lines: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    let lines = lines.join("\n");
    let told = INSIDES.iter().find(|inside| text.contains(**inside) || lines.contains(**inside));
    let lacks = [
        (said("x-content-type-options") != "nosniff", "its type may be guessed"),
        (said("cache-control") != "no-store", "a cache may keep it"),
        (!is_strict || policy.contains("unsafe"), "its policy is weak"),
        (headers.contains_key("access-control-allow-origin"), "scripts of other sites may read it"),
        (is_page && said("x-frame-options") != "DENY", "it may stand in a frame"),
        (is_page && !dangers(text).is_empty(), "it has markup that is none of ours"),
        (told.is_some(), "it tells too much"),
    ];
    let lack = lacks.iter().find(|(lacks, _)| *lacks);
    lack.map_or(Ok(()), |(_, what)| Err(format!("{what}: {told:?} {lines} {text}")))
}
