//! The built web app: files out of the binary, or out of a folder where `WEB_DIR` names one.
//!
//! What is not a file is one of the app's own routes and gets `index.html`. Files under `assets/` carry a hash in their
//! name and never change; everything else is asked for again each time.
//!
//! Invariant: no path leads out of the folder.

use crate::app::State;
use crate::error::ApiError;
use actix_web::http::Method;
use actix_web::http::header::{self, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../web/dist"]
#[allow_missing = true]
struct Embedded;

const INDEX: &str = "index.html";
const NOT_BUILT: &str = "1Lap runs, but the web app was not built.\n\n\
    Build it with \"make web\" and start the service again,\n\
    or point WEB_DIR at a folder that has it.\n\n\
    The API is described at /api/docs/\n";

struct File {
    bytes: Cow<'static, [u8]>,
    tag: String,
}

async fn find(dir: Option<&Path>, name: &str) -> Option<File> {
    let Some(dir) = dir else {
        let file = Embedded::get(name)?;
        let tag = file.metadata.sha256_hash()[..8].iter().map(|b| format!("{b:02x}")).collect();
        return Some(File { bytes: file.data, tag });
    };
    let path = inside(dir, name)?;
    let bytes = tokio::fs::read(&path).await.ok()?;
    let tag = crate::auth::sha256(&bytes).as_bytes()[..8].iter().map(|b| format!("{b:02x}")).collect();
    Some(File { bytes: bytes.into(), tag })
}

/// The file's path, if it is one below the folder.
fn inside(dir: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let is_plain = name.components().all(|part| matches!(part, Component::Normal(_)));
    (is_plain && !name.as_os_str().is_empty()).then(|| dir.join(name))
}

/// Answers everything that no other route does.
pub(crate) async fn serve(request: HttpRequest, state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let path = request.path().trim_start_matches('/');
    let is_api = path == "api" || path.starts_with("api/");
    if is_api || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return crate::openapi::methods_of(request.path())
            .map_or(Err(ApiError::NotFound), |allow| Ok(HttpResponse::from_error(ApiError::Method { allow })));
    }
    let dir = state.config.web.dir.as_deref();
    let is_hashed = path.starts_with("assets/");
    let found = if path.is_empty() { None } else { find(dir, path).await.map(|file| (path, file)) };
    let (name, file) = match found {
        Some(found) => found,
        None if is_hashed => return Err(ApiError::NotFound),
        None => match find(dir, INDEX).await {
            Some(file) => (INDEX, file),
            None => return Ok(not_built()),
        },
    };
    let tag = EntityTag::new_strong(file.tag);
    let cache = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_known = is_known(&request, &tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::CACHE_CONTROL, cache)).insert_header(header::ETag(tag));
    if is_known {
        return Ok(response.finish());
    }
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let is_text = mime.type_() == mime_guess::mime::TEXT;
    let mime = if is_text { format!("{mime}; charset=utf-8") } else { mime.to_string() };
    Ok(response.content_type(mime).body(file.bytes.into_owned()))
}

/// Whether the browser has this version already.
fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

fn not_built() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(NOT_BUILT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let dir = Path::new("/srv/web");
        assert_eq!(inside(dir, "assets/a-1.js"), Some(PathBuf::from("/srv/web/assets/a-1.js")));
        for name in ["", "../secret", "assets/../../secret", "/etc/passwd", "."] {
            assert_eq!(inside(dir, name), None, "{name}");
        }
    }
}
