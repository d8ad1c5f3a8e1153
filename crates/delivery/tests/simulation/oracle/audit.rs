//! In the end, what the history tells is what happened.

use std::sync::Arc;

use preclinical_core::{
    attempt::{Attempt as Kept, ErrorKind},
    delivery::{Delivery as Shown, DeliveryStatus},
    health::Health,
    id::{DeliveryId, OrganizationId},
    port::{DeliveryFilter, Page, Store},
    redelivery::JobStatus,
    run::RunRef,
};

use super::{Attempt, Delivery, End, Oracle, Streak, micros};
use crate::{receiver::Reaction, weather::Weather};

impl Oracle {
    /// Compares everything with what can be read.
    pub(crate) fn audit(&mut self, store: &Arc<dyn Store>, organization: OrganizationId, weather: &Weather) {
        let filter = DeliveryFilter { limit: 100_000, ..DeliveryFilter::default() };
        let listed = weather.finish(store.deliveries(organization, filter)).unwrap().deliveries;
        let (known, shown) = (self.deliveries.len(), listed.len());
        self.expect(known == shown, || format!("{shown} deliveries are listed, {known} were written"));
        for id in self.deliveries.keys().copied().collect::<Vec<_>>() {
            match weather.finish(store.delivery(organization, id)).unwrap() {
                Some((shown, attempts)) => self.audit_delivery(id, &shown, &attempts),
                None => self.violate(format!("{id} was lost")),
            }
        }
        for (id, run) in &self.runs {
            let status = weather.finish(store.run(organization, RunRef::Id(*id))).unwrap().map(|run| run.status);
            let is_right = status.is_some_and(|status| run.ended.map_or(!status.is_final(), |(to, _)| status == to));
            if !is_right {
                self.violations.push(format!("run {id} is {status:?}"));
            }
        }
        self.audit_webhooks(store, organization, weather);
        let jobs = weather.finish(store.redelivery_jobs(organization, Page { limit: 100, offset: 0 })).unwrap().0;
        let running = jobs.iter().filter(|job| job.status == JobStatus::Running).count();
        self.expect(running == 0, || "a bulk redelivery is stuck".to_owned());
        let next = weather.finish(store.next_due()).unwrap();
        self.expect(next.is_none(), || "something is due when all has ended".to_owned());
        self.audit_requests();
    }

    fn audit_webhooks(&mut self, store: &Arc<dyn Store>, organization: OrganizationId, weather: &Weather) {
        for (id, webhook) in &self.webhooks {
            let shown = weather.finish(store.webhook(organization, *id)).unwrap();
            let told = shown.map(|shown| {
                let Health { consecutive_failures: failures, failing_since: since, exhausted_deliveries: exhausted, .. } =
                    shown.health;
                (shown.url, shown.is_enabled, shown.disabled_reason, Streak { failures, since, exhausted })
            });
            let known = (webhook.url.clone(), webhook.is_enabled, webhook.given_up, webhook.streak);
            let known = (!webhook.is_deleted).then_some(known);
            if told != known {
                self.violations.push(format!("webhook {id} is {told:?}, not {known:?}"));
            }
        }
    }

    fn audit_delivery(&mut self, id: DeliveryId, shown: &Shown, kept: &[Kept]) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let mut broken = Vec::new();
        let mut expect = |is_so: bool, what: String| {
            if !is_so {
                broken.push(format!("{id}: {what}"));
            }
        };
        expect(shown.status == delivery.status, format!("is {:?}, not {:?}", shown.status, delivery.status));
        expect(shown.status != DeliveryStatus::Pending, "is stuck".to_owned());
        expect(shown.next_attempt_at.is_none() && shown.completed_at.is_some(), "has no end".to_owned());
        expect(shown.url == delivery.url, format!("went to {}, not {}", shown.url, delivery.url));
        expect((shown.run_id, shown.redelivery_of) == (delivery.run, delivery.repeats), "has another origin".to_owned());
        expect(shown.webhook_id == delivery.webhook && shown.event == delivery.kind, "is another".to_owned());
        let counted = (shown.attempt_count as usize, kept.len());
        expect(counted == (delivery.attempts.len(), delivery.attempts.len()), format!("has {counted:?} attempts"));
        for (attempt, kept) in delivery.attempts.iter().zip(kept) {
            expect(
                self.is_as_kept(attempt, kept, delivery),
                format!("keeps {kept:?} of an attempt that ended {:?}", attempt.end),
            );
        }
        let taken = delivery.attempts.iter().any(|attempt| matches!(attempt.end, End::Answered(200..=299)));
        expect(taken == (shown.status == DeliveryStatus::Delivered), "was delivered, or was not".to_owned());
        self.violations.extend(broken);
    }

    fn is_as_kept(&self, attempt: &Attempt, kept: &Kept, delivery: &Delivery) -> bool {
        let error = kept.error.as_ref().map(|error| error.kind);
        let end = match attempt.end {
            // What was canceled while it was under way is nobody's to take over. Who had it died, and others were there.
            End::Open => delivery.status == DeliveryStatus::Canceled && (kept.http_status, error) == (None, None),
            End::Interrupted => (kept.http_status, error) == (None, Some(ErrorKind::Interrupted)),
            End::Answered(status) => (kept.http_status, error) == (Some(status), None),
            End::Failed(kind) => (kept.http_status, error) == (None, Some(kind)),
        };
        let answer = kept.response.as_ref().map(|message| String::from_utf8_lossy(&message.body).into_owned());
        let serial = attempt.request.map(|serial| serial.to_string()).filter(|_| matches!(attempt.end, End::Answered(_)));
        let sent = kept.request.as_ref().and_then(|message| serde_json::from_slice::<serde_json::Value>(&message.body).ok());
        let has_request = matches!(attempt.end, End::Answered(_) | End::Failed(_));
        let as_sent = attempt.request.map(|serial| &self.requests[serial].content);
        let is_as_sent = if has_request { sent.as_ref() == as_sent } else { sent.is_none() };
        end && answer == serial && is_as_sent && kept.started_at == micros(attempt.started_at)
    }

    /// A receiver is told again only of what it did not take, or of what nobody knows that it did.
    fn audit_requests(&mut self) {
        for (id, delivery) in &self.deliveries {
            let requests = delivery.attempts.iter().filter_map(|attempt| attempt.request.map(|serial| (attempt, serial)));
            let taken = requests
                .filter(|(_, serial)| matches!(self.requests[*serial].reaction, Reaction::Answer { status: 200..=299, .. }));
            let known = taken.filter(|(attempt, _)| matches!(attempt.end, End::Answered(_))).count();
            if known > 1 {
                self.violations.push(format!("{id} was delivered {known} times"));
            }
            let is_whole =
                |attempt: &Attempt| attempt.request.is_some() && !matches!(attempt.end, End::Open | End::Interrupted);
            if self.is_calm && !delivery.attempts.iter().all(is_whole) {
                self.violations.push(format!("{id} has an attempt without an end, and nothing was wrong"));
            }
        }
    }
}
