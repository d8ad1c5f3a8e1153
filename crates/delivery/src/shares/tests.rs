use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// When nothing was taken for long.
const NOW: Duration = Duration::from_secs(1000);

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn webhook(number: u128) -> WebhookId {
    WebhookId::from_uuid(Uuid::from_u128(number))
}

/// As many places as one webhook gets, each ending so.
fn taken_by(shares: &mut Shares, number: u128, standing: Standing) -> Vec<Seat> {
    std::iter::from_fn(|| shares.admit(organization(0), webhook(number), standing, Asks::WhatWaits, NOW).ok()).collect()
}

fn end_all(shares: &mut Shares, seats: Vec<Seat>, ending: Ending) {
    for seat in seats {
        shares.end(&seat, ending, NOW);
    }
}

#[test]
fn a_webhook_has_as_many_places_as_its_past_earns() {
    for (standing, places) in [(Standing::Untried, UNTRIED), (Standing::Proven, PROVEN), (Standing::Failing, 1)] {
        let mut shares = Shares::default();
        assert_eq!(taken_by(&mut shares, 1, standing).len(), places as usize, "{standing:?}");
        assert!(matches!(shares.admit(organization(0), webhook(1), standing, Asks::WhatWaits, NOW), Err(Refusal::Webhook)));
        assert!(
            shares.admit(organization(0), webhook(2), standing, Asks::WhatWaits, NOW).is_ok(),
            "others are not concerned"
        );
    }
}

#[test]
fn a_receiver_that_comes_back_is_not_overrun() {
    let mut shares = Shares::default();
    let mut at_once = Vec::new();
    let mut first = taken_by(&mut shares, 1, Standing::Failing);
    while let Some(seat) = first.pop() {
        shares.end(&seat, Ending::Taken, NOW);
    }
    for _ in 0..10 {
        let seats = taken_by(&mut shares, 1, Standing::Proven);
        at_once.push(seats.len());
        let (one, rest) = seats.split_first().unwrap();
        shares.end(one, Ending::Taken, NOW);
        for seat in rest {
            shares.end(seat, Ending::Unknown, NOW);
        }
    }
    assert_eq!(at_once, [2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
}

#[test]
fn failures_halve_what_a_webhook_may_have_and_a_deadline_that_passed_leaves_one() {
    let mut shares = Shares::default();
    for places in [64, 32, 16] {
        let seats = taken_by(&mut shares, 1, Standing::Proven);
        assert_eq!(seats.len(), places);
        let (one, rest) = seats.split_first().unwrap();
        shares.end(one, Ending::Failed, NOW);
        for seat in rest {
            shares.end(seat, Ending::Unknown, NOW);
        }
    }
    let seats = taken_by(&mut shares, 1, Standing::Proven);
    end_all(&mut shares, seats, Ending::Hung);
    assert_eq!(taken_by(&mut shares, 1, Standing::Failing).len(), 1);
}

#[test]
fn however_many_endpoints_hang_those_that_were_well_have_places() {
    let mut shares = Shares::default();
    for number in 0..10_000 {
        for standing in [Standing::Untried, Standing::Failing] {
            drop(shares.admit(organization(number % 7), webhook(number), standing, Asks::WhatWaits, NOW));
        }
    }
    assert_eq!(shares.free(), ALL - UNPROVEN);
    assert_eq!(taken_by(&mut shares, 1_000_000, Standing::Proven).len(), PROVEN as usize);
}

#[test]
fn those_of_ones_own_organization_are_left_places_too() {
    let mut shares = Shares::default();
    for number in 0..10_000 {
        drop(shares.admit(organization(0), webhook(number), Standing::Failing, Asks::WhatWaits, NOW));
    }
    assert_eq!(shares.free(), ALL - FAILING / 2);
    assert_eq!(taken_by(&mut shares, 1_000_000, Standing::Proven).len(), PROVEN as usize);
}

#[test]
fn what_takes_long_makes_room_for_what_does_not() {
    let mut shares = Shares::default();
    let mut seats: Vec<Seat> = (0..u128::from(FAILING / 2))
        .filter_map(|number| shares.admit(organization(0), webhook(number), Standing::Proven, Asks::WhatWaits, NOW).ok())
        .collect();
    for seat in &mut seats {
        shares.slow(seat);
        shares.slow(seat);
    }
    assert_eq!((shares.taken.proven, shares.taken.failing), (0, FAILING / 2));
    assert!(
        shares.admit(organization(0), webhook(1), Standing::Proven, Asks::WhatWaits, NOW).is_err(),
        "a slow one counts as one that fails"
    );
    end_all(&mut shares, seats, Ending::Taken);
    assert_eq!(shares.free(), ALL);
    assert!(shares.admit(organization(0), webhook(1), Standing::Proven, Asks::WhatWaits, NOW).is_ok());
}

#[test]
fn one_that_hangs_with_all_it_may_have_leaves_those_that_fail_a_place() {
    let mut shares = Shares::default();
    well(&mut shares, organization(0), 1..2);
    well(&mut shares, organization(0), 1..2);
    let mut seats = taken_by(&mut shares, 1, Standing::Proven);
    assert_eq!(seats.len(), WEBHOOK as usize);
    for seat in &mut seats {
        shares.slow(seat);
    }
    assert_eq!(taken_by(&mut shares, 2, Standing::Failing).len(), 1);
}

#[test]
fn while_an_attempt_takes_long_its_webhook_gets_less() {
    let mut shares = Shares::default();
    let mut first = shares.admit(organization(0), webhook(1), Standing::Proven, Asks::WhatWaits, NOW).unwrap();
    shares.slow(&mut first);
    assert_eq!(taken_by(&mut shares, 1, Standing::Proven).len() + 1, FEW as usize);
}

/// So many webhooks that took something just now.
fn well(shares: &mut Shares, organization: OrganizationId, numbers: std::ops::Range<u128>) {
    for number in numbers {
        let seat = shares.admit(organization, webhook(number), Standing::Proven, Asks::WhatWaits, NOW).unwrap();
        shares.end(&seat, Ending::Taken, NOW);
    }
}

#[test]
fn an_organization_gets_half() {
    let mut shares = Shares::default();
    well(&mut shares, organization(0), 0..200);
    let seats: Vec<Seat> = (200..2000)
        .filter_map(|number| shares.admit(organization(0), webhook(number), Standing::Proven, Asks::WhatWaits, NOW).ok())
        .collect();
    assert_eq!(seats.len(), (ALL - RESERVED) as usize / 2);
    let reserved: Vec<Seat> = (0..200)
        .filter_map(|number| shares.admit(organization(0), webhook(number), Standing::Proven, Asks::WhatWaits, NOW).ok())
        .collect();
    assert_eq!(reserved.len(), RESERVED as usize / 2);
    assert!(matches!(
        shares.admit(organization(0), webhook(9999), Standing::Proven, Asks::WhatWaits, NOW),
        Err(Refusal::Organization)
    ));
    assert!(shares.admit(organization(1), webhook(9999), Standing::Proven, Asks::WhatWaits, NOW).is_ok());
}

#[test]
fn the_last_places_are_for_those_that_were_well_just_now() {
    let mut shares = Shares::default();
    well(&mut shares, organization(9999), 0..1);
    let seats: Vec<Seat> = (1..10_000)
        .filter_map(|number| {
            shares.admit(organization(number), webhook(number), Standing::Proven, Asks::WhatWaits, NOW).ok()
        })
        .collect();
    assert_eq!((seats.len(), shares.free()), ((ALL - RESERVED) as usize, RESERVED));
    let later = NOW + RECENTLY + Duration::from_millis(1);
    assert!(
        shares.admit(organization(9999), webhook(0), Standing::Proven, Asks::WhatWaits, later).is_err(),
        "that was long ago"
    );
    let once_more = shares.admit(organization(9999), webhook(0), Standing::Failing, Asks::WhatWaits, NOW).unwrap();
    assert!(
        shares.admit(organization(9999), webhook(0), Standing::Failing, Asks::WhatWaits, NOW).is_err(),
        "it failed since"
    );
    shares.end(&once_more, Ending::Failed, NOW);
    well(&mut shares, organization(9999), 0..1);
    let few =
        std::iter::from_fn(|| shares.admit(organization(9999), webhook(0), Standing::Proven, Asks::WhatWaits, NOW).ok())
            .count();
    assert_eq!(few, FEW as usize, "nor does one take all of them");
}

#[test]
fn a_full_house_has_no_place_for_anybody() {
    let mut shares = Shares::default();
    let asks = Asks::WhatWaits;
    let mut seats: Vec<Seat> = (0..u128::from(ALL - RESERVED))
        .map(|number| shares.admit(organization(number), webhook(number), Standing::Proven, asks, NOW).unwrap())
        .collect();
    seats.extend((0..u128::from(RESERVED)).filter_map(|number| shares.admit_test(organization(number), webhook(number))));
    assert!(matches!(shares.admit(organization(9999), webhook(9999), Standing::Proven, asks, NOW), Err(Refusal::Everybody)));
    assert!(shares.admit_test(organization(9999), webhook(9999)).is_none());
    end_all(&mut shares, seats, Ending::Unknown);
    assert_eq!(shares.free(), ALL);
}

#[test]
fn a_test_finds_a_place_while_deliveries_hang_and_tests_do_not_crowd_them_out() {
    let mut shares = Shares::default();
    let hanging = taken_by(&mut shares, 1, Standing::Failing);
    let tests: Vec<Seat> = std::iter::from_fn(|| shares.admit_test(organization(0), webhook(1))).collect();
    assert_eq!((hanging.len(), tests.len()), (1, TESTS as usize));
    let others = (2..100).filter_map(|number| shares.admit_test(organization(0), webhook(number))).count();
    assert_eq!(others, (TESTS_OF_ORGANIZATION - TESTS) as usize);
    end_all(&mut shares, tests, Ending::Hung);
    end_all(&mut shares, hanging, Ending::Taken);
    assert_eq!(taken_by(&mut shares, 1, Standing::Failing).len(), 2, "tests say nothing of a webhook");
}

#[test]
fn tests_of_everybody_leave_places() {
    let mut shares = Shares::default();
    let tests: Vec<Seat> = (0..1000).filter_map(|number| shares.admit_test(organization(number), webhook(number))).collect();
    assert_eq!(tests.len(), TESTS_OF_ALL as usize);
    end_all(&mut shares, tests, Ending::Taken);
    assert!(shares.tests.is_empty() && shares.organizations.is_empty());
}

#[test]
fn a_receiver_that_takes_long_each_time_is_no_better_than_one_that_fails() {
    let mut shares = Shares::default();
    let mut seats: Vec<Seat> = (0..2)
        .flat_map(|of| (0..1000).map(move |number| (of, of * 1000 + number)))
        .filter_map(|(of, number)| {
            shares.admit(organization(of), webhook(number), Standing::Proven, Asks::WhatWaits, NOW).ok()
        })
        .collect();
    for seat in &mut seats {
        shares.slow(seat);
    }
    end_all(&mut shares, seats, Ending::Taken);
    let again = (0..2).flat_map(|of| (0..880).map(move |number| (of, of * 1000 + number))).filter_map(|(of, number)| {
        shares.admit(organization(of), webhook(number), Standing::Proven, Asks::WhatWaits, NOW).ok()
    });
    assert_eq!(again.count(), FAILING as usize);
    assert!(shares.admit(organization(9), webhook(9000), Standing::Untried, Asks::WhatWaits, NOW).is_ok());
}

#[test]
fn what_is_new_stands_behind_what_waits_for_the_same_webhook() {
    let mut shares = Shares::default();
    let first = shares.admit(organization(0), webhook(1), Standing::Failing, Asks::WhatWaits, NOW).unwrap();
    assert!(shares.admit(organization(0), webhook(1), Standing::Failing, Asks::WhatWaits, NOW).is_err());
    shares.end(&first, Ending::Taken, NOW);
    assert!(shares.admit(organization(0), webhook(1), Standing::Proven, Asks::WhatIsNew, NOW).is_err());
    let waited = shares.admit(organization(0), webhook(1), Standing::Proven, Asks::WhatWaits, NOW).unwrap();
    assert!(
        shares.admit(organization(0), webhook(1), Standing::Proven, Asks::WhatIsNew, NOW).is_ok(),
        "nothing waits any more"
    );
    shares.end(&waited, Ending::Taken, NOW);
}

#[test]
fn a_success_is_a_recovery_if_the_one_before_is_not_known_to_be_one() {
    for (standing, recovers) in [(Standing::Failing, true), (Standing::Untried, true), (Standing::Proven, false)] {
        let mut shares = Shares::default();
        let first = shares.admit(organization(0), webhook(1), standing, Asks::WhatWaits, NOW).unwrap();
        assert_eq!(shares.end(&first, Ending::Taken, NOW), recovers, "{standing:?}");
    }
    let mut shares = Shares::default();
    let seats: Vec<_> = taken_by(&mut shares, 1, Standing::Proven);
    let endings = [
        (Ending::Taken, false),
        (Ending::Failed, false),
        (Ending::Unknown, false),
        (Ending::Taken, true),
        (Ending::Taken, false),
        (Ending::Hung, false),
        (Ending::Taken, true),
    ];
    for (seat, (ending, recovers)) in seats.iter().zip(endings) {
        assert_eq!(shares.end(seat, ending, NOW), recovers, "{ending:?}");
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut shares = Shares::default();
    for number in 0..(REMEMBERED as u128 * 3) {
        let seat = shares.admit(organization(number), webhook(number), Standing::Untried, Asks::WhatWaits, NOW).unwrap();
        shares.end(&seat, Ending::Taken, NOW);
    }
    assert!(shares.webhooks.len() <= REMEMBERED && shares.organizations.is_empty());
}

proptest! {
    #[test]
    fn whatever_happens_no_place_is_lost_or_given_twice(
        steps in prop::collection::vec((0..4_u8, 0..3_u128, 0..5_u128, 0..3_usize, 0..40_usize), 1..400),
    ) {
        let standings = [Standing::Proven, Standing::Untried, Standing::Failing];
        let endings = [Ending::Taken, Ending::Failed, Ending::Hung, Ending::Unknown];
        let (mut shares, mut seats) = (Shares::default(), Vec::<Seat>::new());
        for (step, of, to, which, index) in steps {
            match step {
                0 => seats.extend(shares.admit(organization(of), webhook(of * 10 + to), standings[which], Asks::WhatWaits, NOW).ok()),
                1 => seats.extend(shares.admit_test(organization(of), webhook(of * 10 + to))),
                2 => if let Some(seat) = seats.get_mut(index) { shares.slow(seat) },
                _ => if index < seats.len() { let _ = shares.end(&seats.remove(index), endings[which + usize::from(index % 2 == 0)], NOW); },
            }
            prop_assert_eq!(shares.free() as usize, ALL as usize - seats.len());
            let of_organizations: u32 = shares.organizations.values().map(Taken::all).sum();
            prop_assert_eq!(of_organizations as usize, seats.len());
            let lines: u32 = shares.webhooks.values().map(|line| line.under_way).sum::<u32>() + shares.tests.values().sum::<u32>();
            prop_assert_eq!(lines as usize, seats.len());
            let slow: u32 = shares.webhooks.values().map(|line| line.slow).sum();
            prop_assert_eq!(slow as usize, seats.iter().filter(|seat| seat.is_slow).count());
            let held: HashSet<WebhookId> = seats.iter().map(|seat| seat.webhook).collect();
            let of_tests: HashSet<WebhookId> = shares.tests.keys().map(|(_, webhook)| *webhook).collect();
            prop_assert!(held.iter().all(|webhook| shares.webhooks.contains_key(webhook) || of_tests.contains(webhook)));
        }
    }
}
