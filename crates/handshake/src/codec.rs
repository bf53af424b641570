//! Reading and writing TLS's presentation language (RFC 9846 section 3).
//!
//! The [`Reader`] is total: it never panics, never reads past its end, and everything that it fails on is
//! [`Error::Malformed`]. The [`Writer`] nests as the wire nests: a length-prefixed vector is a closure.

use core::fmt;
use core::marker::PhantomData;

use crate::error::Error;

/// Reads a structure front to back. Carries the structure's name, for the error.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` as the structure `what` (the RFC's name for it).
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// The error that says that this structure is malformed.
    #[inline]
    #[must_use]
    pub const fn malformed(&self) -> Error {
        Error::Malformed { what: self.what }
    }

    /// The same position in the bytes, under a more precise name.
    #[inline]
    #[must_use]
    pub const fn named(self, what: &'static str) -> Self {
        Self { rest: self.rest, what }
    }

    /// Whether everything has been read.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes have not been read.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// What has not been read, without reading it.
    #[inline]
    #[must_use]
    pub const fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads everything that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Error::Malformed`] if something is left: trailing data is forbidden (RFC 9846 section 4.3).
    #[inline]
    pub fn finish(self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }

    /// Reads `n` bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] if there are fewer, here and in all readings below.
    #[inline]
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], Error> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or_else(|| self.malformed())?;
        self.rest = rest;
        Ok(head)
    }

    /// Reads exactly `N` bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] if there are fewer.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Error> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.malformed())?;
        self.rest = rest;
        Ok(head)
    }

    /// Reads a uint8.
    ///
    /// # Errors
    /// [`Error::Malformed`] at the end.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|&[byte]| byte)
    }

    /// Reads a uint16.
    ///
    /// # Errors
    /// [`Error::Malformed`] at the end.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Reads a uint24.
    ///
    /// # Errors
    /// [`Error::Malformed`] at the end.
    #[inline]
    pub fn u24(&mut self) -> Result<u32, Error> {
        self.array().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// Reads a uint32.
    ///
    /// # Errors
    /// [`Error::Malformed`] at the end.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Reads a vector with a length of one byte.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut off.
    #[inline]
    pub fn vec_u8(&mut self) -> Result<&'a [u8], Error> {
        let len = self.u8()?;
        self.bytes(usize::from(len))
    }

    /// Reads a vector with a length of two bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut off.
    #[inline]
    pub fn vec_u16(&mut self) -> Result<&'a [u8], Error> {
        let len = self.u16()?;
        self.bytes(usize::from(len))
    }

    /// Reads a vector with a length of three bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut off.
    #[inline]
    pub fn vec_u24(&mut self) -> Result<&'a [u8], Error> {
        let len = usize::try_from(self.u24()?).map_err(|_| self.malformed())?;
        self.bytes(len)
    }

    /// Reads a vector with a length of two bytes, which is read on by a reader of its own.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut off.
    #[inline]
    pub fn reader_u16(&mut self) -> Result<Self, Error> {
        Ok(Self { rest: self.vec_u16()?, what: self.what })
    }

    /// Reads a vector with a length of three bytes, which is read on by a reader of its own.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut off.
    #[inline]
    pub fn reader_u24(&mut self) -> Result<Self, Error> {
        Ok(Self { rest: self.vec_u24()?, what: self.what })
    }

    /// Reads a vector that must not be empty, its length of two bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is cut off or empty.
    #[inline]
    pub fn nonempty_u16(&mut self) -> Result<&'a [u8], Error> {
        match self.vec_u16()? {
            [] => Err(self.malformed()),
            bytes => Ok(bytes),
        }
    }
}

/// Writes a structure front to back, lengths patched when a block closes.
///
/// A block that outgrows its length field is remembered and reported by [`Writer::finish`]: peers and configurations
/// can cause it (a cookie of 65,535 bytes is echoed beside other extensions), so it is an error, never a panic.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    overflow: bool,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), overflow: false }
    }

    /// An empty writer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), overflow: false }
    }

    /// A writer that goes on behind `bytes`.
    #[must_use]
    pub const fn behind(bytes: Vec<u8>) -> Self {
        Self { bytes, overflow: false }
    }

    /// What was written, and whether every block fits its length field.
    pub(crate) fn into_parts(self) -> (Vec<u8>, bool) {
        (self.bytes, !self.overflow)
    }

    /// What was written.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a block has outgrown its length field.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        if self.overflow { Err(Error::TooLong) } else { Ok(self.bytes) }
    }

    /// Bytes written so far.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes a uint8.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Writes a uint16.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a uint24; a value over 2^24-1 is an overflow.
    #[inline]
    pub fn u24(&mut self, value: u32) {
        let [high, a, b, c] = value.to_be_bytes();
        self.overflow |= high != 0;
        self.bytes.extend_from_slice(&[a, b, c]);
    }

    /// Writes a uint32.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes bytes as they are.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a vector with a length of one byte.
    #[inline]
    pub fn vec_u8(&mut self, bytes: &[u8]) {
        self.vec::<1>(bytes);
    }

    /// Writes a vector with a length of two bytes.
    #[inline]
    pub fn vec_u16(&mut self, bytes: &[u8]) {
        self.vec::<2>(bytes);
    }

    /// Writes a vector with a length of three bytes.
    #[inline]
    pub fn vec_u24(&mut self, bytes: &[u8]) {
        self.vec::<3>(bytes);
    }

    /// Writes what `body` writes as a vector with a length of one byte.
    #[inline]
    pub fn block_u8(&mut self, body: impl FnOnce(&mut Self)) {
        self.block::<1>(body);
    }

    /// Writes what `body` writes as a vector with a length of two bytes.
    #[inline]
    pub fn block_u16(&mut self, body: impl FnOnce(&mut Self)) {
        self.block::<2>(body);
    }

    /// Writes what `body` writes as a vector with a length of three bytes.
    #[inline]
    pub fn block_u24(&mut self, body: impl FnOnce(&mut Self)) {
        self.block::<3>(body);
    }

    #[inline]
    fn block<const N: usize>(&mut self, body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; N]);
        body(self);
        let length = big_endian::<N>(self.bytes.len().saturating_sub(start).saturating_sub(N));
        let place = self.bytes.get_mut(start..).and_then(<[u8]>::first_chunk_mut::<N>);
        match (place, length) {
            (Some(place), Some(length)) => *place = length,
            _ => self.overflow = true,
        }
    }

    /// A vector whose length is known before it is written.
    #[inline]
    fn vec<const N: usize>(&mut self, bytes: &[u8]) {
        let length = big_endian::<N>(bytes.len());
        self.overflow |= length.is_none();
        self.bytes.extend_from_slice(&length.unwrap_or([0; N]));
        self.bytes.extend_from_slice(bytes);
    }
}

/// `value` in `N` bytes, or `None` if it needs more.
#[inline]
fn big_endian<const N: usize>(value: usize) -> Option<[u8; N]> {
    let value = u64::try_from(value).ok()?;
    let low = value.to_be_bytes().last_chunk::<N>().copied()?;
    let bits = u32::try_from(N).ok()?.saturating_mul(8);
    (value.checked_shr(bits).unwrap_or_default() == 0).then_some(low)
}

/// A borrowed list of 16-bit items: cipher suites, groups, signature schemes, versions.
#[derive(Clone, Copy)]
pub struct List16<'a, T> {
    bytes: &'a [u8],
    item: PhantomData<T>,
}

impl<'a, T: From<u16>> List16<'a, T> {
    /// The list without items.
    pub const EMPTY: Self = Self { bytes: &[], item: PhantomData };

    /// Takes `bytes` as a list that has at least one item, of `what`.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is empty or half an item is left over.
    pub fn parse(bytes: &'a [u8], what: &'static str) -> Result<Self, Error> {
        if bytes.is_empty() || bytes.len().checked_rem(2) != Some(0) {
            return Err(Error::Malformed { what });
        }
        Ok(Self { bytes, item: PhantomData })
    }

    /// The items as they are on the wire.
    pub(crate) const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The list of these bytes, which were a list's before.
    pub(crate) const fn of_parsed(bytes: &'a [u8]) -> Self {
        Self { bytes, item: PhantomData }
    }

    /// The items, in the order of the wire.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T> {
        self.bytes.as_chunks::<2>().0.iter().map(|pair| T::from(u16::from_be_bytes(*pair)))
    }

    /// How many items there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len().div_euclid(2)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The items as a vector.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }
}

impl<T: From<u16> + PartialEq> List16<'_, T> {
    /// Whether `item` is in the list.
    #[must_use]
    pub fn contains(&self, item: T) -> bool {
        self.iter().any(|other| other == item)
    }
}

impl<T: From<u16>> Default for List16<'_, T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T> PartialEq for List16<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for List16<'_, T> {}

impl<T: From<u16> + fmt::Debug> fmt::Debug for List16<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A set of 16-bit values that the peer chose, for finding duplicates in linear time: the first few inline, and a
/// bitmap of all 65,536 when a hostile peer sends more, so that no list can buy quadratic work.
#[derive(Debug, Default)]
pub(crate) struct Set16 {
    few: [u16; Set16::FEW],
    len: usize,
    many: Vec<u64>,
}

impl Set16 {
    const FEW: usize = 24;

    /// Adds `value`; `false` if it was in the set.
    pub(crate) fn insert(&mut self, value: u16) -> bool {
        if !self.many.is_empty() {
            return self.insert_bit(value);
        }
        if self.few.iter().take(self.len).any(|&other| other == value) {
            return false;
        }
        if let Some(slot) = self.few.get_mut(self.len) {
            *slot = value;
            self.len = self.len.saturating_add(1);
            return true;
        }
        self.many = vec![0; 1024];
        for known in self.few {
            self.insert_bit(known);
        }
        self.insert_bit(value)
    }

    fn insert_bit(&mut self, value: u16) -> bool {
        let Some(word) = self.many.get_mut(usize::from(value >> 6)) else { return false };
        let bit = 1_u64 << (value & 63);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::CipherSuite;

    fn malformed<T: fmt::Debug>(result: Result<T, Error>) -> bool {
        matches!(result, Err(Error::Malformed { what: "test" }))
    }

    #[test]
    fn reader_reads_what_the_writer_wrote() {
        let mut w = Writer::new();
        w.u8(1);
        w.u16(0x0203);
        w.u24(0x0004_0506);
        w.u32(0x0708_090a);
        w.vec_u8(b"a");
        w.vec_u16(b"bc");
        w.block_u24(|w| {
            w.vec_u8(b"def");
            w.block_u16(|_| {});
        });
        let bytes = w.finish().unwrap();
        let mut r = Reader::new(&bytes, "test");
        assert_eq!(r.u8().unwrap(), 1);
        assert_eq!(r.u16().unwrap(), 0x0203);
        assert_eq!(r.u24().unwrap(), 0x0004_0506);
        assert_eq!(r.u32().unwrap(), 0x0708_090a);
        assert_eq!(r.vec_u8().unwrap(), b"a");
        assert_eq!(r.nonempty_u16().unwrap(), b"bc");
        let mut inner = r.reader_u24().unwrap();
        assert_eq!(inner.vec_u8().unwrap(), b"def");
        assert!(inner.reader_u16().unwrap().is_empty());
        inner.finish().unwrap();
        r.finish().unwrap();
    }

    #[test]
    fn reader_refuses_to_read_past_the_end_and_to_leave_something() {
        assert!(malformed(Reader::new(&[], "test").u8()));
        assert!(malformed(Reader::new(&[0], "test").u16()));
        assert!(malformed(Reader::new(&[0, 0], "test").u24()));
        assert!(malformed(Reader::new(&[0, 0, 0], "test").u32()));
        assert!(malformed(Reader::new(&[2, 0], "test").vec_u8()));
        assert!(malformed(Reader::new(&[0, 2, 0], "test").vec_u16()));
        assert!(malformed(Reader::new(&[0xff, 0xff, 0xff, 0], "test").vec_u24()));
        assert!(malformed(Reader::new(&[0, 0], "test").nonempty_u16()));
        assert!(malformed(Reader::new(&[0], "test").bytes(usize::MAX)));
        assert!(malformed(Reader::new(&[0], "test").finish()));
        Reader::new(&[], "test").finish().unwrap();
    }

    #[test]
    fn writer_reports_a_block_that_outgrows_its_length() {
        let block = |len: usize, write: fn(&mut Writer, &[u8])| {
            let mut w = Writer::new();
            write(&mut w, &vec![0; len]);
            w.finish()
        };
        assert_eq!(block(255, Writer::vec_u8).unwrap().len(), 256);
        assert!(matches!(block(256, Writer::vec_u8), Err(Error::TooLong)));
        assert_eq!(block(0xffff, Writer::vec_u16).unwrap()[..2], [0xff, 0xff]);
        assert!(matches!(block(0x1_0000, Writer::vec_u16), Err(Error::TooLong)));
        assert_eq!(block(0xff_ffff, Writer::vec_u24).unwrap()[..3], [0xff, 0xff, 0xff]);
        assert!(matches!(block(0x100_0000, Writer::vec_u24), Err(Error::TooLong)));
        let mut w = Writer::new();
        w.u24(0x100_0000);
        assert!(matches!(w.finish(), Err(Error::TooLong)));
    }

    #[test]
    fn overflow_of_an_inner_block_is_not_forgotten() {
        let mut w = Writer::new();
        w.block_u24(|w| {
            w.vec_u8(&[0; 300]);
            w.vec_u8(&[0; 3]);
        });
        assert!(matches!(w.finish(), Err(Error::TooLong)));
    }

    #[test]
    fn list_has_whole_items_and_at_least_one() {
        type Suites<'a> = List16<'a, CipherSuite>;
        assert!(malformed(Suites::parse(&[], "test")));
        assert!(malformed(Suites::parse(&[1], "test")));
        assert!(malformed(Suites::parse(&[1, 2, 3], "test")));
        let list = Suites::parse(&[0x13, 0x01, 0x13, 0x02], "test").unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list.to_vec(), [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384]);
        assert!(list.contains(CipherSuite(0x1302)));
        assert!(!list.contains(CipherSuite(0x0113)), "items are aligned");
        assert!(Suites::EMPTY.is_empty());
    }

    #[test]
    fn set_finds_every_duplicate_however_many_there_are() {
        let mut set = Set16::default();
        for value in (0..=u16::MAX).rev() {
            assert!(set.insert(value), "{value} is new");
        }
        for value in 0..=u16::MAX {
            assert!(!set.insert(value), "{value} is known");
        }
        let mut small = Set16::default();
        assert!(small.insert(0));
        assert!(!small.insert(0), "zero is not an empty slot");
        assert!(small.insert(1));
        assert!(!small.insert(1));
    }
}
