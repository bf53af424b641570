//! General names (RFC 5280 section 4.2.1.6): those of a subjectAltName, and the bases of subtrees.

use crate::reader::{Parsed, Reader, at, check_oid, tag};

use super::Name;

/// One name of a subjectAltName or of a subtree (RFC 5280 section 4.2.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName<'a> {
    /// A DNS name as presented: ASCII, not checked further.
    Dns(&'a str),
    /// 4 or 16 octets in a subjectAltName, 8 or 32 in a subtree (address and mask); other lengths as presented.
    Ip(&'a [u8]),
    /// A URI: ASCII, not checked further.
    Uri(&'a str),
    /// A mailbox (rfc822Name): ASCII, not checked further.
    Email(&'a str),
    /// A distinguished name.
    Directory(Name<'a>),
    /// Any other form, by its tag number: otherName 0, x400Address 3, ediPartyName 5, registeredID 8.
    Other(u8, &'a [u8]),
}

impl<'a> GeneralName<'a> {
    /// What a comparison with it is charged: its octets, those of a distinguished name twice, because each of its
    /// parts is read and folded.
    pub(crate) const fn effort(&self) -> usize {
        match self {
            Self::Dns(text) | Self::Uri(text) | Self::Email(text) => text.len(),
            Self::Ip(octets) | Self::Other(_, octets) => octets.len(),
            Self::Directory(name) => name.contents.len().saturating_mul(2),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<Self> {
        Self::read_with(reader, Name::read)
    }

    /// Reads a name that was checked before.
    pub(crate) fn reread(reader: &mut Reader<'a>) -> Option<Self> {
        Self::read_with(reader, |inner| Ok(Name::trusted(inner.any()?.value))).ok()
    }

    fn read_with(
        reader: &mut Reader<'a>,
        read_name: impl FnOnce(&mut Reader<'a>) -> Parsed<Name<'a>>,
    ) -> Parsed<Self> {
        let element = reader.any()?;
        let text = || {
            core::str::from_utf8(element.value)
                .ok()
                .filter(|text| text.is_ascii())
                .ok_or_else(|| at(element.start, "IA5String has characters beyond ASCII"))
        };
        Ok(match element.tag {
            0x81 => Self::Email(text()?),
            0x82 => Self::Dns(text()?),
            0x86 => Self::Uri(text()?),
            0x87 => Self::Ip(element.value),
            // CHOICE makes the tag explicit: the Name's own header lies within.
            0xa4 => {
                let mut inner = element.reader();
                let name = read_name(&mut inner)?;
                inner.end("bytes after a directoryName")?;
                Self::Directory(name)
            }
            0xa0 => {
                let mut fields = element.reader();
                fields.oid()?;
                fields.expect(tag::context_constructed(0), "an otherName has a value")?;
                fields.end("bytes after an otherName")?;
                Self::Other(0, element.value)
            }
            0xa3 => Self::Other(3, element.value),
            0xa5 => Self::Other(5, element.value),
            0x88 => {
                check_oid(element.value).map_err(|what| at(element.start, what))?;
                Self::Other(8, element.value)
            }
            _ => return Err(at(element.start, "not a GeneralName")),
        })
    }
}

/// The names of a checked GeneralNames; iteration cannot fail.
#[derive(Clone, Copy, Debug)]
pub struct GeneralNames<'a> {
    reader: Reader<'a>,
}

impl<'a> GeneralNames<'a> {
    /// Checks the contents of a GeneralNames: at least one name, each well formed.
    pub(crate) fn check(contents: Reader<'a>) -> Parsed<Self> {
        let mut reader = contents;
        if reader.is_empty() {
            return Err(reader.error("GeneralNames is empty"));
        }
        while !reader.is_empty() {
            GeneralName::read(&mut reader)?;
        }
        Ok(Self { reader: contents })
    }

    /// Names from contents that were checked before.
    pub(crate) const fn trusted(contents: &'a [u8]) -> Self {
        Self { reader: Reader::new(contents, 0) }
    }
}

impl<'a> Iterator for GeneralNames<'a> {
    type Item = GeneralName<'a>;

    fn next(&mut self) -> Option<GeneralName<'a>> {
        if self.reader.is_empty() { None } else { GeneralName::reread(&mut self.reader) }
    }
}
