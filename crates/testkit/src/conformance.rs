//! The rules of the store port, for every store. A rule that is not here does not exist.
//!
//! Each rule is a function of the name that its test has. A store's crate stamps out the tests:
//!
//! ```ignore
//! preclinical_testkit::conformance_suite!(fresh_store);
//! ```
//!
//! where `fresh_store` is an `async fn() -> (Arc<dyn Store>, Guard)`; whatever `Guard` is, it is dropped after the test.

pub mod access;
pub mod administration;
pub mod history;
pub mod intake;
pub mod queue;
pub mod upkeep;

/// Makes one test of each rule for the store that `$fresh` opens.
#[macro_export]
macro_rules! conformance_suite {
    ($fresh:path) => {
        $crate::conformance_suite!(@role $fresh, access: [
            an_organization_is_created_once
            a_key_is_found_by_its_hash_and_names_are_unique
        ]);
        $crate::conformance_suite!(@role $fresh, administration: [
            names_of_agents_are_unique_in_an_organization
            only_the_given_fields_of_an_agent_change
            an_agents_configuration_comes_back_as_it_was_set
            a_deleted_agent_is_seen_by_nobody_and_its_runs_still_end
            a_level_has_one_webhook_however_many_calls_race
            a_webhook_needs_an_agent_of_its_organization
            only_the_given_fields_of_a_webhook_change
            disabling_or_deleting_a_webhook_cancels_what_is_pending
            a_changed_url_and_secret_apply_to_the_next_attempt
            a_rotated_secret_signs_behind_the_new_one_until_its_overlap_ends
            test_suites_are_listed_newest_first_and_runs_may_be_of_one
        ]);
        $crate::conformance_suite!(@role $fresh, intake: [
            numbers_have_no_gaps_however_many_calls_race
            a_run_needs_an_agent_of_its_organization
            results_are_counted_and_a_repetition_changes_nothing
            a_report_is_taken_as_a_whole_or_not_at_all
            an_open_run_takes_so_many_results_and_no_more
            the_last_planned_result_completes_the_run_and_writes_its_delivery
            a_final_run_takes_no_other_results
            of_64_racing_endings_one_wins_and_one_delivery_is_written
            racing_last_results_complete_a_run_once
            a_runners_counts_are_taken_only_without_results
            a_run_that_never_started_has_no_start
            the_webhook_in_force_is_chosen_when_the_run_ends
            an_ending_with_a_lease_comes_back_claimed_with_its_attempt_started
        ]);
        $crate::conformance_suite!(@role $fresh, queue: [
            a_delivery_is_due_at_once_and_claimed_by_one_of_many
            nothing_is_claimed_before_it_is_due
            a_lease_that_ended_is_claimed_again_and_its_late_record_refused
            a_record_moves_its_delivery_on
            a_receiver_that_is_gone_disables_its_webhook
            a_success_is_never_forgotten
            the_health_of_a_webhook_follows_its_attempts
            a_test_is_made_once_and_leaves_the_webhook_alone
            a_redelivery_is_a_new_delivery_of_the_same_event
        ]);
        $crate::conformance_suite!(@role $fresh, history: [
            runs_are_listed_newest_first_and_filtered
            pages_of_deliveries_stay_where_they_are_while_rows_arrive
            deliveries_are_filtered
            what_was_sent_and_answered_is_kept_to_the_byte
            another_organizations_rows_are_missing_rows
        ]);
        $crate::conformance_suite!(@role $fresh, upkeep: [
            leases_of_the_dead_are_due_again_at_once
        ]);
    };
    (@role $fresh:path, $role:ident: [$($rule:ident)*]) => {
        mod $role {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    let (store, guard) = $fresh().await;
                    $crate::conformance::$role::$rule(store).await;
                    drop(guard);
                }
            )*
        }
    };
}
