//! What forms of an agent have in common.

use maud::{Markup, html};
use preclinical_core::agent::Provider;
use serde_json::Value;

use super::provider;
use crate::{
    error::ApiError,
    input::{Fields, parse_json},
    pages::{
        door::Form,
        parts::{Icon, field::TextField},
        wrong::Wrong,
    },
};

/// Fields beside which an error is shown.
pub(super) const FIELDS: [&str; 3] = ["name", "description", "config"];

/// The configuration as the body of the API's call has it; nothing was typed, nothing is there.
pub(super) fn with_config(fields: Fields, input: &Form) -> Result<Fields, ApiError> {
    let text = input.text("config").trim();
    if text.is_empty() {
        return Ok(fields);
    }
    match parse_json(text.as_bytes()) {
        Ok(Value::Object(config)) => Ok(fields.with("config", config)),
        Ok(_) => Err(ApiError::invalid("config", "must be a JSON object: begin with { and end with }")),
        Err(error) => Err(ApiError::invalid("config", format_args!("is not JSON: {error}"))),
    }
}

pub(super) fn name(value: &str, wrong: &Wrong) -> Markup {
    html! {
        (TextField { value, required: true, longest: 200, error: wrong.with("name").as_deref(), placeholder: "Front desk",
            hint: Some("Runs and webhooks carry it."), ..TextField::new("name", "Name") })
    }
}

pub(super) fn description(value: &str, wrong: &Wrong) -> Markup {
    let error = wrong.with("description");
    html! {
        div.field {
            label for="description" { "Description " span.muted { "optional" } }
            textarea.input id="description" name="description" rows="3" maxlength="2000" autocomplete="off"
                aria-invalid=[error.as_ref().map(|_| "true")]
                aria-describedby=[error.as_ref().map(|_| "description-error")] { "\n" (value) }
            @if let Some(error) = error { p.error id="description-error" { (Icon::Alert.sized(14)) span { (error) } } }
        }
    }
}

/// What a configuration looks like that has all that the provider needs.
pub(super) fn example(of: Provider) -> Markup {
    html! { pre.code tabindex="0" aria-label={ "A configuration for " (provider::name(of)) } { (provider::template(of)) } }
}
