//! Object identifiers of keys and signatures, as the content bytes of their DER form.

use core::fmt::Write;

/// rsaEncryption (RFC 8017).
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-RSASSA-PSS (RFC 4055).
pub(crate) const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
/// id-mgf1 (RFC 4055).
pub(crate) const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
/// id-sha256 (RFC 5754).
pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// id-sha384.
pub(crate) const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// id-sha512.
pub(crate) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
/// id-ecPublicKey (RFC 5480).
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1 (RFC 5480).
pub(crate) const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1.
pub(crate) const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// secp521r1.
pub(crate) const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
/// id-Ed25519 (RFC 8410).
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// id-ml-dsa-44 (RFC 9881).
pub(crate) const ML_DSA_44: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11];
/// id-ml-dsa-65.
pub(crate) const ML_DSA_65: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12];
/// id-ml-dsa-87.
pub(crate) const ML_DSA_87: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13];

/// What people call an identifier: those above and those that turn up in key files by mistake.
pub(crate) fn name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        RSA_ENCRYPTION => "RSA",
        RSASSA_PSS => "RSA-PSS",
        EC_PUBLIC_KEY => "elliptic curve",
        SECP256R1 => "P-256",
        SECP384R1 => "P-384",
        SECP521R1 => "P-521",
        ED25519 => "Ed25519",
        ML_DSA_44 => "ML-DSA-44",
        ML_DSA_65 => "ML-DSA-65",
        ML_DSA_87 => "ML-DSA-87",
        [0x2b, 0x65, 0x6e] => "X25519, which can exchange keys but not sign",
        [0x2b, 0x65, 0x6f] => "X448, which can exchange keys but not sign",
        [0x2b, 0x65, 0x71] => "Ed448",
        [0x2b, 0x81, 0x04, 0x00, 0x0a] => "secp256k1",
        [0x2b, 0x81, 0x04, 0x00, 0x21] => "P-224",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x01] => "P-192",
        [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, ..] => "a Brainpool curve",
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => "DSA",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01] => "Diffie-Hellman",
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, ..] => {
            "ML-KEM, which can exchange keys but not sign"
        }
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x14..=0x1f] => "SLH-DSA",
        _ => return None,
    })
}

/// The dotted form, with the name when there is one: `1.3.132.0.10 (secp256k1)`. Total: an identifier that is cut
/// short or has enormous arcs is still shown somehow, in bounded length.
pub(crate) fn describe(oid: &[u8]) -> String {
    let mut out = String::new();
    let mut arc = 0u64;
    for (index, byte) in oid.iter().take(32).enumerate() {
        arc = (arc << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if out.is_empty() && index < 10 {
            let first = (arc / 40).min(2);
            let _ = write!(out, "{first}.{}", arc.saturating_sub(first.saturating_mul(40)));
        } else {
            let _ = write!(out, ".{arc}");
        }
        arc = 0;
    }
    if oid.len() > 32 {
        out.push_str("...");
    }
    if let Some(name) = name(oid) {
        let _ = write!(out, " ({name})");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_shown_dotted_and_by_name() {
        assert_eq!(describe(RSA_ENCRYPTION), "1.2.840.113549.1.1.1 (RSA)");
        assert_eq!(describe(ML_DSA_65), "2.16.840.1.101.3.4.3.18 (ML-DSA-65)");
        assert_eq!(describe(&[0x2b, 0x81, 0x04, 0x00, 0x0a]), "1.3.132.0.10 (secp256k1)");
        assert_eq!(describe(&[0x2a, 0x03]), "1.2.3");
    }

    #[test]
    fn hostile_identifiers_are_shown_in_bounded_length() {
        assert!(describe(&[0xff; 4000]).len() < 100);
        assert!(describe(&[0x01; 4000]).len() < 200);
        assert_eq!(describe(&[]), "");
    }
}
