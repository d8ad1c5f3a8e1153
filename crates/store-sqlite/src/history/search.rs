//! What a searched text names.

use preclinical_core::{id::OrganizationId, run::RunRef, search::Search};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::row::Id;

/// Columns of deliveries that hold ids of something, and the index that each leads. No id is in two of them.
pub(super) const COLUMNS: [(&str, &str); 5] = [
    ("id", "sqlite_autoindex_deliveries_1"),
    ("run_id", "deliveries_of_run"),
    ("webhook_id", "deliveries_of_webhook"),
    ("agent_id", "deliveries_of_agent"),
    ("event_id", "deliveries_of_event"),
];

/// A condition on deliveries, and the index that serves it.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) column: &'static str,
    pub(super) index: &'static str,
    pub(super) id: Uuid,
}

/// The column in which the searched id is; `None` if it is nowhere, so that no page has to look at all of them.
pub(super) fn resolve(
    connection: &Connection,
    organization: OrganizationId,
    search: Search,
) -> rusqlite::Result<Option<Found>> {
    match search {
        Search::Nothing => Ok(None),
        Search::Run(number) => {
            let run = super::find_run(connection, organization, RunRef::Number(number))?;
            Ok(run.map(|run| Found { column: "run_id", index: "deliveries_of_run", id: run.id.uuid() }))
        }
        Search::Id(id) => {
            for (column, index) in COLUMNS {
                // Everything under one id belongs to one organization: its first row tells whose it is.
                let owner: Option<Id<OrganizationId>> = connection
                    .prepare_cached(&format!("SELECT organization_id FROM deliveries WHERE {column} = ?1 LIMIT 1"))?
                    .query_row(params![id.as_bytes()], |row| row.get(0))
                    .optional()?;
                if owner.is_some_and(|owner| owner.0 == organization) {
                    return Ok(Some(Found { column, index, id }));
                }
            }
            Ok(None)
        }
    }
}
