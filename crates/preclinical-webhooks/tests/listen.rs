//! `listen`, with a real server on the other side.
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod harness;

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
};

use harness::{Api, Server, binary, create_key};
use preclinical_testkit::receiver::Receiver;
use serde_json::{Value, json};
use tempfile::TempDir;

/// `listen` as a process; it is killed when this is dropped.
struct Listening {
    url: String,
    process: Child,
    said: BufReader<Box<dyn Read + Send>>,
}

impl Listening {
    /// Listens on a free port. The address stands on standard output, or on standard error beside JSON.
    fn start(arguments: &[&str]) -> Self {
        let mut command = binary();
        command.args(["listen", "--port", "0"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let stdout: Box<dyn Read + Send> = Box::new(process.stdout.take().unwrap());
        let stderr: Box<dyn Read + Send> = Box::new(process.stderr.take().unwrap());
        let (mut said, mut aside) = (BufReader::new(stdout), BufReader::new(stderr));
        let mut line = String::new();
        let announces = if arguments.contains(&"--json") { &mut aside } else { &mut said };
        announces.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { url, process, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        tokio::task::block_in_place(|| self.said.read_line(&mut line)).unwrap();
        assert!(!line.is_empty(), "it ended");
        line
    }

    /// All that is printed of the next webhook, up to what it was answered.
    fn webhook(&mut self) -> String {
        let mut lines = String::new();
        while !lines.contains("  answered ") {
            lines.push_str(&self.line());
        }
        lines
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server with a webhook to `url` that is signed with `s3cret`; its schedule is short.
async fn serve(url: &str) -> (Server, Api, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("w.db");
    let key = create_key(&database);
    let settings = [("PRECLINICAL_ALLOW_CIDRS", "127.0.0.0/8"), ("PRECLINICAL_RETRY_SCHEDULE", "1ms,1ms,1h")];
    let server = Server::start(&database, &settings);
    let api = Api::new(&server.url, &key);
    api.webhook(url, Some("s3cret")).await;
    (server, api, folder)
}

/// Lets a run of 20 scenarios end, 17 of them passed.
async fn end_a_run(api: &Api) {
    let agent = api.agent("Healthcare Assistant").await;
    let run = api.post("/runs", json!({"agent_id": agent, "name": "Emergency calls"})).await;
    let counts = json!({"passed_count": 17, "failed_count": 3, "total_scenarios": 20});
    api.post(&format!("/runs/{}/complete", run["id"].as_str().unwrap()), counts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_verified_and_printed_for_people() {
    let mut listening = Listening::start(&["--secret", "s3cret"]);
    let (_server, api, _folder) = serve(&listening.url).await;
    end_a_run(&api).await;
    let said = listening.webhook();
    for part in [
        "TR-00001  Emergency calls  completed",
        "agent Healthcare Assistant",
        "pass rate 85.0 %: 17 passed, 3 failed, 0 errors of 20",
        "X-Preclinical-Signature  verified",
        "webhook-signature        verified",
        "answered 200",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(!said.contains('\u{1b}'), "no colours where nobody sees them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_secret_is_refused_and_the_reason_said() {
    let mut listening = Listening::start(&["--secret", "another"]);
    let (_server, api, _folder) = serve(&listening.url).await;
    end_a_run(&api).await;
    let said = listening.webhook();
    assert!(said.contains("refused: it was made with another secret") && said.contains("answered 401"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_fails_as_often_as_it_is_told() {
    let mut listening = Listening::start(&["--secret", "s3cret", "--fail", "503x2", "--delay", "1ms"]);
    let (_server, api, _folder) = serve(&listening.url).await;
    end_a_run(&api).await;
    for answered in ["answered 503", "answered 503", "answered 200"] {
        let said = listening.webhook();
        assert!(said.contains(answered) && said.contains("webhook-signature        verified"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_get_a_line_of_json_and_others_get_the_request_as_it_came() {
    let receiver = Receiver::start([]).await;
    let mut listening = Listening::start(&["--secret", "s3cret", "--json", "--forward", &receiver.url()]);
    let (_server, api, _folder) = serve(&listening.url).await;
    end_a_run(&api).await;
    let said: Value = serde_json::from_str(&listening.line()).unwrap();
    assert_eq!((&said["verified"], &said["answered"]), (&json!(true), &json!(200)));
    assert_eq!(said["body"]["test_run"]["pass_rate"], 85.0);

    let passed_on = receiver.next().await;
    assert_eq!(serde_json::from_slice::<Value>(&passed_on.body).unwrap(), said["body"]);
    assert_eq!(passed_on.header("webhook-id"), said["webhook_id"].as_str());
    assert_eq!(passed_on.header("webhook-timestamp"), said["webhook_timestamp"].as_str());
    assert!(passed_on.header("webhook-signature").is_some() && passed_on.header("x-preclinical-signature").is_some());
}
