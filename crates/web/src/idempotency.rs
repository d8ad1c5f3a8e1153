//! `Idempotency-Key`: a call that its caller may repeat is carried out once.
//!
//! The call is remembered before it is carried out, with the id of what it is going to create, and its answer after it. A
//! process that dies in between leaves a call that begins again and finds what it created the first time. Answers that say
//! nothing about the call itself (401, 403, 429 and 5xx) are not kept. Those that show a secret once are, sealed: whoever did
//! not get the answer needs it most.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use preclinical_core::{
    chance::Chance,
    id::{LeaseToken, RequestId},
    idempotency::{Begun, CallId, Fingerprint, KeptAnswer, NewCall},
    port::StoreError,
};
use uuid::Uuid;

use crate::{
    app::{self, App},
    auth::Caller,
    error::ApiError,
    input::read_body,
};

/// As errors call it.
const NAME: &str = "Idempotency-Key";

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The headers that belong to an answer and not to the request that it answers.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// How much longer than a call may take nobody else may begin it: time to keep its answer.
const MARGIN: Duration = Duration::from_secs(30);

/// The pauses before the end of a call is noted after all, if the store could not take it: about as long as it is held.
const NOTED_AFTER: [Duration; 7] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
];

/// The id of what a call creates, if that was fixed before.
#[derive(Default)]
pub(crate) struct Subject(Option<Uuid>);

impl Subject {
    /// The one of that id, under which a call that is made twice is carried out once.
    pub(crate) const fn named(id: Uuid) -> Self {
        Self(Some(id))
    }

    /// The id: the one that was fixed, or a new one.
    pub(crate) fn uuid(&self, now: Timestamp, chance: &dyn Chance) -> Uuid {
        self.0.unwrap_or_else(|| RequestId::generate(now, chance).uuid())
    }
}

#[derive(Clone, Copy)]
struct Fixed(Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Subject {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get().map(|Fixed(uuid)| *uuid)))
    }
}

/// Carries a call out, or answers as it was answered before. `longest` is the limit of its body. Stands behind the gate: an
/// answer is repeated to those alone who may make the call.
pub(crate) async fn once(
    State((app, longest)): State<(Arc<App>, usize)>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(key) = key(request.headers())? else { return Ok(next.run(request).await) };
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, longest).await?;
    let at = app.clock.now();
    let call = NewCall {
        id: CallId::of(caller.organization, parts.method.as_str(), parts.uri.path(), &key),
        organization_id: caller.organization,
        fingerprint: Fingerprint::of(&body),
        token: LeaseToken::generate(at, &*app.chance),
        subject: RequestId::generate(at, &*app.chance).uuid(),
        at,
        until: at.saturating_add(app.limits.call + MARGIN).unwrap_or(Timestamp::MAX),
    };
    let request = Request::from_parts(parts, Body::from(body));
    // Who hangs up wants to repeat the call and hear how it ended.
    app::to_its_end(begin(app, call, request, next)).await?
}

async fn begin(app: Arc<App>, call: NewCall, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let (id, token) = (call.id, call.token);
    match app.store.begin_call(call).await? {
        Begun::Answered(answer) => Ok(again(answer)),
        Begun::InProgress => Err(ApiError::call_in_progress()),
        Begun::Reused => Err(ApiError::key_reused()),
        Begun::CarryOut { subject } => {
            request.extensions_mut().insert(Fixed(subject));
            let (response, answer) = taken_apart(next.run(request).await).await?;
            if let Err(error) = note(&app, id, token, answer.clone()).await {
                tracing::error!(%error, "the end of a call was not noted; it is tried again");
                tokio::spawn(note_later(app, id, token, answer));
            }
            Ok(response)
        }
    }
}

/// Notes how a call ended: with an answer that is kept, or given back.
async fn note(app: &App, id: CallId, token: LeaseToken, answer: Option<KeptAnswer>) -> Result<(), StoreError> {
    match answer {
        Some(answer) => app.store.keep_answer(id, token, answer).await,
        None => app.store.release_call(id, token).await,
    }
}

/// Tries again as long as the call would be taken for one under way. Nobody could repeat it until then.
async fn note_later(app: Arc<App>, id: CallId, token: LeaseToken, answer: Option<KeptAnswer>) {
    for pause in NOTED_AFTER {
        tokio::time::sleep(pause).await;
        if note(&app, id, token, answer.clone()).await.is_ok() {
            return;
        }
    }
}

/// The response, and what of it is kept: nothing if the call is to be carried out again.
async fn taken_apart(response: Response) -> Result<(Response, Option<KeptAnswer>), ApiError> {
    let status = response.status();
    let is_kept = !status.is_server_error()
        && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    if !is_kept {
        return Ok((response, None));
    }
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| ApiError::internal())?.to_bytes();
    let header = |name: &HeaderName| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.to_owned()));
    let headers = KEPT.iter().filter_map(header).collect();
    let answer = KeptAnswer { status: status.as_u16(), headers, body: body.clone() };
    Ok((Response::from_parts(parts, Body::from(body)), Some(answer)))
}

/// The answer as it was.
fn again(answer: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from(answer.body)).into_response();
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The caller's key: 1 to 255 visible ASCII characters.
fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut given = headers.get_all(KEY).iter();
    let Some(first) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(ApiError::invalid(NAME, "is given more than once"));
    }
    let text = first.to_str().ok().filter(|text| (1..=255).contains(&text.len()));
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let wrong = || ApiError::invalid(NAME, "must be 1 to 255 visible ASCII characters");
    text.map(|text| Some(text.to_owned())).ok_or_else(wrong)
}
