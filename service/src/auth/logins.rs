//! The log-ins of a person: to be listed, ended, and confirmed with the password.

use crate::auth::caller::{Caller, LoginId};
use crate::auth::{Auth, store};
use crate::db::Db;
use crate::error::ApiError;
use onelap_protocol::UserId;
use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A log-in as its person sees it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Login {
    /// Its id.
    pub id: LoginId,
    /// Browser and system, in words.
    pub device: String,
    /// The network that it was opened from, without the last part of the address.
    pub address: String,
    /// When it was opened.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last renewed; within fifteen minutes of its last use.
    #[serde(with = "time::serde::rfc3339")]
    pub last_used_at: OffsetDateTime,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A person's log-ins that are good, those used last first.
///
/// # Errors
/// Where the database fails.
pub async fn list(connection: &mut PgConnection, caller: Caller) -> Result<Vec<Login>, ApiError> {
    let rows = store::logins(connection, caller.user).await?;
    let login = |row: store::LoginRow| Login {
        is_this: row.id == caller.login,
        id: row.id,
        device: row.device,
        address: row.address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    };
    Ok(rows.into_iter().map(login).collect())
}

/// Ends one of a person's log-ins.
///
/// # Errors
/// [`ApiError::NotFound`] where they have no such one.
pub async fn end_one(db: &Db, auth: &Auth, user: UserId, login: LoginId) -> Result<(), ApiError> {
    let mut connection = db.web.acquire().await?;
    let ended = store::end_logins(&mut connection, user, Some(login), None).await?;
    ended.iter().for_each(|login| auth.revocations.end(*login));
    if ended.is_empty() { Err(ApiError::NotFound) } else { Ok(()) }
}

/// Ends all of a person's log-ins but one, in a transaction; after its commit they are given to [`Ended::tell`].
///
/// # Errors
/// Where the database fails.
pub async fn end_all(connection: &mut PgConnection, user: UserId, except: Option<LoginId>) -> Result<Ended, ApiError> {
    Ok(Ended(store::end_logins(connection, user, None, except).await?))
}

/// Log-ins that a transaction ends.
#[derive(Debug)]
#[must_use = "this instance has to be told once it is committed"]
pub struct Ended(Vec<LoginId>);

impl Ended {
    /// After the commit: this instance need not wait for its next question to the database.
    pub fn tell(self, auth: &Auth) {
        self.0.into_iter().for_each(|login| auth.revocations.end(login));
    }
}

/// The password (and code) was shown again: gives the caller with the new time.
///
/// # Errors
/// Where the database fails.
pub async fn confirm(connection: &mut PgConnection, caller: Caller) -> Result<Caller, ApiError> {
    let now = OffsetDateTime::now_utc();
    store::confirm_login(connection, caller.login, now).await?;
    Ok(Caller { authenticated_at_s: now.unix_timestamp().try_into().unwrap_or_default(), ..caller })
}
