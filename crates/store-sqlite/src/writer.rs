//! The one writer: a thread that carries out what waits for it in one transaction, then answers everybody.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::yield_now as let_others_go_first,
};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use preclinical_core::port::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{access::KnownKeys, changes::Bells, condition::Condition, log::Log, row::unavailable, work::Work};

/// Calls that may wait. Beyond it the store says that it is unavailable instead of growing.
const MAX_WAITING: usize = 8192;

/// Calls that share a commit at most, so that nobody waits long for the first answer.
const MAX_GROUP: usize = 512;

/// How often others may go first before a group of several calls is committed.
const PATIENCE: u32 = 4;

/// Something to be written, and who waits for it.
trait Call: Send {
    /// Carries it out on the open transaction and keeps what came of it. Says whether anything that it wrote has to be undone. May be
    /// called again after that was undone.
    fn carry_out(&mut self, work: &Work<'_>) -> Result<(), MustBeUndone>;

    /// Whether it goes on with what others of its group have left in memory, and leaves what it can there.
    fn is_sharing(&self) -> bool;

    /// It cannot be carried out.
    fn refuse(&mut self, error: StoreError);

    /// Answers whoever waits, knowing how the commit ended. Whoever waited may be gone; the fact is on disk all the same.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

/// The call failed in the middle.
struct MustBeUndone;

struct Waiting<T, E, F> {
    job: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    is_sharing: bool,
}

impl<T, E, F> Call for Waiting<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: Fn(&Work<'_>) -> Result<T, E> + Send,
{
    fn carry_out(&mut self, work: &Work<'_>) -> Result<(), MustBeUndone> {
        let before = work.written();
        // Whoever waits for a call that panics hears that the writer has ended.
        self.outcome = catch_unwind(AssertUnwindSafe(|| (self.job)(work))).ok();
        let is_done = matches!(self.outcome, Some(Ok(_)));
        if is_done || work.written() == before { Ok(()) } else { Err(MustBeUndone) }
    }

    fn is_sharing(&self) -> bool {
        self.is_sharing
    }

    fn refuse(&mut self, error: StoreError) {
        self.outcome = Some(Err(error.into()));
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let outcome = commit.map_or_else(|error| Some(Err(error.into())), |()| outcome);
        if let Some(outcome) = outcome {
            let _ = reply.send(outcome);
        }
    }
}

pub(crate) struct Writer {
    calls: Sender<Box<dyn Call>>,
    /// How its latest commits ended.
    pub(crate) condition: Arc<Condition>,
}

impl Writer {
    /// Starts the thread; it ends when the last handle is dropped, after the work that still waits.
    pub(crate) fn start(connection: Connection, bells: Arc<Bells>, known_keys: Arc<KnownKeys>) -> Self {
        let (calls, waiting) = crossbeam_channel::bounded(MAX_WAITING);
        let condition = Arc::<Condition>::default();
        let noted = Arc::clone(&condition);
        std::thread::spawn(move || serve(&connection, &waiting, (&bells, &known_keys), &noted));
        Self { calls, condition }
    }

    /// Carries out `job` in the next group and answers after its commit. An `Err` of the job undoes the job alone; the job may have
    /// been carried out before, and undone because of another.
    pub(crate) async fn run<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl Fn(&Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.call(job, false).await
    }

    /// The same for a job that goes on with what others of its group have left in memory, and leaves what it can there.
    pub(crate) async fn run_together<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl Fn(&Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.call(job, true).await
    }

    async fn call<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        job: impl Fn(&Work<'_>) -> Result<T, E> + Send + 'static,
        is_sharing: bool,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        let call = Waiting { job, outcome: None, reply, is_sharing };
        self.calls.try_send(Box::new(call)).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("too many writes are waiting".into()),
            TrySendError::Disconnected(_) => StoreError::Unavailable("the writer has ended".into()),
        })?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer has ended".into()).into()))
    }
}

/// Calls that are committed together.
struct Group<'a, 'c> {
    work: &'a Work<'c>,
    calls: Vec<Box<dyn Call>>,
    /// One has failed in the middle, and more of its kind may come.
    is_careful: bool,
}

impl Group<'_, '_> {
    /// Carries out what waits, then commits.
    fn write(
        &mut self,
        first: Box<dyn Call>,
        waiting: &Receiver<Box<dyn Call>>,
        condition: &Condition,
    ) -> Result<(), StoreError> {
        self.calls.push(first);
        if let Err(error) = self.step("BEGIN IMMEDIATE") {
            // They would all wait for the same lock, one after the other.
            self.calls.extend(waiting.try_iter().take(MAX_GROUP));
            return Err(error);
        }
        loop {
            self.carry_out_last()?;
            if self.calls.len() == MAX_GROUP {
                break;
            }
            let next = waiting.try_recv().or_else(|none| {
                // Where several come at once, more are on their way, and a commit costs more than they.
                let is_crowded = self.calls.len() > 1;
                let after_others = |_: u32| {
                    let_others_go_first();
                    waiting.try_recv().ok()
                };
                if is_crowded { (0..PATIENCE).find_map(after_others).ok_or(none) } else { Err(none) }
            });
            match next {
                Ok(next) => self.calls.push(next),
                Err(_) => break,
            }
        }
        if self.work.settle().is_err() {
            self.carry_out_each_alone()?;
        }
        if !self.work.is_autocommit() {
            condition.prove(self.work)?;
        }
        self.step("COMMIT")
    }

    /// Savepoints cost each call a copy of every page that it changes, and hardly any call fails in the middle: so they are made only
    /// after one did. For the same reason updates that every webhook needs say `OR FAIL`: what one of them has half done is undone
    /// with its call. Then all of them are carried out once more, and what fails is undone alone.
    fn carry_out_last(&mut self) -> Result<(), StoreError> {
        let last = self.calls.len() - 1;
        if self.is_careful {
            return self.carry_out_alone(last);
        }
        match carry_out(self.work, &mut *self.calls[last]) {
            Ok(()) => Ok(()),
            Err(MustBeUndone) => self.carry_out_each_alone(),
        }
    }

    /// Undoes everything, and does it anew.
    fn carry_out_each_alone(&mut self) -> Result<(), StoreError> {
        self.is_careful = true;
        self.work.forget();
        if !self.work.is_autocommit() {
            self.step("ROLLBACK")?;
        }
        self.step("BEGIN IMMEDIATE")?;
        (0..self.calls.len()).try_for_each(|index| self.carry_out_alone(index))
    }

    /// What it leaves in memory is written and undone with it.
    fn carry_out_alone(&mut self, index: usize) -> Result<(), StoreError> {
        if !self.work.is_autocommit() {
            self.step("SAVEPOINT one_call")?;
        }
        let call = &mut *self.calls[index];
        let outcome = carry_out(self.work, call).and_then(|()| settle(self.work, call));
        self.work.forget();
        if !self.work.is_autocommit() {
            outcome.or_else(|MustBeUndone| self.step("ROLLBACK TO one_call"))?;
            self.step("RELEASE one_call")?;
        }
        Ok(())
    }

    fn step(&self, sql: &str) -> Result<(), StoreError> {
        self.work.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(unavailable)
    }
}

/// A full disk ends the transaction on its own; outside of it a call would commit by itself, in nobody's name.
fn carry_out(work: &Work<'_>, call: &mut dyn Call) -> Result<(), MustBeUndone> {
    if work.is_autocommit() {
        call.refuse(StoreError::Unavailable("the transaction was ended".into()));
        return Ok(());
    }
    if call.is_sharing() {
        return call.carry_out(work);
    }
    settle(work, call)?;
    call.carry_out(work)?;
    settle(work, call)
}

/// Writes what is in memory, for a call that cannot do without.
fn settle(work: &Work<'_>, call: &mut dyn Call) -> Result<(), MustBeUndone> {
    work.settle().map_err(|error| {
        call.refuse(unavailable(error));
        MustBeUndone
    })
}

fn serve(
    connection: &Connection,
    waiting: &Receiver<Box<dyn Call>>,
    (bells, known_keys): (&Bells, &KnownKeys),
    condition: &Condition,
) {
    let (work, mut log) = (Work::on(connection), Log::default());
    while let Ok(first) = waiting.recv() {
        let mut group = Group { work: &work, calls: Vec::new(), is_careful: false };
        let commit = group.write(first, waiting, condition);
        work.forget();
        condition.note(&commit);
        if let Err(error) = &commit {
            tracing::error!(%error, calls = group.calls.len(), "commit failed");
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        bells.ring(connection);
        known_keys.forget_if_changed();
        for call in group.calls {
            call.answer(commit.clone());
        }
        log.write_back(connection);
    }
}

#[cfg(test)]
mod tests {
    use preclinical_core::id::{OrganizationId, WebhookId};
    use uuid::Uuid;

    use super::*;
    use crate::history::plans::database;

    const ID: Uuid = Uuid::nil();

    /// A store with an organization and its webhook.
    fn with_a_webhook() -> Connection {
        let connection = database();
        connection
            .execute_batch(
                "INSERT INTO organizations (id, slug, created_at) VALUES (zeroblob(16), 'default', 0); \
                 INSERT INTO webhooks (id, organization_id, url, is_enabled, version, created_at, updated_at) \
                   VALUES (zeroblob(16), zeroblob(16), 'before', 1, 1, 0, 0)",
            )
            .unwrap();
        connection
    }

    /// Has the writer wait for the calls that are begun while this is held, so that they share a commit.
    fn held(writer: &Writer) -> (crossbeam_channel::Sender<()>, impl Future<Output = Result<(), StoreError>>) {
        let (open, gate) = crossbeam_channel::bounded::<()>(1);
        let held = writer.run_together(move |_| {
            let _ = gate.recv();
            Ok::<_, StoreError>(())
        });
        (open, held)
    }

    fn number(work: &Work<'_>) -> Result<i64, StoreError> {
        work.next_change(OrganizationId::from_uuid(ID)).map_err(unavailable)
    }

    fn stored_number(work: &Work<'_>) -> Result<i64, StoreError> {
        work.query_row("SELECT last_change FROM organizations", [], |row| row.get(0)).map_err(unavailable)
    }

    #[tokio::test]
    async fn what_a_call_leaves_in_memory_is_written_with_it_or_undone_with_it() {
        let writer = Writer::start(with_a_webhook(), Arc::default(), Arc::default());
        let (open, held) = held(&writer);
        let first = writer.run_together(number);
        let fails = writer.run_together(|work| {
            number(work)?;
            Err::<(), _>(StoreError::Corrupt("on purpose".to_owned()))
        });
        let panics = writer.run_together::<(), StoreError>(|work| {
            number(work)?;
            panic!("on purpose");
        });
        let second = writer.run_together(number);
        let (held, first, fails, panics, second, ()) =
            tokio::join!(held, first, fails, panics, second, async { drop(open) });
        assert_eq!((held, first, second), (Ok(()), Ok(1), Ok(2)));
        assert!(fails.is_err() && panics.is_err());
        assert_eq!(writer.run(stored_number).await, Ok(2));
    }

    #[tokio::test]
    async fn numbers_that_somebody_else_gave_meanwhile_are_not_given_again() {
        let writer = Writer::start(with_a_webhook(), Arc::default(), Arc::default());
        let (open, held) = held(&writer);
        let first = writer.run_together(number);
        let breaks_the_rule = writer.run_together(|work| {
            work.execute("UPDATE organizations SET last_change = last_change + 1", []).map_err(unavailable)
        });
        let second = writer.run_together(number);
        let (held, first, broke, second, ()) = tokio::join!(held, first, breaks_the_rule, second, async { drop(open) });
        assert_eq!((held, first, broke, second), (Ok(()), Ok(1), Ok(1), Ok(3)));
        assert_eq!(writer.run(stored_number).await, Ok(3));
    }

    #[tokio::test]
    async fn a_call_that_does_not_share_sees_what_others_left_and_leaves_nothing_itself() {
        let writer = Writer::start(with_a_webhook(), Arc::default(), Arc::default());
        let url = |work: &Work<'_>| {
            let found = work.webhook(WebhookId::from_uuid(ID)).map_err(unavailable)?;
            Ok::<_, StoreError>(found.unwrap().0.receiver.url.clone())
        };
        let (open, held) = held(&writer);
        let (first, before) = (writer.run_together(number), writer.run_together(url));
        let alone = writer.run(move |work| {
            let read = (stored_number(work)?, url(work)?);
            work.execute("UPDATE webhooks SET url = 'after'", []).map_err(unavailable)?;
            Ok::<_, StoreError>(read)
        });
        let after = writer.run_together(url);
        let (held, first, before, alone, after, ()) = tokio::join!(held, first, before, alone, after, async { drop(open) });
        assert_eq!((held, first, before, after), (Ok(()), Ok(1), Ok("before".to_owned()), Ok("after".to_owned())));
        assert_eq!(alone, Ok((1, "before".to_owned())));
    }

    fn insert(connection: &Connection, value: i64) -> Result<(), StoreError> {
        connection.execute("INSERT INTO t VALUES (?1)", [value]).map(drop).map_err(unavailable)
    }

    #[tokio::test]
    async fn a_call_that_panics_or_fails_is_undone_alone_and_the_writer_lives_on() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (value INTEGER)").unwrap();
        let writer = Writer::start(connection, Arc::default(), Arc::default());
        let (open, held) = held(&writer);
        let good = writer.run(|connection| insert(connection, 1));
        let panics = writer.run::<(), StoreError>(|connection| {
            insert(connection, 2)?;
            panic!("on purpose");
        });
        let fails = writer.run::<(), StoreError>(|connection| {
            insert(connection, 4)?;
            Err(StoreError::Corrupt("on purpose".to_owned()))
        });
        let (held, good, panics, fails, ()) = tokio::join!(held, good, panics, fails, async { drop(open) });
        assert_eq!((held, good), (Ok(()), Ok(())));
        assert!(matches!(panics, Err(StoreError::Unavailable(_))), "{panics:?}");
        assert_eq!(fails, Err(StoreError::Corrupt("on purpose".to_owned())));

        let sum = writer.run(|connection| {
            connection.query_row("SELECT sum(value) FROM t", [], |row| row.get::<_, i64>(0)).map_err(unavailable)
        });
        assert_eq!(sum.await, Ok(1));
    }
}
