//! No request reaches a forbidden address: the binary in a network of its own, where forbidden addresses are real and somebody
//! listens at each.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is test code"
)]

mod canary;
#[path = "../harness/mod.rs"]
mod harness;
mod namespace;
mod target;

use std::{path::Path, sync::atomic::Ordering};

use canary::Canary;
use harness::{Api, Server, create_key};
use preclinical_testkit::name_server::{Entry, NameServer};
use target::Target;

/// The test's name server. Its port is not one of the canaries'.
const NAME_SERVER: &str = "127.0.0.53";

/// A public address that this machine has for once: where it may call.
const PUBLIC: &str = "93.184.215.14";

const V4: [&str; 17] = [
    PUBLIC,
    "10.0.0.5",
    "172.16.0.5",
    "192.168.0.5",
    "100.64.0.5",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.175.48.1",
    "0.1.2.3",
];

const V6: [&str; 14] = [
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00::5",
    "fe80::1",
    "fec0::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:5",
    "64:ff9b:1::a00:5",
    "2002:a00:5::1",
    "2001:0:808:808:0:0:f5ff:fffa",
    "2001:db8::1",
    "3fff::1",
    "2606:4700::5efe:7f00:1",
    "::ffff:0:127.0.0.1",
];

const OWN: [&str; 2] = ["127.0.0.1", "::1"];

const PORTS: [u16; 3] = [80, 443, 8080];

/// What is allowed when the guard is opened: everything, and cloud metadata by name.
const EVERYTHING: &str = "0.0.0.0/0,::/0,169.254.169.254,169.254.170.2,100.100.100.200,168.63.129.16,192.0.0.192,\
    fd00:ec2::254,fd20:ce::254";

/// Names that lead to forbidden addresses. Each of its ways is one that a name server can take.
fn names() -> Vec<(&'static str, Entry)> {
    let to = |addresses: &[&str]| Entry::Addresses(vec![addresses.iter().map(|address| address.parse().unwrap()).collect()]);
    let mut many = vec![PUBLIC; 40];
    many.push("10.0.0.5");
    vec![
        ("loopback.example", to(&["127.0.0.1"])),
        ("loopback6.example", to(&["::1"])),
        ("private.example", to(&["10.0.0.5"])),
        ("metadata.example", to(&["169.254.169.254"])),
        ("metadata6.example", to(&["fd00:ec2::254"])),
        ("azure.example", to(&["168.63.129.16"])),
        ("mapped.example", to(&["::ffff:10.0.0.5"])),
        ("translated.example", to(&["64:ff9b::a00:5"])),
        ("tunnelled.example", to(&["2002:a00:5::1"])),
        ("unspecified.example", to(&["0.0.0.0"])),
        ("mixed.example", to(&[PUBLIC, "127.0.0.1"])),
        ("mixed-the-other-way.example", to(&["10.0.0.5", PUBLIC])),
        ("mixed6.example", to(&[PUBLIC, "::1"])),
        ("many.example", to(&many)),
        ("alias.example", Entry::Alias("db.inside.example".to_owned())),
        ("db.inside.example", to(&["192.168.0.5"])),
        ("over-tcp.example", Entry::OverTcp(vec!["172.16.0.5".parse().unwrap()])),
    ]
}

/// What leads to a canary and has no address of its own in a URL.
const SPELLINGS: [&str; 9] = [
    "http://localhost/",
    "http://foo.localhost:8080/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::ffff:10.0.0.5]/",
    "http://①⓪.0.0.5/",
    "http://10.0.0.5./",
    "http://0.0.0.0/",
    "http://metadata.google.internal/",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_reaches_a_forbidden_address() {
    if !namespace::enter("no_path_reaches_a_forbidden_address", &V4, &V6, NAME_SERVER) {
        return;
    }
    let mut canaries = canaries().await;
    let received = canary::receive(PUBLIC.parse().unwrap(), "http://127.0.0.1:8080/").await;
    let good = Entry::Addresses(vec![vec![PUBLIC.parse().unwrap()]]);
    // First a public address, and from the second question on another.
    let rebinding =
        |address: &str| Entry::Addresses([PUBLIC, address].map(|address| vec![address.parse().unwrap()]).to_vec());
    let more = [
        ("good.example", good),
        ("rebinding.example", rebinding("127.0.0.1")),
        ("rebinding-to-metadata.example", rebinding("169.254.169.254")),
        ("metadata.google.internal", Entry::Addresses(vec![vec!["169.254.169.254".parse().unwrap()]])),
    ];
    let _names = NameServer::listen(&format!("{NAME_SERVER}:53"), names().into_iter().chain(more)).await;

    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let key = create_key(&database);
    let mut urls: Vec<String> = canaries.iter().map(Canary::url).collect();
    urls.extend(SPELLINGS.map(str::to_owned));
    urls.extend(names().iter().map(|(name, _)| format!("http://{name}/")));

    let (opened, api) = serve(&database, &key, &[("PRECLINICAL_ALLOW_CIDRS", EVERYTHING)]);
    let mut targets = Vec::new();
    for url in &urls {
        let target = Target::create(&api, url).await;
        target.send_a_test(&api).await;
        targets.push(target);
    }
    drop(opened);
    let before = counts(&mut canaries).await;
    let unreached = canaries.iter().zip(&before).filter(|(canary, count)| **count == 0 && canary.can_be_called());
    let unreached: Vec<String> = unreached.map(|(canary, _)| canary.url()).collect();
    assert!(unreached.is_empty(), "with the guard open these were not reached, so they prove nothing: {unreached:?}");

    let (_closed, api) = serve(&database, &key, &[]);
    for target in &targets {
        target.is_refused_where_it_is_asked_for(&api).await;
        target.end_a_run(&api).await;
    }
    target::until_nothing_is_pending(&api).await;
    for target in &targets {
        target.was_blocked_by_attempt_and_retries(&api).await;
        target.redeliver(&api).await;
    }
    target::until_nothing_is_pending(&api).await;
    for target in &targets {
        target.was_blocked_again(&api).await;
    }
    let through = received.load(Ordering::SeqCst);
    let public = Target::create(&api, "http://good.example/").await;
    public.is_reached(&api).await;
    // A test, a run, and looks at an agent with its key and without: what is public is reached, so that this network is one.
    assert_eq!(received.load(Ordering::SeqCst), through + 4);
    let redirected = Target::create(&api, "http://good.example/redirect").await;
    redirected.send_a_test(&api).await;
    for name in ["rebinding.example", "rebinding-to-metadata.example"] {
        Target::create(&api, &format!("http://{name}/once")).await.is_reached_once(&api).await;
    }
    let after = counts(&mut canaries).await;
    let hit = canaries.iter().zip(before.iter().zip(&after)).filter(|(_, (before, after))| before != after);
    let hit: Vec<String> = hit.map(|(canary, _)| canary.url()).collect();
    assert!(hit.is_empty(), "reached with the guard closed: {hit:?}");
    println!("{} URLs on every path, {} canaries, none reached", targets.len(), canaries.len());
}

async fn canaries() -> Vec<Canary> {
    let mut canaries = Vec::new();
    for address in V4.iter().chain(&V6).chain(&OWN).filter(|address| **address != PUBLIC) {
        for port in PORTS {
            match Canary::sit(address.parse().unwrap(), port).await {
                Some(canary) => canaries.push(canary),
                None => println!("left out: this machine has no {address}"),
            }
        }
    }
    assert!(canaries.iter().filter(|canary| canary.address.is_ipv4()).count() == V4.len() * PORTS.len());
    canaries
}

/// How many came to each.
async fn counts(canaries: &mut [Canary]) -> Vec<usize> {
    let mut counts = Vec::new();
    for canary in canaries {
        counts.push(canary.count().await);
    }
    counts
}

fn serve(database: &Path, key: &str, settings: &[(&str, &str)]) -> (Server, Api) {
    let fixed =
        [("PRECLINICAL_RETRY_SCHEDULE", "1ms,1ms"), ("PRECLINICAL_RATE_LIMIT", "0"), ("PRECLINICAL_REQUEST_TIMEOUT", "5s")];
    let server = Server::start(database, &[&fixed[..], settings].concat());
    let api = Api::new(&server.url, key);
    (server, api)
}
