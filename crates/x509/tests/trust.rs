//! What makes a peer trusted besides a path to a root, and what does not.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod common;

use std::time::Duration;

use common::*;
use oxtls_test_pki::{Ca, CaSpec};
use oxtls_x509::{
    Cause, DangerAcceptAnyone, Policy, Purpose, Roots, Rule, SpkiPin, Trust, TrustedBy, Verifier,
};
use pki_types::{CertificateDer, ServerName, UnixTime};

fn judge(verifier: &Verifier, chain: &[CertificateDer<'_>]) -> Outcome {
    verifier.verify_server(chain, &ServerName::try_from(HOST).expect("a name"), UnixTime::now())
}

fn pin(certificate: &CertificateDer<'_>) -> SpkiPin {
    SpkiPin::of_certificate(certificate).expect("a certificate")
}

fn pinned(root: &Ca, pins: &[SpkiPin]) -> Verifier {
    Verifier::pinned(trusting(root), pins.iter().copied(), Purpose::ServerAuth)
}

#[test]
fn a_pinned_key_may_be_anywhere_on_the_path_and_nowhere_else() {
    let (root, stranger) = (root(), Ca::new("Stranger", P256));
    let issued = root.intermediate("Middle", P256).issue(leaf());
    let mut chain = issued.chain.clone();
    chain.push(stranger.certificate().clone());
    for good in [&chain[0], &chain[1], root.certificate()] {
        let path = accepted(judge(&pinned(&root, &[SpkiPin::new([7; 32]), pin(good)]), &chain));
        assert_eq!(path.trusted_by(), TrustedBy::PinnedPath);
    }
    // Sent, but not part of the path.
    let report = refused(judge(&pinned(&root, &[pin(&chain[2])]), &chain), Rule::PinnedKey, LEAF);
    let keys = vec![pin(&chain[0]), pin(&chain[1]), pin(root.certificate())];
    assert_eq!(report.cause, Cause::NotPinned { keys: keys.clone(), pins: 1 });
    assert_eq!(report.candidates[0].path, [LEAF, FIRST, ANCHOR]);
    assert!(report.to_string().contains(&keys[1].to_string()), "{report}");
    assert!(
        report
            .explain()
            .contains("trusted: a path to one of the roots that has one of the pinned keys in it")
    );
    refused(judge(&pinned(&root, &[]), &chain), Rule::PinnedKey, LEAF);
}

#[test]
fn a_pin_replaces_nothing_that_a_path_must_have() {
    let root = root();
    let expired = root.issue(leaf().expired(Duration::from_secs(60)));
    refused(judge(&pinned(&root, &[pin(&expired.chain[0])]), &expired.chain), Rule::NotAfter, LEAF);
    let stranger = Ca::new("Stranger", P256).issue(leaf());
    refused(judge(&pinned(&root, &[pin(&stranger.chain[0])]), &stranger.chain), Rule::IssuerKnown, LEAF);
    let other = root.issue(leaf().dns("b.test"));
    let name = ServerName::try_from("c.test").expect("a name");
    let named = pinned(&root, &[pin(&other.chain[0])]).verify_server(&other.chain, &name, UnixTime::now());
    assert_eq!(named.expect_err("another name").rule, Rule::NameMatch);
}

#[test]
fn the_search_goes_on_to_the_path_that_has_the_pinned_key() {
    let (first, second) = (Ca::new("First", P256), Ca::new("Second", P256));
    let issued = first.intermediate("Middle", P256).issue(leaf());
    let mut chain = issued.chain.clone();
    chain.push(second.cross_sign(&first));
    let roots = || trusting_all([first.certificate(), second.certificate()]);
    for anchor in [&first, &second] {
        let verifier = Verifier::pinned(roots(), [pin(anchor.certificate())], Purpose::ServerAuth);
        let path = accepted(judge(&verifier, &chain));
        // Both paths have the first CA's key: in its anchor, or in the certificate that the second one gave it.
        assert!(path.anchor().subject().to_string() == anchor.subject() || path.positions().count() == 2);
    }
    let only_second = Verifier::pinned(roots(), [pin(second.certificate())], Purpose::ServerAuth);
    assert_eq!(accepted(judge(&only_second, &chain)).positions().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn exactly_these_certificates_are_trusted_whoever_issued_them_and_whatever_they_are_called() {
    let (root, other) = (root(), Ca::new("Other", P256));
    let (one, next) = (root.issue(leaf()).chain.remove(0), other.issue(leaf().dns("b.test")).chain.remove(0));
    let verifier = Verifier::exactly([&one, &next], Purpose::ServerAuth).expect("certificates");
    assert_eq!(verifier.trust(), &Trust::Exactly);
    let elsewhere = ServerName::try_from("elsewhere.test").expect("a name");
    for certificate in [&one, &next] {
        let chain = [certificate.clone()];
        let path = accepted(verifier.verify_server(&chain, &elsewhere, UnixTime::now()));
        assert_eq!(path.trusted_by(), TrustedBy::ExactCertificate);
        assert_eq!(path.anchor().certificate().expect("it is one").der(), certificate.as_ref());
        assert_eq!(path.identity().certificate_der(), certificate.as_ref());
    }
    // The same names and the same CA, another certificate.
    let sibling = root.issue(leaf());
    let report = refused(judge(&verifier, &sibling.chain), Rule::ExactCertificate, LEAF);
    assert!(matches!(report.cause, Cause::NotTheOne { trusted: 2, .. }), "{report}");
    assert_eq!(report.alert(), 48);
    // A trusted certificate behind it vouches for nothing.
    refused(judge(&verifier, &[sibling.chain[0].clone(), one.clone()]), Rule::ExactCertificate, LEAF);
    let ca = Verifier::exactly([root.certificate()], Purpose::ServerAuth).expect("a certificate");
    refused(judge(&ca, &sibling.chain), Rule::ExactCertificate, LEAF);
}

#[test]
fn an_exactly_trusted_certificate_expires_all_the_same() {
    let root = root();
    let expired = root.issue(leaf().expired(Duration::from_secs(60)));
    let verifier = Verifier::exactly(&expired.chain[..1], Purpose::ServerAuth).expect("a certificate");
    refused(judge(&verifier, &expired.chain), Rule::NotAfter, LEAF);
    let critical = root.issue(leaf().extension("1.2.3.4", true, &[]));
    let verifier = Verifier::exactly(&critical.chain[..1], Purpose::ServerAuth).expect("a certificate");
    refused(judge(&verifier, &critical.chain), Rule::CriticalExtension, LEAF);
    let none = Verifier::exactly([], Purpose::ServerAuth).expect("nothing to parse");
    refused(judge(&none, &root.issue(leaf()).chain), Rule::ExactCertificate, LEAF);
}

#[test]
fn accepting_anyone_still_takes_a_certificate_that_can_be_read() {
    let verifier = Verifier::danger_accept_anyone(DangerAcceptAnyone, Purpose::ServerAuth);
    let expired = Ca::with(CaSpec::new("Nobody", P256).expired(Duration::from_secs(9)))
        .issue(leaf().expired(Duration::from_secs(60)));
    let path = accepted(judge(&verifier, &expired.chain));
    assert_eq!(path.trusted_by(), TrustedBy::DangerNobody);
    assert_eq!(path.identity().dns_names().collect::<Vec<_>>(), [HOST]);
    refused(judge(&verifier, &[]), Rule::ChainPresent, LEAF);
    let report = judge(&verifier, &[CertificateDer::from(vec![0x30, 0])]).expect_err("malformed");
    assert!(report.explain().contains("trusted: ANYONE"), "{}", report.explain());
}

#[test]
fn each_way_to_trust_has_a_fingerprint_of_its_own() {
    let root = root();
    let certificate = root.certificate();
    let (a, b) = (SpkiPin::new([1; 32]), SpkiPin::new([2; 32]));
    let all = [
        Verifier::new(Roots::empty(), Purpose::ServerAuth),
        Verifier::new(trusting(&root), Purpose::ServerAuth),
        pinned(&root, &[]),
        pinned(&root, &[a]),
        pinned(&root, &[a, b]),
        Verifier::exactly([certificate], Purpose::ServerAuth).expect("a certificate"),
        Verifier::exactly([], Purpose::ServerAuth).expect("nothing"),
        Verifier::danger_accept_anyone(DangerAcceptAnyone, Purpose::ServerAuth),
        Verifier::danger_accept_anyone(DangerAcceptAnyone, Purpose::ClientAuth),
        Verifier::new(trusting(&root), Purpose::ServerAuth).with_policy(Policy::strict()),
    ];
    let mut fingerprints: Vec<_> = all.iter().map(Verifier::fingerprint).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), all.len());
    assert_eq!(pinned(&root, &[a, b]).fingerprint(), pinned(&root, &[b, a, a]).fingerprint());
}
