//! The webhooks that may hear of an agent's runs.

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
    transaction::Transaction,
};

/// One at a level, its URL, and what is known of its receiver.
pub(crate) struct Known {
    pub(crate) candidate: Candidate,
    pub(crate) url: String,
    pub(crate) standing: Standing,
}

/// Those of both levels.
#[derive(Default)]
pub(crate) struct Candidates {
    agent: Option<Known>,
    organization: Option<Known>,
}

impl Candidates {
    pub(crate) async fn find(
        transaction: &Transaction,
        organization: OrganizationId,
        agent: AgentId,
    ) -> Result<Self, Failure> {
        let sql = "SELECT id, agent_id, url, is_enabled, disabled_reason, last_triggered_at, last_success_at, \
             consecutive_failures \
             FROM webhooks LEFT JOIN webhook_health ON webhook_id = id WHERE organization_id = $1 AND (agent_id = $2 OR agent_id IS NULL)";
        let mut found = Self::default();
        for row in transaction.rows(sql, &[&Id(organization), &Id(agent)]).await? {
            let is_agents = maybe_id::<AgentId>(&row, "agent_id")?.is_some();
            *(if is_agents { &mut found.agent } else { &mut found.organization }) = Some(known(&row)?);
        }
        Ok(found)
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

fn known(row: &Row) -> Result<Known, Failure> {
    let candidate =
        Candidate { id: id(row, "id")?, is_enabled: get(row, "is_enabled")?, disabled_reason: disabled_reason(row)? };
    Ok(Known { candidate, url: get(row, "url")?, standing: standing(row)? })
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
