//! quic_transport_parameters (RFC 9001 section 8.2): opaque here, QUIC's to read.

use crate::codec::Writer;
use crate::extension::{self, ExtensionType};

/// Writes the extension.
pub fn write(w: &mut Writer, parameters: &[u8]) {
    extension::write(w, ExtensionType::QUIC_TRANSPORT_PARAMETERS, |w| w.bytes(parameters));
}
