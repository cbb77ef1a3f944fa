//! The sessions of one agent's connection: which there are, what may begin, and what the recorder still has to get.

use super::io::{Out, acknowledge, tell_backfilled};
use super::order::Ask;
use super::recording::Recording;
use super::stream::{Refusal, Sender, Stream, later_run};
use crate::db::Tenant;
use crate::limits::{Limit, Limits, OverLimit, Seat};
use crate::live::Publisher;
use crate::recorder::Recorder;
use onelap_protocol::agent::{Lane, Place, Record};
use onelap_protocol::{Batch, BatchHeader, ErrorCode, RigId, SessionId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Sessions over the limit that are remembered, to be asked for when there is room.
const MAX_TURNED_AWAY: usize = 64;
/// Between two that are asked for.
const CALL_BACK_EVERY: Duration = Duration::from_secs(5);
/// How long a session that goes on, and of which nothing is known here, is waited for before it is recorded unseen.
const LOOK_UP: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct Sessions {
    pub(super) recorder: Recorder,
    pub(super) live: Publisher,
    pub(super) out: Out,
    pub(super) tenant: Tenant,
    pub(super) rig: RigId,
    /// The run of the agent, from `hello`.
    pub(super) epoch: Option<u64>,
    pub(super) streams: HashMap<SessionId, Stream>,
    pub(super) limits: Arc<Limits>,
    /// What there was no room for: the place before what is to be recorded of it.
    pub(super) turned_away: HashMap<SessionId, Option<Place>>,
    /// When one of these was last asked for, since the connection began.
    pub(super) called_back: Option<Duration>,
    /// Cancelled when a writer has stopped: somebody else records its session, or it cannot be stored.
    pub(super) stopped: CancellationToken,
}

/// What is to be done about the sessions now.
#[derive(Default)]
pub(super) struct Look {
    /// Asked for again.
    pub(super) resend: Vec<Place>,
    /// There was no room for it, and now there is.
    pub(super) call_back: Option<Place>,
    /// Found to be wrong with what came before.
    pub(super) refusals: Vec<Refusal>,
    /// What was asked for did not come.
    pub(super) in_vain: bool,
}

impl Sessions {
    /// A batch, of which `bytes` are the frame as it came. An outer error is what to answer.
    pub(super) async fn batch(&mut self, lane: Lane, header: &BatchHeader, bytes: &[u8]) -> Result<(), Refusal> {
        let place = Place { session: header.session, epoch: header.epoch, sequence: header.sequence };
        let Some(stream) = self.stream(lane, place, false).await? else { return Ok(()) };
        match Batch::decode(bytes) {
            Ok((_, batch)) => {
                let Some(stream) = self.streams.get_mut(&place.session) else { return Ok(()) };
                stream.batch(&self.live, lane, header, bytes, batch)
            }
            Err(error) => {
                if lane.is_recorded() {
                    stream.skip(place);
                }
                Err((ErrorCode::Malformed, format!("batch {}: {error}", header.sequence)))
            }
        }
    }

    /// A control message, which is `checked` already.
    pub(super) async fn record(
        &mut self,
        lane: Lane,
        place: Place,
        record: Record,
        checked: Result<(), String>,
    ) -> Result<(), Refusal> {
        let begins = checked.is_ok() && matches!(record, Record::Session { .. });
        let is_open = self.streams.get(&place.session).is_some_and(|stream| stream.recording.is_some());
        if let Err(message) = &checked
            && !(is_open && lane.is_recorded())
        {
            // What is wrong with the item comes first: that its session is not known may follow from it.
            return Err((ErrorCode::Invalid, message.clone()));
        }
        let Some(stream) = self.stream(lane, place, begins).await? else { return Ok(()) };
        if let Err(message) = checked.and_then(|()| stream.fits(&record)) {
            if lane.is_recorded() {
                stream.skip(place);
            }
            return Err((ErrorCode::Invalid, message));
        }
        let Some(stream) = self.streams.get_mut(&place.session) else { return Ok(()) };
        stream.record(&self.live, lane, place, record)
    }

    /// Something recorded that cannot be read: its place is passed, or it would come for ever.
    pub(super) async fn skip(&mut self, place: Place) {
        if let Ok(Some(stream)) = self.stream(Lane::Backfill, place, false).await {
            stream.skip(place);
        }
    }

    /// The stream that takes an item of this lane at this place; `None` where the item has to come again. `begins` where
    /// the item is the facts of its session.
    async fn stream(&mut self, lane: Lane, place: Place, begins: bool) -> Result<Option<&mut Stream>, Refusal> {
        let from = self.sender(place.epoch)?;
        if (place.sequence == 0 && lane.is_recorded()) || i64::try_from(place.sequence).is_err() {
            return Err((ErrorCode::Invalid, format!("sequence {}: sequences count from 1", place.sequence)));
        }
        if !self.streams.contains_key(&place.session) {
            match self.seat() {
                Ok(seat) => _ = self.streams.insert(place.session, Stream::new(place.session, seat)),
                Err(over) => return self.turn_away(lane, place, over).map(|()| None),
            }
        }
        if lane.is_recorded() {
            // A later run does not begin before what was turned away of an earlier one has come again.
            let earlier = self.turned_away.get(&place.session).copied().flatten();
            if earlier.is_some_and(|before| before.epoch < place.epoch) {
                return Ok(None);
            }
            self.wait_for_earlier_run(place).await?;
            if !self.open(from, place, begins)? {
                return Ok(None);
            }
        }
        let Some(stream) = self.streams.get_mut(&place.session) else { return Ok(None) };
        // Postgres knows the facts of a session that goes on, unless they are what comes.
        let must_wait = lane == Lane::Live && !begins && stream.cannot_be_shown(&self.live);
        if let Some(recording) = &mut stream.recording {
            let found = if must_wait { recording.wait(LOOK_UP).await } else { recording.poll() };
            stream.found(&self.live, found)?;
        }
        Ok(Some(stream))
    }

    /// A later run goes on where the one before ends; that is known as soon as Postgres has answered.
    async fn wait_for_earlier_run(&mut self, place: Place) -> Result<(), Refusal> {
        let Some(stream) = self.streams.get_mut(&place.session) else { return Ok(()) };
        let Some(earlier) = stream.recording.as_mut().filter(|r| r.epoch < place.epoch) else { return Ok(()) };
        let found = earlier.wait(LOOK_UP).await;
        stream.found(&self.live, found)
    }

    /// Makes sure that the stream records this run of the agent; `false` where an earlier one is not whole yet, and for what
    /// is recorded already.
    fn open(&mut self, from: Sender, place: Place, begins: bool) -> Result<bool, Refusal> {
        let Some(stream) = self.streams.get_mut(&place.session) else { return Ok(false) };
        match (stream.end_of(place.epoch), &mut stream.recording) {
            (_, Some(recording)) if recording.epoch == place.epoch => return Ok(true),
            (Some(last), _) if place.sequence <= last => return Ok(false),
            (Some(_), _) => return Err(later_run(place.session)),
            (None, Some(recording)) if recording.epoch > place.epoch => return Err(later_run(place.session)),
            (None, Some(recording)) if !recording.may_be_followed_by(place.epoch) => {
                recording.turn_away(place.epoch);
                return Ok(false);
            }
            // The later run goes on where the writer of the one before ends.
            (None, _) => {}
        }
        let follows = stream.follow();
        let begins = begins && place.sequence == 1;
        let first = (place.session, place.sequence);
        let recording = Recording::open(&self.recorder, from, first, begins, follows);
        let writer = &recording.writer;
        let (progress, traced, backfilled) =
            (writer.progress.clone(), writer.traced.clone(), writer.backfilled.clone());
        let (out, live, stopped) = (self.out.clone(), self.live.clone(), self.stopped.clone());
        actix_web::rt::spawn(acknowledge(out, live.clone(), progress, traced, place.session, place.epoch, stopped));
        actix_web::rt::spawn(tell_backfilled(live, place.session, backfilled));
        stream.recording = Some(recording);
        Ok(true)
    }

    /// A place for one more session. Those that nothing is missing of make room: they go on from Postgres.
    fn seat(&mut self) -> Result<Seat, OverLimit> {
        let most = self.limits.config().rig_sessions as usize;
        if self.streams.len() >= most {
            self.streams.retain(|_, stream| !stream.is_idle(&self.live));
        }
        if self.streams.len() >= most {
            return Err(self.limits.over(Limit::RigSessions));
        }
        self.limits.session(self.tenant.team())
    }

    /// There is no room for the session: the agent keeps it, and is asked for it when there is. It is told once.
    fn turn_away(&mut self, lane: Lane, place: Place, over: OverLimit) -> Result<(), Refusal> {
        let before = lane.is_recorded().then(|| Place { sequence: place.sequence.saturating_sub(1), ..place });
        if let Some(known) = self.turned_away.get_mut(&place.session) {
            *known = (*known).into_iter().chain(before).min();
            return Ok(());
        }
        if self.turned_away.len() < MAX_TURNED_AWAY {
            self.turned_away.insert(place.session, before);
        }
        Err((ErrorCode::RateLimited, format!("session {}: {over}", place.session)))
    }

    /// The next session that there was no room for, if there is some now.
    fn call_back(&mut self, now: Duration) -> Option<Place> {
        let session = *self.turned_away.keys().next()?;
        if self.called_back.is_some_and(|at| now.saturating_sub(at) < CALL_BACK_EVERY) {
            return None;
        }
        self.called_back = Some(now);
        // Free now, and taken by what comes: the place itself is given back here.
        self.seat().ok()?;
        self.turned_away.remove(&session)?
    }

    fn sender(&self, epoch: u64) -> Result<Sender, Refusal> {
        // What an earlier run of the agent left unsent comes under that run's epoch.
        match self.epoch {
            Some(ours) if epoch <= ours => Ok(Sender { tenant: self.tenant, rig: self.rig, epoch }),
            Some(ours) => Err((ErrorCode::OutOfOrder, format!("epoch {epoch}: hello said {ours}"))),
            None => Err((ErrorCode::OutOfOrder, "say hello first".to_owned())),
        }
    }

    /// What is missing and what was found meanwhile. Lets go of sessions that are over and committed. `now` is since the
    /// connection began.
    pub(super) fn look(&mut self, now: Duration) -> Look {
        let mut look = Look::default();
        for (session, stream) in &mut self.streams {
            let Some(recording) = &mut stream.recording else { continue };
            let found = recording.poll();
            if let Err(refusal) = stream.found(&self.live, found) {
                look.refusals.push(refusal);
            }
            let Some(recording) = &mut stream.recording else { continue };
            match recording.ask(now) {
                Ask::Nothing => {}
                Ask::After(sequence) => {
                    look.resend.push(Place { session: *session, epoch: recording.epoch, sequence });
                }
                Ask::InVain => look.in_vain = true,
            }
        }
        self.streams.retain(|_, stream| !stream.is_done());
        look.call_back = self.call_back(now);
        look
    }
}
