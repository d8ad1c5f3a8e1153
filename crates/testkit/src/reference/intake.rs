//! Runs come in and end.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    choice::Ruling,
    decision::{Decision, Judged},
    delivery::DeliveryStatus,
    event::{EventContent, EventKind},
    id::WebhookId,
    port::{
        CreateRunError, Dispatch, Fate, Finish, FinishError, Finished, Intake, NewRun, Report, ReportError, ReportedCounts,
    },
    run::{FinalStatus, Run, RunNumber, RunStatus},
    scenario::{self, MAX_SCENARIOS, ScenarioResult},
    tally::Tally,
};

use super::{DeliveryRow, EventRow, Ledger, ReferenceStore, RunRow, micros};

impl Ledger {
    fn create_run(&mut self, new: NewRun) -> Result<Run, CreateRunError> {
        if let Some(row) = self.runs.get(&new.id).filter(|row| row.run.organization_id == new.organization_id) {
            return Ok(self.shown(row));
        }
        let agent_name =
            self.agent(new.organization_id, new.agent_id).ok_or(CreateRunError::AgentNotFound)?.agent.name.clone();
        let has_suite = |id| self.suites.get(&id).is_some_and(|suite| suite.organization_id == new.organization_id);
        if !new.test_suite_id.is_none_or(has_suite) {
            return Err(CreateRunError::TestSuiteNotFound);
        }
        let number = self.organizations.get_mut(&new.organization_id).map_or(0, |row| {
            row.last_run += 1;
            row.last_run
        });
        let run = Run {
            id: new.id,
            organization_id: new.organization_id,
            number: RunNumber(number),
            name: new.name.unwrap_or_else(|| format!("{agent_name} test run")),
            agent_id: new.agent_id,
            agent_name,
            status: if new.started_at.is_some() { RunStatus::Running } else { RunStatus::Pending },
            tally: Tally { total: new.planned.unwrap_or(0), ..Tally::default() },
            started_at: new.started_at,
            completed_at: None,
            created_at: new.created_at,
        };
        let row = RunRow {
            run: run.clone(),
            planned: new.planned,
            results: Vec::new(),
            places: BTreeMap::new(),
            decisions: Vec::new(),
        };
        self.runs.insert(run.id, row);
        Ok(run)
    }

    fn report(&mut self, report: Report) -> Result<Finished, ReportError> {
        let id = self.run_id(report.organization_id, report.run).ok_or(ReportError::RunNotFound)?;
        let row = self.runs.get_mut(&id).ok_or(ReportError::RunNotFound)?;
        let most = row.planned.unwrap_or(MAX_SCENARIOS);
        let mut new: Vec<ScenarioResult> = Vec::new();
        let mut places = BTreeMap::new();
        for (index, result) in report.results.into_iter().enumerate() {
            let known = row.places.get(&result.scenario_id).map(|place| &row.results[*place]);
            match known.or_else(|| places.get(&result.scenario_id).map(|place: &usize| &new[*place])) {
                Some(known) if *known == result => {}
                Some(_) => return Err(ReportError::Conflicting { index }),
                None if row.run.status.is_final() => return Err(ReportError::AlreadyFinal(row.run.status)),
                None if row.results.len() + new.len() >= most as usize => return Err(ReportError::TooMany { most }),
                None => {
                    places.insert(result.scenario_id.clone(), new.len());
                    new.push(result);
                }
            }
        }
        if !row.run.status.is_final() {
            let before = row.results.len();
            row.places.extend(places.into_iter().map(|(id, place)| (id, before + place)));
            row.results.extend(new);
            row.run.tally = scenario::tally(row.results.iter().map(|result| result.status), row.planned);
            row.run.started_at = row.run.started_at.or(Some(report.at));
            if row.run.status == RunStatus::Pending {
                row.run.status = RunStatus::Running;
            }
            self.concerned.insert(report.organization_id);
        }
        let row = &self.runs[&id];
        let run = self.shown(row);
        if run.status.is_final() || row.planned.is_none_or(|planned| row.results.len() < planned as usize) {
            return Ok(Finished { run, fate: Fate::NotFinal });
        }
        let tally = run.tally;
        Ok(self.settle(run, FinalStatus::Completed, tally, report.at, &report.dispatch))
    }

    fn finish(&mut self, finish: &Finish) -> Result<Finished, FinishError> {
        let id = self.run_id(finish.organization_id, finish.run).ok_or(FinishError::RunNotFound)?;
        let row = &self.runs[&id];
        let run = self.shown(row);
        if run.status.is_final() {
            let by_this = self.events.get(&finish.dispatch.event_id).is_some_and(|event| event.run == Some(id));
            return if by_this {
                Ok(Finished { run, fate: Fate::NotFinal })
            } else {
                Err(FinishError::AlreadyFinal(run.status))
            };
        }
        let tally = match finish.counts {
            Some(_) if !row.results.is_empty() => return Err(FinishError::CountsNotWanted),
            Some(counts) => counted(&run, counts)?,
            None => run.tally,
        };
        Ok(self.settle(run, finish.to, tally, finish.at, &finish.dispatch))
    }

    /// Writes the final state of a run, its event, what was decided about it, and the delivery that follows.
    fn settle(&mut self, run: Run, to: FinalStatus, tally: Tally, at: Timestamp, dispatch: &Dispatch) -> Finished {
        let started_at = match to {
            FinalStatus::Canceled => run.started_at,
            FinalStatus::Completed | FinalStatus::Failed => run.started_at.or(Some(at)),
        };
        let run = Run { status: RunStatus::from(to), tally, started_at, completed_at: Some(at), ..run };
        let content = EventContent::of_run(&run, &dispatch.public_url);
        self.events.insert(dispatch.event_id, EventRow { run: Some(run.id), content });
        let chosen = self.decide(&run, dispatch, at);
        self.concerned.insert(run.organization_id);
        let fate = chosen.map_or(Fate::NoWebhook, |(webhook, ruling)| self.announce(&run, webhook, ruling, dispatch, at));
        Finished { run, fate }
    }

    /// Keeps what is decided about each webhook; answers the one that hears of the run, or misses it.
    fn decide(&mut self, run: &Run, dispatch: &Dispatch, at: Timestamp) -> Option<(WebhookId, Ruling)> {
        let (event_id, decided_at) = (dispatch.event_id, at);
        let judged = self.judged(run.organization_id, run.agent_id);
        let chosen =
            judged.iter().find(|(_, _, ruling)| ruling.has_delivery()).map(|(_, webhook, ruling)| (webhook.id, *ruling));
        let decision = |(level, webhook, ruling): (_, &preclinical_core::webhook::Webhook, Ruling)| {
            let about = Judged { level, webhook_id: webhook.id, url: webhook.url.clone(), ruling, delivery: None };
            let delivery = ruling.has_delivery().then_some(dispatch.delivery_id);
            (Decision { event_id, decided_at, about: Some(about) }, delivery)
        };
        let mut decisions: Vec<_> = judged.into_iter().map(decision).collect();
        if decisions.is_empty() {
            decisions.push((Decision { event_id, decided_at, about: None }, None));
        }
        if let Some(row) = self.runs.get_mut(&run.id) {
            (row.run, row.decisions) = (run.clone(), decisions);
        }
        chosen
    }

    fn announce(&mut self, run: &Run, webhook: WebhookId, ruling: Ruling, dispatch: &Dispatch, at: Timestamp) -> Fate {
        let row =
            DeliveryRow::new(self, (dispatch.delivery_id, dispatch.event_id), EventKind::TestRunCompleted, webhook, at);
        let (agent_id, run_id, run_number) = (Some(run.agent_id), Some(run.id), Some(run.number));
        let delivery = preclinical_core::delivery::Delivery { agent_id, run_id, run_number, ..row.delivery };
        self.insert(DeliveryRow { delivery, ..row });
        if ruling != Ruling::Sent {
            self.end(dispatch.delivery_id, DeliveryStatus::Canceled, at);
            self.change(dispatch.delivery_id, |row| row.is_missed = true);
            return Fate::NoWebhook;
        }
        self.claim_if_admitted(dispatch.delivery_id, &*dispatch.places, micros(at)).map_or(Fate::Due, Fate::Claimed)
    }
}

fn counted(run: &Run, counts: ReportedCounts) -> Result<Tally, FinishError> {
    let mut tally = Tally { passed: counts.passed, failed: counts.failed, error: counts.error, total: 0 };
    let judged = tally.judged();
    let sum = u32::try_from(judged).unwrap_or(u32::MAX);
    tally.total = counts.total.unwrap_or(run.tally.total.max(sum));
    if judged > u64::from(tally.total) {
        return Err(FinishError::CountsExceedTotal { judged, total: tally.total });
    }
    Ok(tally)
}

#[async_trait]
impl Intake for ReferenceStore {
    async fn create_run(&self, run: NewRun) -> Result<Run, CreateRunError> {
        self.write(|ledger| ledger.create_run(run))
    }

    async fn report_results(&self, report: Report) -> Result<Finished, ReportError> {
        self.write(|ledger| ledger.report(report))
    }

    async fn finish_run(&self, finish: Finish) -> Result<Finished, FinishError> {
        self.write(|ledger| ledger.finish(&finish))
    }
}
