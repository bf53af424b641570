//! What a hello has for which versions.

use super::*;

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
