//! Object identifiers as the content octets of their DER encoding: compared as bytes, never decoded on a hot path.

use core::fmt;
use core::str::FromStr;

/// Content octets of an OBJECT IDENTIFIER. `Display` is the dotted form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Oid<'a>(pub &'a [u8]);

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut arc: u64 = 0;
        for &byte in self.0 {
            // Identifiers with arcs beyond 64 bits exist (UUIDs): shown saturated, they are only for people.
            arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
            if byte & 0x80 != 0 {
                continue;
            }
            if first {
                let root = (arc / 40).min(2);
                write!(f, "{root}.{}", arc.saturating_sub(root.saturating_mul(40)))?;
                first = false;
            } else {
                write!(f, ".{arc}")?;
            }
            arc = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An object identifier that owns its octets. `FromStr` and `Display` are the dotted form, `2.23.140.1.2.1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectIdentifier(Box<[u8]>);

impl ObjectIdentifier {
    /// The content octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Borrowed.
    #[must_use]
    pub fn as_oid(&self) -> Oid<'_> {
        Oid(&self.0)
    }
}

impl From<Oid<'_>> for ObjectIdentifier {
    fn from(oid: Oid<'_>) -> Self {
        Self(oid.0.into())
    }
}

impl PartialEq<Oid<'_>> for ObjectIdentifier {
    fn eq(&self, other: &Oid<'_>) -> bool {
        *self.0 == *other.0
    }
}

impl fmt::Display for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_oid().fmt(f)
    }
}

impl fmt::Debug for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_oid().fmt(f)
    }
}

/// A text is no object identifier in dotted form, or has an arc beyond 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OidError;

impl fmt::Display for OidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object identifier is numbers with dots between them, as 2.5.29.32.0")
    }
}

impl core::error::Error for OidError {}

impl FromStr for ObjectIdentifier {
    type Err = OidError;

    /// X.690 section 8.19: the first two arcs share a number, of which the first is 0, 1 or 2.
    fn from_str(dotted: &str) -> Result<Self, OidError> {
        let arc = |text: &str| -> Result<u64, OidError> {
            let canonical = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let canonical = canonical && (text == "0" || !text.starts_with('0'));
            text.parse().ok().filter(|_| canonical).ok_or(OidError)
        };
        let mut arcs = dotted.split('.').map(arc);
        let root = arcs.next().ok_or(OidError)??;
        let second = arcs.next().ok_or(OidError)??;
        if root > 2 || (root < 2 && second >= 40) {
            return Err(OidError);
        }
        let first = second.checked_add(root.saturating_mul(40)).ok_or(OidError)?;
        let mut octets = Vec::new();
        for number in core::iter::once(Ok(first)).chain(arcs) {
            let number = number?;
            let digits = (64 - number.leading_zeros()).div_ceil(7).max(1);
            for place in (0..digits).rev() {
                let digit = u8::try_from(number >> (place * 7) & 0x7f).map_err(|_| OidError)?;
                octets.push(if place == 0 { digit } else { digit | 0x80 });
            }
        }
        Ok(Self(octets.into()))
    }
}

// id-ce, 2.5.29 (RFC 5280 appendix A.2).
pub(crate) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 14];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
pub(crate) const ISSUER_ALT_NAME: &[u8] = &[0x55, 0x1d, 18];
pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub(crate) const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
pub(crate) const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
pub(crate) const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
pub(crate) const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
pub(crate) const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
pub(crate) const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
pub(crate) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
pub(crate) const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
pub(crate) const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 32];
pub(crate) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];
pub(crate) const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];
pub(crate) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
pub(crate) const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];
// id-pe, 1.3.6.1.5.5.7.1.
pub(crate) const AUTHORITY_INFO_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// TLS feature ("must staple"), RFC 7633.
pub(crate) const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
/// An OCSP response of the basic type (RFC 6960 section 4.2.1).
pub(crate) const OCSP_BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
/// "Do not ask about this responder" (RFC 6960 section 4.2.2.2.1).
pub(crate) const OCSP_NO_CHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 5];
/// SCTs in a certificate and in an OCSP response (RFC 6962 section 3.3).
pub(crate) const EMBEDDED_SCTS: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
pub(crate) const OCSP_SCTS: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5];
// Access methods, 1.3.6.1.5.5.7.48.
pub(crate) const ACCESS_OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1];
pub(crate) const ACCESS_CA_ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 2];
// Policy qualifiers, 1.3.6.1.5.5.7.2.
pub(crate) const QUALIFIER_CPS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 1];
pub(crate) const QUALIFIER_USER_NOTICE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 2, 2];
// Extended key usages, 1.3.6.1.5.5.7.3.
pub(crate) const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(crate) const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];
pub(crate) const EMAIL_PROTECTION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 4];
pub(crate) const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
pub(crate) const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];
pub(crate) const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37, 0];
// Attribute types, 2.5.4 and friends.
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
pub(crate) const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
pub(crate) const DOMAIN_COMPONENT: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];
pub(crate) const USER_ID: &[u8] = &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1];
// Public keys and signatures.
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
pub(crate) const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
pub(crate) const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
pub(crate) const MD5_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4];
pub(crate) const SHA1_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];
pub(crate) const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
pub(crate) const SHA384_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12];
pub(crate) const SHA512_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13];
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
pub(crate) const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
pub(crate) const SECP384R1: &[u8] = &[0x2b, 0x81, 4, 0, 34];
pub(crate) const SECP521R1: &[u8] = &[0x2b, 0x81, 4, 0, 35];
pub(crate) const ECDSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];
pub(crate) const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
pub(crate) const ECDSA_WITH_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
pub(crate) const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
pub(crate) const ML_DSA_44: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17];
pub(crate) const ML_DSA_65: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
pub(crate) const ML_DSA_87: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19];
/// Only as the name of a hash that identifies.
pub(crate) const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 26];
pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
pub(crate) const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
pub(crate) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];

/// The short name that RFC 4514 section 3 (and common use) gives an attribute type.
pub(crate) fn attribute_name(oid: &[u8]) -> Option<&'static str> {
    match *oid {
        [0x55, 4, last] => match last {
            3 => Some("CN"),
            4 => Some("SN"),
            5 => Some("serialNumber"),
            6 => Some("C"),
            7 => Some("L"),
            8 => Some("ST"),
            9 => Some("street"),
            10 => Some("O"),
            11 => Some("OU"),
            12 => Some("title"),
            15 => Some("businessCategory"),
            17 => Some("postalCode"),
            42 => Some("GN"),
            46 => Some("dnQualifier"),
            97 => Some("organizationIdentifier"),
            _ => None,
        },
        _ if oid == DOMAIN_COMPONENT => Some("DC"),
        _ if oid == USER_ID => Some("UID"),
        _ if oid == EMAIL_ADDRESS => Some("emailAddress"),
        _ => None,
    }
}

/// What people call a signature algorithm, a kind of key or a curve that is not supported, for reports.
pub(crate) fn foreign_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1] => "DSA",
        [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3] => "DSA with SHA-1",
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 2] => "DSA with SHA-256",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2] => "RSA with MD2",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14] => "RSA with SHA-224",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1] => "ECDSA with SHA-224",
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 9..=12] => "ECDSA with SHA-3",
        [0x2b, 0x65, 0x6e] => "X25519",
        [0x2b, 0x65, 0x6f] => "X448",
        [0x2b, 0x65, 0x71] => "Ed448",
        [0x2b, 0x81, 4, 0, 10] => "secp256k1",
        [0x2b, 0x81, 4, 0, 33] => "P-224",
        [0x2b, 0x24, 3, 3, 2, 8, 1, 1, ..] => "a Brainpool curve",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1] => "P-192",
        [0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d] => "SM2",
        _ => return None,
    })
}

/// What people call an extension, for reports.
pub(crate) fn extension_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        SUBJECT_KEY_IDENTIFIER => "subjectKeyIdentifier",
        KEY_USAGE => "keyUsage",
        SUBJECT_ALT_NAME => "subjectAltName",
        ISSUER_ALT_NAME => "issuerAltName",
        BASIC_CONSTRAINTS => "basicConstraints",
        CRL_NUMBER => "cRLNumber",
        DELTA_CRL_INDICATOR => "deltaCRLIndicator",
        ISSUING_DISTRIBUTION_POINT => "issuingDistributionPoint",
        CERTIFICATE_ISSUER => "certificateIssuer",
        NAME_CONSTRAINTS => "nameConstraints",
        CRL_DISTRIBUTION_POINTS => "cRLDistributionPoints",
        CERTIFICATE_POLICIES => "certificatePolicies",
        POLICY_MAPPINGS => "policyMappings",
        AUTHORITY_KEY_IDENTIFIER => "authorityKeyIdentifier",
        POLICY_CONSTRAINTS => "policyConstraints",
        EXTENDED_KEY_USAGE => "extendedKeyUsage",
        INHIBIT_ANY_POLICY => "inhibitAnyPolicy",
        AUTHORITY_INFO_ACCESS => "authorityInfoAccess",
        TLS_FEATURE => "tlsFeature",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_form() {
        assert_eq!(Oid(RSASSA_PSS).to_string(), "1.2.840.113549.1.1.10");
        assert_eq!(Oid(ML_DSA_65).to_string(), "2.16.840.1.101.3.4.3.18");
        assert_eq!(Oid(SUBJECT_ALT_NAME).to_string(), "2.5.29.17");
        assert_eq!(Oid(&[0x88, 0x37, 3]).to_string(), "2.999.3");
    }

    #[test]
    fn what_is_supported_is_not_called_foreign() {
        for known in
            [RSA_ENCRYPTION, EC_PUBLIC_KEY, PRIME256V1, SECP384R1, ECDSA_WITH_SHA256, ED25519, ML_DSA_65]
        {
            assert_eq!(foreign_name(known), None);
        }
        // 1.2.840.10040.4.3, id-dsa-with-sha1.
        let dsa = [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3];
        assert_eq!(
            (foreign_name(&dsa), Oid(&dsa).to_string().as_str()),
            (Some("DSA with SHA-1"), "1.2.840.10040.4.3")
        );
    }

    #[test]
    fn dotted_forms_are_read_back() {
        for known in
            [RSASSA_PSS, ML_DSA_65, ANY_POLICY, &[0x88, 0x37, 3], &[0x2a], &[0x00], &[0x27], &[0x4f, 0x7f]]
        {
            assert_eq!(Oid(known).to_string().parse::<ObjectIdentifier>().unwrap(), Oid(known));
        }
        let big = "2.18446744073709551535.18446744073709551615";
        assert_eq!(big.parse::<ObjectIdentifier>().unwrap().to_string(), big);
        for wrong in [
            "",
            "1",
            ".",
            "1.",
            "1.2.",
            "1..2",
            "3.1",
            "1.40",
            "1.02",
            "1.-2",
            "1.+2",
            "1.2.x",
            " 1.2",
            "2.18446744073709551615",
        ] {
            assert_eq!(wrong.parse::<ObjectIdentifier>(), Err(OidError), "{wrong}");
        }
    }
}
