//! The link that lies as a program: `fault-proxy LISTEN TO CONTROL`, each an address of the loopback.
//!
//! Who connects to CONTROL says one word, `honest`, `silent` or `reset`, and is answered with it when it holds.

#![expect(clippy::expect_used, reason = "what goes wrong here ends the program, with the reason")]

use faults::{Deaf, FaultProxy, Manners};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

fn manners(word: &str) -> Option<Manners> {
    match word {
        "honest" => Some(Manners::Honest),
        "silent" => Some(Manners::Silent),
        "reset" => Some(Manners::Reset),
        _ => None,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let addresses: Vec<SocketAddr> =
        std::env::args().skip(1).map(|word| word.parse().expect("an address: 127.0.0.1:PORT")).collect();
    let [listen, to, control] = addresses[..] else { panic!("usage: fault-proxy LISTEN TO CONTROL") };
    let listener = TcpListener::bind(listen).await.expect("LISTEN is free");
    let control = TcpListener::bind(control).await.expect("CONTROL is free");
    let proxy = FaultProxy::on(listener, to, Arc::new(Deaf));
    loop {
        let Ok((stream, _)) = control.accept().await else { continue };
        let (mut stream, mut word) = (BufReader::new(stream), String::new());
        if stream.read_line(&mut word).await.is_err() {
            continue;
        }
        let answer = match manners(word.trim()) {
            Some(manners) => {
                proxy.be(manners);
                word.trim()
            }
            None => "use honest, silent or reset",
        };
        // Who asked may have gone.
        let _ = stream.write_all(format!("{answer}\n").as_bytes()).await;
    }
}
