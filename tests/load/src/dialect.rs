//! What viewers and rigs say to each kind of server, and what its messages mean to a viewer. Pure.

use crate::rigs::EPOCH;
use crate::ws::{BINARY, TEXT, masked};
use onelap_protocol::viewer::{SeenUpTo, ViewerMessage};
use onelap_protocol::{SessionId, TeamId, VIEWER_SUBPROTOCOL};
use serde::Deserialize;

/// How a server wants to be spoken to.
#[derive(Debug, Clone)]
pub(crate) enum Dialect {
    /// Our service.
    OneLap { team: TeamId, cookies: String, origin: String, max_hz: Option<u32> },
    /// A server that sends every viewer every frame, from the upgrade on.
    Plain,
    /// Socket.IO over a WebSocket from the start, with one binary attachment a message.
    SocketIo,
}

/// What a text frame means to a viewer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Answer this.
    Say(Vec<u8>),
    /// The viewer sees the session now; up to this sequence it is in the snapshot.
    Joined(Option<u64>),
    /// Sequences that will not come.
    Gap(u64, u64),
    /// The server goes away or does not give what was asked for.
    Refused(String),
    Nothing,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
}

impl Dialect {
    /// Path and headers with which a viewer opens its socket.
    pub(crate) fn viewer_request(&self) -> (&str, Vec<(&str, &str)>) {
        match self {
            Self::OneLap { cookies, origin, .. } => {
                let headers = vec![
                    ("Cookie", cookies.as_str()),
                    ("Origin", origin.as_str()),
                    ("Sec-WebSocket-Protocol", VIEWER_SUBPROTOCOL),
                ];
                ("/api/live/ws", headers)
            }
            Self::Plain => ("/view", Vec::new()),
            Self::SocketIo => ("/socket.io/?EIO=4&transport=websocket", Vec::new()),
        }
    }

    /// What a viewer says once its socket is open, or when it wants another rate than all viewers of the run: show me this,
    /// from after that sequence on.
    pub(crate) fn subscribe(&self, session: SessionId, hz: Option<u32>, after: Option<u64>) -> Option<Vec<u8>> {
        let Self::OneLap { team, max_hz, .. } = self else { return None };
        let after = after.map(|sequence| SeenUpTo { epoch: EPOCH, sequence });
        Some(text(&ViewerMessage::Subscribe { team: *team, session, max_hz: hz.or(*max_hz), after }))
    }

    /// What a viewer says that wants to know what its team's rigs do.
    pub(crate) fn watch(&self) -> Option<Vec<u8>> {
        let Self::OneLap { team, .. } = self else { return None };
        Some(text(&ViewerMessage::Watch { team: *team }))
    }

    /// What a viewer says that has seen enough.
    pub(crate) fn unsubscribe(&self, session: SessionId) -> Option<Vec<u8>> {
        matches!(self, Self::OneLap { .. }).then(|| text(&ViewerMessage::Unsubscribe { session }))
    }

    /// Whether an open socket is all that it takes to be shown everything.
    pub(crate) fn is_joined_when_open(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// What a text frame means.
    pub(crate) fn told(&self, payload: &[u8]) -> Told {
        match self {
            Self::OneLap { .. } => one_lap(payload),
            Self::SocketIo => socket_io(payload),
            Self::Plain => Told::Nothing,
        }
    }

    /// How a publisher of a peer sends a frame.
    pub(crate) fn publish(&self, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::SocketIo => {
                let mut out = masked(TEXT, br#"451-["publish",{"_placeholder":true,"num":0}]"#);
                out.extend(masked(BINARY, payload));
                out
            }
            _ => masked(BINARY, payload),
        }
    }
}

fn text(message: &ViewerMessage) -> Vec<u8> {
    masked(TEXT, &serde_json::to_vec(message).expect("a message serialises"))
}

fn one_lap(payload: &[u8]) -> Told {
    let Ok(message) = serde_json::from_slice::<Message<'_>>(payload) else { return Told::Nothing };
    match (message.kind, message.from, message.to) {
        ("snapshot", ..) => Told::Joined(message.sequence),
        ("gap", Some(from), Some(to)) => Told::Gap(from, to),
        ("refused" | "goodbye", ..) => Told::Refused(String::from_utf8_lossy(payload).into_owned()),
        _ => Told::Nothing,
    }
}

fn socket_io(payload: &[u8]) -> Told {
    match payload {
        // Engine.IO: open, ping. Socket.IO: connected, the acknowledgement of `join`.
        [b'0', ..] => Told::Say(masked(TEXT, b"40")),
        b"2" => Told::Say(masked(TEXT, b"3")),
        [b'4', b'0', ..] => Told::Say(masked(TEXT, br#"420["join"]"#)),
        [b'4', b'3', ..] => Told::Joined(None),
        [b'4', b'4', ..] => Told::Refused(String::from_utf8_lossy(payload).into_owned()),
        _ => Told::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_messages_are_understood() {
        assert_eq!(
            one_lap(br#"{"type":"snapshot","session":"x","epoch":3,"sequence":17,"info":{}}"#),
            Told::Joined(Some(17))
        );
        assert_eq!(one_lap(br#"{"type":"gap","session":"x","from":3,"to":5}"#), Told::Gap(3, 5));
        assert_eq!(one_lap(br#"{"type":"setup","setup":{}}"#), Told::Nothing);
        assert!(matches!(one_lap(br#"{"type":"refused","code":"not_found"}"#), Told::Refused(_)));
    }

    #[test]
    fn socket_io_is_greeted_and_answered() {
        assert!(matches!(socket_io(br#"0{"sid":"a"}"#), Told::Say(_)));
        assert!(matches!(socket_io(b"2"), Told::Say(_)));
        assert_eq!(socket_io(b"430[]"), Told::Joined(None));
        assert_eq!(socket_io(br#"451-["telemetry",{"_placeholder":true,"num":0}]"#), Told::Nothing);
    }
}
