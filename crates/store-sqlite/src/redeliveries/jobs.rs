//! The rows of bulk redeliveries.

use jiff::Timestamp;
use preclinical_core::{
    id::{OrganizationId, RedeliveryJobId},
    port::{CancelJobError, DeliveryCursor, NewRedeliveryJob, Page, RunningJob},
    redelivery::{JobStatus, Missed, RedeliveryJob, RedeliverySelection, Repeated, RepeatedStatus, Skipped},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{missed, originals::Frozen};
use crate::row::{Id, Time, id, maybe_id, maybe_time, named, time, unavailable};

fn read(row: &Row<'_>) -> rusqlite::Result<RedeliveryJob> {
    Ok(RedeliveryJob {
        id: id(row, "id")?,
        status: named(row, "status", JobStatus::parse)?,
        selection: selection(row)?,
        total: row.get("total")?,
        enqueued: row.get("enqueued")?,
        skipped: Skipped { webhook_deleted: row.get("skipped_deleted")?, webhook_disabled: row.get("skipped_disabled")? },
        created_at: time(row, "created_at")?,
        completed_at: maybe_time(row, "completed_at")?,
    })
}

fn selection(row: &Row<'_>) -> rusqlite::Result<RedeliverySelection> {
    Ok(RedeliverySelection {
        ended: ended(row)?,
        webhook_id: maybe_id(row, "webhook_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        run_id: maybe_id(row, "run_id")?,
        created_after: maybe_time(row, "created_after")?,
        created_before: maybe_time(row, "created_before")?,
    })
}

fn ended(row: &Row<'_>) -> rusqlite::Result<Repeated> {
    let Some(since) = maybe_time(row, "missed_since")? else {
        return named(row, "of_status", RepeatedStatus::parse).map(Repeated::As);
    };
    let (newest_per_agent, on_recovery) = (row.get("newest_per_agent")?, row.get("on_recovery")?);
    Ok(Repeated::Missed(Missed { since, newest_per_agent, on_recovery }))
}

pub(super) fn create(connection: &Connection, new: &NewRedeliveryJob, total: u64) -> rusqlite::Result<RedeliveryJob> {
    if let Some(existing) = find(connection, new.organization_id, new.id)? {
        return Ok(existing);
    }
    let NewRedeliveryJob { id, organization_id, selection, at } = *new;
    let ends = selection.ends_at_once(total);
    let (status, completed_at) = if ends { (JobStatus::Completed, Some(at)) } else { (JobStatus::Running, None) };
    connection.execute(
        "INSERT INTO redelivery_jobs (id, organization_id, status, of_status, webhook_id, agent_id, run_id, created_after, \
         created_before, total, created_at, completed_at, missed_since, newest_per_agent, on_recovery) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            Id(id),
            Id(organization_id),
            status.as_str(),
            selection.ended.as_str(),
            selection.webhook_id.map(Id),
            selection.agent_id.map(Id),
            selection.run_id.map(Id),
            selection.created_after.map(Time),
            selection.created_before.map(Time),
            total,
            Time(at),
            completed_at.map(Time),
            selection.missed().map(|missed| Time(missed.since)),
            selection.missed().is_some_and(|missed| missed.newest_per_agent),
            selection.is_on_recovery(),
        ],
    )?;
    missed::take_over(connection, new)?;
    let skipped = Skipped::default();
    Ok(RedeliveryJob { id, status, selection, total, enqueued: 0, skipped, created_at: at, completed_at })
}

pub(super) fn find(
    connection: &Connection,
    organization: OrganizationId,
    id: RedeliveryJobId,
) -> rusqlite::Result<Option<RedeliveryJob>> {
    connection
        .prepare_cached("SELECT * FROM redelivery_jobs WHERE id = ?1 AND organization_id = ?2")?
        .query_row(params![Id(id), Id(organization)], read)
        .optional()
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    page: Page,
) -> rusqlite::Result<(Vec<RedeliveryJob>, u64)> {
    let total = connection
        .prepare_cached("SELECT count(*) FROM redelivery_jobs WHERE organization_id = ?1")?
        .query_row([Id(organization)], |row| row.get(0))?;
    let jobs = connection
        .prepare_cached(
            "SELECT * FROM redelivery_jobs WHERE organization_id = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2 OFFSET ?3",
        )?
        .query_map(params![Id(organization), page.limit, page.offset], read)?
        .collect::<rusqlite::Result<_>>()?;
    Ok((jobs, total))
}

pub(super) fn cancel(
    connection: &Connection,
    organization: OrganizationId,
    id: RedeliveryJobId,
    at: Timestamp,
) -> Result<RedeliveryJob, CancelJobError> {
    let job = find(connection, organization, id).map_err(unavailable)?.ok_or(CancelJobError::NotFound)?;
    if job.status != JobStatus::Running {
        return Err(CancelJobError::AlreadyEnded(job.status));
    }
    let status = JobStatus::Canceled;
    connection
        .execute(
            "UPDATE redelivery_jobs SET status = ?2, completed_at = ?3 WHERE id = ?1",
            params![Id(id), status.as_str(), Time(at)],
        )
        .map_err(unavailable)?;
    missed::give_back(connection, &job.selection).map_err(unavailable)?;
    Ok(RedeliveryJob { status, completed_at: Some(at), ..job })
}

/// What a running job repeats, and where it has got to.
pub(super) fn frozen(
    connection: &Connection,
    job: RedeliveryJobId,
) -> rusqlite::Result<Option<(Frozen, Option<DeliveryCursor>)>> {
    connection
        .prepare_cached("SELECT * FROM redelivery_jobs WHERE id = ?1 AND status = 'running'")?
        .query_row([Id(job)], |row| {
            let frozen = Frozen {
                organization: id(row, "organization_id")?,
                selection: selection(row)?,
                at: time(row, "created_at")?,
            };
            let reached = maybe_time(row, "reached_at")?.zip(maybe_id(row, "reached_id")?);
            Ok((frozen, reached.map(|(created_at, id)| DeliveryCursor { created_at, id })))
        })
        .optional()
}

/// How many deliveries of a job are pending.
pub(super) fn pending(connection: &Connection, job: RedeliveryJobId) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT count(*) FROM deliveries WHERE redelivery_job = ?1 AND status = 'pending'")?
        .query_row([Id(job)], |row| row.get(0))
}

pub(super) fn running(
    connection: &Connection,
    after: Option<RedeliveryJobId>,
    limit: u32,
) -> rusqlite::Result<Vec<RunningJob>> {
    connection
        .prepare_cached(
            "SELECT id, (SELECT count(*) FROM deliveries WHERE redelivery_job = job.id AND status = 'pending') AS pending \
             FROM redelivery_jobs job WHERE status = 'running' AND id > coalesce(?1, x'') ORDER BY id LIMIT ?2",
        )?
        .query_map(params![after.map(Id), limit], |row| Ok(RunningJob { id: id(row, "id")?, pending: row.get("pending")? }))?
        .collect()
}
