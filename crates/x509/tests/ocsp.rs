//! Stapled OCSP responses: RFC 6960 section 3.2, and certificates that promise one: RFC 7633.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use common::{HOST, LEAF, Outcome, P256, accepted, at, leaf, refused, root, trusting};
use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureAlgorithm};
use oxtls_test_pki::der::tlv;
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, Issued, LeafSpec, OcspSpec, respond, serial};
use oxtls_x509::{
    AllowedAlgorithms, Budget, Cause, CrlStore, Policy, Purpose, Report, Revocation, RevocationStatus, Rule,
    Stapled, Unknown, Verifier,
};
use pki_types::{CertificateDer, ServerName, UnixTime};

const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
const NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

struct Setting {
    root: Ca,
    issued: Issued,
}

fn setting() -> Setting {
    let root = root();
    let issued = root.issue(leaf());
    Setting { root, issued }
}

impl Setting {
    fn leaf(&self) -> &CertificateDer<'static> {
        self.issued.certificate()
    }

    fn verify(&self, ocsp: Option<&[u8]>, revocation: Revocation, now: UnixTime) -> Outcome {
        let name = ServerName::try_from(HOST).expect("a name");
        let verifier = Verifier::new(trusting(&self.root), Purpose::ServerAuth).with_revocation(revocation);
        verifier.verify_server_with(&self.issued.chain, &name, Stapled { ocsp, scts: None }, now)
    }

    fn hard(&self, ocsp: &[u8]) -> Outcome {
        self.verify(Some(ocsp), Revocation::hard_fail(CrlStore::empty()), UnixTime::now())
    }

    #[track_caller]
    fn good(&self, ocsp: &[u8]) {
        assert_eq!(accepted(self.hard(ocsp)).revocation(), RevocationStatus::Good);
    }

    /// Hard-fail refuses the response for this reason, soft-fail accepts the chain and says why nothing is known.
    #[track_caller]
    fn no_good(&self, ocsp: &[u8], why: Unknown) -> Box<Report> {
        let report = refused(self.hard(ocsp), Rule::StapledStatus, LEAF);
        assert!(report.to_string().contains(&why.to_string()), "{report}");
        assert_eq!(report.alert(), 113, "bad_certificate_status_response");
        let soft = self.verify(Some(ocsp), Revocation::soft_fail(CrlStore::empty()), UnixTime::now());
        assert_eq!(accepted(soft).revocation(), RevocationStatus::Unknown(LEAF, why));
        report
    }
}

fn now() -> u64 {
    UnixTime::now().as_secs()
}

fn responder(name: &str) -> LeafSpec {
    LeafSpec::bare().subject(&format!("CN={name}")).eku(&[OCSP_SIGNING])
}

fn without_check(name: &str) -> LeafSpec {
    responder(name).extension(NO_CHECK, false, &[5, 0])
}

#[test]
fn a_response_of_the_issuer_says_good_or_revoked() {
    let it = setting();
    it.good(&it.root.ocsp(OcspSpec::good(it.leaf())));
    it.good(&it.root.ocsp(OcspSpec::good(it.leaf()).sha256()));
    it.good(&it.root.ocsp(OcspSpec::good(it.leaf()).by_key()));
    let revoked = it.root.ocsp(OcspSpec::revoked(it.leaf(), 1));
    let report = refused(it.hard(&revoked), Rule::NotRevoked, LEAF);
    assert!(matches!(report.cause, Cause::Revoked { .. }));
    assert_eq!(report.alert(), 44, "certificate_revoked");
    let soft = it.verify(Some(&revoked), Revocation::soft_fail(CrlStore::empty()), UnixTime::now());
    refused(soft, Rule::NotRevoked, LEAF);
    it.no_good(&it.root.ocsp(OcspSpec::unknown(it.leaf())), Unknown::UnknownToResponder);
    let off = it.verify(Some(&revoked), Revocation::off(), UnixTime::now());
    assert_eq!(accepted(off).revocation(), RevocationStatus::NotChecked);
}

#[test]
fn without_a_response_or_a_crl_nothing_is_known() {
    let it = setting();
    let hard = it.verify(None, Revocation::hard_fail(CrlStore::empty()), UnixTime::now());
    refused(hard, Rule::StatusKnown, LEAF);
}

#[test]
fn a_response_is_about_this_certificate_of_this_issuer() {
    let it = setting();
    let sibling = it.root.issue(leaf());
    it.no_good(&it.root.ocsp(OcspSpec::good(sibling.certificate())), Unknown::OtherCertificate);
    it.no_good(&it.root.ocsp(OcspSpec::good(it.leaf()).of_other_issuer()), Unknown::OtherCertificate);
    // Another CA of the same name has another key.
    let namesake = Ca::new("Root", P256);
    it.no_good(&namesake.ocsp(OcspSpec::good(it.leaf())), Unknown::OtherCertificate);
}

#[test]
fn a_response_counts_only_between_its_times() {
    let it = setting();
    let (from, until) = (now() - 1_000, now() + 1_000);
    let spec = || OcspSpec::good(it.leaf()).produced_at(at(from)).this_update(at(from));
    let response = it.root.ocsp(spec().next_update(Some(at(until))));
    let judge = |seconds| it.verify(Some(&response), Revocation::hard_fail(CrlStore::empty()), at(seconds));
    accepted(judge(from));
    assert_eq!(accepted(judge(until)).earliest_expiry(), at(until));
    refused(judge(from - 1), Rule::StapledStatus, LEAF);
    refused(judge(until + 1), Rule::StapledStatus, LEAF);
    it.no_good(&it.root.ocsp(spec().next_update(None)), Unknown::StaleResponse);
    it.no_good(&it.root.ocsp(OcspSpec::good(it.leaf()).produced_at(at(until))), Unknown::StaleResponse);
}

#[test]
fn a_response_is_signed_by_who_may() {
    let it = setting();
    let spec = || OcspSpec::good(it.leaf());
    let mut altered = it.root.ocsp(spec());
    *altered.last_mut().expect("a signature") ^= 1;
    it.no_good(&altered, Unknown::UntrustedResponse);
    it.good(&it.root.ocsp_by(spec(), &it.root.issue(without_check("Responder"))));
    it.good(&it.root.ocsp_by(spec().by_key(), &it.root.issue(without_check("Responder"))));
    let no_good = |responder: &Issued| {
        it.no_good(&it.root.ocsp_by(spec(), responder), Unknown::UntrustedResponse);
    };
    // Without the purpose, for another purpose, by another CA, not the key that is named.
    no_good(&it.root.issue(without_check("Responder").eku(&[])));
    no_good(&it.root.issue(without_check("Responder").eku(&[oxtls_test_pki::SERVER_AUTH])));
    no_good(&it.root.issue(without_check("Responder").eku(&["2.5.29.37.0"])));
    no_good(&Ca::new("Root", P256).issue(without_check("Responder")));
    no_good(&Ca::new("Other", P256).issue(without_check("Responder")));
    // Delegation is by the issuer itself: one more step is too many.
    no_good(&it.root.intermediate("Between", P256).issue(without_check("Responder")));
    // Its time is over; a critical extension is not understood; its key may not sign.
    no_good(&it.root.issue(without_check("Responder").expired(std::time::Duration::from_secs(60))));
    no_good(&it.root.issue(without_check("Responder").extension("1.2.3.4", true, &[5, 0])));
    no_good(&it.root.issue(without_check("Responder").key_usage(Some(&[3, 2, 5, 0x20]))));
    // Its own key is not taken for the issuer's because it has the issuer's name.
    no_good(&Ca::new("Stranger", P256).issue(without_check("Root")));
}

/// The responder has a distribution point of its own, so that the CRL decides on it alone.
#[test]
fn a_responder_that_may_be_revoked_is_looked_up() {
    let it = setting();
    let name = tlv(0xa0, &[&tlv(0xa0, &[&tlv(0x86, &[b"http://crl.example/responders"])])]);
    let points = tlv(0x30, &[&tlv(0x30, &[&name])]);
    let checked = it.root.issue(responder("Responder").extension("2.5.29.31", false, &points));
    let response = it.root.ocsp_by(OcspSpec::good(it.leaf()), &checked);
    it.no_good(&response, Unknown::UntrustedResponse);
    let with = |ocsp: &[u8], spec: CrlSpec| {
        let mut crls = CrlStore::empty();
        crls.add_der(it.root.crl(spec.scope(&name))).expect("a CRL");
        it.verify(Some(ocsp), Revocation::hard_fail(crls), UnixTime::now())
    };
    accepted(with(&response, CrlSpec::new(1)));
    let revoking = CrlSpec::new(1).revoke(serial(checked.certificate()));
    refused(with(&response, revoking.clone()), Rule::StapledStatus, LEAF);
    // Where nothing is known of the responder, its bad news are believed; where it is revoked, not even those.
    let bad = it.root.ocsp_by(OcspSpec::revoked(it.leaf(), 1), &checked);
    let soft = it.verify(Some(&bad), Revocation::soft_fail(CrlStore::empty()), UnixTime::now());
    refused(soft, Rule::NotRevoked, LEAF);
    refused(with(&bad, revoking), Rule::StapledStatus, LEAF);
}

#[test]
fn whoever_says_revoked_is_believed() {
    let it = setting();
    let mut clean = CrlStore::empty();
    clean.add_der(it.root.crl(CrlSpec::new(1))).expect("a CRL");
    let mut listed = CrlStore::empty();
    listed.add_der(it.root.crl(CrlSpec::new(1).revoke(serial(it.leaf())))).expect("a CRL");
    let (good, bad) =
        (it.root.ocsp(OcspSpec::good(it.leaf())), it.root.ocsp(OcspSpec::revoked(it.leaf(), 0)));
    let judge = |ocsp: &[u8], crls: &CrlStore| {
        it.verify(Some(ocsp), Revocation::hard_fail(crls.clone()), UnixTime::now())
    };
    accepted(judge(&good, &clean));
    refused(judge(&good, &listed), Rule::NotRevoked, LEAF);
    refused(judge(&bad, &clean), Rule::NotRevoked, LEAF);
    // A CRL makes up for a response that is no good.
    accepted(judge(b"", &clean));
}

#[test]
fn errors_of_the_responder_are_no_status() {
    let it = setting();
    it.no_good(&[0x30, 3, 0x0a, 1, 3], Unknown::ResponderError(3));
    it.no_good(&[0x30, 3, 0x0a, 1, 6], Unknown::ResponderError(6));
}

#[test]
fn malformed_responses_are_no_status() {
    let it = setting();
    let malformed = |ocsp: &[u8]| {
        let report = refused(it.hard(ocsp), Rule::StapledStatus, LEAF);
        assert!(report.to_string().contains("is malformed"), "{report}");
    };
    malformed(b"");
    malformed(&[0x30, 3, 0x0a, 1, 0]);
    malformed(&it.root.ocsp(OcspSpec::good(it.leaf()).extension("1.2.3.4", true, &[5, 0])));
    malformed(&it.root.ocsp(OcspSpec::good(it.leaf()).single_extension("1.2.3.4", true, &[5, 0])));
    it.good(&it.root.ocsp(OcspSpec::good(it.leaf()).extension("1.2.3.4", false, &[5, 0])));
    it.good(&it.root.ocsp(OcspSpec::good(it.leaf()).single_extension("1.2.3.4", false, &[5, 0])));
    malformed(&[it.root.ocsp(OcspSpec::good(it.leaf())), vec![0]].concat());
    // Far more answers than a response for stapling has.
    let single = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[&[6, 1, 1]]), &[4, 0, 4, 0, 2, 1, 1]]), &[0x80, 0]]);
    let data = tlv(0x30, &[&tlv(0xa2, &[&[4, 0]]), &single.repeat(9_000)]);
    malformed(&respond(&data, it.root.key(), &[]));
}

fn must_staple(features: &[u8]) -> Setting {
    let root = root();
    let issued = root.issue(leaf().extension(TLS_FEATURE, false, features));
    Setting { root, issued }
}

#[test]
fn a_certificate_that_promises_a_response_must_come_with_a_good_one() {
    let it = must_staple(&[0x30, 3, 2, 1, 5]);
    let mut crls = CrlStore::empty();
    crls.add_der(it.root.crl(CrlSpec::new(1))).expect("a CRL");
    for revocation in [Revocation::hard_fail(crls.clone()), Revocation::soft_fail(crls)] {
        let judge = |ocsp: Option<&[u8]>| it.verify(ocsp, revocation.clone(), UnixTime::now());
        let report = refused(judge(None), Rule::MustStaple, LEAF);
        assert_eq!(report.alert(), 113, "bad_certificate_status_response");
        refused(judge(Some(b"")), Rule::MustStaple, LEAF);
        refused(judge(Some(&it.root.ocsp(OcspSpec::unknown(it.leaf())))), Rule::MustStaple, LEAF);
        refused(judge(Some(&it.root.ocsp(OcspSpec::revoked(it.leaf(), 0)))), Rule::NotRevoked, LEAF);
        accepted(judge(Some(&it.root.ocsp(OcspSpec::good(it.leaf())))));
    }
    accepted(it.verify(None, Revocation::off(), UnixTime::now()));
    // Another feature promises nothing of the kind.
    let other = must_staple(&[0x30, 3, 2, 1, 17]);
    accepted(other.verify(None, Revocation::soft_fail(CrlStore::empty()), UnixTime::now()));
    let several = must_staple(&[0x30, 6, 2, 1, 17, 2, 1, 5]);
    let soft = several.verify(None, Revocation::soft_fail(CrlStore::empty()), UnixTime::now());
    refused(soft, Rule::MustStaple, LEAF);
}

/// RFC 7633 is about what servers answer: clients of TLS 1.2 could not keep the promise.
#[test]
fn a_clients_certificate_promises_nothing() {
    let root = root();
    let spec = LeafSpec::client("client").extension(TLS_FEATURE, false, &[0x30, 3, 2, 1, 5]);
    let issued = root.issue(spec);
    let revocation = Revocation::soft_fail(CrlStore::empty());
    let verifier = Verifier::new(trusting(&root), Purpose::ClientAuth).with_revocation(revocation);
    accepted(verifier.verify_client(&issued.chain, UnixTime::now()));
    let bad = root.ocsp(OcspSpec::revoked(issued.certificate(), 1));
    let stapled = Stapled { ocsp: Some(&bad), scts: None };
    refused(verifier.verify_client_with(&issued.chain, stapled, UnixTime::now()), Rule::NotRevoked, LEAF);
}

#[test]
fn responses_come_with_every_kind_of_key() {
    for key in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP384, KeyAlgorithm::MlDsa65] {
        let root = Ca::with(CaSpec::new("Root", key));
        let issued = root.issue(leaf());
        let it = Setting { root, issued };
        it.good(&it.root.ocsp(OcspSpec::good(it.leaf())));
        it.good(&it.root.ocsp_by(OcspSpec::good(it.leaf()), &it.root.issue(without_check("R").key(key))));
    }
}

/// What is said of a path must not be easier to forge than the path.
#[test]
fn responses_are_held_to_the_algorithms_that_a_policy_allows() {
    let root = Ca::with(CaSpec::new("Root", KeyAlgorithm::EcdsaP384));
    let issued = root.issue(leaf().key(KeyAlgorithm::EcdsaP384));
    let allowed = AllowedAlgorithms {
        signatures: vec![SignatureAlgorithm::Ecdsa(Hash::Sha256), SignatureAlgorithm::Ecdsa(Hash::Sha384)],
        keys: vec![KeyAlgorithm::EcdsaP384],
        min_rsa_bits: 0,
    };
    let policies = [Policy::default(), Policy::default().with_allowed_algorithms(allowed)];
    let by = |key| {
        let responder = root.issue(without_check("Responder").key(key));
        root.ocsp_by(OcspSpec::good(issued.certificate()), &responder)
    };
    let own = root.ocsp(OcspSpec::good(issued.certificate()));
    for (ocsp, outcomes) in
        [(own, [true, true]), (by(KeyAlgorithm::EcdsaP384), [true, true]), (by(P256), [true, false])]
    {
        for (policy, good) in policies.iter().zip(outcomes) {
            let name = ServerName::try_from(HOST).expect("a name");
            let verifier = Verifier::new(trusting(&root), Purpose::ServerAuth).with_policy(policy.clone());
            let verifier = verifier.with_revocation(Revocation::hard_fail(CrlStore::empty()));
            let stapled = Stapled { ocsp: Some(&ocsp), scts: None };
            let outcome = verifier.verify_server_with(&issued.chain, &name, stapled, UnixTime::now());
            assert_eq!(outcome.is_ok(), good);
        }
    }
}

#[test]
fn signatures_of_responses_are_drawn_from_the_budget_of_the_path() {
    let it = setting();
    let delegated = it.root.ocsp_by(OcspSpec::good(it.leaf()), &it.root.issue(without_check("Responder")));
    let name = ServerName::try_from(HOST).expect("a name");
    // One for the leaf, one for the responder's certificate, one for the response.
    for (signatures, fine) in [(2, false), (3, true)] {
        let policy = Policy::default().with_budget(Budget { signatures, ..Budget::default() });
        let verifier = Verifier::new(trusting(&it.root), Purpose::ServerAuth)
            .with_policy(policy)
            .with_revocation(Revocation::hard_fail(CrlStore::empty()));
        let stapled = Stapled { ocsp: Some(&delegated), scts: None };
        let outcome = verifier.verify_server_with(&it.issued.chain, &name, stapled, UnixTime::now());
        if fine {
            accepted(outcome);
        } else {
            assert_eq!(outcome.expect_err("too much work").rule, Rule::WorkBudget);
        }
    }
}
