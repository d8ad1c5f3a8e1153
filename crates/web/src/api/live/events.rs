use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use schemars::JsonSchema;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    input::Query,
    live::{Listener, following},
    openapi::{Description, Parameter, Topic},
    wire::{RunEvent, ScenarioEvent},
};

/// What an event tells.
#[derive(JsonSchema)]
#[schemars(rename = "EventOfRun", untagged)]
#[expect(dead_code, reason = "describes what `live` sends")]
enum ScenarioOrRun<'a> {
    Run(RunEvent<'a>),
    Scenario(ScenarioEvent<'a>),
}

/// One run, from its beginning or from `Last-Event-ID` on, to its end; then the stream ends. A run that is final already is told
/// by its last event alone, unless there is a place to go on from.
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    following::run(app, Listener::Program(caller), &headers, query).await
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Live, "follow_run", "Follow a run")
        .text(
            "Server-sent events of one run to its end. A run that is final already is \
             told by its last event alone, unless there is a place to go on from.",
        )
        .parameter(Parameter::run_id())
        .parameters(Parameter::last_event_id())
        .answers_events::<ScenarioOrRun<'_>>("The events.")
        .no_content("The client had the last event: there is nothing to come back for.")
        .refuses(code::RUN_NOT_FOUND)
}
