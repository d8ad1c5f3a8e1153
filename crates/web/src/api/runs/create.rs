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
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Fields, Length, SMALL},
    openapi::{Choice, Description, Field, Object, Resource, RunNumber, Topic, Uuid},
};

/// How long ago a run may have started when it is created.
const OLDEST_START: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How a runner may run.
const TEST_MODES: [&str; 2] = ["demo", "full"];

/// The most turns of a conversation that a runner may be asked for.
const MAX_TURNS: u32 = 1000;

/// A new run, in short.
#[derive(Serialize, JsonSchema)]
struct CreatedRun {
    #[schemars(with = "Uuid")]
    id: RunId,
    #[schemars(with = "RunNumber")]
    test_run_id: String,
    #[schemars(with = "Choice<RunStatus>")]
    status: &'static str,
    total_scenarios: u32,
    /// Where to ask how it goes.
    poll_url: String,
}

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
        name: body.text("name", Length::NAME)?,
        planned: body.count("total_scenarios", 1..=MAX_SCENARIOS)?,
        started_at: started_at(&mut body, now)?,
        created_at: now,
    };
    check_hints(&mut body)?;
    body.finish()?;
    let run = app.store.create_run(new).await?;
    let path = format!("/api/v1/runs/{}", run.id);
    let created = CreatedRun {
        id: run.id,
        test_run_id: run.number.to_string(),
        status: run.status.as_str(),
        total_scenarios: run.tally.total,
        poll_url: path.clone(),
    };
    Ok((StatusCode::CREATED, [(header::LOCATION, path)], Json(created)).into_response())
}

pub(crate) fn describe() -> Description {
    let hint = "Checked, and without effect: this server runs no scenarios.";
    let started = "must not be given for a pending run, and must lie within the last 30 days";
    Description::new(Topic::Runs, "create_run", "Create a run")
        .body(
            Object::new()
                .required("agent_id", Field::id().says("The agent under test."))
                .optional("test_suite_id", Field::id().further("must name a test suite"))
                .optional("name", Field::text(Length::NAME))
                .optional(
                    "total_scenarios",
                    Field::count(1..=MAX_SCENARIOS).says("How many results end the run by themselves."),
                )
                .optional("status", Field::one_of(&["pending", "running"]).unless_told("running"))
                .optional("started_at", Field::time().further(started).says("Now, unless told."))
                .optional("test_mode", Field::one_of(&TEST_MODES).says(hint))
                .optional("max_scenarios", Field::count(1..=MAX_SCENARIOS).says(hint))
                .optional("max_turns", Field::count(1..=MAX_TURNS).says(hint)),
        )
        .created::<CreatedRun>("The run, in short.")
        .located(Resource::Run)
        .refuses(code::AGENT_IN_BODY_NOT_FOUND)
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
    body.choice("test_mode", "demo or full", |text| TEST_MODES.contains(&text).then_some(()))?;
    body.count("max_scenarios", 1..=MAX_SCENARIOS)?;
    body.count("max_turns", 1..=MAX_TURNS)?;
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
