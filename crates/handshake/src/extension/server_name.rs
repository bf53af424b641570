//! server_name (RFC 6066 section 3): which of its names the client wants the server to be.

use core::net::IpAddr;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

const HOST_NAME: u8 = 0;

/// Reads a ClientHello's ServerNameList. `None` for an IP address: RFC 6066 forbids it, but clients that are told to
/// connect to one do send it, and it names no virtual host.
///
/// # Errors
/// [`Error::Malformed`] for a broken list; [`Error::IllegalParameter`] for two names, another kind of name, or one
/// that is no DNS name in its A-label form ([`is_host_name`]): what the caller gets is safe to compare and to print.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<Option<&'a str>, Error> {
    let mut list = r.reader_u16()?;
    let typ = list.u8()?;
    if typ != HOST_NAME {
        return Err(Error::IllegalParameter { what: "server_name of an unknown name type" });
    }
    let name = list.nonempty_u16()?;
    if !list.is_empty() {
        return Err(Error::IllegalParameter { what: "server_name with more than one name" });
    }
    match core::str::from_utf8(name) {
        Ok(name) if is_host_name(name) => Ok(Some(name)),
        Ok(name) if name.parse::<IpAddr>().is_ok() => Ok(None),
        _ => Err(Error::IllegalParameter { what: "server_name that is not a DNS name" }),
    }
}

/// Writes a ClientHello's extension.
pub fn write(w: &mut Writer, name: &str) {
    extension::write(w, ExtensionType::SERVER_NAME, |w| {
        w.block_u16(|w| {
            w.u8(HOST_NAME);
            w.vec_u16(name.as_bytes());
        });
    });
}

/// Writes the server's acknowledgement, which is empty.
pub fn write_acknowledgement(w: &mut Writer) {
    extension::write(w, ExtensionType::SERVER_NAME, |_| {});
}

/// Whether this can be a host name in server_name: 1 to 253 bytes of labels of 1 to 63 letters, digits, hyphens and
/// underscores, without a trailing dot, and not an IP address, which RFC 6066 forbids here.
#[must_use]
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    // What has passed as labels can only be an address of digits and dots.
    let is_address =
        || name.bytes().all(|b| b.is_ascii_digit() || b == b'.') && name.parse::<IpAddr>().is_ok();
    name.len() <= 253 && name.as_bytes().split(|b| *b == b'.').all(label) && !is_address()
}
