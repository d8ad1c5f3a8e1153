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
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, Type, ValueRef},
};
use uuid::Uuid;

/// What SQLite could not do. Its messages speak of tables and columns, never of values.
#[allow(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => StoreError::Corrupt(error.to_string()),
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
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
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
    named_at(row, row.as_ref().column_index(column)?, parse)
}

fn named_at<T>(row: &Row<'_>, index: usize, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    parse(row.get_ref(index)?.as_str()?).ok_or_else(|| {
        let column = row.as_ref().column_name(index).unwrap_or_default();
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, format!("unknown {column}").into())
    })
}

/// The columns of a row, one after the other as its statement names them: looking each up by its name would take longer than reading it.
pub(crate) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn value<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let value = self.row.get(self.next);
        self.next += 1;
        value
    }

    pub(crate) fn named<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
        let value = named_at(self.row, self.next, parse);
        self.next += 1;
        value
    }

    pub(crate) fn id<T>(&mut self) -> rusqlite::Result<T>
    where
        Id<T>: FromSql,
    {
        self.value::<Id<T>>().map(|id| id.0)
    }

    pub(crate) fn maybe_id<T>(&mut self) -> rusqlite::Result<Option<T>>
    where
        Id<T>: FromSql,
    {
        Ok(self.value::<Option<Id<T>>>()?.map(|id| id.0))
    }

    pub(crate) fn time(&mut self) -> rusqlite::Result<Timestamp> {
        self.value::<Time>().map(|time| time.0)
    }

    pub(crate) fn maybe_time(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.value::<Option<Time>>()?.map(|time| time.0))
    }
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
    next_run(&mut Columns::of(row))
}

/// The run that comes next among the columns.
pub(crate) fn next_run(columns: &mut Columns<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: columns.id()?,
        organization_id: columns.id()?,
        number: RunNumber(columns.value()?),
        name: columns.value()?,
        agent_id: columns.id()?,
        agent_name: columns.value()?,
        status: columns.named(RunStatus::parse)?,
        tally: Tally {
            passed: columns.value()?,
            failed: columns.value()?,
            error: columns.value()?,
            total: columns.value()?,
        },
        started_at: columns.maybe_time()?,
        completed_at: columns.maybe_time()?,
        created_at: columns.time()?,
    })
}

/// The content of an event, which comes next among the columns.
pub(crate) fn content(columns: &mut Columns<'_>) -> rusqlite::Result<EventContent> {
    columns.value::<Vec<u8>>().map(EventContent::from_stored)
}
