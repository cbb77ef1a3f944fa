//! The field at one instant.
//!
//! None of what is told here is restricted: another player's fuel, wear and battery are not looked at.

use super::super::packet::{LapData, Session};
use super::live::{Car, Live};
use super::sample::is_race;
use super::words::driver;
use onelap_protocol::ids::CarKey;
use onelap_protocol::race::{CarStanding, FinishState, Phase, Standings};

/// The field, where it is known.
#[must_use]
pub fn standings(live: &Live, phase: Phase) -> Option<Standings> {
    let (laps, session) = (live.laps.as_ref()?, live.session.as_ref()?);
    let mut order: Vec<usize> = (0..laps.len()).filter(|&slot| laps[slot].is_car()).collect();
    order.sort_by_key(|&slot| (laps[slot].position == 0, laps[slot].position, slot));
    let mut cars: Vec<CarStanding> = Vec::with_capacity(order.len());
    for (i, &slot) in order.iter().enumerate() {
        let leader = order.first().map(|&slot| &laps[slot]);
        let ahead = i.checked_sub(1).and_then(|i| order.get(i)).map(|&slot| &laps[slot]);
        cars.push(standing(live, session, slot, &laps[slot], leader, ahead));
    }
    Some(Standings {
        at_s: live.time_s,
        time_left_s: (!is_race(session) && session.session_duration_s > 0)
            .then_some(session.session_time_left_s.into()),
        phase,
        yellow_sectors: yellow_sectors(session),
        cars,
    })
}

fn standing(
    live: &Live,
    session: &Session,
    slot: usize,
    lap: &LapData,
    leader: Option<&LapData>,
    ahead: Option<&LapData>,
) -> CarStanding {
    let participant = live.participants.as_ref().map(|participants| &participants.cars[slot]);
    let Car { laps, pits } = &live.cars[slot];
    let seconds = |ms: u32| ms as f32 / 1000.0;
    let is_led = is_race(session) && lap.position > 1;
    let behind = |other: Option<&LapData>| other.filter(|_| is_led).and_then(|other| laps_behind(session, other, lap));
    let last = laps.last();
    CarStanding {
        car: CarKey(slot.to_string()),
        number: participant.map(|who| who.race_number.to_string()),
        driver: driver(live.participants.as_ref(), slot),
        entrant: participant.and_then(|who| who.team.name()).map(str::to_owned),
        car_name: None,
        class: None,
        position: lap.position.into(),
        class_position: None,
        laps: completed(lap, last.map(|done| done.lap)),
        sector: (lap.sector < 3).then(|| lap.sector + 1),
        lap_distance_m: Some(lap.lap_distance_m).filter(|distance| *distance >= 0.0),
        gap_s: lap.delta_to_race_leader_ms.known().filter(|_| is_led).map(seconds),
        gap_laps: behind(leader),
        interval_s: lap.delta_to_car_in_front_ms.known().filter(|_| is_led).map(seconds),
        interval_laps: behind(ahead),
        last_lap_ms: (lap.last_lap_time_ms > 0).then_some(lap.last_lap_time_ms),
        best_lap_ms: laps.best_ms(),
        last_sectors_ms: last.map(|done| done.sectors_ms).unwrap_or_default(),
        current_sectors_ms: [lap.sector1_time_ms.known(), lap.sector2_time_ms.known()],
        pit: pits.state(),
        pit_stops: lap.pit_stops.into(),
        penalties: u16::from(lap.unserved_drive_throughs)
            + u16::from(lap.unserved_stop_gos)
            + u16::from(lap.penalties_s > 0),
        finish: match lap.result_status.0 {
            2 => FinishState::Running,
            3 => FinishState::Finished,
            5 => FinishState::Disqualified,
            _ => FinishState::Retired,
        },
        compound: live.compound(slot),
        virtual_energy_pct: None,
        xz_m: live.places.as_ref().map(|places| places[slot]).filter(|place| place.iter().all(|m| m.is_finite())),
    }
}

/// A finished car's last lap is not always followed by another.
fn completed(lap: &LapData, last_told: Option<u16>) -> u16 {
    u16::from(lap.current_lap).saturating_sub(1).max(last_told.unwrap_or(0))
}

/// Whole laps between two cars; `None` for none.
fn laps_behind(session: &Session, front: &LapData, back: &LapData) -> Option<u16> {
    let laps = (front.total_distance_m - back.total_distance_m) / f32::from(session.track_length_m);
    (laps.is_finite() && laps >= 1.0).then_some(laps as u16)
}

/// Sectors in which a marshal zone shows yellow.
fn yellow_sectors(session: &Session) -> Vec<u8> {
    let length_m = f32::from(session.track_length_m);
    let mut sectors: Vec<u8> = session
        .marshal_zones
        .iter()
        .filter(|zone| zone.flag.0 == 3)
        .map(|zone| match zone.start_fraction * length_m {
            start_m if start_m >= session.sector3_start_m => 3,
            start_m if start_m >= session.sector2_start_m => 2,
            _ => 1,
        })
        .collect();
    sectors.sort_unstable();
    sectors.dedup();
    sectors
}
