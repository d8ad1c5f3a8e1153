//! What the run is, how it stands, and how to end it.

use maud::{Markup, html};
use preclinical_core::run::{Run, RunRef};

use super::path_of;
use crate::pages::{
    door::Visitor,
    parts::{self, Icon, badge, time},
    runs::{list, rows, verdicts},
    shell,
};

/// The head of the page.
pub(super) fn of(visitor: &Visitor, run: &Run) -> Markup {
    let about = html! {
        span.line {
            (badge::of_run(run.status))
            span.number { (run.number) }
            span aria-hidden="true" { "·" }
            a.plain-link.clip href=(list::of_agent(run.agent_id)) title="All runs of this agent" { (run.agent_name) }
            @if !run.status.is_final() { span aria-hidden="true" { "·" } span.live { "Reload to see what is new" } }
        }
    };
    let may_cancel = !run.status.is_final() && visitor.member.role.may_change();
    parts::page_head(&run.name, &about, &html! { @if may_cancel { (cancel(visitor, run)) } })
}

fn cancel(visitor: &Visitor, run: &Run) -> Markup {
    html! {
        details.asks id="cancel" {
            summary.button.danger id="cancel-asks" { (Icon::Stop.sized(16)) "Cancel run" }
            form method="post" action={ (path_of(RunRef::Id(run.id))) "/cancel" } {
                (shell::csrf(visitor))
                p { "The run ends now and takes no more results. Its webhook is sent with the status " code { "canceled" } "." }
                button.button.destructive id="cancel-does" { "Cancel this run" }
            }
        }
    }
}

/// Counts and times, and how far it is.
pub(super) fn stats(run: &Run, reported: u32) -> Markup {
    let tally = run.tally;
    html! {
        section.card.overview aria-label="Overview" {
            dl.stats {
                div { dt { "Pass rate" } dd { (rows::or_none(verdicts::rate(run.status, run.tally))) } }
                div { dt { "Passed" } dd { (tally.passed) } }
                div { dt { "Failed" } dd { (tally.failed) } }
                div { dt { "Errors" } dd { (tally.error) } }
                div { dt { "Scenarios" } dd { (tally.total) } }
                div { dt { "Duration" } dd { (rows::or_none(rows::duration(run))) } }
            }
            div.card-foot {
                @if run.status.is_final() { (verdicts::bar(tally)) } @else { (progress(run, reported)) }
                span.times {
                    @match run.started_at {
                        Some(at) => { span { "Started " (time::time(at)) } },
                        None => { span { "Created " (time::time(run.created_at)) ", not started" @if !run.status.is_final() { " yet" } } },
                    }
                    @if let Some(at) = run.completed_at { span { "Ended " (time::time(at)) } }
                }
            }
        }
    }
}

/// How many of its scenarios are in. Without an announced size nobody knows how far it is.
fn progress(run: &Run, reported: u32) -> Markup {
    let total = run.tally.total;
    html! {
        div.meter {
            @if reported < total {
                label for="progress" { (reported) " of " (total) " scenarios are in" }
                progress.progress id="progress" value=(reported) max=(total) {}
            } @else if reported == 1 { span { "1 scenario is in so far" } }
            @else { span { (reported) " scenarios are in so far" } }
        }
    }
}
