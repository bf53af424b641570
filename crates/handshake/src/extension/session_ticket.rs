//! session_ticket (RFC 5077): a TLS 1.2 ticket, or the wish for one.

use crate::codec::Writer;
use crate::extension::{self, ExtensionType};

/// Writes the extension; an empty ticket asks for one, or (server) promises one.
pub fn write(w: &mut Writer, ticket: &[u8]) {
    extension::write(w, ExtensionType::SESSION_TICKET, |w| w.bytes(ticket));
}
