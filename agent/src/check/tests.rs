//! What the driver is told.

use super::*;
use crate::link::state::Refusal;
use onelap_protocol::{RigId, TeamId};

fn answer(clock_ahead_ms: i64) -> Answer {
    let who = WhoAmI {
        team: TeamId::new(),
        team_name: "Ours".into(),
        rig: RigId::new(),
        rig_name: "RIG_A".into(),
        server_ms: 0,
        protocols: vec![AGENT_SUBPROTOCOL.into()],
    };
    Answer { who, clock_ahead_ms }
}

fn rig(answer: Option<Result<Answer, ApiError>>) -> Vec<RigFacts> {
    let token_from = answer.is_some().then(|| TokenFrom::File("/home/d/.config/onelap/token".into()));
    let ways = "run `onelap-agent pair` or `onelap-agent token`".to_owned();
    vec![RigFacts { name: "rig".into(), token_from, unused: None, answer, ways }]
}

fn all_is_well() -> Facts {
    Facts {
        settings: ("/home/d/.config/onelap/agent.toml".into(), true),
        warnings: vec![],
        server: Some("https://onelap.example".into()),
        rigs: rig(Some(Ok(answer(100)))),
        token_problems: vec![],
        service: None,
        lmu: Some((Probe::Found { game_version: 14_200, cars: 44, track: "Portimão".into() }, Some((6397, Rest::Lmu)))),
        f1: f1(20777, Ok(Came::default())),
    }
}

fn f1(port: u16, came: Result<Came, ErrorKind>) -> BTreeMap<u16, Result<Came, ErrorKind>> {
    BTreeMap::from([(port, came)])
}

fn understood(understood: u32) -> Result<Came, ErrorKind> {
    Ok(Came { understood, ..Came::default() })
}

fn wrong(facts: &Facts) -> Vec<(String, String)> {
    let wrong = findings(facts).into_iter().filter(|f| f.verdict == Verdict::Wrong);
    wrong.map(|f| (f.what, f.advice.unwrap())).collect()
}

#[test]
fn when_all_is_well_nothing_is_wrong() {
    assert_eq!(wrong(&all_is_well()), []);
    let lines = lines(&findings(&all_is_well()), false);
    for said in
        ["✓ https://onelap.example answers", "rig RIG_A of team Ours", "Le Mans Ultimate 1.4.2 is found: Portimão"]
    {
        assert!(lines.contains(said), "{said} is not in\n{lines}");
    }
}

#[test]
fn each_thing_that_is_wrong_comes_with_what_to_do() {
    let refused = |status, code| {
        Some(Err(ApiError::Refused(Refusal { status, code, message: "make a new one".into(), retry_after_s: None })))
    };
    let well = all_is_well;
    let cases = [
        (Facts { rigs: rig(None), ..well() }, "no token", "onelap-agent pair"),
        (
            Facts { rigs: rig(refused(401, None)), ..well() },
            "token in /home/d/.config/onelap/token is not good",
            "make a new one",
        ),
        (Facts { rigs: rig(refused(426, None)), ..well() }, "does not let it in", "make a new one"),
        (
            Facts { rigs: rig(Some(Err(ApiError::Unreachable("cannot be reached".into())))), ..well() },
            "cannot be reached",
            "firewall",
        ),
        (Facts { rigs: rig(Some(Ok(answer(-34_000)))), ..well() }, "34.0 s behind", "Sync now"),
        (
            Facts { lmu: Some((Probe::Unusable("short".into()), None)), f1: f1(1, understood(9)), ..well() },
            "short",
            "restart",
        ),
        (Facts { lmu: Some((well().lmu.unwrap().0, Some((6397, Rest::Silent)))), ..well() }, "REST", "rest_port"),
        (Facts { f1: f1(20777, Err(ErrorKind::PermissionDenied)), ..well() }, "20777", "firewall"),
        (
            Facts { lmu: Some((well().lmu.unwrap().0, Some((6397, Rest::Stranger(404))))), ..well() },
            "not Le Mans",
            "rest_port",
        ),
        (Facts { lmu: Some((Probe::Absent, Some((6397, Rest::Lmu)))), ..well() }, "does not show", "Enable Plugins"),
        (Facts { lmu: Some((Probe::Absent, None)), ..well() }, "no game was found", "start the game"),
        (Facts { token_problems: vec!["token: not one".into()], ..well() }, "not one", "onelap-agent pair"),
        (Facts { warnings: vec!["others may read it".into()], ..well() }, "others may read it", ""),
    ];
    for (facts, what, advice) in cases {
        let wrong = wrong(&facts);
        assert_eq!(wrong.len(), 1, "{what}: {wrong:?}");
        assert!(wrong[0].0.contains(what) && wrong[0].1.contains(advice), "{what}: {wrong:?}");
    }
}

#[test]
fn a_game_that_is_not_driven_is_no_fault() {
    let driving_f1 = Facts {
        lmu: Some((Probe::Absent, Some((6397, Rest::Silent)))),
        f1: f1(20777, understood(120)),
        ..all_is_well()
    };
    assert_eq!(wrong(&driving_f1), []);
    let in_use = Facts { f1: f1(20777, Err(ErrorKind::AddrInUse)), ..all_is_well() };
    assert_eq!(wrong(&in_use), []);
}

#[test]
fn the_plugin_setting_is_named_where_the_game_shows_nothing() {
    let facts = Facts { lmu: Some((Probe::Absent, None)), ..all_is_well() };
    let lines = lines(&findings(&facts), true);
    assert!(lines.contains("Enable Plugins = ON") && lines.is_ascii(), "{lines}");
}

#[test]
fn datagrams_are_counted_on_the_port_that_they_come_to() {
    let probe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = probe.local_addr().unwrap().port();
    let came = listen([taken].into_iter());
    assert_eq!(came[&taken], Err(ErrorKind::AddrInUse));
}

#[test]
fn without_a_good_token_the_service_is_looked_for_all_the_same() {
    let told = |facts: &Facts| lines(&findings(facts), false);
    let none = Facts { rigs: rig(None), service: Some(Ok(())), ..all_is_well() };
    assert!(told(&none).contains("✓ https://onelap.example answers"), "{}", told(&none));
    let gone = ApiError::Unreachable("https://onelap.example cannot be reached".into());
    let gone = Facts { service: Some(Err(gone)), ..none };
    assert!(told(&gone).contains("✗ https://onelap.example cannot be reached"), "{}", told(&gone));
    let refusal = Refusal {
        status: 401,
        code: Some(ErrorCode::TokenRevoked),
        message: "make a new one".into(),
        retry_after_s: None,
    };
    let refused = Facts { rigs: rig(Some(Err(ApiError::Refused(refusal)))), ..all_is_well() };
    assert!(told(&refused).contains("✓ https://onelap.example answers"), "{}", told(&refused));
}

#[test]
fn telemetry_in_another_format_is_not_called_right() {
    let mut datagram = vec![0; 1349];
    datagram[..7].copy_from_slice(&[0xe8, 7, 25, 1, 18, 1, 0]);
    let mut came = Came::default();
    came.count(&datagram);
    let wrong = wrong(&Facts { f1: f1(20777, Ok(came.clone())), lmu: None, ..all_is_well() });
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].0.contains("none that this agent understands") && wrong[0].1.contains("set UDP format to 2025"));
    datagram[0] = 0xe9;
    came.count(&datagram);
    assert_eq!((came.understood, came.others), (1, 1));
}

#[test]
fn the_game_is_told_from_another_program_on_its_port() {
    let got = |status, body: &str| who_answered(&Got { status, body: body.into() });
    assert_eq!(got(200, r#"{"inMonitor":true}"#), Rest::Lmu);
    assert_eq!(got(503, r#"{"status":"unavailable"}"#), Rest::Lmu);
    assert_eq!(got(200, "<html>"), Rest::Stranger(200));
    assert_eq!(got(404, ""), Rest::Stranger(404));
    assert_eq!(got(0, "refused"), Rest::Silent);
}

#[test]
fn it_says_which_token_is_used_and_which_is_not() {
    let told = |token_from: TokenFrom| {
        let unused = Some("/home/d/.config/onelap/token".to_owned());
        let given = RigFacts { token_from: Some(token_from), unused, ..rig(Some(Ok(answer(0)))).remove(0) };
        let findings = findings(&Facts { rigs: vec![given], ..all_is_well() });
        assert!(findings.iter().all(|finding| finding.verdict != Verdict::Wrong), "{findings:?}");
        lines(&findings, false)
    };
    for (from, used, counts, advice) in [
        (TokenFrom::Flag, "the token of --token is good", "--token counts more", "leave --token out"),
        (
            TokenFrom::Environment,
            "the token of ONELAP_TOKEN is good",
            "ONELAP_TOKEN counts more",
            "remove the variable",
        ),
        (TokenFrom::Settings("a.toml".into()), "the token in a.toml is good", "a.toml counts more", "from a.toml"),
    ] {
        let told = told(from);
        let not_used = format!("the token in /home/d/.config/onelap/token is not used: {counts}");
        assert!([used, &not_used, advice].iter().all(|words| told.contains(words)), "{told}");
    }
}
