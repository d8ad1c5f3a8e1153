//! Keys as rows.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use preclinical_core::api_key::ApiKey;

use super::{PATH, scope};
use crate::pages::parts::{
    Icon, Tone,
    badge::{Look, badge},
    time,
};

/// How many keys that are in force no more are shown.
const MOST_GONE: usize = 100;

/// From then on an end is near.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The keys in force.
pub(super) fn of(keys: &[ApiKey], now: Timestamp, may_change: bool) -> Markup {
    table(keys, now, may_change)
}

/// The others, out of the way.
pub(super) fn folded(keys: &[ApiKey], now: Timestamp) -> Markup {
    let shown = keys.get(..MOST_GONE).unwrap_or(keys);
    html! {
        details.card.fold {
            summary { "Expired and revoked (" (keys.len()) ")" }
            (table(shown, now, false))
            @if shown.len() < keys.len() { div.card-foot { "The newest " (MOST_GONE) " are shown." } }
        }
    }
}

fn table(keys: &[ApiKey], now: Timestamp, may_change: bool) -> Markup {
    html! {
        div.table-box {
            table.folds {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "May" } th scope="col" { "State" } th scope="col" { "Created" }
                    th scope="col" { "Last used" } th scope="col" { "Expires" }
                    @if may_change { th scope="col" { span.sr { "Actions" } } }
                } }
                tbody { @for key in keys { (row(key, now, may_change)) } }
            }
        }
    }
}

fn row(key: &ApiKey, now: Timestamp, may_change: bool) -> Markup {
    html! {
        tr.gone[!key.is_in_force(now)] {
            td.flexible data-label="Name" { div { strong.clip title=(key.name) { (key.name) } code.small.muted { (key.prefix) "…" } } }
            td.nowrap data-label="May" { (scope::in_words(key.scope).name) }
            td data-label="State" { div { (state(key, now)) } }
            td.nowrap data-label="Created" { (time::ago(key.created_at)) }
            td.nowrap data-label="Last used" { @match key.last_used_at { Some(at) => (time::ago(at)), None => span.muted { "Never" } } }
            td.nowrap data-label="Expires" { @match key.expires_at { Some(at) => (time::ago(at)), None => span.muted { "Never" } } }
            @if may_change {
                td { div.row-actions {
                    a.button.little.danger href={ (PATH) "/" (key.id) "/revoke" } { "Revoke" span.sr { " " (key.name) } }
                } }
            }
        }
    }
}

fn state(key: &ApiKey, now: Timestamp) -> Markup {
    match (key.revoked_at, key.expires_at) {
        (Some(_), _) => badge(Tone::Quiet, Icon::Stop, "Revoked"),
        (None, Some(end)) if end <= now => badge(Tone::Quiet, Icon::Clock, "Expired"),
        (None, Some(end)) if end.duration_since(now) <= SOON => badge(Tone::Warn, Icon::Clock, "Expires soon"),
        (None, _) => html! { (Look { tone: Tone::Good, icon: Icon::Check, word: "In force" }) },
    }
}
