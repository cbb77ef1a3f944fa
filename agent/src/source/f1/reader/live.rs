//! One session while it runs: takes its packets and says what they mean together.
//!
//! Invariants: packets of a frame older than the one that is arriving are ignored, and of the slower ones what is older
//! than the last of its kind; nothing is said before the session was
//! told; what was concluded from a change is forgotten when the game goes back in time.

use super::super::format::Identity;
use super::super::packet::{
    Body, CARS, CarDamage, CarSetup, CarStatus, FinalClassification, Header, LapData, Participants, Session,
};
use super::laps::LapTracker;
use super::phase::PhaseTracker;
use super::pits::{self, PitTracker};
use super::sample::{self, Frame};
use super::{info, standings};
use crate::raw::Stamp;
use crate::reading::Reading;
use onelap_protocol::Sample;
use onelap_protocol::channel::Channel;
use onelap_protocol::race::{GameState, SessionInfo};

/// How long the names of the cars are waited for before the session is told without them.
const NAMES_MS: u64 = 1000;
/// A frame so long after the last that was taken is a new beginning, whatever its number.
const STUCK_MS: u64 = 2000;
/// How long the last laps are waited for after the end.
const ENDING_MS: u64 = 5000;

/// One slot's trackers.
#[derive(Debug, Default)]
pub struct Car {
    /// Laps.
    pub laps: LapTracker,
    /// Pits.
    pub pits: PitTracker,
}

/// A running session.
#[derive(Debug)]
pub struct Live {
    /// Its identifier.
    pub uid: u64,
    /// Session time of the last packet.
    pub time_s: f64,
    /// Last packet of its kind.
    pub session: Option<Session>,
    /// Last packet of its kind.
    pub participants: Option<Participants>,
    /// Last packet of its kind.
    pub laps: Option<[LapData; CARS]>,
    /// Places of the cars: east and south.
    pub places: Option<[[f32; 2]; CARS]>,
    /// By slot.
    pub cars: [Car; CARS],
    pub(super) header: Header,
    pub(super) first_ms: u64,
    pub(super) told: Option<SessionInfo>,
    pub(super) speeds_kmh: Option<[u16; CARS]>,
    pub(super) status: Option<[CarStatus; CARS]>,
    pub(super) damage: Option<CarDamage>,
    pub(super) setup: Option<CarSetup>,
    /// Frames of the last packets of the [`slow`] kinds.
    pub(super) newest: [u32; SLOW],
    pub(super) frame: Option<Frame>,
    pub(super) frame_ms: u64,
    pub(super) resync: bool,
    pub(super) phase: PhaseTracker,
    pub(super) standings_ms: Option<u64>,
    pub(super) ended_ms: Option<u64>,
    pub(super) result: Option<FinalClassification>,
}

impl Live {
    /// A session of which the first packet has this header.
    #[must_use]
    pub fn new(header: &Header, at: Stamp) -> Self {
        Self {
            uid: header.session_uid,
            time_s: 0.0,
            session: None,
            participants: None,
            laps: None,
            places: None,
            cars: Default::default(),
            header: *header,
            first_ms: at.mono_ms,
            told: None,
            speeds_kmh: None,
            status: None,
            damage: None,
            setup: None,
            newest: [0; SLOW],
            frame: None,
            frame_ms: at.mono_ms,
            resync: false,
            phase: PhaseTracker::default(),
            standings_ms: None,
            ended_ms: None,
            result: None,
        }
    }

    /// Takes a packet of this session.
    pub fn take(&mut self, at: Stamp, identity: &Identity, body: &Body, out: &mut Vec<Reading>) {
        if !self.is_newest(at, &identity.header, body, out) {
            return;
        }
        match body {
            Body::Motion(motion) => {
                self.places = Some(motion.cars.map(|car| [car.position_x_m, car.position_z_m]));
                self.fill(|sample, slot| sample::motion(sample, &motion.cars[slot]));
            }
            Body::Session(session) => {
                self.session = Some(*session);
                self.phase.session(session);
                self.tell_info(out);
            }
            Body::LapData(laps) => self.take_laps(at, laps, out),
            Body::Event(packet) => self.take_event(at, &packet.event, time_s(&identity.header), out),
            Body::Participants(participants) => {
                self.participants = Some(*participants);
                self.tell_info(out);
            }
            Body::CarSetups(setups) => self.take_setup(&setups.cars, out),
            Body::CarTelemetry(telemetry) => {
                self.speeds_kmh = Some(telemetry.cars.map(|car| car.speed_kmh));
                self.fill(|sample, slot| sample::telemetry(sample, &telemetry.cars[slot]));
            }
            Body::CarStatus(status) => {
                self.status = Some(status.cars);
                self.fill(|sample, slot| sample::status(sample, &status.cars[slot]));
            }
            Body::FinalClassification(result) => {
                self.ended_ms.get_or_insert(at.mono_ms);
                self.result = Some(*result);
            }
            Body::CarDamage(damage) => {
                self.damage = self.own().map(|slot| damage.cars[slot]);
            }
            Body::SessionHistory(history) => {
                let (slot, time_s) = (usize::from(history.car), self.time_s);
                let mut corrected = Vec::new();
                if let (Some(car), true) = (self.cars.get_mut(slot), self.told.is_some()) {
                    car.laps.correct(history, time_s, |done| corrected.push(done.clone()));
                }
                out.extend(corrected.iter().map(|done| self.lap(slot, done)));
            }
            Body::MotionEx(motion) => self.fill(|sample, _| sample::motion_ex(sample, motion)),
            Body::LobbyInfo(_) | Body::TyreSets(_) | Body::TimeTrial(_) | Body::LapPositions(_) => {}
        }
        if self.frame.as_ref().is_some_and(|frame| frame.have == sample::WHOLE) {
            self.finish_frame(out);
        }
        self.tell_phase(out);
        self.tick(at, out);
    }

    /// Time has passed: the session is told, also without the names of the cars.
    pub fn tick(&mut self, at: Stamp, out: &mut Vec<Reading>) {
        let waited = at.mono_ms.saturating_sub(self.first_ms) >= NAMES_MS;
        let Some(session) = self.session.as_ref().filter(|_| self.told.is_none()) else { return };
        if self.participants.is_some() || waited {
            let info = info::info(&self.header, session, self.participants.as_ref(), at.unix_ms);
            out.push(Reading::SessionStarted(Box::new(info.clone())));
            self.told = Some(info);
            self.tell_phase(out);
        }
    }

    /// Whether nothing more is to be expected of it.
    #[must_use]
    pub fn is_over(&self, at: Stamp) -> bool {
        let all_told = || {
            let result = self.result.as_ref()?;
            Some(self.cars.iter().zip(result.cars.iter()).all(|(car, end)| car.laps.is_told_up_to(end.laps)))
        };
        self.ended_ms
            .is_some_and(|ended_ms| all_told().unwrap_or(false) || at.mono_ms.saturating_sub(ended_ms) >= ENDING_MS)
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// The last word about the field.
    pub fn last_standings(&self, out: &mut Vec<Reading>) {
        let standings = standings::standings(self, self.phase.now(self.time_s));
        out.extend(standings.map(|standings| Reading::Standings(Box::new(standings))));
    }

    /// What the game is doing; `None` while the packets have not said.
    #[must_use]
    pub fn state(&self) -> Option<GameState> {
        let session = self.session.as_ref()?;
        let laps = self.laps.as_ref()?;
        let lap = self.own().map(|slot| &laps[slot]);
        let network_paused =
            self.own().zip(self.status.as_ref()).is_some_and(|(slot, status)| status[slot].network_paused);
        Some(match lap {
            _ if session.game_paused || network_paused => GameState::Paused,
            _ if session.is_spectating => GameState::Spectating,
            Some(lap) if lap.is_car() && lap.driver_status.0 != 0 => GameState::OnTrack,
            _ => GameState::Garage,
        })
    }

    /// The compound on a car, as the game names it.
    #[must_use]
    pub fn compound(&self, slot: usize) -> Option<String> {
        self.status.as_ref().and_then(|status| status[slot].visual_compound.name()).map(str::to_owned)
    }

    pub(super) fn own(&self) -> Option<usize> {
        Some(usize::from(self.header.player_car_index)).filter(|&slot| slot < CARS)
    }

    /// Whether a packet is the newest of its kind; one of a frame also goes on to its frame.
    fn is_newest(&mut self, at: Stamp, header: &Header, body: &Body, out: &mut Vec<Reading>) -> bool {
        let overall = header.overall_frame_identifier;
        let is_stuck = at.mono_ms.saturating_sub(self.frame_ms) >= STUCK_MS;
        match bit(body) {
            0 => {
                let Some(newest) = slow(body).and_then(|kind| self.newest.get_mut(kind)) else { return true };
                let is_old = overall < *newest && !is_stuck;
                *newest = if is_old { *newest } else { overall };
                !is_old
            }
            bit => self.enter_frame(at, header, bit, is_stuck, out),
        }
    }

    /// Goes on to the frame of a packet; false where the packet is older than the frame that is arriving.
    fn enter_frame(&mut self, at: Stamp, header: &Header, bit: u8, is_stuck: bool, out: &mut Vec<Reading>) -> bool {
        let overall = header.overall_frame_identifier;
        let arriving = self.frame.as_ref();
        if arriving.is_some_and(|frame| overall < frame.overall) && !is_stuck {
            return false;
        }
        if arriving.is_none_or(|frame| overall > frame.overall || frame.have & bit != 0 || is_stuck) {
            self.finish_frame(out);
            self.frame = Some(Frame::new(overall, at.unix_ms));
            // Back on the same road: a flashback.
            self.resync |= header.frame_identifier < self.header.frame_identifier;
        }
        self.frame_ms = at.mono_ms;
        self.header = *header;
        self.time_s = time_s(header);
        if let Some(frame) = &mut self.frame {
            frame.have |= bit;
        }
        true
    }

    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut Sample, usize)) {
        if let (Some(slot), Some(frame)) = (self.own(), &mut self.frame) {
            fill(&mut frame.sample, slot);
        }
    }

    /// Says the frame's sample, once.
    fn finish_frame(&mut self, out: &mut Vec<Reading>) {
        // A slot without a car is all zeros.
        let has_car = self.own().zip(self.laps.as_ref()).is_some_and(|(slot, laps)| laps[slot].is_car());
        let is_ours = has_car && self.state().is_some_and(|state| state != GameState::Spectating);
        let is_told = self.told.is_some() && self.ended_ms.is_none();
        let Some(frame) = self.frame.as_mut().filter(|frame| frame.have != 0 && !frame.told) else { return };
        frame.told = true;
        let (mut sample, have) = (frame.sample.clone(), frame.have);
        if let Some(slot) = self.own().filter(|_| is_ours && is_told) {
            self.fill_slow(&mut sample, slot, have);
            out.push(Reading::Sample(Box::new(sample)));
        }
    }

    fn fill_slow(&self, sample: &mut Sample, slot: usize, have: u8) {
        sample.set(Channel::SessionTime, self.time_s);
        sample.set(Channel::PitState, pits::code(self.cars[slot].pits.state()).into());
        if let Some(session) = &self.session {
            sample::session(sample, session);
        }
        if let Some(damage) = &self.damage {
            sample::damage(sample, damage);
        }
        let status = self.status.as_ref().filter(|_| have & sample::STATUS != 0).map(|status| &status[slot]);
        let lap = self.laps.as_ref().filter(|_| have & sample::LAP_DATA != 0).map(|laps| &laps[slot]);
        if let Some(status) = status {
            sample.set_opt(Channel::Flag, sample::flag(status.fia_flag, self.phase.is_red()));
        }
        if let (Some(status), Some(lap), Some(session)) = (status, lap, &self.session) {
            sample.set_opt(Channel::FuelLapsLeft, sample::fuel_laps(status, lap, session));
        }
    }
}

fn time_s(header: &Header) -> f64 {
    if header.session_time_s.is_finite() { header.session_time_s.into() } else { 0.0 }
}

/// Number of kinds of [`slow`].
const SLOW: usize = 4;

/// Which of the kinds a packet is that are sent now and then, and of which only the newest counts.
fn slow(body: &Body) -> Option<usize> {
    match body {
        Body::Session(_) => Some(0),
        Body::Participants(_) => Some(1),
        Body::CarSetups(_) => Some(2),
        Body::CarDamage(_) => Some(3),
        _ => None,
    }
}

/// The bit of a packet that is sent once a frame.
fn bit(body: &Body) -> u8 {
    match body {
        Body::Motion(_) => sample::MOTION,
        Body::LapData(_) => sample::LAP_DATA,
        Body::CarTelemetry(_) => sample::TELEMETRY,
        Body::CarStatus(_) => sample::STATUS,
        Body::MotionEx(_) => sample::MOTION_EX,
        _ => 0,
    }
}
