//! Every decision can be the caller's: asked, answered late, answered as configured, refused, or never answered.
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
    AlertDescription, ClientAuth, ClientConfig, ConfigError, Credential, Decision, ErrorKind, Event, Fault,
    HandshakeError, KeyAlgorithm, Need, Roots, ServerConfig, SigningKey,
};
use oxtls_test_pki::{Ca, LeafSpec};

const ALL: &[Decision] =
    &[Decision::ChooseConfig, Decision::ChooseCredential, Decision::VerifyPeer, Decision::Sign];

/// Runs a mutual handshake where `answer` settles each Need of either side; the names of the Needs in order.
fn suspended(client_config: &ClientConfig, server_config: &ServerConfig) -> Vec<String> {
    let (mut client, mut server) = ends(client_config, server_config);
    let mut asked = Vec::new();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        up.extend(drain(&mut client));
        let fed = feed(&mut server, &up).unwrap();
        up = fed.rest;
        let mut needs = fed.needs;
        while let Some(need) = needs.pop() {
            asked.push(format!("server {}", name_of(&need)));
            // While the Need is out nothing is read, whatever arrives.
            assert_eq!(server.feed(&mut up).unwrap().consumed, 0);
            if let Some(Event::Need(next)) = server.answer_as_configured(need).unwrap() {
                needs.push(*next);
            }
        }
        down.extend(drain(&mut server));
        let fed = feed(&mut client, &down).unwrap();
        down = fed.rest;
        let mut needs = fed.needs;
        while let Some(need) = needs.pop() {
            asked.push(format!("client {}", name_of(&need)));
            assert_eq!(client.feed(&mut down).unwrap().consumed, 0);
            if let Some(Event::Need(next)) = client.answer_as_configured(need).unwrap() {
                needs.push(*next);
            }
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    let bytes = seal(&mut client, b"up");
    assert_eq!(feed(&mut server, &bytes).unwrap().data, b"up");
    let bytes = seal(&mut server, b"down");
    assert_eq!(feed(&mut client, &bytes).unwrap().data, b"down");
    asked
}

fn name_of(need: &Need) -> &'static str {
    match need {
        Need::ChooseConfig(_) => "ChooseConfig",
        Need::ChooseCredential(_) => "ChooseCredential",
        Need::VerifyPeer(_) => "VerifyPeer",
        Need::Sign(_) => "Sign",
        _ => "another",
    }
}

#[test]
fn every_decision_of_a_mutual_handshake_suspends() {
    let client = mutual_client_config().ask(ALL).build().unwrap();
    let server = mutual_server_config().ask(ALL).build().unwrap();
    assert_eq!(
        suspended(&client, &server),
        [
            "server ChooseConfig",
            "server ChooseCredential",
            "server Sign",
            "client VerifyPeer",
            "client ChooseCredential",
            "client Sign",
            "server VerifyPeer"
        ]
    );
}

#[test]
fn each_decision_alone_suspends() {
    for decision in ALL {
        let client = mutual_client_config().ask(&[*decision]).build().unwrap();
        let server = mutual_server_config().ask(&[*decision]).build().unwrap();
        let asked = suspended(&client, &server);
        assert!(!asked.is_empty(), "{decision:?}");
    }
}

#[test]
fn a_signature_of_a_remote_key_is_waited_for() {
    let issued = PKI.ca.issue(LeafSpec::server(NAME));
    let key = SigningKey::from_pem(issued.key_pem().as_bytes()).unwrap();
    let remote = Credential::remote(issued.chain.clone(), key.schemes()).unwrap();
    let server = ServerConfig::builder().credential(remote).build().unwrap();
    let client = ClientConfig::builder().roots(Arc::clone(&PKI.roots)).build().unwrap();
    let (mut client, mut server) = ends(&client, &server);
    let bytes = drain(&mut client);
    let mut fed = feed(&mut server, &bytes).unwrap();
    let Some(Need::Sign(token)) = fed.needs.pop() else { panic!("a remote key signs outside") };
    // What is decided so far is on its way while the key takes its time.
    let early = drain(&mut server);
    assert!(!early.is_empty());
    feed(&mut client, &early).unwrap();
    let signature = key.sign(token.scheme, &token.message).unwrap();
    server.answer(token.answer(signature)).unwrap();
    handshake(&mut client, &mut server).unwrap();
}

#[test]
fn a_wrong_signature_is_refused_by_the_peer() {
    let server = server_config().ask(&[Decision::Sign]).build().unwrap();
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &server);
    let bytes = drain(&mut client);
    let Some(Need::Sign(token)) = feed(&mut server, &bytes).unwrap().needs.pop() else { panic!("no Sign") };
    server.answer(token.answer(vec![0x30, 6, 2, 1, 1, 2, 1, 1])).unwrap();
    let error = feed(&mut client, &drain(&mut server)).unwrap_err();
    assert_eq!(error.alert_sent(), Some(AlertDescription::DECRYPT_ERROR));
    let error = feed(&mut server, &drain(&mut client)).unwrap_err();
    assert_eq!(error.alert_received(), Some(AlertDescription::DECRYPT_ERROR));
}

#[test]
fn a_decision_can_be_refused_or_left() {
    let config = client_config().ask(&[Decision::VerifyPeer]).build().unwrap();
    let server_config = server_config().build().unwrap();
    for refuse in [true, false] {
        let (mut client, mut server) = ends(&config, &server_config);
        feed(&mut server, &drain(&mut client)).unwrap();
        let fed = feed(&mut client, &drain(&mut server)).unwrap();
        assert_eq!(fed.needs.len(), 1);
        drop(fed.needs);
        if refuse {
            let error = client.abort(HandshakeError::Refused {
                alert: AlertDescription::ACCESS_DENIED,
                fault: Fault::Peer,
                cause: "not today".into(),
            });
            assert_eq!(error.to_string(), "not today (alert access_denied sent)");
        } else {
            client.close();
        }
        assert!(feed(&mut server, &drain(&mut client)).is_err());
        assert!(!client.is_handshaking());
    }
}

#[test]
fn an_answer_to_another_need_changes_nothing() {
    let config = client_config().ask(&[Decision::VerifyPeer]).build().unwrap();
    let server_config = server_config().build().unwrap();
    let mut tokens = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..2 {
        let (mut client, mut server) = ends(&config, &server_config);
        feed(&mut server, &drain(&mut client)).unwrap();
        let mut fed = feed(&mut client, &drain(&mut server)).unwrap();
        tokens.extend(fed.needs.pop());
        clients.push((client, server));
    }
    let Some(Need::VerifyPeer(token)) = tokens.pop() else { panic!("no VerifyPeer") };
    let (client, server) = &mut clients[1];
    client.answer(token.accept()).unwrap();
    handshake(client, server).unwrap();
    // The token of a handshake that is over.
    let Some(Need::VerifyPeer(token)) = tokens.pop() else { panic!("no VerifyPeer") };
    let error = client.answer(token.accept()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Misuse(_)));
    let bytes = seal(client, b"unharmed");
    assert_eq!(feed(server, &bytes).unwrap().data, b"unharmed");
}

#[test]
fn a_configuration_is_chosen_by_the_hello() {
    let front = server_config().ask(&[Decision::ChooseConfig]).build().unwrap();
    let other = ServerConfig::builder().credential(PKI.server.clone()).alpn(["a"]).build().unwrap();
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &front);
    let mut fed = feed(&mut server, &drain(&mut client)).unwrap();
    let Some(Need::ChooseConfig(token)) = fed.needs.pop() else { panic!("no ChooseConfig") };
    assert_eq!(token.hello.server_name(), Some(NAME));
    // A cookie costs the client a round trip.
    server.answer_config(token, &other, Some(b"prove it".to_vec())).unwrap();
    handshake(&mut client, &mut server).unwrap();
    assert_eq!(server.info().unwrap().alpn(), Some(&b"a"[..]));
    assert!(client.info().unwrap().hello_retry_request());
}

#[test]
fn credentials_are_picked_by_name_and_by_what_the_client_verifies() {
    let issue = |name: &str, algorithm| {
        let issued = PKI.ca.issue(LeafSpec::server(name).key(algorithm));
        Credential::new(issued.chain, issued.key).unwrap()
    };
    let config = ServerConfig::builder()
        .credential(issue("first.test", KeyAlgorithm::EcdsaP256))
        .credential(issue(NAME, KeyAlgorithm::Ed25519))
        .credential(issue(NAME, KeyAlgorithm::Rsa))
        .build()
        .unwrap();
    let schemes = |client: oxtls::ClientConfigBuilder| {
        let (mut client, mut server) = ends(&client.build().unwrap(), &config);
        handshake(&mut client, &mut server).unwrap();
        client.info().unwrap().peer_signature_scheme().unwrap()
    };
    let roots = || ClientConfig::builder().roots(Arc::clone(&PKI.roots));
    assert_eq!(schemes(roots()), oxtls::SignatureScheme::ED25519);
    let rsa_only =
        [oxtls::SignatureScheme::RSA_PSS_RSAE_SHA256, oxtls::SignatureScheme::ECDSA_SECP256R1_SHA256];
    assert_eq!(schemes(roots().verify_schemes(&rsa_only)), oxtls::SignatureScheme::RSA_PSS_RSAE_SHA256);
}

#[test]
fn a_peer_that_cannot_be_verified_is_refused_with_a_report() {
    let stranger = Ca::new("Stranger", KeyAlgorithm::EcdsaP256);
    let mut roots = Roots::empty();
    roots.add_der(stranger.certificate()).unwrap();
    let config = ClientConfig::builder().roots(roots).build().unwrap();
    let (mut client, mut server) = ends(&config, &server_config().build().unwrap());
    feed(&mut server, &drain(&mut client)).unwrap();
    let error = feed(&mut client, &drain(&mut server)).unwrap_err();
    assert_eq!(error.alert_sent(), Some(AlertDescription::UNKNOWN_CA));
    assert!(error.certificate_report().is_some());
    assert!(error.to_string().contains("Test Authority"), "{error}");
}

#[test]
fn nonsense_is_refused_when_a_configuration_is_built() {
    let message = |error: ConfigError| error.to_string();
    assert!(message(ClientConfig::builder().build().unwrap_err()).contains("roots"));
    assert!(message(ClientConfig::builder().roots(Roots::empty()).build().unwrap_err()).contains("empty"));
    assert!(message(ServerConfig::builder().build().unwrap_err()).contains("credential"));
    let empty = ClientAuth::Required(Arc::new(Roots::empty()));
    assert!(message(server_config().client_auth(empty).build().unwrap_err()).contains("clients"));
    assert!(client_config().suites(&[]).build().is_err());
    assert!(client_config().groups(&[]).build().is_err());
    assert!(client_config().alpn([""]).build().is_err());
    assert!(server_config().record_size_limit(63).build().is_err());
    assert!(server_config().groups(&[]).build().is_err());
}

#[test]
fn files_that_cannot_work_are_named() {
    let folder = std::env::temp_dir().join(format!("oxtls-decisions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, contents: &str| {
        let path = folder.join(name);
        std::fs::write(&path, contents).unwrap();
        path
    };
    let issued = PKI.ca.issue(LeafSpec::server(NAME));
    let chain = file("chain.pem", &issued.chain_pem());
    let key = file("key.pem", &issued.key_pem());
    let other = file("other.key", &PKI.ca.issue(LeafSpec::server(NAME)).key_pem());
    let garbage = file("garbage.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    Credential::from_pem_files(&chain, &key).unwrap();
    let refused = |chain: &std::path::Path, key: &std::path::Path| {
        Credential::from_pem_files(chain, key).unwrap_err().to_string()
    };
    let missing = refused(&folder.join("none.pem"), &key);
    assert!(missing.contains("none.pem"), "{missing}");
    let mismatch = refused(&chain, &other);
    assert!(mismatch.contains("other.key") && mismatch.contains("not the one"), "{mismatch}");
    let swapped = refused(&key, &chain);
    assert!(swapped.contains("key.pem") && swapped.contains("PRIVATE KEY"), "{swapped}");
    let unreadable = refused(&garbage, &key);
    assert!(unreadable.contains("garbage.pem"), "{unreadable}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_stale_choice_of_configuration_changes_nothing() {
    let front = server_config().ask(&[Decision::ChooseConfig]).build().unwrap();
    let strict = mutual_server_config().build().unwrap();
    let choose = |server: &mut oxtls::ServerConnection, client: &mut oxtls::ClientConnection| {
        let Some(Need::ChooseConfig(token)) = feed(server, &drain(client)).unwrap().needs.pop() else {
            panic!("no ChooseConfig")
        };
        token
    };
    let (mut client, mut server) = ends(&client_config().build().unwrap(), &front);
    let token = choose(&mut server, &mut client);
    server.answer_config(token, &front, None).unwrap();
    // The token of another connection, whose handshake is over.
    let (mut other_client, mut other_server) = ends(&client_config().build().unwrap(), &front);
    let stale = choose(&mut other_server, &mut other_client);
    assert!(matches!(server.answer_config(stale, &strict, None).unwrap_err().kind(), ErrorKind::Misuse(_)));
    handshake(&mut client, &mut server).unwrap();
}

#[test]
fn a_client_that_names_its_authorities_is_shown_a_certificate_of_theirs() {
    let other = Ca::new("Other Authority", KeyAlgorithm::EcdsaP256);
    let issued = |ca: &Ca| {
        let issued = ca.issue(LeafSpec::server(NAME));
        Credential::new(issued.chain, issued.key).unwrap()
    };
    let server =
        ServerConfig::builder().credential(issued(&other)).credential(issued(&PKI.ca)).build().unwrap();
    for named in [true, false] {
        let config =
            ClientConfig::builder().roots(Arc::clone(&PKI.roots)).name_authorities(named).build().unwrap();
        let (mut client, mut server) = ends(&config, &server);
        assert_eq!(handshake(&mut client, &mut server).is_ok(), named);
    }
}
