//! extended_master_secret (RFC 7627): TLS 1.2's master secret depends on the whole handshake. Empty in both hellos.

use crate::codec::Writer;
use crate::extension::{self, ExtensionType};

/// Writes the extension.
pub fn write(w: &mut Writer) {
    extension::write(w, ExtensionType::EXTENDED_MASTER_SECRET, |_| {});
}
