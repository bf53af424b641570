//! What was recorded is taken once at most, and not when it is old.

use super::*;

#[test]
fn early_data_whose_ticket_is_older_or_younger_than_it_says_is_refused() {
    for (ahead, wait, taken) in
        [(0, 60, true), (9, 60, true), (11, 60, false), (-9, 60, true), (-11, 60, false)]
    {
        let (client_clock, client_hand) = Clock::manual(now());
        let (server_clock, server_hand) = Clock::manual(now());
        let client = client_config().clock(client_clock).early_data(true).build().unwrap();
        let server = early_server(Resumption::default()).clock(server_clock).build().unwrap();
        connect(&client, &server);
        client_hand.advance(Duration::from_secs(wait));
        server_hand.advance(Duration::from_secs(wait.checked_add_signed(ahead).unwrap()));
        let (got, client, server) = send_early(&client, &server, b"early");
        assert_eq!(got.early == b"early", taken, "{ahead}");
        if !taken {
            let reason = EarlyDataRejection::TicketAge;
            assert_eq!(server.early_data(), EarlyDataStatus::Rejected { bytes: 0, reason });
        }
        assert!(is_resumed(&(client, server)));
    }
}

/// The guard has forgotten a flight when it no longer looks fresh; so must a copy be judged that looked fresh when it came
/// and was then kept waiting for its caller.
#[test]
fn a_recorded_flight_whose_answer_takes_longer_than_the_guard_remembers_is_refused() {
    for (waits, taken) in [(0, true), (9, true), (11, false), (70, false)] {
        let (clock, hand) = Clock::manual(now());
        let client = client_config().clock(clock.clone()).early_data(true).build().unwrap();
        let server = early_server(Resumption::default())
            .clock(clock)
            .handshake_timeout(Duration::from_secs(300))
            .ask(&[Decision::ChooseConfig])
            .build()
            .unwrap();
        let waiting = |flight: &[u8], wait: u64| {
            let mut server_end = ServerConnection::new(&server);
            let fed = feed(&mut server_end, flight).unwrap();
            let [Need::ChooseConfig(_)] = fed.needs[..] else { panic!("{:?}", fed.needs) };
            hand.advance(Duration::from_secs(wait));
            for need in fed.needs {
                server_end.answer_as_configured(need).unwrap();
            }
            let mut got = Got::default();
            take(&mut server_end, &fed.rest, &mut got).unwrap();
            (got.early, server_end)
        };
        let (mut first, mut end) = {
            let (mut first, _) = ends(&client, &server);
            let (_, end) = waiting(&drain(&mut first), 0);
            (first, end)
        };
        for _ in 0..3 {
            feed(&mut first, &drain(&mut end)).unwrap();
            feed(&mut end, &drain(&mut first)).unwrap();
        }
        let (mut second, _) = ends(&client, &server);
        let (_, flight) = seal_early(&mut second, b"pay");
        let flight = [drain(&mut second), flight].concat();
        assert_eq!(waiting(&flight, waits).0 == b"pay", taken, "{waits}");
        assert_eq!(waiting(&flight, 70).0, b"", "taken once at most");
    }
}

#[test]
fn a_recorded_flight_is_taken_once() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut first) = ends(&client, &server);
    let (_, flight) = seal_early(&mut client, b"pay");
    let mut got = Got::default();
    take(&mut first, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"pay");
    for _ in 0..3 {
        let mut again = ServerConnection::new(&server);
        let mut got = Got::default();
        take(&mut again, &flight, &mut got).unwrap();
        assert_eq!(got.early, b"");
        let status = again.early_data();
        let reason = EarlyDataRejection::Replay;
        assert_eq!(status, EarlyDataStatus::Rejected { bytes: 0, reason });
    }
}

#[test]
fn a_guard_elsewhere_judges_through_the_caller() {
    let resumption = Resumption::default().early_data_judged_elsewhere([7; 16], LIMIT);
    let server_config =
        server_config().resumption(resumption).ask(&[Decision::AcceptSession]).build().unwrap();
    let client_config = early_client();
    connect_asked(&client_config, &server_config, &mut |_| false);
    let mut seen = Vec::new();
    for fresh in [true, false] {
        let mut judge = |key: Option<Vec<u8>>| {
            seen.push(key.unwrap());
            fresh
        };
        let (client, server) = connect_asked(&client_config, &server_config, &mut judge);
        let taken = if fresh {
            accepted(5)
        } else {
            EarlyDataStatus::Rejected { bytes: 0, reason: EarlyDataRejection::Replay }
        };
        assert_eq!(server.early_data(), taken);
        assert!(is_resumed(&(client, server)));
    }
    assert_ne!(seen[0], seen[1]);
}

/// A connection whose server asks `judge` about early data.
fn connect_asked(
    client: &ClientConfig,
    server: &ServerConfig,
    judge: &mut dyn FnMut(Option<Vec<u8>>) -> bool,
) -> (ClientConnection, ServerConnection) {
    let (mut client, mut server) = ends(client, server);
    let (_, mut bytes) = seal_early(&mut client, b"early");
    for _ in 0..10 {
        bytes.extend(drain(&mut client));
        let fed = feed(&mut server, &bytes).unwrap();
        bytes = fed.rest;
        for need in fed.needs {
            let Need::AcceptSession(token) = need else { panic!("{need:?}") };
            let key = token.early_data.clone().map(|key| key.0);
            let fresh = judge(key);
            server.accept_session(token, fresh).unwrap();
        }
        let answer = drain(&mut server);
        feed(&mut client, &answer).unwrap();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    (client, server)
}
