//! SQL of people.

use crate::accounts::{Email, Name};
use crate::db::TenantTx;
use crate::error::{ApiError, violated};
use onelap_protocol::UserId;
use sqlx::PgConnection;

/// A person as the API shows them.
pub(super) struct UserRow {
    pub(super) email: String,
    pub(super) name: String,
}

/// Adds a person. In the transaction that founds their first team.
pub(super) async fn insert_user(
    tx: &mut TenantTx,
    user: UserId,
    email: &Email,
    name: &Name,
    password_hash: &str,
) -> Result<(), ApiError> {
    sqlx::query!(
        "insert into users (id, email, name, password_hash) values ($1, $2, $3, $4)",
        user.0,
        email.as_str(),
        name.as_str(),
        password_hash
    )
    .execute(&mut **tx)
    .await
    .map_err(|error| match violated(&error) {
        Some("users_email") => {
            ApiError::Conflict { field: "email", message: "this e-mail address has an account already: log in" }
        }
        _ => error.into(),
    })?;
    Ok(())
}

/// The person with this address and the hash of their password.
pub(super) async fn credentials(
    connection: &mut PgConnection,
    email: &Email,
) -> Result<Option<(UserId, String)>, sqlx::Error> {
    let row = sqlx::query!("select id, password_hash from users where lower(email) = lower($1)", email.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| (UserId(row.id), row.password_hash)))
}

pub(super) async fn user(connection: &mut PgConnection, user: UserId) -> Result<Option<UserRow>, sqlx::Error> {
    sqlx::query_as!(UserRow, "select email, name from users where id = $1", user.0).fetch_optional(connection).await
}
