//! `report`: results that test tools wrote become one finished run.

mod ctrf;
mod format;
mod junit;
mod own;
mod parsed;
mod promptfoo;
mod sending;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use preclinical_core::{agent::Provider, surrogate};
use url::Url;

use crate::{
    client::ApiClient,
    terminal::{FAINT, GOOD, NOTE, Styled, printable, say, say_aside},
};
use format::Format;
use parsed::Parsed;
use sending::Sent;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 512 * 1024 * 1024;

/// What is reported, and where to.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// Result files; all of them together become one run
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Agent that was tested: its name or id
    #[arg(long, value_name = "NAME_OR_ID")]
    agent: String,
    /// Name of the run [default: the report's own, or the first file's name]
    #[arg(long)]
    name: Option<String>,
    /// Format of all files [default: found out file by file]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Create the agent if there is none of that name
    #[arg(long)]
    create_agent: bool,
    /// Provider of an agent that is created
    #[arg(long, default_value = "openai", value_parser = provider, requires = "create_agent")]
    provider: Provider,
    /// Address of the server
    #[arg(long, env = "PRECLINICAL_API_URL", default_value = "http://127.0.0.1:3000")]
    api_url: Url,
    /// API key (visible to others on this machine; better in the environment)
    #[arg(long, env = "PRECLINICAL_API_KEY", hide_env_values = true)]
    api_key: String,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Formats: JUnit XML (pytest, cargo-nextest, Maven Surefire, Jest, Playwright and others), CTRF JSON,
promptfoo's results JSON, and Preclinical's own JSON:
  {\"name\":\"…\",\"duration_ms\":1200,\"results\":[{\"scenario_id\":\"…\",\"scenario_name\":\"…\",\"status\":\"passed\"}]}

How verdicts are mapped: passed → passed; failed (an assertion) → failed; error (the test could not be judged) → error;
skipped, pending and disabled tests are left out and counted. A test that passed on a retry has passed.

Exit status: 0 when the run was reported, whatever its results; 1 when nothing was.

Examples:
  pytest --junitxml=results.xml; preclinical-webhooks report results.xml --agent \"Triage agent\" --create-agent
  preclinical-webhooks report target/surefire-reports/*.xml --agent triage --name \"Nightly\"
  promptfoo eval -o results.json; preclinical-webhooks report results.json --agent triage --json";

/// Reads all files, and only then talks to the server: a broken file reports nothing.
pub(crate) async fn run(args: ReportArgs) -> anyhow::Result<()> {
    let mut all = Parsed::default();
    let mut names = Vec::new();
    for file in &args.files {
        let parsed = read(file, args.format).with_context(|| printable(&file.display().to_string()))?;
        names.push(parsed.name.clone().unwrap_or_else(|| file_name(file)));
        all.add(parsed);
    }
    if all.results.is_empty() && all.skipped == 0 {
        bail!("there is no test to report in {}", files(&args.files));
    }
    sending::check(&all)?;
    let name = args.name.unwrap_or_else(|| together(&names));
    let client = ApiClient::new(&args.api_url, &args.api_key)?;
    let created = args.create_agent.then_some(args.provider);
    let agent = sending::agent(&client, &args.agent, created).await?;
    let sent = sending::send(&client, &agent, &parsed::one_line(&name, parsed::LONGEST_RUN_NAME), &all).await?;
    if args.json {
        say(&sent.run);
    } else {
        tell(&sent, all.skipped);
    }
    Ok(())
}

fn read(path: &Path, format: Option<Format>) -> anyhow::Result<Parsed> {
    let size = std::fs::metadata(path)?.len();
    if size > LARGEST_FILE {
        bail!("is larger than {} MiB", LARGEST_FILE >> 20);
    }
    understand(std::fs::read(path)?, format)
}

fn understand(contents: Vec<u8>, format: Option<Format>) -> anyhow::Result<Parsed> {
    let text = decode(contents)?;
    let text = text.trim_start_matches('\u{feff}');
    match format.map_or_else(|| Format::detect(text), Ok)? {
        Format::Junit => junit::parse(text),
        Format::Ctrf => ctrf::parse(text),
        Format::Promptfoo => promptfoo::parse(text),
        Format::Preclinical => own::parse(text),
    }
}

/// Text in UTF-8, or in UTF-16 with a byte order mark, as PowerShell writes it.
fn decode(bytes: Vec<u8>) -> anyhow::Result<String> {
    let read: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            return String::from_utf8(bytes).map_err(|error| {
                let position = error.utf8_error().valid_up_to();
                anyhow::anyhow!("line {}: not UTF-8", line_at(error.as_bytes(), position))
            });
        }
    };
    let (units, rest) = bytes.as_chunks::<2>();
    let text = String::from_utf16(&units.iter().copied().map(read).collect::<Vec<_>>());
    text.ok().filter(|_| rest.is_empty()).context("not UTF-16, as which it begins")
}

/// The line that a byte is in, from 1.
fn line_at(bytes: &[u8], position: usize) -> usize {
    bytes.iter().take(position).filter(|byte| **byte == b'\n').count() + 1
}

/// A JSON document as `T`, whose texts may have been cut inside a character; the error names line and column.
fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    serde_json::from_str(&surrogate::without_lone(text)).map_err(|error| {
        let cause = error.to_string();
        let cause = cause.split(" at line ").next().unwrap_or_default();
        anyhow::anyhow!("line {}, column {}: {}", error.line(), error.column(), printable(cause))
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "test run".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// One name for a run of several files: the name they share, or the first and how many there are besides.
fn together(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [first, rest @ ..] if rest.iter().all(|name| name == first) => first.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn files(paths: &[PathBuf]) -> String {
    match paths {
        [one] => printable(&one.display().to_string()),
        many => format!("any of the {} files", many.len()),
    }
}

fn provider(text: &str) -> Result<Provider, String> {
    Provider::parse(text).ok_or_else(|| format!("must be one of {}", Provider::ALL.map(Provider::as_str).join(", ")))
}

fn tell(sent: &Sent, skipped: u64) {
    let run = &sent.run;
    let style = if run["failed_count"] == 0 && run["error_count"] == 0 { GOOD } else { NOTE };
    let text = |name: &str| printable(run[name].as_str().unwrap_or_default());
    say(format_args!(
        "{} {}: {} passed, {} failed, {} errors of {} ({} %)",
        Styled(style, text("test_run_id")),
        text("name"),
        run["passed_count"],
        run["failed_count"],
        run["error_count"],
        run["total_scenarios"],
        run["pass_rate"],
    ));
    if skipped > 0 {
        say_aside(Styled(FAINT, format_args!("{skipped} skipped, left out")));
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    const REAL: [&[u8]; 4] = [
        include_bytes!("../tests/reports/pytest.xml"),
        include_bytes!("../tests/reports/playwright-ctrf.json"),
        include_bytes!("../tests/reports/promptfoo.json"),
        br#"{"results":[{"scenario_id":"a","scenario_name":"A","status":"passed","duration_ms":5,"transcript":[{}]}]}"#,
    ];

    proptest! {
        #[test]
        fn any_damage_to_a_real_report_is_understood_or_refused(
            which in 0..REAL.len(),
            damages in prop::collection::vec((any::<Index>(), any::<u8>()), 0..6),
            end in any::<Index>(),
            cut: bool,
        ) {
            let mut contents = REAL[which].to_vec();
            for (at, byte) in damages {
                *at.get_mut(&mut contents) = byte;
            }
            if cut {
                contents.truncate(end.index(contents.len()));
            }
            for format in [None, Some(Format::Junit), Some(Format::Ctrf), Some(Format::Promptfoo), Some(Format::Preclinical)] {
                let _ = understand(contents.clone(), format);
            }
        }

        #[test]
        fn any_bytes_are_understood_or_refused(contents: Vec<u8>) {
            let _ = understand(contents, None);
        }
    }

    #[test]
    fn a_text_that_was_cut_inside_a_character_is_read_with_its_place_marked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        for contents in [
            r#"{"results":{"results":[{"success":true,"vars":{},"provider":{"id":"p"},"response":{"output":"cut \ud83d"}}]}}"#,
            r#"{"results":{"tool":{"name":"t"},"tests":[{"name":"a","status":"failed","message":"cut \ud83d"}]}}"#,
            r#"{"results":[{"scenario_id":"a","scenario_name":"A","status":"passed","transcript":"cut \ud83d"}]}"#,
        ] {
            std::fs::write(&path, contents).unwrap();
            let results = serde_json::to_string(&read(&path, None).unwrap().results).unwrap();
            assert!(results.contains("cut \u{fffd}"), "{results}");
        }
        std::fs::write(&path, r#"<testsuite><testcase name="cut \ud83d" classname="c"/></testsuite>"#).unwrap();
        assert!(read(&path, None).unwrap().results[0].scenario_name.contains(r"\ud83d"), "XML has no such escapes");
    }
}
