//! T10 and T12: TLS 1.2 with a full key exchange, row by row on both machines, with no record layer between them, and
//! how a server comes to speak it. What a client refuses is in `tls12_refusals.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use common::{Answers, End, Hello, Message, Pair, client, credential, edit, server};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::key_schedule::tls12::{MasterSecret, Sender};
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12};
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{Direction, Level, Misuse, Transport};
use oxtls_handshake::suite::{Authentication, CipherSuite, ProtocolVersion};

const UM: AlertDescription = AlertDescription::UNEXPECTED_MESSAGE;
const IP: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;
const HF: AlertDescription = AlertDescription::HANDSHAKE_FAILURE;
const EMS: ExtensionType = ExtensionType::EXTENDED_MASTER_SECRET;
const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;
const TLS13: ProtocolVersion = ProtocolVersion::TLS1_3;

/// What the handshakes of this file have in common.
fn both(min_version: ProtocolVersion, max_version: ProtocolVersion) -> Common {
    Common {
        min_version,
        max_version,
        suites: defaults::SUITES_TLS12.to_vec(),
        groups: vec![NamedGroup::X25519_MLKEM768, NamedGroup::X25519, NamedGroup::SECP256R1],
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        record_size_limit: Some(4096),
        key_log: true,
        ocsp: true,
        sct: true,
        ..Common::default()
    }
}

fn tls12() -> Common {
    both(TLS12, TLS12)
}

fn a_client(common: Common, credential: Option<Arc<Credential>>) -> End {
    let config = ClientHandshake {
        common: Arc::new(common),
        server_name: Some("server.example".to_owned()),
        shuffle_extensions: false,
        ..ClientHandshake::default()
    };
    client(config, Transport::Stream, credential)
}

fn a_server(common: Common, client_auth: ClientAuth, credential: Arc<Credential>) -> End {
    let config = ServerHandshake { common: Arc::new(common), client_auth, ..ServerHandshake::default() };
    let answers = Answers { config: Arc::new(config), cookie: None, credential: Some(credential) };
    server(Transport::Stream, answers)
}

fn pair_of(client_common: Common, server_common: Common) -> Pair {
    Pair {
        client: a_client(client_common, None),
        server: a_server(server_common, ClientAuth::None, credential(KeyAlgorithm::EcdsaP256)),
    }
}

fn pair() -> Pair {
    pair_of(tls12(), tls12())
}

fn authenticated(client_auth: ClientAuth, client_credential: Option<Arc<Credential>>) -> Pair {
    Pair {
        client: a_client(tls12(), client_credential),
        server: a_server(tls12(), client_auth, credential(KeyAlgorithm::EcdsaP256)),
    }
}

fn names(end: &End) -> Vec<String> {
    end.sent.iter().map(Message::name).collect()
}

/// The client's hello as this server would see it, and the server, before it has seen any.
fn before_the_hello(server_common: Common) -> (Message, End) {
    let Pair { mut client, mut server } = pair_of(tls12(), server_common);
    client.drain();
    server.drain();
    (client.next_message(), server)
}

/// What comes of a hello.
fn hello_to(mut server: End, hello: &Message) -> End {
    server.give(hello);
    server.settle();
    server
}

/// The server's answer to a hello that it goes on with.
fn server_hello(server: &End) -> Hello {
    assert!(server.failure.is_none(), "{:?}", server.failure);
    Hello::of(server.sent.front().expect("no ServerHello"))
}

/// Runs to the client's second flight, which is returned: nothing of it has been given to the server.
fn second_flight(pair: &mut Pair) -> Vec<Message> {
    let Pair { client, server } = pair;
    client.drain();
    server.drain();
    server.give(&client.next_message());
    server.settle();
    while let Some(message) = server.sent.pop_front() {
        client.give(&message);
        client.settle();
    }
    assert!(client.failure.is_none(), "{:?}", client.failure);
    client.sent.drain(..).collect()
}

/// Gives these messages to the end; the last one must be refused with this alert, and the machine be over.
#[track_caller]
fn refuses(end: &mut End, messages: &[&Message], alert: AlertDescription) {
    let (last, before) = messages.split_last().unwrap();
    for message in before {
        end.give(message);
        end.settle();
        assert!(end.failure.is_none(), "{}: {:?}", message.name(), end.failure);
    }
    assert_eq!(end.give(last), [format!("Failed({alert})@In")], "{:?}", end.failure);
    assert_eq!(end.offer(last, false), Err(Misuse::Ended));
}

mod t10_full_handshake {
    use super::*;

    #[test]
    fn rows_0_to_2_the_servers_flight() {
        let Pair { mut client, mut server } = pair();
        // Nothing of this client looks like TLS 1.3, so there is no ChangeCipherSpec of compatibility to drop.
        assert_eq!(client.drain(), ["S(ClientHello)@In", "R(del,no)"]);
        assert_eq!(server.drain(), ["R(del,no)"]);
        assert_eq!(server.give(&client.next_message()), ["?ChooseConfig"]);
        assert_eq!(server.answer(), ["?ChooseCredential"]);
        assert_eq!(
            server.answer(),
            ["R(del,no)", "Limits", "S(ServerHello)@In", "S(Certificate)@In", "?Sign"]
        );
        assert_eq!(server.answer(), ["S(ServerKeyExchange)@In", "S(ServerHelloDone)@In"]);
        assert_eq!(server.read_mode.unwrap().max_message, defaults::MAX_SHORT_MESSAGE);
    }

    #[test]
    fn rows_3_to_9_the_client_changes_its_key_first() {
        let mut pair = pair();
        let flight = second_flight(&mut pair);
        let Pair { mut client, mut server } = pair;
        let [key_exchange, change, finished] = &flight[..] else { panic!("{flight:?}") };
        assert_eq!(
            [key_exchange.name(), change.name(), finished.name()],
            ["ClientKeyExchange", "ChangeCipherSpec", "Finished"]
        );
        assert_eq!((key_exchange.level, finished.level), (Level::Initial, Level::Application));
        assert!(server.give(key_exchange).is_empty());
        assert_eq!(server.give(change), ["R:Ap", "R(del,no)"]);
        assert_eq!(server.give(finished), ["CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
        assert_eq!(names(&server), ["ChangeCipherSpec", "Finished"]);
        assert_eq!(client.give(&server.next_message()), ["R:Ap", "R(del,no)"]);
        assert_eq!(client.give(&server.next_message()), ["R(del,yes)", "Done"]);
    }

    #[test]
    fn both_ends_have_the_same_keys_secrets_and_outcome() {
        let mut pair = pair();
        pair.run();
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        let (client, server) = (&pair.client, &pair.server);
        let ap = Level::Application;
        assert_eq!(client.key(ap, Direction::Write), server.key(ap, Direction::Read));
        assert_eq!(client.key(ap, Direction::Read), server.key(ap, Direction::Write));
        assert_ne!(client.key(ap, Direction::Read), client.key(ap, Direction::Write));
        assert_eq!(client.key_log, server.key_log);
        let [("CLIENT_RANDOM", master)] = &server.key_log[..] else { panic!("{:?}", server.key_log) };
        assert_eq!(master.len(), 48);
        let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        for (ours, theirs) in [(client.outcome(), server.outcome()), (server.outcome(), client.outcome())] {
            assert_eq!((ours.version, ours.suite, ours.group), (TLS12, suite, Some(NamedGroup::X25519)));
            assert_eq!(ours.alpn.as_deref(), Some(&b"h2"[..]));
            assert_eq!(ours.server_name.as_deref(), Some("server.example"));
            assert!(ours.extended_master_secret && ours.session.is_none() && ours.psk.is_none());
            assert!(ours.exporter.is_some() && ours.exporter == theirs.exporter);
        }
        let chain = &server.answers.credential.as_ref().unwrap().chain;
        assert_eq!(&client.outcome().peer.as_ref().unwrap().chain[..], &chain[..]);
        assert_eq!(server.outcome().signature_scheme, Some(SignatureScheme::ECDSA_SECP256R1_SHA256));
        assert_eq!(client.outcome().peer_signature_scheme, server.outcome().signature_scheme);
        assert_eq!((client.limits, server.limits), (Some((4096, 4096)), Some((4096, 4096))));
    }

    #[test]
    fn every_suite_and_group_and_key_makes_a_handshake() {
        let groups =
            [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
        let mut groups = groups.iter().cycle();
        let suites = defaults::SUITES_TLS12.iter().filter_map(|suite| suite.tls12());
        for suite in suites {
            let keys = match suite.authentication {
                Authentication::Ecdsa => {
                    &[KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519][..]
                }
                Authentication::Rsa => &[KeyAlgorithm::Rsa][..],
            };
            for key in keys {
                let group = *groups.next().unwrap();
                // The curve of a certificate must be among the groups too, so the key exchange's is made the first.
                let mut all = vec![group];
                all.extend(defaults::GROUPS.iter().filter(|other| **other != group));
                let common = || Common { suites: vec![suite.suite], groups: all.clone(), ..tls12() };
                let server = a_server(common(), ClientAuth::None, credential(*key));
                let mut pair = Pair { client: a_client(common(), None), server };
                pair.run();
                assert!(pair.is_done(), "{key:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
                let outcome = pair.client.outcome();
                assert_eq!((outcome.suite, outcome.group), (suite.suite, Some(group)));
            }
        }
    }

    #[test]
    fn the_credential_chooses_the_suite() {
        for (key, suite) in [
            (KeyAlgorithm::Rsa, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            (KeyAlgorithm::EcdsaP256, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
            (KeyAlgorithm::Ed25519, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        ] {
            let server = a_server(tls12(), ClientAuth::None, credential(key));
            let mut pair = Pair { client: a_client(tls12(), None), server };
            pair.run();
            assert!(pair.is_done(), "{key:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
            assert_eq!(pair.server.outcome().suite, suite, "{key:?}");
        }
    }

    #[test]
    fn only_schemes_of_suites_and_curves_in_common_are_asked_for() {
        let schemes = |change: fn(&mut Hello)| {
            let (hello, mut server) = before_the_hello(tls12());
            server.give(&edit(&hello, change));
            server.answer();
            match server.need {
                Some(Need::ChooseCredential(need)) => need.request.schemes,
                other => panic!("{other:?} {:?}", server.failure),
            }
        };
        let all = schemes(|_| ());
        assert!(all.contains(&SignatureScheme::ECDSA_SECP256R1_SHA256));
        assert!(all.contains(&SignatureScheme::RSA_PKCS1_SHA256));
        assert!(!all.contains(&SignatureScheme::ML_DSA_65), "TLS 1.3 only");
        assert!(!all.contains(&SignatureScheme::ECDSA_SECP384R1_SHA384), "P-384 is no group of this client");
        let rsa = schemes(|hello| hello.suites = vec![0xc02f]);
        assert!(rsa.contains(&SignatureScheme::RSA_PSS_RSAE_SHA256));
        assert!(!rsa.contains(&SignatureScheme::ECDSA_SECP256R1_SHA256));
        assert!(!rsa.contains(&SignatureScheme::ED25519));
        let ecdsa = schemes(|hello| hello.suites = vec![0xc02c]);
        assert!(!ecdsa.contains(&SignatureScheme::RSA_PSS_RSAE_SHA256));
        assert!(ecdsa.contains(&SignatureScheme::ED25519));
    }

    #[test]
    fn the_clients_order_counts_where_the_configuration_says_so() {
        for (prefer_client_order, suite, group) in [
            (false, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, NamedGroup::X25519),
            (true, CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, NamedGroup::SECP256R1),
        ] {
            let (hello, mut server) = before_the_hello(tls12());
            server.answers.config = Arc::new(ServerHandshake {
                common: Arc::new(tls12()),
                prefer_client_order,
                ..ServerHandshake::default()
            });
            let hello = edit(&hello, |hello| {
                hello.suites = vec![0x1301, 0xcca9, 0xc02b];
                hello.set(ExtensionType::SUPPORTED_GROUPS, &[0, 4, 0, 23, 0, 29]);
            });
            let server = hello_to(server, &hello);
            assert_eq!(server_hello(&server).suites, [suite.0]);
            let key_exchange = &server.sent[2];
            assert_eq!(key_exchange.typ(), HandshakeType::SERVER_KEY_EXCHANGE);
            assert_eq!(key_exchange.body()[..3], [[3].as_slice(), &group.0.to_be_bytes()].concat());
        }
    }

    #[test]
    fn what_is_stapled_is_sent_when_it_is_asked_for() {
        let mut stapling = Arc::into_inner(credential(KeyAlgorithm::EcdsaP256)).unwrap();
        stapling.ocsp = Some(b"good".to_vec());
        stapling.scts = Some(vec![0, 5, 0, 3, 1, 2, 3]);
        let server = a_server(tls12(), ClientAuth::None, Arc::new(stapling));
        let mut pair = Pair { client: a_client(tls12(), None), server };
        let mut seen = Vec::new();
        pair.run_with(|to_server, message| {
            if !to_server {
                seen.push(message.name());
            }
        });
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(seen[..3], ["ServerHello", "Certificate", "CertificateStatus"]);
        let peer = pair.client.outcome().peer.as_ref().unwrap();
        assert_eq!(peer.ocsp.as_deref(), Some(&b"good"[..]));
        assert_eq!(peer.scts.as_deref(), Some(&[0, 5, 0, 3, 1, 2, 3][..]));
    }

    #[test]
    fn a_server_answers_nothing_that_was_not_asked() {
        let (hello, server) = before_the_hello(Common { require_extended_master_secret: false, ..tls12() });
        let hello = edit(&hello, |hello| {
            let keep = [ExtensionType::SUPPORTED_GROUPS, ExtensionType::SIGNATURE_ALGORITHMS];
            hello.extensions.retain(|(typ, _)| keep.contains(typ));
            hello.session_id = vec![7; 32];
        });
        let hello = server_hello(&hello_to(server, &hello));
        assert!(hello.extensions.is_empty(), "{:?}", hello.extensions);
        assert!(hello.session_id.is_empty(), "an echo would say that a session is resumed");
        assert_eq!((hello.version, &hello.compression[..]), (0x0303, &[0][..]));
    }

    #[test]
    fn without_extended_master_secret_there_is_no_exporter() {
        let common = || Common { require_extended_master_secret: false, ..tls12() };
        let Pair { mut client, mut server } = pair_of(common(), common());
        client.settle();
        server.settle();
        let remove = |hello: &mut Hello| hello.remove(EMS);
        let mut messages = vec![edit(&client.next_message(), remove)];
        server.give(&messages[0]);
        server.settle();
        while let Some(message) = server.sent.pop_front() {
            client.give(&message);
            client.settle();
            messages.push(message);
        }
        assert!(Hello::of(&messages[1]).extensions.iter().all(|(typ, _)| *typ != EMS));
        messages.push(client.next_message());
        server.give(messages.last().unwrap());
        server.give(&client.next_message());
        assert_eq!(server.key_log, client.key_log, "both have bound the master secret to the randoms alone");
        // The client has hashed the hello as it was, so its Finished is made anew.
        let transcript: Vec<u8> = messages.iter().flat_map(|message| message.bytes.clone()).collect();
        let secret = Secret::new(&server.key_log[0].1).unwrap();
        let master = MasterSecret::resumed(Hash::Sha256, &secret).unwrap();
        let verify_data = master.verify_data(Sender::Client, &Hash::Sha256.digest(&transcript));
        let finished = Message::new(Level::Application, HandshakeType::FINISHED, &verify_data);
        assert_eq!(server.give(&finished).last().unwrap(), "Done");
        let outcome = server.outcome();
        assert!(!outcome.extended_master_secret && outcome.exporter.is_none() && outcome.session.is_none());
    }

    #[test]
    fn a_suite_of_sha384_hashes_the_transcript_with_it() {
        let common =
            || Common { suites: vec![CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], ..tls12() };
        let mut pair = pair_of(common(), common());
        pair.run();
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(pair.server.key(Level::Application, Direction::Read).len(), 32);
    }
}

mod t10_refused_by_the_server {
    use super::*;

    #[track_caller]
    fn refused(common: Common, change: impl FnOnce(&mut Hello)) -> End {
        let (hello, server) = before_the_hello(common);
        let server = hello_to(server, &edit(&hello, change));
        assert!(server.failure.is_some() && server.sent.is_empty());
        server
    }

    #[test]
    fn a_client_without_extended_master_secret_unless_it_may() {
        let change = |hello: &mut Hello| hello.remove(EMS);
        let server = refused(tls12(), change);
        assert_eq!(server.alert(), HF);
        assert!(matches!(server.error(), Error::NoExtendedMasterSecret));
        assert_eq!(server.error().fault(), Fault::Incompatible);
        let (hello, server) = before_the_hello(Common { require_extended_master_secret: false, ..tls12() });
        server_hello(&hello_to(server, &edit(&hello, change)));
    }

    #[test]
    fn a_renegotiation_info_that_is_of_a_renegotiation() {
        let server = refused(tls12(), |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[1, 0]));
        assert_eq!(server.alert(), HF);
        assert!(matches!(server.error(), Error::NoSecureRenegotiation));
    }

    #[test]
    fn a_signalled_renegotiation_info_is_answered_and_none_is_not() {
        for (scsv, answered) in [(true, true), (false, false)] {
            let (hello, server) = before_the_hello(tls12());
            let hello = edit(&hello, |hello| {
                hello.remove(ExtensionType::RENEGOTIATION_INFO);
                hello.suites.retain(|suite| *suite != 0x00ff);
                hello.suites.extend(scsv.then_some(0x00ff));
            });
            let hello = server_hello(&hello_to(server, &hello));
            let found = hello.extensions.iter().find(|(typ, _)| *typ == ExtensionType::RENEGOTIATION_INFO);
            assert_eq!(found.map(|(_, data)| &data[..]), answered.then_some(&[0][..]));
        }
    }

    #[test]
    fn a_fallback_from_a_version_that_both_speak() {
        let fall_back = |hello: &mut Hello| hello.suites.push(0x5600);
        let server = refused(both(TLS12, TLS13), fall_back);
        assert_eq!(server.alert(), AlertDescription::INAPPROPRIATE_FALLBACK);
        assert!(matches!(server.error(), Error::InappropriateFallback));
        let (hello, server) = before_the_hello(tls12());
        server_hello(&hello_to(server, &edit(&hello, fall_back)));
    }

    #[test]
    fn compression_points_and_groups_that_nobody_has() {
        let server = refused(tls12(), |hello| hello.compression = vec![1]);
        assert_eq!(server.alert(), IP);
        let server = refused(tls12(), |hello| hello.set(ExtensionType::EC_POINT_FORMATS, &[1, 1]));
        assert_eq!(server.alert(), IP);
        let server = refused(tls12(), |hello| hello.remove(ExtensionType::SUPPORTED_GROUPS));
        assert_eq!(server.alert(), HF);
        // A hybrid is for TLS 1.3.
        let server =
            refused(tls12(), |hello| hello.set(ExtensionType::SUPPORTED_GROUPS, &[0, 2, 0x11, 0xec]));
        assert!(matches!(server.error(), Error::NoCommonGroup { .. }));
    }

    #[test]
    fn other_compressions_beside_null_are_passed_over() {
        let (hello, server) = before_the_hello(tls12());
        let hello = edit(&hello, |hello| hello.compression = vec![1, 0]);
        assert_eq!(server_hello(&hello_to(server, &hello)).compression, [0]);
    }

    #[test]
    fn suites_that_are_not_ecdhe_with_an_aead_are_named_in_the_error() {
        // CBC, static RSA, DHE, RC4, NULL.
        let server = refused(tls12(), |hello| hello.suites = vec![0xc013, 0x009c, 0x009e, 0x0005, 0x0001]);
        assert_eq!(server.alert(), HF);
        let Error::NoCommonSuite { peer } = server.error() else { panic!("{:?}", server.error()) };
        assert!(peer.to_string().contains("0xc013"), "{peer}");
        let server = refused(tls12(), |hello| hello.suites = vec![0x1301, 0x1302]);
        assert!(matches!(server.error(), Error::NoCommonSuite { .. }), "suites of another version");
    }

    /// Also by a client that offers TLS 1.3 beside it: this server does not speak that.
    #[test]
    fn what_only_tls13_demands_is_not_asked_of_a_hello_that_gets_tls12() {
        let Pair { mut client, server } = pair_of(both(TLS12, TLS13), tls12());
        client.drain();
        let hello = client.next_message();
        let hello = edit(&hello, |hello| {
            hello.compression = vec![1, 0];
            hello.remove(ExtensionType::KEY_SHARE);
        });
        let mut server = server;
        server.drain();
        let server = hello_to(server, &hello);
        assert_eq!(server_hello(&server).version, TLS12.0);
        // Who speaks it demands it.
        let mut newer = pair_of(tls12(), both(TLS12, TLS13)).server;
        newer.drain();
        let newer = hello_to(newer, &hello);
        assert_eq!(newer.alert(), IP);
    }

    #[test]
    fn a_cookie_is_for_tls13_alone() {
        let (hello, mut server) = before_the_hello(tls12());
        server.answers.cookie = Some(b"crumb".to_vec());
        server_hello(&hello_to(server, &hello));
    }

    #[test]
    fn a_client_of_old_is_told_what_would_have_worked() {
        let server = refused(both(TLS12, TLS13), |hello| {
            hello.version = 0x0301;
            hello.remove(ExtensionType::SUPPORTED_VERSIONS);
            hello.suites = vec![0xc013, 0x002f, 0x00ff];
        });
        let text = server.error().to_string();
        assert!(text.ends_with(
            "the peer offers only TLS 1.0 with CBC suites; this side takes TLS 1.2 with ECDHE AEAD suites and TLS 1.3"
        ), "{text}");
        let server = refused(tls12(), |hello| hello.suites = vec![0xc013, 0x00ff]);
        let text = server.error().to_string();
        assert!(text.contains("only CBC suites") && text.contains("takes TLS_ECDHE_ECDSA"), "{text}");
    }

    #[test]
    fn sha1_and_silence_about_signatures() {
        let sha1 = [0, 4, 2, 1, 2, 3];
        let server = refused(tls12(), |hello| hello.set(ExtensionType::SIGNATURE_ALGORITHMS, &sha1));
        assert_eq!(server.alert(), HF);
        let server = refused(tls12(), |hello| hello.remove(ExtensionType::SIGNATURE_ALGORITHMS));
        assert!(matches!(server.error(), Error::NoCommonSignatureScheme { .. }));
    }

    #[test]
    fn a_server_whose_key_no_suite_fits() {
        let Pair { mut client, .. } = pair();
        client.drain();
        let mut server = a_server(tls12(), ClientAuth::None, credential(KeyAlgorithm::MlDsa65));
        server.drain();
        let server = hello_to(server, &client.next_message());
        assert_eq!(server.alert(), HF);
        assert!(matches!(server.error(), Error::NoCommonSignatureScheme { .. }));
    }

    #[test]
    fn a_hello_that_more_follows() {
        let (hello, mut server) = before_the_hello(tls12());
        assert_eq!(server.give_with(&hello, true), [format!("Failed({UM})@In")]);
    }

    #[test]
    fn a_change_of_key_that_comes_early_or_twice() {
        let change = Message::change_cipher_spec();
        let (_, mut server) = before_the_hello(tls12());
        refuses(&mut server, &[&change], UM);
        let mut pair = pair();
        second_flight(&mut pair);
        // No key has been exchanged: what was made from it would be known to everybody.
        refuses(&mut pair.server, &[&change], UM);
        assert!(matches!(pair.server.error(), Error::UnexpectedChangeCipherSpec));
        let mut pair = super::pair();
        let flight = second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[0], &change, &change], UM);
    }

    #[test]
    fn a_change_of_key_amid_a_message_or_a_message_behind_the_key_exchange() {
        let mut pair = pair();
        let flight = second_flight(&mut pair);
        pair.server.give(&flight[0]);
        assert_eq!(pair.server.give_with(&flight[1], true), [format!("Failed({UM})@In")]);
        let mut pair = super::pair();
        let flight = second_flight(&mut pair);
        assert_eq!(pair.server.give_with(&flight[0], true), [format!("Failed({UM})@In")]);
    }

    #[test]
    fn a_finished_in_the_clear_or_before_the_change_of_key() {
        let mut pair = pair();
        let flight = second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[0], &flight[2]], UM);
        let mut pair = super::pair();
        let flight = second_flight(&mut pair);
        let clear = Message { level: Level::Initial, ..flight[2].clone() };
        refuses(&mut pair.server, &[&flight[0], &flight[1], &clear], UM);
        assert!(matches!(pair.server.error(), Error::WrongLevel { .. }));
    }

    #[test]
    fn a_finished_that_is_wrong_short_or_followed() {
        let mut pair = pair();
        let flight = second_flight(&mut pair);
        let mut body = flight[2].body().to_vec();
        body[0] ^= 1;
        let wrong = flight[2].with_body(&body);
        refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
        for length in [0, 11, 13] {
            let mut pair = super::pair();
            let flight = second_flight(&mut pair);
            let mut body = flight[2].body().to_vec();
            body.resize(length, 0);
            let wrong = flight[2].with_body(&body);
            refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
        }
        let mut pair = super::pair();
        let flight = second_flight(&mut pair);
        pair.server.give(&flight[0]);
        pair.server.give(&flight[1]);
        assert_eq!(pair.server.give_with(&flight[2], true), [format!("Failed({UM})@In")]);
    }

    #[test]
    fn a_public_key_that_is_empty_cut_short_or_no_point() {
        let decode = AlertDescription::DECODE_ERROR;
        for (body, alert) in [
            (vec![], decode),
            (vec![0], decode),
            (vec![2, 1], decode),
            (vec![1, 1, 1], decode),
            ([&[31][..], &[9; 31]].concat(), IP),
            // The point of order one.
            ([&[32][..], &[0; 32]].concat(), IP),
        ] {
            let mut pair = pair();
            let flight = second_flight(&mut pair);
            let key_exchange = flight[0].with_body(&body);
            refuses(&mut pair.server, &[&key_exchange], alert);
        }
    }

    #[test]
    fn every_other_message_in_place_of_the_key_exchange() {
        for typ in 0..=255 {
            if HandshakeType(typ) == HandshakeType::CLIENT_KEY_EXCHANGE {
                continue;
            }
            let mut pair = pair();
            second_flight(&mut pair);
            let other = Message::new(Level::Initial, HandshakeType(typ), &[0; 4]);
            refuses(&mut pair.server, &[&other], UM);
        }
    }
}

mod client_certificates {
    use super::*;

    #[test]
    fn row_2_the_request_comes_before_the_flight_ends() {
        let Pair { mut client, mut server } = authenticated(ClientAuth::Required, None);
        client.drain();
        server.drain();
        server.give(&client.next_message());
        server.answer();
        server.answer();
        assert_eq!(server.read_mode.unwrap().max_message, defaults::MAX_MESSAGE);
        assert_eq!(
            server.answer(),
            ["S(ServerKeyExchange)@In", "S(CertificateRequest)@In", "S(ServerHelloDone)@In"]
        );
    }

    #[test]
    fn rows_5_to_7_the_client_is_known_after_its_proof_and_the_verdict() {
        for key in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa, KeyAlgorithm::Ed25519] {
            let mut pair = authenticated(ClientAuth::Required, Some(credential(key)));
            let flight = second_flight(&mut pair);
            let Pair { client, mut server } = pair;
            assert_eq!(
                flight.iter().map(Message::name).collect::<Vec<_>>(),
                ["Certificate", "ClientKeyExchange", "CertificateVerify", "ChangeCipherSpec", "Finished"]
            );
            assert!(server.give(&flight[0]).is_empty());
            assert!(server.give(&flight[1]).is_empty());
            assert_eq!(server.give(&flight[2]), ["?VerifyPeer"]);
            assert_eq!(server.offer(&flight[3], false), Err(Misuse::NeedIsOut));
            assert!(server.answer().is_empty());
            assert_eq!(server.give(&flight[3]), ["R:Ap", "R(del,no)"]);
            assert_eq!(server.give(&flight[4]), ["CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
            let peer = server.outcome().peer.as_ref().unwrap();
            assert_eq!(peer.chain[..], client.answers.credential.as_ref().unwrap().chain[..]);
            let scheme = server.outcome().peer_signature_scheme.unwrap();
            assert!(client.answers.credential.as_ref().unwrap().schemes.contains(&scheme));
        }
    }

    #[test]
    fn a_client_without_a_certificate_is_welcome_or_not() {
        let mut pair = authenticated(ClientAuth::Optional, None);
        pair.run();
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert!(pair.server.outcome().peer.is_none());
        let mut pair = authenticated(ClientAuth::Required, None);
        pair.run();
        // TLS 1.2 has no alert of its own for it.
        assert_eq!(pair.server.alert(), HF);
        assert!(matches!(pair.server.error(), Error::CertificateRequired { .. }));
    }

    /// RFC 8422 section 5.6: a curve that the server names neither as a group nor by a scheme.
    #[test]
    fn a_certificate_on_a_curve_that_is_not_taken() {
        let mut other = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP384)));
        let theirs = second_flight(&mut other)[0].clone();
        let narrow = Common {
            verify_schemes: vec![SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::ED25519],
            ..tls12()
        };
        let ours = credential(KeyAlgorithm::EcdsaP256);
        let mut pair = Pair {
            client: a_client(tls12(), Some(Arc::clone(&ours))),
            server: a_server(narrow, ClientAuth::Required, ours),
        };
        second_flight(&mut pair);
        refuses(&mut pair.server, &[&theirs], IP);
    }

    #[test]
    fn a_certificate_is_nothing_without_its_proof() {
        let mut pair = authenticated(ClientAuth::Optional, Some(credential(KeyAlgorithm::EcdsaP256)));
        let flight = second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[0], &flight[1], &flight[3]], UM);
        assert!(matches!(pair.server.error(), Error::UnexpectedChangeCipherSpec));
    }

    #[test]
    fn a_proof_that_is_of_another_handshake_or_scheme() {
        let mut pair = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
        let flight = second_flight(&mut pair);
        let mut body = flight[2].body().to_vec();
        let last = body.len() - 1;
        body[last] ^= 1;
        let wrong = flight[2].with_body(&body);
        refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
        for scheme in [
            SignatureScheme::ECDSA_SHA1,
            SignatureScheme::RSA_PSS_RSAE_SHA256,
            SignatureScheme::ED25519,
            SignatureScheme(0xffff),
        ] {
            let mut pair = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
            let flight = second_flight(&mut pair);
            let mut body = flight[2].body().to_vec();
            body[..2].copy_from_slice(&scheme.0.to_be_bytes());
            let wrong = flight[2].with_body(&body);
            refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], IP);
        }
        // A hash of another size than the curve's is fine in TLS 1.2, so that it is the signature that is wrong.
        let mut pair = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
        let flight = second_flight(&mut pair);
        let mut body = flight[2].body().to_vec();
        body[..2].copy_from_slice(&SignatureScheme::ECDSA_SECP384R1_SHA384.0.to_be_bytes());
        let wrong = flight[2].with_body(&body);
        refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
    }

    #[test]
    fn certificates_out_of_their_order() {
        let with_certificate =
            || authenticated(ClientAuth::Optional, Some(credential(KeyAlgorithm::EcdsaP256)));
        let mut pair = with_certificate();
        let flight = second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[1]], UM);
        let mut pair = with_certificate();
        let flight = second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[0], &flight[2]], UM);
        let mut pair = with_certificate();
        let flight = second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[0], &flight[0]], UM);
        // A proof of what nobody has shown.
        let mut pair = with_certificate();
        let flight = second_flight(&mut pair);
        let empty = flight[0].with_body(&[0, 0, 0]);
        refuses(&mut pair.server, &[&empty, &flight[1], &flight[2]], UM);
        // A certificate that nobody asked for.
        let mut pair = super::pair();
        second_flight(&mut pair);
        refuses(&mut pair.server, &[&flight[0]], UM);
    }
}

mod t12_version_negotiation {
    use super::*;

    fn random_of_server_hello(pair: &mut Pair) -> Vec<u8> {
        let mut random = Vec::new();
        pair.run_with(|to_server, message| {
            if !to_server && message.typ_is(HandshakeType::SERVER_HELLO) {
                random = Hello::of(message).random;
            }
        });
        random
    }

    #[test]
    fn the_highest_version_in_common_is_spoken_and_marked_if_older_than_ours() {
        let ranges = [(TLS12, TLS12), (TLS12, TLS13), (TLS13, TLS13)];
        for (client_min, client_max) in ranges {
            for (server_min, server_max) in ranges {
                let mut pair = pair_of(both(client_min, client_max), both(server_min, server_max));
                let random = random_of_server_hello(&mut pair);
                let highest = client_max.min(server_max);
                if highest < client_min.max(server_min) {
                    assert_eq!(pair.server.alert(), AlertDescription::PROTOCOL_VERSION);
                    continue;
                }
                assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
                assert_eq!(pair.client.outcome().version, highest);
                assert_eq!(pair.server.outcome().version, highest);
                assert_eq!(random.ends_with(&DOWNGRADE_TLS12), highest < server_max);
                assert!(!random.ends_with(&DOWNGRADE_TLS11));
            }
        }
    }

    #[test]
    fn a_version_without_suites_is_not_spoken() {
        let without = Common { suites: defaults::SUITES.to_vec(), ..both(TLS12, TLS13) };
        let (hello, server) = before_the_hello(without);
        let server = hello_to(server, &hello);
        assert_eq!(server.alert(), AlertDescription::PROTOCOL_VERSION);
    }

    #[test]
    fn what_took_tls13_out_of_the_offer_is_found_by_the_client() {
        let mut pair = pair_of(both(TLS12, TLS13), both(TLS12, TLS13));
        pair.client.settle();
        pair.server.settle();
        let hello = pair.client.next_message();
        pair.server.give(&edit(&hello, |hello| hello.remove(ExtensionType::SUPPORTED_VERSIONS)));
        pair.server.settle();
        pair.client.give(&pair.server.next_message());
        assert_eq!(pair.client.alert(), IP);
        assert!(matches!(pair.client.error(), Error::Downgrade));
    }

    #[test]
    fn older_versions_are_refused_by_name() {
        for version in [0x0300, 0x0301, 0x0302] {
            let (hello, mut server) = before_the_hello(both(TLS12, TLS13));
            let hello = edit(&hello, |hello| {
                hello.remove(ExtensionType::SUPPORTED_VERSIONS);
                hello.version = version;
            });
            // Which versions are spoken, the configuration says.
            assert_eq!(server.give(&hello), ["?ChooseConfig"]);
            assert_eq!(server.answer(), [format!("Failed({})@In", AlertDescription::PROTOCOL_VERSION)]);
            let name = ProtocolVersion(version).to_string();
            assert!(server.error().to_string().contains(&name), "{}", server.error());
        }
    }
}

mod after_the_handshake {
    use super::*;
    use common::NOW;

    #[test]
    fn a_wish_to_renegotiate_is_refused_or_ignored() {
        let mut pair = pair();
        pair.run();
        let (_, at_client) = pair.client.done.as_mut().unwrap();
        let request = [0, 0, 0, 0];
        for _ in 0..defaults::MAX_HELLO_REQUESTS {
            assert!(at_client.receive.message(&request, false, NOW).unwrap().is_none());
        }
        assert_eq!(at_client.receive.message(&request, false, NOW).unwrap_err().alert, UM, "it nags");
        assert!(at_client.tickets.is_none());
        let (_, at_server) = pair.server.done.as_mut().unwrap();
        let failure = at_server.receive.message(&[1, 0, 0, 0], false, NOW).unwrap_err();
        assert_eq!(failure.alert, AlertDescription::NO_RENEGOTIATION);
        assert!(at_server.tickets.is_none());
    }

    #[test]
    fn nothing_else_comes_after_the_handshake() {
        for typ in 0..=255 {
            let mut pair = pair();
            pair.run();
            let message = [typ, 0, 0, 0];
            for (end, passed) in [(&mut pair.client, 0), (&mut pair.server, 1)] {
                if typ != passed {
                    let (_, after) = end.done.as_mut().unwrap();
                    assert_eq!(after.receive.message(&message, false, NOW).unwrap_err().alert, UM, "{typ}");
                }
            }
        }
    }
}

/// Every state of both roles that waits for a message or a ChangeCipherSpec, against everything that may come there.
mod every_state {
    use super::*;

    /// A machine that waits: whose it is, how many messages it got, the honest one that is due, and both ends.
    struct Waiting {
        server: bool,
        index: usize,
        due: Message,
        pair: Pair,
    }

    fn ends(mutual: bool) -> Pair {
        let client_auth = if mutual { ClientAuth::Required } else { ClientAuth::None };
        authenticated(client_auth, Some(credential(KeyAlgorithm::EcdsaP256)))
    }

    /// The state of this role that has got `index` messages; `None`: the handshake is over before.
    fn reach(mutual: bool, server: bool, index: usize) -> Option<Waiting> {
        let mut pair = ends(mutual);
        pair.client.settle();
        pair.server.settle();
        let mut got = 0;
        loop {
            let (to_server, message) = match pair.client.sent.pop_front() {
                Some(message) => (true, message),
                None => (false, pair.server.sent.pop_front()?),
            };
            if to_server == server {
                if got == index {
                    return Some(Waiting { server, index, due: message, pair });
                }
                got += 1;
            }
            let end = if to_server { &mut pair.server } else { &mut pair.client };
            end.give(&message);
            end.settle();
        }
    }

    /// Calls `attack` in every state with a way to reach it anew.
    fn for_every_state(mut attack: impl FnMut(&dyn Fn() -> Waiting)) -> usize {
        let mut states = 0;
        for mutual in [false, true] {
            for server in [false, true] {
                for index in 0.. {
                    if reach(mutual, server, index).is_none() {
                        break;
                    }
                    states += 1;
                    attack(&|| reach(mutual, server, index).unwrap());
                }
            }
        }
        states
    }

    impl Waiting {
        fn end(&mut self) -> &mut End {
            if self.server { &mut self.pair.server } else { &mut self.pair.client }
        }

        fn what(&self) -> String {
            let role = if self.server { "server" } else { "client" };
            format!("{role} that waits for {} ({})", self.due.name(), self.index)
        }

        /// Whether this type is taken here: a message that may be left out goes with the one behind it.
        fn takes(&self, typ: HandshakeType) -> bool {
            if !self.server && typ == HandshakeType::HELLO_REQUEST {
                return true;
            }
            let optional = match self.due.name().as_str() {
                "CertificateRequest" => Some(HandshakeType::SERVER_HELLO_DONE),
                "ServerHelloDone" if self.index == 3 => Some(HandshakeType::CERTIFICATE_REQUEST),
                _ => None,
            };
            self.due.typ_is(typ) || optional == Some(typ)
        }

        #[track_caller]
        fn refused(&mut self, alert: AlertDescription, with: &str) {
            let what = self.what();
            let failure = self.end().failure.as_ref().unwrap_or_else(|| panic!("{what}: takes {with}"));
            assert_eq!(failure.alert, alert, "{what}, {with}: {}", failure.error);
            assert_eq!(failure.error.fault(), Fault::Peer, "{what}, {with}");
            assert!(self.end().done.is_none());
        }
    }

    #[test]
    fn a_message_that_is_not_due_is_refused() {
        let types = [0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 24, 25, 99, 254, 255];
        let states = for_every_state(|reach| {
            for typ in types.map(HandshakeType) {
                let mut waiting = reach();
                if waiting.takes(typ) {
                    continue;
                }
                let message = Message::new(waiting.due.level, typ, &[0; 3]);
                waiting.end().give(&message);
                waiting.refused(UM, &typ.to_string());
            }
        });
        // ClientHello, key exchange, change, Finished; the same with certificates; six and seven at clients.
        assert_eq!(states, 4 + 6 + 6 + 7);
    }

    #[test]
    fn a_change_of_key_that_is_not_due_is_refused() {
        for_every_state(|reach| {
            for more in [false, true] {
                let mut waiting = reach();
                let change = Message::change_cipher_spec();
                if waiting.due != change || more {
                    waiting.end().give_with(&change, more);
                    waiting.refused(UM, "ChangeCipherSpec");
                }
            }
        });
    }

    #[test]
    fn a_message_at_the_wrong_level_is_refused() {
        for_every_state(|reach| {
            for level in [Level::Initial, Level::Early, Level::Handshake, Level::Application] {
                let mut waiting = reach();
                if waiting.due == Message::change_cipher_spec() || waiting.due.level == level {
                    continue;
                }
                let message = Message { level, ..waiting.due.clone() };
                waiting.end().give(&message);
                waiting.refused(UM, &format!("{level:?}"));
            }
        });
    }

    #[test]
    fn a_message_over_the_limit_is_refused() {
        for_every_state(|reach| {
            let mut waiting = reach();
            let limit = waiting.end().read_mode.unwrap().max_message;
            if waiting.due == Message::change_cipher_spec() {
                return;
            }
            let body = vec![0; usize::try_from(limit).unwrap() - 3];
            let message = waiting.due.with_body(&body);
            waiting.end().give(&message);
            waiting.refused(IP, "a message over the limit");
        });
    }

    #[test]
    fn a_message_that_is_cut_short_or_too_long_never_ends_well() {
        for_every_state(|reach| {
            let honest = reach().due;
            if honest == Message::change_cipher_spec() {
                return;
            }
            let whole = honest.body().len();
            for cut in (0..whole).step_by(7).chain([whole.saturating_sub(1)]).filter(|cut| *cut < whole) {
                let mut waiting = reach();
                let end = cut.min(waiting.due.body().len() - 1);
                let message = waiting.due.with_body(&waiting.due.body()[..end]);
                waiting.end().give(&message);
                waiting.end().settle();
                assert!(waiting.end().failure.is_some(), "{}: {cut}", waiting.what());
            }
            let mut waiting = reach();
            let message = waiting.due.with_body(&[waiting.due.body(), &[0]].concat());
            waiting.end().give(&message);
            assert!(waiting.end().failure.is_some(), "{}: a byte too many", waiting.what());
        });
    }
}
