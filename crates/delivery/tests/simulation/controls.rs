//! What the simulation has to catch.

use crate::{
    flaw::{Flaw, flawed},
    grounds::IN_MEMORY,
    plan::Plan,
    simulation::Simulation,
};

/// So many seeds are enough to catch anything.
const ENOUGH: u64 = 200;

/// Some seed says these words about it.
fn catch(plan: impl Fn(u64) -> Plan, flaw: Option<Flaw>, words: &str) {
    for seed in 0..ENOUGH {
        let outcome = Simulation::run(plan(seed), &(IN_MEMORY.open)(), |roles| match flaw {
            Some(flaw) => flawed(roles, flaw),
            None => roles,
        });
        if outcome.violations.iter().any(|violation| violation.contains(words)) {
            return;
        }
    }
    panic!("{flaw:?} went through {ENOUGH} seeds");
}

macro_rules! caught {
    ($($name:ident: $flaw:ident, $words:literal;)*) => {$(
        #[test]
        fn $name() {
            catch(Plan::of, Some(Flaw::$flaw), $words);
        }
    )*};
}

caught! {
    a_store_that_claims_early_is_caught: ClaimsEarly, "before it is due";
    a_store_that_claims_what_is_leased_is_caught: ClaimsWhatIsLeased, "under the lease of another";
    a_store_that_passes_over_what_is_due_is_caught: PassesOver, "was not claimed";
    a_store_that_sends_to_an_old_url_is_caught: ClaimsWithAnOldUrl, "present URL";
    a_store_that_forgets_secrets_is_caught: ClaimsWithoutSecrets, "present secrets";
    a_store_that_takes_records_without_their_lease_is_caught: TakesLateRecords, "its lease was lost";
    a_store_that_refuses_records_is_caught: RefusesRecords, "and its lease held";
    a_store_that_forgets_successes_is_caught: ForgetsSuccesses, "due";
    a_store_that_forgets_retries_is_caught: ForgetsRetries, "due";
    a_store_that_miscounts_failures_is_caught: CountsFailuresTwice, "failures";
    a_store_that_keeps_no_request_is_caught: KeepsNoRequest, "keeps";
    a_store_that_forgets_that_something_was_canceled_is_caught: ForgetsCanceling, "due";
    a_store_that_writes_two_deliveries_is_caught: WritesTwoDeliveries, "nobody wrote it";
    a_store_that_says_that_nobody_hears_of_a_run_is_caught: WritesNoDelivery, "ended as NoWebhook";
    a_store_that_ends_a_run_twice_is_caught: EndsRunsTwice, "ended twice";
    a_store_that_gives_no_webhook_up_is_caught: NeverGivesUp, "its webhook is None";
}

/// The engine follows another schedule than the one that is promised.
fn scheduled(seconds: &'static [i64]) -> impl Fn(u64) -> Plan {
    move |seed| {
        let promised = Plan::of(seed);
        let mut plan = promised.clone();
        plan.set_schedule(seconds);
        Plan { waits: promised.waits, ..plan }
    }
}

#[test]
fn an_engine_that_makes_five_attempts_is_caught() {
    let five = |seed| {
        let mut plan = Plan::of(seed);
        plan.schedule.push_str(",1s");
        plan.temper.fails = 900;
        plan
    };
    catch(five, None, "and 3 failures");
}

#[test]
fn an_engine_that_nobody_wakes_is_caught() {
    catch(|seed| Plan { wakes: false, ..Plan::calm(seed) }, None, "nobody sends it");
}

#[test]
fn an_engine_that_waits_too_short_or_too_long_is_caught() {
    for seconds in [&[1, 2, 3], &[61, 301, 1801]] {
        catch(scheduled(seconds), None, "RetryAt");
    }
}
