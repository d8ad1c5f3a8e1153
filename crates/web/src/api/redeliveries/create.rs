use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use preclinical_core::{
    id::RedeliveryJobId,
    port::{NewRedeliveryJob, StoreError},
    redelivery::{RedeliveryJob, RedeliverySelection, Repeated, RepeatedStatus},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    app::{self, App},
    auth::Caller,
    error::ApiError,
    idempotency::Subject,
    input::{Body, Fields, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::RedeliveryJobView,
};

/// What a bulk redelivery would do.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DryRun {
    dry_run: bool,
    /// How many deliveries would be repeated.
    count: u64,
}

impl DryRun {
    pub(crate) const fn of(count: u64) -> Self {
        Self { dry_run: true, count }
    }
}

/// Repeats what a filter finds: all that failed, unless told otherwise. Tests are left out, and what a webhook got later or is
/// about to get; of several deliveries of an event to a webhook the newest is repeated. A dry run counts and writes nothing.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let selection = selection(&mut body)?;
    let dry_run = body.flag("dry_run")?.unwrap_or(false);
    body.finish()?;
    let (organization_id, at) = (caller.organization, app.clock.now());
    if dry_run {
        let count = app.store.count_redeliveries(organization_id, selection, at).await?;
        return Ok(Json(DryRun::of(count)).into_response());
    }
    let id = RedeliveryJobId::from_uuid(subject.uuid(at, &*app.chance));
    let job = app::to_its_end(start(app, NewRedeliveryJob { id, organization_id, selection, at })).await??;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/redeliveries/{}", job.id))];
    Ok((StatusCode::ACCEPTED, location, Json(RedeliveryJobView::from(&job))).into_response())
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Redeliveries, "create_redelivery", "Repeat many deliveries")
        .text(
            "Repeats what a filter finds: all that failed, unless told otherwise. Tests are left out, and what a webhook got later \
             or is about to get; of several deliveries of an event to a webhook the newest is repeated.",
        )
        .body(
            Object::new()
                .optional("status", Field::choice::<RepeatedStatus>().unless_told("failed"))
                .optional("webhook_id", Field::id())
                .optional("agent_id", Field::id())
                .optional("run_id", Field::id())
                .optional("created_after", Field::time().says("Created then or later."))
                .optional("created_before", Field::time().says("Created before that."))
                .optional("dry_run", Field::flag().unless_told(false).says("Counts, and writes nothing.")),
        )
        .accepted::<RedeliveryJobView>("The bulk redelivery, which goes on by itself.")
        .located(Resource::Redelivery)
        .ok::<DryRun>("How many deliveries would be repeated: the answer to a dry run.")
}

/// Writes the order and lets it begin.
pub(crate) async fn start(app: Arc<App>, job: NewRedeliveryJob) -> Result<RedeliveryJob, StoreError> {
    let job = app.store.create_redelivery_job(job).await?;
    app.handoff.wake_redeliveries();
    Ok(job)
}

/// What is to be repeated, out of the fields of a body.
pub(crate) fn selection(body: &mut Fields) -> Result<RedeliverySelection, ApiError> {
    let status = body.choice("status", "one of delivered, failed, canceled", RepeatedStatus::parse)?;
    Ok(RedeliverySelection {
        ended: Repeated::As(status.unwrap_or_default()),
        webhook_id: body.id("webhook_id")?,
        agent_id: body.id("agent_id")?,
        run_id: body.id("run_id")?,
        created_after: body.time("created_after")?,
        created_before: body.time("created_before")?,
    })
}
