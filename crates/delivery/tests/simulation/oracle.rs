//! What must be, worked out beside the product: from what a store's methods answered with `Ok` at the port, and from what the
//! receiver saw. It shares no decision with `core`; the rules are written down here a second time.

mod audit;
mod claims;
mod deaths;
mod endings;
mod records;
mod repeats;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    attempt::ErrorKind,
    delivery::DeliveryStatus,
    event::EventKind,
    health::Patience,
    id::{AgentId, DeliveryId, EventId, LeaseToken, RedeliveryJobId, RunId, WebhookId},
    redelivery::Repeated,
    request::WebhookRequest,
    run::RunStatus,
    secret::SigningSecret,
    signature,
    webhook::DisabledReason,
};

use self::deaths::{Name, Presences};
use crate::{plan::Plan, receiver::Reaction};

pub(crate) type Shared = Arc<Mutex<Oracle>>;

/// The deadline of an attempt in every simulation.
pub(crate) const DEADLINE: SignedDuration = SignedDuration::from_secs(15);

#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) waits: Vec<SignedDuration>,
    /// How long webhooks may fail.
    pub(crate) patience: Option<Patience>,
    /// Nobody dies, sleeps, errs about the time or loses an answer of the store.
    pub(crate) is_calm: bool,
    /// Whoever noted when something is due is still there.
    pub(crate) is_watched: bool,
    /// All clocks show the same.
    pub(crate) clocks_agree: bool,
    /// How nodes know of each other's death; missing where it is somebody else who does.
    pub(crate) presences: Option<Presences>,
    pub(crate) webhooks: BTreeMap<WebhookId, Webhook>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) deliveries: BTreeMap<DeliveryId, Delivery>,
    pub(crate) jobs: BTreeMap<RedeliveryJobId, Job>,
    pub(crate) requests: Vec<Request>,
    pub(crate) story: Vec<String>,
    pub(crate) violations: Vec<String>,
    /// When a receiver was last seen to be asked something.
    pub(crate) busy: BTreeMap<WebhookId, Timestamp>,
    /// What was late at the last look.
    pub(crate) late: BTreeSet<DeliveryId>,
    pub(crate) now: Timestamp,
}

pub(crate) struct Webhook {
    pub(crate) agent: Option<AgentId>,
    pub(crate) url: String,
    pub(crate) secret: Option<String>,
    /// The one before it, and until when it signs, too.
    pub(crate) rotated: Option<(String, Timestamp)>,
    pub(crate) is_enabled: bool,
    /// Why it was disabled, if its owner did not do that.
    pub(crate) given_up: Option<DisabledReason>,
    pub(crate) is_deleted: bool,
    pub(crate) streak: Streak,
}

/// Failures of a webhook since its last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    pub(crate) failures: u32,
    pub(crate) since: Option<Timestamp>,
    pub(crate) exhausted: u32,
}

pub(crate) struct Run {
    pub(crate) agent: AgentId,
    pub(crate) planned: Option<u32>,
    pub(crate) reported: BTreeSet<String>,
    pub(crate) ended: Option<(RunStatus, EventId)>,
}

pub(crate) struct Delivery {
    pub(crate) webhook: WebhookId,
    pub(crate) run: Option<RunId>,
    pub(crate) kind: EventKind,
    pub(crate) repeats: Option<DeliveryId>,
    pub(crate) status: DeliveryStatus,
    pub(crate) due: Option<Timestamp>,
    pub(crate) lease: Option<LeaseToken>,
    /// In whose name the lease is held.
    pub(crate) holder: Option<Name>,
    pub(crate) failures: u32,
    pub(crate) url: String,
    /// It failed for good, or its webhook was given up.
    pub(crate) is_missed: bool,
    pub(crate) attempts: Vec<Attempt>,
}

pub(crate) struct Attempt {
    pub(crate) node: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) url: String,
    pub(crate) secrets: Vec<String>,
    pub(crate) request: Option<usize>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Interrupted,
    Answered(u16),
    Failed(ErrorKind),
}

/// What the receiver knows of a request.
pub(crate) struct Request {
    pub(crate) delivery: DeliveryId,
    pub(crate) reaction: Reaction,
    pub(crate) at: Timestamp,
    /// When its answer, or the end of its connection, reached the sender.
    pub(crate) given: Option<Timestamp>,
    pub(crate) content: serde_json::Value,
}

pub(crate) struct Job {
    pub(crate) ended: Repeated,
    pub(crate) originals: BTreeSet<DeliveryId>,
}

impl Oracle {
    pub(crate) fn new(now: Timestamp, plan: &Plan, nodes_beat: bool) -> Self {
        let presences = nodes_beat.then(Presences::default);
        let (waits, patience) = (plan.waits.clone(), plan.patience);
        Self { now, waits, patience, is_calm: true, is_watched: true, clocks_agree: true, presences, ..Self::default() }
    }

    pub(crate) fn tell(&mut self, what: impl Display) {
        self.story.push(format!("{} {what}", self.now.strftime("%d %H:%M:%S%.3f")));
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.tell(format!("VIOLATED {what}"));
        self.violations.push(what);
    }

    pub(crate) fn expect(&mut self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            self.violate(what());
        }
    }

    pub(crate) fn disturb(&mut self) {
        self.is_calm = false;
    }

    /// The webhook of that level.
    pub(super) fn at(&self, level: Option<AgentId>) -> Option<(WebhookId, &Webhook)> {
        let mut there = self.webhooks.iter().filter(|(_, webhook)| !webhook.is_deleted);
        there.find(|(_, webhook)| webhook.agent == level).map(|(id, webhook)| (*id, webhook))
    }

    /// The webhook that a run of the agent is judged by.
    pub(crate) fn in_force(&self, agent: AgentId) -> Option<(WebhookId, &Webhook)> {
        self.at(Some(agent)).or_else(|| self.at(None))
    }

    pub(crate) fn secrets(&self, webhook: WebhookId, now: Timestamp) -> Vec<String> {
        let Some(webhook) = self.webhooks.get(&webhook) else { return Vec::new() };
        let rotated = webhook.rotated.iter().filter(|(_, until)| now < *until).map(|(secret, _)| secret.clone());
        webhook.secret.iter().cloned().chain(rotated).collect()
    }

    /// The webhook sends no more.
    pub(crate) fn cancel_pending(&mut self, webhook: WebhookId) {
        let is_given_up = self.webhooks.get(&webhook).is_some_and(|webhook| webhook.given_up.is_some());
        for delivery in self.deliveries.values_mut().filter(|delivery| delivery.webhook == webhook) {
            if delivery.status == DeliveryStatus::Pending {
                (delivery.status, delivery.due) = (DeliveryStatus::Canceled, None);
                delivery.is_missed = is_given_up && delivery.kind != EventKind::Test;
            }
        }
    }

    /// Writes a delivery down that is due at once.
    pub(crate) fn wrote(&mut self, id: DeliveryId, delivery: (EventKind, WebhookId), of: Origin, at: Timestamp) {
        let (kind, webhook) = delivery;
        let url = self.webhooks.get(&webhook).map(|webhook| webhook.url.clone()).unwrap_or_default();
        self.tell(format!("  delivery {} is written", short(id)));
        let Origin { run, repeats } = of;
        let (status, due) = (DeliveryStatus::Pending, Some(micros(at)));
        let (lease, holder, failures, is_missed, attempts) = (None, None, 0, false, Vec::new());
        let delivery =
            Delivery { webhook, run, kind, repeats, status, due, lease, holder, failures, url, is_missed, attempts };
        let before = self.deliveries.insert(id, delivery);
        self.expect(before.is_none(), || format!("delivery {id} is written twice"));
    }

    /// A request has left a node. Answers its serial number.
    pub(crate) fn posted(
        &mut self,
        node: u32,
        url: &str,
        request: &WebhookRequest,
        reaction: Reaction,
        at: Timestamp,
    ) -> usize {
        let serial = self.requests.len();
        let delivery = header(request, "x-preclinical-delivery").and_then(|id| id.parse().ok());
        let content = serde_json::from_slice(&request.body).unwrap_or_default();
        let Some(delivery) = delivery else {
            self.violate("a request names no delivery".to_owned());
            let delivery = DeliveryId::from_uuid(uuid::Uuid::nil());
            self.requests.push(Request { delivery, reaction, at, given: None, content });
            return serial;
        };
        self.tell(format!("  node {node} posts {serial} for {}: {reaction:?}", short(delivery)));
        let open = self.deliveries.get_mut(&delivery).and_then(|found| {
            found.attempts.iter_mut().rev().find(|attempt| attempt.node == node && attempt.request.is_none())
        });
        if let Some(attempt) = open {
            attempt.request = Some(serial);
            let (as_claimed, secrets) = (attempt.url == url, attempt.secrets.clone());
            self.expect(as_claimed, || format!("{delivery} goes to {url}"));
            self.expect(is_signed(request, &secrets), || format!("{delivery} is not signed with {secrets:?}"));
        } else {
            self.violate(format!("a request of {delivery} without a note that its attempt started"));
        }
        self.posted_content(delivery, &content);
        self.requests.push(Request { delivery, reaction, at, given: None, content });
        serial
    }

    fn posted_content(&mut self, delivery: DeliveryId, content: &serde_json::Value) {
        let Some(found) = self.deliveries.get(&delivery) else { return };
        let is_test = content["is_test"].as_bool().unwrap_or(false);
        let (kind, run) = (found.kind, found.run);
        self.expect(is_test == (kind == EventKind::Test), || format!("{delivery} confuses tests with runs"));
        let Some(run) = run else { return };
        let status = self.runs.get(&run).and_then(|run| run.ended).map(|(status, _)| status.as_str());
        let told = &content["test_run"];
        self.expect(told["id"].as_str() == Some(&*run.to_string()), || format!("{delivery} tells of another run"));
        self.expect(told["status"].as_str() == status, || format!("{delivery} tells {} of a run", told["status"]));
        let first =
            self.requests.iter().find(|request| request.delivery == delivery).map(|request| &request.content["test_run"]);
        let same = first.is_none_or(|first| first == told);
        self.expect(same, || format!("{delivery} tells something else than before"));
    }

    /// The sender of a request learns how it ended.
    pub(crate) fn given(&mut self, serial: usize, reaction: Reaction, at: Timestamp) {
        self.tell(format!("  request {serial} ends: {reaction:?}"));
        self.requests[serial].given = Some(at);
    }

    /// When the next pending delivery is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.dues().min()
    }

    /// When whatever is pending is due.
    pub(crate) fn dues(&self) -> impl Iterator<Item = Timestamp> {
        let pending = self.deliveries.values().filter(|delivery| delivery.status == DeliveryStatus::Pending);
        pending.filter_map(|delivery| delivery.due)
    }

    /// The same of what that node may have.
    pub(crate) fn next_due_of(&self, node: u32) -> Option<Timestamp> {
        let pending = self.deliveries.values().filter(|delivery| delivery.status == DeliveryStatus::Pending);
        pending.filter(|delivery| !self.is_anothers(node, delivery)).filter_map(|delivery| delivery.due).min()
    }

    /// The node that was given the latest attempt.
    pub(crate) fn last_claimant(&self) -> Option<u32> {
        let attempts = self.deliveries.values().flat_map(|delivery| &delivery.attempts);
        attempts.max_by_key(|attempt| attempt.started_at).map(|attempt| attempt.node)
    }

    /// Whether an attempt is under way, as far as anybody knows.
    pub(crate) fn is_busy(&self) -> bool {
        self.deliveries.values().any(|delivery| delivery.lease.is_some() && delivery.status == DeliveryStatus::Pending)
    }
}

/// Where a delivery comes from.
#[derive(Clone, Copy, Default)]
pub(crate) struct Origin {
    pub(crate) run: Option<RunId>,
    pub(crate) repeats: Option<DeliveryId>,
}

pub(crate) fn header<'a>(request: &'a WebhookRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

fn is_signed(request: &WebhookRequest, secrets: &[String]) -> bool {
    let secrets: Vec<SigningSecret> = secrets.iter().map(|text| SigningSecret::from_stored(text)).collect();
    let (Some(id), Some(time)) = (header(request, "webhook-id"), header(request, "webhook-timestamp")) else { return false };
    let own = header(request, "x-preclinical-signature");
    let Some(standard) = header(request, "webhook-signature") else { return secrets.is_empty() && own.is_none() };
    let first =
        secrets.first().zip(own).is_some_and(|(secret, own)| signature::verify_preclinical(secret, &request.body, own));
    let every = |secret| signature::verify_standard(secret, id, time, &request.body, standard);
    first && secrets.iter().all(every) && standard.split(' ').count() == secrets.len()
}

/// The end of an id, by which a story can tell deliveries apart.
pub(crate) fn short(id: DeliveryId) -> String {
    let mut text = id.to_string();
    text.split_off(text.len() - 6)
}

/// Stores keep whole microseconds.
pub(crate) fn micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap()
}
