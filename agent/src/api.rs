//! The service's HTTP API, as far as the agent needs it: whose token this is, and how to ask. Blocking.

use crate::link::state::Refusal;
use crate::link::words::in_the_drivers_words;
use crate::server::ServerUrl;
use onelap_protocol::agent::WhoAmI;
use onelap_protocol::{ErrorCode, RigToken};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How long the service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there was no answer to act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The service said no.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// There was no answer, or none that this agent understands.
    #[error("{0}")]
    Unreachable(String),
}

/// TLS as the agent speaks it everywhere: one provider, chosen here, with Mozilla's roots.
///
/// # Errors
/// Where the provider offers no protocol version, which a build that is whole does.
pub fn tls_config() -> Result<Arc<rustls::ClientConfig>, String> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Asks the service whose token this is.
///
/// # Errors
/// [`ApiError`] tells a refusal from a service that cannot be reached.
pub fn who_am_i(server: &ServerUrl, token: &RigToken) -> Result<WhoAmI, ApiError> {
    let (status, body) = ask(server, Some(token))?;
    if status != 200 {
        return Err(ApiError::Refused(refusal(status, &body)));
    }
    serde_json::from_slice(&body).map_err(|e| stranger(server, &e.to_string()))
}

/// Asks whether a 1Lap service is there, without a token: it refuses in its own words.
///
/// # Errors
/// [`ApiError`] where nobody answers, or somebody else.
pub fn reach(server: &ServerUrl) -> Result<(), ApiError> {
    let (status, body) = ask(server, None)?;
    let refusal = refusal(status, &body);
    match (status, refusal.code) {
        (401, Some(_)) => Ok(()),
        (401 | 200, None) => Err(stranger(server, &format!("HTTP {status}"))),
        _ => Err(ApiError::Refused(refusal)),
    }
}

/// Somebody answers who is no 1Lap service.
pub(crate) fn stranger(server: &ServerUrl, why: &str) -> ApiError {
    ApiError::Unreachable(format!("{server} answers, but not as a 1Lap service does: {why}"))
}

const USER_AGENT: &str = concat!("onelap-agent/", env!("CARGO_PKG_VERSION"));

fn client() -> ureq::Agent {
    let tls = ureq::tls::TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .new_agent()
}

fn answer(
    server: &ServerUrl,
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<(u16, Vec<u8>), ApiError> {
    let mut response = response.map_err(|e| ApiError::Unreachable(format!("{server} cannot be reached: {e}")))?;
    let body = response.body_mut().with_config().limit(64 * 1024).read_to_vec().unwrap_or_default();
    Ok((response.status().as_u16(), body))
}

/// Status and body of what the service says to who has this token.
fn ask(server: &ServerUrl, token: Option<&RigToken>) -> Result<(u16, Vec<u8>), ApiError> {
    let mut request = client().get(server.http("/api/agent/whoami")).header("user-agent", USER_AGENT);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {}", token.reveal()));
    }
    answer(server, request.call())
}

/// Status and body of what the service says to a body, without any credential.
///
/// # Errors
/// [`ApiError::Unreachable`] where nobody answers.
pub(crate) fn post(server: &ServerUrl, path: &str, body: &impl Serialize) -> Result<(u16, Vec<u8>), ApiError> {
    answer(server, client().post(server.http(path)).header("user-agent", USER_AGENT).send_json(body))
}

/// What an answer that is not a success says.
#[must_use]
pub fn refusal(status: u16, body: &[u8]) -> Refusal {
    #[derive(Deserialize)]
    struct Said {
        code: Option<serde_json::Value>,
        message: Option<String>,
    }
    #[derive(Deserialize)]
    struct Wrapped {
        error: Said,
    }
    let said = serde_json::from_slice::<Wrapped>(body).map(|w| w.error).or_else(|_| serde_json::from_slice(body));
    let Said { code, message } = said.unwrap_or(Said { code: None, message: None });
    let code: Option<ErrorCode> = code.and_then(|code| serde_json::from_value(code).ok());
    Refusal { status, code, message: in_the_drivers_words(status, code, message.as_deref()), retry_after_s: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_words_that_help() {
        let revoked = refusal(401, br#"{"code":"token_revoked","message":"revoked"}"#);
        assert_eq!(revoked.code, Some(ErrorCode::TokenRevoked));
        assert!(revoked.message.contains("revoked") && revoked.message.contains("onelap-agent pair"));
        let wrapped = refusal(426, br#"{"error":{"code":"unsupported_version","message":"speak v2"}}"#);
        assert_eq!(wrapped.code, Some(ErrorCode::UnsupportedVersion));
        assert!(wrapped.message.contains("update") && wrapped.message.contains("speak v2"));
    }

    #[test]
    fn a_networks_login_page_is_told_as_that() {
        let refusal = refusal(200, b"<html><body>Welcome to Hotel WiFi</body></html>");
        assert!(refusal.message.contains("login"), "{}", refusal.message);
        assert!(!refusal.is_lasting());
    }

    #[test]
    fn a_body_that_is_not_ours_costs_nothing_but_its_words() {
        for body in [&b""[..], b"<html>", b"[]", b"{\"code\":7}", b"\xff\xfe"] {
            assert_eq!(refusal(503, body).message, "the service cannot answer now (HTTP 503)");
        }
    }
}
