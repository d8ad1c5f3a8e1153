//! The disk of the embedded store is full.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, ensure};
use http::StatusCode;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::{Load, Scene, in_time};
use crate::{
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

const PROOF: &str = "disk full";

/// Mounts a small file system for whoever enters this process's namespace, and waits. It has room for the load and
/// for a log of full length.
const HOLD: &str = r#"mount -t tmpfs -o size=48m none "$1" && echo mounted && read -r _"#;

/// Fills the disk that the database is on during the load, and makes room again.
///
/// Calls are answered with 503, the health check says so, too, and all of them are carried out when there is room.
pub async fn full_disk(ground: &Ground, load: Load) -> anyhow::Result<Outcome> {
    let folder = tempfile::Builder::new().prefix("torture-").tempdir()?;
    let mounted = folder.path().join("disk");
    fs::create_dir(&mounted)?;
    let Ok(disk) = Disk::mount(&mounted).await else {
        return Ok(Outcome::skipped(PROOF, ground.store, "needs root, to mount a small disk"));
    };
    let within = ["nsenter", "--mount", "--target", &disk.holder.id().context("the holder has ended")?.to_string(), "--"];
    let site = Site::create_in(ground, folder, "disk/w.db", within.map(Into::into).into(), &[]).await?;
    let (scene, node) = Scene::open(ground, site, Manner::Good, load).await?;
    scene.producer.ask([node.url.as_str()]);
    in_time("completions", scene.producer.until_accepted(load.completions / 4)).await?;
    let refused = scene.producer.book().unavailable;
    disk.fill()?;
    in_time("refusals", scene.producer.until_refused(refused + 100)).await?;
    // What fits into pages that were there before is written even so, and then it is well for a moment.
    in_time("unwell", async {
        while scene.api.health(&node.url).await.is_ok_and(|status| status != StatusCode::SERVICE_UNAVAILABLE) {}
    })
    .await?;
    disk.empty()?;
    let refused = scene.producer.book().unavailable;
    let did = "a disk of 48 MiB filled, then freed".to_owned();
    Ok(scene.close(&node, PROOF, did).await?.counting(format!("at least {refused} × 503, health check 503")))
}

/// A small file system that is there for those alone who enter the holder's namespace; it goes with the holder.
struct Disk {
    holder: Child,
    /// Seen from outside of the namespace.
    filler: PathBuf,
}

impl Disk {
    async fn mount(at: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", HOLD, "disk"]).arg(at);
        let mut holder =
            command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().context("no output")?).read_line(&mut line).await?;
        ensure!(line == "mounted\n", "no disk can be mounted");
        let root = format!("/proc/{}/root", holder.id().context("the holder has ended")?);
        let filler = Path::new(&root).join(at.strip_prefix("/")?).join("filler");
        Ok(Self { holder, filler })
    }

    /// Writes until nothing goes in any more.
    fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::create(&self.filler)?;
        let block = [0; 4096];
        while filler.write_all(&block).is_ok() {}
        Ok(())
    }

    fn empty(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(&self.filler)?)
    }
}
