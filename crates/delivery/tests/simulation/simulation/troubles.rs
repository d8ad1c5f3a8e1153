//! What goes wrong with nodes: they die, sleep, and err about the time.

use jiff::SignedDuration;
use preclinical_core::clock::Clock;

use super::Simulation;

impl Simulation {
    pub(super) fn trouble(&mut self) {
        match self.dice.below(6) {
            0 if self.plan.troubles.deaths => self.kill(),
            1 if self.plan.troubles.deaths => self.restart_all(),
            2 | 3 if self.plan.troubles.sleeps => self.sleep_or_wake(),
            4 if self.plan.troubles.jumps => self.jump(),
            5 => self.replace_node(),
            _ => self.add_node(),
        }
    }

    fn add_node(&mut self) {
        if self.nodes.is_empty() {
            self.start_after_all_died();
        } else if self.nodes.iter().filter(|node| !node.is_closing).count() < self.plan.nodes as usize {
            self.oracle().tell("a node starts");
            self.start_node();
        }
    }

    /// A node starts, and another one is told to end: nothing of it is cut off.
    fn replace_node(&mut self) {
        let Some(old) = self.host() else { return };
        self.start_node();
        let node = &mut self.nodes[old];
        let mut oracle = self.oracle.lock().unwrap();
        oracle.is_watched = false;
        oracle.tell(format!("node {} is replaced", node.number));
        drop(oracle);
        if node.close() {
            self.nodes.remove(old);
        }
    }

    fn kill(&mut self) {
        if !self.nodes.is_empty() {
            self.kill_one(self.dice.index(self.nodes.len()));
        }
    }

    /// Kills the node that has an attempt under way.
    pub(crate) fn kill_host(&mut self) {
        self.kill_one(self.busy());
    }

    /// Holds back the node that has an attempt under way.
    pub(crate) fn hold_back_host(&mut self) {
        self.hold_back(self.busy());
    }

    /// From now on the receiver takes everything.
    pub(crate) fn let_receiver_recover(&mut self) {
        self.oracle().tell("the receiver recovers");
        self.receiver.recover();
    }

    fn busy(&self) -> usize {
        let last = self.oracle().last_claimant();
        self.nodes.iter().position(|node| Some(node.number) == last).unwrap()
    }

    fn kill_one(&mut self, index: usize) {
        let node = self.nodes.remove(index);
        let mut oracle = self.oracle();
        oracle.tell(format!("node {} dies", node.number));
        oracle.disturb();
    }

    pub(crate) fn restart_all(&mut self) {
        self.oracle().disturb();
        self.oracle().tell("all nodes die");
        self.nodes.clear();
        self.start_after_all_died();
    }

    /// As after the start of a process that knows that no other is there.
    pub(super) fn start_after_all_died(&mut self) {
        self.oracle().tell("a node starts when all others are dead");
        if self.join.is_none() {
            let now = self.truth.now();
            let roles = crate::witness::watched(self.started + 1, self.organization, &self.roles, &self.oracle);
            self.weather.finish(roles.upkeep.void_dead_leases(now)).unwrap();
        }
        self.start_node();
    }

    fn sleep_or_wake(&mut self) {
        if self.nodes.is_empty() {
            return;
        }
        let index = self.dice.index(self.nodes.len());
        let node = &mut self.nodes[index];
        if node.is_asleep {
            self.oracle.lock().unwrap().tell(format!("node {} goes on", node.number));
            node.wake();
        } else {
            self.hold_back(index);
        }
    }

    fn hold_back(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.is_asleep = true;
        let mut oracle = self.oracle.lock().unwrap();
        oracle.disturb();
        oracle.tell(format!("node {} is held back", node.number));
    }

    fn jump(&mut self) {
        let seconds = [-3600, -60, -5, -1, 1, 5, 60, 3600];
        let (by, index) = (SignedDuration::from_secs(*self.dice.pick(&seconds).unwrap()), self.dice.index(self.nodes.len()));
        let Some(node) = self.nodes.get(index) else { return };
        node.clock.jump(by);
        let mut oracle = self.oracle();
        oracle.disturb();
        oracle.clocks_agree = false;
        oracle.tell(format!("the clock of node {} jumps by {by}", node.number));
    }
}
