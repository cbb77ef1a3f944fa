//! The control interface: `GET /state`, `GET /log`, `GET /requests`, and a `POST` for each command.

use serde_json::json;

use crate::command::{Command, CommandError};
use crate::game::Game;
use crate::http::{Request, Response};

/// Answers a request to the control interface.
pub(crate) fn answer(game: &mut Game, request: &Request) -> Response {
    let name = request.path.trim_start_matches('/');
    match (request.method.as_str(), name) {
        ("GET", "state") => shown(serde_json::to_value(game.state())),
        ("GET", "log") => shown(serde_json::to_value(&game.world.log)),
        ("GET", "requests") => Response::json(200, &json!(game.requests)),
        ("POST", _) => match Command::from_http(name, &request.body).and_then(|command| game.apply(command)) {
            Ok(()) => shown(serde_json::to_value(game.state())),
            Err(error @ CommandError::NotInGarage) => Response::error(409, &error.to_string()),
            Err(error) => Response::error(400, &error.to_string()),
        },
        _ => Response::error(
            404,
            "GET /state, /log or /requests; POST /menu, /track, /garage, /pause, /resume, /pit, /driver-change, /setup, /disconnect, /reconnect, /end-session, /next-session, /weather, /incident, /flashback or /quit",
        ),
    }
}

fn shown(value: serde_json::Result<serde_json::Value>) -> Response {
    match value {
        Ok(value) => Response::json(200, &value),
        Err(error) => Response::error(500, &error.to_string()),
    }
}
