//! All orders.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::redelivery::RedeliveryJob;

use super::{
    super::ABOVE,
    progress::{bar, look},
    selection::{deliveries, ended},
};
use crate::{
    app::App,
    input::Query,
    pages::{
        address::{PageNumber, address},
        door::Visitor,
        failure::Failure,
        parts::{self, Icon, time},
        shell::{self, Section},
    },
};

/// How many are on a page.
const ROWS: u32 = 20;

const COLUMNS: [&str; 5] = ["Status", "What", "Progress", "Skipped", "Begun"];

/// `GET /deliveries/redeliveries`
pub(in crate::pages) async fn jobs(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    mut query: Query,
) -> Result<Response, Failure> {
    let page = PageNumber::read(&mut query, ROWS)?;
    query.finish()?;
    let (jobs, total) = app.store.redelivery_jobs(visitor.organization.id, page.page()).await?;
    let content = html! {
        (parts::crumbs(&ABOVE[..3]))
        (parts::page_head("Bulk redeliveries", &html! { "Orders to repeat many deliveries at once." }, &begin(&visitor)))
        section.card {
            @if jobs.is_empty() {
                (parts::empty(Icon::Repeat, "Nothing was repeated in bulk yet",
                    &html! { "When a receiver was down for a while, everything that failed can be sent again with one order." }, &html! {}))
            } @else {
                (table(&jobs))
                (pager(page, total))
            }
        }
    };
    Ok(shell::page(&visitor, Section::Settings, "Bulk redeliveries", &content))
}

fn begin(visitor: &Visitor) -> Markup {
    html! {
        @if visitor.member.role.may_change() {
            a.button href="/deliveries/redeliver" { (Icon::Repeat) "Redeliver what failed…" }
        }
    }
}

fn table(jobs: &[RedeliveryJob]) -> Markup {
    html! {
        div.table-box {
            table.folds.deliveries {
                thead { tr { @for name in COLUMNS { th scope="col" { (name) } } } }
                tbody { @for job in jobs { (row(job)) } }
            }
        }
    }
}

fn row(job: &RedeliveryJob) -> Markup {
    html! {
        tr {
            td data-label=(COLUMNS[0]) {
                a.row-open href={ "/deliveries/redeliveries/" (job.id) } { (look(job.status)) span.sr { " bulk redelivery" } }
            }
            td data-label=(COLUMNS[1]) { (deliveries(job.total)) ", " (ended(job.selection.ended)) }
            td data-label=(COLUMNS[2]) { div.meter { (bar(job)) span.small.muted.number { (job.enqueued) " of " (job.total) } } }
            td.number data-label=(COLUMNS[3]) { (job.skipped.sum()) }
            td.nowrap data-label=(COLUMNS[4]) { (time::ago(job.created_at)) }
        }
    }
}

fn pager(page: PageNumber, total: u64) -> Markup {
    let to = |number: u32| address("/deliveries/redeliveries", &[("page", Some(number.to_string()))]);
    let at = |number: Option<u32>, name| number.map(|number| (to(number), name));
    html! {
        @if total > u64::from(ROWS) || page.number > 1 {
            (parts::pager("Pages", &html! { (total) " in all" }, at(page.before(total), "Newer"), at(page.next(total), "Older")))
        }
    }
}
