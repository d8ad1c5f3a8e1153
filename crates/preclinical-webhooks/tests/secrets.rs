//! Secrets never leak: each kind is planted in an installation, which then does all that it can do, well and badly; and everything
//! that it said, showed and wrote is searched for them, in every form in which a secret may be written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

#[path = "secrets/browser.rs"]
mod browser;
#[path = "secrets/canary.rs"]
mod canary;
mod harness;
#[path = "secrets/site.rs"]
mod site;
#[path = "secrets/tour.rs"]
mod tour;

use canary::{Canary, Evidence, leaks, sightings};
use site::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_secret_is_shown_where_it_is_meant_to_be_and_nowhere_else() {
    let mut site = Site::new();
    let canaries = tour::of(&mut site).await;
    let mut evidence = site.evidence();
    assert!(evidence.iter().any(|one| one.place == "database") && evidence.iter().any(|one| one.place == "file backup.db"));
    let found = leaks(&canaries, &evidence);
    assert!(found.is_empty(), "{found:#?}");
    let seen = sightings(&canaries, &evidence);
    let is_seen = |name: &str, place: &str| seen.iter().any(|sighting| sighting.canary == name && sighting.place == place);
    let places = canaries.iter().flat_map(|canary| canary.shown_by.iter().map(|place| (canary.name, *place)));
    let silent: Vec<_> = places.filter(|(name, place)| !is_seen(name, place)).collect();
    assert!(silent.is_empty(), "take them from the lists, or let the tour get there: {silent:#?}");

    // A single line among all that is found, whichever secret it tells.
    for Canary { name, secret, .. } in &canaries {
        let log = evidence.iter_mut().find(|one| one.place == "log of serve").unwrap();
        let length = log.bytes.len();
        log.bytes.extend_from_slice(format!("2026-01-30T10:30:00Z WARN engine: cannot call {secret:?}\n").as_bytes());
        let found = leaks(&canaries, &evidence);
        assert!(found.iter().any(|sighting| sighting.canary == *name && sighting.place == "log of serve"), "{name}");
        evidence.iter_mut().find(|one| one.place == "log of serve").unwrap().bytes.truncate(length);
    }
}

#[test]
fn a_secret_is_found_in_whatever_form_it_is_written() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    let secret = "Canary \"4711\" <of> a/secret+&=";
    let canaries = [Canary::new("it", secret, &["here"])];
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    let written = [
        format!("secret={secret}"),
        serde_json::json!({"message": secret}).to_string(),
        hex.concat().to_uppercase(),
        hex.concat(),
        "?token=".to_owned() + &url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>(),
        format!("%{}", hex.join("%")),
        maud_escaped(secret),
        URL_SAFE_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(format!("a{secret}b")),
        URL_SAFE_NO_PAD.encode(format!("ab{secret}c")),
        URL_SAFE_NO_PAD.encode(format!("abc{secret}def")),
    ];
    for text in written {
        let evidence = |place: &str| [Evidence { place: place.to_owned(), bytes: format!("begin {text} end").into() }];
        assert_eq!(leaks(&canaries, &evidence("there")).len(), 1, "{text}");
        assert_eq!(leaks(&canaries, &evidence("here")), [], "{text}");
    }
    let nothing = [Evidence { place: "there".to_owned(), bytes: secret.to_lowercase().into() }];
    assert_eq!(leaks(&canaries, &nothing), []);
}

fn maud_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
