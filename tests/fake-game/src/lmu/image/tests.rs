//! The image read by bare offsets, as a stranger would: numbers here come from the description of the format.

use super::*;
use crate::model::class::Class;
use crate::model::log::SessionKind;
use crate::model::session::SessionLength;
use crate::model::track::TrackKind;
use crate::model::world::WorldPlan;

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        self.0[offset..offset + N].try_into().unwrap()
    }
    fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.at(offset))
    }
    fn i32(&self, offset: usize) -> i32 {
        i32::from_le_bytes(self.at(offset))
    }
    fn i16(&self, offset: usize) -> i16 {
        i16::from_le_bytes(self.at(offset))
    }
    fn f32(&self, offset: usize) -> f32 {
        f32::from_le_bytes(self.at(offset))
    }
    fn f64(&self, offset: usize) -> f64 {
        f64::from_le_bytes(self.at(offset))
    }
    fn text(&self, offset: usize, room: usize) -> String {
        let bytes = &self.0[offset..offset + room];
        let end = bytes.iter().position(|byte| *byte == 0).expect("a zero at the end");
        String::from_utf8(bytes[..end].to_vec()).unwrap()
    }
    /// Beginning of a car's telemetry, found by its id.
    fn telemetry_of(&self, id: i32) -> usize {
        let cars = usize::from(self.0[128_464]);
        (0..cars).map(|slot| 128_468 + 1_888 * slot).find(|at| self.i32(*at) == id).expect("every car has telemetry")
    }
}

fn plan(cars: usize, session: SessionKind, player_class: Class) -> WorldPlan {
    WorldPlan {
        seed: 11,
        cars,
        classes: vec![Class::Hyper, Class::Lmp2, Class::Gt3],
        player_class,
        track: TrackKind::Short,
        session,
        length: SessionLength::Minutes(30.0),
        hold_in_garage: false,
    }
}

fn run(world: &mut World, seconds: f64) {
    for _ in 0..(seconds * 100.0) as usize {
        world.step();
    }
}

const DRIVING: Screen = Screen::Session { paused: false };

fn shown(world: &World) -> Image {
    let mut image = Image::new(14_200);
    image.show(world, DRIVING, true);
    image
}

#[test]
fn size_version_and_header_are_where_the_format_has_them() {
    let mut world = World::new(plan(44, SessionKind::Race, Class::Hyper));
    run(&mut world, 70.0);
    world.session.yellow_until_ms = [0, 80_000, 0];
    let image = shown(&world);
    let bytes = Bytes(image.bytes());
    assert_eq!(bytes.0.len(), 324_820);
    assert_eq!(bytes.i32(64), 14_200);
    assert_eq!(bytes.0[72 + 24], 3, "on track");
    assert_eq!(bytes.text(1_632, 64), "Serra do Vento - Pista Curta");
    assert_eq!(bytes.i32(1_632 + 64), 10, "a race");
    assert!((bytes.f64(1_632 + 68) - 70.0).abs() < 1e-9);
    assert!((bytes.f64(1_632 + 88) - world.track.length_m).abs() < 1e-9);
    assert_eq!(bytes.i32(1_632 + 84), i32::MAX, "timed");
    assert_eq!(bytes.i32(1_632 + 104), 44);
    assert_eq!(bytes.0[1_632 + 108], 5, "green");
    assert_eq!(bytes.at::<3>(1_632 + 110), [11, 1, 11], "yellow in the second sector");
    assert_eq!(bytes.0[1_632 + 115], 1, "driving");
    assert_eq!(bytes.text(1_632 + 116, 32), "Łukasz Wiśniewski");
    assert!((bytes.f64(1_632 + 228) - world.weather.ambient_c).abs() < 1e-9);
    assert!((bytes.f64(1_632 + 236) - world.weather.track_c).abs() < 1e-9);
    assert!(bytes.f32(1_632 + 340) > 1_700.0, "time left");
    assert_eq!((bytes.0[128_464], bytes.0[128_466]), (44, 1));
}

#[test]
fn events_are_a_list_that_ends_with_16() {
    let mut world = World::new(plan(6, SessionKind::Race, Class::Hyper));
    let mut image = Image::new(14_200);
    image.show(&world, DRIVING, true);
    let fired: Vec<u32> = (0..16).map(|i| Bytes(image.bytes()).u32(4 * i)).collect();
    assert!(fired.contains(&6) && fired.contains(&8) && fired.contains(&10) && fired.contains(&11), "{fired:?}");
    world.happenings.clear();
    run(&mut world, 0.1);
    image.show(&world, DRIVING, false);
    let fired: Vec<u32> = (0..16).map(|i| Bytes(image.bytes()).u32(4 * i)).collect();
    assert_eq!(fired[..4], [15, 11, 16, 16]);
    assert_eq!(fired[15], 16);
}

#[test]
fn the_player_is_found_by_id_and_the_two_orders_differ() {
    let mut world = World::new(plan(20, SessionKind::Race, Class::Gt3));
    run(&mut world, 40.0);
    let image = shown(&world);
    let bytes = Bytes(image.bytes());
    let id = world.player_car().entry.id;
    let player = usize::from(bytes.0[128_465]);
    assert_eq!(bytes.i32(128_468 + 1_888 * player), id);
    let scoring: Vec<i32> = (0..20).map(|slot| bytes.i32(2_192 + 584 * slot)).collect();
    let telemetry: Vec<i32> = (0..20).map(|slot| bytes.i32(128_468 + 1_888 * slot)).collect();
    assert_ne!(scoring, telemetry);
    let (mut a, mut b) = (scoring.clone(), telemetry);
    a.sort_unstable();
    b.sort_unstable();
    assert_eq!(a, b);
    let at = 2_192 + 584 * scoring.iter().position(|car| *car == id).unwrap();
    assert_eq!((bytes.0[at + 196], bytes.0[at + 197]), (1, 0), "the player, driving himself");
    assert_eq!(bytes.text(at + 4, 32), world.player_car().driver_name());
    assert_eq!(bytes.text(at + 200, 32), "GT3");
    assert_eq!(usize::from(bytes.0[at + 199]), world.player_car().position);
}

#[test]
fn the_player_has_real_values_and_the_games_units() {
    let mut world = World::new(plan(12, SessionKind::Race, Class::Hyper));
    run(&mut world, 95.0);
    let image = shown(&world);
    let bytes = Bytes(image.bytes());
    let car = world.player_car();
    let at = bytes.telemetry_of(car.entry.id);
    let close = |offset: usize, expected: f64| {
        assert!(
            (bytes.f64(at + offset) - expected).abs() < 1e-6,
            "{} at {offset}, expected {expected}",
            bytes.f64(at + offset)
        );
    };
    assert_eq!(bytes.i32(at + 20), car.timing.laps as i32 + 1);
    close(12, world.session.now_s());
    close(184 + 16, -car.speed_mps);
    assert_eq!(bytes.i32(at + 352), car.gear);
    close(356, car.rpm);
    close(364, car.water_c);
    close(372, car.oil_c);
    close(388, car.throttle);
    close(396, car.brake);
    close(404, car.steering);
    close(524, car.fuel_l);
    close(608, 90.0);
    close(664, 0.45);
    close(704, car.battery);
    assert!((f64::from(bytes.f32(at + 776)) - car.energy).abs() < 1e-6);
    assert_eq!(bytes.0[at + 826], 0, "a Hypercar");
    assert_eq!((bytes.0[at + 750], bytes.0[at + 751]), (6, 11), "traction control");
    for (i, corner) in car.corners.iter().enumerate() {
        let wheel = 848 + 260 * i;
        close(wheel + 24, corner.brake_c + 273.15);
        close(wheel + 120, corner.pressure_kpa());
        close(wheel + 128, corner.surface_c[0] + 273.15);
        close(wheel + 152, corner.tread);
        close(wheel + 204, corner.carcass_c + 273.15);
        close(wheel + 212 + 8, corner.inner_c + 273.15);
        assert!((bytes.f32(at + wheel + 236) - 85.0).abs() < 1e-6, "the optimum is in Celsius");
        assert!(bytes.f64(at + wheel + 40) < 0.0, "wheels turn backwards");
        for zero in [88, 104, 112] {
            close(wheel + zero, 0.0);
        }
    }
}

#[test]
fn the_computers_cars_show_zeros_where_the_game_does() {
    let mut world = World::new(plan(12, SessionKind::Race, Class::Hyper));
    run(&mut world, 60.0);
    let image = shown(&world);
    let bytes = Bytes(image.bytes());
    for car in world.cars.iter().filter(|car| car.entry.id != world.log.player_car_id) {
        let at = bytes.telemetry_of(car.entry.id);
        for zero in [364, 848 + 80, 848 + 120, 848 + 196, 848 + 204, 484, 500, 592] {
            assert_eq!(bytes.f64(at + zero).to_bits(), 0, "offset {zero}");
        }
        assert_eq!((bytes.0[at + 750], bytes.0[at + 756]), (0, 0));
        for filled in [524, 608, 664, 672, 848 + 8, 848 + 16, 848 + 24, 848 + 152] {
            assert!(bytes.f64(at + filled) > 0.0, "offset {filled}");
        }
        let energy = bytes.f32(at + 776);
        assert_eq!(energy > 0.0, car.entry.class != Class::Lmp2, "{:?} has {energy}", car.entry.class);
    }
}

#[test]
fn lap_and_sector_times_are_those_of_the_log_to_the_millisecond() {
    let mut world = World::new(plan(16, SessionKind::Race, Class::Hyper));
    let mut image = Image::new(14_200);
    let mut seen = 0;
    let mut laps = vec![0; world.cars.len()];
    for _ in 0..200 * 5 {
        run(&mut world, 0.2);
        image.show(&world, DRIVING, true);
        world.happenings.clear();
        let bytes = Bytes(image.bytes());
        for (slot, done) in laps.iter_mut().enumerate() {
            let at = 2_192 + 584 * slot;
            let total = bytes.i16(at + 100);
            if total == *done {
                continue;
            }
            *done = total;
            seen += 1;
            let id = bytes.i32(at);
            let lap = world.log.laps_of(id).into_iter().find(|lap| lap.lap == total as u32).unwrap().clone();
            let ms = |offset: usize| (bytes.f64(at + offset) * 1_000.0).round() as u32;
            assert_eq!(ms(168), lap.lap_time_ms.unwrap());
            assert!((bytes.f64(at + 168) - f64::from(lap.lap_time_ms.unwrap()) / 1_000.0).abs() < 1e-12);
            assert_eq!(ms(152), lap.sector1_ms.unwrap());
            assert_eq!(ms(160), lap.sector1_ms.unwrap() + lap.sector2_ms.unwrap(), "sector 2 is cumulative");
            assert_eq!(
                (bytes.f64(at + 256) * 1_000.0).round() as u64,
                lap.end_et_ms,
                "the next lap begins where this one ended"
            );
            let best = world.log.laps_of(id).iter().filter(|lap| lap.valid).filter_map(|lap| lap.lap_time_ms).min();
            assert!((bytes.f64(at + 144) - best.map_or(-1.0, |best| f64::from(best) / 1_000.0)).abs() < 1e-12);
        }
    }
    assert!(seen >= 16 * 4, "{seen} laps seen");
}

#[test]
fn what_is_not_known_is_minus_one_or_zero() {
    let mut world = World::new(plan(6, SessionKind::Practice, Class::Hyper));
    run(&mut world, 2.0);
    let image = shown(&world);
    let bytes = Bytes(image.bytes());
    let at = 2_192 + 584 * world.player;
    for (offset, unknown) in [(128, -1.0), (136, -1.0), (144, -1.0), (152, 0.0), (168, 0.0), (176, -1.0), (184, -1.0)] {
        assert!((bytes.f64(at + offset) - unknown).abs() < 1e-12, "offset {offset}");
    }
    assert_eq!(bytes.i32(1_632 + 64), 1, "practice");
    assert_eq!((bytes.0[at + 457], bytes.0[at + 507], bytes.0[at + 198]), (5, 1, 1), "resting in the garage");
    assert!(bytes.f64(at + 104) < 0.0, "distance is negative in the pits");
    assert_eq!(bytes.0[1_632 + 115], 0, "not driving");
    assert!(bytes.i32(bytes.telemetry_of(world.log.player_car_id) + 600) < 0, "the sign bit says pit lane");
}

#[test]
fn at_the_menu_there_are_no_cars() {
    let mut world = World::new(plan(6, SessionKind::Race, Class::Hyper));
    run(&mut world, 10.0);
    let mut image = shown(&world);
    image.show(&world, Screen::MainMenu, false);
    let bytes = Bytes(image.bytes());
    assert_eq!((bytes.i32(1_632 + 104), bytes.0[128_464], bytes.0[128_466], bytes.0[72 + 24]), (0, 0, 0, 0));
    image.show(&world, DRIVING, false);
    assert_eq!(Bytes(image.bytes()).i32(1_632 + 104), 6, "back at once");
}

#[test]
fn the_stream_tells_of_a_collision_twice_and_keeps_what_it_has_told() {
    let mut world = World::new(plan(6, SessionKind::Race, Class::Hyper));
    run(&mut world, 20.0);
    world.happenings.clear();
    world.session.yellow_until_ms = [0; 3];
    world.contact(0, 1, 0.7);
    let mut image = shown(&world);
    let read = |image: &Image| {
        let size = image.read_u64(1_632 + 552) as usize;
        String::from_utf8(image.bytes()[62_928..62_928 + size].to_vec()).unwrap()
    };
    let first = read(&image);
    assert_eq!(first.lines().count(), 2);
    let (a, b) = (world.cars[0].driver_name(), world.cars[1].driver_name());
    assert!(
        first.starts_with(&format!(
            "<Incident et=\"20.000\">{a}(3) reported contact (0.70) with another vehicle {b}(4)"
        )),
        "{first}"
    );
    assert_eq!(
        image.bytes()[1_632 + 110..1_632 + 113].iter().filter(|flag| **flag == 1).count(),
        1,
        "one sector is yellow"
    );
    world.happenings.clear();
    world.contact(2, 3, 0.2);
    image.show(&world, DRIVING, true);
    let both = read(&image);
    assert!(both.starts_with(&first) && both.lines().count() == 4);
}

#[test]
fn names_are_cut_between_characters() {
    let mut image = Image::new(0);
    image.text(0, 8, "Żółwiątko");
    assert_eq!(Bytes(image.bytes()).text(0, 8), "Żółw");
}
