//! Deletes the teams whose waiting period is over, session by session, so that no statement takes long.
//!
//! Invariant: any instance may do it at any time; a team is purged by one at a time, and not at all when its deletion was
//! taken back.

use crate::auth::authority;
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use crate::{pairing, teams::store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(15 * 60);
/// Sessions that one transaction deletes.
const AT_ONCE: i64 = 5;

/// Purges what is due. Tells how many teams.
///
/// # Errors
/// Where the database fails; what was purged until then is gone.
pub async fn purge_due(db: &Db) -> Result<usize, ApiError> {
    let mut tx = db.all_teams().await?;
    let due = store::due(&mut tx).await?;
    tx.commit().await?;
    let mut purged = 0;
    for team in due {
        // That its time has come, and nothing else, opens a team for this; what is opened is only deleted.
        let tenant = Tenant::verified(team);
        loop {
            let mut tx = db.tenant(tenant).await?;
            if !store::lock_due(&mut tx).await? {
                break;
            }
            if store::purge_sessions(&mut tx, AT_ONCE).await? > 0 {
                tx.commit().await?;
                continue;
            }
            store::purge(&mut tx).await?;
            tx.commit().await?;
            tracing::info!(%team, "purged a team");
            purged += 1;
            break;
        }
    }
    pairing::forget_expired(db).await?;
    authority::forget_old(db).await?;
    Ok(purged)
}

/// Purges now and then, until it is told to stop.
pub async fn run(db: Db, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = purge_due(&db).await {
            tracing::warn!(%error, "purging teams: trying again later");
        }
    }
}
