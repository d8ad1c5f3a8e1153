//! Who was shown a webhook's secret.

use jiff::Timestamp;
use preclinical_core::{
    id::{OrganizationId, WebhookId},
    member::Email,
    port::{RevealSecretError, StoreError},
    reveal::{KEPT_REVEALS, SecretReveal},
    secret::SigningSecret,
    vault::Vault,
};
use rusqlite::{Connection, Row, params};

use super::webhooks;
use crate::{
    row::{Id, Time, named, time, unavailable},
    sealing::SealedSecrets,
};

pub(super) fn reveal(
    connection: &Connection,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    reveal: &SecretReveal,
) -> Result<Option<SigningSecret>, RevealSecretError> {
    let found = webhooks::find(connection, organization, id).map_err(unavailable)?;
    found.ok_or(RevealSecretError::NotFound)?;
    let secret = SealedSecrets::find(connection, id).map_err(unavailable)?.current(vault);
    let secret = secret.map_err(|error| StoreError::Corrupt(format!("secret of webhook {id}: {error}")))?;
    if secret.is_some() {
        note(connection, id, &reveal.by, reveal.at).map_err(unavailable)?;
    }
    Ok(secret)
}

fn note(connection: &Connection, id: WebhookId, by: &Email, at: Timestamp) -> rusqlite::Result<usize> {
    let number: i64 = connection
        .prepare_cached(
            "INSERT INTO secret_reveals (webhook_id, number, email, at) \
             SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3 FROM secret_reveals WHERE webhook_id = ?1 RETURNING number",
        )?
        .query_row(params![Id(id), by.as_str(), Time(at)], |row| row.get(0))?;
    connection
        .prepare_cached("DELETE FROM secret_reveals WHERE webhook_id = ?1 AND number <= ?2")?
        .execute(params![Id(id), number - i64::from(KEPT_REVEALS)])
}

pub(super) fn list(
    connection: &Connection,
    organization: OrganizationId,
    id: WebhookId,
    limit: u32,
) -> rusqlite::Result<Vec<SecretReveal>> {
    connection
        .prepare_cached(
            "SELECT reveal.email, reveal.at FROM secret_reveals reveal JOIN webhooks ON webhooks.id = reveal.webhook_id \
             WHERE reveal.webhook_id = ?1 AND webhooks.organization_id = ?2 ORDER BY reveal.number DESC LIMIT ?3",
        )?
        .query_map(params![Id(id), Id(organization), limit], read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<SecretReveal> {
    Ok(SecretReveal { by: named(row, "email", |text| text.parse().ok())?, at: time(row, "at")? })
}
