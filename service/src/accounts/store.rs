//! SQL of people.

use crate::accounts::{Email, Name};
use crate::error::{ApiError, violated};
use onelap_protocol::{TeamId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A person as they are kept.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) user: UserId,
    pub(super) email: Email,
    pub(super) name: String,
    pub(super) password_hash: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) email_verified_at: Option<OffsetDateTime>,
    pub(super) password_changed_at: OffsetDateTime,
    /// Sealed.
    pub(super) totp_secret: Option<Vec<u8>>,
    pub(super) totp_since: Option<OffsetDateTime>,
    pub(super) totp_last_step: Option<i64>,
}

impl Account {
    /// Whether a code is asked for.
    pub(super) fn has_second_factor(&self) -> bool {
        self.totp_since.is_some()
    }
}

struct Row {
    id: uuid::Uuid,
    email: String,
    name: String,
    password_hash: String,
    created_at: OffsetDateTime,
    email_verified_at: Option<OffsetDateTime>,
    password_changed_at: OffsetDateTime,
    totp_secret: Option<Vec<u8>>,
    totp_since: Option<OffsetDateTime>,
    totp_last_step: Option<i64>,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            user: UserId(row.id),
            email: Email::kept(row.email),
            name: row.name,
            password_hash: row.password_hash,
            created_at: row.created_at,
            email_verified_at: row.email_verified_at,
            password_changed_at: row.password_changed_at,
            totp_secret: row.totp_secret,
            totp_since: row.totp_since,
            totp_last_step: row.totp_last_step,
        }
    }
}

/// The person with this address.
pub(super) async fn by_email(connection: &mut PgConnection, email: &Email) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, created_at, email_verified_at, password_changed_at, totp_secret,
                totp_since, totp_last_step
         from users where lower(email) = lower($1)",
        email.as_str()
    );
    Ok(row.fetch_optional(connection).await?.map(Account::from))
}

/// The person.
pub(super) async fn account(connection: &mut PgConnection, user: UserId) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, created_at, email_verified_at, password_changed_at, totp_secret,
                totp_since, totp_last_step
         from users where id = $1",
        user.0
    );
    Ok(row.fetch_optional(connection).await?.map(Account::from))
}

fn taken(error: sqlx::Error) -> ApiError {
    match violated(&error) {
        Some("users_email") => {
            ApiError::Conflict { field: "email", message: "this e-mail address has an account already: log in" }
        }
        _ => error.into(),
    }
}

/// Adds a person.
pub(super) async fn insert_user(
    connection: &mut PgConnection,
    user: UserId,
    email: &Email,
    name: &str,
    password_hash: &str,
    is_verified: bool,
) -> Result<(), ApiError> {
    sqlx::query!(
        "insert into users (id, email, name, password_hash, email_verified_at)
         values ($1, $2, $3, $4, case when $5 then now() end)",
        user.0,
        email.as_str(),
        name,
        password_hash,
        is_verified
    )
    .execute(connection)
    .await
    .map_err(taken)?;
    Ok(())
}

pub(super) async fn rename(connection: &mut PgConnection, user: UserId, name: &Name) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set name = $2 where id = $1", user.0, name.as_str()).execute(connection).await?;
    Ok(())
}

pub(super) async fn set_password(connection: &mut PgConnection, user: UserId, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set password_hash = $2, password_changed_at = now() where id = $1", user.0, hash)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whoever opened a link that was sent to this address has confirmed it, if it is still theirs.
pub(super) async fn set_verified(
    connection: &mut PgConnection,
    user: UserId,
    email: &Email,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update users set email_verified_at = coalesce(email_verified_at, now()) where id = $1 and email = $2",
        user.0,
        email.as_str()
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn set_email(connection: &mut PgConnection, user: UserId, email: &Email) -> Result<(), ApiError> {
    sqlx::query!("update users set email = $2, email_verified_at = now() where id = $1", user.0, email.as_str())
        .execute(connection)
        .await
        .map_err(taken)?;
    Ok(())
}

// ---- second factor ----------------------------------------------------------------------------------------------------

/// A seed that is not asked for before [`begin_asking`]; not where there is a second factor already.
pub(super) async fn set_seed(connection: &mut PgConnection, user: UserId, sealed: &[u8]) -> Result<bool, sqlx::Error> {
    let set = sqlx::query!(
        "update users set totp_secret = $2, totp_last_step = null where id = $1 and totp_since is null",
        user.0,
        sealed
    );
    Ok(set.execute(connection).await?.rows_affected() == 1)
}

/// From now on a code is asked for.
pub(super) async fn begin_asking(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set totp_since = now() where id = $1", user.0).execute(connection).await?;
    Ok(())
}

pub(super) async fn remove_seed(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from recovery_codes where user_id = $1", user.0).execute(&mut *connection).await?;
    sqlx::query!("update users set totp_secret = null, totp_since = null, totp_last_step = null where id = $1", user.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes the step of a code, and says whether it was the first to: of two uses at once one loses.
pub(super) async fn take_step(connection: &mut PgConnection, user: UserId, step: i64) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query!(
        "update users set totp_last_step = $2 where id = $1 and (totp_last_step is null or totp_last_step < $2)",
        user.0,
        step
    );
    Ok(taken.execute(connection).await?.rows_affected() == 1)
}

/// Seeds that are not sealed under the current key.
pub(super) async fn seeds_of_other_keys(
    connection: &mut PgConnection,
    current: &[u8],
) -> Result<Vec<(UserId, Vec<u8>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, totp_secret as "seed!" from users
           where totp_secret is not null and substring(totp_secret for octet_length($1::bytea)) <> $1::bytea"#,
        current
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| (UserId(row.id), row.seed)).collect())
}

pub(super) async fn replace_seed(
    connection: &mut PgConnection,
    user: UserId,
    old: &[u8],
    new: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query!("update users set totp_secret = $3 where id = $1 and totp_secret = $2", user.0, old, new)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces all recovery codes.
pub(super) async fn set_recovery_codes(
    connection: &mut PgConnection,
    user: UserId,
    hashes: &[Vec<u8>],
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from recovery_codes where user_id = $1", user.0).execute(&mut *connection).await?;
    sqlx::query!(
        "insert into recovery_codes (user_id, code_hash) select $1, hash from unnest($2::bytea[]) as t(hash)",
        user.0,
        hashes
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a recovery code: true once.
pub(super) async fn take_recovery_code(
    connection: &mut PgConnection,
    user: UserId,
    hash: &[u8],
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query!(
        "update recovery_codes set used_at = now() where user_id = $1 and code_hash = $2 and used_at is null",
        user.0,
        hash
    );
    Ok(taken.execute(connection).await?.rows_affected() == 1)
}

pub(super) async fn recovery_codes_left(connection: &mut PgConnection, user: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "left!" from recovery_codes where user_id = $1 and used_at is null"#,
        user.0
    )
    .fetch_one(connection)
    .await
}

// ---- leaving ----------------------------------------------------------------------------------------------------------

/// A membership; run under `app.user`.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) team: TeamId,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) joined_at: OffsetDateTime,
}

/// The memberships of a person; run under `app.user`.
pub(super) async fn memberships(connection: &mut PgConnection, user: UserId) -> Result<Vec<Membership>, sqlx::Error> {
    let rows = sqlx::query!(
        "select m.team_id, t.name, m.role, m.joined_at from team_members m join teams t on t.id = m.team_id
         where m.user_id = $1 order by m.team_id",
        user.0
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Membership { team: TeamId(row.team_id), name: row.name, role: row.role, joined_at: row.joined_at })
        .collect())
}

/// Whether somebody else owns the team too. Locks the owners until the transaction ends, so that of two who leave at
/// once the second is the last.
pub(super) async fn has_another_owner(
    connection: &mut PgConnection,
    team: TeamId,
    user: UserId,
) -> Result<bool, sqlx::Error> {
    sqlx::query("select set_config('app.team', $1, true)").bind(team.to_string()).execute(&mut *connection).await?;
    let owners = sqlx::query_scalar!(
        "select user_id from team_members where team_id = $1 and role = 'owner' order by user_id for update",
        team.0
    );
    Ok(owners.fetch_all(connection).await?.into_iter().any(|owner| owner != user.0))
}

/// Deletes a person, and what belongs to them alone.
pub(super) async fn delete_user(connection: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from users where id = $1", user.0).execute(connection).await?;
    Ok(())
}
