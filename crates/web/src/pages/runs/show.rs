//! The page of one run, where `results_url` of a webhook leads.

mod criteria;
mod cut;
mod head;
mod results;
mod scenario;
mod told;
mod transcript;

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{
    decision::Decision,
    delivery::DeliveryStatus,
    port::{DeliveryFilter, DeliveryPage, Page, ResultsPage},
    run::{Run, RunRef},
    scenario::ScenarioStatus,
};

use super::address::{self, PageNumber, address};
use crate::{
    app::App,
    error::ApiError,
    input::{Id, Query},
    pages::{
        door::Visitor,
        failure::Failure,
        parts::{self, Tone},
        shell::{self, Section},
    },
};

/// How many results are on a page.
const ROWS: u32 = 50;

/// How many decisions and deliveries are shown at most.
const TOLD: u32 = 20;

/// What the address asks for.
struct Asked {
    status: Option<ScenarioStatus>,
    page: PageNumber,
    done: Option<Done>,
}

/// What was done just now.
#[derive(Clone, Copy)]
enum Done {
    Canceled,
    EndedBefore,
}

/// Everything that the page shows.
struct Shown {
    found: ResultsPage,
    decisions: Vec<Decision>,
    deliveries: DeliveryPage,
}

impl Asked {
    fn read(mut query: Query) -> Result<Self, ApiError> {
        let done = |text: &str| match text {
            "canceled" => Some(Done::Canceled),
            "ended-before" => Some(Done::EndedBefore),
            _ => None,
        };
        Ok(Self {
            status: address::choice(&mut query, "status", "one of passed, failed, error, canceled", ScenarioStatus::parse)?,
            page: PageNumber::read(&mut query, ROWS)?,
            done: address::choice(&mut query, "done", "what the page was told", done)?,
        })
    }
}

/// Where the page of a run lies, under the name by which it was asked for.
pub(super) fn path_of(run: RunRef) -> String {
    match run {
        RunRef::Id(id) => format!("/test/{id}"),
        RunRef::Number(number) => format!("/test/{number}"),
    }
}

/// The results of a run: those of one verdict or of all, and a page of them.
fn results_at(run: &Run, status: Option<ScenarioStatus>, page: u32) -> String {
    let status = status.map(|status| status.as_str().to_owned());
    let path = path_of(RunRef::Id(run.id));
    let address = address(&path, &[("status", status), ("page", (page > 1).then(|| page.to_string()))]);
    format!("{address}#run-results")
}

/// `GET /test/{id}`
pub(in crate::pages) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    id: Result<Id, ApiError>,
    query: Query,
) -> Result<Response, Failure> {
    let run: RunRef = id?.parse(ApiError::run_not_found)?;
    let asked = Asked::read(query)?;
    let organization = visitor.organization.id;
    let found = app.store.results_page(organization, run, asked.status, asked.page.page()).await?;
    let found = found.ok_or_else(ApiError::run_not_found)?;
    let page = Page { limit: TOLD, offset: 0 };
    let (decisions, _) = app.store.decisions(organization, run, page).await?.unwrap_or_default();
    let filter = DeliveryFilter { run_id: Some(found.run.id), limit: TOLD, ..DeliveryFilter::default() };
    let deliveries = app.store.deliveries(organization, filter).await?;
    let shown = Shown { found, decisions, deliveries };
    let run = &shown.found.run;
    let title = format!("{} · {}", run.number, run.name);
    Ok(shell::page(&visitor, Section::Runs, &title, &content(&app, &visitor, &asked, &shown)))
}

fn content(app: &App, visitor: &Visitor, asked: &Asked, shown: &Shown) -> Markup {
    let run = &shown.found.run;
    html! {
        div id="run" data-live=[live(shown)] {
            (parts::crumbs(&[("Runs", "/runs")]))
            @if let Some(done) = asked.done { div.after-head { (said(done)) } }
            div id="run-head" data-live-region { (head::of(visitor, run)) }
            div.stack {
                div id="run-stats" data-live-region { (head::stats(run, shown.found.total(None))) }
                div id="run-told" data-live-region { (told::of(run, &shown.decisions, &shown.deliveries)) }
                div id="run-results" data-live-region { (results::of(app, asked, &shown.found)) }
            }
        }
    }
}

/// What tells the page that there is something new: the run until it ends, then its deliveries until they have ended.
fn live(Shown { found, deliveries, .. }: &Shown) -> Option<String> {
    let run = &found.run;
    if !run.status.is_final() {
        return Some(format!("/live/run?run_id={}", run.id));
    }
    let is_pending = deliveries.deliveries.iter().any(|delivery| delivery.status == DeliveryStatus::Pending);
    is_pending.then(|| format!("/live/deliveries?agent_id={}", run.agent_id))
}

fn said(done: Done) -> Markup {
    match done {
        Done::Canceled => parts::notice(Tone::Good, &html! { "The run was canceled." }),
        Done::EndedBefore => parts::notice(Tone::Info, &html! { "The run had ended already, so nothing was canceled." }),
    }
}
