//! What the REST API has told, as far as it matters to the reader.

use super::bodies::{self, Body, GameStateBody, SessionInfoBody, StandingBody};
use super::rest::REFUSED;
use onelap_protocol::setup::Setup;

/// An answer counts for so long.
const FRESH_MS: u64 = 10_000;

/// What is known from the REST API.
#[derive(Debug, Default)]
pub struct Known {
    answered_ms: Option<u64>,
    gate: Option<Gate>,
    /// The session.
    pub session: Option<SessionInfoBody>,
    /// The cars.
    pub rows: Vec<StandingBody>,
    setup_name: Option<String>,
}

#[derive(Debug)]
struct Gate {
    at_ms: u64,
    status: u16,
    is_refused: bool,
    body: GameStateBody,
}

impl Known {
    /// Takes an answer; returns the setup, where it told one. A body of no use is logged and otherwise ignored.
    pub fn hear(&mut self, now_ms: u64, path: &str, status: u16, body: &[u8]) -> Option<Setup> {
        if status != 0 {
            self.answered_ms = Some(now_ms);
        }
        let parsed = (status == 200).then(|| bodies::parse(path, body));
        if let Some(Err(error)) = &parsed {
            tracing::debug!(error = %error, "a body of LMU's REST API was not understood");
        }
        if path == super::endpoint::Endpoint::GameState.path() {
            let is_refused = status == 0 && body.starts_with(REFUSED.as_bytes());
            let body = match parsed {
                Some(Ok(Body::GameState(body))) => body,
                _ => GameStateBody::default(),
            };
            self.gate = Some(Gate { at_ms: now_ms, status, is_refused, body });
            return None;
        }
        match parsed?.ok()? {
            Body::SessionInfo(body) => self.session = Some(body),
            Body::Standings(rows) => self.rows = rows,
            Body::GarageSummary { active_setup } => self.setup_name = active_setup,
            Body::Garage(items) if !items.is_empty() => {
                return Some(Setup { name: self.setup_name.clone(), items });
            }
            Body::Garage(_) | Body::GameState(_) => {}
        }
        None
    }

    /// Something answers on the game's port.
    #[must_use]
    pub fn is_answering(&self, now_ms: u64) -> bool {
        self.answered_ms.is_some_and(|at| now_ms.saturating_sub(at) <= FRESH_MS) && !self.is_refused(now_ms)
    }

    /// Nobody listens on the game's port.
    #[must_use]
    pub fn is_refused(&self, now_ms: u64) -> bool {
        self.gate(now_ms).is_some_and(|gate| gate.is_refused)
    }

    /// The game says that a session is loaded.
    #[must_use]
    pub fn is_open(&self, now_ms: u64) -> bool {
        self.gate(now_ms).is_some_and(|gate| gate.status == 200)
    }

    /// The game says that none is.
    #[must_use]
    pub fn is_closed(&self, now_ms: u64) -> bool {
        self.gate(now_ms).is_some_and(|gate| gate.status != 200 && gate.status != 0)
    }

    /// A replay is shown.
    #[must_use]
    pub fn is_replay(&self, now_ms: u64) -> bool {
        self.gate(now_ms).is_some_and(|gate| gate.body.is_replay == Some(true))
    }

    fn gate(&self, now_ms: u64) -> Option<&Gate> {
        self.gate.as_ref().filter(|gate| now_ms.saturating_sub(gate.at_ms) <= FRESH_MS)
    }
}
