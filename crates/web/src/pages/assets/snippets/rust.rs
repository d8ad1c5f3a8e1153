// axum = "0.8", bytes = "1", hmac = "0.13", serde_json = "1", sha2 = "0.11"
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub fn is_genuine(secret: &[u8], body: &[u8], signature: &str) -> bool {
    let Some(hex) = signature.strip_prefix("sha256=") else { return false };
    let bytes: Result<Vec<u8>, _> =
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(hex.get(i..i + 2).unwrap_or("x"), 16)).collect();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(body);
    bytes.is_ok_and(|bytes| mac.verify_slice(&bytes).is_ok())
}

// Router::new().route("/preclinical-webhook", post(receive))
pub async fn receive(headers: HeaderMap, body: bytes::Bytes) -> StatusCode {
    let secret = std::env::var("PRECLINICAL_WEBHOOK_SECRET").unwrap_or_default();
    let signature = headers.get("x-preclinical-signature").and_then(|value| value.to_str().ok());
    if secret.is_empty() || !is_genuine(secret.as_bytes(), &body, signature.unwrap_or_default()) {
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(event) => println!("{} {}", event["test_run"]["test_run_id"], event["test_run"]["status"]),
        Err(_) => return StatusCode::BAD_REQUEST,
    }
    StatusCode::NO_CONTENT
}
