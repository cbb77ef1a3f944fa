//! The REST interface: which path answers what, and when it does not.
//!
//! Habits kept: at the main menu `GetGameState` is 503, the garage is 404, `watch` answers 200 with nothing in it and the
//! usage is `null`; the setup screen exists only while the car is in the garage; every request is counted by its path.

use serde_json::{Value, json};

use super::{garage, watch};
use crate::game::Game;
use crate::http::{Request, Response};
use crate::model::car::Place;

/// Every path that is answered, for the game's own description of itself.
const PATHS: [&str; 20] = [
    "/navigation/state",
    "/rest/garage/PitMenu/loadPitMenu",
    "/rest/garage/PitMenu/receivePitMenu",
    "/rest/garage/UIScreen/CarSetupOverview",
    "/rest/garage/UIScreen/RepairAndRefuel",
    "/rest/garage/UIScreen/TireManagement",
    "/rest/garage/brakeinfo",
    "/rest/garage/getPlayerGarageData",
    "/rest/garage/getVehicleCondition",
    "/rest/garage/summary",
    "/rest/multiplayer/teams",
    "/rest/sessions/GetGameState",
    "/rest/sessions/weather",
    "/rest/strategy/pitstop-estimate",
    "/rest/strategy/usage",
    "/rest/watch/sessionInfo",
    "/rest/watch/standings",
    "/rest/watch/standings/history",
    "/rest/watch/trackmap",
    "/swagger-schema.json",
];

/// Answers and counts.
pub(crate) fn answer(game: &mut Game, request: &Request) -> Response {
    *game.requests.entry(format!("{} {}", request.method, request.path)).or_default() += 1;
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", path) if game.in_menu => at_the_menu(path),
        ("GET", path) => in_session(game, path),
        ("POST", "/rest/garage/PitMenu/loadPitMenu") if !game.in_menu => load_pit_menu(game, &request.body),
        (_, path) if PATHS.contains(&path) => Response::error(405, "method not allowed"),
        _ => not_found(),
    }
}

fn not_found() -> Response {
    Response { status: 404, body: b"Not found".to_vec() }
}

fn ok(body: &Value) -> Response {
    Response::json(200, body)
}

fn at_the_menu(path: &str) -> Response {
    match path {
        "/navigation/state" => ok(&json!({
            "loadingStatus": { "loading": false, "percentage": 0 },
            "state": {
                "appBuild": "1.4.2", "gamePhase": "GPHASE_STARTING", "gameSession": "SESSION_NONE",
                "gameState": "GAMESTATE_SETUP", "navigationState": "NAV_MAIN_MENU",
            },
        })),
        "/rest/sessions/GetGameState" => Response::json(
            503,
            &json!({ "status": "unavailable", "reason": "No session is loaded", "gameState": "Setup" }),
        ),
        "/rest/strategy/usage" => ok(&Value::Null),
        "/rest/sessions/weather" => ok(&watch::preset_weather()),
        path if path.starts_with("/rest/watch/") && PATHS.contains(&path) => Response::empty(),
        _ => not_found(),
    }
}

fn in_session(game: &Game, path: &str) -> Response {
    let world = &game.world;
    let in_garage = world.player_car().place == Place::Garage;
    ok(&match path {
        "/navigation/state" => watch::navigation(world),
        "/rest/sessions/GetGameState" => watch::game_state(world, game.paused),
        "/rest/sessions/weather" => watch::preset_weather(),
        "/rest/watch/sessionInfo" => watch::session_info(world, game.paused),
        "/rest/watch/standings" => watch::standings(world),
        "/rest/watch/standings/history" => watch::history(world),
        "/rest/watch/trackmap" => watch::track_map(world),
        "/rest/strategy/usage" => watch::usage(world),
        "/rest/strategy/pitstop-estimate" => garage::stop_estimate(world),
        "/rest/multiplayer/teams" => garage::teams(world),
        "/rest/garage/UIScreen/CarSetupOverview" if in_garage => garage::setup_overview(world),
        "/rest/garage/getPlayerGarageData" => garage::garage_data(world, game.garage_setup()),
        "/rest/garage/summary" => garage::summary(world),
        "/rest/garage/PitMenu/receivePitMenu" => world.pit_menu.to_json(),
        "/rest/garage/UIScreen/RepairAndRefuel" => garage::repair_and_refuel(world),
        "/rest/garage/UIScreen/TireManagement" => garage::tyre_management(world),
        "/rest/garage/getVehicleCondition" => garage::condition(world),
        "/rest/garage/brakeinfo" => {
            json!(world.player_car().corners.iter().map(|corner| corner.disc_m).collect::<Vec<_>>())
        }
        "/swagger-schema.json" => schema(),
        _ => return not_found(),
    })
}

fn load_pit_menu(game: &mut Game, body: &[u8]) -> Response {
    let loaded = serde_json::from_slice(body)
        .map_err(|error| error.to_string())
        .and_then(|menu| game.world.pit_menu.load(&menu));
    match loaded {
        Ok(()) => Response::empty(),
        Err(why) => Response::error(400, &why),
    }
}

fn schema() -> Value {
    let path = |path: &&str| {
        let method = if path.ends_with("loadPitMenu") { "post" } else { "get" };
        ((*path).to_owned(), json!({ method: { "parameters": [], "responses": { "200": { "description": "OK" } } } }))
    };
    let paths: serde_json::Map<String, Value> = PATHS.iter().map(path).collect();
    json!({ "swagger": "2.0", "info": { "title": "LMU", "version": "1.0" }, "definitions": {}, "paths": paths })
}

#[cfg(test)]
mod tests;
