//! The Rust code that pages offer for verification, compiled as it is.

#[allow(
    clippy::pedantic,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    reason = "it is a sample for other people's code"
)]
#[path = "../../../src/pages/assets/snippets/rust.rs"]
mod offered;

use preclinical_core::{secret::SigningSecret, signature};

#[test]
fn the_offered_code_takes_our_signatures_and_no_others() {
    let (secret, body) = (SigningSecret::parse("a secret of this test").unwrap(), b"{\"a\":1}");
    let genuine = signature::preclinical(&secret, body);
    let judge = |body: &[u8], signature: &str| offered::is_genuine(secret.expose().as_bytes(), body, signature);
    assert!(judge(body, &genuine));
    assert!(!judge(b"{\"a\":2}", &genuine));
    for forged in ["", "sha256=", "sha256=zz", &genuine[..genuine.len() - 1], &genuine[7..], "sha256=é"] {
        assert!(!judge(body, forged), "{forged}");
    }
}
