//! Handshake messages out of the fragments that records carry (RFC 9846 sections 4 and 5.1).

use crate::error::RecordError;
use crate::header::ContentType;
use crate::limits::MAX_FRAGMENT;
use crate::open::{Opened, Record};

/// The length of a handshake message's header: type (1) and length of the body (3).
const MESSAGE_HEADER_LEN: usize = 4;

/// One whole handshake message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The message with its 4-byte header.
    pub bytes: &'a [u8],
    /// Bytes of handshake type follow it in the record that ended it. Where a key changes they must not.
    pub more: bool,
}

/// Puts handshake messages together.
///
/// A message that lies in one fragment is handed out from there and never copied. One that spans records is completed
/// in a buffer, the only one of the record layer, whose size follows what has been received (never what a header
/// claims) up to the longest message allowed. [`Reassembly::hold`] keeps the rest of a record there while the
/// handshake waits for an answer. The buffer is freed by the first call that finds nothing waiting in it.
#[derive(Debug, Default)]
pub struct Reassembly {
    /// `None` most of the time, and then no more than a pointer.
    buffer: Option<Box<Buffer>>,
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// How much of the front has been handed out.
    taken: usize,
}

impl Buffer {
    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }
}

impl Reassembly {
    /// An empty one; it has allocated nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { buffer: None }
    }

    /// The next whole message: out of what waits here, completed and followed by `fragment` from `cursor` on, which
    /// moves past what was used. `None` means that both are used up and more records are needed.
    ///
    /// `max_message` is the longest body in bytes ([`Mode::max_message`](crate::Mode::max_message)).
    ///
    /// # Errors
    /// [`RecordError::MessageTooLong`] as soon as a message's header is known, before its body is kept.
    pub fn next<'a>(
        &'a mut self,
        fragment: &'a [u8],
        cursor: &mut usize,
        max_message: u32,
    ) -> Result<Option<Message<'a>>, RecordError> {
        self.free_if_empty();
        let rest = fragment.get(*cursor..).unwrap_or_default();
        if self.buffer.is_none() {
            let message = first_message(rest, max_message)?;
            let used = message.map_or(rest.len(), |message| message.bytes.len());
            if message.is_none() {
                self.append(rest, max_message);
            }
            *cursor = cursor.saturating_add(used);
            return Ok(message);
        }
        let used = self.complete(rest, max_message)?;
        *cursor = cursor.saturating_add(used);
        let Some(buffer) = self.buffer.as_deref_mut() else { return Ok(None) };
        let Buffer { bytes, taken } = buffer;
        let waiting = bytes.get(*taken..).unwrap_or_default();
        let Some(message) = first_message(waiting, max_message)? else { return Ok(None) };
        *taken = taken.saturating_add(message.bytes.len());
        Ok(Some(Message { more: message.more || used < rest.len(), ..message }))
    }

    /// Keeps the rest of a record that can't be used now. Later calls of [`Reassembly::next`] with an empty fragment
    /// go on from it.
    ///
    /// # Errors
    /// [`RecordError::Internal`] if that is more than one record holds: records may not be opened while others wait.
    pub fn hold(&mut self, rest: &[u8]) -> Result<(), RecordError> {
        self.free_if_empty();
        if rest.len() > MAX_FRAGMENT {
            return Err(RecordError::Internal("more than one record is held back"));
        }
        self.append(rest, u32::MAX);
        Ok(())
    }

    /// Whether nothing waits here.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Whether a message waits here whole: it must be used before another record is opened.
    #[must_use]
    pub fn has_whole(&self) -> bool {
        matches!(first_message(self.waiting(), u32::MAX), Ok(Some(_)))
    }

    /// Whether the first part of a message waits here for the rest, which must come in the very next record.
    #[inline]
    #[must_use]
    pub fn has_partial(&self) -> bool {
        !self.is_empty() && !self.has_whole()
    }

    /// Refuses whatever comes between the fragments of a message (RFC 9846 section 5.1): any record but a handshake
    /// record, one that was dropped included. A fatal alert that is an error passes, because the connection ends
    /// either way and the alert says why; close_notify and user_canceled end nothing by themselves, whatever their
    /// level.
    ///
    /// # Errors
    /// [`RecordError::InterleavedFragment`].
    #[inline]
    pub fn check_interleaving(&self, opened: &Opened) -> Result<(), RecordError> {
        match (opened.content_type, &opened.record) {
            (None | Some(ContentType::Handshake), _) => Ok(()),
            (_, Some(Record::Alert(alert))) if alert.is_fatal_error() => Ok(()),
            (Some(content_type), _) if self.has_partial() => {
                Err(RecordError::InterleavedFragment(content_type))
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn waiting(&self) -> &[u8] {
        self.buffer.as_deref().map_or(&[], Buffer::waiting)
    }

    /// Gives the allocation back once all of it was handed out.
    fn free_if_empty(&mut self) {
        if self.is_empty() {
            *self = Self::new();
        }
    }

    /// Appends what the message at the front lacks, or all there is of it; returns how much that was.
    fn complete(&mut self, rest: &[u8], max_message: u32) -> Result<usize, RecordError> {
        let mut used = 0;
        // First up to the header, which says how much is to follow; then that.
        for _ in 0..2 {
            let total = total_len(self.waiting(), max_message)?.unwrap_or(MESSAGE_HEADER_LEN);
            let missing = total.saturating_sub(self.waiting().len());
            let available = rest.get(used..).unwrap_or_default();
            let piece = available.get(..missing).unwrap_or(available);
            self.append(piece, max_message);
            used = used.saturating_add(piece.len());
        }
        Ok(used)
    }

    /// Appends, in an allocation that at most doubles what waits, and that a single message does not exceed.
    fn append(&mut self, piece: &[u8], max_message: u32) {
        if piece.is_empty() {
            return;
        }
        let buffer = self.buffer.get_or_insert_default();
        if buffer.taken > 0 {
            let len = buffer.waiting().len();
            buffer.bytes.copy_within(buffer.taken.., 0);
            buffer.bytes.truncate(len);
            buffer.taken = 0;
        }
        let bytes = &mut buffer.bytes;
        let len = bytes.len().saturating_add(piece.len());
        if len > bytes.capacity() {
            let front = if bytes.is_empty() { piece } else { bytes.as_slice() };
            let total = total_len(front, max_message).ok().flatten().unwrap_or(MESSAGE_HEADER_LEN);
            let capacity = len.saturating_mul(2).min(total).max(len);
            bytes.reserve_exact(capacity.saturating_sub(bytes.len()));
        }
        bytes.extend_from_slice(piece);
    }
}

/// The length of the message that `bytes` begin with, header included; `None` while its header is incomplete.
#[inline]
fn total_len(bytes: &[u8], max_message: u32) -> Result<Option<usize>, RecordError> {
    let Some(&[_, high, middle, low]) = bytes.first_chunk::<MESSAGE_HEADER_LEN>() else { return Ok(None) };
    let length = u32::from_be_bytes([0, high, middle, low]);
    if length > max_message {
        return Err(RecordError::MessageTooLong { length, limit: max_message });
    }
    let body = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Some(MESSAGE_HEADER_LEN.saturating_add(body)))
}

/// The message that `bytes` begin with; `None` while it is incomplete.
#[inline]
fn first_message(bytes: &[u8], max_message: u32) -> Result<Option<Message<'_>>, RecordError> {
    let Some(total) = total_len(bytes, max_message)? else { return Ok(None) };
    Ok(bytes.get(..total).map(|message| Message { bytes: message, more: total < bytes.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 1 << 16;

    impl Reassembly {
        fn capacity(&self) -> usize {
            self.buffer.as_ref().map_or(0, |buffer| buffer.bytes.capacity())
        }
    }

    #[test]
    fn memory_follows_what_was_received_and_not_what_a_header_claims() {
        let mut reassembly = Reassembly::new();
        let mut cursor = 0;
        assert_eq!(reassembly.next(&[11, 0, 0xff, 0xff, 1, 2], &mut cursor, MAX), Ok(None));
        assert!(reassembly.capacity() <= 12, "{}", reassembly.capacity());
        let mut received = 6;
        for _ in 0..100 {
            assert_eq!(reassembly.next(&[0; 500], &mut 0, MAX), Ok(None));
            received += 500;
            assert!(reassembly.capacity() <= 2 * received);
        }
    }

    #[test]
    fn memory_never_exceeds_the_message() {
        let mut reassembly = Reassembly::new();
        let total = 4 + 40_000;
        assert_eq!(reassembly.next(&[11, 0, 0x9c, 0x40], &mut 0, MAX), Ok(None));
        for _ in 0..2 {
            assert_eq!(reassembly.next(&[0; 16_384], &mut 0, MAX), Ok(None));
            assert!(reassembly.capacity() <= total);
        }
        let (rest, mut cursor) = ([0; 16_384], 0);
        let message = reassembly.next(&rest, &mut cursor, MAX).unwrap().unwrap();
        assert_eq!((message.bytes.len(), message.more, cursor), (total, true, 40_000 - 2 * 16_384));
        assert_eq!(reassembly.capacity(), total);
    }

    #[test]
    fn the_buffer_is_freed_when_nothing_waits() {
        let mut reassembly = Reassembly::new();
        assert_eq!(reassembly.next(&[20, 0, 0], &mut 0, MAX), Ok(None));
        assert!(reassembly.next(&[1, 9], &mut 0, MAX).unwrap().is_some());
        assert!(reassembly.is_empty());
        assert_eq!(reassembly.next(&[], &mut 0, MAX), Ok(None));
        assert_eq!(reassembly.capacity(), 0);
    }

    #[test]
    fn whole_messages_allocate_nothing() {
        let mut reassembly = Reassembly::new();
        assert!(reassembly.next(&[20, 0, 0, 1, 9, 20, 0, 0, 0], &mut 0, MAX).unwrap().is_some());
        assert_eq!(reassembly.capacity(), 0);
    }
}
