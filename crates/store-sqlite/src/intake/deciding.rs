//! What was decided when a run became final, kept with its event for people who ask.

use preclinical_core::{
    choice::{Level, Ruling},
    webhook::DisabledReason,
};
use serde::{Deserialize, Serialize};

use crate::candidates::Candidates;

/// The names of rulings.
pub(crate) const SENT: &str = "sent";
pub(crate) const DISABLED: &str = "disabled";
pub(crate) const OVERRIDDEN: &str = "overridden";

/// A decision about one webhook, in the list that an event has. It is empty if there was no webhook.
#[derive(Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(crate) level: String,
    pub(crate) webhook_id: String,
    pub(crate) url: String,
    pub(crate) ruling: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disabled_reason: Option<String>,
}

/// The list about all candidates.
pub(super) fn about(candidates: &Candidates) -> serde_json::Result<&[u8]> {
    if let Some(list) = candidates.decided.get() {
        return Ok(list);
    }
    let decided = candidates.judged().map(|(level, known, ruling): (Level, _, _)| {
        let (ruling, reason) = match ruling {
            Ruling::Sent => (SENT, None),
            Ruling::Disabled(reason) => (DISABLED, reason),
            Ruling::Overridden => (OVERRIDDEN, None),
        };
        Decided {
            level: level.as_str().to_owned(),
            webhook_id: known.candidate.id.to_string(),
            url: known.receiver.url.clone(),
            ruling: ruling.to_owned(),
            disabled_reason: reason.map(|reason| DisabledReason::as_str(reason).to_owned()),
        }
    });
    let list = serde_json::to_vec(&decided.collect::<Vec<_>>())?;
    Ok(candidates.decided.get_or_init(|| list))
}
