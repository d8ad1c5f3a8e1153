//! Claiming: a lease on a delivery and the note when its attempt started, in one write. The attempt has a row of its own when it is over.

use jiff::Timestamp;
use preclinical_core::{
    attempt::ErrorKind,
    custom_header::CustomHeaders,
    delivery::{Claimed, DeliveryStatus, Lease},
    event::{EventContent, EventKind},
    id::{DeliveryId, OrganizationId},
    port::{Admission, Admitted, Applicant, Standing},
    vault::Vault,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{NewDelivery, insert_delivery, turns::Turns};
use crate::{
    receiver::{Credentials, RECEIVER_COLUMNS, Receiver, standing},
    row::{Columns, Id, Time, content, id},
    work::Work,
};

const INTERRUPTED: &str = "the attempt was cut off before its end was recorded; whether the request arrived is unknown";

/// Deliveries that are looked at together. What is claimed of them is due no more, so the next ones follow; what has no place stays, and
/// what is behind it is found by turns.
const AT_ONCE: usize = 16;

const ONE: &str = "SELECT d.kind, d.lease_token IS NOT NULL, d.id, d.organization_id, d.webhook_id, \
     w.last_triggered_at, w.last_success_at, w.consecutive_failures FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id WHERE d.id = ?1";

const OLDEST: &str = "SELECT d.kind, d.lease_token IS NOT NULL, d.id, d.organization_id, d.webhook_id, \
     w.last_triggered_at, w.last_success_at, w.consecutive_failures FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id \
     WHERE d.status = 'pending' AND d.due_at <= ?1 ORDER BY d.due_at LIMIT ?2";

/// Leases that have ended, and those that have not.
pub(super) const ENDED: &str = "SELECT id, organization_id FROM deliveries WHERE lease_until <= ?1";
pub(crate) const RUNNING: &str = "SELECT id, organization_id FROM deliveries WHERE lease_until > ?1";

/// Has what is under those leases be due again, because nobody tells how its attempt ended. The token stays: whoever claims next sees by it
/// that an attempt was cut off. An older program that was still running beside an upgrade may have left a lease on what has ended or waits
/// for a retry. Answers how many there were.
pub(crate) fn end_leases(work: &Work<'_>, which: &'static str, now: Timestamp) -> rusqlite::Result<u64> {
    let leased: Vec<(DeliveryId, OrganizationId)> = work
        .statement(which)?
        .query_map([Time(now)], |row| Ok((id(row, "id")?, id(row, "organization_id")?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (delivery, organization) in &leased {
        let change = work.next_change(*organization)?;
        work.prepare_cached(
            "UPDATE deliveries SET due_at = CASE status WHEN 'pending' THEN coalesce(due_at, min(lease_until, ?2)) END, \
             lease_until = NULL, change = ?3 WHERE id = ?1",
        )?
        .execute(params![Id(*delivery), Time(now), change])?;
    }
    Ok(leased.len() as u64)
}

/// A delivery that is due.
pub(super) struct Due {
    kind: EventKind,
    is_cut_off: bool,
    applicant: Applicant,
}

impl Due {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            kind: columns.named(EventKind::parse)?,
            is_cut_off: columns.value()?,
            applicant: Applicant {
                delivery: columns.id()?,
                organization: columns.id()?,
                webhook: columns.id()?,
                standing: standing(&mut columns)?,
            },
        })
    }
}

/// What became of a delivery that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It was claimed, or has ended.
    Settled,
    NotThisWebhook,
    NotThisOrganization,
    Full,
}

/// A claim under way.
pub(super) struct Claiming<'a, 'c> {
    pub(super) work: &'a Work<'c>,
    pub(super) vault: &'a Vault,
    pub(super) now: Timestamp,
    pub(super) places: &'a dyn Admission,
    pub(super) claimed: Vec<Claimed>,
}

impl Claiming<'_, '_> {
    /// Claims a delivery if it is admitted. A test that was cut off has failed, and needs no place for that.
    pub(super) fn ask(&mut self, due: &Due) -> rusqlite::Result<Asked> {
        let delivery = due.applicant.delivery;
        if due.is_cut_off && due.kind == EventKind::Test {
            note_interruption(self.work, delivery)?;
            end(self.work, delivery, DeliveryStatus::Failed, self.now)?;
            return Ok(Asked::Settled);
        }
        let lease = match self.places.admit(&due.applicant) {
            Admitted::Granted(lease) if lease.until > self.now => lease,
            Admitted::NotThisWebhook => return Ok(Asked::NotThisWebhook),
            Admitted::NotThisOrganization => return Ok(Asked::NotThisOrganization),
            // The clock was set back meanwhile, if a lease has ended before it began: under it a delivery would still be due.
            Admitted::Granted(_) | Admitted::Full => return Ok(Asked::Full),
        };
        if due.is_cut_off {
            note_interruption(self.work, delivery)?;
        }
        self.claimed.extend(claim(self.work, self.vault, delivery, lease, self.now)?);
        Ok(Asked::Settled)
    }
}

/// Claims what is due and admitted: the oldest, and by turns if some of them have no place. The call after that begins with the turns, so
/// that what is oldest does not take all the places there are each time.
pub(super) fn due(mut claiming: Claiming<'_, '_>, turns: &mut Turns) -> rusqlite::Result<Vec<Claimed>> {
    end_leases(claiming.work, ENDED, claiming.now)?;
    let begins_by_turns = turns.come_first();
    if begins_by_turns {
        turns.go_round(&mut claiming)?;
    }
    let mut is_in_the_way = false;
    for _ in 0..claiming.places.room().div_ceil(AT_ONCE) {
        let oldest: Vec<Due> = claiming
            .work
            .prepare_cached(OLDEST)?
            .query_map(params![Time(claiming.now), AT_ONCE], Due::read)?
            .collect::<rusqlite::Result<_>>()?;
        for due in &oldest {
            match claiming.ask(due)? {
                Asked::Settled => {}
                Asked::Full => return Ok(claiming.claimed),
                Asked::NotThisWebhook | Asked::NotThisOrganization => is_in_the_way = true,
            }
        }
        if is_in_the_way || oldest.len() < AT_ONCE {
            break;
        }
    }
    if is_in_the_way && !begins_by_turns {
        turns.go_round(&mut claiming)?;
        turns.will_come_first();
    }
    Ok(claiming.claimed)
}

/// Claims a delivery that was just written, if it is admitted.
pub(crate) fn claim_if_admitted(
    work: &Work<'_>,
    vault: &Vault,
    delivery: DeliveryId,
    places: &dyn Admission,
    now: Timestamp,
) -> rusqlite::Result<Option<Claimed>> {
    if places.room() == 0 {
        return Ok(None);
    }
    let due = work.prepare_cached(ONE)?.query_row([Id(delivery)], Due::read)?;
    let mut claiming = Claiming { work, vault, now, places, claimed: Vec::new() };
    claiming.ask(&due)?;
    Ok(claiming.claimed.pop())
}

/// Writes a delivery of an event with that content, claimed if it is admitted, otherwise due at once.
pub(crate) fn write(
    work: &Work<'_>,
    vault: &Vault,
    delivery: &NewDelivery<'_>,
    content: &EventContent,
    receiver: &Receiver,
    places: &dyn Admission,
) -> rusqlite::Result<Option<Claimed>> {
    let NewDelivery { id: delivery_id, organization_id, webhook_id, at, .. } = *delivery;
    let standing = work.webhook(webhook_id)?.map_or(Standing::Untried, |(_, health)| {
        Standing::of(health.last_triggered_at, health.last_success_at, health.consecutive_failures)
    });
    let applicant = Applicant { delivery: delivery_id, organization: organization_id, webhook: webhook_id, standing };
    let lease = match places.room() {
        0 => None,
        _ => match places.admit(&applicant) {
            Admitted::Granted(lease) if lease.until > at => Some(lease),
            // The clock was set back meanwhile, if a lease has ended before it began.
            Admitted::Granted(_) | Admitted::NotThisWebhook | Admitted::NotThisOrganization | Admitted::Full => None,
        },
    };
    let Some(lease) = lease else {
        insert_delivery(work, delivery, None)?;
        return Ok(None);
    };
    let Ok(Credentials { secrets, headers }) = receiver.open(vault, at) else {
        insert_delivery(work, delivery, None)?;
        return claim(work, vault, delivery_id, lease, at);
    };
    insert_delivery(work, delivery, Some(lease))?;
    Ok(Some(Claimed {
        delivery_id,
        organization_id,
        webhook_id,
        attempt: 1,
        failures: 0,
        lease,
        url: receiver.url.clone(),
        secrets,
        headers,
        event: delivery.kind,
        content: content.clone(),
    }))
}

/// Claims one pending delivery. `None` if its webhook is no more, and the delivery canceled, or if the webhook's secret or
/// headers cannot be read, and the delivery has failed: what cannot be signed is not sent, and must not hold up what can.
pub(crate) fn claim(
    work: &Work<'_>,
    vault: &Vault,
    delivery: DeliveryId,
    lease: Lease,
    now: Timestamp,
) -> rusqlite::Result<Option<Claimed>> {
    let found = work
        .prepare_cached(&format!(
            "SELECT d.id, d.organization_id, d.webhook_id, d.attempt_count, d.failures, d.kind, e.content, w.* FROM deliveries d \
             JOIN (SELECT {RECEIVER_COLUMNS}, id FROM webhooks) w ON w.id = d.webhook_id \
             JOIN events e ON e.id = d.event_id WHERE d.id = ?1"
        ))?
        .query_row([Id(delivery)], |row| {
            let mut columns = Columns::of(row);
            let claimed = read(&mut columns, lease)?;
            let receiver = Receiver::read(&mut columns, claimed.webhook_id)?;
            Ok((claimed, receiver))
        })
        .optional()?;
    let Some((mut claimed, receiver)) = found else {
        end(work, delivery, DeliveryStatus::Canceled, now)?;
        return Ok(None);
    };
    claimed.url.clone_from(&receiver.url);
    match receiver.open(vault, now) {
        Ok(Credentials { secrets, headers }) => (claimed.secrets, claimed.headers) = (secrets, headers),
        Err(why) => {
            note_unreadable(work, &claimed, why, now)?;
            return Ok(None);
        }
    }
    let change = work.next_change(claimed.organization_id)?;
    work.statement(
        "UPDATE OR FAIL deliveries SET attempt_count = ?2, lease_token = ?3, lease_until = ?4, due_at = NULL, url = ?5, \
             change = ?6, attempt_started_at = ?7 WHERE id = ?1",
    )?
    .execute(params![
        Id(delivery),
        claimed.attempt,
        Id(lease.token),
        Time(lease.until),
        claimed.url,
        change,
        Time(now)
    ])?;
    Ok(Some(claimed))
}

/// All but what its receiver knows.
fn read(columns: &mut Columns<'_>, lease: Lease) -> rusqlite::Result<Claimed> {
    Ok(Claimed {
        delivery_id: columns.id()?,
        organization_id: columns.id()?,
        webhook_id: columns.id()?,
        attempt: columns.value::<u32>()? + 1,
        failures: columns.value()?,
        lease,
        event: columns.named(EventKind::parse)?,
        content: content(columns)?,
        url: String::new(),
        secrets: Vec::new(),
        headers: CustomHeaders::default(),
    })
}

fn note_unreadable(work: &Work<'_>, claimed: &Claimed, what: &str, now: Timestamp) -> rusqlite::Result<usize> {
    work.execute(
        "INSERT INTO attempts (delivery_id, number, started_at, duration_ms, error_kind, error_message) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
        params![Id(claimed.delivery_id), claimed.attempt, Time(now), ErrorKind::Blocked.as_str(), what],
    )?;
    let change = work.next_change(claimed.organization_id)?;
    work.execute(
        "UPDATE deliveries SET attempt_count = ?2, failures = failures + 1, missed = kind <> 'test', change = ?3 WHERE id = ?1",
        params![Id(claimed.delivery_id), claimed.attempt, change],
    )?;
    if claimed.event != EventKind::Test {
        work.settle()?;
        let sql = "UPDATE webhooks SET missed_since = coalesce(missed_since, ?2) WHERE id = ?1";
        work.execute(sql, params![Id(claimed.webhook_id), Time(now)])?;
    }
    end(work, claimed.delivery_id, DeliveryStatus::Failed, now)
}

/// Notes of the attempt that is under way that nobody will finish it and nobody knows its end.
pub(super) fn note_interruption(connection: &Connection, delivery: DeliveryId) -> rusqlite::Result<usize> {
    let (kind, message) = (ErrorKind::Interrupted.as_str(), INTERRUPTED);
    // Attempts had a row from their beginning on once, and no beginning anywhere else.
    let earlier = connection
        .prepare_cached(
            "UPDATE attempts SET error_kind = ?2, error_message = ?3 WHERE delivery_id = ?1 AND duration_ms IS NULL \
             AND error_kind IS NULL",
        )?
        .execute(params![Id(delivery), kind, message])?;
    if earlier > 0 {
        return Ok(earlier);
    }
    connection
        .prepare_cached(
            "INSERT INTO attempts (delivery_id, number, started_at, error_kind, error_message) \
             SELECT id, attempt_count, coalesce(attempt_started_at, created_at), ?2, ?3 FROM deliveries \
             WHERE id = ?1 AND lease_token IS NOT NULL",
        )?
        .execute(params![Id(delivery), kind, message])
}

fn end(work: &Work<'_>, delivery: DeliveryId, status: DeliveryStatus, at: Timestamp) -> rusqlite::Result<usize> {
    let change = work.next_change_of(delivery)?;
    work.prepare_cached(
        "UPDATE deliveries SET status = ?2, completed_at = ?3, due_at = NULL, lease_token = NULL, lease_until = NULL, change = ?4 \
         WHERE id = ?1",
    )?
    .execute(params![Id(delivery), status.as_str(), Time(at), change])
}
