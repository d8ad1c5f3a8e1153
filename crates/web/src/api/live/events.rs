use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use preclinical_core::run::RunRef;
use schemars::JsonSchema;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    input::Query,
    live::{LastEventId, OneRun, RunPlace, tell},
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
/// by its last event alone, unless there is a place to go on from. Whoever had the last event gets 204, at which browsers stop
/// coming back.
pub(crate) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    mut query: Query,
) -> Result<Response, ApiError> {
    let named = query.parsed::<RunRef>("run_id", "a run's id or a number like TR-00042", |text| text.parse().ok())?;
    let named = named.ok_or_else(|| ApiError::missing("run_id"))?;
    let last = LastEventId::take(&headers, &mut query)?;
    query.finish()?;
    let run = app.store.run(caller.organization, named).await?.ok_or_else(ApiError::run_not_found)?;
    let place = last.map(|last| last.place(|id| RunPlace::read(run.id, id))).transpose()?;
    match OneRun::from(&run, place) {
        Some(story) => tell(app, caller, story).await,
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
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
