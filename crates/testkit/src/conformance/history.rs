//! Rules of [`preclinical_core::port::History`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use preclinical_core::{
    attempt::Message,
    delivery::{Delivery, DeliveryStatus},
    port::{AttemptRecord, DeliveryFilter, Page, RunFilter, Store},
    retry::NextStep,
    run::{RunNumber, RunRef, RunStatus},
    scenario::ScenarioStatus::{Canceled, Error, Failed, Passed},
    search::Search,
    timing::Timing,
    version::Expected,
};

use crate::world::{World, answered, message, result};

pub async fn runs_are_listed_newest_first_and_filtered(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (first, second) = (world.agent("first").await, world.agent("second").await);
    let mut runs = Vec::new();
    for agent in [first, second, first] {
        world.clock.turn(SignedDuration::from_secs(1));
        runs.push(world.run(agent, None).await);
    }
    world.complete(runs[0].id, None).await.unwrap();
    let list = async |filter, page| {
        let (found, total) = store.runs(world.organization, filter, page).await.unwrap();
        (found.iter().map(|run| run.number.0).collect::<Vec<_>>(), total)
    };
    let all = Page { limit: 10, offset: 0 };
    assert_eq!(list(RunFilter::default(), all).await, (vec![3, 2, 1], 3));
    assert_eq!(list(RunFilter::default(), Page { limit: 1, offset: 1 }).await, (vec![2], 3));
    let completed = RunFilter { status: Some(RunStatus::Completed), agent_id: None };
    assert_eq!(list(completed, all).await, (vec![1], 1));
    let of_first = RunFilter { status: None, agent_id: Some(first) };
    assert_eq!(list(of_first, all).await, (vec![3, 1], 2));
    let by_number = store.run(world.organization, RunRef::Number(runs[1].number)).await.unwrap();
    assert_eq!(by_number.unwrap().id, runs[1].id);
}

pub async fn results_are_paged_with_those_first_that_need_a_look(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let run = world.run(world.agent("Assistant").await, None).await.id;
    let reported = [Passed, Failed, Canceled, Passed, Error, Failed];
    let named = reported.iter().enumerate().map(|(index, status)| result(&index.to_string(), *status));
    world.report(run, named.collect()).await.unwrap();
    let read = async |status, limit, offset| {
        let page = Page { limit, offset };
        let page = store.results_page(world.organization, RunRef::Id(run), status, page).await.unwrap().unwrap();
        assert_eq!(page.counts, [(Failed, 2), (Error, 1), (Canceled, 1), (Passed, 2)]);
        assert_eq!((page.total(None), page.total(Some(Passed)), page.run.tally.total), (6, 2, 6));
        page.results.into_iter().map(|result| result.scenario_id).collect::<String>()
    };
    assert_eq!(read(None, 10, 0).await, "154203");
    for offset in 0..=6 {
        let rest = &"154203"[offset as usize..];
        for limit in 0..=6 {
            assert_eq!(read(None, limit, offset).await, rest[..rest.len().min(limit as usize)], "{limit} from {offset}");
        }
    }
    assert_eq!((read(None, 10, u32::MAX).await, read(Some(Failed), 10, 2).await), (String::new(), String::new()));
    assert_eq!((read(Some(Passed), 10, 0).await, read(Some(Failed), 1, 1).await), ("03".to_owned(), "5".to_owned()));
}

pub async fn pages_of_deliveries_stay_where_they_are_while_rows_arrive(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let mut written = Vec::new();
    for index in 0..25 {
        // Several share a microsecond.
        world.clock.turn(SignedDuration::from_micros(i64::from(index % 3 == 0)));
        written.push(world.claimed(agent).await.delivery_id);
    }
    let mut filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.deliveries(world.organization, filter.clone()).await.unwrap();
        seen.extend(page.deliveries.iter().map(|delivery| delivery.id));
        world.clock.turn(SignedDuration::from_micros(1));
        world.claimed(agent).await;
        filter.cursor = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let mut expected = written.clone();
    expected.sort();
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "each once, none that arrived later");
}

pub async fn deliveries_are_filtered(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (first, second) = (world.agent("first").await, world.agent("second").await);
    let (default, own) =
        (world.webhook("https://a.example", None).await, world.webhook("https://b.example", Some(second)).await);
    let delivered = world.claimed(first).await;
    store.record(world.record(&delivered, answered(200), NextStep::Delivered)).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    let middle = world.now();
    let pending = world.claimed(second).await;
    let find = async |filter: DeliveryFilter| {
        let page = store.deliveries(world.organization, DeliveryFilter { limit: 10, ..filter }).await.unwrap();
        page.deliveries.iter().map(|delivery: &Delivery| delivery.id).collect::<Vec<_>>()
    };
    let none = DeliveryFilter::default;
    let run = world.delivery(pending.delivery_id).await.run_id;
    assert_eq!(find(none()).await, [pending.delivery_id, delivered.delivery_id]);
    for only_delivered in [
        DeliveryFilter { status: Some(DeliveryStatus::Delivered), ..none() },
        DeliveryFilter { webhook_id: Some(default), ..none() },
        DeliveryFilter { agent_id: Some(first), ..none() },
        DeliveryFilter { created_before: Some(middle), ..none() },
    ] {
        assert_eq!(find(only_delivered).await, [delivered.delivery_id]);
    }
    for only_pending in [
        DeliveryFilter { status: Some(DeliveryStatus::Pending), ..none() },
        DeliveryFilter { webhook_id: Some(own), ..none() },
        DeliveryFilter { agent_id: Some(second), ..none() },
        DeliveryFilter { run_id: run, ..none() },
        DeliveryFilter { created_after: Some(middle), ..none() },
    ] {
        assert_eq!(find(only_pending).await, [pending.delivery_id]);
    }
}

pub async fn a_searched_id_finds_what_belongs_to_it(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let agent = ours.agent("Assistant").await;
    let webhook = ours.webhook("https://a.example", Some(agent)).await;
    ours.webhook("https://b.example", None).await;
    let wanted = ours.claimed(agent).await.delivery_id;
    let other = ours.claimed(ours.agent("Other").await).await.delivery_id;
    let wanted = ours.delivery(wanted).await;
    let (decisions, _) = store
        .decisions(ours.organization, RunRef::Id(wanted.run_id.unwrap()), Page { limit: 1, offset: 0 })
        .await
        .unwrap()
        .unwrap();
    let find = async |world: &World, search, status| {
        let filter = DeliveryFilter { search: Some(search), status, limit: 10, ..DeliveryFilter::default() };
        let page = store.deliveries(world.organization, filter).await.unwrap();
        page.deliveries.iter().map(|delivery| delivery.id).collect::<Vec<_>>()
    };
    let run = wanted.run_id.unwrap().uuid();
    for id in [wanted.id.uuid(), run, webhook.uuid(), agent.uuid(), decisions[0].event_id.uuid()] {
        assert_eq!(find(&ours, Search::Id(id), None).await, [wanted.id]);
        assert_eq!(find(&ours, Search::Id(id), Some(DeliveryStatus::Failed)).await, [], "filters combine");
        assert_eq!(find(&theirs, Search::Id(id), None).await, []);
    }
    let number = wanted.run_number.unwrap();
    assert_eq!(find(&ours, Search::Run(number), None).await, [wanted.id]);
    assert_eq!(find(&theirs, Search::Run(number), None).await, []);
    for nothing in [Search::Nothing, Search::Id(ours.organization.uuid()), Search::Run(RunNumber(99))] {
        assert_eq!(find(&ours, nothing, None).await, []);
    }
    assert_eq!(find(&ours, Search::Id(other.uuid()), None).await, [other]);
}

pub async fn what_was_sent_and_answered_is_kept_to_the_byte(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let request =
        message(&[("content-type", "application/json"), ("x-twice", "1"), ("x-twice", "2")], b"{\"a\":\"\xc3\xa4\"}");
    let response = Message { truncated: true, size_bytes: 70_000, ..message(&[("x-latin", "\u{fc}\u{0}")], &every_byte) };
    let (empty, page) = (message(&[], b""), message(&[], &b"<p>Service unavailable</p>\n".repeat(100)));
    let exchanges = [
        (Some(request.clone()), Some(response)),
        (Some(request.clone()), Some(page)),
        (Some(request), None),
        (Some(empty.clone()), Some(empty)),
        (None, None),
    ];
    for (request, response) in exchanges {
        let claimed = world.claimed(agent).await;
        let record = AttemptRecord {
            request: request.clone(),
            response: response.clone(),
            ..world.record(&claimed, answered(200), NextStep::Delivered)
        };
        store.record(record).await.unwrap();
        let (_, attempts) = store.delivery(world.organization, claimed.delivery_id).await.unwrap().unwrap();
        assert_eq!((&attempts[0].request, &attempts[0].response), (&request, &response));
    }
}

pub async fn a_size_that_no_body_has_keeps_nothing_from_being_recorded(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    for announced in [i64::MAX.unsigned_abs(), i64::MAX.unsigned_abs() + 1, u64::MAX] {
        let claimed = world.claimed(agent).await;
        let response = Message { truncated: true, size_bytes: announced, ..message(&[], b"") };
        let record =
            AttemptRecord { response: Some(response), ..world.record(&claimed, answered(200), NextStep::Delivered) };
        store.record(record).await.unwrap();
        let (_, attempts) = store.delivery(world.organization, claimed.delivery_id).await.unwrap().unwrap();
        let kept = attempts[0].response.as_ref().unwrap().size_bytes;
        assert!(kept >= i64::MAX.unsigned_abs(), "{announced} became {kept}");
    }
}

pub async fn where_the_time_of_an_attempt_went_is_kept_to_the_microsecond(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let micros = |micros| Some(Duration::from_micros(micros));
    let full = Timing { resolve: micros(1), connect: micros(0), tls: micros(45_678), first_byte: micros(60_000_000) };
    let reused = Timing { first_byte: micros(1_234), ..Timing::default() };
    for timing in [full, reused, Timing { first_byte: None, ..full }, Timing::default()] {
        let claimed = world.claimed(agent).await;
        let attempts = async || store.delivery(world.organization, claimed.delivery_id).await.unwrap().unwrap().1;
        assert_eq!(attempts().await[0].timing, Timing::default(), "nothing is known while it is under way");
        let record = AttemptRecord { timing, ..world.record(&claimed, answered(200), NextStep::Delivered) };
        store.record(record).await.unwrap();
        assert_eq!(attempts().await[0].timing, timing);
    }
}

pub async fn another_organizations_rows_are_missing_rows(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    let agent = theirs.agent("Assistant").await;
    let webhook = theirs.webhook("https://example.com", None).await;
    let claimed = theirs.claimed(agent).await;
    let run = theirs.delivery(claimed.delivery_id).await.run_id.unwrap();
    let us = ours.organization;
    let all = Page { limit: 10, offset: 0 };
    assert!(store.agent(us, agent).await.unwrap().is_none());
    assert!(store.webhook(us, webhook).await.unwrap().is_none());
    assert!(store.run(us, RunRef::Id(run)).await.unwrap().is_none());
    assert!(store.results(us, RunRef::Id(run)).await.unwrap().is_none());
    assert!(store.results_page(us, RunRef::Id(run), None, all).await.unwrap().is_none());
    assert!(store.delivery(us, claimed.delivery_id).await.unwrap().is_none());
    assert_eq!(store.runs(us, RunFilter::default(), all).await.unwrap().1, 0);
    assert_eq!(store.webhooks(us, None, all).await.unwrap().1, 0);
    assert!(ours.deliveries().await.is_empty());
    assert!(!store.delete_webhook(us, webhook, Expected::Any, ours.now()).await.unwrap());
    assert!(ours.enqueue_test(webhook).await.is_none());
    assert!(ours.complete(run, None).await.is_err());
    assert!(store.webhook(theirs.organization, webhook).await.unwrap().is_some());
}
