//! Who may do what: one table, which the extractors enforce, `/api/roles` shows and the tests walk.
//!
//! Invariant: a route of a team without a line in [`ROUTES`] is open to nobody: [`TeamScope`](super::TeamScope) and
//! [`ReadScope`](super::ReadScope) look their rule up by the route that was matched, a handler cannot forget to ask.
//!
//! Not here: finding out who asks (`scope`).

use crate::error::ApiError;
use onelap_protocol::viewer::ViewerMessage;
use serde::{Deserialize, Serialize};

/// What a member is in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but members and the team itself.
    Engineer,
    /// Drives: sees everything, and confirms what is asked of the driver.
    Driver,
    /// Looks only.
    Viewer,
}

impl Role {
    /// All, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Engineer, Self::Driver, Self::Viewer];

    /// As the database and the API write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Engineer => "engineer",
            Self::Driver => "driver",
            Self::Viewer => "viewer",
        }
    }

    /// For people.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Owner => "everything, members and the team itself included",
            Self::Engineer => "everything but members and the team itself",
            Self::Driver => "sees everything the team records",
            Self::Viewer => "looks only",
        }
    }

    /// As the database keeps it.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let found = Self::ALL.into_iter().find(|role| role.word() == text);
        found.ok_or_else(|| ApiError::internal(format!("role \"{text}\" is not known")))
    }
}

/// Something that can be done in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "TABLE says what each is")]
pub enum Action {
    SeeTeam,
    SeeMembers,
    SeeLive,
    SeeHistory,
    SeeSetups,
    SeeRigs,
    LeaveTeam,
    ManageRigs,
    ManageShares,
    ManageApiKeys,
    ManageMembers,
    ManageTeam,
    ExportTeam,
    SeeAudit,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The action.
    pub action: Action,
    /// For people.
    pub what: &'static str,
    /// The roles that may.
    pub roles: &'static [Role],
}

const EVERYBODY: &[Role] = &Role::ALL;
const ENGINEERS: &[Role] = &[Role::Owner, Role::Engineer];
const OWNERS: &[Role] = &[Role::Owner];

const fn rule(action: Action, what: &'static str, roles: &'static [Role]) -> Rule {
    Rule { action, what, roles }
}

/// The table. In the order of [`Action`].
pub const TABLE: [Rule; 14] = [
    rule(Action::SeeTeam, "see the team and their own role in it", EVERYBODY),
    rule(Action::SeeMembers, "see who is in the team", EVERYBODY),
    rule(Action::SeeLive, "watch rigs and sessions live", EVERYBODY),
    rule(Action::SeeHistory, "look at recorded sessions, laps and traces", EVERYBODY),
    rule(Action::SeeSetups, "see setups", EVERYBODY),
    rule(Action::SeeRigs, "see the rigs and what they do", EVERYBODY),
    rule(Action::LeaveTeam, "leave the team (the last owner cannot)", EVERYBODY),
    rule(Action::ManageRigs, "add and delete rigs, make and revoke their tokens, approve pairing", ENGINEERS),
    rule(Action::ManageShares, "make, see and revoke share links", ENGINEERS),
    rule(Action::ManageApiKeys, "make, see and revoke API keys", ENGINEERS),
    rule(Action::ManageMembers, "invite and remove members, change roles", OWNERS),
    rule(Action::ManageTeam, "rename, hand over and delete the team", OWNERS),
    rule(Action::ExportTeam, "export everything the team has", OWNERS),
    rule(Action::SeeAudit, "see the audit log", OWNERS),
];

impl Action {
    /// Its line.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        &TABLE[self as usize]
    }

    /// Checks that a role may.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`] says which roles may.
    pub fn check(self, role: Role) -> Result<(), ApiError> {
        let rule = self.rule();
        if rule.roles.contains(&role) {
            return Ok(());
        }
        let may: Vec<&str> = rule.roles.iter().map(|role| role.word()).collect();
        let needed = may.join(" or ");
        Err(ApiError::NotAllowed(format!(
            "to {}, one has to be {needed} of the team; you are {}",
            rule.what,
            role.word()
        )))
    }
}

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may call it.
    Anyone,
    /// A person who has logged in; what it touches is their own.
    Person,
    /// A member of the team in the path who may do this.
    Member(Action),
    /// The same, or a share link or an API key that covers it.
    Reader(Action),
    /// A rig's token.
    Rig,
    /// A share link's cookie.
    Share,
    /// The operator's token.
    Operator,
}

/// Every route of the API but those of people's own accounts (see [`access`]): method, path as it is registered, rule.
pub const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/healthz", Access::Anyone),
    ("GET", "/readyz", Access::Anyone),
    ("GET", "/metrics", Access::Anyone),
    ("GET", "/api/channels", Access::Anyone),
    ("GET", "/api/roles", Access::Anyone),
    ("GET", "/api/agent/whoami", Access::Rig),
    ("POST", "/api/teams", Access::Person),
    ("GET", "/api/teams/{team}", Access::Member(Action::SeeTeam)),
    ("PUT", "/api/teams/{team}", Access::Member(Action::ManageTeam)),
    ("POST", "/api/teams/{team}/leave", Access::Member(Action::LeaveTeam)),
    ("POST", "/api/teams/{team}/deletion", Access::Member(Action::ManageTeam)),
    ("DELETE", "/api/teams/{team}/deletion", Access::Member(Action::ManageTeam)),
    ("POST", "/api/teams/{team}/owner", Access::Member(Action::ManageTeam)),
    ("GET", "/api/teams/{team}/export", Access::Member(Action::ExportTeam)),
    ("GET", "/api/teams/{team}/members", Access::Member(Action::SeeMembers)),
    ("PUT", "/api/teams/{team}/members/{user}", Access::Member(Action::ManageMembers)),
    ("DELETE", "/api/teams/{team}/members/{user}", Access::Member(Action::ManageMembers)),
    ("GET", "/api/teams/{team}/invitations", Access::Member(Action::ManageMembers)),
    ("POST", "/api/teams/{team}/invitations", Access::Member(Action::ManageMembers)),
    ("DELETE", "/api/teams/{team}/invitations/{invitation}", Access::Member(Action::ManageMembers)),
    ("POST", "/api/invitations/look", Access::Anyone),
    ("POST", "/api/invitations/accept", Access::Person),
    ("GET", "/api/teams/{team}/audit", Access::Member(Action::SeeAudit)),
    ("GET", "/api/teams/{team}/audit/export", Access::Member(Action::SeeAudit)),
    ("GET", "/api/teams/{team}/rigs", Access::Member(Action::SeeRigs)),
    ("POST", "/api/teams/{team}/rigs", Access::Member(Action::ManageRigs)),
    ("DELETE", "/api/teams/{team}/rigs/{rig}", Access::Member(Action::ManageRigs)),
    ("POST", "/api/teams/{team}/rigs/{rig}/tokens", Access::Member(Action::ManageRigs)),
    ("DELETE", "/api/teams/{team}/rigs/{rig}/tokens/{token_id}", Access::Member(Action::ManageRigs)),
    ("POST", "/api/teams/{team}/rigs/{rig}/tokens/{token_id}/rotate", Access::Member(Action::ManageRigs)),
    ("POST", "/api/pair/device", Access::Anyone),
    ("POST", "/api/pair/token", Access::Anyone),
    ("POST", "/api/teams/{team}/pairings/look", Access::Member(Action::ManageRigs)),
    ("POST", "/api/teams/{team}/pairings/approve", Access::Member(Action::ManageRigs)),
    ("POST", "/api/teams/{team}/pairings/deny", Access::Member(Action::ManageRigs)),
    ("GET", "/api/teams/{team}/shares", Access::Member(Action::ManageShares)),
    ("POST", "/api/teams/{team}/shares", Access::Member(Action::ManageShares)),
    ("DELETE", "/api/teams/{team}/shares/{share}", Access::Member(Action::ManageShares)),
    ("POST", "/api/shares/open", Access::Anyone),
    ("POST", "/api/shares/close", Access::Anyone),
    ("GET", "/api/shares/current", Access::Share),
    ("GET", "/api/teams/{team}/keys", Access::Member(Action::ManageApiKeys)),
    ("POST", "/api/teams/{team}/keys", Access::Member(Action::ManageApiKeys)),
    ("DELETE", "/api/teams/{team}/keys/{key}", Access::Member(Action::ManageApiKeys)),
    ("GET", "/api/teams/{team}/sessions", Access::Reader(Action::SeeHistory)),
    ("GET", "/api/teams/{team}/sessions/{session}", Access::Reader(Action::SeeHistory)),
    ("GET", "/api/teams/{team}/sessions/{session}/cars/{car}", Access::Reader(Action::SeeHistory)),
    ("GET", "/api/teams/{team}/sessions/{session}/laps/{lap}/trace", Access::Reader(Action::SeeHistory)),
    ("GET", "/api/teams/{team}/sessions/{session}/trace", Access::Reader(Action::SeeHistory)),
    ("GET", "/api/teams/{team}/setups/{hash}", Access::Reader(Action::SeeSetups)),
    ("GET", "/api/operator/teams", Access::Operator),
    ("GET", "/api/operator/teams/{team}", Access::Operator),
    ("POST", "/api/operator/teams/{team}/disable", Access::Operator),
    ("POST", "/api/operator/teams/{team}/enable", Access::Operator),
];

/// What a route asks for; `None` where no line names it, and then it is open to nobody.
///
/// What is below `/api/auth` and `/api/me` is people's own: no team's things can be named there.
#[must_use]
pub fn access(method: &str, route: &str) -> Option<Access> {
    if route == "/api/about" {
        return Some(Access::Anyone);
    }
    if route == "/api/me" || route.starts_with("/api/me/") || route.starts_with("/api/auth/") {
        return Some(Access::Person);
    }
    ROUTES.iter().find(|(m, r, _)| *m == method && *r == route).map(|(_, _, access)| *access)
}

/// What a viewer's message asks for; `None` where it only takes something back.
#[must_use]
pub fn asked(message: &ViewerMessage) -> Option<Action> {
    match message {
        ViewerMessage::Watch { .. } | ViewerMessage::Subscribe { .. } => Some(Action::SeeLive),
        // Of what was opened already.
        ViewerMessage::Rate { .. } | ViewerMessage::Unsubscribe { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_finds_its_own_line() {
        for (at, line) in TABLE.iter().enumerate() {
            assert_eq!(line.action as usize, at, "{:?}", line.action);
            assert_eq!(line.action.rule().what, line.what);
            assert!(line.roles.contains(&Role::Owner), "an owner may do everything: {:?}", line.action);
        }
    }

    #[test]
    fn who_may_not_is_told_who_may() {
        assert!(Action::ManageRigs.check(Role::Engineer).is_ok());
        let refused = Action::ManageRigs.check(Role::Driver).unwrap_err().to_string();
        assert!(refused.contains("owner or engineer") && refused.contains("you are driver"), "{refused}");
    }

    #[test]
    fn the_table_and_the_description_name_the_same_routes() {
        let mut described = Vec::new();
        for (path, item) in crate::openapi::document().paths.paths {
            for (method, operation) in [
                ("GET", item.get),
                ("POST", item.post),
                ("PUT", item.put),
                ("PATCH", item.patch),
                ("DELETE", item.delete),
            ] {
                if operation.is_some() {
                    assert!(access(method, &path).is_some(), "{method} {path} is in no line of permissions::ROUTES");
                    described.push((method, path.clone()));
                }
            }
        }
        for (method, route, _) in ROUTES {
            let is_there = described.iter().any(|(m, p)| m == method && p == route);
            assert!(is_there, "{method} {route} is not in the API's description");
        }
    }

    #[test]
    fn what_names_a_team_needs_a_member_a_reader_or_an_operator() {
        for (method, route, access) in ROUTES.iter().filter(|(_, route, _)| route.contains("{team}")) {
            let is_guarded = matches!(access, Access::Member(_) | Access::Reader(_) | Access::Operator);
            assert!(is_guarded, "{method} {route}");
        }
    }
}
