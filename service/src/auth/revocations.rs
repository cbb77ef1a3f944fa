//! Log-ins that have ended before their access tokens ran out: refused at once here, within seconds on every instance.
//!
//! Who ends a log-in writes it into `login_ends` in the same transaction and tells its own instance; every instance asks
//! the table once a second. An open socket holds a [`Watch`] and ends with its log-in.
//!
//! Invariants: memory is bounded (where more log-ins end than are remembered, all tokens made before are refused, and
//! renewed from the database); a log-in that ended before the watch began is seen by it.
//!
//! Not here: ending log-ins (`logins`), memberships and roles (`scope`).

use crate::auth::access::ACCESS_LIFE;
use crate::auth::caller::LoginId;
use crate::auth::store;
use crate::db::{Db, within};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often each instance asks.
const EVERY: Duration = Duration::from_secs(1);
/// How long Postgres may take to answer.
const DEADLINE: Duration = Duration::from_secs(3);
/// A transaction commits later than the moment that it writes down: so far back each question goes.
const OVERLAP: Duration = Duration::from_secs(60);
/// As long as an access token is good, clocks that differ and leeway included.
const REMEMBERED: Duration = Duration::from_secs(ACCESS_LIFE.as_secs() + 60);
/// Most log-ins that are remembered: some megabytes.
const MAX_ENDED: usize = 100_000;

#[derive(Debug, Default)]
struct Inner {
    /// Which, and until when that has to be remembered.
    ended: HashMap<LoginId, Instant>,
    /// Tokens made at or before this second are refused, because not all log-ins that ended could be remembered.
    floor_s: u64,
    /// Sockets by log-in: what ends them, and how many there are.
    watched: HashMap<LoginId, (CancellationToken, usize)>,
}

/// What one instance knows. A lock is right: held for look-ups, never across an await.
#[derive(Debug, Default)]
pub struct Revocations {
    inner: Mutex<Inner>,
}

impl Revocations {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token of this log-in, made then, is good no more.
    #[must_use]
    pub fn is_ended(&self, login: LoginId, issued_at_s: u64) -> bool {
        let inner = self.lock();
        issued_at_s <= inner.floor_s || inner.ended.contains_key(&login)
    }

    /// Refuses what is left of a log-in, and ends its sockets.
    pub fn end(&self, login: LoginId) {
        self.end_at(login, Instant::now(), jsonwebtoken::get_current_timestamp());
    }

    fn end_at(&self, login: LoginId, now: Instant, now_s: u64) {
        let mut inner = self.lock();
        if let Some((ended, _)) = inner.watched.get(&login) {
            ended.cancel();
        }
        if inner.ended.contains_key(&login) {
            return;
        }
        if inner.ended.len() >= MAX_ENDED {
            inner.ended.retain(|_, until| *until > now);
        }
        if inner.ended.len() >= MAX_ENDED {
            inner.ended.clear();
            inner.floor_s = now_s;
        }
        inner.ended.insert(login, now + REMEMBERED);
    }

    /// Tells when a log-in ends. For sockets, which outlive access tokens.
    #[must_use]
    pub fn watch(self: &Arc<Self>, login: LoginId) -> Watch {
        let mut inner = self.lock();
        let is_ended = inner.ended.contains_key(&login);
        let (ended, count) = inner.watched.entry(login).or_default();
        *count += 1;
        if is_ended {
            ended.cancel();
        }
        Watch { ended: ended.clone(), login, revocations: Arc::clone(self) }
    }

    /// Reads what ended while this instance was not there. Before it serves.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn load(&self, db: &Db) -> Result<(), sqlx::Error> {
        self.ask(db, REMEMBERED).await
    }

    async fn ask(&self, db: &Db, since: Duration) -> Result<(), sqlx::Error> {
        let asked = async { store::ended_since(&mut *db.web.acquire().await?, since, MAX_ENDED as i64).await };
        // A server that says nothing must not be waited for when there is another.
        let ended = within(DEADLINE, asked).await?;
        ended.into_iter().for_each(|login| self.end(login));
        Ok(())
    }

    /// Asks once a second, until `stop`.
    pub async fn follow(self: Arc<Self>, db: Db, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut heard, mut tidied, mut is_deaf) = (Instant::now(), Instant::now(), false);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let asked = Instant::now();
            match self.ask(&db, (heard.elapsed() + OVERLAP).min(REMEMBERED)).await {
                Ok(()) => {
                    heard = asked;
                    if is_deaf {
                        tracing::info!("ended log-ins are heard of again");
                    }
                    is_deaf = false;
                }
                Err(error) if !is_deaf => {
                    tracing::warn!(%error, "the database does not tell which log-ins ended elsewhere");
                    is_deaf = true;
                }
                Err(_) => {}
            }
            if tidied.elapsed() > REMEMBERED {
                tidied = asked;
                self.tidy(&db).await;
            }
        }
    }

    async fn tidy(&self, db: &Db) {
        let now = Instant::now();
        self.lock().ended.retain(|_, until| *until > now);
        let forgotten = async { store::forget_ended(&mut *db.web.acquire().await?, 2 * REMEMBERED).await };
        if let Err(error) = within(DEADLINE, forgotten).await {
            tracing::debug!(%error, "old ends of log-ins were not deleted; another time");
        }
    }
}

/// Told when a log-in ends.
#[derive(Debug)]
pub struct Watch {
    ended: CancellationToken,
    login: LoginId,
    revocations: Arc<Revocations>,
}

impl Watch {
    /// Ready when the log-in has ended.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut inner = self.revocations.lock();
        if let Some((_, count)) = inner.watched.get_mut(&self.login) {
            *count -= 1;
            if *count == 0 {
                inner.watched.remove(&self.login);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn login() -> LoginId {
        LoginId(Uuid::now_v7())
    }

    #[tokio::test]
    async fn a_socket_ends_with_its_log_in_whichever_came_first() {
        let revocations = Arc::new(Revocations::default());
        let (ours, theirs) = (login(), login());
        let (early, other) = (revocations.watch(ours), revocations.watch(theirs));
        revocations.end(ours);
        early.ended().await;
        revocations.watch(ours).ended().await;
        assert!(!other.ended.is_cancelled());
        assert!(revocations.is_ended(ours, u64::MAX) && !revocations.is_ended(theirs, u64::MAX));
    }

    #[test]
    fn nothing_is_left_of_a_watch_that_is_over() {
        let revocations = Arc::new(Revocations::default());
        let login = login();
        let (one, two) = (revocations.watch(login), revocations.watch(login));
        drop(one);
        assert_eq!(revocations.lock().watched.len(), 1);
        drop(two);
        assert!(revocations.lock().watched.is_empty());
    }

    #[test]
    fn more_than_can_be_remembered_makes_everybody_renew() {
        let revocations = Revocations::default();
        let now = Instant::now();
        let first = login();
        revocations.end_at(first, now, 100);
        for _ in 0..MAX_ENDED {
            revocations.end_at(login(), now, 100);
        }
        assert!(revocations.lock().ended.len() <= MAX_ENDED);
        assert!(revocations.is_ended(first, 100), "forgotten by name, refused by age");
        assert!(!revocations.is_ended(login(), 101), "what was made since is good");
    }
}
