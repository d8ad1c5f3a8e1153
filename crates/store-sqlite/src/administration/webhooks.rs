//! Webhooks and their sealed secrets.

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    id::{AgentId, OrganizationId, WebhookId},
    port::{CreateWebhookError, NewWebhook, Page, StoreError, UpdateWebhookError},
    secret::SigningSecret,
    vault::{Purpose, Vault},
    webhook::{SecretRotation, Webhook, WebhookChanges},
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::agents;
use crate::{
    queue,
    row::{Id, Time, id, is_taken, maybe_id, maybe_time, time, unavailable},
    sealing::SealedSecrets,
};

fn read(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    Ok(Webhook {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        url: row.get("url")?,
        has_secret: row.get::<_, Option<Vec<u8>>>("secret")?.is_some(),
        rotated_until: maybe_time(row, "rotated_until")?,
        description: row.get("description")?,
        is_enabled: row.get("is_enabled")?,
        last_triggered_at: maybe_time(row, "last_triggered_at")?,
        consecutive_failures: row.get("consecutive_failures")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn seal(vault: &Vault, id: WebhookId, secret: &SigningSecret) -> Vec<u8> {
    vault.seal(Purpose::SigningSecret, id.uuid(), secret.expose().as_bytes())
}

pub(super) fn find(
    connection: &Connection,
    organization: OrganizationId,
    id: WebhookId,
) -> rusqlite::Result<Option<Webhook>> {
    connection
        .prepare_cached("SELECT * FROM webhooks WHERE id = ?1 AND organization_id = ?2")?
        .query_row(params![Id(id), Id(organization)], read)
        .optional()
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    agent: Option<AgentId>,
    page: Page,
) -> rusqlite::Result<(Vec<Webhook>, u64)> {
    let agent = agent.map(Id);
    let parameters: [(&str, &dyn ToSql); 2] = [(":organization", &Id(organization)), (":agent", &agent)];
    super::page(connection, "webhooks", "(:agent IS NULL OR agent_id = :agent)", &parameters, page, read)
}

pub(super) fn create(connection: &Connection, vault: &Vault, new: NewWebhook) -> Result<Webhook, CreateWebhookError> {
    let NewWebhook { webhook, secret } = new;
    if let Some(agent) = webhook.agent_id
        && !agents::exists(connection, webhook.organization_id, agent).map_err(unavailable)?
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
            secret.as_ref().map(|secret| seal(vault, webhook.id, secret)),
            webhook.description,
            webhook.is_enabled,
            Time(webhook.created_at),
            Time(webhook.updated_at),
        ],
    );
    match inserted {
        Ok(_) => Ok(Webhook { has_secret: secret.is_some(), ..webhook }),
        Err(error) if is_taken(&error) => Err(CreateWebhookError::Exists),
        Err(error) => Err(unavailable(error).into()),
    }
}

pub(super) fn update(
    connection: &Connection,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    changes: WebhookChanges,
    at: Timestamp,
) -> Result<Webhook, UpdateWebhookError> {
    let found = find(connection, organization, id).map_err(unavailable)?;
    let mut webhook = found.ok_or(UpdateWebhookError::NotFound)?;
    webhook.url = changes.url.unwrap_or(webhook.url);
    webhook.description = changes.description.unwrap_or(webhook.description);
    webhook.is_enabled = changes.is_enabled.unwrap_or(webhook.is_enabled);
    webhook.updated_at = at;
    if let Some(secret) = changes.secret {
        webhook.has_secret = secret.is_some();
        webhook.rotated_until = None;
        let sealed = secret.map(|secret| seal(vault, id, &secret));
        replace_secret(connection, id, sealed.as_deref()).map_err(unavailable)?;
    }
    save(connection, &webhook).map_err(unavailable)?;
    if !webhook.is_enabled {
        queue::cancel_pending(connection, id, at).map_err(unavailable)?;
    }
    Ok(webhook)
}

fn save(connection: &Connection, webhook: &Webhook) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE webhooks SET url = ?2, description = ?3, is_enabled = ?4, updated_at = ?5, \
         disabled_reason = CASE WHEN ?4 THEN NULL ELSE disabled_reason END WHERE id = ?1",
        params![Id(webhook.id), webhook.url, webhook.description, webhook.is_enabled, Time(webhook.updated_at)],
    )
}

fn replace_secret(connection: &Connection, id: WebhookId, sealed: Option<&[u8]>) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE webhooks SET secret = ?2, rotated_secret = NULL, rotated_until = NULL WHERE id = ?1",
        params![Id(id), sealed],
    )
}

pub(super) fn rotate(
    connection: &Connection,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    rotation: &SecretRotation,
    at: Timestamp,
) -> Result<Webhook, UpdateWebhookError> {
    let found = find(connection, organization, id).map_err(unavailable)?;
    let mut webhook = found.ok_or(UpdateWebhookError::NotFound)?;
    let current = SealedSecrets::find(connection, id).map_err(unavailable)?.current(vault);
    let current = current.map_err(|error| StoreError::Corrupt(format!("secret of webhook {id}: {error}")))?;
    let overlap = Some(rotation.overlap).filter(SignedDuration::is_positive);
    let rotated = current.zip(overlap).map(|(secret, overlap)| {
        let sealed = vault.seal(Purpose::RotatedSecret, id.uuid(), secret.expose().as_bytes());
        (sealed, at.saturating_add(overlap).unwrap_or(Timestamp::MAX))
    });
    let (rotated_secret, rotated_until) = rotated.unzip();
    connection
        .execute(
            "UPDATE webhooks SET secret = ?2, rotated_secret = ?3, rotated_until = ?4, updated_at = ?5 WHERE id = ?1",
            params![Id(id), seal(vault, id, &rotation.secret), rotated_secret, rotated_until.map(Time), Time(at)],
        )
        .map_err(unavailable)?;
    webhook.has_secret = true;
    webhook.rotated_until = rotated_until;
    webhook.updated_at = at;
    Ok(webhook)
}

pub(super) fn delete(
    connection: &Connection,
    organization: OrganizationId,
    id: WebhookId,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let deleted = connection
        .execute("DELETE FROM webhooks WHERE id = ?1 AND organization_id = ?2", params![Id(id), Id(organization)])?;
    if deleted > 0 {
        queue::cancel_pending(connection, id, at)?;
    }
    Ok(deleted > 0)
}

/// Deletes the webhook of an agent, if it has one.
pub(super) fn delete_of_agent(
    connection: &Connection,
    organization: OrganizationId,
    agent: AgentId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let webhook: Option<WebhookId> =
        connection.query_row("SELECT id FROM webhooks WHERE agent_id = ?1", [Id(agent)], |row| id(row, "id")).optional()?;
    webhook.map_or(Ok(()), |webhook| delete(connection, organization, webhook, at).map(drop))
}
