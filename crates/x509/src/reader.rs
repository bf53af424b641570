//! A strict, borrowed DER reader (X.690 sections 8, 10 and 11) that knows where in the certificate it stands.
//!
//! Every element is checked for the one encoding DER allows: definite lengths in their shortest form, tags below 31,
//! canonical booleans, minimal integers and object identifiers, zero padding bits. Nothing recurses, nothing allocates.

use core::fmt;

use crate::rules::Rule;

/// Universal and context tags as they appear on the wire (one identifier octet).
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const UTF8_STRING: u8 = 0x0c;
    pub(crate) const PRINTABLE_STRING: u8 = 0x13;
    pub(crate) const TELETEX_STRING: u8 = 0x14;
    pub(crate) const IA5_STRING: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(crate) const BMP_STRING: u8 = 0x1e;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[n]`, primitive (implicitly tagged strings).
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[n]`, constructed.
    pub(crate) const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Why bytes are not a certificate: the rule they break and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// The rule that the encoding breaks.
    pub rule: Rule,
    /// Distance in octets from the first octet of the certificate to the one where reading stopped.
    pub offset: u32,
    /// What was wrong there, as a fragment of a sentence.
    pub what: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({})", self.what, self.offset, self.rule.section())
    }
}

impl core::error::Error for ParseError {}

/// What readers return.
pub(crate) type Parsed<T> = Result<T, ParseError>;

/// One tag-length-value element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    /// The identifier octet.
    pub(crate) tag: u8,
    /// Content octets.
    pub(crate) value: &'a [u8],
    /// Identifier, length and content octets.
    pub(crate) whole: &'a [u8],
    /// Absolute offset of the identifier octet.
    pub(crate) start: u32,
    /// Absolute offset of the first content octet.
    pub(crate) value_start: u32,
}

impl<'a> Element<'a> {
    /// A reader over the contents.
    #[inline]
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader { bytes: self.value, offset: self.value_start }
    }

    /// Where the element stands, header and all.
    #[inline]
    pub(crate) fn place(&self) -> Place {
        Reader::new(self.whole, self.start).place()
    }
}

/// Where something stands in an encoding: half the size of a slice, and it can be kept beside the encoding's owner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    start: u32,
    len: u32,
}

impl Place {
    /// The place of octets that were read last: they end where the reader stands.
    #[inline]
    pub(crate) fn before(reader: &Reader<'_>, octets: &[u8]) -> Self {
        // No encoding is longer than 2^32 octets: offsets count as many.
        let len = u32::try_from(octets.len()).unwrap_or(0);
        Self { start: reader.offset.saturating_sub(len), len }
    }

    /// Its octets, in the encoding that it was read from.
    #[inline]
    pub(crate) fn of(self, encoding: &[u8]) -> &[u8] {
        let range = usize::try_from(self.start).ok().zip(usize::try_from(self.len).ok());
        range.and_then(|(start, len)| encoding.get(start..start.checked_add(len)?)).unwrap_or_default()
    }

    /// A reader over them.
    #[inline]
    pub(crate) fn reader(self, encoding: &[u8]) -> Reader<'_> {
        Reader::new(self.of(encoding), self.start)
    }
}

/// A position in a borrowed encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: u32,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, whose first octet counts as `offset` in errors.
    pub(crate) const fn new(bytes: &'a [u8], offset: u32) -> Self {
        Self { bytes, offset }
    }

    /// Whether everything has been read.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Absolute offset of the next octet.
    pub(crate) const fn offset(&self) -> u32 {
        self.offset
    }

    /// Where what is left stands.
    #[inline]
    pub(crate) fn place(&self) -> Place {
        // No encoding is longer than 2^32 octets: offsets count as many.
        Place { start: self.offset, len: u32::try_from(self.bytes.len()).unwrap_or(0) }
    }

    /// An error of the encoding at the current position.
    #[cold]
    pub(crate) fn error(&self, what: &'static str) -> ParseError {
        ParseError { rule: Rule::Encoding, offset: self.offset, what }
    }

    /// Identifier octet of the next element, if there is one.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// The next element whatever its tag. In line wherever it is called: an element handed over in memory costs more than
    /// reading one. What is not the common case, or wrong, stands apart.
    #[inline(always)]
    pub(crate) fn any(&mut self) -> Parsed<Element<'a>> {
        let (tag, header, length) = match *self.bytes {
            [tag, length @ 0..=0x7f, ..] => (tag, 2u8, usize::from(length)),
            [tag, 0x81, length @ 0x80..=0xff, ..] => (tag, 3, usize::from(length)),
            [tag, 0x82, a @ 1..=0xff, b, ..] => (tag, 4, usize::from(u16::from_be_bytes([a, b]))),
            _ => self.rare_header()?,
        };
        if tag & 0x1f == 0x1f {
            return Err(self.error("tag number above 30"));
        }
        let end = usize::from(header).saturating_add(length);
        let (Some((whole, tail)), Some(offset)) = (
            self.bytes.split_at_checked(end),
            u32::try_from(end).ok().and_then(|end| self.offset.checked_add(end)),
        ) else {
            return Err(self.error("length exceeds the bytes there are"));
        };
        let value = whole.get(usize::from(header)..).unwrap_or(&[]);
        let start = self.offset;
        (self.bytes, self.offset) = (tail, offset);
        // No further than the element's end, which was added without overflow.
        Ok(Element { tag, value, whole, start, value_start: start.saturating_add(header.into()) })
    }

    /// Tag, length of the header (identifier and length octets) and of the content, where the length is long; or what is
    /// wrong with them.
    #[cold]
    fn rare_header(&self) -> Parsed<(u8, u8, usize)> {
        let (&tag, rest) = self.bytes.split_first().ok_or_else(|| self.error("element missing"))?;
        if tag & 0x1f == 0x1f {
            return Err(self.error("tag number above 30"));
        }
        let (header, length) = match *rest {
            [0x83, a @ 1..=0xff, b, c, ..] => (5, u32::from_be_bytes([0, a, b, c])),
            // Only CRLs are that long.
            [0x84, a @ 1..=0xff, b, c, d, ..] => (6, u32::from_be_bytes([a, b, c, d])),
            [] => return Err(self.error("length missing")),
            [0x80, ..] => return Err(self.error("indefinite length")),
            _ => return Err(self.error("length not in its shortest form or too long")),
        };
        Ok((tag, header, usize::try_from(length).map_err(|_| self.error("length overflows"))?))
    }

    /// The next element, which must carry `tag`.
    #[inline(always)]
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Parsed<Element<'a>> {
        if self.peek() != Some(tag) {
            return Err(self.error(what));
        }
        self.any()
    }

    /// The next element if it carries `tag`.
    #[inline(always)]
    pub(crate) fn optional(&mut self, tag: u8) -> Parsed<Option<Element<'a>>> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// A SEQUENCE's contents.
    #[inline(always)]
    pub(crate) fn sequence(&mut self, what: &'static str) -> Parsed<Reader<'a>> {
        Ok(self.expect(tag::SEQUENCE, what)?.reader())
    }

    /// Everything must have been read.
    #[inline]
    pub(crate) fn end(&self, what: &'static str) -> Parsed<()> {
        if self.is_empty() { Ok(()) } else { Err(self.error(what)) }
    }

    /// BOOLEAN (X.690 section 11.1: TRUE is 0xff).
    pub(crate) fn boolean(&mut self) -> Parsed<bool> {
        let element = self.expect(tag::BOOLEAN, "BOOLEAN expected")?;
        match *element.value {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(at(element.start, "BOOLEAN is neither 00 nor FF")),
        }
    }

    /// INTEGER content octets, in the minimal two's-complement form (X.690 section 8.3.2).
    #[inline]
    pub(crate) fn integer(&mut self) -> Parsed<&'a [u8]> {
        minimal_integer(self.expect(tag::INTEGER, "INTEGER expected")?)
    }

    /// OBJECT IDENTIFIER content octets (X.690 section 8.19).
    #[inline]
    pub(crate) fn oid(&mut self) -> Parsed<&'a [u8]> {
        let element = self.expect(tag::OBJECT_IDENTIFIER, "OBJECT IDENTIFIER expected")?;
        check_oid(element.value).map_err(|what| at(element.start, what))?;
        Ok(element.value)
    }

    /// A BIT STRING of whole octets (keys, signatures).
    #[inline]
    pub(crate) fn bit_string_octets(&mut self) -> Parsed<&'a [u8]> {
        let element = self.expect(tag::BIT_STRING, "BIT STRING expected")?;
        match element.value.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(at(element.start, "BIT STRING is not a whole number of octets")),
        }
    }

    /// OCTET STRING contents.
    #[inline]
    pub(crate) fn octet_string(&mut self) -> Parsed<Element<'a>> {
        self.expect(tag::OCTET_STRING, "OCTET STRING expected")
    }
}

/// An encoding error at an absolute offset.
#[cold]
pub(crate) const fn at(offset: u32, what: &'static str) -> ParseError {
    ParseError { rule: Rule::Encoding, offset, what }
}

/// INTEGER contents of an element whatever its tag (implicit tagging), minimal form.
pub(crate) fn minimal_integer(element: Element<'_>) -> Parsed<&[u8]> {
    match *element.value {
        [] => Err(at(element.start, "INTEGER without content")),
        [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => {
            Err(at(element.start, "INTEGER not in its shortest form"))
        }
        _ => Ok(element.value),
    }
}

/// INTEGER contents as a number from 0 to 2^32 - 1.
pub(crate) fn small_integer(value: &[u8]) -> Option<u32> {
    if value.first()? & 0x80 != 0 {
        return None;
    }
    value.iter().try_fold(0u32, |sum, &byte| sum.checked_mul(256)?.checked_add(u32::from(byte)))
}

/// A named-bit list of at most 16 bits as a big-endian word, bit 0 of the list being the most significant bit.
/// DER drops trailing zero bits and demands zero padding (X.690 section 11.2).
pub(crate) fn named_bits(element: Element<'_>) -> Parsed<u16> {
    let fail = |what| Err(at(element.start, what));
    let Some((&unused, octets)) = element.value.split_first() else {
        return fail("BIT STRING without content");
    };
    let (word, last) = match *octets {
        [] if unused == 0 => return Ok(0),
        [a] => (u16::from_be_bytes([a, 0]), a),
        [a, b] => (u16::from_be_bytes([a, b]), b),
        _ => return fail("named bits too long or empty with padding"),
    };
    match last.trailing_zeros() {
        zeros if unused > 7 || zeros < u32::from(unused) => fail("BIT STRING padding is not zero"),
        zeros if zeros != u32::from(unused) => fail("named bits end in zero bits"),
        _ => Ok(word),
    }
}

/// Each subidentifier in its shortest form and complete.
pub(crate) fn check_oid(value: &[u8]) -> Result<(), &'static str> {
    if value.is_empty() {
        return Err("OBJECT IDENTIFIER without content");
    }
    let mut first = true;
    for &byte in value {
        if first && byte == 0x80 {
            return Err("OBJECT IDENTIFIER not in its shortest form");
        }
        first = byte & 0x80 == 0;
    }
    if first { Ok(()) } else { Err("OBJECT IDENTIFIER is cut off") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element of `length` octets whose header is `header`, and one octet behind it.
    fn element(header: &[u8], length: usize) -> Vec<u8> {
        [header, &vec![7; length], &[9]].concat()
    }

    #[test]
    fn each_form_of_length_is_read_where_it_is_the_shortest() {
        for (header, length) in [
            (&[4, 0][..], 0),
            (&[4, 0x7f], 0x7f),
            (&[4, 0x81, 0x80], 0x80),
            (&[4, 0x81, 0xff], 0xff),
            (&[4, 0x82, 1, 0], 0x100),
            (&[4, 0x82, 0xff, 0xff], 0xffff),
            (&[4, 0x83, 1, 0, 0], 0x1_0000),
            (&[4, 0x84, 1, 0, 0, 0], 0x100_0000),
        ] {
            let bytes = element(header, length);
            let mut reader = Reader::new(&bytes, 5);
            let element = reader.any().unwrap();
            assert_eq!((element.tag, element.value.len()), (4, length));
            assert_eq!(element.whole, &bytes[..header.len() + length]);
            assert_eq!((element.start, usize::try_from(element.value_start)), (5, Ok(5 + header.len())));
            assert_eq!((reader.peek(), usize::try_from(reader.offset())), (Some(9), Ok(4 + bytes.len())));
            for cut in 0..(header.len() + length).min(300) {
                let mut reader = Reader::new(&bytes[..cut], 5);
                assert!(reader.any().is_err(), "{header:?} cut at {cut}");
                assert_eq!(reader.offset(), 5, "what can't be read is not passed over");
            }
        }
    }

    #[test]
    fn headers_of_other_forms_are_refused() {
        for (header, what) in [
            (&[][..], "element missing"),
            (&[4], "length missing"),
            (&[0x1f], "tag number above 30"),
            (&[0x1f, 0], "tag number above 30"),
            (&[0xbf, 0x80], "tag number above 30"),
            (&[4, 0x80], "indefinite length"),
            (&[4, 0x81, 0x7f], "length not in its shortest form or too long"),
            (&[4, 0x82, 0, 0xff], "length not in its shortest form or too long"),
            (&[4, 0x83, 0, 1, 0], "length not in its shortest form or too long"),
            (&[4, 0x84, 0, 1, 0, 0], "length not in its shortest form or too long"),
            (&[4, 0x85, 1, 0, 0, 0, 0], "length not in its shortest form or too long"),
            (&[4, 0xff], "length not in its shortest form or too long"),
            (&[4, 0x84, 0xff, 0xff, 0xff, 0xff], "length exceeds the bytes there are"),
            (&[4, 1], "length exceeds the bytes there are"),
        ] {
            let error = Reader::new(header, 3).any().unwrap_err();
            assert_eq!((error.what, error.offset, error.rule), (what, 3, Rule::Encoding), "{header:?}");
        }
        // Offsets are 32 bits.
        assert!(Reader::new(&[4, 0], u32::MAX).any().is_err());
    }
}
