//! Rigs: the named installations of the agent, and their tokens.
//!
//! Invariants: a token's secret is shown once, when it is made, and kept as its hash; a revoked token is refused at the
//! next connect and ends the connection that was made with it.
//!
//! Not here: checking tokens (`auth`), what a rig is doing (`live`).

pub(crate) mod routes;
mod store;

pub use routes::routes;

use crate::auth::random_text;
use crate::db::{Db, Tenant};
use crate::error::ApiError;
use onelap_protocol::token::{TOKEN_PUBLIC_ALPHABET, TOKEN_PUBLIC_LEN, TOKEN_SECRET_ALPHABET, TOKEN_SECRET_LEN};
use onelap_protocol::{RigId, RigToken};

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
