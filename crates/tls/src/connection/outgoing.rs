//! What waits to go out: the messages of a flight, then, sealed, the queue that the transport empties.

use oxtls_record::{ContentType, SealError, Writer};

/// Room for what often comes behind a message or record: CertificateVerify of ECDSA and Finished, or their like. Without it
/// the buffer would be allocated anew for each of them.
const SHORT_MESSAGES: usize = 144;

/// A buffer of so many bytes stays while the handshake goes on: a client's second flight goes into that of its first. A
/// longer one is given back while the peer is waited for.
const KEPT_BUFFER: usize = 1024;

/// What waits to go out. An idle connection holds no buffer.
#[derive(Debug, Default)]
pub(super) struct Outgoing(Option<Box<Pending>>);

/// What waits, as long as anything does.
#[derive(Debug, Default)]
struct Pending {
    /// Handshake messages of one flight and level, not yet sealed: they share records.
    flight: Vec<u8>,
    /// Sealed bytes that wait to be transmitted, from `sent` on.
    queue: Vec<u8>,
    sent: usize,
}

impl Pending {
    /// Sealed bytes that wait.
    fn sealed(&self) -> &[u8] {
        self.queue.get(self.sent..).unwrap_or_default()
    }
}

impl Outgoing {
    /// Puts a handshake message behind those of its flight.
    pub(super) fn message(&mut self, mut bytes: Vec<u8>) {
        let flight = &mut self.0.get_or_insert_default().flight;
        if flight.is_empty() {
            *flight = bytes;
            return;
        }
        let len = flight.len().saturating_add(bytes.len());
        if len > flight.capacity() && len <= bytes.capacity() {
            // A chain has room for the short messages around it.
            bytes.splice(..0, flight.drain(..));
            *flight = bytes;
            return;
        }
        if len > flight.capacity() {
            flight.reserve_exact(bytes.len().saturating_add(SHORT_MESSAGES));
        }
        flight.extend_from_slice(&bytes);
    }

    /// Seals the flight.
    pub(super) fn flush(&mut self, writer: &mut Writer) -> Result<(), SealError> {
        let Some(Pending { flight, queue, .. }) = self.0.as_deref_mut() else { return Ok(()) };
        if flight.is_empty() {
            return Ok(());
        }
        let mut flight = std::mem::take(flight);
        // The first message is all that goes out in the clear, mostly: its own buffer becomes the queue.
        if queue.capacity() == 0 {
            match writer.frame(flight) {
                Ok(record) => {
                    *queue = record;
                    return Ok(());
                }
                Err(whole) => flight = whole,
            }
        }
        seal_into(writer, queue, ContentType::Handshake, &flight)
    }

    /// Seals all of `plaintext`, or nothing, behind what is in the queue.
    pub(super) fn seal(
        &mut self,
        writer: &mut Writer,
        content_type: ContentType,
        plaintext: &[u8],
    ) -> Result<(), SealError> {
        seal_into(writer, &mut self.0.get_or_insert_default().queue, content_type, plaintext)
    }

    /// Moves sealed bytes into the window. `handshaking`: a buffer is soon of use again.
    #[inline]
    pub(super) fn transmit(&mut self, out: &mut [u8], handshaking: bool) -> usize {
        if self.0.is_none() { 0 } else { self.transmit_pending(out, handshaking) }
    }

    #[cold]
    fn transmit_pending(&mut self, out: &mut [u8], handshaking: bool) -> usize {
        let Some(pending) = self.0.as_deref_mut() else { return 0 };
        let waiting = pending.sealed();
        let len = waiting.len().min(out.len());
        if let (Some(window), Some(bytes)) = (out.get_mut(..len), waiting.get(..len)) {
            window.copy_from_slice(bytes);
        }
        pending.sent = pending.sent.saturating_add(len);
        if pending.sealed().is_empty() {
            pending.sent = 0;
            if handshaking && pending.queue.capacity() <= KEPT_BUFFER {
                pending.queue.clear();
            } else if pending.flight.is_empty() {
                self.0 = None;
            } else {
                pending.queue = Vec::new();
            }
        }
        len
    }

    /// Drops the messages that are not sealed: there is no key for them any more.
    pub(super) fn drop_flight(&mut self) {
        if let Some(pending) = &mut self.0 {
            pending.flight = Vec::new();
        }
    }

    /// Drops all that waits.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// Gives buffers back in which nothing waits.
    pub(super) fn release(&mut self) {
        if self.0.as_deref().is_some_and(|pending| pending.flight.is_empty() && pending.sealed().is_empty()) {
            self.0 = None;
        }
    }

    /// Whether something waits, or a buffer stays for what will.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        self.0.is_some()
    }

    /// Sealed bytes that wait.
    #[inline]
    pub(super) fn sealed_len(&self) -> usize {
        self.0.as_deref().map_or(0, |pending| pending.sealed().len())
    }
}

/// Seals all of `plaintext`, or nothing, behind what is in the queue.
fn seal_into(
    writer: &mut Writer,
    queue: &mut Vec<u8>,
    content_type: ContentType,
    plaintext: &[u8],
) -> Result<(), SealError> {
    let start = queue.len();
    let len = start.saturating_add(writer.sealed_len(content_type, plaintext.len()));
    if len > queue.capacity() {
        // A ChangeCipherSpec and a Finished may follow.
        queue.reserve_exact(len.saturating_add(SHORT_MESSAGES).saturating_sub(start));
    }
    queue.resize(len, 0);
    let window = queue.get_mut(start..).unwrap_or_default();
    let sealed = writer.seal_whole(content_type, plaintext, window);
    queue.truncate(start.saturating_add(sealed.unwrap_or_default()));
    sealed.map(drop)
}
