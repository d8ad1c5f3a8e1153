//! Every request has an id, which its answer says, and one line in the log. The line tells the path's pattern; ids, parameters,
//! keys and bodies stay out of it.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::Response,
};
use preclinical_core::id::{OrganizationId, RequestId};

use crate::{app::App, error::Cause};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a caller that is taken over.
const LONGEST: usize = 128;

/// Whose data a request was about. An answer carries it to the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose(pub(crate) OrganizationId);

/// Names the request and writes its line, also if its client hangs up.
pub(crate) async fn write(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = callers(request.headers()).unwrap_or_else(|| RequestId::generate(app.clock.now(), &*app.chance).to_string());
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (began, method) = (Instant::now(), request.method().to_string());
    let mut line = Line { id, method, path, began, end: None };
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(&line.id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    line.end = Some(End {
        status: response.status(),
        organization: response.extensions().get().map(|Whose(organization)| *organization),
        cause: response.extensions().get::<Cause>().cloned(),
    });
    response
}

/// The id that a caller gave, if it is one that may stand in a log.
fn callers(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let fits = (1..=LONGEST).contains(&text.len());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (fits && text.bytes().all(is_plain)).then(|| text.to_owned())
}

struct Line {
    id: String,
    method: String,
    path: Option<String>,
    began: Instant,
    end: Option<End>,
}

struct End {
    status: StatusCode,
    organization: Option<OrganizationId>,
    cause: Option<Cause>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { id, method, began, .. } = self;
        let path = self.path.as_deref().unwrap_or("none");
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Some(End { status, organization, cause }) = &self.end else {
            return tracing::info!(request_id = %id, %method, path, duration_ms, "the client hung up");
        };
        let (status, organization) = (status.as_u16(), organization.map(tracing::field::display));
        if let Some(Cause(cause)) = cause {
            tracing::error!(request_id = %id, %method, path, status, duration_ms, organization, %cause, "request failed");
        } else {
            tracing::info!(request_id = %id, %method, path, status, duration_ms, organization, "request");
        }
    }
}
