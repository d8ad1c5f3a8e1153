use preclinical_core::custom_header::{
    HeaderName, HeaderRefusal, HeaderValue, MASK, MAX_HEADERS, MAX_NAME_BYTES, MAX_VALUE_BYTES, RefusedHeader, WantedHeader,
};
use serde_json::{Value, json};

use crate::{error::ApiError, input::Fields, openapi::Field};

/// The custom headers of a body. A value never appears in the error.
pub(crate) fn headers(body: &mut Fields) -> Result<Option<Vec<WantedHeader>>, ApiError> {
    let Some(map) = body.object("headers")? else { return Ok(None) };
    let header = |(name, value): (String, Value)| match value {
        Value::Null => wanted(&name, None),
        Value::String(value) => wanted(&name, Some(&value)),
        _ => Err(ApiError::invalid(&RefusedHeader::named(&name, HeaderRefusal::ValueEmpty).field(), "must be a string")),
    };
    map.into_iter().map(header).collect::<Result<_, _>>().map(Some)
}

/// A header as somebody wants it. Without a value, or with the mask that stands for the stored one, it keeps that.
pub(crate) fn wanted(name: &str, value: Option<&str>) -> Result<WantedHeader, ApiError> {
    let refused = |why| RefusedHeader::named(name, why);
    let parsed = HeaderName::parse(name).map_err(refused)?;
    let value = value.filter(|value| *value != MASK).map(HeaderValue::parse).transpose().map_err(refused)?;
    Ok(WantedHeader { name: parsed, value })
}

impl From<RefusedHeader> for ApiError {
    fn from(refused: RefusedHeader) -> Self {
        Self::invalid(&refused.field(), refused.why)
    }
}

/// The headers of a webhook that is created.
pub(super) fn new_field() -> Field {
    field(&json!({
        "type": "string", "minLength": 1, "maxLength": MAX_VALUE_BYTES, "pattern": r"^[!-~]([\t -~]*[!-~])?$",
    }))
    .says(
        "What requests carry besides the documented headers, such as `Authorization`. Values are stored encrypted and never shown: \
         answers and the delivery history have `••••••` in their place.",
    )
}

/// The same of one that may have some.
pub(super) fn changed_field() -> Field {
    field(&json!({
        "type": ["string", "null"], "minLength": 1, "maxLength": MAX_VALUE_BYTES,
        "pattern": format!(r"^({MASK}|[!-~]([\t -~]*[!-~])?)$"),
    }))
    .says(
        "All custom headers that it has from now on; one that is not among them is removed. `null`, or the `••••••` of an answer, keeps \
         the stored value of that name.",
    )
}

fn field(value: &Value) -> Field {
    Field::of(json!({
        "type": "object", "maxProperties": MAX_HEADERS, "additionalProperties": value,
        "propertyNames": {"pattern": r"^[0-9A-Za-z!#$%&'*+.^_`|~-]+$", "maxLength": MAX_NAME_BYTES},
    }))
    .such_as(json!({"Authorization": "Bearer e30", "X-Tenant": "acme"}))
    .further(
        "must have at most 8,192 bytes of names and values together, no name twice in capital and small letters, and none that is \
         reserved for HTTP, for our own headers, for proxies, for browsers or for metadata services of clouds; a value can be kept only \
         where one is stored",
    )
}
