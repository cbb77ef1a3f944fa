//! JSON bodies of requests, with errors that name the field.
//!
//! Invariant: a body over the limit is refused before it is in memory.

use crate::error::ApiError;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;

/// Largest JSON body in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request.mime_type().ok().flatten().is_some_and(|mime| mime.essence_str() == "application/json");
        let declared =
            request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_json {
                return Err(ApiError::Malformed(
                    "the body must be JSON, with Content-Type: application/json".to_owned(),
                ));
            }
            if declared.is_some_and(|length| length > MAX_BODY) {
                return Err(ApiError::TooLarge { limit: MAX_BODY });
            }
            let mut bytes = Vec::with_capacity(declared.unwrap_or(1024));
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|error| ApiError::Malformed(format!("the body broke off: {error}")))?;
                if bytes.len() + chunk.len() > MAX_BODY {
                    return Err(ApiError::TooLarge { limit: MAX_BODY });
                }
                bytes.extend_from_slice(&chunk);
            }
            parse(&bytes).map(Body)
        })
    }
}

/// A JSON body that may be absent.
#[derive(Debug)]
pub struct OptionalBody<T>(pub Option<T>);

impl<T: DeserializeOwned + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let is_absent = length.is_none_or(|length| length == "0") && !headers.contains_key(header::TRANSFER_ENCODING);
        if is_absent {
            return Box::pin(async { Ok(Self(None)) });
        }
        let body = Body::<T>::from_request(request, payload);
        Box::pin(async move { body.await.map(|body| Self(Some(body.0))) })
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // In two steps: what is not JSON has a line and a column, what is JSON and wrong has a field.
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| ApiError::Malformed(format!("the body is not JSON: {error}")))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let field = if path == "." { named(&message) } else { Some(path) };
        match field {
            Some(field) => ApiError::invalid(field, message),
            None => ApiError::Malformed(message),
        }
    })
}

/// The field that serde names in "missing field `x`" and "unknown field `x`, expected …".
fn named(message: &str) -> Option<String> {
    let rest = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("unknown field `"))?;
    rest.split('`').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Example {
        name: String,
        size: u8,
    }

    fn refused(body: &str) -> (Option<String>, String) {
        let error = parse::<Example>(body.as_bytes()).unwrap_err();
        (error.field().map(str::to_owned), error.to_string())
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        assert_eq!(refused(r#"{"name": "a"}"#).0.as_deref(), Some("size"));
        assert_eq!(refused(r#"{"name": 7, "size": 1}"#).0.as_deref(), Some("name"));
        assert_eq!(refused(r#"{"name": "a", "size": 1000}"#).0.as_deref(), Some("size"));
        assert_eq!(refused(r#"{"name": "a", "size": 1, "sise": 2}"#).0.as_deref(), Some("sise"));
    }

    #[test]
    fn what_is_not_json_is_said_to_be_so() {
        let (field, message) = refused("{\"name\": ");
        assert_eq!(field, None);
        assert!(message.contains("not JSON") && message.contains("line 1"), "{message}");
        assert_eq!(refused("[]").0, None);
    }
}
