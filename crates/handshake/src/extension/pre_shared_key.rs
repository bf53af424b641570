//! pre_shared_key (RFC 9846 section 4.3.11): sessions and external keys that the client offers.

use oxtls_crypto::hash::Hash;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// One offered identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PskIdentity<'a> {
    /// A ticket, or the name of an external PSK; not empty.
    pub identity: &'a [u8],
    /// Age of the ticket in milliseconds plus ticket_age_add, modulo 2^32.
    pub obfuscated_ticket_age: u32,
}

/// A client's offer: as many binders as identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedPsks<'a> {
    identities: &'a [u8],
    binders: &'a [u8],
}

impl<'a> OfferedPsks<'a> {
    /// The identities, in the order of the wire.
    pub fn identities(&self) -> impl Iterator<Item = PskIdentity<'a>> + Clone + use<'a> {
        identities_of(self.identities)
    }

    /// The identities as they are on the wire, for [`identities_of`].
    pub(crate) const fn identity_list(&self) -> &'a [u8] {
        self.identities
    }

    /// The binders, in the order of the identities; each has up to 255 bytes.
    pub fn binders(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut r = Reader::new(self.binders, "pre_shared_key");
        core::iter::from_fn(move || r.vec_u8().ok())
    }

    /// Bytes that the list of binders takes at the end of the ClientHello, its length field included: what a binder's
    /// transcript leaves out (RFC 9846 section 4.3.11.2).
    #[must_use]
    pub const fn binders_len(&self) -> usize {
        self.binders.len().saturating_add(2)
    }
}

/// The identities of a list that has been read.
pub(crate) fn identities_of(list: &[u8]) -> impl Iterator<Item = PskIdentity<'_>> + Clone {
    let mut r = Reader::new(list, "pre_shared_key");
    core::iter::from_fn(move || parse_identity(&mut r).ok())
}

fn parse_identity<'a>(r: &mut Reader<'a>) -> Result<PskIdentity<'a>, Error> {
    Ok(PskIdentity { identity: r.nonempty_u16()?, obfuscated_ticket_age: r.u32()? })
}

/// Reads a client's offer.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list or an empty identity;
/// [`Error::IllegalParameter`] if there are not as many binders as identities.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<OfferedPsks<'a>, Error> {
    let psks = OfferedPsks { identities: r.nonempty_u16()?, binders: r.nonempty_u16()? };
    let mut identities = Reader::new(psks.identities, "pre_shared_key");
    let mut binders = Reader::new(psks.binders, "pre_shared_key");
    let (mut identity_count, mut binder_count) = (0_usize, 0_usize);
    while !identities.is_empty() {
        parse_identity(&mut identities)?;
        identity_count = identity_count.saturating_add(1);
    }
    while !binders.is_empty() {
        // One of another length than its hash's does not verify, whatever length that is.
        binders.vec_u8()?;
        binder_count = binder_count.saturating_add(1);
    }
    if identity_count != binder_count {
        return Err(Error::IllegalParameter {
            what: "pre_shared_key with unequal counts of identities and binders",
        });
    }
    Ok(psks)
}

/// Writes a client's offer of one PSK of this hash, with zeros where its binder goes: that is made over what comes before
/// it, and so when all else is written (RFC 9846 section 4.3.11.2). It is then the last of the message.
pub fn write_without_binder(w: &mut Writer, psk: PskIdentity<'_>, hash: Hash) {
    extension::write(w, ExtensionType::PRE_SHARED_KEY, |w| {
        w.block_u16(|w| {
            w.vec_u16(psk.identity);
            w.u32(psk.obfuscated_ticket_age);
        });
        w.block_u16(|w| w.block_u8(|w| (0..hash.output_len()).for_each(|_| w.u8(0))));
    });
}

/// Bytes that the list of one binder of this hash takes at the end of the ClientHello, its length field included.
#[must_use]
pub const fn binders_len(hash: Hash) -> usize {
    hash.output_len().saturating_add(3)
}

/// Reads the selected_identity of a ServerHello: an index into the client's identities.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_selected(r: &mut Reader<'_>) -> Result<u16, Error> {
    r.u16()
}

/// Writes the selected_identity of a ServerHello.
pub fn write_selected(w: &mut Writer, selected_identity: u16) {
    extension::write(w, ExtensionType::PRE_SHARED_KEY, |w| w.u16(selected_identity));
}
