//! What was done before a page is shown again: a word from a list of ours in its address, never a text of somebody else's.

use maud::{Markup, html};

use super::parts::{self, Tone};
use crate::{error::ApiError, input::Query};

/// The notice for the `done` of an address, of a list of words and what they say. What is not in the list says nothing.
pub(in crate::pages) fn notice(query: &mut Query, words: &[(&str, &str)]) -> Result<Markup, ApiError> {
    let word = query.parsed("done", "a word", |text| Some(text.to_owned()))?.unwrap_or_default();
    let said = words.iter().find(|(known, _)| *known == word);
    Ok(said.map_or_else(|| html! {}, |(_, text)| parts::notice(Tone::Good, &html! { p { (text) } })))
}
