//! The webhooks that may hear of an agent's runs.

use std::{cell::OnceCell, rc::Rc};

use preclinical_core::{
    choice::{self, Candidate, Level, Ruling, Rulings},
    health::Health,
    id::{AgentId, OrganizationId, WebhookId},
    webhook::DisabledReason,
};
use rusqlite::{Connection, OptionalExtension, ToSql, params, types::Type};

use crate::{
    queue::health::{self, HEALTH_COLUMNS},
    receiver::{RECEIVER_COLUMNS, Receiver},
    row::{Columns, Id},
};

/// A webhook, as deciding about it and sending to it want to know it.
pub(crate) struct Known {
    pub(crate) organization: OrganizationId,
    /// None is that of the organization.
    pub(crate) agent: Option<AgentId>,
    pub(crate) candidate: Candidate,
    pub(crate) receiver: Receiver,
}

/// Those of both levels, and how they are doing.
pub(crate) struct Candidates {
    agent: Option<(Rc<Known>, Health)>,
    organization: Option<(Rc<Known>, Health)>,
    /// What an event says of what is decided about them.
    pub(crate) decided: OnceCell<Vec<u8>>,
}

impl Candidates {
    pub(crate) fn find(connection: &Connection, organization: OrganizationId, agent: AgentId) -> rusqlite::Result<Self> {
        Ok(Self {
            agent: find(connection, "agent_id = ?1 AND organization_id = ?2", params![Id(agent), Id(organization)])?,
            organization: find(connection, "agent_id IS NULL AND organization_id = ?1", params![Id(organization)])?,
            decided: OnceCell::new(),
        })
    }

    /// All there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(Rc<Known>, Health)> {
        self.agent.iter().chain(&self.organization)
    }

    /// What is decided about them.
    pub(crate) fn rulings(&self) -> Rulings {
        let candidate = |found: &Option<(Rc<Known>, Health)>| found.as_ref().map(|(known, _)| known.candidate);
        choice::decide(candidate(&self.agent), candidate(&self.organization))
    }

    /// Each there is with what is decided about it, the agent's first.
    pub(crate) fn judged(&self) -> impl Iterator<Item = (Level, &Known, Ruling)> {
        let Rulings { agent, organization } = self.rulings();
        [(Level::Agent, &self.agent, agent), (Level::Organization, &self.organization, organization)].into_iter().filter_map(
            |(level, found, ruling)| found.as_ref().zip(ruling).map(|((known, _), ruling)| (level, &**known, ruling)),
        )
    }
}

impl Known {
    /// The webhook of that id, and how it is doing.
    pub(crate) fn find(connection: &Connection, webhook: WebhookId) -> rusqlite::Result<Option<(Rc<Self>, Health)>> {
        find(connection, "id = ?1", params![Id(webhook)])
    }
}

fn find(connection: &Connection, condition: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Option<(Rc<Known>, Health)>> {
    connection
        .prepare_cached(&format!(
            "SELECT id, organization_id, agent_id, is_enabled, disabled_reason, {RECEIVER_COLUMNS}, {HEALTH_COLUMNS} \
             FROM webhooks WHERE {condition}"
        ))?
        .query_row(values, |row| {
            let mut columns = Columns::of(row);
            let (id, organization, agent) = (columns.id()?, columns.id()?, columns.maybe_id()?);
            let (is_enabled, disabled_reason) = (columns.value()?, columns.value::<Option<String>>()?);
            let candidate = Candidate { id, is_enabled, disabled_reason: disabled_reason.map(reason).transpose()? };
            let receiver = Receiver::read(&mut columns, id)?;
            Ok((Rc::new(Known { organization, agent, candidate, receiver }), health::read(&mut columns)?))
        })
        .optional()
}

/// The reason of that name in a row.
#[allow(clippy::needless_pass_by_value, reason = "fits map")]
pub(crate) fn reason(name: String) -> rusqlite::Result<DisabledReason> {
    DisabledReason::parse(&name)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, "unknown disabled_reason".into()))
}
