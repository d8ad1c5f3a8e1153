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
    row::{Id, Param, Time},
    transaction::Transaction,
};

const KIND: EventKind = EventKind::TestRunCompleted;

/// By a function of the schema, of all that is written at once.
const END: &str = "SELECT end_runs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
     $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)";

/// Columns of rows that are to be written, in the order in which [`END`] takes them.
pub(super) type Columns<'a> = Vec<Box<dyn Param + 'a>>;

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
    webhooks: &Webhooks,
    settled: &[Settled<'_>],
) -> Result<Vec<Fate>, Failure> {
    if settled.is_empty() {
        return Ok(Vec::new());
    }
    transaction.concerns(organization);
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
    let endings = column(settled, |one| Ending {
        run: &one.run,
        generation: one.generation,
        event: one.dispatch.event_id,
        delivery: one.dispatch.delivery_id,
        candidates: webhooks.of(one.run.agent_id),
    });
    write(
        transaction,
        holder,
        organization,
        &[ends(settled, &contents), deliveries(&written), deciding::columns(&endings)],
    )?;
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

fn write(
    transaction: &Transaction,
    holder: Holder<'_>,
    organization: OrganizationId,
    columns: &[Columns<'_>; 3],
) -> Result<(), Failure> {
    let ours: [&dyn Param; 3] = [&Id(organization), &KIND.as_str(), &holder.node];
    let columns = columns.iter().flatten().map(|column| &**column as &dyn Param);
    transaction.run_along(END, &ours.into_iter().chain(columns).collect::<Vec<_>>())
}

fn ends<'a>(settled: &'a [Settled<'_>], contents: &'a [EventContent]) -> Columns<'a> {
    vec![
        Box::new(column(settled, |one| Id(one.run.id))),
        Box::new(column(settled, |one| one.run.status.as_str())),
        Box::new(column(settled, |one| i64::from(one.run.tally.passed))),
        Box::new(column(settled, |one| i64::from(one.run.tally.failed))),
        Box::new(column(settled, |one| i64::from(one.run.tally.error))),
        Box::new(column(settled, |one| i64::from(one.run.tally.total))),
        Box::new(column(settled, |one| one.run.started_at.map(Time))),
        Box::new(column(settled, |one| one.run.completed_at.map(Time))),
        Box::new(column(settled, |one| one.generation)),
        Box::new(column(settled, |one| Id(one.dispatch.event_id))),
        Box::new(column(contents, EventContent::bytes)),
        Box::new(column(settled, Settled::at)),
    ]
}

fn deliveries<'a>(written: &'a [Written<'_>]) -> Columns<'a> {
    let status = |one: &Written<'_>| if one.is_held_back { DeliveryStatus::Canceled } else { DeliveryStatus::Pending };
    let due = |one: &Written<'_>| one.claimed.as_ref().map_or(one.of.at(), |claimed| Time(claimed.lease.until));
    vec![
        Box::new(column(written, |one| Id(one.of.dispatch.delivery_id))),
        Box::new(column(written, |one| Id(one.of.dispatch.event_id))),
        Box::new(column(written, |one| Id(one.known.candidate.id))),
        Box::new(column(written, |one| Id(one.of.run.agent_id))),
        Box::new(column(written, |one| Id(one.of.run.id))),
        Box::new(column(written, |one| i64::from(one.of.run.number.0))),
        Box::new(column(written, |one| one.known.url.as_str())),
        Box::new(column(written, |one| status(one).as_str())),
        Box::new(column(written, |one| i64::from(one.claimed.is_some()))),
        Box::new(column(written, |one| (!one.is_held_back).then(|| due(one)))),
        Box::new(column(written, |one| one.claimed.as_ref().map(|claimed| Id(claimed.lease.token)))),
        Box::new(column(written, |one| one.of.at())),
        Box::new(column(written, |one| one.is_held_back.then(|| one.of.at()))),
        Box::new(column(written, |one| one.is_held_back)),
    ]
}

fn column<'a, T, U>(items: &'a [T], value: impl Fn(&'a T) -> U) -> Vec<U> {
    items.iter().map(value).collect()
}
