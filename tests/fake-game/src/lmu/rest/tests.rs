//! What the interface answers, and its habits; the real bodies lend their keys where they are at hand.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::command::Command;
use crate::model::log::SessionKind;
use crate::options::Options;

fn game(session: SessionKind) -> Game {
    let mut game = Game::new(&Options { session, ..Options::default() });
    pass(&mut game, 10.0);
    game
}

fn pass(game: &mut Game, seconds: f64) {
    for _ in 0..(seconds * 50.0) as usize {
        game.advance(20.0);
        game.world.happenings.clear();
    }
}

fn get(game: &mut Game, path: &str) -> (u16, Value) {
    let response = answer(game, &Request { method: "GET".to_owned(), path: path.to_owned(), body: Vec::new() });
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn post(game: &mut Game, path: &str, body: &Value) -> u16 {
    answer(game, &Request { method: "POST".to_owned(), path: path.to_owned(), body: body.to_string().into_bytes() })
        .status
}

/// A body as the game sent it, if the real data is at hand.
fn real(file: &str) -> Option<Value> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("ONELAP_TEST_DATA").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = folder.join("lmu-rest").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: there is no {}", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn at_the_menu_the_game_has_little_to_say() {
    let mut game = game(SessionKind::Race);
    game.apply(Command::Menu).unwrap();
    let (status, body) = get(&mut game, "/rest/sessions/GetGameState");
    assert_eq!((status, &body["status"], &body["gameState"]), (503, &json!("unavailable"), &json!("Setup")));
    for path in [
        "/rest/garage/UIScreen/CarSetupOverview",
        "/rest/garage/PitMenu/receivePitMenu",
        "/rest/garage/UIScreen/RepairAndRefuel",
    ] {
        assert_eq!(get(&mut game, path).0, 404, "{path}");
    }
    let empty = answer(
        &mut game,
        &Request { method: "GET".to_owned(), path: "/rest/watch/standings".to_owned(), body: Vec::new() },
    );
    assert_eq!(empty, Response::empty());
    let usage = answer(
        &mut game,
        &Request { method: "GET".to_owned(), path: "/rest/strategy/usage".to_owned(), body: Vec::new() },
    );
    assert_eq!((usage.status, usage.body.as_slice()), (200, b"null".as_slice()));
    assert_eq!(get(&mut game, "/navigation/state").1["state"]["navigationState"], "NAV_MAIN_MENU");
    game.apply(Command::Track).unwrap();
    assert_eq!(get(&mut game, "/rest/sessions/GetGameState").0, 200);
}

#[test]
fn the_setup_is_there_in_the_garage_only_and_frozen_outside() {
    let mut game = game(SessionKind::Practice);
    assert_eq!(get(&mut game, "/rest/garage/UIScreen/CarSetupOverview").0, 404, "driving");
    game.apply(Command::Garage).unwrap();
    assert_eq!(get(&mut game, "/navigation/state").1["state"]["navigationState"], "NAV_EVENT");
    let key = "WM_PRESSURE-W_RL";
    let overview = |game: &mut Game| {
        get(game, "/rest/garage/UIScreen/CarSetupOverview").1["carSetup"]["garageValues"][key].clone()
    };
    assert_eq!(overview(&mut game)["stringValue"], "142 kPa");
    game.apply(Command::Setup { key: key.to_owned(), value: 11 }).unwrap();
    let changed = overview(&mut game);
    assert_eq!(
        (&changed["stringValue"], &changed["lastSavedStringValue"], &changed["value"]),
        (&json!("146 kPa"), &json!("142 kPa"), &json!(11))
    );
    assert_eq!(get(&mut game, "/rest/garage/summary").1["unsavedChanges"], true);
    game.apply(Command::Track).unwrap();
    pass(&mut game, 5.0);
    assert_eq!(get(&mut game, "/rest/garage/UIScreen/CarSetupOverview").0, 404);
    assert_eq!(get(&mut game, "/rest/garage/getPlayerGarageData").1[key]["stringValue"], "146 kPa");
    assert!(game.apply(Command::Setup { key: key.to_owned(), value: 1 }).is_err());
}

#[test]
fn the_pit_menu_can_be_loaded_and_goes_back_by_itself_after_a_stop() {
    let mut game = game(SessionKind::Race);
    let menu = "/rest/garage/PitMenu/receivePitMenu";
    let (_, mut rows) = get(&mut game, menu);
    let row = |rows: &Value, pmc: i64| rows.as_array().unwrap().iter().position(|row| row["PMC Value"] == pmc).unwrap();
    let (energy, tyres) = (row(&rows, 5), row(&rows, 12));
    assert!(rows[energy]["settings"][50]["text"].as_str().unwrap().starts_with("50% "));
    let before = rows[energy]["settings"][100]["text"].clone();
    rows[energy]["currentSetting"] = json!(99);
    rows[tyres]["currentSetting"] = json!(1);
    assert_eq!(post(&mut game, "/rest/garage/PitMenu/loadPitMenu", &rows), 200);
    assert_eq!(get(&mut game, menu).1[energy]["currentSetting"], 99);
    rows[energy]["currentSetting"] = json!(101);
    assert_eq!(post(&mut game, "/rest/garage/PitMenu/loadPitMenu", &rows), 400);
    pass(&mut game, 40.0);
    game.world.cars[game.world.player].pit.requested = true;
    pass(&mut game, 70.0);
    let stop = game.world.log.sessions[0]
        .pit_stops
        .iter()
        .find(|stop| stop.car_id == game.world.log.player_car_id)
        .unwrap()
        .clone();
    assert_eq!(
        (stop.tyres_changed, stop.virtual_energy_after),
        (true, Some(0.99)),
        "the stop did what the menu said: {stop:?}"
    );
    let after = get(&mut game, menu).1;
    assert_eq!((&after[energy]["currentSetting"], &after[tyres]["currentSetting"]), (&json!(100), &json!(0)));
    assert_ne!(after[energy]["settings"][100]["text"], before, "the laps follow the consumption");
}

#[test]
fn requests_are_counted_by_path() {
    let mut game = game(SessionKind::Race);
    get(&mut game, "/rest/watch/standings");
    get(&mut game, "/rest/watch/standings");
    get(&mut game, "/rest/profile/getAuthSessionTicket");
    assert_eq!(game.requests["GET /rest/watch/standings"], 2);
    assert_eq!(game.requests["GET /rest/profile/getAuthSessionTicket"], 1);
    assert_eq!(get(&mut game, "/rest/profile/getAuthSessionTicket").0, 404);
    assert_eq!(post(&mut game, "/rest/watch/standings", &Value::Null), 405);
}

#[test]
fn usage_tells_fuel_and_tyres_of_our_car_only() {
    let mut game = game(SessionKind::Race);
    pass(&mut game, 80.0);
    let (_, usage) = get(&mut game, "/rest/strategy/usage");
    let own = game.world.player_car().driver_name().to_owned();
    assert!(usage[&own][0]["fuel"].is_f64() && usage[&own][0]["tyres"][3].is_f64());
    let other = usage.as_object().unwrap().keys().find(|name| **name != own).unwrap();
    assert!(usage[other][0]["fuel"].is_null() && usage[other][0]["ve"].is_number());
}

#[test]
fn bodies_have_the_keys_of_the_real_ones() {
    let mut game = game(SessionKind::Practice);
    game.apply(Command::Garage).unwrap();
    for (path, file) in [
        ("/rest/sessions/GetGameState", "endpoint__rest_sessions_GetGameState.json"),
        ("/rest/watch/sessionInfo", "endpoint__rest_watch_sessionInfo.json"),
        ("/rest/garage/UIScreen/CarSetupOverview", "endpoint__rest_garage_UIScreen_CarSetupOverview.json"),
    ] {
        let Some(real) = real(file) else { continue };
        assert_eq!(keys(&get(&mut game, path).1), keys(&real), "{path}");
    }
    if let Some(real) = real("watch_standings.json") {
        let ours = keys(&get(&mut game, "/rest/watch/standings").1[0]);
        let missing: Vec<_> = keys(&real[0]).difference(&ours).cloned().collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    if let Some(real) = real("endpoint__rest_garage_PitMenu_receivePitMenu.json") {
        let ours = get(&mut game, "/rest/garage/PitMenu/receivePitMenu").1;
        let rows = |menu: &Value| -> Vec<(i64, String, usize)> {
            let row = |row: &Value| {
                (
                    row["PMC Value"].as_i64().unwrap(),
                    row["name"].as_str().unwrap().to_owned(),
                    row["settings"].as_array().unwrap().len(),
                )
            };
            // Drivers differ in number.
            menu.as_array().unwrap().iter().map(row).filter(|(pmc, ..)| *pmc != 4).collect()
        };
        assert_eq!(rows(&ours), rows(&real));
        assert_eq!(keys(&ours[0]), keys(&real[0]));
    }
    if let Some(real) = real("endpoint__rest_garage_getPlayerGarageData.json") {
        let ours = get(&mut game, "/rest/garage/getPlayerGarageData").1;
        let unknown: Vec<_> = keys(&ours).difference(&keys(&real)).cloned().collect();
        assert!(unknown.is_empty(), "settings that no car has: {unknown:?}");
        assert_eq!(keys(&ours["VM_BRAKE_PRESSURE"]), keys(&real["VM_BRAKE_PRESSURE"]));
    }
}
