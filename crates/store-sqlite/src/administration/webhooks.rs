//! Webhooks and their sealed secrets.

use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    custom_header::{CustomHeaders, HeaderName, WantedHeader},
    health::Health,
    id::{AgentId, OrganizationId, RotationId, WebhookId},
    in_force::InForce,
    port::{CreateWebhookError, DeleteError, NewWebhook, Page, StoreError, UpdateWebhookError},
    replay_on_recovery::ReplayOnRecovery,
    secret::SigningSecret,
    vault::{Purpose, Vault},
    version::{Expected, Version},
    webhook::{DisabledReason, SecretRotation, Webhook, WebhookChanges},
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::agents;
use crate::{
    candidates::{self, Candidates},
    queue,
    row::{Id, Time, id, is_taken, maybe_id, maybe_time, named, time, unavailable},
    sealing::SealedSecrets,
    work::Work,
};

fn read(row: &Row<'_>) -> rusqlite::Result<Webhook> {
    Ok(Webhook {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        url: row.get("url")?,
        has_secret: row.get::<_, Option<Vec<u8>>>("secret")?.is_some(),
        rotated_until: maybe_time(row, "rotated_until")?,
        header_names: HeaderName::split(&row.get::<_, String>("header_names")?),
        description: row.get("description")?,
        is_enabled: row.get("is_enabled")?,
        disabled_reason: row.get::<_, Option<String>>("disabled_reason")?.map(candidates::reason).transpose()?,
        replay_on_recovery: named(row, "replay_on_recovery", ReplayOnRecovery::parse)?,
        health: health(row)?,
        version: Version(row.get("version")?),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn health(row: &Row<'_>) -> rusqlite::Result<Health> {
    Ok(Health {
        last_triggered_at: maybe_time(row, "last_triggered_at")?,
        last_success_at: maybe_time(row, "last_success_at")?,
        consecutive_failures: row.get("consecutive_failures")?,
        failing_since: maybe_time(row, "failing_since")?,
        exhausted_deliveries: row.get("exhausted_deliveries")?,
        missed_since: maybe_time(row, "missed_since")?,
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

/// The webhook of that level; each of the two conditions has an index of its own.
pub(super) fn at(
    connection: &Connection,
    organization: OrganizationId,
    agent: Option<AgentId>,
) -> rusqlite::Result<Option<Webhook>> {
    let level = if agent.is_some() { "agent_id = ?2" } else { "agent_id IS NULL AND ?2 IS NULL" };
    connection
        .prepare_cached(&format!("SELECT * FROM webhooks WHERE organization_id = ?1 AND {level}"))?
        .query_row(params![Id(organization), agent.map(Id)], read)
        .optional()
}

/// The webhook that a run of the agent would be judged by now.
pub(super) fn in_force(
    connection: &Connection,
    organization: OrganizationId,
    agent: AgentId,
) -> rusqlite::Result<Option<InForce>> {
    let candidates = Candidates::find(connection, organization, agent)?;
    let Some((level, ruling)) = candidates.rulings().in_force() else { return Ok(None) };
    let Some((_, known, _)) = candidates.judged().find(|judged| judged.0 == level) else { return Ok(None) };
    Ok(find(connection, organization, known.candidate.id)?.map(|webhook| InForce { webhook, level, ruling }))
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

/// Those that we disabled.
pub(super) fn given_up(connection: &Connection, organization: OrganizationId, limit: u32) -> rusqlite::Result<Vec<Webhook>> {
    connection
        .prepare_cached(
            "SELECT * FROM webhooks INDEXED BY webhooks_given_up WHERE organization_id = ?1 AND disabled_reason IS NOT NULL \
             ORDER BY updated_at DESC, id DESC LIMIT ?2",
        )?
        .query_map(params![Id(organization), limit], read)?
        .collect()
}

pub(super) fn create(connection: &Connection, vault: &Vault, new: NewWebhook) -> Result<Webhook, CreateWebhookError> {
    let NewWebhook { webhook, secret, headers } = new;
    if let Some(agent) = webhook.agent_id
        && !agents::exists(connection, webhook.organization_id, agent).map_err(unavailable)?
    {
        return Err(CreateWebhookError::AgentNotFound);
    }
    let inserted = connection.execute(
        "INSERT INTO webhooks (id, organization_id, agent_id, url, secret, description, is_enabled, created_at, updated_at, \
         version, headers, header_names, replay_on_recovery) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
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
            webhook.version.0,
            headers.seal(vault, webhook.id),
            HeaderName::join(&headers.names()),
            webhook.replay_on_recovery.as_str(),
        ],
    );
    match inserted {
        Ok(_) => Ok(Webhook { has_secret: secret.is_some(), header_names: headers.names(), ..webhook }),
        Err(error) if is_taken(&error) => {
            let repeated = find(connection, webhook.organization_id, webhook.id).map_err(unavailable)?;
            repeated.ok_or(CreateWebhookError::Exists)
        }
        Err(error) => Err(unavailable(error).into()),
    }
}

pub(super) fn update(
    work: &Work<'_>,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    changes: WebhookChanges,
    at: Timestamp,
) -> Result<Webhook, UpdateWebhookError> {
    let found = find(work, organization, id).map_err(unavailable)?;
    let mut webhook = found.ok_or(UpdateWebhookError::NotFound)?;
    if !changes.expected.allows(webhook.version) {
        return Err(UpdateWebhookError::Stale);
    }
    if let Some(wanted) = changes.headers {
        let headers = stored_headers(work, vault, id, &wanted)?.changed(wanted)?;
        webhook.header_names = headers.names();
        replace_headers(work, vault, id, &headers).map_err(unavailable)?;
    }
    let was_enabled = webhook.is_enabled;
    webhook.version = webhook.version.next();
    webhook.url = changes.url.unwrap_or(webhook.url);
    webhook.description = changes.description.unwrap_or(webhook.description);
    webhook.replay_on_recovery = changes.replay_on_recovery.unwrap_or(webhook.replay_on_recovery);
    webhook.is_enabled = changes.is_enabled.unwrap_or(webhook.is_enabled);
    webhook.disabled_reason = webhook.disabled_reason.filter(|_| !webhook.is_enabled);
    webhook.updated_at = at;
    if let Some(secret) = changes.secret {
        webhook.has_secret = secret.is_some();
        webhook.rotated_until = None;
        let sealed = secret.map(|secret| seal(vault, id, &secret));
        replace_secret(work, id, sealed.as_deref()).map_err(unavailable)?;
    }
    if !was_enabled && webhook.is_enabled {
        webhook.health = webhook.health.anew();
    }
    save(work, &webhook).map_err(unavailable)?;
    // What is pending of one that was disabled before is a test: it has nothing to do with other changes.
    if was_enabled && !webhook.is_enabled {
        queue::cancel_pending(work, id, at).map_err(unavailable)?;
    }
    Ok(webhook)
}

fn save(connection: &Connection, webhook: &Webhook) -> rusqlite::Result<usize> {
    queue::health::save(connection, webhook.id, &webhook.health)?;
    connection.execute(
        "UPDATE webhooks SET url = ?2, description = ?3, is_enabled = ?4, updated_at = ?5, version = ?6, \
         disabled_reason = ?7, replay_on_recovery = ?8 WHERE id = ?1",
        params![
            Id(webhook.id),
            webhook.url,
            webhook.description,
            webhook.is_enabled,
            Time(webhook.updated_at),
            webhook.version.0,
            webhook.disabled_reason.map(DisabledReason::as_str),
            webhook.replay_on_recovery.as_str(),
        ],
    )
}

fn replace_secret(connection: &Connection, id: WebhookId, sealed: Option<&[u8]>) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE webhooks SET secret = ?2, rotated_secret = NULL, rotated_until = NULL WHERE id = ?1",
        params![Id(id), sealed],
    )
}

/// What a change may keep of the present headers. Where it keeps nothing, headers that do not open are in nobody's way.
fn stored_headers(
    connection: &Connection,
    vault: &Vault,
    id: WebhookId,
    wanted: &[WantedHeader],
) -> Result<CustomHeaders, StoreError> {
    if wanted.iter().all(|header| header.value.is_some()) {
        return Ok(CustomHeaders::default());
    }
    let sealed: Option<Vec<u8>> = connection
        .query_row("SELECT headers FROM webhooks WHERE id = ?1", [Id(id)], |row| row.get("headers"))
        .map_err(unavailable)?;
    CustomHeaders::open(vault, id, sealed.as_deref())
        .map_err(|error| StoreError::Corrupt(format!("headers of webhook {id}: {error}")))
}

fn replace_headers(
    connection: &Connection,
    vault: &Vault,
    id: WebhookId,
    headers: &CustomHeaders,
) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE webhooks SET headers = ?2, header_names = ?3 WHERE id = ?1",
        params![Id(id), headers.seal(vault, id), HeaderName::join(&headers.names())],
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
    webhook.version = webhook.version.next();
    webhook.has_secret = true;
    webhook.updated_at = at;
    if !is_last_rotation(connection, id, rotation.id).map_err(unavailable)? {
        webhook.rotated_until = retire_secret(connection, vault, id, rotation.overlap, at)?;
    }
    connection
        .execute(
            "UPDATE webhooks SET secret = ?2, last_rotation = ?3, version = ?4, updated_at = ?5 WHERE id = ?1",
            params![Id(id), seal(vault, id, &rotation.secret), Id(rotation.id), webhook.version.0, Time(at)],
        )
        .map_err(unavailable)?;
    Ok(webhook)
}

fn is_last_rotation(connection: &Connection, id: WebhookId, rotation: RotationId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM webhooks WHERE id = ?1 AND last_rotation = ?2")?
        .exists(params![Id(id), Id(rotation)])
}

/// Lets the current secret sign on behind the next one, if there is one; answers until when.
fn retire_secret(
    connection: &Connection,
    vault: &Vault,
    id: WebhookId,
    overlap: SignedDuration,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let current = SealedSecrets::find(connection, id).map_err(unavailable)?.current(vault);
    let current = current.map_err(|error| StoreError::Corrupt(format!("secret of webhook {id}: {error}")))?;
    let rotated = current.filter(|_| overlap.is_positive()).map(|secret| {
        let sealed = vault.seal(Purpose::RotatedSecret, id.uuid(), secret.expose().as_bytes());
        (sealed, at.saturating_add(overlap).unwrap_or(Timestamp::MAX))
    });
    let (secret, until) = rotated.unzip();
    connection
        .execute(
            "UPDATE webhooks SET rotated_secret = ?2, rotated_until = ?3 WHERE id = ?1",
            params![Id(id), secret, until.map(Time)],
        )
        .map_err(unavailable)?;
    Ok(until)
}

pub(super) fn delete(
    work: &Work<'_>,
    organization: OrganizationId,
    id: WebhookId,
    expected: &Expected,
    at: Timestamp,
) -> Result<bool, DeleteError> {
    let Some(webhook) = find(work, organization, id).map_err(unavailable)? else { return Ok(false) };
    if !expected.allows(webhook.version) {
        return Err(DeleteError::Stale);
    }
    remove(work, id, at).map_err(unavailable)?;
    Ok(true)
}

/// Deletes the webhook of an agent, if it has one.
pub(super) fn delete_of_agent(work: &Work<'_>, agent: AgentId, at: Timestamp) -> rusqlite::Result<()> {
    let webhook: Option<WebhookId> =
        work.query_row("SELECT id FROM webhooks WHERE agent_id = ?1", [Id(agent)], |row| id(row, "id")).optional()?;
    webhook.map_or(Ok(()), |webhook| remove(work, webhook, at))
}

fn remove(work: &Work<'_>, id: WebhookId, at: Timestamp) -> rusqlite::Result<()> {
    queue::cancel_pending(work, id, at)?;
    work.execute("DELETE FROM secret_reveals WHERE webhook_id = ?1", [Id(id)])?;
    work.execute("DELETE FROM webhooks WHERE id = ?1", [Id(id)]).map(drop)
}
