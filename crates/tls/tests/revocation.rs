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

use common::{NAME, PKI, ends, handshake, resumes};
use oxtls::x509::{CrlStore, Log, LogList, Purpose, Revocation, Transparency, Verifier};
use oxtls::{
    ClientAuth, ClientConfig, ConfigError, Credential, Error, KeyAlgorithm, ProtocolVersion, ServerConfig,
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
