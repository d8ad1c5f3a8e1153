//! The webhooks that may hear of agents' runs.

use std::collections::HashMap;

use preclinical_core::{
    choice::{self, Candidate, Level, Ruling, Rulings},
    id::{AgentId, OrganizationId},
    port::Standing,
    webhook::DisabledReason,
};
use tokio_postgres::Row;

use crate::{
    failure::Failure,
    row::{Id, get, id, maybe_id, maybe_time},
    sealing::SealedSecrets,
    transaction::Transaction,
};

/// One at a level, its URL, what is known of its receiver, and what a request to it is made with.
pub(crate) struct Known {
    pub(crate) candidate: Candidate,
    pub(crate) url: String,
    pub(crate) standing: Standing,
    pub(crate) secrets: SealedSecrets,
    pub(crate) headers: Option<Vec<u8>>,
}

/// The organization's webhook and those of several agents.
#[derive(Default)]
pub(crate) struct Webhooks {
    agents: HashMap<AgentId, Known>,
    organization: Option<Known>,
}

/// Those of both levels for one agent.
#[derive(Clone, Copy)]
pub(crate) struct Candidates<'a> {
    agent: Option<&'a Known>,
    organization: Option<&'a Known>,
}

impl Webhooks {
    /// Those that may hear of runs of the agent.
    pub(crate) async fn find(
        transaction: &Transaction,
        organization: OrganizationId,
        agent: AgentId,
    ) -> Result<Self, Failure> {
        let sql = "SELECT id AS webhook_id, agent_id, url, is_enabled, disabled_reason, last_triggered_at, last_success_at, \
             consecutive_failures, secret, rotated_secret, rotated_until, headers \
             FROM webhooks LEFT JOIN webhook_health ON webhook_id = id \
             WHERE organization_id = $1 AND (agent_id = $2 OR agent_id IS NULL)";
        Self::read(&transaction.rows(sql, &[&Id(organization), &Id(agent)]).await?)
    }

    /// Those in these rows.
    pub(crate) fn read<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<Self, Failure> {
        let mut found = Self::default();
        for row in rows {
            match maybe_id(row, "agent_id")? {
                Some(agent) => drop(found.agents.insert(agent, known(row)?)),
                None => found.organization = Some(known(row)?),
            }
        }
        Ok(found)
    }

    /// Those that may hear of a run of that agent, which is one of those that were asked for.
    pub(crate) fn of(&self, agent: AgentId) -> Candidates<'_> {
        Candidates { agent: self.agents.get(&agent), organization: self.organization.as_ref() }
    }
}

impl<'a> Candidates<'a> {
    /// What is decided about them.
    pub(crate) fn rulings(&self) -> Rulings {
        choice::decide(self.agent.map(|known| known.candidate), self.organization.map(|known| known.candidate))
    }

    /// Each there is with what is decided about it, the agent's first.
    pub(crate) fn judged(&self) -> impl Iterator<Item = (Level, &'a Known, Ruling)> {
        let Rulings { agent, organization } = self.rulings();
        let agent = self.agent.zip(agent).map(|(known, ruling)| (Level::Agent, known, ruling));
        let organization = self.organization.zip(organization).map(|(known, ruling)| (Level::Organization, known, ruling));
        agent.into_iter().chain(organization)
    }
}

fn known(row: &Row) -> Result<Known, Failure> {
    let candidate = Candidate {
        id: id(row, "webhook_id")?,
        is_enabled: get(row, "is_enabled")?,
        disabled_reason: disabled_reason(row)?,
    };
    let secrets = SealedSecrets::read(row, candidate.id)?;
    Ok(Known { candidate, url: get(row, "url")?, standing: standing(row)?, secrets, headers: get(row, "headers")? })
}

/// The standing in the columns of a webhook's health, which may be missing.
pub(crate) fn standing(row: &Row) -> Result<Standing, Failure> {
    let failures = get::<Option<i64>>(row, "consecutive_failures")?.unwrap_or(0);
    let failures = u32::try_from(failures).map_err(|_| Failure::unreadable("consecutive_failures"))?;
    Ok(Standing::of(maybe_time(row, "last_triggered_at")?, maybe_time(row, "last_success_at")?, failures))
}

/// The reason in the column `disabled_reason`.
pub(crate) fn disabled_reason(row: &Row) -> Result<Option<DisabledReason>, Failure> {
    let name = get::<Option<String>>(row, "disabled_reason")?;
    let reason = |name: String| DisabledReason::parse(&name).ok_or_else(|| Failure::unreadable("disabled_reason"));
    name.map(reason).transpose()
}
