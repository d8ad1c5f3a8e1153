//! The command line as people and scripts meet it.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod harness;

use std::process::Output;

use harness::{binary, create_key};

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
