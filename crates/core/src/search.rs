//! Free text that names something: an id in any of the spellings that people copy.

use std::convert::Infallible;

use uuid::Uuid;

use crate::run::RunNumber;

/// What a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Something by its UUID, with or without hyphens, in either case, also as `urn:uuid:…`, `{…}` or the `msg_…` of a request.
    Id(Uuid),
    /// A run by its number, also without the zeros before it.
    Run(RunNumber),
    /// Nothing that there can be.
    Nothing,
}

impl std::str::FromStr for Search {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some(number) = without_prefix(text, "TR-") {
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            return Ok(number
                .parse()
                .ok()
                .filter(|_| is_number)
                .map_or(Self::Nothing, |number| Self::Run(RunNumber(number))));
        }
        let id = without_prefix(text, "msg_").unwrap_or(text);
        Ok(Uuid::try_parse(id).map_or(Self::Nothing, Self::Id))
    }
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn search(text: &str) -> Search {
        let Ok(search) = text.parse();
        search
    }

    #[test]
    fn an_id_is_understood_in_every_spelling_that_people_copy() {
        let id = Uuid::from_u128(0x7c9e_6679_7425_40de_944b_e07f_c1f9_0ae7);
        for spelling in [
            "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "7C9E6679-7425-40DE-944B-E07FC1F90AE7",
            "7c9e6679742540de944be07fc1f90ae7",
            "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "{7c9e6679-7425-40de-944b-e07fc1f90ae7}",
            "msg_7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "  msg_7c9e6679-7425-40de-944b-e07fc1f90ae7\n",
        ] {
            assert_eq!(search(spelling), Search::Id(id), "{spelling}");
        }
        for spelling in ["TR-00042", "tr-00042", "TR-42", " TR-00042 "] {
            assert_eq!(search(spelling), Search::Run(RunNumber(42)), "{spelling}");
        }
    }

    #[test]
    fn everything_else_names_nothing() {
        for text in ["", "42", "TR-", "TR-+42", "TR-4294967296", "TR-1x", "7c9e6679", "msg_", "msg_TR-00042", "évé", "%"] {
            assert_eq!(search(text), Search::Nothing, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_names_nothing(text: String) {
            let _ = search(&text);
        }

        #[test]
        fn every_id_and_number_is_found_by_its_own_spelling(id: u128, number: u32) {
            prop_assert_eq!(search(&Uuid::from_u128(id).to_string()), Search::Id(Uuid::from_u128(id)));
            prop_assert_eq!(search(&RunNumber(number).to_string()), Search::Run(RunNumber(number)));
        }
    }
}
