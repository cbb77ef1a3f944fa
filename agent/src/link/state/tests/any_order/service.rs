//! The service's side: it records in order, shows what is newer, asks for what it could not take, and checks each item.

use super::*;

/// See the module.
#[derive(Default)]
pub(super) struct Service {
    /// Its queue takes nothing.
    pub(super) is_full: bool,
    /// Sessions that the game showed, in their order.
    pub(super) begun: Vec<SessionId>,
    /// Sessions that `hello` named.
    pub(super) named: Vec<SessionId>,
    /// What was there when the connection began, and the session that ran then.
    pub(super) old: HashMap<Place, Option<SessionId>>,
    /// How many items waited when the connection began.
    pub(super) waited: u64,
    /// The newest of them, where it is of the session that ran.
    pub(super) newest: Option<Place>,
    /// What was shown on this connection.
    pub(super) shown: Vec<Place>,
    pub(super) last_live: Option<Place>,
    sessions: Vec<(SessionId, Stream)>,
    messages: u32,
    previewed: Vec<SessionId>,
}

#[derive(Default)]
struct Stream {
    /// What was taken, in order; of that, so much is committed.
    taken: Vec<Place>,
    committed: usize,
    /// Something of this epoch was not taken; nothing of a later one is, before that.
    hole: Option<u64>,
}

impl Service {
    fn stream(&mut self, session: SessionId) -> &mut Stream {
        if let Some(at) = self.sessions.iter().position(|(id, _)| *id == session) {
            return &mut self.sessions[at].1;
        }
        self.sessions.push((session, Stream::default()));
        let last = self.sessions.len() - 1;
        &mut self.sessions[last].1
    }

    /// A connection begins: every stream goes on after what is committed. Returns that, as `welcome` says it.
    pub(super) fn connected(&mut self) -> Vec<Place> {
        (self.messages, self.last_live) = (0, None);
        self.shown.clear();
        self.previewed.clear();
        for (_, stream) in &mut self.sessions {
            stream.taken.truncate(stream.committed);
            stream.hole = None;
        }
        let named = self.sessions.iter().filter(|(id, _)| self.named.contains(id));
        named.filter_map(|(_, stream)| stream.taken.last().copied()).collect()
    }

    pub(super) fn came(&mut self, lane: Lane, place: Place, record: &Record) {
        self.messages += 1;
        if lane.is_recorded() {
            self.record(place);
        }
        if lane != Lane::Backfill {
            self.show(lane, place, record);
        }
        if let Some(newest) = self.newest.filter(|_| self.waited > MUCH && self.messages >= 3) {
            assert!(self.shown.contains(&newest), "the newest is not shown at once");
        }
    }

    fn record(&mut self, place: Place) {
        let is_full = self.is_full;
        let stream = self.stream(place.session);
        let last = stream.taken.last().copied();
        if last.is_some_and(|last| place <= last) {
            return;
        }
        let is_next = match last {
            Some(last) if last.epoch == place.epoch => place.sequence == last.sequence + 1,
            _ => place.sequence == 1,
        };
        let is_free = stream.hole.is_none_or(|epoch| epoch == place.epoch);
        if is_next && is_free && !is_full {
            stream.taken.push(place);
            stream.hole = None;
        } else if is_next && is_free {
            stream.hole = Some(place.epoch);
        } else {
            assert!(stream.hole.is_some(), "{place:?} after {last:?}");
        }
    }

    fn show(&mut self, lane: Lane, place: Place, record: &Record) {
        let at = |session: SessionId| self.begun.iter().position(|begun| *begun == session);
        let Some(now) = at(place.session) else { panic!("{place:?} of a session that never ran") };
        if let Some(running) = self.old.get(&place) {
            assert_eq!(*running, Some(place.session), "an old session is shown");
        }
        if let Some(last) = self.shown.last() {
            let is_later = at(last.session).is_some_and(|last| last < now)
                || (last.session == place.session && (last.epoch, last.sequence) < (place.epoch, place.sequence));
            // What was live before a preview need not be before what it says of the session.
            let is_intro = lane == Lane::Preview && !self.previewed.contains(&place.session);
            assert!(is_later || is_intro, "{place:?} is shown after {last:?}");
        }
        match lane {
            Lane::Preview if !self.previewed.contains(&place.session) => {
                assert!(matches!(record, Record::Session { .. }), "a preview of a session that nobody knows");
                self.previewed.push(place.session);
                // It is no item of its own, unless it is the first.
                if self.shown.last().is_none_or(|last| *last < place) {
                    self.shown.push(place);
                }
            }
            Lane::Live => {
                self.last_live = Some(place);
                self.shown.push(place);
            }
            _ => self.shown.push(place),
        }
    }

    /// Commits what was taken of a session but for so many items; returns what is acknowledged.
    pub(super) fn commit(&mut self, session: usize, back: u64) -> Option<Place> {
        let (_, stream) = self.sessions.iter_mut().rev().nth(session)?;
        stream.committed = stream.committed.max(stream.taken.len().saturating_sub(back as usize));
        stream.committed.checked_sub(1).map(|last| stream.taken[last])
    }

    /// What is asked for again.
    pub(super) fn asks(&self) -> Vec<Place> {
        let holes = self.sessions.iter().filter(|(_, stream)| stream.hole.is_some() && !self.is_full);
        let last = |stream: &Stream| stream.taken.last().copied();
        holes.map(|(id, stream)| last(stream).unwrap_or(Place { session: *id, epoch: 0, sequence: 0 })).collect()
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn recorded(&self, session: SessionId) -> Vec<Place> {
        self.sessions.iter().find(|(id, _)| *id == session).map(|(_, stream)| stream.taken.clone()).unwrap_or_default()
    }

    /// Whether anything was ever said of it.
    pub(super) fn knows(&self, session: SessionId) -> bool {
        self.previewed.contains(&session) || self.sessions.iter().any(|(id, _)| *id == session)
    }
}
