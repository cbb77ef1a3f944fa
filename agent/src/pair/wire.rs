//! Pairing's two requests (RFC 8628, 3.2 to 3.5): what is sent, and what the answers say. Blocking.
//!
//! Invariants: what goes to a terminal or a browser has only the characters that codes and addresses have; the code is in
//! the fragment of the address that is opened and nowhere else in it; the device code is shown by no `Debug`.

use crate::api::{ApiError, post, refusal, stranger};
use crate::link::words::plain;
use crate::pair::state::No;
use crate::server::ServerUrl;
use onelap_protocol::RigToken;
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::http::Uri;

/// Longest code of either kind that is believed.
const MAX_CODE: usize = 200;

/// What the agent shows, and asks with.
pub struct Codes {
    device_code: String,
    /// For who approves.
    pub user_code: String,
    /// Where they type it in.
    pub page: String,
    /// Seconds that the codes are good.
    pub good_for_s: u64,
    /// Seconds between two questions.
    pub interval_s: Option<u64>,
}

impl Codes {
    /// The page that has the code filled in. A fragment stays in the browser: no server and no proxy gets to see it.
    #[must_use]
    pub fn page_with_code(&self) -> String {
        format!("{}#{}", self.page, self.user_code)
    }
}

/// A token, and whose it is.
#[derive(Debug)]
pub struct Paired {
    /// The token.
    pub token: RigToken,
    /// The team's name.
    pub team_name: String,
    /// The rig's name.
    pub rig_name: String,
}

/// Asks for codes, for a PC of this name.
///
/// # Errors
/// [`ApiError`] tells a refusal from a service that cannot be reached.
pub fn begin(server: &ServerUrl, name: &str) -> Result<Codes, ApiError> {
    #[derive(Serialize)]
    struct Device<'a> {
        name: &'a str,
    }
    let (status, body) = post(server, "/api/pair/device", &Device { name })?;
    if status != 200 {
        return Err(ApiError::Refused(refusal(status, &body)));
    }
    codes(&body).map_err(|why| stranger(server, &why))
}

fn codes(body: &[u8]) -> Result<Codes, String> {
    #[derive(Deserialize)]
    struct DeviceCodes {
        device_code: String,
        user_code: String,
        verification_uri: String,
        expires_in: u64,
        interval: Option<u64>,
    }
    // What is wrong with a body may quote it, and this one holds a secret.
    let codes: DeviceCodes = serde_json::from_slice(body).map_err(|_| "that is no code".to_owned())?;
    let DeviceCodes { device_code, user_code, verification_uri, expires_in, interval } = codes;
    let is_code = |text: &str, others: &str| {
        (1..=MAX_CODE).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    if !is_code(&device_code, "-._~") || !is_code(&user_code, "-") {
        return Err("a code has characters that no code has".to_owned());
    }
    let page = page(&verification_uri).ok_or_else(|| format!("{verification_uri:?} is no page"))?;
    Ok(Codes { device_code, user_code, page, good_for_s: expires_in, interval_s: interval })
}

/// The address of a web page without anything behind its path. Any other kind of address could start anything.
fn page(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let is_page = ["https", "http"].contains(&scheme) && !authority.as_str().contains('@') && uri.query().is_none();
    let page = format!("{scheme}://{authority}{}", uri.path());
    (is_page && page.bytes().all(|b| b.is_ascii_graphic())).then_some(page)
}

/// Asks for the token.
///
/// # Errors
/// Why there is none, or none yet.
pub fn ask(server: &ServerUrl, codes: &Codes) -> Result<Paired, No> {
    #[derive(Serialize)]
    struct DeviceCode<'a> {
        device_code: &'a str,
    }
    let asked = post(server, "/api/pair/token", &DeviceCode { device_code: &codes.device_code });
    let (status, body) = asked.map_err(|error| No::Unanswered(error.to_string()))?;
    answer(status, &body)
}

fn answer(status: u16, body: &[u8]) -> Result<Paired, No> {
    #[derive(Deserialize)]
    struct Made {
        token: String,
        team_name: String,
        rig_name: String,
    }
    #[derive(Deserialize)]
    struct Problem {
        error: String,
        error_description: Option<String>,
        interval: Option<u64>,
    }
    if let (200, Ok(Made { token, team_name, rig_name })) = (status, serde_json::from_slice(body)) {
        let token = RigToken::parse(&token).map_err(|_| {
            No::Refused("the service gave something that this agent does not take for a token: update the agent".into())
        })?;
        return Ok(Paired { token, team_name, rig_name });
    }
    if let (400, Ok(Problem { error, error_description, interval })) = (status, serde_json::from_slice(body)) {
        return Err(match error.as_str() {
            "authorization_pending" => No::Pending(interval),
            "slow_down" => No::SlowDown(interval),
            "access_denied" => No::Denied,
            "expired_token" => No::Expired,
            _ => No::Refused(format!("the service refuses to pair: {}", plain(&error_description.unwrap_or(error)))),
        });
    }
    let refusal = refusal(status, body);
    if refusal.is_lasting() { Err(No::Refused(refusal.message)) } else { Err(No::Unanswered(refusal.message)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(change: (&str, serde_json::Value)) -> Result<Codes, String> {
        let mut body = json!({
            "device_code": "1lap_device_abc", "user_code": "BCDF-GHJK", "verification_uri": "https://onelap.example/pair",
            "verification_uri_complete": "https://onelap.example/pair?code=BCDF-GHJK", "expires_in": 600, "interval": 5,
        });
        body[change.0] = change.1;
        codes(body.to_string().as_bytes())
    }

    #[test]
    fn the_code_is_in_the_fragment_and_nowhere_else() {
        let codes = given(("interval", json!(7))).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(codes.page_with_code(), "https://onelap.example/pair#BCDF-GHJK");
        assert_eq!((codes.user_code.as_str(), codes.good_for_s, codes.interval_s), ("BCDF-GHJK", 600, Some(7)));
        let fragment = given(("verification_uri", json!("https://onelap.example/pair#elsewhere")));
        assert_eq!(fragment.map(|codes| codes.page_with_code()), Ok("https://onelap.example/pair#BCDF-GHJK".into()));
    }

    #[test]
    fn nothing_reaches_browser_or_terminal_that_is_not_a_page_or_a_code() {
        for page in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "calculator:",
            "/pair",
            "https://onelap.example@evil.example/pair",
            "https://onelap.example/pair?next=x",
            "https://onelap.example/\u{1b}[2J",
            "-https://onelap.example",
        ] {
            assert!(given(("verification_uri", json!(page))).is_err(), "{page}");
        }
        for code in ["", "BCDF\u{7}", "BCDF GHJK", "BCDF&calc", "\u{1b}[2J"] {
            assert!(given(("user_code", json!(code))).is_err(), "{code:?}");
        }
        assert!(given(("device_code", json!("x y"))).is_err());
        let strange = given(("expires_in", json!("1lap_device_abc"))).map(|_| ()).unwrap_err();
        assert!(!strange.contains("1lap_device"), "{strange}");
    }

    #[test]
    fn each_answer_is_what_the_standard_says() {
        let error = |error: &str, interval: Option<u64>| {
            let body = json!({ "error": error, "error_description": "words", "interval": interval });
            answer(400, body.to_string().as_bytes()).map(|_| ()).unwrap_err()
        };
        assert_eq!(error("authorization_pending", Some(5)), No::Pending(Some(5)));
        assert_eq!(error("slow_down", Some(10)), No::SlowDown(Some(10)));
        assert_eq!(error("slow_down", None), No::SlowDown(None));
        assert_eq!(error("access_denied", None), No::Denied);
        assert_eq!(error("expired_token", None), No::Expired);
        assert_eq!(error("invalid_request", None), No::Refused("the service refuses to pair: words".into()));
    }

    #[test]
    fn what_is_no_answer_of_the_service_is_asked_again() {
        for (status, body) in [
            (200, "<html>Welcome to Hotel WiFi</html>"),
            (200, r#"{"token":"1lap_rig_"#),
            (302, ""),
            (400, "<html>"),
            (429, r#"{"error":{"code":"rate_limited","message":"wait"}}"#),
            (503, r#"{"error":{"code":"unavailable","message":"try again"}}"#),
        ] {
            let told = answer(status, body.as_bytes()).map(|_| ()).unwrap_err();
            assert!(matches!(told, No::Unanswered(_)), "{status} {body}: {told:?}");
        }
        let gone = answer(404, br#"{"error":{"code":"not_found","message":"there is no such thing here"}}"#);
        assert!(matches!(gone.map(|_| ()), Err(No::Refused(_))));
    }

    #[test]
    fn a_token_is_taken_whole_or_not_at_all() {
        let token = RigToken::assemble("0a1b2c3d4e5f", &"x".repeat(40)).unwrap();
        let body = |token: &str| {
            json!({ "token": token, "team_name": "Ours", "rig": "0199", "rig_name": "RIG_A" }).to_string().into_bytes()
        };
        let paired = answer(200, &body(token.reveal())).unwrap();
        assert_eq!((paired.team_name.as_str(), paired.rig_name.as_str()), ("Ours", "RIG_A"));
        assert!(paired.token == token && !format!("{paired:?}").contains("xxxx"));
        let told = answer(200, &body(&token.reveal().replace("xxxx", "xxxy"))).map(|_| ()).unwrap_err();
        assert!(matches!(&told, No::Refused(why) if !why.contains("xxxy")), "{told:?}");
    }
}
