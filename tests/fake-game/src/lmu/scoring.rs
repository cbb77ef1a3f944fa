//! One car's `VehicleScoringInfoV01`, and the lines of the scoring stream.

use super::image::Image;
use super::layout::score;
use super::telemetry::{ms, orientation};
use crate::model::car::{Car, Place};
use crate::model::log::SessionKind;
use crate::model::session::Phase;
use crate::model::timing::LapTimes;
use crate::model::world::{Happening, World};

pub(crate) fn write(image: &mut Image, at: usize, world: &World, car: &Car, player: bool) {
    let (entry, timing, session) = (&car.entry, &car.timing, &world.session);
    image.i32(at + score::ID, entry.id);
    image.text(at + score::DRIVER, 32, car.driver_name());
    image.text(at + score::VEHICLE, 64, &entry.vehicle_name);
    image.i16(at + score::LAPS, timing.laps as i16);
    let sector = world.track.sector_at(car.s_m.rem_euclid(world.track.length_m));
    image.u8(at + score::SECTOR, [1, 2, 0][sector]);
    image.u8(at + score::FINISH, u8::from(car.finished_ms.is_some()));
    image.f64(at + score::LAP_DISTANCE, lap_distance(world, car));
    image.f64(at + score::PATH_LATERAL, car.lateral_m);
    image.f64(at + score::TRACK_EDGE, world.track.half_width_m.copysign(car.lateral_m));
    times(image, at, car);
    image.i16(at + score::STOPS, car.pit.stops as i16);
    image.i16(at + score::PENALTIES, car.penalties as i16);
    image.u8(at + score::IS_PLAYER, u8::from(player));
    image.u8(at + score::CONTROL, if player { 0 } else { 1 });
    image.u8(at + score::IN_PITS, u8::from(car.place.in_pit_lane()));
    image.u8(at + score::PLACE, car.position as u8);
    image.text(at + score::CLASS, 32, entry.class.spec().name);
    if session.kind == SessionKind::Race {
        image.f64(at + score::BEHIND_NEXT, car.gaps.to_next_s);
        image.i32(at + score::LAPS_BEHIND_NEXT, car.gaps.laps_to_next);
        image.f64(at + score::BEHIND_LEADER, car.gaps.to_leader_s);
        image.i32(at + score::LAPS_BEHIND_LEADER, car.gaps.laps_to_leader);
    }
    image.f64(at + score::LAP_START, ms(timing.lap_start_ms));
    image.vector(at + score::POSITION, world.track.position(car.s_m, car.lateral_m));
    image.vector(at + score::VELOCITY, [0.0, 0.0, -car.speed_mps]);
    image.vector(at + score::ACCELERATION, [-car.lateral_accel(), 0.0, -car.accel_mps2]);
    for (row, values) in orientation(world, car).into_iter().enumerate() {
        image.vector(at + score::ORIENTATION + 24 * row, values);
    }
    image.u8(at + score::HEADLIGHTS, 1);
    image.u8(at + score::PIT_STATE, pit_state(car));
    image.u8(at + score::SERVER_SCORED, 1);
    image.u8(at + score::INDIVIDUAL_PHASE, if car.blue_flag { 11 } else { session.lmu_phase() });
    image.i32(at + score::QUALIFICATION, car.grid as i32);
    image.f64(at + score::TIME_INTO_LAP, session.now_s() - ms(timing.lap_start_ms));
    image.f64(at + score::ESTIMATED_LAP, timing.best.map_or(world.profiles[entry.class.index()].lap_time_s, lap_s));
    image.text(at + score::PIT_GROUP, 24, &format!("Group{}", entry.id));
    image.u8(at + score::FLAG, if car.blue_flag { 6 } else { 0 });
    image.u8(at + score::UNDER_YELLOW, u8::from(session.yellow_until_ms[sector] > session.now_ms));
    image.u8(at + score::COUNT_LAP, count_lap(car, session.phase));
    image.u8(at + score::IN_GARAGE, u8::from(car.place == Place::Garage));
    image.f32(at + score::PIT_LAP_DISTANCE, entry.box_m as f32);
    image.u64(at + score::STEAM_ID, 0);
    image.text(at + score::VEHICLE_FILE, 32, &entry.vehicle_file);
    image.u8(at + score::FUEL_FRACTION, (car.fuel_l / entry.class.spec().tank_l * 255.0).round() as u8);
}

/// Seconds; -1 where there is none yet, 0 for a last lap that there has not been. "Sector 2" is sectors 1 + 2.
fn times(image: &mut Image, at: usize, car: &Car) {
    let timing = &car.timing;
    let known = |value: Option<u32>| value.map_or(-1.0, |time| f64::from(time) / 1_000.0);
    image.f64(at + score::BEST_S1, known(timing.best_sector1_ms));
    image.f64(at + score::BEST_S2, known(timing.best_two_sectors_ms));
    image.f64(at + score::BEST_LAP, known(timing.best.map(LapTimes::lap_ms)));
    let none = if timing.laps == 0 { 0.0 } else { -1.0 };
    let last = |part: fn(LapTimes) -> u32| timing.last.map_or(none, |times| f64::from(part(times)) / 1_000.0);
    image.f64(at + score::LAST_S1, last(|times| times.sector_ms[0]));
    image.f64(at + score::LAST_S2, last(LapTimes::two_sectors_ms));
    image.f64(at + score::LAST_LAP, last(LapTimes::lap_ms));
    let [one, two] = timing.current_sectors_ms();
    image.f64(at + score::CURRENT_S1, known(one));
    image.f64(at + score::CURRENT_S2, known(two));
    let best = timing.best;
    image.f32(at + score::BEST_LAP_S1, known(best.map(|times| times.sector_ms[0])) as f32);
    image.f32(at + score::BEST_LAP_S2, known(best.map(LapTimes::two_sectors_ms)) as f32);
}

fn lap_s(times: LapTimes) -> f64 {
    f64::from(times.lap_ms()) / 1_000.0
}

/// Metres from the line; in the pit lane counted back from it, hence negative.
pub(crate) fn lap_distance(world: &World, car: &Car) -> f64 {
    let along = car.s_m.rem_euclid(world.track.length_m);
    if car.place.in_pit_lane() { along - world.track.length_m } else { along }
}

pub(crate) fn pit_state(car: &Car) -> u8 {
    match car.place {
        Place::Garage => 5,
        Place::Entering => 2,
        Place::Stopped => 3,
        Place::Exiting => 4,
        Place::Track if car.pit.requested => 1,
        Place::Track => 0,
    }
}

/// 0 neither lap nor time count, 1 the lap only, 2 both.
pub(crate) fn count_lap(car: &Car, phase: Phase) -> u8 {
    match phase {
        Phase::Over => 0,
        _ if car.finished_ms.is_some() || car.timing.fresh => 0,
        _ if !car.timing.timed || !car.timing.valid => 1,
        _ => 2,
    }
}

/// A line of the scoring stream, or two.
pub(crate) fn line(world: &World, happening: &Happening) -> Option<String> {
    let et = world.session.now_s();
    let named = |car: usize| format!("{}({})", world.cars[car].driver_name(), world.cars[car].entry.id);
    match happening {
        Happening::Contact { car, other, magnitude } => {
            // Each car reports the same collision.
            let one = |a: usize, b: usize| {
                format!(
                    "<Incident et=\"{et:.3}\">{} reported contact ({magnitude:.2}) with another vehicle {}</Incident>\n",
                    named(a),
                    named(b)
                )
            };
            Some(one(*car, *other) + &one(*other, *car))
        }
        Happening::TrackLimits { car } => {
            let (lap, driver, id) =
                (world.cars[*car].timing.laps + 1, world.cars[*car].driver_name(), world.cars[*car].entry.id);
            let points = f64::from(world.cars[*car].track_limit_steps) / 4.0;
            let text = format!(
                "<TrackLimits Driver=\"{driver}\" ID=\"{id}\" Lap=\"{lap}\" WarningPoints=\"0.50\" CurrentPoints=\"{points:.2}\" Resolution=\"No Further Action\" et=\"{et:.3}\">Cut Warning</TrackLimits>\n"
            );
            Some(text.repeat(2))
        }
        Happening::Penalty { car, seconds } => Some(format!(
            "<Penalty et=\"{et:.3}\">{} received Time Penalty ({seconds}s) for Track Limits</Penalty>\n",
            named(*car)
        )),
        _ => None,
    }
}
