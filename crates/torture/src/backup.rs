//! Copies of a site's database, made while it is served, and their way back, as the documents tell operators.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::ensure;

use crate::site::Site;

/// The database that a dump is loaded into.
const RESTORED: &str = "restored";

impl Site {
    /// Has the database copied by the command for it, or by `pg_dump`. Whoever serves it goes on.
    pub async fn back_up(&self) -> anyhow::Result<PathBuf> {
        let Some(cluster) = self.cluster.as_ref() else {
            let copy = self.file()?.with_extension("backup");
            let output = self.command(&["backup"]).arg(&copy).output().await?;
            ensure!(output.status.success(), "no backup: {}", String::from_utf8_lossy(&output.stderr));
            return Ok(copy);
        };
        // On a thread that may wait, as everything else that waits for a program of the server.
        Ok(tokio::task::block_in_place(|| cluster.dump("postgres")))
    }

    /// Copies the file of the embedded store as if it were all there is. What its log holds is not in there.
    pub fn copy_file_alone(&self) -> anyhow::Result<PathBuf> {
        let (file, copy) = (self.file()?, self.file()?.with_extension("copy"));
        fs::copy(file, &copy)?;
        Ok(copy)
    }

    /// Puts a copy in the place of the database, or loads it into an empty one. Nobody may serve the database.
    pub fn restore(&mut self, copy: &Path) -> anyhow::Result<()> {
        if let Some(cluster) = self.cluster.as_ref() {
            tokio::task::block_in_place(|| cluster.restore(copy, RESTORED));
            self.url = cluster.url(RESTORED);
            return Ok(());
        }
        let file = self.file()?;
        fs::rename(copy, file)?;
        for companion in ["-wal", "-shm"] {
            let mut path = file.as_os_str().to_owned();
            path.push(companion);
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }
}
