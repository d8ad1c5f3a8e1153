//! The rules of what people order: canceling, repeating one or many, trying out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use preclinical_core::{
    delivery::{Claimed, Delivery as Shown, DeliveryStatus},
    event::EventKind,
    id::{DeliveryId, RedeliveryJobId},
    port::{CancelDeliveryError, Enqueued, NewRedeliveryJob, RedeliverError, Redelivery, StoreError, TestDelivery},
    redelivery::{MAX_PENDING_OF_JOB, RedeliveryJob, Repeated},
};

use super::{Job, Oracle, Origin, Webhook};

impl Oracle {
    pub(crate) fn canceled(&mut self, id: DeliveryId, answer: &Result<Shown, CancelDeliveryError>) {
        let status = self.deliveries.get(&id).map(|delivery| delivery.status);
        let is_right = match answer {
            Ok(shown) => status == Some(DeliveryStatus::Pending) && shown.status == DeliveryStatus::Canceled,
            Err(CancelDeliveryError::AlreadyEnded(told)) => status == Some(*told) && *told != DeliveryStatus::Pending,
            Err(CancelDeliveryError::NotFound) => status.is_none(),
            Err(CancelDeliveryError::Store(_)) => return,
        };
        self.expect(is_right, || format!("{id} was {status:?} when it was canceled: {answer:?}"));
        if let (Ok(_), Some(delivery)) = (answer, self.deliveries.get_mut(&id)) {
            (delivery.status, delivery.due) = (DeliveryStatus::Canceled, None);
        }
    }

    pub(crate) fn redelivered(&mut self, node: u32, order: &Redelivery, answer: &Result<Enqueued, RedeliverError>) {
        let (of, at) = (order.of, order.at);
        let Some(old) = self.deliveries.get(&of) else { return };
        let (webhook, kind, run) = (old.webhook, old.kind, old.run);
        let found = self.webhooks.get(&webhook).filter(|webhook| !webhook.is_deleted);
        let (exists, is_enabled) = (found.is_some(), found.is_some_and(|webhook| webhook.is_enabled));
        let is_right = match answer {
            Ok(_) => exists && (is_enabled || kind == EventKind::Test),
            Err(RedeliverError::WebhookDeleted) => !exists,
            Err(RedeliverError::WebhookDisabled) => exists && !is_enabled,
            Err(RedeliverError::NotFound) => false,
            Err(RedeliverError::Store(_)) => return,
        };
        self.expect(is_right, || format!("repeating {of}: {answer:?}"));
        if let Ok(enqueued) = answer {
            self.wrote(order.delivery_id, (kind, webhook), Origin { run, repeats: Some(of) }, at);
            if let Some(claimed) = &enqueued.claimed {
                self.claimed(node, claimed, at);
            }
            self.expect(enqueued.claimed.is_some() != order.places.granted().is_empty(), || {
                format!("repeating {of}: a lease got lost")
            });
        }
    }

    pub(crate) fn tried_out(&mut self, node: u32, test: &TestDelivery, answer: &Result<Option<Claimed>, StoreError>) {
        let Ok(claimed) = answer else { return };
        let exists = self.webhooks.get(&test.webhook_id).is_some_and(|webhook| !webhook.is_deleted);
        self.expect(claimed.is_some() == exists, || "a test of a webhook that is not there".to_owned());
        if let Some(claimed) = claimed {
            self.wrote(test.delivery_id, (EventKind::Test, test.webhook_id), Origin::default(), test.at);
            self.claimed(node, claimed, test.at);
        }
    }

    pub(crate) fn ordered(&mut self, order: &NewRedeliveryJob) {
        let ended = order.selection.ended;
        self.jobs.entry(order.id).or_insert(Job { ended, originals: BTreeSet::new() });
    }

    /// Webhooks recovered, and nobody had to give the order.
    pub(crate) fn owed(&mut self, job: &RedeliveryJob) {
        let webhook = job.selection.webhook_id.and_then(|id| self.webhooks.get(&id));
        let is_well = |webhook: &Webhook| webhook.is_enabled && !webhook.is_deleted && webhook.streak.failures == 0;
        self.expect(webhook.is_some_and(is_well), || "a replay by itself, and its webhook is not well".to_owned());
        self.tell("a webhook has recovered: what it missed is replayed by itself");
        self.jobs.entry(job.id).or_insert(Job { ended: job.selection.ended, originals: BTreeSet::new() });
    }

    /// A bulk redelivery wrote a delivery.
    pub(crate) fn repeated(&mut self, job: RedeliveryJobId, new: &Shown, at: Timestamp) {
        let (id, of) = (new.id, new.redelivery_of);
        let Some((of, old)) = of.and_then(|of| self.deliveries.get(&of).map(|old| (of, old))) else {
            return self.violate(format!("{id} repeats nothing"));
        };
        let (kind, webhook, run, status, is_missed) = (old.kind, old.webhook, old.run, old.status, old.is_missed);
        let is_enabled = self.webhooks.get(&webhook).is_some_and(|webhook| webhook.is_enabled && !webhook.is_deleted);
        let wanted = self.jobs.get(&job).map(|job| job.ended);
        let has_ended_so = wanted.is_some_and(|wanted| match wanted {
            Repeated::As(wanted) => status == DeliveryStatus::from(wanted),
            Repeated::Missed(_) => is_missed,
        });
        // What was canceled may be delivered after all when the job is under way.
        let is_wanted = has_ended_so || status == DeliveryStatus::Delivered;
        self.expect(is_wanted, || format!("{of} is {status:?} and repeated by a job for {wanted:?}"));
        self.expect(is_enabled, || format!("{of} is repeated by a job, and its webhook is off"));
        self.expect(kind != EventKind::Test, || format!("{of} is a test and repeated by a job"));
        let first = self.jobs.get_mut(&job).is_some_and(|job| job.originals.insert(of));
        self.expect(first, || format!("{of} is repeated twice by a job"));
        self.tell(format!("  {} is repeated by a job", super::short(of)));
        self.wrote(id, (kind, webhook), Origin { run, repeats: Some(of) }, at);
        let originals = self.jobs.get(&job).map(|job| job.originals.clone()).unwrap_or_default();
        let of_job = |delivery: &&super::Delivery| delivery.repeats.is_some_and(|of| originals.contains(&of));
        let pending = self.deliveries.values().filter(of_job).filter(|one| one.status == DeliveryStatus::Pending).count();
        // Those that somebody repeated by hand are among them.
        self.expect(pending <= MAX_PENDING_OF_JOB as usize + originals.len(), || "a job has too many pending".to_owned());
    }
}
