//! `/deliveries`: the history, one delivery, and many repeated at once.

mod bulk;
mod detail;
mod history;
mod signature_check;

use preclinical_core::{
    attempt::{Message, Outcome},
    delivery::Claimed,
    member::Role,
    port::AttemptRecord,
    retry::NextStep,
    secret::SigningSecret,
};

use super::{Browser, Shown};
use crate::app::{NOBODY, TestApp, URL};

/// Names and texts as an attacker chooses them.
const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";

async fn owner(app: &TestApp) -> Browser {
    Browser::of(app.router(), &app.world, Role::Owner).await
}

/// Ends a claimed attempt.
async fn record(app: &TestApp, claimed: &Claimed, outcome: Outcome, next: NextStep, messages: [Option<Message>; 2]) {
    let [request, response] = messages;
    let record = AttemptRecord { request, response, ..app.world.record(claimed, outcome, next) };
    app.world.store.record(record).await.unwrap();
}

/// The request that the engine would have sent.
fn request(app: &TestApp, claimed: &Claimed) -> Message {
    let request = preclinical_core::request::build(claimed, app.world.now());
    let size_bytes = request.body.len() as u64;
    let body = request.body.clone();
    Message { headers: request.into_kept_headers().into(), body, size_bytes, truncated: false }
}

/// A run of a new agent whose webhook is claimed and not yet answered.
async fn claimed(app: &TestApp, agent: &str) -> Claimed {
    let agent = app.world.agent(agent).await;
    app.world.webhook(URL, None).await;
    app.world.claimed(agent).await
}

/// The delivery's page.
fn path(claimed: &Claimed) -> String {
    format!("/deliveries/{}", claimed.delivery_id)
}

fn secrets(texts: &[&str]) -> Vec<SigningSecret> {
    texts.iter().map(|text| SigningSecret::parse(text).unwrap()).collect()
}
