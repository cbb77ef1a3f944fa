//! The entry list and how the cars stand at the beginning of a session.

use std::sync::Arc;

use super::car::{Car, Compound, Corner, Driver, Entry, Gaps, Pace, PitPlan, Place};
use super::class::Class;
use super::heat::{Air, fit_new_tyres};
use super::log::SessionKind;
use super::names;
use super::profile::Profile;
use super::rng::Rng;
use super::session::Session;
use super::timing::Timing;
use super::track::Track;

/// Who takes part: `cars` cars spread over `classes`, the faster classes first; the player is one of them.
pub(crate) fn entries(
    rng: &mut Rng,
    track: &Track,
    cars: usize,
    classes: &[Class],
    player_class: Class,
) -> (Vec<Arc<Entry>>, usize) {
    let mut by_class: Vec<Class> = (0..cars).map(|i| classes[i * classes.len() / cars]).collect();
    // The player drives somewhere in the middle of his class.
    let own: Vec<usize> = (0..cars).filter(|i| by_class[*i] == player_class).collect();
    let player = own.get(own.len() / 2).copied().unwrap_or(cars / 2);
    by_class[player] = player_class;
    let mut all_names = names::drivers(rng, cars * 3).into_iter();
    let mut numbers: Vec<u32> = (1..=199).collect();
    let entries = by_class.iter().enumerate().map(|(i, class)| {
        let number = numbers.swap_remove(rng.index(numbers.len()));
        let own_names: Vec<String> = all_names.by_ref().take(3).collect();
        let (team, own_names) = if i == player {
            (names::PLAYER_TEAM.to_owned(), names::PLAYER_DRIVERS.map(str::to_owned).to_vec())
        } else {
            (names::team(i).to_owned(), own_names)
        };
        let skill =
            |rng: &mut Rng| (1.0 - 0.004 - 0.010 * rng.unit() - 0.002 * rng.unit(), rng.between(0.0012, 0.0035));
        let one_driver = *class == Class::F1;
        let drivers = own_names
            .into_iter()
            .take(if one_driver && i != player { 1 } else { 3 })
            .map(|name| {
                let (skill, scatter) = skill(rng);
                Driver { name, skill, scatter }
            })
            .collect();
        let spec = class.spec();
        Arc::new(Entry {
            id: i as i32 + 3,
            number,
            class: *class,
            vehicle_name: format!("{team} 2026 #{number}:WEC"),
            vehicle_file: format!(
                "{number}_26_{}",
                team.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>().to_uppercase()
            ),
            team,
            model: spec.models[i % spec.models.len()],
            drivers,
            box_m: track.box_m(i, cars),
            steering_wobble: rng.between(0.002, 0.010),
        })
    });
    (entries.collect(), player)
}

/// A car at the beginning of a session, at its place on the grid or in its garage.
pub(crate) fn car(
    entry: &Arc<Entry>,
    grid: usize,
    session: &Session,
    profile: &Profile,
    air: &Air,
    rng: &mut Rng,
    player: bool,
) -> Car {
    let spec = entry.class.spec();
    let race = session.kind == SessionKind::Race;
    let fill = if player { 1.0 } else { rng.between(0.88, 1.0) };
    let corner = Corner {
        surface_c: [air.ambient_c; 3],
        inner_c: air.ambient_c,
        carcass_c: air.ambient_c,
        tread: 1.0,
        brake_c: if race { 260.0 } else { air.ambient_c },
        disc_m: 0.034,
        cold_kpa: 135.0,
    };
    let fuel_l = spec.energy_l.map_or(spec.tank_l, |whole| (whole * 0.98).min(spec.tank_l)) * fill;
    let mut car = Car {
        entry: Arc::clone(entry),
        driver: 0,
        place: if race { Place::Track } else { Place::Garage },
        s_m: if race { -100.0 - 9.0 * grid as f64 } else { entry.box_m },
        lateral_m: if grid.is_multiple_of(2) { -2.5 } else { 2.5 },
        speed_mps: if race { 20.0 } else { 0.0 },
        accel_mps2: 0.0,
        curvature: 0.0,
        throttle: 0.0,
        brake: 0.0,
        steering: 0.0,
        clutch: 0.0,
        gear: i32::from(race),
        rpm: if race { spec.idle_rpm } else { 0.0 },
        limiter: false,
        fuel_l,
        energy: if spec.energy_l.is_some() { fill } else { 0.0 },
        battery: if spec.hybrid { 0.8 } else { 0.0 },
        water_c: if race { 84.0 } else { air.ambient_c + 38.0 },
        oil_c: if race { 92.0 } else { air.ambient_c + 42.0 },
        corners: std::array::from_fn(|_| corner.clone()),
        compound: Compound::Medium,
        timing: if race { Timing::on_grid(session.green_ms) } else { Timing::in_garage(0) },
        pace: Pace { sector_share: [1.0; 3], share: 0.99 },
        pit: PitPlan::default(),
        ahead: None,
        blue_flag: false,
        position: grid + 1,
        grid: grid + 1,
        gaps: Gaps::default(),
        finished_ms: None,
        leaves_garage_ms: if race {
            None
        } else {
            Some(if player { 4_000 } else { rng.between(1_000.0, 70_000.0) as u64 })
        },
        penalties: 0,
        track_limit_steps: 0,
        last_impact: None,
        dents: [0; 8],
        fuel_per_lap_l: spec.burn_l_per_s * profile.lap_time_s * 0.58,
        fuel_at_line_l: fuel_l,
        stint_laps: 0,
        top_speed_mps: 0.0,
    };
    // Teams set their pressures a little apart; the player's come from his own garage.
    let cold = team_pressures(entry.class).map(|kpa| kpa + if player { 0.0 } else { rng.between(-2.0, 3.0).round() });
    fit_new_tyres(&mut car, cold, air);
    if race {
        for corner in &mut car.corners {
            corner.inner_c += 14.0;
            corner.carcass_c += 12.0;
            corner.surface_c = corner.surface_c.map(|c| c + 16.0);
        }
    }
    car
}

/// What a team of the class puts into its tyres, cold: FL, FR, RL, RR.
pub(crate) fn team_pressures(class: Class) -> [f64; 4] {
    if class == Class::F1 { [112.0, 110.0, 98.0, 96.0] } else { [137.0, 136.0, 140.0, 138.0] }
}
