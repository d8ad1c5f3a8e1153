//! Schemas in words.

use serde_json::Value;

use super::markup::{escaped, line};

/// Which names are marked: of what is sent those that must be there, of what is answered those that may not be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    Required,
    Optional,
}

/// Every component, each with its fields.
pub(super) fn all(components: &Value) -> String {
    let one = |(name, schema): (&String, &Value)| {
        let says = schema["description"].as_str().map(|says| format!("<p>{}</p>", line(says))).unwrap_or_default();
        let name = escaped(name);
        let fields = fields(schema, Marked::Optional);
        format!("<article class=\"schema\" id=\"schema-{name}\"><h3>{name}</h3>{says}{fields}</article>")
    };
    components.as_object().into_iter().flatten().map(one).collect()
}

/// The fields of an object as a list; those of lists within it stand below it.
pub(super) fn fields(schema: &Value, marked: Marked) -> String {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(name, field): (&String, &Value)| {
        let items = &field["items"];
        let nested = if items["properties"].is_object() { fields(items, marked) } else { String::new() };
        let mark = match (marked, required.contains(&name.as_str())) {
            (Marked::Required, true) => "required",
            (Marked::Optional, false) => "not always there",
            _ => "",
        };
        entry(name, field, mark, &nested)
    };
    let rows: String = schema["properties"].as_object().into_iter().flatten().map(row).collect();
    if !rows.is_empty() {
        return format!("<dl class=\"fields\">{rows}</dl>");
    }
    let others = ["anyOf", "oneOf"].into_iter().find_map(|word| schema[word].as_array());
    others.map_or_else(String::new, |_| format!("<p>{}</p>", kind(schema)))
}

/// One name, and what it may be.
pub(super) fn entry(name: &str, schema: &Value, mark: &str, below: &str) -> String {
    let mark = if mark.is_empty() { String::new() } else { format!(" <em>{mark}</em>") };
    let texts = ["description", "x-further-rule"].into_iter().filter_map(|field| schema[field].as_str());
    let paragraph = |text: &str| format!("<p>{}</p>", line(&sentence(text)));
    let says: String = texts.map(paragraph).collect();
    let default = match &schema["default"] {
        Value::Null => String::new(),
        value => format!(" <span class=\"default\">default <code>{}</code></span>", escaped(&plain(value))),
    };
    let name = escaped(name);
    format!(
        "<div><dt><code>{name}</code>{mark}</dt><dd><span class=\"kind\">{}</span>{default}{says}{below}</dd></div>",
        kind(schema)
    )
}

/// Rules begin with `must`: they complete a sentence that begins with the field.
fn sentence(text: &str) -> String {
    if text.starts_with("must") { format!("It {text}.") } else { text.to_owned() }
}

/// What a value may be.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        let name = escaped(path.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(choices) = ["anyOf", "oneOf"].into_iter().find_map(|word| schema[word].as_array()) {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(names) = schema["enum"].as_array() {
        let name = |value: &Value| format!("<code>{}</code>", escaped(&plain(value)));
        return names.iter().map(name).collect::<Vec<_>>().join(" ");
    }
    if !schema["const"].is_null() {
        return format!("<code>{}</code>", escaped(&plain(&schema["const"])));
    }
    let mut kinds: Vec<String> = match &schema["type"] {
        Value::String(kind) => vec![kind.clone()],
        Value::Array(kinds) => kinds.iter().map(plain).collect(),
        _ => vec!["any JSON".to_owned()],
    };
    if let (Some(first), Some(format)) = (kinds.first_mut(), schema["format"].as_str()) {
        format.clone_into(first);
    }
    let items = if schema["items"]["$ref"].is_string() { format!(" of {}", kind(&schema["items"])) } else { String::new() };
    format!("{}{items}{}", escaped(&kinds.join(" or ")), limits(schema))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn limits(schema: &Value) -> String {
    let number = |name: &str| schema[name].as_u64().map(grouped);
    let range = |least: Option<String>, most: Option<String>, unit: &str| match (least, most) {
        (Some(least), Some(most)) => format!(", {least} to {most}{unit}"),
        (None, Some(most)) => format!(", at most {most}{unit}"),
        (Some(least), None) => format!(", {least} or more{unit}"),
        (None, None) => String::new(),
    };
    let long = range(number("minLength"), number("maxLength"), " characters");
    let many = range(number("minItems"), number("maxItems"), " of them");
    range(number("minimum"), number("maximum"), "") + &long + &many
}

/// With commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_told_in_words() {
        assert_eq!(kind(&json!({"type": "integer", "minimum": 1, "maximum": 100_000})), "integer, 1 to 100,000");
        assert_eq!(kind(&json!({"type": ["string", "null"], "format": "uuid"})), "uuid or null");
        assert_eq!(kind(&json!({"enum": ["a", null]})), "<code>a</code> <code>null</code>");
        assert_eq!(kind(&json!({"$ref": "#/components/schemas/Run"})), "<a href=\"#schema-Run\">Run</a>");
        assert_eq!(kind(&json!({})), "any JSON");
    }
}
