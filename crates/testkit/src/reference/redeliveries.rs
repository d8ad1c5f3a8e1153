//! Bulk redeliveries.

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    delivery::DeliveryStatus,
    event::EventKind,
    health::Health,
    id::{DeliveryId, OrganizationId, RedeliveryJobId},
    port::{CancelJobError, JobNext, JobStep, NewRedeliveryJob, Page, Redeliveries, RunningJob, StoreError},
    redelivery::{JobStatus, MAX_PENDING_OF_JOB, Missed, RedeliveryJob, RedeliverySelection, Repeated, Skipped},
    replay_on_recovery::{MAX_REPLAYS, ReplayOnRecovery},
    webhook::Webhook,
};

use super::{DeliveryRow, JobRow, Ledger, ReferenceStore, history::key, micros, page};

/// A selection among what had ended at a time, without what a job itself wrote.
#[derive(Clone, Copy)]
struct Frozen {
    organization: OrganizationId,
    selection: RedeliverySelection,
    at: Timestamp,
    job: Option<RedeliveryJobId>,
}

impl Frozen {
    fn is_own(&self, row: &DeliveryRow) -> bool {
        self.job.is_some() && row.job == self.job
    }

    fn has_ended_so(&self, row: &DeliveryRow) -> bool {
        match self.selection.ended {
            Repeated::As(status) => row.delivery.status == DeliveryStatus::from(status),
            Repeated::Missed(missed) => {
                row.is_missed && row.delivery.completed_at.is_some_and(|completed| completed >= missed.since)
            }
        }
    }

    fn selects(&self, row: &DeliveryRow) -> bool {
        let RedeliverySelection { ended: _, webhook_id, agent_id, run_id, created_after, created_before } = self.selection;
        let delivery = &row.delivery;
        row.organization == self.organization
            && delivery.event != EventKind::Test
            && self.has_ended_so(row)
            && delivery.completed_at.is_some_and(|completed| completed <= self.at)
            && webhook_id.is_none_or(|webhook| delivery.webhook_id == webhook)
            && (agent_id.is_none() || delivery.agent_id == agent_id)
            && (run_id.is_none() || delivery.run_id == run_id)
            && created_after.is_none_or(|after| delivery.created_at >= after)
            && created_before.is_none_or(|before| delivery.created_at < before)
            && !self.is_own(row)
            && (!self.selection.is_on_recovery() || row.replays < MAX_REPLAYS)
    }

    /// Whether `newer` stands in the place of `row`.
    fn replaces(&self, newer: &DeliveryRow, row: &DeliveryRow) -> bool {
        newer.delivery.redelivery_of.is_some() && newer.event == row.event && self.is_later(newer, row)
    }

    /// Whether `newer` tells of a later run of the same agent, and no earlier one is wanted beside it.
    fn is_of_later_run(&self, newer: &DeliveryRow, row: &DeliveryRow) -> bool {
        let newest_per_agent = self.selection.missed().is_some_and(|missed| missed.newest_per_agent);
        newest_per_agent
            && row.delivery.run_number.is_some()
            && newer.delivery.agent_id == row.delivery.agent_id
            && newer.delivery.run_number > row.delivery.run_number
            && self.is_later(newer, row)
    }

    /// Whether the webhook of `row` got `newer` later, was about to get it, or would by this selection.
    fn is_later(&self, newer: &DeliveryRow, row: &DeliveryRow) -> bool {
        let delivery = &newer.delivery;
        let is_under_way = delivery.completed_at.is_none_or(|completed| completed > self.at);
        let is_selected =
            self.has_ended_so(newer) && self.selection.created_before.is_none_or(|before| delivery.created_at < before);
        delivery.webhook_id == row.delivery.webhook_id
            && key(newer.position()) > key(row.position())
            && delivery.created_at <= self.at
            && !self.is_own(newer)
            && (is_under_way || delivery.status == DeliveryStatus::Delivered || is_selected)
    }
}

impl Ledger {
    /// What is to be repeated, oldest first.
    fn originals(&self, frozen: Frozen) -> Vec<&DeliveryRow> {
        let is_newest = |row: &&DeliveryRow| {
            !self.deliveries.values().any(|newer| frozen.replaces(newer, row) || frozen.is_of_later_run(newer, row))
        };
        let selected = self.deliveries.values().filter(|row| frozen.selects(row));
        let mut rows: Vec<_> = selected.filter(is_newest).collect();
        rows.sort_by_key(|row| key(row.position()));
        rows
    }

    fn create_job(&mut self, new: NewRedeliveryJob) -> RedeliveryJob {
        let NewRedeliveryJob { id, organization_id: organization, selection, at } = new;
        if let Some(row) = self.jobs.get(&id).filter(|row| row.organization == organization) {
            return row.job.clone();
        }
        let total = self.originals(Frozen { organization, selection, at, job: None }).len() as u64;
        let ends = selection.ends_at_once(total);
        let (status, completed_at) = if ends { (JobStatus::Completed, Some(at)) } else { (JobStatus::Running, None) };
        let skipped = Skipped::default();
        let job = RedeliveryJob { id, status, selection, total, enqueued: 0, skipped, created_at: at, completed_at };
        self.jobs.insert(id, JobRow { job: job.clone(), organization, reached: None });
        self.take_over(new);
        job
    }

    /// What a webhook missed is in the hands of the job that replays it, unless that leaves something out.
    fn take_over(&mut self, job: NewRedeliveryJob) {
        let (Some(missed), Some(webhook)) = (job.selection.missed(), job.selection.webhook_id) else { return };
        let (since, at) = (micros(missed.since), micros(job.at));
        let is_later =
            |row: &DeliveryRow| row.is_missed && row.delivery.completed_at.is_some_and(|completed| completed > at);
        let is_later = self.deliveries.values().any(|row| row.delivery.webhook_id == webhook && is_later(row));
        let found = self.webhooks.get_mut(&webhook).map(|row| &mut row.webhook);
        let found = found.filter(|found| found.organization_id == job.organization_id && found.is_enabled);
        if let Some(found) = found.filter(|found| found.health.missed_since.is_some_and(|missed| missed >= since)) {
            found.health.missed_since = is_later.then_some(at);
        }
    }

    /// A job did not replay all of it, and somebody may order that again.
    fn give_back(&mut self, selection: RedeliverySelection) {
        let (Some(missed), Some(webhook)) = (selection.missed(), selection.webhook_id) else { return };
        if let Some(row) = self.webhooks.get_mut(&webhook) {
            let health = &mut row.webhook.health;
            health.missed_since = health.missed_since.into_iter().chain([micros(missed.since)]).min();
        }
    }

    /// What a webhook is owed, if its owner wants that.
    fn owed(&self, webhook: &Webhook, at: Timestamp) -> Option<Missed> {
        let Health { missed_since, last_success_at, consecutive_failures, .. } = webhook.health;
        let (since, success) = (missed_since?, last_success_at?);
        let missed = self.deliveries.values().filter(|row| row.is_missed && row.replays < MAX_REPLAYS);
        let missed = missed.filter(|row| row.delivery.webhook_id == webhook.id);
        let last = missed.filter_map(|row| row.delivery.completed_at).max()?;
        let jobs = self.jobs.values().map(|row| &row.job);
        let mut replays =
            jobs.filter(|job| job.selection.missed().is_some() && job.selection.webhook_id == Some(webhook.id));
        let stands_in_the_way = |job: &RedeliveryJob| match job.status {
            JobStatus::Running => true,
            JobStatus::Canceled if job.completed_at >= Some(last) => true,
            _ => job.skipped.webhook_disabled > 0 && job.completed_at >= Some(success),
        };
        let is_owed = webhook.replay_on_recovery != ReplayOnRecovery::Off
            && webhook.is_enabled
            && consecutive_failures == 0
            && success > since
            && success <= at
            && (since..=success).contains(&last)
            && !replays.any(stands_in_the_way);
        let newest_per_agent = webhook.replay_on_recovery == ReplayOnRecovery::NewestPerAgent;
        is_owed.then_some(Missed { since, newest_per_agent, on_recovery: true })
    }

    fn replay_recovered(&mut self, ids: Vec<RedeliveryJobId>, at: Timestamp) -> Vec<RedeliveryJob> {
        let owed = self.webhooks.values().filter_map(|row| self.owed(&row.webhook, at).map(|missed| (&row.webhook, missed)));
        let orders = owed.zip(ids).map(|((webhook, missed), id)| {
            let selection = RedeliverySelection {
                ended: Repeated::Missed(missed),
                webhook_id: Some(webhook.id),
                agent_id: None,
                run_id: None,
                created_after: None,
                created_before: None,
            };
            NewRedeliveryJob { id, organization_id: webhook.organization_id, selection, at }
        });
        orders.collect::<Vec<_>>().into_iter().map(|order| self.create_job(order)).collect()
    }

    fn job(&self, organization: OrganizationId, id: RedeliveryJobId) -> Option<&JobRow> {
        self.jobs.get(&id).filter(|row| row.organization == organization)
    }

    fn cancel_job(
        &mut self,
        organization: OrganizationId,
        id: RedeliveryJobId,
        at: Timestamp,
    ) -> Result<RedeliveryJob, CancelJobError> {
        let row = self.jobs.get_mut(&id).filter(|row| row.organization == organization);
        let job = &mut row.ok_or(CancelJobError::NotFound)?.job;
        if job.status != JobStatus::Running {
            return Err(CancelJobError::AlreadyEnded(job.status));
        }
        (job.status, job.completed_at) = (JobStatus::Canceled, Some(at));
        let job = job.clone();
        self.give_back(job.selection);
        Ok(job)
    }

    fn pending_of(&self, job: RedeliveryJobId) -> u32 {
        let of_job = self.deliveries.values().filter(|row| row.job == Some(job));
        let pending = of_job.filter(|row| row.delivery.status == DeliveryStatus::Pending).count();
        u32::try_from(pending).unwrap_or(u32::MAX)
    }

    fn advance_job(&mut self, id: RedeliveryJobId, mut ids: Vec<DeliveryId>, at: Timestamp) -> JobStep {
        ids.sort_unstable();
        let Some(row) = self.jobs.get(&id).filter(|row| row.job.status == JobStatus::Running) else {
            return JobStep { enqueued: 0, next: JobNext::Ended };
        };
        let pending = self.pending_of(id);
        let room = (MAX_PENDING_OF_JOB.saturating_sub(pending) as usize).min(ids.len());
        if room == 0 {
            return JobStep { enqueued: 0, next: JobNext::Wait };
        }
        let RedeliveryJob { selection, created_at, .. } = row.job;
        let (organization, reached) = (row.organization, row.reached);
        let frozen = Frozen { organization, selection, at: created_at, job: Some(id) };
        let ahead = self.originals(frozen).into_iter().map(DeliveryRow::position);
        let ahead = ahead.filter(|position| reached.is_none_or(|reached| key(*position) > key(reached)));
        let mut ahead = ahead.collect::<Vec<_>>().into_iter();
        let (mut reached, mut enqueued, mut skipped, mut is_last) = (reached, 0, Skipped::default(), false);
        let mut ids = ids.into_iter();
        while (enqueued as usize) < room {
            let Some(position) = ahead.next() else {
                is_last = true;
                break;
            };
            reached = Some(position);
            let webhook = self.deliveries[&position.id].delivery.webhook_id;
            match self.webhooks.get(&webhook).map(|row| row.webhook.is_enabled) {
                Some(true) => {
                    enqueued += 1;
                    if let Some(new) = ids.next() {
                        self.repeat(position.id, new, at);
                        let replays = if selection.is_on_recovery() { self.deliveries[&position.id].replays + 1 } else { 0 };
                        self.change(new, |row| (row.job, row.replays) = (Some(id), replays));
                    }
                }
                Some(false) => skipped.webhook_disabled += 1,
                None => skipped.webhook_deleted += 1,
            }
        }
        if let Some(row) = self.jobs.get_mut(&id) {
            row.reached = reached;
            row.note(enqueued, skipped, is_last.then_some(at));
        }
        if skipped.webhook_disabled > 0 {
            self.give_back(selection);
        }
        let is_full = pending + enqueued >= MAX_PENDING_OF_JOB;
        let next = match (is_last, is_full) {
            (true, _) => JobNext::Ended,
            (false, true) => JobNext::Wait,
            (false, false) => JobNext::Continue,
        };
        JobStep { enqueued, next }
    }
}

impl JobRow {
    fn note(&mut self, enqueued: u32, skipped: Skipped, completed_at: Option<Timestamp>) {
        let job = &mut self.job;
        job.enqueued += u64::from(enqueued);
        job.skipped.webhook_deleted += skipped.webhook_deleted;
        job.skipped.webhook_disabled += skipped.webhook_disabled;
        job.total = job.total.max(job.enqueued + job.skipped.sum());
        if completed_at.is_some() {
            (job.status, job.completed_at) = (JobStatus::Completed, completed_at);
        }
    }
}

#[async_trait]
impl Redeliveries for ReferenceStore {
    async fn count_redeliveries(
        &self,
        organization: OrganizationId,
        selection: RedeliverySelection,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let frozen = Frozen { organization, selection, at, job: None };
        Ok(self.read(|ledger| ledger.originals(frozen).len() as u64))
    }

    async fn create_redelivery_job(&self, job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError> {
        Ok(self.write(|ledger| ledger.create_job(job)))
    }

    async fn replay_recovered(&self, jobs: Vec<RedeliveryJobId>, at: Timestamp) -> Result<Vec<RedeliveryJob>, StoreError> {
        Ok(self.write(|ledger| ledger.replay_recovered(jobs, at)))
    }

    async fn redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
    ) -> Result<Option<RedeliveryJob>, StoreError> {
        Ok(self.read(|ledger| ledger.job(organization, id).map(|row| row.job.clone())))
    }

    async fn redelivery_jobs(
        &self,
        organization: OrganizationId,
        wanted: Page,
    ) -> Result<(Vec<RedeliveryJob>, u64), StoreError> {
        Ok(self.read(|ledger| {
            let rows = ledger.jobs.values().filter(|row| row.organization == organization);
            let mut jobs: Vec<_> = rows.map(|row| row.job.clone()).collect();
            jobs.sort_by_key(|job| std::cmp::Reverse((job.created_at, job.id)));
            page(jobs, wanted)
        }))
    }

    async fn cancel_redelivery_job(
        &self,
        organization: OrganizationId,
        id: RedeliveryJobId,
        at: Timestamp,
    ) -> Result<RedeliveryJob, CancelJobError> {
        self.write(|ledger| ledger.cancel_job(organization, id, at))
    }

    async fn running_redelivery_jobs(
        &self,
        after: Option<RedeliveryJobId>,
        limit: u32,
    ) -> Result<Vec<RunningJob>, StoreError> {
        Ok(self.read(|ledger| {
            let running = ledger.jobs.iter().filter(|(_, row)| row.job.status == JobStatus::Running);
            let running = running.map(|(id, _)| *id).filter(|id| after.is_none_or(|after| *id > after));
            running.take(limit as usize).map(|id| RunningJob { id, pending: ledger.pending_of(id) }).collect()
        }))
    }

    async fn advance_redelivery_job(
        &self,
        id: RedeliveryJobId,
        deliveries: Vec<DeliveryId>,
        at: Timestamp,
    ) -> Result<JobStep, StoreError> {
        Ok(self.write(|ledger| ledger.advance_job(id, deliveries, at)))
    }
}
