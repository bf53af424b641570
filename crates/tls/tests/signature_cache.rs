//! Verified signatures that connections share: a peer's own is remembered once it has proved possession of its key, and
//! nobody who has not gets anything in.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may be blunt")]

mod common;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::{NAME, PKI, client_config, connect, mutual_client_config, mutual_server_config, server_config};
use oxtls::pki_types::ServerName;
use oxtls::x509::{Purpose, Rule, SignatureCache, Verifier};
use oxtls::{
    ClientAuth, ClientConfig, ClientConnection, Clock, Credential, Error, ErrorKind, HandshakeError,
    KeyAlgorithm, Need, ServerConfig, ServerConnection, SignatureScheme, SigningKey, defaults,
};
use oxtls_test_pki::{Ca, LeafSpec};

fn hits(cache: Option<&Arc<SignatureCache>>) -> u64 {
    cache.unwrap().hits()
}

/// The rule that the server's chain has broken.
fn refusal(error: &Error) -> Rule {
    error.certificate_report().unwrap().rule
}

fn failed(client: &ClientConfig, server: &ServerConfig, name: &str) -> Error {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    common::handshake(&mut client, &mut ServerConnection::new(server)).unwrap_err()
}

#[test]
fn a_configuration_remembers_by_itself_and_its_clones_with_it() {
    let (client, server) = (client_config().no_sessions().build().unwrap(), server_config().build().unwrap());
    assert!(client.signature_cache().unwrap().is_empty());
    drop(connect(&client, &server));
    assert_eq!((client.signature_cache().unwrap().len(), hits(client.signature_cache())), (1, 0));
    let clone = client.clone();
    drop(connect(&clone, &server));
    drop(connect(&client, &server));
    assert_eq!(hits(client.signature_cache()), 2, "the second and the third need not verify");
    let other = client_config().build().unwrap();
    drop(connect(&other, &server));
    assert_eq!(hits(other.signature_cache()), 0, "what was built apart shares nothing");
    assert_eq!(client.signature_cache().unwrap().capacity(), defaults::REMEMBERED_SIGNATURES);
    assert!(
        server.signature_cache().is_none(),
        "a server that asks for no certificate has nothing to remember"
    );
}

#[test]
fn a_server_remembers_its_clients_and_keeps_that_when_their_judge_changes() {
    let server = mutual_server_config().no_resumption().build().unwrap();
    let client = mutual_client_config().build().unwrap();
    drop(connect(&client, &server));
    drop(connect(&client, &server));
    assert_eq!((server.signature_cache().unwrap().len(), hits(server.signature_cache())), (1, 1));
    let (cache, roots) = (server.signature_cache().unwrap(), Arc::clone(&PKI.roots));
    for changed in [
        server.with_client_auth(ClientAuth::Optional(roots)).unwrap(),
        server.with_credentials([PKI.server.clone()]).unwrap(),
    ] {
        assert!(Arc::ptr_eq(changed.signature_cache().unwrap(), cache));
    }
}

#[test]
fn it_can_be_switched_off() {
    let client = client_config().remember_signatures(false).build().unwrap();
    let server = mutual_server_config().remember_signatures(false).build().unwrap();
    assert!(client.signature_cache().is_none() && server.signature_cache().is_none());
    let client = mutual_client_config().remember_signatures(false).build().unwrap();
    for _ in 0..2 {
        drop(connect(&client, &server));
    }
}

#[test]
fn where_no_path_is_built_nothing_is_remembered() {
    let verifier = Verifier::exactly(PKI.server.chain().first(), Purpose::ServerAuth).unwrap();
    let client = client_config().verifier(verifier).build().unwrap();
    assert!(client.signature_cache().is_none());
}

#[test]
fn a_server_without_the_key_gets_nothing_in() {
    let chain = PKI.server.chain().to_vec();
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let stranger = Credential::remote(chain, &[scheme]).unwrap();
    let server = ServerConfig::builder().credential(stranger).build().unwrap();
    let client_config = client_config().build().unwrap();
    let (mut client, mut server) = common::ends(&client_config, &server);
    let hello = common::drain(&mut client);
    let Some(Need::Sign(sign)) = common::feed(&mut server, &hello).unwrap().needs.pop() else { panic!() };
    let other = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let signature = other.sign(scheme, &sign.message).unwrap();
    server.answer(sign.answer(signature)).unwrap();
    let flight = common::drain(&mut server);
    let error = common::feed(&mut client, &flight).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Handshake(HandshakeError::BadSignature)), "{error}");
    assert!(client_config.signature_cache().unwrap().is_empty());
}

#[test]
fn a_server_of_another_authority_gets_nothing_in() {
    let stranger = Ca::new("Test Authority", KeyAlgorithm::EcdsaP256);
    let issued = stranger.intermediate("Middle", KeyAlgorithm::EcdsaP256).issue(LeafSpec::server(NAME));
    let server = ServerConfig::builder().credential(Credential::new(issued.chain, issued.key).unwrap());
    let client = client_config().build().unwrap();
    assert_eq!(refusal(&failed(&client, &server.build().unwrap(), NAME)), Rule::Signature);
    assert!(client.signature_cache().unwrap().is_empty());
}

#[test]
fn what_is_remembered_answers_for_no_name_and_no_time() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let (clock, hand) = Clock::manual(now);
    let client = client_config().no_sessions().clock(clock).build().unwrap();
    let server = server_config().build().unwrap();
    drop(connect(&client, &server));
    assert_eq!(refusal(&failed(&client, &server, "other.test")), Rule::NameMatch);
    assert_eq!(hits(client.signature_cache()), 1);
    hand.advance(Duration::from_secs(50 * 366 * 86_400));
    assert_eq!(refusal(&failed(&client, &server, NAME)), Rule::NotAfter);
}

#[test]
fn what_one_connection_has_verified_the_next_one_need_not() {
    let cache = Arc::new(SignatureCache::new(64).unwrap());
    let verifier =
        Verifier::new(Arc::clone(&PKI.roots), Purpose::ServerAuth).with_signature_cache(Arc::clone(&cache));
    // A verifier's own is its maker's business.
    let client = client_config().verifier(verifier).remember_signatures(false).no_sessions().build().unwrap();
    let server = server_config().build().unwrap();
    assert!(cache.is_empty());
    for _ in 0..2 {
        let (mut client, mut server) = common::ends(&client, &server);
        common::handshake(&mut client, &mut server).unwrap();
        assert_eq!(cache.len(), 1, "the server's own certificate, which a root has signed");
    }
    assert_eq!(cache.hits(), 1);
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
