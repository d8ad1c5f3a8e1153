//! What a searched text names.

use preclinical_core::{id::OrganizationId, run::RunRef, search::Search};
use uuid::Uuid;

use crate::{
    failure::Failure,
    row::{get, id},
    transaction::Transaction,
};

/// Columns of deliveries that hold ids of something. Each leads an index, and no id is in two of them.
pub(super) const COLUMNS: [&str; 5] = ["id", "run_id", "webhook_id", "agent_id", "event_id"];

/// A condition on deliveries.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) column: &'static str,
    pub(super) id: Uuid,
}

/// The column in which the searched id is; `None` if it is nowhere, so that no page has to look at all of them.
pub(super) async fn resolve(
    transaction: &Transaction,
    organization: OrganizationId,
    search: Search,
) -> Result<Option<Found>, Failure> {
    match search {
        Search::Nothing => Ok(None),
        Search::Run(number) => {
            let run = super::find_run(transaction, organization, RunRef::Number(number)).await?;
            Ok(run.map(|run| Found { column: "run_id", id: run.id.uuid() }))
        }
        Search::Id(searched) => {
            let row = transaction.row(&owner(), &[&searched]).await?;
            let Some(row) = row else { return Ok(None) };
            if id::<OrganizationId>(&row, "organization_id")? != organization {
                return Ok(None);
            }
            let name = get::<String>(&row, "name")?;
            Ok(COLUMNS.into_iter().find(|column| *column == name).map(|column| Found { column, id: searched }))
        }
    }
}

/// Everything under one id belongs to one organization: its first row tells whose it is, and in which column it stands. Where there
/// may be many rows, they have the order of the index, so that nothing else can serve it.
pub(super) fn owner() -> String {
    let looks = COLUMNS.map(|column| {
        let order = if column == "id" { "" } else { "ORDER BY created_at DESC, id DESC" };
        format!("(SELECT '{column}' AS name, organization_id FROM deliveries WHERE {column} = $1 {order} LIMIT 1)")
    });
    format!("SELECT * FROM ({}) found LIMIT 1", looks.join(" UNION ALL "))
}
