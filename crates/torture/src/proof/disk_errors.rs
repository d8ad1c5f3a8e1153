//! The disk of the embedded store keeps nothing: every flush fails.

use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
};

use super::{Load, Scene, in_time};
use crate::{
    node::Node,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

const PROOF: &str = "disk error";

/// Has every flush of the node fail with an I/O error for a while during the load.
///
/// Calls are answered with 503, nothing is acknowledged that was not flushed, and all of them are carried out afterwards.
pub async fn disk_errors(ground: &Ground, load: Load) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, node) = Scene::open(ground, site, Manner::Good, load).await?;
    scene.producer.ask([node.url.as_str()]);
    in_time("completions", scene.producer.until_accepted(load.completions / 4)).await?;
    let Ok(errors) = Errors::begin(&node).await else {
        return Ok(Outcome::skipped(PROOF, ground.store, "needs strace, and the right to attach it"));
    };
    // What was flushed before is answered still.
    let refused = scene.producer.book().unavailable;
    in_time("refusals", scene.producer.until_refused(refused + load.connections)).await?;
    let before = scene.producer.accepted();
    in_time("refusals", scene.producer.until_refused(refused + 4 * load.connections)).await?;
    let (during, refused) = (scene.producer.accepted() - before, scene.producer.book().unavailable);
    errors.end().await?;
    let outcome = scene.close(&node, PROOF, "every flush failed for a while".to_owned()).await?;
    let outcome = outcome.counting(format!("at least {refused} × 503"));
    Ok(outcome.requiring(during == 0, || format!("{during} completions were accepted, and nothing was flushed")))
}

/// Somebody between the node and the system, who lets no flush through.
struct Errors {
    tracer: Child,
    /// Kept open: it says a word about every thread of the node.
    _words: BufReader<ChildStderr>,
}

impl Errors {
    async fn begin(node: &Node) -> anyhow::Result<Self> {
        let pid = node.pid().context("the node has ended")?.to_string();
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:error=EIO", "-p", &pid]);
        let mut tracer = command.kill_on_drop(true).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let mut words = BufReader::new(tracer.stderr.take().context("no output")?);
        words.read_line(&mut line).await?;
        ensure!(line.contains("attached"), "it cannot be attached: {line}");
        Ok(Self { tracer, _words: words })
    }

    /// Returns when the node is alone again.
    async fn end(mut self) -> anyhow::Result<()> {
        let pid = self.tracer.id().context("it has ended by itself")?.to_string();
        Command::new("kill").args(["-INT", &pid]).status().await?;
        self.tracer.wait().await?;
        Ok(())
    }
}
