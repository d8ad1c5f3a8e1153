//! The command line as people and scripts meet it.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod harness;

use std::{path::Path, process::Output};

use harness::{Api, binary, create_key};
use jiff::Timestamp;
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    binary().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn help_and_mistakes_read_as_they_were_reviewed() {
    trycmd::TestCases::new().case("tests/commands/*.trycmd");
}

#[test]
fn keys_create_prints_the_key_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let arguments = ["keys", "create", "--name", "ci", "--database", database.to_str().unwrap()];
    let output = run(&arguments);
    assert!(output.status.success());
    let key = text(&output.stdout).strip_suffix('\n').unwrap();
    let random = key.strip_prefix("sk_live_").unwrap();
    assert_eq!((random.len(), random.bytes().all(|byte| byte.is_ascii_alphanumeric())), (40, true));
    assert!(text(&output.stderr).starts_with("created the master key "), "{}", text(&output.stderr));
    let stored = std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    assert!(stored.into_iter().all(|bytes| !bytes.windows(random.len()).any(|part| part == random.as_bytes())));

    let nobody = [&arguments[..], &["--organization", "nobody"]].concat();
    assert_eq!(text(&run(&nobody).stderr), "error: there is no organization \"nobody\"\n");
    let again = run(&arguments);
    assert!(!again.status.success());
    assert_eq!((text(&again.stdout), text(&again.stderr)), ("", "error: the organization has a key of that name\n"));
}

/// Runs a command on that database, which must succeed; what it printed.
fn on(database: &Path, arguments: &[&str]) -> String {
    let output = run(&[arguments, &["--database", database.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{arguments:?} {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

/// Runs a command on that database, which must fail; the reason it gave.
fn refused(database: &Path, arguments: &[&str]) -> String {
    let output = run(&[arguments, &["--database", database.to_str().unwrap()]].concat());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{arguments:?}");
    text(&output.stderr).trim_end().to_owned()
}

#[test]
fn organizations_are_created_and_listed_and_their_names_are_unique() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let id = on(&database, &["organizations", "create", "acme"]);
    assert_eq!(refused(&database, &["organizations", "create", "acme"]), "error: there is an organization \"acme\"");
    let listed: Value = serde_json::from_str(&on(&database, &["organizations", "list", "--json"])).unwrap();
    let slugs: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["slug"].as_str().unwrap()).collect();
    assert_eq!((slugs, listed[0]["id"].as_str().unwrap()), (vec!["acme", "default"], id.trim_end()));
    let table = on(&database, &["organizations", "list"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("SLUG     CREATED") && lines[1].starts_with("acme     20"), "{table}");
}

#[test]
fn a_command_that_finds_no_database_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let missing = format!("error: there is no database {}", database.display());
    for arguments in [&["keys", "list"][..], &["keys", "revoke", "ci"], &["organizations", "list"]] {
        assert_eq!(refused(&database, arguments), missing);
    }
    let below = folder.path().join("mistyped").join("w.db");
    for arguments in
        [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "create", "--name", "ci"], &["organizations", "create", "a"]]
    {
        let said = refused(&below, arguments);
        assert!(said.starts_with(&format!("error: there is no folder {}", below.parent().unwrap().display())), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_default_folder_is_made_at_the_first_start() {
    let home = tempfile::tempdir().unwrap();
    let mut create = binary();
    create.args(["keys", "create", "--name", "ci"]).env("HOME", home.path()).env("XDG_DATA_HOME", home.path().join("data"));
    assert!(create.output().unwrap().status.success());
    let mut list = binary();
    list.args(["keys", "list"]).env("HOME", home.path()).env("XDG_DATA_HOME", home.path().join("data"));
    assert!(text(&list.output().unwrap().stdout).contains("\nci "));
}

#[test]
fn keys_are_listed_and_revoked_by_name_or_id() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    on(&database, &["organizations", "create", "acme"]);
    let shown = on(&database, &["keys", "create", "--name", "ci", "--scope", "report", "--expires-in", "90d"]);
    on(&database, &["keys", "create", "--name", "ci", "--organization", "acme"]);
    on(&database, &["keys", "create", "--name", "dash", "--scope", "read"]);
    let listed = || serde_json::from_str::<Value>(&on(&database, &["keys", "list", "--json"])).unwrap();
    let keys = listed();
    let told = |key: &Value| ["name", "scope", "state"].map(|field| key[field].as_str().unwrap().to_owned()).join(" ");
    assert_eq!(keys.as_array().unwrap().iter().map(told).collect::<Vec<_>>(), ["dash read active", "ci report active"]);
    assert_eq!((&keys[0]["expires_at"], keys[1]["prefix"].as_str().unwrap()), (&Value::Null, &shown[..12]));
    let [start, end] =
        ["created_at", "expires_at"].map(|field| keys[1][field].as_str().unwrap().parse::<Timestamp>().unwrap());
    assert_eq!(end.duration_since(start).as_hours(), 90 * 24);

    assert_eq!(on(&database, &["keys", "revoke", "ci"]), "revoked ci\n");
    assert_eq!(refused(&database, &["keys", "revoke", "ci"]), "error: there is no key \"ci\"");
    let id = keys[0]["id"].as_str().unwrap();
    assert_eq!(on(&database, &["keys", "revoke", id]), "revoked dash\n");
    assert_eq!(refused(&database, &["keys", "revoke", id]), "error: the key \"dash\" was revoked before");
    let keys = listed();
    assert_eq!(keys.as_array().unwrap().iter().map(told).collect::<Vec<_>>(), ["dash read revoked", "ci report revoked"]);
    let acme = on(&database, &["keys", "list", "--organization", "acme"]);
    assert!(acme.contains("\nci    write  active  sk_live_"), "{acme}");
    assert!(!acme.contains(&shown[..12]), "{acme}");
}

#[tokio::test]
async fn a_revocation_beside_a_running_server_holds_from_the_next_call_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let server = harness::Server::start(&database, &[]);
    let key = on(&database, &["keys", "create", "--name", "ci", "--scope", "read"]);
    let api = Api::new(&server.url, key.trim_end());
    api.get("/runs").await;
    let body = serde_json::json!({"name": "x"});
    let forbidden = api.call(http::Method::POST, "/test-suites", Some(&body)).await.unwrap();
    assert_eq!((forbidden.status.as_u16(), &forbidden.body["code"]), (403, &Value::from("FORBIDDEN")));
    on(&database, &["keys", "revoke", "ci"]);
    let refused = api.call(http::Method::GET, "/runs", None).await.unwrap();
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (401, &Value::from("UNAUTHORIZED")));
}

#[test]
fn a_key_can_be_created_while_the_server_runs_and_a_second_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let _server = harness::Server::start(&database, &[]);
    assert!(create_key(&database).starts_with("sk_live_"));
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another process serves"), "{}", text(&second.stderr));
}

#[test]
fn a_database_without_its_master_key_is_refused_and_no_other_key_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    create_key(&database);
    let key = folder.path().join("w.db.key");
    let kept = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", database.to_str().unwrap()];
    let refused = run(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.contains(&format!("the master key {} is missing", key.display())), "{said}");
    assert!(!key.exists());

    let other = binary().args(arguments).env("PRECLINICAL_MASTER_KEY", "A".repeat(43) + "=").output().unwrap();
    assert!(text(&other.stderr).contains("sealed with another master key"), "{}", text(&other.stderr));
    std::fs::write(&key, kept).unwrap();
    harness::Server::start(&database, &[]);
}

#[test]
fn the_demo_ends_well_and_speaks_plainly_into_a_pipe() {
    let output = run(&["demo", "--once"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.ends_with("4 of 4 delivered and verified\n"), "{said}");
    assert_eq!(said.matches("answered 503").count(), 2, "{said}");
    assert!(!said.contains('\u{1b}'), "no colours where nobody sees them");
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("preclinical-webhooks"), "{shell}");
    }
}
