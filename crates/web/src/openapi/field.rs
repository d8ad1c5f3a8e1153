//! What stands in a request: the fields of a body, and what parameters may be.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::kind::Names;
use crate::input::Length;

/// A character that is not for control, and one that shows, too. JSON Schema has no name for either.
const PLAIN: &str = r"[^\u0000-\u001f\u007f-\u009f]";
const SHOWN: &str = r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";
/// The same where lines may be several.
const PLAIN_OR_BREAK: &str = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]";

/// The schema of one value.
#[derive(Clone)]
pub(crate) struct Field(pub(super) Map<String, Value>);

impl Field {
    /// A schema in so many words.
    pub(crate) fn of(schema: Value) -> Self {
        match schema {
            Value::Object(map) => Self(map),
            _ => Self(Map::new()),
        }
    }

    /// What [`crate::input::Fields::text`] takes.
    pub(crate) fn text(length: Length) -> Self {
        let (most, around) = match length {
            Length::Line(most) => (most, PLAIN),
            Length::Text(most) => (most, PLAIN_OR_BREAK),
        };
        let pattern = format!("^{around}*{SHOWN}{around}*$");
        Self::of(json!({"type": "string", "minLength": 1, "maxLength": most, "pattern": pattern}))
    }

    /// What [`crate::input::Fields::report_text`] takes.
    pub(crate) fn report_text(most: usize) -> Self {
        Self::of(json!({"type": "string", "maxLength": most, "pattern": r"^[^\u0000]*$"}))
    }

    /// One of the names of a set.
    pub(crate) fn choice<T: Names>() -> Self {
        Self::of(json!({"type": "string", "enum": T::names()}))
    }

    /// One of these names.
    pub(crate) fn one_of(names: &[&str]) -> Self {
        Self::of(json!({"type": "string", "enum": names}))
    }

    pub(crate) fn id() -> Self {
        Self::of(json!({"type": "string", "format": "uuid"}))
    }

    pub(crate) fn time() -> Self {
        Self::of(json!({"type": "string", "format": "date-time"}))
    }

    pub(crate) fn flag() -> Self {
        Self::of(json!({"type": "boolean"}))
    }

    pub(crate) fn number(range: RangeInclusive<u64>) -> Self {
        Self::of(json!({"type": "integer", "minimum": range.start(), "maximum": range.end()}))
    }

    pub(crate) fn count(range: RangeInclusive<u32>) -> Self {
        Self::number(u64::from(*range.start())..=u64::from(*range.end()))
    }

    /// An object with whatever in it.
    pub(crate) fn object() -> Self {
        Self::of(json!({"type": "object"}))
    }

    /// A list of objects.
    pub(crate) fn list(length: RangeInclusive<usize>, item: Object) -> Self {
        Self::of(json!({
            "type": "array", "minItems": length.start(), "maxItems": length.end(), "items": item.schema(),
        }))
    }

    /// Texts of a format that clients may know, which match a pattern.
    pub(crate) fn matching(mut self, format: &str, pattern: &str) -> Self {
        self.0.insert("format".to_owned(), format.into());
        self.0.insert("pattern".to_owned(), pattern.into());
        self
    }

    /// Tells what it is for.
    pub(crate) fn says(mut self, text: &str) -> Self {
        self.0.insert("description".to_owned(), text.into());
        self
    }

    /// What it is when it is missing.
    pub(crate) fn unless_told(mut self, value: impl Into<Value>) -> Self {
        self.0.insert("default".to_owned(), value.into());
        self
    }

    /// An example of it.
    pub(crate) fn such_as(mut self, value: impl Into<Value>) -> Self {
        self.0.insert("examples".to_owned(), json!([value.into()]));
        self
    }

    /// A rule that a schema cannot state; a value that breaks it is refused as `INVALID_FIELD_VALUE`, too.
    pub(crate) fn further(mut self, rule: &str) -> Self {
        self.0.insert("x-further-rule".to_owned(), rule.into());
        self
    }

    fn or_null(mut self) -> Self {
        if let Some(kind) = self.0.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        }
        if let Some(Value::Array(names)) = self.0.get_mut("enum") {
            names.push(Value::Null);
        }
        self
    }
}

/// An object that refuses fields it does not know.
#[derive(Clone, Default)]
pub(crate) struct Object {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn required(mut self, name: &'static str, field: Field) -> Self {
        self.required.push(name);
        self.properties.insert(name.to_owned(), field.0.into());
        self
    }

    /// A field that may be missing, which is the same as `null`.
    pub(crate) fn optional(mut self, name: &'static str, field: Field) -> Self {
        self.properties.insert(name.to_owned(), field.or_null().0.into());
        self
    }

    /// Whether something must be in it.
    pub(super) fn is_required(&self) -> bool {
        !self.required.is_empty()
    }

    /// Whether something may be in it.
    pub(super) fn takes_fields(&self) -> bool {
        !self.properties.is_empty()
    }

    pub(super) fn schema(self) -> Value {
        let mut schema = json!({"type": "object", "additionalProperties": false});
        if self.takes_fields() {
            schema["properties"] = self.properties.into();
        }
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }
}
