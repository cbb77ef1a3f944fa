//! As much HTTP/1.1 as the game's own server shows: one request after another on a kept connection, bodies with a length.
//!
//! Loopback only; the caller binds. Not here: what is answered (`lmu::rest`, `control`).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

const MAX_HEAD: u64 = 16 * 1024;
const MAX_BODY: usize = 1024 * 1024;
const IDLE: Duration = Duration::from_secs(30);

/// A request, as far as anyone here looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, body: body.to_string().into_bytes() }
    }

    /// 200 without a body.
    pub(crate) fn empty() -> Self {
        Self { status: 200, body: Vec::new() }
    }

    pub(crate) fn error(status: u16, why: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": why }))
    }
}

/// Answers a request.
pub(crate) type Handler = Arc<dyn Fn(Request) -> Response + Send + Sync>;

/// Serves until `stop` says true, then drops the listener and every connection.
pub(crate) async fn serve(listener: TcpListener, handler: Handler, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = told_to_stop(&mut stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&handler)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}

/// Waits until the other end says stop or is gone.
pub(crate) async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection(stream: TcpStream, handler: Handler) {
    let mut stream = BufReader::new(stream);
    loop {
        let request = match tokio::time::timeout(IDLE, read_request(&mut stream)).await {
            Ok(Ok(Some(request))) => request,
            Ok(Err(refusal)) => {
                let _ = write_response(&mut stream, &refusal, true).await;
                return;
            }
            Ok(Ok(None)) | Err(_) => return,
        };
        let (request, close) = request;
        if write_response(&mut stream, &handler(request), close).await.is_err() || close {
            return;
        }
    }
}

/// The next request and whether the peer wants the connection closed; `None` when it has closed it.
async fn read_request(stream: &mut BufReader<TcpStream>) -> Result<Option<(Request, bool)>, Response> {
    let bad = |why: &str| Response::error(400, why);
    let mut head = (&mut *stream).take(MAX_HEAD);
    let mut line = String::new();
    let mut next_line = async |line: &mut String| {
        line.clear();
        head.read_line(line).await.map_err(|error| bad(&error.to_string()))
    };
    if next_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(bad("not an HTTP request line"));
    };
    let (method, path) = (method.to_owned(), target.split('?').next().unwrap_or(target).to_owned());
    let mut close = line.trim_end().ends_with("HTTP/1.0");
    let mut length = 0;
    loop {
        if next_line(&mut line).await? == 0 {
            return Err(bad("the header is longer than 16 KiB or broke off"));
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            return Err(bad("a header line without a colon"));
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| bad("Content-Length is not a number"))?,
            "connection" => close = value.trim().eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    if length > MAX_BODY {
        return Err(Response::error(413, "the body is longer than 1 MiB"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(|_| bad("the body broke off"))?;
    Ok(Some((Request { method, path, body }, close)))
}

async fn write_response(stream: &mut BufReader<TcpStream>, response: &Response, close: bool) -> std::io::Result<()> {
    let reason = match response.status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    };
    let mut bytes = format!(
        "HTTP/1.1 {} {reason}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {}\r\n\r\n",
        response.status,
        response.body.len(),
        if close { "close" } else { "keep-alive" },
    )
    .into_bytes();
    bytes.extend_from_slice(&response.body);
    stream.get_mut().write_all(&bytes).await
}
