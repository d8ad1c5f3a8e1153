//! What a seed decides before it begins.

use jiff::SignedDuration;
use preclinical_core::health::Patience;

use crate::{dice::Dice, receiver::Temper};

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) nodes: u32,
    /// The waits, as the engine is set.
    pub(crate) schedule: String,
    /// The waits, as the oracle expects them.
    pub(crate) waits: Vec<SignedDuration>,
    pub(crate) steps: u32,
    /// The first agent has a webhook of its own.
    pub(crate) overrides: bool,
    /// How many calls to the store of a thousand fail, and how many answers get lost.
    pub(crate) storm: u32,
    pub(crate) troubles: Troubles,
    pub(crate) temper: Temper,
    /// Engines are told of what is due, as they should be.
    pub(crate) wakes: bool,
    /// How long webhooks may fail.
    pub(crate) patience: Option<Patience>,
}

/// What may become of nodes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Troubles {
    pub(crate) deaths: bool,
    pub(crate) sleeps: bool,
    pub(crate) jumps: bool,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let dice = Dice::of(seed, 1);
        let seconds: &[i64] = match dice.below(8) {
            0 => &[60, 300, 1800],
            1 => &[1, 1, 1],
            2 => &[30],
            _ => &[5, 20, 60],
        };
        let often = |most| if dice.happens(500) { dice.below(most) } else { 0 };
        let temper = Temper {
            fails: often(900),
            gone: often(80),
            refuses: often(300),
            loses: often(300),
            hangs: often(200),
            slow: often(600),
        };
        let mut plan = Self {
            seed,
            nodes: 1 + dice.below(3),
            schedule: String::new(),
            waits: Vec::new(),
            steps: 20 + dice.below(60),
            overrides: dice.happens(500),
            storm: if dice.happens(300) { dice.below(120) } else { 0 },
            troubles: Troubles { deaths: dice.happens(400), sleeps: dice.happens(300), jumps: dice.happens(300) },
            temper,
            wakes: true,
            patience: None,
        };
        let (minutes, exhausted) = (dice.below(20), 1 + dice.below(3));
        let time = SignedDuration::from_mins(minutes.into());
        plan.patience = dice.happens(700).then_some(Patience { time, exhausted });
        plan.set_schedule(seconds);
        plan
    }

    /// Nothing goes wrong but what the receiver does.
    pub(crate) fn calm(seed: u64) -> Self {
        Self { storm: 0, troubles: Troubles::default(), ..Self::of(seed) }
    }

    /// One node, one webhook, a receiver that takes everything, and nothing that is not asked for.
    pub(crate) fn quiet() -> Self {
        let temper = Temper::default();
        let mut plan = Self { nodes: 1, steps: 0, overrides: false, temper, ..Self::calm(0) };
        plan.set_schedule(&[60, 300, 1800]);
        plan
    }

    pub(crate) fn set_schedule(&mut self, seconds: &[i64]) {
        let waits: Vec<String> = seconds.iter().map(|wait| format!("{wait}s")).collect();
        self.schedule = waits.join(",");
        self.waits = seconds.iter().copied().map(SignedDuration::from_secs).collect();
    }
}
