//! Rules of [`preclinical_core::port::Redeliveries`].
#![allow(missing_docs, reason = "the names are the rules")]

use std::{collections::BTreeSet, sync::Arc};

use jiff::SignedDuration;
use preclinical_core::{
    delivery::{Delivery, DeliveryStatus},
    id::{AgentId, DeliveryId, RedeliveryJobId},
    port::{CancelJobError, JobNext, JobStep, NewRedeliveryJob, Page, Redelivery, Store},
    redelivery::{JobStatus, MAX_PENDING_OF_JOB, RedeliveryJob, RedeliverySelection, Repeated, RepeatedStatus, Skipped},
    retry::NextStep,
    version::Expected,
    webhook::WebhookChanges,
};

use crate::{
    places::Places,
    world::{World, answered},
};

/// All that failed.
fn failed() -> RedeliverySelection {
    let (webhook_id, agent_id, run_id, created_after, created_before) = (None, None, None, None, None);
    RedeliverySelection {
        ended: Repeated::As(RepeatedStatus::Failed),
        webhook_id,
        agent_id,
        run_id,
        created_after,
        created_before,
    }
}

/// Deliveries that fail one after the other, oldest first.
async fn failing(world: &World, agent: AgentId, count: usize) -> Vec<DeliveryId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        world.clock.turn(SignedDuration::from_secs(1));
        ids.push(failing_once(world, agent).await);
    }
    world.clock.turn(SignedDuration::from_secs(1));
    ids
}

async fn failing_once(world: &World, agent: AgentId) -> DeliveryId {
    let claimed = world.claimed(agent).await;
    world.store.record(world.record(&claimed, answered(500), NextStep::Exhausted)).await.unwrap();
    claimed.delivery_id
}

async fn create(world: &World, selection: RedeliverySelection) -> RedeliveryJob {
    let id = RedeliveryJobId::generate(world.now(), &*world.chance);
    let job = NewRedeliveryJob { id, organization_id: world.organization, selection, at: world.now() };
    let job = world.store.create_redelivery_job(job).await.unwrap();
    world.clock.turn(SignedDuration::from_secs(1));
    job
}

async fn count(world: &World, selection: RedeliverySelection) -> u64 {
    world.store.count_redeliveries(world.organization, selection, world.now()).await.unwrap()
}

async fn step(world: &World, job: RedeliveryJobId) -> JobStep {
    let ids = (0..20).map(|_| DeliveryId::generate(world.now(), &*world.chance)).collect();
    world.store.advance_redelivery_job(job, ids, world.now()).await.unwrap()
}

async fn now(world: &World, job: RedeliveryJobId) -> RedeliveryJob {
    world.store.redelivery_job(world.organization, job).await.unwrap().unwrap()
}

/// Lets every pending delivery be delivered, and answers whose repetitions they were.
async fn deliver_all(world: &World) -> Vec<DeliveryId> {
    let mut repeated = Vec::new();
    for claimed in world.store.claim_due(world.now(), world.leases(100)).await.unwrap() {
        repeated.extend(world.delivery(claimed.delivery_id).await.redelivery_of);
        world.store.record(world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    }
    repeated
}

/// Takes a job to its end and answers what it repeated, in its order.
async fn drive(world: &World, job: RedeliveryJobId) -> Vec<DeliveryId> {
    let mut repeated = Vec::new();
    loop {
        let step = step(world, job).await;
        repeated.extend(deliver_all(world).await);
        world.clock.turn(SignedDuration::from_secs(1));
        if step.next == JobNext::Ended {
            return repeated;
        }
    }
}

fn pending(deliveries: &[Delivery]) -> usize {
    deliveries.iter().filter(|delivery| delivery.status == DeliveryStatus::Pending).count()
}

pub async fn a_job_repeats_what_it_counted_once_and_oldest_first(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    let webhook = world.webhook("https://example.com", None).await;
    let delivered = world.claimed(agent).await;
    store.record(world.record(&delivered, answered(200), NextStep::Delivered)).await.unwrap();
    let test = world.enqueue_test(webhook).await.unwrap();
    store.record(world.record(&test, answered(500), NextStep::Exhausted)).await.unwrap();
    let originals = failing(&world, agent, 20).await;
    assert_eq!(count(&world, failed()).await, 20);
    assert_eq!(world.deliveries().await.len(), 22, "counting writes nothing");
    let job = create(&world, failed()).await;
    assert_eq!((job.status, job.total, job.enqueued, job.completed_at), (JobStatus::Running, 20, 0, None));
    assert_eq!(drive(&world, job.id).await, originals);
    let job = now(&world, job.id).await;
    assert_eq!((job.status, job.total, job.enqueued, job.skipped), (JobStatus::Completed, 20, 20, Skipped::default()));
    assert!(job.completed_at.is_some());
    assert_eq!(step(&world, job.id).await, JobStep { enqueued: 0, next: JobNext::Ended });
    assert_eq!(count(&world, failed()).await, 0, "they were delivered since");
}

pub async fn a_jobs_set_is_fixed_when_it_is_created(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let under_way = world.claimed(agent).await;
    let originals = failing(&world, agent, 10).await;
    let job = create(&world, failed()).await;
    failing(&world, agent, 3).await;
    store.record(world.record(&under_way, answered(500), NextStep::Exhausted)).await.unwrap();
    assert_eq!(drive(&world, job.id).await, originals);
    let job = now(&world, job.id).await;
    assert_eq!((job.total, job.enqueued), (10, 10));
    assert_eq!(create(&world, failed()).await.total, 4, "those are for the next one");
}

pub async fn a_job_has_few_deliveries_pending_at_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    failing(&world, agent, 20).await;
    let job = create(&world, failed()).await.id;
    let most = MAX_PENDING_OF_JOB;
    assert_eq!(step(&world, job).await, JobStep { enqueued: most, next: JobNext::Wait });
    assert_eq!(step(&world, job).await, JobStep { enqueued: 0, next: JobNext::Wait });
    assert_eq!(pending(&world.deliveries().await), most as usize);
    let running = store.running_redelivery_jobs(None, 10).await.unwrap();
    assert_eq!(running.iter().map(|running| (running.id, running.pending)).collect::<Vec<_>>(), [(job, most)]);
    assert!(store.running_redelivery_jobs(Some(job), 10).await.unwrap().is_empty());

    let claimed = store.claim_due(world.now(), world.leases(3)).await.unwrap();
    store.record(world.record(&claimed[0], answered(200), NextStep::Delivered)).await.unwrap();
    let later = world.now().checked_add(SignedDuration::from_mins(1)).unwrap();
    store.record(world.record(&claimed[1], answered(500), NextStep::RetryAt(later))).await.unwrap();
    store.record(world.record(&claimed[2], answered(500), NextStep::Exhausted)).await.unwrap();
    assert_eq!(step(&world, job).await, JobStep { enqueued: 2, next: JobNext::Wait }, "one that is retried is pending, too");
    assert_eq!(pending(&world.deliveries().await), most as usize);
}

pub async fn of_several_deliveries_of_an_event_to_a_webhook_the_newest_is_repeated(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let originals = failing(&world, agent, 4).await;
    let redeliver = async |of, end: Option<(u16, NextStep)>| {
        let delivery_id = DeliveryId::generate(world.now(), &*world.chance);
        let (lease, at) = (Some(world.lease()), world.now());
        let order = Redelivery { organization_id: world.organization, of, delivery_id, places: Places::of(lease), at };
        let claimed = store.redeliver(order).await.unwrap().claimed.unwrap();
        if let Some((status, next)) = end {
            store.record(world.record(&claimed, answered(status), next)).await.unwrap();
        }
        delivery_id
    };
    let again = redeliver(originals[0], Some((500, NextStep::Exhausted))).await;
    redeliver(originals[1], Some((200, NextStep::Delivered))).await;
    let under_way = redeliver(originals[2], None).await;
    world.clock.turn(SignedDuration::from_secs(1));
    assert_eq!(count(&world, failed()).await, 2, "one was delivered since, one is on its way");
    let window = RedeliverySelection { created_before: Some(world.delivery(again).await.created_at), ..failed() };
    assert_eq!(count(&world, window).await, 2, "a newer one that is not selected stands in nobody's place");
    let job = create(&world, failed()).await;
    let repeated = drive(&world, job.id).await;
    assert_eq!(repeated, [originals[3], again]);
    assert_eq!(world.delivery(under_way).await.status, DeliveryStatus::Pending);
}

pub async fn what_can_no_longer_be_sent_is_skipped_and_counted(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (mut agents, mut webhooks) = (Vec::new(), Vec::new());
    for name in ["deleted", "disabled", "fine"] {
        let agent = world.agent(name).await;
        webhooks.push(world.webhook("https://example.com", Some(agent)).await);
        agents.push(agent);
    }
    let mut originals = Vec::new();
    for agent in &agents {
        originals.push(failing(&world, *agent, 3).await);
    }
    let job = create(&world, failed()).await;
    store.delete_webhook(world.organization, webhooks[0], Expected::default(), world.now()).await.unwrap();
    let off = WebhookChanges { is_enabled: Some(false), ..WebhookChanges::default() };
    store.update_webhook(world.organization, webhooks[1], off, world.now()).await.unwrap();
    assert_eq!(drive(&world, job.id).await, originals[2]);
    let job = now(&world, job.id).await;
    assert_eq!((job.status, job.total, job.enqueued), (JobStatus::Completed, 9, 3));
    assert_eq!(job.skipped, Skipped { webhook_deleted: 3, webhook_disabled: 3 });
}

pub async fn a_selection_restricts_as_the_filter_of_the_history_does(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let (first, second) = (world.agent("first").await, world.agent("second").await);
    let default = world.webhook("https://a.example", None).await;
    let own = world.webhook("https://b.example", Some(second)).await;
    let of_first = failing(&world, first, 2).await;
    let middle = world.now();
    let of_second = failing(&world, second, 3).await;
    let run = world.delivery(of_first[0]).await.run_id;
    for (selection, expected) in [
        (RedeliverySelection { webhook_id: Some(default), ..failed() }, 2),
        (RedeliverySelection { webhook_id: Some(own), ..failed() }, 3),
        (RedeliverySelection { agent_id: Some(second), ..failed() }, 3),
        (RedeliverySelection { run_id: run, ..failed() }, 1),
        (RedeliverySelection { created_after: Some(middle), ..failed() }, 3),
        (RedeliverySelection { created_before: Some(middle), ..failed() }, 2),
        (RedeliverySelection { ended: Repeated::As(RepeatedStatus::Delivered), ..failed() }, 0),
        (RedeliverySelection { ended: Repeated::As(RepeatedStatus::Canceled), ..failed() }, 0),
        (RedeliverySelection { agent_id: Some(first), webhook_id: Some(own), ..failed() }, 0),
    ] {
        assert_eq!(count(&world, selection).await, expected, "{selection:?}");
    }
    let job = create(&world, RedeliverySelection { agent_id: Some(second), ..failed() }).await;
    assert_eq!(drive(&world, job.id).await, of_second);
    let delivered = RedeliverySelection { ended: Repeated::As(RepeatedStatus::Delivered), ..failed() };
    assert_eq!(count(&world, delivered).await, 3, "what was delivered can be repeated, too");
}

pub async fn a_canceled_job_writes_nothing_more(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    failing(&world, agent, 20).await;
    let job = create(&world, failed()).await.id;
    step(&world, job).await;
    let cancel = |id| store.cancel_redelivery_job(world.organization, id, world.now());
    let canceled = cancel(job).await.unwrap();
    assert_eq!((canceled.status, canceled.completed_at), (JobStatus::Canceled, Some(world.now())));
    assert_eq!(canceled, now(&world, job).await);
    let again = cancel(job).await;
    assert!(matches!(again, Err(CancelJobError::AlreadyEnded(JobStatus::Canceled))), "{again:?}");
    assert_eq!(deliver_all(&world).await.len(), MAX_PENDING_OF_JOB as usize, "what was written goes on");
    assert_eq!(step(&world, job).await, JobStep { enqueued: 0, next: JobNext::Ended });
    assert!(store.running_redelivery_jobs(None, 10).await.unwrap().is_empty());
    let unknown = RedeliveryJobId::generate(world.now(), &*world.chance);
    assert!(matches!(cancel(unknown).await, Err(CancelJobError::NotFound)));
}

pub async fn steps_that_race_repeat_nothing_twice(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    failing(&world, agent, 30).await;
    let job = create(&world, failed()).await.id;
    let mut repeated = Vec::new();
    while now(&world, job).await.status == JobStatus::Running {
        let steps: Vec<_> = (0..8)
            .map(|_| {
                let ids = (0..4).map(|_| DeliveryId::generate(world.now(), &*world.chance)).collect();
                let (store, at) = (store.clone(), world.now());
                tokio::spawn(async move { store.advance_redelivery_job(job, ids, at).await.unwrap() })
            })
            .collect();
        for step in steps {
            step.await.unwrap();
        }
        assert!(pending(&world.deliveries().await) <= MAX_PENDING_OF_JOB as usize);
        repeated.extend(deliver_all(&world).await);
    }
    let distinct: BTreeSet<DeliveryId> = repeated.iter().copied().collect();
    assert_eq!((repeated.len(), distinct.len(), now(&world, job).await.enqueued), (30, 30, 30));
}

pub async fn a_job_is_created_once_under_its_id(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    failing(&world, agent, 3).await;
    let job = create(&world, failed()).await;
    failing(&world, agent, 3).await;
    let again = NewRedeliveryJob { id: job.id, organization_id: world.organization, selection: failed(), at: world.now() };
    assert_eq!(store.create_redelivery_job(again).await.unwrap(), job);
    assert_eq!(now(&world, job.id).await, job);
}

pub async fn a_job_of_nothing_is_completed_at_once(store: Arc<dyn Store>) {
    let world = World::new(store.clone(), "default").await;
    let at = world.now();
    let job = create(&world, failed()).await;
    assert_eq!((job.status, job.total, job.completed_at), (JobStatus::Completed, 0, Some(at)));
    assert_eq!(now(&world, job.id).await, job);
}

pub async fn jobs_are_listed_newest_first_and_belong_to_their_organization(store: Arc<dyn Store>) {
    let (ours, theirs) = (World::new(store.clone(), "ours").await, World::new(store.clone(), "theirs").await);
    ours.webhook("https://a.example", None).await;
    theirs.webhook("https://b.example", None).await;
    let agent = ours.agent("Assistant").await;
    let of_theirs = failing(&theirs, theirs.agent("Assistant").await, 2).await;
    failing(&ours, agent, 1).await;
    let selection = RedeliverySelection { agent_id: Some(agent), created_after: Some(ours.now()), ..failed() };
    let (first, second) = (create(&ours, failed()).await, create(&ours, selection).await);
    let page = Page { limit: 10, offset: 0 };
    let listed = store.redelivery_jobs(ours.organization, page).await.unwrap();
    assert_eq!(listed, (vec![second, first.clone()], 2));
    assert_eq!(
        store.redelivery_jobs(ours.organization, Page { limit: 1, offset: 1 }).await.unwrap().0,
        std::slice::from_ref(&first)
    );
    assert_eq!(store.redelivery_jobs(theirs.organization, page).await.unwrap(), (vec![], 0));
    assert_eq!(store.redelivery_job(theirs.organization, first.id).await.unwrap(), None);
    let foreign = store.cancel_redelivery_job(theirs.organization, first.id, theirs.now()).await;
    assert!(matches!(foreign, Err(CancelJobError::NotFound)));
    let job = create(&theirs, failed()).await;
    assert_eq!((first.total, job.total), (1, 2), "a job repeats its organization's deliveries only");
    drive(&ours, first.id).await;
    assert_eq!(drive(&theirs, job.id).await, of_theirs);
}
