//! The little DER that keys are wrapped in: a strict, borrowed, total reader and a writer.

use zeroize::Zeroizing;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// The tag of an explicitly tagged field: context-specific, constructed.
pub(crate) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// Reads one element after the other. Every method returns `None` for whatever is not DER of the wanted kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Tag, length and content.
    pub(crate) whole: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element, without reading it.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn element(&mut self) -> Option<Element<'a>> {
        let start = self.0;
        let (&tag, rest) = start.split_first()?;
        // Tag numbers above 30 take more bytes; nothing read here has one.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (len, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(len)?;
        let whole = start.get(..start.len().checked_sub(rest.len())?)?;
        self.0 = rest;
        Some(Element { tag, content, whole })
    }

    /// The content of the next element, which must have this tag.
    pub(crate) fn read(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let element = ahead.element().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element.content)
    }

    /// As [`Reader::read`], of an element that may be absent.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<Option<&'a [u8]>> {
        if self.peek() == Some(tag) { self.read(tag).map(Some) } else { Some(None) }
    }

    /// Confirms that nothing is left.
    pub(crate) fn end(&self) -> Option<()> {
        self.is_empty().then_some(())
    }

    /// The magnitude of the next element, a non-negative INTEGER in its shortest form, without leading zeros (so
    /// that 0 has no bytes).
    pub(crate) fn unsigned(&mut self) -> Option<&'a [u8]> {
        match self.read(INTEGER)? {
            [0] => Some(&[]),
            [0, rest @ ..] => (*rest.first()? >= 0x80).then_some(rest),
            content => (*content.first()? < 0x80).then_some(content),
        }
    }

    /// A small non-negative INTEGER.
    pub(crate) fn small(&mut self) -> Option<u8> {
        match self.unsigned()? {
            [] => Some(0),
            [value] => Some(*value),
            _ => None,
        }
    }

    /// The bytes of the next element, a BIT STRING of whole bytes.
    pub(crate) fn bit_string(&mut self) -> Option<&'a [u8]> {
        match self.read(BIT_STRING)?.split_first()? {
            (0, bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The content of `input`, which must be exactly one element of this tag.
pub(crate) fn only(input: &[u8], tag: u8) -> Option<&[u8]> {
    let mut reader = Reader::new(input);
    let content = reader.read(tag)?;
    reader.end()?;
    Some(content)
}

/// A definite length in its shortest form, and what follows it.
fn length(input: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = input.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    // 0x80 is BER's indefinite length; four bytes already count to 4 GiB.
    if count == 0 || count > 4 {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(count)?;
    if bytes.first() == Some(&0) {
        return None;
    }
    let value = bytes.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    (value >= 0x80).then_some(())?;
    Some((usize::try_from(value).ok()?, rest))
}

/// An AlgorithmIdentifier: its object identifier and its parameters, which are one whole element or nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlgorithmIdentifier<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) parameters: Option<Element<'a>>,
}

impl<'a> AlgorithmIdentifier<'a> {
    /// Reads the next element as an AlgorithmIdentifier.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let mut fields = Reader::new(reader.read(SEQUENCE)?);
        let oid = fields.read(OBJECT_IDENTIFIER)?;
        let parameters = if fields.is_empty() { None } else { Some(fields.element()?) };
        fields.end()?;
        Some(Self { oid, parameters })
    }

    /// Whether the parameters are the element NULL.
    pub(crate) fn has_null(&self) -> bool {
        matches!(self.parameters, Some(Element { tag: NULL, content: [], .. }))
    }
}

/// Encodes one element around the concatenation of `parts`. The result is erased on drop, because it may hold a
/// private key.
pub(crate) fn encode(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    // Tag, at most nine bytes of length, content: the capacity suffices, so no copy is left behind by growing.
    let mut out = Zeroizing::new(Vec::with_capacity(len.saturating_add(10)));
    out.push(tag);
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = len.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let significant = bytes.get(zeros..).unwrap_or_default();
            out.push(0x80 | u8::try_from(significant.len()).unwrap_or(0x7f));
            out.extend_from_slice(significant);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_must_be_definite_and_shortest() {
        assert_eq!(only(&[4, 1, 7], OCTET_STRING), Some(&[7u8][..]));
        for bad in [
            &[4u8, 0x81, 1, 7][..],
            &[4, 0x80, 7, 0, 0],
            &[4, 0x82, 0, 1, 7],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[4, 2, 7],
            &[4],
            &[],
            &[4, 0xff],
            &[4, 1, 7, 0],
            &[0x1f, 1, 7],
        ] {
            assert_eq!(only(bad, *bad.first().unwrap_or(&OCTET_STRING)), None, "{bad:?}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for len in [0usize, 1, 127, 128, 255, 256, 65535, 65536] {
            let content = vec![0xa5; len];
            let (a, b) = content.split_at(len / 2);
            let whole = encode(OCTET_STRING, &[a, b]);
            assert_eq!(only(&whole, OCTET_STRING), Some(&content[..]), "{len}");
            assert!(whole.capacity() >= whole.len());
        }
    }

    #[test]
    fn integers_must_be_shortest_and_not_negative() {
        let read = |bytes: &[u8]| Reader::new(&encode(INTEGER, &[bytes])).unsigned().map(<[u8]>::to_vec);
        assert_eq!(read(&[0]), Some(vec![]));
        assert_eq!(read(&[0x7f]), Some(vec![0x7f]));
        assert_eq!(read(&[0, 0x80]), Some(vec![0x80]));
        assert_eq!(read(&[0, 0x7f]), None);
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn bit_strings_are_whole_bytes() {
        assert_eq!(Reader::new(&[3, 2, 0, 9]).bit_string(), Some(&[9u8][..]));
        assert_eq!(Reader::new(&[3, 2, 1, 9]).bit_string(), None);
        assert_eq!(Reader::new(&[3, 0]).bit_string(), None);
    }
}
