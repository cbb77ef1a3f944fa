//! An agent's side of the hub: its hold on its rig, and what it publishes.

use super::delta::Delta;
use super::hub::{Hub, now_ms};
use super::session::{Begin, History, LiveSession};
use crate::traces::Step;
use bytes::Bytes;
use onelap_protocol::agent::{EndReason, Place, SpoolState};
use onelap_protocol::race::{Game, GameState, RaceEvent, SessionInfo};
use onelap_protocol::setup::Setup;
use onelap_protocol::standings::StandingsError;
use onelap_protocol::viewer::{Consumption, RigState};
use onelap_protocol::{BatchHeader, RigId, SessionId, TeamId};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Between two notices to the watchers of a team that samples still come from a rig.
const SAMPLE_NOTICE_MS: u64 = 1000;
/// Between two notices that something was acknowledged to it.
const ACKED_NOTICE_MS: u64 = 3000;

/// An agent's hold on its rig. Dropping it marks the rig as not connected, unless a later connection holds it.
#[derive(Debug)]
pub struct Connection {
    pub(super) publisher: Publisher,
    /// Cancelled when the connection must end; [`Connection::why_cut`] says why.
    pub cut: CancellationToken,
}

/// Publishes what an agent sends; clones may outlive the connection, which then holds the rig no more.
#[derive(Debug, Clone)]
pub struct Publisher {
    pub(super) hub: Arc<Hub>,
    pub(super) team: TeamId,
    pub(super) rig: RigId,
    pub(super) id: u64,
}

/// Why a connection was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its token was revoked.
    TokenRevoked,
    /// Another agent has connected as the same rig.
    Replaced,
}

impl Connection {
    /// Why it was cut: who still holds the rig was cut for its token.
    #[must_use]
    pub fn why_cut(&self) -> Cut {
        let by = &self.publisher;
        let teams = by.hub.teams();
        let rig = teams.get(&by.team).and_then(|t| t.rigs.get(&by.rig));
        if rig.is_some_and(|r| r.is_held_by(by.id)) { Cut::TokenRevoked } else { Cut::Replaced }
    }

    /// What publishes for it.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }
}

impl Publisher {
    /// Changes the rig's state and tells the watchers.
    fn change(&self, change: impl FnOnce(&mut RigState)) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        let Some(rig) = team.rigs.get_mut(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        let before = rig.state.clone();
        change(&mut rig.state);
        if rig.state != before {
            team.tell_rig(self.hub.bus.as_deref(), self.team, self.rig);
        }
    }

    /// The agent has introduced itself.
    pub fn hello(&self, agent_version: &str, skew_ms: i64) {
        self.clock_and(skew_ms, |state| state.agent_version = Some(agent_version.to_owned()));
    }

    /// By how much the agent's clock is ahead.
    pub fn clock(&self, skew_ms: i64) {
        self.clock_and(skew_ms, |_| {});
    }

    fn clock_and(&self, skew_ms: i64, change: impl FnOnce(&mut RigState)) {
        let mut session = None;
        self.change(|state| {
            state.clock_skew_ms = Some(skew_ms);
            change(state);
            session = state.session;
        });
        if let Some(session) = session {
            self.show(session, || Delta::Clock { skew_ms }, |live| live.skew(skew_ms));
        }
    }

    /// What game and agent are doing.
    pub fn status(&self, game: Option<Game>, state: GameState, notice: Option<String>, spool: SpoolState) {
        self.change(|rig| (rig.game, rig.state, rig.notice, rig.spool) = (game, state, notice, Some(spool)));
    }

    /// Something was acknowledged to the agent. Watchers are told every few seconds at most.
    pub fn acked(&self) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        let now = now_ms();
        let Some(rig) = team.rigs.get_mut(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        rig.state.acked_ms = Some(now);
        if now.saturating_sub(rig.acked_noticed_ms) >= ACKED_NOTICE_MS {
            rig.acked_noticed_ms = now;
            team.tell_rig(self.hub.bus.as_deref(), self.team, self.rig);
        }
    }

    /// A session begins, or goes on after a break; the rig's earlier one is no longer live. One that is live already
    /// keeps what it has.
    pub fn begin(&self, session: SessionId, begin: Begin) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        // A connection that was replaced would leave a session here that no rig answers for.
        let Some(rig) = team.rigs.get(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        let before = rig.state.session.filter(|s| *s != session);
        let bus = self.hub.bus.as_deref();
        if let Some(old) = before.and_then(|s| team.sessions.remove(&s)) {
            let reason = EndReason::Left;
            let is_news = old.end(reason);
            if let Some(bus) = bus.filter(|_| is_news) {
                old.publish(bus, self.team, Delta::End { reason });
            }
        }
        let skew_ms = rig.state.clock_skew_ms;
        let new = || Arc::new(LiveSession::new(session, begin, self.hub.measures.clone()));
        let live = team.sessions.entry(session).or_insert_with(new).clone();
        drop(teams);
        skew_ms.into_iter().for_each(|skew_ms| _ = live.skew(skew_ms));
        self.change(|state| state.session = Some(session));
        self.take_over(session);
    }

    /// From here on a session that is live comes from this instance, which may have followed it on another: the others
    /// read how it stands.
    pub fn take_over(&self, session: SessionId) {
        let (Some(bus), Some(live)) = (self.hub.bus.as_deref(), self.hub.session(self.team, session)) else { return };
        self.hub.unfollow_if_held(self.team, session);
        live.renew(bus, self.team);
    }

    /// Whether the session is what the rig shows.
    #[must_use]
    pub fn is_live(&self, session: SessionId) -> bool {
        let teams = self.hub.teams();
        let Some(team) = teams.get(&self.team) else { return false };
        let is_its = team.rigs.get(&self.rig).is_some_and(|rig| rig.state.session == Some(session));
        is_its && team.sessions.contains_key(&session)
    }

    /// Shows a change here and, if it is one, to the other instances.
    fn show(&self, session: SessionId, delta: impl FnOnce() -> Delta, show: impl FnOnce(&LiveSession) -> bool) -> bool {
        let Some(live) = self.hub.session(self.team, session) else { return false };
        let is_news = show(&live);
        if let Some(bus) = self.hub.bus.as_deref().filter(|_| is_news) {
            live.publish(bus, self.team, delta());
        }
        is_news
    }

    /// Shows a batch as the bytes that came; `false` where a later item was shown, or the session is not live.
    pub fn batch(&self, header: &BatchHeader, bytes: &[u8]) -> bool {
        self.samples_came();
        let delta = || Delta::Batch(Bytes::copy_from_slice(bytes));
        self.show(header.session, delta, |live| live.batch(header, bytes, Step::Show))
    }

    fn samples_came(&self) {
        let mut teams = self.hub.teams();
        let Some(team) = teams.get_mut(&self.team) else { return };
        let now = now_ms();
        let Some(rig) = team.rigs.get_mut(&self.rig).filter(|r| r.is_held_by(self.id)) else { return };
        rig.state.last_sample_ms = Some(now);
        if now.saturating_sub(rig.noticed_ms) >= SAMPLE_NOTICE_MS {
            rig.noticed_ms = now;
            team.tell_rig(self.hub.bus.as_deref(), self.team, self.rig);
        }
    }

    /// Shows a frame of the field; nothing where the session is not live.
    ///
    /// # Errors
    /// Where the frame is broken, or applies to one that did not come.
    pub fn standings(&self, session: SessionId, frame: &[u8]) -> Result<(), StandingsError> {
        let Some(live) = self.hub.session(self.team, session) else { return Ok(()) };
        if live.standings(frame)?
            && let Some(bus) = self.hub.bus.as_deref()
        {
            live.publish_standings(bus, self.team, frame);
        }
        Ok(())
    }

    /// Shows an event; `false` where a later item was shown, or the session is not live.
    pub fn event(&self, place: Place, event: &RaceEvent) -> bool {
        let at = (place.epoch, place.sequence);
        let delta = || Delta::Event { at, event: Box::new(event.clone()) };
        self.show(place.session, delta, |live| live.event(at, event))
    }

    /// An event that came as backfill: viewers get it late, if they did not get it before.
    pub fn late_event(&self, place: Place, event: &RaceEvent) {
        let at = (place.epoch, place.sequence);
        let delta = || Delta::LateEvent { at, event: Box::new(event.clone()) };
        self.show(place.session, delta, |live| live.late_event(at, event));
    }

    /// What is known of a session from before its live view began.
    pub fn history(&self, session: SessionId, history: History) {
        let Some(live) = self.hub.session(self.team, session) else { return };
        if live.history(history)
            && let Some(bus) = &self.hub.bus
        {
            live.renew(bus, self.team);
        }
    }

    /// What is used a lap.
    pub fn consumption(&self, session: SessionId, consumption: Consumption) {
        self.show(session, || Delta::Consumption { consumption }, |live| live.consumption(consumption));
    }

    /// Samples of this stretch of session time are recorded that could not be shown.
    pub fn backfilled(&self, session: SessionId, from_s: f64, to_s: f64) {
        self.show(
            session,
            || Delta::Backfilled { from_s, to_s },
            |live| {
                live.backfilled(from_s, to_s);
                true
            },
        );
    }

    /// Shows facts: an item of the stream, or (`is_item` false) what a preview begins with.
    pub fn info(&self, place: Place, info: &SessionInfo, is_item: bool) {
        let at = (place.epoch, place.sequence);
        let delta = || Delta::Info { at, info: Box::new(info.clone()), is_item };
        self.show(place.session, delta, |live| live.info(at, info, is_item));
    }

    /// Shows a setup; see [`Publisher::info`].
    pub fn setup(&self, place: Place, setup: &Setup, is_item: bool) {
        let at = (place.epoch, place.sequence);
        let delta = || Delta::Setup { at, setup: Box::new(setup.clone()), is_item };
        self.show(place.session, delta, |live| live.setup(at, setup, is_item));
    }

    /// The stream of a session ends here.
    pub fn end(&self, place: Place, reason: EndReason) {
        let at = (place.epoch, place.sequence);
        self.show(place.session, || Delta::EndAt { at, reason }, |live| live.end_at(at, reason));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Publisher { hub, team: team_id, rig: rig_id, id } = &self.publisher;
        hub.figures.agents.dec();
        let mut teams = hub.teams();
        let Some(team) = teams.get_mut(team_id) else { return };
        let Some(rig) = team.rigs.get_mut(rig_id).filter(|r| r.is_held_by(*id)) else { return };
        rig.connection = None;
        rig.state.connected = false;
        rig.state.since_ms = Some(now_ms());
        let (is_deleted, session) = (rig.is_deleted, rig.state.session);
        team.tell_rig(hub.bus.as_deref(), *team_id, *rig_id);
        if is_deleted {
            team.remove_rig(*rig_id);
        }
        drop(teams);
        if let Some(session) = session {
            hub.let_go(*team_id, session);
        }
    }
}
