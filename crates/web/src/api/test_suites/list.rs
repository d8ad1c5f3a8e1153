use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    input::Query,
    openapi::{Description, Topic},
    wire::{self, TestSuiteView},
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    mut query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    query.finish()?;
    let (suites, total) = app.store.test_suites(caller.organization, page).await?;
    let views: Vec<TestSuiteView<'_>> = suites.iter().map(TestSuiteView::from).collect();
    Ok(wire::list("test_suites", &views, total, page))
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::TestSuites, "list_test_suites", "List test suites").page::<TestSuiteView<'_>>("test_suites")
}
