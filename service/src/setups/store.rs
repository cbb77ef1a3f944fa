//! SQL of setups.

use crate::db::TenantTx;
use onelap_protocol::setup::Setup;
use sqlx::types::Json;

pub(super) async fn find(tx: &mut TenantTx, hash: &[u8]) -> Result<Option<Setup>, sqlx::Error> {
    let team = tx.team();
    let setup = sqlx::query_scalar!(
        r#"select setup as "setup: Json<Setup>" from setups where team_id = $1 and hash = $2"#,
        team.0,
        hash
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(setup.map(|Json(setup)| setup))
}
