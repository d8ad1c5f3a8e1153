//! The rules of the store port, for every store. A rule that is not here does not exist.
//!
//! Each rule is a function of the name that its test has. A store's crate stamps out the tests:
//!
//! ```ignore
//! preclinical_testkit::conformance_suite!(fresh_store);
//! ```
//!
//! where `fresh_store` is an `async fn() -> Option<(Arc<dyn Store>, impl Home)>`; the home is dropped after the test, and `None` is what was
//! left out knowingly.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use preclinical_core::port::Store;

pub mod access;
pub mod accounts;
pub mod administration;
pub mod admission;
pub mod changes;
pub mod custom_headers;
pub mod death;
pub mod decisions;
pub mod health;
pub mod history;
pub mod idempotency;
pub mod intake;
pub mod invitations;
pub mod missed;
pub mod queue;
pub mod recovery;
pub mod redeliveries;
pub mod reveals;
pub mod upkeep;

/// Where the rows of a store are, which outlive the process that wrote them.
#[async_trait]
pub trait Home: Send + Sync {
    /// The process dies that the store of the test belongs to, and another one finds that out. Answers the store as that one has it,
    /// and how many deliveries were due to it by that.
    async fn take_over(&self, now: Timestamp) -> (Arc<dyn Store>, u64);
}

/// What each of these calls answers when all of them are under way at once.
async fn race<T: Send + 'static>(calls: impl Iterator<Item = impl Future<Output = T> + Send + 'static>) -> Vec<T> {
    let racing: Vec<_> = calls.map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for one in racing {
        answers.push(one.await.unwrap());
    }
    answers
}

/// Makes one test of each rule for the store that `$fresh` opens.
#[macro_export]
macro_rules! conformance_suite {
    ($fresh:path) => {
        $crate::conformance_suite!(@role $fresh, access: [
            an_organization_is_created_once
            organizations_are_listed_by_their_slugs
            a_key_is_found_by_its_hash_and_names_are_unique
            a_key_comes_back_as_it_was_created
            a_key_created_again_under_its_id_takes_the_place_of_the_first
            a_revoked_key_is_unknown_at_once_and_its_name_free_again
            an_expired_key_is_unknown_from_its_end_on
            of_racing_keys_of_one_name_one_is_kept
            the_latest_use_of_a_key_is_noted
        ]);
        $crate::conformance_suite!(@role $fresh, accounts: [
            a_member_is_found_by_address_with_the_hash_of_the_password
            members_are_listed_the_earliest_first
            a_role_changes_within_its_organization
            an_organization_keeps_an_owner
            of_owners_who_all_leave_at_once_one_stays
            a_removed_member_is_gone_with_sessions_and_password_resets
            what_a_member_made_as_an_owner_opens_nothing_afterwards
            a_changed_password_voids_resets
            a_changed_password_ends_all_sessions_but_one
            who_is_signed_in_is_told_until_the_session_expires
            the_beginning_of_the_newest_session_is_noted
            a_session_needs_a_member
            a_session_begins_only_under_the_password_that_was_checked
            a_session_that_begins_forgets_what_has_expired
            a_member_has_so_many_sessions_and_the_oldest_ends
            an_ended_session_is_unknown_at_once
        ]);
        $crate::conformance_suite!(@role $fresh, administration: [
            names_of_agents_are_unique_in_an_organization
            only_the_given_fields_of_an_agent_change
            an_agents_configuration_comes_back_as_it_was_set
            a_deleted_agent_is_seen_by_nobody_and_its_runs_still_end
            a_level_has_one_webhook_however_many_calls_race
            a_webhook_is_found_at_its_level
            a_webhook_needs_an_agent_of_its_organization
            only_the_given_fields_of_a_webhook_change
            a_change_or_deletion_of_another_version_than_expected_is_refused
            of_racing_changes_of_one_version_one_is_made
            a_rotation_made_again_leaves_the_secret_before_it_in_its_overlap
            disabling_or_deleting_a_webhook_cancels_what_is_pending
            a_change_of_a_disabled_webhook_leaves_its_tests_alone
            a_changed_url_and_secret_apply_to_the_next_attempt
            a_rotated_secret_signs_behind_the_new_one_until_its_overlap_ends
            test_suites_are_listed_newest_first_and_runs_may_be_of_one
        ]);
        $crate::conformance_suite!(@role $fresh, admission: [
            what_is_not_admitted_stays_due
            whoever_asks_is_known_by_how_its_webhook_fared
            the_oldest_are_asked_first
            however_much_waits_for_a_place_it_holds_up_nobody_else
            an_organization_that_may_have_no_more_holds_up_no_other
            everybody_has_a_turn_however_many_there_are
            a_webhook_with_much_waiting_has_its_turn_among_others_that_wait
            what_was_admitted_once_is_claimed_once
            a_full_house_is_asked_no_further
        ]);
        $crate::conformance_suite!(@role $fresh, changes: [
            a_watch_rings_for_every_commit_that_changes_its_organization
            a_watch_does_not_ring_for_another_organization
            a_delivery_is_read_after_each_of_its_changes_and_once_after_all
            changes_are_read_in_their_order_and_in_pieces
            a_follower_of_racing_changes_misses_none
            the_progress_of_a_run_is_read_from_any_place_on
        ]);
        $crate::conformance_suite!(@role $fresh, custom_headers: [
            custom_headers_come_with_every_claim_of_their_webhook
            custom_headers_are_replaced_as_a_whole_and_one_without_a_value_keeps_its_own
            a_refused_change_of_custom_headers_changes_nothing_else_either
            custom_headers_outlast_every_other_change_of_their_webhook
            custom_headers_are_gone_with_their_webhook
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
        $crate::conformance_suite!(@role $fresh, invitations: [
            an_invitation_to_set_up_takes_the_place_of_the_earlier_one
            nothing_is_set_up_once_there_is_an_owner
            of_racing_setups_of_an_organization_one_is_accepted
            an_invitation_makes_a_member_of_its_role_once
            an_invitation_makes_one_member_however_many_calls_race
            an_invitation_is_in_force_until_it_expires
            invitations_are_listed_newest_first
            a_withdrawn_invitation_is_unknown_at_once
            an_invitation_stays_when_the_address_is_taken
            of_racing_members_of_one_address_one_joins
            an_organization_has_so_many_invitations_to_join_and_no_more
            an_invitation_that_is_kept_forgets_what_has_expired
            a_password_reset_takes_the_place_of_the_earlier_one
            a_password_reset_needs_a_member_of_its_organization
            a_password_reset_works_once_and_ends_every_session
            an_invitation_opens_nothing_but_its_purpose
        ]);
        $crate::conformance_suite!(@role $fresh, queue: [
            a_delivery_is_due_at_once_and_claimed_by_one_of_many
            nothing_is_claimed_before_it_is_due
            a_lease_that_ended_is_claimed_again_and_its_late_record_refused
            a_record_moves_its_delivery_on
            a_receiver_that_is_gone_disables_its_webhook
            however_much_is_pending_all_of_it_is_canceled
            a_success_is_never_forgotten
            the_health_of_a_webhook_follows_its_attempts
            a_test_is_made_once_and_leaves_the_webhook_alone
            a_redelivery_is_a_new_delivery_of_the_same_event
            a_repeated_test_is_a_test_that_is_made_once
            a_pending_delivery_can_be_canceled_and_one_that_has_ended_cannot
            an_attempt_under_way_when_its_delivery_is_canceled_is_still_recorded
        ]);
        $crate::conformance_suite!(@role $fresh, health: [
            a_streak_lasts_from_its_first_failure_to_the_next_success
            a_webhook_that_does_nothing_but_fail_for_too_long_is_disabled
            a_webhook_is_given_up_when_both_its_time_and_its_deliveries_are_over
            a_success_or_a_test_brings_no_webhook_nearer_to_its_end
            a_webhook_that_is_enabled_again_begins_a_new_streak
            webhooks_that_we_disabled_are_listed_until_somebody_enables_or_deletes_them
            the_organization_is_told_when_an_agents_webhook_is_disabled
            nobody_is_told_of_the_organizations_own_webhook_or_if_there_is_none
            of_racing_failures_one_disables_the_webhook_and_the_organization_is_told_once
        ]);
        $crate::conformance_suite!(@role $fresh, missed: [
            runs_that_end_while_we_have_their_webhook_disabled_are_missed
            what_a_webhook_missed_is_replayed_oldest_first
            of_what_was_missed_the_newest_run_of_each_agent_can_be_replayed_alone
            what_was_missed_is_in_the_hands_of_one_job
        ]);
        $crate::conformance_suite!(@role $fresh, recovery: [
            what_a_webhook_missed_is_replayed_once_when_it_has_recovered
            nothing_is_replayed_by_itself_that_its_owner_does_not_wish_for
            of_what_was_missed_the_newest_run_of_each_agent_is_replayed_alone_if_that_is_the_wish
            of_racing_callers_one_replays_what_a_webhook_missed
            as_many_are_replayed_at_once_as_there_are_ids
            a_webhook_that_fails_again_is_replayed_nothing_before_it_recovers_again
            a_webhook_that_is_enabled_again_is_replayed_nothing_before_it_takes_something
            a_replay_that_somebody_stopped_does_not_begin_again_by_itself
            a_replay_that_found_its_webhook_disabled_begins_again_after_a_success
            what_fails_in_every_replay_is_left_out_in_the_end
        ]);
        $crate::conformance_suite!(@role $fresh, decisions: [
            an_ending_says_of_every_webhook_what_was_decided
            what_was_decided_never_changes
            a_decision_shows_its_delivery_as_it_is_now
            a_webhook_that_we_disabled_is_remembered_with_the_reason
            the_webhook_in_force_is_the_one_that_a_run_would_be_judged_by
        ]);
        $crate::conformance_suite!(@role $fresh, history: [
            runs_are_listed_newest_first_and_filtered
            results_are_paged_with_those_first_that_need_a_look
            pages_of_deliveries_stay_where_they_are_while_rows_arrive
            deliveries_are_filtered
            a_searched_id_finds_what_belongs_to_it
            what_was_sent_and_answered_is_kept_to_the_byte
            a_size_that_no_body_has_keeps_nothing_from_being_recorded
            where_the_time_of_an_attempt_went_is_kept_to_the_microsecond
            another_organizations_rows_are_missing_rows
        ]);
        $crate::conformance_suite!(@role $fresh, idempotency: [
            of_32_callers_with_one_key_one_carries_out
            an_answer_is_given_again_to_the_byte
            a_key_belongs_to_the_body_it_came_with
            a_call_that_was_given_back_keeps_its_subject_for_the_same_body_alone
            a_call_whose_time_is_up_is_begun_again_and_its_late_answer_ignored
            a_day_later_a_call_is_a_new_one_and_the_oldest_are_forgotten
            what_is_created_again_under_its_id_is_what_is_there
            an_ending_that_is_repeated_ends_the_run_once
            a_redelivery_that_is_repeated_is_written_once
        ]);
        $crate::conformance_suite!(@role $fresh, redeliveries: [
            a_job_repeats_what_it_counted_once_and_oldest_first
            a_jobs_set_is_fixed_when_it_is_created
            a_job_has_few_deliveries_pending_at_once
            of_several_deliveries_of_an_event_to_a_webhook_the_newest_is_repeated
            what_can_no_longer_be_sent_is_skipped_and_counted
            a_selection_restricts_as_the_filter_of_the_history_does
            a_canceled_job_writes_nothing_more
            steps_that_race_repeat_nothing_twice
            a_job_is_created_once_under_its_id
            a_job_of_nothing_is_completed_at_once
            jobs_are_listed_newest_first_and_belong_to_their_organization
        ]);
        $crate::conformance_suite!(@role $fresh, reveals: [
            a_revealed_secret_is_the_one_in_force_and_who_saw_it_is_noted
            where_nothing_is_shown_nothing_is_noted
            only_the_newest_reveals_of_a_webhook_are_kept
            the_reveals_of_a_webhook_are_deleted_with_it
        ]);
        $crate::conformance_suite!(@role $fresh, upkeep: [
            a_living_process_keeps_what_it_holds
            what_a_process_leaves_is_due_at_once
            deliveries_that_ended_long_ago_are_forgotten_with_all_that_was_sent
            a_store_that_reads_and_writes_is_well
        ]);
        $crate::conformance_suite!(@home $fresh, death: [
            leases_of_the_dead_are_due_again_at_once
            a_late_record_of_the_dead_is_taken_until_somebody_claims
            what_was_canceled_under_way_is_interrupted_if_its_process_died
            calls_of_the_dead_can_be_begun_again_at_once
        ]);
    };
    (@home $fresh:path, $role:ident: [$($rule:ident)*]) => {
        mod $role {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    let Some((store, home)) = $fresh().await else { return };
                    $crate::conformance::$role::$rule(store, &home).await;
                }
            )*
        }
    };
    (@role $fresh:path, $role:ident: [$($rule:ident)*]) => {
        mod $role {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    let Some((store, home)) = $fresh().await else { return };
                    $crate::conformance::$role::$rule(store).await;
                    drop(home);
                }
            )*
        }
    };
}
