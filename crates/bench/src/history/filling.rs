//! Copies of real rows, as many as are asked for.

use anyhow::ensure;
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::system;

/// The time that the copies are spread over, in microseconds.
const SPAN_US: i64 = 30 * 24 * 3600 * 1_000_000;

/// An agent, and the webhook that hears of its runs.
pub(super) struct Owner {
    pub(super) agent: Uuid,
    pub(super) webhook: Uuid,
}

/// How much there is.
pub(super) struct Filled {
    pub(super) deliveries: u32,
    pub(super) bytes: u64,
}

/// What is made of each real row: one in 1000 canceled, 29 failed, a handful waiting for next year, the rest delivered. The agent's
/// own webhook failed only in the oldest tenth, and nothing of it was canceled: to filter for both is to look for rows that
/// are old, or nowhere.
const COPIES: &str = "
CREATE TEMP TABLE templates AS
  SELECT row_number() OVER (PARTITION BY webhook.agent_id IS NULL ORDER BY delivery.id) - 1 AS n,
         webhook.agent_id IS NULL AS shared, delivery.run_id AS run, delivery.event_id AS event, delivery.id AS delivery
  FROM deliveries delivery JOIN webhooks webhook ON webhook.id = delivery.webhook_id;
CREATE TEMP TABLE copies AS
  WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count),
  shaped AS (
    SELECT n, :began + n * (:span / :count) AS at,
           CASE WHEN n % (:count / 5) = 77 THEN 'pending' WHEN n % 1000 = 999 THEN 'canceled'
                WHEN n % 1000 >= 970 THEN 'failed' ELSE 'delivered' END AS status,
           CASE n % 20 WHEN 3 THEN 'failed' WHEN 4 THEN 'canceled' ELSE 'completed' END AS run_status
    FROM numbers),
  placed AS (
    SELECT *, CASE status WHEN 'failed' THEN n % 2 OR n > :count / 10 ELSE n % 2 END AS shared FROM shaped)
  SELECT placed.*, templates.run AS of_run, templates.event AS of_event, templates.delivery AS of_delivery,
         ID AS run, ID AS event, ID AS delivery
  FROM placed JOIN templates ON templates.shared = placed.shared AND templates.n = placed.n % :templates
  ORDER BY placed.n;
";

/// A new id of the time `at`, as the product makes them: version 7.
const ID: &str = "unhex(printf('%012x7%03x%x%015x', at / 1000, abs(random() % 4096), 8 + abs(random() % 4), \
                  abs(random() % 1152921504606846976)))";

/// A table that is filled, how a real row is known there, and what is different in a copy of it: columns and their values.
type Table = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TABLES: [Table; 6] = [
    (
        "runs",
        "source.id = copy.of_run",
        &[
            ("id", "copy.run"),
            ("number", "organization.last_run_number + 1 + copy.n"),
            ("status", "copy.run_status"),
            ("created_at", "copy.at - 165000000"),
            ("started_at", "copy.at - 165000000"),
            ("completed_at", "copy.at"),
        ],
    ),
    ("events", "source.id = copy.of_event", &[("id", "copy.event"), ("run_id", "copy.run"), ("created_at", "copy.at")]),
    (
        "deliveries",
        "source.id = copy.of_delivery",
        &[
            ("id", "copy.delivery"),
            ("event_id", "copy.event"),
            ("run_id", "copy.run"),
            ("run_number", "organization.last_run_number + 1 + copy.n"),
            ("status", "copy.status"),
            ("failures", "copy.status = 'failed'"),
            ("http_status", HTTP_STATUS),
            ("due_at", "CASE copy.status WHEN 'pending' THEN copy.at + 31536000000000 END"),
            ("created_at", "copy.at"),
            ("completed_at", "CASE copy.status WHEN 'pending' THEN NULL ELSE copy.at + 1000 END"),
            ("change", "organization.last_change + 1 + copy.n"),
        ],
    ),
    (
        "decisions",
        "source.run_id = copy.of_run",
        &[
            ("run_id", "copy.run"),
            ("event_id", "copy.event"),
            ("delivery_id", "iif(source.delivery_id IS NULL, NULL, copy.delivery)"),
            ("decided_at", "copy.at"),
        ],
    ),
    (
        "attempts",
        "source.delivery_id = copy.of_delivery",
        &[("delivery_id", "copy.delivery"), ("http_status", HTTP_STATUS), ("started_at", "copy.at")],
    ),
    ("messages", "source.delivery_id = copy.of_delivery", &[("delivery_id", "copy.delivery")]),
];

const HTTP_STATUS: &str = "CASE copy.status WHEN 'delivered' THEN 200 WHEN 'failed' THEN 410 ELSE 503 END";

/// Fills the database, which nobody else may have open, up to `deliveries`.
pub(super) fn fill(connection: &Connection, deliveries: u32) -> anyhow::Result<()> {
    for (pragma, value) in
        [("journal_mode", "OFF"), ("synchronous", "OFF"), ("foreign_keys", "OFF"), ("cache_size", "-500000")]
    {
        connection.pragma_update_and_check(None, pragma, value, |_| Ok(())).or_else(nothing_answered)?;
    }
    let real: u32 = connection.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0))?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    let removed = without_indexes_and_triggers(connection)?;
    make_copies(connection, deliveries.saturating_sub(real), real)?;
    for (table, known_by, differs) in TABLES {
        copy(connection, table, known_by, differs)?;
    }
    connection.execute_batch(
        "DELETE FROM run_counts; \
         INSERT INTO run_counts SELECT organization_id, agent_id, status, count(*) FROM runs GROUP BY 1, 2, 3; \
         UPDATE organizations SET last_change = last_change + (SELECT count(*) FROM copies), \
         last_run_number = last_run_number + (SELECT count(*) FROM copies)",
    )?;
    for sql in removed {
        connection.execute_batch(&sql)?;
    }
    connection.execute_batch("COMMIT; DROP TABLE copies; DROP TABLE templates")?;
    let wrong: Option<String> =
        connection.query_row("PRAGMA foreign_key_check", [], |row| row.get(0)).map_or_else(none, |row| Ok(Some(row)))?;
    ensure!(wrong.is_none(), "copies refer to nothing: {wrong:?}");
    let filled: u32 = connection.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0))?;
    ensure!(filled == deliveries, "there are {filled} deliveries instead of {deliveries}");
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    Ok(())
}

fn nothing_answered(error: rusqlite::Error) -> rusqlite::Result<()> {
    none::<()>(error).map(drop)
}

fn none<T>(error: rusqlite::Error) -> rusqlite::Result<Option<T>> {
    if error == rusqlite::Error::QueryReturnedNoRows { Ok(None) } else { Err(error) }
}

/// What was removed, as the statements that bring it back. Copies are faster made without it.
fn without_indexes_and_triggers(connection: &Connection) -> anyhow::Result<Vec<String>> {
    let mut removed = Vec::new();
    for (table, ..) in TABLES {
        let mut statement = connection.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql IS NOT NULL",
        )?;
        let found = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let found: Vec<(String, String, String)> = found.collect::<rusqlite::Result<_>>()?;
        for (kind, name, sql) in found {
            connection.execute_batch(&format!("DROP {kind} {name}"))?;
            removed.push(sql);
        }
    }
    Ok(removed)
}

fn make_copies(connection: &Connection, count: u32, real: u32) -> anyhow::Result<()> {
    let (began, span) = (system::now_us() - SPAN_US, SPAN_US);
    let parameters = [("count", i64::from(count)), ("began", began), ("span", span), ("templates", i64::from(real / 2))];
    let sql = parameters.iter().fold(COPIES.replace(" ID AS", &format!(" {ID} AS")), |sql, (name, value)| {
        sql.replace(&format!(":{name}"), &value.to_string())
    });
    connection.execute_batch(&sql)?;
    let made: u32 = connection.query_row("SELECT count(*) FROM copies", params![], |row| row.get(0))?;
    ensure!(made == count, "{made} copies were made instead of {count}");
    Ok(())
}

/// Copies the real rows of a table; every column that is not said to differ stays as it is.
fn copy(connection: &Connection, table: &str, known_by: &str, differs: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let columns: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let unknown = differs.iter().find(|(name, _)| !columns.iter().any(|column| column == name));
    ensure!(unknown.is_none(), "{table} has no column {unknown:?}");
    let value = |column: &String| {
        let different = differs.iter().find(|(name, _)| name == column);
        different.map_or_else(|| format!("source.{column}"), |(_, value)| (*value).to_owned())
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    connection.execute_batch(&format!(
        "CREATE TEMP TABLE source AS SELECT * FROM {table}; \
         INSERT INTO {table} ({}) SELECT {} FROM copies copy CROSS JOIN temp.source source ON {known_by} \
         CROSS JOIN organizations organization ORDER BY copy.n; DROP TABLE source",
        columns.join(", "),
        values.join(", ")
    ))?;
    Ok(())
}
