//! Revocation and transparency through connections: what a peer staples reaches the verifier, and what the verifier finds
//! reaches the peer as an alert.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{NAME, PKI, ends, handshake, resumes};
use oxtls::handshake::alert::AlertDescription;
use oxtls::handshake::error::{Error as HandshakeError, Fault};
use oxtls::pki_types::UnixTime;
use oxtls::x509::{CrlStore, Log, LogList, Purpose, Revocation, Transparency, Verifier};
use oxtls::{
    ClientAuth, ClientConfig, Clock, ConfigError, Credential, Decision, Error, KeyAlgorithm, Need,
    ProtocolVersion, ServerConfig, SessionCache,
};
use oxtls_test_pki::{CrlSpec, Issued, LeafSpec, OcspSpec, TestLog, sct_list, serial};

/// bad_certificate_status_response, certificate_revoked and certificate_unknown (RFC 9846 section 6.2).
const BAD_STATUS: u8 = 113;
const REVOKED: u8 = 44;
const UNKNOWN: u8 = 46;

fn verifier(purpose: Purpose) -> Verifier {
    Verifier::new(Arc::clone(&PKI.roots), purpose)
}

fn client(verifier: Verifier, version: ProtocolVersion) -> ClientConfig {
    ClientConfig::builder().verifier(verifier).versions(version, version).build().unwrap()
}

fn credential(issued: Issued) -> Credential {
    Credential::new(issued.chain, issued.key).unwrap()
}

fn server(credential: Credential, version: ProtocolVersion) -> ServerConfig {
    ServerConfig::builder().credential(credential).versions(version, version).build().unwrap()
}

fn run(client: &ClientConfig, server: &ServerConfig) -> Result<(), Error> {
    let (mut client, mut server) = ends(client, server);
    handshake(&mut client, &mut server)
}

/// The alert that a refusal sent.
#[track_caller]
fn alert(outcome: Result<(), Error>) -> u8 {
    outcome.unwrap_err().alert_sent().unwrap().0
}

#[test]
fn a_stapled_response_is_asked_for_and_judged() {
    for version in [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2] {
        let hard = client(
            verifier(Purpose::ServerAuth).with_revocation(Revocation::hard_fail(CrlStore::empty())),
            version,
        );
        let issued = || PKI.ca.issue(LeafSpec::server(NAME));
        let stapling = |spec: fn(&Issued) -> OcspSpec| {
            let issued = issued();
            let response = PKI.ca.ocsp(spec(&issued));
            server(credential(issued).with_ocsp(response), version)
        };
        run(&hard, &stapling(|issued| OcspSpec::good(issued.certificate()))).unwrap();
        let revoked = run(&hard, &stapling(|issued| OcspSpec::revoked(issued.certificate(), 1)));
        assert_eq!(alert(revoked), REVOKED);
        let of_another = run(&hard, &stapling(|_| OcspSpec::good(PKI.ca.certificate())));
        assert_eq!(alert(of_another), BAD_STATUS);
        assert_eq!(alert(run(&hard, &server(credential(issued()), version))), UNKNOWN);
    }
}

#[test]
fn timestamps_are_asked_for_and_counted() {
    let log = TestLog::new(KeyAlgorithm::EcdsaP256);
    let mut logs = LogList::empty();
    logs.add(Log::from_spki(log.spki(), "One").unwrap());
    let version = ProtocolVersion::TLS1_3;
    let demanding = verifier(Purpose::ServerAuth).with_transparency(Transparency::require(logs, 1));
    let demanding = client(demanding, version);
    let issued = PKI.ca.issue(LeafSpec::server(NAME));
    let list = sct_list(&[log.stamp(issued.certificate())]);
    let with_list = credential(issued).with_scts(list).unwrap();
    run(&demanding, &server(with_list, version)).unwrap();
    let without = credential(PKI.ca.issue(LeafSpec::server(NAME)));
    assert_eq!(alert(run(&demanding, &server(without, version))), UNKNOWN);
}

#[test]
fn a_server_judges_clients_by_its_crls() {
    let (good, bad) = (PKI.ca.issue(LeafSpec::client("good")), PKI.ca.issue(LeafSpec::client("bad")));
    let mut crls = CrlStore::empty();
    crls.add_der(PKI.ca.crl(CrlSpec::new(1).revoke(serial(bad.certificate())))).unwrap();
    let judge = verifier(Purpose::ClientAuth).with_revocation(Revocation::hard_fail(crls));
    let server =
        common::server_config().client_auth(ClientAuth::RequiredBy(Box::new(judge))).build().unwrap();
    let client = |issued| common::client_config().credential(credential(issued)).build().unwrap();
    run(&client(good), &server).unwrap();
    assert_eq!(alert(run(&client(bad), &server)), REVOKED);
}

/// Sessions are bound to the verifier's fingerprint, which covers the CRLs: with newer ones the client is judged again.
#[test]
fn a_client_that_was_revoked_since_does_not_resume() {
    let issued = PKI.ca.issue(LeafSpec::client("client"));
    let serial = serial(issued.certificate()).to_vec();
    let client = common::client_config().credential(credential(issued)).build().unwrap();
    let judge = |spec| {
        let mut crls = CrlStore::empty();
        crls.add_der(PKI.ca.crl(spec)).unwrap();
        let verifier = verifier(Purpose::ClientAuth).with_revocation(Revocation::hard_fail(crls));
        ClientAuth::RequiredBy(Box::new(verifier))
    };
    let before = common::server_config().client_auth(judge(CrlSpec::new(1))).build().unwrap();
    common::connect(&client, &before);
    assert!(resumes(&client, &before));
    let same = before.with_client_auth(judge(CrlSpec::new(2))).unwrap();
    assert!(resumes(&client, &same), "judged again, and still good");
    let after = before.with_client_auth(judge(CrlSpec::new(3).revoke(&serial))).unwrap();
    assert_eq!(alert(run(&client, &after)), REVOKED);
}

#[test]
fn a_verifier_for_the_other_side_is_refused() {
    let built = ClientConfig::builder().verifier(verifier(Purpose::ClientAuth)).build();
    assert!(matches!(built, Err(ConfigError::Invalid(_))), "{built:?}");
    let wrong = ClientAuth::OptionalBy(Box::new(verifier(Purpose::ServerAuth)));
    let built = common::server_config().client_auth(wrong).build();
    assert!(matches!(built, Err(ConfigError::Invalid(_))), "{built:?}");
}

/// A session that may be offered still may have no server any more when that resumes it: a moment later.
#[test]
fn a_server_that_resumes_is_judged_at_that_moment_if_it_is_wanted() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let ends = now + Duration::from_secs(3);
    let crl = PKI.ca.crl(CrlSpec::new(1).next_update(Some(UnixTime::since_unix_epoch(ends))));
    for version in [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2] {
        let server = server(credential(PKI.ca.issue(LeafSpec::server(NAME))), version);
        let resumed = |again: bool, sessions: bool| {
            let (clock, hand) = Clock::manual(now);
            let mut crls = CrlStore::empty();
            crls.add_der(crl.clone()).unwrap();
            let judge = verifier(Purpose::ServerAuth).with_revocation(Revocation::hard_fail(crls));
            let config = ClientConfig::builder().verifier(judge).versions(version, version).clock(clock);
            let config = if sessions { config } else { config.no_sessions() };
            let config = config.verify_resumed(again).build().unwrap();
            common::connect(&config, &server);
            assert_eq!(resumes(&config, &server), sessions, "{version}");
            let (mut client, mut server) = common::ends(&config, &server);
            common::deliver(&mut client, &mut server);
            hand.advance(Duration::from_secs(5));
            handshake(&mut client, &mut server)?;
            let identity = client.info().unwrap().peer_identity().is_some();
            Ok::<_, Error>(client.info().unwrap().is_resumed() && identity)
        };
        assert!(resumed(false, true).unwrap(), "{version}: judged when it was offered");
        let full = alert(resumed(false, false).map(drop));
        assert_eq!(alert(resumed(true, true).map(drop)), full, "{version}: as in a full handshake");
    }
}

#[test]
fn a_caller_that_verifies_is_asked_about_the_session_and_may_refuse() {
    for version in [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2] {
        let config = common::client_config().versions(version, version).ask(&[Decision::VerifyPeer]);
        let config = config.sessions(SessionCache::new(4)).verify_resumed(true).build().unwrap();
        let server = server(credential(PKI.ca.issue(LeafSpec::server(NAME))), version);
        for resumed in [false, true] {
            let (mut client, mut server) = ends(&config, &server);
            common::deliver(&mut client, &mut server);
            let mut fed = common::deliver(&mut server, &mut client);
            let Some(Need::VerifyPeer(token)) = fed.needs.pop() else { panic!("nobody asks") };
            assert_eq!(token.resumed, resumed, "{version}");
            if resumed {
                // The ChangeCipherSpec of middlebox compatibility says nothing.
                let sent = common::drain(&mut client);
                assert!(sent.is_empty() || sent == [20, 3, 3, 0, 1, 1], "{version}: before the answer");
                let (alert, cause) = (AlertDescription(REVOKED), "it was revoked".into());
                let error = client.abort(HandshakeError::Refused { alert, fault: Fault::Peer, cause });
                assert_eq!(error.alert_sent().unwrap().0, REVOKED);
                assert!(client.info().is_none());
            } else {
                client.answer_as_configured(Need::VerifyPeer(token)).unwrap();
                common::feed(&mut client, &fed.rest).unwrap();
                handshake(&mut client, &mut server).unwrap();
                common::deliver(&mut server, &mut client);
            }
        }
    }
}
