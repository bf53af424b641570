//! A CRL, whole or as an unsigned part that is then signed: read, looked into, and consulted for a chain.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxtls_fuzz::Judged;
use oxtls_x509::{Crl, CrlStore, Revocation, Stapled};

fuzz_target!(|input: &[u8]| {
    thread_local!(static JUDGED: Judged = Judged::new());
    let Some((&kind, rest)) = input.split_first() else { return };
    JUDGED.with(|judged| {
        let der = if kind & 1 == 0 { rest.to_vec() } else { judged.root.sign_list(rest) };
        let crl = match Crl::from_der(der.clone()) {
            Ok(crl) => crl,
            Err(error) => {
                assert!(usize::try_from(error.offset).is_ok_and(|offset| offset <= der.len()), "{error}");
                return;
            }
        };
        assert!(crl.len() <= der.len() && crl.number().len() <= 20);
        let _ = (format!("{crl:?} {}", crl.issuer()), crl.is_delta(), crl.is_indirect());
        let _ = (crl.this_update(), crl.next_update(), crl.entry(&[5]), crl.entry(&[]));
        let mut crls = CrlStore::empty();
        crls.add(crl);
        for revocation in [Revocation::soft_fail(crls.clone()), Revocation::hard_fail(crls)] {
            judged.judge(revocation, Stapled::default());
        }
    });
});
