//! What waits for one viewer, in lanes.
//!
//! Events are strict: they all go out, in order, or the viewer is closed. Samples are not: what waited for longer than
//! [`STALE`] goes, and the oldest when more than [`SAMPLE_LANE`] wait; the viewer is told which sequences it will not get.
//! Whoever is slow gets fewer from then on ([`Pace`]), and is told that, too. Of the field of a session one frame waits: a
//! later one takes its place, whole. Everything that waits when the socket can take more goes out as one write.
//!
//! Invariant: bounded in frames, bytes and, of samples, in age, whatever the viewer does.

use super::pace::{Pace, Verdict};
use super::wire;
use crate::figures::ViewerFigures;
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use onelap_protocol::SessionId;
use onelap_protocol::viewer::ViewMessage;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Batches that may wait: three seconds at the default rate.
const SAMPLE_LANE: usize = 32;
/// How long a sample may wait.
const STALE: Duration = Duration::from_secs(2);
/// Bytes of control messages that may wait: the snapshots of several long races, which a team's page asks for at once.
const EVENT_LANE_BYTES: usize = 4 << 20;

/// The sending side of a viewer's socket; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    lanes: Arc<Mutex<Lanes>>,
    /// Least time between two batches of a session, as its pace says; read for every batch, without the lock.
    interval_ms: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Lanes {
    events: VecDeque<Bytes>,
    event_bytes: usize,
    samples: VecDeque<Waiting>,
    /// By session; no more than a viewer has subscriptions, and those that it had a moment ago.
    fields: Vec<(SessionId, Bytes)>,
    /// Batches dropped and not yet told: session, first and last sequence.
    gaps: Vec<(SessionId, u64, u64)>,
    pace: Pace,
    /// What the viewer was told of it.
    told_hz: Option<u32>,
    figures: ViewerFigures,
    closing: bool,
    ended: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    session: SessionId,
    sequence: u64,
    frame: Bytes,
}

impl Outbox {
    pub(super) fn new(figures: &ViewerFigures) -> Self {
        let lanes = Lanes {
            events: VecDeque::new(),
            event_bytes: 0,
            samples: VecDeque::new(),
            fields: Vec::new(),
            gaps: Vec::new(),
            pace: Pace::new(Instant::now()),
            told_hz: None,
            figures: figures.clone(),
            closing: false,
            ended: false,
            waker: None,
        };
        Self { lanes: Arc::new(Mutex::new(lanes)), interval_ms: Arc::default() }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Least time between two batches of a session that this viewer's connection carries, in milliseconds; 0 for all.
    pub(super) fn interval_ms(&self) -> u64 {
        self.interval_ms.load(Ordering::Relaxed)
    }

    /// Queues a control message, framed.
    pub(super) fn event(&self, frame: Bytes) {
        let mut lanes = self.lanes();
        lanes.event(frame);
        lanes.wake();
    }

    /// Queues a control message.
    pub(super) fn message(&self, message: &ViewMessage) {
        self.event(wire::text(message));
    }

    /// Queues a batch, framed; drops the oldest that waits if there is no room.
    pub(super) fn sample(&self, session: SessionId, sequence: u64, frame: Bytes) {
        self.sample_at(session, sequence, frame, Instant::now());
    }

    fn sample_at(&self, session: SessionId, sequence: u64, frame: Bytes, now: Instant) {
        let mut lanes = self.lanes();
        if lanes.closing {
            return;
        }
        if lanes.samples.len() == SAMPLE_LANE {
            lanes.drop_oldest();
        }
        lanes.samples.push_back(Waiting { since: now, session, sequence, frame });
        if lanes.age_samples(now) && lanes.pace.judge(now) == Verdict::Go {
            // Nothing is late, and yet nothing was taken: the connection itself is full.
            lanes.pace.stalled(now);
        }
        lanes.keep_pace(&self.interval_ms, now);
        lanes.wake();
    }

    /// A batch that was handed out is not sent after all: the viewer is too slow for it.
    pub(super) fn dropped(&self, session: SessionId, sequence: u64) {
        let mut lanes = self.lanes();
        lanes.figures.skipped.inc();
        lanes.owe_gap(session, sequence);
    }

    /// Whether samples wait until the viewer has read what it was sent.
    pub(super) fn is_held(&self) -> bool {
        self.lanes().pace.judge(Instant::now()) != Verdict::Go
    }

    /// The viewer has answered a ping that followed samples.
    pub(super) fn answered(&self, number: u64) {
        let mut lanes = self.lanes();
        let now = Instant::now();
        // What waited for this answer is no sign that the connection takes nothing.
        lanes.age_samples(now);
        lanes.pace.answered(number, now);
        lanes.keep_pace(&self.interval_ms, now);
        lanes.wake();
    }

    /// Whether answers are heard: what waits for something else must not be taken for a slow viewer.
    pub(super) fn listen(&self, hears: bool) {
        self.lanes().pace.listen(hears, Instant::now());
    }

    /// Queues a frame of a session's field, framed. Where one waits already, the frame would not apply: `whole` takes the
    /// place of that.
    pub(super) fn field(&self, session: SessionId, frame: Bytes, whole: impl FnOnce() -> Bytes) {
        let mut lanes = self.lanes();
        if lanes.closing {
            return;
        }
        match lanes.fields.iter_mut().find(|(other, _)| *other == session) {
            Some((_, waiting)) => *waiting = whole(),
            None => lanes.fields.push((session, frame)),
        }
        lanes.wake();
    }

    /// Sends what waits, then the close frame, then ends.
    pub(super) fn close(&self, code: u16, reason: &str) {
        let mut lanes = self.lanes();
        lanes.close(code, reason);
        lanes.wake();
    }

    /// The frames that wait, each by itself: for who looks into them before they go out.
    pub(super) fn poll_frames(&self, cx: &mut Context<'_>) -> Poll<Option<Vec<Bytes>>> {
        let mut lanes = self.lanes();
        let frames: Vec<Bytes> = lanes.drain(Instant::now()).collect();
        if !frames.is_empty() {
            return Poll::Ready(Some(frames));
        }
        if lanes.closing || lanes.ended {
            return Poll::Ready(None);
        }
        lanes.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether nothing more can be sent.
    pub(super) fn is_closed(&self) -> bool {
        self.lanes().closing
    }

    /// Ends without a close frame: the peer is gone.
    pub(super) fn abort(&self) {
        let mut lanes = self.lanes();
        lanes.closing = true;
        lanes.ended = true;
        lanes.events.clear();
        lanes.samples.clear();
        lanes.fields.clear();
        lanes.wake();
    }
}

impl Lanes {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn event(&mut self, frame: Bytes) {
        if self.closing {
            return;
        }
        self.event_bytes += frame.len();
        self.events.push_back(frame);
        if self.event_bytes > EVENT_LANE_BYTES {
            self.events.clear();
            self.too_slow("too slow: more waits for this viewer than it can take");
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        if !self.closing {
            self.closing = true;
            self.samples.clear();
            self.fields.clear();
            self.events.push_back(wire::close(code, reason));
        }
    }

    fn too_slow(&mut self, reason: &str) {
        self.figures.too_slow.inc();
        self.close(1013, reason);
    }

    /// Acts on how the connection does.
    fn keep_pace(&mut self, interval_ms: &AtomicU64, now: Instant) {
        let verdict = self.pace.judge(now);
        interval_ms.store(self.pace.interval_ms(), Ordering::Relaxed);
        let hz = self.pace.hz();
        if hz != self.told_hz && !self.closing {
            match (self.told_hz, hz) {
                (None, _) => self.figures.thinned.inc(),
                (_, None) => self.figures.thinned.dec(),
                _ => {}
            }
            self.told_hz = hz;
            self.event(wire::text(&ViewMessage::Pace { max_hz: hz }));
        }
        if verdict == Verdict::Lost && !self.closing {
            self.too_slow("too slow: this connection does not even carry one update a second");
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.samples.pop_front() {
            self.figures.skipped.inc();
            self.owe_gap(oldest.session, oldest.sequence);
        }
    }

    /// Drops samples that have waited for too long; says whether there were some.
    fn age_samples(&mut self, now: Instant) -> bool {
        let is_stale = |waiting: &Waiting| now.saturating_duration_since(waiting.since) > STALE;
        let mut were_some = false;
        while self.samples.front().is_some_and(is_stale) {
            self.drop_oldest();
            were_some = true;
        }
        were_some
    }

    fn owe_gap(&mut self, session: SessionId, sequence: u64) {
        match self.gaps.iter_mut().find(|(s, _, _)| *s == session) {
            Some((_, first, last)) => (*first, *last) = ((*first).min(sequence), (*last).max(sequence)),
            None => self.gaps.push((session, sequence, sequence)),
        }
    }

    /// Everything that may go out, in the order in which it does.
    fn drain(&mut self, now: Instant) -> impl Iterator<Item = Bytes> {
        self.age_samples(now);
        let is_held = !self.closing && self.pace.judge(now) != Verdict::Go;
        let sampled = if is_held { 0 } else { self.samples.iter().map(|w| w.frame.len()).sum() };
        if !is_held {
            for (session, from, to) in std::mem::take(&mut self.gaps) {
                self.events.push_back(wire::text(&ViewMessage::Gap { session, from, to }));
            }
        }
        let probe = self.pace.hand_out(self.event_bytes, sampled, now).map(wire::probe);
        self.event_bytes = 0;
        let (fields, samples) = if is_held { (0, 0) } else { (self.fields.len(), self.samples.len()) };
        let fields = self.fields.drain(..fields).map(|(_, frame)| frame);
        self.events.drain(..).chain(fields).chain(self.samples.drain(..samples).map(|w| w.frame)).chain(probe)
    }

    /// Everything that may go out, as one buffer. One frame alone is handed on without a copy.
    fn take(&mut self, now: Instant) -> Option<Bytes> {
        let mut frames = self.drain(now);
        let first = frames.next()?;
        let Some(second) = frames.next() else { return Some(first) };
        let mut all = BytesMut::from(&first[..]);
        all.extend_from_slice(&second);
        frames.for_each(|frame| all.extend_from_slice(&frame));
        Some(all.freeze())
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        if self.told_hz.is_some() {
            self.figures.thinned.dec();
        }
    }
}

impl Stream for Outbox {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut lanes = self.lanes();
        if let Some(bytes) = lanes.take(Instant::now()) {
            return Poll::Ready(Some(Ok(bytes)));
        }
        if lanes.closing || lanes.ended {
            return Poll::Ready(None);
        }
        lanes.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
