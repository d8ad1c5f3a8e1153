//! What is repeated, in words and in addresses.

use maud::{Markup, html};
use preclinical_core::{
    delivery::DeliveryStatus,
    id::OrganizationId,
    port::{Store, StoreError},
    redelivery::{RedeliverySelection, Repeated, RepeatedStatus},
    run::RunRef,
};

use super::super::names::Names;
use crate::pages::{
    address::address,
    parts::{badge::of_delivery, time},
};

/// Names of what a selection restricts.
pub(super) struct Described {
    names: Names,
    run: Option<String>,
}

impl Described {
    pub(super) async fn load(
        store: &dyn Store,
        organization: OrganizationId,
        selection: &RedeliverySelection,
    ) -> Result<Self, StoreError> {
        let names = Names::load(store, organization, &[], (selection.webhook_id, selection.agent_id)).await?;
        let run = match selection.run_id {
            Some(id) => store.run(organization, RunRef::Id(id)).await?.map(|run| run.number.to_string()),
            None => None,
        };
        Ok(Self { names, run })
    }

    /// Each restriction in a line.
    pub(super) fn shown(&self, selection: &RedeliverySelection) -> Markup {
        let webhook =
            |id| self.names.webhook(id).map_or_else(|| format!("Deleted, {id}"), |webhook| self.names.of_webhook(webhook));
        let agent = |id| self.names.agent(id).map_or_else(|| format!("Deleted, {id}"), |agent| agent.name.clone());
        html! {
            dl.pairs {
                @match selection.ended {
                    Repeated::As(status) => { dt { "Status" } dd { (of_delivery(status.into())) } },
                    Repeated::Missed(missed) => {
                        dt { "Missed since" } dd { (time::time(missed.since)) }
                        @if missed.newest_per_agent { dt { "Of each agent" } dd { "The newest run alone" } }
                        @if missed.on_recovery { dt { "Ordered by" } dd { "Nobody: the webhook has recovered" } }
                    },
                }
                dt { "Webhook" } dd { (selection.webhook_id.map_or_else(|| "Every webhook".to_owned(), webhook)) }
                dt { "Agent" } dd { (selection.agent_id.map_or_else(|| "Every agent".to_owned(), agent)) }
                @if let Some(id) = selection.run_id {
                    dt { "Run" } dd { a href={ "/test/" (id) } { (self.run.clone().unwrap_or_else(|| id.to_string())) } }
                }
                @if let Some(from) = selection.created_after { dt { "Created from" } dd { (time::time(from)) } }
                @if let Some(to) = selection.created_before { dt { "Created before" } dd { (time::time(to)) } }
            }
        }
    }
}

/// The word for a status that can be repeated.
pub(super) fn word(status: RepeatedStatus) -> &'static str {
    of_delivery(status.into()).word
}

/// How the deliveries ended that are repeated, at the end of a sentence.
pub(super) fn ended(ended: Repeated) -> String {
    match ended {
        Repeated::As(status) => word(status).to_lowercase(),
        Repeated::Missed(_) => "missed".to_owned(),
    }
}

/// The fields of a form or an address that make the selection.
pub(super) fn pairs(selection: &RedeliverySelection) -> [(&'static str, Option<String>); 6] {
    let status = match selection.ended {
        Repeated::As(status) => Some(DeliveryStatus::from(status).as_str().to_owned()),
        Repeated::Missed(_) => None,
    };
    [
        ("status", status),
        ("webhook_id", selection.webhook_id.map(|id| id.to_string())),
        ("agent_id", selection.agent_id.map(|id| id.to_string())),
        ("run_id", selection.run_id.map(|id| id.to_string())),
        ("created_after", selection.created_after.map(|time| time.to_string())),
        ("created_before", selection.created_before.map(|time| time.to_string())),
    ]
}

/// Where it is said what an order for the selection would do.
pub(in crate::pages::deliveries) fn offer_of(selection: &RedeliverySelection) -> String {
    address("/deliveries/redeliver", &pairs(selection))
}

/// `1 delivery`, `2 deliveries`
pub(super) fn deliveries(count: u64) -> String {
    match count {
        1 => "1 delivery".to_owned(),
        _ => format!("{count} deliveries"),
    }
}
