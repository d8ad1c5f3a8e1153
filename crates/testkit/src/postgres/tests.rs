use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio_postgres::{Client, NoTls};

use super::{Cluster, Durability, Stop, empty, fresh, is_left_out};

/// Makes this test binary start a cluster, say where it is, and wait.
const HELPER: &str = "PRECLINICAL_TESTKIT_POSTGRES_HELPER";

/// After how long something that should happen has failed to.
const PATIENCE: Duration = Duration::from_mins(1);

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn count(url: &str) -> i64 {
    connect(url).await.query_one("SELECT count(*) FROM things", &[]).await.unwrap().get(0)
}

async fn insert(url: &str) {
    connect(url).await.batch_execute("INSERT INTO things DEFAULT VALUES").await.unwrap();
}

async fn migrate(url: &str) {
    connect(url).await.batch_execute("CREATE TABLE things (id serial PRIMARY KEY)").await.unwrap();
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let Some(first) = fresh(migrate).await else { return };
    let second = fresh(migrate).await.unwrap();
    insert(&first.url).await;
    assert_eq!((count(&first.url).await, count(&second.url).await), (1, 0));
}

#[test]
fn a_database_is_migrated_once_for_tests_with_a_runtime_each() {
    let mut migrations = 0;
    let mut held = Vec::new();
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(fresh(async |url: &str| {
            migrations += 1;
            migrate(url).await;
        }));
        held.push(database);
    }
    // None, if another test was first.
    assert!(migrations <= 1, "{migrations}");
    assert!(held.iter().all(Option::is_some) || is_left_out());
}

#[tokio::test]
async fn a_dropped_database_is_gone_whoever_is_still_connected() {
    let Some(database) = empty().await else { return };
    let other = empty().await.unwrap();
    let still_there = connect(&database.url).await;
    let name = database.name.clone();
    drop(database);
    assert!(still_there.batch_execute("SELECT 1").await.is_err());
    let known = connect(&other.url).await.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await.unwrap();
    assert!(known.is_empty());
}

#[tokio::test]
async fn what_was_committed_survives_every_end_of_a_durable_server() {
    if is_left_out() {
        return;
    }
    let cluster = Cluster::start(Durability::Full);
    let url = cluster.url("postgres");
    migrate(&url).await;
    for (round, how) in (1..).zip([Stop::Fast, Stop::Immediate, Stop::Kill]) {
        insert(&url).await;
        let before = cluster.pid();
        cluster.stop(how);
        assert!(cluster.pid().is_none() && tokio_postgres::connect(&url, NoTls).await.is_err());
        cluster.start_again();
        assert_ne!(cluster.pid(), before);
        assert_eq!(count(&url).await, round, "{how:?}");
    }
}

#[tokio::test]
async fn terminated_sessions_end_and_the_server_goes_on() {
    if is_left_out() {
        return;
    }
    let cluster = Cluster::start(Durability::None);
    let session = connect(&cluster.url("postgres")).await;
    assert_eq!(cluster.terminate_backends().await.unwrap(), 1);
    assert!(session.batch_execute("SELECT 1").await.is_err());
    migrate(&cluster.url("postgres")).await;
}

#[test]
fn helper_that_holds_a_cluster_until_it_is_killed() {
    if std::env::var_os(HELPER).is_none() {
        return;
    }
    let cluster = Cluster::start(Durability::None);
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\nCLUSTER {} {}", cluster.port(), cluster.folder().display()).unwrap();
    stdout.flush().unwrap();
    let _ = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn a_killed_test_process_leaves_no_server_and_no_files() {
    if is_left_out() {
        return;
    }
    let mut helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "postgres::tests::helper_that_holds_a_cluster_until_it_is_killed"])
        .env(HELPER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(helper.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("CLUSTER ")).expect("it says where its cluster is");
    let mut words = line.splitn(3, ' ').skip(1);
    let (port, folder) = (words.next().unwrap().parse::<u16>().unwrap(), words.next().unwrap());
    let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
    assert!(answers() && Path::new(folder).exists(), "nothing is seen to end if it never was");

    helper.kill().unwrap();
    helper.wait().unwrap();
    let killed = Instant::now();
    while answers() || Path::new(folder).exists() {
        assert!(killed.elapsed() < PATIENCE, "{folder} is still there");
        std::thread::yield_now();
    }
}
