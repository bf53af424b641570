//! Who may sign CRLs (RFC 5280 section 6.3.3 (f) and (g)): which keys speak for a CA, with which algorithms, and what an
//! issuer's CRL says where the certificate's own distribution points can't be read.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use common::{FIRST, HOST, LEAF, Outcome, P256, accepted, leaf, refused, root, trusting};
use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm};
use oxtls_test_pki::der::tlv;
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, serial};
use oxtls_x509::{
    AllowedAlgorithms, CrlStore, Policy, Purpose, Revocation, RevocationStatus, Rule, Unknown, Verifier,
};
use pki_types::{CertificateDer, ServerName, UnixTime};

const P384: KeyAlgorithm = KeyAlgorithm::EcdsaP384;

fn store(crls: impl IntoIterator<Item = Vec<u8>>) -> CrlStore {
    let mut store = CrlStore::empty();
    crls.into_iter().for_each(|crl| store.add_der(crl).expect("a CRL that parses"));
    store
}

fn verify(ca: &Ca, chain: &[CertificateDer<'_>], policy: Policy, revocation: Revocation) -> Outcome {
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier = Verifier::new(trusting(ca), Purpose::ServerAuth).with_policy(policy);
    verifier.with_revocation(revocation).verify_server(chain, &name, UnixTime::now())
}

fn hard(ca: &Ca, chain: &[CertificateDer<'_>], crls: impl IntoIterator<Item = Vec<u8>>) -> Outcome {
    verify(ca, chain, Policy::default(), Revocation::hard_fail(store(crls)))
}

fn with(chain: &[CertificateDer<'static>], more: &[&Ca]) -> Vec<CertificateDer<'static>> {
    chain.iter().chain(more.iter().map(|ca| ca.certificate())).cloned().collect()
}

/// A CA for CRLs alone: the name of one that issues, a key of its own.
fn crl_key(name: &str) -> CaSpec {
    CaSpec::new(name, P256)
}

/// What is said of a path must not be easier to forge than the path.
#[test]
fn crls_are_held_to_the_algorithms_that_a_policy_allows() {
    let root = Ca::new("Root", P384);
    let intermediate = root.intermediate("Intermediate", P384);
    let issued = intermediate.issue(leaf().key(P384));
    let allowed = AllowedAlgorithms {
        signatures: vec![SignatureAlgorithm::Ecdsa(Hash::Sha256), SignatureAlgorithm::Ecdsa(Hash::Sha384)],
        keys: vec![P384],
        min_rsa_bits: 0,
    };
    let policies = [Policy::default(), Policy::default().with_allowed_algorithms(allowed)];
    for (key, outcomes) in [(P384, [true, true]), (P256, [true, false])] {
        let other_key = root.intermediate("Intermediate", key);
        let chain = with(&issued.chain, &[&other_key]);
        let crls = store([other_key.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))]);
        for (policy, good) in policies.iter().zip(outcomes) {
            let outcome = verify(&root, &chain, policy.clone(), Revocation::hard_fail(crls.clone()));
            assert_eq!(outcome.is_ok(), good, "{key:?}");
        }
    }
}

/// A CA below the same root that may name others as it likes must not speak for them: CRLs travel in the clear, and
/// anybody can put one into a store and a certificate into a chain.
#[test]
fn a_key_that_another_ca_certified_in_the_cas_name_signs_no_crl_for_it() {
    let root = root();
    let victim = root.intermediate("Victim", P256);
    let hostile = root.intermediate("Hostile", P256);
    let impostor = hostile.intermediate_with(crl_key("Victim"));
    let issued = victim.issue(leaf());
    let of_others = || [root.crl(CrlSpec::new(1)), hostile.crl(CrlSpec::new(1))];
    let chain = with(&issued.chain, &[&impostor, &hostile]);
    let report = refused(
        hard(&root, &chain, [&[impostor.crl(CrlSpec::new(2))], &of_others()[..]].concat()),
        Rule::StatusKnown,
        LEAF,
    );
    assert!(report.to_string().contains(&Unknown::UntrustedCrl.to_string()), "{report}");
    // Nor does it revoke anything.
    let revoking = impostor.crl(CrlSpec::new(2).revoke(serial(issued.certificate())));
    let soft = Revocation::soft_fail(store([&[revoking], &of_others()[..]].concat()));
    let path = accepted(verify(&root, &chain, Policy::default(), soft));
    assert_eq!(path.revocation(), RevocationStatus::Unknown(LEAF, Unknown::UntrustedCrl));
    // The same certificate by the CA's own issuer is the CA's.
    let own = root.intermediate_with(crl_key("Victim"));
    let chain = with(&issued.chain, &[&own]);
    accepted(hard(&root, &chain, [own.crl(CrlSpec::new(2)), root.crl(CrlSpec::new(1))]));
}

/// A peer chooses its path, where its CA was certified by several: whoever stands above the CA on that path may have
/// certified the key of its CRLs.
#[test]
fn no_detour_leads_around_the_crls_of_a_ca_whose_key_for_them_the_root_certified() {
    let root = root();
    let victim = root.intermediate("Victim", P256);
    let detour = root.intermediate("Detour", P256);
    let own = root.intermediate_with(crl_key("Victim"));
    let issued = victim.issue(leaf());
    let chain = [issued.chain[0].clone(), detour.cross_sign(&victim)];
    let revoking = own.crl(CrlSpec::new(1).revoke(serial(issued.certificate())));
    for chain in [with(&issued.chain, &[&own]), with(&chain, &[&detour, &own])] {
        let crls = store([revoking.clone(), root.crl(CrlSpec::new(1)), detour.crl(CrlSpec::new(1))]);
        let outcome = verify(&root, &chain, Policy::default(), Revocation::soft_fail(crls));
        refused(outcome, Rule::NotRevoked, LEAF);
    }
}

/// A root may certify a key for its CRLs itself, and nobody else may.
#[test]
fn a_root_certifies_the_key_of_its_crls_itself() {
    let root = root();
    let own = root.intermediate_with(crl_key("Root"));
    let hostile = root.intermediate("Hostile", P256);
    let impostor = hostile.intermediate_with(crl_key("Root"));
    let issued = root.issue(leaf());
    let leaf_only = |crl| Revocation::soft_fail(store([crl, hostile.crl(CrlSpec::new(1))])).leaf_only();
    for (signer, believed) in [(&own, true), (&impostor, false)] {
        let chain = with(&issued.chain, &[signer, &hostile]);
        let crl = signer.crl(CrlSpec::new(1).revoke(serial(issued.certificate())));
        match verify(&root, &chain, Policy::default(), leaf_only(crl)) {
            Err(report) if believed => assert_eq!(report.rule, Rule::NotRevoked),
            Ok(path) if !believed => {
                assert_eq!(path.revocation(), RevocationStatus::Unknown(LEAF, Unknown::UntrustedCrl));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A CA that changes keys: the old one signs CRLs still, and self-issued certificates lead from one to the other.
#[test]
fn self_issued_certificates_lead_from_one_key_of_a_ca_to_another() {
    let root = root();
    let old = root.intermediate("Changing", P256);
    let new = root.intermediate("Changing", P256);
    let issued = new.issue(leaf());
    let crls = || [old.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))];
    // Both by the root.
    accepted(hard(&root, &with(&issued.chain, &[&old]), crls()));
    // The new key by the old one: the path goes through both, and the CRL of the old is above.
    let new_by_old = old.cross_sign(&new);
    let chain = [issued.chain[0].clone(), new_by_old, old.certificate().clone()];
    let all = [old.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))];
    accepted(hard(&root, &chain, all));
    // And a third key, which the root certified for CRLs.
    let third = root.intermediate_with(crl_key("Changing"));
    let chain = [&chain[..], &[third.certificate().clone()]].concat();
    let revoked = third.crl(CrlSpec::new(3).revoke(serial(issued.certificate())));
    refused(hard(&root, &chain, [revoked, root.crl(CrlSpec::new(1))]), Rule::NotRevoked, LEAF);
}

/// What can't be read says nothing about where to look. The issuer's own CRL may say all the same that a certificate is
/// revoked, never that it is not.
#[test]
fn unreadable_distribution_points_hide_no_revocation() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    // A SEQUENCE with a distribution point that has neither a name nor an issuer.
    let spec = || leaf().extension("2.5.29.31", false, &[0x30, 2, 0x30, 0]);
    let (good, bad) = (intermediate.issue(spec()), intermediate.issue(spec()));
    let crls = || {
        store([
            intermediate.crl(CrlSpec::new(1).revoke(serial(bad.certificate()))),
            root.crl(CrlSpec::new(1)),
        ])
    };
    for revocation in [Revocation::soft_fail(crls()), Revocation::hard_fail(crls())] {
        refused(verify(&root, &bad.chain, Policy::default(), revocation), Rule::NotRevoked, LEAF);
    }
    refused(
        verify(&root, &good.chain, Policy::default(), Revocation::hard_fail(crls())),
        Rule::StatusKnown,
        LEAF,
    );
    let path = accepted(verify(&root, &good.chain, Policy::default(), Revocation::soft_fail(crls())));
    assert_eq!(path.revocation(), RevocationStatus::Unknown(LEAF, Unknown::MalformedPoints));
    let revoking = store([root.crl(CrlSpec::new(1).revoke(serial(intermediate.certificate())))]);
    refused(
        verify(&root, &good.chain, Policy::default(), Revocation::soft_fail(revoking)),
        Rule::NotRevoked,
        FIRST,
    );
}

/// RFC 5280 section 5.2.1 asks CAs for it; a path needs none. What a CRL without it revokes is revoked all the same.
#[test]
fn the_strict_policy_believes_crls_only_with_an_authority_key_identifier() {
    let root = root();
    let issued = root.issue(leaf());
    let parsed = oxtls_x509::Certificate::parse(root.certificate()).expect("a root");
    let value = tlv(0x30, &[&tlv(0x80, &[parsed.subject_key_id().expect("its own").key_id])]);
    let without = || CrlSpec::new(1);
    let with = || CrlSpec::new(1).extension("2.5.29.35", false, &value);
    let rule = Rule::CrlAuthorityKeyIdentifier;
    for (policy, spec, good) in [
        (Policy::default(), without(), true),
        (Policy::strict(), without(), false),
        (Policy::strict(), with(), true),
        (Policy::strict().lift(rule), without(), true),
        (Policy::default().require(rule), without(), false),
    ] {
        let soft = Revocation::soft_fail(store([root.crl(spec)]));
        let path = accepted(verify(&root, &issued.chain, policy, soft));
        let unknown = RevocationStatus::Unknown(LEAF, Unknown::UnprofiledCrl);
        assert_eq!(path.revocation(), if good { RevocationStatus::Good } else { unknown });
    }
    let revoking = Revocation::soft_fail(store([root.crl(without().revoke(serial(issued.certificate())))]));
    refused(verify(&root, &issued.chain, Policy::strict(), revoking), Rule::NotRevoked, LEAF);
}
