//! Who may have a place: shares that keep what hangs, what fails and what is much from what is well and little.
//!
//! - A webhook has at most [`WEBHOOK`] attempts under way. It begins at [`PROVEN`] if its last attempt was taken, at [`UNTRIED`] if none
//!   was made, at one if it failed. Each success doubles what it may have, each failure halves it, and a receiver that let the deadline pass
//!   is asked one thing at a time: what was down is not overrun when it comes back.
//! - Webhooks whose last attempt failed, or took long, and attempts that take long share [`FAILING`] places; together with those never tried,
//!   [`UNPROVEN`]. The rest is there for receivers that were well when they were last asked, and the last [`RESERVED`] for those that were
//!   just now: however many break down at once, they are not among them for long.
//! - An organization gets half of each of these.
//! - Tests, whose outcome somebody waits for, do not wait behind deliveries to the same webhook: [`TESTS`] for a webhook,
//!   [`TESTS_OF_ORGANIZATION`] for an organization, [`TESTS_OF_ALL`] for everybody. They may have places that are reserved.
//!
//! Nothing here is known to another process or outlives this one: the shares are those of a node, and what a store knows of a
//! webhook ([`Standing`]) is where they begin.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use preclinical_core::{
    id::{OrganizationId, WebhookId},
    port::Standing,
};

/// Attempts under way.
pub(crate) const ALL: u32 = 2048;

/// Of those, for webhooks that were well [`RECENTLY`].
const RESERVED: u32 = 256;

/// Of all, for webhooks that are not proven.
const UNPROVEN: u32 = 1536;

/// Of all, for webhooks that fail and attempts that take long.
const FAILING: u32 = 1024;

/// For one webhook. Many of its attempts are answered and only wait for their record, so this is more than its receiver has to serve at
/// once. Half of what an organization has for webhooks that fail: one that hangs leaves the others some.
const WEBHOOK: u32 = 256;

/// For a webhook whose last attempt was taken, before this process made one.
const PROVEN: u32 = 64;

/// For a webhook that was never tried.
const UNTRIED: u32 = 4;

/// For a webhook while an attempt for it takes long, or where it takes a place that is reserved.
const FEW: u32 = 16;

/// How long ago a success may be to be a recent one.
const RECENTLY: Duration = Duration::from_secs(10);

/// Tests of one webhook.
const TESTS: u32 = 4;

/// Tests of an organization.
const TESTS_OF_ORGANIZATION: u32 = 32;

/// Tests of everybody.
const TESTS_OF_ALL: u32 = 256;

/// Webhooks that are remembered; beyond that those with nothing under way are forgotten.
const REMEMBERED: usize = 16 * 1024;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// For this webhook.
    Webhook,
    /// For this organization.
    Organization,
    /// For anybody.
    Everybody,
}

/// Who asks for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Something that is being written.
    WhatIsNew,
    /// Something that was due before.
    WhatWaits,
}

/// How an attempt ended, for its webhook's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The receiver took it.
    Taken,
    /// The receiver answered something else, or could not be reached.
    Failed,
    /// The deadline passed.
    Hung,
    /// Nothing was learned.
    Unknown,
}

/// A place that was given away. Whoever has it must give it back by [`Shares::end`].
#[derive(Debug)]
pub(crate) struct Seat {
    organization: OrganizationId,
    webhook: WebhookId,
    class: Standing,
    /// It was known that the receiver had taken the last one.
    is_proven: bool,
    is_test: bool,
    is_slow: bool,
}

/// Who has places now.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    taken: Taken,
    organizations: HashMap<OrganizationId, Taken>,
    webhooks: HashMap<WebhookId, Line>,
    tests: HashMap<(OrganizationId, WebhookId), u32>,
}

#[derive(Debug, Default)]
struct Taken {
    proven: u32,
    untried: u32,
    failing: u32,
    /// Among the others.
    tests: u32,
}

/// What one webhook has and may have.
#[derive(Debug)]
struct Line {
    under_way: u32,
    slow: u32,
    /// The last success came late, and none in time since.
    was_slow: bool,
    /// The engine looked for what waits and had no place for it: whoever writes has to wait behind that.
    has_waiting: bool,
    /// The last attempt failed.
    has_failed: bool,
    may_have: u32,
    began_at: u32,
    /// When a receiver took something the last time.
    taken_at: Option<Duration>,
}

impl Taken {
    fn all(&self) -> u32 {
        self.proven + self.untried + self.failing
    }

    /// Whether this part, one in `parts`, of all places has room for one more of that class.
    fn has_room(&self, class: Standing, parts: u32) -> bool {
        let all = self.all() < (ALL - RESERVED) / parts;
        let unproven = self.untried + self.failing < UNPROVEN / parts;
        match class {
            Standing::Proven => all,
            Standing::Untried => all && unproven,
            Standing::Failing => all && unproven && self.failing < FAILING / parts,
        }
    }

    /// Whether it has room for one more that was well just now.
    fn has_reserve(&self, parts: u32) -> bool {
        self.all() < ALL / parts
    }

    fn of(&mut self, class: Standing) -> &mut u32 {
        match class {
            Standing::Proven => &mut self.proven,
            Standing::Untried => &mut self.untried,
            Standing::Failing => &mut self.failing,
        }
    }
}

impl Line {
    fn new(standing: Standing) -> Self {
        let may_have = match standing {
            Standing::Proven => PROVEN,
            Standing::Untried => UNTRIED,
            Standing::Failing => 1,
        };
        Self {
            under_way: 0,
            slow: 0,
            was_slow: false,
            has_waiting: false,
            has_failed: false,
            may_have,
            began_at: may_have,
            taken_at: None,
        }
    }

    fn has_room(&self) -> bool {
        self.under_way < self.may_have && (self.slow == 0 || self.under_way < FEW)
    }

    fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    fn was_well(&self, now: Duration) -> bool {
        self.taken_at.is_some_and(|at| now.saturating_sub(at) <= RECENTLY)
    }

    fn has_reserve(&self, now: Duration) -> bool {
        self.was_well(now) && self.slow == 0 && !self.was_slow && self.under_way < FEW
    }

    /// Whether it would come out the same if it began again: at the least after a failure.
    fn is_forgettable(&self) -> bool {
        self.is_idle() && !self.was_slow && self.taken_at.is_none() && [self.began_at, 1].contains(&self.may_have)
    }
}

impl Shares {
    /// The places that nobody has.
    pub(crate) fn free(&self) -> u32 {
        ALL.saturating_sub(self.taken.all())
    }

    /// Gives a place to a webhook, if it may have one.
    pub(crate) fn admit(
        &mut self,
        organization: OrganizationId,
        webhook: WebhookId,
        standing: Standing,
        asks: Asks,
        now: Duration,
    ) -> Result<Seat, Refusal> {
        if asks == Asks::WhatIsNew && self.webhooks.get(&webhook).is_some_and(|line| line.has_waiting) {
            return Err(Refusal::Webhook);
        }
        let seat = self.seat(organization, webhook, standing, now);
        if asks == Asks::WhatWaits
            && let Some(line) = self.webhooks.get_mut(&webhook)
        {
            line.has_waiting = matches!(seat, Err(Refusal::Webhook));
        }
        seat
    }

    fn seat(
        &mut self,
        organization: OrganizationId,
        webhook: WebhookId,
        standing: Standing,
        now: Duration,
    ) -> Result<Seat, Refusal> {
        if self.free() == 0 {
            return Err(Refusal::Everybody);
        }
        let of_organization = self.organizations.entry(organization).or_default();
        if !of_organization.has_reserve(2) {
            return Err(Refusal::Organization);
        }
        let known = self.webhooks.get(&webhook);
        let is_slow = known.is_some_and(|line| line.slow > 0 || line.was_slow);
        let class = if is_slow { Standing::Failing } else { standing };
        let has_room = of_organization.has_room(class, 2) && self.taken.has_room(class, 1);
        // One that was well just now is asked once more, whatever became of the last attempt.
        let has_reserve = known.is_some_and(|line| {
            line.has_reserve(now) && (class == Standing::Proven || (class == Standing::Failing && line.under_way == 0))
        });
        if !known.is_none_or(Line::has_room) || !(has_room || has_reserve) {
            self.forget_organization(organization);
            return Err(Refusal::Webhook);
        }
        *of_organization.of(class) += 1;
        *self.taken.of(class) += 1;
        self.forget_idle(now);
        self.webhooks.entry(webhook).or_insert_with(|| Line::new(standing)).under_way += 1;
        let is_proven = standing == Standing::Proven;
        Ok(Seat { organization, webhook, class, is_proven, is_test: false, is_slow: false })
    }

    /// Gives a place to a test of a webhook, if it may have one.
    pub(crate) fn admit_test(&mut self, organization: OrganizationId, webhook: WebhookId) -> Option<Seat> {
        let tests = self.tests.get(&(organization, webhook)).copied().unwrap_or(0);
        let has_place = tests < TESTS && self.taken.tests < TESTS_OF_ALL;
        let of_organization = self.organizations.entry(organization).or_default();
        let has_room = of_organization.tests < TESTS_OF_ORGANIZATION && of_organization.has_reserve(2);
        if !has_place || !has_room || !self.taken.has_reserve(1) {
            self.forget_organization(organization);
            return None;
        }
        of_organization.tests += 1;
        of_organization.proven += 1;
        self.taken.proven += 1;
        self.taken.tests += 1;
        *self.tests.entry((organization, webhook)).or_default() += 1;
        Some(Seat { organization, webhook, class: Standing::Proven, is_proven: true, is_test: true, is_slow: false })
    }

    /// The attempt takes long: it is counted among those that fail, as far as they have room.
    pub(crate) fn slow(&mut self, seat: &mut Seat) {
        if seat.is_test {
            return;
        }
        if let Some(line) = self.webhooks.get_mut(&seat.webhook).filter(|_| !seat.is_slow) {
            line.slow += 1;
            seat.is_slow = true;
        }
        let Some(of_organization) = self.organizations.get_mut(&seat.organization) else { return };
        let has_room = of_organization.failing < FAILING / 2 && self.taken.failing < FAILING;
        if seat.class != Standing::Failing && has_room {
            *of_organization.of(seat.class) -= 1;
            *self.taken.of(seat.class) -= 1;
            seat.class = Standing::Failing;
            of_organization.failing += 1;
            self.taken.failing += 1;
        }
    }

    /// Takes a place back. Answers whether the webhook has recovered: it took something, and was not known to take anything.
    pub(crate) fn end(&mut self, seat: &Seat, ending: Ending, now: Duration) -> bool {
        *self.taken.of(seat.class) -= 1;
        if let Some(of_organization) = self.organizations.get_mut(&seat.organization) {
            *of_organization.of(seat.class) -= 1;
            of_organization.tests -= u32::from(seat.is_test);
        }
        self.forget_organization(seat.organization);
        if seat.is_test {
            self.taken.tests -= 1;
            if let Entry::Occupied(mut tests) = self.tests.entry((seat.organization, seat.webhook)) {
                *tests.get_mut() -= 1;
                if *tests.get() == 0 {
                    tests.remove();
                }
            }
            return false;
        }
        let Entry::Occupied(mut entry) = self.webhooks.entry(seat.webhook) else { return false };
        let line = entry.get_mut();
        line.under_way -= 1;
        line.slow -= u32::from(seat.is_slow);
        line.may_have = match ending {
            Ending::Taken => line.may_have.saturating_mul(2).min(WEBHOOK),
            Ending::Failed => (line.may_have / 2).max(1),
            Ending::Hung => 1,
            Ending::Unknown => line.may_have,
        };
        let has_recovered = ending == Ending::Taken && (!seat.is_proven || line.has_failed);
        line.has_failed = match ending {
            Ending::Taken => false,
            Ending::Failed | Ending::Hung => true,
            Ending::Unknown => line.has_failed,
        };
        if ending == Ending::Taken {
            line.was_slow = seat.is_slow;
            line.taken_at = (!seat.is_slow).then_some(now).or(line.taken_at);
        }
        if line.is_forgettable() {
            entry.remove();
        }
        has_recovered
    }

    fn forget_organization(&mut self, organization: OrganizationId) {
        if self.organizations.get(&organization).is_some_and(|taken| taken.all() == 0) {
            self.organizations.remove(&organization);
        }
    }

    fn forget_idle(&mut self, now: Duration) {
        if self.webhooks.len() >= REMEMBERED {
            self.webhooks.retain(|_, line| !line.is_idle() || line.was_well(now));
        }
        if self.webhooks.len() >= REMEMBERED {
            self.webhooks.retain(|_, line| !line.is_idle());
        }
    }
}

#[cfg(test)]
mod tests;
