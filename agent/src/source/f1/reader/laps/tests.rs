use super::*;
use crate::source::f1::packet::wire::{Cursor, Wire};

/// A car on its lap.
fn on(lap: u8, lap_ms: u32, last_ms: u32) -> LapData {
    let mut data = LapData::read(&mut Cursor::new(&[0; LapData::SIZE]));
    data.current_lap = lap;
    data.current_lap_time_ms = lap_ms;
    data.last_lap_time_ms = last_ms;
    data.position = 3;
    data.result_status.0 = ACTIVE;
    data.driver_status.0 = 4;
    data
}

fn with_sectors(mut data: LapData, s1: u32, s2: u32) -> LapData {
    (data.sector1_time_ms, data.sector2_time_ms) = (SplitMs(s1), SplitMs(s2));
    data
}

fn see(tracker: &mut LapTracker, data: &LapData, at_s: f64) -> Option<Done> {
    tracker.see(data, at_s, false, AtLine::default)
}

/// The history of a car that has done these laps and is on another one.
fn history(laps: &[(u32, [u16; 3], u8)]) -> SessionHistory {
    let mut bytes = vec![0; SessionHistory::SIZE];
    bytes[1] = laps.len() as u8 + 1;
    for (i, (time, sectors, valid)) in laps.iter().enumerate() {
        let entry = &mut bytes[7 + 14 * i..][..14];
        entry[..4].copy_from_slice(&time.to_le_bytes());
        for (sector, at) in sectors.iter().zip([4, 7, 10]) {
            entry[at..at + 2].copy_from_slice(&sector.to_le_bytes());
        }
        entry[13] = *valid;
    }
    SessionHistory::read(&mut Cursor::new(&bytes)).trimmed()
}

fn corrections(tracker: &mut LapTracker, history: &SessionHistory) -> Vec<Done> {
    let mut told = Vec::new();
    tracker.correct(history, 300.0, |done| told.push(done.clone()));
    told
}

#[test]
fn a_lap_is_done_at_the_line_with_single_sectors() {
    let mut tracker = LapTracker::default();
    assert_eq!(see(&mut tracker, &on(1, 80_000, 0), 80.0), None, "it was under way");
    see(&mut tracker, &with_sectors(on(1, 90_700, 0), 28_100, 30_400), 90.7);
    let done = see(&mut tracker, &on(2, 50, 90_742), 90.8).unwrap();
    assert_eq!((done.lap, done.time_ms, done.valid), (1, Some(90_742), Some(true)));
    assert_eq!(done.sectors_ms, [Some(28_100), Some(30_400), Some(32_242)]);
    assert!((done.at_s - 90.75).abs() < 1e-9, "the line was crossed 50 ms before");
    assert_eq!(see(&mut tracker, &on(2, 66, 90_742), 90.816), None);
    assert_eq!(tracker.best_ms(), Some(90_742));
}

#[test]
fn a_time_of_an_earlier_lap_is_not_this_ones() {
    let mut tracker = LapTracker::default();
    see(&mut tracker, &on(2, 40_000, 90_742), 200.0);
    let done = see(&mut tracker, &on(3, 10, 90_742), 200.1).unwrap();
    assert_eq!((done.time_ms, done.sectors_ms[2]), (None, None), "taken to the garage in the middle of the lap");

    let mut tracker = LapTracker::default();
    see(&mut tracker, &on(2, 90_730, 90_742), 200.0);
    let done = see(&mut tracker, &on(3, 10, 90_742), 200.1).unwrap();
    assert_eq!(done.time_ms, Some(90_742), "twice the same time");
}

#[test]
fn an_invalid_lap_and_laps_through_the_pits_say_so() {
    let mut tracker = LapTracker::default();
    let mut data = on(1, 80_000, 0);
    data.driver_status.0 = OUT_LAP;
    see(&mut tracker, &data, 80.0);
    data.driver_status.0 = 1;
    data.current_lap_invalid = true;
    see(&mut tracker, &data, 90.0);
    let mut next = on(2, 10, 95_000);
    next.pit_status.0 = 1;
    let done = see(&mut tracker, &next, 95.0).unwrap();
    assert_eq!((done.valid, done.out_lap, done.in_lap), (Some(false), true, true));
    assert_eq!(tracker.best_ms(), None);
    see(&mut tracker, &on(2, 80_000, 95_000), 175.0);
    let done = see(&mut tracker, &on(3, 10, 99_000), 195.0).unwrap();
    assert_eq!((done.out_lap, done.in_lap), (true, false));
}

#[test]
fn the_last_lap_is_done_when_the_car_has_finished() {
    let mut tracker = LapTracker::default();
    see(&mut tracker, &with_sectors(on(5, 90_000, 91_000), 28_000, 31_000), 500.0);
    let mut finished = on(5, 0, 90_500);
    finished.result_status.0 = FINISHED;
    let done = see(&mut tracker, &finished, 500.5).unwrap();
    assert_eq!((done.lap, done.time_ms), (5, Some(90_500)));
    finished.current_lap = 6;
    assert_eq!(see(&mut tracker, &finished, 501.0), None, "it is not told again when the counter follows");
    assert!(tracker.is_told_up_to(5));
    assert!(!tracker.is_told_up_to(6));
}

#[test]
fn a_flashback_takes_laps_back() {
    let mut tracker = LapTracker::default();
    see(&mut tracker, &on(1, 90_000, 0), 90.0);
    assert!(see(&mut tracker, &on(2, 10, 90_500), 91.0).is_some());
    assert_eq!(tracker.see(&on(1, 85_000, 0), 85.0, true, AtLine::default), None);
    assert_eq!(tracker.last(), None);
    assert_eq!(corrections(&mut tracker, &history(&[(90_500, [0; 3], 15)])), [], "lap 1 is under way again");
    let done = see(&mut tracker, &on(2, 10, 92_000), 92.5).unwrap();
    assert_eq!((done.lap, done.time_ms), (1, Some(92_000)), "told again when it was done again");
    assert_eq!(tracker.see(&on(3, 10, 93_000), 100.0, true, AtLine::default), None, "a jump is not a lap");
}

#[test]
fn the_history_corrects_and_fills_in() {
    let mut tracker = LapTracker::default();
    see(&mut tracker, &on(2, 90_000, 90_000), 190.0);
    see(&mut tracker, &on(3, 10, 90_500), 191.0).unwrap();
    // Laps 3 and 4 pass unseen.
    assert_eq!(see(&mut tracker, &on(5, 10, 90_900), 371.0), None);
    let history = history(&[
        (95_000, [31_000, 32_000, 32_000], 15),
        (90_500, [28_000, 31_000, 31_500], 14),
        (90_700, [28_100, 31_000, 31_600], 15),
        (90_900, [28_200, 31_000, 31_700], 15),
        (0, [28_000, 0, 0], 15),
    ]);
    let told = corrections(&mut tracker, &history);
    assert_eq!(told.iter().map(|done| done.lap).collect::<Vec<_>>(), [2, 3, 4], "lap 1 was before our time");
    assert_eq!((told[0].valid, told[0].time_ms), (Some(false), Some(90_500)));
    assert_eq!(told[1].sectors_ms, [Some(28_100), Some(31_000), Some(31_600)]);
    assert_eq!(corrections(&mut tracker, &history), [], "once");
}

#[test]
fn an_emptied_slot_is_forgotten() {
    let mut tracker = LapTracker::default();
    see(&mut tracker, &on(4, 90_000, 90_000), 190.0);
    let mut gone = on(0, 0, 0);
    gone.result_status.0 = 0;
    see(&mut tracker, &gone, 191.0);
    assert_eq!(see(&mut tracker, &on(5, 10, 91_000), 192.0), None);
}

#[test]
fn laps_beyond_the_bits_are_told_once_each() {
    let mut tracker = LapTracker::default();
    for lap in 1..=255u8 {
        let last_ms = 80_000 + u32::from(lap);
        let done = see(&mut tracker, &on(lap, 10, last_ms), f64::from(lap) * 80.0);
        assert_eq!(done.map(|done| done.lap), (lap > 1).then(|| u16::from(lap) - 1));
    }
}
