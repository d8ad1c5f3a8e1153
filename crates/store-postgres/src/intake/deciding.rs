//! What was decided when a run became final, kept for people who ask.

use preclinical_core::{
    choice::{Level, Ruling},
    id::{DeliveryId, EventId},
    run::Run,
    webhook::DisabledReason,
};

use super::settling::Columns;
use crate::{
    candidates::{Candidates, Known},
    row::{Id, Time},
};

/// The names of rulings in rows.
pub(crate) const SENT: &str = "sent";
pub(crate) const DISABLED: &str = "disabled";
pub(crate) const OVERRIDDEN: &str = "overridden";
pub(crate) const NO_WEBHOOK: &str = "no_webhook";

/// An ending that decisions belong to.
pub(super) struct Ending<'a> {
    pub(super) run: &'a Run,
    pub(super) generation: i64,
    pub(super) event: EventId,
    /// Used for the webhook that hears of it, or misses it.
    pub(super) delivery: DeliveryId,
    pub(super) candidates: Candidates<'a>,
}

/// A decision about a webhook, or that there was none.
type Judged<'a> = Option<(Level, &'a Known, Ruling)>;

/// The columns of a row for each candidate of each ending, or of one that says that there was none.
pub(super) fn columns<'a>(endings: &[Ending<'a>]) -> Columns<'a> {
    let mut rows: Vec<(&Ending<'_>, i64, Judged<'_>)> = Vec::new();
    for ending in endings {
        let judged: Vec<_> = ending.candidates.judged().map(Some).collect();
        let judged = if judged.is_empty() { vec![None] } else { judged };
        rows.extend((0..).zip(judged).map(|(position, judged)| (ending, position, judged)));
    }
    let runs: Vec<_> = rows.iter().map(|(ending, ..)| Id(ending.run.id)).collect();
    let generations: Vec<_> = rows.iter().map(|(ending, ..)| ending.generation).collect();
    let events: Vec<_> = rows.iter().map(|(ending, ..)| Id(ending.event)).collect();
    let times: Vec<_> =
        rows.iter().map(|(Ending { run, .. }, ..)| Time(run.completed_at.unwrap_or(run.created_at))).collect();
    let positions: Vec<_> = rows.iter().map(|(_, position, _)| *position).collect();
    let levels: Vec<_> = rows.iter().map(|(.., row)| row.map(|(level, ..)| level.as_str().to_owned())).collect();
    let webhooks: Vec<_> = rows.iter().map(|(.., row)| row.map(|(_, known, _)| Id(known.candidate.id))).collect();
    let urls: Vec<_> = rows.iter().map(|(.., row)| row.map(|(_, known, _)| known.url.clone())).collect();
    let (names, reasons): (Vec<_>, Vec<_>) = rows.iter().map(|(.., row)| ruling(*row)).unzip();
    let reasons: Vec<_> = reasons.into_iter().map(|reason| reason.map(|reason| reason.as_str().to_owned())).collect();
    let delivery = |ending: &Ending<'_>, row: Judged<'_>| {
        row.is_some_and(|(_, _, ruling)| ruling.has_delivery()).then_some(Id(ending.delivery))
    };
    let deliveries: Vec<_> = rows.iter().map(|(ending, _, row)| delivery(ending, *row)).collect();
    vec![
        Box::new(runs),
        Box::new(generations),
        Box::new(events),
        Box::new(times),
        Box::new(positions),
        Box::new(levels),
        Box::new(webhooks),
        Box::new(urls),
        Box::new(names),
        Box::new(reasons),
        Box::new(deliveries),
    ]
}

fn ruling(judged: Judged<'_>) -> (&'static str, Option<DisabledReason>) {
    match judged {
        Some((_, _, Ruling::Sent)) => (SENT, None),
        Some((_, _, Ruling::Disabled(reason))) => (DISABLED, reason),
        Some((_, _, Ruling::Overridden)) => (OVERRIDDEN, None),
        None => (NO_WEBHOOK, None),
    }
}
