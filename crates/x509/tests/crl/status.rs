//! What becomes of a certificate whose status is good, revoked, or not known.

use super::*;

#[test]
fn nothing_is_checked_unless_asked_for() {
    let root = root();
    let issued = root.issue(leaf());
    let path = accepted(verify(&root, &issued.chain, Revocation::off()));
    assert_eq!(path.revocation(), RevocationStatus::NotChecked);
}

#[test]
fn a_certificate_on_its_issuers_crl_is_revoked() {
    let root = root();
    let (good, bad) = (root.issue(leaf()), root.issue(leaf()));
    let crl = root.crl(CrlSpec::new(1).revoke_for(serial(bad.certificate()), 1));
    let path = accepted(hard(&root, &good.chain, [crl.clone()]));
    assert_eq!(path.revocation(), RevocationStatus::Good);
    let report = refused(hard(&root, &bad.chain, [crl.clone()]), Rule::NotRevoked, LEAF);
    assert!(matches!(report.cause, Cause::Revoked { .. }), "{:?}", report.cause);
    assert!(report.to_string().contains("its key was compromised"), "{report}");
    assert_eq!(report.alert(), 44, "certificate_revoked");
    let soft = Revocation::soft_fail(store([crl]));
    refused(verify(&root, &bad.chain, soft), Rule::NotRevoked, LEAF);
}

#[test]
fn a_status_that_is_not_known_is_refused_or_said() {
    let root = root();
    let issued = root.issue(leaf());
    unknown(&root, &issued.chain, [], Unknown::NoData);
    let stranger = Ca::new("Stranger", P256).crl(CrlSpec::new(1));
    unknown(&root, &issued.chain, [stranger], Unknown::NoData);
    let report = hard(&root, &issued.chain, []).expect_err("nothing is known");
    assert_eq!(report.alert(), 46, "certificate_unknown");
}

#[test]
fn the_whole_chain_is_looked_at_or_only_the_leaf() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let issued = intermediate.issue(leaf());
    let of_leaf = intermediate.crl(CrlSpec::new(1));
    let revoked = root.crl(CrlSpec::new(1).revoke(serial(intermediate.certificate())));
    let clean = root.crl(CrlSpec::new(2));
    accepted(hard(&root, &issued.chain, [of_leaf.clone(), clean]));
    refused(hard(&root, &issued.chain, [of_leaf.clone()]), Rule::StatusKnown, FIRST);
    refused(hard(&root, &issued.chain, [of_leaf.clone(), revoked.clone()]), Rule::NotRevoked, FIRST);
    let leaf_only = Revocation::hard_fail(store([of_leaf.clone(), revoked])).leaf_only();
    let path = accepted(verify(&root, &issued.chain, leaf_only));
    assert_eq!(path.revocation(), RevocationStatus::Good);
    let soft = accepted(verify(&root, &issued.chain, Revocation::soft_fail(store([of_leaf]))));
    assert_eq!(soft.revocation(), RevocationStatus::Unknown(FIRST, Unknown::NoData));
}

/// A revoked intermediate ends its path, not the search; a revoked leaf ends the search.
#[test]
fn another_path_around_a_revoked_intermediate_is_taken() {
    let (one, other) = (Ca::new("One", P256), Ca::new("Other", P256));
    let intermediate = one.intermediate("Intermediate", P256);
    let cross = other.cross_sign(&intermediate);
    let issued = intermediate.issue(leaf());
    let chain = [issued.chain[0].clone(), issued.chain[1].clone(), cross];
    let roots = common::trusting_all([one.certificate(), other.certificate()]);
    let name = ServerName::try_from(HOST).expect("a name");
    let verify = |crls| {
        let verifier = Verifier::new(roots.clone(), Purpose::ServerAuth);
        verifier.with_revocation(Revocation::hard_fail(store(crls))).verify_server(
            &chain,
            &name,
            UnixTime::now(),
        )
    };
    let of_leaf = intermediate.crl(CrlSpec::new(1));
    let revoked = one.crl(CrlSpec::new(1).revoke(serial(intermediate.certificate())));
    let path = accepted(verify(vec![of_leaf, revoked.clone(), other.crl(CrlSpec::new(1))]));
    assert_eq!(path.anchor().subject().to_string(), "CN=Other");
    let leaf_revoked = intermediate.crl(CrlSpec::new(1).revoke(serial(issued.certificate())));
    let crls = vec![leaf_revoked, one.crl(CrlSpec::new(1)), other.crl(CrlSpec::new(1))];
    assert_eq!(refused(verify(crls), Rule::NotRevoked, LEAF).candidates.len(), 1);
}

/// The anchor's own status is nobody's to say.
#[test]
fn anchors_have_no_status() {
    let root = root();
    let issued = root.issue(leaf());
    let crl = root.crl(CrlSpec::new(1).revoke(serial(root.certificate())));
    accepted(hard(&root, &issued.chain, [crl]));
}
