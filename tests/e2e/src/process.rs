//! The service as its own process: for signals, and what comes after them.

use crate::app::{ORIGIN, sign_up};
use crate::{Team, TestDatabase, eventually, http};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A running `onelap-service` with a database of its own; killed when it is dropped.
#[derive(Debug)]
pub struct ServiceProcess {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    log: tempfile::NamedTempFile,
}

/// The program beside the test's own; built where a build of single packages has left it out.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let program = folder.join("onelap-service");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--locked", "-p", "onelap-service"]).status();
    assert!(built.is_ok_and(|status| status.success()), "cargo build -p onelap-service");
    program
}

impl ServiceProcess {
    /// Starts it on a free port and waits until it answers.
    pub async fn start(database: &TestDatabase) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let program = tokio::task::spawn_blocking(program).await.expect("built");
        let log = tempfile::NamedTempFile::new().expect("a file for its log");
        let child = Command::new(program)
            .env("DATABASE_URL", database.url())
            .env("LISTEN", address.to_string())
            .env("PUBLIC_URL", ORIGIN)
            .env("JWT_SECRET", "a secret of forty characters, for tests.")
            .stdout(log.reopen().expect("its log"))
            .stderr(Stdio::null())
            .spawn()
            .expect("the service starts");
        let process = Self { address, child, log };
        eventually("the service is ready", || async {
            let listens = tokio::net::TcpStream::connect(address).await.is_ok();
            if !listens {
                return None;
            }
            let answer = http::request(address, "GET", "/readyz", &[], None).await;
            (answer.status == 200).then_some(())
        })
        .await;
        process
    }

    /// Signs up a person with a team of that name.
    pub async fn team(&self, name: &str) -> Team {
        sign_up(self.address, name).await
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("its log")
    }

    /// Asks it to stop, as a deployment does.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|status| status.success()));
    }

    /// Waits until it has ended; `None` where it has not in time.
    pub async fn ended(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let until = tokio::time::Instant::now() + deadline;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return Some(status);
            }
            if tokio::time::Instant::now() > until {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
