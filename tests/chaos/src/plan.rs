//! What goes wrong, and when: a plan that follows from its seed alone. Pure.
//!
//! A pack of faults is shuffled and dealt out, so that a short run has met most kinds; what the run is about comes first.

use faults::Manners;
use std::fmt;
use std::time::Duration;

/// What is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The service.
    Service,
    /// Postgres, all of its processes.
    Postgres,
    /// Redis.
    Redis,
    /// A rig's agent.
    Agent(usize),
    /// A rig's game.
    Game(usize),
    /// The link between a rig's agent and the service.
    Link(usize),
    /// The link between service and Postgres.
    DatabaseLink,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Postgres => f.write_str("postgres"),
            Self::Redis => f.write_str("redis"),
            Self::Agent(rig) => write!(f, "agent-{rig}"),
            Self::Game(rig) => write!(f, "game-{rig}"),
            Self::Link(rig) => write!(f, "link-{rig}"),
            Self::DatabaseLink => f.write_str("database-link"),
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// kill -9.
    Kill,
    /// SIGSTOP, later SIGCONT.
    Stop,
    /// SIGTERM: it may end in order.
    Term,
    /// A link behaves like this.
    Be(Manners),
}

impl Fault {
    /// As the table counts it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kill => "kill -9",
            Self::Stop => "SIGSTOP",
            Self::Term => "SIGTERM",
            Self::Be(Manners::Honest) => "honest",
            Self::Be(Manners::Late(_)) => "late",
            Self::Be(Manners::Bursts(..)) => "bursts",
            Self::Be(Manners::Drip(_)) => "drip",
            Self::Be(Manners::Silent) => "silent",
            Self::Be(Manners::Reset) => "reset",
            Self::Be(Manners::CaptivePortal) => "captive portal",
        }
    }
}

/// One thing that goes wrong for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When, milliseconds after the beginning.
    pub at_ms: u64,
    /// What is hit.
    pub target: Target,
    /// How.
    pub fault: Fault,
    /// How long until it is made good.
    pub for_ms: u64,
}

const LATE: Manners = Manners::Late(Duration::from_millis(400));
const BURSTS: Manners = Manners::Bursts(Duration::from_millis(2_000), Duration::from_millis(500));
const DRIP: Manners = Manners::Drip(6_000);

/// The shape of a run.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How long faults may begin and last, milliseconds.
    pub length_ms: u64,
    /// How many rigs there are.
    pub rigs: usize,
}

/// What goes wrong in a run with this seed.
#[must_use]
pub fn plan(seed: u64, shape: Shape) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut steps = Vec::new();
    let mut pack = Vec::new();
    let mut at_ms = 1_500;
    loop {
        if pack.is_empty() {
            pack = shuffled(&mut random, steps.is_empty(), shape.rigs);
        }
        let (target, fault) = pack.pop().unwrap_or((Target::Service, Fault::Kill));
        let for_ms = lasting(&mut random, shape.length_ms);
        if at_ms + for_ms > shape.length_ms {
            return steps;
        }
        steps.push(Step { at_ms, target, fault, for_ms });
        // One in four comes together with the next.
        at_ms += if random.u8(..4) == 0 { random.u64(..300) } else { random.u64(1_500..5_500) };
    }
}

/// Short as a rule; in a long run sometimes as long as it takes to find out that a link is dead.
fn lasting(random: &mut fastrand::Rng, length_ms: u64) -> u64 {
    if length_ms >= 240_000 && random.u8(..12) == 0 { random.u64(10_000..40_000) } else { random.u64(300..6_000) }
}

fn shuffled(random: &mut fastrand::Rng, is_first: bool, rigs: usize) -> Vec<(Target, Fault)> {
    let mut rig = || random.usize(..rigs);
    let mut first = vec![
        (Target::Service, Fault::Kill),
        (Target::Service, Fault::Stop),
        (Target::Service, Fault::Term),
        (Target::Agent(rig()), Fault::Kill),
        (Target::Agent(rig()), Fault::Stop),
        (Target::Postgres, Fault::Kill),
        (Target::Postgres, Fault::Stop),
        (Target::Link(rig()), Fault::Be(Manners::Silent)),
        (Target::Link(rig()), Fault::Be(Manners::Reset)),
        (Target::Link(rig()), Fault::Be(Manners::CaptivePortal)),
    ];
    let mut others = vec![
        (Target::Service, Fault::Kill),
        (Target::Agent(rig()), Fault::Kill),
        (Target::Agent(rig()), Fault::Term),
        (Target::Postgres, Fault::Term),
        (Target::Redis, Fault::Kill),
        (Target::Redis, Fault::Stop),
        (Target::Game(rig()), Fault::Kill),
        (Target::Link(rig()), Fault::Be(LATE)),
        (Target::Link(rig()), Fault::Be(BURSTS)),
        (Target::Link(rig()), Fault::Be(DRIP)),
        (Target::DatabaseLink, Fault::Be(LATE)),
        (Target::DatabaseLink, Fault::Be(Manners::Silent)),
        (Target::DatabaseLink, Fault::Be(Manners::Reset)),
    ];
    if !is_first {
        others.append(&mut first);
    }
    random.shuffle(&mut first);
    random.shuffle(&mut others);
    // Dealt from the end.
    others.append(&mut first);
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_plan_and_it_ends_in_time() {
        let shape = Shape { length_ms: 60_000, rigs: 3 };
        assert_eq!(plan(7, shape), plan(7, shape));
        assert_ne!(plan(7, shape), plan(8, shape));
        for seed in 0..200 {
            for step in plan(seed, shape) {
                assert!(step.at_ms + step.for_ms <= shape.length_ms, "{step:?}");
            }
        }
    }

    #[test]
    fn a_minute_meets_the_kinds_that_matter() {
        for seed in 0..200 {
            let steps = plan(seed, Shape { length_ms: 60_000, rigs: 3 });
            assert!(steps.len() >= 8, "seed {seed}: {steps:?}");
        }
        let steps = plan(1, Shape { length_ms: 600_000, rigs: 4 });
        let kinds: std::collections::BTreeSet<_> = steps.iter().map(|s| s.fault.name()).collect();
        assert_eq!(kinds.len(), 9, "{kinds:?}");
    }
}
