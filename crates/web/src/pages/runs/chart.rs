//! The pass rate over the last runs, one line an agent.
//!
//! Drawn here, in two widths of which the style sheet shows one, so that its labels are readable on every screen. The same figures
//! stand below it as a table.

mod plot;
mod series;

use std::cmp::Reverse;

use maud::{Markup, html};
use preclinical_core::{
    id::{AgentId, OrganizationId},
    port::{Page, RunFilter, StoreError},
    run::{Run, RunStatus},
};

use self::series::{MOST_SERIES, Series};
use super::verdicts;
use crate::{
    app::App,
    pages::parts::{self, time},
};

/// How many runs are shown at most.
const MOST_RUNS: u32 = 100;

/// The last runs that ended with a verdict on some scenario, oldest first. Canceled ones are not among them: what somebody cut short
/// says nothing about its agent.
pub(super) async fn last_judged(
    app: &App,
    organization: OrganizationId,
    agent_id: Option<AgentId>,
) -> Result<Vec<Run>, StoreError> {
    let mut judged = Vec::new();
    for status in [RunStatus::Completed, RunStatus::Failed] {
        let filter = RunFilter { status: Some(status), agent_id };
        let (runs, _) = app.store.runs(organization, filter, Page { limit: MOST_RUNS, offset: 0 }).await?;
        judged.extend(runs.into_iter().filter(|run| run.tally.judged() > 0));
    }
    judged.sort_by_key(|run| Reverse(run.number));
    judged.truncate(MOST_RUNS as usize);
    judged.reverse();
    Ok(judged)
}

/// The chart with its legend and its figures.
pub(super) fn card(judged: &[Run], one_agent: bool) -> Markup {
    let (series, is_cut) = Series::of(judged);
    let about = match series.iter().map(|series| series.points.len()).sum::<usize>() {
        0 => None,
        1 => Some("One run has ended so far. A line begins with the second.".to_owned()),
        count => {
            Some(format!("The last {count} runs that ended with a verdict, in their order. Canceled runs are left out."))
        }
    };
    let content = html! {
        @if series.is_empty() {
            p.muted { "No run has ended with a verdict yet. When one does, its pass rate is shown here." }
        } @else {
            div.chart-wide { (plot::drawn(&series, plot::WIDE)) }
            div.chart-narrow { (plot::drawn(&series, plot::NARROW)) }
            (legend(&series, one_agent))
            @if is_cut {
                p.small.muted { "The " (MOST_SERIES) " agents with the latest runs are shown. Choose an agent below to see another one." }
            }
            (figures(&series))
        }
    };
    parts::card("Pass rate", about.as_deref(), &content)
}

fn legend(series: &[Series<'_>], one_agent: bool) -> Markup {
    html! {
        ul.legend {
            @for (index, each) in (0..).zip(series) {
                li {
                    (plot::sample(index))
                    @if one_agent { span.clip { (each.name) } }
                    @else { a.plain-link.clip href=(super::list::of_agent(each.agent)) title=(each.name) { (each.name) } }
                    span.number { strong { (verdicts::percent(each.latest())) } span.muted { " latest · " (each.average()) " on average" } }
                }
            }
        }
    }
}

fn figures(series: &[Series<'_>]) -> Markup {
    let mut runs: Vec<&Run> = series.iter().flat_map(|series| &series.points).map(|point| point.run).collect();
    runs.sort_by_key(|run| Reverse(run.number));
    html! {
        details.more.small id="figures" {
            summary { "The figures as a table" }
            div.table-box {
                table {
                    thead {
                        tr {
                            @for name in ["Run", "Agent", "Ended"] { th scope="col" { (name) } }
                            th.end scope="col" { "Pass rate" }
                        }
                    }
                    tbody {
                        @for run in runs {
                            tr {
                                td { a href={ "/test/" (run.id) } { (run.number) } }
                                td { span.clip { (run.agent_name) } }
                                td { (time::time(run.completed_at.unwrap_or(run.created_at))) }
                                td.end.number { (verdicts::percent(run.tally.pass_rate())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
