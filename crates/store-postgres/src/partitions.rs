//! The weeks that the history is split into.
//!
//! They are made ready ahead, so that rows fall into their week without anybody waiting. Where that fails, because rows of that week
//! lie in the default part already, they go on lying there: slower to prune, and nothing else.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, tz::Offset};
use uuid::Uuid;

use crate::{
    failure::{Failure, unavailable},
    pool::Connections,
    row::{Time, get, number},
    transaction::{Transaction, Turn},
};

/// The tables that are split, each by an id that begins with the time.
const TABLES: [&str; 3] = ["deliveries", "attempts", "messages"];

/// How many weeks are there ahead.
const AHEAD: i64 = 3;

/// Keeps nodes from changing the tables at the same time; a number of ours that nobody else uses.
const TURN: &str = "7102960131866331971";

/// How long a week that is to go waits for whoever uses the tables. Everybody else waits behind it for as long.
const WAITED_FOR: Duration = Duration::from_millis(100);

/// A week, from Monday 00:00 UTC on, counted from the one in which 1970 began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Week(i64);

const DAY: i64 = 86_400;

/// 1970 began on a Thursday.
const DAYS_BEFORE_1970: i64 = 3;

impl Week {
    fn of(time: Timestamp) -> Self {
        Self((time.as_second().div_euclid(DAY) + DAYS_BEFORE_1970).div_euclid(7))
    }

    /// The week of a table of deliveries.
    fn named(table: &str) -> Option<Self> {
        let monday = table.strip_prefix("deliveries_")?;
        let date = jiff::civil::Date::strptime("%Y%m%d", monday).ok()?;
        let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(Self::of(midnight))
    }

    fn after(self, weeks: i64) -> Self {
        Self(self.0 + weeks)
    }

    /// Its first second.
    fn start(self) -> i64 {
        (self.0 * 7 - DAYS_BEFORE_1970) * DAY
    }

    /// The lowest id of the week.
    fn first_id(self) -> Uuid {
        let milliseconds = u128::try_from(self.start() * 1000).unwrap_or(0);
        Uuid::from_u128(milliseconds << 80)
    }

    fn table(self, parent: &str) -> String {
        let monday = Timestamp::from_second(self.start()).unwrap_or(Timestamp::MAX);
        format!("{parent}_{}", monday.strftime("%Y%m%d"))
    }
}

/// The weeks that are ready, as far as this node knows.
#[derive(Default)]
pub(crate) struct Weeks(Mutex<Option<Week>>);

impl Weeks {
    /// Makes this week and the next ones ready, once a week.
    pub(crate) async fn make_ready(&self, connections: &Connections, now: Timestamp) -> Result<(), Failure> {
        let current = Week::of(now);
        if *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(current) {
            return Ok(());
        }
        for week in (0..=AHEAD).map(|weeks| current.after(weeks)) {
            for parent in TABLES {
                make(connections, parent, week).await?;
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
        Ok(())
    }
}

async fn make(connections: &Connections, parent: &str, week: Week) -> Result<(), Failure> {
    let transaction = Transaction::begin(connections.get().await?, Turn::Free);
    match create(&transaction, parent, week).await {
        Ok(()) => transaction.commit().await,
        Err(failure) if failure.is_in_the_way() => {
            transaction.roll_back().await?;
            let error = unavailable(failure);
            tracing::warn!(table = week.table(parent), %error, "a week was not made ready; its rows go to the default part");
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// Nobody waits for it for long.
async fn create(transaction: &Transaction, parent: &str, week: Week) -> Result<(), Failure> {
    let table = week.table(parent);
    transaction.batch(&format!("SELECT pg_advisory_xact_lock({TURN})")).await?;
    let row = transaction.row("SELECT to_regclass($1) IS NOT NULL AS is_there", &[&table.as_str()]).await?;
    if row.is_some_and(|row| get(&row, "is_there").unwrap_or(false)) {
        return Ok(());
    }
    let (from, to) = (week.first_id(), week.after(1).first_id());
    let sql = format!(
        "SET LOCAL lock_timeout = '2s'; \
         CREATE TABLE IF NOT EXISTS {table} PARTITION OF {parent} FOR VALUES FROM ('{from}') TO ('{to}')"
    );
    transaction.batch(&sql).await
}

/// The lowest id of the week that is under way at that time: what is below it is of a week that is over, or of none.
pub(crate) fn week_under_way(at: Timestamp) -> Uuid {
    Week::of(at).first_id()
}

/// Forgets whole weeks in which every delivery ended before that time. Answers how many deliveries that were.
pub(crate) async fn forget_weeks(connections: &Connections, before: Timestamp) -> Result<u64, Failure> {
    let transaction = Transaction::begin(connections.get().await?, Turn::Reading);
    let sql = "SELECT relname::text AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
         WHERE inhparent = 'deliveries'::regclass ORDER BY relname";
    let tables = transaction.rows(sql, &[]).await?;
    transaction.roll_back().await?;
    let mut forgotten = 0;
    for table in tables {
        let name: String = get(&table, "name")?;
        let Some(week) = Week::named(&name).filter(|week| week.after(1) <= Week::of(before)) else { continue };
        let transaction = Transaction::begin(connections.get().await?, Turn::Free);
        match forget_week(&transaction, week, before).await {
            Ok(deliveries) => {
                transaction.commit().await?;
                forgotten += deliveries;
            }
            // Somebody reads it just now, or another node does the same: all the rest goes the next time.
            Err(failure) if failure.is_in_the_way() => {
                transaction.roll_back().await?;
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(forgotten)
}

/// Nothing is written to a week that is over but by attempts of what is pending, and then it stays.
async fn forget_week(transaction: &Transaction, week: Week, before: Timestamp) -> Result<u64, Failure> {
    let table = week.table("deliveries");
    let limits = format!("SET LOCAL lock_timeout = '{}ms'", WAITED_FOR.as_millis());
    transaction.batch(&format!("{limits}; SELECT pg_advisory_xact_lock({TURN}); LOCK TABLE {table} IN SHARE MODE")).await?;
    let sql = format!("SELECT EXISTS (SELECT FROM {table} WHERE status = 'pending') AS is_needed");
    let pending = transaction.row(&sql, &[]).await?;
    let sql = format!("SELECT EXISTS (SELECT FROM {table} WHERE completed_at >= $1) AS is_needed");
    let late = transaction.row(&sql, &[&Time(before)]).await?;
    for row in pending.iter().chain(&late) {
        if get(row, "is_needed")? {
            return Ok(0);
        }
    }
    let Some(row) = transaction.row(&format!("SELECT count(*) AS deliveries FROM {table}"), &[]).await? else {
        return Ok(0);
    };
    let events = format!(
        "DELETE FROM events WHERE run_id IS NULL AND id IN (SELECT event_id FROM {table}) \
         AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id AND deliveries.tableoid <> '{table}'::regclass)"
    );
    let tables = TABLES.map(|parent| week.table(parent)).join(", ");
    transaction
        .batch(&format!("ALTER TABLE deliveries DETACH PARTITION {table}; {events}; DROP TABLE IF EXISTS {tables}"))
        .await?;
    number(&row, "deliveries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday_and_its_ids_with_it() {
        let week = Week::of("2026-11-29T23:59:59Z".parse().unwrap());
        assert_eq!(week, Week::of("2026-11-23T00:00:00Z".parse().unwrap()));
        assert_eq!(week.table("deliveries"), "deliveries_20261123");
        assert_eq!(week.after(1).table("attempts"), "attempts_20261130");
        assert_eq!(Week::named("deliveries_20261123"), Some(week));
        assert_eq!(Week::named("deliveries_other"), None);
        let monday: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(week.first_id().as_u128() >> 80, u128::from(monday.as_millisecond().unsigned_abs()));
        assert_ne!(week, Week::of("2026-11-22T23:59:59Z".parse().unwrap()));
    }
}
