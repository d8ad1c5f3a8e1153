//! Turns: from organization to organization, and in each from webhook to webhook, wherever something waits for an attempt.
//!
//! An index has what waits in that order, so that going on to the next one is one step, however much the one before waits
//! for. Where the last round stopped is known to this process alone: after a restart the round begins anew.

use std::collections::{HashMap, HashSet};

use preclinical_core::id::{OrganizationId, WebhookId};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::claim::{Asked, Claiming, Due};
use crate::row::{Id, Time, id};

/// Webhooks that one round looks at.
const WEBHOOKS: usize = 128;

/// Webhooks of an organization that are looked at before it is the next one's turn.
const WEBHOOKS_OF_A_TURN: usize = 8;

/// Deliveries of a webhook that are looked at in its turn.
const DELIVERIES_OF_A_TURN: usize = 16;

/// Organizations whose place is remembered; beyond that their turns begin with their first webhook.
const REMEMBERED: usize = 4096;

const NEXT_ORGANIZATION: &str = "SELECT organization_id FROM deliveries WHERE due_at IS NOT NULL AND organization_id > ?1 \
     ORDER BY organization_id LIMIT 1";

const NEXT_WEBHOOK: &str = "SELECT webhook_id FROM deliveries WHERE due_at IS NOT NULL AND organization_id = ?1 AND webhook_id > ?2 \
     ORDER BY webhook_id LIMIT 1";

const DUE_OF_WEBHOOK: &str = "SELECT d.kind, d.lease_token IS NOT NULL, d.id, d.organization_id, d.webhook_id, \
     w.last_triggered_at, w.last_success_at, w.consecutive_failures FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id \
     WHERE d.status = 'pending' AND d.organization_id = ?1 AND d.webhook_id = ?2 AND d.due_at <= ?3 ORDER BY d.due_at LIMIT 1";

/// Whose turn it was last.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    organization: Option<OrganizationId>,
    webhooks: HashMap<OrganizationId, WebhookId>,
    come_first: bool,
}

impl Turns {
    /// Whether this call begins with them.
    pub(super) fn come_first(&mut self) -> bool {
        std::mem::take(&mut self.come_first)
    }

    /// The next call begins with them.
    pub(super) fn will_come_first(&mut self) {
        self.come_first = true;
    }

    /// Offers places by turns, until there are none, everybody was asked, or enough were.
    pub(super) fn go_round(&mut self, claiming: &mut Claiming<'_, '_>) -> rusqlite::Result<()> {
        let (mut seen, mut seen_before) = (HashSet::new(), None);
        while seen.len() < WEBHOOKS {
            let Some(organization) = next_organization(claiming.work, self.organization)? else {
                self.organization = None;
                // Nobody new from one end to the other.
                if seen_before.replace(seen.len()) == Some(seen.len()) {
                    break;
                }
                continue;
            };
            self.organization = Some(organization);
            if self.turn_of(organization, &mut seen, claiming)? == Asked::Full {
                break;
            }
        }
        Ok(())
    }

    fn turn_of(
        &mut self,
        organization: OrganizationId,
        seen: &mut HashSet<WebhookId>,
        claiming: &mut Claiming<'_, '_>,
    ) -> rusqlite::Result<Asked> {
        for _ in 0..WEBHOOKS_OF_A_TURN {
            let last = self.webhooks.get(&organization).copied();
            let Some(webhook) = next_webhook(claiming.work, organization, last)? else {
                self.webhooks.remove(&organization);
                break;
            };
            if !seen.insert(webhook) {
                break;
            }
            if self.webhooks.len() >= REMEMBERED {
                self.webhooks.clear();
            }
            self.webhooks.insert(organization, webhook);
            match offer(organization, webhook, claiming)? {
                Asked::Settled | Asked::NotThisWebhook => {}
                over => return Ok(over),
            }
        }
        Ok(Asked::Settled)
    }
}

fn offer(organization: OrganizationId, webhook: WebhookId, claiming: &mut Claiming<'_, '_>) -> rusqlite::Result<Asked> {
    for _ in 0..DELIVERIES_OF_A_TURN {
        let due = claiming
            .work
            .prepare_cached(DUE_OF_WEBHOOK)?
            .query_row(params![Id(organization), Id(webhook), Time(claiming.now)], Due::read)
            .optional()?;
        let Some(due) = due else { break };
        match claiming.ask(&due)? {
            Asked::Settled => {}
            refused => return Ok(refused),
        }
    }
    Ok(Asked::Settled)
}

fn next_organization(connection: &Connection, after: Option<OrganizationId>) -> rusqlite::Result<Option<OrganizationId>> {
    let after = after.unwrap_or(OrganizationId::from_uuid(Uuid::nil()));
    connection.prepare_cached(NEXT_ORGANIZATION)?.query_row([Id(after)], |row| id(row, "organization_id")).optional()
}

fn next_webhook(
    connection: &Connection,
    organization: OrganizationId,
    after: Option<WebhookId>,
) -> rusqlite::Result<Option<WebhookId>> {
    let after = after.unwrap_or(WebhookId::from_uuid(Uuid::nil()));
    connection
        .prepare_cached(NEXT_WEBHOOK)?
        .query_row(params![Id(organization), Id(after)], |row| id(row, "webhook_id"))
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::plans::database;

    #[test]
    fn going_on_to_the_next_one_reads_nothing_that_waits_before_it() {
        for (sql, searched) in [
            (NEXT_ORGANIZATION, "(organization_id>?)"),
            (NEXT_WEBHOOK, "(organization_id=? AND webhook_id>?)"),
            (DUE_OF_WEBHOOK, "(organization_id=? AND webhook_id=? AND due_at<?)"),
        ] {
            let database = database();
            let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let (mut rows, mut steps) = (statement.raw_query(), Vec::new());
            while let Some(row) = rows.next().unwrap() {
                steps.push(row.get::<_, String>("detail").unwrap());
            }
            assert!(steps[0].contains("INDEX deliveries_waiting") && steps[0].ends_with(searched), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }
}
