//! A stapled OCSP response, whole or as an unsigned part that is then signed: read and judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxtls_crypto::signature::SigningKey;
use oxtls_fuzz::{Judged, key};
use oxtls_test_pki::{der, respond};
use oxtls_x509::{CrlStore, Revocation, RevocationStatus, Stapled, Unknown};

fuzz_target!(|input: &[u8]| {
    thread_local!(static JUDGED: (Judged, SigningKey) = (Judged::new(), key()));
    let Some((&kind, rest)) = input.split_first() else { return };
    JUDGED.with(|(judged, key)| {
        let response = if kind & 1 == 0 { rest.to_vec() } else { unsigned(rest) };
        let status = judged.judge(soft(), Stapled { ocsp: Some(&response), scts: None });
        // What ends before any signature is looked at would end so with a good one, and most mutants do.
        let ends_at_signature =
            matches!(status, Some(RevocationStatus::Unknown(_, Unknown::UntrustedResponse)));
        if kind & 1 == 0 || !ends_at_signature {
            judged.judge(hard(), Stapled { ocsp: Some(&response), scts: None });
            return;
        }
        let response = respond(rest, key, &[]);
        for revocation in [soft(), hard()] {
            judged.judge(revocation, Stapled { ocsp: Some(&response), scts: None });
        }
    });
});

fn soft() -> Revocation {
    Revocation::soft_fail(CrlStore::empty())
}

fn hard() -> Revocation {
    Revocation::hard_fail(CrlStore::empty())
}

/// A response around a ResponseData, its signature empty.
fn unsigned(data: &[u8]) -> Vec<u8> {
    let algorithm = der::tlv(0x30, &[&der::oid("1.2.840.10045.4.3.2")]);
    let basic = der::tlv(0x30, &[data, &algorithm, &der::tlv(3, &[&[0]])]);
    let bytes = der::tlv(0x30, &[&der::oid("1.3.6.1.5.5.7.48.1.1"), &der::tlv(4, &[&basic])]);
    der::tlv(0x30, &[&[0x0a, 1, 0], &der::tlv(0xa0, &[&bytes])])
}
