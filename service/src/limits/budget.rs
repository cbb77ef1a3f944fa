//! How fast something may come: a bucket that fills by time and may be overdrawn once. Pure: time comes from outside.
//!
//! What has come is taken, and paid for by reading nothing more until the bucket is even again. So nothing is thrown away,
//! and whoever sends waits in the end.

use super::{Limit, LimitsConfig};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many seconds' worth may come at once.
const BURST_S: f64 = 10.0;

/// So much a second, over ten seconds.
#[derive(Debug, Clone)]
pub struct Budget {
    per_s: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    /// A full one.
    #[must_use]
    pub fn new(per_s: u32, now: Instant) -> Self {
        let per_s = f64::from(per_s);
        Self { per_s, left: per_s * BURST_S, at: now }
    }

    /// Takes so much; says how long to wait, where it is overdrawn.
    pub fn take(&mut self, much: f64, now: Instant) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_s).min(self.per_s * BURST_S) - much;
        self.at = self.at.max(now);
        (self.left < 0.0).then(|| Duration::from_secs_f64(-self.left / self.per_s))
    }
}

/// What a team's rigs send together.
#[derive(Debug)]
pub(super) struct TeamRates {
    /// Messages and bytes. A lock is right: held for a sum.
    budgets: Mutex<(Budget, Budget)>,
}

impl TeamRates {
    pub(super) fn new(config: &LimitsConfig, now: Instant) -> Self {
        let budgets = (Budget::new(config.team_messages_per_s, now), Budget::new(config.team_bytes_per_s, now));
        Self { budgets: Mutex::new(budgets) }
    }
}

/// What one agent sends, and its part in what its team sends.
#[derive(Debug)]
pub struct Rates {
    messages: Budget,
    bytes: Budget,
    team: Arc<TeamRates>,
}

impl Rates {
    pub(super) fn new(config: &LimitsConfig, team: Arc<TeamRates>, now: Instant) -> Self {
        let (messages, bytes) = (Budget::new(config.rig_messages_per_s, now), Budget::new(config.rig_bytes_per_s, now));
        Self { messages, bytes, team }
    }

    /// Takes a message of so many bytes. Says what is overdrawn most, and how long to read nothing more.
    pub fn take(&mut self, bytes: usize, now: Instant) -> Option<(Limit, Duration)> {
        let size = bytes as f64;
        let mut team = self.team.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [
            (Limit::RigMessages, self.messages.take(1.0, now)),
            (Limit::RigBytes, self.bytes.take(size, now)),
            (Limit::TeamMessages, team.0.take(1.0, now)),
            (Limit::TeamBytes, team.1.take(size, now)),
        ];
        waits.into_iter().filter_map(|(limit, wait)| wait.map(|wait| (limit, wait))).max_by_key(|(_, wait)| *wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> LimitsConfig {
        let env = |name: &str| settings.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        LimitsConfig::from_lookup(&env).unwrap()
    }

    #[test]
    fn ten_seconds_worth_comes_at_once_and_the_rest_at_the_rate() {
        let start = Instant::now();
        let mut budget = Budget::new(100, start);
        for _ in 0..1000 {
            assert_eq!(budget.take(1.0, start), None);
        }
        let wait = budget.take(1.0, start).unwrap();
        assert!((9..=11).contains(&wait.as_millis()), "{wait:?}");
        assert_eq!(budget.take(1.0, start + Duration::from_millis(50)), None);
        // An hour of silence is worth no more than the burst.
        let later = start + Duration::from_secs(3600);
        assert_eq!(budget.take(1000.0, later), None);
        assert_eq!(budget.take(100.0, later), Some(Duration::from_secs(1)));
    }

    #[test]
    fn whoever_keeps_waiting_gets_the_rate_and_nobody_more() {
        let start = Instant::now();
        let mut rates = Rates::new(
            &config(&[]),
            Arc::new(TeamRates::new(&config(&[("LIMIT_TEAM_BYTES_PER_S", "1000")]), start)),
            start,
        );
        let (mut now, mut bytes) = (start, 0usize);
        while now < start + Duration::from_secs(60) {
            bytes += 400;
            match rates.take(400, now) {
                Some((limit, wait)) => {
                    assert_eq!(limit, Limit::TeamBytes);
                    now += wait;
                }
                None => now += Duration::from_millis(1),
            }
        }
        // The burst, and a thousand a second.
        assert!((69_000..=71_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn the_rigs_of_a_team_share_what_it_has() {
        let start = Instant::now();
        let settings = config(&[("LIMIT_TEAM_MESSAGES_PER_S", "10")]);
        let team = Arc::new(TeamRates::new(&settings, start));
        let mut rigs = [0; 2].map(|_| Rates::new(&settings, team.clone(), start));
        for _ in 0..50 {
            assert!(rigs.iter_mut().all(|rig| rig.take(10, start).is_none()));
        }
        assert_eq!(rigs[1].take(10, start), Some((Limit::TeamMessages, Duration::from_millis(100))));
        assert_eq!(rigs[0].take(10, start), Some((Limit::TeamMessages, Duration::from_millis(200))));
    }
}
