//! Rules of [`preclinical_core::port::Administration`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    delivery::DeliveryStatus,
    id::{AgentId, RotationId, TestSuiteId, WebhookId},
    port::{
        CreateAgentError, CreateRunError, CreateWebhookError, DeleteError, Fate, NewAgent, NewRun, Page, Store,
        UpdateAgentError, UpdateWebhookError,
    },
    retry::NextStep,
    secret::SigningSecret,
    test_suite::TestSuite,
    version::{Expected, Version},
    webhook::{SecretRotation, WebhookChanges},
};

use crate::world::{World, answered};

pub async fn names_of_agents_are_unique_in_an_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let id = ours.agent("Assistant").await;
    theirs.agent("Assistant").await;
    let agent = Agent {
        id: AgentId::generate(ours.now(), &*ours.chance),
        ..store.agent(ours.organization, id).await.unwrap().unwrap()
    };
    let again = store.create_agent(NewAgent { agent, config: AgentConfig(b"{}".to_vec()) }).await;
    assert!(matches!(again, Err(CreateAgentError::NameTaken)));
    let page = Page { limit: 10, offset: 0 };
    assert_eq!(store.agents(ours.organization, None, page).await.unwrap().1, 1);
    assert_eq!(store.agents(ours.organization, Some(Provider::Vapi), page).await.unwrap().1, 0);
}

pub async fn only_the_given_fields_of_an_agent_change(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let id = world.agent("Assistant").await;
    let other = world.agent("Other").await;
    world.clock.turn(SignedDuration::from_secs(1));
    let change = |id, changes| store.update_agent(world.organization, id, changes, world.now());
    let renamed = AgentChanges { name: Some("Renamed".into()), ..AgentChanges::default() };
    let agent = change(id, renamed.clone()).await.unwrap();
    assert_eq!((agent.name.as_str(), agent.provider, agent.is_active), ("Renamed", Provider::Openai, true));
    assert_eq!((agent.updated_at, store.agent(world.organization, id).await.unwrap()), (world.now(), Some(agent.clone())));
    assert!(matches!(change(other, renamed).await, Err(UpdateAgentError::NameTaken)));
    let described = AgentChanges { description: Some(Some("d".into())), is_active: Some(false), ..AgentChanges::default() };
    change(id, described).await.unwrap();
    let agent = change(id, AgentChanges { description: Some(None), ..AgentChanges::default() }).await.unwrap();
    assert_eq!((agent.description.as_deref(), agent.is_active, agent.name.as_str()), (None, false, "Renamed"));
    let unknown = AgentId::generate(world.now(), &*world.chance);
    assert!(matches!(change(unknown, AgentChanges::default()).await, Err(UpdateAgentError::NotFound)));
}

pub async fn an_agents_configuration_comes_back_as_it_was_set(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let id = world.agent("Assistant").await;
    let config = |json: &str| AgentConfig(json.as_bytes().to_vec());
    assert_eq!(store.agent_config(world.organization, id).await.unwrap().unwrap().1, config("{}"));
    let changes = AgentChanges { config: Some(config(r#"{"key":"k"}"#)), ..AgentChanges::default() };
    store.update_agent(world.organization, id, changes, world.now()).await.unwrap();
    let (agent, read) = store.agent_config(world.organization, id).await.unwrap().unwrap();
    assert_eq!((agent.name.as_str(), read), ("Assistant", config(r#"{"key":"k"}"#)));
    let theirs = World::new(store.clone(), "theirs").await.organization;
    assert!(store.agent_config(theirs, id).await.unwrap().is_none());
}

pub async fn a_deleted_agent_is_seen_by_nobody_and_its_runs_still_end(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let id = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", Some(id)).await;
    let waiting = world.claimed(id).await;
    store.record(world.record(&waiting, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    let run = world.run(id, None).await;
    let theirs = World::new(store.clone(), "theirs").await.organization;
    assert!(!store.delete_agent(theirs, id, Expected::Any, world.now()).await.unwrap());

    assert!(store.delete_agent(world.organization, id, Expected::Any, world.now()).await.unwrap());
    assert!(!store.delete_agent(world.organization, id, Expected::Any, world.now()).await.unwrap());
    assert_eq!(store.agent(world.organization, id).await.unwrap(), None);
    assert!(store.agent_config(world.organization, id).await.unwrap().is_none());
    let page = Page { limit: 10, offset: 0 };
    assert_eq!(store.agents(world.organization, None, page).await.unwrap(), (vec![], 0));
    assert_eq!(store.webhook(world.organization, webhook).await.unwrap(), None);
    assert_eq!(world.delivery(waiting.delivery_id).await.status, DeliveryStatus::Canceled);
    assert!(store.create_run(world.run_value(id, None)).await.is_err());
    assert!(store.create_webhook(world.webhook_value("https://example.com", Some(id))).await.is_err());
    let changed = store.update_agent(world.organization, id, AgentChanges::default(), world.now()).await;
    assert!(matches!(changed, Err(UpdateAgentError::NotFound)));

    let ended = world.complete(run.id, None).await.unwrap();
    assert_eq!(ended.run.agent_name, "Assistant");
    assert!(matches!(ended.fate, Fate::NoWebhook));
    world.agent("Assistant").await;
}

pub async fn a_level_has_one_webhook_however_many_calls_race(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    for level in [None, Some(agent)] {
        let calls: Vec<_> = (0..16)
            .map(|_| {
                let (store, webhook) = (store.clone(), world.webhook_value("https://example.com", level));
                tokio::spawn(async move { store.create_webhook(webhook).await })
            })
            .collect();
        let mut created = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => created += 1,
                Err(CreateWebhookError::Exists) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(created, 1);
    }
}

pub async fn a_webhook_is_found_at_its_level(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let (with, without) = (ours.agent("with").await, ours.agent("without").await);
    let own = ours.webhook("https://agent.example/", Some(with)).await;
    let at = async |world: &World, agent| {
        let webhook = store.webhook_at(world.organization, agent).await.unwrap();
        webhook.map(|webhook| webhook.id)
    };
    assert_eq!(at(&ours, None).await, None, "an agent's is not the organization's");
    let default = ours.webhook("https://default.example/", None).await;
    assert_eq!(at(&ours, None).await, Some(default));
    assert_eq!((at(&ours, Some(with)).await, at(&ours, Some(without)).await), (Some(own), None));
    assert_eq!((at(&theirs, None).await, at(&theirs, Some(with)).await), (None, None));
}

pub async fn a_webhook_needs_an_agent_of_its_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let foreign = theirs.agent("Assistant").await;
    let webhook = ours.webhook_value("https://example.com", Some(foreign));
    assert!(matches!(store.create_webhook(webhook).await, Err(CreateWebhookError::AgentNotFound)));
}

pub async fn only_the_given_fields_of_a_webhook_change(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let id = world.webhook("https://example.com/a", None).await;
    let change = |changes| store.update_webhook(world.organization, id, changes, world.now());
    let changed = change(WebhookChanges { description: Some(Some("d".into())), ..WebhookChanges::default() }).await.unwrap();
    assert_eq!((changed.url.as_str(), changed.description.as_deref()), ("https://example.com/a", Some("d")));
    assert!(changed.is_enabled && changed.has_secret);
    let changed = change(WebhookChanges { secret: Some(None), ..WebhookChanges::default() }).await.unwrap();
    assert!(!changed.has_secret && changed.description.is_some());
    let unknown = WebhookId::generate(world.now(), &*world.chance);
    let refused = store.update_webhook(world.organization, unknown, WebhookChanges::default(), world.now()).await;
    assert!(matches!(refused, Err(UpdateWebhookError::NotFound)));
}

pub async fn disabling_or_deleting_a_webhook_cancels_what_is_pending(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    for delete in [false, true] {
        let agent = world.agent(if delete { "deleted" } else { "disabled" }).await;
        let webhook = world.webhook("https://example.com", Some(agent)).await;
        let delivered = world.claimed(agent).await;
        store.record(world.record(&delivered, answered(200), NextStep::Delivered)).await.unwrap();
        let waiting = world.claimed(agent).await;
        store.record(world.record(&waiting, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
        if delete {
            assert!(store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap());
            assert!(!store.delete_webhook(world.organization, webhook, Expected::Any, world.now()).await.unwrap());
        } else {
            let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
            store.update_webhook(world.organization, webhook, off, world.now()).await.unwrap();
        }
        assert_eq!(world.delivery(delivered.delivery_id).await.status, DeliveryStatus::Delivered);
        assert_eq!(world.delivery(waiting.delivery_id).await.status, DeliveryStatus::Canceled);
        assert!(store.claim_due(world.now(), world.leases(10)).await.unwrap().is_empty());
    }
}

pub async fn a_change_of_a_disabled_webhook_leaves_its_tests_alone(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let webhook = world.webhook("https://example.com", None).await;
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, off.clone(), world.now()).await.unwrap();
    let test = world.enqueue_test(webhook).await.unwrap();
    let moved = WebhookChanges { url: Some("https://example.com/new".to_owned()), ..WebhookChanges::default() };
    for changes in [moved, off] {
        store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
        assert_eq!(world.delivery(test.delivery_id).await.status, DeliveryStatus::Pending);
    }
    store.record(world.record(&test, answered(500), NextStep::Exhausted)).await.unwrap();
    assert_eq!(world.delivery(test.delivery_id).await.status, DeliveryStatus::Failed);
}

pub async fn a_changed_url_and_secret_apply_to_the_next_attempt(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com/old", None).await;
    let first = world.claimed(agent).await;
    store.record(world.record(&first, answered(503), NextStep::RetryAt(world.now()))).await.unwrap();
    let changes = WebhookChanges {
        url: Some("https://example.com/new".into()),
        secret: Some(Some(SigningSecret::parse("another").unwrap())),
        ..WebhookChanges::default()
    };
    store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    let second = store.claim_due(world.now(), world.leases(1)).await.unwrap().remove(0);
    assert_eq!((second.url.as_str(), second.secrets[0].expose()), ("https://example.com/new", "another"));
    assert_eq!((second.attempt, second.failures), (2, 1));
}

pub async fn a_rotated_secret_signs_behind_the_new_one_until_its_overlap_ends(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let rotate = |secret: &str, seconds| {
        let rotation = SecretRotation {
            id: RotationId::generate(world.now(), &*world.chance),
            secret: SigningSecret::parse(secret).unwrap(),
            overlap: SignedDuration::from_secs(seconds),
        };
        store.rotate_secret(world.organization, webhook, rotation, world.now())
    };
    let signing = async || {
        let claimed = world.claimed(agent).await;
        claimed.secrets.iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(signing().await, ["s3cret"]);
    let rotated = rotate("second", 60).await.unwrap();
    assert_eq!((rotated.has_secret, rotated.rotated_until), (true, Some(world.now() + SignedDuration::from_secs(60))));
    assert_eq!(store.webhook(world.organization, webhook).await.unwrap(), Some(rotated));
    world.clock.turn(SignedDuration::from_secs(59));
    assert_eq!(signing().await, ["second", "s3cret"]);
    world.clock.turn(SignedDuration::from_secs(1));
    assert_eq!(signing().await, ["second"]);

    rotate("third", 60).await.unwrap();
    rotate("fourth", 60).await.unwrap();
    assert_eq!(signing().await, ["fourth", "third"], "one older secret signs at most");
    assert_eq!(rotate("fifth", 0).await.unwrap().rotated_until, None);
    assert_eq!(signing().await, ["fifth"]);

    rotate("sixth", 60).await.unwrap();
    let changes = WebhookChanges { secret: Some(Some(SigningSecret::parse("set").unwrap())), ..WebhookChanges::default() };
    let set = store.update_webhook(world.organization, webhook, changes, world.now()).await.unwrap();
    assert_eq!((set.rotated_until, signing().await), (None, vec!["set".to_owned()]), "setting one ends the overlap");

    let none = WebhookChanges { secret: Some(None), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhook, none, world.now()).await.unwrap();
    assert_eq!(rotate("first", 60).await.unwrap().rotated_until, None, "there was none to overlap with");
    assert_eq!(signing().await, ["first"]);
}

pub async fn test_suites_are_listed_newest_first_and_runs_may_be_of_one(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let mut names = Vec::new();
    for index in 0..3 {
        world.clock.turn(SignedDuration::from_secs(1));
        let suite = TestSuite {
            id: TestSuiteId::generate(world.now(), &*world.chance),
            organization_id: world.organization,
            name: format!("Suite {index}"),
            description: (index == 0).then(|| "the first".to_owned()),
            scenario_count: index,
            created_at: world.now(),
        };
        assert_eq!(store.create_test_suite(suite.clone()).await.unwrap(), suite);
        names.insert(0, suite);
    }
    let page = |limit, offset| store.test_suites(world.organization, Page { limit, offset });
    assert_eq!(page(2, 0).await.unwrap(), (names[..2].to_vec(), 3));
    assert_eq!(page(2, 2).await.unwrap(), (names[2..].to_vec(), 3));
    let agent = world.agent("Assistant").await;
    let run = |id| NewRun { test_suite_id: Some(id), ..world.run_value(agent, None) };
    store.create_run(run(names[0].id)).await.unwrap();
    let unknown = TestSuiteId::generate(world.now(), &*world.chance);
    assert!(matches!(store.create_run(run(unknown)).await, Err(CreateRunError::TestSuiteNotFound)));
    let theirs = World::new(store.clone(), "theirs").await.organization;
    assert_eq!(store.test_suites(theirs, Page { limit: 2, offset: 0 }).await.unwrap(), (vec![], 0));
}

pub async fn a_change_or_deletion_of_another_version_than_expected_is_refused(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (us, agent) = (world.organization, world.agent("Assistant").await);
    let webhook = world.webhook("https://example.com", Some(agent)).await;
    let stale = || Expected::OneOf(vec![Version(7)]);
    let current = || Expected::OneOf(vec![Version(7), Version(1)]);
    let named = |expected| AgentChanges { expected, name: Some("Renamed".into()), ..AgentChanges::default() };
    let moved = |expected| WebhookChanges { expected, url: Some("https://b.example".into()), ..WebhookChanges::default() };
    for refused in [stale(), Expected::OneOf(Vec::new())] {
        let update = store.update_agent(us, agent, named(refused.clone()), world.now()).await;
        assert!(matches!(update, Err(UpdateAgentError::Stale)));
        let update = store.update_webhook(us, webhook, moved(refused.clone()), world.now()).await;
        assert!(matches!(update, Err(UpdateWebhookError::Stale)));
        let deletion = store.delete_agent(us, agent, refused.clone(), world.now()).await;
        assert!(matches!(deletion, Err(DeleteError::Stale)));
        let deletion = store.delete_webhook(us, webhook, refused, world.now()).await;
        assert!(matches!(deletion, Err(DeleteError::Stale)));
    }
    assert_eq!(store.agent(us, agent).await.unwrap().unwrap().name, "Assistant");
    assert_eq!(store.webhook(us, webhook).await.unwrap().unwrap().url, "https://example.com");

    assert_eq!(store.update_agent(us, agent, named(current()), world.now()).await.unwrap().version, Version(2));
    assert_eq!(store.update_webhook(us, webhook, moved(current()), world.now()).await.unwrap().version, Version(2));
    let secret = WebhookChanges { secret: Some(None), ..WebhookChanges::default() };
    store.update_webhook(us, webhook, secret, world.now()).await.unwrap();
    let config = AgentChanges { config: Some(AgentConfig(b"{}".to_vec())), ..AgentChanges::default() };
    store.update_agent(us, agent, config, world.now()).await.unwrap();
    assert_eq!(store.webhook(us, webhook).await.unwrap().unwrap().version, Version(3), "a change that no answer shows");
    assert_eq!(store.agent(us, agent).await.unwrap().unwrap().version, Version(3), "a change that no answer shows");
    let of = |version| Expected::OneOf(vec![Version(version)]);
    assert!(store.delete_webhook(us, webhook, of(3), world.now()).await.unwrap());
    assert!(store.delete_agent(us, agent, of(3), world.now()).await.unwrap());
}

pub async fn of_racing_changes_of_one_version_one_is_made(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (us, now) = (world.organization, world.now());
    let webhook = world.webhook("https://example.com", None).await;
    let changes: Vec<_> = (0..32)
        .map(|number| {
            let (store, expected) = (store.clone(), Expected::OneOf(vec![Version::FIRST]));
            let change =
                WebhookChanges { expected, description: Some(Some(number.to_string())), ..WebhookChanges::default() };
            tokio::spawn(async move { store.update_webhook(us, webhook, change, now).await })
        })
        .collect();
    let mut made = Vec::new();
    for change in changes {
        match change.await.unwrap() {
            Ok(webhook) => made.push(webhook),
            Err(UpdateWebhookError::Stale) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(store.webhook(us, webhook).await.unwrap(), made.pop());
}

pub async fn a_rotation_made_again_leaves_the_secret_before_it_in_its_overlap(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let rotate = |id, secret: &str| {
        let secret = SigningSecret::parse(secret).unwrap();
        let rotation = SecretRotation { id, secret, overlap: SignedDuration::from_secs(60) };
        store.rotate_secret(world.organization, webhook, rotation, world.now())
    };
    let id = RotationId::generate(world.now(), &*world.chance);
    let first = rotate(id, "unseen").await.unwrap();
    world.clock.turn(SignedDuration::from_secs(30));
    let again = rotate(id, "seen").await.unwrap();
    assert_eq!((again.rotated_until, again.version), (first.rotated_until, Version(3)));
    let claimed = world.claimed(agent).await;
    let secrets: Vec<&str> = claimed.secrets.iter().map(SigningSecret::expose).collect();
    assert_eq!(secrets, ["seen", "s3cret"]);
}
