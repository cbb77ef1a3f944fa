//! A program that the run started: its output kept, its life in our hand.
//!
//! Each is in a process group of its own, so that Ctrl-C reaches the run alone, and is killed with the run, however that
//! ends (`setpriv --pdeathsig`, and again when the handle is dropped).

use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child as Process, Command};

/// How a program is started.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its name, and its log's.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// What its environment has besides ours.
    pub env: Vec<(String, String)>,
    /// Folder of logs.
    pub logs: PathBuf,
}

/// A program that runs, or ran.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: Process,
    pid: Pid,
}

impl Recipe {
    /// Starts it. To be called on the thread that lives as long as the run.
    ///
    /// # Errors
    /// What cannot be started, and why.
    pub fn start(&self) -> Result<Child, String> {
        let failed = |why: String| format!("{}: {why}", self.name);
        let mut log = log_file(&self.logs, &self.name).map_err(|e| failed(e.to_string()))?;
        let _ = writeln!(log, "--- started at {}", crate::clock::now_ms());
        let errors = log.try_clone().map_err(|e| failed(e.to_string()))?;
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.program)
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| failed(format!("{}: {e}", self.program.display())))?;
        let pid = process.id().and_then(|id| Pid::from_raw(id as i32));
        match pid {
            Some(pid) => Ok(Child { name: self.name.clone(), process, pid }),
            None => Err(failed(format!("ended at once: {:?}", process.try_wait()))),
        }
    }
}

fn log_file(logs: &Path, name: &str) -> std::io::Result<std::fs::File> {
    OpenOptions::new().create(true).append(true).open(logs.join(format!("{name}.log")))
}

impl Child {
    /// Sends a signal; one that has ended does not mind.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }

    /// kill -9.
    pub async fn kill(mut self) {
        let _ = self.process.kill().await;
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// SIGTERM, then waits.
    ///
    /// # Errors
    /// Where it does not end in time (it is killed then) or says that something failed.
    pub async fn end(mut self, at_most: Duration) -> Result<(), String> {
        self.signal(Signal::TERM);
        match tokio::time::timeout(at_most, self.process.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("{} ended with {status} after SIGTERM", self.name)),
            Ok(Err(error)) => Err(format!("{}: {error}", self.name)),
            Err(_) => {
                let _ = self.process.kill().await;
                Err(format!("{} did not end within {} s after SIGTERM", self.name, at_most.as_secs()))
            }
        }
    }
}
