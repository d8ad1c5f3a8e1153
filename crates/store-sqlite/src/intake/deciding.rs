//! What was decided when a run became final, kept for people who ask.

use preclinical_core::{
    choice::{Level, Ruling},
    id::{DeliveryId, EventId},
    run::Run,
    webhook::DisabledReason,
};
use rusqlite::{Connection, params};

use crate::{
    candidates::{Candidates, Known},
    row::{Id, Time},
};

/// The names of rulings in rows.
pub(crate) const SENT: &str = "sent";
pub(crate) const DISABLED: &str = "disabled";
pub(crate) const OVERRIDDEN: &str = "overridden";
pub(crate) const NO_WEBHOOK: &str = "no_webhook";

/// The ending that decisions belong to.
pub(super) struct Ending<'a> {
    pub(super) run: &'a Run,
    pub(super) generation: i64,
    pub(super) event: EventId,
    /// Used for the webhook that hears of it, or misses it.
    pub(super) delivery: DeliveryId,
}

/// Writes a row for each candidate, or one that says that there was none.
pub(super) fn keep(connection: &Connection, ending: &Ending<'_>, candidates: &Candidates) -> rusqlite::Result<()> {
    let mut rows = 0;
    for judged in candidates.judged() {
        insert(connection, ending, rows, Some(judged))?;
        rows += 1;
    }
    if rows == 0 { insert(connection, ending, 0, None).map(drop) } else { Ok(()) }
}

fn insert(
    connection: &Connection,
    ending: &Ending<'_>,
    position: u8,
    judged: Option<(Level, &Known, Ruling)>,
) -> rusqlite::Result<usize> {
    let (ruling, reason) = match judged {
        Some((_, _, Ruling::Sent)) => (SENT, None),
        Some((_, _, Ruling::Disabled(reason))) => (DISABLED, reason),
        Some((_, _, Ruling::Overridden)) => (OVERRIDDEN, None),
        None => (NO_WEBHOOK, None),
    };
    let at = ending.run.completed_at.unwrap_or(ending.run.created_at);
    connection
        .prepare_cached(
            "INSERT INTO decisions (run_id, generation, position, event_id, level, webhook_id, url, ruling, disabled_reason, \
             delivery_id, decided_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            Id(ending.run.id),
            ending.generation,
            position,
            Id(ending.event),
            judged.map(|(level, _, _)| level.as_str()),
            judged.map(|(_, known, _)| Id(known.candidate.id)),
            judged.map(|(_, known, _)| known.receiver.url.as_str()),
            ruling,
            reason.map(DisabledReason::as_str),
            judged.is_some_and(|(_, _, ruling)| ruling.has_delivery()).then_some(Id(ending.delivery)),
            Time(at),
        ])
}
