//! One run, from start to judgement: drive, hit, be calm, drain, look.

use crate::check::{Evidence, Findings, judge, live};
use crate::clock::now_ms;
use crate::plan::{Shape, Target, plan};
use crate::report::Report;
use crate::rig::{KINDS, Places};
use crate::rows::{Database, Session};
use crate::stack::Stack;
use crate::viewer::{self, Memory};
use crate::watch;
use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{sleep, sleep_until};

/// How long a rig may take to be live at first.
const FIRST_LIVE: Duration = Duration::from_secs(60);
/// How long everything may take to be committed at the end.
const DRAIN: Duration = Duration::from_secs(90);
/// How long everybody drives on when all is well again.
const CALM: Duration = Duration::from_secs(3);
/// As long as nothing more is committed it is not waited for.
const NO_PROGRESS: Duration = Duration::from_secs(20);
/// How long an agent may take to end.
const AGENT_ENDS: Duration = Duration::from_secs(10);
/// How long an agent may take to say hello.
const HELLO: Duration = Duration::from_secs(20);

/// What a run is told.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where things are.
    pub places: Places,
    /// The checkout.
    pub root: PathBuf,
    /// Name of the private servers.
    pub name: String,
    /// The plan's seed.
    pub seed: u64,
    /// How long faults go on.
    pub length: Duration,
    /// How many rigs.
    pub rigs: usize,
    /// Parts that are hit; all where empty.
    pub only: Vec<String>,
    /// Nothing goes wrong.
    pub no_faults: bool,
}

/// A run that can be ended from outside.
pub struct Run {
    stack: Rc<Stack>,
    memory: Rc<RefCell<Memory>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Run {
    /// Starts everything.
    ///
    /// # Errors
    /// What did not start.
    pub async fn start(plan: &Plan) -> Result<Self, String> {
        let rigs = plan.rigs.clamp(1, KINDS.len());
        let stack = Stack::start(plan.places.clone(), &plan.root, &plan.name, plan.seed, rigs).await?;
        let memory = Rc::new(RefCell::new(Memory::default()));
        let tasks = vec![
            spawn_local(watch::processes(stack.clone())),
            spawn_local(watch::clocks(stack.clone())),
            spawn_local(watch::acknowledgements(stack.clone())),
            spawn_local(viewer::look(stack.address, stack.team.clone(), memory.clone())),
        ];
        Ok(Self { stack, memory, tasks })
    }

    /// Ends everything that still runs.
    pub async fn end(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.stack.end().await;
    }

    /// The whole of it. Says whether nothing was wrong.
    ///
    /// # Errors
    /// Why it could not be judged.
    pub async fn go(&self, plan: &Plan) -> Result<bool, String> {
        let stack = &self.stack;
        until("every rig is live", FIRST_LIVE, || self.all_live()).await?;
        stack.say(&format!("{} rigs are live", stack.rigs.len()));
        self.faults(plan).await;
        if until("every rig is live again", Duration::from_millis(live::LIVE_MS), || self.all_live()).await.is_err() {
            stack.say("not every rig is live again");
        }
        sleep(CALM).await;
        let end_ms = now_ms();
        self.stop_driving().await;
        self.drain().await?;
        self.look_for_leftovers().await;
        let findings = self.judged(end_ms).await?;
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Some(service) = stack.service.take()
            && let Err(why) = service.end(Duration::from_secs(40)).await
        {
            stack.problem(why);
        }
        let report = Report {
            findings: &findings,
            counts: &stack.counts.borrow(),
            problems: &stack.problems.borrow(),
            links: self.link_figures(),
        };
        println!("{}", report.text());
        Ok(report.is_good())
    }

    async fn faults(&self, run: &Plan) {
        let began = Instant::now();
        let length_ms = run.length.as_millis() as u64;
        let mut strikes = Vec::new();
        let is_wanted = |target: Target| {
            let name = target.to_string();
            run.only.is_empty() || run.only.iter().any(|part| name.starts_with(part.as_str()))
        };
        let steps = plan(run.seed, Shape { length_ms, rigs: self.stack.rigs.len() });
        for step in steps.into_iter().filter(|step| !run.no_faults && is_wanted(step.target)) {
            sleep_until((began + Duration::from_millis(step.at_ms)).into()).await;
            strikes.push(spawn_local(self.stack.clone().strike(step, began + run.length)));
        }
        sleep_until((began + run.length).into()).await;
        for strike in strikes {
            if strike.await.is_err() {
                self.stack.problem("the harness itself failed".to_owned());
            }
        }
        self.stack.say("all is made good");
    }

    async fn all_live(&self) -> Option<()> {
        let memory = self.memory.borrow();
        let now = now_ms();
        let recent = memory.shown.iter().rev().take_while(|shown| shown.at_ms + 1_000 > now);
        let fresh = recent.filter(|shown| shown.sample_ms + 2_000 > now).map(|shown| shown.session);
        let live: std::collections::BTreeSet<_> = fresh.filter_map(|session| memory.rig_of.get(&session)).collect();
        (live.len() == self.stack.rigs.len()).then_some(())
    }

    /// Agents and games end in order.
    async fn stop_driving(&self) {
        let stack = &self.stack;
        stack.say("agents and games are told to end");
        for rig in &stack.rigs {
            stack.well(Target::Agent(rig.index), false);
            self.end_agent(rig.index).await;
        }
        for rig in &stack.rigs {
            rig.ask_game().await;
            if let Some(game) = rig.game.take()
                && let Err(why) = game.end(AGENT_ENDS).await
            {
                stack.problem(why);
            }
            rig.game_ended();
        }
    }

    async fn end_agent(&self, rig: usize) {
        if let Some(agent) = self.stack.rigs[rig].agent.take()
            && let Err(why) = agent.end(AGENT_ENDS).await
        {
            self.stack.problem(why);
        }
    }

    /// Agents run again without a game, until all that was ever sent is committed.
    async fn drain(&self) -> Result<(), String> {
        let stack = &self.stack;
        stack.say("the agents send what they have left");
        self.start_agents().await;
        let mut database = Database::connect(&stack.database_url(), &stack.team.id).await.map_err(|e| e.to_string())?;
        let began = Instant::now();
        let mut waiting = usize::MAX;
        let mut before = (Instant::now(), std::collections::BTreeMap::new());
        while waiting > 0 && began.elapsed() < DRAIN && before.0.elapsed() < NO_PROGRESS {
            sleep(Duration::from_millis(300)).await;
            let places = database.places().await.map_err(|e| e.to_string())?;
            if places != before.1 {
                before = (Instant::now(), places.clone());
            }
            let heard = stack.witness.heard();
            let is_waiting = |(session, epoch, last): &(_, u64, u64)| {
                places.get(session).copied().unwrap_or_default() < (*epoch, *last)
            };
            let streams = heard.streams.iter();
            let ends = streams.filter_map(|((s, e), stream)| Some((*s, *e, *stream.items.keys().next_back()?)));
            waiting = ends.filter(is_waiting).count();
        }
        stack.say(&match waiting {
            0 => format!("all that was heard is committed after {:.1} s", began.elapsed().as_secs_f64()),
            _ => format!("{waiting} streams are not committed after {:.0} s", began.elapsed().as_secs_f64()),
        });
        // What is committed has been acknowledged when the agent ends: it closes in order.
        for rig in 0..stack.rigs.len() {
            self.end_agent(rig).await;
        }
        Ok(())
    }

    /// Agents run once more and must have nothing.
    async fn look_for_leftovers(&self) {
        let stack = &self.stack;
        let from = stack.witness.heard().hellos.len();
        self.start_agents().await;
        let named: Vec<_> = stack.witness.heard().hellos[from..].to_vec();
        for hello in named.iter().filter(|hello| !hello.sessions.is_empty()) {
            let at = &stack.rigs[hello.rig].spool(&stack.places);
            let count = hello.sessions.len();
            stack.problem(format!("rig {}: its spool still has {count} sessions ({})", hello.rig, at.display()));
        }
        for rig in 0..stack.rigs.len() {
            self.end_agent(rig).await;
        }
    }

    /// Starts the agents and waits until each has said hello.
    async fn start_agents(&self) {
        let stack = &self.stack;
        let from = stack.witness.heard().hellos.len();
        for rig in &stack.rigs {
            if let Err(why) = rig.agent.start() {
                stack.problem(why);
            }
        }
        let all_said = || async {
            let heard = stack.witness.heard();
            let said = |rig| heard.hellos[from..].iter().any(|hello| hello.rig == rig);
            (0..stack.rigs.len()).all(said).then_some(())
        };
        if let Err(why) = until("every agent says hello", HELLO, all_said).await {
            stack.problem(why);
        }
    }

    async fn judged(&self, end_ms: u64) -> Result<Findings, String> {
        let stack = &self.stack;
        stack.keep_game_logs();
        let mut database = Database::connect(&stack.database_url(), &stack.team.id).await.map_err(|e| e.to_string())?;
        let sessions = database.everything().await?;
        stack.keep("recorded.txt", &recorded(&sessions));
        let (heard, memory, health) = (stack.witness.heard(), self.memory.borrow(), stack.health.borrow());
        for complaint in heard.complaints.iter().chain(&memory.complaints) {
            stack.problem(complaint.clone());
        }
        Ok(judge(&Evidence {
            games: stack.rigs.iter().map(|rig| (rig.kind, rig.runs.borrow().clone())).collect(),
            heard: &heard,
            sessions: &sessions,
            viewer: &memory,
            health: &health,
            end_ms,
        }))
    }

    fn link_figures(&self) -> Vec<(&'static str, String)> {
        let heard = self.stack.witness.heard();
        let [live, preview, backfill] = heard.sent;
        let connections: u64 = self.stack.rigs.iter().map(|rig| rig.link.connections()).sum();
        vec![
            ("sent with repetitions: live", live.to_string()),
            ("sent with repetitions: preview", preview.to_string()),
            ("sent with repetitions: backfill", backfill.to_string()),
            ("acknowledgements", heard.acknowledgements.to_string()),
            ("asked for again", heard.resends.to_string()),
            ("agents' connections tried", connections.to_string()),
        ]
    }
}

/// What Postgres holds, in short, for people.
fn recorded(sessions: &std::collections::BTreeMap<onelap_protocol::SessionId, Session>) -> Vec<u8> {
    let mut text = String::new();
    for (id, session) in sessions {
        text.push_str(&format!("session {id} place {:?} ended {}\n", session.place, session.has_ended));
        for (epoch, chunk) in session.chunks.iter().flat_map(|(epoch, chunks)| chunks.iter().map(move |c| (epoch, c))) {
            let times = chunk.batch.times_ms();
            let span = times.first().zip(times.last());
            text.push_str(&format!(
                "  chunk {epoch} {}-{}: {} samples {span:?}\n",
                chunk.first,
                chunk.last,
                times.len()
            ));
        }
        for lap in &session.laps {
            text.push_str(&format!("  {lap:?}\n"));
        }
        for stint in &session.stints {
            text.push_str(&format!("  {stint:?}\n"));
        }
    }
    text.into_bytes()
}

async fn until<F: Future<Output = Option<()>>>(
    what: &str,
    at_most: Duration,
    check: impl Fn() -> F,
) -> Result<(), String> {
    let began = Instant::now();
    while check().await.is_none() {
        if began.elapsed() > at_most {
            return Err(format!("in vain waited {} s for: {what}", at_most.as_secs()));
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
