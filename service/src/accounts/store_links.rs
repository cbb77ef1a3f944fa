//! SQL of what is sent by letter: links of accounts, and sign-ups that wait for theirs.

use crate::accounts::Email;
use crate::auth::Sha256Hash;
use onelap_protocol::UserId;
use sqlx::PgConnection;
use std::time::Duration;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Verify,
    ChangeEmail,
    Reset,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::ChangeEmail => "change_email",
            Self::Reset => "reset",
        }
    }
}

/// A link that was sent.
#[derive(Debug)]
pub(super) struct LinkRow {
    pub(super) user: UserId,
    pub(super) email: Email,
}

/// Keeps a link; earlier ones of the same purpose are good no more.
pub(super) async fn insert_link(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    user: UserId,
    purpose: Purpose,
    email: &Email,
    life: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from mail_links where user_id = $1 and purpose = $2", user.0, purpose.as_str())
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into mail_links (token_hash, user_id, purpose, email, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(secs => $5))",
        hash.as_bytes(),
        user.0,
        purpose.as_str(),
        email.as_str(),
        life.as_secs_f64()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The link, if it is good.
pub(super) async fn find_link(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    purpose: Purpose,
) -> Result<Option<LinkRow>, sqlx::Error> {
    let row = sqlx::query!(
        "select user_id, email from mail_links where token_hash = $1 and purpose = $2 and expires_at > now()",
        hash.as_bytes(),
        purpose.as_str()
    );
    let row = row.fetch_optional(connection).await?;
    Ok(row.map(|row| LinkRow { user: UserId(row.user_id), email: Email::kept(row.email) }))
}

/// Takes the link, if it is good: of two uses at once one gets it.
pub(super) async fn take_link(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    purpose: Purpose,
) -> Result<Option<LinkRow>, sqlx::Error> {
    let row = sqlx::query!(
        "delete from mail_links where token_hash = $1 and purpose = $2 and expires_at > now() returning user_id, email",
        hash.as_bytes(),
        purpose.as_str()
    );
    let row = row.fetch_optional(connection).await?;
    Ok(row.map(|row| LinkRow { user: UserId(row.user_id), email: Email::kept(row.email) }))
}

/// No link that was sent until now is good any more.
pub(super) async fn void_links(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from mail_links where user_id = $1", user.0).execute(connection).await?;
    Ok(())
}

/// The new address that waits to be confirmed.
pub(super) async fn pending_email(connection: &mut PgConnection, user: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select email from mail_links where user_id = $1 and purpose = 'change_email' and expires_at > now()",
        user.0
    )
    .fetch_optional(connection)
    .await
}

/// A sign-up that waits for its link.
#[derive(Debug)]
pub(super) struct SignupRow {
    pub(super) email: Email,
    pub(super) name: String,
    pub(super) password_hash: String,
    pub(super) team_name: Option<String>,
}

/// Keeps a sign-up, and forgets those that nobody finished.
pub(super) async fn insert_signup(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    row: &SignupRow,
    life: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from signups where expires_at < now()").execute(&mut *connection).await?;
    sqlx::query!(
        "insert into signups (token_hash, email, name, password_hash, team_name, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))",
        hash.as_bytes(),
        row.email.as_str(),
        row.name,
        row.password_hash,
        row.team_name,
        life.as_secs_f64()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The sign-up of a link, if it is good.
pub(super) async fn find_signup(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
) -> Result<Option<SignupRow>, sqlx::Error> {
    let row = sqlx::query!(
        "select email, name, password_hash, team_name from signups where token_hash = $1 and expires_at > now()",
        hash.as_bytes()
    );
    Ok(row.fetch_optional(connection).await?.map(|row| SignupRow {
        email: Email::kept(row.email),
        name: row.name,
        password_hash: row.password_hash,
        team_name: row.team_name,
    }))
}

/// Takes the sign-up of a link, and every other one of its address; says whether it was there.
pub(super) async fn take_signup(
    connection: &mut PgConnection,
    hash: &Sha256Hash,
    email: &Email,
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query!("delete from signups where token_hash = $1 and expires_at > now()", hash.as_bytes());
    let is_taken = taken.execute(&mut *connection).await?.rows_affected() == 1;
    if is_taken {
        sqlx::query!("delete from signups where lower(email) = lower($1)", email.as_str()).execute(connection).await?;
    }
    Ok(is_taken)
}

/// Gives the latest sign-up of an address another link; says whether there is one.
pub(super) async fn renew_signup(
    connection: &mut PgConnection,
    email: &Email,
    hash: &Sha256Hash,
    life: Duration,
) -> Result<bool, sqlx::Error> {
    let renewed = sqlx::query!(
        "update signups set token_hash = $2, expires_at = now() + make_interval(secs => $3)
         where token_hash = (select token_hash from signups where lower(email) = lower($1) and expires_at > now()
                             order by created_at desc limit 1)",
        email.as_str(),
        hash.as_bytes(),
        life.as_secs_f64()
    );
    Ok(renewed.execute(connection).await?.rows_affected() == 1)
}
