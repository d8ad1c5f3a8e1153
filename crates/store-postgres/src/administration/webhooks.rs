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
use tokio_postgres::Row;

use super::agents;
use crate::{
    candidates::{self, Webhooks},
    failure::{Failure, unavailable},
    queue,
    row::{Id, Param, Time, get, id, maybe_id, maybe_time, named, number, time},
    sealing::SealedSecrets,
    transaction::Transaction,
};

/// Webhooks with how they do.
const TABLE: &str = "webhooks JOIN webhook_health ON webhook_id = id";

fn read(row: &Row) -> Result<Webhook, Failure> {
    Ok(Webhook {
        id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        agent_id: maybe_id(row, "agent_id")?,
        url: get(row, "url")?,
        has_secret: get::<Option<Vec<u8>>>(row, "secret")?.is_some(),
        rotated_until: maybe_time(row, "rotated_until")?,
        header_names: HeaderName::split(&get::<String>(row, "header_names")?),
        description: get(row, "description")?,
        is_enabled: get(row, "is_enabled")?,
        disabled_reason: candidates::disabled_reason(row)?,
        replay_on_recovery: named(row, "replay_on_recovery", ReplayOnRecovery::parse)?,
        health: queue::health::read(row)?,
        version: Version(number(row, "version")?),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn seal(vault: &Vault, id: WebhookId, secret: &SigningSecret) -> Vec<u8> {
    vault.seal(Purpose::SigningSecret, id.uuid(), secret.expose().as_bytes())
}

pub(super) async fn find(
    transaction: &Transaction,
    organization: OrganizationId,
    webhook: WebhookId,
) -> Result<Option<Webhook>, Failure> {
    let sql = format!("SELECT * FROM {TABLE} WHERE id = $1 AND organization_id = $2");
    let row = transaction.row(&sql, &[&Id(webhook), &Id(organization)]).await?;
    row.as_ref().map(read).transpose()
}

/// The webhook of that level; each of the two conditions has an index of its own.
pub(super) async fn at(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: Option<AgentId>,
) -> Result<Option<Webhook>, Failure> {
    let level = if agent.is_some() { "agent_id = $2" } else { "agent_id IS NULL AND $2 IS NULL" };
    let sql = format!("SELECT * FROM {TABLE} WHERE organization_id = $1 AND {level}");
    let row = transaction.row(&sql, &[&Id(organization), &agent.map(Id)]).await?;
    row.as_ref().map(read).transpose()
}

/// The webhook that a run of the agent would be judged by now.
pub(super) async fn in_force(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: AgentId,
) -> Result<Option<InForce>, Failure> {
    let webhooks = Webhooks::find(transaction, organization, agent).await?;
    let candidates = webhooks.of(agent);
    let Some((level, ruling)) = candidates.rulings().in_force() else { return Ok(None) };
    let Some((_, known, _)) = candidates.judged().find(|judged| judged.0 == level) else { return Ok(None) };
    let webhook = find(transaction, organization, known.candidate.id).await?;
    Ok(webhook.map(|webhook| InForce { webhook, level, ruling }))
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: Option<AgentId>,
    page: Page,
) -> Result<(Vec<Webhook>, u64), Failure> {
    let agent = agent.map(Id);
    let parameters: [&dyn Param; 2] = [&Id(organization), &agent];
    super::page(transaction, TABLE, "($2 IS NULL OR agent_id = $2)", &parameters, page, read).await
}

/// Those that we disabled.
pub(super) async fn given_up(
    transaction: &Transaction,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<Webhook>, Failure> {
    let sql = format!(
        "SELECT * FROM {TABLE} WHERE organization_id = $1 AND disabled_reason IS NOT NULL \
         ORDER BY updated_at DESC, id DESC LIMIT $2"
    );
    let rows = transaction.rows(&sql, &[&Id(organization), &i64::from(limit)]).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn create(
    transaction: &Transaction,
    vault: &Vault,
    new: &NewWebhook,
) -> Result<Webhook, CreateWebhookError> {
    let NewWebhook { webhook, secret, headers } = new;
    if let Some(agent) = webhook.agent_id
        && !agents::exists(transaction, webhook.organization_id, agent).await.map_err(unavailable)?
    {
        return Err(CreateWebhookError::AgentNotFound);
    }
    let sealed = secret.as_ref().map(|secret| seal(vault, webhook.id, secret));
    let sealed_headers = headers.seal(vault, webhook.id);
    let created = Webhook { has_secret: secret.is_some(), header_names: headers.names(), ..webhook.clone() };
    if insert(transaction, &created, sealed, sealed_headers).await.map_err(unavailable)? {
        return Ok(created);
    }
    let repeated = find(transaction, webhook.organization_id, webhook.id).await.map_err(unavailable)?;
    repeated.ok_or(CreateWebhookError::Exists)
}

async fn insert(
    transaction: &Transaction,
    webhook: &Webhook,
    secret: Option<Vec<u8>>,
    headers: Option<Vec<u8>>,
) -> Result<bool, Failure> {
    let sql = "WITH created AS (INSERT INTO webhooks (id, organization_id, agent_id, url, secret, description, is_enabled, \
           created_at, updated_at, version, headers, header_names) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING id) \
         INSERT INTO webhook_health (webhook_id, replay_on_recovery) SELECT id, $13 FROM created";
    let inserted = transaction
        .run(
            sql,
            &[
                &Id(webhook.id),
                &Id(webhook.organization_id),
                &webhook.agent_id.map(Id),
                &webhook.url,
                &secret,
                &webhook.description,
                &webhook.is_enabled,
                &Time(webhook.created_at),
                &Time(webhook.updated_at),
                &i64::from(webhook.version.0),
                &headers,
                &HeaderName::join(&webhook.header_names),
                &webhook.replay_on_recovery.as_str(),
            ],
        )
        .await?;
    Ok(inserted > 0)
}

pub(super) async fn update(
    transaction: &Transaction,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    changes: &WebhookChanges,
    at: Timestamp,
) -> Result<Webhook, UpdateWebhookError> {
    let found = find(transaction, organization, id).await.map_err(unavailable)?;
    let mut webhook = found.ok_or(UpdateWebhookError::NotFound)?;
    if !changes.expected.allows(webhook.version) {
        return Err(UpdateWebhookError::Stale);
    }
    let WebhookChanges { url, secret, headers, description, is_enabled, replay_on_recovery, .. } = changes.clone();
    if let Some(wanted) = headers {
        let headers = stored_headers(transaction, vault, id, &wanted).await?.changed(wanted)?;
        webhook.header_names = headers.names();
        replace_headers(transaction, id, headers.seal(vault, id), &webhook.header_names).await.map_err(unavailable)?;
    }
    let was_enabled = webhook.is_enabled;
    webhook.version = webhook.version.next();
    webhook.url = url.unwrap_or(webhook.url);
    webhook.description = description.unwrap_or(webhook.description);
    webhook.is_enabled = is_enabled.unwrap_or(webhook.is_enabled);
    webhook.disabled_reason = webhook.disabled_reason.filter(|_| !webhook.is_enabled);
    webhook.updated_at = at;
    if let Some(secret) = secret {
        webhook.has_secret = secret.is_some();
        webhook.rotated_until = None;
        let sealed = secret.map(|secret| seal(vault, id, &secret));
        replace_secret(transaction, id, sealed).await.map_err(unavailable)?;
    }
    let left = queue::whatever_is_left(organization, id, at);
    // What comes to be enabled must not send what was pending before.
    if !was_enabled && webhook.is_enabled {
        queue::cancel_whatever_is_left(transaction, left).await.map_err(unavailable)?;
        webhook.health = begin_anew(transaction, id).await.map_err(unavailable)?.unwrap_or(webhook.health);
    }
    save(transaction, &webhook).await.map_err(unavailable)?;
    match is_enabled {
        Some(false) if was_enabled => {
            queue::cancel_pending(transaction, organization, id, at).await.map_err(unavailable)?;
        }
        // Somebody asks again, perhaps because it was not done the first time.
        Some(false) => transaction.leaves(left),
        _ => {}
    }
    // Behind everything that locks deliveries: whoever records an attempt locks them before the health of the webhook.
    if let Some(wish) = replay_on_recovery {
        webhook.replay_on_recovery = wish;
        wish_for_replay(transaction, id, wish).await.map_err(unavailable)?;
    }
    Ok(webhook)
}

/// Ends the streak of a webhook, whatever others recorded of it meanwhile.
async fn begin_anew(transaction: &Transaction, webhook: WebhookId) -> Result<Option<Health>, Failure> {
    let sql = "SELECT * FROM webhook_health WHERE webhook_id = $1 FOR UPDATE";
    let Some(row) = transaction.row(sql, &[&Id(webhook)]).await? else { return Ok(None) };
    let health = queue::health::read(&row)?.anew();
    queue::health::save(transaction, &[(webhook, health)]).await?;
    Ok(Some(health))
}

async fn save(transaction: &Transaction, webhook: &Webhook) -> Result<(), Failure> {
    let sql = "UPDATE webhooks SET url = $2, description = $3, is_enabled = $4, updated_at = $5, version = $6, \
         disabled_reason = $7 WHERE id = $1";
    transaction
        .run(
            sql,
            &[
                &Id(webhook.id),
                &webhook.url,
                &webhook.description,
                &webhook.is_enabled,
                &Time(webhook.updated_at),
                &i64::from(webhook.version.0),
                &webhook.disabled_reason.map(DisabledReason::as_str),
            ],
        )
        .await
        .map(drop)
}

async fn wish_for_replay(transaction: &Transaction, webhook: WebhookId, wish: ReplayOnRecovery) -> Result<(), Failure> {
    let sql = "UPDATE webhook_health SET replay_on_recovery = $2 WHERE webhook_id = $1 AND replay_on_recovery <> $2";
    transaction.run(sql, &[&Id(webhook), &wish.as_str()]).await.map(drop)
}

async fn replace_secret(transaction: &Transaction, webhook: WebhookId, sealed: Option<Vec<u8>>) -> Result<(), Failure> {
    let sql = "UPDATE webhooks SET secret = $2, rotated_secret = NULL, rotated_until = NULL WHERE id = $1";
    transaction.run(sql, &[&Id(webhook), &sealed]).await.map(drop)
}

/// What a change may keep of the present headers. Where it keeps nothing, headers that do not open are in nobody's way.
async fn stored_headers(
    transaction: &Transaction,
    vault: &Vault,
    id: WebhookId,
    wanted: &[WantedHeader],
) -> Result<CustomHeaders, StoreError> {
    if wanted.iter().all(|header| header.value.is_some()) {
        return Ok(CustomHeaders::default());
    }
    let row = transaction.row("SELECT headers FROM webhooks WHERE id = $1", &[&Id(id)]).await.map_err(unavailable)?;
    let sealed = row.as_ref().map(|row| get::<Option<Vec<u8>>>(row, "headers")).transpose().map_err(unavailable)?.flatten();
    CustomHeaders::open(vault, id, sealed.as_deref())
        .map_err(|error| StoreError::Corrupt(format!("headers of webhook {id}: {error}")))
}

async fn replace_headers(
    transaction: &Transaction,
    webhook: WebhookId,
    sealed: Option<Vec<u8>>,
    names: &[HeaderName],
) -> Result<(), Failure> {
    let sql = "UPDATE webhooks SET headers = $2, header_names = $3 WHERE id = $1";
    transaction.run(sql, &[&Id(webhook), &sealed, &HeaderName::join(names)]).await.map(drop)
}

pub(super) async fn rotate(
    transaction: &Transaction,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    rotation: &SecretRotation,
    at: Timestamp,
) -> Result<Webhook, UpdateWebhookError> {
    let found = find(transaction, organization, id).await.map_err(unavailable)?;
    let mut webhook = found.ok_or(UpdateWebhookError::NotFound)?;
    webhook.version = webhook.version.next();
    webhook.has_secret = true;
    webhook.updated_at = at;
    if !is_last_rotation(transaction, id, rotation.id).await.map_err(unavailable)? {
        webhook.rotated_until = retire_secret(transaction, vault, id, rotation.overlap, at).await?;
    }
    let sql = "UPDATE webhooks SET secret = $2, last_rotation = $3, version = $4, updated_at = $5 WHERE id = $1";
    let (sealed, version) = (seal(vault, id, &rotation.secret), i64::from(webhook.version.0));
    let rotated = transaction.run(sql, &[&Id(id), &sealed, &Id(rotation.id), &version, &Time(at)]).await;
    rotated.map_err(unavailable)?;
    Ok(webhook)
}

async fn is_last_rotation(transaction: &Transaction, webhook: WebhookId, rotation: RotationId) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM webhooks WHERE id = $1 AND last_rotation = $2";
    Ok(transaction.row(sql, &[&Id(webhook), &Id(rotation)]).await?.is_some())
}

/// Lets the current secret sign on behind the next one, if there is one; answers until when.
async fn retire_secret(
    transaction: &Transaction,
    vault: &Vault,
    id: WebhookId,
    overlap: SignedDuration,
    at: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let current = SealedSecrets::find(transaction, id).await.map_err(unavailable)?.current(vault);
    let current = current.map_err(|error| StoreError::Corrupt(format!("secret of webhook {id}: {error}")))?;
    let rotated = current.filter(|_| overlap.is_positive()).map(|secret| {
        let sealed = vault.seal(Purpose::RotatedSecret, id.uuid(), secret.expose().as_bytes());
        (sealed, at.saturating_add(overlap).unwrap_or(Timestamp::MAX))
    });
    let (secret, until) = rotated.unzip();
    let sql = "UPDATE webhooks SET rotated_secret = $2, rotated_until = $3 WHERE id = $1";
    transaction.run(sql, &[&Id(id), &secret, &until.map(Time)]).await.map_err(unavailable)?;
    Ok(until)
}

pub(super) async fn delete(
    transaction: &Transaction,
    organization: OrganizationId,
    id: WebhookId,
    expected: &Expected,
    at: Timestamp,
) -> Result<bool, DeleteError> {
    let found = find(transaction, organization, id).await.map_err(unavailable)?;
    let Some(webhook) = found else { return Ok(false) };
    if !expected.allows(webhook.version) {
        return Err(DeleteError::Stale);
    }
    remove(transaction, organization, id, at).await.map_err(unavailable)?;
    Ok(true)
}

/// Deletes the webhook of an agent, if it has one.
pub(super) async fn delete_of_agent(
    transaction: &Transaction,
    organization: OrganizationId,
    agent: AgentId,
    at: Timestamp,
) -> Result<(), Failure> {
    let row = transaction.row("SELECT id FROM webhooks WHERE agent_id = $1", &[&Id(agent)]).await?;
    match row {
        Some(row) => remove(transaction, organization, id(&row, "id")?, at).await,
        None => Ok(()),
    }
}

/// Deliveries first: whoever records an attempt locks them before the health of the webhook, which goes with it.
async fn remove(
    transaction: &Transaction,
    organization: OrganizationId,
    webhook: WebhookId,
    at: Timestamp,
) -> Result<(), Failure> {
    queue::cancel_pending(transaction, organization, webhook, at).await?;
    transaction.run("DELETE FROM secret_reveals WHERE webhook_id = $1", &[&Id(webhook)]).await?;
    transaction.run("DELETE FROM webhooks WHERE id = $1", &[&Id(webhook)]).await.map(drop)
}
