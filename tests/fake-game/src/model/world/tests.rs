//! The race as a whole: the same each time, plausible, and its own log agrees with it.

use super::*;

pub(crate) fn plan(cars: usize, session: SessionKind) -> WorldPlan {
    WorldPlan {
        seed: 7,
        cars,
        classes: vec![Class::Hyper, Class::Lmp2, Class::Gt3],
        player_class: Class::Hyper,
        track: TrackKind::Short,
        session,
        length: SessionLength::Minutes(60.0),
        hold_in_garage: false,
    }
}

fn run(world: &mut World, seconds: u64) {
    for _ in 0..seconds * 1_000 / TICK_MS {
        world.step();
    }
}

#[test]
fn the_same_seed_gives_the_same_race() {
    let race = |seed| {
        let mut world = World::new(WorldPlan { seed, ..plan(12, SessionKind::Race) });
        run(&mut world, 200);
        world.log
    };
    assert_eq!(race(7), race(7));
    assert_ne!(race(7).sessions, race(8).sessions);
}

#[test]
fn laps_take_what_a_racing_driver_would_expect() {
    let mut world = World::new(WorldPlan { track: TrackKind::Long, ..plan(24, SessionKind::Race) });
    run(&mut world, 560);
    for (class, low, high) in
        [(Class::Hyper, 100_000, 112_000), (Class::Lmp2, 102_000, 115_000), (Class::Gt3, 112_000, 126_000)]
    {
        let ids: Vec<i32> = world.log.cars.iter().filter(|car| car.class == class).map(|car| car.car_id).collect();
        let times: Vec<u32> = world.log.sessions[0]
            .laps
            .iter()
            .filter(|lap| ids.contains(&lap.car_id) && lap.lap > 1)
            .filter_map(|lap| lap.lap_time_ms)
            .collect();
        assert!(times.len() >= 16, "{class:?} has {} laps", times.len());
        let (best, worst) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*best > low && *worst < high, "{class:?}: {best} to {worst}");
    }
}

#[test]
fn values_stay_within_what_cars_do() {
    let mut world = World::new(WorldPlan { track: TrackKind::Long, ..plan(9, SessionKind::Race) });
    run(&mut world, 60);
    let before = world.player_car().fuel_l;
    let mut gears = std::collections::BTreeSet::new();
    let mut fastest: f64 = 0.0;
    for _ in 0..120_000 / TICK_MS {
        let old = world.player_car().speed_mps;
        world.step();
        let car = world.player_car();
        assert!((car.speed_mps - old).abs() < 0.5, "the speed jumps by {}", car.speed_mps - old);
        assert!((0.0..=1.0).contains(&car.throttle) && (0.0..=1.0).contains(&car.brake) && car.steering.abs() <= 1.0);
        assert!((car.spec().idle_rpm..=car.spec().max_rpm).contains(&car.rpm), "{} rpm", car.rpm);
        assert!(car.throttle * car.brake < 0.6, "both feet down: {} {}", car.throttle, car.brake);
        gears.insert(car.gear);
        fastest = fastest.max(car.speed_mps * 3.6);
    }
    assert!(gears.contains(&2) && gears.contains(&6), "{gears:?}");
    assert!((270.0..330.0).contains(&fastest), "{fastest} km/h");
    let burnt = before - world.player_car().fuel_l;
    assert!((2.5..5.5).contains(&burnt), "{burnt} litres in two minutes");
    for corner in &world.player_car().corners {
        assert!((60.0..125.0).contains(&corner.inner_c), "tyre at {} °C", corner.inner_c);
        assert!((165.0..215.0).contains(&corner.pressure_kpa()), "{} kPa", corner.pressure_kpa());
        assert!((120.0..900.0).contains(&corner.brake_c), "brake at {} °C", corner.brake_c);
        assert!((0.97..1.0).contains(&corner.tread), "{} left", corner.tread);
    }
    assert!((75.0..115.0).contains(&world.player_car().water_c), "water at {}", world.player_car().water_c);
}

#[test]
fn no_two_corners_are_alike() {
    let mut world = World::new(plan(6, SessionKind::Race));
    run(&mut world, 90);
    let corners = &world.player_car().corners;
    for a in 0..4 {
        for b in 0..a {
            assert!((corners[a].pressure_kpa() - corners[b].pressure_kpa()).abs() > 0.2, "pressures {a} {b}");
            assert!((corners[a].brake_c - corners[b].brake_c).abs() > 0.5, "brakes {a} {b}");
            assert!((corners[a].tread - corners[b].tread).abs() > 1e-5, "treads {a} {b}");
            assert!((corners[a].inner_c - corners[b].inner_c).abs() > 0.05, "temperatures {a} {b}");
        }
    }
}

#[test]
fn sectors_and_laps_add_up_in_the_log() {
    let mut world = World::new(plan(20, SessionKind::Race));
    run(&mut world, 300);
    let green_ms = world.session.green_ms;
    for car in world.log.cars.clone() {
        let laps = world.log.laps_of(car.car_id);
        assert!(laps.len() >= 6, "car {} has {} laps", car.car_id, laps.len());
        let mut from = green_ms;
        for (i, lap) in laps.iter().enumerate() {
            assert_eq!(lap.lap as usize, i + 1);
            assert_eq!(lap.start_et_ms, from);
            let sectors = lap.sector1_ms.unwrap() + lap.sector2_ms.unwrap() + lap.sector3_ms.unwrap();
            assert_eq!(u64::from(sectors), lap.end_et_ms - lap.start_et_ms);
            assert_eq!(lap.lap_time_ms, Some(sectors));
            from = lap.end_et_ms;
        }
    }
    let mut positions: Vec<usize> = world.cars.iter().map(|car| car.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_stop_for_fuel_tyres_and_a_driver_is_done_and_written_down() {
    let mut world = World::new(plan(6, SessionKind::Race));
    run(&mut world, 100);
    world.player_pits();
    world.player_changes_driver(1);
    let driver = world.player_car().driver_name().to_owned();
    run(&mut world, 110);
    let session = world.log.sessions[0].clone();
    let stop =
        session.pit_stops.iter().find(|stop| stop.car_id == world.log.player_car_id).expect("the car has stopped");
    assert!(stop.tyres_changed && stop.fuel_added_l > 1.0 && stop.virtual_energy_after == Some(1.0));
    assert!(stop.enter_et_ms < stop.stop_et_ms && stop.stop_et_ms + 12_000 <= stop.release_et_ms);
    assert!(stop.release_et_ms < stop.exit_et_ms.unwrap());
    let change = &session.driver_changes[0];
    assert_eq!((change.from.as_str(), change.to.as_str()), (driver.as_str(), world.player_car().driver_name()));
    assert_ne!(change.from, change.to);
    let laps = world.log.player_laps();
    let in_lap = laps.iter().find(|lap| lap.pit_in).unwrap();
    assert_eq!(in_lap.lap, stop.lap);
    assert!(laps.iter().find(|lap| lap.lap == stop.lap + 1).is_some_and(|lap| lap.pit_out));
    assert!(in_lap.lap_time_ms.unwrap() > 40_000, "the stop is in the lap");
    assert_eq!(world.pit_menu.tyres(), None, "the game resets the menu after a stop");
    assert_eq!(world.player_car().pit.stops, 1);
}

#[test]
fn practice_begins_in_the_garage_and_the_first_lap_has_no_time() {
    let mut world = World::new(plan(6, SessionKind::Practice));
    assert!(world.cars.iter().all(|car| car.place == Place::Garage));
    run(&mut world, 150);
    let laps = world.log.player_laps();
    assert!(laps.len() >= 2);
    assert_eq!((laps[0].lap_time_ms, laps[0].pit_out), (None, true));
    assert!(laps[1].lap_time_ms.is_some());
}

#[test]
fn the_race_ends_with_a_flag_for_everyone() {
    let mut world = World::new(WorldPlan { length: SessionLength::Laps(3), ..plan(10, SessionKind::Race) });
    run(&mut world, 400);
    assert_eq!(world.session.phase, Phase::Over);
    assert!(world.log.sessions[0].ended);
    assert!(world.cars.iter().all(|car| car.finished_ms.is_some() && car.place == Place::Garage));
    let winner = world.cars.iter().find(|car| car.position == 1).unwrap();
    assert_eq!(winner.timing.laps, 3);
    assert!(world.log.sessions[0].laps.iter().all(|lap| lap.lap <= 3));
}

#[test]
fn after_the_end_everyone_goes_home_and_nothing_counts() {
    let mut world = World::new(plan(8, SessionKind::Race));
    run(&mut world, 100);
    world.end_session();
    let (log, last) = (world.log.clone(), world.player_car().timing.last);
    run(&mut world, 120);
    assert_eq!(world.log.sessions[0].laps, log.sessions[0].laps);
    assert_eq!(world.player_car().timing.last, last);
    assert!(world.cars.iter().all(|car| car.place == Place::Garage));
}

#[test]
fn going_to_the_garage_gives_up_the_lap_and_the_session_goes_on() {
    let mut world = World::new(plan(6, SessionKind::Practice));
    run(&mut world, 130);
    let laps = world.log.player_laps().len();
    world.player_to_garage();
    world.change_setup("WM_PRESSURE-W_RR", 20).unwrap();
    assert!((world.player_car().corners[3].cold_kpa - 155.0).abs() < 1e-9);
    run(&mut world, 20);
    assert_eq!((world.player_car().place, world.log.player_laps().len()), (Place::Garage, laps));
    world.player_drives();
    run(&mut world, 90);
    assert!(world.log.player_laps().len() > laps);
    assert_eq!(world.log.player_laps()[laps].lap_time_ms, None);
}

#[test]
fn rain_comes_and_slows_everyone() {
    let mut world = World::new(plan(6, SessionKind::Race));
    run(&mut world, 120);
    world.weather.apply(&super::super::weather::WeatherChange { rain: Some(0.8), ..Default::default() });
    run(&mut world, 240);
    assert!(world.weather.wetness > 0.3 && world.weather.cloud_coverage() >= 5);
    let laps = world.log.player_laps();
    let (dry, wet) = (laps[1].lap_time_ms.unwrap(), laps.last().unwrap().lap_time_ms.unwrap());
    assert!(wet > dry + 800, "dry {dry}, wet {wet}");
}
