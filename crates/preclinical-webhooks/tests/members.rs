//! How people come in: the link that a server without members prints, and those of `members`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod harness;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
};

use harness::{Server, binary};
use preclinical_core::{
    clock::Clock,
    id::MemberId,
    member::{Member, Role},
    password::PasswordHash,
    port::{AcceptError, Acceptance, Accounts},
    session::Session,
    token::TokenHash,
    vault::Vault,
};
use preclinical_store_sqlite::SqliteStore;
use preclinical_testkit::{chance::SeededChance, clock::ManualClock};
use serde_json::Value;
use tempfile::TempDir;

const TERMS: &str = "works once, within 7 days";

struct Place {
    folder: TempDir,
    chance: Arc<SeededChance>,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), chance: Arc::new(SeededChance::new(1)) }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("w.db")
    }

    fn run(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
        binary().args(arguments).arg("--database").arg(self.database()).envs(settings.iter().copied()).output().unwrap()
    }

    /// What a command that must succeed printed.
    fn on(&self, arguments: &[&str]) -> String {
        let output = self.run(&[], arguments);
        assert!(output.status.success(), "{arguments:?} {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    }

    /// The database as the server sees it, once it was created.
    fn store(&self) -> SqliteStore {
        let key = std::fs::read_to_string(self.folder.path().join("w.db.key")).unwrap();
        let vault = Vault::new(&key.trim().parse().unwrap(), self.chance.clone());
        SqliteStore::open(&self.database(), vault).unwrap()
    }

    /// Somebody opens a link and joins.
    async fn join(&self, link: &str, email: &str) -> Result<Member, AcceptError> {
        let at = ManualClock::default().now();
        let password = PasswordHash::from_stored("hash".to_owned());
        let (email, hash) = (email.parse().unwrap(), TokenHash::of(token(link)));
        let member_id = MemberId::generate(at, &*self.chance);
        self.store().accept_invitation(Acceptance { hash, member_id, email, password, at }).await
    }

    fn members(&self, organization: &str) -> Value {
        serde_json::from_str(&self.on(&["members", "list", "--json", "--organization", organization])).unwrap()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The token of a link.
fn token(link: &str) -> &str {
    let (_, token) = link.rsplit_once("/join/").unwrap();
    assert_eq!(token.len(), 43, "{link}");
    token
}

/// The link of the line that a server prints while there is no member.
fn setup_link(line: &str) -> &str {
    line.strip_prefix("set up: ").and_then(|line| line.strip_suffix(&format!("  ({TERMS})\n"))).unwrap()
}

/// Whether a text is in one of the files, logs among them.
fn is_kept(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

#[tokio::test]
async fn a_server_prints_a_new_setup_link_at_each_start_until_there_is_a_member() {
    let place = Place::new();
    let start = |settings: &[(&str, &str)]| Server::start(&place.database(), settings);
    let mut first = start(&[("PRECLINICAL_LOG", "trace")]);
    let void = setup_link(&first.next_line()).to_owned();
    assert!(void.starts_with(&format!("{}/join/", first.url)), "{void}");
    first.kill();

    let mut second = start(&[("PRECLINICAL_PUBLIC_URL", "https://example.com/hooks/"), ("PRECLINICAL_LOG", "trace")]);
    let link = setup_link(&second.next_line()).to_owned();
    assert!(link.starts_with("https://example.com/hooks/join/"), "{link}");
    for one in [&void, &link] {
        assert!(!is_kept(place.folder.path(), token(one)));
    }
    assert!(matches!(place.join(&void, "ada@example.com").await, Err(AcceptError::NotInForce)));
    assert_eq!(place.join(&link, "ada@example.com").await.unwrap().role, Role::Owner);
    second.kill();

    let mut third = start(&[]);
    third.terminate();
    assert_eq!(third.next_line(), "");
}

#[test]
fn the_demo_invites_with_its_setup_link() {
    let mut demo = binary().arg("demo").stdout(Stdio::piped()).spawn().unwrap();
    let lines: Vec<_> = BufReader::new(demo.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.starts_with("Webhooks that arrive"))
        .collect();
    demo.kill().unwrap();
    demo.wait().unwrap();
    let url = lines[0].split_whitespace().find_map(|word| word.strip_suffix(',')).unwrap();
    let link = lines.iter().find_map(|line| line.strip_prefix("  Pages: ")?.strip_suffix(&format!("  ({TERMS})"))).unwrap();
    assert!(link.starts_with(&format!("{url}/join/")) && token(link).len() == 43, "{url} {link}");
}

#[tokio::test]
async fn somebody_joins_by_an_invitation_of_the_command_line_beside_a_running_server() {
    let place = Place::new();
    let _server = Server::start(&place.database(), &[]);
    let invited =
        place.run(&[("PRECLINICAL_PUBLIC_URL", "https://example.com")], &["members", "invite", "--role", "viewer"]);
    let link = text(&invited.stdout).strip_suffix('\n').unwrap();
    assert!(link.starts_with("https://example.com/join/"), "{link}");
    assert_eq!(text(&invited.stderr), format!("{TERMS}\n"));
    assert!(!is_kept(place.folder.path(), token(link)));
    place.join(link, "ada@example.com").await.unwrap();
    assert!(matches!(place.join(link, "grace@example.com").await, Err(AcceptError::NotInForce)));

    place.on(&["organizations", "create", "acme"]);
    let invited = place.run(
        &[("PRECLINICAL_LISTEN", "127.0.0.1:8080")],
        &["members", "invite", "--role", "owner", "--organization", "acme"],
    );
    let link = text(&invited.stdout).trim_end();
    assert!(link.starts_with("http://127.0.0.1:8080/join/"), "{link}");
    place.join(link, "grace@example.com").await.unwrap();

    let listed = place.members("default");
    let [member] = &listed.as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!((&member["email"], &member["role"]), (&"ada@example.com".into(), &"viewer".into()));
    assert_eq!((&member["joined_at"], &member["last_signed_in_at"]), (&"2026-01-30T10:30:00Z".into(), &Value::Null));
    assert_eq!(place.members("acme")[0]["role"], "owner");
    let table = place.on(&["members", "list"]);
    assert!(table.starts_with("EMAIL            ROLE    JOINED"), "{table}");
    assert!(table.contains("\nada@example.com  viewer  2026-01-30T10:30:00Z  never "), "{table}");
}

#[tokio::test]
async fn a_member_chooses_a_new_password_by_a_link_of_the_command_line() {
    let place = Place::new();
    let link = place.on(&["members", "invite", "--role", "owner"]);
    assert!(link.starts_with("http://127.0.0.1:3000/join/"), "{link}");
    let member = place.join(link.trim_end(), "ada@example.com").await.unwrap();
    let session = Session::new(TokenHash::of("session"), member.id, ManualClock::default().now());
    place.store().begin_session(session.clone(), None).await.unwrap();

    let void = place.on(&["members", "reset-password", "ada@example.com"]);
    let link = place.on(&["members", "reset-password", " Ada@Example.com"]);
    let new = PasswordHash::from_stored("new".to_owned());
    let reset = async |link: &str| {
        let hash = TokenHash::of(token(link.trim_end()));
        place.store().accept_password_reset(hash, new.clone(), session.created_at).await
    };
    assert!(matches!(reset(&void).await, Err(AcceptError::NotInForce)));
    assert!(place.store().signed_in(session.hash, session.created_at).await.unwrap().is_some());
    reset(&link).await.unwrap();
    assert_eq!(place.store().member_by_email(&member.email).await.unwrap().unwrap().1, new);
    assert_eq!(place.store().signed_in(session.hash, session.created_at).await.unwrap(), None);
}

#[test]
fn nobody_is_invited_to_what_does_not_exist() {
    let place = Place::new();
    let refused = |arguments: &[&str]| {
        let output = place.run(&[("PRECLINICAL_MASTER_KEY", &("A".repeat(43) + "="))], arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
        text(&output.stderr).to_owned()
    };
    let unknown = refused(&["members", "invite", "--role", "owner", "--organization", "nobody"]);
    assert_eq!(unknown, "error: there is no organization \"nobody\"\n");
    let unknown = refused(&["members", "reset-password", "nobody@example.com"]);
    assert_eq!(unknown, "error: nobody signs in with \"nobody@example.com\"\n");
}
