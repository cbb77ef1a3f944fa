//! A person and one browser of theirs: keeps its cookies as a browser does.

use crate::app::ORIGIN;
use crate::http::{self, Answer};
use crate::mailbox::Mailbox;
use crate::sockets::{RawViewer, Rejected};
use onelap_service::auth::totp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The password of everybody who has not changed it.
pub const PASSWORD: &str = "correct horse battery";

/// A browser.
pub struct Browser {
    service: SocketAddr,
    cookies: Mutex<BTreeMap<String, String>>,
    agent: &'static str,
}

impl Browser {
    pub(crate) fn new(service: SocketAddr) -> Self {
        Self { service, cookies: Mutex::default(), agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0" }
    }

    /// Its cookies, as a `Cookie` header has them.
    #[must_use]
    pub fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Forgets the access token, as if it had run out.
    pub fn forget_access(&self) {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| !name.ends_with("_access"));
    }

    /// A request as the web app makes it; cookies that are set are kept.
    pub async fn request(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let cookies = self.cookies();
        let headers = [("cookie", cookies.as_str()), ("origin", ORIGIN), ("user-agent", self.agent)];
        let answer = http::request(self.service, method, path, &headers, body).await;
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(cookies);
        answer
    }

    /// `POST` with a body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path, Some(body)).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, None).await
    }

    /// Logs in, first step.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/auth/login", json!({ "email": email, "password": password })).await
    }

    /// Logs in with password and code.
    pub async fn log_in_with_code(&self, email: &str, password: &str, code: &str) -> Answer {
        let first = self.log_in(email, password).await;
        assert_eq!(first.status, 202, "{}", first.body);
        let challenge = first.json()["challenge"].clone();
        self.post("/api/auth/login/code", json!({ "challenge": challenge, "code": code })).await
    }

    /// Signs up with a mail server: takes the letter and opens its link.
    pub async fn sign_up_by_letter(&self, mailbox: &Mailbox, email: &str) -> Answer {
        let name = email.split('@').next().unwrap_or_default();
        let body = json!({ "email": email, "password": PASSWORD, "name": name, "team_name": name });
        let asked = self.post("/api/auth/signup", body).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        let token = mailbox.take(email, "Finish").await.secret();
        let made = self.post("/api/auth/signup/finish", json!({ "token": token, "password": PASSWORD })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made
    }

    /// Whether somebody is logged in.
    pub async fn is_in(&self) -> bool {
        self.get("/api/me").await.status == 200
    }

    /// Sets up a second factor; gives its seed and the recovery codes.
    pub async fn second_factor(&self, password: &str) -> (Vec<u8>, Vec<String>) {
        let begun = self.post("/api/me/second-factor", json!({ "password": password })).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let secret = begun.json()["secret"].as_str().expect("a secret").to_owned();
        let seed = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32");
        let shown = self.post("/api/me/second-factor/confirm", json!({ "code": code(&seed, -1) })).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        let codes = shown.json()["recovery_codes"].as_array().expect("codes").clone();
        (seed, codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect())
    }

    /// Opens the live socket.
    ///
    /// # Errors
    /// The answer of a service that refuses.
    pub async fn viewer(&self) -> Result<RawViewer, Rejected> {
        RawViewer::open(self.service, &self.cookies(), Some(ORIGIN)).await
    }
}

/// The code of this moment, or so many steps from it.
#[must_use]
pub fn code(seed: &[u8], steps: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    totp::current(seed, now.saturating_add_signed(30 * steps))
}
