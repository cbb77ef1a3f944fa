//! Postgres and Redis, started by the project's own scripts and then treated as a machine room treats them.
//!
//! They run under another user where we are root. Their processes are found by the pid file and, below that, in /proc;
//! nothing else is touched.

use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// How long a server may refuse to start.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Postgres.
    Postgres,
    /// Redis.
    Redis,
}

/// A private server of the run.
#[derive(Debug, Clone)]
pub struct Server {
    kind: Kind,
    name: String,
    root: PathBuf,
}

impl Server {
    /// A server of that name; `root` is the checkout. It does not run yet.
    #[must_use]
    pub fn new(kind: Kind, name: &str, root: &Path) -> Self {
        Self { kind, name: name.to_owned(), root: root.to_owned() }
    }

    /// Starts it and returns its URL. It is tried again for a while, as a machine room would: the server refuses to start
    /// while the process that was killed is still in the table of processes.
    ///
    /// # Errors
    /// What the script says.
    pub async fn start(&self) -> Result<String, String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.script("start").await {
                Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(500)).await,
                result => return result,
            }
        }
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// What the script says.
    pub async fn stop(&self) -> Result<(), String> {
        self.script("stop").await.map(drop)
    }

    async fn script(&self, command: &str) -> Result<String, String> {
        let script = match self.kind {
            Kind::Postgres => "postgres.sh",
            Kind::Redis => "redis.sh",
        };
        let said = Command::new(self.root.join("deploy/dev").join(script))
            .args([command, &self.name])
            // What commits has to survive the server's death: that is what is tested.
            .env("POSTGRES_PROFILE", "durable")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .output()
            .await
            .map_err(|e| format!("{script}: {e}"))?;
        if said.status.success() {
            Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
        } else {
            Err(format!("{script} {command} {}: {}", self.name, String::from_utf8_lossy(&said.stderr).trim()))
        }
    }

    /// Sends a signal to all of its processes. Returns to how many.
    pub fn signal(&self, signal: Signal) -> usize {
        let Some(first) = self.pid() else { return 0 };
        // Stopped first, so that it has no children that are not seen here.
        let _ = kill_process(first, Signal::STOP);
        let children = children(first);
        let all: Vec<Pid> = children.into_iter().chain([first]).collect();
        all.iter().filter(|pid| kill_process(**pid, signal).is_ok()).count()
    }

    fn pid(&self) -> Option<Pid> {
        let file = match self.kind {
            Kind::Postgres => self.root.join(format!(".dev/{}/pg/data/postmaster.pid", self.name)),
            Kind::Redis => self.root.join(format!(".dev/redis-{}/run/pid", self.name)),
        };
        let pid = std::fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()?;
        let is_ours = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (is_ours.starts_with("postgres") || is_ours.starts_with("redis")).then_some(Pid::from_raw(pid)).flatten()
    }
}

fn children(parent: Pid) -> Vec<Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent.as_raw_nonzero().get())).filter_map(Pid::from_raw).collect()
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
