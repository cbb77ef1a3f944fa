//! `/api/teams/{team}/setups/{hash}`.

use crate::app::State;
use crate::auth::ReadScope;
use crate::error::{ApiError, ErrorBody};
use crate::sessions;
use crate::setups::store;
use actix_web::{get, web};
use onelap_protocol::TeamId;
use onelap_protocol::setup::Setup;
use serde::Deserialize;
use time::OffsetDateTime;

#[derive(Deserialize)]
pub(crate) struct SetupPath {
    hash: String,
}

/// The 32 bytes of 64 hex digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// A setup.
#[utoipa::path(
    tag = "review",
    params(("team" = TeamId, Path), ("hash" = String, Path, description = "64 hex digits")),
    responses((status = 200, body = Setup), (status = 404, description = "No such setup", body = ErrorBody))
)]
#[get("/api/teams/{team}/setups/{hash}")]
pub(crate) async fn find_setup(
    scope: ReadScope,
    state: web::Data<State>,
    path: web::Path<SetupPath>,
) -> Result<web::Json<Setup>, ApiError> {
    let hash = unhex(&path.hash).ok_or(ApiError::NotFound)?;
    let mut tx = state.db.tenant(scope.tenant).await?;
    if let Some(share) = scope.reader.share() {
        let now = OffsetDateTime::now_utc();
        let sessions = sessions::using_setup(&mut tx, &hash).await?;
        sessions.iter().any(|session| share.shows_recorded(session, now)).then_some(()).ok_or(ApiError::NotFound)?;
    }
    let setup = store::find(&mut tx, &hash).await?;
    tx.commit().await?;
    setup.map(web::Json).ok_or(ApiError::NotFound)
}

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(find_setup);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_hex_digits() {
        assert_eq!(unhex(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(unhex(&"0a".repeat(31)), None);
        assert_eq!(unhex(&"é".repeat(32)), None);
        assert_eq!(unhex(&"+1".repeat(32)), None);
    }
}
