//! ticket_request (RFC 9149): how many tickets a client would like.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// A client's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketRequest {
    /// Tickets wanted after a full handshake.
    pub new_session_count: u8,
    /// Tickets wanted after a resumption.
    pub resumption_count: u8,
}

/// Reads a client's wish.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse(r: &mut Reader<'_>) -> Result<TicketRequest, Error> {
    Ok(TicketRequest { new_session_count: r.u8()?, resumption_count: r.u8()? })
}

/// Reads a server's expected_count.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_hint(r: &mut Reader<'_>) -> Result<u8, Error> {
    r.u8()
}

/// Writes a client's wish.
pub fn write(w: &mut Writer, request: TicketRequest) {
    extension::write(w, ExtensionType::TICKET_REQUEST, |w| {
        w.u8(request.new_session_count);
        w.u8(request.resumption_count);
    });
}

/// Writes a server's expected_count.
pub fn write_hint(w: &mut Writer, expected_count: u8) {
    extension::write(w, ExtensionType::TICKET_REQUEST, |w| w.u8(expected_count));
}
