//! application_layer_protocol_negotiation (RFC 7301): which protocol is spoken inside.

use core::fmt;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// A borrowed ProtocolNameList: names of 1 to 255 bytes, at least one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProtocolList<'a>(&'a [u8]);

impl<'a> ProtocolList<'a> {
    /// The names, in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut r = Reader::new(self.0, "ProtocolNameList");
        core::iter::from_fn(move || r.vec_u8().ok())
    }

    /// Whether `protocol` is among them.
    #[must_use]
    pub fn contains(&self, protocol: &[u8]) -> bool {
        self.iter().any(|name| name == protocol)
    }

    /// The names as owned values.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Vec<u8>> {
        self.iter().map(<[u8]>::to_vec).collect()
    }
}

impl fmt::Debug for ProtocolList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// Reads a client's list.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list or name.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<ProtocolList<'a>, Error> {
    let list = r.nonempty_u16()?;
    let mut names = Reader::new(list, "ProtocolNameList");
    while !names.is_empty() {
        if names.vec_u8()?.is_empty() {
            return Err(names.malformed());
        }
    }
    Ok(ProtocolList(list))
}

/// Reads a server's answer: a list of exactly one name.
///
/// # Errors
/// [`Error::Malformed`] for anything else.
pub fn parse_selected<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    let list = parse(r)?;
    let mut names = list.iter();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name),
        _ => Err(r.malformed()),
    }
}

/// Writes a client's list, or a server's list of one.
pub fn write<P: AsRef<[u8]>>(w: &mut Writer, protocols: &[P]) {
    extension::write(w, ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, |w| {
        w.block_u16(|w| protocols.iter().for_each(|protocol| w.vec_u8(protocol.as_ref())));
    });
}
