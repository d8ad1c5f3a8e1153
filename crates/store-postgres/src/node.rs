//! This process among those that share the database, and how they know of each other's death.
//!
//! Each node raises a number of its own, its beat. One whose beat is the same at [`LOOKS`] looks of another is dead to it: no clocks
//! are compared, and a node that was only slow finds its row gone and joins anew, with what it took before it knew. What it sends late
//! is recorded as long as nobody has taken its place, and refused after that.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use preclinical_core::id::{DeliveryId, LeaseToken};
use uuid::Uuid;

use crate::{
    failure::Failure,
    queue,
    row::{Id, Time, get, id, number, time},
    transaction::Transaction,
};

/// At how many looks in a row a beat must be the same.
const LOOKS: u32 = 4;

/// Leases in doubt that are remembered. A server that is away for long puts whatever is tried in doubt.
const MOST_IN_DOUBT: usize = 4096;

/// How far this machine's clock may be from the server's before it is said.
const CLOCKS_MAY_DIFFER_BY: SignedDuration = SignedDuration::from_secs(5);

#[derive(Default)]
pub(crate) struct Node(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Missing until the first beat: who never beats holds leases in nobody's name, and they are void at their end.
    me: Option<Uuid>,
    others: HashMap<Uuid, Seen>,
    /// Leases of which nobody knows whether they were taken.
    in_doubt: Vec<LeaseToken>,
    /// Whether it was said that this machine's clock is wrong.
    said_that_clocks_differ: bool,
}

struct Seen {
    beat: i64,
    looks: u32,
}

impl Node {
    /// Its name, under which it takes leases.
    pub(crate) fn name(&self) -> Option<Uuid> {
        self.known().me
    }

    /// Notes leases that a failed transaction may have taken all the same. Those for which there is no room are void at their end.
    pub(crate) fn doubt(&self, leases: impl IntoIterator<Item = LeaseToken>) {
        let mut known = self.known();
        let room = MOST_IN_DOUBT.saturating_sub(known.in_doubt.len());
        known.in_doubt.extend(leases.into_iter().take(room));
    }

    /// Those leases, once.
    pub(crate) fn take_doubts(&self) -> Vec<LeaseToken> {
        std::mem::take(&mut self.known().in_doubt)
    }

    /// Takes the name under which it has joined, once that is committed.
    pub(crate) fn is_named(&self, me: Uuid) {
        self.known().me = Some(me);
    }

    /// Says so, once, if this machine's clock and the server's are too far apart: nothing is lost by that, but retries are early or late
    /// by as much.
    fn compare_clocks(&self, server: Timestamp, ours: Timestamp) {
        let ahead = ours.duration_since(server);
        let differ = ahead.abs() > CLOCKS_MAY_DIFFER_BY;
        let said = std::mem::replace(&mut self.known().said_that_clocks_differ, differ);
        if differ && !said {
            tracing::warn!(
                seconds_ahead = ahead.as_secs(),
                "the clocks of this machine and of PostgreSQL differ; retries follow ours"
            );
        }
    }

    /// Notes what a look showed; answers those that are dead.
    fn look(&self, me: Uuid, beats: &HashMap<Uuid, i64>) -> Vec<Uuid> {
        let mut known = self.known();
        known.others.retain(|node, _| beats.contains_key(node));
        let mut dead = Vec::new();
        for (node, beat) in beats.iter().filter(|(node, _)| **node != me) {
            let seen = known.others.entry(*node).or_insert(Seen { beat: *beat, looks: 0 });
            seen.looks = if seen.beat == *beat { seen.looks + 1 } else { 1 };
            seen.beat = *beat;
            if seen.looks > LOOKS {
                dead.push(*node);
            }
        }
        dead
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Beats once and looks at the others; answers the name under which it did, and those that are dead.
pub(crate) async fn beat(transaction: &Transaction, node: &Node, now: Timestamp) -> Result<(Uuid, Vec<Uuid>), Failure> {
    let me = match node.name() {
        None => join(transaction).await?,
        Some(me) => {
            let beaten = transaction.run("UPDATE nodes SET beat = beat + 1 WHERE id = $1", &[&me]).await?;
            if beaten == 1 { me } else { come_back(transaction, me).await? }
        }
    };
    let rows = transaction.rows("SELECT id, beat, clock_timestamp() AS server_time FROM nodes", &[]).await?;
    if let Some(row) = rows.first() {
        node.compare_clocks(time(row, "server_time")?, now);
    }
    let beats = rows.iter().map(|row| Ok((get(row, "id")?, number(row, "beat")?))).collect::<Result<_, Failure>>()?;
    Ok((me, node.look(me, &beats)))
}

async fn join(transaction: &Transaction) -> Result<Uuid, Failure> {
    let row = transaction.row("INSERT INTO nodes DEFAULT VALUES RETURNING id", &[]).await?;
    get(&row.ok_or_else(|| Failure::unreadable("id"))?, "id")
}

/// Joins under a new name, which takes over what was taken under the old one since that was struck off: nobody else would void it.
async fn come_back(transaction: &Transaction, old: Uuid) -> Result<Uuid, Failure> {
    let me = join(transaction).await?;
    let sql = "UPDATE deliveries SET lease_node = $2 WHERE id IN (SELECT id FROM deliveries WHERE lease_node = $1 ORDER BY id \
         FOR UPDATE)";
    transaction.run(sql, &[&old, &me]).await?;
    transaction.run("UPDATE calls SET held_by = $2 WHERE held_by = $1", &[&old, &me]).await?;
    Ok(me)
}

/// Voids what these nodes hold, and forgets those that hold nothing more. What somebody has locked just now is passed over: it is the
/// next time's. Answers how many deliveries are due by it.
pub(crate) async fn bury(transaction: &Transaction, nodes: &[Uuid], now: Timestamp) -> Result<u64, Failure> {
    let dead = nodes.to_vec();
    let sql = "UPDATE calls SET held_until = $2 WHERE id IN (SELECT id FROM calls WHERE held_by = ANY($1) AND held_until > $2 \
         FOR UPDATE SKIP LOCKED)";
    transaction.run(sql, &[&dead, &Time(now)]).await?;
    let sql = "SELECT id FROM deliveries WHERE lease_node = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED";
    let rows = transaction.rows(sql, &[&dead]).await?;
    let held: Vec<Id<DeliveryId>> = rows.iter().map(|row| id(row, "id").map(Id)).collect::<Result<_, _>>()?;
    // The token of what is pending stays: whoever claims next sees by it that an attempt was cut off.
    let sql = "UPDATE deliveries SET lease_node = NULL, lease_token = CASE WHEN status = 'pending' THEN lease_token END, \
         due_at = CASE WHEN status = 'pending' THEN least(due_at, $2) END \
         WHERE id = ANY($1) RETURNING id, organization_id, status = 'pending' AS is_due";
    let (mut due, mut ended) = (0, Vec::new());
    for row in transaction.rows(sql, &[&held, &Time(now)]).await? {
        transaction.concerns(id(&row, "organization_id")?);
        if get(&row, "is_due")? { due += 1 } else { ended.push(Id(id::<DeliveryId>(&row, "id")?)) }
    }
    // Of what was canceled under way nobody will tell how it ended.
    queue::note_interruptions(transaction, &ended).await?;
    let sql = "DELETE FROM nodes WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM deliveries WHERE lease_node = nodes.id)";
    transaction.run(sql, &[&dead]).await?;
    // Also retries that come later: nobody else has set an alarm for them.
    transaction.leaves_work();
    Ok(due)
}

/// Voids leases that a transaction took of which nobody knows whether it was kept: nobody works under them.
pub(crate) async fn void(
    transaction: &Transaction,
    node: Uuid,
    tokens: &[Id<LeaseToken>],
    now: Timestamp,
) -> Result<u64, Failure> {
    let sql = "UPDATE deliveries SET due_at = least(due_at, $3), lease_node = NULL \
         WHERE lease_node = $1 AND lease_token = ANY($2) AND status = 'pending' RETURNING organization_id";
    let rows = transaction.rows(sql, &[&node, &tokens.to_vec(), &Time(now)]).await?;
    for row in &rows {
        transaction.concerns(id(row, "organization_id")?);
        transaction.leaves_work();
    }
    Ok(rows.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_much_is_in_doubt_so_much_is_remembered_and_no_more() {
        let node = Node::default();
        node.doubt((0..3).map(|number| LeaseToken::from_uuid(Uuid::from_u128(number))));
        node.doubt((0..).take(10 * MOST_IN_DOUBT).map(|number| LeaseToken::from_uuid(Uuid::from_u128(number))));
        assert_eq!(node.take_doubts().len(), MOST_IN_DOUBT);
        assert!(node.take_doubts().is_empty());
    }
}
