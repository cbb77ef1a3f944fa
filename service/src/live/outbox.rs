//! What waits for one viewer, in lanes.
//!
//! Events are strict: they all go out, in order, or the viewer is closed. Samples are not: when more than
//! [`SAMPLE_LANE`] wait, the oldest goes, and the viewer is told which sequences it will not get. Of the field of a session
//! one frame waits: a later one takes its place, whole. Everything that waits when the socket can take more goes out as one
//! write.
//!
//! Invariant: bounded in frames and bytes, whatever the viewer does.

use super::mark::Mark;
use super::wire;
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use onelap_protocol::SessionId;
use onelap_protocol::viewer::ViewMessage;
use prometheus::IntCounter;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Batches that may wait: three seconds at the default rate.
const SAMPLE_LANE: usize = 32;
/// Bytes of control messages that may wait: the snapshots of several long races, which a team's page asks for at once.
const EVENT_LANE_BYTES: usize = 4 << 20;

/// The sending side of a viewer's socket; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Outbox {
    lanes: Arc<Mutex<Lanes>>,
    /// Counts dropped batches.
    skipped: IntCounter,
}

#[derive(Debug, Default)]
struct Lanes {
    events: VecDeque<Bytes>,
    event_bytes: usize,
    samples: VecDeque<Waiting>,
    /// By session; no more than a viewer has subscriptions, and those that it had a moment ago.
    fields: Vec<(SessionId, Bytes)>,
    /// Batches dropped and not yet told: session, first and last sequence.
    gaps: Vec<(SessionId, u64, u64)>,
    closing: bool,
    ended: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Waiting {
    session: SessionId,
    sequence: u64,
    frame: Bytes,
    mark: Option<Arc<Mark>>,
}

impl Outbox {
    pub(super) fn new(skipped: IntCounter) -> Self {
        Self { lanes: Arc::default(), skipped }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a control message, framed.
    pub(super) fn event(&self, frame: Bytes) {
        let mut lanes = self.lanes();
        if lanes.closing {
            return;
        }
        lanes.event_bytes += frame.len();
        lanes.events.push_back(frame);
        if lanes.event_bytes > EVENT_LANE_BYTES {
            lanes.events.clear();
            lanes.close(1013, "too slow: more waits for this viewer than it can take");
        }
        lanes.wake();
    }

    /// Queues a control message.
    pub(super) fn message(&self, message: &ViewMessage) {
        self.event(wire::text(message));
    }

    /// Queues a batch, framed; drops the oldest that waits if there is no room.
    pub(super) fn sample(&self, session: SessionId, sequence: u64, frame: Bytes, mark: Option<&Arc<Mark>>) {
        let mut lanes = self.lanes();
        if lanes.closing {
            return;
        }
        if lanes.samples.len() == SAMPLE_LANE
            && let Some(oldest) = lanes.samples.pop_front()
        {
            self.skipped.inc();
            lanes.owe_gap(oldest.session, oldest.sequence);
        }
        lanes.samples.push_back(Waiting { session, sequence, frame, mark: mark.cloned() });
        lanes.wake();
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

    /// The frames that wait, each by itself: for who looks into them before they go out, and may hold them back: their age is
    /// not measured.
    pub(super) fn poll_frames(&self, cx: &mut Context<'_>) -> Poll<Option<Vec<Bytes>>> {
        let mut lanes = self.lanes();
        let frames: Vec<Bytes> = lanes.drain().collect();
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

    fn close(&mut self, code: u16, reason: &str) {
        if !self.closing {
            self.closing = true;
            self.samples.clear();
            self.fields.clear();
            self.events.push_back(wire::close(code, reason));
        }
    }

    fn owe_gap(&mut self, session: SessionId, sequence: u64) {
        match self.gaps.iter_mut().find(|(s, _, _)| *s == session) {
            Some((_, first, last)) => (*first, *last) = ((*first).min(sequence), (*last).max(sequence)),
            None => self.gaps.push((session, sequence, sequence)),
        }
    }

    /// Everything that waits, in the order in which it goes out.
    fn drain(&mut self) -> impl Iterator<Item = Bytes> {
        for (session, from, to) in std::mem::take(&mut self.gaps) {
            self.events.push_back(wire::text(&ViewMessage::Gap { session, from, to }));
        }
        self.event_bytes = 0;
        let fields = self.fields.drain(..).map(|(_, frame)| frame);
        self.events.drain(..).chain(fields).chain(self.samples.drain(..).map(|w| w.frame))
    }

    /// Everything that waits, as one buffer. One frame alone is handed on without a copy.
    fn take(&mut self) -> Option<Bytes> {
        self.samples.iter().filter_map(|waiting| waiting.mark.as_ref()).for_each(|mark| mark.taken());
        let mut frames = self.drain();
        let first = frames.next()?;
        let Some(second) = frames.next() else { return Some(first) };
        let mut all = BytesMut::from(&first[..]);
        all.extend_from_slice(&second);
        frames.for_each(|frame| all.extend_from_slice(&frame));
        Some(all.freeze())
    }
}

impl Stream for Outbox {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut lanes = self.lanes();
        if let Some(bytes) = lanes.take() {
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
mod tests {
    use super::*;
    use futures_util::StreamExt;

    fn outbox() -> Outbox {
        Outbox::new(IntCounter::new("skipped", "Skipped.").unwrap())
    }

    fn next(outbox: &mut Outbox) -> Option<Bytes> {
        let waker = futures_util::task::noop_waker();
        match outbox.poll_next_unpin(&mut Context::from_waker(&waker)) {
            Poll::Ready(item) => item.map(|Ok(bytes)| bytes),
            Poll::Pending => Some(Bytes::new()),
        }
    }

    #[test]
    fn what_waits_goes_out_at_once_events_first() {
        let mut outbox = outbox();
        outbox.sample(SessionId::new(), 1, Bytes::from_static(b"s1"), None);
        outbox.event(Bytes::from_static(b"e1"));
        outbox.event(Bytes::from_static(b"e2"));
        assert_eq!(next(&mut outbox).unwrap(), "e1e2s1");
        assert_eq!(next(&mut outbox).unwrap(), "");
    }

    #[test]
    fn one_frame_is_not_copied() {
        let mut outbox = outbox();
        let frame = Bytes::from(vec![1u8; 100]);
        outbox.sample(SessionId::new(), 1, frame.clone(), None);
        assert_eq!(next(&mut outbox).unwrap().as_ptr(), frame.as_ptr());
    }

    #[test]
    fn a_slow_viewer_loses_the_oldest_and_is_told_which() {
        let mut outbox = outbox();
        let session = SessionId::new();
        for sequence in 1..=(SAMPLE_LANE as u64 + 5) {
            outbox.sample(session, sequence, Bytes::from_static(b"."), None);
        }
        let bytes = next(&mut outbox).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(r#""type":"gap""#) && text.contains(r#""from":1,"to":5"#), "{text}");
        assert!(text.ends_with(&".".repeat(SAMPLE_LANE)));
    }

    #[test]
    fn of_a_field_one_frame_waits_and_a_later_one_is_whole() {
        let mut outbox = outbox();
        let (one, other) = (SessionId::new(), SessionId::new());
        let whole = || Bytes::from_static(b"WHOLE");
        outbox.field(one, Bytes::from_static(b"d1"), whole);
        assert_eq!(next(&mut outbox).unwrap(), "d1");
        outbox.sample(one, 1, Bytes::from_static(b"s"), None);
        outbox.field(one, Bytes::from_static(b"d2"), whole);
        outbox.field(other, Bytes::from_static(b"o1"), whole);
        for _ in 0..100 {
            outbox.field(one, Bytes::from_static(b"d3"), whole);
        }
        outbox.event(Bytes::from_static(b"e"));
        assert_eq!(next(&mut outbox).unwrap(), "eWHOLEo1s");
        outbox.field(one, Bytes::from_static(b"d4"), whole);
        assert_eq!(next(&mut outbox).unwrap(), "d4");
    }

    #[test]
    fn a_viewer_that_takes_nothing_is_closed_with_a_reason() {
        let mut outbox = outbox();
        for _ in 0..80 {
            outbox.event(Bytes::from(vec![b'x'; 64 * 1024]));
        }
        assert!(outbox.is_closed());
        let bytes = next(&mut outbox).unwrap();
        assert!(bytes.len() < 200 && String::from_utf8_lossy(&bytes).contains("too slow"));
        assert!(next(&mut outbox).is_none());
    }
}
