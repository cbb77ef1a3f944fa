//! The queue between acquisition and a rig's reader.
//!
//! Bounded twice, by inputs and by bytes (an image of LMU has 325 kB, a datagram a thousand). Full: the newest input is
//! dropped and counted, acquisition never waits. A recording that is played back waits instead: nothing of it may be lost.

use crate::clock::Clock;
use crate::raw::{Raw, Stamp};
use crate::source::Emit;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// Most inputs that wait.
const MAX_INPUTS: usize = 256;
/// Most bytes that wait.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How often a recording looks for room.
const ROOM_EVERY: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
struct Counters {
    bytes: AtomicUsize,
    dropped: AtomicU64,
    /// Why a source cannot be read; set and read seldom, never held across anything.
    problem: Mutex<Option<String>>,
}

/// Where inputs go in.
#[derive(Debug, Clone)]
pub struct RawSink {
    clock: Clock,
    sender: mpsc::Sender<(Stamp, Raw)>,
    counters: Arc<Counters>,
}

/// Where they come out.
#[derive(Debug)]
pub struct RawQueue {
    receiver: mpsc::Receiver<(Stamp, Raw)>,
    counters: Arc<Counters>,
}

/// An empty queue, whose inputs are stamped by this clock.
#[must_use]
pub fn raw_queue(clock: Clock) -> (RawSink, RawQueue) {
    let (sender, receiver) = mpsc::channel(MAX_INPUTS);
    let counters = Arc::<Counters>::default();
    (RawSink { clock, sender, counters: counters.clone() }, RawQueue { receiver, counters })
}

impl RawSink {
    /// Stamps and queues an input, or drops and counts it. Returns whether it was queued.
    pub fn send(&self, raw: Raw) -> bool {
        let bytes = raw.size();
        let queued = self.counters.bytes.fetch_add(bytes, Relaxed) + bytes <= MAX_BYTES
            && self.sender.try_send((self.clock.stamp(), raw)).is_ok();
        if !queued {
            self.counters.bytes.fetch_sub(bytes, Relaxed);
            self.counters.dropped.fetch_add(1, Relaxed);
        }
        queued
    }

    /// Queues an input that has a stamp, and waits for room; the only one that waits may be of any size. Returns `false`
    /// where nobody takes it any more.
    pub fn send_stamped(&self, at: Stamp, raw: Raw) -> bool {
        let bytes = raw.size();
        let fits = |waiting: usize| waiting == 0 || waiting + bytes <= MAX_BYTES;
        while !fits(self.counters.bytes.load(Relaxed)) {
            if self.sender.is_closed() {
                return false;
            }
            thread::sleep(ROOM_EVERY);
        }
        self.counters.bytes.fetch_add(bytes, Relaxed);
        self.sender.blocking_send((at, raw)).is_ok()
    }

    /// Says why a source cannot be read, or that it can again.
    pub fn set_problem(&self, problem: Option<String>) {
        *self.counters.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    /// As acquisition takes it.
    #[must_use]
    pub fn into_emit(self) -> Emit {
        Box::new(move |raw| {
            self.send(raw);
        })
    }
}

impl RawQueue {
    /// The next input; `None` when every sink is gone.
    pub async fn recv(&mut self) -> Option<(Stamp, Raw)> {
        let input = self.receiver.recv().await;
        self.taken(input)
    }

    /// The next input, where one waits.
    pub fn try_recv(&mut self) -> Option<(Stamp, Raw)> {
        let input = self.receiver.try_recv().ok();
        self.taken(input)
    }

    /// The next input, waiting in a thread of one's own.
    pub fn blocking_recv(&mut self) -> Option<(Stamp, Raw)> {
        let input = self.receiver.blocking_recv();
        self.taken(input)
    }

    /// Inputs that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counters.dropped.load(Relaxed)
    }

    /// Why a source cannot be read.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.counters.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn taken(&self, input: Option<(Stamp, Raw)>) -> Option<(Stamp, Raw)> {
        if let Some((_, raw)) = &input {
            self.counters.bytes.fetch_sub(raw.size(), Relaxed);
        }
        input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_waits_for_room_and_nothing_of_it_is_lost() {
        let (sink, mut queue) = raw_queue(Clock::start());
        let images = [1024 * 1024; 40].into_iter().chain([2 * MAX_BYTES, 10]);
        let inputs: Vec<_> = images.map(|len| Raw::LmuImage(vec![0; len])).collect();
        let count = inputs.len();
        let player = thread::spawn(move || {
            let at = Stamp { unix_ms: 0, mono_ms: 0 };
            inputs.into_iter().all(|raw| sink.send_stamped(at, raw))
        });
        while queue.counters.bytes.load(Relaxed) < 3 * 1024 * 1024 {
            thread::yield_now();
        }
        for i in 0..count {
            let waiting = queue.counters.bytes.load(Relaxed);
            assert!(waiting <= MAX_BYTES || i >= 40, "{waiting} bytes");
            assert!(queue.blocking_recv().is_some(), "{i}");
        }
        assert!(player.join().unwrap());
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let (sink, mut queue) = raw_queue(Clock::start());
        for _ in 0..4 {
            assert!(sink.send(Raw::LmuImage(vec![0; 1024 * 1024 - 1024])));
        }
        assert!(!sink.send(Raw::LmuImage(vec![0; 1024 * 1024])), "too many bytes");
        assert!(sink.send(Raw::Tick));
        assert_eq!(queue.dropped(), 1);
        while queue.try_recv().is_some() {}
        for _ in 0..MAX_INPUTS {
            assert!(sink.send(Raw::Tick));
        }
        assert!(!sink.send(Raw::Tick), "too many inputs");
        assert_eq!(queue.dropped(), 2);
    }
}
