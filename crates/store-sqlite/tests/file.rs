//! What is particular to a store that is a file.

use std::{os::unix::fs::PermissionsExt, sync::Arc};

use preclinical_core::{delivery::DeliveryStatus, port::Store};
use preclinical_store_sqlite::{OpenError, SqliteStore};
use preclinical_testkit::world::{World, vault};
use rusqlite::Connection;

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
