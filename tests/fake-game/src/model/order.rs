//! Places, gaps, blue flags and who is ahead of whom on the road.

use super::car::{Ahead, Car, Place};
use super::log::SessionKind;
use super::profile::Profile;
use super::track::Track;

/// Finds the next car on the road for everyone on the track, and who has to let others by.
pub(crate) fn road(cars: &mut [Car], track: &Track, profiles: &[Profile]) {
    let mut on_road: Vec<usize> = (0..cars.len()).filter(|i| cars[*i].place == Place::Track).collect();
    on_road.sort_by(|a, b| cars[*a].s_m.rem_euclid(track.length_m).total_cmp(&cars[*b].s_m.rem_euclid(track.length_m)));
    for car in cars.iter_mut() {
        car.ahead = None;
        car.blue_flag = false;
        car.gaps.road_ahead_s = 0.0;
        car.gaps.road_behind_s = 0.0;
    }
    if on_road.len() < 2 {
        return;
    }
    for (rank, i) in on_road.iter().enumerate() {
        let next = on_road[(rank + 1) % on_road.len()];
        let gap_m = (cars[next].s_m - cars[*i].s_m).rem_euclid(track.length_m);
        let gap_s = gap_m / cars[*i].speed_mps.max(10.0);
        cars[*i].ahead = Some(Ahead { gap_m, speed_mps: cars[next].speed_mps });
        cars[*i].gaps.road_ahead_s = gap_s;
        cars[next].gaps.road_behind_s = gap_s;
        let faster = profiles[cars[*i].entry.class.index()].lap_time_s
            < profiles[cars[next].entry.class.index()].lap_time_s * 0.97;
        let lapping = cars[*i].timing.laps > cars[next].timing.laps;
        cars[next].blue_flag = gap_m < 45.0 && faster && lapping;
    }
}

/// Metres driven since the start; of those who have finished, who crossed the line first is a hair ahead.
fn distance(car: &Car, track: &Track) -> f64 {
    if let Some(at_ms) = car.finished_ms {
        return f64::from(car.timing.laps) * track.length_m - at_ms as f64 * 1e-9;
    }
    let fresh = if car.timing.fresh { track.length_m } else { 0.0 };
    f64::from(car.timing.laps) * track.length_m + car.s_m - fresh
}

/// Places and the gaps that go with them.
pub(crate) fn places(cars: &mut [Car], track: &Track, profiles: &[Profile], kind: SessionKind) {
    let mut order: Vec<usize> = (0..cars.len()).collect();
    match kind {
        SessionKind::Race => order.sort_by(|a, b| distance(&cars[*b], track).total_cmp(&distance(&cars[*a], track))),
        SessionKind::Practice | SessionKind::Qualifying => order.sort_by_key(|i| {
            let best = cars[*i].timing.best.map_or(u32::MAX, super::timing::LapTimes::lap_ms);
            (best, cars[*i].grid)
        }),
    }
    let leader = order[0];
    for (rank, i) in order.iter().enumerate() {
        cars[*i].position = rank + 1;
        if kind != SessionKind::Race {
            continue;
        }
        let (leader_s, leader_laps) = gap(&cars[leader], &cars[*i], track, profiles);
        let (next_s, next_laps) =
            if rank == 0 { (0.0, 0) } else { gap(&cars[order[rank - 1]], &cars[*i], track, profiles) };
        let behind_s = order.get(rank + 1).map_or(0.0, |j| gap(&cars[*i], &cars[*j], track, profiles).0);
        let gaps = &mut cars[*i].gaps;
        (gaps.to_leader_s, gaps.laps_to_leader) = (leader_s, leader_laps);
        (gaps.to_next_s, gaps.laps_to_next) = (next_s, next_laps);
        gaps.behind_s = behind_s;
    }
}

/// Seconds that the car behind needs to where the other is, and whole laps beyond that.
fn gap(front: &Car, behind: &Car, track: &Track, profiles: &[Profile]) -> (f64, i32) {
    let apart_m = (distance(front, track) - distance(behind, track)).max(0.0);
    let laps = (apart_m / track.length_m).floor();
    let profile = &profiles[behind.entry.class.index()];
    let (to, from) = (profile.time_at(track, front.s_m), profile.time_at(track, behind.s_m));
    let seconds = if apart_m - laps * track.length_m < 0.01 { 0.0 } else { (to - from).rem_euclid(profile.lap_time_s) };
    (seconds, laps as i32)
}
