//! Runs as rows of a table.

use maud::{Markup, html};
use preclinical_core::run::Run;

use super::verdicts;
use crate::pages::parts::{badge, time};

/// The runs, in their order.
pub(super) fn table(runs: &[Run]) -> Markup {
    html! {
        div.table-box {
            table.folds.runs {
                thead {
                    tr {
                        @for name in ["Run", "Agent", "Status", "Verdicts"] { th scope="col" { (name) } }
                        @for name in ["Duration", "When"] { th.end scope="col" { (name) } }
                    }
                }
                tbody { @for run in runs { (row(run)) } }
            }
        }
    }
}

fn row(run: &Run) -> Markup {
    html! {
        tr id={ "run-" (run.id) } {
            td {
                a.strong-link.clip href={ "/test/" (run.id) } title=(run.name) { (run.name) }
                span.small.muted.number { (run.number) }
            }
            td data-label="Agent" { a.plain-link.clip href=(super::list::of_agent(run.agent_id)) title=(run.agent_name) { (run.agent_name) } }
            td data-label="Status" { (badge::of_run(run.status)) }
            td data-label="Verdicts" {
                div.meter {
                    div.rated { (verdicts::bar(run.tally)) @if let Some(rate) = verdicts::rate(run.status, run.tally) { strong.number { (rate) span.sr { " passed" } } } }
                    (verdicts::counts(run.tally))
                }
            }
            td.end.number.nowrap data-label="Duration" { (or_none(duration(run))) }
            td.end.nowrap data-label="When" { (time::ago(run.created_at)) }
        }
    }
}

/// How long a run took; `None` while it has not ended, or if it never began.
pub(super) fn duration(run: &Run) -> Option<String> {
    run.started_at.and(run.completed_at)?;
    Some(match run.duration_seconds() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => time::duration(seconds.saturating_mul(1000)),
    })
}

/// A value, or what stands where there is none.
pub(super) fn or_none(value: Option<String>) -> Markup {
    html! { @if let Some(value) = value { (value) } @else { span.muted { "–" } } }
}
