//! Rigs: the named installations of the agent, and their tokens.
//!
//! Invariants: a token's secret is shown once, when it is made, and kept as its hash; a token that was revoked or has
//! expired is refused at the next connect and ends the connection that was made with it, on every instance.
//!
//! Not here: checking tokens (`auth`), what a rig is doing (`live`).

pub(crate) mod routes;
mod store;

pub use routes::routes;

use crate::accounts::Name;
use crate::audit::{self, Act, By, Subject};
use crate::auth::random_text;
use crate::db::{Db, Tenant, TenantTx};
use crate::error::ApiError;
use onelap_protocol::token::{TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN, TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN};
use onelap_protocol::{RigId, RigToken, TokenId, UserId};
use serde_json::json;
use time::OffsetDateTime;

/// The rigs of a team with their names, in the order of their names.
///
/// # Errors
/// Where the database fails.
pub async fn names(db: &Db, tenant: Tenant) -> Result<Vec<(RigId, String)>, ApiError> {
    let mut tx = db.tenant(tenant).await?;
    let names = store::names(&mut tx).await?;
    tx.commit().await?;
    Ok(names)
}

/// Whether the team has a rig.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn exists(tx: &mut TenantTx, rig: RigId) -> Result<bool, ApiError> {
    Ok(store::names_of(tx, rig).await?.is_some())
}

/// Adds a rig, and writes that down.
///
/// # Errors
/// [`ApiError::Conflict`] where the name is taken.
pub(crate) async fn add(tx: &mut TenantTx, name: &Name, by: &By) -> Result<(RigId, OffsetDateTime), ApiError> {
    let rig = RigId::new();
    let created_at = store::insert(tx, rig, name).await?;
    audit::write(tx, by, Act::RigAdded, Subject::Rig(rig.0), json!({ "name": name.as_str() })).await?;
    Ok((rig, created_at))
}

/// A token that was just made, and whose it is.
pub(crate) struct MadeToken {
    pub(crate) id: TokenId,
    pub(crate) token: RigToken,
    pub(crate) team_name: String,
    pub(crate) rig_name: String,
}

/// Makes a token for a rig. What writes it down is the caller's.
///
/// # Errors
/// [`ApiError::NotFound`] where the team has no such rig.
pub(crate) async fn make_token(tx: &mut TenantTx, rig: RigId, by: UserId) -> Result<MadeToken, ApiError> {
    let (team_name, rig_name) = store::names_of(tx, rig).await?.ok_or(ApiError::NotFound)?;
    let token = new_token()?;
    let (id, _) = store::insert_token(tx, rig, &token, by, None).await?;
    Ok(MadeToken { id, token, team_name, rig_name })
}

/// A new token, made of the system's random bytes.
fn new_token() -> Result<RigToken, ApiError> {
    let random = |alphabet, len| {
        random_text(alphabet, len).map_err(|error| ApiError::internal(format!("random bytes: {error}")))
    };
    let public = random(TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN)?;
    let secret = random(TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN)?;
    RigToken::assemble(&public, &secret).map_err(|error| ApiError::internal(format!("making a rig token: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_token_is_one_and_another() {
        let (one, two) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!(RigToken::parse(one.reveal()).unwrap(), one);
        assert_ne!(one.public(), two.public());
        assert_ne!(one.secret(), two.secret());
    }
}
