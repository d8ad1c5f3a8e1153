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
use tokio_postgres::Row;

use super::webhooks;
use crate::{
    failure::{Failure, unavailable},
    row::{Id, Time, get, named, time},
    sealing::SealedSecrets,
    transaction::Transaction,
};

pub(super) async fn reveal(
    transaction: &Transaction,
    vault: &Vault,
    organization: OrganizationId,
    id: WebhookId,
    reveal: &SecretReveal,
) -> Result<Option<SigningSecret>, RevealSecretError> {
    let found = webhooks::find(transaction, organization, id).await.map_err(unavailable)?;
    found.ok_or(RevealSecretError::NotFound)?;
    let secret = SealedSecrets::find(transaction, id).await.map_err(unavailable)?.current(vault);
    let secret = secret.map_err(|error| StoreError::Corrupt(format!("secret of webhook {id}: {error}")))?;
    if secret.is_some() {
        note(transaction, id, &reveal.by, reveal.at).await.map_err(unavailable)?;
    }
    Ok(secret)
}

/// Numbers have no gaps and are given once, since who notes one is alone with the organization.
async fn note(transaction: &Transaction, webhook: WebhookId, by: &Email, at: Timestamp) -> Result<(), Failure> {
    let sql = "INSERT INTO secret_reveals (webhook_id, number, email, at) \
         SELECT $1, coalesce(max(number), 0) + 1, $2, $3 FROM secret_reveals WHERE webhook_id = $1 RETURNING number";
    let row = transaction.row(sql, &[&Id(webhook), &by.as_str(), &Time(at)]).await?;
    let number: i64 = get(&row.ok_or_else(|| Failure::unreadable("number"))?, "number")?;
    let sql = "DELETE FROM secret_reveals WHERE webhook_id = $1 AND number <= $2";
    transaction.run(sql, &[&Id(webhook), &(number - i64::from(KEPT_REVEALS))]).await.map(drop)
}

pub(super) async fn list(
    transaction: &Transaction,
    organization: OrganizationId,
    webhook: WebhookId,
    limit: u32,
) -> Result<Vec<SecretReveal>, Failure> {
    let sql = "SELECT reveal.email, reveal.at FROM secret_reveals reveal JOIN webhooks ON webhooks.id = reveal.webhook_id \
         WHERE reveal.webhook_id = $1 AND webhooks.organization_id = $2 ORDER BY reveal.number DESC LIMIT $3";
    let rows = transaction.rows(sql, &[&Id(webhook), &Id(organization), &i64::from(limit)]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<SecretReveal, Failure> {
    Ok(SecretReveal { by: named(row, "email", |text| text.parse().ok())?, at: time(row, "at")? })
}
