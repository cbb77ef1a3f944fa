//! The figures of the limits, from the environment.

use super::Limit;
use crate::config::{ConfigError, Lookup, parsed, wrong};
use onelap_protocol::limits::Limits as Wire;

/// What one team, one rig and one person may use of an instance. The defaults are far above what an honest team needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Agents of a team (`LIMIT_TEAM_AGENTS`).
    pub team_agents: u32,
    /// Connections of a rig a minute (`LIMIT_RIG_CONNECTS_PER_MIN`).
    pub rig_connects_per_min: u32,
    /// Messages a second of a rig (`LIMIT_RIG_MESSAGES_PER_S`).
    pub rig_messages_per_s: u32,
    /// Backfilled items a second of a rig, which agents keep to by themselves (`LIMIT_RIG_BACKFILL_PER_S`).
    pub rig_backfill_per_s: u32,
    /// Bytes a second of a rig (`LIMIT_RIG_BYTES_PER_S`).
    pub rig_bytes_per_s: u32,
    /// Messages a second of a team's rigs together (`LIMIT_TEAM_MESSAGES_PER_S`).
    pub team_messages_per_s: u32,
    /// Bytes a second of a team's rigs together (`LIMIT_TEAM_BYTES_PER_S`).
    pub team_bytes_per_s: u32,
    /// Sessions that a rig sends at the same time (`LIMIT_RIG_SESSIONS`).
    pub rig_sessions: u32,
    /// Sessions that a team's rigs send at the same time (`LIMIT_TEAM_SESSIONS`).
    pub team_sessions: u32,
    /// Live views of a team (`LIMIT_TEAM_VIEWERS`).
    pub team_viewers: u32,
    /// Live views of a person (`LIMIT_PERSON_VIEWERS`).
    pub person_viewers: u32,
    /// Teams and sessions in one live view (`LIMIT_VIEWER_SUBSCRIPTIONS`).
    pub viewer_subscriptions: u32,
    /// Messages a second of one live view (`LIMIT_VIEWER_MESSAGES_PER_S`).
    pub viewer_messages_per_s: u32,
    /// Exports that run at the same time: half of the connections that there are for them, so that traces have the others.
    pub exports: u32,
}

impl LimitsConfig {
    /// Reads a table of variables.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn from_lookup(env: Lookup<'_>) -> Result<Self, ConfigError> {
        let figure = |variable, default| match parsed(env, variable, "a number", default)? {
            0 => Err(wrong(variable, "0 would let nobody in; it is a number from 1")),
            figure => Ok(figure),
        };
        let of = |limit: Limit, default| figure(limit.setting(), default);
        let wire = Wire::default();
        Ok(Self {
            team_agents: of(Limit::TeamAgents, 64)?,
            rig_connects_per_min: of(Limit::RigConnects, 30)?,
            rig_messages_per_s: of(Limit::RigMessages, wire.max_messages_per_s)?,
            rig_backfill_per_s: figure("LIMIT_RIG_BACKFILL_PER_S", wire.max_backfill_per_s)?,
            rig_bytes_per_s: of(Limit::RigBytes, wire.max_bytes_per_s)?,
            team_messages_per_s: of(Limit::TeamMessages, 4_000)?,
            team_bytes_per_s: of(Limit::TeamBytes, 8 << 20)?,
            rig_sessions: of(Limit::RigSessions, 8)?,
            team_sessions: of(Limit::TeamSessions, 512)?,
            team_viewers: of(Limit::TeamViewers, 2_000)?,
            person_viewers: of(Limit::PersonViewers, 100)?,
            viewer_subscriptions: of(Limit::ViewerSubscriptions, 16)?,
            viewer_messages_per_s: of(Limit::ViewerMessages, 20)?,
            exports: (of(Limit::Exports, crate::config::EXPORT_CONNECTIONS)? / 2).max(1),
        })
    }

    /// The figure of a limit.
    #[must_use]
    pub fn most(&self, limit: Limit) -> u64 {
        u64::from(match limit {
            Limit::TeamAgents => self.team_agents,
            Limit::RigConnects => self.rig_connects_per_min,
            Limit::RigMessages => self.rig_messages_per_s,
            Limit::RigBytes => self.rig_bytes_per_s,
            Limit::TeamMessages => self.team_messages_per_s,
            Limit::TeamBytes => self.team_bytes_per_s,
            Limit::RigSessions => self.rig_sessions,
            Limit::TeamSessions => self.team_sessions,
            Limit::TeamViewers => self.team_viewers,
            Limit::PersonViewers => self.person_viewers,
            Limit::ViewerSubscriptions => self.viewer_subscriptions,
            Limit::ViewerMessages => self.viewer_messages_per_s,
            Limit::Exports => self.exports,
        })
    }

    /// What agents are told, and keep to.
    #[must_use]
    pub fn of_agents(&self) -> Wire {
        Wire {
            max_messages_per_s: self.rig_messages_per_s,
            max_backfill_per_s: self.rig_backfill_per_s,
            max_bytes_per_s: self.rig_bytes_per_s,
            ..Wire::default()
        }
    }
}
