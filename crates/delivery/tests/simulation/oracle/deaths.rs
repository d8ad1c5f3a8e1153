//! The rules of death: what the dead held is due as soon as their death is known.
//!
//! On a store that one process has for itself, it is known when the next one starts. On one that nodes share, each raises a number
//! of its own, and whose number is the same at four looks of another is dead to that one, whether it died or sleeps. Who wakes and is
//! no more among the living comes back under another name, with what it took before it knew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use preclinical_core::delivery::DeliveryStatus;

use super::{Delivery, Oracle, claims::interrupt, micros};

/// A node, and how often it had come back.
pub(crate) type Name = (u32, u32);

/// At how many looks in a row a number must be the same.
const LOOKS: u32 = 4;

/// The nodes that share a store.
#[derive(Default)]
pub(crate) struct Presences {
    /// The numbers of those that live, as far as anybody knows.
    living: BTreeMap<Name, u64>,
    nodes: BTreeMap<u32, Presence>,
}

#[derive(Default)]
struct Presence {
    name: Option<Name>,
    /// What it saw of others: their number, and at how many looks it stayed the same.
    seen: BTreeMap<Name, (u64, u32)>,
}

impl Presences {
    /// A node beats and looks at the others. Answers who is dead to it.
    fn beat(&mut self, node: u32) -> Vec<Name> {
        let own = self.nodes.entry(node).or_default();
        let name = match own.name {
            Some(name) if self.living.contains_key(&name) => name,
            Some((_, returned)) => (node, returned + 1),
            None => (node, 0),
        };
        own.name = Some(name);
        *self.living.entry(name).or_default() += 1;
        own.seen.retain(|other, _| self.living.contains_key(other));
        let others = self.living.iter().filter(|(other, _)| **other != name);
        let looks = others.map(|(other, number)| {
            let same = own.seen.get(other).filter(|(seen, _)| seen == number).map_or(0, |(_, same)| same + 1);
            own.seen.insert(*other, (*number, same));
            (*other, same)
        });
        let dead: Vec<Name> = looks.filter(|(_, same)| *same >= LOOKS).map(|(other, _)| other).collect();
        self.living.retain(|other, _| !dead.contains(other));
        dead
    }
}

impl Oracle {
    /// In whose name a node takes leases.
    pub(super) fn name_of(&self, node: u32) -> Option<Name> {
        self.presences.as_ref().and_then(|presences| presences.nodes.get(&node)?.name)
    }

    /// Whether a node holds it that lives, as far as anybody knows, and is not this one. Clocks differ, so the end of the lease says
    /// nothing to others.
    pub(super) fn is_anothers(&self, node: u32, delivery: &Delivery) -> bool {
        let Some(presences) = &self.presences else { return false };
        let lives = |name: &Name| presences.living.contains_key(name) && Some(*name) != self.name_of(node);
        delivery.lease.is_some() && delivery.holder.as_ref().is_some_and(lives)
    }

    /// A node voided the leases of all that are dead to it: of those that do not beat any more, or of everybody before it.
    pub(crate) fn voided(&mut self, node: u32, now: Timestamp, count: u64) {
        if self.presences.is_none() {
            let voided = self.void(now, |_| true);
            return self.expect(count == voided, || format!("{count} leases were voided, not {voided}"));
        }
        let old = self.name_of(node);
        let Some(presences) = &mut self.presences else { return };
        let dead = presences.beat(node);
        let name = self.name_of(node);
        for delivery in self.deliveries.values_mut().filter(|delivery| delivery.holder.is_some() && delivery.holder == old) {
            delivery.holder = name;
        }
        for (other, _) in &dead {
            self.tell(format!("node {other} is dead to node {node}"));
        }
        self.buried(&dead, now, count);
    }

    /// A node that goes hands back what it holds.
    pub(crate) fn left(&mut self, node: u32, now: Timestamp, count: u64) {
        let names: Vec<Name> = self.name_of(node).into_iter().collect();
        if let Some(presences) = &mut self.presences {
            presences.living.retain(|name, _| !names.contains(name));
        }
        self.buried(&names, now, count);
    }

    fn buried(&mut self, names: &[Name], now: Timestamp, count: u64) {
        let held = self.void(now, |holder| holder.is_some_and(|name| names.contains(&name)));
        self.expect(count == held, || format!("{count} deliveries were taken from {names:?}, who held {held}"));
    }

    /// Whatever was under way in such a name is due, and what was canceled meanwhile is let go of. Answers how many are due by it.
    fn void(&mut self, now: Timestamp, is_dead: impl Fn(Option<Name>) -> bool) -> u64 {
        let mut due = 0;
        for delivery in self.deliveries.values_mut().filter(|one| one.lease.is_some() && is_dead(one.holder)) {
            let was_held = delivery.holder.take().is_some();
            if delivery.status != DeliveryStatus::Pending {
                interrupt(delivery);
                delivery.lease = None;
            } else if was_held || delivery.due.is_some_and(|due| due > now) {
                delivery.due = delivery.due.min(Some(micros(now)));
                due += 1;
            }
        }
        due
    }
}
