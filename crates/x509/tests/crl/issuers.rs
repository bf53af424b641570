//! Whose key may sign a CRL.

use super::*;

#[test]
fn a_crl_must_be_signed_by_its_issuers_key() {
    let root = root();
    let issued = root.issue(leaf());
    let impostor = Ca::new("Root", P256);
    unknown(&root, &issued.chain, [impostor.crl(CrlSpec::new(1))], Unknown::UntrustedCrl);
    let mut altered = root.crl(CrlSpec::new(1).revoke(&[7]));
    let place = altered.windows(3).position(|window| window == [2, 1, 7]).expect("the serial number");
    altered[place + 2] = 8;
    unknown(&root, &issued.chain, [altered], Unknown::UntrustedCrl);
}

#[test]
fn a_key_usage_must_allow_to_sign_crls() {
    let root = root();
    let cert_sign_only = &[0x03, 0x02, 0x02, 0x04];
    let spec = |name: &str| CaSpec::new(name, P256);
    let mut without = spec("Intermediate");
    without.key_usage = None;
    let limited = root.intermediate_with(without.clone().extension("2.5.29.15", true, cert_sign_only));
    let unlimited = root.intermediate_with(without);
    for (ca, fine) in [(limited, false), (unlimited, true)] {
        let issued = ca.issue(leaf());
        let crls = [ca.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))];
        if fine {
            accepted(hard(&root, &issued.chain, crls));
        } else {
            unknown(&root, &issued.chain, crls, Unknown::UntrustedCrl);
        }
    }
    let mut anchor = spec("Limited Root");
    anchor.key_usage = None;
    let anchor = Ca::with(anchor.extension("2.5.29.15", true, cert_sign_only));
    let issued = anchor.issue(leaf());
    unknown(&anchor, &issued.chain, [anchor.crl(CrlSpec::new(1))], Unknown::UntrustedCrl);
}

/// One CA with two keys: the certificate of the second, for CRLs, is issued by the first.
#[test]
fn a_ca_may_sign_crls_with_another_key_that_it_certified() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let crl_key = root.intermediate("Intermediate", P256);
    let issued = intermediate.issue(leaf());
    let crls = || [crl_key.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))];
    unknown(&root, &issued.chain, crls(), Unknown::UntrustedCrl);
    let mut chain = issued.chain.clone();
    chain.push(crl_key.certificate().clone());
    accepted(hard(&root, &chain, crls()));
    let revoked = root.crl(CrlSpec::new(2).this_update(at(now() - 9)).revoke(serial(crl_key.certificate())));
    let [crl, _] = crls();
    refused(hard(&root, &chain, [crl, revoked]), Rule::StatusKnown, LEAF);
}

/// Nobody vouches for himself: a self-issued certificate for CRLs is not covered by the CRL that its key signed.
#[test]
fn a_crl_does_not_vouch_for_the_key_that_signed_it() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let crl_key = intermediate.intermediate("Intermediate", P256);
    let issued = intermediate.issue(leaf());
    let mut chain = issued.chain.clone();
    chain.push(crl_key.certificate().clone());
    let crl = crl_key.crl(CrlSpec::new(1));
    unknown(&root, &chain, [crl.clone(), root.crl(CrlSpec::new(1))], Unknown::UntrustedCrl);
    // What it says against a certificate is believed all the same, where not knowing is no reason to refuse.
    let revoking = crl_key.crl(CrlSpec::new(2).revoke(serial(issued.certificate())));
    let soft = Revocation::soft_fail(store([revoking, root.crl(CrlSpec::new(1))]));
    refused(verify(&root, &chain, soft), Rule::NotRevoked, LEAF);
}

/// A peer can send what it likes under the name of a CRL's issuer. Certificates that lead nowhere cost a look each, and
/// those that lead somewhere draw on the budget of the peer's path: no CRL is hashed for a stranger's key.
#[test]
fn strangers_with_the_name_of_a_crls_issuer_cost_little() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let issued = intermediate.issue(leaf());
    let lost = Ca::new("Intermediate", P256);
    let crls = || store([lost.crl(CrlSpec::new(1)), root.crl(CrlSpec::new(1))]);
    let (stranger, known) = (Ca::new("Stranger", P256), &root);
    for (name, ca) in [("lead nowhere", &stranger), ("lead to the root", known)] {
        let mut chain = issued.chain.clone();
        chain.extend((0u8..100).map(|place| {
            let spec = LeafSpec::bare().subject("CN=Intermediate").key_usage(None).serial(&[1, place]);
            ca.issue(spec).certificate().clone()
        }));
        let revocation = Revocation::hard_fail(crls());
        // The best of some: other tests run at the same time.
        let mut took = Duration::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            let report = verify(&root, &chain, revocation.clone()).expect_err("nobody signed it");
            took = took.min(start.elapsed());
            assert!(matches!(report.rule, Rule::StatusKnown | Rule::WorkBudget), "{}", report.rule);
        }
        println!("100 strangers that {name}: {took:?}");
        assert!(took < Duration::from_millis(if cfg!(debug_assertions) { 200 } else { 5 }), "{took:?}");
    }
}
