//! Whom each call is for, and an example of it that succeeds.

use preclinical_core::scope::Scope;

use super::estate::Estate;

/// A call.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// The scopes that permit it, the narrowest first; or `everybody`.
    pub(super) scopes: &'static str,
    /// `{agent}` stands for the id of an agent.
    body: &'static str,
}

impl Row {
    /// Whether a key of that scope may make the call.
    pub(super) fn serves(&self, scope: Scope) -> bool {
        self.scopes == "everybody" || self.scopes.split(' ').any(|known| known == scope.as_str())
    }

    /// The path to something that an organization has.
    pub(super) fn path_in(&self, estate: &Estate) -> String {
        let owned = [
            ("/agents/{id}", &estate.agent),
            ("/webhooks/deliveries/{id}", &estate.delivery),
            ("/webhooks/redeliveries/{id}", &estate.job),
            ("/webhooks/{id}", &estate.webhook),
            ("/runs/{id}", &estate.run),
            ("/api-keys/{id}", &estate.key),
        ];
        let id = owned.iter().find(|(prefix, _)| self.path.starts_with(&format!("/api/v1{prefix}"))).map(|(_, id)| id);
        let path = id.map_or_else(|| self.path.to_owned(), |id| self.path.replace("{id}", id));
        assert!(!path.contains('{'), "say whose id is in {path}");
        if path.ends_with("/events") { format!("{path}?run_id={}", estate.run) } else { path }
    }

    /// The body that goes with it.
    pub(super) fn body_in(&self, estate: &Estate) -> String {
        self.body.replace("{agent}", &estate.agent)
    }
}

const fn row(method: &'static str, path: &'static str, scopes: &'static str, body: &'static str) -> Row {
    Row { method, path, scopes, body }
}

const FOLLOW: &str = "read report write";
const READ: &str = "read write";
const REPORT: &str = "report write";
const WRITE: &str = "write";

/// Every call.
pub(super) const CALLS: &[Row] = &[
    row("GET", "/health", "everybody", ""),
    row("GET", "/api/openapi.json", "everybody", ""),
    row("GET", "/api/docs", "everybody", ""),
    row("GET", "/events", FOLLOW, ""),
    row("GET", "/api/v1/events", FOLLOW, ""),
    row("GET", "/api/v1/stream", READ, ""),
    row("GET", "/api/v1/agents", FOLLOW, ""),
    row("POST", "/api/v1/agents", WRITE, r#"{"provider":"vapi","name":"Other","config":{}}"#),
    row("GET", "/api/v1/agents/{id}", FOLLOW, ""),
    row("PUT", "/api/v1/agents/{id}", WRITE, r#"{"name":"Renamed"}"#),
    row("PATCH", "/api/v1/agents/{id}", WRITE, r#"{"name":"Renamed"}"#),
    row("DELETE", "/api/v1/agents/{id}", WRITE, ""),
    row("POST", "/api/v1/agents/{id}/validate", WRITE, "{}"),
    row("GET", "/api/v1/agents/{id}/effective-webhook", READ, ""),
    row("GET", "/api/v1/api-keys", WRITE, ""),
    row("POST", "/api/v1/api-keys", WRITE, r#"{"name":"ci"}"#),
    row("DELETE", "/api/v1/api-keys/{id}", WRITE, ""),
    row("GET", "/api/v1/test-suites", READ, ""),
    row("POST", "/api/v1/test-suites", WRITE, r#"{"name":"Bookings"}"#),
    row("GET", "/api/v1/webhooks", READ, ""),
    row("POST", "/api/v1/webhooks", WRITE, r#"{"url":"https://hooks.example.com","agent_id":"{agent}"}"#),
    row("GET", "/api/v1/webhooks/{id}", READ, ""),
    row("PUT", "/api/v1/webhooks/{id}", WRITE, r#"{"url":"https://other.example.com","is_enabled":false}"#),
    row("DELETE", "/api/v1/webhooks/{id}", WRITE, ""),
    row("POST", "/api/v1/webhooks/{id}/test", WRITE, "{}"),
    row("POST", "/api/v1/webhooks/{id}/rotate-secret", WRITE, "{}"),
    row("POST", "/api/v1/webhooks/{id}/replay", WRITE, "{}"),
    row("GET", "/api/v1/webhooks/{id}/deliveries", READ, ""),
    row("GET", "/api/v1/webhooks/deliveries", READ, ""),
    row("GET", "/api/v1/webhooks/deliveries/{id}", READ, ""),
    row("POST", "/api/v1/webhooks/deliveries/{id}/redeliver", WRITE, "{}"),
    row("POST", "/api/v1/webhooks/deliveries/{id}/cancel", WRITE, "{}"),
    row("GET", "/api/v1/webhooks/redeliveries", READ, ""),
    row("POST", "/api/v1/webhooks/redeliveries", WRITE, r#"{"dry_run":true}"#),
    row("GET", "/api/v1/webhooks/redeliveries/{id}", READ, ""),
    row("POST", "/api/v1/webhooks/redeliveries/{id}/cancel", WRITE, "{}"),
    row("GET", "/api/v1/runs", FOLLOW, ""),
    row("POST", "/api/v1/runs", REPORT, r#"{"agent_id":"{agent}"}"#),
    row("GET", "/api/v1/runs/{id}", FOLLOW, ""),
    row("GET", "/api/v1/runs/{id}/decisions", READ, ""),
    row("GET", "/api/v1/runs/{id}/results", FOLLOW, ""),
    row(
        "POST",
        "/api/v1/runs/{id}/results",
        REPORT,
        r#"{"results":[{"scenario_id":"1","scenario_name":"1","status":"passed"}]}"#,
    ),
    row("POST", "/api/v1/runs/{id}/complete", REPORT, "{}"),
    row("POST", "/api/v1/runs/{id}/cancel", REPORT, ""),
];
