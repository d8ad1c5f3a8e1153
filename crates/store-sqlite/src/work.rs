//! The writer's transaction, and what the calls that share it have in common: the first one that needs it reads it, all of them change
//! it in memory, and it is written once, before the commit.

mod statements;

use std::{
    cell::{RefCell, RefMut},
    collections::{BTreeMap, btree_map::Entry},
    ops::Deref,
    rc::Rc,
};

use preclinical_core::{
    health::Health,
    id::{AgentId, DeliveryId, OrganizationId, WebhookId},
    run::RunStatus,
};
use rusqlite::{Connection, ffi, params};

use self::statements::{Prepared, Statements};
use crate::{
    candidates::{Candidates, Known},
    queue::health,
    row::Id,
};

/// The connection with the open transaction, one after the other. Whatever reads or writes what is kept here through the connection itself
/// has to [`settle`](Self::settle) first; calls that do not share begin settled, and leave nothing.
pub(crate) struct Work<'a> {
    connection: &'a Connection,
    statements: Statements<'a>,
    shared: RefCell<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The numbers of the latest changes of organizations' deliveries.
    numbers: BTreeMap<OrganizationId, Numbers>,
    /// By how much the counts of runs have changed.
    runs: BTreeMap<(OrganizationId, AgentId, &'static str), i64>,
    candidates: BTreeMap<(OrganizationId, AgentId), Rc<Candidates>>,
    /// `None` is a webhook that was deleted.
    webhooks: BTreeMap<WebhookId, Option<Noted>>,
    /// How often something was changed here, and whether anything has been since it was written.
    changes: u64,
    is_owed: bool,
}

struct Numbers {
    /// In the row.
    stored: i64,
    latest: i64,
}

struct Noted {
    known: Rc<Known>,
    health: Health,
    is_stored: bool,
}

/// How much was written: the rows, and what will be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written(u64, u64);

impl Deref for Work<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl<'a> Work<'a> {
    pub(crate) fn on(connection: &'a Connection) -> Self {
        Self { connection, statements: Statements::default(), shared: RefCell::default() }
    }

    /// A statement that every webhook needs.
    pub(crate) fn statement(&self, sql: &'static str) -> rusqlite::Result<Prepared<'_, 'a>> {
        self.statements.get(self.connection, sql)
    }

    pub(crate) fn written(&self) -> Written {
        Written(self.connection.total_changes(), self.shared.borrow().changes)
    }

    /// The number of a change of one of the organization's deliveries, which the statement that makes it gives to the delivery.
    pub(crate) fn next_change(&self, organization: OrganizationId) -> rusqlite::Result<i64> {
        let mut shared = self.change();
        let numbers = match shared.numbers.entry(organization) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let stored = self
                    .connection
                    .prepare_cached("SELECT last_change FROM organizations WHERE id = ?1")?
                    .query_row([Id(organization)], |row| row.get(0))?;
                unknown.insert(Numbers { stored, latest: stored })
            }
        };
        numbers.latest += 1;
        Ok(numbers.latest)
    }

    /// The same by the delivery.
    pub(crate) fn next_change_of(&self, delivery: DeliveryId) -> rusqlite::Result<i64> {
        let organization: Id<OrganizationId> = self
            .connection
            .prepare_cached("SELECT organization_id FROM deliveries WHERE id = ?1")?
            .query_row([Id(delivery)], |row| row.get(0))?;
        self.next_change(organization.0)
    }

    /// Counts a run of the agent among those of its new status, for the statement that changes it.
    pub(crate) fn count_run(&self, organization: OrganizationId, agent: AgentId, (from, to): (RunStatus, RunStatus)) {
        let mut shared = self.change();
        *shared.runs.entry((organization, agent, from.as_str())).or_default() -= 1;
        *shared.runs.entry((organization, agent, to.as_str())).or_default() += 1;
    }

    /// The webhooks that may hear of the agent's runs.
    pub(crate) fn candidates(&self, organization: OrganizationId, agent: AgentId) -> rusqlite::Result<Rc<Candidates>> {
        let mut shared = self.shared.borrow_mut();
        let Shared { candidates, webhooks, .. } = &mut *shared;
        Ok(Rc::clone(match candidates.entry((organization, agent)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = Candidates::find(self.connection, organization, agent)?;
                for (known, health) in found.all() {
                    webhooks.entry(known.candidate.id).or_insert_with(|| Some(Noted::stored(Rc::clone(known), *health)));
                }
                unknown.insert(Rc::new(found))
            }
        }))
    }

    /// A webhook and how it is doing; `None` if it was deleted.
    pub(crate) fn webhook(&self, webhook: WebhookId) -> rusqlite::Result<Option<(Rc<Known>, Health)>> {
        let mut shared = self.shared.borrow_mut();
        let noted = match shared.webhooks.entry(webhook) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = Known::find(self.connection, webhook)?;
                unknown.insert(found.map(|(known, health)| Noted::stored(known, health)))
            }
        };
        Ok(noted.as_ref().map(|noted| (Rc::clone(&noted.known), noted.health)))
    }

    /// Notes how a [`webhook`](Self::webhook) is doing now.
    pub(crate) fn note_health(&self, webhook: WebhookId, health: Health) {
        if let Some(Some(noted)) = self.change().webhooks.get_mut(&webhook) {
            (noted.health, noted.is_stored) = (health, false);
        }
    }

    /// Writes what was kept here, and keeps nothing more. Fails if somebody else has numbered changes meanwhile.
    pub(crate) fn settle(&self) -> rusqlite::Result<()> {
        let shared = self.take();
        if !shared.is_owed {
            return Ok(());
        }
        if self.connection.is_autocommit() {
            // It would commit by itself, in nobody's name.
            let ended = Some("the transaction was ended".to_owned());
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), ended));
        }
        for (organization, numbers) in &shared.numbers {
            self.store_number(*organization, numbers)?;
        }
        for ((organization, agent, status), more) in shared.runs.iter().filter(|(_, more)| **more != 0) {
            self.connection
                .prepare_cached(
                    "UPDATE OR FAIL run_counts SET runs = runs + ?4 WHERE organization_id = ?1 AND agent_id = ?2 AND status = ?3",
                )?
                .execute(params![Id(*organization), Id(*agent), status, more])?;
        }
        for (webhook, noted) in &shared.webhooks {
            if let Some(Noted { health, is_stored: false, .. }) = noted {
                health::save(self.connection, *webhook, health)?;
            }
        }
        Ok(())
    }

    /// Keeps nothing, because what was written is undone.
    pub(crate) fn forget(&self) {
        drop(self.take());
    }

    fn store_number(&self, organization: OrganizationId, numbers: &Numbers) -> rusqlite::Result<()> {
        let stored = self
            .connection
            .prepare_cached("UPDATE OR FAIL organizations SET last_change = ?3 WHERE id = ?1 AND last_change = ?2")?
            .execute(params![Id(organization), numbers.stored, numbers.latest])?;
        // Somebody else has counted meanwhile: a change would have the number of another.
        if stored == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(stored)) }
    }

    fn change(&self) -> RefMut<'_, Shared> {
        let mut shared = self.shared.borrow_mut();
        shared.changes += 1;
        shared.is_owed = true;
        shared
    }

    fn take(&self) -> Shared {
        let mut shared = self.shared.borrow_mut();
        let changes = shared.changes;
        std::mem::replace(&mut *shared, Shared { changes, ..Shared::default() })
    }
}

impl Noted {
    fn stored(known: Rc<Known>, health: Health) -> Self {
        Self { known, health, is_stored: true }
    }
}
