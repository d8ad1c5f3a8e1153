//! States, each with a word, an icon and a colour: none of the three stands alone.

use maud::{Markup, html};
use preclinical_core::{delivery::DeliveryStatus, run::RunStatus, scenario::ScenarioStatus};

use super::Icon;

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Tone {
    Good,
    Bad,
    Warn,
    Info,
    Quiet,
}

impl Tone {
    /// Its class in the style sheet.
    pub(in crate::pages) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Quiet => "quiet",
        }
    }
}

/// A state as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) struct Look {
    pub(in crate::pages) tone: Tone,
    pub(in crate::pages) icon: Icon,
    pub(in crate::pages) word: &'static str,
}

impl maud::Render for Look {
    fn render(&self) -> Markup {
        badge(self.tone, self.icon, self.word)
    }
}

/// A word in a coloured capsule.
pub(in crate::pages) fn badge(tone: Tone, icon: Icon, word: &str) -> Markup {
    html! { span.badge.(tone.class()) { (icon.sized(13)) (word) } }
}

/// How a delivery stands.
pub(in crate::pages) const fn of_delivery(status: DeliveryStatus) -> Look {
    match status {
        DeliveryStatus::Pending => Look { tone: Tone::Info, icon: Icon::Clock, word: "Pending" },
        DeliveryStatus::Delivered => Look { tone: Tone::Good, icon: Icon::Check, word: "Delivered" },
        DeliveryStatus::Failed => Look { tone: Tone::Bad, icon: Icon::Cross, word: "Failed" },
        DeliveryStatus::Canceled => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "Canceled" },
    }
}

/// How a run stands.
pub(in crate::pages) const fn of_run(status: RunStatus) -> Look {
    match status {
        RunStatus::Pending => Look { tone: Tone::Quiet, icon: Icon::Clock, word: "Pending" },
        RunStatus::Running => Look { tone: Tone::Info, icon: Icon::Runs, word: "Running" },
        RunStatus::Grading => Look { tone: Tone::Info, icon: Icon::Search, word: "Grading" },
        RunStatus::Completed => Look { tone: Tone::Good, icon: Icon::Check, word: "Completed" },
        RunStatus::Failed => Look { tone: Tone::Bad, icon: Icon::Cross, word: "Failed" },
        RunStatus::Canceled => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "Canceled" },
    }
}

/// What a scenario came to.
pub(in crate::pages) const fn of_scenario(status: ScenarioStatus) -> Look {
    match status {
        ScenarioStatus::Passed => Look { tone: Tone::Good, icon: Icon::Check, word: "Passed" },
        ScenarioStatus::Failed => Look { tone: Tone::Bad, icon: Icon::Cross, word: "Failed" },
        ScenarioStatus::Error => Look { tone: Tone::Warn, icon: Icon::Alert, word: "Error" },
        ScenarioStatus::Canceled => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "Canceled" },
    }
}

/// What an HTTP status says about an attempt.
pub(in crate::pages) fn of_http(status: u16) -> Markup {
    let tone = if (200..300).contains(&status) { Tone::Good } else { Tone::Bad };
    html! { span.number.(tone.class()) { strong { (status) } } }
}
