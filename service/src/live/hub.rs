//! What is live in this process: connected rigs, their sessions, and who watches which team.

use super::bus::{Bus, Control, Tasks};
use super::copies::SIGN_OF_LIFE;
use super::mark::Measures;
use super::outbox::Outbox;
use super::publisher::{Connection, Publisher};
use super::session::LiveSession;
use crate::figures::Figures;
use crate::traces::Traces;
use onelap_protocol::agent::EndReason;
use onelap_protocol::viewer::{RigState, ViewMessage};
use onelap_protocol::{RigId, SessionId, TeamId, TokenId};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

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
    /// What is counted of the relay.
    pub figures: Figures,
    pub(super) measures: Measures,
    teams: Mutex<HashMap<TeamId, Team>>,
    next_id: AtomicU64,
    swept_ms: AtomicU64,
    /// The other instances, where there may be some.
    pub(super) bus: Option<Arc<Bus>>,
    /// Cancelled when the process ends: what runs beside the sockets ends.
    pub(crate) ended: CancellationToken,
    /// Cancelled when the process is going to stop: sockets say goodbye, and go on until the other side leaves.
    pub(crate) stopping: CancellationToken,
    /// Cancelled when that has taken long enough: sockets are closed.
    pub(crate) closing: CancellationToken,
    /// The tasks of all sockets.
    pub(crate) sockets: TaskTracker,
}

#[derive(Debug, Default)]
pub(super) struct Team {
    pub(super) rigs: HashMap<RigId, Rig>,
    pub(super) sessions: HashMap<SessionId, Arc<LiveSession>>,
    pub(super) watchers: HashMap<u64, Outbox>,
}

#[derive(Debug)]
pub(super) struct Rig {
    pub(super) state: RigState,
    /// Which connection holds the rig now, with its token.
    pub(super) connection: Option<(u64, TokenId, CancellationToken)>,
    /// When watchers were last told of samples, and of acknowledgements.
    pub(super) noticed_ms: u64,
    pub(super) acked_noticed_ms: u64,
    /// To be forgotten when its connection has ended.
    pub(super) is_deleted: bool,
    /// When another instance last gave a sign of it, while that holds it.
    pub(super) signed: Option<Instant>,
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new(figures: Figures, traces: Traces) -> Arc<Self> {
        Self::with(figures, traces, None)
    }

    /// An empty hub that shares what is live with other instances. Needs to run inside of a runtime.
    #[must_use]
    pub(crate) fn on(figures: Figures, traces: Traces, (bus, tasks): (Bus, Tasks)) -> Arc<Self> {
        let bus = Arc::new(bus);
        let hub = Self::with(figures, traces, Some(bus.clone()));
        tasks.run(&bus, &hub);
        hub
    }

    fn with(figures: Figures, traces: Traces, bus: Option<Arc<Bus>>) -> Arc<Self> {
        Arc::new(Self {
            measures: Measures { age: figures.agent_to_viewer_seconds.clone(), traces },
            figures,
            teams: Mutex::default(),
            next_id: AtomicU64::new(1),
            swept_ms: AtomicU64::new(now_ms()),
            bus,
            ended: CancellationToken::new(),
            stopping: CancellationToken::new(),
            closing: CancellationToken::new(),
            sockets: TaskTracker::new(),
        })
    }

    pub(super) fn teams(&self) -> MutexGuard<'_, HashMap<TeamId, Team>> {
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
        let since_ms = now_ms();
        holder.state.connected = true;
        holder.state.since_ms = Some(since_ms);
        holder.signed = None;
        if let Some(bus) = &self.bus {
            bus.control(&Control::Connected { team, rig, since_ms });
        }
        entry.tell_rig(self.bus.as_deref(), team, rig);
        Connection { publisher: Publisher { hub: self.clone(), team, rig, id }, cut }
    }

    /// What a rig is doing, if it was connected since the process began.
    #[must_use]
    pub fn rig_state(&self, team: TeamId, rig: RigId) -> Option<RigState> {
        self.teams().get(&team)?.rigs.get(&rig).map(|r| r.state.clone())
    }

    /// Ends the connection that was made with this token, if there is one, on whichever instance.
    pub fn cut_token(&self, token: TokenId) {
        if let Some(bus) = &self.bus {
            bus.control(&Control::Cut { token });
        }
        self.cut_token_here(token);
    }

    pub(super) fn cut_token_here(&self, token: TokenId) {
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

    /// Forgets a rig that was deleted, and ends its connection, on whichever instance.
    pub fn forget_rig(&self, team: TeamId, rig: RigId) {
        if let Some(bus) = &self.bus {
            bus.forget_rig(team, rig);
            bus.control(&Control::Forget { team, rig });
        }
        self.forget_rig_here(team, rig);
    }

    pub(super) fn forget_rig_here(&self, team: TeamId, rig: RigId) {
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

    /// Tells all sockets to go elsewhere, and waits until they have gone. What they have is shown and recorded until then; who
    /// stays for longer than this is closed.
    pub async fn stop(&self, leave_by: Duration) {
        self.sockets.close();
        self.stopping.cancel();
        let _ = tokio::time::timeout(leave_by, self.sockets.wait()).await;
        self.closing.cancel();
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
            if let Some(bus) = self.bus.as_ref().filter(|_| entry.watchers.is_empty()) {
                bus.unwatch_rigs(*team);
            }
            if entry.is_empty() {
                teams.remove(team);
            }
        }
    }
}

impl Team {
    /// Whether the rig that shows the session is connected here.
    pub(super) fn holds(&self, session: SessionId) -> bool {
        self.rigs.values().any(|rig| rig.connection.is_some() && rig.state.session == Some(session))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rigs.is_empty() && self.watchers.is_empty() && self.sessions.is_empty()
    }

    /// Removes a rig with its session; whoever looks at that is told that it is over.
    pub(super) fn remove_rig(&mut self, rig: RigId) {
        let session = self.rigs.remove(&rig).and_then(|r| r.state.session);
        if let Some(session) = session.and_then(|s| self.sessions.remove(&s)) {
            session.end(EndReason::Left);
        }
    }

    /// Tells those who watch the team here, and the other instances, what a rig that is held here does.
    pub(super) fn tell_rig(&mut self, bus: Option<&Bus>, team: TeamId, rig: RigId) {
        if let (Some(bus), Some(held)) = (bus, self.rigs.get(&rig)) {
            bus.rig(team, &held.state);
        }
        self.tell_watchers(team, rig);
    }

    pub(super) fn tell_watchers(&mut self, team: TeamId, rig: RigId) {
        self.watchers.retain(|_, outbox| !outbox.is_closed());
        if let Some(rig) = self.rigs.get(&rig).filter(|_| !self.watchers.is_empty()) {
            let frame = super::wire::text(&ViewMessage::Rigs { team, rigs: vec![rig.state.clone()] });
            self.watchers.values().for_each(|outbox| outbox.event(frame.clone()));
        }
    }
}

impl Rig {
    pub(super) fn new(rig: RigId, name: &str) -> Self {
        let state = RigState::idle(rig, name);
        Self { state, connection: None, noticed_ms: 0, acked_noticed_ms: 0, is_deleted: false, signed: None }
    }

    /// Whether the instance that holds it gave no sign of it for too long.
    pub(super) fn is_lost(&self) -> bool {
        self.signed.is_some_and(|at| at.elapsed() > SIGN_OF_LIFE)
    }

    pub(super) fn is_held_by(&self, connection: u64) -> bool {
        self.connection.as_ref().is_some_and(|(id, _, _)| *id == connection)
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
