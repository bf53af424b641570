//! Configurations that are replaced under live servers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{
    NAME, PKI, client_config, connect, ends, handshake, mutual_client_config, mutual_server_config, resumes,
    server_config,
};
use oxtls::{
    ClientAuth, ConfigError, Credential, KeyAlgorithm, Reloadable, Roots, ServerConnection, SigningKey,
};
use oxtls_test_pki::{Ca, LeafSpec};

/// Another credential of the test server.
fn renewed() -> Credential {
    let issued = PKI.ca.issue(LeafSpec::server(NAME));
    Credential::new(issued.chain, issued.key).unwrap()
}

#[test]
fn a_key_that_is_not_its_certificates_is_refused_and_nothing_is_replaced() {
    let config = Reloadable::new(server_config().build().unwrap());
    let stranger = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let outcome = config.update(|present| {
        let chain = PKI.ca.issue(LeafSpec::server(NAME)).chain;
        present.with_credentials([Credential::new(chain, stranger)?])
    });
    assert!(matches!(outcome, Err(ConfigError::KeyMismatch { .. })));
    assert!(matches!(config.update(|present| present.with_credentials([])), Err(ConfigError::Missing(_))));
    let (client, _) = connect(&client_config().build().unwrap(), &config.current());
    assert_eq!(client.info().unwrap().peer_certificates(), PKI.server.chain());
}

#[test]
fn connections_finish_on_the_snapshot_that_they_began_with() {
    let config = Reloadable::new(server_config().build().unwrap());
    let client = client_config().no_sessions().build().unwrap();
    let (mut before, mut server) = ends(&client, &config.current());
    let credential = renewed();
    config.update(|present| present.with_credentials([credential.clone()])).unwrap();
    handshake(&mut before, &mut server).unwrap();
    assert_eq!(before.info().unwrap().peer_certificates(), PKI.server.chain());
    let (after, _) = connect(&client, &config.current());
    assert_eq!(after.info().unwrap().peer_certificates(), credential.chain());
}

#[test]
fn sessions_outlive_a_change_of_certificate_and_are_judged_anew_after_one_of_policy() {
    let config = Reloadable::new(mutual_server_config().build().unwrap());
    let client = mutual_client_config().build().unwrap();
    assert!(!resumes(&client, &config.current()));
    config.update(|present| present.with_credentials([renewed()])).unwrap();
    assert!(resumes(&client, &config.current()), "the ticket keys are no part of the snapshot");

    let other = Ca::new("Other Authority", KeyAlgorithm::EcdsaP256);
    let roots = |ders: &[&[u8]]| {
        let mut roots = Roots::empty();
        for der in ders {
            roots.add_der(&(*der).into()).unwrap();
        }
        Arc::new(roots)
    };
    let (ours, theirs) = (PKI.ca.certificate().to_vec(), other.certificate().to_vec());
    let wider = ClientAuth::Required(roots(&[&ours, &theirs]));
    config.update(|present| present.with_client_auth(wider.clone())).unwrap();
    assert!(resumes(&client, &config.current()), "still trusted");
    let narrower = ClientAuth::Required(roots(&[&theirs]));
    config.update(|present| present.with_client_auth(narrower.clone())).unwrap();
    let (mut client, mut server) = ends(&client, &config.current());
    assert!(handshake(&mut client, &mut server).is_err(), "a full handshake, whose certificate is refused");
}

#[test]
fn a_configuration_is_replaced_under_the_hands_of_those_who_use_it() {
    let config = Reloadable::new(server_config().build().unwrap());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let swap = || {
            while !stop.load(Ordering::Relaxed) {
                config.update(|present| present.with_credentials([renewed()])).unwrap();
                config.update(|present| present.with_client_auth(ClientAuth::None)).unwrap();
            }
        };
        scope.spawn(swap);
        let client = client_config().build().unwrap();
        for n in 0..100 {
            assert_eq!(resumes(&client, &config.current()), n > 0);
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(ServerConnection::new(&config.current()));
}

#[test]
fn updates_do_not_undo_each_other() {
    let config = Reloadable::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    config.update(|n| Ok::<_, ()>(n + 1)).unwrap();
                }
            });
        }
    });
    assert_eq!(config.current(), 4000);
    assert_eq!(config.replace(1), 4000);
}
