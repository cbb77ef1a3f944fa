//! F1 25 as programs see it: UDP datagrams of format 2025, each packet at its own rate.
//!
//! [`Face::due`] is pure: it says which datagrams are due at a time; `game` sends them. While the game is paused, at the
//! menu or gone, nothing is sent.

mod cars;
pub(crate) mod packet;
mod session;

use packet::{Frame, Id, Packet, SLOTS};

use crate::model::world::{Happening, World};

/// Times, in ms of the wall clock, at which each kind is due next.
#[derive(Debug, Default)]
struct Due {
    frame: f64,
    tenth: f64,
    half: f64,
    participants: f64,
    cycle: f64,
    second: f64,
    classification: f64,
}

/// The sender's side of the interface.
#[derive(Debug)]
pub(crate) struct Face {
    rate_hz: u32,
    due: Due,
    overall: u32,
    /// Car whose history comes next.
    cycle: usize,
    uid: u64,
    over: bool,
}

/// Is it time? Moves on to the next time if so, without catching up on what was missed.
fn ripe(next_ms: &mut f64, now_ms: f64, every_ms: f64) -> bool {
    if now_ms < *next_ms {
        return false;
    }
    *next_ms = if now_ms - *next_ms > every_ms { now_ms + every_ms } else { *next_ms + every_ms };
    true
}

impl Face {
    pub(crate) fn new(rate_hz: u32) -> Self {
        Self { rate_hz, due: Due::default(), overall: 0, cycle: 0, uid: 0, over: false }
    }

    /// Frames of the session's time: a flashback takes them back by itself.
    fn frame(&self, world: &World) -> Frame {
        Frame { identifier: (world.session.now_ms * u64::from(self.rate_hz) / 1_000) as u32, overall: self.overall }
    }

    /// A jump back in time, told with the frame and session time that are gone back to.
    pub(crate) fn flashback(&self, world: &World) -> Vec<u8> {
        let frame = self.frame(world);
        let mut details = frame.identifier.to_le_bytes().to_vec();
        details.extend_from_slice(&(world.session.now_s() as f32).to_le_bytes());
        event(world, frame, *b"FLBK", &details)
    }

    /// Everything that is to be sent at `now_ms` of the wall clock.
    pub(crate) fn due(&mut self, world: &World, now_ms: f64) -> Vec<Vec<u8>> {
        let mut out: Vec<Vec<u8>> = Vec::new();
        if self.uid != world.session.uid {
            self.uid = world.session.uid;
            self.due = Due { classification: f64::MAX, ..Due::default() };
            self.over = false;
        }
        let mut frame = self.frame(world);
        out.extend(world.happenings.iter().filter_map(|happening| happened(world, frame, happening)));
        if ripe(&mut self.due.participants, now_ms, 5_000.0) {
            out.push(session::participants(world, frame));
        }
        if ripe(&mut self.due.half, now_ms, 500.0) {
            // Restricted people exist online only.
            out.push(session::session(world, frame, true));
            out.push(cars::setups(world, frame));
        }
        if ripe(&mut self.due.frame, now_ms, 1_000.0 / f64::from(self.rate_hz)) {
            self.overall += 1;
            frame = self.frame(world);
            out.push(cars::motion(world, frame));
            out.push(session::lap_data(world, frame));
            out.push(cars::telemetry(world, frame));
            out.push(cars::status(world, frame));
            out.push(cars::motion_ex(world, frame));
        }
        if ripe(&mut self.due.tenth, now_ms, 100.0) {
            out.push(cars::damage(world, frame));
        }
        if ripe(&mut self.due.cycle, now_ms, 50.0) {
            self.cycle = (self.cycle + 1) % world.cars.len().min(SLOTS);
            out.push(session::history(world, frame, self.cycle));
            out.push(session::tyre_sets(world, frame, self.cycle));
        }
        if ripe(&mut self.due.second, now_ms, 1_000.0) {
            out.push(session::lap_positions(world, frame));
        }
        if world.happenings.contains(&Happening::SessionEnded) {
            self.over = true;
            self.due.classification = now_ms;
        }
        if self.over && ripe(&mut self.due.classification, now_ms, 5_000.0) {
            out.push(session::final_classification(world, frame));
            // The results screen brings every car's history at once.
            out.extend((0..world.cars.len().min(SLOTS)).map(|slot| session::history(world, frame, slot)));
        }
        out
    }
}

fn event(world: &World, frame: Frame, code: [u8; 4], details: &[u8]) -> Vec<u8> {
    let mut packet = Packet::new(Id::Event, world, frame);
    packet.bytes(&code);
    packet.bytes(details);
    packet.finish()
}

fn happened(world: &World, frame: Frame, happening: &Happening) -> Option<Vec<u8>> {
    let shown = |car: &usize| *car < SLOTS;
    let (code, details): (&[u8; 4], Vec<u8>) = match happening {
        Happening::SessionStarted => (b"SSTA", Vec::new()),
        Happening::Green => (b"LGOT", Vec::new()),
        Happening::Chequered => (b"CHQF", Vec::new()),
        Happening::SessionEnded => (b"SEND", Vec::new()),
        Happening::FastestLap { car, lap_ms } if shown(car) => {
            let mut details = vec![*car as u8];
            details.extend_from_slice(&(*lap_ms as f32 / 1_000.0).to_le_bytes());
            (b"FTLP", details)
        }
        Happening::Contact { car, other, .. } if shown(car) && shown(other) => {
            (b"COLL", vec![*car as u8, *other as u8])
        }
        // A warning for running wide; a time penalty for too many of them.
        Happening::TrackLimits { car } if shown(car) => {
            (b"PENA", vec![5, 26, *car as u8, 255, 255, world.cars[*car].timing.laps as u8 + 1, 255])
        }
        Happening::Penalty { car, seconds } if shown(car) => {
            (b"PENA", vec![4, 21, *car as u8, 255, *seconds, world.cars[*car].timing.laps as u8 + 1, 255])
        }
        _ => return None,
    };
    Some(event(world, frame, *code, &details))
}

#[cfg(test)]
mod tests;
