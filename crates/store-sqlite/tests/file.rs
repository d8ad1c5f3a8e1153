//! What is particular to a store that is a file.

use std::{os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use jiff::ToSpan;
use preclinical_core::{
    delivery::{DeliveryStatus, Lease},
    port::{AttemptRecord, DeliveryQueue, History, RecordError, Store, StoreError, Upkeep},
    retry::NextStep,
};
use preclinical_store_sqlite::{BackupError, OpenError, SqliteStore, back_up};
use preclinical_testkit::{
    earlier,
    places::Places,
    world::{World, answered, message, vault},
};
use rusqlite::{Connection, params};

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_exclusively(&path, vault()).unwrap());
    let world = World::new(store, "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    drop(world);

    let world = World::new(Arc::new(SqliteStore::open_exclusively(&path, vault()).unwrap()), "default").await;
    assert_eq!(world.delivery(claimed.delivery_id).await.status, DeliveryStatus::Pending);
    assert_eq!(world.run(agent, None).await.number.0, 2);
}

/// Several times what the log holds before it is written back, in bytes.
const LONG_LOG: u64 = 64 * 1024 * 1024;

#[tokio::test]
async fn the_log_begins_anew_and_the_file_holds_what_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let size = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len();
    let world = World::new(Arc::new(SqliteStore::open_exclusively(&path, vault()).unwrap()), "default").await;
    let (agent, before) = (world.agent("Assistant").await, size("test.db"));
    world.webhook("https://example.com", None).await;
    let mut written = 0;
    while written < LONG_LOG {
        world.claimed(agent).await;
        // Less than a commit of this kind writes.
        written += 16 * 4096;
    }
    assert!(size("test.db-wal") < LONG_LOG / 2, "{}", size("test.db-wal"));
    assert!(size("test.db") > before);
}

#[tokio::test]
async fn a_lease_that_has_ended_already_claims_nothing_over_and_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    let world = World::new(Arc::new(store), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    for _ in 0..40 {
        let run = world.run(agent, None).await;
        world.complete(run.id, None).await.unwrap();
    }
    let ended = Lease { until: world.now(), ..world.lease() };
    let leases = (0..64).map(|_| Lease { token: world.lease().token, ..ended });
    assert!(world.store.claim_due(world.now(), Places::of(leases)).await.unwrap().is_empty());
    assert_eq!(world.store.claim_due(world.now(), world.leases(64)).await.unwrap().len(), 40);
}

#[test]
fn files_that_differ_only_in_their_extension_are_served_apart() {
    let folder = tempfile::tempdir().unwrap();
    let _first = SqliteStore::open_exclusively(&folder.path().join("a.db"), vault()).unwrap();
    SqliteStore::open_exclusively(&folder.path().join("a.sqlite"), vault()).unwrap();
}

#[test]
fn a_file_is_served_by_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let serving = SqliteStore::open_exclusively(&path, vault()).unwrap();
    assert!(matches!(SqliteStore::open_exclusively(&path, vault()), Err(OpenError::InUse(_))));
    SqliteStore::open(&path, vault()).unwrap();
    drop(serving);
    SqliteStore::open_exclusively(&path, vault()).unwrap();
}

#[test]
fn a_file_is_served_by_one_process_however_the_path_leads_there() {
    let folder = tempfile::tempdir().unwrap();
    let [path, link, other] = ["test.db", "link.db", "other"].map(|name| folder.path().join(name));
    let _serving = SqliteStore::open_exclusively(&path, vault()).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    std::os::unix::fs::symlink(folder.path(), &other).unwrap();
    for path in [link, other.join("test.db")] {
        assert!(matches!(SqliteStore::open_exclusively(&path, vault()), Err(OpenError::InUse(_))), "{}", path.display());
    }
}

#[test]
fn the_files_can_be_read_by_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let _store = SqliteStore::open_exclusively(&folder.path().join("test.db"), vault()).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", file.path().display());
    }
}

#[test]
fn a_file_of_a_newer_version_or_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let newer = folder.path().join("newer.db");
    drop(SqliteStore::open(&newer, vault()).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 9999).unwrap();
    assert!(matches!(SqliteStore::open(&newer, vault()), Err(OpenError::TooNew)));

    let other = folder.path().join("notes.txt");
    std::fs::write(&other, "this is no database, and long enough to be looked at as one".repeat(100)).unwrap();
    assert!(matches!(SqliteStore::open(&other, vault()), Err(OpenError::Failed(_))));
    assert!(std::fs::read_to_string(&other).unwrap().starts_with("this is no database"));
}

#[test]
fn the_settings_that_durability_rests_on_are_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let _store = SqliteStore::open(&path, vault()).unwrap();
    let journal: String = Connection::open(&path).unwrap().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
    assert!(rusqlite::version_number() >= 3_051_003, "older ones can lose commits when the log is reset");
}

#[tokio::test]
async fn a_backup_of_a_served_database_is_one_sound_state_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["test.db", "copy.db"].map(|name| folder.path().join(name));
    let world = World::new(Arc::new(SqliteStore::open_exclusively(&path, vault()).unwrap()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let before = world.claimed(agent).await;
    back_up(&path, &copy).unwrap();
    let after = world.claimed(agent).await;

    let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.retain(|name| name.to_string_lossy().starts_with("copy"));
    assert_eq!(files, ["copy.db"], "it is one file");
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let restored = SqliteStore::open_exclusively(&copy, vault()).unwrap();
    assert!(restored.delivery(world.organization, before.delivery_id).await.unwrap().is_some());
    assert!(restored.delivery(world.organization, after.delivery_id).await.unwrap().is_none());
    assert_eq!(restored.void_dead_leases(world.now()).await.unwrap(), 1, "what was under way is made again");
}

#[test]
fn a_backup_replaces_no_file_and_is_made_of_databases_only() {
    let folder = tempfile::tempdir().unwrap();
    let [path, other, empty] = ["test.db", "other", "empty.db"].map(|name| folder.path().join(name));
    drop(SqliteStore::open(&path, vault()).unwrap());
    std::fs::write(&other, "something else").unwrap();
    assert!(matches!(back_up(&path, &other), Err(BackupError::Exists(_))));
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "something else");
    Connection::open(&empty).unwrap().execute_batch("CREATE TABLE t (value)").unwrap();
    assert!(matches!(back_up(&empty, &folder.path().join("copy.db")), Err(BackupError::NoDatabase(_))));
    assert!(matches!(back_up(&other, &folder.path().join("copy.db")), Err(BackupError::Failed(_))));
    assert!(!folder.path().join("copy.db").exists());
}

#[tokio::test]
async fn a_lease_that_an_older_program_left_on_what_it_recorded_brings_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = SqliteStore::open_exclusively(&path, vault()).unwrap();
    let world = World::new(Arc::new(store), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let [delivered, retried] = [world.claimed(agent).await, world.claimed(agent).await];
    // It knows no other time than `due_at`.
    let older = Connection::open(&path).unwrap();
    let retry = world.now() + 1.hour();
    for (claimed, status, due) in [(&delivered, "delivered", None), (&retried, "pending", Some(retry.as_microsecond()))] {
        let record = "UPDATE deliveries SET status = ?2, due_at = ?3, lease_token = NULL WHERE id = ?1";
        older.execute(record, params![claimed.delivery_id.uuid().as_bytes(), status, due]).unwrap();
    }
    let after = delivered.lease.until.max(retried.lease.until);
    assert!(after < retry);
    assert_eq!(world.store.claim_due(after, world.leases(4)).await.unwrap().len(), 0);
    world.store.void_dead_leases(after).await.unwrap();
    assert_eq!(world.store.claim_due(after, world.leases(4)).await.unwrap().len(), 0);
    assert_eq!(world.store.next_due().await.unwrap(), Some(retry));
}

#[tokio::test]
async fn a_record_whose_attempt_has_not_begun_is_refused_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = SqliteStore::open_exclusively(&path, vault()).unwrap();
    let world = World::new(Arc::new(store.clone()), "default").await;
    let agent = world.agent("Assistant").await;
    world.webhook("https://example.com", None).await;
    let claimed = world.claimed(agent).await;
    let beside = Connection::open(&path).unwrap();
    beside.execute("UPDATE deliveries SET attempt_started_at = NULL", []).unwrap();
    let sent = Some(message(&[], b"{}"));
    let record = AttemptRecord { request: sent, ..world.record(&claimed, answered(200), NextStep::Delivered) };
    let refused = store.record(record).await;
    assert!(matches!(refused, Err(RecordError::Store(StoreError::Corrupt(_)))), "{refused:?}");
    assert_eq!(world.delivery(claimed.delivery_id).await.status, DeliveryStatus::Pending);
    assert_eq!(beside.query_row("SELECT count(*) FROM exchanges", [], |row| row.get(0)), Ok(0));
}

/// What the version before this one may leave, of which it was the step of that number.
fn of_the_step_before(path: &Path) -> rusqlite::Result<(Connection, usize)> {
    let steps = earlier::steps(env!("CARGO_MANIFEST_DIR"));
    let step = &steps[steps.len() - 2];
    let older = Connection::open(path)?;
    step.schema.iter().try_for_each(|sql| older.execute_batch(sql))?;
    older.execute_batch(&step.rows)?;
    older.pragma_update(None, "user_version", step.number)?;
    Ok((older, step.number))
}

#[tokio::test]
async fn a_database_that_an_older_program_serves_is_not_upgraded_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let (older, step) = of_the_step_before(&path).unwrap();
    let version = || older.pragma_query_value::<usize, _>(None, "user_version", |row| row.get(0)).unwrap();

    let lock = std::fs::File::create(folder.path().join("test.db.lock")).unwrap();
    lock.try_lock().unwrap();
    assert!(matches!(SqliteStore::open(&path, vault()), Err(OpenError::InUse(_))));
    assert_eq!(version(), step);
    drop(lock);
    SqliteStore::open(&path, vault()).unwrap();
    assert_eq!(version(), step + 1);
}

#[tokio::test]
async fn a_lease_that_an_older_program_left_on_what_has_ended_is_gone_with_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let (older, _) = of_the_step_before(&path).unwrap();
    let leased = older.execute("UPDATE deliveries SET lease_until = 1 WHERE status = 'delivered'", []).unwrap();
    let left = || {
        let sql = "SELECT count(*) FROM deliveries WHERE lease_until IS NOT NULL AND status <> 'pending'";
        older.query_row::<usize, _, _>(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((leased, left()), (1, 1));
    SqliteStore::open(&path, vault()).unwrap();
    assert_eq!(left(), 0);
}

#[tokio::test]
async fn a_database_that_is_made_is_not_taken_for_one_that_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let lock = std::fs::File::create(folder.path().join("test.db.lock")).unwrap();
    lock.try_lock().unwrap();
    SqliteStore::open(&path, vault()).unwrap();
}
