//! Servers of our own to stand beside the service: each takes frames on `/publish` and gives every frame to every socket
//! on `/view`, and nothing else.
//!
//! [`bare`] is the baseline: what the kernel takes for so many writes. The others are the ways in which actix can serve
//! viewers (`docs/decisions/0008-viewer-sockets.md`).

mod actix;
mod bare;

use clap::ValueEnum;
use std::net::TcpListener;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// Writes pre-framed bytes to every socket, in a loop.
    Bare,
    /// Actix: a pre-framed, shared buffer through the body of the 101 answer.
    Preframed,
    /// Actix-ws: one loop that awaits every session. It stops at the slowest viewer.
    ActixWs,
    /// Actix-ws: a task with a bounded queue before every session, so that a slow one holds up nobody.
    ActixWsQueued,
}

/// Serves until it is killed; says where on its first line of output.
pub(crate) fn run(server: Server) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("listening on {}", listener.local_addr().expect("an address"));
    match server {
        Server::Bare => bare::run(listener),
        Server::Preframed => actix::run(listener, actix::Way::Preframed),
        Server::ActixWs => actix::run(listener, actix::Way::Session),
        Server::ActixWsQueued => actix::run(listener, actix::Way::QueuedSession),
    }
}
