//! GREASE (RFC 8701): values that are reserved to mean nothing. Who sends them keeps peers from forgetting that a
//! list may hold what they do not know; who meets them ignores them, as everything unknown.
//!
//! Nothing here looks for them in what is received. A peer that selects one has selected what was not offered for
//! use, and is refused as for any other such value: suites, versions, groups and signature schemes with
//! illegal_parameter, extensions with unsupported_extension.

use std::borrow::Cow;

use crate::codec::Writer;
use crate::extension::{self, ExtensionType};

/// The values of one connection: drawn once, so that a second ClientHello says what the first said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grease {
    seed: [u8; 4],
}

impl Grease {
    /// Values from four random bytes.
    #[must_use]
    pub const fn new(seed: [u8; 4]) -> Self {
        Self { seed }
    }

    /// For cipher_suites.
    #[must_use]
    pub fn cipher_suite(&self) -> u16 {
        value(self.nibbles(0).0)
    }

    /// For supported_groups, and the group of a key share of one byte.
    #[must_use]
    pub fn group(&self) -> u16 {
        value(self.nibbles(0).1)
    }

    /// For supported_versions.
    #[must_use]
    pub fn version(&self) -> u16 {
        value(self.nibbles(1).0)
    }

    /// For signature_algorithms and signature_algorithms_cert.
    #[must_use]
    pub fn signature_scheme(&self) -> u16 {
        value(self.nibbles(1).1)
    }

    /// The type of an extension without data.
    #[must_use]
    pub fn empty_extension(&self) -> ExtensionType {
        ExtensionType(value(self.nibbles(2).0))
    }

    /// The type of an extension of one byte; another one than that of the [empty one](Self::empty_extension).
    #[must_use]
    pub fn one_byte_extension(&self) -> ExtensionType {
        let (empty, other) = self.nibbles(2);
        ExtensionType(value(if other == empty { other ^ 1 } else { other }))
    }

    /// For psk_key_exchange_modes: 0x0b, 0x2a, .. 0xe4, each 31 above the one before.
    #[must_use]
    pub fn psk_key_exchange_mode(&self) -> u8 {
        let [.., last] = self.seed;
        (last & 7).wrapping_mul(0x1f).wrapping_add(0x0b)
    }

    fn nibbles(&self, byte: usize) -> (u8, u8) {
        let byte = self.seed.get(byte).copied().unwrap_or_default();
        (byte >> 4, byte & 15)
    }
}

/// 0x0a0a, 0x1a1a, .. 0xfafa.
fn value(nibble: u8) -> u16 {
    u16::from(nibble).wrapping_mul(0x1010).wrapping_add(0x0a0a)
}

/// Whether a suite, group, version, signature scheme or extension type is reserved for GREASE.
#[must_use]
pub const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 15 == 10
}

/// A list with the reserved value, if there is one, ahead of what is meant.
pub(crate) fn ahead<T: Copy + From<u16>>(value: Option<u16>, list: &[T]) -> Cow<'_, [T]> {
    match value {
        None => Cow::Borrowed(list),
        Some(value) => Cow::Owned(core::iter::once(T::from(value)).chain(list.iter().copied()).collect()),
    }
}

/// Writes a reserved extension.
pub(crate) fn write(w: &mut Writer, typ: ExtensionType, data: &[u8]) {
    extension::write(w, typ, |w| w.bytes(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8701 section 2.
    const VALUES: [u16; 16] = [
        0x0a0a, 0x1a1a, 0x2a2a, 0x3a3a, 0x4a4a, 0x5a5a, 0x6a6a, 0x7a7a, 0x8a8a, 0x9a9a, 0xaaaa, 0xbaba,
        0xcaca, 0xdada, 0xeaea, 0xfafa,
    ];
    const MODES: [u8; 8] = [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4];

    #[test]
    fn exactly_the_reserved_values_are_grease() {
        let found: Vec<u16> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
        assert_eq!(found, VALUES);
    }

    #[test]
    fn every_seed_gives_reserved_values_and_two_different_extensions() {
        for byte in 0..=255 {
            let grease = Grease::new([byte; 4]);
            let (empty, other) = (grease.empty_extension(), grease.one_byte_extension());
            assert_ne!(empty, other);
            for value in [
                grease.cipher_suite(),
                grease.group(),
                grease.version(),
                grease.signature_scheme(),
                empty.0,
                other.0,
            ] {
                assert!(VALUES.contains(&value), "{value:#06x}");
            }
            assert!(MODES.contains(&grease.psk_key_exchange_mode()));
        }
        let all: std::collections::BTreeSet<u8> =
            (0..8).map(|last| Grease::new([0, 0, 0, last]).psk_key_exchange_mode()).collect();
        assert_eq!(all.into_iter().collect::<Vec<_>>(), MODES);
    }

    #[test]
    fn no_reserved_extension_is_one_that_is_recognised() {
        for value in VALUES {
            assert_eq!(ExtensionType(value).name(), None);
        }
    }
}
