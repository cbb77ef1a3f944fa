//! A team, seen through its owner's browser.

use crate::app::{ORIGIN, TestApp};
use crate::http::{self, Answer};
use crate::sockets::{RawAgent, RawViewer};
use onelap_protocol::{RigId, SessionId, TeamId, TokenId};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A team and its owner.
#[derive(Debug, Clone)]
pub struct Team {
    /// The team.
    pub id: TeamId,
    /// The owner's cookies.
    pub cookies: String,
    /// Where the service listens.
    pub service: SocketAddr,
}

/// A rig with its first token.
#[derive(Debug, Clone)]
pub struct Rig {
    /// The rig.
    pub id: RigId,
    /// Its name.
    pub name: String,
    /// The token, whole.
    pub token: String,
    /// Its public identifier.
    pub token_id: TokenId,
    service: SocketAddr,
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap_or_else(|| panic!("no id in {value}")).parse().expect("an id")
}

impl Team {
    pub(crate) fn new(service: SocketAddr, signup: &Answer) -> Self {
        Self { id: id(&signup.json()["teams"][0]["id"]), cookies: signup.cookies(), service }
    }

    /// The same team by way of another instance.
    #[must_use]
    pub fn at(&self, instance: &TestApp) -> Self {
        Self { service: instance.address, ..self.clone() }
    }

    /// A request with the owner's cookies and the service's own origin.
    pub async fn request(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let headers = [("cookie", self.cookies.as_str()), ("origin", ORIGIN)];
        http::request(self.service, method, path, &headers, body).await
    }

    /// Reads a path below the team's: `/sessions`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", &format!("/api/teams/{}{path}", self.id), None).await
    }

    /// The recorded details of a session; `Null` while there are none.
    pub async fn session(&self, session: SessionId) -> Value {
        let answer = self.get(&format!("/sessions/{session}")).await;
        if answer.status == 200 { answer.json() } else { Value::Null }
    }

    /// Makes a rig.
    pub async fn rig(&self, name: &str) -> Rig {
        let answer = self.request("POST", &format!("/api/teams/{}/rigs", self.id), Some(json!({ "name": name }))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let made = answer.json();
        Rig {
            id: id(&made["rig"]["id"]),
            name: name.to_owned(),
            token: made["token"].as_str().expect("a token").to_owned(),
            token_id: id(&made["rig"]["tokens"][0]["id"]),
            service: self.service,
        }
    }

    /// Revokes a rig's token.
    pub async fn revoke(&self, rig: &Rig) -> Answer {
        let path = format!("/api/teams/{}/rigs/{}/tokens/{}", self.id, rig.id, rig.token_id);
        self.request("DELETE", &path, None).await
    }

    /// Opens a viewer's socket.
    pub async fn viewer(&self) -> RawViewer {
        RawViewer::open(self.service, &self.cookies, Some(ORIGIN)).await.expect("a member may look")
    }
}

impl Rig {
    /// The same rig by way of another instance.
    #[must_use]
    pub fn at(&self, instance: &TestApp) -> Self {
        Self { service: instance.address, ..self.clone() }
    }

    /// Connects an agent by hand: first run, nothing to resume.
    pub async fn agent(&self) -> RawAgent {
        RawAgent::connect(self.service, &self.token, 1, Vec::new()).await.0
    }
}
