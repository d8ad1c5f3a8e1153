//! One order: how far it has come, and how to stop it.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use preclinical_core::{
    id::RedeliveryJobId,
    port::CancelJobError,
    redelivery::{JobStatus, RedeliveryJob},
};

use super::{
    super::ABOVE,
    progress::{bar, look, numbers},
    selection::Described,
};
use crate::{
    app::App,
    error::ApiError,
    input::Id,
    pages::{
        door::Visitor,
        failure::Failure,
        parts::{self, Icon, time},
        shell::{self, Section},
    },
};

fn missing() -> ApiError {
    ApiError::not_found("bulk redelivery")
}

/// `GET /deliveries/redeliveries/{id}`
pub(in crate::pages) async fn job(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let (organization, id) = (visitor.organization.id, id.parse(missing)?);
    let job = app.store.redelivery_job(organization, id).await?.ok_or_else(missing)?;
    let described = Described::load(&*app.store, organization, &job.selection).await?;
    let is_running = job.status == JobStatus::Running;
    let content = html! {
        (parts::crumbs(&ABOVE))
        div data-live=[is_running.then_some("/live/deliveries")] {
            div id="job-head" data-live-region {
                (parts::page_head("Bulk redelivery", &about(&job), &stop(&visitor, &job)))
            }
            div.stack {
                section.card {
                    div.card-head { h2 { "Progress" } @if is_running { span.live data-needs-script hidden { "Connecting" } } }
                    div.card-body id="job-progress" data-live-region { (bar(&job)) (numbers(&job)) (in_words(job.status)) }
                }
                (parts::card("What it repeats", None, &described.shown(&job.selection)))
            }
        }
    };
    Ok(shell::page(&visitor, Section::Settings, "Bulk redelivery", &content))
}

fn about(job: &RedeliveryJob) -> Markup {
    html! {
        span.line {
            (look(job.status))
            span { "Begun " (time::ago(job.created_at)) }
            @if let Some(end) = job.completed_at { span { "· ended " (time::ago(end)) } }
        }
    }
}

fn in_words(status: JobStatus) -> Markup {
    let text = match status {
        JobStatus::Running => "It goes on by itself, also when this page is closed.",
        JobStatus::Completed => "All new deliveries are written. The history shows which of them arrived.",
        JobStatus::Canceled => "It was stopped. Deliveries that it had written go on.",
    };
    html! { p.small.muted { (text) } }
}

fn stop(visitor: &Visitor, job: &RedeliveryJob) -> Markup {
    html! {
        a.button href="/deliveries" { "Delivery history" }
        @if job.status == JobStatus::Running && visitor.member.role.may_change() {
            form method="post" action={ "/deliveries/redeliveries/" (job.id) "/cancel" } {
                (shell::csrf(visitor))
                button.button.danger { (Icon::Stop) "Stop" }
            }
        }
    }
}

/// `POST /deliveries/redeliveries/{id}/cancel`. One that has ended meanwhile is shown as it is.
pub(in crate::pages) async fn cancel(State(app): State<Arc<App>>, visitor: Visitor, id: Id) -> Result<Response, Failure> {
    let id: RedeliveryJobId = id.parse(missing)?;
    match app.store.cancel_redelivery_job(visitor.organization.id, id, app.clock.now()).await {
        Ok(_) | Err(CancelJobError::AlreadyEnded(_)) => {
            Ok(Redirect::to(&format!("/deliveries/redeliveries/{id}")).into_response())
        }
        Err(error) => Err(error.into()),
    }
}
