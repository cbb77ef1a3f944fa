//! What follows from a car crossing a line: laps into the log, the end of the session, the decision to pit.

use super::car::{Car, Place};
use super::class::Class;
use super::log::{LapRecord, SessionKind, SessionLog};
use super::rng::Rng;
use super::session::{Phase, Session, SessionLength};
use super::timing::Crossing;
use super::track::Track;
use super::world::Happening;

/// Everything of the world but the cars that a crossing touches.
pub(crate) struct Desk<'a> {
    pub session: &'a mut Session,
    pub log: &'a mut SessionLog,
    pub rng: &'a mut Rng,
    pub happenings: &'a mut Vec<Happening>,
}

/// The lines crossed between two distances, with the part of the tick at which each was.
pub(crate) fn crossings(track: &Track, from_m: f64, to_m: f64) -> impl Iterator<Item = (Crossing, f64)> {
    let marks = [
        (Crossing::Sector(0), track.sector_ends_m[0]),
        (Crossing::Sector(1), track.sector_ends_m[1]),
        (Crossing::Line, track.length_m),
    ];
    let moved = (to_m - from_m).max(1e-9);
    marks
        .into_iter()
        .filter(move |(_, at)| from_m < *at && *at <= to_m)
        .map(move |(what, at)| (what, (at - from_m) / moved))
}

/// A car crosses the line at `at_ms`.
pub(crate) fn cross_line(car: &mut Car, index: usize, at_ms: u64, desk: &mut Desk<'_>) {
    if car.finished_ms.is_some() {
        car.timing.coast(at_ms);
        return;
    }
    let Some(done) = car.timing.line(at_ms, car.place.in_pit_lane()) else {
        draw_pace(car, desk.rng);
        return;
    };
    if !done.pit_in && !done.pit_out {
        car.fuel_per_lap_l = (car.fuel_at_line_l - car.fuel_l).max(0.01);
    }
    car.fuel_at_line_l = car.fuel_l;
    car.stint_laps += 1;
    let sectors = done.times.map(|times| times.sector_ms);
    desk.log.laps.push(LapRecord {
        car_id: car.entry.id,
        driver: car.driver_name().to_owned(),
        lap: car.timing.laps,
        sector1_ms: sectors.map(|s| s[0]),
        sector2_ms: sectors.map(|s| s[1]),
        sector3_ms: sectors.map(|s| s[2]),
        lap_time_ms: done.times.map(super::timing::LapTimes::lap_ms),
        valid: done.valid,
        pit_in: done.pit_in,
        pit_out: done.pit_out,
        start_et_ms: done.start_ms,
        end_et_ms: done.end_ms,
        position: car.position,
        fuel_l: car.fuel_l,
        virtual_energy: car.has_energy().then_some(car.energy),
        tyres_remaining: std::array::from_fn(|i| car.corners[i].tread),
    });
    desk.happenings.push(Happening::LapDone { car: index });
    if let (true, Some(times)) = (done.personal_best, done.times)
        && desk.session.fastest_ms.is_none_or(|fastest| times.lap_ms() < fastest)
    {
        desk.session.fastest_ms = Some(times.lap_ms());
        desk.happenings.push(Happening::FastestLap { car: index, lap_ms: times.lap_ms() });
    }
    flag(car, at_ms, desk);
    draw_pace(car, desk.rng);
    decide_pit(car, desk.session.kind);
}

/// The chequered flag, for whom it falls and for everyone after.
fn flag(car: &mut Car, at_ms: u64, desk: &mut Desk<'_>) {
    let session = &mut *desk.session;
    if session.phase == Phase::Green {
        let time_is_up = session.end_ms().is_some_and(|end| at_ms >= end);
        let falls = match session.length {
            SessionLength::Laps(laps) => car.timing.laps >= laps,
            SessionLength::Minutes(_) => time_is_up && (session.kind != SessionKind::Race || car.position == 1),
        };
        if falls {
            session.phase = Phase::Chequered;
            session.chequered_ms = at_ms;
            desk.happenings.push(Happening::Chequered);
        }
    }
    if session.phase == Phase::Chequered {
        car.finished_ms = Some(at_ms);
        car.pit.requested = true;
        car.pit.into_garage = true;
    }
}

/// How well each sector of the next lap will go.
pub(crate) fn draw_pace(car: &mut Car, rng: &mut Rng) {
    let scatter = car.entry.drivers[car.driver].scatter;
    car.pace.sector_share =
        std::array::from_fn(|_| 1.0 - (rng.bell() * scatter).abs() * 0.8 + rng.bell() * scatter * 0.3);
}

fn decide_pit(car: &mut Car, kind: SessionKind) {
    if car.pit.requested || car.place != Place::Track {
        return;
    }
    let worn = car.corners.iter().any(|corner| corner.tread < 0.35);
    let dry = car.laps_left() < 2.1 && car.entry.class != Class::F1;
    let stint_over = kind != SessionKind::Race && car.stint_laps >= 14;
    car.pit.requested = worn || dry || stint_over;
}
