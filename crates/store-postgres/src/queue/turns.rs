//! Turns: from organization to organization, and in each from webhook to webhook, wherever something is pending.
//!
//! An index has what is pending in that order, so that going on to the next one is one step, however much the one before waits
//! for. Where the last round stopped is known to this node alone: after a restart the round begins anew.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use preclinical_core::{
    id::{DeliveryId, OrganizationId, WebhookId},
    port::Admitted,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::claim::{Claiming, Due};
use crate::{
    failure::Failure,
    row::{Id, Time, id, maybe_id},
    transaction::Transaction,
};

/// Organizations whose turn it is in one round.
const ORGANIZATIONS_OF_A_ROUND: usize = 16;

/// Webhooks that are looked at in one round, in equal parts of each organization.
const WEBHOOKS: usize = 128;

/// Deliveries of a webhook that are looked at in its turn: they are locked for that.
const DELIVERIES_OF_A_TURN: i64 = 4;

/// Organizations whose place is remembered; beyond that their turns begin with their first webhook.
const REMEMBERED: usize = 4096;

pub(super) const ORGANIZATIONS: &str = "WITH RECURSIVE turn (id, step) AS (SELECT $1, 0 \
       UNION ALL SELECT next.organization_id, turn.step + 1 FROM turn CROSS JOIN LATERAL ( \
         SELECT organization_id FROM deliveries WHERE status = 'pending' AND organization_id > turn.id \
         ORDER BY organization_id LIMIT 1) AS next WHERE turn.step < $2) \
     SELECT id FROM turn WHERE step > 0";

/// The webhooks of these organizations behind those where their last turns stopped, and what is due of each.
pub(super) const TURNS: &str = "SELECT turn.organization_id AS turn_of, webhook.id AS at_webhook, due.* \
     FROM unnest($1, $2) WITH ORDINALITY AS turn (organization_id, last, place) \
     CROSS JOIN LATERAL (WITH RECURSIVE webhook (id, step) AS (SELECT turn.last, 0 \
         UNION ALL SELECT next.webhook_id, webhook.step + 1 FROM webhook CROSS JOIN LATERAL ( \
           SELECT webhook_id FROM deliveries WHERE status = 'pending' AND organization_id = turn.organization_id \
           AND webhook_id > webhook.id ORDER BY webhook_id LIMIT 1) AS next WHERE webhook.step < $3) \
       SELECT id FROM webhook WHERE step > 0) AS webhook \
     LEFT JOIN LATERAL (SELECT deliveries.id, kind, lease_token IS NOT NULL AS cut_off, organization_id, \
         deliveries.webhook_id, due_at, last_triggered_at, last_success_at, consecutive_failures \
       FROM deliveries LEFT JOIN webhook_health AS health ON health.webhook_id = deliveries.webhook_id \
       WHERE status = 'pending' AND organization_id = turn.organization_id AND deliveries.webhook_id = webhook.id \
         AND due_at <= $5 AND (lease_node IS NULL OR lease_node = $6 \
           OR NOT EXISTS (SELECT FROM nodes WHERE nodes.id = lease_node)) \
       ORDER BY due_at LIMIT $4 FOR UPDATE OF deliveries SKIP LOCKED) AS due ON true \
     ORDER BY turn.place, webhook.id, due.due_at";

/// Whose turn it was last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns {
    organization: Option<OrganizationId>,
    webhooks: HashMap<OrganizationId, WebhookId>,
    /// The next call begins with them.
    pub(super) come_first: bool,
}

pub(super) fn locked(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Offers places by turns, until there are none or everybody of the round was asked.
pub(super) async fn go_round(
    transaction: &Transaction,
    turns: &Mutex<Turns>,
    claiming: &mut Claiming<'_>,
) -> Result<(), Failure> {
    let last = locked(turns).organization;
    let mut organizations = after(transaction, None).await?;
    if organizations.len() < ORGANIZATIONS_OF_A_ROUND {
        // These are all there are.
        let passed = organizations.partition_point(|id| Some(*id) <= last);
        organizations.rotate_left(passed);
    } else if last.is_some() {
        let first = std::mem::replace(&mut organizations, after(transaction, last).await?);
        let known: HashSet<_> = organizations.iter().copied().collect();
        organizations.extend(first.into_iter().filter(|id| !known.contains(id)));
        organizations.truncate(ORGANIZATIONS_OF_A_ROUND);
    }
    let places: Vec<Id<WebhookId>> = {
        let (turns, nil) = (locked(turns), WebhookId::from_uuid(Uuid::nil()));
        organizations.iter().map(|id| Id(turns.webhooks.get(id).copied().unwrap_or(nil))).collect()
    };
    let ids: Vec<_> = organizations.iter().copied().map(Id).collect();
    let webhooks = i64::try_from(WEBHOOKS / organizations.len().max(1)).unwrap_or(i64::MAX);
    let deliveries = DELIVERIES_OF_A_TURN;
    let rows =
        transaction.rows(TURNS, &[&ids, &places, &webhooks, &deliveries, &Time(claiming.now), &claiming.node]).await?;
    let mut is_full = false;
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.peek().filter(|_| !is_full) {
        let organization: OrganizationId = id(row, "turn_of")?;
        let mut turn = TurnOf::new(organization);
        organizations.retain(|other| *other != organization);
        while let Some(row) = rows.peek() {
            if id::<OrganizationId>(row, "turn_of")? != organization {
                break;
            }
            is_full |= turn.go_on(row, claiming)?;
            rows.next();
        }
        locked(turns).remember(&turn, webhooks);
    }
    if !is_full {
        // There is nothing behind their places: their next turns begin anew.
        for organization in &organizations {
            locked(turns).webhooks.remove(organization);
        }
    }
    Ok(())
}

/// The turn of an organization under way.
struct TurnOf {
    organization: OrganizationId,
    /// How many webhooks were found.
    webhooks: i64,
    found: Option<WebhookId>,
    asked: Option<WebhookId>,
    refused: Option<WebhookId>,
    is_over: bool,
}

impl TurnOf {
    fn new(organization: OrganizationId) -> Self {
        Self { organization, webhooks: 0, found: None, asked: None, refused: None, is_over: false }
    }

    /// Asks for the delivery of the row. Answers whether there are no more places.
    fn go_on(&mut self, row: &Row, claiming: &mut Claiming<'_>) -> Result<bool, Failure> {
        let webhook: WebhookId = id(row, "at_webhook")?;
        if self.found != Some(webhook) {
            self.found = Some(webhook);
            self.webhooks += 1;
        }
        if self.is_over {
            return Ok(false);
        }
        self.asked = Some(webhook);
        if self.refused == Some(webhook) || maybe_id::<DeliveryId>(row, "id")?.is_none() {
            return Ok(false);
        }
        match claiming.ask(&Due::read(row)?) {
            None | Some(Admitted::Granted(_)) => {}
            Some(Admitted::NotThisWebhook) => self.refused = Some(webhook),
            Some(Admitted::NotThisOrganization) => self.is_over = true,
            Some(Admitted::Full) => {
                self.is_over = true;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

async fn after(transaction: &Transaction, last: Option<OrganizationId>) -> Result<Vec<OrganizationId>, Failure> {
    let last = Id(last.unwrap_or(OrganizationId::from_uuid(Uuid::nil())));
    let most = i64::try_from(ORGANIZATIONS_OF_A_ROUND).unwrap_or(i64::MAX);
    let rows = transaction.rows(ORGANIZATIONS, &[&last, &most]).await?;
    let mut organizations: Vec<OrganizationId> = rows.iter().map(|row| id(row, "id")).collect::<Result<_, _>>()?;
    organizations.sort_unstable();
    Ok(organizations)
}

impl Turns {
    /// The next turn goes on behind the last webhook that was asked, or begins anew if that was the last one there is.
    fn remember(&mut self, turn: &TurnOf, webhooks: i64) {
        self.organization = Some(turn.organization);
        let is_end = turn.found == turn.asked && turn.webhooks < webhooks;
        match turn.asked.filter(|_| !is_end) {
            Some(webhook) => {
                if self.webhooks.len() >= REMEMBERED {
                    self.webhooks.clear();
                }
                self.webhooks.insert(turn.organization, webhook);
            }
            None => drop(self.webhooks.remove(&turn.organization)),
        }
    }
}
