//! The field as it stands, from one image.

use super::bodies::StandingBody;
use super::entry;
use super::field::{self, name};
use super::image::{Image, Vehicle};
use super::laps::{LastTimes, difference, ms};
use super::normalise;
use onelap_protocol::race::{CarStanding, FinishState, Phase, Standings};

/// The first session number of races.
const FIRST_RACE: i32 = 10;

/// The cars in the order of their position. `rows` is what the REST API knows besides.
#[must_use]
pub fn standings(image: &Image<'_>, rows: &[StandingBody]) -> Standings {
    let scoring = image.scoring();
    let mut cars: Vec<CarStanding> =
        image.vehicles().enumerate().map(|(slot, vehicle)| standing(image, slot, &vehicle, rows)).collect();
    cars.sort_by_key(|car| if car.position == 0 { u16::MAX } else { car.position });
    Standings {
        at_s: scoring.current_et(),
        time_left_s: normalise::time_left_s(&scoring, image.has_1_3()),
        phase: phase(scoring.game_phase()),
        yellow_sectors: normalise::yellow_sectors(&scoring).collect(),
        cars,
    }
}

/// The phase of a session.
#[must_use]
pub fn phase(game_phase: u8) -> Phase {
    match game_phase {
        0 => Phase::Before,
        1..=4 => Phase::Formation,
        6 => Phase::FullCourseYellow,
        7 => Phase::Stopped,
        8 => Phase::Over,
        9 => Phase::Paused,
        _ => Phase::Green,
    }
}

fn standing(image: &Image<'_>, slot: usize, vehicle: &Vehicle<'_>, rows: &[StandingBody]) -> CarStanding {
    let entry = vehicle.vehicle_name();
    let telemetry = image.car_of(vehicle.id(), slot);
    let row = rows.iter().find(|row| is_of(row, vehicle, &entry));
    let is_race = image.scoring().session() >= FIRST_RACE;
    let gap =
        |seconds: f64| (is_race && vehicle.place() > 1 && seconds > 0.0 && seconds < 1e6).then_some(seconds as f32);
    let laps = |laps: i32| u16::try_from(laps).ok().filter(|laps| is_race && *laps > 0);
    let last = LastTimes {
        sector1_s: vehicle.last_sector1(),
        sector2_s: vehicle.last_sector2(),
        lap_s: vehicle.last_lap_time(),
    };
    let (first, second) = (ms(vehicle.cur_sector1()), ms(vehicle.cur_sector2()));
    let [x, _, z] = vehicle.pos().map(|metres| metres as f32);
    CarStanding {
        car: entry::car_key(vehicle.id(), &entry),
        number: entry::number(&entry).or_else(|| row.and_then(|row| row.number.clone())),
        driver: vehicle.driver_name().into_owned(),
        entrant: row.and_then(|row| row.team.clone()).or_else(|| entry::team(&entry)),
        car_name: car_name(image, slot, vehicle),
        class: name(&vehicle.vehicle_class()),
        position: vehicle.place().into(),
        class_position: field::class_position(image, vehicle),
        laps: u16::try_from(vehicle.total_laps()).unwrap_or(0),
        sector: normalise::sector(vehicle),
        lap_distance_m: Some(vehicle.lap_dist() as f32).filter(|m| m.is_finite() && *m >= 0.0),
        gap_s: gap(vehicle.time_behind_leader()),
        gap_laps: laps(vehicle.laps_behind_leader()),
        interval_s: gap(vehicle.time_behind_next()),
        interval_laps: laps(vehicle.laps_behind_next()),
        last_lap_ms: ms(vehicle.last_lap_time()),
        best_lap_ms: ms(vehicle.best_lap_time()),
        last_sectors_ms: last.sectors_ms(),
        current_sectors_ms: [first, difference(second, first)],
        pit: normalise::pit_state(vehicle),
        pit_stops: u16::try_from(vehicle.num_pitstops()).unwrap_or(0),
        penalties: u16::try_from(vehicle.num_penalties()).unwrap_or(0),
        finish: finish(vehicle.finish_status()),
        compound: telemetry.and_then(|car| name(&car.front_tire_compound_name())),
        virtual_energy_pct: telemetry.and_then(|car| normalise::virtual_energy_pct(&car, image.has_1_3())),
        xz_m: (x.is_finite() && z.is_finite()).then_some([x, z]),
    }
}

/// The model, where the game names one, else the entry.
#[must_use]
pub fn car_name(image: &Image<'_>, slot: usize, vehicle: &Vehicle<'_>) -> Option<String> {
    let model = image.car_of(vehicle.id(), slot).filter(|_| image.has_1_3()).and_then(|car| name(&car.vehicle_model()));
    model.or_else(|| name(&vehicle.vehicle_name()))
}

/// Whether a row of the REST API is about a car: by entry and driver; by slot where the driver has just changed. Entries
/// may carry a version there.
fn is_of(row: &StandingBody, vehicle: &Vehicle<'_>, entry: &str) -> bool {
    let has_entry = !entry.is_empty() && row.vehicle.as_deref().is_some_and(|vehicle| vehicle.starts_with(entry));
    let has_driver = row.driver.as_deref() == Some(&*vehicle.driver_name());
    has_entry && (has_driver || row.slot == Some(vehicle.id()))
}

fn finish(status: i8) -> FinishState {
    match status {
        1 => FinishState::Finished,
        2 => FinishState::Retired,
        3 => FinishState::Disqualified,
        _ => FinishState::Running,
    }
}
