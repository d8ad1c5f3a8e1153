//! Values as PostgreSQL keeps them, and back.

use std::{error::Error, time::Duration};

use bytes::BytesMut;
use jiff::Timestamp;
use preclinical_core::{
    event::EventContent,
    id::{
        AgentId, ApiKeyId, DeliveryId, EventId, InvitationId, LeaseToken, MemberId, OrganizationId, RedeliveryJobId,
        RotationId, RunId, TestSuiteId, WebhookId,
    },
    run::{Run, RunNumber, RunStatus},
    tally::Tally,
};
use tokio_postgres::{
    Row,
    types::{FromSql, FromSqlOwned, IsNull, ToSql, Type, accepts, to_sql_checked},
};
use uuid::Uuid;

use crate::failure::Failure;

/// A value and the type that it has as a parameter. Statements name the types of their parameters themselves, so that none has to be
/// prepared first, and no connection remembers one: a pooler may put another connection beneath every transaction.
pub(crate) trait Param: ToSql + Sync {
    fn kind(&self) -> Type;
}

/// The type that every value of a Rust type has.
pub(crate) trait Kind {
    const KIND: Type;
}

impl<T: Kind + ToSql + Sync> Param for T {
    fn kind(&self) -> Type {
        T::KIND
    }
}

impl<T: Kind> Kind for Option<T> {
    const KIND: Type = T::KIND;
}

impl<T: Kind + ?Sized> Kind for &T {
    const KIND: Type = T::KIND;
}

macro_rules! kinds {
    ($($rust:ty: $one:ident, $many:ident;)*) => {$(
        impl Kind for $rust {
            const KIND: Type = Type::$one;
        }
        impl Kind for Vec<$rust> {
            const KIND: Type = Type::$many;
        }
        impl Kind for Vec<Option<$rust>> {
            const KIND: Type = Type::$many;
        }
    )*};
}

kinds! {
    i64: INT8, INT8_ARRAY;
    i32: INT4, INT4_ARRAY;
    bool: BOOL, BOOL_ARRAY;
    String: TEXT, TEXT_ARRAY;
    Vec<u8>: BYTEA, BYTEA_ARRAY;
    Uuid: UUID, UUID_ARRAY;
    Time: TIMESTAMPTZ, TIMESTAMPTZ_ARRAY;
}

impl Kind for Vec<&str> {
    const KIND: Type = Type::TEXT_ARRAY;
}

impl Kind for Vec<&[u8]> {
    const KIND: Type = Type::BYTEA_ARRAY;
}

impl Kind for str {
    const KIND: Type = Type::TEXT;
}

impl Kind for [u8] {
    const KIND: Type = Type::BYTEA;
}

/// An id as a `uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id<T>(pub(crate) T);

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl ToSql for Id<$name> {
            fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
                self.0.uuid().to_sql(kind, out)
            }
            accepts!(UUID);
            to_sql_checked!();
        }
        impl<'a> FromSql<'a> for Id<$name> {
            fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
                Uuid::from_sql(kind, raw).map(|uuid| Self($name::from_uuid(uuid)))
            }
            accepts!(UUID);
        }
        impl Kind for Id<$name> {
            const KIND: Type = Type::UUID;
        }
        impl Kind for Vec<Id<$name>> {
            const KIND: Type = Type::UUID_ARRAY;
        }
        impl Kind for Vec<Option<Id<$name>>> {
            const KIND: Type = Type::UUID_ARRAY;
        }
    )*};
}

ids! {
    OrganizationId AgentId TestSuiteId RunId EventId WebhookId DeliveryId RedeliveryJobId RotationId ApiKeyId LeaseToken
    MemberId InvitationId
}

/// The microsecond at which PostgreSQL begins to count, 2000-01-01T00:00:00Z, counted from 1970.
const FIRST_MICROSECOND: i64 = 946_684_800_000_000;

/// A time as a `timestamptz`, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Timestamp);

impl ToSql for Time {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        (self.0.as_microsecond() - FIRST_MICROSECOND).to_sql(kind, out)
    }
    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let microseconds = i64::from_sql(&Type::INT8, raw)?.checked_add(FIRST_MICROSECOND).ok_or("a time without end")?;
        Ok(Self(Timestamp::from_microsecond(microseconds)?))
    }
    accepts!(TIMESTAMPTZ);
}

/// A length of time as microseconds.
pub(crate) fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// The value of a column.
pub(crate) fn get<T: FromSqlOwned>(row: &Row, column: &str) -> Result<T, Failure> {
    row.try_get(column).map_err(Failure::from_row)
}

/// The number of a column, as whatever type it fits into.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<T, Failure> {
    maybe_number(row, column)?.ok_or_else(|| Failure::unreadable(column))
}

pub(crate) fn maybe_number<T: TryFrom<i64>>(row: &Row, column: &str) -> Result<Option<T>, Failure> {
    let number = get::<Option<i64>>(row, column)?;
    number.map(|number| T::try_from(number).map_err(|_| Failure::unreadable(column))).transpose()
}

/// A value of a closed set, by its name.
pub(crate) fn named<T>(row: &Row, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Failure> {
    parse(&get::<String>(row, column)?).ok_or_else(|| Failure::unreadable(column))
}

/// A value of so many bytes, a hash mostly.
pub(crate) fn bytes<const N: usize>(row: &Row, column: &str) -> Result<[u8; N], Failure> {
    get::<Vec<u8>>(row, column)?.try_into().map_err(|_| Failure::unreadable(column))
}

pub(crate) fn id<T>(row: &Row, column: &str) -> Result<T, Failure>
where
    Id<T>: FromSqlOwned,
{
    get::<Id<T>>(row, column).map(|id| id.0)
}

pub(crate) fn maybe_id<T>(row: &Row, column: &str) -> Result<Option<T>, Failure>
where
    Id<T>: FromSqlOwned,
{
    Ok(get::<Option<Id<T>>>(row, column)?.map(|id| id.0))
}

pub(crate) fn time(row: &Row, column: &str) -> Result<Timestamp, Failure> {
    get::<Time>(row, column).map(|time| time.0)
}

pub(crate) fn maybe_time(row: &Row, column: &str) -> Result<Option<Timestamp>, Failure> {
    Ok(get::<Option<Time>>(row, column)?.map(|time| time.0))
}

pub(crate) fn maybe_micros(row: &Row, column: &str) -> Result<Option<Duration>, Failure> {
    Ok(maybe_number(row, column)?.map(Duration::from_micros))
}

/// The columns that [`run`] reads; `agents` must be joined as `agent`, `runs` as `run`.
pub(crate) const RUN_COLUMNS: &str = "run.id, run.organization_id, run.number, run.name, run.agent_id, agent.name AS agent_name, \
     run.status, run.passed, run.failed, run.error, run.total, run.started_at, run.completed_at, run.created_at";

pub(crate) fn run(row: &Row) -> Result<Run, Failure> {
    Ok(Run {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        number: RunNumber(number(row, "number")?),
        name: get(row, "name")?,
        agent_id: id(row, "agent_id")?,
        agent_name: get(row, "agent_name")?,
        status: named(row, "status", RunStatus::parse)?,
        tally: Tally {
            passed: number(row, "passed")?,
            failed: number(row, "failed")?,
            error: number(row, "error")?,
            total: number(row, "total")?,
        },
        started_at: maybe_time(row, "started_at")?,
        completed_at: maybe_time(row, "completed_at")?,
        created_at: time(row, "created_at")?,
    })
}

pub(crate) fn content(row: &Row) -> Result<EventContent, Failure> {
    get::<Vec<u8>>(row, "content").map(EventContent::from_stored)
}
