//! One rig, from what its games gave to what waits to be sent. Pure, but for the making of session ids.
//!
//! Invariants: the first item of every session says what the session is; samples and records of a session stand in the
//! order in which they happened; what comes outside a session is not recorded.
//!
//! A session that an earlier run of the agent recorded, and that the game still shows, goes on under its id. Whether it
//! is that one shows only with the game's clock: until that is known, the session has not begun, and what happens is held.
//!
//! Not here: reading the games (`source`), sending (`link`).

use crate::arbiter::Arbiter;
use crate::link::{About, Doing, Outbox};
use crate::raw::{Raw, Reader, Stamp};
use crate::reading::Reading;
use crate::sampler::Sampler;
use crate::spool::{Spool, SpoolError};
use bytes::Bytes;
use onelap_protocol::agent::{EndReason, Record};
use onelap_protocol::limits::{Limits, MAX_TEXT};
use onelap_protocol::race::SessionInfo;
use onelap_protocol::{Channel, SessionId};

/// Readings that are held while it is not known which session runs; the game says its time before that.
const MAX_HELD: usize = 256;

/// See the module.
pub struct Pipeline {
    readers: Vec<Box<dyn Reader>>,
    arbiter: Arbiter,
    recorder: Recorder,
    said: Vec<Reading>,
}

/// Takes readings and puts them where they wait to be sent.
struct Recorder {
    outbox: Outbox,
    sampler: Sampler,
    /// A session that may be one of an earlier run, and what was read of it.
    unsure: Option<(Box<SessionInfo>, Vec<Reading>)>,
    /// The PC's clock at the input that is being read.
    unix_ms: u64,
    frame: Vec<u8>,
    samples: u64,
    /// What the source in charge has to say.
    notice: Option<String>,
    /// Why a source cannot be read.
    problem: Option<String>,
}

impl Pipeline {
    /// For these readers, of which the first whose game runs is heard.
    #[must_use]
    pub fn new(readers: Vec<Box<dyn Reader>>, sampler: Sampler, spool: Spool) -> Self {
        let outbox = Outbox::new(spool);
        let frame = Vec::with_capacity(4_096);
        let recorder =
            Recorder { outbox, sampler, unsure: None, unix_ms: 0, frame, samples: 0, notice: None, problem: None };
        Self { arbiter: Arbiter::new(readers.len()), readers, recorder, said: Vec::new() }
    }

    /// Takes an input. `now_ms` is the agent's clock, which in a recording is not the input's.
    pub fn feed(&mut self, at: Stamp, raw: &Raw, now_ms: u64) {
        self.recorder.unix_ms = at.unix_ms;
        for (source, reader) in self.readers.iter_mut().enumerate() {
            reader.read(at, raw, &mut self.said);
            for reading in self.said.drain(..) {
                self.arbiter.hear(source, reading, &mut |reading| self.recorder.take(reading, now_ms));
            }
        }
    }

    /// When a batch has to go, by the agent's clock.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        self.recorder.sampler.due_ms()
    }

    /// Puts the batch into the spool where it is due.
    pub fn flush_due(&mut self, now_ms: u64) {
        if self.due_ms().is_some_and(|due| due <= now_ms) {
            self.recorder.flush();
        }
    }

    /// Puts what there is of a batch into the spool.
    pub fn flush(&mut self) {
        self.recorder.flush();
    }

    /// The session, if there is one, is over.
    pub fn end(&mut self, reason: EndReason) {
        self.recorder.end(reason);
    }

    /// The agent is told to stop. A session that its next run can go on with is not over.
    pub fn stop(&mut self) {
        self.recorder.flush();
        if !self.recorder.outbox.spool.remembers_sessions() {
            self.recorder.end(EndReason::AgentStopped);
        }
    }

    /// Ends the sessions that earlier runs have left behind and that will not go on. `unix_ms` is the PC's clock.
    pub fn tidy(&mut self, unix_ms: u64) {
        self.recorder.unix_ms = unix_ms;
        let running = self.recorder.outbox.about.as_ref().map(|about| about.session);
        if self.recorder.unsure.is_none() {
            self.recorder.end_left_behind(running);
        }
    }

    /// Says why a source cannot be read. The team is told while no game is found.
    pub fn source_problem(&mut self, problem: Option<String>) {
        if problem != self.recorder.problem {
            self.recorder.problem = problem;
            self.recorder.tell_notice();
        }
    }

    /// Keeps to the limits that the service told.
    pub fn limit(&mut self, limits: &Limits) {
        self.recorder.sampler.limit(limits.max_sample_hz, limits.max_batch_samples);
    }

    /// What waits to be sent.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.recorder.outbox
    }

    /// What waits to be sent, to look at.
    #[must_use]
    pub fn waiting(&self) -> &Outbox {
        &self.recorder.outbox
    }

    /// What the session is that runs.
    #[must_use]
    pub fn session(&self) -> Option<(SessionId, &SessionInfo)> {
        self.recorder.outbox.about.as_ref().map(|about| (about.session, &*about.info))
    }

    /// Samples that were put into the spool.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.recorder.samples
    }
}

impl Recorder {
    fn take(&mut self, reading: Reading, now_ms: u64) {
        if let Some(reading) = self.make_sure(reading, now_ms) {
            self.take_sure(reading, now_ms);
        }
    }

    fn take_sure(&mut self, reading: Reading, now_ms: u64) {
        match reading {
            Reading::State { game, state } => {
                self.set_doing(|doing| (doing.game, doing.state) = (game, state));
                self.tell_notice();
            }
            Reading::Notice(notice) => {
                self.notice = notice;
                self.tell_notice();
            }
            Reading::SessionStarted(info) => self.start(info),
            Reading::SessionChanged(info) => self.change(info),
            Reading::SessionEnded(reason) => self.end(reason),
            Reading::Sample(sample) => {
                if let Some(about) = &self.outbox.about {
                    if let Some(at_s) = sample.get(Channel::SessionTime) {
                        self.outbox.spool.saw(about.session, at_s, self.unix_ms);
                    }
                    self.sampler.offer(&sample, now_ms);
                    if self.sampler.due_ms().is_some_and(|due_ms| due_ms <= now_ms) {
                        self.flush();
                    }
                }
            }
            Reading::Standings(standings) => self.outbox.set_standings(standings),
            Reading::Setup { at_s, setup } => {
                self.record(Record::Setup { at_s, setup: (*setup).clone() });
                if let Some(about) = &mut self.outbox.about {
                    about.setup = Some((at_s, setup));
                }
            }
            Reading::Event(event) => self.record(Record::Event { event: *event }),
        }
    }

    fn set_doing(&mut self, change: impl FnOnce(&mut Doing)) {
        let mut doing = self.outbox.doing().clone();
        change(&mut doing);
        self.outbox.set_doing(doing);
    }

    fn tell_notice(&mut self) {
        let problem = self.problem.as_deref().filter(|_| self.outbox.doing().game.is_none());
        let notice = self.notice.as_deref().or(problem).map(clipped);
        self.set_doing(|doing| doing.notice = notice);
    }

    fn start(&mut self, info: Box<SessionInfo>) {
        self.end(EndReason::Left);
        if self.outbox.spool.may_go_on(&info) {
            self.unsure = Some((info, Vec::new()));
        } else {
            self.begin(SessionId::new(), info);
        }
    }

    /// Where it is not known which session runs: begins it as soon as the game's clock says which, or cannot say any more,
    /// and holds what is of it until then.
    fn make_sure(&mut self, reading: Reading, now_ms: u64) -> Option<Reading> {
        let Some((info, held)) = &mut self.unsure else { return Some(reading) };
        let at_s = match &reading {
            Reading::State { .. } | Reading::Notice(_) => return Some(reading),
            Reading::SessionChanged(changed) => {
                info.clone_from(changed);
                return None;
            }
            // Their times may be long ago: what the game remembers of the session.
            Reading::Setup { .. } | Reading::Event(_) if held.len() < MAX_HELD => {
                held.push(reading);
                return None;
            }
            Reading::Sample(sample) => sample.get(Channel::SessionTime),
            Reading::Standings(standings) => Some(standings.at_s),
            _ => None,
        };
        let (mut info, held) = self.unsure.take()?;
        let earlier = at_s.and_then(|at_s| self.outbox.spool.going_on(&info, at_s, self.unix_ms));
        let id = earlier.map_or_else(SessionId::new, |session| {
            info.started_at_ms = session.info.started_at_ms;
            session.id
        });
        self.begin(id, info);
        held.into_iter().for_each(|reading| self.take_sure(reading, now_ms));
        Some(reading)
    }

    /// A session under a later run begins with what it is, and nothing but its end follows.
    fn end_left_behind(&mut self, running: Option<SessionId>) {
        let mut left = Vec::new();
        let spool = &mut self.outbox.spool;
        for (id, info) in spool.left_behind(running, self.unix_ms) {
            let pushed = spool
                .push_record(id, Record::Session { info })
                .and_then(|_| spool.push_record(id, Record::End { reason: EndReason::AgentStopped }));
            if let Err(error) = pushed {
                tracing::error!(%error, "the end of a session of before is not recorded");
            }
            left.push(id);
        }
        left.into_iter().for_each(|id| self.outbox.leave_behind(id));
    }

    fn begin(&mut self, id: SessionId, info: Box<SessionInfo>) {
        self.end_left_behind(Some(id));
        match self.outbox.spool.push_record(id, Record::Session { info: (*info).clone() }) {
            Ok(first_serial) => {
                self.outbox.about = Some(About { session: id, info, first_serial, setup: None });
                self.set_doing(|doing| doing.session = Some(id));
            }
            Err(error) => tracing::error!(%error, "a session is not recorded"),
        }
    }

    fn change(&mut self, info: Box<SessionInfo>) {
        if self.outbox.about.is_none() {
            return self.start(info);
        }
        self.record(Record::Session { info: (*info).clone() });
        if let Some(about) = &mut self.outbox.about {
            about.info = info;
        }
    }

    fn end(&mut self, reason: EndReason) {
        // One that has not begun leaves nothing to end.
        self.unsure = None;
        self.record(Record::End { reason });
        if self.outbox.about.take().is_some() {
            self.set_doing(|doing| doing.session = None);
        }
    }

    fn record(&mut self, record: Record) {
        self.flush();
        let Some(about) = &self.outbox.about else { return };
        if let Err(error) = self.outbox.spool.push_record(about.session, record) {
            tracing::error!(%error, "something that happened is not recorded");
        }
    }

    fn flush(&mut self) {
        let Some(about) = &self.outbox.about else {
            self.sampler.clear();
            return;
        };
        if self.sampler.waiting() == 0 {
            return;
        }
        let (sampler, frame, samples) = (&mut self.sampler, &mut self.frame, &mut self.samples);
        let pushed = self.outbox.spool.push_batch(about.session, |place| {
            frame.clear();
            *samples += sampler.take(place.session, place.epoch, place.sequence, frame) as u64;
            Bytes::copy_from_slice(frame)
        });
        // A full spool counts what it refuses; the status says so.
        if let Err(error @ SpoolError::Size(_)) = pushed {
            tracing::error!(%error, "a batch of samples is not recorded");
        }
    }
}

/// At most as long as the wire allows.
fn clipped(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests;
