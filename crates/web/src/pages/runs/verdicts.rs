//! How many scenarios passed, failed and ended in an error: as a bar, as counts, and in percent.

use maud::{Markup, html};
use preclinical_core::{
    run::RunStatus,
    tally::{PassRate, Tally},
};

use crate::pages::parts::{Icon, Tone};

/// The counts as parts of a bar; what is left of it has no verdict.
pub(super) fn bar(tally: Tally) -> Markup {
    let (passed, failed, error) = (u64::from(tally.passed), u64::from(tally.failed), u64::from(tally.error));
    let whole = u64::from(tally.total).max(tally.judged()).max(1);
    let parts = [("fill-good", 0, passed), ("fill-bad", passed, failed), ("fill-warn", passed + failed, error)];
    html! {
        div.bar {
            svg viewBox={ "0 0 " (whole) " 1" } preserveAspectRatio="none" aria-hidden="true" {
                @for (class, from, count) in parts {
                    @if count > 0 { rect class=(class) x=(from) width=(count) height="1" {} }
                }
            }
        }
    }
}

/// The counts themselves.
pub(super) fn counts(tally: Tally) -> Markup {
    let left = u64::from(tally.total).saturating_sub(tally.judged());
    html! {
        span.verdicts {
            (count(Tone::Good, Icon::Check, tally.passed.into(), "passed"))
            (count(Tone::Bad, Icon::Cross, tally.failed.into(), "failed"))
            (count(Tone::Warn, Icon::Alert, tally.error.into(), "errors"))
            @if left > 0 { (count(Tone::Quiet, Icon::Stop, left, "without a verdict")) }
        }
    }
}

fn count(tone: Tone, icon: Icon, count: u64, what: &str) -> Markup {
    let tone = if count == 0 { Tone::Quiet } else { tone };
    html! { span class=(tone.class()) title={ (count) " " (what) } { (icon.sized(13)) (count) span.sr { " " (what) " " } } }
}

/// `85%`, `66.67%`
pub(super) fn percent(rate: PassRate) -> String {
    format!("{}%", rate.percent())
}

/// The pass rate, once the run has ended and if there is anything that could have passed.
pub(super) fn rate(status: RunStatus, tally: Tally) -> Option<String> {
    (status.is_final() && tally.total > 0).then(|| percent(tally.pass_rate()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_a_part_for_each_count_and_none_for_nothing() {
        let markup = bar(Tally { passed: 17, failed: 0, error: 3, total: 25 }).into_string();
        assert!(markup.contains(r#"viewBox="0 0 25 1""#), "{markup}");
        assert!(markup.contains(r#"<rect class="fill-good" x="0" width="17""#), "{markup}");
        assert!(markup.contains(r#"<rect class="fill-warn" x="17" width="3""#) && !markup.contains("fill-bad"), "{markup}");
        let most = Tally { passed: u32::MAX, failed: u32::MAX, error: u32::MAX, total: 0 };
        assert!(bar(most).into_string().contains("0 0 12884901885 1"), "counts of any size");
    }

    #[test]
    fn a_rate_is_as_exact_as_on_the_wire() {
        assert_eq!((percent(PassRate::of(17, 20)), percent(PassRate::of(2, 3))), ("85%".to_owned(), "66.67%".to_owned()));
        let tally = Tally { passed: 1, failed: 0, error: 0, total: 2 };
        assert_eq!(rate(RunStatus::Completed, tally).as_deref(), Some("50%"));
        assert_eq!(rate(RunStatus::Running, tally), None);
        assert_eq!(rate(RunStatus::Completed, Tally::default()), None);
    }
}
