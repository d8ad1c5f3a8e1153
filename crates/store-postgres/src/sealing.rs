//! Sealed values in rows, and the proof that a database belongs to a key.

use jiff::Timestamp;
use preclinical_core::{
    id::WebhookId,
    secret::SigningSecret,
    vault::{DoesNotOpen, Purpose, Vault},
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    OpenError,
    failure::Failure,
    pool::Connections,
    row::{Id, get, maybe_time},
    transaction::{Transaction, Turn},
};

const CHECK: &str = "sealed_check";

/// Refuses a key that is not the one of this database. A database without a key takes this one.
pub(crate) async fn check(connections: &Connections, vault: &Vault) -> Result<(), OpenError> {
    let transaction = Transaction::begin(connections.get().await?, Turn::Free);
    let ours = vault.seal(Purpose::Check, Uuid::nil(), CHECK.as_bytes());
    transaction
        .run("INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", &[&CHECK, &ours])
        .await?;
    let row = transaction.row("SELECT value FROM facts WHERE name = $1", &[&CHECK]).await?;
    transaction.commit().await?;
    let sealed: Vec<u8> = get(&row.ok_or_else(|| Failure::unreadable("value"))?, "value")?;
    vault.open(Purpose::Check, Uuid::nil(), &sealed).map(drop).map_err(|_| OpenError::WrongKey)
}

/// The secrets of a webhook as its row holds them.
pub(crate) struct SealedSecrets {
    webhook: WebhookId,
    current: Option<Vec<u8>>,
    rotated: Option<Vec<u8>>,
    rotated_until: Option<Timestamp>,
}

impl SealedSecrets {
    /// From the columns `secret`, `rotated_secret` and `rotated_until`.
    pub(crate) fn read(row: &Row, webhook: WebhookId) -> Result<Self, Failure> {
        Ok(Self {
            webhook,
            current: get(row, "secret")?,
            rotated: get(row, "rotated_secret")?,
            rotated_until: maybe_time(row, "rotated_until")?,
        })
    }

    /// From the row of that webhook.
    pub(crate) async fn find(transaction: &Transaction, webhook: WebhookId) -> Result<Self, Failure> {
        let sql = "SELECT secret, rotated_secret, rotated_until FROM webhooks WHERE id = $1";
        let row = transaction.row(sql, &[&Id(webhook)]).await?;
        Self::read(&row.ok_or_else(|| Failure::unreadable("secret"))?, webhook)
    }

    /// The secret in force, if there is one.
    pub(crate) fn current(&self, vault: &Vault) -> Result<Option<SigningSecret>, DoesNotOpen> {
        self.current.as_deref().map(|sealed| self.open_one(vault, Purpose::SigningSecret, sealed)).transpose()
    }

    /// All that sign at that time, the one in force first.
    pub(crate) fn open(&self, vault: &Vault, at: Timestamp) -> Result<Vec<SigningSecret>, DoesNotOpen> {
        let overlaps = self.rotated_until.is_some_and(|until| at < until);
        let rotated = self.rotated.as_deref().filter(|_| overlaps);
        let rotated = rotated.map(|sealed| self.open_one(vault, Purpose::RotatedSecret, sealed)).transpose()?;
        Ok(self.current(vault)?.into_iter().chain(rotated).collect())
    }

    fn open_one(&self, vault: &Vault, purpose: Purpose, sealed: &[u8]) -> Result<SigningSecret, DoesNotOpen> {
        let opened = vault.open(purpose, self.webhook.uuid(), sealed)?;
        std::str::from_utf8(&opened).map(SigningSecret::from_stored).map_err(|_| DoesNotOpen)
    }
}
