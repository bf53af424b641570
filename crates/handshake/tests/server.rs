//! What a server chooses, answers and passes over, beyond the rows of the traces.
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
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::config::{
    AnnounceGroups, ClientHandshake, Common, Credential, KeyShares, Retry, ServerHandshake,
};
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{ApplicationData, Transport};
use oxtls_handshake::suite::CipherSuite;

type Groups = &'static [NamedGroup];

const X: NamedGroup = NamedGroup::X25519;
const P: NamedGroup = NamedGroup::SECP256R1;
const Q: NamedGroup = NamedGroup::SECP384R1;
const XM: NamedGroup = NamedGroup::X25519_MLKEM768;
const PM: NamedGroup = NamedGroup::SECP256R1_MLKEM768;

/// A client and a server of one kind each, changed.
fn pair_of(
    client_change: impl FnOnce(&mut ClientHandshake, &mut Common),
    server_change: impl FnOnce(&mut ServerHandshake, &mut Common),
) -> Pair {
    let mut ours =
        ClientHandshake { server_name: Some("server.example".into()), ..ClientHandshake::default() };
    let mut common = Common::default();
    client_change(&mut ours, &mut common);
    ours.common = Arc::new(common);
    let mut theirs = ServerHandshake::default();
    let mut common = Common::default();
    server_change(&mut theirs, &mut common);
    theirs.common = Arc::new(common);
    let answers = Answers {
        config: Arc::new(theirs),
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        cookie: None,
    };
    Pair { client: client(ours, Transport::Stream, None), server: server(Transport::Stream, answers) }
}

/// A server at the start, and a hello for it.
fn hello(server_change: impl FnOnce(&mut ServerHandshake, &mut Common)) -> (End, Message) {
    let Pair { mut client, mut server } = pair_of(|_, _| (), server_change);
    client.drain();
    server.drain();
    (server, client.next_message())
}

fn groups(
    client_groups: Groups,
    shares: Groups,
    server_groups: Groups,
    policy: impl Fn(&mut ServerHandshake),
) -> Pair {
    let mut pair = pair_of(
        |config, common| {
            common.groups = client_groups.to_vec();
            config.key_shares = KeyShares::Exactly(shares.to_vec());
        },
        |config, common| {
            common.groups = server_groups.to_vec();
            policy(config);
        },
    );
    pair.run();
    pair
}

#[test]
fn a_share_that_is_there_is_used_before_a_round_trip_is_spent() {
    let cases: &[(Groups, Groups, Groups, NamedGroup, bool)] = &[
        (&[XM, X, P], &[XM, X], &[XM, X, P], XM, false),
        // The server's order decides among shares.
        (&[XM, X, P], &[XM, X], &[X, XM], X, false),
        // A share of a less preferred group saves the round trip.
        (&[XM, X, P], &[X], &[XM, X], X, false),
        (&[X, P], &[P], &[X, P], P, false),
        // No share can be used: the server's first common group is asked for.
        (&[XM, X, P], &[X], &[PM, P, Q], P, true),
        (&[X, P, Q], &[X], &[Q, P], Q, true),
        (&[X, P], &[], &[P, X], P, true),
    ];
    for &(client_groups, shares, server_groups, group, retried) in cases {
        let pair = groups(client_groups, shares, server_groups, |_| ());
        let outcome = pair.server.outcome();
        assert_eq!(
            (outcome.group, outcome.hello_retry_request),
            (Some(group), retried),
            "{client_groups:?} {shares:?}"
        );
        assert_eq!(pair.client.outcome().group, Some(group));
    }
}

#[test]
fn a_round_trip_can_be_spent_for_a_better_group() {
    let cases: &[(Retry, Groups, Groups, Groups, NamedGroup, bool)] = &[
        (Retry::ForPostQuantum, &[XM, X], &[X], &[XM, X], XM, true),
        (Retry::ForPostQuantum, &[PM, XM, X], &[XM, X], &[PM, XM], XM, false),
        (Retry::ForPostQuantum, &[P, X], &[X], &[XM, P, X], X, false),
        (Retry::ForPreference, &[P, X], &[X], &[XM, P, X], P, true),
        (Retry::ForPreference, &[X, P], &[X], &[X, P], X, false),
    ];
    for &(retry, client_groups, shares, server_groups, group, retried) in cases {
        let pair = groups(client_groups, shares, server_groups, |config| config.retry = retry);
        let outcome = pair.server.outcome();
        assert_eq!(
            (outcome.group, outcome.hello_retry_request),
            (Some(group), retried),
            "{retry:?} {client_groups:?}"
        );
    }
}

#[test]
fn the_clients_order_can_be_preferred() {
    let suites = [CipherSuite::TLS_CHACHA20_POLY1305_SHA256, CipherSuite::TLS_AES_128_GCM_SHA256];
    for (prefer_client_order, suite, group) in [(false, suites[1], P), (true, suites[0], X)] {
        let mut pair = pair_of(
            |config, common| {
                common.suites = suites.to_vec();
                common.groups = vec![X, P];
                config.key_shares = KeyShares::Exactly(vec![X, P]);
            },
            |config, common| {
                common.suites = vec![suites[1], suites[0]];
                common.groups = vec![P, X];
                config.prefer_client_order = prefer_client_order;
            },
        );
        pair.run();
        assert_eq!((pair.server.outcome().suite, pair.server.outcome().group), (suite, Some(group)));
    }
}

/// What EncryptedExtensions said.
fn encrypted_extensions(mut pair: Pair) -> common::Extensions {
    let mut seen = Vec::new();
    pair.run_with(|_, message| {
        if message.typ() == HandshakeType::ENCRYPTED_EXTENSIONS {
            seen = common::split_extensions(message.body());
        }
    });
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    seen
}

#[test]
fn groups_are_announced_when_another_is_preferred() {
    for (announce, shares, announced) in [
        (AnnounceGroups::WhenAnotherIsPreferred, [X], false),
        (AnnounceGroups::WhenAnotherIsPreferred, [P], true),
        (AnnounceGroups::Always, [X], true),
        (AnnounceGroups::Never, [P], false),
    ] {
        let pair = pair_of(
            |config, common| {
                common.groups = vec![X, P];
                config.key_shares = KeyShares::Exactly(shares.to_vec());
            },
            |config, common| {
                common.groups = vec![X, P, Q];
                config.announce_groups = announce;
            },
        );
        let seen = encrypted_extensions(pair);
        let list = seen.iter().find(|(typ, _)| *typ == ExtensionType::SUPPORTED_GROUPS);
        let expected = [0, 6, 0, 0x1d, 0, 0x17, 0, 0x18];
        assert_eq!(
            list.map(|(_, data)| &data[..]),
            announced.then_some(&expected[..]),
            "{announce:?} {shares:?}"
        );
    }
}

#[test]
fn only_what_was_asked_is_answered() {
    let everything = pair_of(
        |_, common| {
            common.alpn = vec![b"a".to_vec(), b"b".to_vec()];
            common.record_size_limit = Some(4096);
        },
        |_, common| {
            common.alpn = vec![b"b".to_vec(), b"a".to_vec()];
            common.record_size_limit = Some(1024);
        },
    );
    let seen = encrypted_extensions(everything);
    assert_eq!(
        seen,
        [
            (ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"\0\x02\x01b".to_vec()),
            (ExtensionType::RECORD_SIZE_LIMIT, vec![4, 0]),
            (ExtensionType::SERVER_NAME, Vec::new()),
        ]
    );
    let nothing = pair_of(
        |config, _| config.server_name = None,
        |_, common| {
            common.alpn = vec![b"b".to_vec()];
            common.record_size_limit = Some(1024);
        },
    );
    assert!(encrypted_extensions(nothing).is_empty());
}

#[test]
fn an_application_protocol_is_agreed_or_the_handshake_ends_unless_it_may_go_on() {
    for (required, done) in [(true, false), (false, true)] {
        let mut pair = pair_of(
            |_, common| common.alpn = vec![b"theirs".to_vec()],
            |config, common| {
                common.alpn = vec![b"ours".to_vec()];
                config.alpn_required = required;
            },
        );
        pair.run();
        assert_eq!(pair.is_done(), done);
        if done {
            assert_eq!(pair.client.outcome().alpn, None);
        } else {
            assert!(
                matches!(pair.server.error(), Error::NoApplicationProtocol { peer } if peer[..] == [b"theirs".to_vec()])
            );
        }
    }
}

#[test]
fn record_size_limits_hold_both_ways_and_never_over_the_protocols_own() {
    let (mut server, hello) = hello(|_, common| common.record_size_limit = Some(512));
    let large = edit(&hello, |hello| hello.set(ExtensionType::RECORD_SIZE_LIMIT, &[0xff, 0xff]));
    server.give(&large);
    server.answer();
    assert!(server.answer().contains(&"Limits".to_owned()));
    assert_eq!(server.limits, Some((16_385, 512)));
}

#[test]
fn a_record_size_limit_under_64_is_refused() {
    let (mut server, hello) = hello(|_, _| ());
    let small = edit(&hello, |hello| hello.set(ExtensionType::RECORD_SIZE_LIMIT, &[0, 63]));
    assert_eq!(server.give(&small), ["Failed(illegal_parameter)@In"]);
}

fn stapled() -> Arc<Credential> {
    let bare = credential(KeyAlgorithm::Ed25519);
    Arc::new(Credential {
        chain: bare.chain.clone(),
        signer: bare.signer.clone(),
        schemes: bare.schemes.clone(),
        ocsp: Some(b"response".to_vec()),
        scts: Some(b"\0\x05\0\x03sct".to_vec()),
        compressed: Vec::new(),
    })
}

#[test]
fn ocsp_and_scts_are_stapled_when_asked_for_and_there() {
    for (asked, there) in [(true, true), (true, false), (false, true)] {
        let mut pair = pair_of(
            |_, common| {
                common.ocsp = asked;
                common.sct = asked;
            },
            |_, _| (),
        );
        if there {
            pair.server.answers.credential = Some(stapled());
        }
        pair.run();
        let peer = pair.client.outcome().peer.as_ref().unwrap();
        assert_eq!(peer.ocsp.is_some(), asked && there);
        assert_eq!(peer.scts.is_some(), asked && there);
    }
}

#[test]
fn the_credential_is_chosen_by_all_that_the_client_said() {
    let mut pair = pair_of(
        |config, common| {
            config.authorities = vec![b"\x30\x00".to_vec()];
            common.verify_schemes = vec![SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::ED25519];
            common.certificate_schemes = Some(vec![SignatureScheme::ML_DSA_65]);
            common.ocsp = true;
            common.decompress = vec![2, 1];
        },
        |_, common| common.ocsp = true,
    );
    pair.client.drain();
    pair.server.drain();
    pair.server.give(&pair.client.next_message());
    pair.server.answer();
    let Some(Need::ChooseCredential(need)) = &pair.server.need else { panic!("ChooseCredential is due") };
    let request = &need.request;
    assert_eq!(request.schemes, [SignatureScheme::ED25519], "PKCS #1 signs no CertificateVerify");
    assert_eq!(request.certificate_schemes, [SignatureScheme::ML_DSA_65]);
    assert_eq!(request.authorities, [b"\x30\x00".to_vec()]);
    assert_eq!(request.server_name.as_deref(), Some("server.example"));
    assert!(request.ocsp && !request.sct);
    assert_eq!(request.compression, [2, 1]);
}

#[test]
fn a_client_that_verifies_nothing_we_could_sign_with_is_told_so() {
    let (mut server, hello) = hello(|_, _| ());
    let typ = ExtensionType::SIGNATURE_ALGORITHMS;
    let only_pkcs1 = edit(&hello, |hello| hello.set(typ, &[0, 4, 4, 1, 2, 1]));
    server.give(&only_pkcs1);
    assert_eq!(server.answer(), ["Failed(handshake_failure)@In"]);
}

/// A pre_shared_key offer, as long as it must be and of nobody.
fn offer_psk(hello: &mut Hello, early_data: bool) {
    if early_data {
        hello.set(ExtensionType::EARLY_DATA, &[]);
    }
    hello.set(ExtensionType::PSK_KEY_EXCHANGE_MODES, &[1, 1]);
    let identities = [&[0, 12, 0, 6][..], b"ticket", &[0, 0, 0, 0]].concat();
    let binders = [&[0, 33, 32][..], &[7; 32]].concat();
    hello.set(ExtensionType::PRE_SHARED_KEY, &[identities, binders].concat());
}

#[test]
fn a_session_that_nobody_looks_for_leads_to_a_full_handshake() {
    let (mut server, hello) = hello(|_, _| ());
    server.give(&edit(&hello, |hello| offer_psk(hello, false)));
    assert_eq!(server.answer(), ["?ChooseCredential"]);
    let row = server.settle();
    assert!(
        row.contains(&"S(Certificate)@HS".to_owned()) && !row.iter().any(|out| out.contains("EarlyData"))
    );
}

#[test]
fn a_full_handshake_needs_signature_algorithms_whatever_else_was_offered() {
    let (mut server, hello) = hello(|_, _| ());
    server.give(&edit(&hello, |hello| {
        hello.remove(ExtensionType::SIGNATURE_ALGORITHMS);
        offer_psk(hello, false);
    }));
    assert_eq!(server.answer(), ["Failed(missing_extension)@In"]);
}

/// T6, row 1: early data is passed over, also where 0-RTT is off and where its limit is 0.
#[test]
fn early_data_that_is_not_wanted_is_passed_over_up_to_a_limit() {
    for (configured, at_least) in [(0, defaults::MAX_EARLY_DATA), (1 << 20, 1 << 20)] {
        let (mut server, hello) = hello(|config, _| config.max_early_data = configured);
        server.give(&edit(&hello, |hello| offer_psk(hello, true)));
        server.answer();
        let row = server.answer();
        assert_eq!(row[0], "Rejected(Disabled)");
        assert_eq!(row[1], "S(ServerHello)@In");
        let mode = server.read_mode.unwrap();
        let ApplicationData::SkipUndecryptable { limit } = mode.application_data else { panic!("{mode:?}") };
        // Records of 128 bytes have 17 more.
        assert!(limit > at_least / 128 * 145 && limit < at_least * 2, "{limit}");
        assert!(
            configured > 0 || limit <= 16 * 1024,
            "what nobody can read costs us no more than 16 KiB: {limit}"
        );
        assert!(mode.plaintext_alert);
    }
}

/// T7: a retry passes early data over unread until the second hello, and nothing after it.
#[test]
fn early_data_before_a_retry_is_passed_over_until_the_second_hello() {
    let (mut server, hello) = hello(|_, _| ());
    server.answers.cookie = Some(b"crumb".to_vec());
    let first = edit(&hello, |hello| offer_psk(hello, true));
    server.give(&first);
    let row = server.answer();
    assert_eq!(row[..3], ["Rejected(HelloRetryRequest)", "S(HelloRetryRequest)@In", "CCS"]);
    let mode = server.read_mode.unwrap();
    assert!(matches!(mode.application_data, ApplicationData::SkipUntilClientHello { limit } if limit > 0));
    let second = edit(&first, |hello| {
        hello.remove(ExtensionType::EARLY_DATA);
        hello.extensions.insert(0, (ExtensionType::COOKIE, b"\0\x05crumb".to_vec()));
    });
    assert_eq!(server.give(&second), ["?ChooseCredential"]);
    let row = server.answer();
    assert_eq!(row[..4], ["S(ServerHello)@In", "W:HS", "R:HS", "R(drop,no,pa)"]);
}

#[test]
fn early_data_of_no_session_at_all_is_passed_over() {
    let (mut server, hello) = hello(|_, _| ());
    server.give(&edit(&hello, |hello| hello.set(ExtensionType::EARLY_DATA, &[])));
    server.answer();
    assert_eq!(server.answer()[..2], ["Rejected(Disabled)", "S(ServerHello)@In"]);
    let mode = server.read_mode.unwrap();
    assert!(matches!(mode.application_data, ApplicationData::SkipUndecryptable { .. }), "{mode:?}");
}

#[test]
fn an_empty_cookie_is_the_callers_mistake() {
    let (mut server, hello) = hello(|_, _| ());
    server.answers.cookie = Some(Vec::new());
    server.give(&hello);
    assert_eq!(server.answer(), ["Failed(internal_error)@In"]);
}

#[test]
fn no_tickets_follow_where_no_session_is_looked_for() {
    let mut pair = pair_of(|_, _| (), |config, _| config.resumption = false);
    pair.run();
    assert!(pair.server.done.as_ref().is_some_and(|(_, post_handshake)| post_handshake.tickets.is_none()));
}
