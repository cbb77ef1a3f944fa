//! Rigs against the service: its program, on a database of its own, over loopback.
//!
//! The figure that counts is frames per second of CPU that the service's process used, because the generator shares the
//! machine with it.

use crate::feed::{self, SAMPLE_MS};
use e2e::{Answer, Came, RawAgent, TestDatabase, http};
use onelap_protocol::agent::ServiceMessage;
use onelap_protocol::batch::OPCODE_SAMPLES;
use onelap_protocol::{Batch, Sample};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Samples in a batch.
const BATCH: usize = 2;
/// How long the last acknowledgement may take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Service {
    child: Child,
    address: SocketAddr,
    origin: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    async fn start(program: &Path, database: &TestDatabase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let origin = format!("http://{address}");
        let child = Command::new(program)
            .env("DATABASE_URL", database.url())
            .env("LISTEN", address.to_string())
            .env("PUBLIC_URL", &origin)
            .env("JWT_SECRET", "a secret of forty characters, for tests.")
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: cargo build --release -p onelap-service", program.display()));
        let service = Self { child, address, origin };
        let began = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(began.elapsed() < PATIENCE, "the service did not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        service
    }

    async fn post(&self, path: &str, cookies: &str, body: serde_json::Value) -> Answer {
        let headers = [("origin", self.origin.as_str()), ("cookie", cookies)];
        let answer = http::request(self.address, "POST", path, &headers, Some(body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer
    }

    /// CPU seconds that the process has used.
    fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("the service runs");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or_default();
        // utime and stime, in ticks of 10 ms: fields 14 and 15, counted from behind the name.
        (ticks(11) + ticks(12)) / 100.0
    }

    fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
    }
}

pub(crate) async fn run(samples: &[Sample], rigs: usize, seconds: u64, program: &Path) {
    let database = TestDatabase::create().await;
    let service = Service::start(program, &database).await;
    let person =
        json!({"email": "load@example.org", "password": "correct horse battery", "name": "Load", "team_name": "Load"});
    let signup = service.post("/api/auth/signup", "", person).await;
    let team = signup.json()["teams"][0]["id"].as_str().expect("a team").to_owned();
    let mut tokens = Vec::new();
    for rig in 0..rigs {
        let path = format!("/api/teams/{team}/rigs");
        let made = service.post(&path, &signup.cookies(), json!({ "name": format!("RIG_{rig}") })).await;
        tokens.push(made.json()["token"].as_str().expect("a token").to_owned());
    }

    let samples: Arc<[Sample]> = samples.into();
    let began = Instant::now();
    let cpu = service.cpu_s();
    let rigs: Vec<_> = tokens
        .into_iter()
        .enumerate()
        .map(|(i, token)| tokio::spawn(rig(service.address, token, samples.clone(), i, seconds)))
        .collect();
    let (mut frames, mut late) = (0, 0);
    for rig in rigs {
        let result = rig.await.expect("a rig ran");
        frames += result.frames;
        late += result.late;
    }
    let (wall_s, cpu_s) = (began.elapsed().as_secs_f64(), service.cpu_s() - cpu);
    let sent = frames as f64 * BATCH as f64;
    println!(
        "{frames} frames in {wall_s:.1} s, all acknowledged after their commit, {late} of them sent late by the generator"
    );
    println!(
        "service: {cpu_s:.2} s CPU, {:.0} frames per CPU second (one core), {:.0} MB resident",
        frames as f64 / cpu_s,
        service.memory_mb()
    );
    let pool = database.pool().await;
    let bytes: i64 =
        sqlx::query_scalar("select pg_total_relation_size('chunks')").fetch_one(&pool).await.expect("a size");
    println!(
        "stored: {:.2} B per sample and channel, index included ({:.1} MB for {sent:.0} samples)",
        bytes as f64 / sent / feed::channels(&samples),
        bytes as f64 / 1e6
    );
}

struct Sent {
    frames: u64,
    late: u64,
}

/// One rig at 20 Hz; returns when everything is acknowledged.
async fn rig(service: SocketAddr, token: String, samples: Arc<[Sample]>, index: usize, seconds: u64) -> Sent {
    let (mut agent, _) = RawAgent::connect(service, &token, 1, Vec::new()).await;
    agent.begin().await;
    let batch_ms = SAMPLE_MS * BATCH as u64;
    // Rigs do not send in step.
    tokio::time::sleep(Duration::from_millis(index as u64 * 7 % batch_ms)).await;
    let mut clock = tokio::time::interval(Duration::from_millis(batch_ms));
    let (mut late, count) = (0, seconds * 1000 / batch_ms);
    let mut batch = Batch::with_capacity(BATCH);
    for i in 0..count {
        let due = clock.tick().await;
        late += u64::from(due.elapsed() > Duration::from_millis(batch_ms));
        batch.clear();
        let start = (i as usize * BATCH) % (samples.len() - BATCH);
        samples[start..start + BATCH].iter().for_each(|s| batch.push(s));
        let place = agent.place();
        let mut frame = Vec::new();
        batch.encode(OPCODE_SAMPLES, place.session, place.epoch, place.sequence, &mut frame);
        agent.binary(frame).await;
    }
    let last = agent.sequence;
    let all = async {
        loop {
            match agent.next().await {
                Came::Message(ServiceMessage::Ack { place }) if place.sequence >= last => return,
                Came::Message(ServiceMessage::Ack { .. }) => {}
                other => panic!("no acknowledgement but {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("everything is acknowledged in time");
    Sent { frames: count, late }
}
