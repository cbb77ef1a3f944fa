//! The limits by name: what each is called in figures, in the environment and to people. Pure.

use std::fmt;

/// A limit of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Agents of a team that are connected.
    TeamAgents,
    /// How often a rig connects.
    RigConnects,
    /// Messages a second of a rig.
    RigMessages,
    /// Bytes a second of a rig.
    RigBytes,
    /// Messages a second of a team's rigs together.
    TeamMessages,
    /// Bytes a second of a team's rigs together.
    TeamBytes,
    /// Sessions that a rig sends at the same time.
    RigSessions,
    /// Sessions that a team's rigs send at the same time.
    TeamSessions,
    /// Live views of a team that are open.
    TeamViewers,
    /// Live views that a person has open.
    PersonViewers,
    /// Teams and sessions that a live view follows.
    ViewerSubscriptions,
    /// Messages a second of a live view.
    ViewerMessages,
    /// Exports that run.
    Exports,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::TeamAgents,
        Self::RigConnects,
        Self::RigMessages,
        Self::RigBytes,
        Self::TeamMessages,
        Self::TeamBytes,
        Self::RigSessions,
        Self::TeamSessions,
        Self::TeamViewers,
        Self::PersonViewers,
        Self::ViewerSubscriptions,
        Self::ViewerMessages,
        Self::Exports,
    ];

    /// As figures are labelled.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::TeamAgents => "team_agents",
            Self::RigConnects => "rig_connects",
            Self::RigMessages => "rig_messages",
            Self::RigBytes => "rig_bytes",
            Self::TeamMessages => "team_messages",
            Self::TeamBytes => "team_bytes",
            Self::RigSessions => "rig_sessions",
            Self::TeamSessions => "team_sessions",
            Self::TeamViewers => "team_viewers",
            Self::PersonViewers => "person_viewers",
            Self::ViewerSubscriptions => "viewer_subscriptions",
            Self::ViewerMessages => "viewer_messages",
            Self::Exports => "exports",
        }
    }

    /// The setting that changes it.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            Self::TeamAgents => "LIMIT_TEAM_AGENTS",
            Self::RigConnects => "LIMIT_RIG_CONNECTS_PER_MIN",
            Self::RigMessages => "LIMIT_RIG_MESSAGES_PER_S",
            Self::RigBytes => "LIMIT_RIG_BYTES_PER_S",
            Self::TeamMessages => "LIMIT_TEAM_MESSAGES_PER_S",
            Self::TeamBytes => "LIMIT_TEAM_BYTES_PER_S",
            Self::RigSessions => "LIMIT_RIG_SESSIONS",
            Self::TeamSessions => "LIMIT_TEAM_SESSIONS",
            Self::TeamViewers => "LIMIT_TEAM_VIEWERS",
            Self::PersonViewers => "LIMIT_PERSON_VIEWERS",
            Self::ViewerSubscriptions => "LIMIT_VIEWER_SUBSCRIPTIONS",
            Self::ViewerMessages => "LIMIT_VIEWER_MESSAGES_PER_S",
            Self::Exports => "DATABASE_EXPORT_CONNECTIONS",
        }
    }

    /// What is counted.
    fn what(self) -> &'static str {
        match self {
            Self::TeamAgents => "agents of a team",
            Self::RigConnects => "connections of a rig a minute",
            Self::RigMessages => "messages a second from a rig",
            Self::RigBytes => "bytes a second from a rig",
            Self::TeamMessages => "messages a second from a team's rigs",
            Self::TeamBytes => "bytes a second from a team's rigs",
            Self::RigSessions => "sessions of a rig at the same time",
            Self::TeamSessions => "sessions of a team at the same time",
            Self::TeamViewers => "live views of a team",
            Self::PersonViewers => "live views of one person",
            Self::ViewerSubscriptions => "teams and sessions in one live view",
            Self::ViewerMessages => "messages a second from a live view",
            Self::Exports => "exports at the same time",
        }
    }

    /// What becomes of it, and what to do.
    fn advice(self) -> &'static str {
        match self {
            Self::TeamAgents => {
                "stop the agent of a rig that does not drive; this one comes again by itself, and keeps what it reads"
            }
            Self::RigConnects => {
                "does another PC use this rig's token? The agent comes again by itself, and keeps what it reads"
            }
            Self::RigMessages | Self::RigBytes | Self::TeamMessages | Self::TeamBytes => {
                "the service reads more slowly, and what waits is kept by the agent"
            }
            Self::RigSessions | Self::TeamSessions => {
                "the agent keeps this session, and it is asked for when others have ended"
            }
            Self::TeamViewers | Self::PersonViewers => "close one that nobody looks at",
            Self::ViewerSubscriptions => "leave one that is not looked at",
            Self::ViewerMessages => "they are heard more slowly",
            Self::Exports => "try again when another has ended",
        }
    }

    /// When to try again.
    pub(super) fn retry_after_s(self) -> u64 {
        match self {
            Self::RigConnects => 10,
            Self::TeamAgents | Self::Exports | Self::TeamViewers | Self::PersonViewers => 30,
            _ => 5,
        }
    }
}

/// Somebody has met a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverLimit {
    /// Which.
    pub limit: Limit,
    /// Its figure.
    pub most: u64,
    /// When to try again.
    pub retry_after_s: u64,
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, most, .. } = self;
        let (what, advice, setting) = (limit.what(), limit.advice(), limit.setting());
        write!(f, "the limit of {most} {what} is reached: {advice} (the operator's setting {setting})")
    }
}

impl std::error::Error for OverLimit {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn labels_and_settings_are_one_of_each() {
        let labels: HashSet<_> = Limit::ALL.iter().map(|limit| limit.label()).collect();
        let settings: HashSet<_> = Limit::ALL.iter().map(|limit| limit.setting()).collect();
        assert_eq!((labels.len(), settings.len()), (Limit::ALL.len(), Limit::ALL.len()));
    }
}
