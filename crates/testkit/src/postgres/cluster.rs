//! A PostgreSQL server as a process of this test's own, which can be made to fail.
//!
//! It listens on a port of 127.0.0.1, and asks for a password. Its files are in a folder of its own, and go with it.
//!
//! Nothing of it outlives the test process, however that ends: a *guard*, a shell that waits for the end of a pipe whose other
//! end this process holds, ends the server and removes the folder. Should the test process be killed in the very moment in
//! which it starts the server, the server itself finds its files gone within a minute, and ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use tokio_postgres::NoTls;

use super::{programs::Programs, random, template};

/// Ports that no system gives to outgoing connections, so that a server that is stopped finds its own free again.
const PORTS: std::ops::Range<u64> = 15_000..32_000;

/// What the guard does. `$1` is the folder; the server removes its pid file as the last thing that it does.
const GUARD: &str = r#"
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" && kill -CONT "$pid"
tries=0
while [ -e "$1/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$1"
"#;

/// Whether what was committed survives the loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing is flushed, which is quick. The death of the server loses up to a second of what was committed.
    None,
    /// As PostgreSQL is by itself.
    Full,
}

/// How a server is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// In order, with whoever is connected cut off.
    Fast,
    /// At once; the next start recovers.
    Immediate,
    /// By the system, without being asked. Its sessions end a moment later, and so does the start of its successor.
    Kill,
}

/// A server and its files.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    folder: PathBuf,
    password: String,
    durability: Durability,
    port: u16,
    postmaster: Mutex<Option<Child>>,
    guard: Child,
}

impl Cluster {
    /// Starts one, and returns when it takes connections.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start; with what it said.
    #[must_use]
    pub fn start(durability: Durability) -> Self {
        let programs = Programs::find();
        let folder = programs.folder();
        let mut guard = programs.foreign("sh");
        guard.args(["-c", GUARD, "guard"]).arg(&folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn().expect("a shell can be run");
        let password = template::unpack(&programs, &folder);
        let mut cluster = Self { programs, folder, password, durability, port: 0, postmaster: Mutex::default(), guard };
        let mut said = String::new();
        for _ in 0..10 {
            cluster.port = u16::try_from(PORTS.start + random() % (PORTS.end - PORTS.start)).unwrap();
            match cluster.launch() {
                Ok(()) => return cluster,
                Err(log) => said = log,
            }
        }
        panic!("PostgreSQL does not start: {said}");
    }

    /// Where to connect to for a database of that name; there is one named `postgres`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process that starts all others of the server; `None` while it is stopped.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.postmaster().as_ref().map(Child::id)
    }

    /// Ends the server, and returns when it is gone.
    ///
    /// # Panics
    ///
    /// If it is stopped already.
    pub fn stop(&self, how: Stop) {
        let mut postmaster = self.postmaster().take().expect("the server is running");
        match how {
            Stop::Fast => signal("INT", postmaster.id()),
            Stop::Immediate => signal("QUIT", postmaster.id()),
            Stop::Kill => postmaster.kill().unwrap(),
        }
        postmaster.wait().unwrap();
    }

    /// Starts the server on the same port with the same files, and returns when it takes connections.
    ///
    /// # Panics
    ///
    /// If it does not start; with what it said.
    pub fn start_again(&self) {
        let mut said = String::new();
        // Sessions of a server that was killed hold its files for a moment more.
        for _ in 0..100 {
            match self.launch() {
                Ok(()) => return,
                Err(log) => said = log,
            }
        }
        panic!("PostgreSQL does not start again: {said}");
    }

    /// Ends every session but the one that it needs to do so; how many there were.
    ///
    /// # Errors
    ///
    /// If the server takes no connections.
    pub async fn terminate_backends(&self) -> Result<usize, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url("postgres"), NoTls).await?;
        let connection = tokio::spawn(connection);
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let ended = client.query(others, &[]).await?.len();
        drop(client);
        let _ = connection.await;
        Ok(ended)
    }

    /// Has `pg_dump` copy a database into a file, while anybody may use it.
    ///
    /// # Panics
    ///
    /// If it does not; with what it said.
    #[must_use]
    pub fn dump(&self, database: &str) -> PathBuf {
        let file = self.folder.join(format!("{database}-{:016x}.dump", random()));
        let from = format!("--dbname={}", self.url(database));
        succeed(self.programs.command("pg_dump").args(["--format=custom", &from, "--file"]).arg(&file));
        file
    }

    /// Loads what [`Self::dump`] wrote into a new database.
    ///
    /// # Panics
    ///
    /// If there is one of that name, or the programs refuse; with what they said.
    pub fn restore(&self, dump: &Path, database: &str) {
        let beside = format!("--maintenance-db={}", self.url("postgres"));
        succeed(self.programs.command("createdb").args([&beside, database]));
        let into = format!("--dbname={}", self.url(database));
        succeed(self.programs.command("pg_restore").args(["--exit-on-error", &into]).arg(dump));
    }

    fn postmaster(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the server; what it said, if it ended instead of taking connections.
    fn launch(&self) -> Result<(), String> {
        let mut postmaster = self.command().spawn().expect("postgres can be run");
        let mut lines = BufReader::new(postmaster.stderr.take().unwrap()).lines();
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            let mut said = String::new();
            // Read to the end: a server whose reader is gone could not say anything any more.
            while let Some(Ok(line)) = lines.next() {
                if line.ends_with("database system is ready to accept connections") {
                    let _ = ready.send(Ok(()));
                }
                said = said.lines().rev().take(20).fold(line, |later, earlier| format!("{earlier}\n{later}"));
            }
            let _ = ready.send(Err(said));
        });
        let outcome = is_ready.recv().unwrap();
        match outcome {
            Ok(()) => *self.postmaster() = Some(postmaster),
            Err(_) => drop(postmaster.wait()),
        }
        outcome
    }

    fn command(&self) -> Command {
        let mut command = self.programs.command("postgres");
        command.arg("-D").arg(self.folder.join("data"));
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            format!("port={}", self.port),
            "max_connections=200".to_owned(),
            "lc_messages=C".to_owned(),
            "timezone=UTC".to_owned(),
        ];
        if self.durability == Durability::None {
            settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
        }
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        if let Some(mut postmaster) = self.postmaster().take() {
            let _ = postmaster.kill();
            let _ = postmaster.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Has a program do its work.
fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the program is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Sends a signal to a process.
fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success(), "process {pid} takes no {name}");
}
