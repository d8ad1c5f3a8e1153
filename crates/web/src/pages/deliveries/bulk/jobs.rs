//! All orders.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use preclinical_core::{port::Page, redelivery::RedeliveryJob};

use super::{
    progress::{bar, look},
    selection::{deliveries, word},
};
use crate::{
    app::App,
    input::Query,
    pages::{
        door::Visitor,
        failure::Failure,
        parts::{self, Icon, time},
        shell::{self, Section},
    },
};

const COLUMNS: [&str; 5] = ["Status", "What", "Progress", "Skipped", "Begun"];

/// `GET /deliveries/redeliveries`
pub(in crate::pages) async fn jobs(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    mut query: Query,
) -> Result<Response, Failure> {
    let page = query.page()?;
    query.finish()?;
    let (jobs, total) = app.store.redelivery_jobs(visitor.organization.id, page).await?;
    let content = html! {
        (parts::crumbs(&[("Settings", "/settings/webhooks"), ("Webhooks", "/settings/webhooks"), ("Delivery history", "/deliveries")]))
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
            td data-label=(COLUMNS[1]) { (deliveries(job.total)) ", " (word(job.selection.status).to_lowercase()) }
            td data-label=(COLUMNS[2]) { div.meter { (bar(job)) span.small.muted.number { (job.enqueued) " of " (job.total) } } }
            td.number data-label=(COLUMNS[3]) { (job.skipped.sum()) }
            td.nowrap data-label=(COLUMNS[4]) { (time::ago(job.created_at)) }
        }
    }
}

fn pager(page: Page, total: u64) -> Markup {
    let next = page.offset.saturating_add(page.limit);
    html! {
        @if total > u64::from(page.limit) || page.offset > 0 {
            nav.pager aria-label="Pages" {
                @if page.offset > 0 {
                    a.button.little href={ "/deliveries/redeliveries?offset=" (page.offset.saturating_sub(page.limit)) } { (Icon::Back.sized(14)) "Newer" }
                } @else { span { (total) " in all" } }
                @if u64::from(next) < total {
                    a.button.little href={ "/deliveries/redeliveries?offset=" (next) } { "Older" (Icon::Next.sized(14)) }
                }
            }
        }
    }
}
