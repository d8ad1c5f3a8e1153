//! One scenario's result: the verdict, and behind it the evidence.

use maud::{Markup, html};
use preclinical_core::{
    run::Run,
    scenario::{ScenarioResult, ScenarioStatus},
};
use sha2::{Digest, Sha256};

use super::{
    criteria,
    cut::{self, TEXT},
    transcript,
};
use crate::{
    app::App,
    pages::parts::{
        self, Tone,
        badge::{self, Look},
        time,
    },
};

/// The result, closed until somebody wants to see more.
pub(super) fn of(app: &App, run: &Run, result: &ScenarioResult) -> Markup {
    let id = id_of(&result.scenario_id);
    html! {
        details.scenario id=(id) {
            summary id={ (id) "-name" } {
                (verdict(result.status))
                span.scenario-name {
                    span { (result.scenario_name) }
                    span.small.muted.clip { (result.scenario_id) }
                }
                @if let Some(duration) = result.duration_ms { span.small.muted.number.nowrap { (time::duration(duration)) } }
            }
            div.evidence { (evidence(app, run, result)) }
        }
    }
}

/// The verdict without its word, which stands above the group.
fn verdict(status: ScenarioStatus) -> Markup {
    let Look { tone, icon, word } = badge::of_scenario(status);
    html! { span class=(tone.class()) { (icon.sized(16)) span.sr { (word) ": " } } }
}

fn evidence(app: &App, run: &Run, result: &ScenarioResult) -> Markup {
    let is_bare = result.grade_summary.is_none()
        && result.criteria_results.is_none()
        && result.transcript.is_none()
        && result.error_message.is_none();
    html! {
        @if let Some(error) = &result.error_message { (parts::notice(Tone::Warn, &text(app, run, error))) }
        @if let Some(summary) = &result.grade_summary { (text(app, run, summary)) }
        @if let Some(criteria) = &result.criteria_results { h4 { "Criteria" } (criteria::of(app, run, criteria)) }
        @if let Some(transcript) = &result.transcript { h4 { "Transcript" } (transcript::of(app, run, transcript)) }
        @if is_bare { p.muted { "The runner reported nothing but the verdict." } }
    }
}

fn text(app: &App, run: &Run, text: &str) -> Markup {
    let (shown, is_cut) = cut::cut(text, TEXT);
    html! { p.said { (shown) } @if is_cut { (cut::note(app, run, TEXT)) } }
}

/// An id of the page for any text that is unique in its run.
fn id_of(scenario_id: &str) -> String {
    let digest = Sha256::digest(scenario_id);
    let start = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("scenario-{start:016x}")
}
