//! What waits to go out, in one buffer: sealed records, and behind them the messages of a flight, which are sealed there.

use oxtls_record::{ContentType, SealError, Writer};

/// Room for what often comes behind a message: what sealing adds, and CertificateVerify of ECDSA and Finished, or their
/// like. Without it the buffer would be allocated anew for each of them.
const SHORT_MESSAGES: usize = 160;

/// A buffer of so many bytes stays while the handshake goes on: a client's second flight goes into that of its first. A
/// longer one is given back while the peer is waited for.
const KEPT_BUFFER: usize = 1024;

/// What waits to go out. An idle connection holds no buffer.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Records, of which those from `sent` on wait to be transmitted, up to `sealed`. Handshake messages of one flight and
    /// level may lie behind them, not yet sealed: they share records, and stand where they will be in the first.
    buffer: Vec<u8>,
    sent: u32,
    sealed: u32,
}

impl Outgoing {
    /// Records that wait.
    fn waiting(&self) -> &[u8] {
        self.buffer.get(index(self.sent)..index(self.sealed)).unwrap_or_default()
    }

    /// Messages wait to be sealed.
    fn has_flight(&self) -> bool {
        self.buffer.len() > index(self.sealed)
    }

    /// Puts messages behind those of their flight, which `writer` will seal.
    pub(super) fn messages(&mut self, writer: &Writer, mut messages: Vec<u8>) {
        let front = if self.has_flight() { 0 } else { writer.content_start(ContentType::Handshake) };
        let len = self.buffer.len().saturating_add(front).saturating_add(messages.len());
        if len > self.buffer.capacity() && (len <= messages.capacity() || self.buffer.is_empty()) {
            // The messages' own buffer has room for all, or is the only one.
            self.put_before(&mut messages, front);
            self.buffer = messages;
        } else {
            self.put_behind(front, &messages);
        }
    }

    /// Puts what the buffer has, and behind it `room` bytes, before the messages.
    fn put_before(&self, messages: &mut Vec<u8>, room: usize) {
        let (len, before) = (messages.len(), self.buffer.len().saturating_add(room));
        messages.reserve_exact(before);
        messages.resize(len.saturating_add(before), 0);
        messages.copy_within(..len, before);
        if let Some(front) = messages.get_mut(..self.buffer.len()) {
            front.copy_from_slice(&self.buffer);
        }
    }

    /// Puts content `room` bytes behind what the buffer has.
    fn put_behind(&mut self, room: usize, content: &[u8]) {
        let start = self.buffer.len().saturating_add(room);
        let len = start.saturating_add(content.len());
        if len > self.buffer.capacity() {
            let more = len.saturating_sub(self.buffer.len());
            self.buffer.reserve_exact(more.saturating_add(SHORT_MESSAGES));
        }
        self.buffer.resize(start, 0);
        self.buffer.extend_from_slice(content);
    }

    /// Seals the flight.
    pub(super) fn flush(&mut self, writer: &mut Writer) -> Result<(), SealError> {
        if self.has_flight() { self.seal_last(writer, ContentType::Handshake) } else { Ok(()) }
    }

    /// Seals all of `content`, or nothing, behind what waits. There is no flight: it was sealed before.
    pub(super) fn seal(
        &mut self,
        writer: &mut Writer,
        content_type: ContentType,
        content: &[u8],
    ) -> Result<(), SealError> {
        self.put_behind(writer.content_start(content_type), content);
        self.seal_last(writer, content_type)
    }

    /// Seals what lies behind the records.
    fn seal_last(&mut self, writer: &mut Writer, content_type: ContentType) -> Result<(), SealError> {
        let start = index(self.sealed);
        if !writer.seal_in_place(content_type, &mut self.buffer, start)? {
            let last = self.buffer.split_off(start);
            let content = last.get(writer.content_start(content_type)..).unwrap_or_default();
            self.seal_records(writer, content_type, content)?;
        }
        self.sealed = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Seals what takes more than one record.
    fn seal_records(
        &mut self,
        writer: &mut Writer,
        content_type: ContentType,
        content: &[u8],
    ) -> Result<(), SealError> {
        let start = self.buffer.len();
        let len = start.saturating_add(writer.sealed_len(content_type, content.len()));
        self.buffer.reserve_exact(len.saturating_add(SHORT_MESSAGES).saturating_sub(start));
        self.buffer.resize(len, 0);
        let window = self.buffer.get_mut(start..).unwrap_or_default();
        let sealed = writer.seal_whole(content_type, content, window);
        self.buffer.truncate(start.saturating_add(sealed.unwrap_or_default()));
        sealed.map(drop)
    }

    /// Moves records into the window. `handshaking`: the buffer is soon of use again.
    #[inline]
    pub(super) fn transmit(&mut self, out: &mut [u8], handshaking: bool) -> usize {
        if self.is_held() { self.transmit_waiting(out, handshaking) } else { 0 }
    }

    #[cold]
    fn transmit_waiting(&mut self, out: &mut [u8], handshaking: bool) -> usize {
        let waiting = self.waiting();
        let len = waiting.len().min(out.len());
        if let (Some(window), Some(bytes)) = (out.get_mut(..len), waiting.get(..len)) {
            window.copy_from_slice(bytes);
        }
        self.sent = self.sent.saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
        if self.waiting_len() == 0 && !self.has_flight() {
            if handshaking && self.buffer.capacity() <= KEPT_BUFFER {
                self.buffer.clear();
                (self.sent, self.sealed) = (0, 0);
            } else {
                self.clear();
            }
        }
        len
    }

    /// Drops the messages that are not sealed: there is no key for them any more.
    pub(super) fn drop_flight(&mut self) {
        self.buffer.truncate(index(self.sealed));
    }

    /// Drops all that waits.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives a buffer back in which nothing waits.
    pub(super) fn release(&mut self) {
        if self.waiting_len() == 0 && !self.has_flight() {
            self.clear();
        }
    }

    /// Whether something waits, or a buffer stays for what will.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        self.buffer.capacity() > 0
    }

    /// Bytes of records that wait.
    #[inline]
    pub(super) fn waiting_len(&self) -> usize {
        index(self.sealed.saturating_sub(self.sent))
    }
}

/// A place in a buffer, which holds no more than one flight: far less than 2^32 bytes.
#[inline]
fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
