//! The schema, step by step: the same steps by number and name as the embedded store's. Steps are only ever added; each runs in one
//! transaction with the note that it ran, and one process at a time takes them.

use deadpool_postgres::Object;

use crate::{
    OpenError,
    failure::{Failure, unavailable},
    row::number,
    transaction::{Transaction, Turn},
};

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

/// Keeps others from migrating the same database meanwhile; a number of ours that nobody else uses.
const TURN: &str = "SELECT pg_advisory_xact_lock(7102960131866331970)";

const NOTES: &str = "CREATE TABLE IF NOT EXISTS schema_steps (number BIGINT PRIMARY KEY)";

/// Brings the database to this program's schema; refuses one from a newer program and leaves it untouched.
pub(crate) async fn run(connection: Object) -> Result<(), OpenError> {
    let transaction = Transaction::begin(connection, Turn::Free);
    let outcome = climb(&transaction).await;
    match outcome {
        Ok(()) => Ok(transaction.commit().await?),
        Err(error) => {
            transaction.roll_back().await?;
            Err(error)
        }
    }
}

async fn climb(transaction: &Transaction) -> Result<(), OpenError> {
    // An index over a long history takes its time.
    transaction.batch(&format!("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; {TURN}; {NOTES}")).await?;
    let done = transaction.row("SELECT count(*) AS steps FROM schema_steps", &[]).await?;
    let done: usize = done.as_ref().map(|row| number(row, "steps")).transpose()?.unwrap_or_default();
    let missing = STEPS.get(done..).ok_or(OpenError::TooNew)?;
    for (index, step) in missing.iter().enumerate() {
        transaction.batch(step).await?;
        let position = i64::try_from(done + index + 1).unwrap_or(i64::MAX);
        transaction.run("INSERT INTO schema_steps (number) VALUES ($1)", &[&position]).await?;
    }
    Ok(())
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Failed(unavailable(failure).to_string())
    }
}
