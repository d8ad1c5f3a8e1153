//! When a key was last used. The tests run on one thread, on which a note is on its way to the writer before its call answers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use preclinical_core::port::StoreError;
use preclinical_testkit::interception::intercepted;
use serde_json::{Value, json};

use crate::app::TestApp;

/// Waits for the notes that are on their way: they are written before what is written after them.
async fn last_used(app: &TestApp) -> Value {
    app.api.post("/test-suites", json!({"name": "Emergencies"})).await.is(201);
    app.api.get("/api-keys").await.is(200)["api_keys"][0]["last_used_at"].clone()
}

#[tokio::test]
async fn the_last_use_is_kept_to_a_minute() {
    let app = TestApp::new().await;
    app.pass(5);
    app.api.get("/runs").await.is(200);
    let first = json!(app.world.now().to_string());
    assert_eq!(last_used(&app).await, first);
    app.pass(59);
    assert_eq!(last_used(&app).await, first);
    app.pass(1);
    assert_eq!(last_used(&app).await, app.world.now().to_string());
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute_however_many_calls_there_are_and_no_call_suffers_when_it_cannot_be() {
    let notes = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&notes);
    let app = TestApp::over(|store| {
        intercepted(store, move |method| match method {
            "note_key_use" => {
                heard.fetch_add(1, Ordering::Relaxed);
                Err(StoreError::Unavailable("on purpose".to_owned()))
            }
            _ => Ok(()),
        })
    })
    .await;
    for minute in 1..=3 {
        for _ in 0..20 {
            app.api.get("/runs").await.is(200);
        }
        assert_eq!(notes.load(Ordering::Relaxed), minute);
        app.pass(60);
    }
    app.presenting(Some("Bearer sk_live_unknown")).get("/runs").await.refuses(401, "UNAUTHORIZED");
    assert_eq!(notes.load(Ordering::Relaxed), 3, "an unknown key is not used");
}
