//! post_handshake_auth (RFC 9846 section 4.3.6): a client's willingness to authenticate later. Empty. Recognised at a
//! server, which never asks; never sent by a client.

use crate::codec::Writer;
use crate::extension::{self, ExtensionType};

/// Writes the extension.
pub fn write(w: &mut Writer) {
    extension::write(w, ExtensionType::POST_HANDSHAKE_AUTH, |_| {});
}
