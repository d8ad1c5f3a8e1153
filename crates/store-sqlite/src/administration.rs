//! [`Administration`] on SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::{
    agent::{Agent, Provider},
    id::{AgentId, OrganizationId, WebhookId},
    port::{Administration, CreateAgentError, CreateWebhookError, NewAgent, Page, StoreError, UpdateWebhookError},
    secret::SigningSecret,
    webhook::{Webhook, WebhookChanges},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    SqliteStore, queue,
    row::{Id, Time, id, is_taken, maybe_id, maybe_time, named, time, unavailable},
};

fn read_agent(row: &Row<'_>) -> rusqlite::Result<Agent> {
    Ok(Agent {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        provider: named(row, "provider", Provider::parse)?,
        name: row.get("name")?,
        description: row.get("description")?,
        is_active: row.get("is_active")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn read_webhook(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    Ok(Webhook {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        url: row.get("url")?,
        secret: row.get::<_, Option<String>>("secret")?.and_then(|text| SigningSecret::parse(&text).ok()),
        description: row.get("description")?,
        is_enabled: row.get("is_enabled")?,
        last_triggered_at: maybe_time(row, "last_triggered_at")?,
        consecutive_failures: row.get("consecutive_failures")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// Whether the organization has that agent.
pub(crate) fn agent_exists(connection: &Connection, organization: OrganizationId, id: AgentId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM agents WHERE id = ?1 AND organization_id = ?2")?
        .exists(params![Id(id), Id(organization)])
}

fn find_webhook(connection: &Connection, organization: OrganizationId, id: WebhookId) -> rusqlite::Result<Option<Webhook>> {
    connection
        .prepare_cached("SELECT * FROM webhooks WHERE id = ?1 AND organization_id = ?2")?
        .query_row(params![Id(id), Id(organization)], read_webhook)
        .optional()
}

fn save_webhook(connection: &Connection, webhook: &Webhook) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE webhooks SET url = ?2, secret = ?3, description = ?4, is_enabled = ?5, updated_at = ?6, \
         disabled_reason = CASE WHEN ?5 THEN NULL ELSE disabled_reason END WHERE id = ?1",
        params![
            Id(webhook.id),
            webhook.url,
            webhook.secret.as_ref().map(SigningSecret::expose),
            webhook.description,
            webhook.is_enabled,
            Time(webhook.updated_at),
        ],
    )
}

/// Rows of a page and the count of all, from a table with the columns `organization_id`, `created_at` and `id`.
fn page<T>(
    connection: &Connection,
    table: &str,
    condition: &str,
    parameters: &[(&str, &dyn rusqlite::ToSql)],
    page: Page,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<(Vec<T>, u64)> {
    let from = format!("FROM {table} WHERE organization_id = :organization AND {condition}");
    let total: i64 =
        connection.prepare_cached(&format!("SELECT count(*) {from}"))?.query_row(parameters, |row| row.get(0))?;
    let rows = connection
        .prepare_cached(&format!(
            "SELECT * {from} ORDER BY created_at DESC, id DESC LIMIT {} OFFSET {}",
            page.limit, page.offset
        ))?
        .query_map(parameters, read)?
        .collect::<rusqlite::Result<Vec<T>>>()?;
    Ok((rows, total.unsigned_abs()))
}

#[async_trait]
impl Administration for SqliteStore {
    async fn create_agent(&self, new: NewAgent) -> Result<Agent, CreateAgentError> {
        self.write(move |connection| {
            let agent = new.agent;
            let inserted = connection.execute(
                "INSERT INTO agents (id, organization_id, provider, name, description, config, is_active, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    Id(agent.id),
                    Id(agent.organization_id),
                    agent.provider.as_str(),
                    agent.name,
                    agent.description,
                    new.config.0,
                    agent.is_active,
                    Time(agent.created_at),
                    Time(agent.updated_at),
                ],
            );
            match inserted {
                Ok(_) => Ok(agent),
                Err(error) if is_taken(&error) => Err(CreateAgentError::NameTaken),
                Err(error) => Err(unavailable(error).into()),
            }
        })
        .await
    }

    async fn agent(&self, organization: OrganizationId, id: AgentId) -> Result<Option<Agent>, StoreError> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT * FROM agents WHERE id = ?1 AND organization_id = ?2")
                .and_then(|mut statement| statement.query_row(params![Id(id), Id(organization)], read_agent).optional())
                .map_err(unavailable)
        })
        .await
    }

    async fn agents(
        &self,
        organization: OrganizationId,
        provider: Option<Provider>,
        asked: Page,
    ) -> Result<(Vec<Agent>, u64), StoreError> {
        self.read(move |connection| {
            let provider = provider.map(Provider::as_str);
            let parameters: [(&str, &dyn rusqlite::ToSql); 2] =
                [(":organization", &Id(organization)), (":provider", &provider)];
            page(connection, "agents", "(:provider IS NULL OR provider = :provider)", &parameters, asked, read_agent)
                .map_err(unavailable)
        })
        .await
    }

    async fn create_webhook(&self, webhook: Webhook) -> Result<Webhook, CreateWebhookError> {
        self.write(move |connection| {
            if let Some(agent) = webhook.agent_id
                && !agent_exists(connection, webhook.organization_id, agent).map_err(unavailable)?
            {
                return Err(CreateWebhookError::AgentNotFound);
            }
            let inserted = connection.execute(
                "INSERT INTO webhooks (id, organization_id, agent_id, url, secret, description, is_enabled, created_at, updated_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    Id(webhook.id),
                    Id(webhook.organization_id),
                    webhook.agent_id.map(Id),
                    webhook.url,
                    webhook.secret.as_ref().map(SigningSecret::expose),
                    webhook.description,
                    webhook.is_enabled,
                    Time(webhook.created_at),
                    Time(webhook.updated_at),
                ],
            );
            match inserted {
                Ok(_) => Ok(webhook),
                Err(error) if is_taken(&error) => Err(CreateWebhookError::Exists),
                Err(error) => Err(unavailable(error).into()),
            }
        })
        .await
    }

    async fn webhook(&self, organization: OrganizationId, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.read(move |connection| find_webhook(connection, organization, id).map_err(unavailable)).await
    }

    async fn webhooks(
        &self,
        organization: OrganizationId,
        agent: Option<AgentId>,
        asked: Page,
    ) -> Result<(Vec<Webhook>, u64), StoreError> {
        self.read(move |connection| {
            let agent = agent.map(Id);
            let parameters: [(&str, &dyn rusqlite::ToSql); 2] = [(":organization", &Id(organization)), (":agent", &agent)];
            page(connection, "webhooks", "(:agent IS NULL OR agent_id = :agent)", &parameters, asked, read_webhook)
                .map_err(unavailable)
        })
        .await
    }

    async fn update_webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
        changes: WebhookChanges,
        at: Timestamp,
    ) -> Result<Webhook, UpdateWebhookError> {
        self.write(move |connection| {
            let found = find_webhook(connection, organization, id).map_err(unavailable)?;
            let Some(mut webhook) = found else { return Err(UpdateWebhookError::NotFound) };
            webhook.url = changes.url.unwrap_or(webhook.url);
            webhook.secret = changes.secret.unwrap_or(webhook.secret);
            webhook.description = changes.description.unwrap_or(webhook.description);
            webhook.is_enabled = changes.is_enabled.unwrap_or(webhook.is_enabled);
            webhook.updated_at = at;
            save_webhook(connection, &webhook).map_err(unavailable)?;
            if !webhook.is_enabled {
                queue::cancel_pending(connection, id, at).map_err(unavailable)?;
            }
            Ok(webhook)
        })
        .await
    }

    async fn delete_webhook(&self, organization: OrganizationId, id: WebhookId, at: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let deleted = connection
                .execute("DELETE FROM webhooks WHERE id = ?1 AND organization_id = ?2", params![Id(id), Id(organization)])
                .map_err(unavailable)?;
            if deleted > 0 {
                queue::cancel_pending(connection, id, at).map_err(unavailable)?;
            }
            Ok(deleted > 0)
        })
        .await
    }
}
