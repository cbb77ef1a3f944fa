//! One session on one agent's connection: what is shown and what is recorded of it.
//!
//! The two may stand at different places, and in different runs of the agent. Live items are recorded and shown, previews
//! are only shown, backfill is only recorded; events that come as backfill and were not shown are told late.
//!
//! Consumption that is shown is that of the recorded fold. While what is shown is ahead of it, because there are previews
//! or the recorder was full, it is that of a fold of its own.

use super::recording::{Found, Recording};
use crate::db::Tenant;
use crate::limits::Seat;
use crate::live::{Begin, History, Publisher};
use crate::race::Fold;
use crate::race::fold::MAX_CARS_SEEN;
use crate::recorder::{Content, Stored};
use onelap_protocol::agent::{Lane, Place, Record};
use onelap_protocol::race::{RaceEvent, SessionInfo};
use onelap_protocol::{Batch, BatchHeader, CarKey, ErrorCode, RigId, SessionId};
use std::collections::VecDeque;

/// How many earlier runs of the agent a session remembers.
const EARLIER_RUNS: usize = 16;

/// Who is sending.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) tenant: Tenant,
    pub(super) rig: RigId,
    pub(super) epoch: u64,
}

/// What to answer to a message that is refused: code and text.
pub(super) type Refusal = (ErrorCode, String);

/// A session that an agent is sending.
#[derive(Debug)]
pub(super) struct Stream {
    session: SessionId,
    /// Our car, once the facts are known.
    own: Option<CarKey>,
    /// This connection shows it.
    is_shown: bool,
    /// What was recorded of it before this connection, until it is shown.
    stored: Option<Box<Stored>>,
    /// The fold of what is shown while that is ahead of what is recorded.
    ahead: Option<Fold>,
    pub(super) recording: Option<Recording>,
    /// Epoch and last sequence of the runs of the agent before the one that is recorded: what comes of them again is
    /// known. The latest few.
    earlier_runs: VecDeque<(u64, u64)>,
    /// Its place among the sessions of the team.
    _seat: Seat,
}

impl Stream {
    pub(super) fn new(session: SessionId, seat: Seat) -> Self {
        Self {
            session,
            own: None,
            is_shown: false,
            stored: None,
            ahead: None,
            recording: None,
            earlier_runs: VecDeque::new(),
            _seat: seat,
        }
    }

    /// Takes in what the recorder has found of the session.
    pub(super) fn found(&mut self, live: &Publisher, found: Found) -> Result<(), Refusal> {
        let session = self.session;
        match found {
            Found::NotYet => {}
            Found::New => live.history(session, History::default()),
            Found::Stored(stored) => {
                self.own.get_or_insert_with(|| stored.info.car.clone());
                self.stored = Some(stored);
                if self.is_shown {
                    self.tell_history(live);
                }
            }
            Found::Unknown => {
                self.recording = None;
                let message = format!("session {session} is not known: its first item, sequence 1, must be its facts");
                return Err((ErrorCode::OutOfOrder, message));
            }
            Found::LaterRun { committed, came } => {
                if let Some(recording) = self.recording.take() {
                    self.ended_at((recording.epoch, committed));
                }
                if came > committed {
                    return Err(later_run(session));
                }
            }
        }
        Ok(())
    }

    fn ended_at(&mut self, end: (u64, u64)) {
        if self.earlier_runs.len() == EARLIER_RUNS {
            self.earlier_runs.pop_front();
        }
        self.earlier_runs.push_back(end);
    }

    /// Where a run of the agent before the one that is recorded ended, if that is known.
    pub(super) fn end_of(&self, epoch: u64) -> Option<u64> {
        self.earlier_runs.iter().rev().find(|(run, _)| *run == epoch).map(|(_, last)| *last)
    }

    /// A later run of the agent goes on where the one that is recorded ends; says where that is.
    pub(super) fn follow(&mut self) -> Option<(u64, u64)> {
        let end = self.recording.take()?.end();
        self.ended_at(end);
        Some(end)
    }

    fn tell_history(&mut self, live: &Publisher) {
        let Some(stored) = self.stored.take() else { return };
        let consumption = stored.fold.consumption();
        let events = stored.laps.into_iter().map(RaceEvent::Lap).collect();
        live.history(self.session, History { events, setup: stored.setup, consumption });
    }

    /// Whether nothing is known yet by which a live item of it could be shown.
    pub(super) fn cannot_be_shown(&self, live: &Publisher) -> bool {
        !self.is_shown && self.stored.is_none() && !live.is_live(self.session)
    }

    /// Shows the session, if it is not shown and can be; `info` are its facts, where they are what comes at this place.
    fn begin(&mut self, live: &Publisher, place: Place, info: Option<&SessionInfo>) {
        if self.is_shown {
            return;
        }
        let (epoch, sequence) = (place.epoch, place.sequence);
        let begin = match (info, &self.stored) {
            // The place before the first item, so that the first one counts as new.
            (Some(info), _) => Some(Begin { info: info.clone(), epoch, sequence: sequence.saturating_sub(1) }),
            (None, _) if live.is_live(self.session) => None,
            (None, Some(stored)) => {
                let Place { epoch, sequence, .. } = stored.place;
                Some(Begin { info: stored.info.clone(), epoch, sequence })
            }
            (None, None) => return,
        };
        match begin {
            Some(begin) => live.begin(self.session, begin),
            None => live.take_over(self.session),
        }
        self.is_shown = true;
        self.tell_history(live);
    }

    /// A batch, of which `bytes` are the frame as it came.
    pub(super) fn batch(
        &mut self,
        live: &Publisher,
        lane: Lane,
        header: &BatchHeader,
        bytes: &[u8],
        batch: Batch,
    ) -> Result<(), Refusal> {
        let place = Place { session: header.session, epoch: header.epoch, sequence: header.sequence };
        let is_shown = match lane {
            Lane::Live => {
                self.begin(live, place, None);
                live.batch(header, bytes)
            }
            Lane::Preview => {
                self.can_be_previewed(live)?;
                live.batch(header, bytes)
            }
            Lane::Backfill => false,
        };
        if lane.is_recorded() && self.offer(lane, place, Content::Batch(batch)) && is_shown {
            self.caught_up(live);
        }
        Ok(())
    }

    /// A control message.
    pub(super) fn record(&mut self, live: &Publisher, lane: Lane, place: Place, record: Record) -> Result<(), Refusal> {
        match lane {
            Lane::Live => self.live_record(live, place, record),
            Lane::Preview => return self.preview(live, place, &record),
            Lane::Backfill => self.backfill(live, place, record),
        }
        Ok(())
    }

    fn live_record(&mut self, live: &Publisher, place: Place, record: Record) {
        let info = if let Record::Session { info } = &record { Some(info) } else { None };
        self.begin(live, place, info);
        match &record {
            Record::Session { info } => {
                self.own = Some(info.car.clone());
                live.info(place, info, true);
            }
            Record::Setup { setup, .. } => live.setup(place, setup, true),
            Record::End { reason } => live.end(place, *reason),
            Record::Event { event } => {
                let is_shown = live.event(place, event);
                let is_taken = self.offer(Lane::Live, place, Content::Event(Box::new(event.clone())));
                if is_shown && is_taken {
                    self.caught_up(live);
                    let fold = self.recording.as_ref().and_then(Recording::fold);
                    if let Some(fold) = fold {
                        live.consumption(self.session, fold.consumption());
                    }
                } else if is_shown {
                    self.run_ahead(live, event);
                }
                return;
            }
        }
        self.offer(Lane::Live, place, content(record));
    }

    fn backfill(&mut self, live: &Publisher, place: Place, record: Record) {
        let event = if let Record::Event { event } = &record { Some(event.clone()) } else { None };
        let end = if let Record::End { reason } = &record { Some(*reason) } else { None };
        if let Record::Session { info } = &record {
            self.own = Some(info.car.clone());
        }
        if !self.offer(Lane::Backfill, place, content(record)) {
            return;
        }
        if let Some(event) = event {
            live.late_event(place, &event);
        }
        if let Some(reason) = end {
            live.end(place, reason);
        }
    }

    fn preview(&mut self, live: &Publisher, place: Place, record: &Record) -> Result<(), Refusal> {
        if let Record::Session { info } = record {
            if !self.is_shown {
                live.begin(self.session, Begin { info: info.clone(), epoch: place.epoch, sequence: place.sequence });
                self.is_shown = true;
                self.tell_history(live);
            }
            self.own = Some(info.car.clone());
            live.info(place, info, false);
            return Ok(());
        }
        self.can_be_previewed(live)?;
        match record {
            Record::Session { .. } => {}
            Record::Event { event } => {
                if live.event(place, event) {
                    self.run_ahead(live, event);
                }
            }
            Record::Setup { setup, .. } => live.setup(place, setup, false),
            Record::End { reason } => live.end(place, *reason),
        }
        Ok(())
    }

    fn can_be_previewed(&self, live: &Publisher) -> Result<(), Refusal> {
        if self.is_shown || live.is_live(self.session) {
            return Ok(());
        }
        let message = format!("session {} is not shown: its first preview must be its facts", self.session);
        Err((ErrorCode::OutOfOrder, message))
    }

    /// An event was shown that is not recorded yet.
    fn run_ahead(&mut self, live: &Publisher, event: &RaceEvent) {
        let Some(own) = &self.own else { return };
        let recorded = self.recording.as_ref().and_then(Recording::fold);
        let fold = self.ahead.get_or_insert_with(|| recorded.cloned().unwrap_or_default());
        fold.apply(event, own);
        let consumption = fold.consumption();
        // Without a counted lap it would only replace what was known before.
        if consumption.laps > 0 {
            live.consumption(self.session, consumption);
        }
    }

    /// What is shown is what is recorded.
    fn caught_up(&mut self, live: &Publisher) {
        // Where the fold is not known yet, the next live item does this.
        if let Some(fold) = self.recording.as_ref().and_then(Recording::fold)
            && self.ahead.take().is_some()
        {
            live.consumption(self.session, fold.consumption());
        }
    }

    fn offer(&mut self, lane: Lane, place: Place, content: Content) -> bool {
        let own = self.own.as_ref();
        let recording = self.recording.as_mut().filter(|r| r.epoch == place.epoch);
        recording.is_some_and(|r| r.offer(place.sequence, content, lane == Lane::Backfill, own))
    }

    /// Something that was refused. Its place in the stream is passed all the same.
    pub(super) fn skip(&mut self, place: Place) {
        self.offer(Lane::Live, place, Content::Nothing);
    }

    /// Whether the session can have this as well.
    pub(super) fn fits(&self, record: &Record) -> Result<(), String> {
        let recorded = self.recording.as_ref().and_then(Recording::fold);
        match (record, self.ahead.as_ref().or(recorded)) {
            (Record::Event { event }, Some(fold)) if !fold.has_room_for(event) => {
                Err(format!("event.car: more than {MAX_CARS_SEEN} cars in one session"))
            }
            _ => Ok(()),
        }
    }

    /// Whether nothing would be lost or stop being shown without it.
    pub(super) fn is_idle(&self, live: &Publisher) -> bool {
        let is_committed = self.recording.as_ref().is_none_or(Recording::is_committed);
        is_committed && !(self.is_shown && live.is_live(self.session))
    }

    /// Whether it is over and all of it is committed.
    pub(super) fn is_done(&self) -> bool {
        self.recording.as_ref().is_some_and(|r| r.ended && r.is_committed())
    }
}

/// The session is recorded from a later run of the agent.
pub(super) fn later_run(session: SessionId) -> Refusal {
    (ErrorCode::OutOfOrder, format!("session {session} is being recorded by a later run of the agent"))
}

fn content(record: Record) -> Content {
    match record {
        Record::Session { info } => Content::Info(Box::new(info)),
        Record::Setup { at_s, setup } => Content::Setup { at_s, setup: Box::new(setup) },
        Record::Event { event } => Content::Event(Box::new(event)),
        Record::End { reason } => Content::End(reason),
    }
}
