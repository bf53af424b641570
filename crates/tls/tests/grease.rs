//! GREASE and shuffled extensions between two connections.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use common::*;
use oxtls::NamedGroup;
use oxtls::handshake::extension::grease::is_grease;
use oxtls::handshake::message::client_hello::OwnedClientHello;

/// The first record of a client is its hello.
fn hello(bytes: &[u8]) -> OwnedClientHello {
    let len = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    OwnedClientHello::new(&bytes[5..5 + len]).unwrap()
}

#[test]
fn a_greased_handshake_is_one_like_any_other_with_and_without_a_retry() {
    for groups in [[NamedGroup::X25519], [NamedGroup::SECP384R1]] {
        let client = mutual_client_config().grease(true).build().unwrap();
        let server = mutual_server_config().groups(&groups).grease(true).build().unwrap();
        let (mut client, mut server) = ends(&client, &server);
        handshake(&mut client, &mut server).unwrap();
        assert_eq!(client.info().unwrap().group(), Some(groups[0]));
        assert_eq!(client.info().unwrap().hello_retry_request(), groups[0] == NamedGroup::SECP384R1);
    }
}

#[test]
fn clients_grease_when_told_to_and_shuffle_unless_told_not_to() {
    let suites = |on| {
        let config = client_config().grease(on).build().unwrap();
        hello(&drain(&mut client(&config))).cipher_suites().to_vec()
    };
    assert!(is_grease(suites(true)[0].0));
    assert!(!suites(false).iter().any(|suite| is_grease(suite.0)));
    let orders = |config: oxtls::ClientConfig| {
        let order = |_| {
            let hello = hello(&drain(&mut client(&config)));
            hello.parse().unwrap().extensions.types_in_order().map(|typ| typ.0).collect::<Vec<_>>()
        };
        (0..8).map(order).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(orders(client_config().build().unwrap()) > 1);
    assert_eq!(orders(client_config().shuffle_extensions(false).build().unwrap()), 1);
}
