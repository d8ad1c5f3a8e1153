//! What sending to a webhook takes, as its row holds it.

use std::cell::OnceCell;

use jiff::Timestamp;
use preclinical_core::{custom_header::CustomHeaders, id::WebhookId, port::Standing, secret::SigningSecret, vault::Vault};

use crate::{row::Columns, sealing::SealedSecrets};

const UNREADABLE: &str = "the webhook's secret cannot be read; set it again and redeliver";

const UNREADABLE_HEADERS: &str = "the webhook's headers cannot be read; set them again and redeliver";

/// The columns of `webhooks` that [`Receiver::read`] reads.
pub(crate) const RECEIVER_COLUMNS: &str = "url, secret, rotated_secret, rotated_until, headers";

/// The receiver behind a webhook.
pub(crate) struct Receiver {
    pub(crate) url: String,
    webhook: WebhookId,
    secrets: SealedSecrets,
    headers: Option<Vec<u8>>,
    /// What was opened, as long as no time is set that changes it.
    opened: OnceCell<Credentials>,
}

/// What an attempt is signed with and carries, unsealed.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) secrets: Vec<SigningSecret>,
    pub(crate) headers: CustomHeaders,
}

impl Receiver {
    pub(crate) fn read(columns: &mut Columns<'_>, webhook: WebhookId) -> rusqlite::Result<Self> {
        Ok(Self {
            url: columns.value()?,
            webhook,
            secrets: SealedSecrets::read(columns, webhook)?,
            headers: columns.value()?,
            opened: OnceCell::new(),
        })
    }

    /// What is in force at that time. The error says to people what cannot be read, and what to do.
    pub(crate) fn open(&self, vault: &Vault, at: Timestamp) -> Result<Credentials, &'static str> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened.clone());
        }
        let secrets = self.secrets.open(vault, at).map_err(|_| UNREADABLE)?;
        let headers = CustomHeaders::open(vault, self.webhook, self.headers.as_deref()).map_err(|_| UNREADABLE_HEADERS)?;
        let credentials = Credentials { secrets, headers };
        if !self.secrets.are_rotating() {
            let _ = self.opened.set(credentials.clone());
        }
        Ok(credentials)
    }
}

/// How a webhook stands, by `last_triggered_at`, `last_success_at` and `consecutive_failures`; all missing if there is no such webhook.
pub(crate) fn standing(columns: &mut Columns<'_>) -> rusqlite::Result<Standing> {
    let (triggered, succeeded) = (columns.maybe_time()?, columns.maybe_time()?);
    let failures: Option<u32> = columns.value()?;
    Ok(Standing::of(triggered, succeeded, failures.unwrap_or(0)))
}
