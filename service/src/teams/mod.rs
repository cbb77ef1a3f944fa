//! Teams: the tenants, and who is in them.
//!
//! Invariants: whoever founds a team owns it; a team always has an owner; what somebody gave others (invitations, links,
//! keys) ends with their right to give it; a team that is deleted stays for a while, in
//! which that can be taken back and everything exported, and is then purged with everything of it.
//!
//! Not here: checking memberships (`auth`), invitations.

mod export;
mod purge;
pub(crate) mod routes;
mod store;

pub use purge::{purge_due, run as purge_now_and_then};
pub use routes::routes;
pub(crate) use store::{join, of_person};

use crate::accounts::Name;
use crate::audit::{Act, By, Subject};
use crate::auth::{Action, Role};
use crate::db::TenantTx;
use crate::error::ApiError;
use crate::{api_keys, audit, invitations, shares};
use onelap_protocol::{TeamId, UserId};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// A team as one of its members sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Team {
    /// The team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What the caller may do in it.
    pub role: Role,
    /// When it will be purged; absent unless somebody asked for that.
    #[serde(with = "time::serde::rfc3339::option")]
    pub delete_after: Option<OffsetDateTime>,
    /// Why it was disabled by the operator of the service; absent unless it was.
    pub disabled: Option<String>,
}

/// Somebody in a team.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Their address; for those who manage members.
    pub email: Option<String>,
    /// As what.
    pub role: Role,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub joined_at: OffsetDateTime,
}

/// Founds the team that the transaction is bound to, owned by `owner`, who called from `address`.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn found(tx: &mut TenantTx, name: &Name, owner: UserId, address: String) -> Result<Team, ApiError> {
    store::insert(tx, name, owner).await?;
    let (by, detail) = (By::person(owner, address), json!({ "name": name.as_str() }));
    audit::write(tx, &by, Act::TeamFounded, Subject::Team, detail).await?;
    let name = name.as_str().to_owned();
    Ok(Team { id: tx.team(), name, role: Role::Owner, delete_after: None, disabled: None })
}

/// Takes a person out of the team that the transaction is bound to; whether an owner is left was asked before.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn leave(tx: &mut TenantTx, user: UserId, address: String) -> Result<(), ApiError> {
    store::remove(tx, user).await?;
    let detail = json!({ "ended": end_what_they_gave(tx, user, None).await? });
    audit::write(tx, &By::person(user, address), Act::MemberLeft, Subject::Person(user.0), detail).await?;
    Ok(())
}

/// Ends what a person has given others, as far as their new role would not let them give it: invitations, share links and
/// API keys that they have made. To be called in the transaction that takes their role.
async fn end_what_they_gave(tx: &mut TenantTx, user: UserId, role: Option<Role>) -> Result<Value, ApiError> {
    let may = |action: Action| role.is_some_and(|role| action.check(role).is_ok());
    let invitations = if may(Action::ManageMembers) { 0 } else { invitations::revoke_of(tx, user).await? };
    let shares = if may(Action::ManageShares) { 0 } else { shares::revoke_of(tx, user).await? };
    let keys = if may(Action::ManageApiKeys) { 0 } else { api_keys::revoke_of(tx, user).await? };
    Ok(json!({ "invitations": invitations, "shares": shares, "api_keys": keys }))
}

/// Refuses what would leave a team without an owner. To be asked before a member's role is taken, in the transaction
/// that takes it: of two owners who go at the same moment the second waits for the first.
async fn keep_an_owner(tx: &mut TenantTx, user: UserId) -> Result<(), ApiError> {
    store::lock(tx).await?;
    if store::other_owners(tx, user).await? == 0 && store::role(tx, user).await? == Some(Role::Owner) {
        let message = "the team would have no owner: make somebody else one first";
        return Err(ApiError::Conflict { field: "user", message });
    }
    Ok(())
}
