//! What a TLS 1.2 client refuses, at which message and with which alert; and what it takes.
//!
//! A server of ours answers honestly, and its messages are changed on their way. What it has signed is signed again
//! where the change would break the signature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{
    ClientAuth, ClientHandshake, Common, ConfigError, Credential, ServerHandshake,
};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12, HELLO_RETRY_REQUEST_RANDOM};
use oxtls_handshake::message::tls12::{certificate, certificate_request, server_key_exchange};
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{ChangeCipherSpec, Direction, Input, Level, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};

use common::{Answers, End, Hello, Message, NOW, Pair, client, credential, edit, server};

const UM: AlertDescription = AlertDescription::UNEXPECTED_MESSAGE;
const IP: AlertDescription = AlertDescription::ILLEGAL_PARAMETER;
const DE: AlertDescription = AlertDescription::DECODE_ERROR;
const HF: AlertDescription = AlertDescription::HANDSHAKE_FAILURE;
const UE: AlertDescription = AlertDescription::UNSUPPORTED_EXTENSION;
const PV: AlertDescription = AlertDescription::PROTOCOL_VERSION;

/// Which versions a side speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versions {
    Only12,
    Both,
    Only13,
}

fn common_config(versions: Versions, change: impl FnOnce(&mut Common)) -> Arc<Common> {
    let (min_version, max_version) = match versions {
        Versions::Only12 => (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2),
        Versions::Both => (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3),
        Versions::Only13 => (ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_3),
    };
    let mut common = Common {
        min_version,
        max_version,
        suites: [defaults::SUITES, SUITES].concat(),
        groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
        alpn: vec![b"h2".to_vec()],
        key_log: true,
        ..Common::default()
    };
    change(&mut common);
    Arc::new(common)
}

const SUITES: &[CipherSuite] = &[
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

fn client_config(versions: Versions, change: impl FnOnce(&mut Common)) -> ClientHandshake {
    ClientHandshake {
        common: common_config(versions, change),
        server_name: Some("server.example".to_owned()),
        ..ClientHandshake::default()
    }
}

/// What varies between the handshakes of these tests.
struct Setup {
    client: Versions,
    server: Versions,
    client_auth: ClientAuth,
    client_credential: Option<Arc<Credential>>,
    server_credential: Arc<Credential>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client: Versions::Both,
            server: Versions::Only12,
            client_auth: ClientAuth::None,
            client_credential: None,
            server_credential: credential(KeyAlgorithm::EcdsaP256),
        }
    }
}

impl Setup {
    fn pair(self) -> Pair {
        self.pair_with(|_| (), |_| ())
    }

    fn pair_with(self, ours: impl FnOnce(&mut Common), theirs: impl FnOnce(&mut Common)) -> Pair {
        let answers = Answers {
            config: Arc::new(ServerHandshake {
                common: common_config(self.server, theirs),
                client_auth: self.client_auth,
                ..ServerHandshake::default()
            }),
            cookie: None,
            credential: Some(self.server_credential),
        };
        Pair {
            client: client(client_config(self.client, ours), Transport::Stream, self.client_credential),
            server: server(Transport::Stream, answers),
        }
    }
}

/// The server's first flight, and the client that it is for.
fn flight(setup: Setup) -> (End, Vec<Message>) {
    let mut pair = setup.pair();
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&hello);
    pair.server.settle();
    (pair.client, pair.server.sent.into())
}

/// Gives the flight with `change` applied to the message of this name, up to the failure.
fn changed(setup: Setup, name: &str, change: impl FnOnce(&Message) -> Message) -> End {
    let (mut end, flight) = flight(setup);
    let mut change = Some(change);
    for message in flight {
        let message = match (message.name() == name, change.take()) {
            (true, Some(change)) => change(&message),
            (_, untouched) => {
                change = untouched;
                message
            }
        };
        if end.failure.is_some() {
            break;
        }
        end.give(&message);
    }
    assert!(change.is_none(), "no {name} in the flight");
    end
}

#[track_caller]
fn refused(end: &End, alert: AlertDescription) {
    let failure = end.failure.as_ref().expect("nothing was refused");
    assert_eq!(failure.alert, alert, "{}", failure.error);
    assert!(end.done.is_none());
}

fn hello_changed(versions: Versions, change: impl FnOnce(&mut Hello)) -> End {
    changed(Setup { client: versions, ..Setup::default() }, "ServerHello", |message| edit(message, change))
}

fn hello_of(config: ClientHandshake) -> Hello {
    let mut end = client(config, Transport::Stream, None);
    end.drain();
    Hello::of(&end.next_message())
}

fn types(hello: &Hello) -> Vec<ExtensionType> {
    let mut types: Vec<_> = hello.extensions.iter().map(|(typ, _)| *typ).collect();
    types.sort_by_key(|typ| typ.0);
    types
}

#[test]
fn a_hello_for_both_versions_has_what_each_needs() {
    let hello = hello_of(client_config(Versions::Both, |_| ()));
    assert_eq!(hello.version, 0x0303);
    assert_eq!(hello.session_id.len(), 32);
    assert_eq!(hello.suites, [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xcca9, 0xc02f]);
    assert_eq!(hello.get(ExtensionType::SUPPORTED_VERSIONS), [4, 3, 4, 3, 3]);
    assert_eq!(hello.get(ExtensionType::RENEGOTIATION_INFO), [0]);
    assert_eq!(hello.get(ExtensionType::EC_POINT_FORMATS), [1, 0]);
    assert!(hello.get(ExtensionType::EXTENDED_MASTER_SECRET).is_empty());
    assert!(types(&hello).contains(&ExtensionType::KEY_SHARE));
}

#[test]
fn a_hello_for_tls12_alone_has_nothing_of_tls13() {
    let hello = hello_of(client_config(Versions::Only12, |common| {
        common.groups.insert(0, NamedGroup::X25519_MLKEM768);
        common.decompress = vec![2];
        common.verify_schemes = vec![SignatureScheme::ML_DSA_65, SignatureScheme::RSA_PKCS1_SHA256];
    }));
    assert!(hello.session_id.is_empty(), "an ID would name a session");
    assert_eq!(hello.suites, [0xc02b, 0xc02c, 0xcca9, 0xc02f]);
    assert_eq!(hello.get(ExtensionType::SUPPORTED_GROUPS), [0, 4, 0, 0x1d, 0, 0x17]);
    assert_eq!(hello.get(ExtensionType::SIGNATURE_ALGORITHMS), [0, 2, 4, 1]);
    let expected = [
        ExtensionType::SERVER_NAME,
        ExtensionType::SUPPORTED_GROUPS,
        ExtensionType::EC_POINT_FORMATS,
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
        ExtensionType::EXTENDED_MASTER_SECRET,
        ExtensionType::RENEGOTIATION_INFO,
    ];
    assert_eq!(types(&hello), expected);
}

#[test]
fn a_hello_for_tls13_alone_has_nothing_of_tls12() {
    let hello = hello_of(client_config(Versions::Only13, |_| ()));
    assert_eq!(hello.suites, [0x1301, 0x1302, 0x1303]);
    assert_eq!(hello.get(ExtensionType::SUPPORTED_VERSIONS), [2, 3, 4]);
    for typ in [
        ExtensionType::RENEGOTIATION_INFO,
        ExtensionType::EC_POINT_FORMATS,
        ExtensionType::EXTENDED_MASTER_SECRET,
    ] {
        assert!(!types(&hello).contains(&typ), "{typ}");
    }
}

#[test]
fn quic_offers_no_tls12() {
    let quic = Transport::Quic { parameters: vec![1] };
    let mut end = client(client_config(Versions::Both, |_| ()), quic.clone(), None);
    end.drain();
    let hello = Hello::of(&end.next_message());
    assert_eq!(hello.get(ExtensionType::SUPPORTED_VERSIONS), [2, 3, 4]);
    assert_eq!(hello.suites, [0x1301, 0x1302, 0x1303]);
    let refused = Client::new(client_config(Versions::Only12, |_| ()), quic, NOW).unwrap_err();
    assert!(matches!(refused, ConfigError::UnsupportedVersion(ProtocolVersion::TLS1_2)), "{refused}");
}

#[test]
fn tls12_needs_a_group_that_it_knows() {
    let config = client_config(Versions::Only12, |common| common.groups = vec![NamedGroup::X25519_MLKEM768]);
    assert!(matches!(Client::new(config, Transport::Stream, NOW), Err(ConfigError::NoGroups)));
}

#[test]
fn rows_of_a_full_handshake_are_those_of_the_trace() {
    let (mut end, flight) = flight(Setup::default());
    let names: Vec<_> = flight.iter().map(Message::name).collect();
    assert_eq!(names, ["ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"]);
    assert_eq!(end.give_with(&flight[0], true), ["R(del,no)"]);
    assert!(end.give_with(&flight[1], true).is_empty());
    assert!(end.give_with(&flight[2], true).is_empty());
    assert_eq!(end.give(&flight[3]), ["?VerifyPeer"]);
    assert_eq!(end.answer(), ["S(ClientKeyExchange)@In", "CCS", "W:Ap", "S(Finished)@Ap"]);
    assert_eq!(end.key_log[0].0, "CLIENT_RANDOM");
    assert_eq!(end.key_log[0].1.len(), 48);
}

#[test]
fn rows_with_a_client_certificate_are_those_of_the_trace() {
    for (own, expected) in [
        (
            Some(credential(KeyAlgorithm::EcdsaP384)),
            &["S(Certificate)@In", "S(ClientKeyExchange)@In", "?Sign"][..],
        ),
        (None, &["S(Certificate)@In", "S(ClientKeyExchange)@In", "CCS", "W:Ap", "S(Finished)@Ap"]),
    ] {
        let signs = own.is_some();
        let (mut end, flight) =
            flight(Setup { client_auth: ClientAuth::Optional, client_credential: own, ..Setup::default() });
        for message in &flight {
            end.give(message);
        }
        assert_eq!(end.answer(), ["?ChooseCredential"]);
        assert_eq!(end.answer(), expected);
        if signs {
            assert_eq!(end.answer(), ["S(CertificateVerify)@In", "CCS", "W:Ap", "S(Finished)@Ap"]);
        }
    }
}

#[test]
fn both_ends_of_every_handshake_agree() {
    for (client, server) in [
        (Versions::Both, Versions::Only12),
        (Versions::Only12, Versions::Only12),
        (Versions::Only12, Versions::Both),
        (Versions::Both, Versions::Both),
    ] {
        for own in [None, Some(KeyAlgorithm::EcdsaP256), Some(KeyAlgorithm::Rsa), Some(KeyAlgorithm::Ed25519)]
        {
            let client_auth = if own.is_some() { ClientAuth::Required } else { ClientAuth::None };
            let client_credential = own.map(credential);
            let mut pair =
                Setup { client, server, client_auth, client_credential, ..Setup::default() }.pair();
            pair.run();
            assert!(pair.is_done(), "{client:?} {server:?} {:?} {:?}", pair.client, pair.server);
            let (ours, theirs) = (pair.client.outcome(), pair.server.outcome());
            let both = client == Versions::Both && server == Versions::Both;
            let version = if both { ProtocolVersion::TLS1_3 } else { ProtocolVersion::TLS1_2 };
            assert_eq!((ours.version, theirs.version), (version, version));
            assert_eq!((ours.suite, ours.group), (theirs.suite, theirs.group));
            assert_eq!(ours.alpn.as_deref(), Some(&b"h2"[..]));
            assert_eq!(ours.signature_scheme, theirs.peer_signature_scheme);
            assert_eq!(ours.signature_scheme.is_some(), own.is_some());
            assert_eq!(ours.peer_signature_scheme, theirs.signature_scheme);
            assert!(ours.extended_master_secret && ours.exporter.is_some());
            let export = |outcome: &oxtls_handshake::outcome::Outcome| {
                let mut bytes = [0; 32];
                outcome.exporter.as_ref().unwrap().export("EXPERIMENTAL", Some(b"x"), &mut bytes).unwrap();
                bytes
            };
            assert_eq!(export(ours), export(theirs));
            let level = Level::Application;
            let (write, read) = (Direction::Write, Direction::Read);
            assert_eq!(pair.client.key(level, write), pair.server.key(level, read));
            assert_eq!(pair.client.key(level, read), pair.server.key(level, write));
        }
    }
}

#[test]
fn without_extended_master_secret_nothing_is_exported_and_it_must_be_allowed() {
    let remove = |hello: &mut Hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET);
    let end = hello_changed(Versions::Both, remove);
    refused(&end, HF);
    assert!(matches!(end.error(), Error::NoExtendedMasterSecret));
    assert_eq!(end.error().fault(), Fault::Incompatible);
    let mut pair = Setup::default().pair_with(
        |common| common.require_extended_master_secret = false,
        |common| common.require_extended_master_secret = false,
    );
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&edit(&hello, remove));
    pair.server.settle();
    let hello = pair.server.next_message();
    assert!(!types(&Hello::of(&hello)).contains(&ExtensionType::EXTENDED_MASTER_SECRET));
    pair.client.give(&hello);
    assert!(pair.client.failure.is_none());
}

#[test]
fn a_sentinel_in_the_random_says_that_tls13_was_taken_out() {
    for sentinel in [DOWNGRADE_TLS12, DOWNGRADE_TLS11] {
        let end = hello_changed(Versions::Both, |hello| hello.random[24..].copy_from_slice(&sentinel));
        refused(&end, IP);
        assert!(matches!(end.error(), Error::Downgrade));
    }
    // A server that speaks TLS 1.3 too sets it, and a client that does not is served all the same.
    let setup = Setup { client: Versions::Only12, server: Versions::Both, ..Setup::default() };
    let (mut end, flight) = flight(setup);
    assert!(Hello::of(&flight[0]).random.ends_with(&DOWNGRADE_TLS12));
    assert_eq!(end.give(&flight[0]), ["R(del,no)"]);
}

#[test]
fn a_version_that_was_not_offered_is_refused() {
    for (client, version) in [
        (Versions::Both, 0x0302),
        (Versions::Both, 0x0300),
        (Versions::Both, 0x0304),
        (Versions::Only12, 0x0302),
        (Versions::Only12, 0x0304),
    ] {
        let end = hello_changed(client, |hello| hello.version = version);
        refused(&end, PV);
        assert_eq!(end.error().fault(), Fault::Incompatible);
    }
    let (_, flight) = flight(Setup::default());
    let mut end = client(client_config(Versions::Only13, |_| ()), Transport::Stream, None);
    end.settle();
    end.give(&flight[0]);
    refused(&end, PV);
    for selected in [[3, 3], [3, 2]] {
        let end = hello_changed(Versions::Both, |hello| {
            hello.extensions = vec![(ExtensionType::SUPPORTED_VERSIONS, selected.to_vec())];
        });
        refused(&end, IP);
    }
    let tls13 = |hello: &mut Hello| {
        hello.extensions = vec![(ExtensionType::SUPPORTED_VERSIONS, vec![3, 4])];
    };
    refused(&hello_changed(Versions::Only12, tls13), UE);
}

#[test]
fn nothing_asks_a_client_of_tls12_for_another_hello() {
    let end = hello_changed(Versions::Only12, |hello| hello.random = HELLO_RETRY_REQUEST_RANDOM.to_vec());
    refused(&end, UM);
}

#[test]
fn a_server_hello_says_only_what_was_asked() {
    type Change = fn(&mut Hello);
    let cases: &[(AlertDescription, Change)] = &[
        (IP, |hello| hello.compression = vec![1]),
        (IP, |hello| hello.suites = vec![0x1301]),
        (IP, |hello| hello.suites = vec![0xc030]),
        (IP, |hello| hello.suites = vec![0x009c]),
        (IP, |hello| hello.set(ExtensionType::EC_POINT_FORMATS, &[1, 1])),
        (DE, |hello| hello.set(ExtensionType::EC_POINT_FORMATS, &[0])),
        (HF, |hello| hello.remove(ExtensionType::RENEGOTIATION_INFO)),
        (HF, |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[1, 7])),
        (DE, |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[])),
        (DE, |hello| hello.set(ExtensionType::EXTENDED_MASTER_SECRET, &[0])),
        (UE, |hello| hello.set(ExtensionType::SESSION_TICKET, &[])),
        (UE, |hello| hello.set(ExtensionType::STATUS_REQUEST, &[])),
        (UE, |hello| hello.set(ExtensionType::RECORD_SIZE_LIMIT, &[0x40, 0])),
        (UE, |hello| hello.set(ExtensionType(0x1234), &[])),
        (IP, |hello| hello.set(ExtensionType::KEY_SHARE, &[0, 0x1d, 0, 0])),
        (IP, |hello| hello.set(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"\0\x04\x03foo")),
    ];
    for (i, (alert, change)) in cases.iter().enumerate() {
        let end = hello_changed(Versions::Both, change);
        assert_eq!(end.alert(), *alert, "case {i}: {}", end.error());
        assert_eq!(end.write_level, Level::Initial);
    }
    // Points in the clear, and no word on them, are fine.
    let end = hello_changed(Versions::Both, |hello| hello.remove(ExtensionType::EC_POINT_FORMATS));
    assert!(end.failure.is_none());
}

#[test]
fn a_server_without_renegotiation_info_is_met_only_where_that_is_allowed() {
    let (_, flight) = flight(Setup::default());
    type Change = fn(&mut Hello);
    let (missing, wrong): (Change, Change) = (
        |hello| hello.remove(ExtensionType::RENEGOTIATION_INFO),
        |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[1, 7]),
    );
    for (required, change, refused) in [(true, missing, true), (false, missing, false), (false, wrong, true)]
    {
        let config = ClientHandshake {
            require_renegotiation_info: required,
            ..client_config(Versions::Only12, |_| ())
        };
        let mut end = client(config, Transport::Stream, None);
        end.settle();
        end.give(&edit(&flight[0], change));
        assert_eq!(end.failure.is_some(), refused, "required: {required}");
        if refused {
            assert_eq!(end.alert(), HF);
        }
    }
}

#[test]
fn the_id_of_compatibility_mode_is_no_session() {
    let (mut end, flight) = flight(Setup::default());
    let mut other = client(client_config(Versions::Both, |_| ()), Transport::Stream, None);
    other.settle();
    let id = Hello::of(&other.next_message()).session_id;
    let echoed = edit(&flight[0], |hello| hello.session_id.clone_from(&id));
    other.give(&echoed);
    refused(&other, IP);
    // An ID that the server made is its own affair.
    end.give(&edit(&flight[0], |hello| hello.session_id = vec![7; 32]));
    assert!(end.failure.is_none());
}

#[test]
fn record_size_limit_has_the_range_of_tls12() {
    for (theirs, limits) in [(0x4000_u16, Some((0x4000, 0x4000))), (100, Some((100, 0x4000))), (0x4001, None)]
    {
        let (_, flight) = flight(Setup::default());
        let config = client_config(Versions::Both, |common| common.record_size_limit = Some(16_385));
        let mut end = client(config, Transport::Stream, None);
        end.settle();
        end.give(&edit(&flight[0], |hello| {
            hello.set(ExtensionType::RECORD_SIZE_LIMIT, &theirs.to_be_bytes());
        }));
        assert_eq!(end.limits, limits);
        if limits.is_none() {
            refused(&end, IP);
        }
    }
}

#[test]
fn the_certificate_is_there_and_of_the_kind_of_the_suite() {
    let none = changed(Setup::default(), "Certificate", |m| m.with_body(&[0, 0, 0]));
    refused(&none, DE);
    let rsa = credential(KeyAlgorithm::Rsa);
    let other = changed(Setup::default(), "Certificate", |_| Message {
        level: Level::Initial,
        bytes: certificate::encode(&rsa.chain).unwrap(),
    });
    refused(&other, IP);
    let garbage = changed(Setup::default(), "Certificate", |m| m.with_body(&[0, 0, 4, 0, 0, 1, 9]));
    refused(&garbage, DE);
}

#[test]
fn the_key_exchange_is_signed_by_the_certificate_over_both_randoms() {
    let name = "ServerKeyExchange";
    let flipped = changed(Setup::default(), name, |message| {
        let mut message = message.clone();
        *message.bytes.last_mut().unwrap() ^= 1;
        message
    });
    refused(&flipped, AlertDescription::DECRYPT_ERROR);
    // The same share, signed for another handshake.
    let (_, other) = flight(Setup::default());
    refused(&changed(Setup::default(), name, |_| other[2].clone()), AlertDescription::DECRYPT_ERROR);
    for scheme in [
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::ECDSA_SHA1,
        SignatureScheme::ED25519,
        SignatureScheme::ML_DSA_65,
    ] {
        let end = changed(Setup::default(), name, |message| {
            let mut message = message.clone();
            let at = 4 + 4 + 32;
            message.bytes[at..at + 2].copy_from_slice(&scheme.0.to_be_bytes());
            message
        });
        refused(&end, IP);
        assert!(matches!(end.error(), Error::WrongSignatureScheme(_)));
    }
}

/// A ServerKeyExchange with these parameters, honestly signed.
fn signed(setup: Setup, scheme: SignatureScheme, params: impl FnOnce(&[u8]) -> Vec<u8>) -> End {
    let signer = setup.server_credential.signer.clone().unwrap();
    let mut pair = setup.pair();
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&hello);
    pair.server.settle();
    assert!(pair.server.failure.is_none(), "{}", pair.server.error());
    let mut flight: Vec<Message> = pair.server.sent.into();
    let randoms: [[u8; 32]; 2] =
        [&hello, &flight[0]].map(|hello| Hello::of(hello).random.try_into().unwrap());
    let at = flight.iter().position(|m| m.typ() == HandshakeType::SERVER_KEY_EXCHANGE).unwrap();
    let params = params(&flight[at].body()[..4 + 32]);
    let content = server_key_exchange::signed_content(&randoms[0], &randoms[1], &params);
    let signature = signer.sign(scheme, &content).unwrap();
    flight[at].bytes = server_key_exchange::encode(&params, scheme, &signature).unwrap();
    for message in &flight {
        if pair.client.failure.is_none() {
            pair.client.give(message);
        }
    }
    pair.client
}

#[test]
fn groups_and_points_are_judged() {
    let p256 = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let end = signed(Setup::default(), p256, <[u8]>::to_vec);
    assert!(end.failure.is_none() && end.need.is_some(), "what is signed again is good");
    let params = |group: NamedGroup, share: &[u8]| server_key_exchange::params(group, share).unwrap();
    for (group, share) in [
        (NamedGroup::SECP384R1, vec![4; 97]),
        (NamedGroup::X25519_MLKEM768, vec![4; 200]),
        (NamedGroup(0x0100), vec![4; 200]),
        (NamedGroup::X25519, vec![0; 32]),
        (NamedGroup::X25519, vec![9; 31]),
        (NamedGroup::X25519, vec![]),
        (NamedGroup::SECP256R1, vec![4; 65]),
        (NamedGroup::SECP256R1, [&[2][..], &[7; 32]].concat()),
    ] {
        let end = signed(Setup::default(), p256, |_| params(group, &share));
        refused(&end, IP);
    }
    let explicit = signed(Setup::default(), p256, |_| vec![1, 0, 0x1d, 0]);
    refused(&explicit, IP);
}

#[test]
fn any_curve_goes_with_any_hash_in_tls12() {
    // The scheme's name has a curve, which means nothing here. Our keys do not sign so: that it is the signature that
    // is refused, and not the scheme, has to do.
    let server_credential = credential(KeyAlgorithm::EcdsaP384);
    let groups = |common: &mut Common| common.groups = vec![NamedGroup::X25519, NamedGroup::SECP384R1];
    let mut pair = Setup { server_credential, ..Setup::default() }.pair_with(groups, groups);
    pair.run_with(|_, message| {
        if message.typ() == HandshakeType::SERVER_KEY_EXCHANGE {
            let at = 4 + 4 + 32;
            assert_eq!(message.bytes[at..at + 2], SignatureScheme::ECDSA_SECP384R1_SHA384.0.to_be_bytes());
            let mixed = SignatureScheme::ECDSA_SECP256R1_SHA256;
            message.bytes[at..at + 2].copy_from_slice(&mixed.0.to_be_bytes());
        }
    });
    refused(&pair.client, AlertDescription::DECRYPT_ERROR);
    let rsa = || Setup { server_credential: credential(KeyAlgorithm::Rsa), ..Setup::default() };
    for scheme in [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PSS_RSAE_SHA512] {
        let end = signed(rsa(), scheme, <[u8]>::to_vec);
        assert!(end.failure.is_none(), "{scheme}");
    }
}

#[test]
fn every_message_has_its_place() {
    let full = || Setup {
        client_auth: ClientAuth::Optional,
        client_credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        ..Setup::default()
    };
    let (_, order) = flight(full());
    for at in 0..order.len() {
        for typ in 1..=255_u8 {
            let typ = HandshakeType(typ);
            let due = order[at].typ() == typ
                // CertificateRequest may be left out.
                || (order[at].typ() == HandshakeType::CERTIFICATE_REQUEST
                    && typ == HandshakeType::SERVER_HELLO_DONE);
            if due {
                continue;
            }
            let (mut end, flight) = flight_of(&full);
            for message in &flight[..at] {
                end.give(message);
            }
            end.give(&Message::new(Level::Initial, typ, &[]));
            refused(&end, UM);
        }
    }
}

fn flight_of(setup: &dyn Fn() -> Setup) -> (End, Vec<Message>) {
    flight(setup())
}

#[test]
fn a_change_cipher_spec_comes_between_the_finished_messages_only() {
    let setup = || Setup { client: Versions::Only12, ..Setup::default() };
    let (_, order) = flight(setup());
    for at in 0..order.len() {
        let (mut end, flight) = flight(setup());
        for message in &flight[..at] {
            end.give(message);
        }
        assert_eq!(end.read_mode.unwrap().change_cipher_spec, ChangeCipherSpec::Deliver);
        end.machine.input(Input::ChangeCipherSpec { more: false }).unwrap();
        end.drain();
        refused(&end, UM);
    }
    // Inside a message.
    let mut end = finishing();
    end.machine.input(Input::ChangeCipherSpec { more: true }).unwrap();
    end.drain();
    refused(&end, UM);
    assert_eq!(end.write_level, Level::Application);
    // Twice.
    let mut end = finishing();
    end.give(&Message::change_cipher_spec());
    end.give(&Message::change_cipher_spec());
    refused(&end, UM);
}

/// A client that has sent its Finished.
fn finishing() -> End {
    let (mut end, flight) = flight(Setup::default());
    for message in &flight {
        end.give(message);
    }
    end.settle();
    assert!(end.failure.is_none());
    end
}

#[test]
fn a_finished_is_protected_ends_its_record_and_fits_the_handshake() {
    let finished = Message::new(Level::Initial, HandshakeType::FINISHED, &[7; 12]);
    // In the clear, before the ChangeCipherSpec.
    let mut end = finishing();
    end.give(&finished);
    refused(&end, UM);
    let protected = Message { level: Level::Application, ..finished };
    for (message, more, alert) in [
        (&protected, false, AlertDescription::DECRYPT_ERROR),
        (&protected.with_body(&[7; 11]), false, AlertDescription::DECRYPT_ERROR),
        (&protected.with_body(&[]), false, AlertDescription::DECRYPT_ERROR),
        (&protected.with_body(&[7; 32]), false, AlertDescription::DECRYPT_ERROR),
        (&protected, true, UM),
        (&Message::new(Level::Application, HandshakeType::NEW_SESSION_TICKET, &[0; 6]), false, UM),
    ] {
        let mut end = finishing();
        let row = end.give(&Message::change_cipher_spec());
        assert_eq!(row, ["R:Ap", "R(del,no)"]);
        end.give_with(message, more);
        refused(&end, alert);
        assert_eq!(end.write_level, Level::Application);
    }
    // A ticket that was not promised.
    let mut end = finishing();
    end.give(&Message::new(Level::Initial, HandshakeType::NEW_SESSION_TICKET, &[0; 6]));
    refused(&end, UM);
}

#[test]
fn server_hello_done_ends_its_record() {
    let (mut end, flight) = flight(Setup::default());
    for message in &flight[..3] {
        end.give_with(message, true);
    }
    end.give_with(&flight[3], true);
    refused(&end, UM);
    assert!(matches!(end.error(), Error::ExcessHandshakeData { .. }));
}

#[test]
fn a_hello_request_is_refused_wherever_a_handshake_stands() {
    let request = Message::new(Level::Initial, HandshakeType::HELLO_REQUEST, &[]);
    for versions in [Versions::Only12, Versions::Only13] {
        let mut end = client(client_config(versions, |_| ()), Transport::Stream, None);
        end.settle();
        end.give(&request);
        refused(&end, UM);
    }
    let (_, messages) = flight(Setup::default());
    for before in 0..messages.len() {
        let (mut end, messages) = flight(Setup::default());
        for message in &messages[..before] {
            end.give(message);
        }
        end.settle();
        end.give(&request);
        refused(&end, UM);
    }
}

#[test]
fn credentials_are_asked_for_by_the_kinds_of_keys_that_the_server_takes() {
    let (ecdsa, rsa) = (SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::RSA_PKCS1_SHA256);
    let schemes = [ecdsa, rsa, SignatureScheme::ML_DSA_65, SignatureScheme::ECDSA_SHA1];
    for (kinds, expected) in
        [(&[64_u8, 1][..], &[ecdsa, rsa][..]), (&[1], &[rsa]), (&[64], &[ecdsa]), (&[3, 4], &[])]
    {
        let body = certificate_request::encode(&schemes, &[b"0\0".to_vec()]).unwrap()[4 + 3..].to_vec();
        let body = [&[u8::try_from(kinds.len()).unwrap()], kinds, &body].concat();
        let setup = Setup { client_auth: ClientAuth::Optional, ..Setup::default() };
        let mut end = changed(setup, "CertificateRequest", |message| message.with_body(&body));
        assert_eq!(end.answer(), ["?ChooseCredential"]);
        let Some(Need::ChooseCredential(need)) = &end.need else { panic!("{:?}", end.need) };
        assert_eq!(need.request.schemes, expected);
        assert_eq!(need.request.certificate_types, kinds);
        assert_eq!(need.request.certificate_schemes, schemes);
        assert_eq!(need.request.authorities, [b"0\0".to_vec()]);
    }
}

#[test]
fn a_credential_that_the_server_cannot_take_is_the_callers_fault() {
    let own = credential(KeyAlgorithm::EcdsaP256);
    let setup = Setup { client_auth: ClientAuth::Optional, ..Setup::default() };
    let (mut end, flight) = flight(setup);
    for message in &flight {
        end.give(message);
    }
    end.answer();
    let Some(Need::ChooseCredential(need)) = end.need.take() else { panic!("no ChooseCredential") };
    let answer = need.answer(own, SignatureScheme::ML_DSA_65);
    end.machine.input(Input::Answer(answer)).unwrap();
    end.drain();
    refused(&end, AlertDescription::INTERNAL_ERROR);
    assert!(matches!(end.error(), Error::SigningFailed(Some(_))));
}

#[test]
fn no_changed_byte_of_the_server_gets_a_client_to_done() {
    let setup = || Setup {
        client_auth: ClientAuth::Optional,
        server_credential: credential(KeyAlgorithm::Ed25519),
        ..Setup::default()
    };
    let mut honest = Vec::new();
    let mut pair = setup().pair();
    pair.run_with(|to_server, message| honest.extend((!to_server).then(|| message.clone())));
    assert!(pair.is_done());
    let names: Vec<_> = honest.iter().map(Message::name).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for (index, message) in honest.iter().enumerate() {
        // A ChangeCipherSpec has no bytes here, and a changed length is not one message.
        for at in (0..message.bytes.len()).filter(|at| message.bytes.len() > 1 && !(1..4).contains(at)) {
            let mut seen = 0;
            let mut pair = setup().pair();
            pair.run_with(|to_server, message| {
                if !to_server
                    && seen == index
                    && let Some(byte) = message.bytes.get_mut(at)
                {
                    *byte ^= 1 << (at % 8);
                }
                seen += usize::from(!to_server);
            });
            assert!(pair.client.done.is_none(), "byte {at} of {}", names[index]);
        }
    }
}

#[test]
fn a_message_that_is_cut_or_continued_is_malformed() {
    let setup = || Setup { client_auth: ClientAuth::Optional, ..Setup::default() };
    let (_, order) = flight(setup());
    for (index, message) in order.iter().enumerate() {
        let whole = message.body().len();
        let continued = [message.body(), &[0]].concat();
        for body in (0..whole).map(|length| &message.body()[..length]).chain([&continued[..]]) {
            let (mut end, flight) = flight(setup());
            for message in &flight[..index] {
                end.give(message);
            }
            end.give(&message.with_body(body));
            // A ServerHello that ends before its extensions is whole, and says too little.
            let short = message.typ() == HandshakeType::SERVER_HELLO && body.len() == 2 + 32 + 1 + 2 + 1;
            refused(&end, if short { HF } else { DE });
        }
    }
}
