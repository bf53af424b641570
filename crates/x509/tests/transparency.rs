//! Signed certificate timestamps: RFC 6962.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use common::{HOST, LEAF, Outcome, P256, accepted, at, leaf, refused, root, trusting};
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::der::tlv;
use oxtls_test_pki::{Ca, EMBEDDED_SCTS, Issued, OCSP_SCTS, OcspSpec, TestLog, sct_list, tbs};
use oxtls_x509::{
    Budget, Cause, Log, LogError, LogList, Policy, Purpose, Rule, Stapled, Transparency, Verifier,
};
use pki_types::{CertificateDer, ServerName, UnixTime};

struct Setting {
    root: Ca,
    issued: Issued,
    one: TestLog,
    two: TestLog,
}

fn setting() -> Setting {
    let root = root();
    let issued = root.issue(leaf());
    Setting { root, issued, one: TestLog::new(P256), two: TestLog::new(KeyAlgorithm::EcdsaP256) }
}

impl Setting {
    fn leaf(&self) -> &CertificateDer<'static> {
        self.issued.certificate()
    }

    /// Both logs, by these operators.
    fn logs(&self, operators: [&str; 2]) -> LogList {
        let mut logs = LogList::empty();
        for (log, operator) in [&self.one, &self.two].into_iter().zip(operators) {
            logs.add(Log::from_spki(log.spki(), operator).expect("a log"));
        }
        logs
    }

    fn rule(&self, timestamps: usize) -> Transparency {
        Transparency::require(self.logs(["One", "Two"]), timestamps)
    }

    fn verify(&self, chain: &[CertificateDer<'_>], stapled: Stapled<'_>, rule: Transparency) -> Outcome {
        let name = ServerName::try_from(HOST).expect("a name");
        let verifier = Verifier::new(trusting(&self.root), Purpose::ServerAuth).with_transparency(rule);
        verifier.verify_server_with(chain, &name, stapled, UnixTime::now())
    }

    /// With a list in the TLS extension.
    fn with_list(&self, list: &[u8], rule: Transparency) -> Outcome {
        self.verify(&self.issued.chain, Stapled { ocsp: None, scts: Some(list) }, rule)
    }
}

fn now() -> u64 {
    UnixTime::now().as_secs()
}

#[test]
fn timestamps_are_asked_for_only_where_the_rule_is_set() {
    let it = setting();
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier = Verifier::new(trusting(&it.root), Purpose::ServerAuth);
    accepted(verifier.verify_server(&it.issued.chain, &name, UnixTime::now()));
    let report =
        refused(it.verify(&it.issued.chain, Stapled::default(), it.rule(1)), Rule::Transparency, LEAF);
    assert!(matches!(report.cause, Cause::NotLogged { .. }));
    assert_eq!(report.alert(), 46, "certificate_unknown");
}

#[test]
fn timestamps_come_beside_the_certificate() {
    let it = setting();
    let (one, two) = (it.one.stamp(it.leaf()), it.two.stamp(it.leaf()));
    accepted(it.with_list(&sct_list(std::slice::from_ref(&one)), it.rule(1)));
    refused(it.with_list(&sct_list(std::slice::from_ref(&one)), it.rule(2)), Rule::Transparency, LEAF);
    accepted(it.with_list(&sct_list(&[one.clone(), two]), it.rule(2)));
    refused(it.with_list(&sct_list(&[one.clone(), one.clone()]), it.rule(2)), Rule::Transparency, LEAF);
    // A second one of the same log, later: still one log.
    let later = it.one.stamp_at(it.leaf(), now() - 5);
    refused(it.with_list(&sct_list(&[one, later]), it.rule(2)), Rule::Transparency, LEAF);
}

#[test]
fn timestamps_come_in_the_certificate() {
    let it = setting();
    let stamps = [&it.one, &it.two].map(|log| log.stamp_precertificate(tbs(it.leaf()), &it.root));
    let embedded = it.root.embed(it.leaf(), &sct_list(&stamps));
    accepted(it.verify(&[embedded], Stapled::default(), it.rule(2)));
    // Those of a certificate as it is are no good inside one, nor those of a precertificate beside one.
    let whole = it.root.embed(it.leaf(), &sct_list(&[it.one.stamp(it.leaf())]));
    refused(it.verify(&[whole], Stapled::default(), it.rule(1)), Rule::Transparency, LEAF);
    refused(it.with_list(&sct_list(&stamps), it.rule(1)), Rule::Transparency, LEAF);
    // Of another issuer's key.
    let other = it.one.stamp_precertificate(tbs(it.leaf()), &Ca::new("Root", P256));
    let foreign = it.root.embed(it.leaf(), &sct_list(&[other]));
    refused(it.verify(&[foreign], Stapled::default(), it.rule(1)), Rule::Transparency, LEAF);
}

/// Extensions of more than 127 and of more than 255 octets change how long the lengths around them are.
#[test]
fn a_precertificate_is_rebuilt_whatever_the_lengths() {
    for size in [0, 40, 80, 120, 160, 200, 300, 1_000, 70_000] {
        let root = root();
        let issued = root.issue(leaf().extension("1.2.3.4", false, &tlv(0x04, &[&vec![7; size]])));
        let it = Setting { root, issued, one: TestLog::new(P256), two: TestLog::new(P256) };
        let stamps = [it.one.stamp_precertificate(tbs(it.leaf()), &it.root)];
        let embedded = it.root.embed(it.leaf(), &sct_list(&stamps));
        accepted(it.verify(&[embedded], Stapled::default(), it.rule(1)));
    }
}

#[test]
fn timestamps_come_in_an_ocsp_response() {
    let it = setting();
    let list = sct_list(&[it.two.stamp(it.leaf())]);
    let response = |certificate: &CertificateDer<'_>| {
        it.root.ocsp(OcspSpec::good(certificate).single_extension(OCSP_SCTS, false, &tlv(0x04, &[&list])))
    };
    let stapled = response(it.leaf());
    let judge = |ocsp: &[u8], scts: Option<&[u8]>, rule| {
        it.verify(&it.issued.chain, Stapled { ocsp: Some(ocsp), scts }, rule)
    };
    accepted(judge(&stapled, None, it.rule(1)));
    accepted(judge(&stapled, Some(&sct_list(&[it.one.stamp(it.leaf())])), it.rule(2)));
    let of_another = response(it.root.issue(leaf()).certificate());
    refused(judge(&of_another, None, it.rule(1)), Rule::Transparency, LEAF);
}

#[test]
fn only_what_the_log_signed_counts() {
    let it = setting();
    let good = it.one.stamp(it.leaf());
    let no_good = |stamp: Vec<u8>| {
        refused(it.with_list(&sct_list(&[stamp]), it.rule(1)), Rule::Transparency, LEAF);
    };
    // Version, log, timestamp, length of the extensions, hash, algorithm, signature: each must be what it was.
    for place in [0, 1, 33, 40, 42, 43, 44, good.len() - 1] {
        let mut altered = good.clone();
        altered[place] ^= 1;
        no_good(altered);
    }
    no_good(good[..good.len() - 1].to_vec());
    no_good([good.clone(), vec![0]].concat());
    no_good(it.one.stamp(it.root.issue(leaf()).certificate()));
    no_good(TestLog::new(P256).stamp(it.leaf()));
    no_good(it.one.stamp_at(it.leaf(), now() + 3_600));
    // One that is no good does not spoil those that are.
    let mut future_version = good.clone();
    future_version[0] = 1;
    accepted(it.with_list(&sct_list(&[future_version, b"?".to_vec(), good]), it.rule(1)));
}

#[test]
fn logs_have_operators_and_an_end() {
    let it = setting();
    let list = sct_list(&[it.one.stamp(it.leaf()), it.two.stamp(it.leaf())]);
    let rule = |operators| Transparency::require(it.logs(operators), 2).operators(2);
    accepted(it.with_list(&list, rule(["One", "Two"])));
    refused(it.with_list(&list, rule(["One", "One"])), Rule::Transparency, LEAF);
    accepted(it.with_list(&list, Transparency::require(it.logs(["One", "One"]), 2)));
    let one = |edit: fn(Log, UnixTime) -> Log| {
        let mut logs = LogList::empty();
        logs.add(edit(Log::from_spki(it.one.spki(), "One").expect("a log"), UnixTime::now()));
        Transparency::require(logs, 1)
    };
    accepted(it.with_list(&list, one(|log, now| log.retired(at(now.as_secs() + 60)))));
    refused(
        it.with_list(&list, one(|log, now| log.retired(at(now.as_secs() - 60)))),
        Rule::Transparency,
        LEAF,
    );
    // The leaf expires in 90 days.
    const DAY: u64 = 86_400;
    let year = |log: Log, now: UnixTime| log.expiring(now, at(now.as_secs() + 365 * DAY));
    accepted(it.with_list(&list, one(year)));
    let month = |log: Log, now: UnixTime| log.expiring(now, at(now.as_secs() + 30 * DAY));
    refused(it.with_list(&list, one(month)), Rule::Transparency, LEAF);
}

#[test]
fn logs_have_keys_that_logs_may_have() {
    let unsupported = [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa44];
    for key in unsupported {
        let log = Log::from_spki(TestLog::new(key).spki(), "Odd");
        assert_eq!(log.expect_err("refused"), LogError::UnsupportedKey);
    }
    assert_eq!(Log::from_spki(b"?", "None").expect_err("refused"), LogError::MalformedKey);
}

#[test]
fn the_fingerprint_covers_the_logs_and_the_numbers() {
    let it = setting();
    let print =
        |rule| Verifier::new(trusting(&it.root), Purpose::ServerAuth).with_transparency(rule).fingerprint();
    let without = Verifier::new(trusting(&it.root), Purpose::ServerAuth).fingerprint();
    let mut retired = it.logs(["One", "Two"]);
    retired.add(Log::from_spki(it.one.spki(), "One").expect("a log").retired(UnixTime::now()));
    let all = [
        without,
        print(it.rule(1)),
        print(it.rule(2)),
        print(it.rule(2).operators(2)),
        print(Transparency::require(it.logs(["One", "One"]), 1)),
        print(Transparency::require(retired, 1)),
        print(Transparency::require(LogList::empty(), 1)),
    ];
    for (place, one) in all.iter().enumerate() {
        assert!(!all[..place].contains(one), "{place}");
    }
    assert_eq!(all[1], print(it.rule(1)));
}

#[test]
fn the_work_is_bounded() {
    let it = setting();
    let good = it.one.stamp(it.leaf());
    // Each names the log and is signed by nobody: a signature to verify for each.
    let mut bad = good.clone();
    *bad.last_mut().expect("a signature") ^= 1;
    let mut many = vec![bad; 17];
    many.push(good.clone());
    refused(it.with_list(&sct_list(&many), it.rule(1)), Rule::Transparency, LEAF);
    many.drain(..2);
    accepted(it.with_list(&sct_list(&many), it.rule(1)));
    refused(it.with_list(&sct_list(&vec![good.clone(); 200]), it.rule(1)), Rule::Transparency, LEAF);
    let name = ServerName::try_from(HOST).expect("a name");
    let policy = Policy::default().with_budget(Budget { signatures: 1, ..Budget::default() });
    let verifier = Verifier::new(trusting(&it.root), Purpose::ServerAuth).with_policy(policy);
    let list = sct_list(&[good]);
    let stapled = Stapled { ocsp: None, scts: Some(&list) };
    let outcome = verifier.with_transparency(it.rule(1)).verify_server_with(
        &it.issued.chain,
        &name,
        stapled,
        UnixTime::now(),
    );
    assert_eq!(outcome.expect_err("too much work").rule, Rule::WorkBudget);
}

#[test]
fn lists_that_cannot_be_read_have_no_timestamps() {
    let it = setting();
    let list = sct_list(&[it.one.stamp(it.leaf())]);
    for broken in [&b""[..], &[0], &[0, 0], &list[..list.len() - 1], &[list.as_slice(), &[0]].concat()] {
        refused(it.with_list(broken, it.rule(1)), Rule::Transparency, LEAF);
    }
    let bare = it.root.issue(leaf().extension(EMBEDDED_SCTS, false, &list));
    refused(it.verify(&bare.chain, Stapled::default(), it.rule(1)), Rule::Transparency, LEAF);
}
