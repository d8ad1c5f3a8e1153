//! The rules of recording: what is recorded is what the receiver did, under a lease that holds, and what follows is the schedule's.

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    attempt::{ErrorKind, Outcome},
    delivery::DeliveryStatus,
    event::EventKind,
    id::{DeliveryId, WebhookId},
    port::{AttemptRecord, RecordError},
    retry::NextStep,
    webhook::DisabledReason,
};

use super::{DEADLINE, Delivery, End, Oracle, Origin, Streak, micros, short};
use crate::receiver::Reaction;

impl Oracle {
    /// A node told how an attempt ended.
    pub(crate) fn recorded(&mut self, node: u32, record: &AttemptRecord, answer: &Result<(), RecordError>) {
        let id = record.delivery_id;
        let heard = match answer {
            Ok(()) => "recorded",
            Err(RecordError::LeaseLost) => "refused",
            Err(RecordError::Store(_)) => return,
        };
        self.tell(format!(
            "  node {node}, attempt {} of {}: {:?}, {heard}{}",
            record.number,
            short(id),
            record.next,
            timed_out(record)
        ));
        let Some(delivery) = self.deliveries.get(&id) else {
            return self.violate(format!("{id} was recorded, and nobody wrote it"));
        };
        self.busy.insert(delivery.webhook, self.now);
        let holds = delivery.lease == Some(record.lease);
        if answer.is_err() {
            return self.expect(!holds, || format!("the record of {id} was refused, and its lease held"));
        }
        let is_last = delivery.attempts.len() == record.number as usize;
        let is_own = delivery.attempts.last().is_some_and(|attempt| attempt.node == node && attempt.end == End::Open);
        self.expect(holds, || format!("the record of {id} was taken, and its lease was lost"));
        self.expect(is_last && is_own, || format!("attempt {} of {id} was not this node's to record", record.number));
        self.judge_truth(id, record);
        self.judge_next(id, record);
        self.move_on(id, record);
    }

    /// The record says what the receiver did.
    fn judge_truth(&mut self, id: DeliveryId, record: &AttemptRecord) {
        let attempt = self.deliveries.get(&id).and_then(|delivery| delivery.attempts.get(record.number as usize - 1));
        let request = attempt.and_then(|attempt| attempt.request).and_then(|serial| self.requests.get(serial));
        let Some(request) = request else {
            return self.violate(format!("{id} has a record of a request that never left"));
        };
        let (since, given) = (request.at, request.given);
        let is_true = match (&record.outcome, request.reaction, given) {
            (Outcome::Answered { status, .. }, Reaction::Answer { status: given, .. }, Some(_)) => *status == given,
            (Outcome::Failed(error), Reaction::Refuse, Some(_)) => error.kind == ErrorKind::Connect,
            (Outcome::Failed(error), Reaction::LoseAnswer, Some(_)) => error.kind == ErrorKind::Reset,
            (Outcome::Failed(error), _, None) => error.kind == ErrorKind::Timeout && self.now >= since + DEADLINE,
            _ => false,
        };
        let outcome = &record.outcome;
        self.expect(is_true, || format!("{id}: {outcome:?} is not what the receiver did"));
        let is_after = given.is_none_or(|given| record.ended_at >= given) || !self.clocks_agree;
        self.expect(is_after, || format!("{id}: its attempt ended before its answer"));
    }

    /// What follows is what the documented schedule says.
    fn judge_next(&mut self, id: DeliveryId, record: &AttemptRecord) {
        let Some(delivery) = self.deliveries.get(&id) else { return };
        let status = record.outcome.http_status();
        let wait = self.waits.get(delivery.failures as usize).copied();
        let is_right = match (record.next, status) {
            (next, Some(200..=299)) => next == NextStep::Delivered,
            (next, _) if delivery.kind == EventKind::Test => next == NextStep::Exhausted,
            (next, Some(410)) => next == NextStep::Gone,
            (NextStep::RetryAt(at), _) => wait.is_some_and(|wait| is_on_time(at, wait, record, self.asked_for(id, status))),
            (next, _) => next == NextStep::Exhausted && wait.is_none(),
        };
        let (failures, next) = (delivery.failures, record.next);
        self.expect(is_right, || format!("{id}: {next:?} after {status:?} and {failures} failures"));
    }

    /// How much patience the receiver asked for, if it may.
    fn asked_for(&self, id: DeliveryId, status: Option<u16>) -> SignedDuration {
        let attempt = self.deliveries.get(&id).and_then(|delivery| delivery.attempts.last());
        let request = attempt.and_then(|attempt| attempt.request).and_then(|serial| self.requests.get(serial));
        match (request.map(|request| request.reaction), status) {
            (Some(Reaction::Answer { retry_after: Some(seconds), .. }), Some(429 | 503)) => {
                SignedDuration::from_secs(seconds.into())
            }
            _ => SignedDuration::ZERO,
        }
    }

    fn move_on(&mut self, id: DeliveryId, record: &AttemptRecord) {
        let is_success = record.outcome.is_success();
        if is_success && self.deliveries.get(&id).is_some_and(|delivery| delivery.status == DeliveryStatus::Canceled) {
            self.tell("  answered as canceled and delivered after all");
        }
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        let was = delivery.status;
        if let Some(attempt) = delivery.attempts.get_mut(record.number as usize - 1) {
            attempt.end = match &record.outcome {
                Outcome::Answered { status, .. } => End::Answered(*status),
                Outcome::Failed(error) => End::Failed(error.kind),
            };
        }
        (delivery.lease, delivery.holder) = (None, None);
        delivery.failures += u32::from(!is_success);
        (delivery.status, delivery.due) = after(delivery, record.next);
        let is_test = delivery.kind == EventKind::Test;
        let is_exhausted = was == DeliveryStatus::Pending && delivery.status == DeliveryStatus::Failed;
        delivery.is_missed = !is_test && (is_exhausted || delivery.is_missed && delivery.status == was);
        let webhook = delivery.webhook;
        if !is_test {
            self.note_streak(webhook, record, is_exhausted);
        }
    }

    /// What the attempt leaves on the webhook, which may be the end of it.
    fn note_streak(&mut self, id: WebhookId, record: &AttemptRecord, is_exhausted: bool) {
        let (at, patience) = (record.ended_at, self.patience);
        let Some(webhook) = self.webhooks.get_mut(&id).filter(|webhook| !webhook.is_deleted) else { return };
        let streak = &mut webhook.streak;
        if record.outcome.is_success() {
            *streak = Streak::default();
            return;
        }
        streak.failures += 1;
        streak.exhausted += u32::from(is_exhausted);
        let since = *streak.since.get_or_insert(micros(at));
        let is_over =
            patience.is_some_and(|most| micros(at).duration_since(since) >= most.time && streak.exhausted >= most.exhausted);
        let was_enabled = webhook.is_enabled;
        let reason = match record.next {
            NextStep::Gone => DisabledReason::Gone,
            _ if is_over && was_enabled => DisabledReason::Failing,
            _ => return,
        };
        (webhook.is_enabled, webhook.given_up) = (false, Some(reason));
        let is_agents = webhook.agent.is_some();
        self.tell(format!("  a webhook is given up: {reason:?}"));
        self.cancel_pending(id);
        let listener = self.at(None).filter(|(_, listener)| listener.is_enabled).map(|(listener, _)| listener);
        if let Some(listener) = listener.filter(|_| was_enabled && is_agents) {
            self.tell("  the organization is told");
            let news = record.disabling.delivery_id;
            self.wrote(news, (EventKind::WebhookDisabled, listener), Origin::default(), at);
        }
    }
}

fn timed_out(record: &AttemptRecord) -> &'static str {
    match &record.outcome {
        Outcome::Failed(error) if error.kind == ErrorKind::Timeout => " after Timeout",
        _ => "",
    }
}

/// A success is never forgotten; what was canceled meanwhile stays so otherwise.
fn after(delivery: &Delivery, next: NextStep) -> (DeliveryStatus, Option<Timestamp>) {
    match (next, delivery.status) {
        (NextStep::Delivered, _) => (DeliveryStatus::Delivered, None),
        (NextStep::RetryAt(at), DeliveryStatus::Pending) => (DeliveryStatus::Pending, Some(micros(at))),
        (_, DeliveryStatus::Pending) => (DeliveryStatus::Failed, None),
        (_, ended) => (ended, None),
    }
}

/// Not before the wait is over, and a tenth of it later at most, unless the receiver asked for more.
fn is_on_time(at: Timestamp, wait: SignedDuration, record: &AttemptRecord, asked_for: SignedDuration) -> bool {
    let waited = at.duration_since(record.ended_at);
    waited >= wait.max(asked_for) && waited <= (wait + wait / 10).max(asked_for)
}
