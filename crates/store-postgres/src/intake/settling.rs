//! What follows from the ends of runs, several at once: their final states, events, decisions, and deliveries that are written as claimed
//! as they are to be.

use preclinical_core::{
    choice::Ruling,
    custom_header::CustomHeaders,
    delivery::{Claimed, DeliveryStatus, Lease},
    event::{EventContent, EventKind},
    id::OrganizationId,
    port::{Admitted, Applicant, Dispatch, Fate},
    run::Run,
};

use super::deciding::{self, Ending};
use crate::{
    candidates::{Known, Webhooks},
    failure::Failure,
    queue::{self, Holder},
    row::{Id, Time},
    transaction::Transaction,
};

const KIND: EventKind = EventKind::TestRunCompleted;

/// They are locked, and were seen unfinished under these locks.
const ENDED: &str = "UPDATE runs SET status = ended.status, passed = ended.passed, failed = ended.failed, error = ended.error, \
     total = ended.total, started_at = ended.started, completed_at = ended.completed, generation = ended.generation \
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) \
       AS ended (id, status, passed, failed, error, total, started, completed, generation) WHERE runs.id = ended.id";

const EVENTS: &str = "INSERT INTO events (organization_id, kind, id, run_id, generation, content, created_at) \
     SELECT $1, $2, * FROM unnest($3, $4, $5, $6, $7)";

const DELIVERIES: &str = "INSERT INTO deliveries (organization_id, kind, id, event_id, webhook_id, agent_id, run_id, run_number, \
     url, status, attempt_count, due_at, lease_token, created_at, completed_at, missed, lease_node) \
     SELECT $1, $2, written.*, CASE WHEN lease IS NOT NULL THEN $17 END \
     FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
       AS written (id, event, webhook, agent, run, number, url, status, attempts, due, lease, created, completed, missed)";

const STARTED: &str =
    "INSERT INTO attempts (delivery_id, number, started_at) SELECT id, 1, at FROM unnest($1, $2) AS started (id, at)";

/// A run that has ended, as it is to be from then on.
pub(super) struct Settled<'a> {
    pub(super) run: Run,
    /// How often it has become final, this time included.
    pub(super) generation: i64,
    pub(super) dispatch: &'a Dispatch,
}

impl Settled<'_> {
    fn at(&self) -> Time {
        Time(self.run.completed_at.unwrap_or(self.run.created_at))
    }
}

/// A delivery that follows from an end.
struct Written<'a> {
    of: &'a Settled<'a>,
    known: &'a Known,
    is_held_back: bool,
    /// Its first attempt, if that is under way.
    claimed: Option<Claimed>,
}

/// Writes the ends of runs of the organization, which are locked, and all that follows from them; what became of the delivery of each.
pub(super) async fn settle(
    transaction: &Transaction,
    holder: Holder<'_>,
    organization: OrganizationId,
    settled: &[Settled<'_>],
) -> Result<Vec<Fate>, Failure> {
    if settled.is_empty() {
        return Ok(Vec::new());
    }
    transaction.concerns(organization);
    let webhooks = Webhooks::find(transaction, organization, settled.iter().map(|one| one.run.agent_id)).await?;
    let contents: Vec<_> = settled.iter().map(|one| EventContent::of_run(&one.run, &one.dispatch.public_url)).collect();
    let (mut written, mut unreadable, mut fates) = (Vec::new(), Vec::new(), Vec::new());
    for (of, content) in settled.iter().zip(&contents) {
        let chosen = webhooks.of(of.run.agent_id).judged().find(|(_, _, ruling)| ruling.has_delivery());
        let Some((_, known, ruling)) = chosen else {
            fates.push(Fate::NoWebhook);
            continue;
        };
        let is_held_back = ruling != Ruling::Sent;
        let lease = if is_held_back { None } else { admitted(transaction, organization, of, known) };
        let claimed = lease.and_then(|lease| claim(holder, of, known, lease, content));
        match (is_held_back, lease, &claimed) {
            (true, ..) => fates.push(Fate::NoWebhook),
            (_, _, Some(claimed)) => fates.push(Fate::Claimed(claimed.clone())),
            (_, lease, None) => {
                unreadable.extend(lease.map(|lease| (of, lease)));
                fates.push(Fate::Due);
            }
        }
        written.push(Written { of, known, is_held_back, claimed });
    }
    end(transaction, settled)?;
    insert_events(transaction, organization, settled, &contents)?;
    insert_deliveries(transaction, holder, organization, &written)?;
    let endings = column(settled, |one| Ending {
        run: &one.run,
        generation: one.generation,
        event: one.dispatch.event_id,
        delivery: one.dispatch.delivery_id,
        candidates: webhooks.of(one.run.agent_id),
    });
    deciding::keep(transaction, &endings)?;
    for (of, lease) in unreadable {
        // It fails by that.
        queue::claim(transaction, holder, of.dispatch.delivery_id, lease, of.at().0).await?;
    }
    Ok(fates)
}

/// The lease of a delivery that is admitted; what is not is left to whoever has a place.
fn admitted(transaction: &Transaction, organization: OrganizationId, of: &Settled<'_>, known: &Known) -> Option<Lease> {
    let Known { candidate, standing, .. } = known;
    let delivery = of.dispatch.delivery_id;
    let applicant = Applicant { delivery, organization, webhook: candidate.id, standing: *standing };
    let Admitted::Granted(lease) = of.dispatch.places.admit(&applicant) else {
        transaction.leaves_work();
        return None;
    };
    Some(lease)
}

/// All that sending it takes; `None` if the webhook's secret or headers cannot be read.
fn claim(holder: Holder<'_>, of: &Settled<'_>, known: &Known, lease: Lease, content: &EventContent) -> Option<Claimed> {
    let webhook_id = known.candidate.id;
    Some(Claimed {
        delivery_id: of.dispatch.delivery_id,
        organization_id: of.run.organization_id,
        webhook_id,
        attempt: 1,
        failures: 0,
        lease,
        url: known.url.clone(),
        secrets: known.secrets.open(holder.vault, of.at().0).ok()?,
        headers: CustomHeaders::open(holder.vault, webhook_id, known.headers.as_deref()).ok()?,
        event: KIND,
        content: content.clone(),
    })
}

fn end(transaction: &Transaction, settled: &[Settled<'_>]) -> Result<(), Failure> {
    transaction.run_along(
        ENDED,
        &[
            &column(settled, |one| Id(one.run.id)),
            &column(settled, |one| one.run.status.as_str()),
            &column(settled, |one| i64::from(one.run.tally.passed)),
            &column(settled, |one| i64::from(one.run.tally.failed)),
            &column(settled, |one| i64::from(one.run.tally.error)),
            &column(settled, |one| i64::from(one.run.tally.total)),
            &column(settled, |one| one.run.started_at.map(Time)),
            &column(settled, |one| one.run.completed_at.map(Time)),
            &column(settled, |one| one.generation),
        ],
    )
}

fn insert_events(
    transaction: &Transaction,
    organization: OrganizationId,
    settled: &[Settled<'_>],
    contents: &[EventContent],
) -> Result<(), Failure> {
    transaction.run_along(
        EVENTS,
        &[
            &Id(organization),
            &KIND.as_str(),
            &column(settled, |one| Id(one.dispatch.event_id)),
            &column(settled, |one| Id(one.run.id)),
            &column(settled, |one| one.generation),
            &contents.iter().map(EventContent::bytes).collect::<Vec<&[u8]>>(),
            &column(settled, Settled::at),
        ],
    )
}

fn insert_deliveries(
    transaction: &Transaction,
    holder: Holder<'_>,
    organization: OrganizationId,
    written: &[Written<'_>],
) -> Result<(), Failure> {
    if written.is_empty() {
        return Ok(());
    }
    let status = |one: &Written<'_>| if one.is_held_back { DeliveryStatus::Canceled } else { DeliveryStatus::Pending };
    let due = |one: &Written<'_>| one.claimed.as_ref().map_or(one.of.at(), |claimed| Time(claimed.lease.until));
    transaction.run_along(
        DELIVERIES,
        &[
            &Id(organization),
            &KIND.as_str(),
            &column(written, |one| Id(one.of.dispatch.delivery_id)),
            &column(written, |one| Id(one.of.dispatch.event_id)),
            &column(written, |one| Id(one.known.candidate.id)),
            &column(written, |one| Id(one.of.run.agent_id)),
            &column(written, |one| Id(one.of.run.id)),
            &column(written, |one| i64::from(one.of.run.number.0)),
            &column(written, |one| one.known.url.clone()),
            &column(written, |one| status(one).as_str()),
            &column(written, |one| i64::from(one.claimed.is_some())),
            &column(written, |one| (!one.is_held_back).then(|| due(one))),
            &column(written, |one| one.claimed.as_ref().map(|claimed| Id(claimed.lease.token))),
            &column(written, |one| one.of.at()),
            &column(written, |one| one.is_held_back.then(|| one.of.at())),
            &column(written, |one| one.is_held_back),
            &holder.node,
        ],
    )?;
    let claimed: Vec<_> = written.iter().filter_map(|one| one.claimed.as_ref().map(|_| one.of)).collect();
    if claimed.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = claimed.iter().map(|of| Id(of.dispatch.delivery_id)).collect();
    transaction.run_along(STARTED, &[&ids, &claimed.iter().map(|of| of.at()).collect::<Vec<_>>()])
}

fn column<'a, T, U>(items: &'a [T], value: impl Fn(&'a T) -> U) -> Vec<U> {
    items.iter().map(value).collect()
}
