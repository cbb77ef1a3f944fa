//! The fold, told in laps and stops.
use super::*;
use proptest::prelude::*;

fn own() -> CarKey {
    CarKey("7".into())
}

fn lap(n: u16, driver: &str) -> Lap {
    Lap {
        car: own(),
        lap: n,
        driver: driver.into(),
        time_ms: Some(100_000 + u32::from(n)),
        sectors_ms: [Some(30_000), Some(30_000), Some(40_000)],
        valid: Some(true),
        out_lap: false,
        in_lap: false,
        position: Some(1),
        class_position: Some(1),
        class: None,
        number: None,
        at_s: f64::from(n) * 100.0,
        fuel_l: Some(100.0 - f32::from(n) * 3.0),
        fuel_kg: None,
        virtual_energy_pct: Some(100.0 - f32::from(n) * 4.0),
        compound: Some("Medium".into()),
        tire_wear_pct: None,
    }
}

fn pit(lap: u16, step: PitStep, at_s: f64) -> RaceEvent {
    RaceEvent::Pit { car: own(), lap, step, at_s, fuel_l: Some(at_s as f32), virtual_energy_pct: None, compound: None }
}

fn stints(events: &[RaceEvent]) -> Vec<(i32, String, i32, i32)> {
    let mut fold = Fold::default();
    let mut stints = BTreeMap::new();
    for event in events {
        for fact in fold.apply(event, &own()) {
            if let Fact::Stint(s) = fact {
                stints.insert(s.stint, (s.stint, s.driver, s.first_lap, s.last_lap));
            }
        }
    }
    stints.into_values().collect()
}

fn a_stop_across_the_line() -> Vec<RaceEvent> {
    let mut events: Vec<RaceEvent> = (1..=3).map(|n| RaceEvent::Lap(lap(n, "A"))).collect();
    events.push(pit(4, PitStep::Enter, 390.0));
    events.push(RaceEvent::Lap(Lap { in_lap: true, ..lap(4, "A") }));
    events.push(pit(5, PitStep::Stop, 405.0));
    events.push(RaceEvent::DriverChange { car: own(), lap: 5, from: "A".into(), to: "B".into(), at_s: 420.0 });
    events.push(pit(5, PitStep::Go, 440.0));
    events.push(pit(5, PitStep::Exit, 450.0));
    events.push(RaceEvent::Lap(Lap { out_lap: true, ..lap(5, "B") }));
    events.extend((6..=8).map(|n| RaceEvent::Lap(lap(n, "B"))));
    events
}

#[test]
fn a_stop_ends_a_stint_with_the_in_lap() {
    let expected = vec![(1, "A".to_owned(), 1, 4), (2, "B".to_owned(), 5, 8)];
    assert_eq!(stints(&a_stop_across_the_line()), expected);
}

#[test]
fn a_stop_before_the_line_also_ends_it_with_the_in_lap() {
    let events = vec![
        RaceEvent::Lap(lap(1, "A")),
        pit(2, PitStep::Enter, 190.0),
        pit(2, PitStep::Stop, 195.0),
        pit(2, PitStep::Go, 220.0),
        RaceEvent::Lap(Lap { in_lap: true, ..lap(2, "B") }),
        pit(3, PitStep::Exit, 230.0),
        RaceEvent::Lap(Lap { out_lap: true, ..lap(3, "B") }),
    ];
    assert_eq!(stints(&events), vec![(1, "A".to_owned(), 1, 2), (2, "B".to_owned(), 3, 3)]);
}

#[test]
fn a_stop_within_one_lap_begins_a_stint_with_the_next() {
    let events = vec![
        RaceEvent::Lap(lap(1, "A")),
        pit(2, PitStep::Enter, 110.0),
        pit(2, PitStep::Stop, 115.0),
        pit(2, PitStep::Go, 120.0),
        pit(2, PitStep::Exit, 130.0),
        RaceEvent::Lap(lap(2, "A")),
        RaceEvent::Lap(lap(3, "A")),
    ];
    assert_eq!(stints(&events), vec![(1, "A".to_owned(), 1, 2), (2, "A".to_owned(), 3, 3)]);
}

#[test]
fn a_drive_through_does_not_end_a_stint() {
    let events = vec![
        RaceEvent::Lap(lap(1, "A")),
        pit(2, PitStep::Enter, 190.0),
        RaceEvent::Lap(Lap { in_lap: true, ..lap(2, "A") }),
        pit(3, PitStep::Exit, 210.0),
        RaceEvent::Lap(Lap { out_lap: true, ..lap(3, "A") }),
    ];
    assert_eq!(stints(&events), vec![(1, "A".to_owned(), 1, 3)]);
}

#[test]
fn a_lap_that_does_not_count_is_no_best_one() {
    let mut fold = Fold::default();
    let cut = Lap { time_ms: Some(90_000), valid: Some(false), ..lap(3, "A") };
    let events = [lap(1, "A"), lap(2, "A"), cut].map(RaceEvent::Lap);
    let facts: Vec<Fact> = events.iter().flat_map(|e| fold.apply(e, &own())).collect();
    let Some(Fact::Stint(stint)) = facts.last() else { panic!("{facts:?}") };
    assert_eq!((stint.best_ms, stint.mean_ms), (Some(100_001), Some(96_667)));
}

#[test]
fn a_lap_that_is_told_again_is_corrected_and_not_counted_twice() {
    let mut fold = Fold::default();
    let untimed = Lap { time_ms: None, ..lap(2, "A") };
    let events = [lap(1, "A"), untimed, lap(3, "A"), lap(2, "A"), lap(3, "A")].map(RaceEvent::Lap);
    let facts: Vec<Fact> = events.iter().flat_map(|e| fold.apply(e, &own())).collect();
    let [.., Fact::Lap(third), Fact::Stint(stint)] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!((stint.first_lap, stint.last_lap, stint.laps), (1, 3, 3));
    assert_eq!((stint.best_ms, stint.mean_ms), (Some(100_001), Some(100_002)));
    assert_eq!((third.lap, third.fuel_used_l), (3, Some(3.0)));
    assert_eq!(fold.consumption().laps, 2);
}

#[test]
fn a_lap_of_the_stint_before_that_is_told_again_stays_there() {
    let mut fold = Fold::default();
    let events = [lap(1, "A"), lap(2, "A"), lap(3, "B"), lap(2, "A")].map(RaceEvent::Lap);
    let facts: Vec<Fact> = events.iter().flat_map(|e| fold.apply(e, &own())).collect();
    let Some(Fact::Lap(second)) = facts.last() else { panic!("{facts:?}") };
    assert_eq!((second.lap, second.stint), (2, 1));
}

proptest! {
    /// Laps that are told again at once change nothing, however long the stint is.
    #[test]
    fn laps_that_are_told_again_change_nothing(again in prop::collection::vec(0u16..5, 1..30)) {
        let (mut once, mut twice) = (Fold::default(), Fold::default());
        for (n, back) in (1u16..).zip(again) {
            let told = RaceEvent::Lap(lap(n, "A"));
            let last = once.apply(&told, &own());
            twice.apply(&told, &own());
            let repeated = RaceEvent::Lap(lap(n.saturating_sub(back).max(1), "A"));
            let repeated = twice.apply(&repeated, &own());
            prop_assert_eq!(repeated.last(), last.last());
        }
        prop_assert_eq!(once, twice);
    }
}

#[test]
fn consumption_rests_on_clean_laps_only() {
    let mut fold = Fold::default();
    assert_eq!(fold.consumption(), Consumption::default());
    for event in a_stop_across_the_line() {
        fold.apply(&event, &own());
    }
    let used = fold.consumption();
    // Laps 2, 3, 6, 7, 8: lap 1 has no line before it, 4 and 5 are in- and out-lap.
    assert_eq!(used.laps, 5);
    assert!((used.fuel_l.unwrap() - 3.0).abs() < 1e-4 && (used.virtual_energy_pct.unwrap() - 4.0).abs() < 1e-4);
    assert_eq!(used.fuel_kg, None);
}

#[test]
fn a_pit_visit_keeps_all_its_steps() {
    let mut fold = Fold::default();
    let facts: Vec<Fact> = a_stop_across_the_line().iter().flat_map(|e| fold.apply(e, &own())).collect();
    let last = facts.iter().rev().find_map(|f| if let Fact::PitStop(p) = f { Some(p) } else { None }).unwrap();
    assert_eq!((last.stop, last.lap), (1, 4));
    assert_eq!(
        (last.entered_s, last.stopped_s, last.released_s, last.exited_s),
        (Some(390.0), Some(405.0), Some(440.0), Some(450.0))
    );
    assert_eq!((last.driver_in.as_deref(), last.driver_out.as_deref()), (Some("A"), Some("B")));
    assert_eq!((last.fuel_in_l, last.fuel_out_l), (Some(390.0), Some(450.0)));
}

proptest! {
    /// Wherever the stream is cut and carried on from the checkpoint, the facts are the same.
    #[test]
    fn a_resumed_fold_gives_the_same_facts(cuts in prop::collection::vec(0usize..12, 0..4)) {
        let events = a_stop_across_the_line();
        let mut whole = Fold::default();
        let expected: Vec<Fact> = events.iter().flat_map(|e| whole.apply(e, &own())).collect();
        let mut fold = Fold::default();
        let mut facts = Vec::new();
        for (i, event) in events.iter().enumerate() {
            if cuts.contains(&i) {
                fold = serde_json::from_value(serde_json::to_value(&fold).unwrap()).unwrap();
            }
            facts.extend(fold.apply(event, &own()));
        }
        prop_assert_eq!(facts, expected);
        prop_assert_eq!(fold, whole);
    }
}
