//! Teams: the tenants.
//!
//! Invariant: whoever founds a team owns it.
//!
//! Not here: checking memberships (`auth`), invitations (a later part).

pub(crate) mod routes;
mod store;

pub use routes::routes;
pub(crate) use store::of_person;

use crate::accounts::Name;
use crate::auth::Role;
use crate::db::TenantTx;
use crate::error::ApiError;
use onelap_protocol::{TeamId, UserId};
use serde::Serialize;

/// A team as one of its members sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Team {
    /// The team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What the caller may do in it.
    pub role: Role,
}

/// Founds the team that the transaction is bound to, owned by `owner`.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn found(tx: &mut TenantTx, name: &Name, owner: UserId) -> Result<Team, ApiError> {
    store::insert(tx, name, owner).await?;
    Ok(Team { id: tx.team(), name: name.as_str().to_owned(), role: Role::Owner })
}
