//! The rows of bulk redeliveries.

use jiff::Timestamp;
use preclinical_core::{
    id::{OrganizationId, RedeliveryJobId},
    port::{CancelJobError, DeliveryCursor, NewRedeliveryJob, Page, RunningJob},
    redelivery::{JobStatus, Missed, RedeliveryJob, RedeliverySelection, Repeated, RepeatedStatus, Skipped},
};
use tokio_postgres::Row;

use super::{missed, originals::Frozen};
use crate::{
    failure::{Failure, unavailable},
    row::{Id, Time, get, id, maybe_id, maybe_time, named, number, time},
    transaction::Transaction,
};

/// The statement behind [`list`].
pub(crate) const NEWEST: &str =
    "SELECT * FROM redelivery_jobs WHERE organization_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";

/// The statement behind [`running`].
pub(crate) const RUNNING: &str = "SELECT id, (SELECT count(*) FROM deliveries WHERE redelivery_job = job.id AND status = 'pending') AS pending \
     FROM redelivery_jobs job WHERE status = 'running' AND ($1 IS NULL OR id > $1) ORDER BY id LIMIT $2";

fn read(row: &Row) -> Result<RedeliveryJob, Failure> {
    Ok(RedeliveryJob {
        id: id(row, "id")?,
        status: named(row, "status", JobStatus::parse)?,
        selection: selection(row)?,
        total: number(row, "total")?,
        enqueued: number(row, "enqueued")?,
        skipped: Skipped {
            webhook_deleted: number(row, "skipped_deleted")?,
            webhook_disabled: number(row, "skipped_disabled")?,
        },
        created_at: time(row, "created_at")?,
        completed_at: maybe_time(row, "completed_at")?,
    })
}

fn selection(row: &Row) -> Result<RedeliverySelection, Failure> {
    Ok(RedeliverySelection {
        ended: ended(row)?,
        webhook_id: maybe_id(row, "webhook_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        run_id: maybe_id(row, "run_id")?,
        created_after: maybe_time(row, "created_after")?,
        created_before: maybe_time(row, "created_before")?,
    })
}

fn ended(row: &Row) -> Result<Repeated, Failure> {
    let Some(since) = maybe_time(row, "missed_since")? else {
        return named(row, "of_status", RepeatedStatus::parse).map(Repeated::As);
    };
    let (newest_per_agent, on_recovery) = (get(row, "newest_per_agent")?, get(row, "on_recovery")?);
    Ok(Repeated::Missed(Missed { since, newest_per_agent, on_recovery }))
}

pub(super) async fn create(transaction: &Transaction, new: &NewRedeliveryJob, total: u64) -> Result<RedeliveryJob, Failure> {
    if let Some(existing) = find(transaction, new.organization_id, new.id).await? {
        return Ok(existing);
    }
    let NewRedeliveryJob { id, organization_id, selection, at } = *new;
    let ends = selection.ends_at_once(total);
    let (status, completed_at) = if ends { (JobStatus::Completed, Some(at)) } else { (JobStatus::Running, None) };
    let sql = "INSERT INTO redelivery_jobs (id, organization_id, status, of_status, webhook_id, agent_id, run_id, created_after, \
         created_before, total, created_at, completed_at, missed_since, newest_per_agent, on_recovery) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    transaction
        .run(
            sql,
            &[
                &Id(id),
                &Id(organization_id),
                &status.as_str(),
                &selection.ended.as_str(),
                &selection.webhook_id.map(Id),
                &selection.agent_id.map(Id),
                &selection.run_id.map(Id),
                &selection.created_after.map(Time),
                &selection.created_before.map(Time),
                &i64::try_from(total).unwrap_or(i64::MAX),
                &Time(at),
                &completed_at.map(Time),
                &selection.missed().map(|missed| Time(missed.since)),
                &selection.missed().is_some_and(|missed| missed.newest_per_agent),
                &selection.is_on_recovery(),
            ],
        )
        .await
        .inspect_err(|failure| {
            // The same order came twice at once.
            if failure.is_taken() {
                transaction.lose();
            }
        })?;
    missed::take_over(transaction, new).await?;
    let skipped = Skipped::default();
    Ok(RedeliveryJob { id, status, selection, total, enqueued: 0, skipped, created_at: at, completed_at })
}

pub(super) async fn find(
    transaction: &Transaction,
    organization: OrganizationId,
    job: RedeliveryJobId,
) -> Result<Option<RedeliveryJob>, Failure> {
    let sql = "SELECT * FROM redelivery_jobs WHERE id = $1 AND organization_id = $2";
    let row = transaction.row(sql, &[&Id(job), &Id(organization)]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    page: Page,
) -> Result<(Vec<RedeliveryJob>, u64), Failure> {
    let sql = "SELECT count(*) AS total FROM redelivery_jobs WHERE organization_id = $1";
    let total = transaction.row(sql, &[&Id(organization)]).await?;
    let total = number(&total.ok_or_else(|| Failure::unreadable("total"))?, "total")?;
    let (limit, offset) = (i64::from(page.limit), i64::from(page.offset));
    let rows = transaction.rows(NEWEST, &[&Id(organization), &limit, &offset]).await?;
    let jobs = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok((jobs, total))
}

pub(super) async fn cancel(
    transaction: &Transaction,
    organization: OrganizationId,
    job: RedeliveryJobId,
    at: Timestamp,
) -> Result<RedeliveryJob, CancelJobError> {
    let sql = "SELECT * FROM redelivery_jobs WHERE id = $1 AND organization_id = $2 FOR UPDATE";
    let row = transaction.row(sql, &[&Id(job), &Id(organization)]).await.map_err(unavailable)?;
    let found = row.as_ref().map(read).transpose().map_err(unavailable)?.ok_or(CancelJobError::NotFound)?;
    if found.status != JobStatus::Running {
        return Err(CancelJobError::AlreadyEnded(found.status));
    }
    let status = JobStatus::Canceled;
    let sql = "UPDATE redelivery_jobs SET status = $2, completed_at = $3 WHERE id = $1";
    transaction.run(sql, &[&Id(job), &status.as_str(), &Time(at)]).await.map_err(unavailable)?;
    missed::give_back(transaction, &found.selection).await.map_err(unavailable)?;
    Ok(RedeliveryJob { status, completed_at: Some(at), ..found })
}

/// What a running job repeats, and where it has got to.
pub(super) async fn frozen(
    transaction: &Transaction,
    job: RedeliveryJobId,
) -> Result<Option<(Frozen, Option<DeliveryCursor>)>, Failure> {
    let sql = "SELECT * FROM redelivery_jobs WHERE id = $1 AND status = 'running'";
    let row = transaction.row(sql, &[&Id(job)]).await?;
    row.as_ref().map(|row| Ok((selected(row)?, reached(row)?))).transpose()
}

fn selected(row: &Row) -> Result<Frozen, Failure> {
    Ok(Frozen { organization: id(row, "organization_id")?, selection: selection(row)?, at: time(row, "created_at")? })
}

fn reached(row: &Row) -> Result<Option<DeliveryCursor>, Failure> {
    let reached = maybe_time(row, "reached_at")?.zip(maybe_id(row, "reached_id")?);
    Ok(reached.map(|(created_at, id)| DeliveryCursor { created_at, id }))
}

/// Where a running job has got to. Nobody else takes it further, or ends it, before this transaction ends.
pub(super) async fn lock(
    transaction: &Transaction,
    job: RedeliveryJobId,
) -> Result<Option<Option<DeliveryCursor>>, Failure> {
    let sql = "SELECT reached_at, reached_id FROM redelivery_jobs WHERE id = $1 AND status = 'running' FOR UPDATE";
    let row = transaction.row(sql, &[&Id(job)]).await?;
    row.as_ref().map(reached).transpose()
}

/// How many deliveries of a job are pending.
pub(super) async fn pending(transaction: &Transaction, job: RedeliveryJobId) -> Result<u32, Failure> {
    let sql = "SELECT count(*) AS pending FROM deliveries WHERE redelivery_job = $1 AND status = 'pending'";
    let row = transaction.row(sql, &[&Id(job)]).await?;
    number(&row.ok_or_else(|| Failure::unreadable("pending"))?, "pending")
}

pub(super) async fn running(
    transaction: &Transaction,
    after: Option<RedeliveryJobId>,
    limit: u32,
) -> Result<Vec<RunningJob>, Failure> {
    let rows = transaction.rows(RUNNING, &[&after.map(Id), &i64::from(limit)]).await?;
    rows.iter().map(|row| Ok(RunningJob { id: id(row, "id")?, pending: number(row, "pending")? })).collect()
}
