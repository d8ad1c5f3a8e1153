//! The document as a page: all calls by topic, what they take and answer, and how to make them. It needs no script and nothing
//! from anywhere else, and its policy permits neither.

mod call;
mod example;
mod markup;
mod schema;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::markup::{escaped, prose};

const STYLE: &str = include_str!("page/style.css");

/// A page, and what a browser may do with it.
pub(crate) struct Page {
    pub(crate) html: String,
    /// The value of `Content-Security-Policy`.
    pub(crate) policy: String,
}

/// A call of the document, and where it is.
struct Call<'a> {
    method: String,
    path: &'a str,
    operation: &'a Value,
}

impl Page {
    /// The page of a document.
    pub(crate) fn of(document: &Value) -> Self {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        Self { html: html(document), policy }
    }
}

fn html(document: &Value) -> String {
    let (calls, sent) = (calls(&document["paths"]), calls(&document["webhooks"]));
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (title, version) = (escaped(text("/info/title")), escaped(text("/info/version")));
    let introduction = prose(text("/info/description"));
    let topics: Vec<&Value> = document["tags"].as_array().into_iter().flatten().collect();
    let nav: String = topics.iter().map(|topic| navigation(topic, &calls)).collect();
    let sections: String = topics.iter().map(|topic| section(topic, &calls, document)).collect();
    let received: String = sent.iter().map(|call| call::render(call, document)).collect();
    let schemas = schema::all(&document["components"]["schemas"]);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the calls</a>\
         <header><p class=\"title\">{title} <span>API {version}</span></p><a class=\"machine\" href=\"openapi.json\">openapi.json</a></header>\
         <div class=\"frame\"><nav aria-label=\"Calls\">{nav}\
         <p><a href=\"#received\">What you receive</a></p><p><a href=\"#schemas\">Schemas</a></p></nav>\
         <main id=\"main\"><h1>The API</h1><div class=\"intro\">{introduction}</div>{sections}\
         <section id=\"received\"><h2>What you receive</h2><p class=\"says\">The requests that this server sends to the URL of a \
         webhook.</p>{received}</section>\
         <section id=\"schemas\"><h2>Schemas</h2>{schemas}</section></main></div></body></html>\n"
    )
}

fn calls(paths: &Value) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    for (path, methods) in paths.as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            calls.push(Call { method: method.to_uppercase(), path, operation });
        }
    }
    calls
}

impl Call<'_> {
    fn is_about(&self, topic: &Value) -> bool {
        self.operation["tags"][0] == topic["name"]
    }

    fn id(&self) -> &str {
        self.operation["operationId"].as_str().unwrap_or_default()
    }

    fn text(&self, field: &str) -> &str {
        self.operation[field].as_str().unwrap_or_default()
    }
}

fn anchor(topic: &Value) -> String {
    topic["name"].as_str().unwrap_or_default().to_lowercase().replace(' ', "-")
}

fn navigation(topic: &Value, calls: &[Call<'_>]) -> String {
    let link = |call: &Call<'_>| {
        format!(
            "<li><a href=\"#{}\"><b class=\"{}\">{}</b> {}</a></li>",
            call.id(),
            call.method.to_lowercase(),
            call.method,
            escaped(call.text("summary"))
        )
    };
    let links: String = calls.iter().filter(|call| call.is_about(topic)).map(link).collect();
    let name = escaped(topic["name"].as_str().unwrap_or_default());
    format!("<p><a href=\"#{}\">{name}</a></p><ul>{links}</ul>", anchor(topic))
}

fn section(topic: &Value, calls: &[Call<'_>], document: &Value) -> String {
    let rendered: String =
        calls.iter().filter(|call| call.is_about(topic)).map(|call| call::render(call, document)).collect();
    let [name, says] = ["name", "description"].map(|field| topic[field].as_str().unwrap_or_default());
    format!(
        "<section id=\"{}\"><h2>{}</h2><div class=\"says\">{}</div>{rendered}</section>",
        anchor(topic),
        escaped(name),
        prose(says)
    )
}
