//! Everything that runs: servers, service, rigs; starting it, hitting it, making it good again.
//!
//! One thread owns it all: children die with the thread that started them.

use crate::child::Recipe;
use crate::clock::Health;
use crate::http;
use crate::plan::{Fault, Step, Target};
use crate::rig::{Places, Rig, Slot, free_port};
use crate::servers::{Kind, Server};
use crate::witness::Witness;
use faults::{FaultProxy, Manners};
use rustix::process::Signal;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long the service may take to end in order: the sum of its own deadlines, and some.
const SERVICE_ENDS: Duration = Duration::from_secs(40);
/// How often a fault looks whether it is its turn.
const TURN: Duration = Duration::from_millis(50);
/// How many of the things that must not happen are told at once.
const TOLD: usize = 20;
/// How long an agent may.
const AGENT_ENDS: Duration = Duration::from_secs(10);

/// Who looks on: the team and its owner's cookies.
#[derive(Debug, Clone)]
pub struct Team {
    /// The team.
    pub id: String,
    /// Cookies of its owner.
    pub cookies: String,
    /// Its rigs' ids, by number.
    pub rigs: Vec<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Stack {
    /// Where everything is.
    pub places: Places,
    /// Where the service listens.
    pub address: SocketAddr,
    /// The service.
    pub service: Slot,
    /// Where Postgres listens, without a proxy.
    pub database: RefCell<String>,
    postgres: Server,
    redis: Server,
    database_link: FaultProxy,
    redis_link: FaultProxy,
    /// The rigs.
    pub rigs: Vec<Rig>,
    /// The team.
    pub team: Team,
    /// When what was in order.
    pub health: RefCell<Health>,
    /// What was heard on the links.
    pub witness: Witness,
    /// Faults that happened, by name.
    pub counts: RefCell<BTreeMap<String, u32>>,
    /// What must not happen and did.
    pub problems: RefCell<Vec<String>>,
    busy: RefCell<BTreeSet<Target>>,
    began: Instant,
}

fn with_address(url: &str, address: SocketAddr) -> Result<(String, SocketAddr), String> {
    let bad = || format!("{url} is no URL of a server");
    let (head, rest) = url.rsplit_once('@').ok_or_else(bad)?;
    let (server, path) = rest.split_once('/').ok_or_else(bad)?;
    Ok((format!("{head}@{address}/{path}"), server.parse().map_err(|_| bad())?))
}

impl Stack {
    /// Starts servers and service, signs the team up, makes the rigs and starts them.
    ///
    /// # Errors
    /// What did not start.
    pub async fn start(places: Places, root: &Path, name: &str, seed: u64, rigs: usize) -> Result<Rc<Self>, String> {
        let mut random = fastrand::Rng::new();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port(&mut random)?));
        let (postgres, redis) = (Server::new(Kind::Postgres, name, root), Server::new(Kind::Redis, name, root));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let (database_link, redis_link) = (FaultProxy::to(nowhere).await, FaultProxy::to(nowhere).await);
        let (database, redis_url) = (postgres.start().await?, redis.start().await?);
        let (seen_database, server) = with_address(&database, database_link.address)?;
        database_link.lead_to(server);
        let (seen_redis, server) = with_address(&redis_url, redis_link.address)?;
        redis_link.lead_to(server);
        let env = [
            ("DATABASE_URL", seen_database),
            ("REDIS_URL", seen_redis),
            ("LISTEN", address.to_string()),
            ("PUBLIC_URL", http::ORIGIN.to_owned()),
            ("JWT_SECRET", "a secret of forty characters, for chaos..".to_owned()),
            ("RUST_LOG", "info".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ];
        let service = Slot::new(Recipe {
            name: "service".into(),
            program: places.bin.join("onelap-service"),
            args: Vec::new(),
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            logs: places.folder.clone(),
        });
        service.start()?;
        wait_ready(address, Duration::from_secs(60)).await?;
        let (id, cookies) = http::sign_up(address).await?;
        let mut team = Team { id, cookies, rigs: Vec::new() };
        let witness = Witness::default();
        let mut made = Vec::new();
        for index in 0..rigs {
            let (id, token) = http::rig(address, &team.cookies, &team.id, &format!("RIG_{index}")).await?;
            team.rigs.push(id);
            made.push(Rig::new(index, seed, &token, address, &places, &witness).await?);
        }
        let stack = Self {
            places,
            address,
            service,
            database: RefCell::new(database),
            postgres,
            redis,
            database_link,
            redis_link,
            rigs: made,
            team,
            health: RefCell::default(),
            witness,
            counts: RefCell::default(),
            problems: RefCell::default(),
            busy: RefCell::default(),
            began: Instant::now(),
        };
        stack.start_rigs()?;
        Ok(Rc::new(stack))
    }

    fn start_rigs(&self) -> Result<(), String> {
        for target in [Target::Service, Target::Postgres, Target::Redis, Target::DatabaseLink] {
            self.well(target, true);
        }
        for rig in &self.rigs {
            rig.start_game()?;
            rig.agent.start()?;
            for target in [Target::Game(rig.index), Target::Agent(rig.index), Target::Link(rig.index)] {
                self.well(target, true);
            }
        }
        Ok(())
    }

    /// Notes that a part is in order, or is not.
    pub fn well(&self, part: Target, is_well: bool) {
        self.health.borrow_mut().set(part, is_well);
    }

    /// Notes something that must not happen.
    pub fn problem(&self, what: String) {
        if self.problems.borrow().len() < TOLD {
            self.say(&format!("PROBLEM {what}"));
        }
        self.problems.borrow_mut().push(what);
    }

    /// A line on standard output, with the time since the beginning.
    pub fn say(&self, line: &str) {
        println!("{:7.1}  {line}", self.began.elapsed().as_secs_f64());
    }

    /// The database's address after its last start.
    pub fn database_url(&self) -> String {
        self.database.borrow().clone()
    }

    /// One fault from its beginning to its end, after what its target is in the middle of; not where it would last
    /// beyond `until`.
    pub async fn strike(self: Rc<Self>, step: Step, until: Instant) {
        while !self.busy.borrow_mut().insert(step.target) {
            sleep(TURN).await;
        }
        if Instant::now() + Duration::from_millis(step.for_ms) > until {
            self.busy.borrow_mut().remove(&step.target);
            return;
        }
        let name = format!("{} {}", step.fault.name(), step.target);
        self.say(&format!("{name}, for {:.1} s", step.for_ms as f64 / 1e3));
        *self.counts.borrow_mut().entry(kind_of(&step)).or_default() += 1;
        let lasting = Duration::from_millis(step.for_ms);
        let done = match (step.target, step.fault) {
            (Target::Link(rig), Fault::Be(manners)) => {
                self.misbehave(&self.rigs[rig].link, step.target, manners, lasting).await;
                Ok(())
            }
            (Target::DatabaseLink, Fault::Be(manners)) => {
                self.misbehave(&self.database_link, step.target, manners, lasting).await;
                Ok(())
            }
            (Target::Postgres | Target::Redis, fault) => self.hit_server(step.target, fault, lasting).await,
            (target, fault) => self.hit_process(target, fault, lasting).await,
        };
        if let Err(why) = done {
            self.problem(format!("{name}: {why}"));
        }
        self.busy.borrow_mut().remove(&step.target);
    }

    async fn misbehave(&self, link: &FaultProxy, target: Target, manners: Manners, lasting: Duration) {
        self.well(target, false);
        link.be(manners);
        sleep(lasting).await;
        link.be(Manners::Honest);
        self.well(target, true);
    }

    async fn hit_server(&self, target: Target, fault: Fault, lasting: Duration) -> Result<(), String> {
        let (server, link) = match target {
            Target::Redis => (&self.redis, &self.redis_link),
            _ => (&self.postgres, &self.database_link),
        };
        self.well(target, false);
        match fault {
            Fault::Stop => {
                if server.signal(Signal::STOP) == 0 {
                    return Err("it has no process".to_owned());
                }
                sleep(lasting).await;
                server.signal(Signal::CONT);
            }
            _ => {
                if fault == Fault::Kill && server.signal(Signal::KILL) == 0 {
                    return Err("it has no process".to_owned());
                }
                if fault == Fault::Term {
                    server.stop().await?;
                }
                sleep(lasting).await;
                let url = server.start().await?;
                link.lead_to(with_address(&url, link.address)?.1);
                if target == Target::Postgres {
                    *self.database.borrow_mut() = url;
                }
            }
        }
        self.well(target, true);
        Ok(())
    }

    async fn hit_process(&self, target: Target, fault: Fault, lasting: Duration) -> Result<(), String> {
        let slot = match target {
            Target::Agent(rig) => &self.rigs[rig].agent,
            Target::Game(rig) => &self.rigs[rig].game,
            _ => &self.service,
        };
        if fault == Fault::Stop {
            self.well(target, false);
            slot.is_stopped.set(true);
            signal(slot, Signal::STOP);
            sleep(lasting).await;
            signal(slot, Signal::CONT);
            slot.is_stopped.set(false);
            // The service is in order when it answers.
            self.well(target, target != Target::Service);
            return Ok(());
        }
        if let Target::Game(rig) = target {
            self.rigs[rig].ask_game().await;
        }
        // It may have ended by itself at this moment; the watch has noted that.
        let Some(child) = slot.take() else { return Ok(()) };
        // One that is only starting need not end in order.
        let was_ready = self.health.borrow().is_well(target);
        self.well(target, false);
        let ended = if fault == Fault::Term {
            child.end(if target == Target::Service { SERVICE_ENDS } else { AGENT_ENDS }).await
        } else {
            child.kill().await;
            Ok(())
        };
        if let Target::Game(rig) = target {
            self.rigs[rig].game_ended();
        }
        sleep(lasting).await;
        match target {
            Target::Game(rig) => self.rigs[rig].start_game()?,
            _ => slot.start()?,
        }
        self.well(target, target != Target::Service);
        if was_ready { ended } else { Ok(()) }
    }

    /// Writes what the games say they did beside the logs, for people.
    pub fn keep_game_logs(&self) {
        for rig in &self.rigs {
            for (number, run) in rig.runs.borrow().iter().enumerate() {
                let log = run.log.as_ref().and_then(|log| serde_json::to_vec_pretty(log).ok()).unwrap_or_default();
                self.keep(&format!("race-{}-{number}.json", rig.index), &log);
            }
        }
    }

    /// Writes something beside the logs.
    pub fn keep(&self, name: &str, bytes: &[u8]) {
        let file = self.places.folder.join(name);
        if let Err(error) = std::fs::write(&file, bytes) {
            self.say(&format!("{}: {error}", file.display()));
        }
    }

    /// Ends whatever still runs.
    pub async fn end(&self) {
        for rig in &self.rigs {
            for slot in [&rig.agent, &rig.game] {
                if let Some(child) = slot.take() {
                    child.kill().await;
                }
            }
        }
        if let Some(child) = self.service.take() {
            child.kill().await;
        }
    }
}

fn signal(slot: &Slot, signal: Signal) {
    if let Some(child) = slot.child.borrow().as_ref() {
        child.signal(signal);
    }
}

fn kind_of(step: &Step) -> String {
    let target = step.target.to_string();
    let part = target.split_once('-').filter(|_| step.target != Target::DatabaseLink);
    format!("{} {}", part.map_or(target.as_str(), |(part, _)| part), step.fault.name())
}

/// Whether the service says that it is ready.
pub async fn is_ready(service: SocketAddr) -> bool {
    http::request(service, "GET", "/readyz", "", None).await.is_ok_and(|answer| answer.status == 200)
}

async fn wait_ready(service: SocketAddr, at_most: Duration) -> Result<(), String> {
    let began = Instant::now();
    while !is_ready(service).await {
        if began.elapsed() > at_most {
            return Err(format!("the service is not ready after {} s", at_most.as_secs()));
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
