//! What a call answers when it succeeds.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::resource::Resource;

/// A success.
pub(crate) struct Answer {
    pub(super) status: u16,
    pub(super) says: &'static str,
    content: Content,
    /// The names of its headers among the components of the document.
    pub(super) headers: Vec<&'static str>,
    /// What the `id` of its body names.
    pub(super) names: Option<Resource>,
}

enum Content {
    Nothing,
    Json(fn(&mut SchemaGenerator) -> Value),
    Page { of: &'static str, items: fn(&mut SchemaGenerator) -> (String, Value) },
    Text { media_type: &'static str },
    Events(fn(&mut SchemaGenerator) -> Value),
    Document,
}

impl Answer {
    fn new(status: u16, says: &'static str, content: Content) -> Self {
        Self { status, says, content, headers: Vec::new(), names: None }
    }

    pub(super) fn nothing(status: u16, says: &'static str) -> Self {
        Self::new(status, says, Content::Nothing)
    }

    pub(super) fn json<T: JsonSchema>(status: u16, says: &'static str) -> Self {
        Self::new(status, says, Content::Json(|schemas| schemas.subschema_for::<T>().into()))
    }

    pub(super) fn page<T: JsonSchema>(of: &'static str) -> Self {
        let items = |schemas: &mut SchemaGenerator| (T::schema_name().into_owned(), schemas.subschema_for::<T>().into());
        Self::new(200, "A page of the list.", Content::Page { of, items })
    }

    pub(super) fn text(media_type: &'static str, says: &'static str) -> Self {
        Self::new(200, says, Content::Text { media_type })
    }

    pub(super) fn events<T: JsonSchema>(says: &'static str) -> Self {
        Self::new(200, says, Content::Events(|schemas| schemas.subschema_for::<T>().into()))
    }

    pub(super) fn document() -> Self {
        Self::new(200, "The document.", Content::Document)
    }

    /// The content of its body by media types.
    pub(super) fn content(&self, schemas: &mut SchemaGenerator) -> Option<Value> {
        match &self.content {
            Content::Nothing => None,
            Content::Json(schema) => Some(json!({"application/json": {"schema": schema(schemas)}})),
            Content::Page { of, items } => {
                let (name, items) = items(schemas);
                Some(json!({"application/json": {"schema": page(schemas, of, &name, &items)}}))
            }
            Content::Text { media_type } => {
                let mut content = Map::new();
                content.insert((*media_type).to_owned(), json!({"schema": {"type": "string"}}));
                Some(content.into())
            }
            // OpenAPI 3.1 has no word for what the events of a stream carry.
            Content::Events(data) => {
                Some(json!({"text/event-stream": {"schema": {"type": "string"}, "x-event-data": data(schemas)}}))
            }
            Content::Document => Some(json!({"application/json": {"schema": {"type": "object"}}})),
        }
    }
}

/// The schema of what [`crate::wire::list`] makes, as a component.
fn page(schemas: &mut SchemaGenerator, of: &str, item: &str, items: &Value) -> Value {
    let name = format!("{item}Page");
    let mut properties = Map::new();
    properties.insert(of.to_owned(), json!({"type": "array", "items": items}));
    for (field, says) in [
        ("total", "How many there are in all."),
        ("limit", "How many were asked for."),
        ("offset", "How many were passed over."),
    ] {
        properties.insert(field.to_owned(), json!({"type": "integer", "minimum": 0, "description": says}));
    }
    let schema = json!({"type": "object", "properties": properties, "required": [of, "total", "limit", "offset"]});
    schemas.definitions_mut().insert(name.clone(), schema);
    json!({"$ref": format!("#/components/schemas/{name}")})
}
