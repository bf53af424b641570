//! supported_groups (RFC 9846 section 4.3.7): groups for key exchange, most preferred first.

use oxtls_crypto::key_exchange::NamedGroup;

use crate::codec::{List16, Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// Reads a NamedGroupList, the same in ClientHello and EncryptedExtensions.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<List16<'a, NamedGroup>, Error> {
    List16::parse(r.vec_u16()?, "supported_groups")
}

/// Writes the extension.
pub fn write(w: &mut Writer, groups: &[NamedGroup]) {
    extension::write(w, ExtensionType::SUPPORTED_GROUPS, |w| {
        w.block_u16(|w| groups.iter().for_each(|group| w.u16(group.0)));
    });
}
