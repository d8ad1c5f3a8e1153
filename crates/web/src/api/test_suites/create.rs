use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use preclinical_core::{id::TestSuiteId, scenario::MAX_SCENARIOS, test_suite::TestSuite};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Length, SMALL},
    wire::TestSuiteView,
};

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let name = body.text("name", Length::Line(200))?;
    let now = app.clock.now();
    let suite = TestSuite {
        id: TestSuiteId::from_uuid(subject.uuid(now, &*app.chance)),
        organization_id: caller.organization,
        name: body.require("name", name)?,
        description: body.text("description", Length::Text(2000))?,
        scenario_count: body.count("scenario_count", 0..=MAX_SCENARIOS)?.unwrap_or(0),
        created_at: now,
    };
    body.finish()?;
    let suite = app.store.create_test_suite(suite).await?;
    Ok((StatusCode::CREATED, Json(TestSuiteView::from(&suite))).into_response())
}
