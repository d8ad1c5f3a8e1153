//! `report` as a process, against a real server as another.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod harness;

use harness::{Api, Server, create_key};

#[tokio::test]
async fn a_server_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let key = create_key(&database);
    let server = Server::start(&database, &[]);
    let api = Api::new(&server.url, &key);
    assert_eq!(api.get("/runs").await["total"], 0);
}
