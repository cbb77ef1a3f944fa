//! The bodies of LMU's REST API, as far as the agent uses them.
//!
//! Invariants: any bytes are taken without a panic; a field that is missing, null, or of another type than known is
//! absent and costs nothing else; a body that is no JSON, or whose outermost shape is another, costs that body.

use super::endpoint::Endpoint;
use super::setup;
use onelap_protocol::setup::SetupItem;
use serde_json::Value;

/// Largest body that is looked at.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// Why a body is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The agent does not ask for this path.
    #[error("{0} is not a path that the agent reads")]
    Path(String),
    /// Too long.
    #[error("{path}: {bytes} bytes, more than {LARGEST}")]
    Long {
        /// The path.
        path: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// No JSON.
    #[error("{path}: not JSON ({error})")]
    Json {
        /// The path.
        path: &'static str,
        /// Where and why.
        error: String,
    },
    /// Another shape.
    #[error("{path}: {wanted} expected, {found} found")]
    Shape {
        /// The path.
        path: &'static str,
        /// What was expected.
        wanted: &'static str,
        /// What came.
        found: &'static str,
    },
}

/// A body that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `GetGameState`.
    GameState(GameStateBody),
    /// `sessionInfo`.
    SessionInfo(SessionInfoBody),
    /// `standings`.
    Standings(Vec<StandingBody>),
    /// `summary`.
    GarageSummary {
        /// Name of the loaded setup.
        active_setup: Option<String>,
    },
    /// `getPlayerGarageData` or `CarSetupOverview`.
    Garage(Vec<SetupItem>),
}

/// What the game is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GameStateBody {
    /// A replay is shown.
    pub is_replay: Option<bool>,
    /// The monitor is shown.
    pub in_monitor: Option<bool>,
    /// The player drives.
    pub in_control: Option<bool>,
}

/// The session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionInfoBody {
    /// "PRACTICE1", "QUALIFY1", "RACE1".
    pub session: Option<String>,
    /// Planned length in seconds.
    pub max_time_s: Option<f64>,
}

/// One car.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StandingBody {
    /// Slot; some builds number otherwise than shared memory.
    pub slot: Option<i32>,
    /// Driver.
    pub driver: Option<String>,
    /// Entry.
    pub vehicle: Option<String>,
    /// Number as painted.
    pub number: Option<String>,
    /// Team.
    pub team: Option<String>,
}

/// Reads the body of a path.
///
/// # Errors
/// [`BodyError`] where the body as a whole is of no use.
pub fn parse(path: &str, bytes: &[u8]) -> Result<Body, BodyError> {
    let endpoint = Endpoint::of_path(path).ok_or_else(|| BodyError::Path(path.chars().take(80).collect()))?;
    let path = endpoint.path();
    if bytes.len() > LARGEST {
        return Err(BodyError::Long { path, bytes: bytes.len() });
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| BodyError::Json { path, error: error.to_string() })?;
    let wanted = if endpoint == Endpoint::Standings { "an array" } else { "an object" };
    let has_shape = if endpoint == Endpoint::Standings { value.is_array() } else { value.is_object() };
    if !has_shape {
        return Err(BodyError::Shape { path, wanted, found: kind(&value) });
    }
    Ok(match endpoint {
        Endpoint::GameState => Body::GameState(GameStateBody {
            is_replay: flag(&value, "isReplayActive"),
            in_monitor: flag(&value, "inMonitor"),
            in_control: flag(&value, "inControlOfVehicle"),
        }),
        Endpoint::SessionInfo => Body::SessionInfo(SessionInfoBody {
            session: text(&value, "session"),
            max_time_s: number(&value, "maxTime").filter(|s| *s > 0.0 && *s < 1e6),
        }),
        Endpoint::Standings => Body::Standings(value.as_array().into_iter().flatten().map(standing).collect()),
        Endpoint::GarageSummary => Body::GarageSummary { active_setup: active_setup(&value) },
        Endpoint::GarageData => Body::Garage(setup::items(&value)),
        Endpoint::CarSetupOverview => {
            let values = value.pointer("/carSetup/garageValues").unwrap_or(&Value::Null);
            if !values.is_object() {
                return Err(BodyError::Shape {
                    path,
                    wanted: "an object at carSetup.garageValues",
                    found: kind(values),
                });
            }
            Body::Garage(setup::items(values))
        }
    })
}

fn standing(row: &Value) -> StandingBody {
    StandingBody {
        slot: number(row, "slotID").filter(|slot| (0.0..1e6).contains(slot)).map(|slot| slot as i32),
        driver: text(row, "driverName"),
        vehicle: text(row, "vehicleName"),
        number: text(row, "carNumber"),
        team: text(row, "fullTeamName"),
    }
}

/// A name, or an object that has one.
fn active_setup(value: &Value) -> Option<String> {
    let active = value.get("activeSetup")?;
    let name = text(value, "activeSetup").or_else(|| text(active, "name"))?;
    // A file of the game's; the folders before it are nobody's business.
    let file = name.rsplit(['/', '\\']).next().unwrap_or(&name);
    let stem = file.strip_suffix(".svm").unwrap_or(file).trim();
    (!stem.is_empty()).then(|| clip(stem, 120).to_owned())
}

fn text(value: &Value, field: &str) -> Option<String> {
    let text = value.get(field)?.as_str()?.trim();
    (!text.is_empty()).then(|| clip(text, 120).to_owned())
}

fn number(value: &Value, field: &str) -> Option<f64> {
    value.get(field)?.as_f64().filter(|number| number.is_finite())
}

fn flag(value: &Value, field: &str) -> Option<bool> {
    value.get(field)?.as_bool()
}

/// At most so many bytes of a text, whole characters.
pub(super) fn clip(text: &str, longest: usize) -> &str {
    &text[..text.floor_char_boundary(longest)]
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    /// A real body, if the recorded data is there.
    fn real(file: &str) -> Option<Vec<u8>> {
        let root = std::env::var_os("ONELAP_TEST_DATA")
            .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")), PathBuf::from);
        let path = root.join("lmu-rest").join(file);
        let body = std::fs::read(&path).ok();
        if body.is_none() {
            eprintln!("skipped: no recorded body {}", path.display());
        }
        body
    }

    const REAL: [(Endpoint, &str); 6] = [
        (Endpoint::GameState, "endpoint__rest_sessions_GetGameState.json"),
        (Endpoint::SessionInfo, "endpoint__rest_watch_sessionInfo.json"),
        (Endpoint::SessionInfo, "watch_sessionInfo.json"),
        (Endpoint::Standings, "watch_standings.json"),
        (Endpoint::GarageData, "endpoint__rest_garage_getPlayerGarageData.json"),
        (Endpoint::CarSetupOverview, "endpoint__rest_garage_UIScreen_CarSetupOverview.json"),
    ];

    #[test]
    fn the_real_bodies_say_what_they_say() {
        for (endpoint, file) in REAL {
            let Some(bytes) = real(file) else { continue };
            match parse(endpoint.path(), &bytes).unwrap() {
                Body::GameState(body) => {
                    assert_eq!(
                        (body.is_replay, body.in_monitor, body.in_control),
                        (Some(false), Some(false), Some(true))
                    );
                }
                Body::SessionInfo(body) => {
                    assert_eq!(body.max_time_s, Some(1200.0));
                    assert!(["QUALIFY1", "RACE1"].contains(&body.session.as_deref().unwrap()));
                }
                Body::Standings(cars) => {
                    assert_eq!(cars.len(), 22);
                    assert_eq!(cars[1].vehicle.as_deref(), Some("Iron Dames 2025 #85:LM"));
                    assert_eq!((cars[0].slot, cars[0].number.as_deref()), (Some(0), None));
                }
                Body::Garage(items) => {
                    let text = |key: &str| items.iter().find(|item| item.key == key).map(|item| item.text.as_str());
                    assert_eq!(text("VM_BRAKE_BALANCE"), Some("55.0:45.0"));
                    assert_eq!(text("WM_PRESSURE-W_RL"), Some("135 kPa"));
                    assert!(items.len() > 100, "{}", items.len());
                }
                Body::GarageSummary { .. } => unreachable!("no such body was recorded"),
            }
        }
    }

    #[test]
    fn both_ways_to_the_garage_give_the_same_settings() {
        let (Some(data), Some(overview)) = (real(REAL[4].1), real(REAL[5].1)) else { return };
        assert_eq!(parse(Endpoint::GarageData.path(), &data), parse(Endpoint::CarSetupOverview.path(), &overview));
    }

    #[test]
    fn a_body_of_no_use_is_named() {
        let message = |endpoint: Endpoint, body: &str| parse(endpoint.path(), body.as_bytes()).unwrap_err().to_string();
        assert_eq!(message(Endpoint::Standings, "null"), "/rest/watch/standings: an array expected, nothing found");
        assert!(message(Endpoint::GameState, "<html>").contains("not JSON"));
        assert!(message(Endpoint::CarSetupOverview, "{\"carSetup\":7}").contains("carSetup.garageValues"));
        assert!(parse("/rest/profile/getAuthSessionTicket", b"{}").unwrap_err().to_string().contains("not a path"));
    }

    #[test]
    fn fields_of_another_type_are_absent() {
        let body = parse(Endpoint::GameState.path(), br#"{"isReplayActive":"yes","inMonitor":null}"#).unwrap();
        assert_eq!(body, Body::GameState(GameStateBody::default()));
        let body = parse(Endpoint::Standings.path(), br#"[null, 7, {"slotID":"x","driverName":[],"carNumber":"12"}]"#);
        let Body::Standings(cars) = body.unwrap() else { unreachable!() };
        assert_eq!(cars[2], StandingBody { number: Some("12".into()), ..StandingBody::default() });
        let body = parse(Endpoint::GarageSummary.path(), br#"{"activeSetup":"Spa\\wet.svm"}"#);
        assert_eq!(body, Ok(Body::GarageSummary { active_setup: Some("wet".into()) }));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(which in 0usize..6, bytes: Vec<u8>) {
            let _ = parse(Endpoint::ALL[which].path(), &bytes);
        }

        #[test]
        fn no_damage_to_a_real_body_panics(which in 0usize..6, at: proptest::sample::Index, byte: u8, cut: proptest::sample::Index) {
            if let Some(mut bytes) = real(REAL[which].1) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let _ = parse(REAL[which].0.path(), &bytes);
                bytes.truncate(cut.index(bytes.len()));
                let _ = parse(REAL[which].0.path(), &bytes);
            }
        }

        #[test]
        fn a_changed_value_costs_at_most_that_value(which in 0usize..6, at: proptest::sample::Index, new in 0usize..5) {
            if let Some(bytes) = real(REAL[which].1) {
                let mut value: Value = serde_json::from_slice(&bytes).unwrap();
                let pointers = leaves(&value, String::new());
                let news = [Value::Null, Value::from(-7), Value::from("no"), serde_json::json!([]), serde_json::json!({"a": 1})];
                *value.pointer_mut(&pointers[at.index(pointers.len())]).unwrap() = news[new].clone();
                let before = parse(REAL[which].0.path(), &bytes).unwrap();
                let after = parse(REAL[which].0.path(), value.to_string().as_bytes()).unwrap();
                if let (Body::Garage(before), Body::Garage(after)) = (before, after) {
                    prop_assert!(after.len() + 1 >= before.len());
                }
            }
        }
    }

    /// Pointers to everything in a body that is neither object nor array.
    fn leaves(value: &Value, at: String) -> Vec<String> {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect(),
            Value::Array(items) => items.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
            _ => return vec![at],
        };
        children.into_iter().flat_map(|(key, child)| leaves(child, format!("{at}/{key}"))).collect()
    }
}
