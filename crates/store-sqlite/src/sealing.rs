//! Sealed values in rows, and the proof that a database belongs to a key.

use jiff::Timestamp;
use preclinical_core::{
    id::WebhookId,
    secret::SigningSecret,
    vault::{DoesNotOpen, Purpose, Vault},
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::{
    OpenError,
    row::{Columns, Id},
};

const CHECK: &str = "sealed_check";

/// Refuses a key that is not the one of this database. A database without a key takes this one.
pub(crate) fn check(connection: &Connection, vault: &Vault) -> Result<(), OpenError> {
    connection.execute(
        "INSERT INTO facts (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        params![CHECK, vault.seal(Purpose::Check, Uuid::nil(), CHECK.as_bytes())],
    )?;
    let sealed: Vec<u8> = connection.query_row("SELECT value FROM facts WHERE name = ?1", [CHECK], |row| row.get(0))?;
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
    pub(crate) fn read(columns: &mut Columns<'_>, webhook: WebhookId) -> rusqlite::Result<Self> {
        Ok(Self { webhook, current: columns.value()?, rotated: columns.value()?, rotated_until: columns.maybe_time()? })
    }

    /// From the row of that webhook.
    pub(crate) fn find(connection: &Connection, webhook: WebhookId) -> rusqlite::Result<Self> {
        connection
            .prepare_cached("SELECT secret, rotated_secret, rotated_until FROM webhooks WHERE id = ?1")?
            .query_row([Id(webhook)], |row| Self::read(&mut Columns::of(row), webhook))
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

    /// Whether there is one that stops signing at some time.
    pub(crate) fn are_rotating(&self) -> bool {
        self.rotated_until.is_some()
    }

    fn open_one(&self, vault: &Vault, purpose: Purpose, sealed: &[u8]) -> Result<SigningSecret, DoesNotOpen> {
        let opened = vault.open(purpose, self.webhook.uuid(), sealed)?;
        std::str::from_utf8(&opened).map(SigningSecret::from_stored).map_err(|_| DoesNotOpen)
    }
}
