//! The document: what the routes and their descriptions come to.

use schemars::{
    Schema, SchemaGenerator,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Map, Value, json};

use super::{
    description::{Description, Topic},
    operation::{Operation, links},
    payload, refusal,
};
use crate::route::Route;

const INTRODUCTION: &str = "Signed webhooks when test runs finish: set them up, report runs, look up what was sent.\n\n\
    Every call but those of the server itself needs `Authorization: Bearer sk_live_…`. Every error is \
    `{\"error\": sentence, \"code\": CODE, \"details\": {…}}`. A path that is not listed answers 404 `NOT_FOUND`, a method that a \
    path does not have 405 `METHOD_NOT_ALLOWED` with `Allow`. Lengths count characters. A property `x-further-rule` is a rule \
    that a schema cannot state; what breaks it is refused as `INVALID_FIELD_VALUE`, too. `x-scopes` are the scopes of the keys \
    that may make a call, `x-max-body-bytes` is how long its body may be, `x-codes` are the codes that an error can have.";

/// The document of these routes.
pub(crate) fn document(routes: Vec<Route>) -> Value {
    let mut schemas = generator();
    let described: Vec<(Route, Description)> = routes
        .into_iter()
        .map(|route| {
            let description = route.description();
            (route, description)
        })
        .collect();
    let links = links(&described);
    let mut paths = Map::new();
    for (route, description) in described {
        let (method, path) = (route.call.method.to_ascii_lowercase(), route.call.path.clone());
        let operation = Operation { route: &route, description, links: &links }.describe(&mut schemas);
        if let Some(methods) = paths.entry(path).or_insert_with(|| json!({})).as_object_mut() {
            methods.insert(method, operation);
        }
    }
    let webhooks = payload::webhooks(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Preclinical Webhooks",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": Topic::ALL.iter().map(|topic| json!({"name": topic.name(), "description": topic.says()})).collect::<Vec<_>>(),
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "sk_live_ and 40 letters and digits"}},
            "headers": headers(),
            "responses": refusal::shared(),
            "schemas": components(&mut schemas),
        },
    })
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    settings.into_generator()
}

fn components(schemas: &mut SchemaGenerator) -> Value {
    let mut components = schemas.take_definitions(true);
    components.insert("Error".to_owned(), refusal::schema());
    components.sort_keys();
    let mut plain = RecursiveTransform(without_widths);
    for schema in components.values_mut() {
        if let Ok(schema) = schema.try_into() {
            plain.transform(schema);
        }
    }
    components.into()
}

/// How wide a number is in this program is nobody else's concern.
fn without_widths(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.remove("format");
    }
}

fn headers() -> Value {
    let header =
        |says: &str, required: bool, schema: Value| json!({"description": says, "required": required, "schema": schema});
    let count = || json!({"type": "integer", "minimum": 0});
    let text = || json!({"type": "string"});
    json!({
        "ETag": header("The resource's version, for `If-Match` and `If-None-Match`.", true, text()),
        "Idempotency-Replayed": header("This is the answer that the call had the first time.", false, json!({"const": "true"})),
        "Location": header("The path of what was created.", true, json!({"type": "string", "format": "uri-reference"})),
        "RateLimit-Limit": header("How many calls the key may make at once. Missing if calls are not counted.", false, count()),
        "RateLimit-Remaining": header("How many of them are left.", false, count()),
        "RateLimit-Reset": header("Seconds until none counts any more.", false, count()),
        "Retry-After": header("Seconds after which the call may be repeated.", true, count()),
        "WWW-Authenticate": header("How to authenticate.", true, json!({"const": "Bearer"})),
        "X-Request-Id": header("The request's id: the caller's own if it sent one, as the server's log has it.", true, text()),
    })
}
