//! The hub among several instances: copies of sessions that are live elsewhere, and rigs that are held elsewhere.
//!
//! A session is followed while somebody looks at it here and its rig is held elsewhere, or nowhere any more.

use super::bus::{Control, Snapshot};
use super::hub::{Hub, Rig, now_ms};
use super::outbox::Outbox;
use super::session::{Begin, History, LiveSession};
use onelap_protocol::viewer::{RigState, SeenUpTo, ViewMessage};
use onelap_protocol::{RigId, SessionId, TeamId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A rig of which no sign came for this long from the instance that holds it is not connected.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(6);
/// How often a viewer's session is looked for, where it is let go of at the same moment.
const TRIES: usize = 3;

/// What a viewer asks for.
pub(super) struct Wants<'a> {
    pub(super) viewer: u64,
    pub(super) outbox: &'a Outbox,
    /// Most batches a second.
    pub(super) max_hz: Option<u32>,
    /// What it has seen before a break.
    pub(super) after: Option<SeenUpTo>,
}

impl Hub {
    /// Shows a viewer a session; `false` where nobody knows it. `stored` is what Postgres has, for when Redis has nothing.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        team: TeamId,
        session: SessionId,
        wants: Wants<'_>,
        stored: impl AsyncFn() -> Option<(Begin, History)>,
    ) -> bool {
        for _ in 0..TRIES {
            let Some(live) = self.find(team, session, &stored).await else { return false };
            live.subscribe(wants.viewer, wants.outbox, wants.max_hz, wants.after);
            // The last viewer of before may have left between, and the copy with it.
            if self.session(team, session).is_some_and(|now| Arc::ptr_eq(&now, &live)) {
                return true;
            }
        }
        false
    }

    async fn find(
        self: &Arc<Self>,
        team: TeamId,
        session: SessionId,
        stored: &impl AsyncFn() -> Option<(Begin, History)>,
    ) -> Option<Arc<LiveSession>> {
        let live = self.session(team, session);
        let Some(bus) = self.bus.as_ref().filter(|_| !self.is_held(team, session)) else { return live };
        if let Some(copy) = bus.follow(self, team, session).await.or(live) {
            return Some(copy);
        }
        let (begin, history) = stored().await?;
        self.mirror_stored(team, session, begin, history);
        bus.follow(self, team, session).await
    }

    /// Whether the rig that shows the session is connected here.
    fn is_held(&self, team: TeamId, session: SessionId) -> bool {
        self.teams().get(&team).is_some_and(|team| team.holds(session))
    }

    /// A session is not followed whose rig is here. Who begins to follow looks after that, who takes the rig looks after
    /// that: whichever was later finds it.
    pub(super) fn unfollow_if_held(&self, team: TeamId, session: SessionId) {
        let Some(bus) = &self.bus else { return };
        // Under the lock, so that a rig that leaves at this moment is followed after it and not before.
        let teams = self.teams();
        if teams.get(&team).is_some_and(|team| team.holds(session)) {
            bus.unfollow(team, session);
        }
    }

    /// A viewer wants more or fewer of a session.
    pub(super) fn rate(&self, team: TeamId, session: SessionId, viewer: u64, max_hz: Option<u32>) {
        if let Some(live) = self.session(team, session) {
            live.rate(viewer, max_hz);
        }
    }

    /// A viewer looks at a session no more.
    pub(super) fn unsubscribe(&self, team: TeamId, session: SessionId, viewer: u64) {
        let Some(live) = self.session(team, session) else { return };
        if live.unsubscribe(viewer) {
            self.release(team, session, &live);
        }
    }

    /// Lets go of a copy that nobody looks at.
    fn release(&self, team: TeamId, session: SessionId, live: &LiveSession) {
        let Some(bus) = self.bus.as_ref().filter(|_| !self.is_held(team, session)) else { return };
        let mut teams = self.teams();
        let Some(entry) = teams.get_mut(&team) else { return };
        if live.has_viewers() {
            return;
        }
        bus.unfollow(team, session);
        // What a rig did here is remembered with it.
        let is_ours = |rig: &Rig| rig.signed.is_none() && rig.state.session == Some(session);
        if !entry.rigs.values().any(is_ours) {
            entry.sessions.remove(&session);
        }
        if entry.is_empty() {
            teams.remove(&team);
        }
    }

    /// The rig of a session has left this instance: who looks at it here follows it to where it goes.
    pub(super) fn let_go(self: &Arc<Self>, team: TeamId, session: SessionId) {
        let looked_at = self.session(team, session).is_some_and(|live| live.has_viewers());
        if let Some(bus) = self.bus.clone().filter(|_| looked_at && !self.closing.is_cancelled()) {
            let hub = self.clone();
            tokio::spawn(async move { bus.follow(&hub, team, session).await });
        }
    }

    /// The copy of a session that is live elsewhere, with what is known of it now; `None` where nothing is known.
    pub(super) fn mirror(
        &self,
        team: TeamId,
        session: SessionId,
        snapshot: Option<Snapshot>,
    ) -> Option<Arc<LiveSession>> {
        let mut teams = self.teams();
        let known = teams.get(&team).and_then(|entry| entry.sessions.get(&session)).cloned();
        match (known, snapshot) {
            (Some(live), snapshot) => {
                if let Some(snapshot) = snapshot {
                    live.restore(snapshot);
                }
                Some(live)
            }
            (None, None) => None,
            (None, Some(snapshot)) => {
                let live = Arc::new(LiveSession::copy_of(session, snapshot, self.measures.clone()));
                teams.entry(team).or_default().sessions.insert(session, live.clone());
                Some(live)
            }
        }
    }

    fn mirror_stored(&self, team: TeamId, session: SessionId, begin: Begin, history: History) {
        let live = LiveSession::new(session, begin, self.measures.clone());
        live.history(history);
        self.teams().entry(team).or_default().sessions.entry(session).or_insert_with(|| Arc::new(live));
    }

    /// Adds a watcher of a team's rigs and tells it their states; `named` are all rigs of the team.
    pub(super) async fn watch(&self, team: TeamId, viewer: u64, outbox: &Outbox, named: &[(RigId, String)]) {
        // Watched before it is asked for, so that what comes between is not missed.
        self.teams().entry(team).or_default().watchers.insert(viewer, outbox.clone());
        if let Some(bus) = &self.bus {
            for (state, is_signed) in bus.watch_rigs(team).await {
                self.remote_rig(team, state, is_signed);
            }
        }
        let teams = self.teams();
        let entry = teams.get(&team);
        let state = |(rig, name): &(RigId, String)| match entry.and_then(|entry| entry.rigs.get(rig)) {
            Some(live) => RigState { name: name.clone(), ..live.state.clone() },
            None => RigState::idle(*rig, name),
        };
        outbox.message(&ViewMessage::Rigs { team, rigs: named.iter().map(state).collect() });
    }

    /// Brings up to date what is known of rigs that are held elsewhere.
    pub async fn refresh_rigs(&self, team: TeamId) {
        let Some(bus) = &self.bus else { return };
        for (state, is_signed) in bus.rigs(team).await {
            self.remote_rig(team, state, is_signed);
        }
    }

    /// What a rig does that is held elsewhere; `is_signed` where that was said just now.
    pub(super) fn remote_rig(&self, team: TeamId, mut state: RigState, is_signed: bool) {
        let mut teams = self.teams();
        let entry = teams.entry(team).or_default();
        let rig = state.rig;
        let known = entry.rigs.entry(rig).or_insert_with(|| Rig::new(rig, &state.name));
        // The instance that an agent has left says so after the one that it went to. What a sign says counts, however
        // old, where none came for so long that the rig was taken for lost.
        let is_older = known.state.since_ms > state.since_ms;
        if known.connection.is_some() || (is_older && !(is_signed && known.is_lost())) {
            return;
        }
        if state.connected && !is_signed {
            state.connected = false;
        }
        known.signed = Some(Instant::now());
        if known.state != state {
            known.state = state;
            entry.tell_watchers(team, rig);
        }
    }

    /// Shows rigs as not connected whose instance gave no sign of life.
    pub(super) fn look_for_signs(&self) {
        let mut teams = self.teams();
        for (team, entry) in teams.iter_mut() {
            let lost = entry.rigs.iter().filter(|(_, rig)| rig.state.connected && rig.is_lost());
            let lost: Vec<RigId> = lost.map(|(id, _)| *id).collect();
            for id in lost {
                if let Some(rig) = entry.rigs.get_mut(&id) {
                    rig.state.connected = false;
                    rig.state.since_ms = Some(now_ms());
                }
                entry.tell_watchers(*team, id);
            }
        }
    }

    /// Gives a sign of life for every rig that is held here.
    pub(super) fn sign_rigs(&self) {
        let Some(bus) = &self.bus else { return };
        for (team, entry) in self.teams().iter() {
            entry.rigs.values().filter(|rig| rig.connection.is_some()).for_each(|rig| bus.rig(*team, &rig.state));
        }
    }

    /// Writes everything anew that is live here, because some of it may be missing at Redis.
    pub(super) fn renew(&self) {
        let Some(bus) = &self.bus else { return };
        let mut all = Vec::new();
        for (team, entry) in self.teams().iter() {
            let held = entry.rigs.values().filter(|rig| rig.connection.is_some());
            let shown = held.filter_map(|rig| entry.sessions.get(&rig.state.session?));
            all.extend(shown.map(|live| (*team, live.clone())));
        }
        all.iter().for_each(|(team, live)| live.renew(bus, *team));
        self.sign_rigs();
    }

    /// Another instance has said something that concerns all.
    pub(super) fn control(self: &Arc<Self>, control: Control) {
        match control {
            Control::Cut { token } => self.cut_token_here(token),
            Control::Forget { team, rig } => self.forget_rig_here(team, rig),
            Control::Connected { team, rig, since_ms } => {
                if let Some(session) = self.hand_over(team, rig, since_ms) {
                    self.let_go(team, session);
                }
            }
        }
    }

    /// Lets go of a rig that has connected elsewhere later than here, and says which session it showed.
    fn hand_over(&self, team: TeamId, rig: RigId, since_ms: u64) -> Option<SessionId> {
        let mut teams = self.teams();
        let rig = teams.get_mut(&team)?.rigs.get_mut(&rig)?;
        if rig.state.since_ms.is_none_or(|ours| ours > since_ms) {
            return None;
        }
        let (_, _, cut) = rig.connection.take()?;
        // The state follows from the instance that has it now.
        rig.signed = Some(Instant::now());
        cut.cancel();
        rig.state.session
    }
}
