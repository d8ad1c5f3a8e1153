//! Which webhook hears of an agent's runs, in a word.

use maud::{Markup, html};
use preclinical_core::{
    choice::Level,
    health::HealthStatus,
    in_force::{InForce, NOBODY_LISTENS},
};

use crate::pages::parts::{Icon, Tone, badge::Look};

/// The word, with the reason behind it.
pub(in crate::pages) fn in_force(in_force: Option<&InForce>) -> Markup {
    let look = match in_force {
        None => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "No webhook" },
        Some(in_force) => match (in_force.level, in_force.is_muted()) {
            (Level::Agent, true) if in_force.webhook.disabled_reason.is_some() => {
                Look { tone: Tone::Bad, icon: Icon::Mute, word: "Its own, disabled" }
            }
            (Level::Organization, true) if in_force.webhook.disabled_reason.is_some() => {
                Look { tone: Tone::Bad, icon: Icon::Mute, word: "Organization’s, disabled" }
            }
            (level, false) if HealthStatus::of(&in_force.webhook) == HealthStatus::Failing => {
                let word = if level == Level::Agent { "Its own, failing" } else { "Organization’s, failing" };
                Look { tone: Tone::Bad, icon: Icon::Alert, word }
            }
            (Level::Agent, true) => Look { tone: Tone::Warn, icon: Icon::Mute, word: "Muted" },
            (Level::Organization, true) => Look { tone: Tone::Warn, icon: Icon::Mute, word: "Organization’s, disabled" },
            (Level::Agent, false) => Look { tone: Tone::Good, icon: Icon::Hook, word: "Its own" },
            (Level::Organization, false) => Look { tone: Tone::Info, icon: Icon::Hook, word: "Organization’s" },
        },
    };
    html! { span title=(in_force.map_or(NOBODY_LISTENS, InForce::reason)) { (look) } }
}
