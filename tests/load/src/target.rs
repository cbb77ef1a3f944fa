//! What is measured: the service's program, one or more of it, or a server to stand beside it; started, spoken to, ended.

use crate::dialect::Dialect;
use crate::process;
use crate::rigs::Rig;
use crate::servers::Server;
use clap::ValueEnum;
use e2e::{Answer, TestDatabase, http};
use onelap_protocol::TeamId;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Our service.
    Service,
    /// The bare loop.
    Bare,
    /// Actix with a pre-framed, shared body.
    Preframed,
    /// Actix-ws, one loop over all sessions.
    ActixWs,
    /// Actix-ws with a queue and a task before every session.
    ActixWsQueued,
    /// socket.io on Node, WebSocket transport.
    SocketIo,
    /// Flask-SocketIO on gevent.
    FlaskSocketIo,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "1Lap",
            Self::Bare => "bare loop",
            Self::Preframed => "actix, pre-framed body",
            Self::ActixWs => "actix-ws, one loop",
            Self::ActixWsQueued => "actix-ws, a queue each",
            Self::SocketIo => "socket.io",
            Self::FlaskSocketIo => "Flask-SocketIO",
        }
    }
}

/// Where the programs are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Programs {
    /// The service's program.
    #[arg(long, global = true, default_value = "target/release/onelap-service")]
    pub(crate) service: PathBuf,
    /// More settings for the service: NAME=VALUE; may be given several times.
    #[arg(long = "set", global = true, value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// The Redis between instances, as the service's REDIS_URL.
    #[arg(long, global = true, env = "ONELAP_TEST_REDIS_URL")]
    pub(crate) redis: Option<String>,
    /// The folder with the peers' scripts and their node_modules.
    #[arg(long, global = true, default_value = "tests/load/peers")]
    pub(crate) peers: PathBuf,
    /// A Python that has what peers/requirements.txt names.
    #[arg(long, global = true, default_value = ".dev/bench-peers/bin/python")]
    pub(crate) python: PathBuf,
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What runs.
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) instances: Vec<SocketAddr>,
    /// Rigs are spread over the instances; else all are on the first.
    pub(crate) spreads_rigs: bool,
    /// The process between the instances, where there is one and it runs here.
    pub(crate) redis_pid: Vec<u32>,
    processes: Vec<Process>,
    ours: Option<Ours>,
}

/// Limits of the service that are there to stop just this.
const UNLIMITED: [&str; 6] = [
    "LIMIT_TEAM_AGENTS",
    "LIMIT_TEAM_SESSIONS",
    "LIMIT_TEAM_VIEWERS",
    "LIMIT_PERSON_VIEWERS",
    "LIMIT_TEAM_MESSAGES_PER_S",
    "LIMIT_TEAM_BYTES_PER_S",
];

/// Only our service has teams.
struct Ours {
    team: TeamId,
    cookies: String,
    origin: String,
    tokens: Vec<String>,
    /// Dropped after the processes.
    database: TestDatabase,
}

impl Target {
    /// Starts it; of our service so many instances, with so many rigs.
    pub(crate) async fn start(kind: Kind, programs: &Programs, instances: usize, rigs: usize) -> Self {
        assert!(instances > 0 && rigs > 0, "at least one instance and one rig");
        let own = |server: Server| {
            let name = server.to_possible_value().expect("every server has a name").get_name().to_owned();
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.args(["serve", &name]);
            command
        };
        let command = match kind {
            Kind::Service => return Self::start_service(programs, instances, rigs).await,
            Kind::Bare => own(Server::Bare),
            Kind::Preframed => own(Server::Preframed),
            Kind::ActixWs => own(Server::ActixWs),
            Kind::ActixWsQueued => own(Server::ActixWsQueued),
            Kind::SocketIo => {
                let mut command = Command::new("node");
                command.arg(programs.peers.join("socketio.mjs"));
                command
            }
            Kind::FlaskSocketIo => {
                let mut command = Command::new(&programs.python);
                command.arg(programs.peers.join("flask_socketio_server.py"));
                command
            }
        };
        assert!(instances == 1 && rigs == 1, "peers run as one instance with one publisher");
        let (process, address) = start_peer(kind, command);
        await_port(address).await;
        let instances = vec![address];
        Self { kind, instances, spreads_rigs: false, redis_pid: Vec::new(), processes: vec![process], ours: None }
    }

    async fn start_service(programs: &Programs, instances: usize, rigs: usize) -> Self {
        assert!(instances == 1 || programs.redis.is_some(), "several instances need --redis");
        let database = TestDatabase::create().await;
        let addresses: Vec<SocketAddr> = (0..instances).map(|_| free_address()).collect();
        let origin = format!("http://{}", addresses[0]);
        let mut processes = Vec::new();
        for address in &addresses {
            let mut command = Command::new(&programs.service);
            command
                .env("DATABASE_URL", database.url())
                .env("LISTEN", address.to_string())
                .env("PUBLIC_URL", &origin)
                .env("JWT_SECRET", "a secret of forty characters, for tests.")
                .env("RUST_LOG", "warn")
                .env_remove("REDIS_URL")
                .stdout(Stdio::null());
            if let (Some(redis), true) = (&programs.redis, instances > 1) {
                command.env("REDIS_URL", redis);
            }
            // All of the load is one team's and one person's.
            for limit in UNLIMITED {
                command.env(limit, "1000000000");
            }
            for setting in &programs.settings {
                let (name, value) = setting.split_once('=').expect("--set NAME=VALUE");
                command.env(name, value);
            }
            let child = command.spawn().unwrap_or_else(|error| {
                panic!("{}: {error}: cargo build --release -p onelap-service", programs.service.display())
            });
            processes.push(Process(child));
            await_port(*address).await;
        }
        let person = json!({"email": "load@example.org", "password": "correct horse battery", "name": "Load", "team_name": "Load"});
        let signup = post(addresses[0], &origin, "/api/auth/signup", "", person).await;
        let team = signup.json()["teams"][0]["id"].as_str().expect("a team").to_owned();
        let (cookies, mut tokens) = (signup.cookies(), Vec::new());
        for rig in 0..rigs {
            let path = format!("/api/teams/{team}/rigs");
            let made = post(addresses[0], &origin, &path, &cookies, json!({ "name": format!("RIG_{rig}") })).await;
            tokens.push(made.json()["token"].as_str().expect("a token").to_owned());
        }
        let team = team.parse().expect("an id");
        let redis_pid = programs.redis.iter().filter(|_| instances > 1).filter_map(|url| process::redis_pid(url));
        Self {
            kind: Kind::Service,
            instances: addresses,
            spreads_rigs: false,
            redis_pid: redis_pid.collect(),
            processes,
            ours: Some(Ours { team, cookies, origin, tokens, database }),
        }
    }

    /// The servers' processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(|process| process.0.id()).collect()
    }

    /// How its viewers speak.
    pub(crate) fn dialect(&self, max_hz: Option<u32>) -> Dialect {
        match (&self.ours, self.kind) {
            (Some(ours), _) => {
                Dialect::OneLap { team: ours.team, cookies: ours.cookies.clone(), origin: ours.origin.clone(), max_hz }
            }
            (None, Kind::SocketIo | Kind::FlaskSocketIo) => Dialect::SocketIo,
            (None, _) => Dialect::Plain,
        }
    }

    /// The token of a rig of ours.
    pub(crate) fn token(&self, rig: usize) -> &str {
        &self.ours.as_ref().expect("only the service has rigs").tokens[rig]
    }

    /// Sequence of a rig's first frame.
    pub(crate) fn first_sequence(&self) -> u64 {
        if self.ours.is_some() { 2 } else { 1 }
    }

    /// The instance that a rig is on.
    pub(crate) fn instance_of(&self, rig: usize) -> usize {
        if self.spreads_rigs { rig % self.instances.len() } else { 0 }
    }

    /// Connects so many publishers, each with a session of its own.
    pub(crate) fn rigs(&self, count: usize) -> Vec<Rig> {
        let Some(ours) = &self.ours else { return vec![Rig::publisher(self.instances[0], &self.dialect(None))] };
        let rigs = ours.tokens.iter().take(count).enumerate();
        rigs.map(|(rig, token)| Rig::connect(self.instances[self.instance_of(rig)], token)).collect()
    }

    /// Samples of all chunks of its team.
    pub(crate) async fn stored_samples(&self, pool: &sqlx::PgPool) -> u64 {
        let ours = self.ours.as_ref().expect("only the service stores");
        let mut transaction = pool.begin().await.expect("the database is there");
        let team = ours.team.to_string();
        let set = sqlx::query("select set_config('app.team', $1, true)").bind(team).execute(&mut *transaction).await;
        set.expect("the team is set");
        let sum: Option<i64> =
            sqlx::query_scalar("select sum(samples) from chunks").fetch_one(&mut *transaction).await.expect("a sum");
        sum.unwrap_or_default() as u64
    }

    /// The service's database.
    pub(crate) fn database(&self) -> Option<&TestDatabase> {
        self.ours.as_ref().map(|ours| &ours.database)
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

async fn await_port(address: SocketAddr) {
    let began = Instant::now();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(began.elapsed() < PATIENCE, "nothing listens on {address}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn post(service: SocketAddr, origin: &str, path: &str, cookies: &str, body: serde_json::Value) -> Answer {
    let headers = [("origin", origin), ("cookie", cookies)];
    let answer = http::request(service, "POST", path, &headers, Some(body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer
}

/// Starts a program whose first line of output ends with its address.
fn start_peer(kind: Kind, mut command: Command) -> (Process, SocketAddr) {
    let child = command.stdout(Stdio::piped()).spawn();
    let mut process = Process(child.unwrap_or_else(|error| panic!("{}: {command:?}: {error}", kind.name())));
    let mut line = String::new();
    let output = process.0.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("it says where it listens");
    let address = line.split_whitespace().next_back().and_then(|address| address.parse().ok());
    (process, address.unwrap_or_else(|| panic!("{} did not start: {line}", kind.name())))
}
