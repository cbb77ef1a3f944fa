//! The `LMU_Data` image: bytes, with getters by offset and the parts that are not per car.
//!
//! The image keeps what the game keeps: text in the scoring stream is never cleared, events are a list that ends with 16,
//! the slots of cars that are gone keep their bytes.

use super::layout::{
    APP_INFO, EVENT_SLOTS, EVENTS, FFB_TORQUE, GAME_VERSION, MAX_CARS, PATHS, SCORING_CAR_SIZE, SCORING_CARS,
    SCORING_INFO, SIZE, STREAM, STREAM_CAPACITY, STREAM_SIZE, TELEMETRY_CAR_SIZE, TELEMETRY_CARS, TELEMETRY_HEADER,
    app, info,
};
use super::{scoring, telemetry};
use crate::model::car::Place;
use crate::model::log::SessionKind;
use crate::model::world::{Happening, World};

/// Ids in `generic.events`.
mod event {
    pub(crate) const START_SESSION: u32 = 6;
    pub(crate) const END_SESSION: u32 = 7;
    pub(crate) const ENTER_REALTIME: u32 = 8;
    pub(crate) const EXIT_REALTIME: u32 = 9;
    pub(crate) const SCORING: u32 = 10;
    pub(crate) const TELEMETRY: u32 = 11;
    pub(crate) const UNLOAD: u32 = 5;
    pub(crate) const LOAD: u32 = 4;
    pub(crate) const FFB: u32 = 15;
    pub(crate) const END_OF_LIST: u32 = 16;
}

/// Where the driver is in the game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    MainMenu,
    /// A session is loaded; whether the driver sits in the car is the car's business.
    Session {
        paused: bool,
    },
}

/// The bytes, and which of them have changed since they were last taken.
#[derive(Debug)]
pub(crate) struct Image {
    bytes: Vec<u8>,
    dirty: Vec<std::ops::Range<usize>>,
    in_realtime: bool,
    loaded: bool,
}

impl Image {
    pub(crate) fn new(game_version: i32) -> Self {
        let mut image =
            Self { bytes: vec![0; SIZE], dirty: std::iter::once(0..SIZE).collect(), in_realtime: false, loaded: false };
        image.i32(GAME_VERSION, game_version);
        image.u64(APP_INFO + app::WINDOW, 0x000A_0B2C);
        image.u32(APP_INFO + app::WIDTH, 2_560);
        image.u32(APP_INFO + app::HEIGHT, 1_440);
        image.u32(APP_INFO + app::REFRESH, 144);
        image.text(PATHS, 260, r"C:\Games\Le Mans Ultimate\UserData\");
        image.text(PATHS + 260, 260, r"C:\Games\Le Mans Ultimate\UserData\player\CustomVariables\");
        image.text(PATHS + 520, 260, r"C:\Games\Le Mans Ultimate\UserData\Log\Results\");
        image.text(PATHS + 780, 260, r"C:\Games\Le Mans Ultimate\UserData\player\");
        image.text(PATHS + 1_040, 260, r"C:\Games\Le Mans Ultimate\Plugins\");
        image.events(&[]);
        image
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The parts that have changed since the last call.
    pub(crate) fn take_dirty(&mut self) -> Vec<std::ops::Range<usize>> {
        std::mem::take(&mut self.dirty)
    }

    /// Shows the world: telemetry always, scoring when it is due.
    pub(crate) fn show(&mut self, world: &World, screen: Screen, scoring_due: bool) {
        let (realtime, loaded) = match screen {
            Screen::MainMenu => (false, false),
            Screen::Session { .. } => (world.player_car().place != Place::Garage, true),
        };
        let mut fired = vec![event::FFB];
        if loaded != self.loaded {
            fired.push(if loaded { event::LOAD } else { event::UNLOAD });
        }
        if realtime != self.in_realtime {
            fired.push(if realtime { event::ENTER_REALTIME } else { event::EXIT_REALTIME });
        }
        for happening in &world.happenings {
            match happening {
                Happening::SessionStarted => fired.push(event::START_SESSION),
                Happening::SessionEnded => fired.push(event::END_SESSION),
                _ => {}
            }
        }
        let turned = loaded != self.loaded || realtime != self.in_realtime;
        (self.in_realtime, self.loaded) = (realtime, loaded);
        self.application(realtime, loaded);
        if loaded {
            self.stream(world);
            if scoring_due || turned {
                fired.push(event::SCORING);
                self.scoring(world, screen);
            }
            fired.push(event::TELEMETRY);
            self.telemetry(world);
        } else if turned {
            self.clear_session();
        }
        self.f32(FFB_TORQUE, if realtime { (world.player_car().steering * 0.8) as f32 } else { 0.0 });
        self.events(&fired);
        self.dirty.push(0..PATHS);
    }

    fn events(&mut self, fired: &[u32]) {
        for slot in 0..EVENT_SLOTS {
            let id = fired.get(slot).filter(|_| slot + 1 < EVENT_SLOTS).copied().unwrap_or(event::END_OF_LIST);
            self.u32(EVENTS + 4 * slot, id);
        }
    }

    fn application(&mut self, realtime: bool, loaded: bool) {
        let (location, page) = match (loaded, realtime) {
            (false, _) => (0, "main"),
            (true, false) => (2, "garage"),
            (true, true) => (3, ""),
        };
        self.u8(APP_INFO + app::OPTIONS_LOCATION, location);
        self.text(APP_INFO + app::OPTIONS_PAGE, 31, page);
    }

    fn scoring(&mut self, world: &World, screen: Screen) {
        self.scoring_info(world, screen);
        let cars = world.cars.len().min(MAX_CARS);
        for (slot, car) in world.cars.iter().take(cars).enumerate() {
            scoring::write(self, SCORING_CARS + slot * SCORING_CAR_SIZE, world, car, slot == world.player);
        }
        self.dirty.push(SCORING_INFO..SCORING_CARS + cars * SCORING_CAR_SIZE);
    }

    fn scoring_info(&mut self, world: &World, screen: Screen) {
        let (session, weather, at) = (&world.session, &world.weather, SCORING_INFO);
        self.text(at + info::TRACK, 64, world.track.name);
        self.i32(at + info::SESSION, lmu_session(session.kind));
        self.f64(at + info::NOW, session.now_s());
        self.f64(at + info::END, session.end_ms().map_or(0.0, |end| end as f64 / 1_000.0));
        self.i32(at + info::MAX_LAPS, session.max_laps().map_or(i32::MAX, |laps| laps as i32));
        self.f64(at + info::LAP_DISTANCE, world.track.length_m);
        self.i32(at + info::CARS, world.cars.len().min(MAX_CARS) as i32);
        let paused = screen == Screen::Session { paused: true };
        self.u8(at + info::PHASE, if paused { 9 } else { session.lmu_phase() });
        self.u8(at + info::YELLOW, 0);
        for sector in 0..3 {
            let yellow = session.yellow_until_ms[sector] > session.now_ms;
            self.u8(at + info::SECTOR_FLAGS + sector, if yellow { 1 } else { 11 });
        }
        self.u8(at + info::RED_LIGHTS, 5);
        self.u8(at + info::IN_REALTIME, u8::from(self.in_realtime));
        self.text(at + info::PLAYER_NAME, 32, world.player_car().driver_name());
        self.text(at + info::PLAYER_FILE, 64, "Settings");
        self.f64(at + info::DARK_CLOUD, weather.cloud);
        self.f64(at + info::RAINING, weather.rain);
        self.f64(at + info::AMBIENT, weather.ambient_c);
        self.f64(at + info::TRACK_TEMP, weather.track_c);
        self.vector(at + info::WIND, weather.wind_mps);
        let (driest, wettest) = weather.wetness_range();
        self.f64(at + info::WETNESS_MIN, driest);
        self.f64(at + info::WETNESS_MAX, wettest);
        self.f64(at + info::WETNESS_AVG, weather.wetness);
        self.text(at + info::SERVER_NAME, 32, "-none-");
        self.f32(at + info::START_OF_DAY, session.start_of_day_s as f32);
        self.f32(at + info::REMAINING, session.remaining_s().unwrap_or(-1.0) as f32);
        self.f32(at + info::TIME_OF_DAY, (session.start_of_day_s + session.now_s()) as f32);
        self.u8(at + info::FIXED_SETUP, 0);
        self.u8(at + info::GRIP_LEVEL, 2);
        self.u8(at + info::CLOUDS, weather.cloud_coverage());
        self.u8(at + info::STEPS_PER_PENALTY, 20);
        self.u8(at + info::STEPS_PER_POINT, 4);
    }

    fn telemetry(&mut self, world: &World) {
        let order = telemetry::order(world);
        let player = order.iter().position(|car| *car == world.player).unwrap_or(0);
        self.u8(TELEMETRY_HEADER, order.len() as u8);
        self.u8(TELEMETRY_HEADER + 1, player as u8);
        self.u8(TELEMETRY_HEADER + 2, 1);
        for (slot, car) in order.iter().enumerate() {
            telemetry::write(self, TELEMETRY_CARS + slot * TELEMETRY_CAR_SIZE, world, *car);
        }
        self.dirty.push(TELEMETRY_HEADER..TELEMETRY_CARS + order.len() * TELEMETRY_CAR_SIZE);
    }

    /// Back at the main menu: no cars, no session; the rest stays as it was.
    fn clear_session(&mut self) {
        self.i32(SCORING_INFO + info::CARS, 0);
        self.u8(SCORING_INFO + info::IN_REALTIME, 0);
        self.bytes[TELEMETRY_HEADER..TELEMETRY_HEADER + 4].fill(0);
        self.dirty.push(SCORING_INFO..SCORING_CARS);
        self.dirty.push(TELEMETRY_HEADER..TELEMETRY_CARS);
    }

    /// Appends what race control and the physics had to say. Nothing is cleared until the buffer is full.
    fn stream(&mut self, world: &World) {
        let lines: String = world.happenings.iter().filter_map(|happening| scoring::line(world, happening)).collect();
        if lines.is_empty() {
            return;
        }
        let mut used = self.read_u64(STREAM_SIZE) as usize;
        if used + lines.len() >= STREAM_CAPACITY {
            used = 0;
        }
        self.bytes[STREAM + used..STREAM + used + lines.len()].copy_from_slice(lines.as_bytes());
        self.u64(STREAM_SIZE, (used + lines.len()) as u64);
        self.dirty.push(STREAM_SIZE..SCORING_CARS);
        self.dirty.push(STREAM + used..STREAM + used + lines.len());
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, at: usize, value: u8) {
        self.bytes[at] = value;
    }

    pub(crate) fn i16(&mut self, at: usize, value: i16) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn i32(&mut self, at: usize, value: i32) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn f32(&mut self, at: usize, value: f32) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, at: usize, value: f64) {
        self.put(at, &value.to_le_bytes());
    }

    pub(crate) fn vector(&mut self, at: usize, value: [f64; 3]) {
        for (axis, number) in value.into_iter().enumerate() {
            self.f64(at + 8 * axis, number);
        }
    }

    /// Text with a zero at its end, cut between characters where it is too long.
    pub(crate) fn text(&mut self, at: usize, room: usize, text: &str) {
        let mut end = text.len().min(room - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.bytes[at..at + room].fill(0);
        self.put(at, &text.as_bytes()[..end]);
    }

    fn read_u64(&self, at: usize) -> u64 {
        let mut raw = [0; 8];
        raw.copy_from_slice(&self.bytes[at..at + 8]);
        u64::from_le_bytes(raw)
    }
}

/// `mSession`: 1–4 practice, 5–8 qualifying, 10–13 race.
fn lmu_session(kind: SessionKind) -> i32 {
    match kind {
        SessionKind::Practice => 1,
        SessionKind::Qualifying => 5,
        SessionKind::Race => 10,
    }
}

#[cfg(test)]
mod tests;
