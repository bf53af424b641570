//! Sessions that are offered and resumed: T4 and T9 (TLS 1.3), T11 (TLS 1.2) and T12 f (both), row by row. The client's
//! rows are against a server of messages alone, the rest is both machines against each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::scripted::{
    AGE, AGE_ADD, Flight, FlightTls12, FullTls12, HelloTls12, NAME, Script, ScriptTls12, binder_verifies,
    retry, session, session_tls12,
};
use common::{Answers, End, Hello, Message, NOW, Pair, client, credential, edit, server};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{ClientHandshake, Common, ConfigError, Randomness, Recorded, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::extension::ticket_request::TicketRequest;
use oxtls_handshake::key_schedule::tls13::resumption_psk;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::client_hello::OwnedClientHello;
use oxtls_handshake::message::new_session_ticket::NewSessionTicket;
use oxtls_handshake::need::{Need, SessionOffer};
use oxtls_handshake::post_handshake::Received;
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Direction, Input, Level, Misuse, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};

const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;
const TLS13: ProtocolVersion = ProtocolVersion::TLS1_3;
const PSK: ExtensionType = ExtensionType::PRE_SHARED_KEY;
const TICKET: ExtensionType = ExtensionType::SESSION_TICKET;
const UM: AlertDescription = AlertDescription::UNEXPECTED_MESSAGE;
const IP: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;
const DE: AlertDescription = AlertDescription::DECODE_ERROR;

fn common_config(min_version: ProtocolVersion, max_version: ProtocolVersion) -> Common {
    Common {
        min_version,
        max_version,
        suites: defaults::SUITES_TLS12.to_vec(),
        groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        record_size_limit: Some(4096),
        key_log: true,
        ..Common::default()
    }
}

/// A client that wants sessions and offers this one.
fn config(
    session: Option<Session>,
    change: impl FnOnce(&mut ClientHandshake, &mut Common),
) -> ClientHandshake {
    let version = session.as_ref().map_or(TLS13, |session| session.version);
    let mut common = common_config(version, version);
    let mut config = ClientHandshake {
        server_name: Some(NAME.to_owned()),
        resumption: true,
        session: session.map(|session| Arc::new(Psk::Session(Box::new(session)))),
        tls12_tickets: true,
        ..ClientHandshake::default()
    };
    change(&mut config, &mut common);
    config.common = Arc::new(common);
    config
}

/// Such a client on a stream, and its first hello.
fn offering(session: Session, change: impl FnOnce(&mut ClientHandshake, &mut Common)) -> (End, Message) {
    started(config(Some(session), change), Transport::Stream)
}

fn started(config: ClientHandshake, transport: Transport) -> (End, Message) {
    let mut end = client(config, transport, None);
    end.drain();
    let hello = end.next_message();
    (end, hello)
}

fn offers(hello: &Message, typ: ExtensionType) -> bool {
    Hello::of(hello).extensions.iter().any(|(is, _)| *is == typ)
}

#[track_caller]
fn refuses(end: &mut End, message: &Message, alert: AlertDescription, level: &str) {
    assert_eq!(end.give(message), [format!("Failed({alert})@{level}")], "{:?}", end.failure);
    assert_eq!(end.offer(message, false), Err(Misuse::Ended));
}

mod offer {
    use super::*;

    #[test]
    fn a_session_of_tls13_is_the_last_extension_with_its_age_and_a_binder() {
        for suite in [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384] {
            let length = if suite == CipherSuite::TLS_AES_256_GCM_SHA384 { 48 } else { 32 };
            let secret = Secret::new(&vec![7; length]).unwrap();
            let session = Session { suite, secret, ..session() };
            let copy = Session::from_bytes(&session.to_bytes().unwrap()).unwrap();
            for grease in [false, true] {
                let session = Session::from_bytes(&copy.to_bytes().unwrap()).unwrap();
                let (_, hello) = offering(session, |config, _| config.grease = grease);
                let owned = OwnedClientHello::new(&hello.bytes).unwrap();
                let extensions = owned.parse().unwrap().extensions;
                assert_eq!(extensions.types_in_order().last(), Some(PSK));
                let psks: Vec<_> = extensions.pre_shared_key.unwrap().identities().collect();
                assert_eq!(psks.len(), 1);
                assert_eq!(psks[0].identity, b"a ticket");
                let age = u32::try_from(AGE.as_millis()).unwrap();
                assert_eq!(psks[0].obfuscated_ticket_age, AGE_ADD.wrapping_add(age), "wraps around");
                assert!(binder_verifies(&copy, core::slice::from_ref(&hello)));
                assert!(extensions.psk_key_exchange_modes.unwrap().psk_dhe_ke());
                assert!(extensions.key_shares.is_some());
                assert!(!extensions.early_data, "only if it is wanted");
            }
        }
    }

    #[test]
    fn only_psk_dhe_ke_is_offered() {
        let (_, hello) = offering(session(), |_, _| ());
        assert_eq!(Hello::of(&hello).get(ExtensionType::PSK_KEY_EXCHANGE_MODES), [1, 1]);
    }

    #[test]
    fn sessions_that_are_wanted_are_asked_for_and_others_not() {
        let asked = TicketRequest { new_session_count: 3, resumption_count: 1 };
        for (resumption, tickets, expected) in
            [(true, true, (true, true)), (true, false, (true, false)), (false, true, (false, false))]
        {
            let config = config(None, |config, common| {
                config.resumption = resumption;
                config.tls12_tickets = tickets;
                config.ticket_request = Some(asked);
                common.min_version = TLS12;
            });
            let (_, hello) = started(config, Transport::Stream);
            assert!(!offers(&hello, PSK));
            assert_eq!(offers(&hello, ExtensionType::PSK_KEY_EXCHANGE_MODES), expected.0);
            assert_eq!(offers(&hello, ExtensionType::TICKET_REQUEST), expected.0);
            assert_eq!(offers(&hello, TICKET), expected.1);
            if expected.0 {
                assert_eq!(Hello::of(&hello).get(ExtensionType::TICKET_REQUEST), [3, 1]);
            }
            if expected.1 {
                assert!(Hello::of(&hello).get(TICKET).is_empty());
            }
        }
    }

    /// Nothing of the session is in the hello, and nothing fails.
    #[test]
    fn a_session_that_does_not_fit_is_not_offered() {
        type Change = fn(&mut Session);
        let changes: [(&str, Change); 8] = [
            ("another name", |s| s.server_name = Some("other.example".to_owned())),
            ("no name", |s| s.server_name = None),
            ("past its lifetime", |s| s.lifetime = AGE),
            ("past its chain", |s| s.expires_at = Some(NOW)),
            ("a suite that is not offered", |s| {
                s.suite = CipherSuite::TLS_AES_256_GCM_SHA384;
                s.secret = Secret::new(&[7; 48]).unwrap();
            }),
            ("a secret of another length", |s| s.secret = Secret::new(&[7; 31]).unwrap()),
            ("no ticket", |s| s.ticket.clear()),
            ("of TLS 1.2, which is not offered", |s| {
                *s = session_tls12(b"id", b"");
            }),
        ];
        for (what, change) in changes {
            let mut session = session();
            change(&mut session);
            let (_, hello) = offering(session, |config, common| {
                (common.min_version, common.max_version) = (TLS13, TLS13);
                common.suites = vec![CipherSuite::TLS_AES_128_GCM_SHA256];
                config.early_data = true;
                config.resumption = false;
            });
            for typ in [PSK, ExtensionType::EARLY_DATA, ExtensionType::PSK_KEY_EXCHANGE_MODES, TICKET] {
                assert!(!offers(&hello, typ), "{what}: {typ}");
            }
        }
        let (_, hello) = offering(session(), |config, _| config.resumption = false);
        assert!(offers(&hello, PSK) && offers(&hello, ExtensionType::PSK_KEY_EXCHANGE_MODES));
    }

    #[test]
    fn a_session_of_tls12_goes_by_its_id_or_by_its_ticket_with_an_id_of_our_own() {
        let (_, hello) = offering(session_tls12(b"the ID", b""), |_, _| ());
        assert_eq!(Hello::of(&hello).session_id, b"the ID");
        assert!(Hello::of(&hello).get(TICKET).is_empty(), "one would be welcome");
        let (_, by_ticket) = offering(session_tls12(b"", b"the ticket"), |_, _| ());
        assert_eq!(Hello::of(&by_ticket).session_id.len(), 32);
        assert_eq!(Hello::of(&by_ticket).get(TICKET), b"the ticket");
        // Beside TLS 1.3 as well, where the same ID is that of compatibility mode; also if that is off.
        for compatibility_mode in [true, false] {
            let both = |config: &mut ClientHandshake, common: &mut Common| {
                common.max_version = TLS13;
                config.compatibility_mode = compatibility_mode;
            };
            let (_, hello) = offering(session_tls12(b"the ID", b""), both);
            assert_eq!(Hello::of(&hello).session_id, b"the ID");
            let (_, hello) = offering(session_tls12(b"", b"the ticket"), both);
            assert_eq!(Hello::of(&hello).session_id.len(), 32);
            assert!(!offers(&hello, PSK));
        }
    }

    #[test]
    fn a_session_of_tls12_that_does_not_fit_is_not_offered() {
        type Change = fn(&mut Session, &mut ClientHandshake, &mut Common);
        let changes: [(&str, Change); 8] = [
            ("an ID that is too long", |s, config, _| {
                s.session_id = b"the ticket".repeat(4);
                config.tls12_tickets = false;
            }),
            ("without extended master secret", |s, _, common| {
                s.extended_master_secret = false;
                common.require_extended_master_secret = false;
            }),
            ("a secret of another length", |s, _, _| s.secret = Secret::new(&[9; 47]).unwrap()),
            ("another name", |_, config, _| config.server_name = None),
            ("tickets are off", |_, config, _| config.tls12_tickets = false),
            ("a suite that is not offered", |_, _, common| {
                common.suites = vec![CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
            }),
            ("its version is not offered", |_, _, common| {
                (common.min_version, common.max_version) = (TLS13, TLS13);
            }),
            ("a recorded hello without an ID", |_, _, common| {
                common.randomness = Randomness::Recorded(Recorded::default());
            }),
        ];
        for (what, change) in changes {
            let mut session = session_tls12(b"", b"the ticket");
            let mut config = config(None, |_, _| ());
            let mut common = common_config(TLS12, TLS12);
            change(&mut session, &mut config, &mut common);
            config.common = Arc::new(common);
            config.session = Some(Arc::new(Psk::Session(Box::new(session))));
            let (_, hello) = started(config, Transport::Stream);
            let bytes = &hello.bytes;
            assert!(!bytes.windows(10).any(|window| window == b"the ticket"), "{what}");
        }
    }

    #[test]
    fn quic_offers_no_session_of_tls12() {
        let mut config =
            config(Some(session_tls12(b"the ID", b"ticket")), |_, common| common.max_version = TLS13);
        config.tls12_tickets = true;
        let (_, hello) = started(config, Transport::Quic { parameters: vec![1] });
        assert!(Hello::of(&hello).session_id.is_empty() && !offers(&hello, TICKET));
    }

    #[test]
    fn a_key_of_another_origin_is_refused_before_a_byte_is_sent() {
        let mut config = config(None, |_, _| ());
        let hash = oxtls_crypto::hash::Hash::Sha256;
        config.session = Some(Arc::new(Psk::External { secret: Secret::new(&[1; 32]).unwrap(), hash }));
        assert_eq!(Client::new(config, Transport::Stream, NOW).unwrap_err(), ConfigError::ExternalPsk);
    }
}

mod t4_psk {
    use super::*;

    const ROW_5_HELLO: [&str; 4] = ["CCS", "W:HS", "R:HS", "R(drop,no)"];
    const ROW_5_FINISHED: [&str; 5] = ["S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"];

    fn flight(hello: &Message, script: &Script<'_>) -> Flight {
        Flight::new(core::slice::from_ref(hello), script)
    }

    #[test]
    fn row_0_and_5_the_servers_finished_is_all_that_follows() {
        let config = config(Some(session()), |_, _| ());
        let mut end = client(config, Transport::Stream, None);
        assert_eq!(end.drain(), ["S(ClientHello)@In", "R(drop,no)"]);
        let hello = end.next_message();
        let session = session();
        let flight = flight(&hello, &Script::resume(&session, false));
        assert_eq!(end.give(&flight.server_hello), ROW_5_HELLO);
        assert_eq!(end.key(Level::Handshake, Direction::Write), flight.client_handshake.as_bytes());
        assert_eq!(end.key(Level::Handshake, Direction::Read), flight.server_handshake.as_bytes());
        assert_eq!(end.give(&flight.encrypted_extensions), ["Limits"]);
        assert_eq!(end.give(&flight.finished), ROW_5_FINISHED, "nobody is asked who the server is");
        assert_eq!(end.key(Level::Application, Direction::Read), flight.application.server.as_bytes());
        assert_eq!(end.key(Level::Application, Direction::Write), flight.application.client.as_bytes());
        let outcome = end.outcome();
        assert_eq!(outcome.version, TLS13);
        assert_eq!(outcome.peer, session.peer, "who it was when the session was made");
        assert!(matches!(&outcome.psk.as_deref(), Some(Psk::Session(s)) if s.ticket == b"a ticket"));
        assert_eq!(outcome.group, Some(NamedGroup::X25519), "forward secrecy, resumed or not");
        assert_eq!(outcome.alpn.as_deref(), Some(&b"h2"[..]));
        assert!(!outcome.early_data && outcome.exporter.is_some() && outcome.session.is_none());
        assert!(outcome.peer_signature_scheme.is_none());
        let sent = end.sent.drain(..).collect::<Vec<_>>();
        flight.take(sent);
    }

    #[test]
    fn the_suite_may_be_another_of_the_same_hash_and_the_protocol_another() {
        let (mut end, hello) = offering(session(), |_, _| ());
        let session = session();
        let mut script = Script::resume(&session, false);
        script.suite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;
        script.extensions.alpn = Some(b"http/1.1");
        let flight = flight(&hello, &script);
        flight.give_to(&mut end);
        assert_eq!(end.outcome().suite, script.suite);
        assert_eq!(end.outcome().alpn.as_deref(), Some(&b"http/1.1"[..]));
    }

    #[test]
    fn a_server_that_resumes_has_no_certificate_and_asks_for_none() {
        let session = session();
        for typ in [
            HandshakeType::CERTIFICATE_REQUEST,
            HandshakeType::CERTIFICATE,
            HandshakeType::CERTIFICATE_VERIFY,
        ] {
            let (mut end, hello) = offering(super::session(), |_, _| ());
            let flight = flight(&hello, &Script::resume(&session, false));
            end.give(&flight.server_hello);
            end.give(&flight.encrypted_extensions);
            refuses(&mut end, &Message::new(Level::Handshake, typ, &[0, 0, 0, 0]), UM, "HS");
        }
    }

    #[test]
    fn row_5_refuses_what_was_not_offered() {
        let session = session();
        let mut index = Script::resume(&session, false);
        index.selected_identity = Some(1);
        let mut hash = Script::resume(&session, false);
        hash.suite = CipherSuite::TLS_AES_256_GCM_SHA384;
        hash.psk = None;
        for script in [index, hash] {
            let (mut end, hello) = offering(super::session(), |_, _| ());
            refuses(&mut end, &flight(&hello, &script).server_hello, IP, "In");
            assert_eq!(end.error().fault(), Fault::Peer);
        }
        let (mut end, hello) = offering(super::session(), |_, _| ());
        let flight_without = flight(&hello, &Script::resume(&session, false));
        let no_share = edit(&flight_without.server_hello, |hello| hello.remove(ExtensionType::KEY_SHARE));
        refuses(&mut end, &no_share, AlertDescription::MISSING_EXTENSION, "In");
        // Without a session on offer there is nothing to select.
        let (mut end, hello) = started(config(None, |_, _| ()), Transport::Stream);
        let selected = flight(&hello, &Script::resume(&session, false)).server_hello;
        refuses(&mut end, &selected, AlertDescription::UNSUPPORTED_EXTENSION, "In");
    }

    #[test]
    fn a_server_without_the_secret_does_not_get_through() {
        let (mut end, hello) = offering(session(), |_, _| ());
        let other = Session { secret: Secret::new(&[8; 32]).unwrap(), ..session() };
        let flight = flight(&hello, &Script::resume(&other, false));
        end.give(&flight.server_hello);
        end.give(&flight.encrypted_extensions);
        refuses(&mut end, &flight.finished, AlertDescription::DECRYPT_ERROR, "HS");
    }

    #[test]
    fn retry_keeps_the_session_with_a_new_binder_and_age() {
        let (mut end, first) = offering(session(), |_, _| ());
        let request = retry(&first, session().suite, Some(NamedGroup::SECP256R1), Some(b"cookie"));
        let later = NOW + Duration::from_secs(2);
        let input = Input::Message { level: Level::Initial, bytes: &request.bytes, more: false, now: later };
        end.machine.input(input).unwrap();
        assert_eq!(end.drain(), ["CCS", "S(ClientHello)@In"]);
        let second = end.next_message();
        let hellos = [first, request, second.clone()];
        let session = session();
        assert!(binder_verifies(&session, &hellos));
        let owned = OwnedClientHello::new(&second.bytes).unwrap();
        let psks = owned.parse().unwrap().extensions.pre_shared_key.unwrap();
        let age = u32::try_from(AGE.as_millis()).unwrap() + 2000;
        assert_eq!(psks.identities().next().unwrap().obfuscated_ticket_age, AGE_ADD.wrapping_add(age));
        assert_eq!(psks.identities().count(), 1);
        let flight = Flight::new(&hellos, &Script::resume(&session, false));
        flight.give_to(&mut end);
        assert!(end.outcome().psk.is_some() && end.outcome().hello_retry_request);
        let sent: Vec<_> = end.sent.drain(..).collect();
        flight.take(sent);
    }

    #[test]
    fn retry_of_another_hash_drops_the_session() {
        let (mut end, first) = offering(session(), |config, _| config.resumption = false);
        let suite = CipherSuite::TLS_AES_256_GCM_SHA384;
        let request = retry(&first, suite, None, Some(b"cookie"));
        end.give(&request);
        let second = end.next_message();
        assert!(!offers(&second, PSK));
        // All else is as it was.
        let without = |hello: &Message| {
            let mut hello = Hello::of(hello);
            hello.remove(PSK);
            hello.remove(ExtensionType::COOKIE);
            hello.message()
        };
        assert_eq!(without(&second), without(&first));
        let session = session();
        let mut script = Script::resume(&session, false);
        (script.suite, script.psk) = (suite, None);
        let flight = Flight::new(&[first, request, second], &script);
        refuses(&mut end, &flight.server_hello, AlertDescription::UNSUPPORTED_EXTENSION, "In");
    }

    #[test]
    fn row_5b_a_declined_session_leaves_a_full_handshake() {
        let answers = Answers {
            config: Arc::new(ServerHandshake {
                common: Arc::new(common_config(TLS13, TLS13)),
                ..ServerHandshake::default()
            }),
            cookie: None,
            credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        };
        for cookie in [None, Some(b"cookie".to_vec())] {
            let answers = Answers { cookie, ..answers.clone() };
            let config = config(Some(session()), |_, _| ());
            let mut pair = Pair {
                client: client(config, Transport::Stream, None),
                server: server(Transport::Stream, answers),
            };
            let mut asked = Vec::new();
            pair.client.drain();
            pair.server.drain();
            for _ in 0..20 {
                if let Some(message) = pair.client.sent.pop_front() {
                    pair.server.give(&message);
                    pair.server.settle();
                } else if let Some(message) = pair.server.sent.pop_front() {
                    asked.extend(pair.client.give(&message));
                    asked.extend(pair.client.settle());
                }
            }
            assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
            assert!(asked.contains(&"?VerifyPeer".to_owned()));
            assert!(pair.client.outcome().psk.is_none());
            assert_ne!(pair.client.outcome().peer, session().peer);
        }
    }
}

mod t9_tickets {
    use super::*;

    fn ticket(lifetime: u32, nonce: &[u8]) -> Vec<u8> {
        NewSessionTicket { lifetime, age_add: 3, nonce, ticket: b"next", max_early_data: Some(9) }
            .encode()
            .unwrap()
    }

    /// A resumed connection, its resumption secret, and what its first ticket is kept as, a minute later.
    fn after_resumption(resumption: bool) -> (Secret, Option<Session>) {
        let (mut end, hello) = offering(session(), |config, _| config.resumption = resumption);
        let session = session();
        let flight = Flight::new(&[hello], &Script::resume(&session, false));
        flight.give_to(&mut end);
        let sent: Vec<_> = end.sent.drain(..).collect();
        let secret = flight.take(sent);
        let (_, post_handshake) = end.done.as_mut().unwrap();
        let later = NOW + Duration::from_secs(60);
        let stored = match post_handshake.receive.message(&ticket(99, b"nonce"), false, later).unwrap() {
            Some(Received::StoreSession(session)) => Some(*session),
            None => None,
            Some(other) => panic!("{other:?}"),
        };
        (secret, stored)
    }

    #[test]
    fn a_ticket_becomes_a_session_that_goes_back_to_the_same_signature() {
        let (secret, stored) = after_resumption(true);
        let stored = stored.unwrap();
        let hash = oxtls_crypto::hash::Hash::Sha256;
        assert_eq!(stored.secret, resumption_psk(hash, &secret, b"nonce").unwrap());
        assert_eq!(stored.verified_at, session().verified_at, "nobody has signed anything since");
        assert_eq!(stored.made_at, NOW + Duration::from_secs(60));
        assert_eq!(stored.peer, session().peer);
        assert_eq!(stored.server_name.as_deref(), Some(NAME));
        assert_eq!((&stored.ticket[..], stored.age_add, stored.max_early_data), (&b"next"[..], 3, 9));
    }

    #[test]
    fn a_client_that_wants_no_session_keeps_none() {
        assert!(after_resumption(false).1.is_none());
    }
}

mod t10_full_handshakes_of_tls12 {
    use super::*;

    const SAYS: HelloTls12<'_> =
        HelloTls12 { session_id: b"an ID of its own", ticket: false, extended_master_secret: true };

    /// A client that has got the server's flight and accepted its certificate, and the server.
    fn until_row_5(
        says: HelloTls12<'_>,
        change: impl FnOnce(&mut ClientHandshake, &mut Common),
    ) -> (End, FullTls12) {
        let config = config(None, |config, common| {
            (common.min_version, common.max_version) = (TLS12, TLS12);
            change(config, common);
        });
        let (mut end, hello) = started(config, Transport::Stream);
        let (server, messages) = FullTls12::new(&hello, says);
        for message in messages {
            end.give(&message);
            end.settle();
        }
        assert!(end.failure.is_none(), "{:?}", end.failure);
        (end, server)
    }

    /// The session that such a handshake leaves, and its master secret.
    fn left(
        says: HelloTls12<'_>,
        ticket: Option<(u32, &[u8])>,
        change: impl FnOnce(&mut ClientHandshake, &mut Common),
    ) -> (Option<Session>, Secret) {
        let (mut end, server) = until_row_5(says, change);
        let (master, messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
        for message in &messages {
            end.give(message);
        }
        (end.done.expect("it is done").0.session, master)
    }

    #[test]
    fn a_session_goes_by_the_servers_id() {
        let (session, master) = left(SAYS, None, |_, _| ());
        let session = session.unwrap();
        assert_eq!((&session.session_id[..], session.ticket.len()), (&b"an ID of its own"[..], 0));
        assert_eq!((session.secret.as_bytes(), session.version), (master.as_bytes(), TLS12));
        assert_eq!((session.made_at, session.verified_at), (NOW, NOW));
        assert_eq!(session.lifetime, defaults::SESSION_ID_LIFETIME);
        assert!(session.extended_master_secret && session.peer.is_some());
        assert_eq!(session.server_name.as_deref(), Some(NAME));
    }

    #[test]
    fn a_session_goes_by_the_ticket_that_came_last() {
        let says = HelloTls12 { ticket: true, ..SAYS };
        let week = Duration::from_secs(7 * 24 * 3600);
        for (hint, lifetime) in
            [(0, defaults::TICKET_LIFETIME), (60, Duration::from_secs(60)), (u32::MAX, week)]
        {
            let (session, _) = left(says, Some((hint, b"a ticket")), |_, _| ());
            let session = session.unwrap();
            assert_eq!((&session.ticket[..], session.session_id.len()), (&b"a ticket"[..], 0));
            assert_eq!(session.lifetime, lifetime);
        }
        let (session, _) = left(says, Some((1, b"")), |_, _| ());
        assert_eq!(
            session.unwrap().session_id,
            b"an ID of its own",
            "thought better of the ticket, not of the ID"
        );
    }

    #[test]
    fn there_is_none_that_nobody_wants_or_that_has_no_name_or_no_extended_master_secret() {
        let none = |says, ticket, change: fn(&mut ClientHandshake, &mut Common)| {
            left(says, ticket, change).0.is_none()
        };
        let ticket = Some((1, &b"t"[..]));
        let announced = HelloTls12 { ticket: true, ..SAYS };
        assert!(none(SAYS, None, |config, _| config.resumption = false));
        assert!(none(HelloTls12 { session_id: b"", ..SAYS }, None, |_, _| ()));
        assert!(none(HelloTls12 { session_id: b"", ..announced }, Some((1, b"")), |_, _| ()));
        for (says, ticket) in [(SAYS, None), (announced, ticket)] {
            let says = HelloTls12 { extended_master_secret: false, ..says };
            assert!(none(says, ticket, |_, common| common.require_extended_master_secret = false));
        }
    }

    #[test]
    fn row_8_a_ticket_comes_where_it_was_announced_and_nowhere_else() {
        let ticket = Some((1, &b"t"[..]));
        let announced = HelloTls12 { ticket: true, ..SAYS };
        let (mut end, server) = until_row_5(announced, |_, _| ());
        let _ = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
        refuses(&mut end, &Message::change_cipher_spec(), UM, "Ap");
        let (mut end, server) = until_row_5(SAYS, |_, _| ());
        let (_, messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
        refuses(&mut end, &messages[0], UM, "Ap");
        // Twice, and at the wrong level.
        let (mut end, server) = until_row_5(announced, |_, _| ());
        let (_, messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
        assert_eq!(end.give(&messages[0]), [""; 0]);
        refuses(&mut end, &messages[0], UM, "Ap");
        let (mut end, _) = until_row_5(announced, |_, _| ());
        refuses(&mut end, &Message { level: Level::Application, ..messages[0].clone() }, UM, "Ap");
    }

    #[test]
    fn a_ticket_that_was_changed_on_its_way_fails_the_handshake() {
        let (mut end, server) = until_row_5(HelloTls12 { ticket: true, ..SAYS }, |_, _| ());
        let (_, mut messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), Some((1, b"ticket")));
        *messages[0].bytes.last_mut().unwrap() ^= 1;
        end.give(&messages[0]);
        end.give(&messages[1]);
        refuses(&mut end, &messages[2], AlertDescription::DECRYPT_ERROR, "Ap");
    }
}

/// Both machines, and whoever answers the server's questions about sessions.
mod both_machines {
    use super::*;

    /// What the server's outside keeps: sessions by their IDs or tickets, as bytes.
    #[derive(Default)]
    struct Store {
        kept: Vec<(Vec<u8>, Vec<u8>)>,
        asked: Vec<&'static str>,
        renew: bool,
        decline: bool,
        early_data: bool,
    }

    impl Store {
        fn keep(&mut self, name: &[u8], session: &Session) {
            self.kept.push((name.to_vec(), session.to_bytes().unwrap().to_vec()));
        }

        fn find(&self, offers: &[SessionOffer]) -> Option<(usize, Psk)> {
            offers.iter().enumerate().find_map(|(at, offer)| {
                let (SessionOffer::PskIdentity { identity: name, .. }
                | SessionOffer::Ticket(name)
                | SessionOffer::SessionId(name)) = offer;
                let (_, bytes) = self.kept.iter().find(|(kept, _)| kept == name)?;
                Some((at, Psk::Session(Box::new(Session::from_bytes(bytes).unwrap()))))
            })
        }

        /// Answers what the server asks, until it asks no more.
        fn settle(&mut self, server: &mut End) {
            server.drain();
            while let Some(need) = server.need.take() {
                self.asked.push(need.name());
                let answer = match need {
                    Need::FindSession(need) => match self.find(&need.offers) {
                        Some((at, psk)) => need.found(at, psk),
                        None => need.none(),
                    },
                    Need::AcceptSession(need) if self.decline => need.decline(),
                    Need::AcceptSession(need) if self.renew => need.renew(),
                    Need::AcceptSession(need) => need.resume(self.early_data),
                    Need::SealTicket(need) => {
                        let name = format!("ticket {}", self.kept.len()).into_bytes();
                        self.keep(&name, &need.session);
                        need.answer(Some(name))
                    }
                    other => {
                        server.need = Some(other);
                        server.answer();
                        continue;
                    }
                };
                server.machine.input(Input::Answer(answer)).unwrap();
                server.drain();
            }
        }

        /// One handshake. Every Need is answered as soon as it is asked.
        fn run(&mut self, pair: &mut Pair) {
            self.asked.clear();
            pair.client.settle();
            self.settle(&mut pair.server);
            loop {
                if let Some(message) = pair.client.sent.pop_front() {
                    if pair.server.offer(&message, false).is_ok() {
                        self.settle(&mut pair.server);
                    }
                } else if let Some(message) = pair.server.sent.pop_front() {
                    if pair.client.offer(&message, false).is_ok() {
                        pair.client.settle();
                    }
                } else {
                    break;
                }
            }
            assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
            if let Some(session) = &pair.server.outcome().session {
                let id = session.session_id.clone();
                self.keep(&id, session);
            }
        }
    }

    #[derive(Clone, Copy)]
    struct Ends {
        version: ProtocolVersion,
        tickets: bool,
    }

    impl Ends {
        fn pair(self, session: Option<Arc<Psk>>) -> Pair {
            let common = || Arc::new(common_config(self.version, self.version));
            let config = ClientHandshake {
                common: common(),
                server_name: Some(NAME.to_owned()),
                resumption: true,
                session,
                early_data: true,
                tls12_tickets: self.tickets,
                ..ClientHandshake::default()
            };
            let server_config = ServerHandshake {
                common: common(),
                resumption: true,
                early_data: true,
                tls12_tickets: self.tickets,
                ..ServerHandshake::default()
            };
            let answers = Answers {
                config: Arc::new(server_config),
                cookie: None,
                credential: Some(credential(KeyAlgorithm::EcdsaP256)),
            };
            Pair {
                client: client(config, Transport::Stream, None),
                server: server(Transport::Stream, answers),
            }
        }
    }

    fn psk(session: Session) -> Arc<Psk> {
        Arc::new(Psk::Session(Box::new(session)))
    }

    fn keys_agree(pair: &Pair) {
        for (ours, theirs) in [(Direction::Write, Direction::Read), (Direction::Read, Direction::Write)] {
            let level = Level::Application;
            assert_eq!(pair.client.key(level, ours), pair.server.key(level, theirs));
        }
        assert_eq!(pair.client.outcome().exporter, pair.server.outcome().exporter);
    }

    #[test]
    fn tls12_by_id_again_and_again() {
        let ends = Ends { version: TLS12, tickets: false };
        let mut store = Store::default();
        let mut pair = ends.pair(None);
        store.run(&mut pair);
        let session = pair.client.done.as_mut().unwrap().0.session.take().unwrap();
        assert_eq!((session.session_id.len(), session.ticket.len()), (32, 0));
        assert_eq!(session.lifetime, defaults::SESSION_ID_LIFETIME);
        assert_eq!((session.made_at, session.verified_at), (NOW, NOW));
        let peer = pair.client.outcome().peer.clone();
        assert!(peer.is_some() && session.peer == peer);
        let session = psk(session);
        for _ in 0..3 {
            let mut pair = ends.pair(Some(Arc::clone(&session)));
            store.run(&mut pair);
            assert!(store.asked.contains(&"AcceptSession"), "{:?}", store.asked);
            assert!(!store.asked.contains(&"Sign"));
            assert!(pair.client.outcome().psk.is_some() && pair.server.outcome().psk.is_some());
            assert_eq!(pair.client.outcome().peer, peer);
            assert!(pair.client.outcome().session.is_none());
            keys_agree(&pair);
        }
        // Unknown or declined: a full handshake, with a session of its own.
        for unknown in [true, false] {
            if unknown {
                store.kept.clear();
            }
            store.decline = !unknown;
            let mut pair = ends.pair(Some(Arc::clone(&session)));
            store.run(&mut pair);
            assert!(store.asked.contains(&"Sign"));
            assert!(pair.client.outcome().psk.is_none());
            let fresh = pair.client.outcome().session.as_ref().unwrap();
            assert_ne!(fresh.session_id, session.session().unwrap().session_id);
            keys_agree(&pair);
        }
    }

    #[test]
    fn tls12_by_ticket_renewed_and_not() {
        let ends = Ends { version: TLS12, tickets: true };
        let mut store = Store::default();
        let mut pair = ends.pair(None);
        store.run(&mut pair);
        assert!(store.asked.contains(&"SealTicket"));
        let session = pair.client.done.as_mut().unwrap().0.session.take().unwrap();
        assert_eq!((&session.ticket[..], session.session_id.len()), (&b"ticket 0"[..], 0));
        let session = psk(session);
        for renew in [false, true] {
            store.renew = renew;
            let mut pair = ends.pair(Some(Arc::clone(&session)));
            store.run(&mut pair);
            keys_agree(&pair);
            assert!(pair.client.outcome().psk.is_some());
            assert_eq!(store.asked.contains(&"SealTicket"), renew);
            let next = pair.client.done.as_mut().unwrap().0.session.take();
            assert_eq!(next.is_some(), renew);
            if let Some(next) = next {
                assert_ne!(next.ticket, session.session().unwrap().ticket);
                assert_eq!(next.secret, session.session().unwrap().secret);
                let mut pair = ends.pair(Some(psk(next)));
                store.renew = false;
                store.run(&mut pair);
                assert!(pair.client.outcome().psk.is_some());
                keys_agree(&pair);
            }
        }
        store.kept.clear();
        let mut pair = ends.pair(Some(session));
        store.run(&mut pair);
        assert!(pair.client.outcome().psk.is_none() && pair.client.outcome().session.is_some());
        keys_agree(&pair);
    }

    #[test]
    fn a_client_of_both_versions_resumes_the_older_one_with_a_server_of_that() {
        for tickets in [false, true] {
            let ends = Ends { version: TLS12, tickets };
            let mut store = Store::default();
            let mut pair = ends.pair(None);
            store.run(&mut pair);
            let session = pair.client.done.as_mut().unwrap().0.session.take().unwrap();
            let mut pair = ends.pair(None);
            let config = ClientHandshake {
                common: Arc::new(common_config(TLS12, TLS13)),
                server_name: Some(NAME.to_owned()),
                resumption: true,
                session: Some(psk(session)),
                tls12_tickets: tickets,
                ..ClientHandshake::default()
            };
            pair.client = client(config, Transport::Stream, None);
            store.run(&mut pair);
            assert_eq!(pair.client.outcome().version, TLS12);
            assert!(pair.client.outcome().psk.is_some());
            keys_agree(&pair);
        }
    }

    /// The session of a ticket of this connection that allows early data.
    fn ticket(pair: &mut Pair, store: &mut Store) -> Session {
        let tickets = pair.server.done.as_mut().unwrap().1.tickets.as_mut().unwrap();
        tickets.set_max_early_data(1000);
        let mut ticket = tickets.next(NOW).unwrap();
        ticket.session_mut().guard = Some([1; 16]);
        let name = format!("ticket {}", store.kept.len()).into_bytes();
        store.keep(&name, ticket.session());
        let message = ticket.message(&name).unwrap();
        let receive = &mut pair.client.done.as_mut().unwrap().1.receive;
        match receive.message(&message, false, NOW).unwrap() {
            Some(Received::StoreSession(session)) => *session,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tls13_by_ticket_with_early_data_taken_refused_and_behind_a_retry() {
        let ends = Ends { version: TLS13, tickets: false };
        let mut store = Store { early_data: true, ..Store::default() };
        let mut pair = ends.pair(None);
        store.run(&mut pair);
        let mut verified = None;
        for (early_data, retried) in [(true, false), (false, false), (true, true), (true, false)] {
            store.early_data = early_data;
            let session = ticket(&mut pair, &mut store);
            assert_eq!(*verified.get_or_insert(session.verified_at), session.verified_at);
            pair = ends.pair(Some(psk(session)));
            pair.server.answers.cookie = retried.then(|| b"cookie".to_vec());
            store.run(&mut pair);
            let taken = early_data && !retried;
            for end in [&pair.client, &pair.server] {
                assert_eq!((end.outcome().early_data, end.outcome().hello_retry_request), (taken, retried));
                assert!(end.outcome().psk.is_some());
            }
            if taken {
                assert_eq!(
                    pair.client.key(Level::Early, Direction::Write),
                    pair.server.key(Level::Early, Direction::Read)
                );
                assert_eq!(pair.client.early_exporter, pair.server.early_exporter);
            }
            keys_agree(&pair);
        }
    }

    #[test]
    fn tls13_declined_with_early_data_outstanding() {
        let ends = Ends { version: TLS13, tickets: false };
        for decline in [true, false] {
            let mut store = Store::default();
            let mut pair = ends.pair(None);
            store.run(&mut pair);
            let session = ticket(&mut pair, &mut store);
            store.decline = decline;
            if !decline {
                store.kept.clear();
            }
            let mut pair = ends.pair(Some(psk(session)));
            store.run(&mut pair);
            assert!(store.asked.contains(&"FindSession"));
            assert!(pair.client.outcome().psk.is_none() && !pair.client.outcome().early_data);
            keys_agree(&pair);
        }
    }
}

mod t11_abbreviated {
    use super::*;

    fn by_id() -> Session {
        session_tls12(b"the session's ID", b"")
    }

    fn by_ticket() -> Session {
        session_tls12(b"", b"the ticket")
    }

    #[test]
    fn rows_0_to_4_by_id_and_by_ticket() {
        for (session, expected) in [(by_id(), by_id()), (by_ticket(), by_ticket())] {
            let config = config(Some(session), |_, _| ());
            let mut end = client(config, Transport::Stream, None);
            assert_eq!(end.drain(), ["S(ClientHello)@In", "R(del,no)"]);
            let hello = end.next_message();
            let mut script = ScriptTls12::resume(&hello, &expected);
            script.extensions.record_size_limit = Some(2048);
            script.extensions.alpn = Some(b"http/1.1");
            let flight = FlightTls12::new(&hello, &script);
            assert_eq!(end.give_with(&flight.server_hello, true), ["R(del,no)", "Limits"]);
            assert_eq!(end.give(&Message::change_cipher_spec()), ["R:Ap", "R(del,no)"]);
            let row = end.give(&flight.finished);
            assert_eq!(row, ["CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
            flight.take(end.sent.drain(..).collect::<Vec<_>>());
            let outcome = end.outcome();
            assert_eq!((outcome.version, outcome.suite), (TLS12, expected.suite));
            assert_eq!(outcome.peer, expected.peer);
            assert_eq!(outcome.group, None);
            assert_eq!(outcome.alpn.as_deref(), Some(&b"http/1.1"[..]), "negotiated anew");
            assert!(outcome.psk.is_some() && outcome.extended_master_secret && outcome.exporter.is_some());
            assert!(outcome.session.is_none(), "the one that was resumed is kept already");
            assert_eq!(end.key_log, [("CLIENT_RANDOM", expected.secret.as_bytes().to_vec())]);
        }
    }

    #[test]
    fn a_renewed_ticket_is_a_new_session_of_the_same_signature() {
        for (hint, lifetime) in [(0, defaults::TICKET_LIFETIME), (77, Duration::from_secs(77))] {
            let (mut end, hello) = offering(by_ticket(), |_, _| ());
            let session = by_ticket();
            let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, hint, b"the next"));
            for message in flight.messages() {
                end.give(&message);
            }
            flight.take(end.sent.drain(..).collect::<Vec<_>>());
            let stored = end.outcome().session.as_ref().unwrap();
            assert_eq!((&stored.ticket[..], &stored.session_id[..]), (&b"the next"[..], &b""[..]));
            assert_eq!(stored.secret, session.secret);
            assert_eq!((stored.verified_at, stored.made_at), (session.verified_at, NOW));
            assert_eq!((stored.lifetime, &stored.peer), (lifetime, &session.peer));
            assert_eq!(stored.version, TLS12);
        }
    }

    #[test]
    fn a_ticket_that_is_empty_or_not_wanted_is_not_kept() {
        for (ticket, resumption) in [(&b""[..], true), (&[1; defaults::MAX_TICKET + 1], true), (b"t", false)]
        {
            let (mut end, hello) = offering(by_ticket(), |config, _| config.resumption = resumption);
            let session = by_ticket();
            let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, ticket));
            for message in flight.messages() {
                end.give(&message);
            }
            flight.take(end.sent.drain(..).collect::<Vec<_>>());
            assert!(end.outcome().session.is_none());
        }
    }

    #[test]
    fn row_2_refuses_another_suite_and_no_extended_master_secret() {
        for required in [true, false] {
            let ask = |_: &mut ClientHandshake, common: &mut Common| {
                common.require_extended_master_secret = required;
            };
            let session = by_id();
            let (mut end, hello) = offering(by_id(), ask);
            let mut script = ScriptTls12::resume(&hello, &session);
            script.suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
            refuses(&mut end, &FlightTls12::new(&hello, &script).server_hello, IP, "In");
            let (mut end, hello) = offering(by_id(), ask);
            let mut script = ScriptTls12::resume(&hello, &session);
            script.extensions.extended_master_secret = false;
            let message = FlightTls12::new(&hello, &script).server_hello;
            refuses(&mut end, &message, AlertDescription::HANDSHAKE_FAILURE, "In");
        }
    }

    #[test]
    fn row_3_refuses_a_ticket_that_was_not_announced_and_wants_one_that_was() {
        let session = by_ticket();
        let (mut end, hello) = offering(by_ticket(), |_, _| ());
        let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, b"t"));
        end.give(&flight.server_hello);
        refuses(&mut end, &Message::change_cipher_spec(), UM, "In");
        let (mut end, hello) = offering(by_ticket(), |_, _| ());
        let plain = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session));
        end.give(&plain.server_hello);
        refuses(&mut end, flight.ticket.as_ref().unwrap(), UM, "In");
        // An announcement that nobody asked for.
        let (mut end, hello) = offering(by_id(), |config, _| config.tls12_tickets = false);
        let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, b"t"));
        refuses(&mut end, &flight.server_hello, AlertDescription::UNSUPPORTED_EXTENSION, "In");
    }

    #[test]
    fn rows_3_and_4_refuse_what_does_not_belong_there() {
        let session = by_id();
        let reach = |messages: usize| {
            let (mut end, hello) = offering(by_id(), |_, _| ());
            let flight = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session));
            for message in flight.messages().iter().take(messages) {
                end.give(message);
            }
            (end, flight)
        };
        for typ in [
            HandshakeType::CERTIFICATE,
            HandshakeType::SERVER_KEY_EXCHANGE,
            HandshakeType::SERVER_HELLO_DONE,
            HandshakeType::CERTIFICATE_REQUEST,
            HandshakeType::FINISHED,
        ] {
            refuses(&mut reach(1).0, &Message::new(Level::Initial, typ, &[0; 12]), UM, "In");
        }
        let (mut end, _) = reach(1);
        let row = end.give_with(&Message::change_cipher_spec(), true);
        assert_eq!(row, ["Failed(unexpected_message)@In"], "inside a message");
        let (mut end, _) = reach(2);
        refuses(&mut end, &Message::change_cipher_spec(), UM, "In");
        let (mut end, flight) = reach(2);
        let mut wrong = flight.finished.clone();
        wrong.bytes[4] ^= 1;
        refuses(&mut end, &wrong, AlertDescription::DECRYPT_ERROR, "In");
        assert!(end.sent.is_empty(), "our Finished is not sent to one that has proved nothing");
    }

    #[test]
    fn the_id_of_compatibility_mode_names_no_session() {
        // A session of TLS 1.3 is on offer, or none, and TLS 1.2 too.
        for session in [Some(session()), None] {
            let config = config(session, |_, common| common.min_version = TLS12);
            let (mut end, hello) = started(config, Transport::Stream);
            let offered = by_ticket();
            let message = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &offered)).server_hello;
            refuses(&mut end, &message, IP, "In");
        }
    }
}

mod t12_both_versions {
    use super::*;

    fn both(_: &mut ClientHandshake, common: &mut Common) {
        (common.min_version, common.max_version) = (TLS12, TLS13);
    }

    #[test]
    fn a_session_of_tls12_is_resumed_by_a_server_of_tls12() {
        for expected in [session_tls12(b"the ID", b""), session_tls12(b"", b"the ticket")] {
            let copy = Session::from_bytes(&expected.to_bytes().unwrap()).unwrap();
            let (mut end, hello) = offering(copy, both);
            let flight = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &expected));
            for message in flight.messages() {
                end.give(&message);
            }
            flight.take(end.sent.drain(..).collect::<Vec<_>>());
            assert_eq!(end.outcome().version, TLS12);
            assert!(end.outcome().psk.is_some());
        }
    }

    #[test]
    fn a_session_of_tls12_goes_unused_in_tls13() {
        let answers = Answers {
            config: Arc::new(ServerHandshake {
                common: Arc::new(common_config(TLS13, TLS13)),
                ..ServerHandshake::default()
            }),
            cookie: None,
            credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        };
        for session in [session_tls12(b"the ID", b""), session_tls12(b"", b"the ticket")] {
            let mut pair = Pair {
                client: client(config(Some(session), both), Transport::Stream, None),
                server: server(Transport::Stream, answers.clone()),
            };
            pair.run();
            assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
            assert_eq!(pair.client.outcome().version, TLS13);
            assert!(pair.client.outcome().psk.is_none());
        }
    }

    #[test]
    fn a_sentinel_is_found_behind_an_echo_too() {
        let session = session_tls12(b"the ID", b"");
        let (mut end, hello) = offering(session_tls12(b"the ID", b""), both);
        let message = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session)).server_hello;
        let message = edit(&message, |hello| hello.random[24..].copy_from_slice(b"DOWNGRD\x01"));
        refuses(&mut end, &message, IP, "In");
        assert!(matches!(end.error(), Error::Downgrade));
    }

    #[test]
    fn a_malformed_ticket_message_is_refused() {
        let session = session_tls12(b"", b"the ticket");
        let (mut end, hello) = offering(session_tls12(b"", b"the ticket"), |_, _| ());
        let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, b"t"));
        end.give(&flight.server_hello);
        let ticket = flight.ticket.unwrap();
        refuses(&mut end, &ticket.with_body(&ticket.body()[..6]), DE, "In");
    }
}

/// `verify_resumed`: the question of a full handshake, about the session's certificates.
mod verified_again {
    use super::*;
    use oxtls_handshake::need::VerifyPeer;

    /// Where the question is out.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Stop {
        Tls13,
        EarlyDataTaken,
        EarlyDataRefused,
        ById,
        ByTicket,
    }

    /// With the level of an alert there.
    const STOPS: [(Stop, &str); 5] = [
        (Stop::Tls13, "HS"),
        (Stop::EarlyDataTaken, "Ea"),
        (Stop::EarlyDataRefused, "HS"),
        (Stop::ById, "In"),
        (Stop::ByTicket, "In"),
    ];

    impl Stop {
        fn session(self) -> Session {
            match self {
                Self::Tls13 | Self::EarlyDataTaken | Self::EarlyDataRefused => session(),
                Self::ById => session_tls12(b"the session's ID", b""),
                Self::ByTicket => session_tls12(b"", b"the ticket"),
            }
        }

        /// A client that has asked, what came of the message that it asks behind, and the rest of the server's flight.
        fn at(self) -> (End, Vec<String>, Vec<Message>) {
            let early_data = matches!(self, Self::EarlyDataTaken | Self::EarlyDataRefused);
            let (mut end, hello) = offering(self.session(), |config, _| {
                config.verify_resumed = true;
                config.early_data = early_data;
            });
            let session = self.session();
            let (row, rest) = if session.version == TLS12 {
                let flight = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session));
                let mut rest = flight.messages();
                let hello = rest.remove(0);
                (end.give_with(&hello, true), rest)
            } else {
                let script = Script::resume(&session, self == Self::EarlyDataTaken);
                let flight = Flight::new(core::slice::from_ref(&hello), &script);
                end.give(&flight.server_hello);
                (end.give(&flight.encrypted_extensions), vec![flight.finished])
            };
            (end, row, rest)
        }
    }

    fn asked(end: &mut End) -> VerifyPeer {
        match end.need.take() {
            Some(Need::VerifyPeer(token)) => token,
            other => panic!("VerifyPeer is due, not {other:?}"),
        }
    }

    fn revoked() -> Error {
        let (alert, cause) = (AlertDescription::CERTIFICATE_REVOKED, "it was revoked".into());
        Error::Refused { alert, fault: Fault::Peer, cause }
    }

    #[test]
    fn the_sessions_server_is_asked_about_before_anything_of_ours_follows() {
        for (stop, _) in STOPS {
            let (mut end, row, rest) = stop.at();
            assert_eq!(row.last().map(String::as_str), Some("?VerifyPeer"), "{stop:?} {row:?}");
            assert!(end.sent.is_empty(), "{stop:?}: {:?}", end.sent);
            let token = asked(&mut end);
            assert!(token.resumed);
            assert_eq!(Some(&token.peer), stop.session().peer.as_ref());
            // The server does not wait: what it sends stays outside until the answer.
            let refused = end.offer(&rest[0], false);
            assert_eq!(refused, Err(Misuse::NeedIsOut), "{stop:?}");
            end.machine.input(Input::Answer(token.accept())).unwrap();
            assert!(end.drain().is_empty(), "{stop:?}");
            for message in &rest {
                end.give(message);
            }
            assert!(end.need.is_none(), "once is enough");
            let outcome = end.outcome();
            assert_eq!(outcome.peer, stop.session().peer);
            assert!(outcome.psk.is_some() && outcome.peer_signature_scheme.is_none());
            assert_eq!(outcome.early_data, stop == Stop::EarlyDataTaken);
        }
    }

    #[test]
    fn a_refusal_fails_with_its_alert_and_a_late_answer_harms_nothing() {
        for (stop, level) in STOPS {
            let (mut end, _, rest) = stop.at();
            let late = asked(&mut end).accept();
            let failed = format!("Failed({})@{level}", AlertDescription::CERTIFICATE_REVOKED);
            assert_eq!(end.abort(revoked()), [failed], "{stop:?}");
            assert_eq!(end.machine.input(Input::Answer(late)), Err(Misuse::Ended));
            assert_eq!(end.offer(&rest[0], false), Err(Misuse::Ended));
            assert!(end.drain().is_empty() && end.sent.is_empty() && end.done.is_none());
        }
    }

    #[test]
    fn the_answer_of_another_handshake_is_refused_and_the_right_one_still_taken() {
        for (stop, _) in STOPS {
            for (other, _) in STOPS {
                let (mut elsewhere, ..) = other.at();
                let stale = asked(&mut elsewhere).accept();
                let (mut end, ..) = stop.at();
                assert_eq!(end.machine.input(Input::Answer(stale)), Err(Misuse::StaleAnswer));
                let right = asked(&mut end).accept();
                assert_eq!(end.machine.input(Input::Answer(right)), Ok(()), "{other:?} at {stop:?}");
            }
        }
    }

    #[test]
    fn a_dropped_token_leaves_only_the_abort() {
        for (stop, level) in STOPS {
            let (mut end, ..) = stop.at();
            drop(asked(&mut end));
            assert_eq!(end.abort(Error::Canceled), [format!("Failed(user_canceled)@{level}")], "{stop:?}");
        }
    }

    #[test]
    fn acceptance_is_not_the_servers_finished() {
        for (stop, _) in STOPS {
            let (mut end, _, rest) = stop.at();
            let answer = asked(&mut end).accept();
            end.machine.input(Input::Answer(answer)).unwrap();
            for message in &rest {
                let mut bad = message.clone();
                if message.name() == "Finished" {
                    *bad.bytes.last_mut().unwrap() ^= 1;
                }
                end.give(&bad);
            }
            let failure = end.failure.expect("it has failed");
            assert_eq!(failure.alert, AlertDescription::DECRYPT_ERROR, "{stop:?}");
        }
    }

    #[test]
    fn a_session_of_nobody_is_not_offered() {
        for session in [session(), session_tls12(b"", b"the ticket")] {
            let extension = if session.version == TLS12 { TICKET } else { PSK };
            let nobody =
                || Session { peer: None, ..Session::from_bytes(&session.to_bytes().unwrap()).unwrap() };
            let (_, hello) = offering(nobody(), |_, _| ());
            assert!(offers(&hello, extension));
            let (_, hello) = offering(nobody(), |config, _| config.verify_resumed = true);
            let ticket = Hello::of(&hello).extensions.into_iter().find(|(is, _)| *is == extension);
            assert!(ticket.is_none_or(|(_, body)| body.is_empty()));
        }
    }

    #[test]
    fn a_full_handshake_asks_its_own_question_alone() {
        let (mut end, hello) = offering(session(), |config, _| config.verify_resumed = true);
        let mut pair = server(
            Transport::Stream,
            Answers {
                config: Arc::new(ServerHandshake {
                    common: Arc::new(common_config(TLS13, TLS13)),
                    ..ServerHandshake::default()
                }),
                credential: Some(credential(KeyAlgorithm::EcdsaP256)),
                cookie: None,
            },
        );
        pair.drain();
        pair.offer(&hello, false).unwrap();
        pair.settle();
        let mut questions = 0;
        for message in pair.sent.drain(..).collect::<Vec<_>>() {
            end.give(&message);
            if let Some(Need::VerifyPeer(token)) = &end.need {
                assert!(!token.resumed);
                questions += 1;
            }
            end.settle();
        }
        assert_eq!(questions, 1);
        assert!(end.done.is_some(), "{:?}", end.failure);
    }
}
