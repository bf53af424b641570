//! CRLs: RFC 5280 sections 5 and 6.3, each rule with a case that fails without it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{FIRST, HOST, LEAF, Outcome, P256, accepted, at, leaf, refused, root, trusting};
use oxtls_test_pki::der::tlv;
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, Issued, LeafSpec, RawExtension, many, name_der, serial};
use oxtls_x509::{
    Cause, Crl, CrlStore, Purpose, Revocation, RevocationReason, RevocationStatus, Rule, Unknown, Verifier,
};
use pki_types::{CertificateDer, ServerName, UnixTime};

const DISTRIBUTION_POINTS: &str = "2.5.29.31";
const POINT_A: &[u8] = b"http://crl.example/a";
const POINT_B: &[u8] = b"http://crl.example/b";

fn store(crls: impl IntoIterator<Item = Vec<u8>>) -> CrlStore {
    let mut store = CrlStore::empty();
    crls.into_iter().for_each(|crl| store.add_der(crl).expect("a CRL that parses"));
    store
}

fn verify(ca: &Ca, chain: &[CertificateDer<'_>], revocation: Revocation) -> Outcome {
    verify_at(ca, chain, revocation, UnixTime::now())
}

fn verify_at(ca: &Ca, chain: &[CertificateDer<'_>], revocation: Revocation, now: UnixTime) -> Outcome {
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier = Verifier::new(trusting(ca), Purpose::ServerAuth).with_revocation(revocation);
    verifier.verify_server(chain, &name, now)
}

fn hard(ca: &Ca, chain: &[CertificateDer<'_>], crls: impl IntoIterator<Item = Vec<u8>>) -> Outcome {
    verify(ca, chain, Revocation::hard_fail(store(crls)))
}

/// Hard-fail must not know the status of the leaf, for this reason.
#[track_caller]
fn unknown(ca: &Ca, chain: &[CertificateDer<'_>], crls: impl IntoIterator<Item = Vec<u8>>, why: Unknown) {
    let crls = store(crls);
    let report = refused(verify(ca, chain, Revocation::hard_fail(crls.clone())), Rule::StatusKnown, LEAF);
    assert!(report.to_string().contains(&why.to_string()), "{report}");
    let path = accepted(verify(ca, chain, Revocation::soft_fail(crls)));
    assert_eq!(path.revocation(), RevocationStatus::Unknown(LEAF, why));
}

/// The CRL must be refused when it is loaded.
#[track_caller]
fn refuses(crl: Vec<u8>, rule: Rule) {
    let error = Crl::from_der(crl).expect_err("should be refused");
    assert_eq!(error.rule, rule, "{error}");
}

fn now() -> u64 {
    UnixTime::now().as_secs()
}

/// GeneralNames of one URI.
fn uri(uri: &[u8]) -> Vec<u8> {
    tlv(0x86, &[uri])
}

/// GeneralNames of one directory name.
fn directory(name: &str) -> Vec<u8> {
    tlv(0xa4, &[&name_der(name)])
}

/// The field distributionPoint of either kind of distribution point, with a full name.
fn full_name(names: &[u8]) -> Vec<u8> {
    tlv(0xa0, &[&tlv(0xa0, &[names])])
}

/// One distribution point's contents to the value of cRLDistributionPoints.
fn points(contents: &[Vec<u8>]) -> Vec<u8> {
    let points: Vec<u8> = contents.iter().flat_map(|point| tlv(0x30, &[point])).collect();
    tlv(0x30, &[&points])
}

/// A leaf with distribution points.
fn pointed(ca: &Ca, contents: &[Vec<u8>]) -> Issued {
    ca.issue(leaf().extension(DISTRIBUTION_POINTS, false, &points(contents)))
}

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

#[test]
fn a_crl_has_version_2_and_both_times_and_a_number_that_is_not_critical() {
    let root = root();
    refuses(root.crl(CrlSpec::new(1).version(None).next_update(None)), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).version(Some(&[2, 1, 0]))), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).version(Some(&[2, 1, 2]))), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).next_update(None)), Rule::CrlForm);
    refuses(root.crl(CrlSpec::new(1).without_number()), Rule::CrlForm);
    let other = CrlSpec::new(1).without_number();
    refuses(root.crl(other.clone().extension("2.5.29.35", false, &[0x30, 0])), Rule::CrlForm);
    refuses(root.crl(other.clone().extension("2.5.29.20", true, &[2, 1, 1])), Rule::CrlForm);
    refuses(root.crl(other.clone().extension("2.5.29.20", false, &[2, 1, 0xff])), Rule::CrlForm);
    let long = |octets: usize| [&[2, u8::try_from(octets).expect("short")], &vec![1; octets][..]].concat();
    refuses(root.crl(other.clone().extension("2.5.29.20", false, &long(21))), Rule::CrlForm);
    let crl = Crl::from_der(root.crl(other.extension("2.5.29.20", false, &long(20)))).expect("20 octets");
    assert_eq!(crl.number(), [1; 20]);
    refuses(root.crl(CrlSpec::new(1).extension("2.5.29.20", false, &[2, 1, 1])), Rule::DuplicateExtension);
}

#[test]
fn a_critical_extension_that_is_not_understood_refuses_the_crl() {
    let root = root();
    let unknown = |critical| RawExtension { oid: "1.2.3.4".to_owned(), critical, value: vec![5, 0] };
    refuses(root.crl(CrlSpec::new(1).extension("1.2.3.4", true, &[5, 0])), Rule::CrlCriticalExtension);
    refuses(root.crl(CrlSpec::new(1).entry(&[7], &[unknown(true)])), Rule::CrlCriticalExtension);
    let fine = CrlSpec::new(1).extension("1.2.3.4", false, &[5, 0]).entry(&[7], &[unknown(false)]);
    assert_eq!(Crl::from_der(root.crl(fine)).expect("not critical").len(), 1);
    refuses(
        root.crl(CrlSpec::new(1).entry(&[7], &[unknown(false), unknown(false)])),
        Rule::DuplicateExtension,
    );
    for reason in [7, 11] {
        refuses(root.crl(CrlSpec::new(1).revoke_for(&[7], reason)), Rule::CrlForm);
    }
}

#[test]
fn entries_say_since_when_and_why() {
    let root = root();
    let since = now() - 5_000;
    let spec =
        CrlSpec::new(3).this_update(at(since)).revoke(&[7]).revoke_for(&[0, 0x80], 4).revoke_for(&[0x80], 10);
    let crl = Crl::from_der(root.crl(spec)).expect("a CRL");
    let reason = |serial: &[u8]| crl.entry(serial).map(|entry| entry.reason);
    assert_eq!(reason(&[7]), Some(RevocationReason::Unspecified));
    assert_eq!(reason(&[0, 0x80]), Some(RevocationReason::Superseded));
    assert_eq!(reason(&[0x80]), Some(RevocationReason::AaCompromise), "negative numbers are told apart");
    assert_eq!(reason(&[8]), None);
    assert_eq!(crl.entry(&[7]).map(|entry| entry.since), i64::try_from(since).ok());
    assert_eq!((crl.len(), crl.is_delta(), crl.is_indirect(), crl.number()), (3, false, false, &[3][..]));
    assert_eq!(crl.this_update(), at(since));
}

#[test]
fn a_crl_for_users_or_for_cas_covers_no_others() {
    let root = root();
    let intermediate = root.intermediate("Intermediate", P256);
    let issued = intermediate.issue(leaf());
    let (users, authorities, attributes) = ([0x81, 1, 0xff], [0x82, 1, 0xff], [0x85, 1, 0xff]);
    let of_leaf = |scope: &[u8]| intermediate.crl(CrlSpec::new(1).scope(scope));
    let of_ca = |scope: &[u8]| root.crl(CrlSpec::new(1).scope(scope));
    accepted(hard(&root, &issued.chain, [of_leaf(&users), of_ca(&authorities)]));
    unknown(&root, &issued.chain, [of_leaf(&authorities), of_ca(&authorities)], Unknown::OutOfScope);
    unknown(&root, &issued.chain, [of_leaf(&attributes), of_ca(&authorities)], Unknown::OutOfScope);
    refused(hard(&root, &issued.chain, [of_leaf(&users), of_ca(&users)]), Rule::StatusKnown, FIRST);
    refuses(of_ca(&[users, authorities].concat()), Rule::ExtensionEncoding);
    refuses(of_ca(&[]), Rule::ExtensionEncoding);
    refuses(of_ca(&[0x81, 1, 0]), Rule::ExtensionEncoding);
}

#[test]
fn a_partition_covers_the_certificates_of_its_distribution_point() {
    let root = root();
    let issued = pointed(&root, &[full_name(&[uri(POINT_A), uri(b"ldap://elsewhere")].concat())]);
    let part = |names: &[u8]| root.crl(CrlSpec::new(1).scope(&full_name(names)));
    accepted(hard(&root, &issued.chain, [part(&uri(POINT_A))]));
    accepted(hard(&root, &issued.chain, [part(&[uri(POINT_B), uri(POINT_A)].concat())]));
    unknown(&root, &issued.chain, [part(&uri(POINT_B))], Unknown::OutOfScope);
    // Certificates without points have the point of their issuer's name.
    let plain = root.issue(leaf());
    unknown(&root, &plain.chain, [part(&uri(POINT_A))], Unknown::OutOfScope);
    accepted(hard(&root, &plain.chain, [part(&directory("CN=Root"))]));
    // A CRL without a scope covers everything.
    accepted(hard(&root, &issued.chain, [root.crl(CrlSpec::new(1))]));
    let malformed = root.issue(leaf().extension(DISTRIBUTION_POINTS, false, &[0x30, 2, 0x30, 0]));
    assert!(hard(&root, &malformed.chain, [root.crl(CrlSpec::new(1))]).is_err());
}

#[test]
fn relative_names_are_completed_with_the_issuers() {
    let root = root();
    let part = |name: &str| {
        // The contents of the SET of the last part.
        let der = name_der(name);
        let set = oxtls_test_pki::der::elements(oxtls_test_pki::der::contents(&der))[0].to_vec();
        oxtls_test_pki::der::contents(&set).to_vec()
    };
    let relative = |name: &str| tlv(0xa0, &[&tlv(0xa1, &[&part(name)])]);
    let issued = pointed(&root, &[relative("CN=Part 1")]);
    let crl = |name: Vec<u8>| root.crl(CrlSpec::new(1).scope(&name));
    accepted(hard(&root, &issued.chain, [crl(relative("CN=part  1"))]));
    accepted(hard(&root, &issued.chain, [crl(full_name(&directory("CN=Part 1,CN=Root")))]));
    unknown(&root, &issued.chain, [crl(relative("CN=Part 2"))], Unknown::OutOfScope);
    unknown(&root, &issued.chain, [crl(full_name(&directory("CN=Part 1")))], Unknown::OutOfScope);
    let absolute = pointed(&root, &[full_name(&directory("CN=Part 1,CN=Root"))]);
    accepted(hard(&root, &absolute.chain, [crl(relative("CN=Part 1"))]));
}

#[test]
fn every_reason_must_be_covered() {
    let root = root();
    let issued = pointed(&root, &[full_name(&uri(POINT_A))]);
    // keyCompromise and cACompromise; all others.
    let (some, rest) = ([0x83, 2, 5, 0x60], [0x83, 3, 7, 0x1f, 0x80]);
    let crl = |reasons: &[u8]| CrlSpec::new(1).scope(&[&full_name(&uri(POINT_A)), reasons].concat());
    unknown(&root, &issued.chain, [root.crl(crl(&some))], Unknown::SomeReasons);
    accepted(hard(&root, &issued.chain, [root.crl(crl(&some)), root.crl(crl(&rest))]));
    let serial = serial(issued.certificate());
    for (one, other) in [(crl(&some).revoke(serial), crl(&rest)), (crl(&some), crl(&rest).revoke(serial))] {
        refused(hard(&root, &issued.chain, [root.crl(one), root.crl(other)]), Rule::NotRevoked, LEAF);
    }
    // A point that is about some reasons only.
    let partial = pointed(&root, &[[full_name(&uri(POINT_A)), vec![0x81, 2, 5, 0x60]].concat()]);
    let whole = root.crl(CrlSpec::new(1).scope(&full_name(&uri(POINT_A))));
    unknown(&root, &partial.chain, [whole], Unknown::SomeReasons);
}

/// A CA, a leaf that says that a CRL issuer outside of its path has its status, and that issuer.
fn indirect() -> (Ca, Ca, Issued) {
    let root = root();
    let mut spec = CaSpec::new("CRL Issuer", P256).not_a_ca();
    spec.key_usage = None;
    let spec = spec.extension(DISTRIBUTION_POINTS, false, &points(&[full_name(&uri(POINT_B))]));
    let issuer = root.intermediate_with(spec.extension("2.5.29.15", true, &[0x03, 0x02, 0x01, 0x02]));
    let point = [full_name(&uri(POINT_A)), tlv(0xa2, &[&directory("CN=CRL Issuer")])].concat();
    let issued = pointed(&root, &[point]);
    (root, issuer, issued)
}

/// A CRL of the root that covers the CRL issuer and not the leaf.
fn elsewhere() -> CrlSpec {
    CrlSpec::new(1).scope(&full_name(&uri(POINT_B)))
}

fn indirect_scope() -> Vec<u8> {
    [full_name(&uri(POINT_A)), vec![0x84, 1, 0xff]].concat()
}

/// What the CRL issuer says, with its certificate in the store, and what the root says about the CRL issuer.
fn by_issuer(root: &Ca, issuer: &Ca, spec: CrlSpec, of_root: CrlSpec) -> CrlStore {
    let mut store = store([issuer.crl(spec), root.crl(of_root)]);
    store.add_issuer(issuer.certificate()).expect("a certificate");
    store
}

#[test]
fn an_indirect_crl_is_by_an_issuer_that_the_certificate_names() {
    let (root, issuer, issued) = indirect();
    let judge = |spec, of_root| {
        verify(&root, &issued.chain, Revocation::hard_fail(by_issuer(&root, &issuer, spec, of_root)))
    };
    let base = || CrlSpec::new(1).scope(&indirect_scope());
    let of_issuer = || CrlSpec::new(1).scope(&[0x82, 1, 0xff]);
    let serial = serial(issued.certificate());
    // Nobody says anything of the CRL issuer's own status.
    refused(judge(base(), of_issuer()), Rule::StatusKnown, LEAF);
    accepted(judge(base(), elsewhere()));
    // Entries are of the CRL's issuer until one says otherwise, and then of that one.
    let other = directory("CN=Somebody");
    let ours = directory("CN=Root");
    accepted(judge(base().revoke(serial), elsewhere()));
    accepted(judge(base().revoke_of(serial, &other), elsewhere()));
    refused(judge(base().revoke_of(serial, &ours), elsewhere()), Rule::NotRevoked, LEAF);
    refused(judge(base().revoke_of(&[7], &ours).revoke(serial), elsewhere()), Rule::NotRevoked, LEAF);
    accepted(judge(base().revoke_of(&[7], &ours).revoke_of(serial, &other), elsewhere()));
}

#[test]
fn an_indirect_crl_says_so_and_its_issuer_must_be_good() {
    let (root, issuer, issued) = indirect();
    let scope_only = || CrlSpec::new(1).scope(&full_name(&uri(POINT_A)));
    let base = || CrlSpec::new(1).scope(&indirect_scope());
    let judge = |store| verify(&root, &issued.chain, Revocation::hard_fail(store).leaf_only());
    accepted(judge(by_issuer(&root, &issuer, base(), elsewhere())));
    // Not marked as indirect: it speaks for its issuer alone. The root's own CRL is then all there is.
    let mut without_root = store([issuer.crl(scope_only())]);
    without_root.add_issuer(issuer.certificate()).expect("a certificate");
    refused(judge(without_root), Rule::StatusKnown, LEAF);
    // The CRL issuer is revoked itself.
    let revoked = elsewhere().revoke(serial(issuer.certificate()));
    let store_revoked = by_issuer(&root, &issuer, base(), revoked);
    refused(judge(store_revoked), Rule::StatusKnown, LEAF);
    // Without its certificate nobody knows whose key signed.
    refused(judge(store([issuer.crl(base())])), Rule::StatusKnown, LEAF);
}

#[test]
fn entries_of_other_issuers_make_no_sense_in_a_direct_crl() {
    let root = root();
    refuses(root.crl(CrlSpec::new(1).revoke_of(&[7], &directory("CN=Root"))), Rule::CrlForm);
}

/// The path of a CRL's issuer ends at the same anchor as the certificate's, whoever else is trusted.
#[test]
fn an_issuer_of_crls_leads_to_the_same_anchor() {
    let (root, _, issued) = indirect();
    let other = Ca::new("Other", P256);
    let mut spec = CaSpec::new("CRL Issuer", P256).not_a_ca();
    spec.key_usage = None;
    let issuer = other.intermediate_with(spec);
    let crls = [issuer.crl(CrlSpec::new(1).scope(&indirect_scope())), other.crl(CrlSpec::new(1))];
    let mut crls = store(crls);
    crls.add_issuer(issuer.certificate()).expect("a certificate");
    let roots = common::trusting_all([root.certificate(), other.certificate()]);
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier = Verifier::new(roots, Purpose::ServerAuth).with_revocation(Revocation::hard_fail(crls));
    let report =
        refused(verifier.verify_server(&issued.chain, &name, UnixTime::now()), Rule::StatusKnown, LEAF);
    assert!(report.to_string().contains(&Unknown::UntrustedCrl.to_string()), "{report}");
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

#[test]
fn the_fingerprint_covers_the_crls_and_the_mode() {
    let root = root();
    let crl = root.crl(CrlSpec::new(1));
    let verifier = |revocation| {
        Verifier::new(trusting(&root), Purpose::ServerAuth).with_revocation(revocation).fingerprint()
    };
    let one = || store([crl.clone()]);
    let two = store([crl.clone(), root.crl(CrlSpec::new(2))]);
    let mut with_issuer = one();
    with_issuer.add_issuer(root.certificate()).expect("a certificate");
    let all = [
        verifier(Revocation::off()),
        verifier(Revocation::soft_fail(one())),
        verifier(Revocation::hard_fail(one())),
        verifier(Revocation::hard_fail(one()).leaf_only()),
        verifier(Revocation::hard_fail(two)),
        verifier(Revocation::hard_fail(with_issuer)),
    ];
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one), "{place}");
    }
    assert_eq!(all[2], verifier(Revocation::hard_fail(one())));
}

#[test]
fn stores_take_pem_and_keep_each_crl_once() {
    let root = root();
    let crl = root.crl(CrlSpec::new(1));
    let pem = oxtls_test_pki::pem("X509 CRL", &crl);
    let mut store = CrlStore::empty();
    assert_eq!(store.add_pem_slice(pem.repeat(2).as_bytes()).expect("two sections"), 2);
    assert_eq!(store.len(), 1);
    assert!(store.add_pem_slice(root.certificate_pem().as_bytes()).is_err());
    assert!(store.add_pem_slice(oxtls_test_pki::pem("X509 CRL", &crl[1..]).as_bytes()).is_err());
    assert_eq!(store.iter().next().expect("one").issuer().to_string(), "CN=Root");
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

/// Nor can a peer keep the certificates of CRL issuers that the store has from being found.
#[test]
fn what_a_peer_sends_along_hides_no_issuer_of_crls() {
    let (root, issuer, issued) = indirect();
    let bad = serial(issued.certificate());
    let revoking = CrlSpec::new(1).scope(&indirect_scope()).revoke_of(bad, &directory("CN=Root"));
    let crls = by_issuer(&root, &issuer, revoking, elsewhere());
    let stranger = Ca::new("Stranger", P256);
    let mut chain = issued.chain.clone();
    chain.extend((0u8..120).map(|place| {
        let spec = LeafSpec::bare().subject("CN=CRL Issuer").key_usage(None).serial(&[1, place]);
        stranger.issue(spec).certificate().clone()
    }));
    refused(verify(&root, &chain, Revocation::soft_fail(crls)), Rule::NotRevoked, LEAF);
}

/// The anchor's own status is nobody's to say.
#[test]
fn anchors_have_no_status() {
    let root = root();
    let issued = root.issue(leaf());
    let crl = root.crl(CrlSpec::new(1).revoke(serial(root.certificate())));
    accepted(hard(&root, &issued.chain, [crl]));
}

/// What a large CRL costs to load and to ask; run with `--release --nocapture` for the numbers that count.
#[test]
fn a_large_crl_is_loaded_once_and_asked_fast() {
    let count: u32 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    let root = root();
    let (good, bad) = (root.issue(leaf()), root.issue(leaf()));
    let der = root.crl(CrlSpec::new(1).revoke(serial(bad.certificate())).revoke_many(count));
    let size = der.len();
    let start = Instant::now();
    let crl = Arc::new(Crl::from_der(der).expect("a CRL"));
    let loaded = start.elapsed();
    let start = Instant::now();
    for place in 0..10_000 {
        assert!(crl.entry(&many(place * (count / 10_000))).is_some());
        assert!(crl.entry(&many(count + place)).is_none());
    }
    let asked = start.elapsed() / 20_000;
    let mut crls = CrlStore::empty();
    crls.add(Arc::clone(&crl));
    let revocation = Revocation::hard_fail(crls);
    let time = |chain: &[CertificateDer<'_>]| {
        let start = Instant::now();
        let outcome = verify(&root, chain, revocation.clone());
        (outcome, start.elapsed())
    };
    let (outcome, first) = time(&good.chain);
    accepted(outcome);
    let mut later = first;
    for _ in 0..20 {
        let (outcome, took) = time(&good.chain);
        accepted(outcome);
        later = later.min(took);
    }
    refused(time(&bad.chain).0, Rule::NotRevoked, LEAF);
    println!(
        "{count} entries, {size} octets: loaded in {loaded:?}, {} octets of index, one look-up {asked:?}, first \
         validation {first:?}, later ones {later:?}",
        crl.len() * 8
    );
    // Whoever looked at each entry would take as long for one question as for a good part of the loading. (The signature
    // is over megabytes, so that not to verify it again shows in any of twenty validations.)
    assert!(asked * 100 < loaded, "{asked:?} for one look-up, {loaded:?} to load");
    assert!(later < first, "the signature of the CRL is verified once");
}
