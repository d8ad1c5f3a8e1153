use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use preclinical_core::{id::TestSuiteId, scenario::MAX_SCENARIOS, test_suite::TestSuite};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Length, SMALL},
    openapi::{Description, Field, Object, Topic},
    wire::TestSuiteView,
};

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<impl IntoResponse, ApiError> {
    let name = body.text("name", Length::NAME)?;
    let now = app.clock.now();
    let suite = TestSuite {
        id: TestSuiteId::from_uuid(subject.uuid(now, &*app.chance)),
        organization_id: caller.organization,
        name: body.require("name", name)?,
        description: body.text("description", Length::DESCRIPTION)?,
        scenario_count: body.count("scenario_count", 0..=MAX_SCENARIOS)?.unwrap_or(0),
        created_at: now,
    };
    body.finish()?;
    let suite = app.store.create_test_suite(suite).await?;
    Ok((StatusCode::CREATED, Json(TestSuiteView::from(&suite))).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::TestSuites, "create_test_suite", "Create a test suite")
        .body(
            Object::new()
                .required("name", Field::text(Length::NAME))
                .optional("description", Field::text(Length::DESCRIPTION))
                .optional("scenario_count", Field::count(0..=MAX_SCENARIOS).unless_told(0)),
        )
        .created::<TestSuiteView<'_>>("The test suite.")
}
