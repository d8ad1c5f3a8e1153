//! A webhook as people, or scripts, want to read it.

use preclinical_core::{event::EventKind, request::header};
use serde_json::{Value, json};

use crate::{
    receiver::{Check, Received},
    terminal::{BAD, FAINT, GOOD, NOTE, STRONG, Styled, printable},
};

/// Several lines with what matters: run, verdict, counts, signatures, answer.
pub(crate) fn as_text(received: &Received) -> String {
    let time = received.at.strftime("%H:%M:%S");
    let mut lines = vec![String::new()];
    match serde_json::from_slice::<Value>(&received.body) {
        Ok(body) if body["test_run"].is_object() => describe(&body, &time.to_string(), &mut lines),
        Ok(body) if body["event"] == EventKind::WebhookDisabled.as_str() => tell(&body, &time.to_string(), &mut lines),
        _ => {
            let text: String = String::from_utf8_lossy(&received.body).chars().take(500).collect();
            lines.push(format!("{time}  {}", Styled(BAD, "not a webhook of Preclinical")));
            lines.push(format!("  {}", printable(&text)));
        }
    }
    lines.push(format!("  X-Preclinical-Signature  {}", verdict(&received.checks.preclinical)));
    lines.push(format!("  webhook-signature        {}", verdict(&received.checks.standard)));
    let delivery = received.headers.get(header::DELIVERY).and_then(|value| value.to_str().ok()).unwrap_or("-");
    let status = received.answered.as_u16();
    let answer = Styled(if received.answered.is_success() { GOOD } else { BAD }, status);
    lines.push(format!("  {} {}  answered {answer}", Styled(FAINT, "delivery"), printable(delivery)));
    lines.join("\n")
}

fn describe(body: &Value, time: &str, lines: &mut Vec<String>) {
    let run = &body["test_run"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), printable);
    let status = text(&run["status"]);
    let style = match status.as_str() {
        "completed" if run["failed_count"] == 0 && run["error_count"] == 0 => GOOD,
        "completed" => NOTE,
        _ => BAD,
    };
    let title = format!("{}  {}", text(&run["test_run_id"]), text(&run["name"]));
    let mark = if body["is_test"] == true { "  (test delivery)" } else { "" };
    lines.push(format!("{time}  {}  {}{mark}", Styled(STRONG, title), Styled(style, status)));
    lines.push(format!("  agent {}", text(&run["agent_name"])));
    lines.push(format!(
        "  pass rate {} %: {} passed, {} failed, {} errors of {} in {} s",
        run["pass_rate"],
        run["passed_count"],
        run["failed_count"],
        run["error_count"],
        run["total_scenarios"],
        run["duration_seconds"],
    ));
    if let Some(url) = body["results_url"].as_str() {
        lines.push(format!("  {}", printable(url)));
    }
}

/// A webhook that was disabled.
fn tell(body: &Value, time: &str, lines: &mut Vec<String>) {
    let webhook = &body["webhook"];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), printable);
    let title = format!("webhook of {} disabled", text(&webhook["agent_name"]));
    lines.push(format!("{time}  {}  {}", Styled(STRONG, title), Styled(BAD, text(&webhook["reason"]))));
    lines.push(format!("  {} attempts failed since {}", webhook["consecutive_failures"], text(&webhook["failing_since"])));
    lines.push(format!("  {}", text(&body["settings_url"])));
}

fn verdict(check: &Check) -> String {
    match check {
        Check::Verified => Styled(GOOD, "verified").to_string(),
        Check::NotChecked => Styled(NOTE, "present, not checked (no secret given)").to_string(),
        Check::NotSigned => Styled(FAINT, "none").to_string(),
        Check::Refused(why) => format!("{}: {why}", Styled(BAD, "refused")),
    }
}

/// One line: when, whether verified, what was answered, the headers that matter and the body.
pub(super) fn as_json(received: &Received) -> String {
    let value = |name| received.headers.get(name).and_then(|value| value.to_str().ok());
    let body = serde_json::from_slice(&received.body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(&received.body);
        Value::from(text.as_ref())
    });
    json!({
        "received_at": received.at.to_string(),
        "verified": received.checks.verified(),
        "signatures": received.checks,
        "answered": received.answered.as_u16(),
        "delivery": value(header::DELIVERY),
        "webhook_id": value(header::WEBHOOK_ID),
        "webhook_timestamp": value(header::WEBHOOK_TIMESTAMP),
        "body": body,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, StatusCode};
    use jiff::Timestamp;

    use super::*;
    use crate::receiver::Checks;

    fn received(body: &'static [u8]) -> Received {
        let (headers, at) = (HeaderMap::new(), Timestamp::UNIX_EPOCH);
        let checks = Checks::of(None, &headers, body, at);
        Received { at, headers, body: body.into(), checks, answered: StatusCode::OK }
    }

    #[test]
    fn hostile_names_reach_the_terminal_escaped_and_json_as_one_line() {
        let body = br#"{"test_run":{"test_run_id":"TR-00001","name":"\u001b[2J\nx","status":"completed"}}"#;
        let text = as_text(&received(body));
        assert!(!text.contains("\u{1b}[2J") && text.contains("\\u{1b}[2J"), "{text}");
        assert!(!as_json(&received(body)).contains('\n'));
    }

    #[test]
    fn what_is_no_webhook_is_shown_as_such() {
        assert!(as_text(&received(b"\xff\x00 hello")).contains("not a webhook"));
        assert!(as_json(&received(b"hello")).contains(r#""body":"hello""#));
    }
}
