//! Everything that an installation can do, once, with secrets wherever one can be.

use http::Method;
use preclinical_testkit::{
    authority::Authority,
    receiver::{Reaction, Receiver},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    browser::{Answer, Browser},
    canary::Canary,
    harness::Server,
    site::{MASTER_KEY, Site},
};

const SIGNING: &str = "Canary of/signing+secret=4711";
const ROTATED: &str = "Canary of/rotated+secret=4712";
const GIVEN_UP: &str = "Canary of a secret, refused: 4713";
const PASSWORD: &str = "Canary & the <password> of ada";
const CREDENTIAL: &str = "sk-canary-of-the-agents-credential-4714";
const HEADER: &str = "canary-of-a-header-7Qm2Xw9Lp4";
const QUERY: &str = "canary-of-the-query-4715";
const USER_INFO: &str = "canary-of-the-user-info-4716";
const DATABASE: &str = "canary-of-the-database-4717";
const UNKNOWN_KEY: &str = "sk_live_CanaryOfAKeyThatNobodyHas0000000000000000";

/// Who is shown the query of a webhook's URL: whoever may read webhooks and deliveries, the receiver, and the database.
const OF_URLS: &[&str] = &[
    "POST /api/v1/webhooks",
    "GET /api/v1/webhooks",
    "GET /api/v1/webhooks/{id}",
    "PUT /api/v1/webhooks/{id}",
    "GET /api/v1/webhooks/deliveries",
    "GET /api/v1/webhooks/deliveries/{id}",
    "GET /api/v1/webhooks/{id}/deliveries",
    "POST /api/v1/webhooks/deliveries/{id}/redeliver",
    "GET /api/v1/agents/{id}/effective-webhook",
    "GET /api/v1/runs/{id}/decisions",
    "stream of /api/v1/stream",
    "stream of /live/deliveries",
    "GET /settings/webhooks",
    "GET /deliveries",
    "GET /deliveries/{id}",
    "GET /test/{id}",
    "POST /deliveries/{id}/check-signature",
    "POST /webhooks/{id}/reveal",
    "POST /webhooks/{id}/rotate",
    "POST /webhooks/{id}/test",
    "GET /webhooks/{id}/delete",
    "receiver",
    "database",
    "file backup.db",
];

/// Plays it, and says what was secret in it. A new kind of secret (a proxy's password) is planted here, and
/// named in the list below with the places that are meant to show it.
pub(crate) async fn of(site: &mut Site) -> Vec<Canary> {
    let key = site.run("keys create", &["keys", "create", "--name", "tour"], &[]);
    let narrow = site.run("keys create", &["keys", "create", "--name", "narrow", "--scope", "report"], &[]);
    let mut server = site.serve(&[("PRECLINICAL_ALLOW_CIDRS", "127.0.0.0/8"), ("PRECLINICAL_RETRY_SCHEDULE", "1ms,1h")]);
    let line = server.next_line();
    site.keep("set up", line.as_bytes());
    let setup = between(&line, "/join/", "  (").to_owned();
    let receiver = Receiver::start([Reaction::status(500), Reaction::answer(200, "x-trace: 1\r\n", b"{\"ok\":true}")]).await;

    let nobody = site.browser(&server, false);
    let session = sign_in(&nobody, &setup).await;
    let tourist = nobody.with_session(&session).with_key(&key);
    let streams = [tourist.follow("/api/v1/stream").await, tourist.follow("/live/deliveries").await];
    let estate = Estate::found(&tourist, &receiver).await;
    let of_run = tourist.follow(&format!("/api/v1/events?run_id={}", estate.run)).await;
    let invitation = members(&tourist).await;
    let second_key = api_key(&tourist).await;
    mistakes(&tourist, &narrow, &estate).await;
    deliveries(&tourist, &receiver, &estate).await;
    failures(&tourist, &estate).await;
    validation(&tourist, &receiver).await;
    let (generated, paged) = rotations(&tourist, &estate).await;
    everything_there_is_to_read(&tourist, &estate).await;
    http2(site, &server, &key, &session).await;
    let reset = commands(site, &server, &key);
    while receiver.waiting().await > 0 {
        let seen = receiver.next().await;
        site.keep("receiver", &[seen.head.as_bytes(), &seen.body].concat());
    }
    server.terminate();
    assert!(server.wait().success(), "{}", server.log());
    for stream in streams.into_iter().chain([of_run]) {
        stream.await.unwrap();
    }
    blocked(site, &key, &estate).await;

    vec![
        Canary::new("the signing secret", SIGNING, &["POST /webhooks/{id}/reveal"]),
        Canary::new("the rotated secret", ROTATED, &[]),
        Canary::new("a generated secret", generated, &["POST /api/v1/webhooks/{id}/rotate-secret"]),
        Canary::new("a secret generated on the page", paged, &["POST /webhooks/{id}/rotate"]),
        Canary::new("a secret that was refused", GIVEN_UP, &[]),
        Canary::new("the key", key, &["keys create"]),
        Canary::new("a narrow key", narrow, &["keys create"]),
        Canary::new("a key of the API", second_key, &["POST /api/v1/api-keys"]),
        Canary::new("a key that nobody has", UNKNOWN_KEY, &[]),
        Canary::new("the password", PASSWORD, &[]),
        Canary::new("the session", session, &["POST /join/{token}"]),
        Canary::new("the setup link", setup, &["set up"]),
        Canary::new("an invitation", invitation, &["POST /settings/members/invite"]),
        Canary::new("a password link", reset, &["members reset-password"]),
        // A form that was refused is shown again to whoever typed it.
        Canary::new("the agent's credential", CREDENTIAL, &["receiver", "POST /agents/new"]),
        Canary::new("a custom header", HEADER, &["receiver"]),
        Canary::new("the master key", MASTER_KEY, &[]),
        Canary::new("the query of a URL", QUERY, OF_URLS),
        Canary::new("the user info of a URL", USER_INFO, &["POST /webhooks/save"]),
        Canary::new("the database's password", DATABASE, &[]),
    ]
}

/// What the organization has.
struct Estate {
    agent: String,
    webhook: String,
    run: String,
    url: String,
}

impl Estate {
    async fn found(tourist: &Browser, receiver: &Receiver) -> Self {
        let url = format!("{}?token={QUERY}", receiver.url());
        let config = json!({"api_key": CREDENTIAL, "base_url": format!("{}/v1", receiver.url())});
        let agent = json!({"provider": "openai", "name": "Assistant", "config": config});
        let agent = id(&post(tourist, "/api/v1/agents", &agent).await);
        let webhook =
            id(&post(tourist, "/api/v1/webhooks", &json!({"url": url, "secret": SIGNING, "headers": {"X-Tenant": HEADER}}))
                .await);
        let run = json!({"agent_id": agent, "total_scenarios": 1});
        let run = id(&post(tourist, "/api/v1/runs", &run).await);
        Self { agent, webhook, run, url }
    }

    fn webhook_path(&self) -> String {
        format!("/api/v1/webhooks/{}", self.webhook)
    }
}

async fn post(tourist: &Browser, path: &str, body: &Value) -> Answer {
    tourist.send(Method::POST, path, "application/json", body.to_string()).await
}

async fn form(tourist: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    tourist.send(Method::POST, path, "application/x-www-form-urlencoded", form).await
}

/// A form of a page, with the token that the page gives it.
async fn submit(tourist: &Browser, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = tourist.get(page).await;
    let csrf = between(&shown.text, "name=\"csrf\" value=\"", "\"").to_owned();
    form(tourist, path, &[&[("csrf", csrf.as_str())], fields].concat()).await
}

#[track_caller]
fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(behind).unwrap_or((rest, "")).0
}

#[track_caller]
fn id(answer: &Answer) -> String {
    assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text);
    between(&answer.text, "\"id\":\"", "\"").to_owned()
}

/// Becomes the owner, with wrong turns before; the session.
async fn sign_in(nobody: &Browser, setup: &str) -> String {
    let join = format!("/join/{setup}");
    nobody.get(&join).await;
    form(nobody, &join, &[("email", "no address"), ("password", PASSWORD)]).await;
    form(nobody, "/sign-in", &[("email", "ada@example.com"), ("password", PASSWORD), ("next", "//evil.example")]).await;
    let joined = form(nobody, &join, &[("email", "ada@example.com"), ("password", PASSWORD)]).await;
    assert_eq!(joined.status, 303, "{}", joined.text);
    let session = between(&joined.head, "session=", ";").to_owned();
    let ada = nobody.with_session(&session);
    ada.get(&join).await;
    let (page, path) = ("/settings/account", "/settings/account/password");
    submit(&ada, page, path, &[("password", PASSWORD), ("new-password", "short")]).await;
    submit(&ada, page, path, &[("password", "wrong"), ("new-password", PASSWORD)]).await;
    session
}

/// Invites somebody; the token of the link.
async fn members(tourist: &Browser) -> String {
    let path = "/settings/members/invite";
    let invited = submit(tourist, path, path, &[("role", "viewer")]).await;
    let token = between(&invited.text, "/join/", "\"").to_owned();
    let join = format!("/join/{token}");
    let nobody = tourist.with_session("");
    nobody.get(&join).await;
    form(&nobody, &join, &[("email", "bob@example.com"), ("password", "x")]).await;
    token
}

/// Creates a key, twice in the same call.
async fn api_key(tourist: &Browser) -> String {
    let created = post(tourist, "/api/v1/api-keys", &json!({"name": "another"})).await;
    between(&created.text, "\"key\":\"", "\"").to_owned()
}

/// Whatever is refused and might be told back.
async fn mistakes(tourist: &Browser, narrow: &str, estate: &Estate) {
    let userinfo = format!("http://user:{USER_INFO}@127.0.0.1/hook");
    let agent = |config: &Value| json!({"provider": "openai", "name": "Refused", "config": config});
    let bodies = [
        ("/api/v1/webhooks", json!({"url": userinfo, "secret": GIVEN_UP})),
        ("/api/v1/webhooks", json!({"url": "https://example.com/", "secret": format!("{GIVEN_UP}\u{7}")})),
        ("/api/v1/webhooks", json!({"url": "https://example.com/", "secret": [GIVEN_UP]})),
        ("/api/v1/webhooks", json!({"url": "https://example.com/", "secret": format!("whsec_{GIVEN_UP}")})),
        ("/api/v1/webhooks", json!({"url": estate.url, "secret": GIVEN_UP})),
        ("/api/v1/webhooks", json!({"url": "https://example.com/", "headers": {"Host": HEADER}})),
        ("/api/v1/webhooks", json!({"url": "https://example.com/", "headers": {"X-Tenant": format!("{HEADER}\n")}})),
        ("/api/v1/webhooks", json!({"url": "https://example.com/", "headers": HEADER})),
        ("/api/v1/agents", agent(&json!(CREDENTIAL))),
        ("/api/v1/agents", agent(&json!([{"api_key": CREDENTIAL}]))),
        ("/api/v1/agents", json!({"provider": CREDENTIAL, "name": "Refused", "config": {}})),
        ("/api/v1/api-keys", json!({"name": "x", "scope": GIVEN_UP})),
    ];
    for (path, body) in &bodies {
        let refused = post(tourist, path, body).await;
        assert!((400..500).contains(&refused.status), "{path} {body}: {}", refused.text);
        tourist.send(Method::POST, path, "text/plain", body.to_string()).await;
        let cut = body.to_string();
        tourist.send(Method::POST, path, "application/json", cut[..cut.len() - 1].to_owned()).await;
        for key in [UNKNOWN_KEY, narrow] {
            post(&tourist.with_key(key), path, body).await;
        }
    }
    for (url, secret) in [(userinfo.as_str(), GIVEN_UP), ("https://example.com/", "a bell \u{7}")] {
        submit(tourist, "/settings/webhooks", "/webhooks/save", &[("url", url), ("secret", secret)]).await;
        submit(tourist, "/settings/webhooks", "/webhooks/check-url", &[("url", url)]).await;
    }
    let config = format!("{{\"api_key\":\"{CREDENTIAL}\",}}");
    submit(tourist, "/agents/new", "/agents/new", &[("provider", "openai"), ("name", "x"), ("config", &config)]).await;
    form(tourist, "/agents/new", &[("csrf", "foreign"), ("config", &config)]).await;
    tourist.get(&format!("/no/such/path/{UNKNOWN_KEY}")).await;
    tourist.get(&format!("/api/v1/runs?key={UNKNOWN_KEY}&token={QUERY}")).await;
    tourist.get(&format!("/api/v1/{UNKNOWN_KEY}")).await;
}

/// A run ends, its webhook fails, is tried again and arrives; it is sent again and tested.
async fn deliveries(tourist: &Browser, receiver: &Receiver, estate: &Estate) {
    let result = json!({"scenario_id": "1", "scenario_name": "One", "status": "passed"});
    post(tourist, &format!("/api/v1/runs/{}/results", estate.run), &json!({"results": [result]})).await;
    // The first answer is 500, the second 200.
    for _ in 0..2 {
        receiver.next().await;
    }
    let tested = post(tourist, &format!("{}/test", estate.webhook_path()), &json!({})).await;
    assert!(tested.text.contains("200"), "{}", tested.text);
    submit(tourist, "/settings/webhooks", &format!("/webhooks/{}/test", estate.webhook), &[]).await;
    let delivery = delivery(tourist).await;
    post(tourist, &format!("/api/v1/webhooks/deliveries/{delivery}/redeliver"), &json!({})).await;
    let path = format!("/deliveries/{delivery}/check-signature");
    for secret in [SIGNING, GIVEN_UP] {
        submit(tourist, &format!("/deliveries/{delivery}"), &path, &[("secret", secret), ("body", "{}")]).await;
    }
}

async fn delivery(tourist: &Browser) -> String {
    id(&tourist.get("/api/v1/webhooks/deliveries").await)
}

/// Receivers that cannot be reached, each in another way.
async fn failures(tourist: &Browser, estate: &Estate) {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let untrusted = Receiver::start_tls(Authority::default().server("127.0.0.1", &[]), []).await;
    let urls = [
        (format!("http://canary.invalid/hook?token={QUERY}"), "dns"),
        (format!("http://{closed}/hook?token={QUERY}"), "connect"),
        (format!("{}?token={QUERY}", untrusted.url()), "tls"),
    ];
    for (url, kind) in urls {
        let change = json!({"url": url}).to_string();
        tourist.send(Method::PUT, &estate.webhook_path(), "application/json", change).await;
        post(tourist, &format!("{}/test", estate.webhook_path()), &json!({})).await;
        submit(tourist, "/settings/webhooks", &format!("/webhooks/{}/test", estate.webhook), &[]).await;
        let failed = tourist.get(&format!("/api/v1/webhooks/deliveries/{}", delivery(tourist).await)).await;
        assert!(failed.text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {}", failed.text);
    }
    let change = json!({"url": estate.url}).to_string();
    tourist.send(Method::PUT, &estate.webhook_path(), "application/json", change).await;
}

/// The configuration is looked at, good and bad.
async fn validation(tourist: &Browser, receiver: &Receiver) {
    let bases = [
        format!("{}/v1", receiver.url()),
        format!("http://127.0.0.1:9/v1?token={QUERY}"),
        format!("http://user:{USER_INFO}@{}/v1", receiver.address),
        "http://canary.invalid/v1".to_owned(),
        format!("no url at all {USER_INFO}"),
    ];
    for (number, base) in bases.iter().enumerate() {
        let config = json!({"api_key": CREDENTIAL, "base_url": base});
        let agent = json!({"provider": "openai", "name": format!("Agent {number}"), "config": config});
        let agent = id(&post(tourist, "/api/v1/agents", &agent).await);
        post(tourist, &format!("/api/v1/agents/{agent}/validate"), &json!({})).await;
        submit(tourist, &format!("/agents/{agent}/edit"), &format!("/agents/{agent}/validate"), &[]).await;
    }
}

/// The secret is shown, and changed in every way; those that were generated.
async fn rotations(tourist: &Browser, estate: &Estate) -> (String, String) {
    let page = format!("/webhooks/{}", estate.webhook);
    let revealed = submit(tourist, "/settings/webhooks", &format!("{page}/reveal"), &[]).await;
    assert!(revealed.text.contains(SIGNING), "{}", revealed.text);
    let path = format!("{}/rotate-secret", estate.webhook_path());
    post(tourist, &path, &json!({"secret": ROTATED})).await;
    let generated = post(tourist, &path, &json!({})).await;
    let generated = between(&generated.text, "\"secret\":\"", "\"").to_owned();
    let shown = submit(tourist, "/settings/webhooks", &format!("{page}/rotate"), &[("overlap", "3600")]).await;
    let paged = format!("whsec_{}", between(&shown.text, "whsec_", "\""));
    post(tourist, &format!("{}/test", estate.webhook_path()), &json!({})).await;
    (generated, paged)
}

/// Every call and page that reads.
async fn everything_there_is_to_read(tourist: &Browser, estate: &Estate) {
    let delivery = delivery(tourist).await;
    let own = |path: &str| {
        let id = match path.trim_start_matches("/api/v1").split('/').nth(1) {
            Some("agents") => &estate.agent,
            Some("deliveries") => &delivery,
            Some("webhooks") if path.contains("/deliveries/{id}") => &delivery,
            Some("webhooks") => &estate.webhook,
            _ => &estate.run,
        };
        path.replace("{id}", id).replace("{token}", &"A".repeat(43)).replace("{name}", "app.css")
    };
    let calls = preclinical_web::calls().into_iter().map(|call| (call.method, call.path));
    let pages = preclinical_web::page_calls().into_iter().map(|call| (call.method, call.path.to_owned()));
    for (_, path) in calls.chain(pages).filter(|(method, _)| *method == "GET") {
        let is_stream = path.starts_with("/live/") || path.ends_with("/events") || path.ends_with("/stream");
        if !is_stream {
            let read = tourist.get(&own(&path)).await;
            assert!(read.status < 500, "{path}: {}", read.text);
        }
    }
}

/// The same secrets in the frames of HTTP/2.
async fn http2(site: &Site, server: &Server, key: &str, session: &str) {
    let over = site.browser(server, true).with_key(key).with_session(session);
    assert_eq!(over.get("/api/v1/webhooks").await.status, 200);
    assert_eq!(over.get("/settings/webhooks").await.status, 200);
    post(&over, "/api/v1/webhooks", &json!({"url": "https://example.com/", "secret": GIVEN_UP})).await;
}

/// The command line beside the server; a new password's link.
fn commands(site: &Site, server: &Server, key: &str) -> String {
    let results = site.path("results.xml");
    std::fs::write(&results, "<testsuite name=\"a\"><testcase name=\"a\" classname=\"c\"/></testsuite>").unwrap();
    let results = results.to_str().unwrap();
    let report = ["report", results, "--agent", "Assistant"];
    for (name, url, key) in [
        ("report", server.url.as_str(), key),
        ("report with a wrong key", &server.url, UNKNOWN_KEY),
        ("report to nobody", "http://127.0.0.1:9/", key),
        ("report to a URL with a password", &format!("http://user:{USER_INFO}@127.0.0.1:9/?token={QUERY}"), key),
    ] {
        site.run(name, &report, &[("PRECLINICAL_API_URL", url), ("PRECLINICAL_API_KEY", key)]);
    }
    site.run("report --help", &["report", "--help"], &[("PRECLINICAL_API_KEY", key)]);
    site.run("listen --help", &["listen", "--help"], &[("PRECLINICAL_WEBHOOK_SECRET", SIGNING)]);
    site.run("listen", &["listen", "--port", "0"], &[("PRECLINICAL_WEBHOOK_SECRET", &format!("whsec_{GIVEN_UP}"))]);
    site.run("keys list", &["keys", "list"], &[]);
    site.run("members list", &["members", "list"], &[]);
    site.run("organizations list", &["organizations", "list"], &[]);
    let postgres = format!("postgres://canary:{DATABASE}@127.0.0.1:9/webhooks?sslmode=");
    for mode in ["disable", "nonsense"] {
        site.run("keys list", &["keys", "list"], &[("PRECLINICAL_DATABASE_URL", &format!("{postgres}{mode}"))]);
    }
    site.run("a wrong master key", &["keys", "list"], &[("PRECLINICAL_MASTER_KEY", &format!("{MASTER_KEY}{GIVEN_UP}"))]);
    site.run("backup", &["backup", site.path("backup.db").to_str().unwrap()], &[]);
    let link = site.run("members reset-password", &["members", "reset-password", "ada@example.com"], &[]);
    between(&link, "/join/", "\n").to_owned()
}

/// A server that may not call the receiver any more; it dies in the middle, so that what is not in the file is beside it.
async fn blocked(site: &Site, key: &str, estate: &Estate) {
    let mut server = site.serve(&[]);
    let tourist = site.browser(&server, false).with_key(key);
    post(&tourist, &format!("{}/test", estate.webhook_path()), &json!({})).await;
    let refused = tourist.get(&format!("/api/v1/webhooks/deliveries/{}", delivery(&tourist).await)).await;
    assert!(refused.text.contains("\"kind\":\"blocked\""), "{}", refused.text);
    server.kill();
}
