//! tls_flags (draft-ietf-tls-tlsflags): one bit each for extensions that say nothing but that they are there. Only a ticket
//! has any that is known here.

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::extension::{self, ExtensionType};

/// resumption_across_names (draft-ietf-tls-cross-sni-resumption): whoever resumes the ticket's session may ask for another
/// name of the server's certificate.
pub const RESUMPTION_ACROSS_NAMES: u8 = 8;

/// A set of flags, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsFlags<'a>(&'a [u8]);

impl TlsFlags<'_> {
    /// Whether this flag is set: the bit that is worth `1 << (flag % 8)` in byte `flag / 8`.
    #[must_use]
    pub fn has(self, flag: u8) -> bool {
        let byte = self.0.get(usize::from(flag / 8)).copied().unwrap_or_default();
        byte & mask(flag) != 0
    }
}

const fn mask(flag: u8) -> u8 {
    1 << (flag % 8)
}

/// Reads the flags.
///
/// # Errors
/// [`Error::Malformed`], also for none at all; [`Error::IllegalParameter`] for flags that go on behind the last one that is
/// set.
pub fn parse<'a>(r: &mut Reader<'a>) -> Result<TlsFlags<'a>, Error> {
    let flags = r.vec_u8()?;
    match flags.last() {
        None => Err(r.malformed()),
        Some(0) => Err(Error::IllegalParameter { what: "tls_flags that go on behind the last flag" }),
        Some(_) => Ok(TlsFlags(flags)),
    }
}

/// Writes one flag.
pub fn write(w: &mut Writer, flag: u8) {
    extension::write(w, ExtensionType::TLS_FLAGS, |w| {
        w.block_u8(|w| {
            w.bytes([0; 32].get(..usize::from(flag / 8)).unwrap_or_default());
            w.u8(mask(flag));
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: &[u8]) -> Result<TlsFlags<'_>, Error> {
        let mut r = Reader::new(flags, "tls_flags");
        let flags = parse(&mut r)?;
        r.finish()?;
        Ok(flags)
    }

    #[test]
    fn a_flag_comes_back_alone_and_at_its_place() {
        for flag in [0, 1, 7, RESUMPTION_ACROSS_NAMES, 9, u8::MAX] {
            let mut w = Writer::new();
            write(&mut w, flag);
            let bytes = w.finish().unwrap();
            let flags = read(&bytes[4..]).unwrap();
            assert!((0..=u8::MAX).all(|other| flags.has(other) == (other == flag)), "{flag}");
        }
        assert!(read(&[2, 0, 1]).unwrap().has(RESUMPTION_ACROSS_NAMES), "the first bit of the second byte");
    }

    #[test]
    fn flags_that_nobody_knows_are_no_error_and_their_form_is() {
        let all = [&[255][..], &[0; 254], &[0x80]].concat();
        assert!(!read(&all).unwrap().has(RESUMPTION_ACROSS_NAMES), "2,039, the last that there is room for");
        for bad in [&[][..], &[0], &[2, 1], &[1, 1, 1]] {
            assert!(matches!(read(bad), Err(Error::Malformed { .. })), "{bad:?}");
        }
        for longer in [&[1, 0][..], &[2, 1, 0]] {
            assert!(matches!(read(longer), Err(Error::IllegalParameter { .. })), "{longer:?}");
        }
    }
}
