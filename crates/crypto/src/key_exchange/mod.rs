//! Key exchange.

use core::fmt;

/// A TLS group (RFC 9846 section 4.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamedGroup(pub u16);

impl fmt::Display for NamedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group 0x{:04x}", self.0)
    }
}
