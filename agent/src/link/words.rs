//! What the driver is told where the service does not let the agent in: what is the matter, and the way out. Pure.
//!
//! The service says the same as refusal of a connection (an HTTP status) and on one that is open (a fatal error).

use onelap_protocol::ErrorCode;

/// How a rig comes to another token.
const ANOTHER_TOKEN: &str = "run `onelap-agent pair` for another one, or `onelap-agent token` with one from the team's \
                             Rigs page";

/// Why a connection was refused.
#[must_use]
pub fn in_the_drivers_words(status: u16, code: Option<ErrorCode>, message: Option<&str>) -> String {
    let said = message.map(|m| format!(" ({})", plain(m))).unwrap_or_default();
    match (code, status) {
        (Some(ErrorCode::TokenRevoked), _) => format!("the rig's token was revoked: {ANOTHER_TOKEN}"),
        (Some(ErrorCode::TokenMistyped), _) => {
            "the rig's token is misspelt: copy it again, whole, and run `onelap-agent token`, or run `onelap-agent pair` \
             for another one"
                .to_owned()
        }
        (Some(ErrorCode::UnsupportedVersion), _) | (_, 426) => {
            format!(
                "this agent (version {}) is too old or too new for the service: update it{said}",
                env!("CARGO_PKG_VERSION")
            )
        }
        (_, 401) => format!("the service does not take the rig's token{said}: {ANOTHER_TOKEN}"),
        (_, 404) => format!("there is no 1Lap service at this address: check the setting `server`{said}"),
        (None, 200..=299 | 511) => {
            format!(
                "something else answers in the service's place (HTTP {status}): does this network want a login first?"
            )
        }
        (_, 300..=399) => {
            "the address leads elsewhere: give the service's own address as `server`, or log in to this network first"
                .to_owned()
        }
        (_, 429) => format!("the service does not take this rig now; what is read is kept and sent later{said}"),
        (_, 500..) => format!("the service cannot answer now (HTTP {status}){said}"),
        _ => format!("the service refuses the connection (HTTP {status}){said}"),
    }
}

/// Why a connection was ended.
#[must_use]
pub fn of_a_fatal_error(code: ErrorCode, message: &str) -> String {
    match code {
        ErrorCode::Unauthenticated | ErrorCode::TokenMistyped | ErrorCode::TokenRevoked => {
            in_the_drivers_words(401, Some(code), Some(message))
        }
        ErrorCode::UnsupportedVersion => in_the_drivers_words(426, Some(code), Some(message)),
        _ => plain(message),
    }
}

/// What somebody else wrote, as it may go to a terminal: without what terminals take for commands, and not too long.
#[must_use]
pub fn plain(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_not_good_comes_with_the_way_to_another() {
        let expired = "this rig token has expired: make a new one on the team's rigs page";
        for (code, what) in [
            (ErrorCode::TokenRevoked, "was revoked"),
            (ErrorCode::TokenMistyped, "misspelt"),
            (ErrorCode::Unauthenticated, "has expired"),
        ] {
            let on_a_connection = of_a_fatal_error(code, expired);
            assert_eq!(on_a_connection, in_the_drivers_words(401, Some(code), Some(expired)));
            assert!(on_a_connection.contains(what), "{on_a_connection}");
            assert!(on_a_connection.contains("`onelap-agent pair`"), "{on_a_connection}");
        }
    }

    #[test]
    fn no_message_commands_the_terminal() {
        let bad = "team\u{1b}]0;x\u{7} \r\nname\u{9b}2J";
        assert_eq!(plain(bad), "team]0;x name2J");
        let told = [of_a_fatal_error(ErrorCode::Forbidden, bad), in_the_drivers_words(401, None, Some(bad))];
        assert!(told.iter().all(|words| words.contains("team]0;x name2J")), "{told:?}");
        assert_eq!(plain(&"ü".repeat(900)).chars().count(), 300);
    }

    #[test]
    fn what_another_token_does_not_help_is_told_without_one() {
        let disabled = of_a_fatal_error(ErrorCode::Forbidden, "this team is disabled");
        assert_eq!(disabled, "this team is disabled");
        let old = of_a_fatal_error(ErrorCode::UnsupportedVersion, "speak v2");
        assert!(old.contains("update it (speak v2)") && !old.contains("pair"), "{old}");
    }
}
