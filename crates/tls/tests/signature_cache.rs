//! Verified signatures that connections share: a peer's own is remembered once it has proved possession of its key.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod common;

use std::sync::Arc;

use common::{PKI, client_config, connect, mutual_client_config, server_config};
use oxtls::ClientAuth;
use oxtls::x509::{Purpose, SignatureCache, Verifier};

#[test]
fn what_one_connection_has_verified_the_next_one_need_not() {
    let cache = Arc::new(SignatureCache::new(64).unwrap());
    let verifier =
        Verifier::new(Arc::clone(&PKI.roots), Purpose::ServerAuth).with_signature_cache(Arc::clone(&cache));
    let (client, server) =
        (client_config().verifier(verifier).build().unwrap(), server_config().build().unwrap());
    assert!(cache.is_empty());
    for _ in 0..2 {
        let (mut client, mut server) = common::ends(&client, &server);
        common::handshake(&mut client, &mut server).unwrap();
        assert_eq!(cache.len(), 1, "the server's own certificate, which a root has signed");
    }
}

#[test]
fn a_server_remembers_clients_that_have_proved_their_key() {
    let cache = Arc::new(SignatureCache::new(64).unwrap());
    let verifier =
        Verifier::new(Arc::clone(&PKI.roots), Purpose::ClientAuth).with_signature_cache(Arc::clone(&cache));
    let server = server_config().client_auth(ClientAuth::RequiredBy(Box::new(verifier))).build().unwrap();
    let client = mutual_client_config().build().unwrap();
    drop(connect(&client, &server));
    assert_eq!(cache.len(), 1);
}
