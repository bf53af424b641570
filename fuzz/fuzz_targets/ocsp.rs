//! A stapled OCSP response, whole or as an unsigned part that is then signed: read and judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxtls_fuzz::{Judged, key};
use oxtls_test_pki::respond;
use oxtls_x509::{CrlStore, Revocation, Stapled};

fuzz_target!(|input: &[u8]| {
    thread_local!(static JUDGED: Judged = Judged::new());
    let Some((&kind, rest)) = input.split_first() else { return };
    JUDGED.with(|judged| {
        let der = if kind & 1 == 0 { rest.to_vec() } else { respond(rest, &key(), &[]) };
        let stapled = Stapled { ocsp: Some(&der), scts: None };
        for revocation in [Revocation::soft_fail(CrlStore::empty()), Revocation::hard_fail(CrlStore::empty())] {
            judged.judge(revocation, stapled);
        }
    });
});
