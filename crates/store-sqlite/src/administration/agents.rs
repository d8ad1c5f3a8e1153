//! Agents. A deleted one stays as a row, for its runs, and is seen by nobody.

use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, AgentChanges, AgentConfig, Provider},
    id::{AgentId, OrganizationId},
    port::{CreateAgentError, DeleteError, NewAgent, Page, StoreError, UpdateAgentError},
    vault::{Purpose, Vault},
    version::{Expected, Version},
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::webhooks;
use crate::{
    row::{Id, Time, id, is_taken, named, time, unavailable},
    work::Work,
};

fn read(row: &Row<'_>) -> rusqlite::Result<Agent> {
    Ok(Agent {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        provider: named(row, "provider", Provider::parse)?,
        name: row.get("name")?,
        description: row.get("description")?,
        is_active: row.get("is_active")?,
        version: Version(row.get("version")?),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn seal(vault: &Vault, id: AgentId, config: &AgentConfig) -> Vec<u8> {
    vault.seal(Purpose::AgentConfig, id.uuid(), &config.0)
}

/// Whether the organization has that agent.
pub(crate) fn exists(connection: &Connection, organization: OrganizationId, id: AgentId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM agents WHERE id = ?1 AND organization_id = ?2 AND deleted_at IS NULL")?
        .exists(params![Id(id), Id(organization)])
}

pub(super) fn create(connection: &Connection, vault: &Vault, new: NewAgent) -> Result<Agent, CreateAgentError> {
    let agent = new.agent;
    let inserted = connection.execute(
        "INSERT INTO agents (id, organization_id, provider, name, description, config, is_active, created_at, updated_at, \
         version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            Id(agent.id),
            Id(agent.organization_id),
            agent.provider.as_str(),
            agent.name,
            agent.description,
            seal(vault, agent.id, &new.config),
            agent.is_active,
            Time(agent.created_at),
            Time(agent.updated_at),
            agent.version.0,
        ],
    );
    match inserted {
        Ok(_) => Ok(agent),
        Err(error) if is_taken(&error) => {
            let repeated = find(connection, agent.organization_id, agent.id).map_err(unavailable)?;
            repeated.ok_or(CreateAgentError::NameTaken)
        }
        Err(error) => Err(unavailable(error).into()),
    }
}

pub(super) fn find(connection: &Connection, organization: OrganizationId, id: AgentId) -> rusqlite::Result<Option<Agent>> {
    connection
        .prepare_cached("SELECT * FROM agents WHERE id = ?1 AND organization_id = ?2 AND deleted_at IS NULL")?
        .query_row(params![Id(id), Id(organization)], read)
        .optional()
}

pub(super) fn with_config(
    connection: &Connection,
    vault: &Vault,
    organization: OrganizationId,
    id: AgentId,
) -> Result<Option<(Agent, AgentConfig)>, StoreError> {
    let Some(agent) = find(connection, organization, id).map_err(unavailable)? else { return Ok(None) };
    let sealed: Vec<u8> = connection
        .prepare_cached("SELECT config FROM agents WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([Id(id)], |row| row.get(0)))
        .map_err(unavailable)?;
    let opened = vault.open(Purpose::AgentConfig, id.uuid(), &sealed);
    let config = opened.map_err(|error| StoreError::Corrupt(format!("configuration of agent {id}: {error}")))?;
    Ok(Some((agent, AgentConfig(config.to_vec()))))
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    provider: Option<Provider>,
    page: Page,
) -> rusqlite::Result<(Vec<Agent>, u64)> {
    let provider = provider.map(Provider::as_str);
    let parameters: [(&str, &dyn ToSql); 2] = [(":organization", &Id(organization)), (":provider", &provider)];
    let condition = "deleted_at IS NULL AND (:provider IS NULL OR provider = :provider)";
    super::page(connection, "agents", condition, &parameters, page, read)
}

pub(super) fn update(
    connection: &Connection,
    vault: &Vault,
    organization: OrganizationId,
    id: AgentId,
    changes: AgentChanges,
    at: Timestamp,
) -> Result<Agent, UpdateAgentError> {
    let found = find(connection, organization, id).map_err(unavailable)?;
    let mut agent = found.ok_or(UpdateAgentError::NotFound)?;
    if !changes.expected.allows(agent.version) {
        return Err(UpdateAgentError::Stale);
    }
    agent.version = agent.version.next();
    agent.provider = changes.provider.unwrap_or(agent.provider);
    agent.name = changes.name.unwrap_or(agent.name);
    agent.description = changes.description.unwrap_or(agent.description);
    agent.is_active = changes.is_active.unwrap_or(agent.is_active);
    agent.updated_at = at;
    let updated = connection.execute(
        "UPDATE agents SET provider = ?2, name = ?3, description = ?4, is_active = ?5, updated_at = ?6, \
         config = coalesce(?7, config), version = ?8 WHERE id = ?1",
        params![
            Id(id),
            agent.provider.as_str(),
            agent.name,
            agent.description,
            agent.is_active,
            Time(at),
            changes.config.map(|config| seal(vault, id, &config)),
            agent.version.0,
        ],
    );
    match updated {
        Ok(_) => Ok(agent),
        Err(error) if is_taken(&error) => Err(UpdateAgentError::NameTaken),
        Err(error) => Err(unavailable(error).into()),
    }
}

/// Its credentials go at once; the rest of the row stays for its runs.
pub(super) fn delete(
    work: &Work<'_>,
    organization: OrganizationId,
    id: AgentId,
    expected: &Expected,
    at: Timestamp,
) -> Result<bool, DeleteError> {
    let Some(agent) = find(work, organization, id).map_err(unavailable)? else { return Ok(false) };
    if !expected.allows(agent.version) {
        return Err(DeleteError::Stale);
    }
    work.execute("UPDATE agents SET deleted_at = ?2, config = x'' WHERE id = ?1", params![Id(id), Time(at)])
        .and_then(|_| webhooks::delete_of_agent(work, id, at))
        .map_err(unavailable)?;
    Ok(true)
}
