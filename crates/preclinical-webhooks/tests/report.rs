//! `report` as a process, against a real server as another.
#![allow(clippy::unwrap_used, reason = "this is test code")]

#[path = "reports/expected.rs"]
mod expected;
mod harness;

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use expected::FILES;
use harness::{Api, Server, binary, create_key};
use preclinical_testkit::receiver::{Reaction, Receiver};
use serde_json::{Value, json};

const CASE: &str = r#"<testcase name="a" classname="c"/>"#;

/// A server of this test's own, and a folder for its files.
struct Site {
    server: Server,
    api: Api,
    key: String,
    folder: tempfile::TempDir,
}

/// What a command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("w.db");
        let key = create_key(&database);
        let server = Server::start(&database, &[]);
        Self { api: Api::new(&server.url, &key), server, key, folder }
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    }

    fn command(&self, files: &[impl AsRef<Path>]) -> Command {
        let mut command = binary();
        command.arg("report").args(files.iter().map(AsRef::as_ref));
        command.env("PRECLINICAL_API_URL", &self.server.url).env("PRECLINICAL_API_KEY", &self.key);
        command
    }

    /// Reports files under an agent that is created when needed.
    fn report(&self, files: &[impl AsRef<Path>], more: &[&str]) -> Said {
        say(self.command(files).args(["--agent", "Assistant", "--create-agent"]).args(more))
    }

    /// Reports files that are fine; the run as it was printed.
    fn reported(&self, files: &[impl AsRef<Path>], more: &[&str]) -> Value {
        let said = self.report(files, &[&["--json"], more].concat());
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        serde_json::from_str(&said.out).unwrap()
    }

    async fn results(&self, run: &Value) -> Vec<Value> {
        let results = self.api.get(&format!("/runs/{}/results", run["id"].as_str().unwrap())).await;
        results["results"].as_array().unwrap().clone()
    }

    async fn has_nothing(&self) -> bool {
        self.api.get("/runs").await["total"] == 0 && self.api.get("/agents").await["total"] == 0
    }
}

fn say(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports").join(name)
}

fn counts(run: &Value) -> [u64; 4] {
    ["passed_count", "failed_count", "error_count", "total_scenarios"].map(|count| run[count].as_u64().unwrap())
}

fn ids(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["scenario_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_stored_file_yields_what_its_tool_counted() {
    let site = Site::new();
    for expected in FILES {
        let file = expected.file;
        let said = site.report(&[stored(file)], &[]);
        assert_eq!(said.code, 0, "{file}: {}", said.err);
        let aside = if expected.skipped == 0 { String::new() } else { format!("{} skipped, left out\n", expected.skipped) };
        assert_eq!(said.err, aside, "{file}");
        let run = site.api.get(&format!("/runs/{}", said.out.split(' ').next().unwrap())).await;
        let total = expected.passed + expected.failed + expected.error;
        assert_eq!(counts(&run), [expected.passed, expected.failed, expected.error, total], "{file}");
        assert_eq!((&run["name"], &run["status"]), (&json!(expected.name), &json!("completed")), "{file}");
        let results = site.results(&run).await;
        assert_eq!(results.len() as u64, total, "{file}");
        for (id, verdict, message) in expected.some {
            let result = results.iter().find(|result| result["scenario_id"] == *id);
            let result = result.unwrap_or_else(|| panic!("{file}: {id} is not among {:?}", ids(&results)));
            assert_eq!(result["status"], *verdict, "{file}: {id}");
            let said = result["error_message"].as_str().unwrap_or_default();
            assert!(said.starts_with(message) && said.is_empty() == message.is_empty(), "{file}: {id}: {said:?}");
        }
    }
}

#[test]
fn every_stored_file_is_in_the_table() {
    let names = fs::read_dir(stored("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.contains(".xml") || name.contains(".json")).collect();
    let mut listed: Vec<_> = FILES.iter().map(|expected| expected.file).collect();
    names.sort();
    listed.sort_unstable();
    assert_eq!(names, listed);
}

#[tokio::test]
async fn several_files_become_one_run() {
    let site = Site::new();
    let surefire = ["NightPatientsTest", "PatientsTest", "SetupTest"];
    let surefire = surefire.map(|class| stored(&format!("surefire-TEST-org.example.agent.{class}.xml")));
    let run = site.reported(&surefire, &[]);
    assert_eq!(counts(&run), [5, 2, 2, 9]);
    assert_eq!(run["name"], "org.example.agent.NightPatientsTest and 2 more");
    assert!(ids(&site.results(&run).await)[8].ends_with("SetupTest"));

    let run = site.reported(&[stored("pytest.xml"), stored("pytest.xml")], &[]);
    assert_eq!((counts(&run), &run["name"]), ([10, 4, 4, 18], &json!("pytest tests")));
    let mixed = [stored("nextest.xml"), stored("jest-ctrf.json"), site.write("none.xml", "<testsuites name='none'/>")];
    let run = site.reported(&mixed, &[]);
    assert_eq!((counts(&run), &run["name"]), ([9, 8, 0, 17], &json!("nextest-run and 2 more")));
    assert_eq!(site.api.get("/runs").await["total"], 3);
}

#[tokio::test]
async fn a_format_is_found_out_from_the_contents_or_told() {
    let site = Site::new();
    let xml = site.write("results.json", fs::read(stored("pytest.xml")).unwrap());
    assert_eq!(counts(&site.reported(&[&xml], &[])), [5, 2, 2, 9]);
    assert_eq!(counts(&site.reported(&[&xml], &["--format", "junit"])), [5, 2, 2, 9]);
    for format in ["ctrf", "promptfoo", "preclinical"] {
        let said = site.report(&[&xml], &["--format", format]);
        assert_eq!(said.code, 1);
        assert!(said.err.contains("results.json: line 1, column 1: expected value"), "{}", said.err);
    }
    let both = br#"{"results":{"tests":[{"name":"a","status":"passed"}],"results":[]}}"#;
    assert_eq!(counts(&site.reported(&[site.write("both.json", both)], &[])), [1, 0, 0, 1]);
    assert_eq!(site.report(&[site.write("both.json", both)], &["--format", "promptfoo"]).code, 1);

    let text = fs::read_to_string(stored("jest-ctrf.json")).unwrap();
    let utf16 = |bytes: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    for contents in [format!("\u{feff}{text}").into_bytes(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        assert_eq!(counts(&site.reported(&[site.write("encoded", contents)], &[])), [5, 4, 0, 9]);
    }
}

#[tokio::test]
async fn an_agent_is_known_by_name_or_id_and_created_only_when_asked() {
    let site = Site::new();
    let file = stored("pytest.xml");
    let missing = say(site.command(&[&file]).args(["--agent", "Triage agent"]));
    assert_eq!(missing.code, 1);
    assert_eq!(missing.err, "error: there is no agent named \"Triage agent\"; --create-agent makes one\n");
    let unknown = say(site.command(&[&file]).args(["--agent", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "--create-agent"]));
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("AGENT_NOT_FOUND"), "{}", unknown.err);
    assert!(site.has_nothing().await);

    let create = ["--agent", "Triage agent", "--create-agent", "--provider", "retell"];
    for _ in 0..2 {
        assert_eq!(say(site.command(&[&file]).args(create)).code, 0);
    }
    let agents = site.api.get("/agents").await;
    assert_eq!((&agents["total"], &agents["agents"][0]["provider"]), (&json!(1), &json!("retell")));
    for _ in 0..120 {
        site.api.agent(&format!("another {}", site.api.get("/agents").await["total"])).await;
    }
    for named in ["Triage agent", agents["agents"][0]["id"].as_str().unwrap()] {
        let said = say(site.command(&[&file]).args(["--json", "--agent", named]));
        let run: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(run["agent_name"], "Triage agent", "it is found behind a hundred others");
    }
}

#[tokio::test]
async fn the_output_is_a_line_for_people_or_one_json_object() {
    let site = Site::new();
    let file = stored("pytest.xml");
    let said = site.report(&[&file], &["--name", "Nightly \u{1b}[31mred"]);
    assert_eq!(said.out, "TR-00001 Nightly  [31mred: 5 passed, 2 failed, 2 errors of 9 (55.56 %)\n");
    assert_eq!(said.err, "2 skipped, left out\n");

    let said = site.report(&[&file], &["--json"]);
    let run: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.out.lines().count(), said.err.as_str()), (1, ""));
    assert_eq!(run, site.api.get(&format!("/runs/{}", run["id"].as_str().unwrap())).await);
    let good = site.report(&[site.write("good.xml", format!("<testsuite>{CASE}</testsuite>"))], &[]);
    assert_eq!(good.out, "TR-00003 good.xml: 1 passed, 0 failed, 0 errors of 1 (100.0 %)\n", "no colours, green or red");
    let long = site.reported(&[&file], &["--name", &"ä".repeat(150)]);
    assert_eq!(long["name"].as_str().unwrap(), format!("{}…", "ä".repeat(98)));
}

#[tokio::test]
async fn a_broken_file_is_named_with_line_and_cause_and_nothing_is_reported() {
    let site = Site::new();
    let ctrf = fs::read_to_string(stored("jest-ctrf.json")).unwrap();
    let nextest = fs::read_to_string(stored("nextest.xml")).unwrap();
    let own = |fields: &str| format!("{{\"results\":[\n{{\"scenario_id\":\"a\",\"scenario_name\":\"A\"{fields}}}]}}");
    let long = "x".repeat(201);
    let broken: [(&str, Vec<u8>, &str); 17] = [
        ("cut.xml", nextest[..nextest.find("line_drops_once").unwrap()].into(), "line 16: "),
        (
            "cut-between.xml",
            nextest[..nextest.rfind("</testsuites>").unwrap()].into(),
            "line 253: the file ends inside <testsuites>",
        ),
        ("cut.json", ctrf[..ctrf.find("\"duration\"").unwrap()].into(), "line 24, column 8: EOF"),
        ("latin1.xml", b"<testsuite>\n<testcase name='\xe4'/></testsuite>".to_vec(), "line 2: not UTF-8"),
        ("odd.xml", b"\xff\xfe<".to_vec(), "not UTF-16"),
        ("empty.xml", Vec::new(), "is empty"),
        ("blank.json", b" \n".to_vec(), "is empty"),
        ("page.html", b"<!DOCTYPE html>\n<html><body>502</body></html>".to_vec(), "line 2: the root is <html>"),
        ("notes.txt", b"all good".to_vec(), "line 1: neither XML nor a JSON object"),
        ("other.json", b"{\"tests\":[]}".to_vec(), "is JSON of no known format: it has no list at"),
        ("status.json", own(",\"status\":\"green\"").into(), "line 2, column 55: unknown variant `green`"),
        ("missing.json", own("").into(), "line 2, column 39: missing field `status`"),
        (
            "typo.json",
            own(",\"status\":\"passed\",\"durationms\":1").into(),
            "line 2, column 69: unknown field `durationms`",
        ),
        (
            "long.json",
            own(",\"status\":\"passed\"").replace("\"a\"", &format!("\"{long}\"")).into(),
            "results[0].scenario_id",
        ),
        (
            "ctrf.json",
            br#"{"results":{"tests":[{"name":"a","status":"good"}]}}"#.to_vec(),
            "results.tests[0].status must be",
        ),
        ("none.xml", b"<testsuites/>".to_vec(), ""),
        ("none.json", b"{\"results\":[]}".to_vec(), ""),
    ];
    let good = stored("pytest.xml");
    for (name, contents, cause) in broken {
        let file = site.write(name, contents);
        let said = site.report(&[&file], &[]);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{name}");
        if cause.is_empty() {
            assert_eq!(said.err, format!("error: there is no test to report in {}\n", file.display()));
            continue;
        }
        assert!(said.err.starts_with(&format!("error: {}: {cause}", file.display())), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1);
        assert_eq!(site.report(&[&good, &file], &[]).err, said.err, "a good file before it changes nothing");
    }
    let said = site.report(&[site.folder.path().join("missing.xml")], &[]);
    assert!(said.code == 1 && said.err.contains("missing.xml: No such file"), "{}", said.err);
    assert!(site.has_nothing().await);
}

#[tokio::test]
async fn a_server_that_is_down_or_refuses_the_key_is_a_clear_error() {
    let site = Site::new();
    let file = stored("pytest.xml");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = site.report(&[&file], &["--api-url", &format!("http://{nobody}")]);
    assert_eq!(down.code, 1);
    assert!(down.err.starts_with(&format!("error: cannot reach the server at http://{nobody}: ")), "{}", down.err);

    let wrong = format!("sk_live_{}", "x".repeat(40));
    for key in [wrong.as_str(), "a key\nof two lines"] {
        let said = site.report(&[&file], &["--api-key", key]);
        assert_eq!((said.code, said.out.as_str()), (1, ""));
        assert!(!said.err.contains(key) && !said.err.contains("xxxx") && !said.err.contains("two lines"), "{}", said.err);
    }
    assert!(site.report(&[&file], &["--api-key", &wrong]).err.contains("(UNAUTHORIZED)"));
    assert!(site.has_nothing().await);
}

#[tokio::test]
async fn names_beyond_the_limits_are_shortened_and_their_ids_stay_apart() {
    let site = Site::new();
    let case = |end: &str| {
        format!(
            "<testcase classname='c' name='{}{end}'><failure message='{}'/></testcase>",
            "ß".repeat(300),
            "m".repeat(70_000)
        )
    };
    let file =
        site.write("long.xml", format!("<testsuite name='{}'>{}{}</testsuite>", "n".repeat(300), case("1"), case("2")));
    let run = site.reported(&[&file], &[]);
    assert_eq!(run["name"].as_str().unwrap().len(), 200);
    let results = site.results(&run).await;
    assert_ne!(results[0]["scenario_id"], results[1]["scenario_id"]);
    assert_eq!(ids(&results), ids(&site.results(&site.reported(&[&file], &[])).await), "and are the same next time");
    for result in results {
        let length = |field: &str| result[field].as_str().unwrap().len();
        assert!(length("scenario_id") <= 200 && length("scenario_name") <= 500);
        assert_eq!(length("error_message"), 65_536);
    }
}

#[tokio::test]
async fn tests_that_were_skipped_are_told_and_left_out_even_if_no_other_is_left() {
    let site = Site::new();
    let said = site.report(
        &[site.write(
            "skipped.xml",
            format!("<testsuite name='s'>{}</testsuite>", CASE.replace("/>", "><skipped/></testcase>")),
        )],
        &[],
    );
    assert_eq!(
        (said.out.as_str(), said.err.as_str()),
        ("TR-00001 s: 0 passed, 0 failed, 0 errors of 0 (0.0 %)\n", "1 skipped, left out\n")
    );
}

#[tokio::test]
async fn a_run_took_as_long_as_its_report_says_also_beyond_what_a_run_can_take() {
    let site = Site::new();
    for (seconds, at_least) in [(7_200, 7_200), (2_592_000, 2_588_400), (9_999_999, 2_588_400)] {
        let file = site.write(
            "d.json",
            format!(
                r#"{{"duration_ms":{seconds}000,"results":[{{"scenario_id":"a","scenario_name":"A","status":"passed"}}]}}"#
            ),
        );
        let took = site.reported(&[file], &[])["duration_seconds"].as_u64().unwrap();
        assert!((at_least..at_least + 3600).contains(&took), "{took}");
    }
}

#[tokio::test]
async fn twenty_five_thousand_tests_arrive_in_order() {
    let site = Site::new();
    let mut xml = String::from("<testsuites name='many'><testsuite name='s'>");
    for number in 0..25_000 {
        let verdict = if number % 5 == 0 { "<failure message='no'/>" } else { "" };
        write!(xml, "<testcase classname='c' name='test {number}' time='0.001'>{verdict}</testcase>").unwrap();
    }
    xml.push_str("</testsuite></testsuites>");
    let run = site.reported(&[site.write("many.xml", xml)], &[]);
    assert_eq!((counts(&run), &run["pass_rate"]), ([20_000, 5_000, 0, 25_000], &json!(80.0)));
    let results = site.results(&run).await;
    assert_eq!(results.len(), 25_000);
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result["scenario_name"], format!("test {number}"));
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_of_the_servers_changes_nothing() {
    let answer = |status, body: &str| Reaction::answer(status, "date: Fri, 30 Jan 2026 10:32:45 GMT\r\n", body.as_bytes());
    let server = Receiver::start([
        answer(200, r#"{"agents":[{"id":"a","name":"Assistant"}],"total":1}"#),
        answer(400, r#"{"error":"no","code":"INVALID_FIELD_VALUE","details":{"field":"started_at"}}"#),
        answer(201, r#"{"id":"r","test_run_id":"TR-00001"}"#),
    ])
    .await;
    let file = stored("nextest.xml");
    let mut command = binary();
    command.arg("report").arg(file).args(["--agent", "Assistant", "--api-key", "k", "--api-url"]);
    command.arg(format!("http://{}", server.address));
    tokio::task::spawn_blocking(move || assert_eq!(say(&mut command).code, 0)).await.unwrap();
    assert!(server.next().await.head.starts_with("GET /api/v1/agents?"));
    server.next().await;
    let created: Value = serde_json::from_slice(&server.next().await.body).unwrap();
    assert_eq!(created["started_at"], "2026-01-30T10:32:38.956Z", "6.044 s before the time of the server");
}
