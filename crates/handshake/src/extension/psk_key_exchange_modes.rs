//! psk_key_exchange_modes (RFC 9846 section 4.3.9): with which key exchange a client uses its PSKs and tickets.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// psk_ke: without a key exchange. Named to be recognised; never used, since it has no forward secrecy.
pub const PSK_KE: u8 = 0;
/// psk_dhe_ke: with a key exchange.
pub const PSK_DHE_KE: u8 = 1;

/// A borrowed list of modes, not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PskKeyExchangeModes<'a>(&'a [u8]);

impl PskKeyExchangeModes<'_> {
    /// Whether psk_dhe_ke is among them: the condition for sending tickets to this client.
    #[must_use]
    pub fn psk_dhe_ke(&self) -> bool {
        self.0.contains(&PSK_DHE_KE)
    }
}

/// Reads a client's list.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<PskKeyExchangeModes<'a>, Error> {
    match r.vec_u8()? {
        [] => Err(r.malformed()),
        modes => Ok(PskKeyExchangeModes(modes)),
    }
}

/// Writes the extension with psk_dhe_ke alone, or behind a mode that is reserved to mean nothing (RFC 8701).
pub fn write(w: &mut Writer, grease: Option<u8>) {
    extension::write(w, ExtensionType::PSK_KEY_EXCHANGE_MODES, |w| {
        w.block_u8(|w| grease.into_iter().chain([PSK_DHE_KE]).for_each(|mode| w.u8(mode)));
    });
}
