//! HTTP as a person's browser would do it: sign-up, log-in, a rig, the game's log.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// The address by which the service knows itself. Nothing resolves it: it is an `Origin`.
pub const ORIGIN: &str = "http://chaos.test";
const PERSON: &str = "chaos@example.org";
const PASSWORD: &str = "correct horse battery";

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: String,
    /// Cookies that it sets, as a browser would send them back.
    pub cookies: String,
}

/// A request; anything but an answer is an error.
///
/// # Errors
/// Why there is no answer.
pub async fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    cookies: &str,
    body: Option<Value>,
) -> Result<Answer, String> {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{to}{path}"));
    request = request.header("origin", ORIGIN).header("cookie", cookies);
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = request.body(body).map_err(|e| e.to_string())?;
    let what = format!("{method} {path}");
    let sent = tokio::task::spawn_blocking(move || send(request)).await.map_err(|e| e.to_string())?;
    sent.map_err(|e| format!("{what}: {e}"))
}

fn send(request: ureq::http::Request<String>) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into();
    let mut response = agent.run(request)?;
    let set = response.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = set.filter_map(|value| value.split(';').next()).collect();
    let (status, cookies) = (response.status().as_u16(), cookies.join("; "));
    Ok(Answer { status, cookies, body: response.body_mut().read_to_string()? })
}

/// As [`request`], and the body as JSON; a refusal is an error.
///
/// # Errors
/// Why there is no answer, or what it says instead.
pub async fn json(
    to: SocketAddr,
    method: &str,
    path: &str,
    cookies: &str,
    body: Option<Value>,
) -> Result<(Value, String), String> {
    let answer = request(to, method, path, cookies, body).await?;
    if answer.status >= 300 {
        return Err(format!("{method} {path}: {} {}", answer.status, answer.body));
    }
    let json = serde_json::from_str(&answer.body).map_err(|e| format!("{method} {path}: {e}"))?;
    Ok((json, answer.cookies))
}

/// Signs a person up with a team. Returns the team's id and the cookies.
///
/// # Errors
/// What the service says.
pub async fn sign_up(service: SocketAddr) -> Result<(String, String), String> {
    let person = json!({ "email": PERSON, "password": PASSWORD, "name": "Chaos", "team_name": "Chaos" });
    let (told, cookies) = json(service, "POST", "/api/auth/signup", "", Some(person)).await?;
    Ok((text(&told["teams"][0]["id"])?, cookies))
}

/// Logs that person in again and returns the cookies.
///
/// # Errors
/// What the service says.
pub async fn log_in(service: SocketAddr) -> Result<String, String> {
    let person = json!({ "email": PERSON, "password": PASSWORD });
    Ok(json(service, "POST", "/api/auth/login", "", Some(person)).await?.1)
}

/// Makes a rig and returns its id and token.
///
/// # Errors
/// What the service says.
pub async fn rig(service: SocketAddr, cookies: &str, team: &str, name: &str) -> Result<(String, String), String> {
    let path = format!("/api/teams/{team}/rigs");
    let (told, _) = json(service, "POST", &path, cookies, Some(json!({ "name": name }))).await?;
    Ok((text(&told["rig"]["id"])?, text(&told["token"])?))
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(ToOwned::to_owned).ok_or_else(|| format!("{value} is no text"))
}
