//! Webhooks that are given up, from the failure of their receiver to the news of it at another.

use jiff::SignedDuration;
use preclinical_core::{
    delivery::DeliveryStatus,
    event::EventKind,
    health::{DEFAULT_PATIENCE, Patience},
    id::{AgentId, WebhookId},
    secret::SigningSecret,
    signature,
    webhook::{DisabledReason, Webhook},
};
use preclinical_testkit::receiver::{Reaction, Receiver, Seen};
use serde_json::Value;

use crate::rig::Rig;

/// Another agent, whose webhook of its own leads to that receiver.
async fn agent_at(rig: &Rig, receiver: &Receiver) -> (AgentId, WebhookId) {
    let agent = rig.world.agent("Nurse").await;
    (agent, rig.world.webhook(&receiver.url(), Some(agent)).await)
}

async fn ends_a_run(rig: &Rig, agent: AgentId) {
    let run = rig.world.run(agent, None).await;
    rig.world.complete(run.id, None).await.unwrap();
    rig.engine.handoff().wake();
}

async fn now(rig: &Rig, webhook: WebhookId) -> Webhook {
    rig.world.store.webhook(rig.world.organization, webhook).await.unwrap().unwrap()
}

/// The news that the request brings, which must be signed as every request is.
fn news(seen: &Seen) -> Value {
    assert_eq!(seen.header("x-preclinical-event"), Some(EventKind::WebhookDisabled.as_str()));
    let (id, time) = (seen.header("webhook-id").unwrap(), seen.header("webhook-timestamp").unwrap());
    let secret = SigningSecret::parse("s3cret").unwrap();
    assert!(signature::verify_standard(&secret, id, time, &seen.body, seen.header("webhook-signature").unwrap()));
    assert!(signature::verify_preclinical(&secret, &seen.body, seen.header("x-preclinical-signature").unwrap()));
    serde_json::from_slice(&seen.body).unwrap()
}

#[tokio::test]
async fn the_organizations_receiver_hears_at_once_that_an_agents_is_gone_and_is_told_again_until_it_takes_it() {
    let (rig, gone) = (Rig::new().await.with_schedule("1ms,1ms"), Receiver::start([Reaction::status(410)]).await);
    let shared = Receiver::start([Reaction::status(503)]).await;
    rig.point_to(&shared.url()).await;
    let (agent, own) = agent_at(&rig, &gone).await;
    let loops = tokio::spawn(rig.engine.clone().run());
    ends_a_run(&rig, agent).await;
    let first = shared.next().await;
    let told = news(&first);
    assert_eq!((&told["event"], &told["webhook"]["reason"]), (&Value::from("webhook_disabled"), &Value::from("gone")));
    assert_eq!(told["webhook"]["id"], own.to_string());
    assert_eq!(told["webhook"]["url"], format!("http://{}", gone.address));
    assert_eq!(told["settings_url"], format!("https://app.example.com/agents/{agent}/edit#webhook"));
    assert_eq!(now(&rig, own).await.disabled_reason, Some(DisabledReason::Gone));
    rig.end(loops).await;
    rig.world.clock.turn(SignedDuration::from_secs(1));
    rig.tick().await;
    let second = shared.next().await;
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(news(&second)["webhook"], told["webhook"]);
    let notice = rig.world.deliveries().await.into_iter().find(|delivery| delivery.event == EventKind::WebhookDisabled);
    let notice = notice.unwrap();
    assert_eq!((notice.status, notice.attempt_count), (DeliveryStatus::Delivered, 2));
    assert_eq!(now(&rig, rig.webhook).await.health.consecutive_failures, 0, "it counts for the webhook that it goes to");
}

#[tokio::test]
async fn a_webhook_is_disabled_by_the_patience_that_the_engine_is_set_to_and_by_none_if_it_is_set_to_none() {
    for (patience, survives) in
        [(None, true), (Some(DEFAULT_PATIENCE), true), (Some(Patience { exhausted: 2, ..DEFAULT_PATIENCE }), false)]
    {
        let mut rig = Rig::new().await.with_schedule("1m");
        rig.settings.patience = patience;
        let rig = rig.restarted();
        let receiver = Receiver::start(vec![Reaction::status(500); 4]).await;
        rig.point_to(&receiver.url()).await;
        for _ in 0..2 {
            rig.write_due().await;
            rig.tick().await;
            rig.world.clock.turn(DEFAULT_PATIENCE.time);
            rig.tick().await;
        }
        assert_eq!(now(&rig, rig.webhook).await.is_enabled, survives, "{patience:?}");
    }
}
