//! The scenarios' results: those first that need a look.

use maud::{Markup, html};
use preclinical_core::{
    port::{Page, ResultsPage},
    run::Run,
    scenario::{ScenarioResult, ScenarioStatus},
};

use super::{Asked, results_at, scenario};
use crate::{
    app::App,
    pages::parts::{self, Icon, badge},
};

/// A page of the results, by their verdicts.
pub(super) fn of(app: &App, asked: &Asked, found: &ResultsPage) -> Markup {
    let total = found.total(asked.status);
    html! {
        section.card {
            div.card-head {
                h2 { "Results" }
                @if found.total(None) > 0 { (choice(asked, found)) }
            }
            @if found.results.is_empty() { (nothing(asked, found)) } @else {
                @for group in found.results.chunk_by(|one, next| one.status == next.status) {
                    (group_of(app, asked, found, group))
                }
            }
            @if total > super::ROWS { (pager(asked, &found.run, total)) }
        }
    }
}

fn choice(asked: &Asked, found: &ResultsPage) -> Markup {
    let verdicts = ScenarioStatus::BY_CONCERN.map(|status| (Some(status), badge::of_scenario(status).word));
    html! {
        nav.choice aria-label="Results by verdict" {
            @for (status, name) in [(None, "All")].into_iter().chain(verdicts) {
                a.button.little href=(results_at(&found.run, status, 1)) aria-current=[(asked.status == status).then_some("true")] {
                    (name) " " span.number { (found.total(status)) }
                }
            }
        }
    }
}

fn group_of(app: &App, asked: &Asked, found: &ResultsPage, group: &[ScenarioResult]) -> Markup {
    let Some(status) = group.first().map(|result| result.status) else { return html! {} };
    let total = found.total(Some(status));
    let is_open = status != ScenarioStatus::Passed || asked.status == Some(status) || found.total(None) == total;
    html! {
        details.group id={ "group-" (status.as_str()) } open[is_open] {
            summary id={ "group-" (status.as_str()) "-name" } {
                h3 { (badge::of_scenario(status)) }
                span.small.muted.number {
                    @if group.len() as u64 == u64::from(total) { (total) } @else { (group.len()) " of " (total) " on this page" }
                }
            }
            ul.scenarios { @for result in group { li { (scenario::of(app, &found.run, result)) } } }
        }
    }
}

fn nothing(asked: &Asked, found: &ResultsPage) -> Markup {
    let run = &found.run;
    let (icon, title, why) = if found.total(None) > 0 {
        match asked.status {
            Some(_) if found.total(asked.status) == 0 => (Icon::Search, "None", "No scenario of this run has that verdict."),
            _ => (Icon::Search, "The list ends before this page", "There are fewer results."),
        }
    } else if !run.status.is_final() {
        (Icon::Clock, "Nothing reported yet", "Results appear here as they come in.")
    } else if run.tally.judged() > 0 {
        (Icon::Info, "Counts only", "The runner told how many scenarios passed and failed, but not which.")
    } else {
        (Icon::Inbox, "No results", "The run ended before a scenario was reported.")
    };
    let action = html! { @if found.total(None) > 0 { a.button href=(results_at(run, None, 1)) { "Show all results" } } };
    html! { div.empty { (icon.sized(28)) h3 { (title) } p { (why) } (action) } }
}

fn pager(asked: &Asked, run: &Run, total: u32) -> Markup {
    let Page { offset, .. } = asked.page.page();
    let total = u64::from(total);
    let last = u64::from(offset).saturating_add(u64::from(super::ROWS)).min(total);
    let about = html! {
        @if u64::from(offset) < total { (u64::from(offset) + 1) "–" (last) " of " (total) } @else { (total) " results" }
    };
    let at = |page: Option<u32>, name| page.map(|page| (results_at(run, asked.status, page), name));
    parts::pager("Pages of results", &about, at(asked.page.before(total), "Previous"), at(asked.page.next(total), "Next"))
}
