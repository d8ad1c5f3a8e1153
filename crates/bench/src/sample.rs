//! The run that every measurement is about, and the delivery that tells of it.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    clock::Clock,
    custom_header::CustomHeaders,
    delivery::{Claimed, Lease},
    event::{EventContent, EventKind},
    id::{AgentId, DeliveryId, LeaseToken, OrganizationId, RunId, WebhookId},
    request,
    run::{Run, RunNumber, RunStatus},
    secret::{NotASecret, SigningSecret},
    tally::Tally,
};
use uuid::Uuid;

use crate::system::{SystemChance, SystemClock};

/// What webhooks are signed with.
pub(crate) const SECRET: &str = "whsec_YmVuY2htYXJrLXNlY3JldC1vZi0zMi1ieXRlcyEhISE=";

/// An agent's name: as long as every other's, so that all bodies are.
pub(crate) fn agent_name(number: Uuid) -> String {
    format!("Benchmark agent {}", number.simple())
}

/// Every run's name.
pub(crate) const RUN_NAME: &str = "Benchmark run";

/// What a runner says when the run has ended.
pub(crate) const COMPLETION: &str =
    r#"{"status":"completed","passed_count":17,"failed_count":3,"error_count":0,"total_scenarios":20}"#;

/// The secret that the sink verifies with.
pub(crate) fn secret() -> Result<SigningSecret, NotASecret> {
    SigningSecret::parse(SECRET)
}

/// A new run's id.
pub(crate) fn run_id() -> RunId {
    RunId::generate(SystemClock.now(), &SystemChance)
}

/// The first attempt to tell of a run that has just ended.
pub(crate) fn claimed(run: RunId, number: u32, tally: Tally, url: &str, secret: &SigningSecret) -> Claimed {
    let now = SystemClock.now();
    let run = ended(run, number, tally, now);
    Claimed {
        delivery_id: DeliveryId::generate(now, &SystemChance),
        organization_id: run.organization_id,
        webhook_id: WebhookId::from_uuid(Uuid::nil()),
        attempt: 1,
        failures: 0,
        lease: Lease { token: LeaseToken::generate(now, &SystemChance), until: now },
        url: url.to_owned(),
        secrets: vec![secret.clone()],
        headers: CustomHeaders::default(),
        event: EventKind::TestRunCompleted,
        content: EventContent::of_run(&run, "http://127.0.0.1:3000"),
    }
}

/// The body of a webhook that tells of that run: what another sender is given to send.
pub(crate) fn body(run: RunId) -> Result<Bytes, NotASecret> {
    Ok(request::build(&claimed(run, 1, TALLY, "http://127.0.0.1/", &secret()?), SystemClock.now()).body)
}

/// The counts in [`COMPLETION`].
pub(crate) const TALLY: Tally = Tally { passed: 17, failed: 3, error: 0, total: 20 };

fn ended(id: RunId, number: u32, tally: Tally, at: Timestamp) -> Run {
    let started_at = at.saturating_sub(SignedDuration::from_secs(165)).ok();
    Run {
        id,
        organization_id: OrganizationId::from_uuid(Uuid::nil()),
        number: RunNumber(number),
        name: RUN_NAME.to_owned(),
        agent_id: AgentId::from_uuid(Uuid::nil()),
        agent_name: agent_name(Uuid::nil()),
        status: RunStatus::Completed,
        tally,
        started_at,
        completed_at: Some(at),
        created_at: started_at.unwrap_or(at),
    }
}
