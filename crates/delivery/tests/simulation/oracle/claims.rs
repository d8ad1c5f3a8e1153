//! The rules of claiming: never early, never what has ended or is somebody else's, never for a webhook that is off.

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    delivery::{Claimed, DeliveryStatus},
    event::EventKind,
    id::{DeliveryId, LeaseToken},
    port::{Admitted, Applicant},
};

use super::{Attempt, Delivery, End, Oracle, micros, short};

/// How long it may take at most until what is due is claimed, if nothing is wrong.
const PROMPT: SignedDuration = SignedDuration::from_millis(400);

impl Oracle {
    /// A node looked for what is due, with places that were granted or refused.
    pub(crate) fn looked(
        &mut self,
        node: u32,
        now: Timestamp,
        granted: &[LeaseToken],
        refusals: &[(Applicant, Admitted)],
        claimed: &[Claimed],
    ) {
        let is_due = |delivery: &Delivery| {
            delivery.status == DeliveryStatus::Pending
                && delivery.due.is_some_and(|due| due <= now)
                && !self.is_anothers(node, delivery)
        };
        let due: Vec<DeliveryId> =
            self.deliveries.iter().filter(|(_, delivery)| is_due(delivery)).map(|(id, _)| *id).collect();
        for one in claimed {
            self.claimed(node, one, now);
        }
        for one in claimed.iter().filter(|one| !granted.contains(&one.lease.token)) {
            self.violate(format!("{} was claimed without a place", one.delivery_id));
        }
        let passed_over: Vec<DeliveryId> =
            due.into_iter().filter(|id| claimed.iter().all(|one| one.delivery_id != *id)).collect();
        for id in passed_over {
            let webhook = self.deliveries[&id].webhook;
            let is_refused = refusals.iter().any(|(applicant, answer)| match answer {
                Admitted::Granted(_) => false,
                Admitted::NotThisWebhook => applicant.webhook == webhook,
                Admitted::NotThisOrganization | Admitted::Full => true,
            });
            self.passed_over(id, is_refused);
        }
    }

    /// A delivery that was due was not claimed: a test that was cut off, which is not repeated, or its webhook had no place.
    fn passed_over(&mut self, id: DeliveryId, is_refused: bool) {
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        if delivery.kind == EventKind::Test && delivery.lease.is_some() {
            interrupt(delivery);
            self.story.push(format!("  the test {} was cut off", short(id)));
            (delivery.status, delivery.due) = (DeliveryStatus::Failed, None);
            (delivery.lease, delivery.holder) = (None, None);
            let is_calm = self.is_calm;
            self.expect(!is_calm, || format!("{id} was cut off, and nothing was wrong"));
        } else {
            self.expect(is_refused, || format!("{id} is due and was not claimed"));
        }
    }

    /// A node was given a delivery to send.
    pub(crate) fn claimed(&mut self, node: u32, claimed: &Claimed, now: Timestamp) {
        let id = claimed.delivery_id;
        self.tell(format!("  node {node} claims {} for attempt {}", short(id), claimed.attempt));
        let (most, is_calm, secrets) = (self.waits.len(), self.is_calm, self.secrets(claimed.webhook_id, now));
        let holder = self.name_of(node);
        let is_anothers = self.deliveries.get(&id).is_some_and(|delivery| self.is_anothers(node, delivery));
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            self.violate(format!("{id} was claimed, and nobody wrote it"));
            return;
        };
        let mut broken = Vec::new();
        let mut expect = |is_so: bool, what: &str| {
            if !is_so {
                broken.push(format!("{id}: {what}"));
            }
        };
        expect(delivery.status == DeliveryStatus::Pending, "claimed, and it has ended");
        expect(delivery.due.is_some_and(|due| due <= now), "claimed before it is due, or under the lease of another");
        expect(!is_anothers, "claimed, and a node that lives holds it");
        if delivery.lease.is_some() {
            interrupt(delivery);
            self.story.push("  its attempt before was cut off".to_owned());
            expect(!is_calm, "claimed again, and nothing was wrong");
            expect(delivery.kind != EventKind::Test, "a test is repeated");
        }
        expect(delivery.attempts.iter().all(|attempt| attempt.end != End::Open), "two attempts at once");
        expect(claimed.attempt as usize == delivery.attempts.len() + 1, "its attempts are not counted one by one");
        expect(claimed.failures == delivery.failures, "its failures are not counted right");
        expect(delivery.failures as usize <= most, "more attempts than the schedule has");
        expect(claimed.webhook_id == delivery.webhook, "claimed for another webhook");
        let webhook = self.webhooks.get(&delivery.webhook).filter(|webhook| !webhook.is_deleted);
        expect(webhook.is_some(), "claimed for a webhook that was deleted");
        if let Some(webhook) = webhook {
            expect(webhook.is_enabled || delivery.kind == EventKind::Test, "claimed for a webhook that is disabled");
            expect(webhook.url == claimed.url, "not at the webhook's present URL");
        }
        let given: Vec<String> = claimed.secrets.iter().map(|secret| secret.expose().to_owned()).collect();
        expect(given == secrets, "not with the webhook's present secrets");
        delivery.attempts.push(Attempt {
            node,
            started_at: now,
            url: claimed.url.clone(),
            secrets,
            request: None,
            end: End::Open,
        });
        delivery.url.clone_from(&claimed.url);
        (delivery.lease, delivery.holder) = (Some(claimed.lease.token), holder);
        delivery.due = Some(micros(claimed.lease.until));
        for what in broken {
            self.violate(what);
        }
    }

    /// Without trouble, whatever is due is under way at once, or as soon as its receiver is not being asked something else.
    pub(crate) fn judge_promptness(&mut self) {
        let is_open = |delivery: &Delivery| delivery.attempts.iter().any(|attempt| attempt.end == End::Open);
        for delivery in self.deliveries.values().filter(|delivery| is_open(delivery)) {
            self.busy.insert(delivery.webhook, self.now);
        }
        let is_late = |delivery: &Delivery| {
            let free = self.busy.get(&delivery.webhook).copied().unwrap_or(Timestamp::MIN);
            delivery.lease.is_none() && delivery.due.is_some_and(|due| self.now.duration_since(due.max(free)) > PROMPT)
        };
        let late = self.deliveries.iter().filter(|(_, delivery)| is_late(delivery)).map(|(id, _)| *id).collect();
        // An engine that has no place for what is due rests twice, and time that passes in one piece ends one of its rests alone.
        let late = std::mem::replace(&mut self.late, late).into_iter().find(|id| self.late.contains(id));
        if let Some(id) = late.filter(|_| self.is_calm && self.is_watched) {
            self.violate(format!("{id} is due, and nobody sends it"));
        }
    }
}

/// Nobody tells how the attempt ended.
pub(super) fn interrupt(delivery: &mut Delivery) {
    for attempt in delivery.attempts.iter_mut().filter(|attempt| attempt.end == End::Open) {
        attempt.end = End::Interrupted;
    }
}
