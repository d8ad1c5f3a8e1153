//! What was decided when a run became final, kept for people who ask.

use preclinical_core::{
    choice::{Level, Ruling},
    id::{DeliveryId, EventId},
    run::Run,
    webhook::DisabledReason,
};

use crate::{
    candidates::{Candidates, Known},
    failure::Failure,
    row::{Id, Time},
    transaction::Transaction,
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
pub(super) async fn keep(transaction: &Transaction, ending: &Ending<'_>, candidates: &Candidates) -> Result<(), Failure> {
    let judged: Vec<_> = candidates.judged().map(Some).collect();
    let rows = if judged.is_empty() { vec![None] } else { judged };
    let rulings: Vec<_> = rows.iter().map(|row| ruling(row.as_ref())).collect();
    let positions: Vec<_> = (0_i64..).take(rows.len()).collect();
    let levels: Vec<_> = rows.iter().map(|row| row.as_ref().map(|(level, _, _)| level.as_str().to_owned())).collect();
    let webhooks: Vec<_> = rows.iter().map(|row| row.as_ref().map(|(_, known, _)| Id(known.candidate.id))).collect();
    let urls: Vec<_> = rows.iter().map(|row| row.as_ref().map(|(_, known, _)| known.url.clone())).collect();
    let names: Vec<_> = rulings.iter().map(|(name, _)| *name).collect();
    let reasons: Vec<_> = rulings.iter().map(|(_, reason)| reason.map(|reason| reason.as_str().to_owned())).collect();
    let has_delivery =
        |row: &Option<(Level, &Known, Ruling)>| row.as_ref().is_some_and(|(_, _, ruling)| ruling.has_delivery());
    let deliveries: Vec<_> = rows.iter().map(|row| has_delivery(row).then_some(Id(ending.delivery))).collect();
    let at = Time(ending.run.completed_at.unwrap_or(ending.run.created_at));
    let sql = "INSERT INTO decisions (run_id, generation, event_id, decided_at, position, level, webhook_id, url, ruling, \
         disabled_reason, delivery_id) SELECT $1, $2, $3, $4, * FROM unnest($5, $6, $7, $8, $9, $10, $11)";
    let (run, event) = (Id(ending.run.id), Id(ending.event));
    transaction
        .run(
            sql,
            &[&run, &ending.generation, &event, &at, &positions, &levels, &webhooks, &urls, &names, &reasons, &deliveries],
        )
        .await?;
    Ok(())
}

fn ruling(judged: Option<&(Level, &Known, Ruling)>) -> (&'static str, Option<DisabledReason>) {
    match judged {
        Some((_, _, Ruling::Sent)) => (SENT, None),
        Some((_, _, Ruling::Disabled(reason))) => (DISABLED, *reason),
        Some((_, _, Ruling::Overridden)) => (OVERRIDDEN, None),
        None => (NO_WEBHOOK, None),
    }
}
