//! Datagrams read by bare offsets: sizes, header, and the fields that are easy to get wrong.

use super::*;
use crate::model::class::Class;
use crate::model::log::SessionKind;
use crate::model::session::SessionLength;
use crate::model::track::TrackKind;
use crate::model::world::WorldPlan;

fn world(seconds: f64) -> World {
    let mut world = World::new(WorldPlan {
        seed: 5,
        cars: 20,
        classes: vec![Class::F1],
        player_class: Class::F1,
        track: TrackKind::Short,
        session: SessionKind::Race,
        length: SessionLength::Laps(30),
        hold_in_garage: false,
    });
    for _ in 0..(seconds * 100.0) as usize {
        world.step();
    }
    world
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn f32_at(bytes: &[u8], at: usize) -> f64 {
    f64::from(f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()))
}

fn only(all: &[Vec<u8>], id: u8) -> Vec<u8> {
    all.iter().find(|datagram| datagram[6] == id).unwrap_or_else(|| panic!("no packet {id}")).clone()
}

fn everything(world: &World) -> Vec<Vec<u8>> {
    let mut face = Face::new(60);
    face.due(world, 0.0)
}

#[test]
fn every_datagram_has_the_size_of_its_kind_and_a_header() {
    let mut world = world(70.0);
    world.happenings.clear();
    world.end_session();
    let all = everything(&world);
    let ids: std::collections::BTreeSet<u8> = all.iter().map(|datagram| datagram[6]).collect();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 15]);
    for datagram in &all {
        assert_eq!(datagram.len(), packet::SIZES[usize::from(datagram[6])], "id {}", datagram[6]);
        assert_eq!((u16_at(datagram, 0), datagram[2], datagram[5]), (2_025, 25, 1));
        assert_eq!(datagram[7..15], world.session.uid.to_le_bytes());
        assert!((f32_at(datagram, 15) - 70.0).abs() < 1e-3);
        assert_eq!((usize::from(datagram[27]), datagram[28]), (world.player, 255));
    }
}

#[test]
fn packets_are_written_to_their_last_field() {
    let world = world(70.0);
    let all = everything(&world);
    let session = only(&all, 1);
    assert!((f32_at(&session, 29 + 716) - world.track.sector_ends_m[0]).abs() < 1e-3);
    assert!((f32_at(&session, 29 + 720) - world.track.sector_ends_m[1]).abs() < 1e-3);
    assert_eq!((session[29 + 6], u16_at(&session, 29 + 4)), (15, world.track.length_m.round() as u16));
    assert_eq!((session[29 + 653], session[29 + 666], session[29 + 703]), (0, 1, 3));
    let motion_ex = only(&all, 13);
    assert!((f32_at(&motion_ex, 29 + 140) - world.player_car().speed_mps).abs() < 1e-3, "forward is z");
    assert!((f32_at(&motion_ex, 29 + 208) - 0.006).abs() < 1e-6, "chassis pitch");
    assert_eq!(only(&all, 6)[29 + 1_320], 255, "no panel is open");
    assert_eq!(only(&all, 2)[29 + 1_254], 255, "no time trial");
    assert!((f32_at(&only(&all, 5), 29 + 1_100) - 25.0).abs() < 1e-6, "next front wing");
}

#[test]
fn the_player_is_read_in_the_games_order_of_wheels_and_units() {
    let world = world(75.0);
    let all = everything(&world);
    let car = world.player_car();
    let telemetry = &only(&all, 6)[29 + 60 * world.player..];
    assert_eq!(u16_at(telemetry, 0), (car.speed_mps * 3.6).round() as u16);
    assert_eq!(telemetry[15] as i8, car.gear as i8);
    let [fl, fr, rl, rr] = std::array::from_fn(|i| &car.corners[i]);
    for (wheel, corner) in [rl, rr, fl, fr].into_iter().enumerate() {
        assert_eq!(u16_at(telemetry, 22 + 2 * wheel), corner.brake_c.round() as u16);
        assert_eq!(telemetry[34 + wheel], corner.inner_c.round() as u8);
        assert!((f32_at(telemetry, 40 + 4 * wheel) - corner.pressure_kpa() * 0.145_037_7).abs() < 1e-3);
        let damage = &only(&all, 10)[29 + 46 * world.player..];
        assert!((f32_at(damage, 4 * wheel) - (1.0 - corner.tread) * 100.0).abs() < 1e-3, "worn, in percent");
    }
    assert!((20.0..26.0).contains(&f32_at(telemetry, 40)), "{} psi", f32_at(telemetry, 40));
    let status = &only(&all, 7)[29 + 55 * world.player..];
    assert!((f32_at(status, 5) - car.fuel_l * 0.75).abs() < 1e-3, "kilograms");
    assert!((90.0..112.0).contains(&f32_at(status, 5)));
    assert_eq!((u16_at(status, 17), status[21]), (13_000, 8));
}

#[test]
fn lap_times_are_those_of_the_log() {
    let world = world(100.0);
    let all = everything(&world);
    let lap_data = only(&all, 2);
    let history = session::history(&world, Frame::default(), 4);
    for (slot, car) in world.cars.iter().enumerate() {
        let laps = world.log.laps_of(car.entry.id);
        let row = &lap_data[29 + 57 * slot..];
        assert_eq!(u32_at(row, 0), laps.last().unwrap().lap_time_ms.unwrap());
        assert_eq!((usize::from(row[32]), usize::from(row[33])), (car.position, laps.len() + 1));
        assert_eq!(row[45], 2, "active");
    }
    let laps = world.log.laps_of(world.cars[4].entry.id);
    assert_eq!((history[29], usize::from(history[30])), (4, laps.len() + 1));
    for (i, lap) in laps.iter().enumerate() {
        let row = &history[29 + 7 + 14 * i..];
        assert_eq!(u32_at(row, 0), lap.lap_time_ms.unwrap());
        let sector = |at: usize| u32::from(u16_at(row, at)) + 60_000 * u32::from(row[at + 2]);
        assert_eq!(
            [sector(4), sector(7), sector(10)],
            [lap.sector1_ms.unwrap(), lap.sector2_ms.unwrap(), lap.sector3_ms.unwrap()]
        );
    }
}

#[test]
fn restricted_people_show_zeros() {
    let world = world(60.0);
    let all = everything(&world);
    let (participants, status, damage) = (only(&all, 4), only(&all, 7), only(&all, 10));
    let shy: Vec<usize> = (0..20).filter(|slot| participants[29 + 1 + 57 * slot + 39] == 0).collect();
    assert!(!shy.is_empty() && !shy.contains(&world.player));
    for slot in 0..20 {
        let fuel = f32_at(&status, 29 + 55 * slot + 5);
        assert_eq!(fuel <= 0.0, shy.contains(&slot), "car {slot} has {fuel} kg");
        assert_eq!(f32_at(&damage, 29 + 46 * slot) <= 0.0, shy.contains(&slot));
        let row = &participants[29 + 1 + 57 * slot..];
        let name: Vec<u8> = row[7..39].iter().copied().take_while(|byte| *byte != 0).collect();
        assert_eq!(String::from_utf8(name).unwrap(), world.cars[slot].driver_name());
    }
    assert_eq!(participants[29], 20);
}

#[test]
fn rates_are_those_of_the_game() {
    let mut world = world(30.0);
    let mut face = Face::new(20);
    let mut counts = std::collections::BTreeMap::new();
    for ms in (0..10_000).step_by(10) {
        world.step();
        for datagram in face.due(&world, f64::from(ms)) {
            *counts.entry(datagram[6]).or_insert(0) += 1;
        }
        world.happenings.clear();
    }
    for (id, expected) in [
        (0, 200),
        (2, 200),
        (6, 200),
        (7, 200),
        (13, 200),
        (10, 100),
        (1, 20),
        (5, 20),
        (4, 2),
        (11, 200),
        (12, 200),
        (15, 10),
    ] {
        let sent: i32 = counts[&id];
        assert!((sent - expected).abs() <= 1 + expected / 50, "id {id}: {sent} in ten seconds, expected {expected}");
    }
}

#[test]
fn events_carry_their_details() {
    let mut world = world(20.0);
    world.happenings = vec![
        Happening::FastestLap { car: 7, lap_ms: 27_345 },
        Happening::Contact { car: 2, other: 9, magnitude: 0.4 },
        Happening::Penalty { car: 3, seconds: 5 },
        Happening::Green,
    ];
    let all = everything(&world);
    let events: Vec<&Vec<u8>> = all.iter().filter(|datagram| datagram[6] == 3).collect();
    assert_eq!(
        events.iter().map(|event| String::from_utf8_lossy(&event[29..33]).into_owned()).collect::<Vec<_>>(),
        ["FTLP", "COLL", "PENA", "LGOT"]
    );
    assert_eq!(events[0][33], 7);
    assert!((f32_at(events[0], 34) - 27.345).abs() < 1e-4);
    assert_eq!(events[1][33..35], [2, 9]);
    assert_eq!(events[2][33..40], [4, 21, 3, 255, 5, 1, 255]);
    let back = Face::new(60).flashback(&world);
    assert_eq!((&back[29..33], u32_at(&back, 33)), (b"FLBK".as_slice(), 1_200));
    assert!((f32_at(&back, 37) - 20.0).abs() < 1e-4);
}
