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

use crate::{
    app::App,
    error::ApiError,
    input::{Id, Query},
    pages::{
        address::{self, PageNumber, address},
        done,
        door::Visitor,
        failure::Failure,
        parts,
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
}

/// What the page may have to say about what was done.
const DONE: [(&str, &str); 2] =
    [("canceled", "The run was canceled."), ("ended-before", "Nothing was canceled: the run had ended before.")];

/// Everything that the page shows.
struct Shown {
    found: ResultsPage,
    decisions: Vec<Decision>,
    deliveries: DeliveryPage,
}

impl Asked {
    fn read(query: &mut Query) -> Result<Self, ApiError> {
        Ok(Self {
            status: address::choice(query, "status", "one of passed, failed, error, canceled", ScenarioStatus::parse)?,
            page: PageNumber::read(query, ROWS)?,
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
    id: Id,
    mut query: Query,
) -> Result<Response, Failure> {
    let run: RunRef = id.parse(ApiError::run_not_found)?;
    let done = done::notice(&mut query, &DONE)?;
    let asked = Asked::read(&mut query)?;
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
    Ok(shell::page(&visitor, Section::Runs, &title, &content(&app, &visitor, &asked, &shown, &done)))
}

fn content(app: &App, visitor: &Visitor, asked: &Asked, shown: &Shown, done: &Markup) -> Markup {
    let run = &shown.found.run;
    html! {
        div id="run" data-live=[live(shown)] {
            (parts::crumbs(&[("Runs", "/runs")]))
            div.after-head { (done) }
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
