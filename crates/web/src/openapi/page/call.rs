//! One call.

use serde_json::Value;

use super::{
    Call,
    example::curl,
    markup::{escaped, line, prose},
    schema::{Marked, entry, fields, kind},
};

pub(super) fn render(call: &Call<'_>, document: &Value) -> String {
    let (id, method) = (call.id(), &call.method);
    let is_ours = !id.starts_with("receive_");
    let path = if is_ours { escaped(call.path).replace('/', "/<wbr>") } else { "your URL".to_owned() };
    let example =
        if is_ours { part("Example", &format!("<pre><code>{}</code></pre>", escaped(&curl(call)))) } else { String::new() };
    let body = &call.operation["requestBody"]["content"]["application/json"]["schema"];
    let body = match resolved(body, document) {
        Value::Null => String::new(),
        schema => body_part(schema),
    };
    format!(
        "<article class=\"call\" id=\"{id}\"><h3><a href=\"#{id}\">{summary}</a></h3>\
         <p class=\"line\"><b class=\"{class}\">{method}</b> <code>{path}</code>{scopes}</p>{says}{parameters}{body}{answers}{refusals}{example}</article>",
        summary = escaped(call.text("summary")),
        class = method.to_lowercase(),
        scopes = scopes(call.operation),
        says = prose(call.text("description")),
        parameters = parameters(call.operation),
        answers = answers(call.operation),
        refusals = refusals(call.operation, document),
    )
}

fn part(title: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { format!("<h4>{title}</h4>{content}") }
}

fn resolved<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let path = value["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    path.and_then(|path| document.pointer(path)).unwrap_or(value)
}

fn body_part(schema: &Value) -> String {
    let content = fields(schema, Marked::Required);
    let content = if content.is_empty() { "<p>None, or <code>{}</code>.</p>".to_owned() } else { content };
    part("Body", &content)
}

fn scopes(operation: &Value) -> String {
    let names: Vec<&str> = operation["x-scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" <span class=\"scopes\">for keys of scope {}</span>", escaped(&names.join(", ")))
    }
}

fn parameters(operation: &Value) -> String {
    let row = |parameter: &Value| {
        let mut schema = parameter["schema"].clone();
        schema["description"] = parameter["description"].clone();
        let place = parameter["in"].as_str().unwrap_or_default();
        let name = parameter["name"].as_str().unwrap_or_default();
        let shown = if place == "query" { name.to_owned() } else { format!("{name} ({place})") };
        entry(&shown, &schema, if parameter["required"] == true { "required" } else { "" }, "")
    };
    let rows: String = operation["parameters"].as_array().into_iter().flatten().map(row).collect();
    let list = if rows.is_empty() { rows } else { format!("<dl class=\"fields\">{rows}</dl>") };
    part("Parameters", &list)
}

/// The successes.
fn answers(operation: &Value) -> String {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let row = |(status, response): (&String, &Value)| {
        let content = response["content"].as_object().and_then(|content| content.iter().next());
        let body = content.map(|(media_type, content)| {
            let data = if content["x-event-data"].is_null() { &content["schema"] } else { &content["x-event-data"] };
            if data["$ref"].is_string() {
                format!(" {}", kind(data))
            } else {
                format!(" <code>{}</code>", escaped(media_type))
            }
        });
        let says = line(response["description"].as_str().unwrap_or_default());
        format!("<li><b>{status}</b> <div>{says}{}</div></li>", body.unwrap_or_default())
    };
    let rows: String =
        responses.filter(|(_, response)| response["x-codes"].is_null() && response["$ref"].is_null()).map(row).collect();
    part("Answers", &format!("<ul class=\"answers\">{rows}</ul>"))
}

fn refusals(operation: &Value, document: &Value) -> String {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let row = |(status, response): (&String, &Value)| {
        let response = resolved(response, document);
        let says = response["description"].as_str().filter(|_| response["x-codes"].is_array())?;
        Some(format!("<li><b>{status}</b> <div>{}</div></li>", prose(says)))
    };
    let rows: String = responses.filter_map(row).collect();
    if rows.is_empty() {
        return rows;
    }
    format!("<details class=\"refusals\"><summary>Errors</summary><ul class=\"answers\">{rows}</ul></details>")
}
