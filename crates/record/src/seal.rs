//! The write half: plaintext to records (RFC 9846 sections 5.1 to 5.4), straight from the caller's slice into the
//! caller's window.

use std::io::IoSlice;

use oxtls_crypto::Error;
use oxtls_crypto::aead::TAG_LEN;

use crate::error::SealError;
use crate::header::{ContentType, HEADER_LEN, Header, VERSION};
use crate::keys::{Content, WriteKey};
use crate::limits::{MAX_FRAGMENT, MAX_RECORD_SIZE_LIMIT, MIN_RECORD_SIZE_LIMIT, RESERVED_RECORDS};
use crate::padding::Padding;
use crate::plaintext::{InPlace, Pieces, Plaintext};

/// The most content in one record, [`MAX_FRAGMENT`].
const MOST_CONTENT: u16 = MAX_RECORD_SIZE_LIMIT - 1;
/// The inner content type and padding for which the stack holds the zeros at no cost worth naming.
const SHORT_TAIL: usize = 256;
/// The longest inner content type and padding: a record of one byte, padded to the largest record there is.
const LONG_TAIL: usize = MAX_FRAGMENT + 1;

/// What [`Writer::seal`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of plaintext that are now in records.
    pub taken: usize,
    /// Bytes of the window that now hold records: send these.
    pub written: usize,
}

/// How one record is filled.
#[derive(Clone, Copy)]
struct Shape {
    content: usize,
    padding: usize,
}

/// The write half of the record layer. It starts without a key and then writes records in the clear.
#[derive(Debug)]
pub struct Writer {
    key: Option<WriteKey>,
    record_size_limit: u16,
    max_fragment: u16,
    padding: Padding,
    plaintext_version: u16,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// A writer without a key.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            key: None,
            record_size_limit: MAX_RECORD_SIZE_LIMIT,
            max_fragment: MOST_CONTENT,
            padding: Padding::None,
            plaintext_version: VERSION,
        }
    }

    /// Protects every record from here on with `key`. The former key is erased.
    pub fn install(&mut self, key: WriteKey) {
        self.key = Some(key);
    }

    /// Writes in the clear from here on: a client whose early data was rejected goes on with a second ClientHello
    /// (RFC 9846 section 4.3.10).
    pub fn remove_key(&mut self) {
        self.key = None;
    }

    /// Moves the key on to its next generation (RFC 9846 section 7.2): the step that must follow sealing a KeyUpdate,
    /// with nothing sealed between the two.
    ///
    /// # Errors
    /// [`SealError::NoKey`]; [`SealError::Crypto`] for defects of the cryptographic library. Nothing has changed then.
    pub fn update_key(&mut self) -> Result<(), SealError> {
        Ok(self.key.as_mut().ok_or(SealError::NoKey)?.update()?)
    }

    /// Lets the present key [rest](crate::WriteKey::rest) until the next record.
    pub fn rest(&mut self) {
        if let Some(key) = &mut self.key {
            key.rest();
        }
    }

    /// The present key.
    #[must_use]
    pub fn key(&self) -> Option<&WriteKey> {
        self.key.as_ref()
    }

    /// How many more records may be sealed under the present key; see [`WriteKey::records_left`]. Without a key there
    /// is no limit.
    #[inline]
    #[must_use]
    pub fn records_left(&self) -> u64 {
        self.key.as_ref().map_or(u64::MAX, WriteKey::records_left)
    }

    /// Honours the peer's record_size_limit (RFC 8449 section 4): bytes of content, its type and padding together.
    /// It binds protected records, apart from early data. Values outside 64 to 2^14 + 1 are brought into that range;
    /// refusing a smaller one is the handshake's duty.
    pub fn set_record_size_limit(&mut self, limit: u16) {
        self.record_size_limit = limit.clamp(MIN_RECORD_SIZE_LIMIT, MAX_RECORD_SIZE_LIMIT);
    }

    /// Puts no more than so many bytes of content into a record, protected or not: a choice of our own, beside what the
    /// peer's record_size_limit allows. Brought into the range from 2, which an alert needs, to 2^14.
    pub fn set_max_fragment(&mut self, bytes: u16) {
        self.max_fragment = bytes.clamp(2, MOST_CONTENT);
    }

    /// Pads protected records from here on.
    pub fn set_padding(&mut self, padding: Padding) {
        self.padding = padding;
    }

    /// The `legacy_record_version` of unprotected records, 0x0303 at first. A client's first ClientHello may bear
    /// 0x0301 for the sake of old servers, nothing after it (RFC 9846 section 5.1).
    pub fn set_plaintext_version(&mut self, version: u16) {
        self.plaintext_version = version;
    }

    /// The bytes that sealing `plaintext_len` bytes takes when the window holds them all: exactly, padding included.
    #[must_use]
    pub fn sealed_len(&self, content_type: ContentType, plaintext_len: usize) -> usize {
        let most = self.max_content(content_type);
        let full = self.record_len(content_type, self.shape(content_type, most));
        let whole = plaintext_len.checked_div(most).unwrap_or(0).saturating_mul(full);
        match plaintext_len.checked_rem(most) {
            None | Some(0) => whole,
            Some(rest) => whole.saturating_add(self.record_len(content_type, self.shape(content_type, rest))),
        }
    }

    /// The records that sealing `plaintext_len` bytes takes when the window holds them all.
    #[must_use]
    pub fn records(&self, content_type: ContentType, plaintext_len: usize) -> u64 {
        u64::try_from(plaintext_len.div_ceil(self.max_content(content_type))).unwrap_or(u64::MAX)
    }

    /// Seals as much of `plaintext` as the window `out` takes: full records, then one that fills what is left of the
    /// plaintext or of the window. Seal a long message through a reused window of some 64 KiB: that is about twice as
    /// fast as through one as long as the message, because the window stays in the cache.
    ///
    /// A ChangeCipherSpec is never protected; an alert is never split. An empty plaintext makes no record.
    ///
    /// # Errors
    /// Only when nothing at all was sealed. [`SealError::TooSmall`] when the window can't hold one byte of plaintext
    /// (for an alert: the whole); [`SealError::KeyExhausted`], [`SealError::NoKey`], [`SealError::InvalidContent`],
    /// [`SealError::Crypto`].
    #[inline]
    pub fn seal(
        &mut self,
        content_type: ContentType,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<Sealed, SealError> {
        self.check(content_type, plaintext)?;
        self.seal_records(content_type, plaintext, out)
    }

    /// As [`Writer::seal`], of the plaintext that the pieces make when they are put behind each other: the records are the
    /// same. One that lies within a piece is sealed straight from it; only what it takes to fill a record from several is
    /// copied, once, into the window, and sealed there.
    ///
    /// ```
    /// # use oxtls_crypto::{Hash, Secret, aead::AeadAlgorithm};
    /// # use oxtls_record::{ContentType, WriteKey, Writer};
    /// use std::io::IoSlice;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut writer = Writer::new();
    /// # writer.install(WriteKey::tls13(AeadAlgorithm::Aes128Gcm, Hash::Sha256, Secret::new(&[7; 32])?)?);
    /// let pieces = [IoSlice::new(b"head: "), IoSlice::new(b"body")];
    /// let mut window = [0; 100];
    /// let sealed = writer.seal_vectored(ContentType::ApplicationData, &pieces, &mut window)?;
    /// assert_eq!(sealed.taken, 10);
    /// assert_eq!(sealed.written, 10 + oxtls_record::limits::PROTECTED_OVERHEAD, "one record");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Writer::seal`]; [`SealError::InvalidContent`] for all but application data and handshake messages.
    pub fn seal_vectored(
        &mut self,
        content_type: ContentType,
        pieces: &[IoSlice<'_>],
        out: &mut [u8],
    ) -> Result<Sealed, SealError> {
        // Nothing that is not an alert, or a ChangeCipherSpec, passes for one.
        self.check(content_type, &[])?;
        // No window takes more than it is long; 1, so that an empty one is found too small.
        let most = out.len().max(1);
        self.seal_records(content_type, Pieces::new(pieces, most), out)
    }

    /// Record after record, until the plaintext or the window ends.
    #[inline]
    fn seal_records(
        &mut self,
        content_type: ContentType,
        plaintext: impl Plaintext,
        out: &mut [u8],
    ) -> Result<Sealed, SealError> {
        let (all, room) = (plaintext.len(), out.len());
        let (mut rest, mut window) = (plaintext, out);
        let mut obstacle = None;
        while rest.len() > 0 && obstacle.is_none() {
            obstacle = self.seal_record(content_type, &mut rest, &mut window).err();
        }
        let taken = all.saturating_sub(rest.len());
        let written = room.saturating_sub(window.len());
        match obstacle {
            // What is sealed must be sent; the next call meets the same obstacle with empty hands.
            Some(error) if taken == 0 => Err(error),
            _ => Ok(Sealed { taken, written }),
        }
    }

    /// Seals all of `plaintext` or nothing: for messages that must not be left half sealed, such as a KeyUpdate.
    /// Returns the bytes written.
    ///
    /// # Errors
    /// As [`Writer::seal`], where [`SealError::TooSmall`] asks for room for the whole.
    pub fn seal_whole(
        &mut self,
        content_type: ContentType,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SealError> {
        self.check(content_type, plaintext)?;
        let needed = self.sealed_len(content_type, plaintext.len());
        let window = out.get_mut(..needed).ok_or(SealError::TooSmall { needed })?;
        if self.records(content_type, plaintext.len()) > self.usable_records(content_type) {
            return Err(SealError::KeyExhausted);
        }
        let sealed = self.seal(content_type, plaintext, window)?;
        if sealed.taken < plaintext.len() {
            // Only a padding rule that changes its mind leads here.
            return Err(SealError::Crypto(Error::Internal("the padding rule gave two answers")));
        }
        Ok(sealed.written)
    }

    /// Where the content of the next record of this type lies, counted from the record's first byte: behind the header and,
    /// in TLS 1.2, the explicit nonce.
    #[must_use]
    pub fn content_start(&self, content_type: ContentType) -> usize {
        let key = self.key.as_ref().filter(|_| content_type != ContentType::ChangeCipherSpec);
        HEADER_LEN.saturating_add(key.map_or(0, WriteKey::content_start))
    }

    /// Makes a record of content where it lies: the record begins at `start` of `buffer`, its content
    /// [`content_start`](Self::content_start) bytes behind that, and it is all that the buffer has from there on. The buffer
    /// grows by what comes behind the content: inner content type, padding, tag. `false`, with nothing done, if there is no
    /// content or it takes more than one record.
    ///
    /// # Errors
    /// As [`Writer::seal`]; the buffer then ends at `start`.
    pub fn seal_in_place(
        &mut self,
        content_type: ContentType,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<bool, SealError> {
        let content = start.saturating_add(self.content_start(content_type));
        let content = buffer.get(content..).unwrap_or_default();
        let len = content.len();
        if len == 0 || len > self.max_content(content_type) {
            return Ok(false);
        }
        let sealed = match self.check(content_type, content) {
            Ok(()) => self.seal_lying(content_type, len, buffer, start),
            Err(error) => Err(error),
        };
        buffer.truncate(sealed.unwrap_or(start));
        sealed.map(|_| true)
    }

    /// Seals the `len` bytes that lie where they belong; gives where the record ends.
    fn seal_lying(
        &mut self,
        content_type: ContentType,
        len: usize,
        buffer: &mut Vec<u8>,
        start: usize,
    ) -> Result<usize, SealError> {
        let record = self.record_len(content_type, self.shape(content_type, len));
        let end = start.saturating_add(record);
        buffer.reserve_exact(end.saturating_sub(buffer.len()));
        buffer.resize(end, 0);
        let mut window = buffer.get_mut(start..).unwrap_or_default();
        self.seal_record(content_type, &mut InPlace(len), &mut window)?;
        Ok(end.saturating_sub(window.len()))
    }

    /// What no window can mend.
    #[inline]
    fn check(&self, content_type: ContentType, plaintext: &[u8]) -> Result<(), SealError> {
        match content_type {
            ContentType::Handshake => Ok(()),
            ContentType::ApplicationData if self.key.is_some() => Ok(()),
            ContentType::ApplicationData => Err(SealError::NoKey),
            ContentType::Alert if plaintext.len() == 2 => Ok(()),
            ContentType::ChangeCipherSpec if plaintext == [1] => Ok(()),
            ContentType::Alert | ContentType::ChangeCipherSpec => {
                Err(SealError::InvalidContent(content_type))
            }
        }
    }

    /// Seals the next record, and leaves what is behind it, of the plaintext and of the window.
    #[inline(always)]
    fn seal_record(
        &mut self,
        content_type: ContentType,
        plaintext: &mut impl Plaintext,
        window: &mut &mut [u8],
    ) -> Result<(), SealError> {
        let shape = self.shape_in(content_type, plaintext.len(), window.len())?;
        if self.usable_records(content_type) == 0 {
            return Err(SealError::KeyExhausted);
        }
        let len = self.record_len(content_type, shape);
        let too_small = SealError::TooSmall { needed: len };
        let record = window.get_mut(..len).ok_or(too_small)?;
        let (header, body) = record.split_first_chunk_mut::<HEADER_LEN>().ok_or(too_small)?;
        let length = u16::try_from(body.len()).map_err(|_| too_small)?;
        match self.key_for(content_type) {
            Some(key) => {
                let outer = if key.is_tls12() { content_type } else { ContentType::ApplicationData };
                *header = Header { content_type: outer, version: VERSION, length }.encode();
                let start = key.content_start();
                let content = plaintext.content(shape.content, body, start).ok_or(too_small)?;
                if let Err(error) = seal_body(key, header, (content_type, content), shape.padding, body) {
                    // Plaintext that was gathered there must not stay where a record was to be.
                    body.fill(0);
                    return Err(error.into());
                }
            }
            None => {
                *header = Header { content_type, version: self.plaintext_version, length }.encode();
                plaintext.copy_to(body);
            }
        }
        plaintext.skip(shape.content);
        *window = std::mem::take(window).get_mut(len..).unwrap_or_default();
        Ok(())
    }

    /// The key that protects records of this type.
    #[inline]
    fn key_for(&mut self, content_type: ContentType) -> Option<&mut WriteKey> {
        match content_type {
            ContentType::ChangeCipherSpec => None,
            _ => self.key.as_mut(),
        }
    }

    /// TLS 1.2 has no padding.
    #[inline]
    fn is_padded(&self, content_type: ContentType) -> bool {
        content_type != ContentType::ChangeCipherSpec && self.key.as_ref().is_some_and(|key| !key.is_tls12())
    }

    /// What a record adds to its content and padding.
    #[inline]
    fn overhead(&self, content_type: ContentType) -> usize {
        match &self.key {
            Some(key) if content_type != ContentType::ChangeCipherSpec => key.overhead(),
            _ => HEADER_LEN,
        }
    }

    /// The records that content of this type may still use.
    #[inline]
    fn usable_records(&self, content_type: ContentType) -> u64 {
        match content_type {
            ContentType::ApplicationData => self.records_left().saturating_sub(RESERVED_RECORDS),
            ContentType::ChangeCipherSpec => u64::MAX,
            ContentType::Handshake | ContentType::Alert => self.records_left(),
        }
    }

    /// The most content in one record.
    #[inline]
    fn max_content(&self, content_type: ContentType) -> usize {
        let allowed = match &self.key {
            // RFC 8449 section 4: in TLS 1.2 the limit counts content alone.
            Some(key) if key.is_tls12() => usize::from(self.record_size_limit),
            Some(_) if content_type != ContentType::ChangeCipherSpec => self.max_inner().saturating_sub(1),
            _ => MAX_FRAGMENT,
        };
        allowed.min(self.max_fragment.into())
    }

    /// The most content, type and padding in one protected record.
    #[inline]
    fn max_inner(&self) -> usize {
        match &self.key {
            Some(key) if key.is_early() => usize::from(MAX_RECORD_SIZE_LIMIT),
            _ => usize::from(self.record_size_limit),
        }
    }

    /// The record that `len` bytes begin with, given room for it.
    #[inline]
    fn shape(&self, content_type: ContentType, len: usize) -> Shape {
        let most = self.max_content(content_type);
        let content = len.min(most);
        let padding = if self.is_padded(content_type) {
            self.padding.len(content, most.saturating_sub(content))
        } else {
            0
        };
        Shape { content, padding }
    }

    /// The record that `len` bytes begin with, made to fit a window of `room` bytes.
    ///
    /// Content and then padding give way. A record that was cut is as long as its window, whatever the content: it
    /// tells an observer about the window and nothing about the content.
    #[inline]
    fn shape_in(&self, content_type: ContentType, len: usize, room: usize) -> Result<Shape, SealError> {
        let overhead = self.overhead(content_type);
        let least = if content_type == ContentType::Alert { len } else { 1 };
        let needed = overhead.saturating_add(least);
        if room < needed {
            return Err(SealError::TooSmall { needed });
        }
        let room = room.saturating_sub(overhead);
        let shape = self.shape(content_type, len.min(room));
        Ok(Shape { padding: shape.padding.min(room.saturating_sub(shape.content)), ..shape })
    }

    /// The length of such a record on the wire.
    #[inline]
    fn record_len(&self, content_type: ContentType, shape: Shape) -> usize {
        self.overhead(content_type).saturating_add(shape.content).saturating_add(shape.padding)
    }
}

/// Seals content, its type and padding. The zeros come from the stack, so the content is never copied to join them.
#[inline(always)]
fn seal_body(
    key: &mut WriteKey,
    header: &[u8; HEADER_LEN],
    (content_type, content): (ContentType, Content<'_>),
    padding: usize,
    body: &mut [u8],
) -> Result<(), Error> {
    let content_type = content_type.to_byte();
    if padding == 0 {
        // TLS 1.2 has no inner type.
        let tail = [content_type];
        return key.seal(header, content, if key.is_tls12() { &[] } else { &tail }, body);
    }
    if padding < SHORT_TAIL {
        return seal_padded::<SHORT_TAIL>(key, header, (content_type, content), body);
    }
    seal_padded::<LONG_TAIL>(key, header, (content_type, content), body)
}

/// Seals content with a tail of `N` bytes or fewer: whatever fills the body.
#[inline(never)]
fn seal_padded<const N: usize>(
    key: &mut WriteKey,
    header: &[u8; HEADER_LEN],
    (content_type, content): (u8, Content<'_>),
    body: &mut [u8],
) -> Result<(), Error> {
    let mut tail = [0; N];
    if let Some(first) = tail.first_mut() {
        *first = content_type;
    }
    let len = body.len().saturating_sub(content.len()).saturating_sub(TAG_LEN);
    let tail = tail.get(..len).ok_or(Error::InvalidLength("padding within a record"))?;
    key.seal(header, content, tail, body)
}
