use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use preclinical_core::{
    id::RedeliveryJobId,
    port::NewRedeliveryJob,
    redelivery::{Missed, RedeliverySelection, Repeated},
    webhook::Webhook,
};

use crate::{
    api::redeliveries::create::{DryRun, start},
    app::{self, App},
    auth::Caller,
    error::{ApiError, code},
    idempotency::Subject,
    input::{Body, Id, SMALL},
    openapi::{Description, Field, Object, Resource, Topic},
    wire::RedeliveryJobView,
};

/// Replays what a webhook missed. A dry run counts and writes nothing.
pub(crate) async fn replay(
    State(app): State<Arc<App>>,
    caller: Caller,
    id: Id,
    subject: Subject,
    Body(mut body): Body<SMALL>,
) -> Result<Response, ApiError> {
    let webhook = id.parse(super::missing)?;
    let since = body.time("since")?;
    let newest_per_agent = body.flag("newest_per_agent")?.unwrap_or(false);
    let dry_run = body.flag("dry_run")?.unwrap_or(false);
    body.finish()?;
    let (organization_id, at) = (caller.organization, app.clock.now());
    let webhook = app.store.webhook(organization_id, webhook).await?.ok_or_else(super::missing)?;
    let selection = missed(&webhook, since, newest_per_agent, at);
    if dry_run {
        let count = app.store.count_redeliveries(organization_id, selection, at).await?;
        return Ok(Json(DryRun::of(count)).into_response());
    }
    if !webhook.is_enabled {
        return Err(ApiError::invalid_state("the webhook is disabled: enable it first", "webhook_disabled"));
    }
    let id = RedeliveryJobId::from_uuid(subject.uuid(at, &*app.chance));
    let job = app::to_its_end(start(app, NewRedeliveryJob { id, organization_id, selection, at })).await??;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/redeliveries/{}", job.id))];
    Ok((StatusCode::ACCEPTED, location, Json(RedeliveryJobView::from(&job))).into_response())
}

/// What a webhook missed from that time on, or since nobody has replayed it.
pub(crate) fn missed(
    webhook: &Webhook,
    since: Option<Timestamp>,
    newest_per_agent: bool,
    now: Timestamp,
) -> RedeliverySelection {
    // What misses nothing has missed nothing since now.
    let since = since.or(webhook.health.missed_since).unwrap_or(now);
    RedeliverySelection {
        ended: Repeated::Missed(Missed { since, newest_per_agent, on_recovery: false }),
        webhook_id: Some(webhook.id),
        agent_id: None,
        run_id: None,
        created_after: None,
        created_before: None,
    }
}

pub(crate) fn describe() -> Description {
    Description::new(Topic::Webhooks, "replay_webhook", "Replay what a webhook missed")
        .text(
            "Repeats, oldest first and a few at once, what failed for good, and what was canceled because the server had disabled the \
             webhook. What its owner canceled, by disabling it or one by one, is left out, and so is what the webhook got later or is \
             about to get. From then on the webhook has missed nothing.",
        )
        .of(Resource::Webhook)
        .body(
            Object::new()
                .optional("since", Field::time().says("Missed then or later; since `health.missed_since` if it is missing."))
                .optional(
                    "newest_per_agent",
                    Field::flag()
                        .unless_told(false)
                        .says("Of each agent's runs the newest alone, and none of an agent whose later run was delivered."),
                )
                .optional("dry_run", Field::flag().unless_told(false).says("Counts, and writes nothing.")),
        )
        .accepted::<RedeliveryJobView>("The bulk redelivery, which goes on by itself.")
        .located(Resource::Redelivery)
        .ok::<DryRun>("How many deliveries would be repeated: the answer to a dry run.")
        .refuses(code::INVALID_STATE)
}
