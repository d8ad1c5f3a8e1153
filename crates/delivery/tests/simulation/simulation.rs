//! One simulation: its nodes, its time, and its end.

mod orders;
mod settings;
mod troubles;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use jiff::SignedDuration;
use preclinical_core::{
    clock::Clock,
    id::{AgentId, DeliveryId, EventId, OrganizationId, RunId},
    port::Store,
    run::FinalStatus,
};
use preclinical_delivery::Settings;
use preclinical_testkit::{
    chance::SeededChance,
    clock::ManualClock,
    interception::{Roles, surrounded},
};

use crate::{
    dice::Dice,
    grounds::{Ground, Join},
    node::Node,
    oracle::{DEADLINE, Oracle, Shared},
    plan::Plan,
    receiver::Receiver,
    weather::Weather,
    witness::watched,
};

/// The longest time that passes unseen.
const LONGEST: Duration = Duration::from_secs(30);

/// How much time passes at once while an attempt is under way, which may have timers of its own.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(1);

/// Looks at the clock until everything has ended, at most.
const PATIENCE: usize = 2000;

/// Nothing may take longer once all trouble is over.
const LONGEST_WAIT: Duration = Duration::from_hours(2);

/// The longest look that is tried while nothing happens.
const LONGEST_IDLE: SignedDuration = SignedDuration::from_hours(24);

pub(crate) struct Simulation {
    plan: Plan,
    dice: Dice,
    chance: SeededChance,
    truth: Arc<ManualClock>,
    oracle: Shared,
    receiver: Arc<Receiver>,
    weather: Weather,
    /// The store, as broken as it may be, without anything in front.
    roles: Roles,
    store: Arc<dyn Store>,
    join: Option<Join>,
    organization: OrganizationId,
    agents: Vec<AgentId>,
    nodes: Vec<Node>,
    started: u32,
    written: usize,
    /// Ends of runs whose answer nobody got: they are asked for again.
    unknown: Vec<(RunId, FinalStatus, EventId)>,
    runs: Vec<RunId>,
    deliveries: Vec<DeliveryId>,
}

/// What a simulation came to.
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    pub(crate) story: Vec<String>,
}

impl Simulation {
    /// Simulates a plan; `breaks` may put something broken in front of the store.
    pub(crate) fn run(plan: Plan, ground: &Ground, breaks: impl FnOnce(Roles) -> Roles) -> Outcome {
        let mut simulation = Self::new(plan, ground, breaks);
        simulation.set_up();
        for _ in 0..simulation.plan.steps {
            simulation.step();
            if simulation.is_broken() {
                return simulation.outcome();
            }
        }
        simulation.heal();
        simulation.outcome()
    }

    /// Plays a scene instead of what chance says, to the same end.
    pub(crate) fn play(plan: Plan, ground: &Ground, scene: impl FnOnce(&mut Self)) -> Outcome {
        let mut simulation = Self::new(plan, ground, |roles| roles);
        simulation.set_up();
        scene(&mut simulation);
        simulation.heal();
        simulation.outcome()
    }

    fn new(plan: Plan, ground: &Ground, breaks: impl FnOnce(Roles) -> Roles) -> Self {
        let seed = plan.seed;
        let truth = Arc::new(ManualClock::default());
        let weather = Weather::new(Dice::of(seed, 2), plan.storm, ground.home.clone());
        let oracle = Oracle::new(truth.now(), &plan, ground.join.is_some());
        let oracle = Arc::new(Mutex::new(oracle));
        let receiver = Receiver::new(truth.clone(), oracle.clone(), weather.clone(), Dice::of(seed, 3), plan.temper);
        let chance = SeededChance::new(seed.wrapping_mul(31).wrapping_add(7));
        Self {
            dice: Dice::of(seed, 4),
            organization: OrganizationId::generate(truth.now(), &chance),
            roles: breaks(Roles::of(Arc::clone(&ground.store))),
            store: Arc::clone(&ground.store),
            join: ground.join.clone(),
            plan,
            chance,
            truth,
            oracle,
            receiver,
            weather,
            agents: Vec::new(),
            nodes: Vec::new(),
            started: 0,
            written: 0,
            unknown: Vec::new(),
            runs: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    fn set_up(&mut self) {
        let plan = format!("{:?}", self.plan);
        self.oracle().tell(plan);
        if self.plan.storm > 0 {
            self.oracle().disturb();
        }
        self.create_organization();
        for _ in 0..self.plan.nodes {
            self.start_node();
        }
    }

    fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap()
    }

    fn is_broken(&self) -> bool {
        !self.oracle().violations.is_empty()
    }

    fn outcome(self) -> Outcome {
        drop(self.nodes);
        let mut oracle = self.oracle.lock().unwrap();
        Outcome { violations: std::mem::take(&mut oracle.violations), story: std::mem::take(&mut oracle.story) }
    }

    fn step(&mut self) {
        match self.dice.below(100) {
            0..25 => self.complete(FinalStatus::Completed),
            25..28 => self.complete(FinalStatus::Canceled),
            28..35 => self.report(),
            35..38 => self.edit_url(),
            38..41 => self.edit_secret(),
            41..44 => self.switch(),
            44..46 => self.delete_or_create_webhook(),
            46..49 => self.cancel_delivery(),
            49..53 => self.redeliver(),
            53..55 => self.try_out(),
            55 => self.order_job(),
            56 => self.order_or_stop_job(),
            57..68 => self.trouble(),
            68 => self.replace_agent(),
            69..72 => self.ask_again(),
            _ => {
                let time = self.some_time();
                self.pass(time, LONGEST);
            }
        }
    }

    fn some_time(&self) -> Duration {
        match self.dice.below(6) {
            0 => self.dice.millis(1..50),
            1 | 2 => self.dice.millis(50..2_000),
            3 | 4 => self.dice.millis(2_000..30_000),
            _ => self.dice.millis(30_000..120_000),
        }
    }

    fn start_node(&mut self) {
        self.started += 1;
        let number = self.started;
        let roles = self.join.as_ref().map_or_else(|| self.roles.clone(), |join| Roles::of(join()));
        let roles = watched(number, self.organization, &roles, &self.oracle);
        if self.join.is_some() {
            self.weather.finish(roles.upkeep.void_dead_leases(self.truth.now())).unwrap();
        }
        let store = surrounded(roles, self.weather.clone());
        let chance = SeededChance::new(self.plan.seed.wrapping_mul(1009).wrapping_add(number.into()));
        let settings = Settings {
            schedule: self.plan.schedule.parse().unwrap(),
            request_timeout: Duration::try_from(DEADLINE).unwrap(),
            lease_margin: Duration::from_secs(30),
            patience: self.plan.patience,
            public_url: "https://app.example.com".into(),
        };
        let around = (self.receiver.clone(), self.weather.clone());
        self.nodes.push(Node::start(number, Node::clock(&self.truth), store, around, (settings, chance)));
        if let Some(node) = self.nodes.last_mut() {
            node.beats = self.join.is_some();
            node.within(async {});
        }
    }

    /// Lets time pass, from one thing that happens to the next.
    pub(crate) fn pass(&mut self, time: Duration, longest: Duration) {
        let mut left = time;
        while !left.is_zero() && !self.is_broken() {
            let hop = left.min(self.until_next(UNDER_WAY)).min(longest);
            self.hop(hop);
            left -= hop;
        }
    }

    fn hop(&mut self, by: Duration) {
        self.truth.turn(SignedDuration::try_from(by).unwrap());
        self.oracle().now = self.truth.now();
        self.receiver.release();
        if !self.nodes.is_empty() {
            let first = self.dice.index(self.nodes.len());
            self.nodes.rotate_left(first);
        }
        for node in &mut self.nodes {
            node.pass(by);
        }
        self.nodes.retain_mut(|node| !(node.is_closing && node.close()));
        self.oracle().judge_promptness();
    }

    /// How long until something may happen, in whole milliseconds and never nothing; `under_way` while an attempt is.
    fn until_next(&self, under_way: SignedDuration) -> Duration {
        let now = self.truth.now();
        let oracle = self.oracle();
        let due = oracle.dues().flat_map(|due| self.nodes.iter().map(move |node| due.duration_since(node.clock.now())));
        let answer = self.receiver.next_answer().into_iter().map(|at| at.duration_since(now));
        let under_way = (oracle.is_busy() || self.receiver.is_busy()).then_some(under_way);
        let next = due.chain(answer).filter(SignedDuration::is_positive).chain(under_way).min();
        let next = next.map_or(Duration::MAX, |wait| Duration::try_from(wait).unwrap());
        Duration::from_millis(u64::try_from(next.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// All trouble is over. Whatever is still to be done is done in a bounded number of looks, or it is stuck.
    fn heal(&mut self) {
        self.oracle().tell("all trouble is over");
        self.weather.clear_up();
        self.receiver.recover();
        for node in &mut self.nodes {
            node.clock.set_right();
            node.wake();
        }
        match self.nodes.iter().filter(|node| !node.is_closing).count() {
            0 if self.nodes.is_empty() => self.start_after_all_died(),
            0 => self.start_node(),
            _ => {}
        }
        self.ask_again();
        let (mut looks, mut idle) = (0, UNDER_WAY);
        loop {
            while !self.is_broken() && !self.is_over() {
                looks += 1;
                if looks > PATIENCE {
                    return self.oracle().violate("stuck: not everything ended".to_owned());
                }
                let seen = self.oracle().story.len();
                let next = self.until_next(idle).min(LONGEST_WAIT);
                self.hop(next);
                // The lease of somebody whose clock was ahead may hold for long.
                idle = if self.oracle().story.len() == seen { (idle * 2).min(LONGEST_IDLE) } else { UNDER_WAY };
            }
            // Whoever got no answer to a record asks once more, and learns that it is there.
            self.hop(Duration::from_secs(2));
            // What ended last may be a recovery, after which more is to be done.
            if self.is_broken() || self.is_over() {
                break;
            }
        }
        let (store, weather) = (Arc::clone(&self.store), self.weather.clone());
        self.oracle().audit(&store, self.organization, &weather);
        for node in &mut self.nodes {
            let (all_ended, number) = (node.close(), node.number);
            self.oracle.lock().unwrap().expect(all_ended, || format!("a place of node {number} was never given back"));
        }
    }

    fn is_over(&self) -> bool {
        let jobs = self.weather.finish(self.store.running_redelivery_jobs(None, 1)).unwrap();
        self.oracle().next_due().is_none() && !self.receiver.is_busy() && jobs.is_empty()
    }
}
