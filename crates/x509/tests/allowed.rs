//! Policies that allow fewer signatures and keys than can be verified: each certificate of a path is held to them.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod common;

use common::*;
use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm};
use oxtls_test_pki::{Ca, LeafSpec};
use oxtls_x509::{AllowedAlgorithms, Cause, Policy, Purpose, Roots, Rule, Verifier};
use pki_types::TrustAnchor;

const P384: KeyAlgorithm = KeyAlgorithm::EcdsaP384;
const SHA256: SignatureAlgorithm = SignatureAlgorithm::Ecdsa(Hash::Sha256);
const SHA384: SignatureAlgorithm = SignatureAlgorithm::Ecdsa(Hash::Sha384);

fn allow(signatures: &[SignatureAlgorithm], keys: &[KeyAlgorithm], min_rsa_bits: usize) -> Policy {
    let allowed = AllowedAlgorithms { signatures: signatures.to_vec(), keys: keys.to_vec(), min_rsa_bits };
    Policy::default().with_allowed_algorithms(allowed)
}

fn leaf_of(key: KeyAlgorithm) -> LeafSpec {
    leaf().key(key)
}

#[test]
fn every_key_of_a_path_is_held_to_the_kinds_that_are_allowed() {
    let policy = || allow(&[SHA256, SHA384], &[P384], 0);
    let all = Ca::new("Root", P384);
    let good = all.intermediate("Middle", P384).issue(leaf_of(P384));
    accepted(server_with(trusting(&all), &good.chain, policy()));

    let weak_leaf = all.intermediate("Middle", P384).issue(leaf_of(P256));
    let report = refused(server_with(trusting(&all), &weak_leaf.chain, policy()), Rule::KeyAlgorithm, LEAF);
    assert!(matches!(report.cause, Cause::UnsupportedKey { .. }));
    let weak_middle = all.intermediate("Middle", P256).issue(leaf_of(P384));
    refused(server_with(trusting(&all), &weak_middle.chain, policy()), Rule::KeyAlgorithm, FIRST);
    let weak_root = Ca::new("Root", P256);
    let below = weak_root.issue(leaf_of(P384));
    refused(server_with(trusting(&weak_root), &below.chain, policy()), Rule::KeyAlgorithm, ANCHOR);
    accepted(server(trusting(&weak_root), &below.chain));
}

#[test]
fn an_anchor_that_is_no_certificate_is_held_to_them_too() {
    let root = Ca::new("Root", P256);
    let below = root.issue(leaf_of(P384));
    let certificate = oxtls_x509::Certificate::parse(root.certificate()).expect("a root");
    let subject = certificate.subject().to_der();
    let anchor = TrustAnchor {
        subject: oxtls_test_pki::der::contents(&subject).to_vec().into(),
        subject_public_key_info: oxtls_test_pki::der::contents(certificate.spki()).to_vec().into(),
        name_constraints: None,
    };
    let roots = || {
        let mut roots = Roots::empty();
        roots.add_trust_anchor(&anchor).expect("an anchor");
        roots
    };
    accepted(server(roots(), &below.chain));
    let outcome = server_with(roots(), &below.chain, allow(&[SHA256], &[P384], 0));
    refused(outcome, Rule::KeyAlgorithm, ANCHOR);
}

#[test]
fn signatures_are_told_apart_from_keys_and_an_anchors_own_is_not_looked_at() {
    let root = Ca::new("Root", P384);
    let issued = root.intermediate("Middle", P256).issue(leaf_of(P384));
    let keys = [P256, P384];
    let refusal = server_with(trusting(&root), &issued.chain, allow(&[SHA384], &keys, 0));
    let report = refused(refusal, Rule::SignatureAlgorithm, LEAF);
    assert!(report.explain().contains("policy does not allow"), "{}", report.explain());
    // Only the root signed with SHA-384, and its own signature is one of those.
    let below = Ca::new("Root", P256);
    let chain = below.issue(leaf_of(P384)).chain;
    accepted(server_with(trusting(&below), &chain, allow(&[SHA256], &keys, 0)));
    let cross = Ca::new("Other", P384).cross_sign(&below);
    accepted(server_with(trusting_all([&cross]), &chain, allow(&[SHA256], &keys, 0)));
}

#[test]
fn rsa_keys_have_the_bits_that_are_asked_for() {
    let root = root();
    let chain = root.issue(leaf_of(KeyAlgorithm::Rsa)).chain;
    let keys = [P256, KeyAlgorithm::Rsa];
    accepted(server_with(trusting(&root), &chain, allow(&[SHA256], &keys, 2048)));
    let report =
        refused(server_with(trusting(&root), &chain, allow(&[SHA256], &keys, 3072)), Rule::KeyStrength, LEAF);
    let Cause::WeakKey { key } = &report.cause else { panic!("{}", report.explain()) };
    assert_eq!(key, "an RSA key of 2048 bits (shorter than the policy allows)");
}

#[test]
fn the_fingerprint_covers_what_is_allowed_and_not_its_order() {
    let root = root();
    let print =
        |policy| Verifier::new(trusting(&root), Purpose::ServerAuth).with_policy(policy).fingerprint();
    let base = print(allow(&[SHA256, SHA384], &[P256, P384], 2048));
    assert_eq!(base, print(allow(&[SHA384, SHA256], &[P384, P256], 2048)));
    for other in [
        Policy::default(),
        allow(&[SHA256], &[P256, P384], 2048),
        allow(&[SHA256, SHA384], &[P256], 2048),
        allow(&[SHA256, SHA384], &[P256, P384], 3072),
    ] {
        assert_ne!(base, print(other));
    }
}
