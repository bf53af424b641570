//! encrypted_client_hello (RFC 9849): handed on undecoded here, since its form depends on the message and the role.

use crate::codec::Writer;
use crate::extension::{self, ExtensionType};

/// Writes the extension with these contents.
pub fn write(w: &mut Writer, contents: &[u8]) {
    extension::write(w, ExtensionType::ENCRYPTED_CLIENT_HELLO, |w| w.bytes(contents));
}
