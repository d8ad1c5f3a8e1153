//! This process among those that share the database, and how they know of each other's death.
//!
//! Each node raises a number of its own, its beat. One whose beat is the same at [`LOOKS`] looks of another is dead to it: no clocks
//! are compared, and a node that was only slow finds its row gone and joins anew, with what it took before it knew. What it sends late
//! is recorded as long as nobody has taken its place, and refused after that.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use preclinical_core::id::DeliveryId;
use uuid::Uuid;

use crate::{
    failure::Failure,
    queue,
    row::{Id, Time, get, id, number},
    transaction::Transaction,
};

/// At how many looks in a row a beat must be the same.
const LOOKS: u32 = 4;

#[derive(Default)]
pub(crate) struct Node(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Missing until the first beat: who never beats holds leases in nobody's name, and they are void at their end.
    me: Option<Uuid>,
    others: HashMap<Uuid, Seen>,
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

    /// Takes the name under which it has joined, once that is committed.
    pub(crate) fn is_named(&self, me: Uuid) {
        self.known().me = Some(me);
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

/// Beats once, looks at the others, and voids what the dead hold. Answers its name, and how many deliveries are due by it.
pub(crate) async fn beat(transaction: &Transaction, node: &Node, now: Timestamp) -> Result<(Uuid, u64), Failure> {
    let me = match node.name() {
        None => join(transaction).await?,
        Some(me) => {
            let beaten = transaction.run("UPDATE nodes SET beat = beat + 1 WHERE id = $1", &[&me]).await?;
            if beaten == 1 { me } else { come_back(transaction, me).await? }
        }
    };
    let rows = transaction.rows("SELECT id, beat FROM nodes", &[]).await?;
    let beats = rows.iter().map(|row| Ok((get(row, "id")?, number(row, "beat")?))).collect::<Result<_, Failure>>()?;
    let dead = node.look(me, &beats);
    let due = if dead.is_empty() { 0 } else { bury(transaction, &dead, now).await? };
    Ok((me, due))
}

/// Voids what this node holds and forgets it.
pub(crate) async fn leave(transaction: &Transaction, node: &Node, now: Timestamp) -> Result<u64, Failure> {
    match node.name() {
        Some(me) => bury(transaction, &[me], now).await,
        None => Ok(0),
    }
}

async fn join(transaction: &Transaction) -> Result<Uuid, Failure> {
    let row = transaction.row("INSERT INTO nodes DEFAULT VALUES RETURNING id", &[]).await?;
    get(&row.ok_or_else(|| Failure::unreadable("id"))?, "id")
}

/// Joins under a new name, which takes over what was taken under the old one since that was struck off: nobody else would void it.
async fn come_back(transaction: &Transaction, old: Uuid) -> Result<Uuid, Failure> {
    let me = join(transaction).await?;
    lock_held(transaction, &vec![old]).await?;
    transaction.run("UPDATE deliveries SET lease_node = $2 WHERE lease_node = $1", &[&old, &me]).await?;
    transaction.run("UPDATE calls SET held_by = $2 WHERE held_by = $1", &[&old, &me]).await?;
    Ok(me)
}

/// Locks what they hold in the order of ids, as everybody does who locks several.
async fn lock_held(transaction: &Transaction, nodes: &Vec<Uuid>) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM (SELECT FROM deliveries WHERE lease_node = ANY($1) ORDER BY id FOR UPDATE) locked";
    transaction.rows(sql, &[nodes]).await.map(drop)
}

async fn bury(transaction: &Transaction, dead: &[Uuid], now: Timestamp) -> Result<u64, Failure> {
    let dead = dead.to_vec();
    transaction
        .run("UPDATE calls SET held_until = $2 WHERE held_by = ANY($1) AND held_until > $2", &[&dead, &Time(now)])
        .await?;
    lock_held(transaction, &dead).await?;
    // The token of what is pending stays: whoever claims next sees by it that an attempt was cut off.
    let sql = "UPDATE deliveries SET lease_node = NULL, lease_token = CASE WHEN status = 'pending' THEN lease_token END, \
         due_at = CASE WHEN status = 'pending' THEN least(due_at, $2) END \
         WHERE lease_node = ANY($1) RETURNING id, organization_id, status = 'pending' AS is_due";
    let (mut due, mut ended) = (0, Vec::new());
    for row in transaction.rows(sql, &[&dead, &Time(now)]).await? {
        transaction.concerns(id(&row, "organization_id")?);
        if get(&row, "is_due")? { due += 1 } else { ended.push(Id(id::<DeliveryId>(&row, "id")?)) }
    }
    // Of what was canceled under way nobody will tell how it ended.
    queue::note_interruptions(transaction, &ended).await?;
    transaction.run("DELETE FROM nodes WHERE id = ANY($1)", &[&dead]).await?;
    // Also retries that come later: nobody else has set an alarm for them.
    transaction.leaves_work();
    Ok(due)
}
