//! Agents. A deleted one stays as a row, for its runs, and is seen by nobody.

use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    id::{AgentId, OrganizationId},
    port::{CreateAgentError, DeleteError, NewAgent, Page, StoreError, UpdateAgentError},
    vault::{Purpose, Vault},
    version::{Expected, Version},
};
use tokio_postgres::Row;

use super::webhooks;
use crate::{
    failure::{Failure, unavailable},
    row::{Id, Param, Time, get, id, named, number, time},
    transaction::Transaction,
};

fn read(row: &Row) -> Result<Agent, Failure> {
    Ok(Agent {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        provider: named(row, "provider", Provider::parse)?,
        name: get(row, "name")?,
        description: get(row, "description")?,
        is_active: get(row, "is_active")?,
        version: Version(number(row, "version")?),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn seal(vault: &Vault, id: AgentId, config: &AgentConfig) -> Vec<u8> {
    vault.seal(Purpose::AgentConfig, id.uuid(), &config.0)
}

/// Whether the organization has that agent.
pub(crate) async fn exists(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM agents WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL";
    Ok(transaction.row(sql, &[&Id(agent), &Id(organization)]).await?.is_some())
}

pub(super) async fn create(transaction: &Transaction, vault: &Vault, new: &NewAgent) -> Result<Agent, CreateAgentError> {
    let agent = &new.agent;
    let sealed = seal(vault, agent.id, &new.config);
    if insert(transaction, agent, sealed).await.map_err(unavailable)? {
        return Ok(agent.clone());
    }
    let repeated = find(transaction, agent.organization_id, agent.id).await.map_err(unavailable)?;
    repeated.ok_or(CreateAgentError::NameTaken)
}

async fn insert(transaction: &Transaction, agent: &Agent, config: Vec<u8>) -> Result<bool, Failure> {
    let sql = "INSERT INTO agents (id, organization_id, provider, name, description, config, is_active, created_at, updated_at, \
         version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let inserted = transaction
        .run(
            sql,
            &[
                &Id(agent.id),
                &Id(agent.organization_id),
                &agent.provider.as_str(),
                &agent.name,
                &agent.description,
                &config,
                &agent.is_active,
                &Time(agent.created_at),
                &Time(agent.updated_at),
                &i64::from(agent.version.0),
            ],
        )
        .await?;
    Ok(inserted > 0)
}

async fn row(transaction: &Transaction, organization: OrganizationId, agent: AgentId) -> Result<Option<Row>, Failure> {
    let sql = "SELECT * FROM agents WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL";
    transaction.row(sql, &[&Id(agent), &Id(organization)]).await
}

pub(super) async fn find(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<Option<Agent>, Failure> {
    row(transaction, organization, agent).await?.as_ref().map(read).transpose()
}

/// The agent with its configuration, which [`open`] opens.
pub(super) async fn sealed(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<Option<(Agent, Vec<u8>)>, Failure> {
    let row = row(transaction, organization, agent).await?;
    row.map(|row| Ok((read(&row)?, get(&row, "config")?))).transpose()
}

pub(super) fn open(vault: &Vault, id: AgentId, sealed: &[u8]) -> Result<AgentConfig, StoreError> {
    let opened = vault.open(Purpose::AgentConfig, id.uuid(), sealed);
    let config = opened.map_err(|error| StoreError::Corrupt(format!("configuration of agent {id}: {error}")))?;
    Ok(AgentConfig(config.to_vec()))
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    provider: Option<Provider>,
    page: Page,
) -> Result<(Vec<Agent>, u64), Failure> {
    let provider = provider.map(Provider::as_str);
    let parameters: [&dyn Param; 2] = [&Id(organization), &provider];
    let condition = "deleted_at IS NULL AND ($2 IS NULL OR provider = $2)";
    super::page(transaction, "agents", condition, &parameters, page, read).await
}

pub(super) async fn update(
    transaction: &Transaction,
    vault: &Vault,
    organization: OrganizationId,
    id: AgentId,
    changes: &AgentChanges,
    at: Timestamp,
) -> Result<Agent, UpdateAgentError> {
    let found = find(transaction, organization, id).await.map_err(unavailable)?;
    let mut agent = found.ok_or(UpdateAgentError::NotFound)?;
    if !changes.expected.allows(agent.version) {
        return Err(UpdateAgentError::Stale);
    }
    let AgentChanges { provider, name, description, config, is_active, .. } = changes.clone();
    agent.version = agent.version.next();
    agent.provider = provider.unwrap_or(agent.provider);
    agent.name = name.unwrap_or(agent.name);
    agent.description = description.unwrap_or(agent.description);
    agent.is_active = is_active.unwrap_or(agent.is_active);
    agent.updated_at = at;
    match save(transaction, &agent, config.map(|config| seal(vault, id, &config))).await {
        Ok(()) => Ok(agent),
        Err(failure) if failure.is_taken() => Err(UpdateAgentError::NameTaken),
        Err(failure) => Err(unavailable(failure).into()),
    }
}

async fn save(transaction: &Transaction, agent: &Agent, config: Option<Vec<u8>>) -> Result<(), Failure> {
    let sql = "UPDATE agents SET provider = $2, name = $3, description = $4, is_active = $5, updated_at = $6, \
         config = coalesce($7, config), version = $8 WHERE id = $1";
    transaction
        .run(
            sql,
            &[
                &Id(agent.id),
                &agent.provider.as_str(),
                &agent.name,
                &agent.description,
                &agent.is_active,
                &Time(agent.updated_at),
                &config,
                &i64::from(agent.version.0),
            ],
        )
        .await
        .map(drop)
}

/// Its credentials go at once; the rest of the row stays for its runs.
pub(super) async fn delete(
    transaction: &Transaction,
    organization: OrganizationId,
    id: AgentId,
    expected: &Expected,
    at: Timestamp,
) -> Result<bool, DeleteError> {
    let found = find(transaction, organization, id).await.map_err(unavailable)?;
    let Some(agent) = found else { return Ok(false) };
    if !expected.allows(agent.version) {
        return Err(DeleteError::Stale);
    }
    let sql = "UPDATE agents SET deleted_at = $2, config = '' WHERE id = $1";
    transaction.run(sql, &[&Id(id), &Time(at)]).await.map_err(unavailable)?;
    webhooks::delete_of_agent(transaction, organization, id, at).await.map_err(unavailable)?;
    Ok(true)
}
