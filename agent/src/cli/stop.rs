//! Ctrl-C, and whatever else ends a program.

/// Waits until somebody wants the program to end, and says who.
#[cfg(unix)]
pub(super) async fn told_to_stop() -> Result<&'static str, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut hangup = signal(SignalKind::hangup()).map_err(|e| e.to_string())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.map(|()| "the agent was stopped at the PC").map_err(|e| e.to_string()),
        _ = term.recv() => Ok("the agent was told to stop"),
        _ = hangup.recv() => Ok("the agent's terminal was closed"),
    }
}

/// Waits until somebody wants the program to end, and says who. Windows ends it five seconds after the window was closed.
#[cfg(windows)]
pub(super) async fn told_to_stop() -> Result<&'static str, String> {
    use tokio::signal::windows::{ctrl_break, ctrl_close, ctrl_logoff, ctrl_shutdown};
    let text = |e: std::io::Error| e.to_string();
    let mut breaks = ctrl_break().map_err(text)?;
    let mut close = ctrl_close().map_err(text)?;
    let mut logoff = ctrl_logoff().map_err(text)?;
    let mut shutdown = ctrl_shutdown().map_err(text)?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.map(|()| "the agent was stopped at the PC").map_err(text),
        _ = breaks.recv() => Ok("the agent was told to stop"),
        _ = close.recv() => Ok("the agent's window was closed"),
        _ = logoff.recv() => Ok("the driver logged off"),
        _ = shutdown.recv() => Ok("the PC shuts down"),
    }
}
