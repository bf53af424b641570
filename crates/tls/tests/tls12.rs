//! TLS 1.2 through the whole connection: negotiated, used, closed, and refused where it must be.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::Arc;

use common::*;
use oxtls::{
    CipherSuite, ClientConfigBuilder, Credential, ErrorKind, Event, HandshakeError, KeyAlgorithm, NamedGroup,
    ProtocolVersion, SealError, ServerConfigBuilder,
};
use oxtls_test_pki::LeafSpec;

const V12: ProtocolVersion = ProtocolVersion::TLS1_2;
const V13: ProtocolVersion = ProtocolVersion::TLS1_3;

fn tls12(
    client: ClientConfigBuilder,
    server: ServerConfigBuilder,
) -> (oxtls::ClientConnection, oxtls::ServerConnection) {
    let client = client.versions(V12, V12).build().unwrap();
    let (mut client, mut server) = ends(&client, &server.versions(V12, V13).build().unwrap());
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(client.info().unwrap().version(), V12);
    assert_eq!(server.info().unwrap().version(), V12);
    (client, server)
}

#[test]
fn data_travels_both_ways_and_closing_ends_both() {
    let (mut client, mut server) = tls12(client_config(), server_config());
    assert_eq!(client.info().unwrap().alpn(), Some(&b"b"[..]));
    let data: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let bytes = seal(&mut client, &data);
    assert_eq!(feed(&mut server, &bytes).unwrap().data, data);
    let bytes = seal(&mut server, &data);
    assert_eq!(feed(&mut client, &bytes).unwrap().data, data);
    client.close();
    assert!(feed(&mut server, &drain(&mut client)).unwrap().closed);
    // RFC 5246 section 7.2.1: the answer is a close_notify, and nothing else may follow.
    let answer = drain(&mut server);
    assert!(!answer.is_empty());
    assert!(matches!(server.seal(b"late", &mut [0; 100]), Err(SealError::Closed)));
    assert!(feed(&mut client, &answer).unwrap().closed);
    client.end_of_input().unwrap();
    server.end_of_input().unwrap();
}

#[test]
fn every_suite_and_every_group() {
    let rsa = PKI.ca.issue(LeafSpec::server(NAME).key(KeyAlgorithm::Rsa));
    let rsa = Credential::new(rsa.chain, rsa.key).unwrap();
    for suite in [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ] {
        let server = server_config().credential(rsa.clone());
        let (mut client, mut server) = tls12(client_config().suites(&[suite]), server);
        assert_eq!(client.info().unwrap().suite(), suite);
        let bytes = seal(&mut client, b"x");
        assert_eq!(feed(&mut server, &bytes).unwrap().data, b"x");
    }
    // The groups of a client bind the curves of ECDSA certificates too (RFC 8422 section 5.1): RSA has none.
    for group in [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1] {
        let (client, _) = tls12(client_config().groups(&[group]), server_config().credential(rsa.clone()));
        assert_eq!(client.info().unwrap().group(), Some(group));
    }
}

#[test]
fn clients_show_certificates() {
    let (client, server) = tls12(mutual_client_config(), mutual_server_config());
    let identity = server.info().unwrap().peer_identity().unwrap();
    assert_eq!(identity.dns_names().next(), Some("client.test"));
    assert!(client.info().unwrap().peer_identity().is_some());
    let refused = client_config().versions(V12, V12).build().unwrap();
    let (mut client, mut server) =
        ends(&refused, &mutual_server_config().versions(V12, V13).build().unwrap());
    let error = handshake(&mut client, &mut server).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Handshake(HandshakeError::CertificateRequired { .. })),
        "{error}"
    );
}

#[test]
fn both_ends_export_the_same() {
    let (client, server) = tls12(client_config(), server_config());
    let (mut near, mut far) = ([0; 32], [0; 32]);
    client.export("EXPORTER-test", Some(b"context"), &mut near).unwrap();
    server.export("EXPORTER-test", Some(b"context"), &mut far).unwrap();
    assert_eq!(near, far);
    // In TLS 1.2 no context and an empty one differ (RFC 5705 section 4).
    client.export("EXPORTER-test", None, &mut near).unwrap();
    server.export("EXPORTER-test", Some(b""), &mut far).unwrap();
    assert_ne!(near, far);
}

#[test]
fn two_that_speak_both_choose_the_higher() {
    let client = client_config().versions(V12, V13).build().unwrap();
    let (mut client, mut server) = ends(&client, &server_config().versions(V12, V13).build().unwrap());
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(client.info().unwrap().version(), V13);
}

#[test]
fn versions_that_do_not_meet_are_refused_by_name() {
    for (client, server) in [(V12, V13), (V13, V12)] {
        let client = client_config().versions(client, client).build().unwrap();
        let (mut client, mut server) =
            ends(&client, &server_config().versions(server, server).build().unwrap());
        let error = handshake(&mut client, &mut server).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Handshake(HandshakeError::NoCommonVersion { .. })),
            "{error}"
        );
        assert!(error.to_string().contains("TLS 1."), "{error}");
    }
}

#[test]
fn a_version_without_a_suite_is_not_spoken() {
    // The list is the default one of TLS 1.3: that it was set counts, not what it is.
    let suites = oxtls::handshake::defaults::SUITES;
    let server = server_config().versions(V12, V13).suites(suites).build().unwrap();
    let (mut near, mut far) = ends(&client_config().versions(V12, V12).build().unwrap(), &server);
    let error = handshake(&mut near, &mut far).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Handshake(HandshakeError::NoCommonVersion { .. })), "{error}");
    let (mut near, mut far) = ends(&client_config().versions(V12, V13).build().unwrap(), &server);
    handshake(&mut near, &mut far).unwrap();
    assert_eq!(near.info().unwrap().version(), V13);
    assert!(client_config().versions(V12, V12).suites(suites).build().is_err());
}

#[test]
fn a_peer_without_extended_master_secret_is_met_only_where_that_is_allowed() {
    for allowed in [false, true] {
        let server = server_config().versions(V12, V13).allow_unbound_master_secret(allowed).build().unwrap();
        let (mut client, mut server) = ends(&client_config().versions(V12, V12).build().unwrap(), &server);
        let mut hello = drain(&mut client);
        // The extension, which is empty, becomes one that nobody knows.
        let at = hello.windows(4).position(|bytes| bytes == [0, 0x17, 0, 0]).unwrap();
        hello[at] = 0xfa;
        match feed(&mut server, &hello) {
            Ok(_) => assert!(allowed && !drain(&mut server).is_empty()),
            Err(error) => {
                assert!(!allowed, "{error}");
                assert_eq!(error.alert_sent(), Some(oxtls::AlertDescription::HANDSHAKE_FAILURE));
            }
        }
    }
}

#[test]
fn sessions_without_it_are_resumed_only_where_such_peers_are_met_at_all() {
    for allowed in [false, true] {
        let client =
            client_config().resume_unbound_sessions(true).allow_unbound_master_secret(allowed).build();
        let server =
            server_config().allow_unbound_master_secret(allowed).resume_unbound_sessions(true).build();
        assert_eq!((client.is_ok(), server.is_ok()), (allowed, allowed));
    }
}

#[test]
fn there_is_no_key_update() {
    let (mut client, _) = tls12(client_config(), server_config());
    assert!(matches!(client.update_keys(true), Err(SealError::NoKeyUpdate)));
}

#[test]
fn halves_answer_a_close() {
    let (mut client, server) = tls12(client_config(), server_config());
    let (mut sender, mut receiver) = server.split().unwrap();
    client.close();
    let mut bytes = drain(&mut client);
    assert!(matches!(receiver.feed(&mut bytes).unwrap().event, Some(Event::Closed)));
    assert!(sender.wants_transmit());
    let mut window = [0; 100];
    let len = sender.transmit(&mut window);
    assert!(feed(&mut client, &window[..len]).unwrap().closed);
}

#[test]
fn one_byte_at_a_time() {
    let client = mutual_client_config().versions(V12, V12).build().unwrap();
    let (mut client, mut server) = ends(&client, &mutual_server_config().versions(V12, V13).build().unwrap());
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        for byte in drain(&mut client) {
            up.push(byte);
            up = feed(&mut server, &up).unwrap().rest;
        }
        for byte in drain(&mut server) {
            down.push(byte);
            down = feed(&mut client, &down).unwrap().rest;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
}

#[test]
fn the_roots_of_trust_hold_in_tls12_too() {
    let stranger = oxtls_test_pki::Ca::new("Stranger", KeyAlgorithm::EcdsaP256);
    let mut roots = oxtls::Roots::empty();
    roots.add_der(stranger.certificate()).unwrap();
    let client = oxtls::ClientConfig::builder().roots(Arc::new(roots)).versions(V12, V12).build().unwrap();
    let (mut client, mut server) = ends(&client, &server_config().versions(V12, V13).build().unwrap());
    assert!(handshake(&mut client, &mut server).unwrap_err().certificate_report().is_some());
}

#[test]
fn a_scheme_of_another_curve_is_for_tls12_alone() {
    let schemes =
        [oxtls::SignatureScheme::ECDSA_SECP384R1_SHA384, oxtls::SignatureScheme::ECDSA_SECP256R1_SHA256];
    let credential = Credential::remote(PKI.server.chain().to_vec(), &schemes).unwrap();
    let server = oxtls::ServerConfig::builder().credential(credential).versions(V12, V13).build().unwrap();
    for (version, wanted) in [(V12, schemes[0]), (V13, schemes[1])] {
        let client = client_config().versions(version, version).build().unwrap();
        let (mut client, mut server) = ends(&client, &server);
        let fed = feed(&mut server, &drain(&mut client)).unwrap();
        assert!(
            matches!(&fed.needs[..], [oxtls::Need::Sign(sign)] if sign.scheme == wanted),
            "{version}: {:?}",
            fed.needs
        );
    }
    // Alone, it is of no use in TLS 1.3.
    let credential = Credential::remote(PKI.server.chain().to_vec(), &schemes[..1]).unwrap();
    let server = oxtls::ServerConfig::builder().credential(credential).versions(V12, V13).build().unwrap();
    let (mut client, mut server) = ends(&client_config().versions(V12, V13).build().unwrap(), &server);
    let error = feed(&mut server, &drain(&mut client)).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Handshake(HandshakeError::NoCommonSignatureScheme { .. })),
        "{error}"
    );
}

#[test]
fn a_certificate_on_a_curve_that_was_not_offered_is_refused() {
    // In TLS 1.2 a scheme names a hash and no curve, so this P-256 key may claim P-384's: only the client's groups,
    // which are P-384 alone, tell that the certificate must not be shown.
    let schemes = [oxtls::SignatureScheme::ECDSA_SECP384R1_SHA384];
    let credential = Credential::remote(PKI.server.chain().to_vec(), &schemes).unwrap();
    let server = oxtls::ServerConfig::builder().credential(credential).versions(V12, V12).build().unwrap();
    let client = client_config().versions(V12, V12).groups(&[NamedGroup::SECP384R1]).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    let fed = feed(&mut server, &drain(&mut client)).unwrap();
    assert!(
        matches!(fed.needs[..], [oxtls::Need::Sign(_)]),
        "the certificate is on its way, the signature is not"
    );
    let error = feed(&mut client, &drain(&mut server)).unwrap_err();
    assert_eq!(error.alert_sent(), Some(oxtls::AlertDescription::ILLEGAL_PARAMETER), "{error}");
}
