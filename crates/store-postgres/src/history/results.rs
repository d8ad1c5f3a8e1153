//! Scenario results of a run.

use preclinical_core::{
    port::{Page, ResultsPage},
    run::Run,
    scenario::{ScenarioResult, ScenarioStatus},
};
use tokio_postgres::Row;

use crate::{
    failure::Failure,
    row::{Id, get, named, number},
    transaction::Transaction,
};

/// The positions of a stretch of one verdict's results. Those before it are stepped over in the index alone.
pub(super) const OF_STATUS: &str =
    "SELECT position FROM scenario_results WHERE run_id = $1 AND status = $2 ORDER BY position LIMIT $3 OFFSET $4";

/// How many results of each verdict there are.
pub(super) const COUNTS: &str = "SELECT status, count(*) AS count FROM scenario_results WHERE run_id = $1 GROUP BY status";

/// Every result in the order of its first report.
pub(super) async fn all(transaction: &Transaction, run: &Run) -> Result<Vec<ScenarioResult>, Failure> {
    let sql = "SELECT content FROM scenario_results WHERE run_id = $1 ORDER BY position";
    transaction.rows(sql, &[&Id(run.id)]).await?.iter().map(read).collect()
}

/// A page of them, verdict by verdict.
pub(super) async fn page(
    transaction: &Transaction,
    run: Run,
    status: Option<ScenarioStatus>,
    page: Page,
) -> Result<ResultsPage, Failure> {
    let counts = counts(transaction, &run).await?;
    let mut results = Vec::new();
    let Page { limit: mut left, offset: mut pass_over } = page;
    for (of, count) in counts.into_iter().filter(|(of, _)| status.is_none_or(|status| status == *of)) {
        if left > 0 && pass_over < count {
            results.extend(stretch(transaction, &run, of, left, pass_over).await?);
            left -= left.min(count - pass_over);
        }
        pass_over = pass_over.saturating_sub(count);
    }
    Ok(ResultsPage { run, counts, results })
}

async fn counts(transaction: &Transaction, run: &Run) -> Result<[(ScenarioStatus, u32); 4], Failure> {
    let mut counts = ScenarioStatus::BY_CONCERN.map(|status| (status, 0));
    for row in transaction.rows(COUNTS, &[&Id(run.id)]).await? {
        let (status, count) = (named(&row, "status", ScenarioStatus::parse)?, number(&row, "count")?);
        counts.iter_mut().filter(|(of, _)| *of == status).for_each(|(_, counted)| *counted = count);
    }
    Ok(counts)
}

async fn stretch(
    transaction: &Transaction,
    run: &Run,
    status: ScenarioStatus,
    limit: u32,
    offset: u32,
) -> Result<Vec<ScenarioResult>, Failure> {
    let sql = format!(
        "SELECT content FROM ({OF_STATUS}) page JOIN scenario_results result ON result.run_id = $1 \
         AND result.position = page.position ORDER BY result.position"
    );
    let (limit, offset) = (i64::from(limit), i64::from(offset));
    transaction.rows(&sql, &[&Id(run.id), &status.as_str(), &limit, &offset]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<ScenarioResult, Failure> {
    serde_json::from_slice(&get::<Vec<u8>>(row, "content")?).map_err(|_| Failure::unreadable("content"))
}
