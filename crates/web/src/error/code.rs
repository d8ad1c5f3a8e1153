//! Every code that an error can have. What the API answers and what its description promises are made of the same values.

use axum::http::StatusCode;

/// A code, and the status that it always comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) status: StatusCode,
    pub(crate) name: &'static str,
    /// What it tells the caller, as a sentence for the description of the API.
    pub(crate) meaning: &'static str,
}

macro_rules! codes {
    ($($constant:ident $status:ident $name:literal $meaning:literal)*) => {
        $(pub(crate) const $constant: Code = Code { status: StatusCode::$status, name: $name, meaning: $meaning };)*

        /// All of them.
        pub(crate) const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    MISSING_REQUIRED_FIELD BAD_REQUEST "MISSING_REQUIRED_FIELD" "A field or parameter that must be there is not; `details.field` names it."
    INVALID_FIELD_VALUE BAD_REQUEST "INVALID_FIELD_VALUE" "A field, parameter or header has a value that is refused, or is not known; `details.field` names it."
    INVALID_STATE BAD_REQUEST "INVALID_STATE" "The resource is in no state for this; `details.current_status` says in which one it is."
    INVALID_JSON BAD_REQUEST "INVALID_JSON" "The body is not a JSON object, or a name stands twice in one."
    AGENT_IN_BODY_NOT_FOUND BAD_REQUEST "AGENT_NOT_FOUND" "`agent_id` of the body names no agent."
    UNAUTHORIZED UNAUTHORIZED "UNAUTHORIZED" "There is no API key, or none that is in force."
    FORBIDDEN FORBIDDEN "FORBIDDEN" "The key's scope does not permit the call; `details.required_scope` is the narrowest that does."
    NOT_FOUND NOT_FOUND "NOT_FOUND" "There is no such resource."
    RUN_NOT_FOUND NOT_FOUND "RUN_NOT_FOUND" "There is no such run."
    AGENT_NOT_FOUND NOT_FOUND "AGENT_NOT_FOUND" "There is no such agent."
    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "METHOD_NOT_ALLOWED" "The path does not have this method; `Allow` lists those it has."
    REQUEST_TIMEOUT REQUEST_TIMEOUT "REQUEST_TIMEOUT" "The body did not arrive in time."
    ALREADY_EXISTS CONFLICT "ALREADY_EXISTS" "What should be created is there already."
    IDEMPOTENCY_IN_PROGRESS CONFLICT "IDEMPOTENCY_IN_PROGRESS" "A call under this `Idempotency-Key` is in progress; repeat it after `Retry-After`."
    IDEMPOTENCY_KEY_REUSED CONFLICT "IDEMPOTENCY_KEY_REUSED" "The `Idempotency-Key` came with another body before."
    PRECONDITION_FAILED PRECONDITION_FAILED "PRECONDITION_FAILED" "The resource was changed meanwhile: `If-Match` names none of its versions."
    PAYLOAD_TOO_LARGE PAYLOAD_TOO_LARGE "PAYLOAD_TOO_LARGE" "The body is longer than the call takes; `details.limit_bytes` says how long it may be."
    UNSUPPORTED_MEDIA_TYPE UNSUPPORTED_MEDIA_TYPE "UNSUPPORTED_MEDIA_TYPE" "The body is announced as something else than JSON."
    RATE_LIMITED TOO_MANY_REQUESTS "RATE_LIMITED" "Too many calls at once; repeat it after `Retry-After`."
    INTERNAL_ERROR INTERNAL_SERVER_ERROR "INTERNAL_ERROR" "Something went wrong on the server."
    UNAVAILABLE SERVICE_UNAVAILABLE "UNAVAILABLE" "The server cannot do this now, and changed nothing; repeat it after `Retry-After`."
    TIMEOUT GATEWAY_TIMEOUT "TIMEOUT" "The call takes too long, and may still be carried out."
}
