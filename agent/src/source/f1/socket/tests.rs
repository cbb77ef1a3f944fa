use super::*;
use std::sync::mpsc::{Receiver, sync_channel};

/// A rig's end: its route, and what comes out of it.
fn rig(name: &str, sender: Option<IpAddr>) -> (Route, Receiver<Raw>) {
    let (sink, out) = sync_channel(64);
    (Route { rig: name.to_owned(), sender, emit: Box::new(move |raw| drop(sink.try_send(raw))) }, out)
}

fn ip(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 168, 1, last))
}

fn next_datagram(out: &Receiver<Raw>) -> (SocketAddr, Vec<u8>) {
    loop {
        match out.recv_timeout(Duration::from_secs(10)).expect("a datagram") {
            Raw::Datagram { from, bytes } => return (from, bytes),
            Raw::Tick => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_datagram_goes_to_the_rig_that_asks_for_its_sender() {
    let (a, from_a) = rig("A", Some(ip(1)));
    let (b, from_b) = rig("B", None);
    let mut router = Router::new(20777, vec![a, b]).unwrap();
    let mut counts = SocketCounts::default();
    router.route(SocketAddr::new(ip(1), 5), b"one", &mut counts);
    router.route(SocketAddr::new(ip(2), 5), b"two", &mut counts);
    let mapped = "[::ffff:192.168.1.1]:5".parse().unwrap();
    router.route(mapped, b"three", &mut counts);
    let one = next_datagram(&from_a);
    assert_eq!(one, (SocketAddr::new(ip(1), 5), b"one".to_vec()));
    assert_eq!(next_datagram(&from_a).1, b"three");
    assert_eq!(next_datagram(&from_b).1, b"two");
    assert_eq!((counts.routed, counts.unknown), (3, 0));
}

#[test]
fn a_sender_that_nobody_asks_for_is_counted_by_name() {
    let (a, from_a) = rig("A", Some(ip(1)));
    let mut router = Router::new(20777, vec![a]).unwrap();
    let mut counts = SocketCounts::default();
    for sender in 0..=255 {
        router.route(SocketAddr::new(ip(sender), 5), b"x", &mut counts);
        router.route(SocketAddr::new(ip(sender), 5), b"y", &mut counts);
    }
    assert_eq!((counts.routed, counts.unknown), (2, 510));
    assert_eq!(counts.unknown_senders.len(), NAMED_SENDERS, "bounded");
    assert_eq!(counts.unknown_senders.get(&ip(0)), Some(&2));
    assert_eq!(from_a.try_iter().count(), 2);
}

#[test]
fn two_rigs_cannot_ask_for_the_same() {
    let error = |a, b| Router::new(20777, vec![rig("A", a).0, rig("B", b).0]).err().map(|error| error.to_string());
    assert_eq!(
        error(None, None).unwrap(),
        "rigs A and B both take every sender's telemetry on UDP port 20777: give them different ports or senders"
    );
    assert!(error(Some(ip(1)), Some(ip(1))).unwrap().contains("the telemetry of 192.168.1.1"));
    assert_eq!(error(Some(ip(1)), None), None);
}

#[test]
fn a_port_is_listened_on_until_it_is_stopped() {
    let (route, out) = rig("A", None);
    let stop = CancellationToken::new();
    let listener = spawn((Ipv4Addr::LOCALHOST, 0).into(), vec![route], stop.clone()).unwrap();
    let game = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    game.send_to(b"frame", listener.address()).unwrap();
    game.send_to(&[7; 3000], listener.address()).unwrap();
    assert_eq!(next_datagram(&out), (game.local_addr().unwrap(), b"frame".to_vec()));
    assert_eq!(next_datagram(&out).1.len(), LONGEST, "what is too long is cut, and refused later");
    assert_eq!(out.recv_timeout(Duration::from_secs(10)), Ok(Raw::Tick), "silence");
    assert_eq!(listener.counts().routed, 2);
    stop.cancel();
    listener.into_thread().join().unwrap();
}

#[test]
fn a_taken_port_says_so() {
    let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = other.local_addr().unwrap();
    let error = spawn(address, vec![rig("A", None).0], CancellationToken::new()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("UDP port {} is taken by another program", address.port())), "{error}");
}

// Wine, which runs the tests for Windows, listens on all addresses instead.
#[cfg(unix)]
#[test]
fn an_address_that_the_pc_does_not_have_is_named() {
    let nowhere = spawn("192.0.2.1:0".parse().unwrap(), vec![], CancellationToken::new()).unwrap_err().to_string();
    assert!(nowhere.contains("this PC has no network address 192.0.2.1"), "{nowhere}");
}
