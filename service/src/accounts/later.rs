//! Work that must not show in an answer's time: done beside the request, a bounded number at once.

use crate::app::State;
use crate::error::ApiError;
use actix_web::web;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Pieces of work at once; what is more is dropped, and the person asks again.
const AT_ONCE: usize = 200;

static TURNS: std::sync::LazyLock<Arc<Semaphore>> = std::sync::LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));

/// Does it, after the answer or before; a failure is logged. On the service's own runtime, which waits for it when it
/// stops; a worker's would not.
pub(super) fn later<F>(what: &'static str, state: &web::Data<State>, work: impl FnOnce(web::Data<State>) -> F)
where
    F: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let Ok(turn) = Arc::clone(&TURNS).try_acquire_owned() else {
        return tracing::error!(what, "too much is being done: this was dropped");
    };
    let work = work(state.clone());
    state.background.spawn(async move {
        if let Err(error) = work.await {
            tracing::error!(what, %error, "what was asked for could not be done");
        }
        drop(turn);
    });
}
