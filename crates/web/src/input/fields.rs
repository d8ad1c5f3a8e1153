//! The fields of a JSON object, taken out one by one.

use std::{ops::RangeInclusive, str::FromStr};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// How long a text may be, in characters, and whether it may have several lines.
#[derive(Clone, Copy)]
pub(crate) enum Length {
    /// One line.
    Line(usize),
    /// Any number of lines.
    Text(usize),
}

impl Length {
    /// A name.
    pub(crate) const NAME: Self = Self::Line(200);
    /// What somebody says about a thing.
    pub(crate) const DESCRIPTION: Self = Self::Text(2000);
}

/// An object whose fields are taken by name; what is left at the end is refused. `null` is the same as a missing field.
pub(crate) struct Fields {
    map: Map<String, Value>,
    /// What stands before a field's name in errors: empty, or such as `results[3].`.
    prefix: String,
}

impl Fields {
    /// The fields of a whole body.
    pub(crate) fn of(map: Map<String, Value>) -> Self {
        Self { map, prefix: String::new() }
    }

    /// The same fields with one more.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.map.insert(name.to_owned(), value.into());
        self
    }

    /// The full name of a field in errors.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Whether the field is there as an explicit `null`, which is taken out.
    pub(crate) fn take_null(&mut self, name: &str) -> bool {
        let is_null = self.map.get(name).is_some_and(Value::is_null);
        if is_null {
            self.map.remove(name);
        }
        is_null
    }

    /// Any JSON value.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    fn invalid<T>(&self, name: &str, why: impl std::fmt::Display) -> Result<T, ApiError> {
        Err(ApiError::invalid(&self.path(name), why))
    }

    /// A text that is not empty, within its length, without control characters (line breaks and tabs apart where lines may be several).
    pub(crate) fn text(&mut self, name: &str, length: Length) -> Result<Option<String>, ApiError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let Value::String(text) = value else { return self.invalid(name, "must be a string") };
        let (most, breaks) = match length {
            Length::Line(most) => (most, ""),
            Length::Text(most) => (most, "\n\r\t"),
        };
        if text.trim().is_empty() {
            return self.invalid(name, "must not be empty");
        }
        if text.chars().count() > most {
            return self.invalid(name, format_args!("must be at most {most} characters long"));
        }
        if text.chars().any(|c| c.is_control() && !breaks.contains(c)) {
            return self.invalid(name, "must not contain control characters");
        }
        Ok(Some(text))
    }

    /// A text that a runner wrote: anything but NUL, also nothing, within its length.
    pub(crate) fn report_text(&mut self, name: &str, most: usize) -> Result<Option<String>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() > most => {
                self.invalid(name, format_args!("must be at most {most} characters long"))
            }
            Some(Value::String(text)) if text.contains('\0') => self.invalid(name, "must not contain the character NUL"),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => self.invalid(name, "must be a string"),
        }
    }

    /// One of the texts that `parse` understands; `expected` lists them.
    pub(crate) fn choice<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match value.as_str().and_then(parse) {
            Some(choice) => Ok(Some(choice)),
            None => self.invalid(name, format_args!("must be {expected}")),
        }
    }

    /// A UUID.
    pub(crate) fn id<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        self.choice(name, "a UUID", |text| text.parse().ok())
    }

    /// A point in time.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.choice(name, "a time such as 2026-01-30T10:32:45Z", |text| text.parse().ok())
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => self.invalid(name, "must be true or false"),
        }
    }

    /// A whole number within a range. `3.0` is one, as in JSON Schema.
    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match whole(&value).filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => self.invalid(name, format_args!("must be a whole number from {} to {}", range.start(), range.end())),
        }
    }

    /// A whole number that fits a count.
    pub(crate) fn count(&mut self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, ApiError> {
        let number = self.number(name, u64::from(*range.start())..=u64::from(*range.end()))?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    }

    /// An object, as it is.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => self.invalid(name, "must be an object"),
        }
    }

    /// A list of objects, each ready to be read.
    pub(crate) fn list(&mut self, name: &str, length: RangeInclusive<usize>) -> Result<Option<Vec<Self>>, ApiError> {
        let items = match self.value(name) {
            None => return Ok(None),
            Some(Value::Array(items)) if length.contains(&items.len()) => items,
            Some(_) => {
                return self.invalid(name, format_args!("must be a list of {} to {} objects", length.start(), length.end()));
            }
        };
        let item = |(index, item)| match item {
            Value::Object(map) => Ok(Self { map, prefix: format!("{}[{index}].", self.path(name)) }),
            _ => self.invalid(&format!("{name}[{index}]"), "must be an object"),
        };
        items.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Some)
    }

    /// Makes a missing field an error.
    pub(crate) fn require<T>(&self, name: &str, value: Option<T>) -> Result<T, ApiError> {
        value.ok_or_else(|| ApiError::missing(&self.path(name)))
    }

    /// Refuses fields that nobody took.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        let Some(name) = self.map.keys().next() else { return Ok(()) };
        let shown: String = name.chars().take(100).collect();
        self.invalid(&shown, "is not a field of this call")
    }
}

/// Up to here a binary fraction tells every whole number from its neighbours.
const MOST_WHOLE: f64 = 9_007_199_254_740_991.0;

/// The whole number that a value is, in whatever spelling.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, positive and not too large")]
fn whole(value: &Value) -> Option<u64> {
    let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..=MOST_WHOLE).contains(number);
    value.as_u64().or_else(|| value.as_f64().filter(is_whole).map(|number| number as u64))
}
