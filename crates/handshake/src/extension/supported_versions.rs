//! supported_versions (RFC 9846 section 4.3.1): the only place where versions are negotiated.

use crate::codec::{List16, Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};
use crate::suite::ProtocolVersion;

/// Reads a client's list.
///
/// # Errors
/// [`Error::Malformed`], also for an empty list.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<List16<'a, ProtocolVersion>, Error> {
    List16::parse(r.vec_u8()?, "supported_versions")
}

/// Reads the selected_version of a ServerHello or HelloRetryRequest.
///
/// # Errors
/// [`Error::Malformed`].
pub fn parse_selected(r: &mut Reader<'_>) -> Result<ProtocolVersion, Error> {
    r.u16().map(ProtocolVersion)
}

/// Writes a client's list.
pub fn write(w: &mut Writer, versions: &[ProtocolVersion]) {
    extension::write(w, ExtensionType::SUPPORTED_VERSIONS, |w| {
        w.block_u8(|w| versions.iter().for_each(|version| w.u16(version.0)));
    });
}

/// Writes the selected_version of a ServerHello or HelloRetryRequest.
pub fn write_selected(w: &mut Writer, version: ProtocolVersion) {
    extension::write(w, ExtensionType::SUPPORTED_VERSIONS, |w| w.u16(version.0));
}
