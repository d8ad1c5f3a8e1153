//! What the log says of a request. One test alone, because a process has one log; those of all other tests go there, too.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::app::{TestApp, URL};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// What was written of the request of that id.
    fn of(&self, id: &str) -> String {
        let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let named = format!("request_id={id} ");
        all.lines().filter(|line| line.contains(&named)).collect::<Vec<_>>().join("\n")
    }

    /// Everything.
    fn all(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_request_has_one_line_that_names_it_and_tells_nothing_of_what_it_carries() {
    let app = TestApp::new().await;
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    tracing::subscriber::set_global_default(log).unwrap();
    let organization = app.world.organization.to_string();
    let call = async |id: &str, method: &str, path: &str, body: String| {
        let headers = [("x-request-id", id), ("idempotency-key", "canary-key")];
        app.api.call_with(method, path, &headers, body).await
    };

    let body = json!({"url": URL, "secret": "canary-of-secret", "description": "canary-body", "headers": {"X-A": "canary-of-header"}}).to_string();
    let webhook = call("log-1", "POST", "/webhooks", body).await.id();
    let line = lines.of("log-1");
    assert_eq!(line.lines().count(), 1, "{line}");
    for part in [" INFO ", "method=POST", "path=\"/api/v1/webhooks\"", "status=201", "duration_ms=", &organization] {
        assert!(line.contains(part), "{part}: {line}");
    }
    call("log-2", "GET", &format!("/webhooks/{webhook}?canary=canary"), String::new()).await.is(200);
    assert!(lines.of("log-2").contains("path=\"/api/v1/webhooks/{id}\""), "{}", lines.of("log-2"));
    call("log-3", "GET", "/canary", String::new()).await.refuses(404, "NOT_FOUND");
    assert!(lines.of("log-3").contains("path=\"none\" status=404"), "{}", lines.of("log-3"));

    app.database.hide(|table| table == "run_counts");
    call("log-4", "GET", "/runs", String::new()).await.refuses(503, "UNAVAILABLE");
    let line = lines.of("log-4");
    assert!(line.contains("ERROR") && line.contains("status=503") && line.contains("no such table: run_counts"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    let all = lines.all();
    assert!(!all.contains("canary") && !all.contains("sk_live") && !all.contains(&webhook), "{all}");
}
