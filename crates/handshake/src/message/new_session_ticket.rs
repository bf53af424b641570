//! NewSessionTicket (RFC 9846 section 4.7.1).

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::grease::{self, Grease};
use crate::extension::{self, Context, ExtensionType, OfferedSet, early_data, tls_flags};
use crate::message::{HandshakeType, encoded, message};

/// The longest lifetime that a ticket may have, in seconds: seven days.
pub const MAX_LIFETIME: u32 = 604_800;

/// A NewSessionTicket, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSessionTicket<'a> {
    /// ticket_lifetime in seconds, as received; over [`MAX_LIFETIME`] it is the receiver's to cut.
    pub lifetime: u32,
    /// ticket_age_add.
    pub age_add: u32,
    /// ticket_nonce, at most 255 bytes.
    pub nonce: &'a [u8],
    /// The ticket, 1 to 65,535 bytes.
    pub ticket: &'a [u8],
    /// max_early_data_size, plaintext bytes; `None`: no early data.
    pub max_early_data: Option<u32>,
    /// The flag resumption_across_names: the session may be resumed under another name of the server's certificate.
    pub resumption_across_names: bool,
}

impl<'a> NewSessionTicket<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`], also for an empty ticket; [`extension::read`]'s.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "NewSessionTicket");
        let mut this = Self {
            lifetime: r.u32()?,
            age_add: r.u32()?,
            nonce: r.vec_u8()?,
            ticket: r.nonempty_u16()?,
            max_early_data: None,
            resumption_across_names: false,
        };
        extension::read(&mut r, Context::NewSessionTicket, OfferedSet::EMPTY, |typ, r| {
            match typ {
                ExtensionType::TLS_FLAGS => {
                    let flags = tls_flags::parse(r)?;
                    this.resumption_across_names = flags.has(tls_flags::RESUMPTION_ACROSS_NAMES);
                }
                ExtensionType::EARLY_DATA => this.max_early_data = Some(early_data::parse_max_size(r)?),
                _ => {
                    r.rest();
                }
            }
            Ok(())
        })?;
        r.finish()?;
        Ok(this)
    }

    /// The whole message.
    ///
    /// # Errors
    /// [`Error::TooLong`] if nonce or ticket outgrow their length fields.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.encode_with(None)
    }

    /// The whole message, with an extension that means nothing (RFC 8701).
    ///
    /// # Errors
    /// As [`NewSessionTicket::encode`].
    pub fn encode_with(&self, grease: Option<Grease>) -> Result<Vec<u8>, Error> {
        let body = |w: &mut Writer| {
            w.u32(self.lifetime);
            w.u32(self.age_add);
            w.vec_u8(self.nonce);
            w.vec_u16(self.ticket);
            w.block_u16(|w| {
                if let Some(size) = self.max_early_data {
                    early_data::write_max_size(w, size);
                }
                if self.resumption_across_names {
                    tls_flags::write(w, tls_flags::RESUMPTION_ACROSS_NAMES);
                }
                if let Some(grease) = grease {
                    grease::write(w, grease.empty_extension(), &[]);
                }
            });
        };
        encoded(|w| message(w, HandshakeType::NEW_SESSION_TICKET, body))
    }
}
