//! Our HMAC, HKDF and PRF against the crypto library's own, across the sizes at which ours change their ways: keys
//! longer than a block, messages longer than the stack buffer, outputs of several blocks.
#![allow(clippy::unwrap_used, reason = "a test may be blunt")]

use aws_lc_rs::{hkdf as library_hkdf, hmac as library_hmac};
use oxtls_crypto::hkdf::{expand, expand_label, extract};
use oxtls_crypto::hmac::{hmac, verify};
use oxtls_crypto::prf::prf;
use oxtls_crypto::{Hash, Secret};
use proptest::prelude::*;

const ALL: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

fn library_hmac_of(hash: Hash, key: &[u8], message: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha256 => library_hmac::HMAC_SHA256,
        Hash::Sha384 => library_hmac::HMAC_SHA384,
        Hash::Sha512 => library_hmac::HMAC_SHA512,
    };
    library_hmac::sign(&library_hmac::Key::new(algorithm, key), message).as_ref().to_vec()
}

/// The library's HKDF-Expand.
fn library_expand(hash: Hash, prk: &[u8], info: &[&[u8]], len: usize) -> Vec<u8> {
    struct Len(usize);
    impl library_hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    let algorithm = match hash {
        Hash::Sha256 => library_hkdf::HKDF_SHA256,
        Hash::Sha384 => library_hkdf::HKDF_SHA384,
        Hash::Sha512 => library_hkdf::HKDF_SHA512,
    };
    let prk = library_hkdf::Prk::new_less_safe(algorithm, prk);
    let mut out = vec![0; len];
    prk.expand(info, Len(len)).unwrap().fill(&mut out).unwrap();
    out
}

/// P_hash written down as RFC 5246 section 5 defines it, over the library's HMAC.
fn p_hash(hash: Hash, secret: &[u8], seed: &[u8], len: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut a = seed.to_vec();
    while out.len() < len {
        a = library_hmac_of(hash, secret, &a);
        out.extend(library_hmac_of(hash, secret, &[a.as_slice(), seed].concat()));
    }
    out.truncate(len);
    out
}

fn any_hash() -> impl Strategy<Value = Hash> {
    prop::sample::select(ALL.to_vec())
}

fn any_bytes(len: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), len)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hmac_agrees_with_the_library(
        hash in any_hash(),
        key in any_bytes(0..300),
        parts in prop::collection::vec(any_bytes(0..200), 0..5),
    ) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let expected = library_hmac_of(hash, &key, &parts.concat());
        let made = hmac(hash, &key, &parts);
        prop_assert_eq!(made.as_bytes(), expected.as_slice());
        prop_assert_eq!(verify(hash, &key, &parts, &expected), Ok(()));
    }

    #[test]
    fn hkdf_agrees_with_the_library(
        hash in any_hash(),
        salt in any_bytes(0..200),
        ikm in any_bytes(0..400),
        info in prop::collection::vec(any_bytes(0..150), 0..4),
        len in 1usize..600,
    ) {
        let prk = extract(hash, &salt, &ikm);
        let library_prk = library_hmac_of(hash, &salt, &ikm);
        prop_assert_eq!(prk.as_bytes(), library_prk.as_slice());
        let info: Vec<&[u8]> = info.iter().map(Vec::as_slice).collect();
        let mut out = vec![0; len];
        expand(hash, &prk, &info, &mut out).unwrap();
        prop_assert_eq!(out, library_expand(hash, &library_prk, &info, len));
    }

    #[test]
    fn a_label_is_expanded_as_the_rfc_writes_it(
        hash in any_hash(),
        secret in any_bytes(32..65),
        label in "[ -~]{1,249}",
        context in any_bytes(0..256),
        len in 1usize..200,
    ) {
        let mut info = Vec::new();
        info.extend(u16::try_from(len).unwrap().to_be_bytes());
        info.push(u8::try_from(6 + label.len()).unwrap());
        info.extend(b"tls13 ");
        info.extend(label.as_bytes());
        info.push(u8::try_from(context.len()).unwrap());
        info.extend(&context);
        let mut out = vec![0; len];
        expand_label(hash, &Secret::new(&secret).unwrap(), &label, &context, &mut out).unwrap();
        prop_assert_eq!(out, library_expand(hash, &secret, &[&info], len));
    }

    #[test]
    fn prf_is_p_hash_of_label_and_seed(
        hash in any_hash(),
        secret in any_bytes(0..200),
        label in "[ -~]{0,40}",
        seed in prop::collection::vec(any_bytes(0..200), 0..4),
        len in 0usize..400,
    ) {
        let whole = [label.as_bytes(), &seed.concat()].concat();
        let seed: Vec<&[u8]> = seed.iter().map(Vec::as_slice).collect();
        let mut out = vec![0; len];
        prf(hash, &secret, &label, &seed, &mut out);
        prop_assert_eq!(out, p_hash(hash, &secret, &whole, len));
    }
}

/// Every key and message length around the places where the code branches, not just those that chance finds.
#[test]
fn hmac_agrees_with_the_library_at_every_boundary() {
    for hash in ALL {
        for key_len in
            [0, 1, hash.block_len() - 1, hash.block_len(), hash.block_len() + 1, 2 * hash.block_len()]
        {
            let key = vec![0x6b; key_len];
            for len in 0..400 {
                let message = vec![0x6d; len];
                let expected = library_hmac_of(hash, &key, &message);
                assert_eq!(hmac(hash, &key, &[&message]).as_bytes(), expected, "{hash}, {key_len}, {len}");
            }
        }
    }
}
