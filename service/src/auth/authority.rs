//! Tells open sockets to look again whether they may still be open.
//!
//! Postgres notes by triggers whenever a membership, a role, a token, a share link, a key or a team is taken or changed
//! (`authority_changes`). Each instance asks every second what is new and tells its sockets, which then ask for
//! themselves; agents whose token is no longer good are cut, and such tokens are remembered no more (`remembered`).
//!
//! Invariants: nothing that takes a right away can forget to tell, whoever wrote it; bounded: one small query a second
//! whatever is open, and who cannot keep up with what is told looks at everything again. Where Postgres does not answer,
//! live goes on, and all sockets look again once it is back.
//!
//! Not here: what a socket may show (`scope`), log-ins that end.

use crate::auth::{RememberedTokens, store};
use crate::db::{Db, Tenant, within};
use crate::live::Hub;
use onelap_protocol::{TeamId, TokenId};
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two questions.
const EVERY: Duration = Duration::from_secs(1);
/// How long Postgres may take to answer one: a server that says nothing must not be waited for when there is another.
const DEADLINE: Duration = Duration::from_secs(3);
/// A socket looks again without being told, because time ends things as well.
const ANYWAY: Duration = Duration::from_secs(30);
/// Changes that a socket may be behind before it looks at everything.
const WAITING: usize = 256;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Something of this team.
    Team(TeamId),
    /// Perhaps anything.
    Anything,
}

impl Changed {
    /// Whether it may concern a team.
    #[must_use]
    pub fn concerns(self, team: TeamId) -> bool {
        match self {
            Self::Team(changed) => changed == team,
            Self::Anything => true,
        }
    }
}

/// One per process.
#[derive(Debug)]
pub struct Authority {
    changes: broadcast::Sender<Changed>,
}

impl Default for Authority {
    fn default() -> Self {
        Self { changes: broadcast::channel(WAITING).0 }
    }
}

/// A socket's ear.
#[derive(Debug)]
pub struct AuthorityWatch {
    changes: broadcast::Receiver<Changed>,
    looked: Instant,
}

impl AuthorityWatch {
    /// The next moment to look again, and at what. Safe to be dropped and asked again.
    pub async fn changed(&mut self) -> Changed {
        let changed = tokio::select! {
            changed = self.changes.recv() => match changed {
                Ok(changed) => changed,
                Err(RecvError::Lagged(_)) => Changed::Anything,
                // The process ends; its sockets are told otherwise.
                Err(RecvError::Closed) => std::future::pending().await,
            },
            () = tokio::time::sleep_until(self.looked + ANYWAY) => Changed::Anything,
        };
        if changed == Changed::Anything {
            self.looked = Instant::now();
        }
        changed
    }
}

impl Authority {
    /// An ear for a socket. To be taken before the first right is checked.
    #[must_use]
    pub fn watch(&self) -> AuthorityWatch {
        AuthorityWatch { changes: self.changes.subscribe(), looked: Instant::now() }
    }

    fn tell(&self, changed: Changed) {
        // Nobody listens where no socket is open.
        let _ = self.changes.send(changed);
    }

    /// Asks and tells until it is told to stop.
    pub async fn run(&self, db: &Db, hub: &Hub, remembered: &RememberedTokens, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut seen, mut is_deaf) = (HashSet::new(), true);
        let mut looked = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            match within(DEADLINE, recent(db)).await {
                Ok(recent) => {
                    let new: HashSet<TeamId> =
                        recent.iter().filter(|(id, _)| !seen.contains(id)).map(|(_, team)| *team).collect();
                    seen = recent.into_iter().map(|(id, _)| id).collect();
                    let is_all = std::mem::replace(&mut is_deaf, false);
                    if is_all {
                        self.tell(Changed::Anything);
                    } else {
                        new.iter().for_each(|team| self.tell(Changed::Team(*team)));
                    }
                    let is_time = looked.elapsed() >= ANYWAY;
                    let teams = if is_all || is_time {
                        remembered.teams().into_iter().chain(hub.teams_with_agents()).collect()
                    } else {
                        new
                    };
                    if is_time {
                        looked = Instant::now();
                    }
                    for team in teams {
                        is_deaf |= within(DEADLINE, cut_agents(db, hub, remembered, team)).await.is_err();
                    }
                }
                Err(error) => {
                    if !is_deaf {
                        tracing::warn!(%error, "the database does not tell what rights changed");
                    }
                    is_deaf = true;
                }
            }
        }
    }
}

async fn recent(db: &Db) -> Result<Vec<(i64, TeamId)>, sqlx::Error> {
    store::authority_changes(&mut *db.web.acquire().await?).await
}

/// Cuts the agents of a team whose token is no longer good, and forgets such tokens.
async fn cut_agents(db: &Db, hub: &Hub, remembered: &RememberedTokens, team: TeamId) -> Result<(), sqlx::Error> {
    let connected = hub.tokens_of(team);
    let known: Vec<TokenId> = connected.iter().copied().chain(remembered.tokens_of(team)).collect();
    if known.is_empty() {
        return Ok(());
    }
    // The team is known by an agent of its own; what is read is whether that agent's token is good.
    let mut tx = db.tenant(Tenant::verified(team)).await?;
    let good = store::valid_tokens(&mut tx, &known).await?;
    tx.commit().await?;
    for token in known.into_iter().filter(|token| !good.contains(token)) {
        remembered.forget(token);
        if connected.contains(&token) {
            hub.cut_token(token);
        }
    }
    Ok(())
}

/// Forgets what every instance has long heard.
///
/// # Errors
/// Where the database fails.
pub async fn forget_old(db: &Db) -> Result<(), sqlx::Error> {
    store::forget_authority_changes(&mut *db.web.acquire().await?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_cannot_keep_up_looks_at_everything() {
        let authority = Authority::default();
        let (mut quick, mut slow) = (authority.watch(), authority.watch());
        let team = TeamId::new();
        authority.tell(Changed::Team(team));
        assert_eq!(quick.changed().await, Changed::Team(team));
        (0..=WAITING).for_each(|_| authority.tell(Changed::Team(team)));
        assert_eq!(slow.changed().await, Changed::Anything);
        assert!(Changed::Anything.concerns(team) && !Changed::Team(TeamId::new()).concerns(team));
    }

    #[tokio::test]
    async fn time_makes_a_socket_look_as_well() {
        let authority = Authority::default();
        let mut watch = AuthorityWatch { looked: Instant::now() - ANYWAY, ..authority.watch() };
        assert_eq!(watch.changed().await, Changed::Anything);
        assert!(watch.looked.elapsed() < ANYWAY, "not again at once");
    }
}
