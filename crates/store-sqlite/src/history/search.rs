//! What a searched text names.

use preclinical_core::{id::OrganizationId, run::RunRef, search::Search};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::row::Id;

/// What deliveries have an id of. No id is that of two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Delivery(Uuid),
    Run(Uuid),
    Webhook(Uuid),
    Agent(Uuid),
    Event(Uuid),
}

type Find = fn(Uuid) -> Found;

/// Whose an id is: everything under one belongs to one organization, so that one row tells.
pub(super) const OWNERS: [(Find, &str); 5] = [
    (Found::Delivery, "SELECT organization_id FROM deliveries WHERE id = ?1"),
    (Found::Run, "SELECT organization_id FROM runs WHERE id = ?1"),
    (Found::Webhook, "SELECT organization_id FROM deliveries WHERE webhook_id = ?1 LIMIT 1"),
    (Found::Agent, "SELECT organization_id FROM deliveries WHERE agent_id = ?1 LIMIT 1"),
    (Found::Event, "SELECT organization_id FROM events WHERE id = ?1"),
];

impl Found {
    /// The column of deliveries that holds it.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Delivery(_) => "id",
            Self::Run(_) => "run_id",
            Self::Webhook(_) => "webhook_id",
            Self::Agent(_) => "agent_id",
            Self::Event(_) => "event_id",
        }
    }

    pub(super) const fn id(self) -> Uuid {
        match self {
            Self::Delivery(id) | Self::Run(id) | Self::Webhook(id) | Self::Agent(id) | Self::Event(id) => id,
        }
    }
}

/// What the organization has under that name; `None` if it has nothing, so that no page has to look at all of its deliveries.
pub(super) fn resolve(
    connection: &Connection,
    organization: OrganizationId,
    search: Search,
) -> rusqlite::Result<Option<Found>> {
    match search {
        Search::Nothing => Ok(None),
        Search::Run(number) => {
            let run = super::find_run(connection, organization, RunRef::Number(number))?;
            Ok(run.map(|run| Found::Run(run.id.uuid())))
        }
        Search::Id(id) => {
            for (found, owner) in OWNERS {
                let owner: Option<Id<OrganizationId>> =
                    connection.prepare_cached(owner)?.query_row(params![id.as_bytes()], |row| row.get(0)).optional()?;
                if owner.is_some_and(|owner| owner.0 == organization) {
                    return Ok(Some(found(id)));
                }
            }
            Ok(None)
        }
    }
}
