//! The ways in which actix can serve viewers, each with as little around it as it works with.

use crate::ws;
use actix_web::body::BodyStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_ws::{Message, MessageStream, Session};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_util::codec::Decoder;

/// Frames that may wait for a viewer, as in actix-ws itself.
const QUEUE: usize = 32;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Preframed,
    Session,
    QueuedSession,
}

/// Who is to be given frames. A lock, because viewers join on every worker.
struct Room {
    way: Way,
    senders: Mutex<Vec<mpsc::Sender<Bytes>>>,
    sessions: Mutex<Vec<Session>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    fn join(&self) -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
        let (sender, frames) = mpsc::channel(QUEUE);
        locked(&self.senders).push(sender.clone());
        (sender, frames)
    }

    async fn publish(&self, payload: Bytes) {
        match self.way {
            Way::Session => {
                let mut sessions = locked(&self.sessions).clone();
                for session in &mut sessions {
                    // One that is closed takes nothing any more.
                    let _ = session.binary(payload.clone()).await;
                }
            }
            Way::QueuedSession => self.offer(&payload),
            Way::Preframed => self.offer(&ws::server_frame(ws::BINARY, &payload).into()),
        }
    }

    fn offer(&self, frame: &Bytes) {
        // Who has no room does not get it.
        locked(&self.senders).iter().for_each(|sender| drop(sender.try_send(frame.clone())));
    }
}

pub(crate) fn run(listener: TcpListener, way: Way) {
    let room = web::Data::new(Room { way, senders: Mutex::default(), sessions: Mutex::default() });
    actix_web::rt::System::new().block_on(async move {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let app = move || {
            App::new()
                .app_data(room.clone())
                .route("/publish", web::get().to(publish))
                .route("/view", web::get().to(view))
        };
        let server = HttpServer::new(app).workers(workers).tcp_nodelay(true).disable_signals();
        server.listen(listener).expect("a listener").run().await.expect("it serves");
    });
}

async fn publish(
    request: HttpRequest,
    body: web::Payload,
    room: web::Data<Room>,
) -> Result<HttpResponse, actix_web::Error> {
    let (response, session, mut messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            if let Message::Binary(payload) = message {
                room.publish(payload).await;
            }
        }
        // The socket lives as long as its sending side.
        drop(session);
    });
    Ok(response)
}

async fn view(
    request: HttpRequest,
    body: web::Payload,
    room: web::Data<Room>,
) -> Result<HttpResponse, actix_web::Error> {
    if matches!(room.way, Way::Preframed) {
        return preframed(&request, body, &room);
    }
    let (response, session, messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(answer_pings(session.clone(), messages));
    if matches!(room.way, Way::Session) {
        locked(&room.sessions).push(session);
    } else {
        actix_web::rt::spawn(forward(session, room.join().1));
    }
    Ok(response)
}

async fn answer_pings(mut session: Session, mut messages: MessageStream) {
    while let Some(Ok(message)) = messages.next().await {
        if let Message::Ping(payload) = message
            && session.pong(&payload).await.is_err()
        {
            return;
        }
    }
}

async fn forward(mut session: Session, mut frames: mpsc::Receiver<Bytes>) {
    while let Some(frame) = frames.recv().await {
        if session.binary(frame).await.is_err() {
            return;
        }
    }
}

fn preframed(
    request: &HttpRequest,
    mut body: web::Payload,
    room: &web::Data<Room>,
) -> Result<HttpResponse, actix_web::Error> {
    let mut response = actix_http::ws::handshake(request.head())?;
    let (answers, frames) = room.join();
    actix_web::rt::spawn(async move {
        let (mut codec, mut buffer) = (actix_http::ws::Codec::new(), BytesMut::new());
        while let Some(Ok(bytes)) = body.next().await {
            buffer.extend_from_slice(&bytes);
            while let Ok(Some(frame)) = codec.decode(&mut buffer) {
                if let actix_http::ws::Frame::Ping(payload) = frame {
                    drop(answers.try_send(ws::server_frame(ws::PONG, &payload).into()));
                }
            }
        }
    });
    let frames = futures_util::stream::unfold(frames, |mut frames| async move {
        let mut first = frames.recv().await?;
        // What waits goes out as one write.
        if let Ok(second) = frames.try_recv() {
            let mut all = BytesMut::from(&first[..]);
            all.extend_from_slice(&second);
            while let Ok(next) = frames.try_recv() {
                all.extend_from_slice(&next);
            }
            first = all.freeze();
        }
        Some((Ok::<_, Infallible>(first), frames))
    });
    Ok(HttpResponse::from(response.body(BodyStream::new(Box::pin(frames))).map_into_boxed_body()))
}
