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
