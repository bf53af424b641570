//! key_share (RFC 9846 section 4.3.8): public values of the key exchange.

use core::fmt;

use oxtls_crypto::key_exchange::NamedGroup;

use crate::codec::{List16, Reader, Set16, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// One public value. Its length and form are the key exchange's to check.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyShareEntry<'a> {
    /// The group it belongs to.
    pub group: NamedGroup,
    /// The value, not empty.
    pub key_exchange: &'a [u8],
}

impl<'a> KeyShareEntry<'a> {
    fn parse(r: &mut Reader<'a>) -> Result<Self, Error> {
        Ok(Self { group: NamedGroup(r.u16()?), key_exchange: r.nonempty_u16()? })
    }

    fn write(&self, w: &mut Writer) {
        w.u16(self.group.0);
        w.vec_u16(self.key_exchange);
    }
}

impl fmt::Debug for KeyShareEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyShareEntry({}, {} bytes)", self.group, self.key_exchange.len())
    }
}

/// A client's borrowed list; an empty one asks for a HelloRetryRequest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyShareList<'a>(&'a [u8]);

impl<'a> KeyShareList<'a> {
    /// The shares, in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = KeyShareEntry<'a>> + Clone + use<'a> {
        let mut r = Reader::new(self.0, "key_share");
        core::iter::from_fn(move || KeyShareEntry::parse(&mut r).ok())
    }

    /// The share of this group.
    #[must_use]
    pub fn find(&self, group: NamedGroup) -> Option<KeyShareEntry<'a>> {
        self.iter().find(|entry| entry.group == group)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the list against the client's supported_groups: each share of a group that is listed there, in the same
    /// order, none twice. So the group that a server selects is one that the client negotiates, whichever of the two
    /// lists it looks at.
    ///
    /// # Errors
    /// [`Error::IllegalParameter`].
    pub fn check(&self, supported: &List16<'a, NamedGroup>) -> Result<(), Error> {
        let mut groups = supported.iter();
        let mut seen = Set16::default();
        for share in self.iter() {
            if !seen.insert(share.group.0) {
                return Err(Error::IllegalParameter { what: "two key shares of one group" });
            }
            if !groups.any(|group| group == share.group) {
                return Err(Error::IllegalParameter {
                    what: "a key share that is not in supported_groups, or not in its order",
                });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for KeyShareList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Reads a client's list.
///
/// # Errors
/// [`Error::Malformed`], also for an empty share.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<KeyShareList<'a>, Error> {
    let list = r.vec_u16()?;
    let mut entries = Reader::new(list, "key_share");
    while !entries.is_empty() {
        KeyShareEntry::parse(&mut entries)?;
    }
    Ok(KeyShareList(list))
}

/// Reads a ServerHello's share.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_server<'a>(r: &mut Reader<'a>) -> Result<KeyShareEntry<'a>, Error> {
    KeyShareEntry::parse(r)
}

/// Reads the selected_group of a HelloRetryRequest.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_retry(r: &mut Reader<'_>) -> Result<NamedGroup, Error> {
    r.u16().map(NamedGroup)
}

/// Writes a client's list.
pub fn write(w: &mut Writer, shares: &[KeyShareEntry<'_>]) {
    extension::write(w, ExtensionType::KEY_SHARE, |w| {
        w.block_u16(|w| shares.iter().for_each(|share| share.write(w)));
    });
}

/// Writes a ServerHello's share.
pub fn write_server(w: &mut Writer, share: KeyShareEntry<'_>) {
    extension::write(w, ExtensionType::KEY_SHARE, |w| share.write(w));
}

/// Writes the selected_group of a HelloRetryRequest.
pub fn write_retry(w: &mut Writer, group: NamedGroup) {
    extension::write(w, ExtensionType::KEY_SHARE, |w| w.u16(group.0));
}
