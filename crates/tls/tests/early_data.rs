//! Early data (0-RTT): taken, refused, bounded, and told apart from all other data.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::time::Duration;

use common::{NAME, client_config, connect, drain, ends, feed, handshake, is_resumed, server_config};
use oxtls::handshake::session::Session;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, ClientSession, Clock, ConfigError, Connection, Decision,
    EarlyDataRejection, EarlyDataStatus, ErrorKind, Event, NamedGroup, Need, ProtocolVersion, RecordError,
    ReplayGuard, Resumption, Role, SealError, ServerConfig, ServerConfigBuilder, ServerConnection,
    SessionStore, TicketKeys,
};

const LIMIT: u32 = 14_336;

fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

fn guard() -> ReplayGuard {
    ReplayGuard::new(1000).unwrap()
}

fn early_server(resumption: Resumption) -> ServerConfigBuilder {
    server_config().resumption(resumption.early_data(guard(), LIMIT))
}

fn early_client() -> ClientConfig {
    client_config().early_data(true).build().unwrap()
}

/// What a server received, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Got {
    early: Vec<u8>,
    data: Vec<u8>,
    done: bool,
    /// The handshake was done before the first early data, which must never be.
    early_after_done: bool,
}

fn take<R: Role>(connection: &mut Connection<R>, bytes: &[u8], got: &mut Got) -> Result<(), oxtls::Error> {
    let mut input = bytes.to_vec();
    while !input.is_empty() {
        let progress = connection.feed(&mut input)?;
        match progress.event {
            Some(Event::EarlyData(range)) => {
                got.early_after_done |= got.done;
                got.early.extend_from_slice(&input[range]);
            }
            Some(Event::Data(range)) => got.data.extend_from_slice(&input[range]),
            Some(Event::HandshakeDone) => got.done = true,
            _ => assert_ne!(progress.consumed, 0),
        }
        input.drain(..progress.consumed);
    }
    Ok(())
}

/// Seals early data, as much as is taken, behind what waits to be sent.
fn seal_early(client: &mut ClientConnection, data: &[u8]) -> (usize, Vec<u8>) {
    let (mut taken, mut out) = (0, Vec::new());
    let mut window = vec![0; 20_000];
    while taken < data.len() {
        match client.seal_early(&data[taken..], &mut window) {
            Ok(sealed) => {
                taken += sealed.taken;
                out.extend_from_slice(&window[..sealed.written]);
            }
            Err(SealError::NoEarlyData) => break,
            Err(error) => panic!("{error}"),
        }
    }
    (taken, out)
}

/// A connection whose client sends `data` early; what the server got, and both ends.
fn send_early(
    client: &ClientConfig,
    server: &ServerConfig,
    data: &[u8],
) -> (Got, ClientConnection, ServerConnection) {
    let (mut client, mut server) = ends(client, server);
    let (_, flight) = seal_early(&mut client, data);
    let mut got = Got::default();
    take(&mut server, &flight, &mut got).unwrap();
    for _ in 0..5 {
        let bytes = drain(&mut server);
        feed(&mut client, &bytes).unwrap();
        let bytes = drain(&mut client);
        take(&mut server, &bytes, &mut got).unwrap();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking() && !got.early_after_done);
    (got, client, server)
}

fn accepted(bytes: usize) -> EarlyDataStatus {
    EarlyDataStatus::Accepted { bytes: u32::try_from(bytes).unwrap() }
}

#[track_caller]
fn assert_rejected(got: &Got, client: &ClientConnection, bytes: usize) {
    assert_eq!(got.early, b"");
    let bytes = u32::try_from(bytes).unwrap();
    let status = client.early_data();
    assert!(matches!(status, EarlyDataStatus::Rejected { bytes: b, .. } if b == bytes), "{status:?}");
}

#[test]
fn early_data_is_taken_under_tickets_and_stored_sessions_alike() {
    for resumption in [Resumption::tickets(TicketKeys::rotating()), Resumption::stored(SessionStore::new(10))]
    {
        let (client, server) = (early_client(), early_server(resumption).build().unwrap());
        connect(&client, &server);
        for _ in 0..3 {
            let (got, client, server) = send_early(&client, &server, b"early");
            assert_eq!(got.early, b"early");
            assert_eq!((client.early_data(), server.early_data()), (accepted(5), accepted(5)));
            assert_eq!(client.info().unwrap().early_data(), accepted(5));
            assert!(is_resumed(&(client, server)));
        }
    }
}

#[test]
fn early_data_goes_on_until_the_servers_finished_has_come_and_no_further() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    let mut got = Got::default();
    let (_, flight) = seal_early(&mut client, b"one ");
    take(&mut server, &flight, &mut got).unwrap();
    let (_, flight) = seal_early(&mut client, b"two ");
    let answer = drain(&mut server);
    take(&mut server, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"one two ");
    feed(&mut client, &answer).unwrap();
    assert!(!client.is_handshaking());
    assert!(matches!(client.seal_early(b"three", &mut [0; 100]), Err(SealError::NoEarlyData)));
    let bytes = common::seal(&mut client, b"three");
    take(&mut server, &bytes, &mut got).unwrap();
    assert_eq!(
        (got.early.as_slice(), got.data.as_slice(), got.done),
        (&b"one two "[..], &b"three"[..], true)
    );
    assert_eq!((client.early_data(), server.early_data()), (accepted(8), accepted(8)));
}

#[test]
fn only_the_first_client_hello_bears_an_older_version() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let bytes = drain(&mut ends(&client, &server).0);
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    while let [typ, major, minor, high, low, behind @ ..] = rest {
        records.push((*typ, [*major, *minor]));
        rest = &behind[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    // RFC 9846 section 5.1: the ChangeCipherSpec ahead of early data is not the hello.
    assert_eq!(records, [(22, [3, 1]), (20, [3, 3])]);
}

#[test]
fn the_limit_binds_the_client_to_the_byte() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let data = vec![7; 20_000];
    let limit = usize::try_from(LIMIT).unwrap();
    let (got, client, _) = send_early(&client, &server, &data);
    assert!(got.early == data[..limit]);
    assert_eq!(client.early_data(), accepted(limit));
}

#[test]
fn the_limit_binds_the_server_to_the_byte() {
    // A client that takes more than its ticket allows.
    let resumption = Resumption::default().early_data(guard(), 100);
    let server = server_config().resumption(resumption).build().unwrap();
    let config = client_config().early_data(true).hand_out_sessions().build().unwrap();
    for (len, fits) in [(100, true), (101, false)] {
        let session = connect(&config, &server).0.take_session().unwrap();
        let mut inner = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
        inner.max_early_data = 1000;
        let session = ClientSession::from_bytes(&inner.to_bytes().unwrap()).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::with_session(&config, name, session).unwrap();
        let (taken, flight) = seal_early(&mut client, &vec![7; len]);
        assert_eq!(taken, len);
        let outcome = take(&mut ServerConnection::new(&server), &flight, &mut Got::default());
        assert_eq!(outcome.is_ok(), fits);
        if let Err(error) = outcome {
            let kind = error.kind();
            let limit = matches!(kind, ErrorKind::Record(RecordError::EarlyDataTooMuch { limit: 100 }));
            assert!(limit, "{error}");
        }
    }
}

#[test]
fn without_a_guard_there_is_no_early_data() {
    let (client, server) = (early_client(), server_config().build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    assert_eq!((client.early_data(), client.early_data_left()), (EarlyDataStatus::NotOffered, 0));
    assert!(matches!(client.seal_early(b"early", &mut [0; 1000]), Err(SealError::NoEarlyData)));
    handshake(&mut client, &mut server).unwrap();
    assert!(is_resumed(&(client, server)));
}

#[test]
fn clients_send_early_data_only_if_told_to() {
    let (client, server) =
        (client_config().build().unwrap(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (client, _server) = ends(&client, &server);
    assert_eq!(client.early_data(), EarlyDataStatus::NotOffered);
}

#[test]
fn configurations_that_would_let_early_data_be_replayed_are_not_built() {
    let build = |resumption| server_config().resumption(resumption).build();
    let short = ReplayGuard::with_window(10, Duration::from_secs(19)).unwrap();
    let refused = build(Resumption::default().early_data(short.clone(), 1));
    assert!(matches!(refused, Err(ConfigError::Invalid(_))), "less than twice 10 seconds");
    let narrow = Resumption::default().early_data(short, 1).max_age_skew(Duration::from_secs(9));
    assert!(build(narrow).is_ok());
    let elsewhere = Resumption::default().early_data_judged_elsewhere([1; 16], 1);
    assert!(matches!(build(elsewhere.clone()), Err(ConfigError::Missing(_))), "and nobody asked");
    let asked = server_config().resumption(elsewhere).ask(&[Decision::AcceptSession]);
    assert!(asked.build().is_ok());
    assert!(client_config().no_sessions().early_data(true).build().is_err());
}

/// What a server does that refuses early data: the rest of the handshake is as ever, and the data is its client's still.
#[test]
fn refused_early_data_is_skipped_and_remains_the_clients() {
    type Change = fn(ServerConfigBuilder, Resumption) -> ServerConfigBuilder;
    let cases: [(&str, bool, Change); 5] = [
        ("another guard", true, |server, kept| server.resumption(kept.early_data(guard(), LIMIT))),
        ("early data off", true, |server, kept| server.resumption(kept)),
        ("no session", false, |server, _| {
            server.resumption(Resumption::default().early_data(guard(), LIMIT))
        }),
        ("no resumption", false, |server, _| server.no_resumption()),
        ("another group", true, |server, kept| {
            server.groups(&[NamedGroup::SECP521R1]).resumption(kept.early_data(guard(), LIMIT))
        }),
    ];
    for (case, resumed, change) in cases {
        for len in [1, 1000, usize::try_from(LIMIT).unwrap()] {
            let keys = TicketKeys::rotating();
            let client = early_client();
            let kept = Resumption::tickets(keys.clone());
            connect(&client, &early_server(kept.clone()).build().unwrap());
            let changed = change(server_config(), kept).build().unwrap();
            let (got, mut client, mut server) = send_early(&client, &changed, &vec![7; len]);
            assert_rejected(&got, &client, len);
            // Whoever asks knows; whoever does not is told once.
            let asks = len == 1000;
            if asks {
                assert_eq!(client.rejected_early_data(), 0..len);
            } else {
                let lost = client.seal(b"again", &mut [0; 100]);
                let told = u32::try_from(len).unwrap();
                assert!(matches!(lost, Err(SealError::EarlyDataRejected { bytes }) if bytes == told));
            }
            assert_eq!(client.rejected_early_data(), 0..0);
            let sealed = common::seal(&mut client, b"again");
            assert_eq!(feed(&mut server, &sealed).unwrap().data, b"again", "{case}");
            assert_eq!(server.rejected_early_data(), 0..0);
            assert_eq!(is_resumed(&(client, server)), resumed, "{case}");
        }
    }
}

#[test]
fn both_ends_export_the_same_for_early_data_and_nothing_without_it() {
    let keys = TicketKeys::rotating();
    let client_config = early_client();
    let server_config = early_server(Resumption::tickets(keys.clone())).build().unwrap();
    let other = early_server(Resumption::tickets(keys)).build().unwrap();
    connect(&client_config, &server_config);
    let export = |done: &dyn Fn(&mut [u8]) -> Result<(), oxtls::Error>| {
        let mut out = [0; 40];
        done(&mut out).map(|()| out)
    };

    let (mut client, mut server) = ends(&client_config, &server_config);
    let ours = export(&|out| client.export_early("label", Some(b"context"), out)).unwrap();
    assert!(export(&|out| server.export_early("label", Some(b"context"), out)).is_err(), "nothing has come");
    let (_, flight) = seal_early(&mut client, b"early");
    take(&mut server, &flight, &mut Got::default()).unwrap();
    assert!(server.is_handshaking());
    let theirs = export(&|out| server.export_early("label", Some(b"context"), out)).unwrap();
    assert_eq!(ours, theirs);
    for (label, context) in [("other", &b"context"[..]), ("label", b"other")] {
        assert_ne!(ours, export(&|out| client.export_early(label, Some(context), out)).unwrap());
    }
    handshake(&mut client, &mut server).unwrap();
    for info in [client.info().unwrap(), server.info().unwrap()] {
        assert_eq!(export(&|out| info.export_early("label", Some(b"context"), out)).unwrap(), ours);
        assert_ne!(export(&|out| info.export("label", Some(b"context"), out)).unwrap(), ours);
    }
    assert_eq!(export(&|out| client.export_early("label", Some(b"context"), out)).unwrap(), ours);

    // Refused: what the client could export before is worth nothing, and gone.
    common::deliver(&mut server, &mut client);
    let (mut client, mut server) = ends(&client_config, &other);
    assert!(export(&|out| client.export_early("label", None, out)).is_ok());
    let (_, flight) = seal_early(&mut client, b"early");
    take(&mut server, &flight, &mut Got::default()).unwrap();
    feed(&mut client, &drain(&mut server)).unwrap();
    feed(&mut server, &drain(&mut client)).unwrap();
    assert!(client.info().unwrap().is_resumed());
    assert!(export(&|out| client.export_early("label", None, out)).is_err());
    assert!(export(&|out| server.export_early("label", None, out)).is_err());
    assert!(export(&|out| client.info().unwrap().export_early("label", None, out)).is_err());

    // A session, and nothing early; no session; no exporter wanted.
    let quiet = self::client_config().build().unwrap();
    connect(&quiet, &server_config);
    for (client, server) in [connect(&quiet, &server_config), connect(&quiet, &other)] {
        assert!(export(&|out| client.export_early("label", None, out)).is_err());
        assert!(export(&|out| server.export_early("label", None, out)).is_err());
    }
    let without = self::client_config().exporter(false).early_data(true).build().unwrap();
    connect(&without, &server_config);
    let (client, _) = ends(&without, &server_config);
    assert!(client.early_data_left() > 0);
    assert!(export(&|out| client.export_early("label", None, out)).is_err());
}

#[test]
fn halves_of_a_connection_whose_early_data_was_refused_tell_of_it() {
    let keys = TicketKeys::rotating();
    let client = early_client();
    connect(&client, &early_server(Resumption::tickets(keys.clone())).build().unwrap());
    let other = early_server(Resumption::tickets(keys)).build().unwrap();
    let (_, client, _) = send_early(&client, &other, b"early");
    let (mut sender, _receiver) = client.split().unwrap();
    let mut window = [0; 100];
    let lost = sender.seal(b"on", &mut window).unwrap_err();
    assert!(matches!(lost, SealError::EarlyDataRejected { bytes: 5 }));
    assert!(lost.to_string().contains("rejected_early_data"), "{lost}");
    assert_eq!(sender.seal(b"on", &mut window).unwrap().taken, 2);
}

/// Whoever sits between can hand the early data on to the server, which takes it, and refuse it in the server's name by a
/// HelloRetryRequest: a refusal counts from the server's Finished on.
#[test]
fn early_data_is_refused_by_nobody_but_the_server() {
    let keys = TicketKeys::rotating();
    let client = early_client();
    let true_server = early_server(Resumption::tickets(keys)).build().unwrap();
    connect(&client, &true_server);
    let (mut client, mut true_server) = ends(&client, &true_server);
    let (_, flight) = seal_early(&mut client, b"pay");
    let mut got = Got::default();
    take(&mut true_server, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"pay");
    let mut between =
        ServerConnection::new(&server_config().groups(&[NamedGroup::SECP521R1]).build().unwrap());
    take(&mut between, &flight, &mut Got::default()).unwrap();
    feed(&mut client, &drain(&mut between)).unwrap();
    assert!(client.is_handshaking());
    assert_eq!(client.rejected_early_data(), 0..0, "nobody has signed that");
    client.end_of_input().unwrap_err();
    assert_eq!(client.rejected_early_data(), 0..0);
    assert_eq!(client.early_data(), EarlyDataStatus::Offered { sealed: 3, left: 0 });
}

#[test]
fn early_data_that_was_taken_or_never_sent_is_not_told_of() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (_, mut accepted, _) = send_early(&client, &server, b"early");
    assert_eq!(accepted.rejected_early_data(), 0..0);
    assert!(accepted.seal(b"on", &mut [0; 100]).is_ok());
    // Offered, none sealed, and refused.
    let other = early_server(Resumption::default()).build().unwrap();
    let (_, mut empty, _) = send_early(&client, &other, b"");
    assert!(matches!(empty.early_data(), EarlyDataStatus::Rejected { bytes: 0, .. }));
    assert!(empty.seal(b"on", &mut [0; 100]).is_ok());
}

#[test]
fn early_data_of_another_protocol_is_refused() {
    let keys = TicketKeys::rotating();
    let guard = guard();
    let server = |alpn: [&str; 1]| {
        let resumption = Resumption::tickets(keys.clone()).early_data(guard.clone(), LIMIT);
        server_config().alpn(alpn).resumption(resumption).build().unwrap()
    };
    let client = early_client();
    connect(&client, &server(["b"]));
    let (got, client, server) = send_early(&client, &server(["a"]), b"early");
    assert_rejected(&got, &client, 5);
    assert_eq!(client.info().unwrap().alpn(), Some(&b"a"[..]));
    let status = server.early_data();
    assert!(
        matches!(status, EarlyDataStatus::Rejected { bytes: 0, reason: EarlyDataRejection::Alpn }),
        "{status:?}"
    );
    assert!(is_resumed(&(client, server)));
}

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
fn a_server_before_its_client_has_proved_anything_answers_only_if_told_to() {
    for half_rtt in [false, true] {
        let server = early_server(Resumption::default()).half_rtt(half_rtt).build().unwrap();
        let client = early_client();
        connect(&client, &server);
        let (mut client, mut server) = ends(&client, &server);
        let (_, flight) = seal_early(&mut client, b"early");
        take(&mut server, &flight, &mut Got::default()).unwrap();
        assert_eq!(server.can_seal(), half_rtt);
        if half_rtt {
            let answer = common::seal(&mut server, b"answer");
            assert_eq!(feed(&mut client, &answer).unwrap().data, b"answer");
        }
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

#[test]
fn a_session_in_hand_sends_early_data_too_and_says_what_it_allows() {
    let server = early_server(Resumption::default()).build().unwrap();
    let config = client_config().early_data(true).hand_out_sessions().build().unwrap();
    let (mut first, _) = connect(&config, &server);
    let mut session = first.take_session().unwrap();
    assert_eq!((session.max_early_data(), session.alpn()), (LIMIT, Some(&b"b"[..])));
    session.set_context("settings");
    let session = ClientSession::from_bytes(&session.to_bytes().unwrap()).unwrap();
    assert_eq!(session.context(), b"settings");
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::with_session(&config, name, session).unwrap();
    let mut server = ServerConnection::new(&server);
    let (taken, flight) = seal_early(&mut client, b"early");
    assert_eq!((taken, client.early_data_left()), (5, LIMIT - 5));
    let mut got = Got::default();
    take(&mut server, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"early");
}

#[test]
fn a_server_of_tls12_ends_the_connection() {
    let keys = TicketKeys::rotating();
    let both = |builder: ServerConfigBuilder, highest| {
        builder.versions(ProtocolVersion::TLS1_2, highest).build().unwrap()
    };
    let resumption = || Resumption::tickets(keys.clone());
    let client = client_config().versions(ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
    let client = client.early_data(true).build().unwrap();
    connect(&client, &both(early_server(resumption()), ProtocolVersion::TLS1_3));
    let old = both(server_config().resumption(resumption()), ProtocolVersion::TLS1_2);
    let (mut client, mut server) = ends(&client, &old);
    let (_, flight) = seal_early(&mut client, b"early");
    let fed = feed(&mut server, &flight);
    let answer = drain(&mut server);
    // RFC 9846 appendix E: a client that gets TLS 1.2 in answer to early data gives up, and may retry without.
    assert!(feed(&mut client, &answer).is_err() || fed.is_err());
    assert_eq!(
        client.early_data(),
        EarlyDataStatus::Offered { sealed: 5, left: 0 },
        "who says so is not known"
    );
}

#[test]
fn whatever_is_changed_in_early_data_ends_the_connection() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    let hello = drain(&mut client);
    let (_, mut early) = seal_early(&mut client, b"early");
    let last = early.len() - 1;
    early[last] ^= 1;
    let mut got = Got::default();
    take(&mut server, &hello, &mut got).unwrap();
    let error = take(&mut server, &early, &mut got).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Record(RecordError::DecryptFailed)), "{error}");
    assert_eq!(got.early, b"");
}

#[test]
fn however_the_bytes_are_cut_early_data_is_the_same() {
    for refused in [false, true] {
        let keys = TicketKeys::rotating();
        let client = early_client();
        connect(&client, &early_server(Resumption::tickets(keys.clone())).build().unwrap());
        let server = early_server(Resumption::tickets(keys.clone()));
        // Another guard refuses; the one that made the ticket does not.
        let first = server.build().unwrap();
        if !refused {
            connect(&client, &first);
        }
        let (mut client, mut server) = ends(&client, &first);
        let (_, flight) = seal_early(&mut client, b"early");
        let mut got = Got::default();
        trickle(&mut server, &flight, &mut got);
        let answer = drain(&mut server);
        trickle(&mut client, &answer, &mut Got::default());
        let bytes = drain(&mut client);
        trickle(&mut server, &bytes, &mut got);
        assert!(!client.is_handshaking() && got.done && !got.early_after_done);
        assert_eq!(got.early, if refused { &b""[..] } else { b"early" });
        assert!(is_resumed(&(client, server)));
    }
}

/// One byte more at each call.
fn trickle<R: Role>(connection: &mut Connection<R>, bytes: &[u8], got: &mut Got) {
    let mut input = Vec::new();
    for byte in bytes {
        input.push(*byte);
        let progress = connection.feed(&mut input).unwrap();
        match progress.event {
            Some(Event::EarlyData(range)) => got.early.extend_from_slice(&input[range]),
            Some(Event::Data(range)) => got.data.extend_from_slice(&input[range]),
            Some(Event::HandshakeDone) => got.done = true,
            _ => {}
        }
        input.drain(..progress.consumed);
    }
    assert!(input.is_empty());
}

#[test]
fn a_connection_that_is_dropped_with_early_data_in_it_burns_nothing_but_its_ticket() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut dropped, _) = ends(&client, &server);
    let _ = seal_early(&mut dropped, b"early");
    drop(dropped);
    let (got, ..) = send_early(&client, &server, b"early");
    assert_eq!(got.early, b"early");
}

#[test]
fn early_data_in_a_window_that_is_too_small_is_not_lost() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    let data = b"early data in little pieces";
    let (mut taken, mut flight) = (0, Vec::new());
    // The hello goes first, piece by piece, through the same window.
    let mut window = [0; 30];
    while taken < data.len() {
        let sealed = client.seal_early(&data[taken..], &mut window).unwrap();
        assert!(sealed.written > 0);
        taken += sealed.taken;
        flight.extend_from_slice(&window[..sealed.written]);
    }
    assert!(matches!(client.seal_early(b"x", &mut [0; 10]), Err(SealError::TooSmall { .. })));
    let mut got = Got::default();
    take(&mut server, &flight, &mut got).unwrap();
    assert_eq!(got.early, data);
}

#[test]
fn decisions_about_sessions_can_take_their_time_and_only_the_right_answer_counts() {
    let decisions = [Decision::FindSession, Decision::AcceptSession];
    let (client, server) =
        (early_client(), early_server(Resumption::default()).ask(&decisions).build().unwrap());
    let mut stale = Vec::new();
    for round in 0..3 {
        let (mut client, mut server) = ends(&client, &server);
        let (_, flight) = seal_early(&mut client, b"early");
        let (mut input, mut got, mut asked) = (flight, Got::default(), Vec::new());
        while !input.is_empty() || client.is_handshaking() || server.is_handshaking() {
            let progress = server.feed(&mut input).unwrap();
            let mut event = progress.event;
            if let Some(Event::EarlyData(range)) = &event {
                got.early.extend_from_slice(&input[range.clone()]);
            }
            input.drain(..progress.consumed);
            while let Some(Event::Need(need)) = event {
                // Nothing moves, however often it is fed and whatever answer of old comes.
                assert_eq!(server.feed(&mut input).unwrap().consumed, 0);
                if let Some(answer) = stale.pop() {
                    let refused = server.answer(answer).unwrap_err();
                    assert!(matches!(refused.kind(), ErrorKind::Misuse(_)));
                }
                assert!(server.is_waiting());
                asked.push(need.name());
                event = server.answer_as_configured(*need).unwrap();
            }
            let answer = drain(&mut server);
            feed(&mut client, &answer).unwrap();
            input.extend(drain(&mut client));
        }
        let answer = drain(&mut server);
        feed(&mut client, &answer).unwrap();
        if round > 0 {
            assert_eq!(
                (asked.as_slice(), got.early.as_slice()),
                (&["FindSession", "AcceptSession"][..], &b"early"[..])
            );
        }
        // An answer to a Need of a connection that is gone.
        stale.extend(lost_answer(&decisions));
    }
}

fn server_of(decisions: &[Decision]) -> ServerConfig {
    early_server(Resumption::default()).ask(decisions).build().unwrap()
}

/// The answer to a FindSession of a connection that was dropped.
fn lost_answer(decisions: &[Decision]) -> Option<oxtls::need::Answer> {
    let (config, server) = (early_client(), server_of(decisions));
    let (mut client, mut first) = ends(&config, &server);
    handshake(&mut client, &mut first).unwrap();
    common::deliver(&mut first, &mut client);
    let (mut client, mut gone) = ends(&config, &server);
    match common::deliver(&mut client, &mut gone).needs.pop() {
        Some(Need::FindSession(token)) => Some(token.none()),
        other => panic!("{other:?}"),
    }
}
