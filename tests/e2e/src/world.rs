//! A team that has one of everything, and every route of the API's description called with it.
//!
//! A route whose parameters or body are not named here fails the tests that walk the description: say here what to call
//! it with, and in `permissions::ROUTES` who may.

use crate::app::ORIGIN;
use crate::people::{ROLES, some_address};
use crate::sockets::some_session;
use crate::{Answer, Rig, Team, TestApp};
use onelap_protocol::agent::Record;
use onelap_protocol::race::{NoteTopic, PitStep, RaceEvent};
use onelap_protocol::setup::{Setup, SetupArea, SetupItem};
use onelap_protocol::{SessionId, TeamId, UserId};
use onelap_service::auth::permissions::{Access, access};
use serde_json::{Value, json};
use std::fmt;

/// The operator's token of the tests, and what it hashes to.
pub const OPERATOR: &str = "the operator's token, for tests";

/// The setting that makes [`OPERATOR`] one.
#[must_use]
pub fn operator_setting() -> String {
    onelap_service::auth::sha256(OPERATOR.as_bytes()).hex()
}

/// One route of the description.
#[derive(Debug, Clone)]
pub struct Route {
    /// Method.
    pub method: String,
    /// Path with its parameters' names.
    pub path: String,
    /// Name of the operation.
    pub operation: String,
    /// Who may call it.
    pub access: Access,
    has_body: bool,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A route, ready to be called.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path with values.
    pub path: String,
    /// Body.
    pub body: Option<Value>,
}

/// All routes of the description but those of people's own accounts, in its order.
///
/// # Panics
/// Where one has no rule.
#[must_use]
pub fn routes() -> Vec<Route> {
    let document = serde_json::to_value(onelap_service::openapi::document()).expect("a document");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        if path.starts_with("/api/auth/") || path == "/api/me" || path.starts_with("/api/me/") {
            continue;
        }
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase();
            all.push(Route {
                access: access(&method, path).unwrap_or_else(|| panic!("{method} {path} has no rule")),
                operation: operation["operationId"].as_str().expect("a name").to_owned(),
                has_body: operation["requestBody"].is_object(),
                path: path.clone(),
                method,
            });
        }
    }
    all
}

impl Route {
    /// The route with a team's things.
    #[must_use]
    pub fn fill(&self, with: &Furnished) -> Request {
        self.fill_in(with.owner.id, with)
    }

    /// The route with one team's id and another's things.
    #[must_use]
    pub fn fill_in(&self, team: TeamId, with: &Furnished) -> Request {
        let mut path = self.path.clone();
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            let value = match &path[start + 1..end] {
                "team" => team.to_string(),
                "rig" => with.rig.id.to_string(),
                "token_id" => with.rig.token_id.to_string(),
                "session" => with.session.to_string(),
                "car" => "7-abc123".to_owned(),
                "lap" => "1".to_owned(),
                "hash" => with.setup.clone(),
                "user" => with.target.to_string(),
                "invitation" => with.invitation.clone(),
                "share" => with.share.clone(),
                "key" => with.key.clone(),
                other => panic!("{self}: a parameter \"{other}\" that is not known here"),
            };
            path.replace_range(start..=end, &value);
        }
        if self.operation == "session_trace" {
            path.push_str("?from_s=0&to_s=60");
        }
        Request { path, body: self.has_body.then(|| self.body(with)) }
    }

    fn body(&self, with: &Furnished) -> Value {
        match self.operation.as_str() {
            "create_team" | "rename_team" => json!({ "name": "another name" }),
            "create_rig" => json!({ "name": "RIG_B" }),
            "create_token" | "rotate_token" => json!({}),
            "hand_over" => json!({ "user": with.target }),
            "change_role" => json!({ "role": "driver" }),
            "invite" => json!({ "role": "viewer" }),
            "look_at_invitation" | "accept_invitation" => json!({ "secret": with.invitation_secret }),
            "create_share" => json!({ "name": "us", "kind": "session", "session": with.session }),
            "open_share" => json!({ "secret": with.share_secret }),
            "create_key" => json!({ "name": "tool", "scopes": ["read_live"] }),
            "begin_pairing" => json!({ "name": "PC" }),
            "fetch_token" => json!({ "device_code": with.device_code }),
            "look_at_pairing" | "deny_pairing" => json!({ "user_code": with.user_code }),
            "approve_pairing" => json!({ "user_code": with.user_code, "rig": with.rig.id }),
            "disable_team" | "enable_team" => json!({ "reason": "a test" }),
            other => panic!("{self}: \"{other}\" has a body that is not known here"),
        }
    }
}

/// People, who make teams.
pub struct World<'a> {
    app: &'a TestApp,
    /// One for each of [`ROLES`], and one more, whom things are done to.
    people: Vec<(Team, UserId)>,
}

/// A team with one of everything.
pub struct Furnished {
    /// Its owner.
    pub owner: Team,
    /// A member for each of [`ROLES`], in their order; the owner first.
    pub members: Vec<Team>,
    /// A member whom things are done to.
    pub target: UserId,
    /// A rig with a token.
    pub rig: Rig,
    /// A recorded session, which is live.
    pub session: SessionId,
    /// The setup's hash.
    pub setup: String,
    /// An open invitation.
    pub invitation: String,
    /// Its secret.
    pub invitation_secret: String,
    /// A share of the session that shows everything.
    pub share: String,
    /// Its secret.
    pub share_secret: String,
    /// Somebody who has opened it.
    pub guest: Team,
    /// An API key.
    pub key: String,
    /// Its text, for everything.
    pub key_text: String,
    /// What an agent shows that waits.
    pub user_code: String,
    /// What it asks with.
    pub device_code: String,
    name: String,
    _agent: crate::RawAgent,
}

impl Furnished {
    /// Text that is in this team's things and in no other's.
    #[must_use]
    pub fn marks(&self) -> Vec<String> {
        let public = |token: &str| token.split('_').nth(2).expect("a public part").to_owned();
        vec![
            self.name.clone(),
            format!("rig of {}", self.name),
            format!("share of {}", self.name),
            public(&self.rig.token),
            public(&self.key_text),
        ]
    }
}

impl<'a> World<'a> {
    /// Signs the people up.
    pub async fn new(app: &'a TestApp) -> Self {
        let mut people = Vec::new();
        for name in ROLES.into_iter().chain(["target"]) {
            let person = app.team(&format!("the-{name}")).await;
            let user = person.user().await;
            people.push((person, user));
        }
        Self { app, people }
    }

    /// Makes another team of the same people.
    pub async fn furnish(&self, name: &str) -> Furnished {
        let made = self.people[0].0.request("POST", "/api/teams", Some(json!({ "name": name }))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id: TeamId = made.json()["id"].as_str().expect("an id").parse().expect("an id");
        let owner = self.people[0].0.within(id);
        let mut tx = self.app.owner_pool().await.begin().await.expect("a transaction");
        sqlx::query("select set_config('app.team', $1, true)")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .expect("set");
        for ((_, user), role) in self.people.iter().zip(ROLES.into_iter().chain(["viewer"])).skip(1) {
            sqlx::query("insert into team_members (team_id, user_id, role) values ($1, $2, $3)")
                .bind(id.0)
                .bind(user.0)
                .bind(role)
                .execute(&mut *tx)
                .await
                .expect("a member");
        }
        tx.commit().await.expect("committed");

        let rig = owner.rig(&format!("rig of {name}")).await;
        let (agent, setup) = drive(&owner, &rig).await;
        let invitation_secret = owner.invitation("viewer").await;
        let share = json!({
            "name": format!("share of {name}"), "kind": "session", "session": agent.session,
            "shows_history": true, "shows_setup": true,
        });
        let share_secret = owner.share(share).await;
        let key_text = owner.key(&["read_live", "read_history", "read_setups"]).await;
        let body = json!({ "name": "SIM-PC" });
        let pairing =
            self.app.request("POST", "/api/pair/device", &[("x-client-ip", &some_address())], Some(body)).await.json();
        let first = async |path: &str| text(&owner.get(path).await.json()[0]["id"]);
        Furnished {
            members: self.people[..ROLES.len()].iter().map(|(person, _)| person.within(id)).collect(),
            target: self.people[ROLES.len()].1,
            session: agent.session,
            invitation: first("/invitations").await,
            share: first("/shares").await,
            key: first("/keys").await,
            guest: owner.guest(&share_secret).await,
            user_code: text(&pairing["user_code"]),
            device_code: text(&pairing["device_code"]),
            name: name.to_owned(),
            rig,
            setup,
            invitation_secret,
            share_secret,
            key_text,
            owner,
            _agent: agent,
        }
    }

    /// Calls a route with a bearer token and nothing else.
    pub async fn with_bearer(&self, token: &str, method: &str, request: &Request) -> Answer {
        let bearer = format!("Bearer {token}");
        self.app.request(method, &request.path, &[("authorization", &bearer)], request.body.clone()).await
    }

    /// Calls a route with no credential.
    pub async fn as_nobody(&self, method: &str, request: &Request) -> Answer {
        self.app.request(method, &request.path, &[("origin", ORIGIN)], request.body.clone()).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A session with one of everything that can be recorded; the agent stays connected.
async fn drive(owner: &Team, rig: &Rig) -> (crate::RawAgent, String) {
    let mut agent = rig.agent().await;
    agent.begin().await;
    let item = SetupItem {
        key: "VM_BRAKE_BALANCE".into(),
        area: SetupArea::Brakes,
        label: "Brake bias".into(),
        corner: None,
        text: "55.0:45.0".into(),
        step: None,
    };
    agent.record(Record::Setup { at_s: 1.0, setup: Setup { name: None, items: vec![item] } }).await;
    agent.batch(1, 200.0).await;
    let car = some_session().car;
    for (step, at_s) in [(PitStep::Enter, 10.0), (PitStep::Stop, 20.0), (PitStep::Go, 50.0), (PitStep::Exit, 60.0)] {
        let (car, lap, compound) = (car.clone(), 1, Some("Medium".to_owned()));
        let event = RaceEvent::Pit { car, lap, step, at_s, fuel_l: Some(50.0), virtual_energy_pct: None, compound };
        agent.record(Record::Event { event }).await;
    }
    let (from, to) = ("Jürgen Müller".to_owned(), "Lena Hartmann".to_owned());
    agent
        .record(Record::Event { event: RaceEvent::DriverChange { car: car.clone(), lap: 1, from, to, at_s: 40.0 } })
        .await;
    let note = RaceEvent::Note { car: Some(car), topic: NoteTopic::Incident, text: "contact".into(), at_s: 65.0 };
    agent.record(Record::Event { event: note }).await;
    agent.lap(1).await;
    agent.acknowledged(10).await;
    let setup = text(&owner.session(agent.session).await["setups"][0]["hash"]);
    (agent, setup)
}
