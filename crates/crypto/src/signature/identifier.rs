//! The AlgorithmIdentifiers that certificates name signatures by (RFC 5280 section 4.1.1.2).

use crate::hash::Hash;

use super::SignatureAlgorithm;
use super::der::{AlgorithmIdentifier, Reader};
use super::oid;
use super::pss::Parameters;

/// sha256WithRSAEncryption and its neighbours (RFC 4055 section 5), parameters NULL.
const RSA_PKCS1_SHA256: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
const RSA_PKCS1_SHA384: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00];
const RSA_PKCS1_SHA512: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00];
/// ecdsa-with-SHA256 and its neighbours (RFC 5758 section 3.2), no parameters.
const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
const ML_DSA_44: &[u8] = &[0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11];
const ML_DSA_65: &[u8] = &[0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12];
const ML_DSA_87: &[u8] = &[0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13];

/// id-RSASSA-PSS with a hash, MGF1 over the same hash and a salt of its length (RFC 4055 section 3.1).
const fn rsa_pss(hash: u8, salt_len: u8) -> [u8; 67] {
    [
        0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, // id-RSASSA-PSS
        0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash,
        0x05, 0x00, // the hash
        0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
        0x08, // id-mgf1
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash, 0x05,
        0x00, // its hash
        0xa2, 0x03, 0x02, 0x01, salt_len,
    ]
}
const RSA_PSS_SHA256: &[u8] = &rsa_pss(1, 32);
const RSA_PSS_SHA384: &[u8] = &rsa_pss(2, 48);
const RSA_PSS_SHA512: &[u8] = &rsa_pss(3, 64);

impl SignatureAlgorithm {
    /// The DER AlgorithmIdentifier that a certificate signed in this way carries.
    pub const fn identifier_der(self) -> &'static [u8] {
        match self {
            Self::RsaPkcs1(Hash::Sha256) => RSA_PKCS1_SHA256,
            Self::RsaPkcs1(Hash::Sha384) => RSA_PKCS1_SHA384,
            Self::RsaPkcs1(Hash::Sha512) => RSA_PKCS1_SHA512,
            Self::RsaPss(Hash::Sha256) => RSA_PSS_SHA256,
            Self::RsaPss(Hash::Sha384) => RSA_PSS_SHA384,
            Self::RsaPss(Hash::Sha512) => RSA_PSS_SHA512,
            Self::Ecdsa(Hash::Sha256) => ECDSA_SHA256,
            Self::Ecdsa(Hash::Sha384) => ECDSA_SHA384,
            Self::Ecdsa(Hash::Sha512) => ECDSA_SHA512,
            Self::Ed25519 => ED25519,
            Self::MlDsa44 => ML_DSA_44,
            Self::MlDsa65 => ML_DSA_65,
            Self::MlDsa87 => ML_DSA_87,
        }
    }

    /// The algorithm that a DER AlgorithmIdentifier (the whole SEQUENCE) names; `None` for all that this crate does
    /// not verify, SHA-1 and DSA among it, and for parameters that are not as their standard wants them.
    ///
    /// ```
    /// use oxtls_crypto::signature::SignatureAlgorithm;
    /// let ed25519 = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
    /// assert_eq!(SignatureAlgorithm::from_identifier_der(&ed25519), Some(SignatureAlgorithm::Ed25519));
    /// ```
    pub fn from_identifier_der(identifier: &[u8]) -> Option<Self> {
        const EXACT: [SignatureAlgorithm; 10] = [
            SignatureAlgorithm::Ecdsa(Hash::Sha256),
            SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            SignatureAlgorithm::Ecdsa(Hash::Sha384),
            SignatureAlgorithm::RsaPkcs1(Hash::Sha384),
            SignatureAlgorithm::RsaPkcs1(Hash::Sha512),
            SignatureAlgorithm::Ecdsa(Hash::Sha512),
            SignatureAlgorithm::Ed25519,
            SignatureAlgorithm::MlDsa44,
            SignatureAlgorithm::MlDsa65,
            SignatureAlgorithm::MlDsa87,
        ];
        let exact = EXACT.into_iter().find(|algorithm| algorithm.identifier_der() == identifier);
        exact.or_else(|| Self::from_pss_identifier(identifier))
    }

    /// RSA-PSS has more than one encoding of the same parameters.
    fn from_pss_identifier(identifier: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(identifier);
        let identifier = AlgorithmIdentifier::read(&mut reader)?;
        reader.end()?;
        if identifier.oid != oid::RSASSA_PSS {
            return None;
        }
        let parameters = Parameters::read(identifier.parameters?.whole)?;
        (parameters.salt_len == parameters.hash.output_len()).then_some(Self::RsaPss(parameters.hash))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SignatureScheme;
    use super::*;

    #[test]
    fn every_algorithm_is_found_again_by_its_identifier() {
        let mut seen = Vec::new();
        for scheme in SignatureScheme::SUPPORTED {
            let algorithm = scheme.algorithm().unwrap();
            let identifier = algorithm.identifier_der();
            assert_eq!(SignatureAlgorithm::from_identifier_der(identifier), Some(algorithm), "{scheme}");
            if !seen.contains(&identifier) {
                seen.push(identifier);
            }
        }
        assert_eq!(seen.len(), 13);
    }

    #[test]
    fn identifiers_with_anything_added_or_missing_are_refused() {
        for scheme in SignatureScheme::SUPPORTED {
            let identifier = scheme.algorithm().unwrap().identifier_der();
            let mut longer = identifier.to_vec();
            longer.push(0);
            assert_eq!(SignatureAlgorithm::from_identifier_der(&longer), None, "{scheme}");
            for len in 0..identifier.len() {
                assert_eq!(SignatureAlgorithm::from_identifier_der(&identifier[..len]), None, "{scheme}");
            }
        }
        // PKCS#1 v1.5 without its NULL, ECDSA with one.
        let mut bare = RSA_PKCS1_SHA256[..13].to_vec();
        bare[1] = 0x0b;
        assert_eq!(SignatureAlgorithm::from_identifier_der(&bare), None);
        let mut null = [ECDSA_SHA256, &[5, 0]].concat();
        null[1] = 0x0c;
        assert_eq!(SignatureAlgorithm::from_identifier_der(&null), None);
    }

    #[test]
    fn sha1_signatures_are_unknown() {
        let sha1_with_rsa =
            [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00];
        assert_eq!(SignatureAlgorithm::from_identifier_der(&sha1_with_rsa), None);
    }
}
