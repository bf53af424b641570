//! NewSessionTicket (RFC 5077 section 3.3).

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// A received NewSessionTicket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSessionTicket<'a> {
    /// How long the server says that it keeps the ticket, seconds; 0: not said.
    pub lifetime_hint: u32,
    /// The ticket; empty: none after all.
    pub ticket: &'a [u8],
}

impl<'a> NewSessionTicket<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "NewSessionTicket");
        let lifetime_hint = r.u32()?;
        let ticket = r.vec_u16()?;
        r.finish()?;
        Ok(Self { lifetime_hint, ticket })
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if the ticket has over 65,535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        encoded(|w| self.write(w))
    }

    /// Writes the whole message.
    pub fn write(&self, w: &mut Writer) {
        message(w, HandshakeType::NEW_SESSION_TICKET, |w| {
            w.u32(self.lifetime_hint);
            w.vec_u16(self.ticket);
        });
    }
}
