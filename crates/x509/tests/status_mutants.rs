//! CRLs, OCSP responses and lists of timestamps, cut off and altered: never a panic, and never a better verdict than the
//! intact one had.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use std::sync::OnceLock;

use common::{HOST, leaf, root, trusting};
use oxtls_test_pki::der::tlv;
use oxtls_test_pki::{Ca, CrlSpec, Issued, LeafSpec, OcspSpec, TestLog, name_der, sct_list, serial};
use oxtls_x509::{
    Crl, CrlStore, Log, LogList, Purpose, Revocation, RevocationStatus, Stapled, Transparency, Verifier,
};
use pki_types::{ServerName, UnixTime};
use proptest::prelude::*;

struct Setting {
    root: Ca,
    issued: Issued,
    log: TestLog,
    crls: Vec<Vec<u8>>,
    responses: Vec<Vec<u8>>,
    list: Vec<u8>,
}

/// Made once: keys cost more than everything that is done with them.
fn setting() -> &'static Setting {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    SETTING.get_or_init(|| {
        let root = root();
        let issued = root.issue(leaf());
        let log = TestLog::new(common::P256);
        let scope = [
            tlv(0xa0, &[&tlv(0xa0, &[&tlv(0xa4, &[&name_der("CN=Root")])])]),
            vec![0x83, 2, 5, 0x60, 0x84, 1, 0xff],
        ];
        let bad = serial(issued.certificate());
        let of = tlv(0xa4, &[&name_der("CN=Root")]);
        let crls = vec![
            root.crl(CrlSpec::new(1).revoke_for(bad, 1).extension(
                "2.5.29.35",
                false,
                &[0x30, 3, 0x80, 1, 7],
            )),
            root.crl(CrlSpec::new(2).scope(&scope.concat()).revoke_of(bad, &of).revoke(&[7])),
            root.crl(CrlSpec::delta(3, 1).revoke_for(bad, 3)),
        ];
        let spec = LeafSpec::bare().subject("CN=Responder").eku(&["1.3.6.1.5.5.7.3.9"]);
        let responder = root.issue(spec.extension("1.3.6.1.5.5.7.48.1.5", false, &[5, 0]));
        let list = sct_list(&[log.stamp(issued.certificate()), log.stamp(issued.certificate())]);
        let scts = tlv(0x04, &[&list]);
        let revoked = || OcspSpec::revoked(issued.certificate(), 1);
        let responses = vec![
            root.ocsp(revoked().single_extension(oxtls_test_pki::OCSP_SCTS, false, &scts)),
            root.ocsp_by(revoked().by_key().sha256(), &responder),
            root.ocsp(OcspSpec::unknown(issued.certificate()).extension("1.2.3.4", false, &[5, 0])),
        ];
        Setting { root, issued, log, crls, responses, list }
    })
}

/// No verdict that comes of these bytes may say that the leaf is good.
fn judge(crl: Option<Vec<u8>>, stapled: Stapled<'_>) {
    let it = setting();
    let mut crls = CrlStore::empty();
    if let Some(Ok(crl)) = crl.map(Crl::from_der) {
        let _ =
            (crl.entry(&[7]), crl.number().len(), crl.this_update(), crl.next_update(), format!("{crl:?}"));
        crls.add(crl);
    }
    let name = ServerName::try_from(HOST).expect("a name");
    let verifier =
        Verifier::new(trusting(&it.root), Purpose::ServerAuth).with_revocation(Revocation::soft_fail(crls));
    if let Ok(path) = verifier.verify_server_with(&it.issued.chain, &name, stapled, UnixTime::now()) {
        assert!(matches!(path.revocation(), RevocationStatus::Unknown(..)), "{:?}", path.revocation());
    }
}

/// What is wrong with each encoding: a cut, or octets that are others, put in or left out.
fn mutated(whole: &[u8], edits: &[(usize, u8, u8)], cut: Option<usize>) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for &(place, kind, value) in edits {
        let place = place % bytes.len().max(1);
        match kind % 4 {
            _ if bytes.is_empty() => {}
            0 => bytes[place] = value,
            1 => bytes[place] ^= 1 << (value % 8),
            2 => bytes.insert(place, value),
            _ => {
                bytes.remove(place);
            }
        }
    }
    bytes.truncate(cut.map_or(usize::MAX, |cut| cut % (bytes.len() + 1)));
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(usize, u8, u8)>> {
    proptest::collection::vec((any::<usize>(), any::<u8>(), any::<u8>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn altered_crls_call_nothing_good(which in 0usize..3, edits in edits(), cut in any::<Option<usize>>()) {
        let crl = mutated(&setting().crls[which], &edits, cut);
        judge(Some(crl), Stapled::default());
    }

    #[test]
    fn altered_responses_call_nothing_good(which in 0usize..3, edits in edits(), cut in any::<Option<usize>>()) {
        let response = mutated(&setting().responses[which], &edits, cut);
        judge(None, Stapled { ocsp: Some(&response), scts: None });
    }

    #[test]
    fn altered_lists_and_octets_at_random_do_no_harm(
        edits in edits(),
        cut in any::<Option<usize>>(),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let it = setting();
        let mut logs = LogList::empty();
        logs.add(Log::from_spki(it.log.spki(), "One").expect("a log"));
        let name = ServerName::try_from(HOST).expect("a name");
        let verifier = Verifier::new(trusting(&it.root), Purpose::ServerAuth)
            .with_transparency(Transparency::require(logs, 2));
        let list = mutated(&it.list, &edits, cut);
        for scts in [&list, &noise] {
            let stapled = Stapled { ocsp: Some(&noise), scts: Some(scts) };
            let verdict = verifier.verify_server_with(&it.issued.chain, &name, stapled, UnixTime::now());
            prop_assert!(verdict.is_err(), "one log is not two");
        }
        judge(Some(noise.clone()), Stapled { ocsp: Some(&noise), scts: Some(&noise) });
    }
}

/// Every prefix of each of them.
#[test]
fn what_is_cut_off_is_malformed() {
    let it = setting();
    for crl in &it.crls {
        assert!(Crl::from_der(crl.clone()).is_ok());
        assert!((0..crl.len()).all(|end| Crl::from_der(&crl[..end]).is_err()));
    }
    for response in &it.responses {
        (0..response.len()).step_by(3).for_each(|end| {
            judge(None, Stapled { ocsp: Some(&response[..end]), scts: None });
        });
    }
}
