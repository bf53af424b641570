//! Values that mean nothing (RFC 8701) and extensions in ever another order: sent, repeated in the second hello,
//! ignored by the peer, and never taken when a peer selects one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, Randomness, Recorded, ServerHandshake};
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::extension::grease::is_grease;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::certificate_request::CertificateRequest;
use oxtls_handshake::step::Transport;

use common::{
    Answers, End, Hello, Message, Pair, client, credential, edit, join_extensions, server, split_extensions,
};

fn config(grease: bool, shuffle: bool) -> ClientHandshake {
    ClientHandshake {
        common: Arc::new(Common {
            groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
            alpn: vec![b"h2".to_vec()],
            ..Common::default()
        }),
        server_name: Some("server.test".to_owned()),
        grease,
        shuffle_extensions: shuffle,
        ..ClientHandshake::default()
    }
}

/// A pair whose server has only `group`.
fn pair(client_config: ClientHandshake, group: NamedGroup, change: impl FnOnce(&mut Answers)) -> Pair {
    let common = Common { groups: vec![group], alpn: vec![b"h2".to_vec()], ..Common::default() };
    let mut answers = Answers {
        config: Arc::new(ServerHandshake { common: Arc::new(common), ..ServerHandshake::default() }),
        cookie: None,
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
    };
    change(&mut answers);
    let own = Some(credential(KeyAlgorithm::EcdsaP256));
    Pair { client: client(client_config, Transport::Stream, own), server: server(Transport::Stream, answers) }
}

fn hello(config: ClientHandshake) -> Hello {
    let mut end = client(config, Transport::Stream, None);
    end.drain();
    Hello::of(&end.next_message())
}

/// The hellos of a handshake that must succeed.
fn hellos(mut pair: Pair) -> Vec<Hello> {
    let mut seen = Vec::new();
    pair.run_with(|to_server, message| {
        if to_server && message.typ() == HandshakeType::CLIENT_HELLO {
            seen.push(Hello::of(message));
        }
    });
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    seen
}

fn u16_at(data: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([data[at], data[at + 1]])
}

fn types(hello: &Hello) -> Vec<ExtensionType> {
    hello.extensions.iter().map(|(typ, _)| *typ).collect()
}

#[test]
fn a_reserved_value_stands_ahead_of_each_list_and_around_the_extensions() {
    let hello = hello(config(true, true));
    let group = u16_at(hello.get(ExtensionType::SUPPORTED_GROUPS), 2);
    let share = hello.get(ExtensionType::KEY_SHARE);
    assert_eq!(u16_at(share, 2), group, "the share is of the reserved group");
    assert_eq!(share[4..7], [0, 1, 0], "one byte");
    let (first, last) = (hello.extensions.first().unwrap(), hello.extensions.last().unwrap());
    assert_eq!((first.1.len(), &last.1[..]), (0, &[0][..]));
    assert_ne!(first.0, last.0);
    for value in [
        hello.suites[0],
        group,
        u16_at(hello.get(ExtensionType::SUPPORTED_VERSIONS), 1),
        u16_at(hello.get(ExtensionType::SIGNATURE_ALGORITHMS), 2),
        first.0.0,
        last.0.0,
    ] {
        assert!(is_grease(value), "{value:#06x}");
    }
}

#[test]
fn nothing_is_greased_unless_it_is_asked_for() {
    let hello = hello(config(false, true));
    assert!(!hello.suites.iter().any(|suite| is_grease(*suite)));
    assert!(!types(&hello).iter().any(|typ| is_grease(typ.0)));
}

#[test]
fn values_differ_between_connections_and_not_between_recorded_ones() {
    let fresh: BTreeSet<u16> = (0..64).map(|_| hello(config(true, false)).suites[0]).collect();
    assert!(fresh.len() > 4, "{fresh:x?}");
    let recorded = |first| {
        let mut config = config(true, true);
        let mut random = [7; 32];
        random[0] = first;
        let recorded = Recorded {
            random,
            session_id: vec![1; 32],
            private_keys: vec![(NamedGroup::X25519, vec![9; 32])],
        };
        config.common = Arc::new(Common {
            groups: vec![NamedGroup::X25519],
            randomness: Randomness::Recorded(recorded),
            ..Common::default()
        });
        hello(config).message()
    };
    assert_eq!(recorded(0x17), recorded(0x17));
    assert_eq!(Hello::of(&recorded(0x17)).suites[0], 0x1a1a);
    assert_eq!(Hello::of(&recorded(0xf7)).suites[0], 0xfafa);
}

#[test]
fn the_second_hello_repeats_the_first_but_for_the_share() {
    for cookie in [None, Some(b"crumb".to_vec())] {
        let asks_for_cookie = cookie.is_some();
        let pair = pair(config(true, true), NamedGroup::SECP256R1, |answers| answers.cookie = cookie);
        let hellos = hellos(pair);
        let [first, second] = &hellos[..] else { panic!("{} hellos", hellos.len()) };
        assert_eq!(first.suites, second.suites);
        let without = |hello: &Hello| -> Vec<_> {
            let changed = [ExtensionType::KEY_SHARE, ExtensionType::COOKIE];
            hello.extensions.iter().filter(|(typ, _)| !changed.contains(typ)).cloned().collect()
        };
        assert_eq!(without(first), without(second));
        let share = second.get(ExtensionType::KEY_SHARE);
        assert_eq!(u16_at(share, 2), NamedGroup::SECP256R1.0, "the share that was asked for");
        assert_eq!(share.len(), 2 + 4 + 65, "and no other");
        assert_eq!(types(second).contains(&ExtensionType::COOKIE), asks_for_cookie);
    }
}

#[test]
fn a_retry_for_a_cookie_alone_repeats_the_reserved_share_too() {
    let pair =
        pair(config(true, true), NamedGroup::X25519, |answers| answers.cookie = Some(b"crumb".to_vec()));
    let hellos = hellos(pair);
    let share = |hello: &Hello| hello.get(ExtensionType::KEY_SHARE).to_vec();
    assert_eq!(share(&hellos[0]), share(&hellos[1]));
    assert!(is_grease(u16_at(&share(&hellos[1]), 2)));
}

#[test]
fn extensions_come_in_an_order_of_each_connection() {
    let orders: BTreeSet<Vec<u16>> =
        (0..16).map(|_| types(&hello(config(false, true))).iter().map(|typ| typ.0).collect()).collect();
    assert!(orders.len() > 8, "{} orders in 16 connections", orders.len());
    let fixed: BTreeSet<Vec<u16>> =
        (0..4).map(|_| types(&hello(config(false, false))).iter().map(|typ| typ.0).collect()).collect();
    assert_eq!(fixed.len(), 1);
}

/// What the server sends, up to the first message of this type, and the client before it.
fn until(typ: HandshakeType, grease: bool) -> (End, Message) {
    let mut pair = pair(config(grease, true), NamedGroup::X25519, |_| ());
    let mut found = None;
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&hello);
    pair.server.settle();
    while found.is_none() {
        let message = pair.server.next_message();
        if message.typ() == typ {
            found = Some(message);
        } else {
            pair.client.give(&message);
            pair.client.settle();
        }
    }
    (pair.client, found.unwrap())
}

#[test]
fn a_server_that_selects_a_reserved_value_is_refused() {
    let refused = |change: fn(&mut Hello, &Hello)| {
        let mut pair = pair(config(true, true), NamedGroup::X25519, |_| ());
        pair.client.settle();
        pair.server.settle();
        let sent = pair.client.next_message();
        pair.server.give(&sent);
        pair.server.settle();
        let message = edit(&pair.server.next_message(), |answer| change(answer, &Hello::of(&sent)));
        pair.client.give(&message)
    };
    let illegal = ["Failed(illegal_parameter)@In"];
    assert_eq!(refused(|answer, sent| answer.suites = vec![sent.suites[0]]), illegal);
    let version = |answer: &mut Hello, sent: &Hello| {
        let data = sent.get(ExtensionType::SUPPORTED_VERSIONS)[1..3].to_vec();
        answer.set(ExtensionType::SUPPORTED_VERSIONS, &data);
    };
    assert_eq!(refused(version), illegal);
    let share = |answer: &mut Hello, sent: &Hello| {
        let data = sent.get(ExtensionType::KEY_SHARE)[2..7].to_vec();
        answer.set(ExtensionType::KEY_SHARE, &data);
    };
    assert_eq!(refused(share), illegal);
    let extension = |answer: &mut Hello, sent: &Hello| answer.set(sent.extensions[0].0, &[]);
    assert_eq!(refused(extension), ["Failed(unsupported_extension)@In"]);
}

#[test]
fn a_retry_that_asks_for_the_reserved_group_is_refused() {
    let mut pair = pair(config(true, true), NamedGroup::SECP256R1, |_| ());
    pair.client.settle();
    pair.server.settle();
    let sent = pair.client.next_message();
    pair.server.give(&sent);
    pair.server.settle();
    let group = Hello::of(&sent).get(ExtensionType::SUPPORTED_GROUPS)[2..4].to_vec();
    let retry = edit(&pair.server.next_message(), |retry| retry.set(ExtensionType::KEY_SHARE, &group));
    assert_eq!(pair.client.give(&retry), ["Failed(illegal_parameter)@In"]);
}

#[test]
fn reserved_extensions_and_schemes_are_refused_in_the_rest_of_the_flight() {
    let (mut end, message) = until(HandshakeType::ENCRYPTED_EXTENSIONS, true);
    let mut extensions = split_extensions(message.body());
    extensions.push((ExtensionType(0x3a3a), Vec::new()));
    let greased = message.with_body(&join_extensions(&extensions));
    assert_eq!(end.give(&greased), ["Failed(unsupported_extension)@HS"]);
    let (mut end, message) = until(HandshakeType::CERTIFICATE_VERIFY, true);
    let mut body = message.body().to_vec();
    body[..2].copy_from_slice(&[0x3a, 0x3a]);
    assert_eq!(end.give(&message.with_body(&body)), ["Failed(illegal_parameter)@HS"]);
}

#[test]
fn a_server_greases_its_request_and_its_tickets_when_told_to() {
    for grease in [false, true] {
        let mut pair = pair(config(false, true), NamedGroup::X25519, |answers| {
            let common = Arc::clone(&answers.config.common);
            answers.config = Arc::new(ServerHandshake {
                common,
                client_auth: ClientAuth::Required,
                resumption: true,
                grease,
                ..ServerHandshake::default()
            });
        });
        let mut request = None;
        pair.run_with(|_, message| {
            if message.typ() == HandshakeType::CERTIFICATE_REQUEST {
                request = Some(message.clone());
            }
        });
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        let request = request.unwrap();
        let schemes = CertificateRequest::parse(request.body()).unwrap().signature_algorithms.to_vec();
        assert_eq!(is_grease(schemes[0].0), grease);
        let extensions = split_extensions(&request.body()[1..]);
        assert_eq!(extensions.iter().any(|(typ, _)| is_grease(typ.0)), grease);
    }
}
