//! Delta CRLs.

use super::*;

#[test]
fn a_delta_changes_what_the_complete_crl_says() {
    let root = root();
    let issued = root.issue(leaf());
    let serial = serial(issued.certificate());
    let complete = || CrlSpec::new(5);
    let judge =
        |complete: CrlSpec, delta: CrlSpec| hard(&root, &issued.chain, [root.crl(complete), root.crl(delta)]);
    accepted(judge(complete(), CrlSpec::delta(6, 5)));
    refused(judge(complete(), CrlSpec::delta(6, 5).revoke(serial)), Rule::NotRevoked, LEAF);
    refused(judge(complete(), CrlSpec::delta(6, 3).revoke(serial)), Rule::NotRevoked, LEAF);
    let held = || complete().revoke_for(serial, 6);
    accepted(judge(held(), CrlSpec::delta(6, 5).revoke_for(serial, 8)));
    refused(judge(held(), CrlSpec::delta(6, 5)), Rule::NotRevoked, LEAF);
    // removeFromCRL means something in deltas only.
    refused(judge(complete().revoke_for(serial, 8), CrlSpec::delta(6, 5)), Rule::NotRevoked, LEAF);
}

#[test]
fn a_delta_goes_only_with_a_complete_crl_that_it_was_made_for() {
    let root = root();
    let issued = root.issue(leaf());
    let serial = serial(issued.certificate());
    let judge =
        |complete: CrlSpec, delta: CrlSpec| hard(&root, &issued.chain, [root.crl(complete), root.crl(delta)]);
    let revoking = |number, base| CrlSpec::delta(number, base).revoke(serial);
    // A later base, an older number, another scope, another authority, a future one: none of them counts.
    accepted(judge(CrlSpec::new(5), revoking(7, 6)));
    accepted(judge(CrlSpec::new(5), revoking(5, 4)));
    accepted(judge(CrlSpec::new(5), revoking(6, 5).scope(&[0x81, 1, 0xff])));
    accepted(judge(CrlSpec::new(5), revoking(6, 5).extension("2.5.29.35", false, &[0x30, 0])));
    accepted(judge(CrlSpec::new(5), revoking(6, 5).this_update(at(now() + 900))));
    // Nor one by another key.
    let impostor = Ca::new("Root", P256);
    accepted(hard(&root, &issued.chain, [root.crl(CrlSpec::new(5)), impostor.crl(revoking(6, 5))]));
    // Alone it says nothing.
    unknown(&root, &issued.chain, [root.crl(CrlSpec::delta(6, 5))], Unknown::NoData);
}

#[test]
fn a_fresh_delta_renews_an_outdated_complete_crl() {
    let root = root();
    let issued = root.issue(leaf());
    let outdated = || {
        let spec = CrlSpec::new(5).this_update(at(now() - 900)).next_update(Some(at(now() - 600)));
        root.crl(spec)
    };
    let until = at(now() + 600);
    let delta = root.crl(CrlSpec::delta(6, 5).this_update(at(now() - 60)).next_update(Some(until)));
    let path = accepted(hard(&root, &issued.chain, [outdated(), delta]));
    assert_eq!(path.earliest_expiry(), until);
    unknown(&root, &issued.chain, [outdated()], Unknown::StaleCrl);
    let by_another = Ca::new("Root", P256).crl(CrlSpec::delta(6, 5));
    unknown(&root, &issued.chain, [outdated(), by_another], Unknown::StaleCrl);
}

/// Whoever puts a delta of his own into a store, newer than all others by its number, hides nothing: neither what a true
/// one says nor what an outdated CRL has said for good.
#[test]
fn a_delta_by_another_key_hides_no_revocation() {
    let root = root();
    let issued = root.issue(leaf());
    let serial = serial(issued.certificate());
    let impostor = Ca::new("Root", P256);
    let forged = || impostor.crl(CrlSpec::delta(9, 5));
    let true_delta = root.crl(CrlSpec::delta(6, 5).revoke(serial));
    let crls = [root.crl(CrlSpec::new(5)), forged(), true_delta];
    refused(hard(&root, &issued.chain, crls), Rule::NotRevoked, LEAF);
    let times = CrlSpec::new(5).this_update(at(now() - 900)).next_update(Some(at(now() - 600)));
    let outdated = root.crl(times.revoke(serial));
    let times = CrlSpec::delta(6, 5).this_update(at(now() - 800)).next_update(Some(at(now() - 600)));
    let outdated_delta = root.crl(times.revoke(serial));
    let before = root.crl(CrlSpec::new(5).this_update(at(now() - 900)).next_update(Some(at(now() - 700))));
    for crls in [
        vec![outdated.clone()],
        vec![outdated, forged()],
        vec![before.clone(), outdated_delta.clone()],
        vec![before, outdated_delta, forged()],
    ] {
        refused(verify(&root, &issued.chain, Revocation::soft_fail(store(crls))), Rule::NotRevoked, LEAF);
    }
}
