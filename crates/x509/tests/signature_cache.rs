//! Each way in which a cache of verified signatures could go wrong, and that it does not.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, der};
use oxtls_x509::{Budget, Policy, Purpose, Roots, Rule, SignatureCache, Verifier};
use pki_types::{CertificateDer, ServerName, UnixTime};

fn cache() -> Arc<SignatureCache> {
    Arc::new(SignatureCache::new(64).expect("randomness"))
}

fn verifier(roots: Roots, cache: &Arc<SignatureCache>) -> Verifier {
    Verifier::new(roots, Purpose::ServerAuth).with_signature_cache(Arc::clone(cache))
}

fn judge(verifier: &Verifier, chain: &[CertificateDer<'_>]) -> Outcome {
    verifier.verify_server(chain, &ServerName::try_from(HOST).expect("a name"), UnixTime::now())
}

/// Validates and says that the peer has proved possession, twice: the second time everything is remembered.
#[track_caller]
fn warm(verifier: &Verifier, chain: &[CertificateDer<'_>]) {
    for _ in 0..2 {
        accepted(judge(verifier, chain)).possession_proved();
    }
    let cache = verifier.signature_cache().expect("a cache");
    assert!(cache.len() >= chain.len(), "{cache:?}");
}

#[test]
fn a_remembered_chain_is_accepted_with_the_same_result() {
    let (root, cache) = (root(), cache());
    let issued = root.intermediate("Middle", P256).issue(leaf());
    let verifier = verifier(trusting(&root), &cache);
    let cold = accepted(judge(&verifier, &issued.chain));
    cold.possession_proved();
    let warm = accepted(judge(&verifier, &issued.chain));
    assert_eq!(cache.len(), 2);
    assert!(cold.positions().eq(warm.positions()));
    assert_eq!(cold.identity(), warm.identity());
    assert_eq!(cold.earliest_expiry(), warm.earliest_expiry());
}

#[test]
fn a_peers_own_signature_is_remembered_only_after_proof_of_possession() {
    let (root, cache) = (root(), cache());
    let issued = root.intermediate("Middle", P256).issue(leaf());
    let verifier = verifier(trusting(&root), &cache);
    let path = accepted(judge(&verifier, &issued.chain));
    assert_eq!(cache.len(), 1, "the CA's");
    drop(accepted(judge(&verifier, &issued.chain)));
    assert_eq!(cache.len(), 1, "whoever shows other people's certificates leaves no trace");
    path.possession_proved();
    path.possession_proved();
    assert_eq!(cache.len(), 2);
}

#[test]
fn nothing_from_outside_the_trusted_pki_is_remembered() {
    let (root, cache) = (root(), cache());
    let stranger = Ca::new("Root", P256);
    let verifier = verifier(trusting(&root), &cache);
    let outside = stranger.intermediate("Middle", P256).issue(leaf());
    refused(judge(&verifier, &outside.chain), Rule::Signature, FIRST);
    // A CA that is good, and a leaf that it has not signed.
    let middle = root.intermediate("Middle", P256);
    let forged = Ca::new("Middle", P256).issue(leaf().without_key_ids());
    refused(judge(&verifier, &[forged.chain[0].clone(), middle.path()[0].clone()]), Rule::Signature, LEAF);
    assert!(cache.is_empty(), "{cache:?}");
}

#[test]
fn the_key_of_a_ca_is_kept_and_no_verdict_with_it() {
    let (root, cache) = (root(), cache());
    let middle = root.intermediate("Middle", P256);
    let verifier = verifier(trusting(&root), &cache);
    accepted(judge(&verifier, &middle.issue(leaf()).chain));
    assert_eq!(cache.keys(), 1, "the intermediate's");
    let over = middle.issue(leaf().expired(Duration::from_secs(9)));
    refused(judge(&verifier, &over.chain), Rule::NotAfter, LEAF);
    // The same key, vouched for by a stranger.
    let stranger = Ca::new("Other", P256).cross_sign(&middle);
    let chain = [middle.issue(leaf()).chain[0].clone(), stranger];
    refused(judge(&verifier, &chain), Rule::IssuerKnown, FIRST);
}

#[test]
fn failures_are_not_remembered_and_an_altered_certificate_is_no_hit() {
    let (root, cache) = (root(), cache());
    let middle = root.intermediate("Middle", P256);
    let issued = middle.issue(leaf());
    let verifier = verifier(trusting(&root), &cache);
    warm(&verifier, &issued.chain);
    let mut other_bytes = issued.chain[0].to_vec();
    der::replace(&mut other_bytes, b"www.example.com", b"www.example.con");
    let mut other_signature = issued.chain[0].to_vec();
    *other_signature.last_mut().expect("not empty") ^= 1;
    for altered in [other_bytes, other_signature] {
        let chain = [CertificateDer::from(altered), issued.chain[1].clone()];
        for _ in 0..2 {
            refused(judge(&verifier, &chain), Rule::Signature, LEAF);
        }
    }
    assert_eq!(cache.len(), 2);
}

#[test]
fn a_ca_with_a_new_key_is_another_ca() {
    let (old, new, cache) = (root(), root(), cache());
    let issued = old.issue(leaf().without_key_ids());
    warm(&verifier(trusting(&old), &cache), &issued.chain);
    refused(judge(&verifier(trusting(&new), &cache), &issued.chain), Rule::Signature, LEAF);
}

#[test]
fn what_changes_is_checked_every_time() {
    let (root, cache) = (root(), cache());
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).permit(0x82, b"example.com"));
    let issued = middle.issue(leaf());
    let verifier = verifier(trusting(&root), &cache);
    warm(&verifier, &issued.chain);
    let name = |name| ServerName::try_from(name).expect("a name");
    let later = at(UnixTime::now().as_secs() + 20 * 366 * 86_400);
    assert_eq!(
        verifier.verify_server(&issued.chain, &name(HOST), later).expect_err("over").rule,
        Rule::NotAfter
    );
    let other = verifier.verify_server(&issued.chain, &name("b.test"), UnixTime::now());
    assert_eq!(other.expect_err("another name").rule, Rule::NameMatch);
    let client = Verifier::new(trusting(&root), Purpose::ClientAuth).with_signature_cache(Arc::clone(&cache));
    let client = client.verify_client(&issued.chain, UnixTime::now());
    assert_eq!(client.expect_err("another purpose").rule, Rule::ExtendedKeyUsage);
    let constrained = middle.issue(LeafSpec::server("b.test"));
    let constrained = verifier.verify_server(&constrained.chain, &name("b.test"), UnixTime::now());
    assert_eq!(constrained.expect_err("constrained").rule, Rule::PermittedSubtrees);
    let strict = verifier.clone().with_policy(Policy::strict().require(Rule::NameConstraintsCritical));
    accepted(judge(&strict, &issued.chain));
}

#[test]
fn verdicts_do_not_depend_on_what_was_seen_before() {
    let (root, cache) = (root(), cache());
    let issued = root.intermediate("Middle", P256).issue(leaf());
    let limited = Policy::default().with_budget(Budget { signatures: 1, ..Budget::default() });
    let limited = verifier(trusting(&root), &cache).with_policy(limited);
    refused(judge(&limited, &issued.chain), Rule::WorkBudget, LEAF);
    warm(&verifier(trusting(&root), &cache), &issued.chain);
    refused(judge(&limited, &issued.chain), Rule::WorkBudget, LEAF);
}

#[test]
fn other_anchors_are_not_replaced_by_what_is_remembered() {
    let (one, other, cache) = (root(), Ca::new("Other", P256), cache());
    let issued = one.intermediate("Middle", P256).issue(leaf());
    warm(&verifier(trusting(&one), &cache), &issued.chain);
    refused(judge(&verifier(trusting(&other), &cache), &issued.chain), Rule::IssuerKnown, FIRST);
}

#[test]
fn what_was_evicted_is_verified_again() {
    let root = root();
    let small = Arc::new(SignatureCache::new(1).expect("randomness"));
    let verifier = verifier(trusting(&root), &small);
    let chains: Vec<_> = (0..20).map(|_| root.issue(leaf()).chain).collect();
    for chain in chains.iter().chain(&chains) {
        accepted(judge(&verifier, chain)).possession_proved();
    }
    assert_eq!(small.len(), small.capacity());
    refused(
        judge(&verifier, &root.issue(leaf().expired(Duration::from_secs(9))).chain),
        Rule::NotAfter,
        LEAF,
    );
}

#[test]
fn many_threads_share_one_cache() {
    let root = root();
    let cache = cache();
    let chains: Vec<_> = (0..8).map(|_| root.issue(leaf()).chain).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let verifier = verifier(trusting(&root), &cache);
                for chain in chains.iter().chain(&chains) {
                    accepted(judge(&verifier, chain)).possession_proved();
                }
            });
        }
    });
    assert!(cache.len() >= 8, "two threads that enter the same at once may enter it twice");
    let before = cache.hits();
    let verifier = verifier(trusting(&root), &cache);
    chains.iter().for_each(|chain| drop(accepted(judge(&verifier, chain))));
    assert_eq!(cache.hits() - before, 8, "all are there");
}
