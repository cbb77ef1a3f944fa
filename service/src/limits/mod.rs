//! What one team, one rig and one person may use of this instance, so that nobody takes what others need.
//!
//! Whoever connects or opens something takes a [`Seat`], which is given back when it is dropped. What comes too fast is
//! weighed by [`Rates`], which say how long to read nothing more.
//!
//! Invariants: over a limit somebody is refused or slowed down, and nothing that was accepted is lost; an answer names the
//! limit, its figure, its setting and what to do; figures are counted by limit, a closed set, and never by team; no memory
//! is kept of who uses nothing.
//!
//! Each instance counts for itself (decision 15). Not here: slowing down guessing (`auth::throttle`), sizes that are part
//! of the wire's contract (`onelap_protocol::limits`).

mod budget;
mod config;
mod limit;

pub use budget::{Budget, Rates};
pub use config::LimitsConfig;
pub use limit::{Limit, OverLimit};

use crate::metrics::Metrics;
use budget::TeamRates;
use onelap_protocol::{RigId, TeamId, UserId};
use prometheus::IntCounterVec;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Agents' sockets of one rig at the same time: the one that holds it, and those that it has replaced and that are being
/// told so.
const SOCKETS_OF_A_RIG: u32 = 4;

/// Everything that is counted. One per process.
#[derive(Debug)]
pub struct Limits {
    config: LimitsConfig,
    /// By limit: what was refused, or had to wait.
    refused: IntCounterVec,
    /// A lock is right: held for a look-up, never across an await.
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    teams: HashMap<TeamId, OfTeam>,
    people: HashMap<UserId, u32>,
    exports: u32,
}

#[derive(Debug, Default)]
struct OfTeam {
    /// Agents' sockets by rig.
    agents: HashMap<RigId, u32>,
    sessions: u32,
    viewers: u32,
    rates: Option<Arc<TeamRates>>,
}

impl OfTeam {
    fn is_idle(&self) -> bool {
        self.agents.is_empty() && self.sessions == 0 && self.viewers == 0
    }
}

/// Something that is used, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    limits: Arc<Limits>,
    of: Of,
}

#[derive(Debug, Clone, Copy)]
enum Of {
    Agent(TeamId, RigId),
    Session(TeamId),
    Viewer(TeamId),
    Person(UserId),
    Export,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.limits.give_back(self.of);
    }
}

impl Limits {
    /// Nobody uses anything yet.
    ///
    /// # Errors
    /// Where the figures are registered already.
    pub fn new(config: LimitsConfig, metrics: &Metrics) -> Result<Arc<Self>, prometheus::Error> {
        let refused = metrics.counters(
            "onelap_limit_refused_total",
            "What was refused, or had to wait, because of a limit.",
            &["limit"],
        )?;
        // What was never refused is a 0 that can be asked for.
        Limit::ALL.iter().for_each(|limit| _ = refused.with_label_values(&[limit.label()]));
        Ok(Arc::new(Self { config, refused, used: Mutex::default() }))
    }

    /// The figures.
    #[must_use]
    pub fn config(&self) -> &LimitsConfig {
        &self.config
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts that somebody met a limit, and says so.
    pub fn over(&self, limit: Limit) -> OverLimit {
        self.count(limit);
        OverLimit { limit, most: self.config.most(limit), retry_after_s: limit.retry_after_s() }
    }

    /// Counts that something had to wait or was refused.
    pub fn count(&self, limit: Limit) {
        self.refused.with_label_values(&[limit.label()]).inc();
    }

    /// An agent connects. A rig that is connected already has its place: the earlier connection is about to be cut.
    ///
    /// # Errors
    /// [`OverLimit`] where the team has as many agents here as it may.
    pub fn agent(self: &Arc<Self>, team: TeamId, rig: RigId) -> Result<Seat, OverLimit> {
        let mut used = self.used();
        let agents = &mut used.teams.entry(team).or_default().agents;
        let limit = match agents.get(&rig) {
            None if agents.len() as u64 >= self.config.most(Limit::TeamAgents) => Some(Limit::TeamAgents),
            Some(sockets) if *sockets >= SOCKETS_OF_A_RIG => Some(Limit::RigConnects),
            _ => None,
        };
        if let Some(limit) = limit {
            return Err(self.over(limit));
        }
        *agents.entry(rig).or_default() += 1;
        Ok(self.seat(Of::Agent(team, rig)))
    }

    /// What this rig's agent may send, weighed together with what the team's others send.
    #[must_use]
    pub fn rates(&self, team: TeamId, now: Instant) -> Rates {
        let mut used = self.used();
        let rates = &mut used.teams.entry(team).or_default().rates;
        let shared = rates.get_or_insert_with(|| Arc::new(TeamRates::new(&self.config, now)));
        Rates::new(&self.config, shared.clone(), now)
    }

    /// A session of a rig is received.
    ///
    /// # Errors
    /// [`OverLimit`] where the team has as many here as it may.
    pub fn session(self: &Arc<Self>, team: TeamId) -> Result<Seat, OverLimit> {
        let mut used = self.used();
        let sessions = &mut used.teams.entry(team).or_default().sessions;
        self.take(sessions, Limit::TeamSessions)?;
        Ok(self.seat(Of::Session(team)))
    }

    /// A viewer opens a team.
    ///
    /// # Errors
    /// [`OverLimit`] where the team has as many here as it may.
    pub fn viewer(self: &Arc<Self>, team: TeamId) -> Result<Seat, OverLimit> {
        let mut used = self.used();
        let viewers = &mut used.teams.entry(team).or_default().viewers;
        self.take(viewers, Limit::TeamViewers)?;
        Ok(self.seat(Of::Viewer(team)))
    }

    /// A person opens a live view, of whatever teams.
    ///
    /// # Errors
    /// [`OverLimit`] where they have as many open here as they may.
    pub fn person(self: &Arc<Self>, person: UserId) -> Result<Seat, OverLimit> {
        let mut used = self.used();
        self.take(used.people.entry(person).or_default(), Limit::PersonViewers)?;
        Ok(self.seat(Of::Person(person)))
    }

    /// An export begins, of whatever team.
    ///
    /// # Errors
    /// [`OverLimit`] where enough others run.
    pub fn export(self: &Arc<Self>) -> Result<Seat, OverLimit> {
        self.take(&mut self.used().exports, Limit::Exports)?;
        Ok(self.seat(Of::Export))
    }

    fn take(&self, count: &mut u32, limit: Limit) -> Result<(), OverLimit> {
        if u64::from(*count) >= self.config.most(limit) {
            return Err(self.over(limit));
        }
        *count += 1;
        Ok(())
    }

    fn seat(self: &Arc<Self>, of: Of) -> Seat {
        Seat { limits: self.clone(), of }
    }

    fn give_back(&self, of: Of) {
        let mut used = self.used();
        match of {
            Of::Agent(team, rig) => used.of(team, |team| {
                let sockets = team.agents.entry(rig).or_default();
                *sockets = sockets.saturating_sub(1);
                if *sockets == 0 {
                    team.agents.remove(&rig);
                }
            }),
            Of::Session(team) => used.of(team, |team| team.sessions = team.sessions.saturating_sub(1)),
            Of::Viewer(team) => used.of(team, |team| team.viewers = team.viewers.saturating_sub(1)),
            Of::Export => used.exports = used.exports.saturating_sub(1),
            Of::Person(person) => {
                let views = used.people.entry(person).or_default();
                *views = views.saturating_sub(1);
                if *views == 0 {
                    used.people.remove(&person);
                }
            }
        }
    }
}

/// Waits until whoever sent too much may be heard again; forever where nobody has.
pub async fn passed(until: Option<tokio::time::Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

impl Used {
    /// Changes a team's figures; one that uses nothing more is forgotten.
    fn of(&mut self, team: TeamId, change: impl FnOnce(&mut OfTeam)) {
        let Some(entry) = self.teams.get_mut(&team) else { return };
        change(entry);
        if entry.is_idle() {
            self.teams.remove(&team);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(settings: &[(&str, &str)]) -> Arc<Limits> {
        let env = |name: &str| settings.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Limits::new(LimitsConfig::from_lookup(&env).unwrap(), &Metrics::new().unwrap()).unwrap()
    }

    #[test]
    fn a_team_has_so_many_and_other_teams_theirs() {
        let limits = limits(&[("LIMIT_TEAM_VIEWERS", "2"), ("LIMIT_TEAM_SESSIONS", "1")]);
        let (ours, theirs) = (TeamId::new(), TeamId::new());
        let seats = [limits.viewer(ours).unwrap(), limits.viewer(ours).unwrap(), limits.viewer(theirs).unwrap()];
        let over = limits.viewer(ours).unwrap_err();
        assert_eq!((over.limit, over.most), (Limit::TeamViewers, 2));
        let text = over.to_string();
        assert!(text.contains("limit of 2") && text.contains("LIMIT_TEAM_VIEWERS"), "{text}");
        let _session = limits.session(ours).unwrap();
        assert_eq!(limits.session(ours).unwrap_err().limit, Limit::TeamSessions);
        drop(seats);
        drop(limits.viewer(ours).unwrap());
        assert_eq!(limits.refused.with_label_values(&["team_viewers"]).get(), 1);
        assert_eq!(limits.refused.with_label_values(&["team_sessions"]).get(), 1);
    }

    #[test]
    fn a_rig_that_comes_again_does_not_need_another_place() {
        let limits = limits(&[("LIMIT_TEAM_AGENTS", "1")]);
        let (team, rig) = (TeamId::new(), RigId::new());
        let first = limits.agent(team, rig).unwrap();
        let second = limits.agent(team, rig).unwrap();
        assert_eq!(limits.agent(team, RigId::new()).unwrap_err().limit, Limit::TeamAgents);
        drop(first);
        assert!(limits.agent(team, RigId::new()).is_err(), "the rig is still connected");
        drop(second);
        let _other = limits.agent(team, RigId::new()).unwrap();
    }

    #[test]
    fn sockets_of_one_rig_do_not_pile_up() {
        let limits = limits(&[]);
        let (team, rig) = (TeamId::new(), RigId::new());
        let seats: Vec<Seat> = (0..SOCKETS_OF_A_RIG).map(|_| limits.agent(team, rig).unwrap()).collect();
        assert_eq!(limits.agent(team, rig).unwrap_err().limit, Limit::RigConnects);
        drop(seats);
        limits.agent(team, rig).unwrap();
    }

    #[test]
    fn who_uses_nothing_is_forgotten() {
        let limits = limits(&[]);
        let (team, person) = (TeamId::new(), UserId::new());
        let seats = (
            limits.agent(team, RigId::new()).unwrap(),
            limits.session(team).unwrap(),
            limits.viewer(team).unwrap(),
            limits.person(person).unwrap(),
        );
        let _rates = limits.rates(team, Instant::now());
        drop(seats);
        assert!(limits.used().teams.is_empty() && limits.used().people.is_empty());
    }
}
