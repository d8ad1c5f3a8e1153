//! Examples of calls for a shell.

use serde_json::{Map, Value, json};

use super::Call;

/// The call with curl. `$URL` is where the server is, `$KEY` an API key.
pub(super) fn curl(call: &Call<'_>) -> String {
    let mut path = call.path.replace("{id}", "$ID");
    let parameters = call.operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true) {
        path = format!("{path}?{}=$ID", parameter["name"].as_str().unwrap_or_default());
    }
    let mut lines = vec![match call.method.as_str() {
        "GET" => format!("curl -sS \"$URL{path}\""),
        method => format!("curl -sS -X {method} \"$URL{path}\""),
    }];
    if call.operation["security"].is_array() {
        lines.push("-H \"Authorization: Bearer $KEY\"".to_owned());
    }
    let schema = &call.operation["requestBody"]["content"]["application/json"]["schema"];
    let body = value(schema);
    if body.as_object().is_some_and(|fields| !fields.is_empty()) {
        lines.push("-H 'Content-Type: application/json'".to_owned());
        lines.push(format!("-d '{body}'"));
    }
    lines.join(" \\\n  ")
}

/// A value that fits a schema; of an object, what must be in it, or else its first field.
fn value(schema: &Value) -> Value {
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    if let Some(choice) = schema["enum"].get(0) {
        return choice.clone();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
        let is_shown = |name: &String| required.iter().any(|must| *must == name);
        let mut shown: Map<String, Value> =
            properties.iter().filter(|(name, _)| is_shown(name)).map(|(name, field)| (name.clone(), value(field))).collect();
        if shown.is_empty() {
            shown.extend(properties.iter().take(1).map(|(name, field)| (name.clone(), value(field))));
        }
        return shown.into();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match (kind, schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => json!("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        (Some("string"), Some("date-time")) => json!("2026-01-30T10:32:45Z"),
        (Some("string"), _) => json!("…"),
        (Some("boolean"), _) => json!(true),
        (Some("integer"), _) => schema["minimum"].clone(),
        (Some("array"), _) => json!([value(&schema["items"])]),
        (Some("object"), _) => json!({}),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_must_be_there() {
        let operation = json!({
            "security": [{"key": []}],
            "requestBody": {"content": {"application/json": {"schema": {
                "properties": {"a": {"type": "string", "examples": ["x"]}, "b": {"type": "integer", "minimum": 1}},
                "required": ["a"],
            }}}},
        });
        let call = Call { method: "PUT".to_owned(), path: "/things/{id}", operation: &operation };
        assert_eq!(
            curl(&call),
            "curl -sS -X PUT \"$URL/things/$ID\" \\\n  -H \"Authorization: Bearer $KEY\" \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{\"a\":\"x\"}'"
        );
    }
}
