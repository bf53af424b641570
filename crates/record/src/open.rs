//! The read half: one record at a time to its content (RFC 9846 section 5), in place or into another buffer.

use core::ops::Range;

use crate::alert::Alert;
use crate::error::RecordError;
use crate::header::{ContentType, HEADER_LEN, Header, VERSION};
use crate::keys::ReadKey;
use crate::limits::{
    MAX_CHANGE_CIPHER_SPECS, MAX_CIPHERTEXT, MAX_EMPTY_RECORDS, MAX_FRAGMENT, MAX_RECORD_SIZE_LIMIT,
    MIN_CIPHERTEXT, MIN_RECORD_SIZE_LIMIT,
};
use crate::mode::{ApplicationDataMode, ChangeCipherSpecMode, Mode};
use oxtls_crypto::aead::TAG_LEN;

/// The content of a record. Ranges are into the buffer that holds the plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A fragment of handshake messages, never empty.
    Handshake(Range<usize>),
    /// Application data, never empty.
    ApplicationData(Range<usize>),
    /// An alert.
    Alert(Alert),
    /// A ChangeCipherSpec, where the mode delivers it.
    ChangeCipherSpec,
}

/// What [`Reader::open`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Bytes of the input that are done with: one whole record, or 0 if it is not all there yet.
    pub consumed: usize,
    /// If nothing was consumed: the bytes that the input must have before the next try can do more.
    pub needed: usize,
    /// The type of the record that was consumed. Of one that was dropped undecrypted: the outer type.
    pub content_type: Option<ContentType>,
    /// The record. `None` with `consumed > 0`: it was dropped, as the mode says, or had no content.
    pub record: Option<Record>,
}

impl Opened {
    fn more(needed: usize) -> Self {
        Self { needed, ..Self::default() }
    }

    /// A record that was taken: its type, and its content unless there is nothing to deliver.
    #[inline]
    fn taken(header: Header, content_type: ContentType, record: Option<Record>) -> Self {
        let consumed = HEADER_LEN.saturating_add(usize::from(header.length));
        Self { consumed, needed: 0, content_type: Some(content_type), record }
    }
}

/// The read half of the record layer. It starts without a key and then reads records in the clear. It keeps no
/// plaintext and no ciphertext: what is not consumed stays in the caller's buffer.
#[derive(Debug)]
pub struct Reader {
    key: Option<ReadKey>,
    mode: Mode,
    record_size_limit: u16,
    /// What the present mode's limit has been charged with.
    spent: u32,
    empty_records: u8,
    change_cipher_specs: u8,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader without a key, in the default mode.
    #[must_use]
    pub fn new() -> Self {
        Self {
            key: None,
            mode: Mode::default(),
            record_size_limit: MAX_RECORD_SIZE_LIMIT,
            spent: 0,
            empty_records: 0,
            change_cipher_specs: 0,
        }
    }

    /// Expects every record from here on to be protected with `key`. The former key is erased.
    pub fn install(&mut self, key: ReadKey) {
        self.key = Some(key);
    }

    /// Moves the key on to its next generation (RFC 9846 section 7.2): after a KeyUpdate was received.
    ///
    /// # Errors
    /// [`RecordError::Internal`] if there is no key, or the cryptographic library fails. Nothing has changed then.
    pub fn update_key(&mut self) -> Result<(), RecordError> {
        let key = self.key.as_mut().ok_or(RecordError::Internal("there is no read key to update"))?;
        key.update()?;
        // Who updates a key has it.
        self.mode.plaintext_alert = false;
        Ok(())
    }

    /// Lets the present key [rest](crate::ReadKey::rest) until the next record.
    pub fn rest(&mut self) {
        if let Some(key) = &mut self.key {
            key.rest();
        }
    }

    /// The present key.
    #[must_use]
    pub fn key(&self) -> Option<&ReadKey> {
        self.key.as_ref()
    }

    /// Reads in this mode from the next record on.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.spent = 0;
    }

    /// The present mode, with what has ended of it since it was set.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Enforces our record_size_limit (RFC 8449 section 4) on protected records, apart from early data: bytes of
    /// content, its type and padding together. Values outside 64 to 2^14 + 1 are brought into that range.
    pub fn set_record_size_limit(&mut self, limit: u16) {
        self.record_size_limit = limit.clamp(MIN_RECORD_SIZE_LIMIT, MAX_RECORD_SIZE_LIMIT);
    }

    /// Opens the record at the front of `input`, in place: its content is then inside what it occupied. Nothing
    /// behind that record is looked at or touched.
    ///
    /// # Errors
    /// Any [`RecordError`] but `OutputTooSmall`. All are fatal.
    // What it returns has 48 bytes: its callers make less of it, without writing it to memory and reading it again.
    #[inline(always)]
    pub fn open(&mut self, input: &mut [u8]) -> Result<Opened, RecordError> {
        let Some(header) = Header::parse(input)? else { return Ok(Opened::more(HEADER_LEN)) };
        let protected = self.admit(header)?;
        let consumed = HEADER_LEN.saturating_add(usize::from(header.length));
        let Some((head, body)) =
            input.get_mut(..consumed).and_then(|record| record.split_first_chunk_mut::<HEADER_LEN>())
        else {
            return Ok(Opened::more(consumed));
        };
        match &mut self.key {
            Some(key) if protected && key.is_tls12() => {
                let first = key.sequence() == 0;
                match key.open_in_place_tls12(head, body) {
                    Ok(range) => {
                        let at = HEADER_LEN.saturating_add(range.start);
                        self.take_tls12(header, first, body.get(range).unwrap_or_default(), at)
                    }
                    Err(error) => self.skip(header, error),
                }
            }
            Some(key) if protected => {
                let first = key.sequence() == 0;
                match key.open_in_place(head, body) {
                    Ok(inner) => self.take_inner(header, first, inner, HEADER_LEN),
                    Err(error) => self.skip(header, error),
                }
            }
            _ => self.take_plaintext(header, body, HEADER_LEN),
        }
    }

    /// Opens the record at the front of `input` straight into `out`; ranges are then into `out`. This is the way for
    /// application data that has a place to go: one pass over the bytes and no move.
    ///
    /// `out` must have room for what the record decrypts to, padding and content type included: 2^14 + 240 bytes
    /// always suffice. Bytes of `out` outside the returned range are worth nothing.
    ///
    /// # Errors
    /// [`RecordError::OutputTooSmall`] leaves everything as it was; any other is fatal.
    #[inline]
    pub fn open_into(&mut self, input: &[u8], out: &mut [u8]) -> Result<Opened, RecordError> {
        let Some(header) = Header::parse(input)? else { return Ok(Opened::more(HEADER_LEN)) };
        let protected = self.admit(header)?;
        let consumed = HEADER_LEN.saturating_add(usize::from(header.length));
        let Some((head, body)) =
            input.get(..consumed).and_then(|record| record.split_first_chunk::<HEADER_LEN>())
        else {
            return Ok(Opened::more(consumed));
        };
        match &mut self.key {
            Some(key) if protected => {
                let (tls12, first) = (key.is_tls12(), key.sequence() == 0);
                match key.open_into(head, body, out) {
                    Ok(len) if tls12 => self.take_tls12(header, first, out.get(..len).unwrap_or_default(), 0),
                    Ok(len) => self.take_inner(header, first, out.get(..len).unwrap_or_default(), 0),
                    Err(error) => self.skip(header, error),
                }
            }
            _ => self.copy_plaintext(header, body, out),
        }
    }

    /// How many records have opened under the present key.
    #[inline]
    fn opened(&self) -> u64 {
        self.key.as_ref().map_or(0, ReadKey::sequence)
    }

    #[inline]
    fn takes_plaintext_alert(&self) -> bool {
        self.mode.plaintext_alert && self.opened() == 0
    }

    /// Judges a record by its header alone, so that what can't be good is refused before it is waited for. Whether it is
    /// protected: under a key a ChangeCipherSpec alone may be in the clear, and an alert where the mode says so; all else is
    /// taken for protected, whatever it claims to be.
    #[inline]
    fn admit(&self, header: Header) -> Result<bool, RecordError> {
        let length = usize::from(header.length);
        let (protected, limit) = match &self.key {
            Some(key) if header.content_type == ContentType::ApplicationData => {
                // RFC 9846 section 5.2 fixes it, and the records of a peer that gets it wrong are not worth a decryption.
                if header.version != VERSION {
                    return Err(RecordError::WrongVersion(header.version));
                }
                (true, self.max_ciphertext(key))
            }
            _ => self.admit_other(header)?,
        };
        if length > limit { Err(RecordError::TooLong { length, limit }) } else { Ok(protected) }
    }

    /// Of a record that is not of application data under a key: whether it is protected, and how long it may be.
    fn admit_other(&self, header: Header) -> Result<(bool, usize), RecordError> {
        match (header.content_type, &self.key) {
            (ContentType::ChangeCipherSpec, _) if header.length == 1 => Ok((false, 1)),
            (ContentType::ChangeCipherSpec, _) => Err(RecordError::BadChangeCipherSpec),
            (ContentType::ApplicationData, None) if !self.is_awaiting_client_hello() => {
                Err(RecordError::ApplicationDataRefused)
            }
            (ContentType::ApplicationData, None) => Ok((false, MAX_CIPHERTEXT)),
            (ContentType::Alert, Some(_)) if self.takes_plaintext_alert() => Ok((false, MAX_FRAGMENT)),
            (_, Some(key)) => Ok((true, self.max_ciphertext(key))),
            (ContentType::Alert | ContentType::Handshake, None) => Ok((false, MAX_FRAGMENT)),
        }
    }

    /// The longest payload of a protected record. A peer that keeps to our record_size_limit adds only a tag, so a
    /// small receiver need not wait for 16 KiB to refuse them; without one the protocol's own bound holds.
    #[inline]
    fn max_ciphertext(&self, key: &ReadKey) -> usize {
        if self.record_size_limit == MAX_RECORD_SIZE_LIMIT {
            MAX_CIPHERTEXT
        } else {
            self.limited_ciphertext(key)
        }
    }

    /// What our record_size_limit allows where it is a limit at all: that binds no early data, and counts content alone in
    /// TLS 1.2.
    #[inline(never)]
    fn limited_ciphertext(&self, key: &ReadKey) -> usize {
        let skipping = matches!(self.mode.application_data, ApplicationDataMode::SkipUndecryptable { .. });
        if key.is_tls12() || key.is_early() || skipping {
            MAX_CIPHERTEXT
        } else {
            usize::from(self.record_size_limit).saturating_add(TAG_LEN)
        }
    }

    #[inline]
    fn is_awaiting_client_hello(&self) -> bool {
        matches!(self.mode.application_data, ApplicationDataMode::SkipUntilClientHello { .. })
    }

    /// Content under TLS 1.2's protection, whose type the header says. `first`: it is the first under its key.
    #[inline(always)]
    fn take_tls12(
        &mut self,
        header: Header,
        first: bool,
        content: &[u8],
        at: usize,
    ) -> Result<Opened, RecordError> {
        if first {
            self.first_opened();
        }
        let limit = usize::from(self.record_size_limit).min(MAX_FRAGMENT);
        if content.len() > limit {
            return Err(RecordError::TooLong { length: content.len(), limit });
        }
        self.deliver(header, header.content_type, content, at)
    }

    /// A TLSInnerPlaintext (RFC 9846 section 5.4) that lies `at` bytes into its buffer. From here to the end each function's
    /// result is the caller's own: handed from one to the next through memory it would take as long as a tenth of a small
    /// record.
    #[inline(always)]
    fn take_inner(
        &mut self,
        header: Header,
        first: bool,
        inner: &[u8],
        at: usize,
    ) -> Result<Opened, RecordError> {
        if header.content_type != ContentType::ApplicationData {
            return Err(RecordError::WrongOuterType(header.content_type));
        }
        if first {
            self.first_opened();
        }
        if inner.len() > usize::from(self.record_size_limit) {
            self.check_early(inner.len())?;
        }
        let (byte, content) = match inner.split_last() {
            Some((&byte, content)) if byte != 0 => (byte, content),
            _ => strip_padding(inner)?,
        };
        match ContentType::from_byte(byte).ok_or(RecordError::UnknownContentType(byte))? {
            ContentType::ChangeCipherSpec => Err(RecordError::ProtectedChangeCipherSpec),
            content_type => self.deliver(header, content_type, content, at),
        }
    }

    /// An inner plaintext that is longer than our record_size_limit: early data may be.
    #[cold]
    fn check_early(&self, length: usize) -> Result<(), RecordError> {
        let early = self.key.as_ref().is_some_and(ReadKey::is_early);
        let limit = usize::from(if early { MAX_RECORD_SIZE_LIMIT } else { self.record_size_limit });
        if length > limit { Err(RecordError::TooLong { length, limit }) } else { Ok(()) }
    }

    /// The peer has our keys: nothing is skipped, and no alert comes in the clear, from here on.
    #[cold]
    fn first_opened(&mut self) {
        self.mode.plaintext_alert = false;
        if matches!(self.mode.application_data, ApplicationDataMode::SkipUndecryptable { .. }) {
            self.mode.application_data = ApplicationDataMode::Refuse;
        }
    }

    /// A record that did not open: fatal, unless rejected early data is expected.
    #[cold]
    fn skip(&mut self, header: Header, error: RecordError) -> Result<Opened, RecordError> {
        match self.mode.application_data {
            ApplicationDataMode::SkipUndecryptable { limit }
                if error == RecordError::DecryptFailed
                    && header.content_type == ContentType::ApplicationData =>
            {
                self.charge_skipped(header, limit)
            }
            _ => Err(error),
        }
    }

    /// Drops a record of rejected early data.
    fn charge_skipped(&mut self, header: Header, limit: u32) -> Result<Opened, RecordError> {
        if self.charge(usize::from(header.length).max(MIN_CIPHERTEXT)) > limit {
            return Err(RecordError::SkippedTooMuch { limit });
        }
        Ok(Opened::taken(header, ContentType::ApplicationData, None))
    }

    fn charge(&mut self, bytes: usize) -> u32 {
        self.spent = self.spent.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.spent
    }

    /// A record in the clear, whose content lies `at` bytes into its buffer.
    fn take_plaintext(&mut self, header: Header, content: &[u8], at: usize) -> Result<Opened, RecordError> {
        match (header.content_type, self.mode.application_data) {
            (ContentType::ApplicationData, ApplicationDataMode::SkipUntilClientHello { limit }) => {
                return self.charge_skipped(header, limit);
            }
            (ContentType::Handshake, ApplicationDataMode::SkipUntilClientHello { .. }) => {
                self.mode.application_data = ApplicationDataMode::Refuse;
            }
            _ => {}
        }
        self.deliver(header, header.content_type, content, at)
    }

    /// A record in the clear for a caller who wants its content elsewhere.
    fn copy_plaintext(
        &mut self,
        header: Header,
        content: &[u8],
        out: &mut [u8],
    ) -> Result<Opened, RecordError> {
        if header.content_type == ContentType::Handshake {
            let needed = content.len();
            out.get_mut(..needed).ok_or(RecordError::OutputTooSmall { needed })?.copy_from_slice(content);
        }
        self.take_plaintext(header, content, 0)
    }

    /// Content free of protection and padding that lies `at` bytes into its buffer.
    #[inline(always)]
    fn deliver(
        &mut self,
        header: Header,
        content_type: ContentType,
        content: &[u8],
        at: usize,
    ) -> Result<Opened, RecordError> {
        let range = at..at.saturating_add(content.len());
        let record = match content_type {
            ContentType::ApplicationData => {
                self.check_application_data(content.len())?;
                (!content.is_empty()).then_some(Record::ApplicationData(range))
            }
            ContentType::Handshake if content.is_empty() => return Err(RecordError::EmptyHandshakeFragment),
            ContentType::Handshake => Some(Record::Handshake(range)),
            ContentType::Alert => Some(Record::Alert(Alert::parse(content)?)),
            ContentType::ChangeCipherSpec => self.take_change_cipher_spec(content)?,
        };
        Ok(Opened::taken(header, content_type, record))
    }

    #[inline(always)]
    fn check_application_data(&mut self, len: usize) -> Result<(), RecordError> {
        match self.mode.application_data {
            ApplicationDataMode::Accept => {}
            ApplicationDataMode::Early { limit } => {
                if self.charge(len) > limit {
                    return Err(RecordError::EarlyDataTooMuch { limit });
                }
            }
            ApplicationDataMode::Refuse
            | ApplicationDataMode::SkipUndecryptable { .. }
            | ApplicationDataMode::SkipUntilClientHello { .. } => {
                return Err(RecordError::ApplicationDataRefused);
            }
        }
        self.empty_records = if len == 0 { self.empty_records.saturating_add(1) } else { 0 };
        if self.empty_records > MAX_EMPTY_RECORDS { Err(RecordError::TooManyEmptyRecords) } else { Ok(()) }
    }

    fn take_change_cipher_spec(&mut self, content: &[u8]) -> Result<Option<Record>, RecordError> {
        if content != [1] {
            return Err(RecordError::BadChangeCipherSpec);
        }
        if self.mode.change_cipher_spec == ChangeCipherSpecMode::Deliver {
            return Ok(Some(Record::ChangeCipherSpec));
        }
        self.change_cipher_specs = self.change_cipher_specs.saturating_add(1);
        if self.change_cipher_specs > MAX_CHANGE_CIPHER_SPECS {
            return Err(RecordError::TooManyChangeCipherSpecs);
        }
        Ok(None)
    }
}

/// The content type of a padded TLSInnerPlaintext and the content before it: the type is the last byte that is not
/// zero (RFC 9846 section 5.4).
fn strip_padding(inner: &[u8]) -> Result<(u8, &[u8]), RecordError> {
    let end = inner.iter().rposition(|&byte| byte != 0).ok_or(RecordError::AllPadding)?;
    let (content, rest) = inner.split_at_checked(end).ok_or(RecordError::AllPadding)?;
    Ok((rest.first().copied().unwrap_or_default(), content))
}
