//! 0-RTT: T5 (accepted), T6 (refused by choice), T7 (refused by HelloRetryRequest), T12 b (an older server) and T13
//! (QUIC), row by row. The client's rows are against a server of messages alone, the rest is both machines against each
//! other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use common::scripted::{
    Flight, FlightTls12, NAME, Script, ScriptTls12, binder_verifies, hash_of, retry, session,
};
use common::short::{IP, TLS12, TLS13, UE, UM};
use common::{Answers, End, Hello, Message, Pair, client, credential, edit, server, usual};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientHandshake, Common, ServerHandshake};
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::key_schedule::tls13::EarlySecret;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::client_hello::OwnedClientHello;
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Direction, Level, Transport};
use oxtls_handshake::suite::CipherSuite;

const EARLY: ExtensionType = ExtensionType::EARLY_DATA;

/// T5.0.
const ROW_0: [&str; 5] = ["S(ClientHello)@In", "CCS", "W:Ea", "Offered(1024)", "R(drop,no)"];

/// A client that offers this session with early data.
fn config(
    mut session: Session,
    change: impl FnOnce(&mut Session, &mut ClientHandshake, &mut Common),
) -> ClientHandshake {
    let mut common = usual();
    let mut config = ClientHandshake {
        server_name: Some(NAME.to_owned()),
        resumption: true,
        early_data: true,
        ..ClientHandshake::default()
    };
    change(&mut session, &mut config, &mut common);
    config.common = Arc::new(common);
    config.session = Some(Arc::new(Psk::Session(Box::new(session))));
    config
}

/// A client on a stream with its early key, and its hello.
fn offering() -> (End, Message) {
    offering_with(|_, _, _| ())
}

fn offering_with(change: impl FnOnce(&mut Session, &mut ClientHandshake, &mut Common)) -> (End, Message) {
    let mut end = client(config(session(), change), Transport::Stream, None);
    assert_eq!(end.drain(), ROW_0);
    let hello = end.next_message();
    (end, hello)
}

mod t5_accepted {
    use super::*;

    #[test]
    fn row_0_the_early_key_follows_the_hello_and_nothing_else_does() {
        let (end, hello) = offering();
        assert!(Hello::of(&hello).has(EARLY));
        assert!(Hello::of(&hello).get(EARLY).is_empty());
        let session = session();
        assert!(binder_verifies(&session, core::slice::from_ref(&hello)));
        let hash = hash_of(&session);
        let early = EarlySecret::new(hash, Some(&session.secret));
        let digest = hash.digest(&hello.bytes);
        let traffic = early.client_traffic(&digest).unwrap();
        assert_eq!(end.key(Level::Early, Direction::Write), traffic.as_bytes());
        let exporter = early.exporter(&digest).unwrap();
        assert_eq!(end.early_exporter.as_deref(), Some(exporter.as_bytes()));
        let logged = [
            ("CLIENT_EARLY_TRAFFIC_SECRET", traffic.as_bytes().to_vec()),
            ("EARLY_EXPORTER_SECRET", exporter.as_bytes().to_vec()),
        ];
        assert_eq!(end.key_log, logged);
    }

    #[test]
    fn rows_3_to_5_the_early_key_stays_until_end_of_early_data() {
        let (mut end, hello) = offering();
        let session = session();
        let flight = Flight::new(&[hello], &Script::resume(&session, true));
        assert_eq!(end.give(&flight.server_hello), ["R:HS", "R(drop,no)"]);
        assert_eq!(end.give(&flight.encrypted_extensions), ["Limits", "Accepted"]);
        let row = end.give(&flight.finished);
        let expected =
            ["S(EndOfEarlyData)@Ea", "W:HS", "S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"];
        assert_eq!(row, expected);
        assert_eq!(end.key(Level::Handshake, Direction::Write), flight.client_handshake.as_bytes());
        assert!(end.outcome().early_data && end.outcome().psk.is_some());
        let sent: Vec<_> = end.sent.drain(..).collect();
        let names: Vec<_> = sent.iter().map(Message::name).collect();
        assert_eq!(names, ["EndOfEarlyData", "Finished"]);
        flight.take(sent);
    }

    #[test]
    fn row_4_refuses_what_early_data_was_not_for() {
        let session = session();
        let mut protocol = Script::resume(&session, true);
        protocol.extensions.alpn = Some(b"http/1.1");
        let mut none = Script::resume(&session, true);
        none.extensions.alpn = None;
        let mut suite = Script::resume(&session, true);
        suite.suite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;
        for script in [protocol, none, suite] {
            let (mut end, hello) = offering();
            let flight = Flight::new(&[hello], &script);
            end.give(&flight.server_hello);
            let row = end.give(&flight.encrypted_extensions);
            assert_eq!(row.last().unwrap(), "Failed(illegal_parameter)@Ea");
            assert_eq!(end.error().fault(), Fault::Peer);
        }
        // Without the session there is no early data to accept.
        let (mut end, hello) = offering();
        let mut script = Script::resume(&session, true);
        (script.psk, script.selected_identity) = (None, None);
        let flight = Flight::new(&[hello], &script);
        end.give(&flight.server_hello);
        let row = end.give(&flight.encrypted_extensions);
        assert_eq!(row.last().unwrap(), "Failed(illegal_parameter)@HS");
        // Where none was offered.
        let config = config(super::session(), |_, config, _| config.early_data = false);
        let mut end = client(config, Transport::Stream, None);
        end.drain();
        let flight = Flight::new(&[end.next_message()], &Script::resume(&session, true));
        end.give(&flight.server_hello);
        end.refuses(&flight.encrypted_extensions, UE, "HS");
    }

    #[test]
    fn row_5_refuses_end_of_early_data_from_a_server() {
        let session = session();
        for messages in 0..3 {
            let (mut end, hello) = offering();
            let flight = Flight::new(&[hello], &Script::resume(&session, true));
            for message in flight.messages().into_iter().take(messages) {
                end.give(message);
            }
            let level = if messages == 0 { Level::Initial } else { Level::Handshake };
            end.refuses(&Message::new(level, HandshakeType::END_OF_EARLY_DATA, &[]), UM, "Ea");
        }
    }

    /// T15: until EndOfEarlyData an alert is under the early key, which the server may be reading under.
    #[test]
    fn alerts_before_the_end_of_early_data_are_under_its_key() {
        let session = session();
        for messages in 0..3 {
            let (mut end, hello) = offering();
            let flight = Flight::new(&[hello], &Script::resume(&session, true));
            for message in flight.messages().into_iter().take(messages) {
                end.give(message);
            }
            assert_eq!(end.abort(Error::Canceled), ["Failed(user_canceled)@Ea"]);
        }
        let (mut end, hello) = offering();
        let mut flight = Flight::new(&[hello], &Script::resume(&session, true));
        end.give(&flight.server_hello);
        end.give(&flight.encrypted_extensions);
        flight.finished.bytes[4] ^= 1;
        end.refuses(&flight.finished, AlertDescription::DECRYPT_ERROR, "Ea");
        assert!(end.sent.is_empty(), "no EndOfEarlyData to one that has proved nothing");
    }

    #[test]
    fn nothing_is_offered_without_a_session_that_allows_it() {
        type Change = fn(&mut Session, &mut ClientHandshake, &mut Common);
        let changes: [(&str, Change, bool); 6] = [
            ("not wanted", |_, config, _| config.early_data = false, true),
            ("not allowed", |session, _, _| session.max_early_data = 0, true),
            ("of a protocol that is not offered", |session, _, _| session.alpn = Some(b"h3".to_vec()), true),
            ("of another name", |_, config, _| config.server_name = None, false),
            (
                "a suite that is not offered",
                |_, _, common| {
                    common.suites = vec![CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
                },
                false,
            ),
            (
                "TLS 1.2 alone",
                |_, _, common| (common.min_version, common.max_version) = (TLS12, TLS12),
                false,
            ),
        ];
        for (what, change, psk) in changes {
            let mut end = client(config(session(), change), Transport::Stream, None);
            let row = end.drain();
            assert_eq!(row.len(), 2, "{what}: {row:?}");
            let hello = end.next_message();
            assert!(!Hello::of(&hello).has(EARLY), "{what}");
            assert_eq!(Hello::of(&hello).has(ExtensionType::PRE_SHARED_KEY), psk, "{what}");
        }
    }

    #[test]
    fn compatibility_mode_and_the_exporter_can_be_off() {
        let config = config(session(), |session, config, common| {
            session.alpn = None;
            config.compatibility_mode = false;
            common.exporter = false;
        });
        let mut end = client(config, Transport::Stream, None);
        assert_eq!(end.drain(), ["S(ClientHello)@In", "W:Ea", "Offered(1024)", "R(drop,no)"]);
        assert!(end.early_exporter.is_none());
        assert_eq!(end.key_log.len(), 1);
        let session = Session { alpn: None, ..session() };
        let flight = Flight::new(&[end.next_message()], &Script::resume(&session, true));
        flight.give_to(&mut end);
        assert!(end.outcome().early_data && end.outcome().exporter.is_none());
    }
}

mod t6_refused {
    use super::*;

    #[test]
    fn rows_2_and_3_resumed_without_it() {
        let (mut end, hello) = offering();
        let session = session();
        let flight = Flight::new(&[hello], &Script::resume(&session, false));
        assert_eq!(end.give(&flight.server_hello), ["R:HS", "R(drop,no)"]);
        assert_eq!(end.give(&flight.encrypted_extensions), ["Rejected(PeerDeclined)", "W:HS", "Limits"]);
        let row = end.give(&flight.finished);
        assert_eq!(row, ["S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"], "no EndOfEarlyData");
        assert!(!end.outcome().early_data && end.outcome().psk.is_some());
        let sent: Vec<_> = end.sent.drain(..).collect();
        flight.take(sent);
    }

    #[test]
    fn row_3_the_key_moves_before_anything_else_is_checked() {
        let session = session();
        let mut script = Script::resume(&session, false);
        script.extensions.alpn = Some(b"h3");
        let (mut end, hello) = offering();
        let flight = Flight::new(&[hello], &script);
        end.give(&flight.server_hello);
        let row = end.give(&flight.encrypted_extensions);
        assert_eq!(row, ["Rejected(PeerDeclined)", "W:HS", "Failed(illegal_parameter)@HS"]);
    }

    fn full_server(change: impl FnOnce(&mut Common)) -> End {
        let mut common = usual();
        change(&mut common);
        let config = ServerHandshake { common: Arc::new(common), ..ServerHandshake::default() };
        let answers = Answers {
            config: Arc::new(config),
            cookie: None,
            credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        };
        server(Transport::Stream, answers)
    }

    #[test]
    fn row_2_not_resumed() {
        let (mut end, hello) = offering();
        let mut server = full_server(|_| ());
        server.drain();
        server.give(&hello);
        server.settle();
        let row = end.give(&server.next_message());
        assert_eq!(row, ["Rejected(NotResumed)", "W:HS", "R:HS", "R(drop,no)"]);
        let mut pair = Pair { client: end, server };
        pair.run_with(|to_server, message| {
            assert!(!(to_server && message.typ_is(HandshakeType::END_OF_EARLY_DATA)));
        });
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert!(!pair.client.outcome().early_data && pair.client.outcome().psk.is_none());
    }

    #[test]
    fn a_hello_that_is_refused_leaves_the_early_key_for_the_alert() {
        let (mut end, hello) = offering();
        let session = session();
        let mut script = Script::resume(&session, false);
        script.selected_identity = Some(1);
        let flight = Flight::new(&[hello], &script);
        end.refuses(&flight.server_hello, IP, "Ea");
    }

    #[test]
    fn t7_a_retry_takes_the_key_away_and_the_session_goes_on() {
        for group in [Some(NamedGroup::SECP256R1), None] {
            let (mut end, first) = offering();
            let request = retry(&first, session().suite, group, Some(b"cookie"));
            let row = end.give(&request);
            assert_eq!(row, ["Rejected(HelloRetryRequest)", "S(ClientHello)@In"], "no second CCS");
            let second = end.next_message();
            assert!(!Hello::of(&second).has(EARLY));
            let hellos = [first, request, second];
            let session = session();
            assert!(binder_verifies(&session, &hellos));
            let flight = Flight::new(&hellos, &Script::resume(&session, false));
            assert_eq!(end.give(&flight.server_hello), ["W:HS", "R:HS", "R(drop,no)"]);
            assert_eq!(end.give(&flight.encrypted_extensions), ["Limits"]);
            end.give(&flight.finished);
            assert!(!end.outcome().early_data && end.outcome().hello_retry_request);
            let sent: Vec<_> = end.sent.drain(..).collect();
            flight.take(sent);
        }
    }

    #[test]
    fn t7_early_data_is_not_accepted_behind_a_retry() {
        let (mut end, first) = offering();
        let request = retry(&first, session().suite, None, Some(b"cookie"));
        end.give(&request);
        let second = end.next_message();
        let session = session();
        let flight = Flight::new(&[first, request, second], &Script::resume(&session, true));
        end.give(&flight.server_hello);
        end.refuses(&flight.encrypted_extensions, UE, "HS");
    }

    #[test]
    fn t7_a_retry_that_is_refused_leaves_the_early_key() {
        let (mut end, first) = offering();
        let request = retry(&first, session().suite, Some(NamedGroup::X25519), None);
        end.refuses(&request, IP, "Ea");
    }

    /// Refused in the clear: neither the data nor an alert under its key means anything to such a server.
    #[test]
    fn t12_b_an_older_server_ends_it_in_the_clear() {
        let older = |random: [u8; 8]| {
            let (mut end, hello) = offering_with(|_, _, common| common.min_version = TLS12);
            let session = common::scripted::session_tls12(b"", b"");
            let mut script = ScriptTls12::resume(&hello, &session);
            script.session_id = b"another".to_vec();
            let message = FlightTls12::new(&hello, &script).server_hello;
            let message = edit(&message, |hello| hello.random[24..].copy_from_slice(&random));
            (end.give(&message), end)
        };
        let (row, end) = older([5; 8]);
        assert_eq!(row, ["Rejected(Version)", "Failed(protocol_version)@In"]);
        assert!(matches!(end.error(), Error::EarlyDataBeforeTls12));
        assert_eq!(end.error().fault(), Fault::Incompatible);
        let (row, end) = older(*b"DOWNGRD\x01");
        assert_eq!(row, ["Rejected(Version)", "Failed(illegal_parameter)@In"]);
        assert!(matches!(end.error(), Error::Downgrade));
    }

    #[test]
    fn t12_b_without_early_data_an_older_server_is_spoken_with() {
        let config = config(session(), |_, config, common| {
            config.early_data = false;
            common.min_version = TLS12;
        });
        let mut pair = Pair {
            client: client(config, Transport::Stream, None),
            server: full_server(|common| (common.min_version, common.max_version) = (TLS12, TLS12)),
        };
        pair.run();
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(pair.client.outcome().version, TLS12);
    }
}

mod t13_quic {
    use super::*;

    fn quic() -> (End, Message) {
        let config = config(session(), |session, _, common| {
            session.max_early_data = u32::MAX;
            common.alpn = vec![b"h2".to_vec()];
        });
        let mut end = client(config, Transport::Quic { parameters: vec![1] }, None);
        let row = end.drain();
        assert_eq!(row, ["S(ClientHello)@In", "W:Ea", "Offered(4294967295)", "max_message"]);
        let hello = end.next_message();
        (end, hello)
    }

    fn script(session: &Session, early_data: bool) -> Script<'_> {
        let mut script = Script::resume(session, early_data);
        script.extensions.quic_transport_parameters = Some(b"parameters");
        script.extensions.record_size_limit = None;
        script
    }

    #[test]
    fn the_handshake_key_comes_at_once_and_there_is_no_end_of_early_data() {
        let (mut end, hello) = quic();
        let session = session();
        let flight = Flight::new(&[hello], &script(&session, true));
        assert_eq!(end.give(&flight.server_hello), ["W:HS", "R:HS"]);
        assert_eq!(end.give(&flight.encrypted_extensions), ["PeerParameters", "Accepted"]);
        let row = end.give(&flight.finished);
        assert_eq!(row, ["S(Finished)@HS", "W:Ap", "R:Ap", "max_message", "Done"]);
        assert!(end.outcome().early_data);
        let sent: Vec<_> = end.sent.drain(..).collect();
        flight.take(sent);
    }

    #[test]
    fn refused_early_data_moves_no_key_twice() {
        let (mut end, hello) = quic();
        let session = session();
        let flight = Flight::new(&[hello], &script(&session, false));
        assert_eq!(end.give(&flight.server_hello), ["W:HS", "R:HS"]);
        let row = end.give(&flight.encrypted_extensions);
        assert_eq!(row, ["Rejected(PeerDeclined)", "PeerParameters"]);
        end.give(&flight.finished);
        assert!(end.done.is_some() && !end.outcome().early_data);
        let (mut end, hello) = quic();
        let mut not_resumed = script(&session, false);
        (not_resumed.psk, not_resumed.selected_identity) = (None, None);
        let flight = Flight::new(&[hello], &not_resumed);
        assert_eq!(end.give(&flight.server_hello), ["Rejected(NotResumed)", "W:HS", "R:HS"]);
    }

    #[test]
    fn a_retry_refuses_it() {
        let (mut end, first) = quic();
        let row = end.give(&retry(&first, session().suite, None, Some(b"cookie")));
        assert_eq!(row, ["Rejected(HelloRetryRequest)", "S(ClientHello)@In"]);
        assert!(!Hello::of(&end.next_message()).has(EARLY));
    }
}

#[test]
fn the_early_secret_is_that_of_the_first_hello_whatever_its_hash() {
    let suite = CipherSuite::TLS_AES_256_GCM_SHA384;
    let change = |session: &mut Session, _: &mut ClientHandshake, _: &mut Common| {
        session.suite = suite;
        session.secret = Secret::new(&[3; 48]).unwrap();
    };
    let (mut end, hello) = offering_with(change);
    let session = Session { suite, secret: Secret::new(&[3; 48]).unwrap(), ..session() };
    let early = EarlySecret::new(hash_of(&session), Some(&session.secret));
    let traffic = early.client_traffic(&hash_of(&session).digest(&hello.bytes)).unwrap();
    assert_eq!(end.key(Level::Early, Direction::Write), traffic.as_bytes());
    let owned = OwnedClientHello::new(&hello.bytes).unwrap();
    assert_eq!(owned.versions(), [TLS13]);
    let flight = Flight::new(&[hello], &Script::resume(&session, true));
    flight.give_to(&mut end);
    assert!(end.outcome().early_data);
    let sent: Vec<_> = end.sent.drain(..).collect();
    flight.take(sent);
}
