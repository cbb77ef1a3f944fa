//! Bodies about the session and the field: what `/rest/watch`, `/rest/sessions` and `/rest/strategy` answer.
//!
//! As in the image: -1 where a time is not known, "sector 2" is sectors 1 + 2.

use serde_json::{Map, Value, json};

use super::scoring::{count_lap, lap_distance};
use crate::model::car::{Car, Place};
use crate::model::log::{LapRecord, SessionKind};
use crate::model::session::Phase;
use crate::model::timing::LapTimes;
use crate::model::world::World;

pub(crate) fn session_name(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Practice => "PRACTICE1",
        SessionKind::Qualifying => "QUALIFY1",
        SessionKind::Race => "RACE1",
    }
}

fn phase_name(world: &World) -> &'static str {
    match world.session.phase {
        Phase::Formation => "GPHASE_FORMATION",
        Phase::Green => "GPHASE_GREEN",
        Phase::Chequered | Phase::Over => "GPHASE_SESSION_OVER",
    }
}

pub(crate) fn navigation(world: &World) -> Value {
    let driving = world.player_car().place != Place::Garage;
    json!({
        "loadingStatus": { "loading": false, "percentage": 100 },
        "state": {
            "appBuild": "1.4.2",
            "gamePhase": phase_name(world),
            "gameSession": session_name(world.session.kind),
            "gameState": "GAMESTATE_RUNNING",
            "navigationState": if driving { "NAV_REALTIME" } else { "NAV_EVENT" },
        },
    })
}

pub(crate) fn pit_state_name(car: &Car) -> &'static str {
    match car.place {
        Place::Track if car.pit.requested => "REQUEST",
        Place::Track | Place::Garage => "NONE",
        Place::Entering => "ENTERING",
        Place::Stopped => "STOPPED",
        Place::Exiting => "EXITING",
    }
}

pub(crate) fn game_state(world: &World, paused: bool) -> Value {
    let car = world.player_car();
    let driving = car.place != Place::Garage;
    let entry_m = (world.track.pit.entry_m - car.s_m).rem_euclid(world.track.length_m);
    json!({
        "MultiStintState": if paused { "PAUSED" } else { "DRIVING" },
        "PitEntryDist": entry_m,
        "PitState": pit_state_name(car),
        "closeestWeatherNode": {
            "Duration": 30, "Humidity": 60, "RainChance": (world.weather.rain * 100.0).round(), "Sky": world.weather.cloud_coverage(),
            "StartTime": (world.session.start_of_day_s / 60.0).round(), "Temperature": world.weather.ambient_c.round(),
            "WindDirection": 5, "WindSpeed": 12,
        },
        "gamePhase": if paused { "GPHASE_PAUSED" } else { phase_name(world) },
        "haveILoadedAllMyTiresYet": true,
        "inControlOfVehicle": driving,
        "inMonitor": !driving,
        "isReplayActive": false,
        "playerVehicleLoaded": true,
        "raceFinished": world.session.phase == Phase::Over,
        "teamVehicleState": if driving { "IN CONTROL" } else { "IN GARAGE" },
        "timeOfDay": world.session.start_of_day_s + world.session.now_s(),
    })
}

pub(crate) fn session_info(world: &World, paused: bool) -> Value {
    let (session, weather) = (&world.session, &world.weather);
    let (driest, wettest) = weather.wetness_range();
    let end_s = session.end_ms().map_or(0.0, |end| end as f64 / 1_000.0);
    let completion = session.end_ms().map_or(-1.0, |end| (session.now_ms as f64 / end as f64).min(1.0));
    let flags: Vec<&str> = session
        .yellow_until_ms
        .iter()
        .map(|until| if *until > session.now_ms { "YELLOW" } else { "UNKNOWN" })
        .collect();
    let [x, y, z] = weather.wind_mps;
    json!({
        "ambientTemp": weather.ambient_c,
        "averagePathWetness": weather.wetness,
        "currentEventTime": session.now_s(),
        "darkCloud": weather.cloud,
        "endEventTime": end_s,
        "gameMode": "UNKNOWN",
        "gamePhase": if paused { 9 } else { session.lmu_phase() },
        "inRealtime": world.player_car().place != Place::Garage,
        "lapDistance": world.track.length_m,
        "maxPathWetness": wettest,
        "maxPlayers": 0,
        "maxTime": end_s,
        "maximumLaps": session.max_laps().unwrap_or(u32::MAX),
        "minPathWetness": driest,
        "numRedLights": 5,
        "numberOfPlayers": 0,
        "numberOfVehicles": world.cars.len(),
        "passwordProtected": false,
        "playerFileName": "Settings",
        "playerName": world.player_car().driver_name(),
        "raceCompletion": { "timeCompletion": completion },
        "raining": weather.rain,
        "sectorFlag": flags,
        "serverName": "-none-",
        "serverPort": 0,
        "session": session_name(session.kind),
        "startEventTime": session.green_ms as f64 / 1_000.0,
        "startLightFrame": 0,
        "timeRemainingInGamePhase": session.remaining_s().unwrap_or(-1.0),
        "trackName": world.track.name,
        "trackTemp": weather.track_c,
        "windSpeed": { "velocity": x.hypot(z), "x": x, "y": y, "z": z },
        "yellowFlagState": "NONE",
    })
}

pub(crate) fn standings(world: &World) -> Value {
    world.cars.iter().enumerate().map(|(i, car)| standing(world, car, i == world.player)).collect()
}

fn seconds(value: Option<u32>) -> f64 {
    value.map_or(-1.0, |ms| f64::from(ms) / 1_000.0)
}

fn standing(world: &World, car: &Car, player: bool) -> Value {
    let mut row = identity(car);
    row.extend(times(car));
    row.extend(place(world, car, player));
    Value::Object(row)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn identity(car: &Car) -> Map<String, Value> {
    let entry = &car.entry;
    object(json!({
        "slotID": entry.id,
        "driverName": car.driver_name(),
        "vehicleName": entry.vehicle_name,
        "vehicleFilename": entry.vehicle_file,
        "carId": format!("{:040x}", 0x1a5_u64 * u64::from(entry.number) + 7),
        "carNumber": entry.number.to_string(),
        "carClass": entry.class.spec().name,
        "fullTeamName": entry.team,
        "pitGroup": format!("Group{}", entry.id),
        "steamID": 0,
        "upgradePack": "84100400000000000000000000000000",
    }))
}

fn times(car: &Car) -> Map<String, Value> {
    let timing = &car.timing;
    let [one, two] = timing.current_sectors_ms();
    let last = |part: fn(LapTimes) -> u32| match timing.last {
        Some(times) => f64::from(part(times)) / 1_000.0,
        None if timing.laps == 0 => 0.0,
        None => -1.0,
    };
    object(json!({
        "lastLapTime": last(LapTimes::lap_ms),
        "lastSectorTime1": last(|times| times.sector_ms[0]),
        "lastSectorTime2": last(LapTimes::two_sectors_ms),
        "currentSectorTime1": seconds(one),
        "currentSectorTime2": seconds(two),
        "bestLapTime": seconds(timing.best.map(LapTimes::lap_ms)),
        "bestSectorTime1": seconds(timing.best_sector1_ms),
        "bestSectorTime2": seconds(timing.best_two_sectors_ms),
        "bestLapSectorTime1": seconds(timing.best.map(|times| times.sector_ms[0])),
        "bestLapSectorTime2": seconds(timing.best.map(LapTimes::two_sectors_ms)),
        "lapStartET": timing.lap_start_ms as f64 / 1_000.0,
        "lapsCompleted": timing.laps,
    }))
}

fn place(world: &World, car: &Car, player: bool) -> Map<String, Value> {
    let session = &world.session;
    let [x, y, z] = world.track.position(car.s_m, car.lateral_m);
    let sector = world.track.sector_at(car.s_m.rem_euclid(world.track.length_m));
    let count = ["COUNT_NEITHER", "COUNT_LAP_ONLY", "COUNT_LAP_AND_TIME"][usize::from(count_lap(car, session.phase))];
    let best = car
        .timing
        .best
        .map_or(world.profiles[car.entry.class.index()].lap_time_s, |times| f64::from(times.lap_ms()) / 1_000.0);
    object(json!({
        "position": car.position,
        "qualification": car.grid,
        "lapDistance": lap_distance(world, car),
        "timeIntoLap": session.now_s() - car.timing.lap_start_ms as f64 / 1_000.0,
        "estimatedLapTime": best,
        "timeBehindLeader": car.gaps.to_leader_s,
        "timeBehindNext": car.gaps.to_next_s,
        "lapsBehindLeader": car.gaps.laps_to_leader,
        "lapsBehindNext": car.gaps.laps_to_next,
        "pitState": pit_state_name(car),
        "pitting": car.place.in_pit_lane(),
        "pitstops": car.pit.stops,
        "penalties": car.penalties,
        "inGarageStall": car.place == Place::Garage,
        "flag": if car.blue_flag { "BLUE" } else { "GREEN" },
        "underYellow": session.yellow_until_ms[sector] > session.now_ms,
        "finishStatus": if car.finished_ms.is_some() { "FSTAT_FINISHED" } else { "FSTAT_NONE" },
        "gamePhase": phase_name(world).trim_start_matches("GPHASE_"),
        "sector": format!("SECTOR{}", sector + 1),
        "countLapFlag": count,
        "serverScored": true,
        "inControl": if player { 0 } else { 1 },
        "player": player,
        "focus": player,
        "hasFocus": player,
        "headlights": true,
        "drsActive": false,
        "fuelFraction": car.fuel_l / car.spec().tank_l,
        "veFraction": car.energy,
        "attackMode": { "remainingCount": 0, "timeRemaining": 0, "totalCount": 0 },
        "carPosition": { "type": if car.place.in_pit_lane() { 1 } else { 0 }, "x": x, "y": y, "z": z },
        "carVelocity": { "velocity": car.speed_mps, "x": 0.0, "y": 0.0, "z": -car.speed_mps },
        "carAcceleration": { "velocity": car.accel_mps2.abs(), "x": -car.lateral_accel(), "y": 0.0, "z": -car.accel_mps2 },
        "pathLateral": car.lateral_m,
        "trackEdge": world.track.half_width_m,
        "pitLapDistance": car.entry.box_m,
    }))
}

fn laps_of<'a>(world: &'a World, car: &'a Car) -> impl Iterator<Item = &'a LapRecord> {
    let laps = world.log.sessions.last().map(|session| session.laps.as_slice()).unwrap_or_default();
    laps.iter().filter(|lap| lap.car_id == car.entry.id)
}

pub(crate) fn history(world: &World) -> Value {
    let cars = world.cars.iter().map(|car| {
        let laps: Value = laps_of(world, car)
            .map(|lap| {
                let two = lap.sector1_ms.zip(lap.sector2_ms).map(|(one, two)| one + two);
                json!({
                    "carClass": car.entry.class.spec().name, "driverName": lap.driver, "finishStatus": "FSTAT_NONE",
                    "lapTime": seconds(lap.lap_time_ms), "pitting": lap.pit_in, "position": lap.position,
                    "sectorTime1": seconds(lap.sector1_ms), "sectorTime2": seconds(two), "slotID": car.entry.id,
                    "totalLaps": lap.lap, "vehicleName": car.entry.vehicle_name,
                })
            })
            .collect();
        (car.entry.id.to_string(), laps)
    });
    Value::Object(cars.collect())
}

/// By driver: what each lap has left. Fuel and tyres are told of the player's car only.
pub(crate) fn usage(world: &World) -> Value {
    let mut by_driver: Map<String, Value> = Map::new();
    for (i, car) in world.cars.iter().enumerate() {
        let mut stint = 1;
        for lap in laps_of(world, car) {
            let mut row =
                json!({ "lap": lap.lap, "stint": stint, "pit": lap.pit_in, "ve": lap.virtual_energy.unwrap_or(0.0) });
            if i == world.player {
                row["fuel"] = json!(lap.fuel_l / car.spec().tank_l);
                row["tyres"] = json!(lap.tyres_remaining);
            }
            if let Some(rows) = by_driver.entry(lap.driver.clone()).or_insert_with(|| json!([])).as_array_mut() {
                rows.push(row);
            }
            stint += u32::from(lap.pit_in);
        }
    }
    Value::Object(by_driver)
}

pub(crate) fn track_map(world: &World) -> Value {
    let track = &world.track;
    let points = |lateral: f64, kind: u8, from: f64, to: f64| {
        let count = ((to - from) / 8.0) as usize;
        (0..count).map(move |i| {
            let [x, y, z] = track.position(from + 8.0 * i as f64, lateral);
            json!({ "type": kind, "x": x, "y": y, "z": z })
        })
    };
    let pit = points(track.pit.lateral_m, 1, track.pit.entry_m, track.length_m + track.pit.exit_m);
    points(0.0, 0, 0.0, track.length_m).chain(pit).collect()
}

/// The forecast that the session was set up with; it is not live.
pub(crate) fn preset_weather() -> Value {
    let node = |sky: u8, temperature: u8, rain: u8| {
        let value = |number: u8, text: String| json!({ "currentValue": number, "stringValue": text });
        json!({
            "WNV_SKY": value(sky, if sky < 3 { "Light Clouds".to_owned() } else { "Overcast".to_owned() }),
            "WNV_TEMPERATURE": value(temperature, format!("{temperature}°C")),
            "WNV_RAIN_CHANCE": value(rain, format!("{rain}%")),
            "WNV_HUMIDITY": value(60, "60%".to_owned()),
            "WNV_WINDDIRECTION": value(5, "SW".to_owned()),
            "WNV_WINDSPEED": value(12, "12 kph".to_owned()),
        })
    };
    let session = json!({
        "START": node(1, 22, 0), "NODE_25": node(2, 23, 5), "NODE_50": node(2, 23, 10), "NODE_75": node(3, 22, 25), "FINISH": node(3, 21, 15),
    });
    json!({ "PRACTICE": session, "QUALIFY": session, "RACE": session })
}
