//! When a CRL counts, and which of several.

use super::*;

#[test]
fn a_crl_counts_only_between_its_times() {
    let root = root();
    let issued = root.issue(leaf());
    let (from, until) = (now() - 1_000, now() + 1_000);
    let crl = root.crl(CrlSpec::new(1).this_update(at(from)).next_update(Some(at(until))));
    let judge =
        |seconds| verify_at(&root, &issued.chain, Revocation::hard_fail(store([crl.clone()])), at(seconds));
    accepted(judge(from));
    let path = accepted(judge(until));
    assert_eq!(path.earliest_expiry(), at(until), "what was relied on expires first");
    refused(judge(from - 1), Rule::StatusKnown, LEAF);
    refused(judge(until + 1), Rule::StatusKnown, LEAF);
    let old = root.crl(CrlSpec::new(1).this_update(at(from - 9)).next_update(Some(at(from))));
    unknown(&root, &issued.chain, [old], Unknown::StaleCrl);
}

/// Whoever keeps newer CRLs away must not bring back what an older one has revoked for good.
#[test]
fn an_outdated_crl_still_says_what_was_revoked_for_good() {
    let root = root();
    let issued = root.issue(leaf());
    let serial = serial(issued.certificate());
    let (from, until) = (at(now() - 90_000), at(now() - 80_000));
    let outdated = |ca: &Ca, reason| {
        ca.crl(CrlSpec::new(1).this_update(from).next_update(Some(until)).revoke_for(serial, reason))
    };
    let soft = |crls: Vec<Vec<u8>>| verify(&root, &issued.chain, Revocation::soft_fail(store(crls)));
    for reason in [0, 1, 4] {
        refused(soft(vec![outdated(&root, reason)]), Rule::NotRevoked, LEAF);
    }
    const ON_HOLD: u8 = 6;
    unknown(&root, &issued.chain, [outdated(&root, ON_HOLD)], Unknown::StaleCrl);
    // What is in force knows better, and another key knows nothing.
    accepted(soft(vec![outdated(&root, 1), root.crl(CrlSpec::new(2))]));
    unknown(&root, &issued.chain, [outdated(&Ca::new("Root", P256), 1)], Unknown::StaleCrl);
    let ahead = CrlSpec::new(1).this_update(at(now() + 900)).next_update(Some(at(now() + 1_900)));
    unknown(&root, &issued.chain, [root.crl(ahead.revoke(serial))], Unknown::StaleCrl);
}

#[test]
fn of_two_crls_of_one_scope_the_newer_counts() {
    let root = root();
    let issued = root.issue(leaf());
    let hold = root.crl(CrlSpec::new(1).revoke_for(serial(issued.certificate()), 6));
    let lifted = root.crl(CrlSpec::new(2).this_update(at(now() - 60)));
    accepted(hard(&root, &issued.chain, [hold.clone(), lifted.clone()]));
    accepted(hard(&root, &issued.chain, [lifted, hold]));
}
