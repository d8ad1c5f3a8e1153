//! Copies of real rows, as many as are asked for.

use anyhow::ensure;
use rusqlite::{Connection, params};

use crate::system;

/// Microseconds.
const HOUR: i64 = 3600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// What is made of the real rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A history of 30 days: one in 1000 canceled, 29 failed, a handful waiting for next year, the rest delivered. The agent's own
    /// webhook failed only in the oldest tenth, and nothing of it was canceled: to filter for both is to look for rows that are old,
    /// or nowhere.
    History,
    /// Retries that wait: each failed once within the last hour, and none is due before a day has passed.
    Retries,
}

impl Shape {
    /// When the first copy was created, and the time that all are spread over.
    fn times(self) -> (i64, i64) {
        let now = system::now_us();
        match self {
            Self::History => (now - 30 * DAY, 30 * DAY),
            Self::Retries => (now - HOUR, HOUR),
        }
    }

    /// The status of the `n`th copy, the answer to its only attempt, when it is due, and whether it is the organization's webhook's.
    const fn columns(self) -> &'static str {
        match self {
            Self::History => {
                "CASE WHEN n % (:count / 5) = 77 THEN 'pending' WHEN n % 1000 = 999 THEN 'canceled' \
                 WHEN n % 1000 >= 970 THEN 'failed' ELSE 'delivered' END AS status, \
                 :began + n * (:span / :count) + 365 * 86400000000 AS due, \
                 CASE WHEN n % 1000 BETWEEN 970 AND 998 AND n > :count / 10 THEN 1 ELSE n % 2 END AS shared"
            }
            Self::Retries => {
                "'pending' AS status, :began + :span + 86400000000 + n * (7200000000 / :count) AS due, n % 2 AS shared"
            }
        }
    }
}

/// `n` is the key, so that what is copied in its order need not be sorted: with millions of exchanges that would take the room of
/// them all a second time.
const COPIES: &str = "
CREATE TEMP TABLE templates AS
  SELECT row_number() OVER (PARTITION BY webhook.agent_id IS NULL ORDER BY delivery.id) - 1 AS n,
         webhook.agent_id IS NULL AS shared, delivery.run_id AS run, delivery.event_id AS event, delivery.id AS delivery, attempt.exchange
  FROM deliveries delivery JOIN webhooks webhook ON webhook.id = delivery.webhook_id
  JOIN attempts attempt ON attempt.delivery_id = delivery.id AND attempt.number = 1 AND attempt.exchange IS NOT NULL;
CREATE TEMP TABLE copies (n INTEGER PRIMARY KEY, at INTEGER, status TEXT, due INTEGER, shared INTEGER, run_status TEXT,
                          of_run BLOB, of_event BLOB, of_delivery BLOB, of_exchange INTEGER, run BLOB, event BLOB, delivery BLOB,
                          exchange INTEGER);
INSERT INTO copies
  WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count),
  shaped AS (
    SELECT n, :began + n * (:span / :count) AS at, :columns,
           CASE n % 20 WHEN 3 THEN 'failed' WHEN 4 THEN 'canceled' ELSE 'completed' END AS run_status
    FROM numbers)
  SELECT shaped.*, templates.run, templates.event, templates.delivery, templates.exchange, ID, ID, ID,
         (SELECT max(id) FROM exchanges) + 1 + shaped.n
  FROM shaped CROSS JOIN templates ON templates.shared = shaped.shared AND templates.n = shaped.n % :templates;
";

/// A new id of the time `at`, as the product makes them: version 7.
const ID: &str = "unhex(printf('%012x7%03x%x%015x', at / 1000, abs(random() % 4096), 8 + abs(random() % 4), \
                  abs(random() % 1152921504606846976)))";

/// A table that is filled, how a real row is known there, and what is different in a copy of it: columns and their values.
type Table = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const TABLES: [Table; 5] = [
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
            ("failures", "copy.status IN ('failed', 'pending')"),
            ("http_status", HTTP_STATUS),
            ("due_at", "CASE copy.status WHEN 'pending' THEN copy.due END"),
            ("created_at", "copy.at"),
            ("completed_at", "CASE copy.status WHEN 'pending' THEN NULL ELSE copy.at + 1000 END"),
            ("change", "organization.last_change + 1 + copy.n"),
        ],
    ),
    (
        "attempts",
        "source.delivery_id = copy.of_delivery",
        &[
            ("delivery_id", "copy.delivery"),
            ("http_status", HTTP_STATUS),
            ("started_at", "copy.at"),
            ("exchange", "copy.exchange"),
        ],
    ),
    ("exchanges", "source.id = copy.of_exchange", &[("id", "copy.exchange")]),
];

const HTTP_STATUS: &str = "CASE copy.status WHEN 'delivered' THEN 200 WHEN 'failed' THEN 410 ELSE 503 END";

/// Fills the database, which nobody else may have open, up to `deliveries`.
pub(crate) fn fill(connection: &Connection, deliveries: u32, shape: Shape) -> anyhow::Result<()> {
    for (pragma, value) in
        [("journal_mode", "OFF"), ("synchronous", "OFF"), ("foreign_keys", "OFF"), ("cache_size", "-500000")]
    {
        connection.pragma_update_and_check(None, pragma, value, |_| Ok(())).or_else(nothing_answered)?;
    }
    let real: u32 = connection.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0))?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    let removed = without_indexes_and_triggers(connection)?;
    make_copies(connection, deliveries.saturating_sub(real), real, shape)?;
    for (table, known_by, differs) in TABLES {
        copy(connection, table, known_by, differs)?;
    }
    connection.execute_batch(
        "INSERT INTO run_counts SELECT organization_id, agent_id, status, count(*) FROM runs GROUP BY 1, 2, 3 \
         ON CONFLICT DO UPDATE SET runs = excluded.runs; \
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
    let dangling = "SELECT count(*) FROM attempts WHERE exchange NOT IN (SELECT id FROM exchanges)";
    let dangling: u32 = connection.query_row(dangling, [], |row| row.get(0))?;
    ensure!(dangling == 0, "{dangling} attempts have lost what they sent");
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

fn make_copies(connection: &Connection, count: u32, real: u32, shape: Shape) -> anyhow::Result<()> {
    let (began, span) = shape.times();
    let parameters = [("count", i64::from(count)), ("began", began), ("span", span), ("templates", i64::from(real / 2))];
    let sql = COPIES.replace(":columns", shape.columns()).replace(" ID", &format!(" {ID}"));
    let sql = parameters.iter().fold(sql, |sql, (name, value)| sql.replace(&format!(":{name}"), &value.to_string()));
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
    let (columns, values) = (columns.join(", "), values.join(", "));
    connection.execute_batch(&format!(
        "CREATE TEMP TABLE source AS SELECT * FROM {table}; \
         INSERT INTO {table} ({columns}) {}; DROP TABLE source",
        selected(&values, known_by)
    ))?;
    Ok(())
}

/// The copies of rows in `temp.source`, in their order.
fn selected(values: &str, known_by: &str) -> String {
    format!(
        "SELECT {values} FROM copies copy CROSS JOIN temp.source source ON {known_by} CROSS JOIN organizations organization \
         ORDER BY copy.n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_copies(count: u32, shape: Shape) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE organizations (id, last_run_number); INSERT INTO organizations VALUES (1, 0); \
                 CREATE TABLE attempts (delivery_id, number, exchange); CREATE TABLE exchanges (id); INSERT INTO exchanges VALUES (4); \
                 INSERT INTO attempts VALUES (1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 1, 4); \
                 CREATE TABLE webhooks (id, agent_id); INSERT INTO webhooks VALUES (1, 1), (2, NULL); \
                 CREATE TABLE deliveries (id, webhook_id, run_id, event_id); \
                 INSERT INTO deliveries VALUES (1, 1, 1, 1), (2, 1, 2, 2), (3, 2, 3, 3), (4, 2, 4, 4); \
                 CREATE TEMP TABLE source AS SELECT id FROM deliveries",
            )
            .unwrap();
        make_copies(&connection, count, 4, shape).unwrap();
        connection
    }

    fn count(connection: &Connection, condition: &str) -> u32 {
        let sql = format!("SELECT count(*) FROM copies WHERE {condition}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_history_has_a_little_of_everything() {
        let connection = with_copies(10_000, Shape::History);
        let of = |status: &str| count(&connection, &format!("status = '{status}'"));
        assert_eq!([of("pending"), of("canceled"), of("failed"), of("delivered")], [5, 10, 290, 9_695]);
        assert_eq!(count(&connection, "status = 'failed' AND NOT shared AND n > 1000"), 0);
        assert!(count(&connection, "status = 'failed' AND NOT shared") > 0);
        assert_eq!(count(&connection, "status = 'canceled' AND NOT shared"), 0);
    }

    #[test]
    fn no_retry_that_waits_is_due_within_the_day() {
        let connection = with_copies(1000, Shape::Retries);
        let (soonest, latest) = (system::now_us() + DAY - 60_000_000, system::now_us() + DAY + 2 * HOUR);
        assert_eq!(count(&connection, "status = 'pending'"), 1000);
        assert_eq!(count(&connection, &format!("due BETWEEN {soonest} AND {latest}")), 1000);
        assert!(count(&connection, "shared") == 500, "both webhooks have some");
    }

    #[test]
    fn every_copy_has_ids_of_its_own_and_a_template_of_its_kind() {
        let connection = with_copies(1000, Shape::History);
        assert_eq!(count(&connection, "1 GROUP BY length(delivery) HAVING count(DISTINCT delivery) = 1000"), 1000);
        assert_eq!(count(&connection, "delivery <> run AND run <> event"), 1000);
        assert_eq!(count(&connection, "of_delivery IN (3, 4) = shared"), 1000);
    }

    #[test]
    fn copies_are_read_in_their_order_without_being_sorted() {
        let connection = with_copies(1000, Shape::History);
        let sql = format!("EXPLAIN QUERY PLAN {}", selected("copy.n", "source.id = copy.of_delivery"));
        let mut statement = connection.prepare(&sql).unwrap();
        let steps: Vec<String> = statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(!steps.iter().any(|step| step.contains("ORDER BY")), "{steps:?}");
    }
}
