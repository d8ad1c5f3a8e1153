//! The rules of a run's end: one event, one delivery to the webhook in force, whoever else tries learns the status.

use jiff::Timestamp;
use preclinical_core::{
    delivery::DeliveryStatus,
    event::EventKind,
    id::{DeliveryId, RunId, WebhookId},
    port::{Dispatch, Fate, Finish, FinishError, Finished, Report, ReportError},
    run::{RunRef, RunStatus},
};

use super::{Oracle, Origin};

impl Oracle {
    /// Somebody ended a run, or tried to.
    pub(crate) fn finished(&mut self, node: u32, finish: &Finish, answer: &Result<Finished, FinishError>) {
        let RunRef::Id(id) = finish.run else { return };
        let known = self.runs.get(&id).and_then(|run| run.ended);
        match (answer, known) {
            (Ok(finished), None) => self.ended(node, finished, RunStatus::from(finish.to), &finish.dispatch, finish.at),
            (Ok(finished), Some((status, event))) => {
                let repeated = event == finish.dispatch.event_id && matches!(finished.fate, Fate::NotFinal);
                self.expect(repeated, || format!("run {id} ended twice"));
                self.expect(finished.run.status == status, || format!("run {id} changed after its end"));
            }
            (Err(FinishError::AlreadyFinal(told)), known) => {
                let is_known = known.is_some_and(|(status, _)| status == *told);
                self.expect(is_known, || format!("run {id} is said to be {told:?}"));
            }
            (Err(FinishError::Store(_)), _) => {}
            (Err(error), _) => self.violate(format!("run {id}: {error}")),
        }
    }

    /// Somebody reported one result.
    pub(crate) fn reported(&mut self, node: u32, report: &Report, answer: &Result<Finished, ReportError>) {
        let RunRef::Id(id) = report.run else { return };
        let Some(run) = self.runs.get_mut(&id) else { return };
        match answer {
            Ok(finished) if run.ended.is_none() => {
                run.reported.extend(report.results.iter().map(|result| result.scenario_id.clone()));
                let is_complete = run.planned.is_some_and(|planned| run.reported.len() == planned as usize);
                if is_complete {
                    self.ended(node, finished, RunStatus::Completed, &report.dispatch, report.at);
                } else {
                    let open = matches!(finished.fate, Fate::NotFinal) && !finished.run.status.is_final();
                    self.expect(open, || format!("run {id} ended before its results were there"));
                }
            }
            Ok(finished) => {
                let same = report.results.iter().all(|result| run.reported.contains(&result.scenario_id));
                let nothing = matches!(finished.fate, Fate::NotFinal);
                self.expect(same && nothing, || format!("run {id} took a result after its end"));
            }
            Err(ReportError::AlreadyFinal(_)) => {
                let is_known = run.ended.is_some();
                self.expect(is_known, || format!("run {id} is said to be final"));
            }
            Err(ReportError::Store(_) | ReportError::TooMany { .. }) => {}
            Err(error) => self.violate(format!("run {id}: {error}")),
        }
    }

    fn ended(&mut self, node: u32, finished: &Finished, to: RunStatus, dispatch: &Dispatch, at: Timestamp) {
        let (id, told) = (finished.run.id, finished.run.status);
        self.expect(told == to, || format!("run {id} is {told:?} instead of {to:?}"));
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.ended = Some((to, dispatch.event_id));
        let agent = run.agent;
        let judged = self.in_force(agent).map(|(webhook, found)| (webhook, found.is_enabled, found.given_up.is_some()));
        let expected = judged.filter(|(_, is_enabled, _)| *is_enabled).map(|(webhook, ..)| webhook);
        self.tell(format!("  run {} is {}", finished.run.number, to.as_str()));
        match (&finished.fate, expected) {
            (Fate::NoWebhook, None) => {
                // What a webhook misses that was given up is kept.
                if let Some((webhook, ..)) = judged.filter(|(_, _, is_given_up)| *is_given_up) {
                    self.wrote_of_run(dispatch.delivery_id, webhook, id, at);
                    self.hold_back(dispatch.delivery_id);
                }
            }
            (Fate::Due, Some(webhook)) if dispatch.places.granted().is_empty() => {
                self.wrote_of_run(dispatch.delivery_id, webhook, id, at);
            }
            (Fate::Claimed(claimed), Some(webhook)) if dispatch.places.granted().contains(&claimed.lease.token) => {
                self.wrote_of_run(dispatch.delivery_id, webhook, id, at);
                self.claimed(node, claimed, at);
            }
            (fate, expected) => self.violate(format!("run {id} ended as {fate:?}, its webhook is {expected:?}")),
        }
    }

    fn hold_back(&mut self, id: DeliveryId) {
        self.tell("  its webhook was given up, and it is missed");
        if let Some(delivery) = self.deliveries.get_mut(&id) {
            (delivery.status, delivery.due, delivery.is_missed) = (DeliveryStatus::Canceled, None, true);
        }
    }

    fn wrote_of_run(&mut self, id: DeliveryId, webhook: WebhookId, run: RunId, at: Timestamp) {
        let is_first = self.deliveries.values().all(|delivery| delivery.run != Some(run) || delivery.repeats.is_some());
        self.expect(is_first, || format!("run {run} has two deliveries of its own"));
        self.wrote(id, (EventKind::TestRunCompleted, webhook), Origin { run: Some(run), repeats: None }, at);
    }
}
