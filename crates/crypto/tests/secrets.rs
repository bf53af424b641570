//! What the types that hold key material promise: nothing printed, everything erased, comparisons in constant time.
#![allow(clippy::unwrap_used, reason = "a test may be blunt")]

use core::fmt::Debug;

use oxtls_crypto::hmac::{Tag, hmac};
use oxtls_crypto::{
    AeadAlgorithm, AeadKey, Error, FixedIv, Hash, HashContext, Iv, Nonces, OpeningKey, SealingKey, Secret,
    SharedSecret,
};
use zeroize::ZeroizeOnDrop;

#[test]
fn every_type_that_holds_key_material_erases_it_when_dropped() {
    fn erased_on_drop<T: ZeroizeOnDrop>() {
        assert!(core::mem::needs_drop::<T>(), "a promise of erasure without code to keep it");
    }
    erased_on_drop::<Secret>();
    erased_on_drop::<SharedSecret>();
    erased_on_drop::<Tag>();
    erased_on_drop::<AeadKey>();
    erased_on_drop::<Iv>();
    erased_on_drop::<FixedIv>();
    erased_on_drop::<Nonces>();
    erased_on_drop::<SealingKey>();
    erased_on_drop::<OpeningKey>();
}

#[test]
fn no_type_that_holds_key_material_prints_it() {
    /// Every byte of it would show as one of these.
    const BYTE: u8 = 0xa7;
    fn prints_nothing(value: &dyn Debug) {
        for text in
            [format!("{value:?}"), format!("{value:#?}"), format!("{value:x?}"), format!("{value:X?}")]
        {
            let lower = text.to_lowercase();
            assert!(!lower.contains("a7") && !lower.contains("167") && !lower.contains('['), "{text}");
        }
    }
    let key = AeadKey::new(AeadAlgorithm::ChaCha20Poly1305, &[BYTE; 32]).unwrap();
    prints_nothing(&Secret::new(&[BYTE; 32]).unwrap());
    prints_nothing(&SharedSecret::new(&[BYTE; 32]).unwrap());
    prints_nothing(&Iv::new([BYTE; 12]));
    prints_nothing(&FixedIv::new(AeadAlgorithm::Aes128Gcm, &[BYTE; 4]).unwrap());
    prints_nothing(&Nonces::Explicit([BYTE; 4]));
    prints_nothing(&Nonces::Xor(Iv::new([BYTE; 12])));
    let sealing = SealingKey::new(AeadAlgorithm::ChaCha20Poly1305, &key, Nonces::Xor(Iv::new([BYTE; 12])));
    prints_nothing(&sealing.unwrap());
    let opening = OpeningKey::new(AeadAlgorithm::ChaCha20Poly1305, &key, Nonces::Explicit([BYTE; 4]));
    prints_nothing(&opening.unwrap());
    prints_nothing(&key);

    let tag = hmac(Hash::Sha256, b"key", &[b"message"]);
    assert_eq!(format!("{tag:?}"), "Tag(..)");
    let mut context = HashContext::new(Hash::Sha256);
    context.update(&[BYTE; 64]);
    prints_nothing(&context);
}

#[test]
fn secrets_keep_exactly_the_bytes_they_were_given() {
    for len in 0..=200u8 {
        let bytes: Vec<u8> = (0..len).collect();
        match Secret::new(&bytes) {
            Ok(secret) => {
                assert!(bytes.len() <= Secret::MAX_LEN);
                assert_eq!(secret.as_bytes(), bytes);
                assert_eq!((secret.len(), secret.is_empty()), (bytes.len(), bytes.is_empty()));
                assert_eq!(secret.duplicate(), secret);
            }
            Err(error) => {
                assert!(bytes.len() > Secret::MAX_LEN && matches!(error, Error::InvalidLength(_)));
            }
        }
        match SharedSecret::new(&bytes) {
            Ok(secret) => {
                assert!(bytes.len() <= SharedSecret::MAX_LEN);
                assert_eq!(secret.as_bytes(), bytes);
                assert_eq!((secret.len(), secret.is_empty()), (bytes.len(), bytes.is_empty()));
                assert_eq!(secret.duplicate(), secret);
                let (front, back) = bytes.split_at(bytes.len() / 2);
                assert_eq!(SharedSecret::concat(&[front, &[], back]).unwrap(), secret);
            }
            Err(error) => {
                assert!(bytes.len() > SharedSecret::MAX_LEN && matches!(error, Error::InvalidLength(_)));
                assert!(SharedSecret::concat(&[&bytes]).is_err());
                assert!(SharedSecret::concat(&[&[0; 1], &bytes]).is_err());
            }
        }
    }
}

#[test]
fn secrets_that_differ_in_one_bit_or_in_length_are_not_equal() {
    let bytes = [0x5a; 48];
    let secret = Secret::new(&bytes).unwrap();
    let shared = SharedSecret::new(&bytes).unwrap();
    for byte in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes;
            if let Some(byte) = other.get_mut(byte) {
                *byte ^= 1 << bit;
            }
            assert_ne!(Secret::new(&other).unwrap(), secret);
            assert_ne!(SharedSecret::new(&other).unwrap(), shared);
        }
    }
    // Zeros after a secret's end are no part of it.
    assert_ne!(Secret::new(&[0; 32]).unwrap(), Secret::new(&[0; 48]).unwrap());
    assert_ne!(Secret::new(&[]).unwrap(), Secret::new(&[0]).unwrap());
    assert_ne!(SharedSecret::new(&[0; 32]).unwrap(), SharedSecret::new(&[0; 66]).unwrap());
    assert_eq!(Secret::zeros(Hash::Sha384), Secret::new(&[0; 48]).unwrap());
}

#[test]
fn key_material_of_a_wrong_length_is_refused() {
    for algorithm in [AeadAlgorithm::Aes128Gcm, AeadAlgorithm::Aes256Gcm, AeadAlgorithm::ChaCha20Poly1305] {
        for len in 0..=64 {
            let bytes = vec![1; len];
            assert_eq!(
                AeadKey::new(algorithm, &bytes).is_ok(),
                len == algorithm.key_len(),
                "{algorithm}, {len}"
            );
            let fixed = FixedIv::new(algorithm, &bytes);
            assert_eq!(fixed.is_ok(), len == algorithm.tls12_fixed_iv_len(), "{algorithm}, {len}");
        }
    }
    // A key made for one algorithm is no key for another with longer keys.
    let short = AeadKey::new(AeadAlgorithm::Aes128Gcm, &[1; 16]).unwrap();
    for algorithm in [AeadAlgorithm::Aes256Gcm, AeadAlgorithm::ChaCha20Poly1305] {
        assert!(SealingKey::new(algorithm, &short, Nonces::Explicit([0; 4])).is_err());
        assert!(OpeningKey::new(algorithm, &short, Nonces::Explicit([0; 4])).is_err());
    }
    let long = AeadKey::new(AeadAlgorithm::Aes256Gcm, &[1; 32]).unwrap();
    assert!(SealingKey::new(AeadAlgorithm::Aes128Gcm, &long, Nonces::Explicit([0; 4])).is_err());
}
