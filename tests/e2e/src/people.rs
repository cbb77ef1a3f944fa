//! Several people in one team, and what belongs to the team.

use crate::app::ORIGIN;
use crate::http::{self, Answer};
use crate::{RawViewer, Rejected, Team};
use onelap_protocol::UserId;
use serde_json::{Value, json};

/// The roles, the mightiest first.
pub const ROLES: [&str; 4] = ["owner", "engineer", "driver", "viewer"];

impl Team {
    /// The same person in another team.
    #[must_use]
    pub fn within(&self, team: onelap_protocol::TeamId) -> Self {
        Self { id: team, ..self.clone() }
    }

    /// Who this is.
    pub async fn user(&self) -> UserId {
        let me = self.request("GET", "/api/me", None).await;
        assert_eq!(me.status, 200, "{}", me.body);
        me.json()["user"]["id"].as_str().expect("an id").parse().expect("an id")
    }

    /// Posts below the team's path.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", &format!("/api/teams/{}{path}", self.id), Some(body)).await
    }

    /// Puts below the team's path.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.request("PUT", &format!("/api/teams/{}{path}", self.id), Some(body)).await
    }

    /// Deletes below the team's path.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", &format!("/api/teams/{}{path}", self.id), None).await
    }

    /// An invitation's secret, as it stands in its link.
    pub async fn invitation(&self, role: &str) -> String {
        let made = self.post("/invitations", json!({ "role": role })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        fragment(&made.json()["link"])
    }

    /// Takes somebody in by an invitation; they as they see the team.
    pub async fn take_in(&self, person: &Self, role: &str) -> Self {
        let secret = self.invitation(role).await;
        let taken = person.request("POST", "/api/invitations/accept", Some(json!({ "secret": secret }))).await;
        assert_eq!(taken.status, 200, "{}", taken.body);
        person.within(self.id)
    }

    /// Makes a share link; its secret.
    pub async fn share(&self, body: Value) -> String {
        let made = self.post("/shares", body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        fragment(&made.json()["link"])
    }

    /// Opens a share link in another browser, which has the cookie and nothing else.
    pub async fn guest(&self, secret: &str) -> Self {
        let opened = self.open_share(secret, None).await;
        assert_eq!(opened.status, 200, "{}", opened.body);
        Self { cookies: opened.cookies(), ..self.clone() }
    }

    /// Tries to open a share link in another browser.
    pub async fn open_share(&self, secret: &str, password: Option<&str>) -> Answer {
        let body = json!({ "secret": secret, "password": password });
        let headers = [("origin", ORIGIN), ("x-client-ip", &some_address())];
        http::request(self.service, "POST", "/api/shares/open", &headers, Some(body)).await
    }

    /// Makes an API key.
    pub async fn key(&self, scopes: &[&str]) -> String {
        let made = self.post("/keys", json!({ "name": "tool", "scopes": scopes })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["key"].as_str().expect("a key").to_owned()
    }

    /// Opens a viewer's socket that may be refused.
    ///
    /// # Errors
    /// The answer of a service that refuses.
    pub async fn try_viewer(&self) -> Result<RawViewer, Rejected> {
        RawViewer::open(self.service, &self.cookies, Some(ORIGIN)).await
    }
}

/// An address that nobody else has, for services that believe a proxy.
pub(crate) fn some_address() -> String {
    let bytes = *uuid::Uuid::new_v4().as_bytes();
    format!("10.{}.{}.{}", bytes[0], bytes[1], bytes[2])
}

fn fragment(link: &Value) -> String {
    let link = link.as_str().expect("a link");
    link.split_once('#').expect("a fragment").1.to_owned()
}

impl crate::TestApp {
    /// Opens a viewer's socket with an API key.
    ///
    /// # Errors
    /// The answer of a service that refuses.
    pub async fn viewer_with_key(&self, key: &str) -> Result<RawViewer, Rejected> {
        RawViewer::open_with_key(self.address, key).await
    }
}
