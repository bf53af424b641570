//! Other reasons to trust a peer than a path to a root, each named, none by accident.

use core::fmt;
use core::str::FromStr;
use std::sync::Arc;

use pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::reader::ParseError;
use crate::trust::sha256;

/// Why a [`Verifier`](crate::Verifier) trusts a peer. Which one it is, is settled by how the verifier was made and is
/// part of its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// A path to one of the roots ([`Verifier::new`](crate::Verifier::new)).
    Roots,
    /// A path to one of the roots that has one of these keys in it
    /// ([`Verifier::pinned`](crate::Verifier::pinned)).
    RootsAndPins(Arc<[SpkiPin]>),
    /// The peer's certificate is exactly one of the roots ([`Verifier::exactly`](crate::Verifier::exactly)).
    Exactly,
    /// None: whoever comes is taken for whom they say they are
    /// ([`Verifier::danger_accept_anyone`](crate::Verifier::danger_accept_anyone)).
    Anyone(DangerAcceptAnyone),
}

impl Trust {
    /// For fingerprints and reports.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Roots => "a path to one of the roots",
            Self::RootsAndPins(_) => "a path to one of the roots that has one of the pinned keys in it",
            Self::Exactly => "exactly the certificates that were given",
            Self::Anyone(_) => "ANYONE whose certificate can be read",
        }
    }

    /// Everything about it that decides a verdict, for the fingerprint. The order of pins does not.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut pins: Vec<_> = self.pins().iter().flat_map(|pins| pins.iter().map(|pin| pin.0)).collect();
        pins.sort_unstable();
        pins.dedup();
        sha256(&[self.name().as_bytes(), b"\0", &pins.concat()])
    }

    /// The pins, if there must be one.
    pub(crate) fn pins(&self) -> Option<&[SpkiPin]> {
        if let Self::RootsAndPins(pins) = self { Some(pins) } else { None }
    }
}

/// What stood for the peer in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrustedBy {
    /// A path to a root.
    Path,
    /// A path to a root, with a pinned key in it.
    PinnedPath,
    /// Its certificate is one of those trusted as they are.
    ExactCertificate,
    /// Nothing: the verifier accepts anyone.
    DangerNobody,
}

/// To write this is to say: **anybody** between here and the peer may read and change everything, and that is fine here.
/// For measurements and for tests of something else; for a test server of one's own,
/// [`Verifier::exactly`](crate::Verifier::exactly) is as easy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "to be written out by who means it")]
pub struct DangerAcceptAnyone;

/// SHA-256 of a SubjectPublicKeyInfo (RFC 7469 section 2.4): a key that must be in the path.
///
/// `Display` and `FromStr` are the usual text, `sha256/` and base64; reading takes `sha256//` (as curl has it) and bare
/// base64 too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpkiPin([u8; 32]);

impl SpkiPin {
    /// A pin that is known.
    #[must_use]
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The pin of a SubjectPublicKeyInfo, DER with its header.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Self {
        Self(sha256(&[spki]))
    }

    /// The pin of a certificate's key.
    ///
    /// # Errors
    /// If the certificate can't be parsed.
    pub fn of_certificate(certificate: &CertificateDer<'_>) -> Result<Self, ParseError> {
        Ok(Self::of_spki(Certificate::parse(certificate)?.spki()))
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// RFC 4648 section 4.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl fmt::Display for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256/")?;
        for group in self.0.chunks(3) {
            let octet = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
            let word = octet(0) << 16 | octet(1) << 8 | octet(2);
            for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
                let index = usize::try_from(word >> shift & 63).unwrap_or(0);
                let letter = BASE64.get(index).copied().map_or('=', char::from);
                fmt::Write::write_char(f, if place > group.len() { '=' } else { letter })?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpkiPin({self})")
    }
}

impl FromStr for SpkiPin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        let encoded = text.strip_prefix("sha256/").unwrap_or(text);
        // `/` is a digit of base64 too: only a further one belongs to the prefix.
        let encoded =
            if encoded.len() == 45 { encoded.strip_prefix('/').unwrap_or(encoded) } else { encoded };
        let digits = encoded.strip_suffix('=').ok_or(PinError)?;
        let mut octets = [0; 32];
        let mut places = octets.iter_mut();
        let (mut word, mut bits) = (0u32, 0u32);
        for digit in digits.bytes() {
            let value = BASE64.iter().position(|&known| known == digit).ok_or(PinError)?;
            word = word << 6 | u32::try_from(value).map_err(|_| PinError)?;
            bits = bits.saturating_add(6);
            if let Some(left) = bits.checked_sub(8) {
                let octet = u8::try_from(word >> left & 0xff).map_err(|_| PinError)?;
                *places.next().ok_or(PinError)? = octet;
                bits = left;
            }
        }
        // 43 digits are 258 bits: the last two are padding and zero.
        if digits.len() == 43 && word & 3 == 0 { Ok(Self(octets)) } else { Err(PinError) }
    }
}

/// A text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinError;

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pin is sha256/ and the base64 of 32 octets: the SHA-256 of a SubjectPublicKeyInfo")
    }
}

impl core::error::Error for PinError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_written_as_they_are_read() {
        for octets in [[0; 32], [0xff; 32], core::array::from_fn(|i| u8::try_from(i * 7 + 5).unwrap())] {
            let pin = SpkiPin::new(octets);
            let text = pin.to_string();
            assert_eq!(text.len(), 7 + 44);
            assert_eq!(text.parse(), Ok(pin));
            assert_eq!(text.replacen('/', "//", 1).parse(), Ok(pin));
            assert_eq!(text["sha256/".len()..].parse(), Ok(pin));
        }
        // What `openssl dgst -sha256 -binary </dev/null | base64` prints.
        assert_eq!(SpkiPin::of_spki(b"").to_string(), "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn what_is_no_pin_is_refused() {
        let good = SpkiPin::of_spki(b"").to_string();
        for text in [
            "",
            "=",
            "sha256/",
            "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            &good[..good.len() - 1],
            &good[..good.len() - 2],
            &good.replace("SuFU=", "SuFV="),
            &good.replace("uFU=", "uFUA="),
            &good.replace('Q', "-"),
        ] {
            assert_eq!(text.parse::<SpkiPin>(), Err(PinError), "{text}");
        }
    }
}
