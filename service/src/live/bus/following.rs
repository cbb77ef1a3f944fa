//! One session that is followed: what comes for it while its snapshot is read waits, then is applied in order.

use super::{Bus, live_channel};
use crate::live::delta::{Delta, Message};
use crate::live::hub::Hub;
use crate::live::session::LiveSession;
use onelap_protocol::{SessionId, TeamId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

/// Messages that may wait for a snapshot; with more, it is read again.
const WAITING: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Following {
    state: Mutex<State>,
    /// One reads the snapshot at a time.
    joining: AsyncMutex<()>,
}

#[derive(Debug, Default)]
struct State {
    live: Option<Arc<LiveSession>>,
    /// What came while the snapshot is being read; absent while nobody reads it.
    waiting: Option<Vec<Message>>,
    /// Publisher and number of the last message that was applied.
    last: Option<(Uuid, u64)>,
    /// Something was missed.
    has_hole: bool,
}

impl Following {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session, from the snapshot if it is not here yet.
    pub(super) async fn join(
        &self,
        bus: &Arc<Bus>,
        hub: &Arc<Hub>,
        team: TeamId,
        session: SessionId,
    ) -> Option<Arc<LiveSession>> {
        let _one_at_a_time = self.joining.lock().await;
        if let Some(live) = self.state().live.clone() {
            return Some(live);
        }
        self.state().waiting = Some(Vec::new());
        // Subscribe, then read: what is published meanwhile waits. Without Redis it is subscribed once that is back.
        bus.subscribe(live_channel(team, session)).await;
        let snapshot = bus.read(team, session).await.ok().flatten();
        let live = hub.mirror(team, session, snapshot);
        self.begin(live.clone());
        live
    }

    /// Reads the snapshot again, because something was missed.
    pub(super) async fn reload(&self, bus: &Arc<Bus>, team: TeamId, session: SessionId) {
        let _one_at_a_time = self.joining.lock().await;
        let Some(live) = self.state().live.clone() else { return };
        {
            let mut state = self.state();
            state.waiting = Some(Vec::new());
            state.has_hole = false;
        }
        match bus.read(team, session).await {
            Ok(Some(snapshot)) => live.restore(snapshot),
            Ok(None) => {}
            Err(_) => self.state().has_hole = true,
        }
        self.begin(Some(live));
    }

    fn begin(&self, live: Option<Arc<LiveSession>>) {
        let mut state = self.state();
        let waiting = state.waiting.take().unwrap_or_default();
        state.last = None;
        state.live = live;
        waiting.into_iter().for_each(|message| state.apply(message));
    }

    /// A message has come.
    pub(super) fn receive(&self, message: Message) {
        let mut state = self.state();
        match &mut state.waiting {
            Some(waiting) if waiting.len() == WAITING => state.has_hole = true,
            Some(waiting) => waiting.push(message),
            None => state.apply(message),
        }
    }

    /// What comes may have been missed.
    pub(super) fn missed(&self) {
        self.state().has_hole = true;
    }

    /// Whether the snapshot has to be read again.
    pub(super) fn has_hole(&self) -> bool {
        let state = self.state();
        state.has_hole && state.waiting.is_none()
    }
}

impl State {
    fn apply(&mut self, message: Message) {
        let Some(live) = &self.live else { return };
        let is_next = match self.last {
            None => true,
            Some((instance, number)) => instance == message.instance && number + 1 == message.number,
        };
        self.has_hole |= !is_next || message.delta == Delta::Renewed;
        self.last = Some((message.instance, message.number));
        live.apply(message.delta);
    }
}
