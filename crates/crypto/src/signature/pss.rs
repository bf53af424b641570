//! RSASSA-PSS parameters (RFC 4055 section 3.1): in a key they restrict it, in a signature they describe it.

use crate::hash::Hash;

use super::der::{self, AlgorithmIdentifier, INTEGER, Reader, SEQUENCE, explicit};
use super::oid;

/// The parameters that TLS can use: a SHA-2 hash, MGF1 with the same hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) hash: Hash,
    /// In bytes: exact in a signature, the least allowed in a key.
    pub(crate) salt_len: usize,
}

/// Why parameters are of no use.
pub(crate) const UNUSABLE: &str = "its RSA-PSS parameters are not SHA-256, SHA-384 or SHA-512 with MGF1 over the \
     same hash and a salt no longer than the hash";

impl Parameters {
    /// Reads a whole RSASSA-PSS-params element.
    ///
    /// The fields' defaults are SHA-1 and a salt of 20 bytes, neither of which TLS allows, so the hash fields must
    /// be there.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let mut fields = Reader::new(der::only(der, SEQUENCE)?);
        let hash = read_hash(fields.read(explicit(0))?)?;
        let mut generator = Reader::new(fields.read(explicit(1))?);
        let mgf = AlgorithmIdentifier::read(&mut generator)?;
        generator.end()?;
        let mgf_hash = read_hash(mgf.parameters?.whole)?;
        if mgf.oid != oid::MGF1 || mgf_hash != hash {
            return None;
        }
        let salt_len = match fields.optional(explicit(2))? {
            Some(field) => read_small(field)?,
            None => 20,
        };
        // trailerFieldBC is the default and the only value there is.
        if fields.optional(explicit(3))?.is_some_and(|field| read_small(field) != Some(1)) {
            return None;
        }
        fields.end()?;
        Some(Self { hash, salt_len })
    }

    /// Whether a key with these parameters may make and verify what TLS calls for: its hash with a salt of the
    /// hash's length (RFC 9846 section 4.3.3), of which the key's own value is the minimum (RFC 4055 section 3.3).
    pub(crate) fn usable_as_restriction(&self) -> bool {
        self.salt_len <= self.hash.output_len()
    }
}

fn read_hash(der: &[u8]) -> Option<Hash> {
    let mut reader = Reader::new(der);
    let identifier = AlgorithmIdentifier::read(&mut reader)?;
    reader.end()?;
    // RFC 4055 section 2.1: NULL and absent parameters mean the same and both must be accepted.
    if identifier.parameters.is_some() && !identifier.has_null() {
        return None;
    }
    match identifier.oid {
        oid::SHA256 => Some(Hash::Sha256),
        oid::SHA384 => Some(Hash::Sha384),
        oid::SHA512 => Some(Hash::Sha512),
        _ => None,
    }
}

fn read_small(der: &[u8]) -> Option<usize> {
    der::only(der, INTEGER)?;
    Reader::new(der).small().map(usize::from)
}

#[cfg(test)]
mod tests {
    use super::super::SignatureAlgorithm;
    use super::*;

    fn of(algorithm: SignatureAlgorithm) -> Vec<u8> {
        let mut reader = Reader::new(algorithm.identifier_der());
        AlgorithmIdentifier::read(&mut reader).unwrap().parameters.unwrap().whole.to_vec()
    }

    #[test]
    fn parameters_name_one_hash_for_both_uses() {
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let der = of(SignatureAlgorithm::RsaPss(hash));
            assert_eq!(Parameters::read(&der), Some(Parameters { hash, salt_len: hash.output_len() }));
        }
        let mut mixed = of(SignatureAlgorithm::RsaPss(Hash::Sha256));
        let mgf_hash = mixed.windows(9).rposition(|window| window == oid::SHA256).unwrap();
        mixed[mgf_hash + 8] = 2;
        assert_eq!(Parameters::read(&mixed), None, "MGF1 over another hash");
    }

    #[test]
    fn defaults_that_mean_sha1_are_refused() {
        assert_eq!(Parameters::read(&[0x30, 0]), None);
        assert_eq!(Parameters::read(&[0x30, 5, 0xa2, 3, 2, 1, 32]), None);
    }

    #[test]
    fn a_salt_longer_than_the_hash_cannot_restrict_a_tls_key() {
        assert!(Parameters { hash: Hash::Sha256, salt_len: 32 }.usable_as_restriction());
        assert!(!Parameters { hash: Hash::Sha256, salt_len: 33 }.usable_as_restriction());
    }
}
