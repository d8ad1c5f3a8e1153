//! Claiming: leases on deliveries and the notes that their attempts started, in one transaction and few statements.

use std::{collections::HashSet, sync::Mutex};

use jiff::Timestamp;
use preclinical_core::{
    attempt::ErrorKind,
    custom_header::CustomHeaders,
    delivery::{Claimed, DeliveryStatus, Lease},
    event::EventKind,
    id::DeliveryId,
    port::{Admission, Admitted, Applicant},
    vault::Vault,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::turns::{self, Turns, locked};
use crate::{
    candidates::standing,
    failure::Failure,
    row::{Id, Time, content, get, id, named, number, time},
    sealing::SealedSecrets,
    transaction::Transaction,
};

/// By a function of the schema, as the next one is: what is due, oldest first and behind a place if there is one, locked.
pub(super) const OLDEST: &str = "SELECT * FROM lock_oldest_due($1, $2, $3, $4, $5)";

/// How many of them are looked at before it is known whether there are places for more: they are locked for that.
const LOOKED_AT: usize = 128;

/// All that sending these takes.
pub(super) const WANTED: &str = "SELECT * FROM deliveries_to_send($1)";

/// One statement for both tables, so that a claim costs one way to the server. The ids are given twice: the second time they say which
/// weeks to look at.
pub(super) const STARTED: &str = "WITH started AS ( \
       SELECT * FROM unnest($1, $2, $3, $4, $5) AS started (id, attempt, token, until, url)), \
     noted AS (INSERT INTO attempts (delivery_id, number, started_at) SELECT id, attempt, $6 FROM started) \
     UPDATE deliveries SET attempt_count = started.attempt, lease_token = started.token, lease_node = $7, \
     due_at = started.until, url = started.url FROM started WHERE deliveries.id = started.id AND deliveries.id = ANY($1)";

const UNREADABLE: &str = "the webhook's secret cannot be read; set it again and redeliver";

const UNREADABLE_HEADERS: &str = "the webhook's headers cannot be read; set them again and redeliver";

const INTERRUPTED: &str = "the attempt was cut off before its end was recorded; whether the request arrived is unknown";

/// Who will hold the lease.
#[derive(Clone, Copy)]
pub(crate) struct Holder<'a> {
    /// Opens the secrets that sign.
    pub(crate) vault: &'a Vault,
    /// In whose name leases are held.
    pub(crate) node: Option<Uuid>,
}

/// A delivery that is due and locked.
pub(super) struct Due {
    kind: EventKind,
    is_cut_off: bool,
    applicant: Applicant,
}

impl Due {
    pub(super) fn read(row: &Row) -> Result<Self, Failure> {
        Ok(Self {
            kind: named(row, "kind", EventKind::parse)?,
            is_cut_off: get(row, "cut_off")?,
            applicant: Applicant {
                delivery: id(row, "id")?,
                organization: id(row, "organization_id")?,
                webhook: id(row, "webhook_id")?,
                standing: standing(row)?,
            },
        })
    }
}

/// Who was admitted, and what has to be noted beside that.
pub(super) struct Claiming<'a> {
    pub(super) node: Option<Uuid>,
    pub(super) now: Timestamp,
    places: &'a dyn Admission,
    /// What looks due until this call has written what it found.
    settled: HashSet<DeliveryId>,
    cut_off: Vec<Id<DeliveryId>>,
    failed: Vec<Id<DeliveryId>>,
    taken: Vec<Id<DeliveryId>>,
    leases: Vec<Lease>,
}

impl Claiming<'_> {
    /// Takes a delivery in if it is admitted, and answers what it was told if not. A test that was cut off has failed, and needs no
    /// place for that.
    pub(super) fn ask(&mut self, due: &Due) -> Option<Admitted> {
        let delivery = Id(due.applicant.delivery);
        if !self.settled.insert(due.applicant.delivery) {
            return None;
        }
        if due.is_cut_off && due.kind == EventKind::Test {
            self.cut_off.push(delivery);
            self.failed.push(delivery);
            return None;
        }
        let lease = match self.places.admit(&due.applicant) {
            Admitted::Granted(lease) => lease,
            refusal => {
                self.settled.remove(&due.applicant.delivery);
                return Some(refusal);
            }
        };
        if due.is_cut_off {
            self.cut_off.push(delivery);
        }
        self.taken.push(delivery);
        self.leases.push(lease);
        None
    }
}

/// Claims what is due and admitted: the oldest, and by turns if some of them have no place. The call after that begins with the turns, so
/// that what is oldest does not take all the places there are each time.
pub(super) async fn due(
    transaction: &Transaction,
    holder: Holder<'_>,
    now: Timestamp,
    places: &dyn Admission,
    turns: &Mutex<Turns>,
) -> Result<Vec<Claimed>, Failure> {
    let (cut_off, failed, taken, leases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (node, settled) = (holder.node, HashSet::new());
    let mut claiming = Claiming { node, now, places, settled, cut_off, failed, taken, leases };
    let begins_by_turns = std::mem::take(&mut locked(turns).come_first);
    if begins_by_turns {
        turns::go_round(transaction, turns, &mut claiming).await?;
    }
    let refused = take_oldest(transaction, &mut claiming).await?;
    let (is_in_the_way, is_full) = (!refused.is_empty(), refused.contains(&Admitted::Full));
    if is_in_the_way && !is_full && !begins_by_turns {
        turns::go_round(transaction, turns, &mut claiming).await?;
        locked(turns).come_first = true;
    }
    let Claiming { cut_off, failed, taken, leases, .. } = claiming;
    note_interruptions(transaction, &cut_off).await?;
    end(transaction, failed, DeliveryStatus::Failed, now).await?;
    if taken.is_empty() { Ok(Vec::new()) } else { claim_all(transaction, holder, &taken, &leases, now).await }
}

/// Offers places to what is oldest, as long as most of it takes them. Answers what the others were told.
async fn take_oldest(transaction: &Transaction, claiming: &mut Claiming<'_>) -> Result<Vec<Admitted>, Failure> {
    let (mut refused, mut reached, mut left) = (Vec::new(), None, claiming.places.room());
    while left > 0 {
        let (most, before) = (left.min(LOOKED_AT), refused.len());
        let (due_at, last): (Option<Time>, Option<Id<DeliveryId>>) = reached.unzip();
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = transaction.rows(OLDEST, &[&Time(claiming.now), &limit, &claiming.node, &due_at, &last]).await?;
        for row in &rows {
            refused.extend(claiming.ask(&Due::read(row)?));
        }
        let Some(row) = rows.last().filter(|_| rows.len() == most && 2 * (refused.len() - before) <= most) else { break };
        reached = Some((Time(time(row, "due_at")?), Id(id(row, "id")?)));
        left -= most;
    }
    Ok(refused)
}

/// Claims a delivery that was just written, if it is admitted. What is not is left to whoever has a place.
pub(crate) async fn claim_if_admitted(
    transaction: &Transaction,
    holder: Holder<'_>,
    applicant: &Applicant,
    places: &dyn Admission,
    now: Timestamp,
) -> Result<Option<Claimed>, Failure> {
    if let Admitted::Granted(lease) = places.admit(applicant) {
        return claim(transaction, holder, applicant.delivery, lease, now).await;
    }
    transaction.leaves_work();
    Ok(None)
}

/// Claims one pending delivery. `None` if its webhook is no more or was disabled, and the delivery canceled, or if the webhook's secret
/// or headers cannot be read, and the delivery has failed: what cannot be signed is not sent, and must not hold up what can.
pub(crate) async fn claim(
    transaction: &Transaction,
    holder: Holder<'_>,
    delivery: DeliveryId,
    lease: Lease,
    now: Timestamp,
) -> Result<Option<Claimed>, Failure> {
    Ok(claim_all(transaction, holder, &[Id(delivery)], &[lease], now).await?.pop())
}

async fn claim_all(
    transaction: &Transaction,
    holder: Holder<'_>,
    deliveries: &[Id<DeliveryId>],
    leases: &[Lease],
    now: Timestamp,
) -> Result<Vec<Claimed>, Failure> {
    let (mut claimed, mut orphaned) = (Vec::new(), Vec::new());
    for (row, lease) in transaction.rows(WANTED, &[&deliveries.to_vec()]).await?.iter().zip(leases) {
        transaction.concerns(id(row, "organization_id")?);
        if !get::<bool>(row, "may_be_sent")? {
            orphaned.push(Id(id(row, "id")?));
            continue;
        }
        let mut one = read(row, *lease)?;
        let Ok(secrets) = SealedSecrets::read(row, one.webhook_id)?.open(holder.vault, now) else {
            note_unreadable(transaction, &one, UNREADABLE, now).await?;
            continue;
        };
        let sealed: Option<Vec<u8>> = get(row, "headers")?;
        let Ok(headers) = CustomHeaders::open(holder.vault, one.webhook_id, sealed.as_deref()) else {
            note_unreadable(transaction, &one, UNREADABLE_HEADERS, now).await?;
            continue;
        };
        (one.secrets, one.headers) = (secrets, headers);
        claimed.push(one);
    }
    end(transaction, orphaned, DeliveryStatus::Canceled, now).await?;
    note_starts(transaction, holder.node, &claimed, now)?;
    Ok(claimed)
}

fn read(row: &Row, lease: Lease) -> Result<Claimed, Failure> {
    Ok(Claimed {
        delivery_id: id(row, "id")?,
        organization_id: id(row, "organization_id")?,
        webhook_id: id(row, "webhook_id")?,
        attempt: number::<u32>(row, "attempt_count")? + 1,
        failures: number(row, "failures")?,
        lease,
        url: get(row, "url")?,
        secrets: Vec::new(),
        headers: CustomHeaders::default(),
        event: named(row, "kind", EventKind::parse)?,
        content: content(row)?,
    })
}

fn note_starts(transaction: &Transaction, node: Option<Uuid>, claimed: &[Claimed], now: Timestamp) -> Result<(), Failure> {
    if claimed.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = claimed.iter().map(|one| Id(one.delivery_id)).collect();
    let attempts: Vec<_> = claimed.iter().map(|one| i64::from(one.attempt)).collect();
    let tokens: Vec<_> = claimed.iter().map(|one| Id(one.lease.token)).collect();
    let untils: Vec<_> = claimed.iter().map(|one| Time(one.lease.until)).collect();
    let urls: Vec<_> = claimed.iter().map(|one| one.url.as_str()).collect();
    transaction.run_along(STARTED, &[&ids, &attempts, &tokens, &untils, &urls, &Time(now), &node])
}

async fn note_unreadable(transaction: &Transaction, claimed: &Claimed, what: &str, now: Timestamp) -> Result<(), Failure> {
    let (delivery, attempt) = (Id(claimed.delivery_id), i64::from(claimed.attempt));
    let sql = "INSERT INTO attempts (delivery_id, number, started_at, duration_ms, error_kind, error_message) \
         VALUES ($1, $2, $3, 0, $4, $5)";
    transaction.run(sql, &[&delivery, &attempt, &Time(now), &ErrorKind::Blocked.as_str(), &what]).await?;
    let sql = "UPDATE deliveries SET attempt_count = $2, failures = failures + 1, missed = kind <> 'test' WHERE id = $1";
    transaction.run(sql, &[&delivery, &attempt]).await?;
    if claimed.event != EventKind::Test {
        let sql = "UPDATE webhook_health SET missed_since = coalesce(missed_since, $2) WHERE webhook_id = $1";
        transaction.run(sql, &[&Id(claimed.webhook_id), &Time(now)]).await?;
    }
    end(transaction, vec![delivery], DeliveryStatus::Failed, now).await
}

/// Notes of attempts that nobody finished that nobody will.
pub(crate) async fn note_interruptions(transaction: &Transaction, deliveries: &[Id<DeliveryId>]) -> Result<(), Failure> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE attempts SET error_kind = $2, error_message = $3 WHERE delivery_id = ANY($1) AND duration_ms IS NULL \
         AND error_kind IS NULL";
    transaction.run(sql, &[&deliveries.to_vec(), &ErrorKind::Interrupted.as_str(), &INTERRUPTED]).await?;
    Ok(())
}

async fn end(
    transaction: &Transaction,
    deliveries: Vec<Id<DeliveryId>>,
    status: DeliveryStatus,
    at: Timestamp,
) -> Result<(), Failure> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE deliveries SET status = $2, completed_at = $3, due_at = NULL, lease_token = NULL, lease_node = NULL, \
         missed = $2 = 'canceled' AND EXISTS (SELECT FROM webhooks WHERE webhooks.id = deliveries.webhook_id AND disabled_reason IS NOT NULL) \
         WHERE id = ANY($1) RETURNING organization_id";
    for row in transaction.rows(sql, &[&deliveries, &status.as_str(), &Time(at)]).await? {
        transaction.concerns(id(&row, "organization_id")?);
    }
    Ok(())
}
