//! What was decided when a run became final, kept with its event for people who ask.

use std::borrow::Cow;

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
pub(crate) struct Decided<'a> {
    #[serde(borrow)]
    pub(crate) level: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) webhook_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) url: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) ruling: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) disabled_reason: Option<Cow<'a, str>>,
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
            level: level.as_str().into(),
            webhook_id: known.candidate.id.to_string().into(),
            url: known.receiver.url.as_str().into(),
            ruling: ruling.into(),
            disabled_reason: reason.map(|reason| DisabledReason::as_str(reason).into()),
        }
    });
    let list = serde_json::to_vec(&decided.collect::<Vec<_>>())?;
    Ok(candidates.decided.get_or_init(|| list))
}
