//! The one error of the API: `{"error":"sentence","code":"MACHINE_CODE","details":{…}}`.

pub(crate) mod code;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use preclinical_core::{
    port::{DeleteError, StoreError},
    run::RunStatus,
    scope::{Need, Scope},
};
use serde_json::{Map, Value, json};

use self::code::Code;

/// An answer that is not a success. Boxed, because every result carries the room for it.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Content>);

#[derive(Debug)]
struct Content {
    code: Code,
    message: String,
    details: Map<String, Value>,
    header: Option<(HeaderName, &'static str)>,
    cause: Option<Cause>,
}

/// Why a request failed, for the log and not for its answer.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) String);

impl ApiError {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Content { code, message: message.into(), details: Map::new(), header: None, cause: None }))
    }

    fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(name.to_owned(), value.into());
        self
    }

    fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.header = Some((name, value));
        self
    }

    /// The status that it is answered with.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.code.status
    }

    /// The sentence for people.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// The field that caused it, if one did.
    pub(crate) fn field(&self) -> Option<&str> {
        self.0.details.get("field").and_then(Value::as_str)
    }

    /// Whether it is that error.
    pub(crate) fn is(&self, code: Code) -> bool {
        self.0.code == code
    }

    /// Whether it is the state of a resource that does not permit what was asked.
    pub(crate) fn is_of_state(&self) -> bool {
        self.0.details.contains_key("current_status")
    }

    /// Says why, to the log.
    pub(crate) fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.0.cause = Some(Cause(cause.to_string()));
        self
    }

    /// A field that must be there is not. `field` is its path, such as `results[3].status`.
    pub(crate) fn missing(field: &str) -> Self {
        Self::new(code::MISSING_REQUIRED_FIELD, format!("{field} is required")).detail("field", field)
    }

    /// A field has a value that is refused; `why` completes the sentence that begins with its name.
    pub(crate) fn invalid(field: &str, why: impl std::fmt::Display) -> Self {
        Self::new(code::INVALID_FIELD_VALUE, format!("{field} {why}")).detail("field", field)
    }

    /// The body is no JSON object.
    pub(crate) fn invalid_json(why: impl std::fmt::Display) -> Self {
        Self::new(code::INVALID_JSON, format!("the request's body is not a JSON object: {why}"))
    }

    /// The run is past the point where this could be done.
    pub(crate) fn already_final(status: RunStatus) -> Self {
        let status = status.as_str();
        Self::invalid_state(format!("the run is already {status}"), status)
    }

    /// The resource is in no state for this.
    pub(crate) fn invalid_state(why: impl Into<String>, current: &str) -> Self {
        Self::new(code::INVALID_STATE, why).detail("current_status", current)
    }

    /// No key, or none that is known.
    pub(crate) fn unauthorized() -> Self {
        Self::new(code::UNAUTHORIZED, "send a valid API key: Authorization: Bearer sk_live_…")
            .header(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// The key is in force, and its scope does not permit the call.
    pub(crate) fn forbidden(scope: Scope, need: Need) -> Self {
        let (scope, least) = (scope.as_str(), need.least().as_str());
        Self::new(code::FORBIDDEN, format!("this call needs a key with the scope {least}; this one has {scope}"))
            .detail("required_scope", least)
            .detail("scope", scope)
    }

    /// The caller is known, and may not.
    pub(crate) fn not_permitted(why: &str) -> Self {
        Self::new(code::FORBIDDEN, why)
    }

    /// No such path, webhook or delivery.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(code::NOT_FOUND, format!("there is no such {what}"))
    }

    /// No such run.
    pub(crate) fn run_not_found() -> Self {
        Self::new(code::RUN_NOT_FOUND, "there is no such run")
    }

    /// A path names no agent.
    pub(crate) fn agent_not_found() -> Self {
        Self::new(code::AGENT_NOT_FOUND, "there is no such agent")
    }

    /// A body names no agent.
    pub(crate) fn agent_in_body_not_found() -> Self {
        Self::new(code::AGENT_IN_BODY_NOT_FOUND, "agent_id names no agent").detail("field", "agent_id")
    }

    /// What should be created is there already.
    pub(crate) fn already_exists(why: &str) -> Self {
        Self::new(code::ALREADY_EXISTS, why)
    }

    /// The resource is not of the version that the change is meant for.
    pub(crate) fn stale() -> Self {
        let message = "it was changed meanwhile: read it again and send its ETag as If-Match";
        Self::new(code::PRECONDITION_FAILED, message)
    }

    /// The path is known, the method is not.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(code::METHOD_NOT_ALLOWED, "the path does not have this method; see the Allow header")
    }

    /// The body is longer than this call takes.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the request's body is longer than {} KiB", limit / 1024);
        Self::new(code::PAYLOAD_TOO_LARGE, message).detail("limit_bytes", limit)
    }

    /// The body is announced as something else than JSON.
    pub(crate) fn unsupported_media_type() -> Self {
        let message = "the request's Content-Type must be application/json";
        Self::new(code::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// What a page sends is no form.
    pub(crate) fn unsupported_form() -> Self {
        let message = "a form's Content-Type must be application/x-www-form-urlencoded";
        Self::new(code::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// Too much at once; try again in a second.
    pub(crate) fn busy(message: &str) -> Self {
        Self::new(code::RATE_LIMITED, message).header(header::RETRY_AFTER, "1")
    }

    /// The key has used up its calls.
    pub(crate) fn too_many_calls() -> Self {
        Self::busy("this key makes too many calls; see the RateLimit headers")
    }

    /// A call under the same idempotency key is being carried out.
    pub(crate) fn call_in_progress() -> Self {
        let message = "a call under this Idempotency-Key is in progress; repeat it in a moment";
        Self::new(code::IDEMPOTENCY_IN_PROGRESS, message).header(header::RETRY_AFTER, "1")
    }

    /// The idempotency key belongs to another call.
    pub(crate) fn key_reused() -> Self {
        let message = "this Idempotency-Key came with another body before; use a new one for a new call";
        Self::new(code::IDEMPOTENCY_KEY_REUSED, message)
    }

    /// The body took too long to arrive.
    pub(crate) fn request_timeout() -> Self {
        Self::new(code::REQUEST_TIMEOUT, "the request's body did not arrive in time").header(header::CONNECTION, "close")
    }

    /// The call took too long to carry out.
    pub(crate) fn timeout() -> Self {
        let message = "the call takes too long, and may still be carried out; repeat it under the same Idempotency-Key";
        Self::new(code::TIMEOUT, message).because("the limit of a call passed")
    }

    /// Not now; try again in a second.
    pub(crate) fn unavailable(message: &str) -> Self {
        Self::new(code::UNAVAILABLE, message).header(header::RETRY_AFTER, "1")
    }

    /// Our fault, without saying more.
    pub(crate) fn internal() -> Self {
        Self::new(code::INTERNAL_ERROR, "something went wrong on the server")
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let cause = error.to_string();
        let answer = match error {
            StoreError::Unavailable(_) => {
                let message = "the server cannot reach its store; make the same call again";
                Self::new(code::UNAVAILABLE, message).header(header::RETRY_AFTER, "1")
            }
            StoreError::Corrupt(_) => Self::internal(),
        };
        answer.because(cause)
    }
}

impl From<DeleteError> for ApiError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Stale => Self::stale(),
            DeleteError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Content { code, message, details, header, cause } = *self.0;
        let mut body = json!({"error": message, "code": code.name});
        if !details.is_empty() {
            body["details"] = Value::Object(details);
        }
        let mut response = (code.status, Json(body)).into_response();
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if let Some(cause) = cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}
