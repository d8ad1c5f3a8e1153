//! The body of a webhook request.

use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    event::{EventContent, EventKind},
    wire_time,
};

/// The body of one attempt: the event's frozen content behind what is particular to this attempt.
///
/// The result is what gets signed, sent and kept; it is built once per attempt.
pub fn body(kind: EventKind, content: &EventContent, sent_at: Timestamp) -> Bytes {
    let is_test = match kind {
        EventKind::Test => r#""is_test":true,"#,
        EventKind::TestRunCompleted | EventKind::WebhookDisabled => "",
    };
    let head = format!(r#"{{"event":"{}",{is_test}"timestamp":"{}","#, kind.as_str(), wire_time::format(sent_at));
    let rest = content.bytes().get(1..).unwrap_or(b"}");
    [head.as_bytes(), rest].concat().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::{
        event::DisabledWebhook,
        health::Health,
        id::{AgentId, OrganizationId, RunId, WebhookId},
        run::{Run, RunNumber, RunStatus},
        tally::Tally,
        webhook::DisabledReason,
    };

    fn run() -> Run {
        Run {
            id: RunId::from_uuid(Uuid::from_u128(0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7)),
            organization_id: OrganizationId::from_uuid(Uuid::nil()),
            number: RunNumber(42),
            name: "Emergency Response Test".into(),
            agent_id: AgentId::from_uuid(Uuid::from_u128(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8)),
            agent_name: "Healthcare Assistant".into(),
            status: RunStatus::Completed,
            tally: Tally { passed: 17, failed: 3, error: 0, total: 20 },
            started_at: "2026-01-30T10:30:00Z".parse().ok(),
            completed_at: "2026-01-30T10:32:45Z".parse().ok(),
            created_at: "2026-01-30T10:29:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_documented_example_comes_out_to_the_byte() {
        let content = EventContent::of_run(&run(), "https://app.example.com");
        let body = body(EventKind::TestRunCompleted, &content, "2026-01-30T10:32:45.7Z".parse().unwrap());
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            concat!(
                r#"{"event":"test_run_completed","timestamp":"2026-01-30T10:32:45Z","#,
                r#""test_run":{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","test_run_id":"TR-00042","name":"Emergency Response Test","#,
                r#""agent_id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","agent_name":"Healthcare Assistant","status":"completed","#,
                r#""pass_rate":85.0,"passed_count":17,"failed_count":3,"error_count":0,"total_scenarios":20,"#,
                r#""started_at":"2026-01-30T10:30:00Z","completed_at":"2026-01-30T10:32:45Z","duration_seconds":165},"#,
                r#""results_url":"https://app.example.com/test/7c9e6679-7425-40de-944b-e07fc1f90ae7"}"#
            )
        );
    }

    #[test]
    fn a_run_canceled_before_it_began_says_so_with_a_null() {
        let run = Run { started_at: None, status: RunStatus::Canceled, ..run() };
        let body = body(EventKind::TestRunCompleted, &EventContent::of_run(&run, ""), run.created_at);
        let json: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["test_run"]["started_at"], Value::Null);
        assert_eq!(json["test_run"]["duration_seconds"], 0);
        assert_eq!(json["test_run"]["status"], "canceled");
    }

    #[test]
    fn a_disabled_webhook_is_told_of_without_what_may_be_secret_in_its_url() {
        let webhook = DisabledWebhook {
            id: WebhookId::from_uuid(Uuid::from_u128(1)),
            url: "https://hooks.example.com:8443/services/T00/s3cret?token=s3cret",
            agent_id: AgentId::from_uuid(Uuid::from_u128(2)),
            agent_name: "Nurse \"Line\"",
            reason: DisabledReason::Failing,
            health: Health {
                failing_since: "2026-01-25T10:00:00.5Z".parse().ok(),
                consecutive_failures: 48,
                ..Health::default()
            },
        };
        let content = EventContent::of_disabling(&webhook, "https://app.example.com");
        let body = body(EventKind::WebhookDisabled, &content, "2026-01-30T10:32:45Z".parse().unwrap());
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            concat!(
                r#"{"event":"webhook_disabled","timestamp":"2026-01-30T10:32:45Z","#,
                r#""webhook":{"id":"00000000-0000-0000-0000-000000000001","url":"https://hooks.example.com:8443","#,
                r#""agent_id":"00000000-0000-0000-0000-000000000002","agent_name":"Nurse \"Line\"","reason":"failing","#,
                r#""failing_since":"2026-01-25T10:00:00Z","consecutive_failures":48},"#,
                r#""settings_url":"https://app.example.com/agents/00000000-0000-0000-0000-000000000002/edit#webhook"}"#
            )
        );
    }

    #[test]
    fn a_test_delivery_carries_the_documented_run() {
        let now = "2026-01-30T10:32:45Z".parse().unwrap();
        let json: Value = serde_json::from_slice(&body(EventKind::Test, &EventContent::of_test(now), now)).unwrap();
        assert_eq!(json["event"], "test");
        assert_eq!(json["is_test"], true);
        assert_eq!(json["test_run"]["id"], "00000000-0000-0000-0000-000000000000");
        assert_eq!(json["test_run"]["name"], "Test Webhook Delivery");
        assert_eq!(json["test_run"]["pass_rate"], 80.0);
    }

    proptest! {
        #[test]
        fn any_names_and_counts_give_valid_json_that_reads_back(
            name: String, agent_name: String, passed: u32, failed: u32, error: u32, total: u32,
        ) {
            let run = Run { name, agent_name, tally: Tally { passed, failed, error, total }, ..run() };
            let body = body(EventKind::TestRunCompleted, &EventContent::of_run(&run, "http://x"), run.created_at);
            let json: Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(json["test_run"]["name"].as_str(), Some(run.name.as_str()));
            prop_assert_eq!(json["test_run"]["agent_name"].as_str(), Some(run.agent_name.as_str()));
            prop_assert_eq!(json["test_run"]["total_scenarios"].as_u64(), Some(u64::from(total)));
        }
    }
}
