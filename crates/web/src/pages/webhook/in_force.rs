//! Which webhook hears of an agent's runs, in a word.

use maud::{Markup, html};
use preclinical_core::{
    choice::Level,
    in_force::{InForce, NOBODY_LISTENS},
};

use crate::pages::parts::{Icon, Tone, badge::Look};

/// The word, with the reason behind it.
pub(in crate::pages) fn in_force(in_force: Option<&InForce>) -> Markup {
    let look = match in_force {
        None => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "No webhook" },
        Some(in_force) => match (in_force.level, in_force.is_muted()) {
            (Level::Agent, true) => Look { tone: Tone::Warn, icon: Icon::Mute, word: "Muted" },
            (Level::Organization, true) => Look { tone: Tone::Warn, icon: Icon::Mute, word: "Organization’s, disabled" },
            (Level::Agent, false) => Look { tone: Tone::Good, icon: Icon::Hook, word: "Its own" },
            (Level::Organization, false) => Look { tone: Tone::Info, icon: Icon::Hook, word: "Organization’s" },
        },
    };
    html! { span title=(in_force.map_or(NOBODY_LISTENS, InForce::reason)) { (look) } }
}
