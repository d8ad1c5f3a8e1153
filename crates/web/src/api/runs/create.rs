use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use jiff::{SignedDuration, Timestamp};
use preclinical_core::{
    id::RunId,
    port::{CreateRunError, NewRun},
    run::RunStatus,
    scenario::MAX_SCENARIOS,
};
use serde_json::json;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Fields, Length, SMALL},
};

/// How long ago a run may have started when it is created.
const OLDEST_START: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Creates a run. Hints for a runner (`test_mode` and the like) are checked; this server runs no scenarios, so they change nothing.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let now = app.clock.now();
    let agent_id = body.id("agent_id")?;
    let new = NewRun {
        id: RunId::from_uuid(subject.uuid(now, &*app.chance)),
        organization_id: caller.organization,
        agent_id: body.require("agent_id", agent_id)?,
        test_suite_id: body.id("test_suite_id")?,
        name: body.text("name", Length::Line(200))?,
        planned: body.count("total_scenarios", 1..=MAX_SCENARIOS)?,
        started_at: started_at(&mut body, now)?,
        created_at: now,
    };
    check_hints(&mut body)?;
    body.finish()?;
    let run = app.store.create_run(new).await?;
    let path = format!("/api/v1/runs/{}", run.id);
    let answer = json!({
        "id": run.id, "test_run_id": run.number.to_string(), "status": run.status.as_str(),
        "total_scenarios": run.tally.total, "poll_url": path,
    });
    Ok((StatusCode::CREATED, [(header::LOCATION, path)], Json(answer)))
}

/// A run has started when it is created, unless it is `pending` or says when.
fn started_at(body: &mut Fields, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let startable =
        |text: &str| RunStatus::parse(text).filter(|status| matches!(status, RunStatus::Pending | RunStatus::Running));
    let status = body.choice("status", "pending or running", startable)?;
    let started = body.time("started_at")?;
    match (status, started) {
        (Some(RunStatus::Pending), Some(_)) => Err(ApiError::invalid("started_at", "is not possible for a pending run")),
        (Some(RunStatus::Pending), None) => Ok(None),
        (_, Some(started)) if started > now => Err(ApiError::invalid("started_at", "must not lie in the future")),
        (_, Some(started)) if now.duration_since(started) > OLDEST_START => {
            Err(ApiError::invalid("started_at", "must not be more than 30 days ago"))
        }
        (_, started) => Ok(Some(started.unwrap_or(now))),
    }
}

fn check_hints(body: &mut Fields) -> Result<(), ApiError> {
    body.choice("test_mode", "demo or full", |text| matches!(text, "demo" | "full").then_some(()))?;
    body.count("max_scenarios", 1..=MAX_SCENARIOS)?;
    body.count("max_turns", 1..=1_000)?;
    Ok(())
}

impl From<CreateRunError> for ApiError {
    fn from(error: CreateRunError) -> Self {
        match error {
            CreateRunError::AgentNotFound => Self::agent_in_body_not_found(),
            CreateRunError::TestSuiteNotFound => Self::invalid("test_suite_id", "names no test suite"),
            CreateRunError::Store(error) => error.into(),
        }
    }
}
