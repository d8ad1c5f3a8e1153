//! What the address of a page asks for, and addresses that ask for something else.

use preclinical_core::port::Page;
use url::form_urlencoded;

use crate::{error::ApiError, input::Query};

/// A parameter that restricts nothing if it is empty, as a form sends it.
pub(in crate::pages) fn choice<T>(
    query: &mut Query,
    name: &str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let chosen = query.parsed(name, expected, |text| if text.is_empty() { Some(None) } else { parse(text).map(Some) })?;
    Ok(chosen.flatten())
}

/// Which page of a list is shown, from 1 on, and how many rows are on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) struct PageNumber {
    pub(in crate::pages) number: u32,
    pub(in crate::pages) rows: u32,
}

impl PageNumber {
    pub(in crate::pages) fn read(query: &mut Query, rows: u32) -> Result<Self, ApiError> {
        let number = choice(query, "page", "a whole number from 1", |text| text.parse().ok().filter(|number| *number > 0))?;
        Ok(Self { number: number.unwrap_or(1), rows })
    }

    /// As the store takes it.
    pub(in crate::pages) fn page(self) -> Page {
        Page { limit: self.rows, offset: (self.number - 1).saturating_mul(self.rows) }
    }

    /// The page after this one, if the list goes on.
    pub(in crate::pages) fn next(self, total: u64) -> Option<u32> {
        (u64::from(self.number) * u64::from(self.rows) < total).then(|| self.number.saturating_add(1))
    }

    /// The page before this one; from behind the end of the list, its last one.
    pub(in crate::pages) fn before(self, total: u64) -> Option<u32> {
        let last = u32::try_from(total.div_ceil(u64::from(self.rows))).unwrap_or(u32::MAX);
        Some(last.min(self.number - 1)).filter(|number| *number > 0)
    }
}

/// A path with those parameters that have a value.
pub(in crate::pages) fn address(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_each_other_and_back_from_behind_the_end() {
        let page = |number| PageNumber { number, rows: 25 };
        assert_eq!((page(1).before(60), page(1).next(60)), (None, Some(2)));
        assert_eq!((page(3).before(60), page(3).next(60)), (Some(2), None));
        assert_eq!((page(9).before(60), page(9).next(60)), (Some(3), None));
        assert_eq!((page(9).before(0), page(1).next(0), page(1).next(25)), (None, None, None));
        assert_eq!((page(u32::MAX).next(u64::MAX), page(u32::MAX).page().offset), (Some(u32::MAX), u32::MAX));
    }

    #[test]
    fn an_address_holds_what_has_a_value() {
        let parameters = [("status", Some("failed".to_owned())), ("agent", None), ("page", Some("2&x=<".to_owned()))];
        assert_eq!(address("/runs", &parameters), "/runs?status=failed&page=2%26x%3D%3C");
        assert_eq!(address("/runs", &[]), "/runs");
    }
}
