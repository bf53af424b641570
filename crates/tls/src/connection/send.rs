//! The sending half: what may be sent now, in which order, and the key it goes out under.

use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::post_handshake::{NewTicket, key_update};
use oxtls_handshake::step::{Direction, KeyChange, KeySecret, Level};
use oxtls_handshake::suite::ProtocolVersion;
use oxtls_record::{Alert, ContentType, Padding, Sealed, WriteKey, Writer};

use super::data::Data;
use super::mailbox::Mailbox;
use super::outgoing::Outgoing;
use super::seal_error::SealError;
use crate::defaults;
use crate::trace;

/// Where the half stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Handshake messages only.
    Handshaking,
    /// Application data too.
    Open,
    /// close_notify is queued or sent: nothing follows.
    Closed,
    /// A fatal alert is queued or sent, or came in.
    Failed,
}

/// The sending half.
#[derive(Debug)]
pub(crate) struct SendHalf {
    writer: Writer,
    outgoing: Outgoing,
    /// How many successors the write key has left; keys of TLS 1.2 have none.
    updates_left: u64,
    /// Bytes of early data that the server has not taken, as long as the caller does not know.
    refused: u32,
    state: State,
}

impl SendHalf {
    pub(crate) fn new(padding: Padding, max_fragment: Option<u16>) -> Self {
        let mut writer = Writer::new();
        writer.set_padding(padding);
        if let Some(bytes) = max_fragment {
            writer.set_max_fragment(bytes);
        }
        Self {
            writer,
            outgoing: Outgoing::default(),
            updates_left: defaults::MAX_KEY_UPDATES,
            refused: 0,
            state: State::Handshaking,
        }
    }

    /// The first ClientHello bears 0x0301 for old middleboxes (RFC 9846 section 5.1), what follows does not.
    pub(crate) fn set_plaintext_version(&mut self, version: u16) {
        self.writer.set_plaintext_version(version);
    }

    /// Queues a handshake message behind those of its flight. Behind close_notify none follows, for which there is no key
    /// either: the tickets of a server that has closed before its client's Finished came.
    pub(crate) fn message(&mut self, bytes: Vec<u8>) {
        if !matches!(self.state, State::Closed | State::Failed) {
            self.outgoing.messages(&self.writer, bytes);
        }
    }

    /// Seals the flight: its messages end at a record boundary before a key changes and when the flight ends.
    pub(crate) fn flush_flight(&mut self) -> Result<(), oxtls_record::SealError> {
        self.outgoing.flush(&mut self.writer)
    }

    /// Queues an unprotected ChangeCipherSpec.
    pub(crate) fn change_cipher_spec(&mut self) -> Result<(), oxtls_record::SealError> {
        self.flush_flight()?;
        // It comes right behind the first ClientHello where early data follows.
        self.writer.set_plaintext_version(ProtocolVersion::TLS1_2.0);
        self.seal_into_queue(ContentType::ChangeCipherSpec, &[1])
    }

    /// Goes on under another key.
    pub(crate) fn install(&mut self, change: KeyChange) -> Result<(), oxtls_record::SealError> {
        self.flush_flight()?;
        let no_suite = oxtls_record::SealError::NoKey;
        self.writer.install(match change.secret {
            KeySecret::Tls13(secret) => {
                let suite = change.suite.tls13().ok_or(no_suite)?;
                let key = WriteKey::tls13(suite.aead, suite.hash, secret)?;
                if change.level == Level::Early { key.early() } else { key }
            }
            KeySecret::Tls12 { key, fixed_iv } => {
                let suite = change.suite.tls12().ok_or(no_suite)?;
                self.updates_left = 0;
                WriteKey::tls12(suite.aead, &key, &fixed_iv)?
            }
        });
        Ok(())
    }

    /// Goes on in the clear: the server has not taken early data.
    pub(crate) fn remove_key(&mut self) -> Result<(), oxtls_record::SealError> {
        self.flush_flight()?;
        self.writer.remove_key();
        Ok(())
    }

    /// The server has not taken so much early data: the next to seal data is told.
    pub(crate) fn refuse(&mut self, bytes: u32) {
        self.refused = bytes;
    }

    /// How much that was, for whoever asks before.
    pub(crate) fn take_refused(&mut self) -> u32 {
        std::mem::take(&mut self.refused)
    }

    /// Lets the key rest until it seals again.
    pub(crate) fn rest(&mut self) {
        self.writer.rest();
    }

    /// Pads records from here on.
    pub(crate) fn set_padding(&mut self, padding: Padding) {
        self.writer.set_padding(padding);
    }

    /// Honours the peer's record_size_limit.
    pub(crate) fn set_record_size_limit(&mut self, limit: u16) {
        self.writer.set_record_size_limit(limit);
    }

    /// Application data may be sealed from here on.
    pub(crate) fn open(&mut self) {
        if self.state == State::Handshaking {
            self.state = State::Open;
            self.outgoing.release();
        }
    }

    /// Ends writing with a fatal alert, or, for user_canceled, with that and close_notify (RFC 9846 section 6.1).
    pub(crate) fn fail(&mut self, mailbox: &Mailbox, alert: AlertDescription) {
        if matches!(self.state, State::Closed | State::Failed) {
            self.die(mailbox);
            return;
        }
        let _ = self.flush_flight();
        let warning = alert == AlertDescription::USER_CANCELED;
        let level = if warning { Alert::WARNING } else { Alert::FATAL };
        trace::alert_sent(alert);
        // If not even an alert can be sealed (a spent key), the peer sees the transport end instead.
        let _ = self.seal_into_queue(ContentType::Alert, &[level, alert.0]);
        if warning {
            let _ = self.seal_close_notify();
        }
        self.die(mailbox);
    }

    /// Ends writing without a word: the peer has said that it is gone. What was not transmitted is dropped.
    pub(crate) fn abandon(&mut self, mailbox: &Mailbox) {
        self.outgoing.clear();
        self.die(mailbox);
    }

    /// Erases the key; what is sealed can still be transmitted.
    fn die(&mut self, mailbox: &Mailbox) {
        self.outgoing.drop_flight();
        self.writer.remove_key();
        self.state = State::Failed;
        mailbox.writer_failed();
    }

    /// Queues close_notify, behind what is queued already, and erases the key.
    pub(crate) fn close(&mut self, mailbox: &Mailbox) {
        if self.state == State::Open {
            let _ = self.flush_flight();
            let _ = self.settle(mailbox);
            if self.state == State::Open {
                self.close_now();
            }
        }
    }

    fn close_now(&mut self) {
        let _ = self.seal_close_notify();
        self.writer.remove_key();
        self.state = State::Closed;
    }

    fn seal_close_notify(&mut self) -> Result<(), oxtls_record::SealError> {
        trace::close_sent();
        self.seal_into_queue(ContentType::Alert, &[Alert::WARNING, AlertDescription::CLOSE_NOTIFY.0])
    }

    /// Does what the reading half asks for: its alert, or a KeyUpdate before the next record of ours.
    fn settle(&mut self, mailbox: &Mailbox) -> Result<(), oxtls_record::SealError> {
        if mailbox.has_reader_failed() && self.state != State::Failed {
            match mailbox.take_alert() {
                Some(alert) => self.fail(mailbox, alert),
                None => self.abandon(mailbox),
            }
            return Ok(());
        }
        if self.state == State::Open && mailbox.take_close() {
            self.close_now();
            return Ok(());
        }
        // With no key left the peer's wish is passed over (RFC 9846 section 4.7.3).
        if self.state == State::Open && mailbox.take_reply() && self.can_update() {
            self.update_key(mailbox, false)?;
        }
        Ok(())
    }

    /// Leaves so many updates.
    #[cfg(test)]
    pub(crate) fn spend_updates(&mut self, left: u64) {
        self.updates_left = left;
    }

    /// Whether there is a next key.
    fn can_update(&self) -> bool {
        self.updates_left > 0
    }

    /// Sends a KeyUpdate and moves the key on, as one step (RFC 9846 section 4.7.3). A second request while one is
    /// out asks for nothing.
    fn update_key(&mut self, mailbox: &Mailbox, request: bool) -> Result<(), oxtls_record::SealError> {
        let request = request && mailbox.ask();
        let message = key_update(request);
        trace::message_sent(&message, Level::Application);
        self.seal_into_queue(ContentType::Handshake, &message)?;
        trace::key_updated(Direction::Write);
        self.updates_left = self.updates_left.saturating_sub(1);
        self.writer.update_key()
    }

    /// [`SendHalf::update_key`] because the caller wants it, in a state in which that can be.
    pub(crate) fn update_key_now(&mut self, mailbox: &Mailbox, request: bool) -> Result<(), SealError> {
        match self.state {
            State::Open if !self.can_update() => Err(SealError::NoKeyUpdate),
            State::Open => self.update_key(mailbox, request).map_err(SealError::Record),
            State::Handshaking => Err(SealError::Handshaking),
            State::Closed => Err(SealError::Closed),
            State::Failed => Err(SealError::Failed),
        }
    }

    /// Whether the half takes application data.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether something waits to be transmitted.
    pub(crate) fn wants_transmit(&self, mailbox: &Mailbox) -> bool {
        self.has_sealed()
            || (self.state == State::Open && (mailbox.wants_reply() || mailbox.wants_close()))
            || (self.state != State::Failed && mailbox.wants_alert())
    }

    /// Whether sealed bytes wait.
    #[inline]
    fn has_sealed(&self) -> bool {
        self.outgoing.waiting_len() > 0
    }

    /// Moves queued bytes into the window. A reply to a KeyUpdate is made only when nothing else waits: however many
    /// the peer asks for while it takes nothing, it gets one.
    #[inline]
    pub(crate) fn transmit(&mut self, mailbox: &Mailbox, out: &mut [u8]) -> usize {
        let written = self.drain(out);
        if self.has_sealed() {
            return written;
        }
        if self.settle(mailbox).is_err() {
            self.fail(mailbox, AlertDescription::INTERNAL_ERROR);
        }
        written.saturating_add(self.drain(out.get_mut(written..).unwrap_or_default()))
    }

    #[inline]
    fn drain(&mut self, out: &mut [u8]) -> usize {
        self.outgoing.transmit(out, self.state == State::Handshaking)
    }

    /// Seals application data into the window, behind what is queued.
    #[inline]
    pub(crate) fn seal(
        &mut self,
        mailbox: &Mailbox,
        data: Data<'_>,
        out: &mut [u8],
    ) -> Result<Sealed, SealError> {
        let waits = self.outgoing.is_held() || self.refused > 0 || !mailbox.is_quiet();
        if self.state == State::Open
            && !waits
            && let Ok(Sealed { taken, written }) = data.seal(&mut self.writer, out)
        {
            return Ok(Sealed { taken, written });
        }
        self.seal_behind(mailbox, data, out)
    }

    /// [`SendHalf::seal`] where there is more to do than to seal, or the answer is no: a refusal changes nothing, and comes
    /// again.
    #[cold]
    fn seal_behind(
        &mut self,
        mailbox: &Mailbox,
        data: Data<'_>,
        out: &mut [u8],
    ) -> Result<Sealed, SealError> {
        if self.state == State::Handshaking {
            // Nothing was written: what waits is for `transmit`.
            return Err(SealError::Handshaking);
        }
        if self.refused > 0 && self.state == State::Open {
            return Err(SealError::EarlyDataRejected { bytes: self.take_refused() });
        }
        let written = self.transmit(mailbox, out);
        match self.state {
            State::Open | State::Handshaking => {}
            State::Closed | State::Failed if written > 0 => return Ok(Sealed { taken: 0, written }),
            State::Closed => return Err(SealError::Closed),
            State::Failed => return Err(SealError::Failed),
        }
        if self.has_sealed() {
            return Ok(Sealed { taken: 0, written });
        }
        let window = out.get_mut(written..).unwrap_or_default();
        match data.seal(&mut self.writer, window) {
            Ok(sealed) => Ok(Sealed { taken: sealed.taken, written: written.saturating_add(sealed.written) }),
            Err(oxtls_record::SealError::KeyExhausted) if self.can_update() => {
                self.seal_after_update(mailbox, data, out, written)
            }
            Err(error @ oxtls_record::SealError::KeyExhausted) => {
                // A key that has no successor, as in TLS 1.2, ends the connection; its last record says so.
                self.close_now();
                if written > 0 { Ok(Sealed { taken: 0, written }) } else { Err(SealError::Record(error)) }
            }
            Err(_) if written > 0 => Ok(Sealed { taken: 0, written }),
            Err(oxtls_record::SealError::TooSmall { needed }) => Err(SealError::TooSmall { needed }),
            Err(error) => Err(SealError::Record(error)),
        }
    }

    /// Seals early data into the window, behind what is queued.
    pub(crate) fn seal_early(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<Sealed, SealError> {
        if self.state != State::Handshaking && self.state != State::Open {
            return Err(SealError::Failed);
        }
        let written = self.drain(out);
        if self.has_sealed() {
            return Ok(Sealed { taken: 0, written });
        }
        let window = out.get_mut(written..).unwrap_or_default();
        match self.writer.seal(ContentType::ApplicationData, plaintext, window) {
            Ok(sealed) => Ok(Sealed { taken: sealed.taken, written: written.saturating_add(sealed.written) }),
            Err(_) if written > 0 => Ok(Sealed { taken: 0, written }),
            Err(oxtls_record::SealError::TooSmall { needed }) => Err(SealError::TooSmall { needed }),
            Err(error) => Err(SealError::Record(error)),
        }
    }

    /// Queues a NewSessionTicket.
    pub(crate) fn ticket(&mut self, ticket: NewTicket, sealed: &[u8]) -> Result<(), SealError> {
        match self.state {
            State::Open => {}
            State::Handshaking => return Err(SealError::Handshaking),
            State::Closed => return Err(SealError::Closed),
            State::Failed => return Err(SealError::Failed),
        }
        let message = ticket.message(sealed).map_err(|_| SealError::BadTicket)?;
        trace::message_sent(&message, Level::Application);
        self.message(message);
        self.flush_flight().map_err(SealError::Record)
    }

    /// The key has sealed as much as it safely can (RFC 9846 section 5.5): the next one goes on.
    #[cold]
    fn seal_after_update(
        &mut self,
        mailbox: &Mailbox,
        data: Data<'_>,
        out: &mut [u8],
        before: usize,
    ) -> Result<Sealed, SealError> {
        self.update_key(mailbox, false).map_err(SealError::Record)?;
        let window = out.get_mut(before..).unwrap_or_default();
        match self.seal_behind(mailbox, data, window) {
            Ok(sealed) => Ok(Sealed { taken: sealed.taken, written: before.saturating_add(sealed.written) }),
            Err(_) if before > 0 => Ok(Sealed { taken: 0, written: before }),
            Err(error) => Err(error),
        }
    }

    /// Bytes that sealing this much plaintext adds, what is queued already included.
    pub(crate) fn sealed_len(&self, plaintext: usize) -> usize {
        let queued = self.outgoing.waiting_len();
        queued.saturating_add(self.writer.sealed_len(ContentType::ApplicationData, plaintext))
    }

    fn seal_into_queue(
        &mut self,
        content_type: ContentType,
        plaintext: &[u8],
    ) -> Result<(), oxtls_record::SealError> {
        self.outgoing.seal(&mut self.writer, content_type, plaintext)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may be blunt")]

    use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv};
    use oxtls_record::limits::RESERVED_RECORDS;

    use super::*;

    #[test]
    fn a_key_of_tls12_that_is_used_up_ends_writing_with_close_notify() {
        let algorithm = AeadAlgorithm::Aes128Gcm;
        let key = AeadKey::new(algorithm, &[1; 16]).unwrap();
        let iv = FixedIv::new(algorithm, &[2; 4]).unwrap();
        let (mut half, mailbox) = (SendHalf::new(Padding::None, None), Mailbox::default());
        half.writer.install(WriteKey::tls12(algorithm, &key, &iv).unwrap().with_limit(RESERVED_RECORDS + 1));
        half.updates_left = 0;
        half.open();
        let mut out = [0; 100];
        assert_eq!(half.seal(&mailbox, Data::Whole(b"x"), &mut out).unwrap().taken, 1);
        let used_up = half.seal(&mailbox, Data::Whole(b"x"), &mut out).unwrap_err();
        assert!(matches!(used_up, SealError::Record(oxtls_record::SealError::KeyExhausted)));
        // An alert: header, explicit nonce, two bytes, tag.
        assert_eq!(half.transmit(&mailbox, &mut out), 5 + 8 + 2 + 16);
        assert_eq!(out.first(), Some(&21));
        assert!(matches!(half.seal(&mailbox, Data::Whole(b"x"), &mut out), Err(SealError::Closed)));
        assert!(!half.wants_transmit(&mailbox));
    }
}
