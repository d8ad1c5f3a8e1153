//! Values as SQLite keeps them, and back.

use std::time::Duration;

use jiff::Timestamp;
use preclinical_core::{
    event::EventContent,
    id::{
        AgentId, ApiKeyId, DeliveryId, EventId, InvitationId, LeaseToken, MemberId, OrganizationId, RedeliveryJobId,
        RotationId, RunId, TestSuiteId, WebhookId,
    },
    port::StoreError,
    run::{Run, RunNumber, RunStatus},
    tally::Tally,
};
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};
use uuid::Uuid;

/// What SQLite could not do. Its messages speak of tables and columns, never of values.
#[allow(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
            StoreError::Corrupt(error.to_string())
        }
        error => StoreError::Unavailable(error.to_string()),
    }
}

/// Whether an insert was refused because such a row exists.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    error
        .sqlite_error()
        .is_some_and(|error| matches!(error.extended_code, SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY))
}

/// Whether an insert was refused because a row that it refers to does not exist.
pub(crate) fn is_orphan(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}

/// An id as 16 bytes.
pub(crate) struct Id<T>(pub(crate) T);

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl ToSql for Id<$name> {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.uuid().as_bytes().to_vec().into())
            }
        }
        impl FromSql for Id<$name> {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let bytes = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
                Ok(Self($name::from_uuid(Uuid::from_bytes(bytes))))
            }
        }
    )*};
}

ids! {
    OrganizationId AgentId TestSuiteId RunId EventId WebhookId DeliveryId RedeliveryJobId RotationId ApiKeyId LeaseToken
    MemberId InvitationId
}

/// A time as UTC microseconds.
pub(crate) struct Time(pub(crate) Timestamp);

impl ToSql for Time {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for Time {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Timestamp::from_microsecond(value.as_i64()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A length of time as microseconds.
pub(crate) struct Micros(pub(crate) Duration);

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX).into())
    }
}

/// A value of a closed set, by its name.
pub(crate) fn named<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    let index = row.as_ref().column_index(column)?;
    let text: String = row.get(index)?;
    parse(&text).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, format!("unknown {column}").into())
    })
}

pub(crate) fn id<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    Id<T>: FromSql,
{
    row.get::<_, Id<T>>(column).map(|id| id.0)
}

pub(crate) fn maybe_id<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    Id<T>: FromSql,
{
    Ok(row.get::<_, Option<Id<T>>>(column)?.map(|id| id.0))
}

pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get::<_, Time>(column).map(|time| time.0)
}

pub(crate) fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<Time>>(column)?.map(|time| time.0))
}

pub(crate) fn maybe_micros(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Duration>> {
    Ok(row.get::<_, Option<u64>>(column)?.map(Duration::from_micros))
}

/// The columns that [`run`] reads; `agents` must be joined as `agent`, `runs` as `run`.
pub(crate) const RUN_COLUMNS: &str = "run.id, run.organization_id, run.number, run.name, run.agent_id, agent.name AS agent_name, \
     run.status, run.passed, run.failed, run.error, run.total, run.started_at, run.completed_at, run.created_at";

pub(crate) fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        number: RunNumber(row.get("number")?),
        name: row.get("name")?,
        agent_id: id(row, "agent_id")?,
        agent_name: row.get("agent_name")?,
        status: named(row, "status", RunStatus::parse)?,
        tally: Tally {
            passed: row.get("passed")?,
            failed: row.get("failed")?,
            error: row.get("error")?,
            total: row.get("total")?,
        },
        started_at: maybe_time(row, "started_at")?,
        completed_at: maybe_time(row, "completed_at")?,
        created_at: time(row, "created_at")?,
    })
}

pub(crate) fn content(row: &Row<'_>) -> rusqlite::Result<EventContent> {
    row.get::<_, Vec<u8>>("content").map(EventContent::from_stored)
}
