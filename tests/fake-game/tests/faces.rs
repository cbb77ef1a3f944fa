//! A running game from outside, as another program sees it: the file, the sockets, the datagrams.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use fake_game::{Command, F1Options, FakeGame, LmuOptions, Options, RaceLog, SessionKind};

const SOON: Duration = Duration::from_secs(20);

/// A request on a connection of its own; status and body.
fn http(addr: SocketAddr, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(SOON))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
}

fn f64_at(bytes: &[u8], at: usize) -> f64 {
    f64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn telemetry_of_player(image: &[u8]) -> &[u8] {
    &image[128_468 + 1_888 * usize::from(image[128_465])..]
}

#[cfg(unix)]
#[tokio::test]
async fn the_mapping_shows_the_car_that_the_game_drives_and_goes_with_the_game() {
    let game = FakeGame::spawn(Options { speed: 10.0, ..Options::default() }).await.unwrap();
    let path = game.lmu_path().unwrap().to_owned();
    game.wait_until(SOON, |car| car.laps_completed == 1).await.expect("a lap");
    game.command(Command::Pause).await.unwrap();
    let (image, state) = (std::fs::read(&path).unwrap(), game.state());
    assert_eq!(image.len(), 324_820);
    let car = telemetry_of_player(&image);
    assert_eq!(i32_at(car, 0), state.car_id);
    assert!((f64_at(car, 200) * -3.6 - state.speed_kmh).abs() < 1e-6);
    assert!((f64_at(car, 524) - state.fuel_l).abs() < 1e-9);
    for (i, kpa) in
        [state.tyre_pressure_kpa.fl, state.tyre_pressure_kpa.fr, state.tyre_pressure_kpa.rl, state.tyre_pressure_kpa.rr]
            .into_iter()
            .enumerate()
    {
        assert!((f64_at(car, 848 + 260 * i + 120) - kpa).abs() < 1e-9);
    }
    assert_eq!(image[1_632 + 108], 9, "paused");
    game.command(Command::Disconnect).await.unwrap();
    assert!(!path.exists(), "the mapping goes with the game");
    game.command(Command::Reconnect).await.unwrap();
    assert!(path.exists());
    game.stop().await;
    assert!(!path.exists());
    assert!(!path.parent().unwrap().exists(), "nothing is left in the temporary folder");
}

#[cfg(unix)]
#[tokio::test]
async fn a_torn_image_can_be_seen_torn() {
    let lmu = LmuOptions { torn: true, ..LmuOptions::default() };
    let game = FakeGame::spawn(Options { lmu: Some(lmu), cars: 60, speed: 4.0, ..Options::default() }).await.unwrap();
    let path = game.lmu_path().unwrap().to_owned();
    let seen = tokio::task::spawn_blocking(move || {
        let until = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < until {
            let Ok(image) = std::fs::read(&path) else { continue };
            let cars = usize::from(image[128_464]);
            let times: std::collections::BTreeSet<u64> =
                (0..cars).map(|slot| f64_at(&image, 128_468 + 1_888 * slot + 12).to_bits()).collect();
            if times.len() > 1 {
                return true;
            }
        }
        false
    });
    assert!(seen.await.unwrap(), "two cars of one image at different times");
    game.stop().await;
}

#[tokio::test]
async fn rest_is_there_while_the_game_is_and_counts() {
    let game = FakeGame::spawn(Options { session: SessionKind::Practice, hold_in_garage: true, ..Options::default() })
        .await
        .unwrap();
    let rest = game.rest_addr().unwrap();
    let get = move |path: &'static str| tokio::task::spawn_blocking(move || http(rest, "GET", path, ""));
    let (status, body) = get("/rest/garage/UIScreen/CarSetupOverview?x=1").await.unwrap().unwrap();
    assert!(status == 200 && body.contains("WM_PRESSURE-W_FL"));
    assert_eq!(game.requests()["GET /rest/garage/UIScreen/CarSetupOverview"], 1);
    game.command(Command::Menu).await.unwrap();
    assert_eq!(get("/rest/sessions/GetGameState").await.unwrap().unwrap().0, 503);
    game.command(Command::Disconnect).await.unwrap();
    assert!(get("/navigation/state").await.unwrap().is_err(), "nobody listens");
    game.command(Command::Reconnect).await.unwrap();
    assert_eq!(get("/navigation/state").await.unwrap().unwrap().0, 200);
    game.stop().await;
    assert!(get("/navigation/state").await.unwrap().is_err());
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let game = FakeGame::spawn(Options::default()).await.unwrap();
    let rest = game.rest_addr().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(rest).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        for _ in 0..3 {
            stream.write_all(b"GET /rest/strategy/pitstop-estimate HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap().parse().unwrap();
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            assert!(String::from_utf8(body).unwrap().contains("\"total\""));
        }
    });
    read.await.unwrap();
    assert_eq!(game.requests()["GET /rest/strategy/pitstop-estimate"], 3);
    game.stop().await;
}

#[tokio::test]
async fn the_control_interface_does_what_it_is_told_and_says_what_it_cannot_do() {
    let game = FakeGame::spawn(Options {
        control_port: Some(0),
        session: SessionKind::Practice,
        hold_in_garage: true,
        ..Options::default()
    })
    .await
    .unwrap();
    let control = game.control_addr().unwrap();
    let call = move |method: &'static str, path: &'static str, body: &'static str| {
        tokio::task::spawn_blocking(move || http(control, method, path, body).unwrap())
    };
    let (status, body) = call("POST", "/setup", r#"{"key":"VM_REAR_WING","value":3}"#).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let (_, body) = call("GET", "/state", "").await.unwrap();
    let state: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&state["setup"]["VM_REAR_WING"], &state["place"]), (&"P3".into(), &"garage".into()));
    assert!(state["tyre_pressure_kpa"]["rl"].is_f64());
    let (status, body) = call("POST", "/setup", r#"{"key":"VM_REAR_WING","value":99}"#).await.unwrap();
    assert_eq!((status, body.contains("goes from 0 to 17")), (400, true), "{body}");
    assert_eq!(call("POST", "/track", "").await.unwrap().0, 200);
    game.wait_until(SOON, |car| car.place != "garage").await.expect("the car leaves");
    assert_eq!(call("POST", "/setup", r#"{"key":"VM_REAR_WING","value":4}"#).await.unwrap().0, 409);
    assert_eq!(call("POST", "/fly", "").await.unwrap().0, 400);
    assert_eq!(call("GET", "/fly", "").await.unwrap().0, 404);
    let (_, log) = call("GET", "/log", "").await.unwrap();
    assert_eq!(serde_json::from_str::<RaceLog>(&log).unwrap().player_car_id, game.state().car_id);
    assert_eq!(call("POST", "/quit", "").await.unwrap().0, 200);
    tokio::time::timeout(SOON, game.ended()).await.expect("the game has ended");
}

#[tokio::test]
async fn f1_sends_datagrams_while_driving_and_is_silent_at_the_menu() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let options = Options {
        f1: Some(F1Options { to: vec![socket.local_addr().unwrap()], rate_hz: 20 }),
        ..Options::f1(socket.local_addr().unwrap())
    };
    let game = FakeGame::spawn(options).await.unwrap();
    let (socket, ids) = tokio::task::spawn_blocking(move || {
        let mut ids = std::collections::BTreeSet::new();
        let mut bytes = [0; 2_048];
        while ids.len() < 13 {
            let (_, _) = socket.recv_from(&mut bytes).expect("a datagram");
            ids.insert(bytes[6]);
        }
        (socket, ids)
    })
    .await
    .unwrap();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 15]);
    game.command(Command::Menu).await.unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    let silent = tokio::task::spawn_blocking(move || {
        let mut bytes = [0; 2_048];
        // What was sent before may still be in the queue; then nothing comes for as long as the read waits.
        while socket.recv_from(&mut bytes).is_ok() {}
    });
    tokio::time::timeout(SOON, silent).await.expect("the datagrams end").unwrap();
    game.stop().await;
}

#[tokio::test]
async fn the_log_file_is_there_while_the_race_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("race.json");
    let game =
        FakeGame::spawn(Options { speed: 20.0, log_file: Some(path.clone()), ..Options::default() }).await.unwrap();
    game.wait_until(SOON, |car| car.laps_completed == 2).await.expect("two laps");
    let written: RaceLog = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(!written.sessions[0].laps.is_empty(), "written during the race");
    let last = game.stop().await;
    let written: RaceLog = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    // JSON keeps the whole numbers to the last digit.
    let times = |log: &RaceLog| -> Vec<_> {
        log.sessions[0].laps.iter().map(|lap| (lap.car_id, lap.lap, lap.lap_time_ms, lap.end_et_ms)).collect()
    };
    assert_eq!(times(&written), times(&last));
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let error = FakeGame::spawn(Options { cars: 1, ..Options::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), "cars must be 2 to 104, not 1");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let lmu = LmuOptions { rest_port: port, ..LmuOptions::default() };
    let error = FakeGame::spawn(Options { lmu: Some(lmu), ..Options::default() }).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")), "{error}");
}
