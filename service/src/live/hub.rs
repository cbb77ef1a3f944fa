//! What is live in this process: connected rigs, their sessions, and who watches which team.

use super::outbox::Outbox;
use super::session::{Begin, LiveSession};
use crate::figures::Figures;
use onelap_protocol::agent::EndReason;
use onelap_protocol::race::{Game, GameState, RaceEvent, SessionInfo, Standings};
use onelap_protocol::setup::Setup;
use onelap_protocol::viewer::{Consumption, RigState, ViewMessage};
use onelap_protocol::{BatchHeader, RigId, SessionId, TeamId, TokenId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;

/// Between two notices to the watchers of a team that samples still come from a rig.
const SAMPLE_NOTICE_MS: u64 = 1000;

/// How long a rig and its last session are remembered after its agent has gone.
const REMEMBERED_MS: u64 = 6 * 3600 * 1000;
/// Between two looks for what can be forgotten.
const SWEEP_EVERY_MS: u64 = 60_000;

/// The service's clock, milliseconds since the Unix epoch.
#[must_use]
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis() as u64
}

/// What is live. One per process; all methods are short and never wait.
#[derive(Debug)]
pub struct Hub {
    pub(crate) figures: Figures,
    teams: Mutex<HashMap<TeamId, Team>>,
    next_id: AtomicU64,
    swept_ms: AtomicU64,
    /// Cancelled when the process is going to stop: sockets say goodbye.
    pub(crate) stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct Team {
    rigs: HashMap<RigId, Rig>,
    sessions: HashMap<SessionId, Arc<LiveSession>>,
    watchers: HashMap<u64, Outbox>,
}

#[derive(Debug)]
struct Rig {
    state: RigState,
    /// Which connection holds the rig now, with its token.
    connection: Option<(u64, TokenId, CancellationToken)>,
    noticed_ms: u64,
    /// To be forgotten when its connection has ended.
    is_deleted: bool,
}

/// An agent's hold on its rig. Dropping it marks the rig as not connected, unless a later connection holds it.
#[derive(Debug)]
pub struct Connection {
    hub: Arc<Hub>,
    team: TeamId,
    rig: RigId,
    id: u64,
    /// Cancelled when the connection must end; [`Connection::why_cut`] says why.
    pub cut: CancellationToken,
}

/// Why a connection was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its token was revoked.
    TokenRevoked,
    /// Another agent has connected as the same rig.
    Replaced,
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new(figures: Figures) -> Arc<Self> {
        Arc::new(Self {
            figures,
            teams: Mutex::default(),
            next_id: AtomicU64::new(1),
            swept_ms: AtomicU64::new(now_ms()),
            stopping: CancellationToken::new(),
        })
    }

    fn teams(&self) -> MutexGuard<'_, HashMap<TeamId, Team>> {
        self.teams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that no other connection of this process has.
    pub(super) fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// An agent has connected. An earlier connection of the same rig is cut.
    pub fn connect(self: &Arc<Self>, team: TeamId, rig: RigId, name: &str, token: TokenId) -> Connection {
        let (id, cut) = (self.new_id(), CancellationToken::new());
        self.figures.agents.inc();
        let mut teams = self.teams();
        self.sweep(&mut teams, now_ms());
        let entry = teams.entry(team).or_default();
        let holder = entry.rigs.entry(rig).or_insert_with(|| Rig::new(rig, name));
        if let Some((_, _, before)) = holder.connection.replace((id, token, cut.clone())) {
            before.cancel();
        }
        name.clone_into(&mut holder.state.name);
        holder.state.connected = true;
        holder.state.since_ms = Some(now_ms());
        entry.tell_rig(team, rig);
        Connection { hub: self.clone(), team, rig, id, cut }
    }

    /// What a rig is doing, if it was connected since the process began.
    #[must_use]
    pub fn rig_state(&self, team: TeamId, rig: RigId) -> Option<RigState> {
        self.teams().get(&team)?.rigs.get(&rig).map(|r| r.state.clone())
    }

    /// Ends the connection that was made with this token, if there is one.
    pub fn cut_token(&self, token: TokenId) {
        for rig in self.teams().values().flat_map(|t| t.rigs.values()) {
            if let Some((_, _, cut)) = rig.connection.as_ref().filter(|(_, t, _)| *t == token) {
                cut.cancel();
            }
        }
    }

    /// The teams that an agent is connected for.
    #[must_use]
    pub fn teams_with_agents(&self) -> Vec<TeamId> {
        let teams = self.teams();
        teams.iter().filter(|(_, t)| t.rigs.values().any(|rig| rig.connection.is_some())).map(|(id, _)| *id).collect()
    }

    /// The tokens that a team's agents are connected with.
    #[must_use]
    pub fn tokens_of(&self, team: TeamId) -> Vec<TokenId> {
        let teams = self.teams();
        let rigs = teams.get(&team).into_iter().flat_map(|t| t.rigs.values());
        rigs.filter_map(|rig| rig.connection.as_ref().map(|(_, token, _)| *token)).collect()
    }

    /// Forgets a rig that was deleted, and ends its connection.
    pub fn forget_rig(&self, team: TeamId, rig: RigId) {
        let mut teams = self.teams();
        let Some(entry) = teams.get_mut(&team) else { return };
        let Some(live) = entry.rigs.get_mut(&rig) else { return };
        live.is_deleted = true;
        match &live.connection {
            Some((_, _, cut)) => cut.cancel(),
            None => entry.remove_rig(rig),
        }
    }

    /// Forgets what nobody needs any more, now and then: what rigs did that have long been gone, and teams without rigs.
    fn sweep(&self, teams: &mut HashMap<TeamId, Team>, now_ms: u64) {
        if now_ms.saturating_sub(self.swept_ms.load(Ordering::Relaxed)) < SWEEP_EVERY_MS {
            return;
        }
        self.swept_ms.store(now_ms, Ordering::Relaxed);
        teams.retain(|_, team| {
            let is_old = |rig: &Rig| now_ms.saturating_sub(rig.state.since_ms.unwrap_or(0)) > REMEMBERED_MS;
            let gone = team.rigs.iter().filter(|(_, rig)| rig.connection.is_none() && is_old(rig)).map(|(id, _)| *id);
            gone.collect::<Vec<_>>().into_iter().for_each(|rig| team.remove_rig(rig));
            !team.is_empty()
        });
    }

    /// Tells all sockets to go; they end by themselves.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Adds a watcher of a team's rigs and tells it their states; `named` are all rigs of the team.
    pub(super) fn watch(&self, team: TeamId, viewer: u64, outbox: &Outbox, named: &[(RigId, String)]) {
        let mut teams = self.teams();
        let entry = teams.entry(team).or_default();
        let state = |(rig, name): &(RigId, String)| match entry.rigs.get(rig) {
            Some(live) => RigState { name: name.clone(), ..live.state.clone() },
            None => Rig::new(*rig, name).state,
        };
        outbox.message(&ViewMessage::Rigs { team, rigs: named.iter().map(state).collect() });
        entry.watchers.insert(viewer, outbox.clone());
    }

    /// A live session of a team.
    pub(super) fn session(&self, team: TeamId, session: SessionId) -> Option<Arc<LiveSession>> {
        self.teams().get(&team)?.sessions.get(&session).cloned()
    }

    /// Forgets a viewer.
    pub(super) fn leave(&self, viewer: u64, watched: &[TeamId]) {
        let mut teams = self.teams();
        for team in watched {
            let Some(entry) = teams.get_mut(team) else { continue };
            entry.watchers.remove(&viewer);
            if entry.is_empty() {
                teams.remove(team);
            }
        }
    }
}

impl Team {
    fn is_empty(&self) -> bool {
        self.rigs.is_empty() && self.watchers.is_empty()
    }

    /// Removes a rig with its session; whoever looks at that is told that it is over.
    fn remove_rig(&mut self, rig: RigId) {
        let session = self.rigs.remove(&rig).and_then(|r| r.state.session);
        if let Some(session) = session.and_then(|s| self.sessions.remove(&s)) {
            session.end(EndReason::Left);
        }
    }

    fn tell_rig(&mut self, team: TeamId, rig: RigId) {
        self.watchers.retain(|_, outbox| !outbox.is_closed());
        if let Some(rig) = self.rigs.get(&rig).filter(|_| !self.watchers.is_empty()) {
            let frame = super::wire::text(&ViewMessage::Rigs { team, rigs: vec![rig.state.clone()] });
            self.watchers.values().for_each(|outbox| outbox.event(frame.clone()));
        }
    }
}

impl Rig {
    fn new(rig: RigId, name: &str) -> Self {
        let state = RigState::idle(rig, name);
        Self { state, connection: None, noticed_ms: 0, is_deleted: false }
    }
}

impl Connection {
    /// Why it was cut: who still holds the rig was cut for its token.
    #[must_use]
    pub fn why_cut(&self) -> Cut {
        let teams = self.hub.teams();
        let rig = teams.get(&self.team).and_then(|t| t.rigs.get(&self.rig));
        if rig.is_some_and(|r| r.is_held_by(self.id)) { Cut::TokenRevoked } else { Cut::Replaced }
    }

    /// Changes the rig's state and tells the watchers.
    fn change(&self, change: impl FnOnce(&mut RigState)) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        let Some(rig) = team.rigs.get_mut(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        let before = rig.state.clone();
        change(&mut rig.state);
        if rig.state != before {
            team.tell_rig(self.team, self.rig);
        }
    }

    /// The agent has introduced itself.
    pub fn hello(&self, agent_version: &str, clock_skew_ms: i64) {
        self.change(|state| {
            state.agent_version = Some(agent_version.to_owned());
            state.clock_skew_ms = Some(clock_skew_ms);
        });
    }

    /// What the game is doing.
    pub fn status(&self, game: Option<Game>, state: GameState, notice: Option<String>) {
        self.change(|rig| (rig.game, rig.state, rig.notice) = (game, state, notice));
    }

    /// A session begins, or goes on after a break; the rig's earlier one is no longer live. One that is live already
    /// keeps what it has.
    pub fn begin(&self, session: SessionId, begin: Begin) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        // A connection that was replaced would leave a session here that no rig answers for.
        let Some(rig) = team.rigs.get(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        let before = rig.state.session.filter(|s| *s != session);
        if let Some(old) = before.and_then(|s| team.sessions.remove(&s)) {
            old.end(EndReason::Left);
        }
        team.sessions.entry(session).or_insert_with(|| Arc::new(LiveSession::new(session, begin)));
        drop(teams);
        self.change(|state| state.session = Some(session));
    }

    fn session(&self, session: SessionId) -> Option<Arc<LiveSession>> {
        self.hub.session(self.team, session)
    }

    /// Shows a batch as the bytes that came.
    pub fn batch(&self, header: &BatchHeader, bytes: &[u8]) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        let now = now_ms();
        if let Some(rig) = team.rigs.get_mut(&self.rig).filter(|r| r.is_held_by(self.id)) {
            rig.state.last_sample_ms = Some(now);
            if now.saturating_sub(rig.noticed_ms) >= SAMPLE_NOTICE_MS {
                rig.noticed_ms = now;
                team.tell_rig(self.team, self.rig);
            }
        }
        let session = team.sessions.get(&header.session).cloned();
        drop(teams);
        if let Some(session) = session {
            session.batch(header, bytes);
        }
    }

    /// Shows the field.
    pub fn standings(&self, session: SessionId, standings: Standings) {
        if let Some(live) = self.session(session) {
            live.standings(standings);
        }
    }

    /// Shows an event.
    pub fn event(&self, session: SessionId, epoch: u64, sequence: u64, event: &RaceEvent, consumption: Consumption) {
        if let Some(live) = self.session(session) {
            live.event(epoch, sequence, event, consumption);
        }
    }

    /// Shows changed facts.
    pub fn info(&self, session: SessionId, epoch: u64, sequence: u64, info: &SessionInfo) {
        if let Some(live) = self.session(session) {
            live.info(epoch, sequence, info);
        }
    }

    /// Shows another setup.
    pub fn setup(&self, session: SessionId, epoch: u64, sequence: u64, setup: &Setup) {
        if let Some(live) = self.session(session) {
            live.setup(epoch, sequence, setup);
        }
    }

    /// The session is over.
    pub fn end(&self, session: SessionId, reason: EndReason) {
        if let Some(live) = self.session(session) {
            live.end(reason);
        }
    }
}

impl Rig {
    fn is_held_by(&self, connection: u64) -> bool {
        self.connection.as_ref().is_some_and(|(id, _, _)| *id == connection)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hub.figures.agents.dec();
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        let Some(rig) = team.rigs.get_mut(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        rig.connection = None;
        rig.state.connected = false;
        rig.state.since_ms = Some(now_ms());
        let is_deleted = rig.is_deleted;
        team.tell_rig(self.team, self.rig);
        if is_deleted {
            team.remove_rig(self.rig);
        }
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
