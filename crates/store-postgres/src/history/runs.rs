//! Runs as the list shows them: counted by triggers, and found without reading those before the page.

use preclinical_core::{
    id::OrganizationId,
    port::{Page, RunFilter},
    run::{Run, RunStatus},
};

use super::Conditions;
use crate::{
    failure::Failure,
    row::{self, Id, RUN_COLUMNS, number},
    transaction::Transaction,
};

/// Conditions that runs and their counts have in common.
fn conditions(organization: OrganizationId, filter: RunFilter) -> Conditions {
    let mut conditions = Conditions::of(organization);
    conditions.and("status =", filter.status.map(RunStatus::as_str));
    conditions.and("agent_id =", filter.agent_id.map(Id));
    conditions
}

/// How many there are. Each connection counts in a slot of its own; one alone may be below zero.
fn counted(conditions: &Conditions) -> String {
    format!("SELECT coalesce(sum(runs), 0)::bigint AS total FROM run_counts WHERE {}", conditions.sql())
}

/// The numbers of a stretch of them. An organization has each once.
fn numbers(conditions: &Conditions, order: &str, limit: u64, offset: u64) -> String {
    format!("SELECT number FROM runs WHERE {} ORDER BY number {order} LIMIT {limit} OFFSET {offset}", conditions.sql())
}

/// A page, newest first, and how many there are in all.
pub(super) async fn page(
    transaction: &Transaction,
    organization: OrganizationId,
    filter: RunFilter,
    page: Page,
) -> Result<(Vec<Run>, u64), Failure> {
    let conditions = conditions(organization, filter);
    let total = transaction.row(&counted(&conditions), &conditions.parameters()).await?;
    let total = number(&total.ok_or_else(|| Failure::unreadable("total"))?, "total")?;
    let offset = u64::from(page.offset);
    let rows = u64::saturating_sub(total, offset).min(page.limit.into());
    if rows == 0 {
        return Ok((Vec::new(), total));
    }
    // Whatever lies before a page is stepped over, entry by entry: from the end that is closer.
    let behind = total - offset - rows;
    let (order, offset) = if behind < offset { ("ASC", behind) } else { ("DESC", offset) };
    let numbers = numbers(&conditions, order, rows, offset);
    let sql = format!(
        "SELECT {RUN_COLUMNS} FROM ({numbers}) page JOIN runs run ON run.organization_id = $1 AND run.number = page.number \
         JOIN agents agent ON agent.id = run.agent_id ORDER BY run.number DESC"
    );
    let rows = transaction.rows(&sql, &conditions.parameters()).await?;
    let runs = rows.iter().map(row::run).collect::<Result<_, _>>()?;
    Ok((runs, total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::plans::{Planner, agent, organization};

    #[tokio::test]
    async fn a_page_is_looked_for_in_entries_of_an_index_alone_and_in_its_order() {
        let Some(planner) = Planner::new().await else { return };
        let (status, agent_id) = (Some(RunStatus::Failed), Some(agent()));
        for (index, filter) in [
            ("runs_newest", RunFilter::default()),
            ("runs_by_status", RunFilter { status, agent_id: None }),
            ("runs_of_agent", RunFilter { status: None, agent_id }),
        ] {
            let conditions = conditions(organization(), filter);
            for order in ["ASC", "DESC"] {
                let sql = numbers(&conditions, order, 8, 8);
                assert_eq!(planner.indexes(&sql, &conditions.parameters()).await, [index]);
                let plan = planner.plan(&sql, &conditions.parameters()).await;
                assert!(plan.iter().any(|line| line.contains("Index Only Scan")), "{plan:?}");
            }
        }
        let conditions = conditions(organization(), RunFilter { status, agent_id });
        let indexes = planner.indexes(&numbers(&conditions, "DESC", 8, 8), &conditions.parameters()).await;
        assert!(indexes == ["runs_by_status"] || indexes == ["runs_of_agent"], "{indexes:?}");
    }

    #[tokio::test]
    async fn runs_are_counted_without_reading_any() {
        let Some(planner) = Planner::new().await else { return };
        let conditions = conditions(organization(), RunFilter::default());
        let indexes = planner.indexes(&counted(&conditions), &conditions.parameters()).await;
        assert_eq!(indexes, ["run_counts_pkey"]);
    }
}
