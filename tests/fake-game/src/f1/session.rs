//! The packets about the session and its laps: who drives, how far they are, what they have done.

use super::cars::{compound, human, restricted};
use super::packet::{Frame, Id, Packet, SLOTS};
use crate::model::car::{Car, Place};
use crate::model::log::SessionKind;
use crate::model::session::Phase;
use crate::model::timing::LapTimes;
use crate::model::track::TrackKind;
use crate::model::world::World;

/// Session types of formats 2024 and later.
fn session_type(kind: SessionKind) -> u8 {
    match kind {
        SessionKind::Practice => 1,
        SessionKind::Qualifying => 5,
        SessionKind::Race => 15,
    }
}

pub(crate) fn session(world: &World, frame: Frame, online: bool) -> Vec<u8> {
    let mut packet = Packet::new(Id::Session, world, frame);
    let (session, weather, track) = (&world.session, &world.weather, &world.track);
    packet.u8(weather.f1_code());
    packet.i8(weather.track_c.round() as i8);
    packet.i8(weather.ambient_c.round() as i8);
    packet.u8(session.max_laps().unwrap_or(if session.kind == SessionKind::Race { 99 } else { 1 }) as u8);
    packet.u16(track.length_m.round() as u16);
    packet.u8(session_type(session.kind));
    // Of the game's circuits, the one whose lap is about as long.
    packet.i8(match track.kind {
        TrackKind::Long => 14,
        TrackKind::Short => 5,
    });
    packet.u8(0);
    packet.u16(session.remaining_s().unwrap_or(0.0).min(65_535.0) as u16);
    packet.u16(session.end_ms().map_or(0, |end| ((end - session.green_ms) / 1_000).min(65_535)) as u16);
    packet.u8((track.pit.limit_mps * 3.6).round() as u8);
    packet.zeros(4);
    marshal_zones(&mut packet, world);
    packet.u8(if session.phase == Phase::Formation { 3 } else { 0 });
    packet.u8(u8::from(online));
    forecast(&mut packet, world);
    packet.u8(1);
    packet.u8(90);
    for link in [0x0A0B_0C01_u32, 0x0A0B_0C02, 0x0A0B_0C03] {
        packet.u32(link + session.index);
    }
    packet.zeros(3);
    // Assists, racing line, then game mode and rule set.
    for byte in [0, 0, 1, 0, 0, 0, 0, 0, 0, if online { 7 } else { 4 }, u8::from(session.kind == SessionKind::Race)] {
        packet.u8(byte);
    }
    packet.u32(((session.start_of_day_s + session.now_s()) / 60.0) as u32);
    // Session length, units, safety cars, then the rules.
    for byte in [4, 1, 0, 1, 0, 0, 0, 0, 0, 1, 2, 1, 1, 0, 1, 0, 3, 1, 2, 0, 0, 0, 0, 1, 1, 2, 0, 1, 0, 1, 0, 0] {
        packet.u8(byte);
    }
    packet.u8(3);
    packet.bytes(&[1, 5, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for end in track.sector_ends_m {
        packet.f32(end);
    }
    packet.finish()
}

fn marshal_zones(packet: &mut Packet, world: &World) {
    const ZONES: usize = 12;
    packet.u8(ZONES as u8);
    for zone in 0..21 {
        if zone >= ZONES {
            packet.zeros(5);
            continue;
        }
        let start = zone as f64 / ZONES as f64;
        let sector = world.track.sector_at(start * world.track.length_m);
        packet.f32(start);
        packet.i8(if world.session.yellow_until_ms[sector] > world.session.now_ms { 3 } else { 0 });
    }
}

fn forecast(packet: &mut Packet, world: &World) {
    const SAMPLES: usize = 5;
    packet.u8(SAMPLES as u8);
    for sample in 0..64 {
        if sample >= SAMPLES {
            packet.zeros(8);
            continue;
        }
        packet.u8(session_type(world.session.kind));
        packet.u8([0, 5, 10, 15, 30][sample]);
        packet.u8(world.weather.f1_code());
        packet.i8(world.weather.track_c.round() as i8);
        packet.i8(2);
        packet.i8(world.weather.ambient_c.round() as i8);
        packet.i8(2);
        packet.u8((world.weather.rain * 100.0) as u8);
    }
}

pub(crate) fn lap_data(world: &World, frame: Frame) -> Vec<u8> {
    let mut packet = Packet::new(Id::LapData, world, frame);
    for slot in 0..SLOTS {
        match world.cars.get(slot) {
            Some(car) => lap_data_of(&mut packet, world, car),
            None => packet.zeros(57),
        }
    }
    packet.u8(255);
    packet.u8(255);
    packet.finish()
}

fn lap_data_of(packet: &mut Packet, world: &World, car: &Car) {
    let (timing, session) = (&car.timing, &world.session);
    packet.u32(timing.last.map_or(0, LapTimes::lap_ms));
    packet.u32(session.now_ms.saturating_sub(timing.lap_start_ms) as u32);
    let [one, two] = timing.current_sectors_ms();
    packet.split_ms(one.unwrap_or(0));
    packet.split_ms(two.map_or(0, |two| two - one.unwrap_or(0)));
    packet.split_ms((car.gaps.to_next_s * 1_000.0) as u32);
    packet.split_ms((car.gaps.to_leader_s * 1_000.0) as u32);
    packet.f32(car.s_m);
    packet.f32(f64::from(timing.laps) * world.track.length_m + car.s_m);
    packet.f32(0.0);
    packet.u8(car.position as u8);
    packet.u8((timing.laps + 1).min(255) as u8);
    packet.u8(match car.place {
        Place::Track => 0,
        Place::Entering | Place::Exiting => 1,
        Place::Stopped | Place::Garage => 2,
    });
    packet.u8(car.pit.stops.min(255) as u8);
    packet.u8(world.track.sector_at(car.s_m.rem_euclid(world.track.length_m)) as u8);
    packet.u8(u8::from(!timing.valid));
    packet.u8((car.penalties * 5).min(255) as u8);
    packet.u8((car.track_limit_steps / 2) as u8);
    packet.u8((car.track_limit_steps / 2) as u8);
    packet.zeros(2);
    packet.u8(car.grid as u8);
    packet.u8(driver_status(car, session.kind));
    packet.u8(if car.finished_ms.is_some() { 3 } else { 2 });
    let stop = car.pit.stop.as_ref();
    let since = |from_ms: u64| session.now_ms.saturating_sub(from_ms).min(65_535) as u16;
    packet.u8(u8::from(stop.is_some()));
    packet.u16(stop.map_or(0, |stop| since(stop.enter_ms)));
    packet.u16(stop.filter(|_| car.place == Place::Stopped).map_or(0, |stop| since(stop.stop_ms)));
    packet.u8(0);
    packet.f32(car.top_speed_mps * 3.6);
    packet.u8(if timing.laps == 0 { 255 } else { timing.laps.min(254) as u8 });
}

/// 0 garage 1 flying lap 2 in lap 3 out lap 4 on track.
fn driver_status(car: &Car, kind: SessionKind) -> u8 {
    match (car.place, kind) {
        (Place::Garage, _) => 0,
        (_, SessionKind::Race) => 4,
        _ if car.pit.requested || car.timing.pit_in => 2,
        _ if car.timing.pit_out => 3,
        _ => 1,
    }
}

pub(crate) fn participants(world: &World, frame: Frame) -> Vec<u8> {
    const TEAMS: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    let mut packet = Packet::new(Id::Participants, world, frame);
    packet.u8(world.cars.len().min(SLOTS) as u8);
    for slot in 0..SLOTS {
        let Some(car) = world.cars.get(slot) else {
            packet.zeros(57);
            continue;
        };
        let person = human(world, slot);
        packet.u8(u8::from(!person));
        packet.u8(if person { 255 } else { 20 + slot as u8 });
        packet.u8(if person { slot as u8 } else { 255 });
        packet.u8(TEAMS[slot / 2 % TEAMS.len()]);
        packet.u8(0);
        packet.u8(car.entry.number as u8);
        packet.u8([63, 29, 64, 28, 10][slot % 5]);
        packet.text(32, car.driver_name());
        packet.u8(u8::from(!restricted(world, slot)));
        packet.u8(1);
        packet.u16(0);
        packet.u8(1);
        packet.u8(2);
        let shade = (slot * 11) as u8;
        packet.bytes(&[shade, 90, 200, 240, 240, 240, 0, 0, 0, 0, 0, 0]);
    }
    packet.finish()
}

pub(crate) fn history(world: &World, frame: Frame, slot: usize) -> Vec<u8> {
    const LAPS: usize = 100;
    let mut packet = Packet::new(Id::SessionHistory, world, frame);
    let car = &world.cars[slot];
    let laps = &car.timing.history[car.timing.history.len().saturating_sub(LAPS - 1)..];
    // Lap on which a time was best, counted from 1; 0 while there is none.
    let best = |part: &dyn Fn(&LapTimes) -> u32| {
        let timed = laps.iter().enumerate().filter(|(_, times)| times.lap_ms() > 0);
        timed.min_by_key(|(_, times)| part(times)).map_or(0, |(lap, _)| lap as u8 + 1)
    };
    packet.u8(slot as u8);
    packet.u8(laps.len() as u8 + 1);
    packet.u8(car.pit.stops.min(7) as u8 + 1);
    packet.u8(best(&|times| times.lap_ms()));
    for sector in 0..3 {
        packet.u8(best(&|times| times.sector_ms[sector]));
    }
    let [one, two] = car.timing.current_sectors_ms();
    let running = LapTimes { sector_ms: [one.unwrap_or(0), two.map_or(0, |two| two - one.unwrap_or(0)), 0] };
    for row in 0..LAPS {
        let (times, total, valid) = match laps.get(row) {
            Some(times) => (*times, times.lap_ms(), 0x0F),
            None if row == laps.len() => (running, 0, if car.timing.valid { 0x0F } else { 0x0E }),
            None => {
                packet.zeros(14);
                continue;
            }
        };
        packet.u32(total);
        for sector in times.sector_ms {
            packet.split_ms(sector);
        }
        packet.u8(valid);
    }
    let (actual, visual) = compound(car.compound);
    packet.bytes(&[255, actual, visual]);
    packet.finish()
}

pub(crate) fn tyre_sets(world: &World, frame: Frame, slot: usize) -> Vec<u8> {
    let mut packet = Packet::new(Id::TyreSets, world, frame);
    packet.u8(slot as u8);
    let car = &world.cars[slot];
    let fitted = (car.pit.stops as usize).min(12);
    for set in 0..20 {
        if restricted(world, slot) {
            packet.zeros(10);
            continue;
        }
        let (actual, visual) = if set < 13 {
            ([18, 19, 17][set % 3], [17, 18, 16][set % 3])
        } else if set < 17 {
            (7, 7)
        } else {
            (8, 8)
        };
        let wear = if set == fitted { (1.0 - car.corners[0].tread) * 100.0 } else { 0.0 };
        packet.u8(actual);
        packet.u8(visual);
        packet.u8(wear as u8);
        packet.u8(1);
        packet.u8(15);
        packet.u8(22);
        packet.u8(24);
        packet.i16(0);
        packet.u8(u8::from(set == fitted));
    }
    packet.u8(if restricted(world, slot) { 255 } else { fitted as u8 });
    packet.finish()
}

/// Positions at the end of each lap, the grid first; the last 50 rows.
pub(crate) fn lap_positions(world: &World, frame: Frame) -> Vec<u8> {
    const ROWS: usize = 50;
    let mut packet = Packet::new(Id::LapPositions, world, frame);
    let mut rows: Vec<[u8; SLOTS]> = vec![[0; SLOTS]];
    for (slot, car) in world.cars.iter().take(SLOTS).enumerate() {
        rows[0][slot] = car.grid as u8;
    }
    for lap in world.log.sessions.last().map(|session| session.laps.as_slice()).unwrap_or_default() {
        let Some(slot) = world.cars.iter().take(SLOTS).position(|car| car.entry.id == lap.car_id) else { continue };
        rows.resize(rows.len().max(lap.lap as usize + 1), [0; SLOTS]);
        rows[lap.lap as usize][slot] = lap.position as u8;
    }
    let first = rows.len().saturating_sub(ROWS);
    packet.u8((rows.len() - first) as u8);
    packet.u8(first.min(255) as u8);
    for row in &rows[first..] {
        packet.bytes(row);
    }
    packet.finish()
}

pub(crate) fn final_classification(world: &World, frame: Frame) -> Vec<u8> {
    const POINTS: [u8; 10] = [25, 18, 15, 12, 10, 8, 6, 4, 2, 1];
    let mut packet = Packet::new(Id::FinalClassification, world, frame);
    packet.u8(world.cars.len().min(SLOTS) as u8);
    for slot in 0..SLOTS {
        let Some(car) = world.cars.get(slot) else {
            packet.zeros(46);
            continue;
        };
        let (actual, visual) = compound(car.compound);
        packet.u8(car.position as u8);
        packet.u8(car.timing.laps.min(255) as u8);
        packet.u8(car.grid as u8);
        packet.u8(POINTS.get(car.position - 1).copied().unwrap_or(0));
        packet.u8(car.pit.stops as u8);
        packet.u8(3);
        packet.u8(2);
        packet.u32(car.timing.best.map_or(0, LapTimes::lap_ms));
        packet.f64(car.finished_ms.map_or(0.0, |at| at.saturating_sub(world.session.green_ms) as f64 / 1_000.0));
        packet.u8((car.penalties * 5).min(255) as u8);
        packet.u8(car.penalties.min(255) as u8);
        packet.u8(1);
        packet.bytes(&[actual, 0, 0, 0, 0, 0, 0, 0]);
        packet.bytes(&[visual, 0, 0, 0, 0, 0, 0, 0]);
        packet.bytes(&[car.timing.laps.min(255) as u8, 0, 0, 0, 0, 0, 0, 0]);
    }
    packet.finish()
}
