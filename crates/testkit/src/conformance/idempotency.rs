//! Rules of [`preclinical_core::port::Idempotency`], and of the calls that find their own work again.
#![allow(missing_docs, reason = "the names are the rules")]

use std::sync::Arc;

use jiff::SignedDuration;
use preclinical_core::{
    agent::{Agent, AgentConfig},
    delivery::DeliveryStatus,
    id::{AgentId, DeliveryId, LeaseToken, TestSuiteId},
    idempotency::{Begun, CallId, Fingerprint, KeptAnswer, NewCall, REMEMBERED},
    port::{Enqueued, Fate, FinishError, NewAgent, Redelivery, Store},
    retry::NextStep,
    run::FinalStatus,
    test_suite::TestSuite,
};

use crate::{
    places::Places,
    world::{LEASE, World, answered},
};

/// A call under that key with that body, now, with a token and a subject of its own.
pub(super) fn call(world: &World, key: &str, body: &str) -> NewCall {
    let token = || LeaseToken::generate(world.now(), &*world.chance);
    NewCall {
        id: CallId::of(world.organization, "POST", "/runs", key),
        organization_id: world.organization,
        fingerprint: Fingerprint::of(body.as_bytes()),
        token: token(),
        subject: token().uuid(),
        at: world.now(),
        until: world.now().checked_add(LEASE).unwrap(),
    }
}

pub(super) fn answer(status: u16, body: &'static str) -> KeptAnswer {
    let headers = vec![("location".to_owned(), "/there".to_owned()), ("etag".to_owned(), "\"1\"".to_owned())];
    KeptAnswer { status, headers, body: body.as_bytes().into() }
}

pub(super) fn carried_out(call: &NewCall) -> Begun {
    Begun::CarryOut { subject: call.subject }
}

pub async fn of_32_callers_with_one_key_one_carries_out(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let (store, call) = (store.clone(), call(&world, "key", "{}"));
            tokio::spawn(async move { (store.begin_call(call.clone()).await.unwrap(), call) })
        })
        .collect();
    let mut carrying = Vec::new();
    for caller in callers {
        match caller.await.unwrap() {
            (Begun::InProgress, _) => {}
            (begun, call) => {
                assert_eq!(begun, carried_out(&call));
                carrying.push(call);
            }
        }
    }
    assert_eq!(carrying.len(), 1);
}

pub async fn an_answer_is_given_again_to_the_byte(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let first = call(&world, "key", "{}");
    store.begin_call(first.clone()).await.unwrap();
    store.keep_answer(first.id, first.token, answer(201, "{\"id\":\"ü\"}")).await.unwrap();
    world.clock.turn(REMEMBERED - SignedDuration::from_micros(1));
    for _ in 0..2 {
        let again = store.begin_call(call(&world, "key", "{}")).await.unwrap();
        assert_eq!(again, Begun::Answered(answer(201, "{\"id\":\"ü\"}")));
    }
    let other = call(&world, "other", "{}");
    assert_eq!(store.begin_call(other.clone()).await.unwrap(), carried_out(&other));
}

pub async fn a_key_belongs_to_the_body_it_came_with(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let first = call(&world, "key", "{}");
    store.begin_call(first.clone()).await.unwrap();
    assert_eq!(store.begin_call(call(&world, "key", "{ }")).await.unwrap(), Begun::Reused, "in progress");
    store.keep_answer(first.id, first.token, answer(400, "")).await.unwrap();
    assert_eq!(store.begin_call(call(&world, "key", "{ }")).await.unwrap(), Begun::Reused, "answered");
    assert_eq!(store.begin_call(call(&world, "key", "{}")).await.unwrap(), Begun::Answered(answer(400, "")));
}

pub async fn a_call_that_was_given_back_keeps_its_subject_for_the_same_body_alone(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let first = call(&world, "key", "{}");
    store.begin_call(first.clone()).await.unwrap();
    store.release_call(first.id, first.token).await.unwrap();
    let again = call(&world, "key", "{}");
    assert_eq!(store.begin_call(again.clone()).await.unwrap(), carried_out(&first));
    assert_eq!(store.begin_call(call(&world, "key", "{}")).await.unwrap(), Begun::InProgress);
    store.release_call(first.id, again.token).await.unwrap();
    let other = call(&world, "key", "{ }");
    assert_eq!(store.begin_call(other.clone()).await.unwrap(), carried_out(&other));
}

pub async fn a_call_whose_time_is_up_is_begun_again_and_its_late_answer_ignored(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let first = call(&world, "key", "{}");
    store.begin_call(first.clone()).await.unwrap();
    world.clock.turn(LEASE - SignedDuration::from_micros(1));
    assert_eq!(store.begin_call(call(&world, "key", "{}")).await.unwrap(), Begun::InProgress);
    world.clock.turn(SignedDuration::from_micros(1));
    let second = call(&world, "key", "{}");
    assert_eq!(store.begin_call(second.clone()).await.unwrap(), carried_out(&first));
    store.keep_answer(first.id, first.token, answer(201, "late")).await.unwrap();
    store.release_call(first.id, first.token).await.unwrap();
    assert_eq!(store.begin_call(call(&world, "key", "{}")).await.unwrap(), Begun::InProgress);
    store.keep_answer(first.id, second.token, answer(201, "in time")).await.unwrap();
    assert_eq!(store.begin_call(call(&world, "key", "{}")).await.unwrap(), Begun::Answered(answer(201, "in time")));
}

pub async fn a_day_later_a_call_is_a_new_one_and_the_oldest_are_forgotten(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let mut calls = Vec::new();
    for key in ["1", "2", "3"] {
        let call = call(&world, key, "{}");
        store.begin_call(call.clone()).await.unwrap();
        store.keep_answer(call.id, call.token, answer(201, "")).await.unwrap();
        calls.push(call);
        world.clock.turn(SignedDuration::from_secs(1));
    }
    assert_eq!(store.forget_calls(calls[2].at, 1).await.unwrap(), 1);
    assert_eq!(store.begin_call(call(&world, "2", "{}")).await.unwrap(), Begun::Answered(answer(201, "")));
    let anew = call(&world, "1", "{}");
    assert_eq!(store.begin_call(anew.clone()).await.unwrap(), carried_out(&anew));
    assert_eq!(store.forget_calls(calls[2].at, 10).await.unwrap(), 1);
    assert_eq!(store.forget_calls(calls[2].at, 10).await.unwrap(), 0);

    world.clock.set(calls[2].at.checked_add(REMEMBERED).unwrap());
    let anew = call(&world, "3", "{ }");
    assert_eq!(store.begin_call(anew.clone()).await.unwrap(), carried_out(&anew));
}

pub async fn what_is_created_again_under_its_id_is_what_is_there(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let theirs = World::new(store.clone(), "theirs").await;
    let agent = Agent {
        id: AgentId::generate(world.now(), &*world.chance),
        name: "Second".to_owned(),
        ..store.agent(world.organization, world.agent("First").await).await.unwrap().unwrap()
    };
    let new = || NewAgent { agent: agent.clone(), config: AgentConfig(b"{}".to_vec()) };
    store.create_agent(new()).await.unwrap();
    assert_eq!(store.create_agent(new()).await.unwrap(), agent);

    let webhook = world.webhook_value("https://example.com", None);
    store.create_webhook(webhook.clone()).await.unwrap();
    assert_eq!(store.create_webhook(webhook.clone()).await.unwrap(), webhook.webhook);

    let suite = TestSuite {
        id: TestSuiteId::generate(world.now(), &*world.chance),
        organization_id: world.organization,
        name: "Suite".to_owned(),
        description: None,
        scenario_count: 3,
        created_at: world.now(),
    };
    assert_eq!(store.create_test_suite(suite.clone()).await.unwrap(), suite);
    assert_eq!(store.create_test_suite(suite.clone()).await.unwrap(), suite);
    let foreign = TestSuite { organization_id: theirs.organization, ..suite };
    assert!(store.create_test_suite(foreign).await.is_err(), "an id of somebody else's is nobody's");

    let run = world.run_value(agent.id, None);
    let first = store.create_run(run.clone()).await.unwrap();
    assert_eq!(store.create_run(run).await.unwrap(), first);
    assert_eq!(world.run(agent.id, None).await.number.0, first.number.0 + 1, "a repetition takes no number");
}

pub async fn an_ending_that_is_repeated_ends_the_run_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    world.webhook("https://example.com", None).await;
    let run = world.run(world.agent("Assistant").await, None).await;
    let finish = world.finish_value(run.id, FinalStatus::Completed, None);
    let first = store.finish_run(finish.clone()).await.unwrap();
    let again = store.finish_run(finish).await.unwrap();
    assert!(matches!(again.fate, Fate::NotFinal));
    assert_eq!((again.run, world.deliveries().await.len()), (first.run, 1));
    let other = store.finish_run(world.finish_value(run.id, FinalStatus::Completed, None)).await;
    assert!(matches!(other, Err(FinishError::AlreadyFinal(_))));
}

pub async fn a_redelivery_that_is_repeated_is_written_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let webhook = world.webhook("https://example.com", None).await;
    let old = world.claimed(world.agent("Assistant").await).await;
    store.record(world.record(&old, answered(200), NextStep::Delivered)).await.unwrap();
    let order = |lease| Redelivery {
        organization_id: world.organization,
        of: old.delivery_id,
        delivery_id: DeliveryId::from_uuid(uuid::Uuid::from_u128(7)),
        places: Places::of(lease),
        at: world.now(),
    };
    let first = store.redeliver(order(None)).await.unwrap();
    store.delete_webhook(world.organization, webhook, preclinical_core::version::Expected::Any, world.now()).await.unwrap();
    let Enqueued { delivery, claimed } = store.redeliver(order(Some(world.lease()))).await.unwrap();
    assert!(claimed.is_none());
    assert_eq!((delivery.id, delivery.status), (first.delivery.id, DeliveryStatus::Canceled));
    assert_eq!(world.deliveries().await.len(), 2);
}
