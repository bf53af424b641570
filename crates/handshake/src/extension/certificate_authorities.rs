//! certificate_authorities (RFC 9846 section 4.3.4): whose certificates the sender would like to see.

use core::fmt;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// A borrowed list of distinguished names, DER, none empty; in the extension at least one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DistinguishedNames<'a>(&'a [u8]);

impl<'a> DistinguishedNames<'a> {
    /// The names, in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let mut r = Reader::new(self.0, "certificate_authorities");
        core::iter::from_fn(move || r.vec_u16().ok())
    }

    /// The names as owned values.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Vec<u8>> {
        self.iter().map(<[u8]>::to_vec).collect()
    }
}

impl fmt::Debug for DistinguishedNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedNames({})", self.iter().count())
    }
}

/// Reads the list, the same in ClientHello and CertificateRequest.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list or name.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<DistinguishedNames<'a>, Error> {
    let list = r.nonempty_u16()?;
    let mut names = Reader::new(list, "certificate_authorities");
    while !names.is_empty() {
        names.nonempty_u16()?;
    }
    Ok(DistinguishedNames(list))
}

/// Reads TLS 1.2's list (RFC 5246 section 7.4.4), which may be empty.
///
/// # Errors
/// [`Error::Malformed`], also for an empty name.
pub fn parse_list<'a>(r: &mut Reader<'a>) -> Result<DistinguishedNames<'a>, Error> {
    let list = r.vec_u16()?;
    let mut names = Reader::new(list, "certificate_authorities");
    while !names.is_empty() {
        names.nonempty_u16()?;
    }
    Ok(DistinguishedNames(list))
}

/// Writes the extension.
pub fn write(w: &mut Writer, authorities: &[Vec<u8>]) {
    extension::write(w, ExtensionType::CERTIFICATE_AUTHORITIES, |w| {
        w.block_u16(|w| authorities.iter().for_each(|name| w.vec_u16(name)));
    });
}
