//! The schema, step by step. Steps are only ever added; each runs in one transaction with the note that it ran.

use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;

const STEPS: [&str; 11] = [
    include_str!("../migrations/0001_ledger_and_queue.sql"),
    include_str!("../migrations/0002_turns.sql"),
    include_str!("../migrations/0003_custom_headers.sql"),
    include_str!("../migrations/0004_webhook_health.sql"),
    include_str!("../migrations/0005_numbers_given.sql"),
    include_str!("../migrations/0006_replay_on_recovery.sql"),
    include_str!("../migrations/0007_runs_counted_together.sql"),
    include_str!("../migrations/0008_leases_apart.sql"),
    include_str!("../migrations/0009_plans_kept.sql"),
    include_str!("../migrations/0010_lighter_rows.sql"),
    include_str!("../migrations/0011_written_once.sql"),
];

/// Whether the database has taken some steps and not all.
pub(crate) fn is_older(connection: &Connection) -> rusqlite::Result<bool> {
    let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(done).is_ok_and(|done| (1..STEPS.len()).contains(&done)))
}

/// Brings the database to this program's schema; refuses one from a newer program and leaves it untouched.
pub(crate) fn run(connection: &mut Connection) -> Result<(), OpenError> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        match STEPS.get(done) {
            Some(step) => {
                transaction.execute_batch(step)?;
                transaction.pragma_update(None, "user_version", done + 1)?;
                transaction.commit()?;
            }
            None if done == STEPS.len() => return Ok(()),
            None => return Err(OpenError::TooNew),
        }
    }
}

/// Whether it is a database that this program made, of whatever step.
pub(crate) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables = "SELECT count(*) = 2 FROM sqlite_schema WHERE type = 'table' AND name IN ('organizations', 'deliveries')";
    Ok(done > 0 && connection.query_row(tables, [], |row| row.get(0))?)
}
