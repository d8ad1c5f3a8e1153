//! How far an order has come.

use maud::{Markup, html};
use preclinical_core::redelivery::{JobStatus, RedeliveryJob};

use crate::pages::parts::{Icon, Tone, badge::Look};

/// How an order stands.
pub(super) const fn look(status: JobStatus) -> Look {
    match status {
        JobStatus::Running => Look { tone: Tone::Info, icon: Icon::Repeat, word: "Running" },
        JobStatus::Completed => Look { tone: Tone::Good, icon: Icon::Check, word: "Completed" },
        JobStatus::Canceled => Look { tone: Tone::Quiet, icon: Icon::Stop, word: "Canceled" },
    }
}

/// A bar: what has a new delivery, and what was passed over.
pub(super) fn bar(job: &RedeliveryJob) -> Markup {
    let width = |count: u64| count.saturating_mul(1000) / job.total.max(1);
    let (enqueued, skipped) = (width(job.enqueued), width(job.skipped.sum()));
    let text = format!("{} of {} repeated, {} skipped", job.enqueued, job.total, job.skipped.sum());
    html! {
        div.bar role="img" aria-label=(text) {
            svg viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                rect.fill-good x="0" y="0" width=(enqueued) height="8" {}
                rect.fill-warn x=(enqueued) y="0" width=(skipped) height="8" {}
            }
        }
    }
}

/// The same in numbers, with the reasons.
pub(super) fn numbers(job: &RedeliveryJob) -> Markup {
    let left = job.total.saturating_sub(job.enqueued).saturating_sub(job.skipped.sum());
    html! {
        dl.stats {
            div { dt { "In all" } dd { (job.total) } }
            div { dt { "Repeated" } dd { (job.enqueued) } }
            div { dt { "Skipped" } dd { (job.skipped.sum()) } }
            div { dt { @if job.status == JobStatus::Canceled { "Left out" } @else { "To do" } } dd { (left) } }
        }
        @if job.skipped.sum() > 0 {
            ul.bullets.small {
                @if job.skipped.webhook_deleted > 0 { li { (job.skipped.webhook_deleted) " because their webhook was deleted" } }
                @if job.skipped.webhook_disabled > 0 { li { (job.skipped.webhook_disabled) " because their webhook is disabled" } }
            }
        }
    }
}
