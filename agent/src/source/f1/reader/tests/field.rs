//! The field: laps, pits, standings, phases, notes.

use super::*;
use onelap_protocol::race::{NoteTopic, Phase, PitState, PitStep};

/// Every car crosses the line with this time.
fn cross(game: &mut Game, last_ms: u32) -> Vec<Reading> {
    for car in &mut game.cars {
        (car.lap_ms, car.s1_ms, car.s2_ms) = (last_ms - 20, 28_000, 30_500);
    }
    let mut out = game.frame();
    for car in &mut game.cars {
        car.lap += 1;
        (car.last_ms, car.lap_ms, car.s1_ms, car.s2_ms, car.distance_m) = (last_ms, 30, 0, 0, 2.0);
    }
    out.extend(game.frame());
    out
}

#[test]
fn every_cars_lap_is_told_at_the_line() {
    let mut game = Game::new();
    game.begin();
    let out = cross(&mut game, 90_123);
    let laps = laps(&out);
    assert_eq!(laps.iter().map(|lap| lap.driver.as_str()).collect::<Vec<_>>(), ["NORRIS", "RUSSELL", "ALONSO"]);
    for lap in &laps {
        assert_eq!((lap.lap, lap.time_ms, lap.valid), (2, Some(90_123), Some(true)));
        assert_eq!(lap.sectors_ms, [Some(28_000), Some(30_500), Some(31_623)]);
        assert_eq!(lap.compound.as_deref(), Some("Medium"));
        assert!((lap.at_s - 121.12).abs() < 1e-3, "{}", lap.at_s);
    }
    assert_eq!((laps[1].fuel_kg, laps[1].tire_wear_pct), (Some(50.0), Some([13.0, 14.0, 11.0, 12.0])));
    assert_eq!((laps[0].fuel_kg, laps[0].tire_wear_pct), (None, None), "what is restricted is not zero");
    assert_eq!((laps[1].number.as_deref(), laps[1].position), (Some("63"), Some(2)));
}

#[test]
fn the_history_corrects_a_lap_with_what_was_there_at_the_line() {
    let mut game = Game::new();
    game.begin();
    cross(&mut game, 90_123);
    game.cars[1].fuel_kg = 49.0;
    game.frame();
    let history = game.history(1, &[(91_000, [0; 3]), (90_123, [28_000, 30_500, 31_624]), (0, [0; 3])]);
    let out = game.hear(history.clone());
    let [lap] = laps(&out)[..] else { panic!("{out:?}") };
    assert_eq!(lap.sectors_ms[2], Some(31_624));
    assert_eq!((lap.lap, lap.fuel_kg), (2, Some(50.0)));
    assert_eq!(game.hear(history), []);
}

#[test]
fn a_flashback_makes_no_laps() {
    let mut game = Game::new();
    game.begin();
    assert_eq!(laps(&cross(&mut game, 90_123)).len(), 3);
    let flashback = game.event(b"FLBK", &[0; 8]);
    game.hear(flashback);
    (game.frame, game.time_s) = (1500, 112.0);
    for car in &mut game.cars {
        (car.lap, car.lap_ms, car.last_ms) = (2, 80_000, 91_000);
    }
    assert_eq!(laps(&game.frame()), Vec::<&Lap>::new());
    // And forwards again, by a flashback of which the event was lost.
    game.frame = 1400;
    game.cars.iter_mut().for_each(|car| car.lap = 3);
    assert_eq!(laps(&game.frame()), Vec::<&Lap>::new());
    let out = cross(&mut game, 92_000);
    assert!(laps(&out).iter().all(|lap| (lap.lap, lap.time_ms) == (3, Some(92_000))), "{out:?}");
}

#[test]
fn standings_come_five_times_a_second_in_the_order_of_the_positions() {
    let mut game = Game::new();
    (game.cars[0].position, game.cars[2].position) = (3, 1);
    (game.cars[2].total_m, game.cars[0].total_m, game.cars[0].leader_ms) = (20_000.0, 8_000.0, 3_000);
    game.cars[0].pit = 1;
    let mut out = game.begin();
    for _ in 0..19 {
        out.extend(game.frame());
    }
    let all = standings(&out);
    assert_eq!(all.len(), 5, "one second");
    let cars = &all[0].cars;
    assert_eq!(cars.iter().map(|car| car.driver.as_str()).collect::<Vec<_>>(), ["ALONSO", "RUSSELL", "NORRIS"]);
    assert_eq!((cars[0].gap_s, cars[0].interval_s), (None, None));
    assert_eq!((cars[2].gap_s, cars[2].interval_s, cars[2].gap_laps), (Some(3.0), Some(1.5), Some(2)));
    assert_eq!((cars[2].pit, cars[2].entrant.as_deref()), (PitState::Entering, Some("McLaren")));
    assert_eq!((cars[1].laps, cars[1].sector, cars[1].last_lap_ms), (1, Some(2), Some(91_000)));
    assert_eq!(cars[1].current_sectors_ms, [Some(28_000), None]);
    assert_eq!(all[0].phase, Phase::Green);
    assert_eq!(all[0].time_left_s, None);
}

#[test]
fn a_stop_is_told_in_its_steps() {
    let mut game = Game::new();
    game.begin();
    let mut out = Vec::new();
    for (pit, speed) in [(1, 80), (1, 40), (2, 0), (2, 0), (1, 60), (0, 120)] {
        (game.cars[1].pit, game.cars[1].speed_kmh) = (pit, speed);
        out.extend(game.frame());
    }
    let steps: Vec<_> = events(&out)
        .into_iter()
        .filter_map(|event| {
            if let RaceEvent::Pit { car, lap, step, .. } = event { Some((car.0.as_str(), *lap, *step)) } else { None }
        })
        .collect();
    assert_eq!(steps, [PitStep::Enter, PitStep::Stop, PitStep::Go, PitStep::Exit].map(|step| ("1", 2, step)));
    let pit_states: Vec<_> = samples(&out).iter().map(|sample| value(sample, C::PitState)).collect();
    // The speed that makes a stop is that of the frame before.
    assert_eq!(pit_states, [2.0, 2.0, 2.0, 3.0, 3.0, 0.0]);
}

#[test]
fn phases_and_notes_are_told() {
    let mut game = Game::new();
    let out = game.begin();
    let phases = |readings: &[Reading]| -> Vec<Phase> {
        events(readings)
            .iter()
            .filter_map(|event| if let RaceEvent::Phase { phase, .. } = event { Some(*phase) } else { None })
            .collect()
    };
    assert_eq!(phases(&out), [Phase::Green]);
    let deployed = game.event(b"SCAR", &[1, 0]);
    assert_eq!(phases(&game.hear(deployed)), [Phase::FullCourseYellow]);
    let red = game.event(b"RDFL", &[]);
    assert_eq!(phases(&game.hear(red)), [Phase::Stopped]);
    let penalty = game.event(b"PENA", &[4, 17, 2, 255, 5, 2, 0]);
    let out = game.hear(penalty);
    let [RaceEvent::Note { car, topic, text, at_s }] = events(&out)[..] else { panic!("{out:?}") };
    assert_eq!((car.as_ref().unwrap().0.as_str(), *topic), ("2", NoteTopic::Penalty));
    assert_eq!(text, "Time penalty: Pit lane speeding, 5 s");
    assert!((at_s - 121.05).abs() < 1e-3);
    let contact = game.event(b"COLL", &[1, 2]);
    let out = game.hear(contact);
    assert!(matches!(events(&out)[..], [RaceEvent::Note { text, .. }] if text == "Contact with ALONSO"), "{out:?}");
}
