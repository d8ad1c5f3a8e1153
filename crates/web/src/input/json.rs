//! JSON that means the same to every reader.

use std::fmt;

use preclinical_core::surrogate;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// Names that `serde_json` takes for orders of its own: it would parse the text behind them again, however deep that nests.
const RESERVED: &str = "$serde_json::private::";

/// Parses one JSON value. Beside what is no JSON, this refuses an object with a name that stands in it twice, or that the parser
/// gives a meaning of its own.
pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(bytes).map(|Plain(value)| value)
}

/// Why there was no value in `bytes`, in words.
pub(super) fn why(bytes: &[u8], error: &serde_json::Error) -> String {
    let line_start = match error.line() {
        0 | 1 => 0,
        line => bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(line - 2).map_or(0, |(at, _)| at + 1),
    };
    // The parser goes no further than the first of them.
    let is_reached = |start: &usize| error.is_syntax() && *start < line_start + error.column();
    match surrogate::lone(bytes).next().filter(is_reached) {
        Some(start) => format!(
            "a lone surrogate at line {} column {}: half of a character, as a text has it that was cut inside one",
            error.line(),
            start - line_start.min(start) + 1,
        ),
        None => error.to_string(),
    }
}

struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if name.starts_with(RESERVED) {
                return Err(A::Error::custom("a name begins with one that is reserved"));
            }
            if map.contains_key(&name) {
                return Err(A::Error::custom("a name stands twice in an object"));
            }
            let Plain(value) = fields.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for twice in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"a":1,"c":2,"a":3}}]"#] {
            assert!(parse(twice.as_bytes()).is_err(), "{twice}");
        }
        assert!(parse(br#"[{"a":1},{"a":{"a":1}}]"#).is_ok());
    }

    #[test]
    fn half_a_character_is_named_where_it_stands() {
        let said = |json: &str| why(json.as_bytes(), &parse(json.as_bytes()).unwrap_err());
        let half = "half of a character, as a text has it that was cut inside one";
        for (json, place) in [
            (r#"{"a":"cut \ud83d"}"#, "line 1 column 11"),
            ("{\n\n \"a\":\"\\ud83d\\ud83d\\ude00\"}", "line 3 column 7"),
            (r#"{"\udc00":1}"#, "line 1 column 3"),
            (r#"{"a":"\ud83dx"}"#, "line 1 column 7"),
            (r#"{"a":"\ud83d\n"}"#, "line 1 column 7"),
        ] {
            assert_eq!(said(json), format!("a lone surrogate at {place}: {half}"), "{json}");
        }
        assert!(!said(r#"{"a":01,"b":"\ud83d"}"#).contains("surrogate"));
        assert!(said(r#"{"a":"\ud83d"#).starts_with("EOF"));
        assert!(!said("{\"a\":1,\n\"b\"").contains("surrogate"));
    }

    #[test]
    fn a_reserved_name_is_refused_at_any_depth_and_in_any_spelling() {
        for reserved in [
            r#"{"$serde_json::private::RawValue":"1"}"#,
            r#"{"\u0024serde_json::private::RawValue":"1"}"#,
            r#"{"a":[{"b":1,"$serde_json::private::Number":"1"}]}"#,
        ] {
            assert!(parse(reserved.as_bytes()).is_err(), "{reserved}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let fields = prop::collection::vec((any::<String>(), inner.clone()), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                fields.prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn all_other_json_means_what_it_means_elsewhere(value in any_json(), cut: prop::sample::Index) {
            let text = value.to_string();
            prop_assert_eq!(parse(text.as_bytes()).ok(), serde_json::from_str(&text).ok());
            let part = &text.as_bytes()[..cut.index(text.len())];
            prop_assert_eq!(parse(part).ok(), serde_json::from_slice(part).ok());
        }
    }
}
