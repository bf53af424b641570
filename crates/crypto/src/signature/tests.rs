//! Every key with every scheme, and every public key that must be refused.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use super::der::{self, BIT_STRING, INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE, explicit};
use super::signing_key::Restriction;
use super::*;
use crate::hash::Hash;

pub(super) const ALL: [KeyAlgorithm; 9] = [
    KeyAlgorithm::Rsa,
    KeyAlgorithm::RsaPss,
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::EcdsaP521,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::MlDsa44,
    KeyAlgorithm::MlDsa65,
    KeyAlgorithm::MlDsa87,
];

/// One key of each kind, made once: RSA keys take a while.
pub(super) static KEYS: LazyLock<Vec<SigningKey>> =
    LazyLock::new(|| ALL.iter().map(|algorithm| SigningKey::generate(*algorithm).unwrap()).collect());

pub(super) fn key(algorithm: KeyAlgorithm) -> &'static SigningKey {
    KEYS.iter().find(|key| key.key_algorithm() == algorithm).unwrap()
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_spki(key.spki()).unwrap()
}

/// RSASSA-PSS-params as [`SignatureAlgorithm::identifier_der`] has them.
pub(super) fn pss_parameters(hash: Hash) -> Vec<u8> {
    SignatureAlgorithm::RsaPss(hash).identifier_der()[13..].to_vec()
}

pub(super) fn identifier(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
    der::encode(SEQUENCE, &[&der::encode(OBJECT_IDENTIFIER, &[oid]), parameters]).to_vec()
}

fn spki(identifier: &[u8], key: &[u8]) -> Vec<u8> {
    der::encode(SEQUENCE, &[identifier, &der::encode(BIT_STRING, &[&[0], key])]).to_vec()
}

fn integer(magnitude: &[u8]) -> Vec<u8> {
    let pad: &[u8] = if magnitude.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    der::encode(INTEGER, &[pad, magnitude]).to_vec()
}

fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = der::encode(SEQUENCE, &[&integer(modulus), &integer(exponent)]);
    spki(&identifier(oid::RSA_ENCRYPTION, &[NULL, 0]), &key)
}

const MESSAGE: &[u8] = b"the message that is signed";

#[test]
fn every_key_signs_with_each_of_its_schemes_and_the_public_key_agrees() {
    for key in KEYS.iter() {
        let public = public(key);
        assert_eq!(public.key_algorithm(), key.key_algorithm());
        assert_eq!(public.spki(), key.spki());
        assert!(!key.schemes().is_empty());
        for &scheme in key.schemes() {
            let signature = key.sign(scheme, MESSAGE).unwrap();
            assert_eq!(public.verify_tls(scheme, MESSAGE, &signature), Ok(()), "{scheme}");
            assert_eq!(
                public.verify_tls(scheme, b"another", &signature),
                Err(Error::BadSignature),
                "{scheme}"
            );
            let mut broken = signature.clone();
            *broken.last_mut().unwrap() ^= 1;
            assert_eq!(public.verify_tls(scheme, MESSAGE, &broken), Err(Error::BadSignature), "{scheme}");
            assert_eq!(public.verify_tls(scheme, MESSAGE, &[]), Err(Error::BadSignature), "{scheme}");
        }
    }
}

#[test]
fn every_key_signs_certificates_that_its_public_key_verifies() {
    for key in KEYS.iter() {
        let signature = key.sign_certificate(MESSAGE).unwrap();
        let named = SignatureAlgorithm::from_identifier_der(key.algorithm_identifier_der()).unwrap();
        assert_eq!(named, key.certificate_algorithm());
        assert_eq!(public(key).verify(named, MESSAGE, &signature), Ok(()), "{}", key.key_algorithm());
    }
}

#[test]
fn no_key_verifies_or_makes_a_scheme_of_another_kind_of_key() {
    for key in KEYS.iter() {
        let public = public(key);
        for &scheme in SignatureScheme::SUPPORTED {
            let signature = KEYS
                .iter()
                .find_map(|other| other.sign(scheme, MESSAGE).ok())
                .expect("each scheme has a key that makes it");
            let verified = public.verify_tls(scheme, MESSAGE, &signature);
            if key.schemes().contains(&scheme) {
                assert!(scheme.fits(key.key_algorithm()));
                continue;
            }
            assert_eq!(key.sign(scheme, MESSAGE), Err(Error::UnsupportedScheme), "{scheme}");
            if scheme.fits_tls12(key.key_algorithm()) {
                // A curve with another's hash: TLS 1.2 may ask to verify it, and here the signature is another key's.
                assert!(key.key_algorithm().is_ecdsa());
                assert_eq!(verified, Err(Error::BadSignature), "{scheme}");
            } else {
                assert_eq!(verified, Err(Error::UnsupportedScheme), "{scheme} {}", key.key_algorithm());
            }
        }
    }
}

#[test]
fn rsae_and_pss_schemes_tell_the_two_kinds_of_rsa_key_apart() {
    let rsa = key(KeyAlgorithm::Rsa);
    let pss = key(KeyAlgorithm::RsaPss);
    let by_rsa = rsa.sign(SignatureScheme::RSA_PSS_RSAE_SHA256, MESSAGE).unwrap();
    let by_pss = pss.sign(SignatureScheme::RSA_PSS_PSS_SHA256, MESSAGE).unwrap();
    let algorithm = SignatureAlgorithm::RsaPss(Hash::Sha256);
    // The same bytes either way (a certificate signature names no key type), but not the same scheme.
    assert_eq!(public(rsa).verify(algorithm, MESSAGE, &by_rsa), Ok(()));
    assert_eq!(public(pss).verify(algorithm, MESSAGE, &by_pss), Ok(()));
    for (key, signature, wrong) in [
        (rsa, &by_rsa, SignatureScheme::RSA_PSS_PSS_SHA256),
        (pss, &by_pss, SignatureScheme::RSA_PSS_RSAE_SHA256),
        (pss, &by_pss, SignatureScheme::RSA_PKCS1_SHA256),
    ] {
        assert_eq!(
            public(key).verify_tls(wrong, MESSAGE, signature),
            Err(Error::UnsupportedScheme),
            "{wrong}"
        );
    }
    let pkcs1 = SignatureAlgorithm::RsaPkcs1(Hash::Sha256);
    assert_eq!(public(pss).verify(pkcs1, MESSAGE, &by_pss), Err(Error::UnsupportedScheme));
}

#[test]
fn a_restricted_rsa_pss_key_keeps_to_its_hash() {
    let unrestricted = key(KeyAlgorithm::RsaPss);
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let pkcs8 = load_tests::restricted_pss_pkcs8(unrestricted, &pss_parameters(hash));
        let restricted = SigningKey::from_pkcs8_der(&pkcs8).unwrap();
        let public = public(&restricted);
        assert_eq!(public.key_algorithm(), KeyAlgorithm::RsaPss);
        assert_eq!(restricted.schemes().len(), 1);
        assert_eq!(restricted.certificate_algorithm(), SignatureAlgorithm::RsaPss(hash));
        for &scheme in KeyAlgorithm::RsaPss.schemes() {
            let by_other = unrestricted.sign(scheme, MESSAGE).unwrap();
            if restricted.schemes() == [scheme] {
                let signature = restricted.sign(scheme, MESSAGE).unwrap();
                assert_eq!(public.verify_tls(scheme, MESSAGE, &signature), Ok(()));
                assert_eq!(public.verify_tls(scheme, MESSAGE, &by_other), Ok(()));
            } else {
                assert_eq!(restricted.sign(scheme, MESSAGE), Err(Error::UnsupportedScheme));
                assert_eq!(public.verify_tls(scheme, MESSAGE, &by_other), Err(Error::UnsupportedScheme));
            }
        }
    }
}

/// ECDSA signs the leftmost bits of a hash, so a P-256 signature over SHA-384 is one over its first 32 bytes.
#[test]
fn p256_verifies_signatures_over_longer_hashes() {
    let pair = EcdsaKeyPair::from_pkcs8(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &key(KeyAlgorithm::EcdsaP256).to_pkcs8_der().unwrap(),
    )
    .unwrap();
    let public = public(key(KeyAlgorithm::EcdsaP256));
    for (hash, scheme) in [
        (Hash::Sha384, SignatureScheme::ECDSA_SECP384R1_SHA384),
        (Hash::Sha512, SignatureScheme::ECDSA_SECP521R1_SHA512),
    ] {
        let full = hash.digest(MESSAGE);
        let cut = digest::Digest::import_less_safe(&full.as_bytes()[..32], &digest::SHA256).unwrap();
        let signature = pair.sign_digest(&cut).unwrap();
        assert!(scheme.fits_tls12(KeyAlgorithm::EcdsaP256));
        assert_eq!(public.verify_tls(scheme, MESSAGE, signature.as_ref()), Ok(()), "{scheme}");
        let own = SignatureAlgorithm::Ecdsa(Hash::Sha256);
        assert_eq!(public.verify(own, MESSAGE, signature.as_ref()), Err(Error::BadSignature), "{scheme}");
    }
}

#[test]
fn schemes_fit_the_keys_that_each_version_allows() {
    for &scheme in SignatureScheme::SUPPORTED {
        let tls13: Vec<_> = ALL.into_iter().filter(|key| scheme.fits_tls13(*key)).collect();
        let tls12: Vec<_> = ALL.into_iter().filter(|key| scheme.fits_tls12(*key)).collect();
        // One scheme, one kind of key in TLS 1.3; PKCS#1 v1.5 none.
        assert_eq!(tls13.len(), usize::from(scheme.usable_in_tls13_handshake()), "{scheme}");
        match scheme.algorithm().unwrap() {
            SignatureAlgorithm::Ecdsa(_) => assert_eq!(
                tls12,
                [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP521],
                "{scheme}"
            ),
            SignatureAlgorithm::RsaPkcs1(_) => assert_eq!(tls12, [KeyAlgorithm::Rsa], "{scheme}"),
            SignatureAlgorithm::MlDsa44 | SignatureAlgorithm::MlDsa65 | SignatureAlgorithm::MlDsa87 => {
                assert!(tls12.is_empty(), "{scheme}");
            }
            _ => assert_eq!(tls12, tls13, "{scheme}"),
        }
    }
}

#[test]
fn schemes_that_are_not_supported_are_named_but_never_used() {
    for scheme in [SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1, SignatureScheme(0x0a0a)] {
        assert!(!scheme.is_supported());
        assert!(!scheme.usable_in_tls13_handshake());
        for key in KEYS.iter() {
            assert!(!scheme.fits_tls13(key.key_algorithm()) && !scheme.fits_tls12(key.key_algorithm()));
            assert_eq!(key.sign(scheme, MESSAGE), Err(Error::UnsupportedScheme));
            assert_eq!(public(key).verify_tls(scheme, MESSAGE, &[0; 64]), Err(Error::UnsupportedScheme));
        }
    }
    assert_eq!(SignatureScheme::RSA_PKCS1_SHA1.to_string(), "rsa_pkcs1_sha1");
    assert_eq!(SignatureScheme(0x0a0a).to_string(), "unknown signature scheme 0x0a0a");
}

#[test]
fn tls13_schemes_come_before_those_that_only_tls12_allows() {
    for algorithm in ALL {
        let usable: Vec<_> =
            algorithm.schemes().iter().map(|scheme| scheme.usable_in_tls13_handshake()).collect();
        assert!(usable.is_sorted_by(|a, b| a >= b), "{algorithm}");
        assert!(usable[0], "{algorithm}");
    }
}

#[track_caller]
fn assert_invalid(spki: &[u8], wanted: &str) {
    match PublicKey::from_spki(spki) {
        Err(Error::InvalidPublicKey(reason)) => assert!(reason.contains(wanted), "{reason}"),
        other => panic!("{other:?} instead of {wanted:?}"),
    }
}

#[track_caller]
fn assert_unsupported(spki: &[u8], wanted: &str) {
    match PublicKey::from_spki(spki) {
        Err(Error::UnsupportedKey(reason)) => assert!(reason.contains(wanted), "{reason}"),
        other => panic!("{other:?} instead of {wanted:?}"),
    }
}

#[test]
fn rsa_keys_have_2048_to_8192_bits_and_odd_numbers() {
    let number = |bytes: usize, first: u8, last: u8| {
        let mut number = vec![0x55; bytes];
        number[0] = first;
        number[bytes - 1] = last;
        number
    };
    let f4 = [1, 0, 1];
    assert_eq!(PublicKey::from_spki(&rsa_spki(&number(256, 0x80, 1), &f4)).unwrap().rsa_bits(), Some(2048));
    assert_eq!(PublicKey::from_spki(&rsa_spki(&number(1024, 0xff, 1), &f4)).unwrap().rsa_bits(), Some(8192));
    assert_eq!(PublicKey::from_spki(&rsa_spki(&number(257, 1, 1), &[3])).unwrap().rsa_bits(), Some(2049));
    assert_invalid(&rsa_spki(&number(256, 0x7f, 1), &f4), "shorter than 2048");
    assert_invalid(&rsa_spki(&number(128, 0xff, 1), &f4), "shorter than 2048");
    assert_invalid(&rsa_spki(&[], &f4), "RSAPublicKey");
    assert_invalid(&rsa_spki(&number(1025, 1, 1), &f4), "longer than 8192");
    assert_invalid(&rsa_spki(&number(256, 0x80, 2), &f4), "modulus is even");
    for exponent in [&[1][..], &[2], &[1, 0, 0], &[3, 0, 0, 0, 1]] {
        assert_invalid(&rsa_spki(&number(256, 0x80, 1), exponent), "exponent");
    }
    assert!(PublicKey::from_spki(&rsa_spki(&number(256, 0x80, 1), &[1, 0, 0, 0, 1])).is_ok());
    assert_eq!(public(key(KeyAlgorithm::EcdsaP256)).rsa_bits(), None);
}

#[test]
fn rsa_keys_are_exactly_two_shortest_positive_numbers() {
    let mut modulus = vec![0x55; 256];
    modulus[0] = 0x80;
    modulus[255] = 1;
    let null = identifier(oid::RSA_ENCRYPTION, &[NULL, 0]);
    let (n, e) = (integer(&modulus), integer(&[1, 0, 1]));
    let negative = der::encode(INTEGER, &[&modulus]);
    let padded = der::encode(INTEGER, &[&[0, 1, 0, 1]]);
    for parts in [
        &[&n[..]][..],
        &[&n, &e, &e],
        &[&n, &e, &[0]],
        &[&negative, &e],
        &[&n, &padded],
        &[&e, &n[..20]],
        &[],
    ] {
        assert_invalid(&spki(&null, &der::encode(SEQUENCE, parts)), "RSAPublicKey");
    }
    assert_invalid(&spki(&null, &[]), "RSAPublicKey");
}

#[test]
fn algorithm_parameters_are_exactly_those_of_the_standard() {
    let rsa = public(key(KeyAlgorithm::Rsa)).spki().to_vec();
    let rsa_key = spki::Spki::read(&rsa).unwrap().key;
    assert_invalid(&spki(&identifier(oid::RSA_ENCRYPTION, &[]), rsa_key), "not NULL");
    assert_invalid(&spki(&identifier(oid::RSA_ENCRYPTION, &[0x30, 0]), rsa_key), "not NULL");
    // RFC 8410 section 3, RFC 9881 section 4: absent, and NULL is not absent.
    assert_invalid(&spki(&identifier(oid::ED25519, &[NULL, 0]), &[9; 32]), "parameters");
    assert_invalid(&spki(&identifier(oid::ML_DSA_44, &[NULL, 0]), &[9; 1312]), "parameters");
    // RFC 5480 section 2.1.1: no implicit curve, no explicit one, named ones only.
    let ec = public(key(KeyAlgorithm::EcdsaP256)).spki().to_vec();
    let point = spki::Spki::read(&ec).unwrap().key;
    for parameters in [&[][..], &[NULL, 0], &[0x30, 3, INTEGER, 1, 1]] {
        assert_invalid(&spki(&identifier(oid::EC_PUBLIC_KEY, parameters), point), "not given by name");
    }
    let two = [der::encode(OBJECT_IDENTIFIER, &[oid::SECP256R1]).as_slice(), &[NULL, 0]].concat();
    assert_invalid(&spki(&identifier(oid::EC_PUBLIC_KEY, &two), point), "SubjectPublicKeyInfo");
}

#[test]
fn rsa_pss_parameters_that_tls_cannot_use_are_refused() {
    let pss = public(key(KeyAlgorithm::RsaPss)).spki().to_vec();
    let pss_key = spki::Spki::read(&pss).unwrap().key;
    let with = |parameters: &[u8]| spki(&identifier(oid::RSASSA_PSS, parameters), pss_key);
    assert!(PublicKey::from_spki(&with(&[])).is_ok());
    let good = pss_parameters(Hash::Sha256);
    assert!(PublicKey::from_spki(&with(&good)).is_ok());
    let mut long_salt = good.clone();
    *long_salt.last_mut().unwrap() = 33;
    let mut short_salt = good.clone();
    *short_salt.last_mut().unwrap() = 20;
    assert!(PublicKey::from_spki(&with(&short_salt)).is_ok(), "a key's salt length is a minimum");
    for unusable in [&long_salt[..], &[0x30, 0], &[NULL, 0]] {
        assert_unsupported(&with(unusable), "RSA-PSS parameters");
    }
    // An explicit trailer field may only say what is the default.
    let trailer = |value: u8| {
        let field = der::encode(explicit(3), &[&[INTEGER, 1, value]]);
        der::encode(SEQUENCE, &[&good[2..], &field]).to_vec()
    };
    assert!(PublicKey::from_spki(&with(&trailer(1))).is_ok());
    assert_unsupported(&with(&trailer(2)), "RSA-PSS parameters");
}

#[test]
fn points_are_uncompressed_and_on_their_own_curve() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP521] {
        let whole = public(key(algorithm)).spki().to_vec();
        let parts = spki::Spki::read(&whole).unwrap();
        let curve = identifier(oid::EC_PUBLIC_KEY, parts.algorithm.parameters.unwrap().whole);
        let parity = parts.key.last().unwrap() & 1;
        let half = (parts.key.len() - 1) / 2;
        let compressed = [&[2 | parity][..], &parts.key[1..=half]].concat();
        assert_invalid(&spki(&curve, &compressed), "uncompressed");
        let mut hybrid = parts.key.to_vec();
        hybrid[0] = 6 | parity;
        assert_invalid(&spki(&curve, &hybrid), "uncompressed");
        assert_invalid(&spki(&curve, &[0]), "uncompressed");
        assert_invalid(&spki(&curve, &[]), "uncompressed");
        assert_invalid(&spki(&curve, &whole), "uncompressed");
        let mut off = parts.key.to_vec();
        *off.last_mut().unwrap() ^= 1;
        assert_invalid(&spki(&curve, &off), "not on its curve");
    }
    let secp256k1 = der::encode(OBJECT_IDENTIFIER, &[&[0x2b, 0x81, 0x04, 0x00, 0x0a]]);
    let mut point = vec![9; 65];
    point[0] = 4;
    assert_unsupported(&spki(&identifier(oid::EC_PUBLIC_KEY, &secp256k1), &point), "curve");
}

#[test]
fn keys_without_parameters_have_their_exact_length() {
    for (oid, len) in
        [(oid::ED25519, 32usize), (oid::ML_DSA_44, 1312), (oid::ML_DSA_65, 1952), (oid::ML_DSA_87, 2592)]
    {
        let identifier = identifier(oid, &[]);
        for wrong in [0, 32, 1312, 1952, 2592, len - 1, len + 1] {
            if wrong != len {
                assert_invalid(&spki(&identifier, &vec![9; wrong]), "wrong length");
            }
        }
        // The library would also take a whole SubjectPublicKeyInfo as a key.
        for nested in KEYS.iter() {
            assert_invalid(&spki(&identifier, nested.spki()), "wrong length");
        }
    }
}

#[test]
fn other_algorithms_are_refused_by_name() {
    for other in
        [&[0x2b, 0x65, 0x6e][..], &[0x2b, 0x65, 0x71], &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], &[]]
    {
        assert_unsupported(&spki(&identifier(other, &[]), &[9; 57]), "its algorithm is not");
    }
}

#[test]
fn a_public_key_that_is_cut_or_has_data_behind_it_is_refused() {
    for key in KEYS.iter() {
        let whole = key.spki();
        for len in (0..whole.len()).step_by(if whole.len() > 400 { 37 } else { 1 }) {
            assert!(PublicKey::from_spki(&whole[..len]).is_err());
        }
        assert_invalid(&[whole, &[0]].concat(), "SubjectPublicKeyInfo");
    }
}

/// No mutant may panic, and one whose wrapping changed may not pass for the original.
#[test]
fn mutants_of_public_keys_are_refused_or_are_other_keys() {
    for key in KEYS.iter() {
        let whole = key.spki();
        let step = if whole.len() > 400 { 17 } else { 1 };
        for index in (0..whole.len()).filter(|index| *index < 40 || index % step == 0) {
            for flip in [0x01, 0x80, 0xff] {
                let mut mutant = whole.to_vec();
                mutant[index] ^= flip;
                if let Ok(public) = PublicKey::from_spki(&mutant) {
                    let scheme = key.schemes()[0];
                    let signature = key.sign(scheme, MESSAGE).unwrap();
                    assert!(
                        public.verify_tls(scheme, MESSAGE, &signature).is_err(),
                        "byte {index} ^ {flip:#x}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_signer_behind_the_trait_says_what_the_key_says() {
    for key in KEYS.iter() {
        let signer: &dyn Signer = key;
        assert_eq!(signer.key_algorithm(), key.key_algorithm());
        assert_eq!(signer.spki(), key.spki());
        assert_eq!(signer.schemes(), key.schemes());
        let scheme = signer.schemes()[0];
        let signature = signer.sign(scheme, MESSAGE).unwrap();
        assert_eq!(public(key).verify_tls(scheme, MESSAGE, &signature), Ok(()));
    }
}

#[test]
fn a_key_matches_only_the_certificate_that_holds_it() {
    let certificate = |spki: &[u8]| {
        let empty: &[u8] = &[0x30, 0];
        let tbs = der::encode(SEQUENCE, &[&[INTEGER, 1, 9], empty, empty, empty, empty, spki]);
        der::encode(SEQUENCE, &[&tbs, empty, &[BIT_STRING, 1, 0]]).to_vec()
    };
    for holder in KEYS.iter() {
        for key in KEYS.iter() {
            let same = core::ptr::eq(holder, key);
            assert_eq!(matches_certificate(key, &certificate(holder.spki())), Ok(same));
        }
    }
    assert!(matches!(matches_certificate(&KEYS[0], &[]), Err(Error::InvalidPublicKey(_))));
}

#[test]
fn nothing_of_a_private_key_is_printed() {
    for key in KEYS.iter() {
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey {{ algorithm: {:?}, .. }}", key.key_algorithm()));
    }
    let restriction = Restriction { hash: Hash::Sha256, parameters: Vec::new() };
    assert!(format!("{restriction:?}").contains("Sha256"));
}
