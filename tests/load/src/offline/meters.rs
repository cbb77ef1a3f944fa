//! What service, agent and Postgres use from second to second, and what goes over the agent's connection.

use crate::process::{self, Thread};
use e2e::proxy::{Side, Tap};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// A shorter time says nothing about a peak: `/proc` counts in ticks of 10 ms.
const LONG_ENOUGH: Duration = Duration::from_millis(900);

/// Bytes of the agent's connection as TCP carries them, without its headers: WebSocket's are in them.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    from_agent: AtomicU64,
    to_agent: AtomicU64,
}

impl Tap for Wire {
    fn said(&self, _: u64, side: Side, bytes: &[u8]) {
        let bytes_of = if side == Side::Client { &self.from_agent } else { &self.to_agent };
        bytes_of.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    fn closed(&self, _: u64) {}
}

/// Whose CPU is looked at.
pub(crate) struct Whose {
    pub(crate) service: Vec<u32>,
    /// Its first process, where it is on this machine.
    pub(crate) postgres: Option<u32>,
    pub(crate) agent: Thread,
    pub(crate) wire: Arc<Wire>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    /// CPU seconds of the service, the agent, Postgres.
    cpu_s: [f64; 3],
    from_agent: u64,
    to_agent: u64,
    resident_kib: f64,
}

/// What a stretch of time took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    pub(crate) service: Cpu,
    pub(crate) agent: Cpu,
    pub(crate) postgres: Cpu,
    pub(crate) from_agent: u64,
    pub(crate) to_agent: u64,
    /// The most that the service had in memory.
    pub(crate) resident_kib: f64,
}

/// CPU of one of them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cpu {
    pub(crate) seconds: f64,
    /// Share of a core, on average and in the worst second.
    pub(crate) mean: f64,
    pub(crate) peak: f64,
}

/// See the module. Looks by itself once a second, and when it is asked.
pub(crate) struct Meters {
    whose: Whose,
    // A lock, because a thread looks as well as who asks.
    looks: Mutex<Vec<Look>>,
}

impl Meters {
    pub(crate) fn start(whose: Whose, stop: CancellationToken) -> Arc<Self> {
        let meters = Arc::new(Self { whose, looks: Mutex::default() });
        let own = meters.clone();
        std::thread::spawn(move || {
            while !stop.is_cancelled() {
                own.look();
                std::thread::sleep(EVERY);
            }
        });
        meters
    }

    /// Looks now, and says which look it was.
    pub(crate) fn look(&self) -> usize {
        let Whose { service, postgres, agent, wire } = &self.whose;
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.push(Look {
            at: Instant::now(),
            cpu_s: [process::cpu_s(service), agent.cpu_s(), postgres.map_or(0.0, process::family_cpu_s)],
            from_agent: wire.from_agent.load(Ordering::Relaxed),
            to_agent: wire.to_agent.load(Ordering::Relaxed),
            resident_kib: process::resident_kib(service),
        });
        looks.len() - 1
    }

    /// What it took from one look to another.
    pub(crate) fn cost(&self, from: usize, to: usize) -> Cost {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = &looks[from..=to];
        let (first, last) = (looks[0], looks[looks.len() - 1]);
        let seconds = (last.at - first.at).as_secs_f64();
        let cpu = |i: usize| {
            let share = |a: &Look, b: &Look| (b.cpu_s[i] - a.cpu_s[i]) / (b.at - a.at).as_secs_f64();
            let long = looks.windows(2).filter(|pair| pair[1].at - pair[0].at >= LONG_ENOUGH);
            let used = last.cpu_s[i] - first.cpu_s[i];
            Cpu {
                seconds: used,
                mean: used / seconds,
                peak: long.map(|pair| share(&pair[0], &pair[1])).fold(0.0, f64::max),
            }
        };
        Cost {
            seconds,
            service: cpu(0),
            agent: cpu(1),
            postgres: cpu(2),
            from_agent: last.from_agent - first.from_agent,
            to_agent: last.to_agent - first.to_agent,
            resident_kib: looks.iter().map(|look| look.resident_kib).fold(0.0, f64::max),
        }
    }
}
