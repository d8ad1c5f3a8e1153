//! What keeps streams in bounds: keys, beats, how many there are, and the end of the server.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use preclinical_core::{api_key::ApiKey, retry::NextStep};
use preclinical_testkit::{interception::intercepted, world::answered};
use serde_json::json;

use crate::app::{Client, Stream, TestApp, URL};

async fn open(api: &Client) -> Stream {
    let mut stream = api.listen("/stream", "").await;
    assert!(stream.block().await.unwrap().contains(": open"));
    stream
}

#[tokio::test]
async fn with_every_beat_a_silent_stream_sends_a_ping() {
    let app = TestApp::new().await;
    let mut stream = open(&app.api).await;
    for _ in 0..3 {
        app.streams.beat();
        assert_eq!(stream.block().await.as_deref(), Some(": ping"));
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_beat_after_its_key_was_revoked_or_expired() {
    let app = TestApp::new().await;
    let end = app.world.now() + jiff::SignedDuration::from_secs(60);
    let expiring = app.with_key(|key| ApiKey { expires_at: Some(end), ..key }).await;
    let mut ids = Vec::new();
    let revoked = app.with_key(|key| ApiKey { name: "revoked".to_owned(), ..key }).await;
    for key in app.api.get("/api-keys").await.is(200)["api_keys"].as_array().unwrap() {
        if key["name"] == "revoked" {
            ids.push(key["id"].as_str().unwrap().to_owned());
        }
    }
    let (mut of_expiring, mut of_revoked, mut lasting) = (open(&expiring).await, open(&revoked).await, open(&app.api).await);
    app.pass(60);
    assert_eq!(app.api.delete(&format!("/api-keys/{}", ids[0])).await.status, 204);
    app.streams.beat();
    assert_eq!((of_expiring.block().await, of_revoked.block().await), (None, None));
    assert_eq!(lasting.block().await.as_deref(), Some(": ping"));
}

#[tokio::test]
async fn no_amount_of_news_keeps_a_stream_of_a_revoked_key_open() {
    let app = TestApp::new().await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await;
    let mut stream = open(&app.api).await;
    for _ in 0..5 {
        app.api.delivered(&agent).await;
    }
    stream.next().await.unwrap();
    app.database.damage("UPDATE api_keys SET revoked_at = created_at");
    app.pass(1);
    app.streams.beat();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_key_and_the_server_have_so_many_streams_open_and_no_more() {
    let app = TestApp::new().await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(open(&app.api).await);
    }
    let refused = app.api.get("/stream").await;
    assert!(refused.refuses(429, "RATE_LIMITED").is_null());
    assert_eq!(refused.header("retry-after"), Some("1"));
    let other = app.with_key(|key| key).await;
    for _ in 0..2 {
        streams.push(open(&other).await);
    }
    let refused = other.get("/stream").await;
    assert!(refused.refuses(503, "UNAVAILABLE").is_null());
    assert_eq!(refused.header("retry-after"), Some("1"));
    streams.remove(0);
    streams.push(open(&app.api).await);
    drop(streams);
    assert_eq!(app.streams.open(), 0, "whoever hangs up gives its room back");
}

#[tokio::test]
async fn when_the_server_ends_every_stream_ends_at_once_and_no_other_begins() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, None).await;
    let (mut deliveries, mut run) = (open(&app.api).await, app.api.listen(&format!("/events?run_id={run}"), "").await);
    run.next().await.unwrap();
    app.streams.close();
    app.streams.beat();
    assert_eq!((deliveries.block().await, run.block().await), (None, None));
    app.api.get("/stream").await.refuses(503, "UNAVAILABLE");
    Arc::clone(&app.streams).run().await;
}

#[tokio::test]
async fn the_store_is_read_once_for_all_that_happened_and_not_at_all_when_nothing_does() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let app = TestApp::over(move |store| {
        intercepted(store, move |method| {
            counted.fetch_add(usize::from(method == "changed_deliveries"), Ordering::Relaxed);
            Ok(())
        })
    })
    .await;
    app.api.webhook(URL, None).await;
    let agent = app.api.agent("Assistant").await.parse().unwrap();
    let mut stream = open(&app.api).await;
    let before = reads.load(Ordering::Relaxed);
    for _ in 0..5 {
        app.streams.beat();
        assert_eq!(stream.block().await.as_deref(), Some(": ping"));
    }
    assert_eq!(reads.load(Ordering::Relaxed), before);
    for _ in 0..10 {
        let claimed = app.world.claimed(agent).await;
        app.world.store.record(app.world.record(&claimed, answered(200), NextStep::Delivered)).await.unwrap();
    }
    for _ in 0..10 {
        stream.next().await.unwrap();
    }
    app.streams.beat();
    assert_eq!(stream.block().await.as_deref(), Some(": ping"));
    assert_eq!(reads.load(Ordering::Relaxed), before + 1);
}

#[tokio::test]
async fn a_stream_that_the_store_cuts_off_is_taken_up_again_where_it_was() {
    let app = TestApp::new().await;
    let agent = app.api.agent("Assistant").await;
    let run = app.api.run(&agent, Some(2)).await;
    let report = async |id: &str| {
        let result = json!({"scenario_id": id, "scenario_name": id, "status": "passed"});
        app.api.post(&format!("/runs/{run}/results"), json!({"results": [result]})).await.is(200);
    };
    let path = format!("/events?run_id={run}");
    let mut stream = app.api.listen(&path, "").await;
    report("a").await;
    assert_eq!(stream.next().await.unwrap().data["event_type"], "test_run_started");
    assert_eq!(stream.next().await.unwrap().data["scenario_id"], "a");
    report("b").await;
    app.database.hide(|table| table == "scenario_results");
    assert_eq!(stream.next().await, None);
    app.database.restore();
    let mut stream = app.api.listen(&path, &stream.last_id).await;
    assert_eq!(stream.next().await.unwrap().data["scenario_id"], "b");
    assert_eq!(stream.next().await.unwrap().data["event_type"], "test_run_complete");
    assert_eq!(stream.next().await, None);
}
