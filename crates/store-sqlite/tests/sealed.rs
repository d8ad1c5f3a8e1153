//! Secrets at rest: what lies in the file, and what comes of a secret or a key that does not fit.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

use std::{path::Path, sync::Arc};

use jiff::SignedDuration;
use preclinical_core::{
    agent::{AgentChanges, AgentConfig},
    custom_header::MASK,
    delivery::DeliveryStatus,
    id::RotationId,
    port::{AttemptRecord, StoreError, UpdateWebhookError},
    request::Headers,
    retry::NextStep,
    secret::SigningSecret,
    vault::{MasterKey, Vault},
    webhook::{SecretRotation, WebhookChanges},
};
use preclinical_store_sqlite::{OpenError, SqliteStore};
use preclinical_testkit::{
    chance::SeededChance,
    world::{World, answered, header_pairs, message, vault, wanted},
};
use rusqlite::Connection;

async fn world(path: &Path) -> World {
    World::new(Arc::new(SqliteStore::open_exclusively(path, vault()).unwrap()), "default").await
}

fn borrowed(headers: &Headers) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn no_secret_lies_readable_in_any_file_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(&folder.path().join("test.db")).await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    for secret in ["canary-one", "canary-two"] {
        let secret = SigningSecret::parse(secret).unwrap();
        let rotation = SecretRotation {
            id: RotationId::generate(world.now(), &*world.chance),
            secret,
            overlap: SignedDuration::from_hours(1),
        };
        world.store.rotate_secret(world.organization, webhook, rotation, world.now()).await.unwrap();
    }
    let config = Some(AgentConfig(br#"{"api_key":"canary-config"}"#.to_vec()));
    let changes = AgentChanges { config, ..AgentChanges::default() };
    world.store.update_agent(world.organization, agent, changes, world.now()).await.unwrap();
    let headers = Some(vec![wanted("X-Tenant", Some("canary-header"))]);
    let changes = WebhookChanges { headers, ..WebhookChanges::default() };
    world.store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    let claimed = world.claimed(agent).await;
    assert_eq!(claimed.secrets[0].expose(), "canary-two", "it is there");
    assert_eq!(header_pairs(&claimed.headers)[0].1, "canary-header", "it is there");
    let request = preclinical_core::request::build(&claimed, world.now());
    let sent = Some(message(&borrowed(&request.clone().into_kept_headers()), &request.body));
    let record = AttemptRecord { request: sent, ..world.record(&claimed, answered(200), NextStep::Delivered) };
    world.store.record(record).await.unwrap();

    let contains = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    let mut found_name = false;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!contains(&bytes, "canary") && !contains(&bytes, "s3cret"));
        found_name |= contains(&bytes, "Assistant") && contains(&bytes, MASK);
    }
    assert!(found_name, "the search finds what is not sealed");
}

#[test]
fn a_database_is_opened_with_its_own_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    drop(SqliteStore::open_exclusively(&path, vault()).unwrap());
    let other = Vault::new(&MasterKey::generate(&SeededChance::new(99)), Arc::new(SeededChance::new(1)));
    assert!(matches!(SqliteStore::open_exclusively(&path, other), Err(OpenError::WrongKey)));
    SqliteStore::open_exclusively(&path, vault()).unwrap();
}

#[tokio::test]
async fn a_secret_that_does_not_open_fails_its_own_delivery_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let world = world(&path).await;
    for name in ["Damaged", "Whole"] {
        let agent = world.agent(name).await;
        world.webhook(&format!("https://example.com/{name}"), Some(agent)).await;
        let run = world.run(agent, None).await;
        world.complete(run.id, None).await.unwrap();
    }
    let damage =
        "UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE url LIKE '%Whole') WHERE url LIKE '%Damaged'";
    assert_eq!(Connection::open(&path).unwrap().execute(damage, []).unwrap(), 1);

    let claimed = world.store.claim_due(world.now(), world.leases(10)).await.unwrap();
    let claimed: Vec<_> = claimed.iter().map(|claimed| claimed.url.as_str()).collect();
    assert_eq!(claimed, ["https://example.com/Whole"]);
    let damaged = world.deliveries().await.into_iter().find(|delivery| delivery.url.ends_with("Damaged")).unwrap();
    assert_eq!((damaged.status, damaged.attempt_count, damaged.next_attempt_at), (DeliveryStatus::Failed, 1, None));
    let (_, attempts) = world.store.delivery(world.organization, damaged.id).await.unwrap().unwrap();
    let error = attempts[0].error.as_ref().unwrap();
    assert_eq!((error.kind.as_str(), &error.message[..20]), ("blocked", "the webhook's secret"));
    let webhook = world.store.webhook(world.organization, damaged.webhook_id).await.unwrap().unwrap();
    assert_eq!(webhook.health.missed_since, Some(world.now()), "it can be replayed when that is mended");
}

#[tokio::test]
async fn headers_that_do_not_open_fail_their_own_delivery_and_are_replaced_but_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let world = world(&path).await;
    let set = async |webhook, value| {
        let headers = Some(vec![wanted("X-Tenant", value)]);
        let changes = WebhookChanges { headers, ..WebhookChanges::default() };
        world.store.update_webhook(world.organization, webhook, changes, world.now()).await
    };
    let mut ends = Vec::new();
    for name in ["Damaged", "Whole"] {
        let agent = world.agent(name).await;
        let webhook = world.webhook(&format!("https://example.com/{name}"), Some(agent)).await;
        set(webhook, Some(name)).await.unwrap();
        world.complete(world.run(agent, None).await.id, None).await.unwrap();
        ends.push((agent, webhook));
    }
    let damage =
        "UPDATE webhooks SET headers = (SELECT headers FROM webhooks WHERE url LIKE '%Whole') WHERE url LIKE '%Damaged'";
    assert_eq!(Connection::open(&path).unwrap().execute(damage, []).unwrap(), 1);

    let claimed = world.store.claim_due(world.now(), world.leases(10)).await.unwrap();
    let urls: Vec<_> = claimed.iter().map(|claimed| claimed.url.as_str()).collect();
    assert_eq!(urls, ["https://example.com/Whole"], "another webhook's headers are never sent");
    let damaged = world.deliveries().await.into_iter().find(|delivery| delivery.url.ends_with("Damaged")).unwrap();
    let (_, attempts) = world.store.delivery(world.organization, damaged.id).await.unwrap().unwrap();
    let error = attempts[0].error.as_ref().unwrap();
    assert_eq!((error.kind.as_str(), &error.message[..21]), ("blocked", "the webhook's headers"));

    let (agent, webhook) = ends[0];
    let kept = set(webhook, None).await;
    assert!(matches!(kept, Err(UpdateWebhookError::Store(StoreError::Corrupt(_)))), "{kept:?}");
    set(webhook, Some("set again")).await.unwrap();
    assert_eq!(header_pairs(&world.claimed(agent).await.headers)[0].1, "set again");
}

#[tokio::test]
async fn a_secret_that_would_be_refused_today_still_signs() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(&folder.path().join("test.db")).await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let rotation = SecretRotation {
        id: RotationId::generate(world.now(), &*world.chance),
        secret: SigningSecret::from_stored("whsec_"),
        overlap: SignedDuration::ZERO,
    };
    world.store.rotate_secret(world.organization, webhook, rotation, world.now()).await.unwrap();
    assert_eq!(world.claimed(agent).await.secrets[0].expose(), "whsec_");
}
