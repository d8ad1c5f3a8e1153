//! How PostgreSQL goes about the queue: however much waits or has ended, it looks at nothing else than what is wanted.

use jiff::Timestamp;
use preclinical_core::id::{DeliveryId, LeaseToken};
use uuid::Uuid;

use super::{
    NEXT_DUE,
    canceling::{BOUND, FIRST, LATER, canceled, locked},
    claim::{OLDEST, STARTED, WANTED},
    recording::{ENDED, LOCKED, MOVED_ON},
    turns::{ORGANIZATIONS, TURNS},
};
use crate::{
    history::plans::{Planner, id, organization, webhook},
    row::{Id, Param, Time},
};

#[tokio::test]
async fn what_is_due_is_found_by_an_index_and_in_its_order() {
    let Some(planner) = Planner::new().await else { return };
    let none = None::<Uuid>;
    let places = [(None, None), (Some(Time(Timestamp::UNIX_EPOCH)), Some(Uuid::nil()))];
    for (due_at, last) in places {
        let mut indexes = planner.indexes(OLDEST, &[&Time(Timestamp::MAX), &10_i64, &none, &due_at, &last]).await;
        indexes.sort_unstable();
        assert_eq!(indexes, ["deliveries_due", "nodes_pkey", "webhook_health_pkey"]);
    }
    assert_eq!(planner.indexes(NEXT_DUE, &[&none]).await, ["deliveries_due", "nodes_pkey"]);
}

#[tokio::test]
async fn going_on_to_the_next_one_reads_nothing_that_waits_before_it() {
    let Some(planner) = Planner::new().await else { return };
    let (nil, none) = (Uuid::nil(), None::<Uuid>);
    assert_eq!(planner.indexes(ORGANIZATIONS, &[&nil, &16_i64]).await, ["deliveries_waiting"]);
    let (organizations, webhooks) = (vec![Id(organization())], vec![Id(webhook())]);
    let plan = planner.plan(TURNS, &[&organizations, &webhooks, &8_i64, &8_i64, &Time(Timestamp::MAX), &none]).await;
    let scans = |table: &str| plan.iter().filter(|line| line.contains(table) && line.contains("Scan")).count();
    let by_index = |table: &str| plan.iter().filter(|line| line.contains("Index") && line.contains(table)).count();
    assert_eq!(scans(" on deliveries"), by_index("_organization_id_webhook_id_due_at_idx on deliveries"), "{plan:#?}");
}

#[tokio::test]
async fn what_a_webhook_still_has_to_send_is_found_without_its_history() {
    let Some(planner) = Planner::new().await else { return };
    let of_webhook = ["deliveries_pending_of_webhook"];
    let (webhook, from, before) = (&Id(webhook()), &Uuid::nil(), &Uuid::max());
    assert_eq!(planner.indexes(BOUND, &[webhook, from, &1000_i64]).await, of_webhook);
    for part in [FIRST, LATER] {
        assert_eq!(planner.indexes(&locked(part), &[webhook, before, from]).await, of_webhook);
        let mut indexes = planner.indexes(&canceled(part), &[webhook, before, from, &Time(Timestamp::MAX)]).await;
        // The other one says whether we have disabled the webhook.
        indexes.retain(|index| !index.starts_with("webhooks_"));
        assert_eq!(indexes, of_webhook);
    }
}

#[tokio::test]
async fn what_is_claimed_or_recorded_is_looked_for_in_its_weeks_alone() {
    let Some(planner) = Planner::new().await else { return };
    let ids = vec![Id(DeliveryId::from_uuid(id(6, 0))), Id(DeliveryId::from_uuid(id(6, 1)))];
    let (numbers, tokens, times) =
        (vec![1_i64, 1], vec![Id(LeaseToken::from_uuid(Uuid::nil())); 2], vec![Time(Timestamp::MAX); 2]);
    let flags = vec![false, true];
    let (texts, maybe_number) = (vec!["", ""], vec![None::<i64>, None]);
    let (maybe_text, maybe_time) = (vec![None::<String>, None], vec![None::<Time>, None]);
    let none = None::<Uuid>;
    let statements: [(&str, Vec<&dyn Param>); 5] = [
        (WANTED, vec![&ids]),
        (STARTED, vec![&ids, &numbers, &tokens, &times, &texts, &times[0], &none]),
        (LOCKED, vec![&ids]),
        (
            ENDED,
            vec![
                &ids,
                &numbers,
                &numbers,
                &maybe_number,
                &maybe_text,
                &maybe_text,
                &maybe_number,
                &maybe_number,
                &maybe_number,
                &maybe_number,
            ],
        ),
        (MOVED_ON, vec![&ids, &texts, &maybe_time, &maybe_time, &maybe_number, &numbers, &numbers, &flags]),
    ];
    for (sql, parameters) in statements {
        let plan = planner.plan(sql, &parameters).await;
        let names = |part: &str| plan.iter().any(|line| line.contains(part));
        assert!(names("_20261102") && !names("_20261109") && !names("_other"), "{plan:#?}");
    }
}
