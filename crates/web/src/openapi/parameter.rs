//! Parameters behind the `?`, and headers of requests.

use serde_json::{Value, json};

use super::{field::Field, resource::run_reference};
use crate::input::{DEFAULT_LIMIT, MAX_LIMIT};

/// A parameter of a request.
pub(crate) struct Parameter {
    name: &'static str,
    place: &'static str,
    required: bool,
    field: Field,
}

impl Parameter {
    /// A parameter behind the `?` that may be missing.
    pub(crate) fn query(name: &'static str, field: Field) -> Self {
        Self { name, place: "query", required: false, field }
    }

    /// The run that a call is about.
    pub(crate) fn run_id() -> Self {
        let field = Field::of(run_reference()).says("The run's id, or its number such as `TR-00042`.");
        Self { required: true, ..Self::query("run_id", field) }
    }

    /// How many at most.
    pub(crate) fn limit() -> Self {
        let field = Field::count(1..=MAX_LIMIT).unless_told(DEFAULT_LIMIT).says("How many of them at most.");
        Self::query("limit", field)
    }

    /// Where to begin.
    pub(crate) fn offset() -> Self {
        Self::query("offset", Field::count(0..=u32::MAX).unless_told(0).says("How many to pass over."))
    }

    fn header(name: &'static str, field: Field) -> Self {
        Self { name, place: "header", required: false, field }
    }

    /// `Last-Event-ID`, which clients that cannot set headers send as a parameter.
    pub(crate) fn last_event_id() -> [Self; 2] {
        let field = Field::of(json!({"type": "string"})).further("must be the id of an event of this stream");
        let says = "The id of the last event that the client had; the stream goes on behind it.";
        [
            Self::header("Last-Event-ID", field.clone().says(says)),
            Self::query("last_event_id", field.says("The same, for clients that cannot set headers.")),
        ]
    }

    pub(super) fn idempotency_key() -> Self {
        let field = Field::of(json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}));
        Self::header(
            "Idempotency-Key",
            field.says("Carries the call out once: repetitions within 24 hours are answered as the first was."),
        )
    }

    pub(super) fn if_match() -> Self {
        Self::header("If-Match", tags().says("Makes the change only if the resource still has one of these ETags."))
    }

    pub(super) fn if_none_match() -> Self {
        Self::header("If-None-Match", tags().says("Answers 304 if the resource still has one of these ETags."))
    }

    /// Whether it can be refused as missing.
    pub(super) fn is_required(&self) -> bool {
        self.required
    }

    pub(super) fn schema(self) -> Value {
        let Self { name, place, required, mut field } = self;
        let description = field.0.remove("description");
        let mut parameter = json!({"name": name, "in": place, "required": required, "schema": field.0});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    }
}

/// Entity tags by commas, or `*`.
fn tags() -> Field {
    let tag = r#"(W/)?"[ !#-+\--~]*""#;
    let pattern = format!(r"^(\*|{tag}( *, *{tag})*)$");
    Field::of(json!({"type": "string", "pattern": pattern})).such_as("\"3\"")
}
