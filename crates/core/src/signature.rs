//! Both signatures of a webhook request, made and checked.

use base64::{Engine, engine::general_purpose::STANDARD};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::secret::SigningSecret;

/// `X-Preclinical-Signature`: `sha256=` and the lower-case hex of the body's HMAC under the secret's UTF-8 bytes.
pub fn preclinical(secret: &SigningSecret, body: &[u8]) -> String {
    let mut text = String::with_capacity(7 + 64);
    text.push_str("sha256=");
    HEXLOWER.encode_append(&hmac(secret.expose().as_bytes(), &[body]), &mut text);
    text
}

/// `webhook-signature` of Standard Webhooks 1.0: one `v1,…` per secret, separated by spaces, in the order given.
pub fn standard(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let timestamp = timestamp.to_string();
    let signatures: Vec<String> = secrets.iter().map(|secret| standard_one(secret, id, &timestamp, body)).collect();
    signatures.join(" ")
}

fn standard_one(secret: &SigningSecret, id: &str, timestamp: &str, body: &[u8]) -> String {
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    format!("v1,{}", STANDARD.encode(hmac(&secret.standard_key(), &parts)))
}

/// Whether `header` is this body's `X-Preclinical-Signature`, compared in constant time.
pub fn verify_preclinical(secret: &SigningSecret, body: &[u8], header: &str) -> bool {
    preclinical(secret, body).as_bytes().ct_eq(header.as_bytes()).into()
}

/// Whether one of the signatures in `header` is right, compared in constant time. Freshness is the caller's to judge.
pub fn verify_standard(secret: &SigningSecret, id: &str, timestamp: &str, body: &[u8], header: &str) -> bool {
    let expected = standard_one(secret, id, timestamp, body);
    header.split(' ').any(|given| expected.as_bytes().ct_eq(given.as_bytes()).into())
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::parse(text).unwrap()
    }

    #[test]
    fn the_hmac_is_the_one_of_rfc_4231() {
        assert_eq!(
            preclinical(&secret("Jefe"), b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_standard_signature_is_the_one_the_specification_shows() {
        // The example of the Standard Webhooks specification, section "Signature scheme".
        let secret = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(
            standard(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_rotated_secret_signs_behind_the_current_one() {
        let (new, old) = (secret("new"), secret("old"));
        let header = standard(&[new.clone(), old.clone()], "msg_1", 7, b"{}");
        assert_eq!(
            header,
            format!("{} {}", standard_one(&new, "msg_1", "7", b"{}"), standard_one(&old, "msg_1", "7", b"{}"))
        );
        assert!(verify_standard(&old, "msg_1", "7", b"{}", &header));
    }

    proptest! {
        #[test]
        fn a_signature_verifies_and_any_change_breaks_it(
            key in "[ -~]{1,80}", body: Vec<u8>, flip: prop::sample::Index, timestamp: u32,
        ) {
            let secret = secret(&key);
            let timestamp = i64::from(timestamp);
            let header = standard(std::slice::from_ref(&secret), "msg_1", timestamp, &body);
            prop_assert!(verify_standard(&secret, "msg_1", &timestamp.to_string(), &body, &header));
            prop_assert!(verify_preclinical(&secret, &body, &preclinical(&secret, &body)));

            prop_assert!(!verify_standard(&secret, "msg_2", &timestamp.to_string(), &body, &header));
            prop_assert!(!verify_standard(&secret, "msg_1", &(timestamp + 1).to_string(), &body, &header));
            if !body.is_empty() {
                let mut changed = body.clone();
                let at = flip.index(changed.len());
                changed[at] ^= 1;
                prop_assert!(!verify_standard(&secret, "msg_1", &timestamp.to_string(), &changed, &header));
                prop_assert!(!verify_preclinical(&secret, &changed, &preclinical(&secret, &body)));
            }
        }
    }
}
