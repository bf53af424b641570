//! What a client offers, what it keeps to itself, and how it takes a compressed certificate.
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
use oxtls_handshake::codec::Writer;
use oxtls_handshake::config::{
    ClientHandshake, Common, ConfigError, KeyShares, Randomness, Recorded, ServerHandshake,
};
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::compressed_certificate::CompressedCertificate;
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{Input, Level, Transport};

use common::{Answers, End, Hello, Message, NOW, Pair, client, credential, edit, server};

fn hello_of(config: ClientHandshake, transport: Transport) -> Hello {
    let mut end = client(config, transport, None);
    end.drain();
    Hello::of(&end.next_message())
}

fn with(change: impl FnOnce(&mut ClientHandshake, &mut Common)) -> ClientHandshake {
    let mut config = ClientHandshake::default();
    let mut common = Common { groups: vec![NamedGroup::X25519], ..Common::default() };
    change(&mut config, &mut common);
    config.common = Arc::new(common);
    config
}

fn types(hello: &Hello) -> Vec<ExtensionType> {
    hello.extensions.iter().map(|(typ, _)| *typ).collect()
}

#[test]
fn a_plain_hello_says_what_it_must_and_nothing_else() {
    let hello = hello_of(with(|_, _| ()), Transport::Stream);
    assert_eq!((hello.version, &hello.compression[..]), (0x0303, &[0][..]));
    assert_eq!(hello.session_id.len(), 32);
    assert_eq!(hello.suites, [0x1301, 0x1302, 0x1303]);
    assert_eq!(hello.get(ExtensionType::SUPPORTED_VERSIONS), [2, 3, 4]);
    let mut types = types(&hello);
    types.sort_by_key(|typ| typ.0);
    let expected = [
        ExtensionType::SUPPORTED_GROUPS,
        ExtensionType::SIGNATURE_ALGORITHMS,
        ExtensionType::SUPPORTED_VERSIONS,
        ExtensionType::KEY_SHARE,
    ];
    assert_eq!(types, expected);
}

#[test]
fn every_option_sends_its_extension() {
    let names = vec![b"0\0".to_vec(), b"1\0".to_vec()];
    let config = with(|config, common| {
        config.server_name = Some("a.example".to_owned());
        config.authorities = names;
        common.alpn = vec![b"h2".to_vec()];
        common.ocsp = true;
        common.sct = true;
        common.record_size_limit = Some(16_385);
        common.decompress = vec![2, 1];
        common.certificate_schemes = Some(vec![SignatureScheme::RSA_PKCS1_SHA256]);
    });
    let hello = hello_of(config, Transport::Stream);
    assert_eq!(hello.get(ExtensionType::SERVER_NAME), b"\0\x0c\0\0\x09a.example");
    assert_eq!(hello.get(ExtensionType::CERTIFICATE_AUTHORITIES), b"\0\x08\0\x020\0\0\x021\0");
    assert_eq!(hello.get(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION), b"\0\x03\x02h2");
    assert_eq!(hello.get(ExtensionType::STATUS_REQUEST), [1, 0, 0, 0, 0]);
    assert!(hello.get(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP).is_empty());
    assert_eq!(hello.get(ExtensionType::RECORD_SIZE_LIMIT), [0x40, 1]);
    assert_eq!(hello.get(ExtensionType::COMPRESS_CERTIFICATE), [4, 0, 2, 0, 1]);
    assert_eq!(hello.get(ExtensionType::SIGNATURE_ALGORITHMS_CERT), [0, 2, 4, 1]);
}

#[test]
fn quic_has_parameters_and_neither_session_id_nor_record_size_limit() {
    let config = with(|_, common| {
        common.alpn = vec![b"h3".to_vec()];
        common.record_size_limit = Some(4096);
    });
    let hello = hello_of(config, Transport::Quic { parameters: vec![1, 2, 3] });
    assert!(hello.session_id.is_empty());
    assert_eq!(hello.get(ExtensionType::QUIC_TRANSPORT_PARAMETERS), [1, 2, 3]);
    assert!(!types(&hello).contains(&ExtensionType::RECORD_SIZE_LIMIT));
}

#[test]
fn key_shares_are_the_ones_configured_in_the_order_of_the_groups() {
    let (hybrid, x25519) = (NamedGroup::X25519_MLKEM768, NamedGroup::X25519);
    let groups = |hello: &Hello| {
        let shares = hello.get(ExtensionType::KEY_SHARE)[2..].to_vec();
        let (mut rest, mut groups) = (&shares[..], Vec::new());
        while let [a, b, c, d, ..] = *rest {
            groups.push(NamedGroup(u16::from_be_bytes([a, b])));
            let length = usize::from(u16::from_be_bytes([c, d]));
            assert_eq!(length, groups.last().unwrap().offer_len());
            rest = &rest[4 + length..];
        }
        groups
    };
    let hello = hello_of(ClientHandshake::default(), Transport::Stream);
    assert_eq!(groups(&hello), [hybrid, x25519]);
    let exactly = |list: &[NamedGroup]| {
        let key_shares = KeyShares::Exactly(list.to_vec());
        hello_of(ClientHandshake { key_shares, ..ClientHandshake::default() }, Transport::Stream)
    };
    assert_eq!(groups(&exactly(&[x25519, NamedGroup::SECP256R1])), [x25519, NamedGroup::SECP256R1]);
    assert!(groups(&exactly(&[])).is_empty());
}

#[test]
fn random_session_id_and_share_are_fresh_in_every_hello() {
    let hellos: Vec<_> = (0..8).map(|_| hello_of(with(|_, _| ()), Transport::Stream)).collect();
    for (i, one) in hellos.iter().enumerate() {
        assert!(one.random != one.session_id && one.random != vec![0; 32]);
        for other in &hellos[..i] {
            assert_ne!(one.random, other.random);
            assert_ne!(one.session_id, other.session_id);
            assert_ne!(one.get(ExtensionType::KEY_SHARE), other.get(ExtensionType::KEY_SHARE));
        }
    }
}

#[test]
fn recorded_values_are_used_as_they_are() {
    let recorded = Recorded {
        random: [7; 32],
        session_id: vec![8; 5],
        private_keys: vec![(NamedGroup::X25519, vec![9; 32])],
    };
    let config = || with(|_, common| common.randomness = Randomness::Recorded(recorded.clone()));
    let hello = hello_of(config(), Transport::Stream);
    assert_eq!((&hello.random[..], &hello.session_id[..]), (&[7; 32][..], &[8; 5][..]));
    assert_eq!(hello.message(), hello_of(config(), Transport::Stream).message());
}

#[test]
fn nonsense_is_refused_before_a_byte_is_sent() {
    let refused = |config, transport| Client::new(config, transport, NOW).unwrap_err();
    let no_suites = refused(with(|_, common| common.suites.clear()), Transport::Stream);
    assert_eq!(no_suites, ConfigError::NoSuites);
    let no_protocol = refused(with(|_, _| ()), Transport::Quic { parameters: vec![1] });
    assert_eq!(no_protocol, ConfigError::QuicNeedsApplicationProtocol);
    let too_long = with(|config, common| {
        common.alpn = (0..200_u8).map(|i| [&[i][..], &[b'a'; 250]].concat()).collect();
        config.authorities = vec![vec![b'b'; 30_000]];
    });
    assert_eq!(refused(too_long, Transport::Stream), ConfigError::HelloTooLong);
}

/// A client that can decompress `algorithm` 7, and the server's Certificate that is due.
fn before_certificate() -> (Pair, Message) {
    let config = with(|_, common| common.decompress = vec![7]);
    let answers = Answers {
        config: Arc::new(ServerHandshake::default()),
        cookie: None,
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
    };
    let mut pair =
        Pair { client: client(config, Transport::Stream, None), server: server(Transport::Stream, answers) };
    pair.client.drain();
    pair.server.drain();
    let hello = pair.client.next_message();
    pair.server.give(&hello);
    pair.server.settle();
    for _ in ["ServerHello", "EncryptedExtensions"] {
        let message = pair.server.next_message();
        pair.client.give(&message);
    }
    let certificate = pair.server.next_message();
    (pair, certificate)
}

fn compressed(algorithm: u16, length: usize, bytes: &[u8]) -> Message {
    let uncompressed_length = u32::try_from(length).unwrap();
    let bytes = CompressedCertificate { algorithm, uncompressed_length, bytes }.encode().unwrap();
    Message { level: Level::Handshake, bytes }
}

fn answer_decompress(end: &mut End, body: &[u8]) -> Vec<String> {
    let Some(Need::Decompress(need)) = end.need.take() else { panic!("no Decompress") };
    assert_eq!((need.algorithm, &need.bytes[..]), (7, &b"small"[..]));
    end.machine.input(Input::Answer(need.answer(body.to_vec()))).unwrap();
    end.drain()
}

#[test]
fn a_compressed_certificate_is_decompressed_outside_and_hashed_as_it_came() {
    let (mut pair, certificate) = before_certificate();
    let body = certificate.body();
    assert_eq!(pair.client.give(&compressed(7, body.len(), b"small")), ["?Decompress"]);
    assert_eq!(answer_decompress(&mut pair.client, body), [""; 0]);
    // The server signed a transcript with the certificate as it is: the client's has it compressed.
    let verify = pair.server.next_message();
    assert_eq!(pair.client.give(&verify), ["Failed(decrypt_error)@HS"]);
}

#[test]
fn a_compressed_certificate_must_come_out_as_long_as_it_says() {
    for cut in [0, 1, 7] {
        let (mut pair, certificate) = before_certificate();
        let body = certificate.body();
        assert_eq!(pair.client.give(&compressed(7, body.len() + 1, b"small")), ["?Decompress"]);
        let row = answer_decompress(&mut pair.client, &body[..body.len() - cut]);
        assert_eq!(row, ["Failed(bad_certificate)@HS"]);
    }
}

#[test]
fn a_compressed_certificate_is_judged_before_it_is_decompressed() {
    let limit = usize::try_from(Common::default().max_message).unwrap();
    let ip = "Failed(illegal_parameter)@HS";
    for (message, refused) in [
        (compressed(6, 100, b"small"), ip),
        (compressed(7, limit + 1, b"small"), ip),
        (compressed(7, 0x00ff_ffff, b"small"), ip),
        (compressed(7, 100, b""), "Failed(decode_error)@HS"),
    ] {
        let (mut pair, _) = before_certificate();
        assert_eq!(pair.client.give(&message), [refused]);
    }
}

#[test]
fn a_decompressed_certificate_is_judged_like_any_other() {
    let (mut pair, _) = before_certificate();
    assert_eq!(pair.client.give(&compressed(7, 4, b"small")), ["?Decompress"]);
    assert_eq!(answer_decompress(&mut pair.client, &[0; 4]), ["Failed(decode_error)@HS"]);
}

#[test]
fn a_cookie_that_leaves_no_room_is_the_servers_fault() {
    let mut answers = Answers { credential: Some(credential(KeyAlgorithm::EcdsaP256)), ..Answers::default() };
    answers.cookie = Some(vec![1; 10]);
    let mut pair = Pair {
        client: client(with(|_, _| ()), Transport::Stream, None),
        server: server(Transport::Stream, answers),
    };
    pair.client.drain();
    pair.server.drain();
    let hello = pair.client.next_message();
    pair.server.give(&hello);
    pair.server.answer();
    let mut w = Writer::new();
    w.vec_u16(&vec![1; 65_500]);
    let cookie = w.finish().unwrap();
    let retry = edit(&pair.server.next_message(), |hello| hello.set(ExtensionType::COOKIE, &cookie));
    assert_eq!(retry.typ(), HandshakeType::SERVER_HELLO);
    assert_eq!(pair.client.give(&retry), ["Failed(illegal_parameter)@In"]);
    assert_eq!(pair.client.error().fault(), Fault::Peer);
    assert_eq!(pair.client.alert(), AlertDescription::ILLEGAL_PARAMETER);
    assert!(matches!(pair.client.error(), Error::IllegalParameter { .. }));
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let (mut pair, certificate) = before_certificate();
    pair.client.give(&certificate);
    let secret = pair.client.key(Level::Handshake, oxtls_handshake::step::Direction::Write);
    let as_list = format!("{:?}", &secret[..8]);
    let as_hex: String = secret[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let printed = format!("{:?}", pair.client.machine);
    assert!(!printed.contains(as_list.trim_matches(['[', ']'])) && !printed.contains(&as_hex));
}
