//! The shipped agent in the test's process, looking at a fake game.

use crate::{PATIENCE, Rig, Team, TestApp, eventually};
use fake_game::{LapRecord, Options, RaceLog};
use onelap_agent::run::sources::{Games, LmuOptions};
use onelap_agent::run::{Agent, AgentError, AgentHandle, AgentOptions, GameChoice, Input, RigOptions, SpoolPlace};
use onelap_agent::server::ServerUrl;
use onelap_protocol::{RigToken, SessionId};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Model seconds per second: fast, and still slow enough that no scoring tick is missed on a busy machine.
pub const SPEED: f64 = 8.0;
/// What a lap of the short track needs at that speed on a busy machine, with room.
pub const A_LAP: Duration = Duration::from_secs(25);

/// A race of twelve cars at that speed.
#[must_use]
pub fn race() -> Options {
    Options { speed: SPEED, cars: 12, ..Options::default() }
}

impl TestApp {
    /// What an agent with these rigs and this input is started with.
    #[must_use]
    pub fn agent_options(&self, rigs: Vec<RigOptions>, input: Input) -> AgentOptions {
        AgentOptions {
            server: ServerUrl::parse(&format!("http://{}", self.address)).expect("the service's address"),
            rigs,
            sample_hz: 20,
            batch_ms: 100,
            spool: SpoolPlace::Memory,
            input,
        }
    }
}

impl Rig {
    /// The rig as the agent's settings would name it; F1 on any free port.
    #[must_use]
    pub fn options(&self, game: GameChoice) -> RigOptions {
        let token = RigToken::parse(&self.token).expect("a token");
        RigOptions { name: self.name.clone(), token, game, f1_port: 0, f1_sender: None }
    }

    /// Starts the agent for this rig, to look at a fake game's LMU.
    #[must_use]
    pub fn watch_lmu(&self, app: &TestApp, game: &fake_game::Handle) -> AgentHandle {
        Agent::spawn(&self.lmu_agent(app, game)).expect("the agent starts")
    }

    /// The same with its spool in this folder.
    ///
    /// # Errors
    /// Where the folder is somebody else's.
    pub fn watch_lmu_on_disk(
        &self,
        app: &TestApp,
        game: &fake_game::Handle,
        folder: &Path,
    ) -> Result<AgentHandle, AgentError> {
        let spool = SpoolPlace::Disk { folder: folder.to_owned(), cap_bytes: 64 << 20 };
        Agent::spawn(&AgentOptions { spool, ..self.lmu_agent(app, game) })
    }

    fn lmu_agent(&self, app: &TestApp, game: &fake_game::Handle) -> AgentOptions {
        let games = Input::Games(Games { lmu: Some(lmu_options(game)), f1: false });
        app.agent_options(vec![self.options(GameChoice::Lmu)], games)
    }
}

/// Where a fake game's LMU is to be found.
#[must_use]
pub fn lmu_options(game: &fake_game::Handle) -> LmuOptions {
    LmuOptions {
        location: game.lmu_path().map(|path| path.display().to_string()),
        rest_port: game.rest_addr().map(|addr| addr.port()),
    }
}

/// The session that a rig of the agent is in, when it is in one.
pub async fn session_of(agent: &AgentHandle) -> SessionId {
    let mut status = agent.status();
    let found = tokio::time::timeout(PATIENCE, status.wait_for(|s| s.session.is_some())).await;
    let status = found.expect("no session in time").expect("the rig runs");
    status.session.expect("waited for")
}

/// A lap as both ends know it: times in milliseconds, sectors single.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LapTimes {
    /// Who crossed the line.
    pub driver: String,
    /// Lap time.
    pub time_ms: Option<u64>,
    /// Sectors.
    pub sectors_ms: [Option<u64>; 3],
}

/// Laps by their number.
pub type Laps = BTreeMap<u64, LapTimes>;

/// The fake game's own laps of a car in a session of its log.
#[must_use]
pub fn logged_laps(log: &RaceLog, session: usize, car_id: i32) -> Laps {
    let times = |lap: &LapRecord| LapTimes {
        driver: lap.driver.clone(),
        time_ms: lap.lap_time_ms.map(u64::from),
        sectors_ms: [lap.sector1_ms, lap.sector2_ms, lap.sector3_ms].map(|ms| ms.map(u64::from)),
    };
    let laps = log.sessions[session].laps.iter().filter(|lap| lap.car_id == car_id);
    laps.map(|lap| (u64::from(lap.lap), times(lap))).collect()
}

/// Laps as the HTTP API tells them.
#[must_use]
pub fn told_laps(laps: &Value) -> Laps {
    let times = |lap: &Value| LapTimes {
        driver: lap["driver"].as_str().unwrap_or_default().to_owned(),
        time_ms: lap["time_ms"].as_u64(),
        sectors_ms: [0, 1, 2].map(|i| lap["sectors_ms"][i].as_u64()),
    };
    let laps = laps.as_array().into_iter().flatten();
    laps.map(|lap| (lap["lap"].as_u64().unwrap_or_default(), times(lap))).collect()
}

impl Team {
    /// Waits until a session is over and returns its details.
    pub async fn ended_session(&self, session: SessionId) -> Value {
        eventually("the session is over", || async {
            Some(self.session(session).await).filter(|s| s["summary"]["ended_at"].is_string())
        })
        .await
    }

    /// What is recorded of another car in a session.
    pub async fn car(&self, session: SessionId, car: &str) -> Value {
        let answer = self.get(&format!("/sessions/{session}/cars/{car}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}
