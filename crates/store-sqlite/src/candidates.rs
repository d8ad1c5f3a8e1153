//! The webhooks that may hear of an agent's runs.

use preclinical_core::{
    choice::{self, Candidate, Level, Ruling, Rulings},
    id::{AgentId, OrganizationId},
    webhook::DisabledReason,
};
use rusqlite::{Connection, OptionalExtension, ToSql, params, types::Type};

use crate::{
    receiver::{RECEIVER_COLUMNS, Receiver},
    row::{Columns, Id},
};

/// One at a level, and who is behind it.
pub(crate) struct Known {
    pub(crate) candidate: Candidate,
    pub(crate) receiver: Receiver,
}

/// Those of both levels.
pub(crate) struct Candidates {
    agent: Option<Known>,
    organization: Option<Known>,
}

impl Candidates {
    pub(crate) fn find(connection: &Connection, organization: OrganizationId, agent: AgentId) -> rusqlite::Result<Self> {
        Ok(Self {
            agent: known(connection, "agent_id = ?1 AND organization_id = ?2", params![Id(agent), Id(organization)])?,
            organization: known(connection, "agent_id IS NULL AND organization_id = ?1", params![Id(organization)])?,
        })
    }

    /// What is decided about them.
    pub(crate) fn rulings(&self) -> Rulings {
        let candidate = |known: &Option<Known>| known.as_ref().map(|known| known.candidate);
        choice::decide(candidate(&self.agent), candidate(&self.organization))
    }

    /// Each there is with what is decided about it, the agent's first.
    pub(crate) fn judged(&self) -> impl Iterator<Item = (Level, &Known, Ruling)> {
        let Rulings { agent, organization } = self.rulings();
        let agent = self.agent.as_ref().zip(agent).map(|(known, ruling)| (Level::Agent, known, ruling));
        let organization =
            self.organization.as_ref().zip(organization).map(|(known, ruling)| (Level::Organization, known, ruling));
        agent.into_iter().chain(organization)
    }
}

fn known(connection: &Connection, condition: &str, owner: &[&dyn ToSql]) -> rusqlite::Result<Option<Known>> {
    connection
        .prepare_cached(&format!(
            "SELECT id, is_enabled, disabled_reason, {RECEIVER_COLUMNS} FROM webhooks WHERE {condition}"
        ))?
        .query_row(owner, |row| {
            let mut columns = Columns::of(row);
            let candidate = Candidate {
                id: columns.id()?,
                is_enabled: columns.value()?,
                disabled_reason: columns.value::<Option<String>>()?.map(reason).transpose()?,
            };
            Ok(Known { candidate, receiver: Receiver::read(&mut columns, candidate.id)? })
        })
        .optional()
}

/// The reason of that name in a row.
#[allow(clippy::needless_pass_by_value, reason = "fits map")]
pub(crate) fn reason(name: String) -> rusqlite::Result<DisabledReason> {
    DisabledReason::parse(&name)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, "unknown disabled_reason".into()))
}
