//! Scenario results of a run.

use preclinical_core::{
    port::{Page, ResultsPage, StoreError},
    run::Run,
    scenario::{ScenarioResult, ScenarioStatus},
};
use rusqlite::{Connection, ToSql, params};

use crate::row::{self, Id, unavailable};

/// The positions of a stretch of one verdict's results. Those before it are stepped over in the index alone.
pub(super) const OF_STATUS: &str =
    "SELECT position FROM scenario_results WHERE run_id = ?1 AND status = ?2 ORDER BY position LIMIT ?3 OFFSET ?4";

/// A result by its position.
const AT: &str = "SELECT content FROM scenario_results WHERE run_id = ?1 AND position = ?2";

/// How many results of each verdict there are.
pub(super) const COUNTS: &str = "SELECT status, count(*) AS count FROM scenario_results WHERE run_id = ?1 GROUP BY status";

/// Every result in the order of its first report.
pub(super) fn all(connection: &Connection, run: &Run) -> Result<Vec<ScenarioResult>, StoreError> {
    read(connection, "SELECT content FROM scenario_results WHERE run_id = ?1 ORDER BY position", &[&Id(run.id)])
}

/// A page of them, verdict by verdict.
pub(super) fn page(
    connection: &Connection,
    run: Run,
    status: Option<ScenarioStatus>,
    page: Page,
) -> Result<ResultsPage, StoreError> {
    let counts = counts(connection, &run).map_err(unavailable)?;
    let mut results = Vec::new();
    let Page { limit: mut left, offset: mut pass_over } = page;
    for (of, count) in counts.into_iter().filter(|(of, _)| status.is_none_or(|status| status == *of)) {
        if left > 0 && pass_over < count {
            for position in positions(connection, &run, of, left, pass_over).map_err(unavailable)? {
                results.extend(read(connection, AT, &[&Id(run.id), &position])?);
            }
            left -= left.min(count - pass_over);
        }
        pass_over = pass_over.saturating_sub(count);
    }
    Ok(ResultsPage { run, counts, results })
}

fn counts(connection: &Connection, run: &Run) -> rusqlite::Result<[(ScenarioStatus, u32); 4]> {
    let mut counts = ScenarioStatus::BY_CONCERN.map(|status| (status, 0));
    let mut statement = connection.prepare_cached(COUNTS)?;
    let mut rows = statement.query(params![Id(run.id)])?;
    while let Some(row) = rows.next()? {
        let status = row::named(row, "status", ScenarioStatus::parse)?;
        let count = row.get("count")?;
        counts.iter_mut().filter(|(of, _)| *of == status).for_each(|(_, counted)| *counted = count);
    }
    Ok(counts)
}

fn positions(
    connection: &Connection,
    run: &Run,
    status: ScenarioStatus,
    limit: u32,
    offset: u32,
) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(OF_STATUS)?;
    statement.query_map(params![Id(run.id), status.as_str(), limit, offset], |row| row.get(0))?.collect()
}

fn read(connection: &Connection, sql: &str, parameters: &[&dyn ToSql]) -> Result<Vec<ScenarioResult>, StoreError> {
    let contents = connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.query_map(parameters, |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        })
        .map_err(unavailable)?;
    contents
        .iter()
        .map(|content| serde_json::from_slice(content).map_err(|error| StoreError::Corrupt(error.to_string())))
        .collect()
}
