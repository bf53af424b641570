//! What the two halves of a connection tell each other: one atomic word.
//!
//! The reader learns things that only the writer can act on: that the peer wants a KeyUpdate, and which alert must go
//! out because reading failed. The writer looks at the word before each seal.

use std::sync::atomic::{AtomicU32, Ordering};

use oxtls_handshake::alert::AlertDescription;

/// The peer asked for a KeyUpdate that we have not sent yet (RFC 9846 section 4.7.3).
const REPLY: u32 = 1;
/// We asked the peer for a KeyUpdate and have seen none since.
const ASKED: u32 = 1 << 1;
/// Reading failed: nothing may be written but the alert.
const READER_FAILED: u32 = 1 << 2;
/// Writing failed.
const WRITER_FAILED: u32 = 1 << 3;
/// The peer of a TLS 1.2 connection has closed: we must too (RFC 5246 section 7.2.1).
const CLOSE: u32 = 1 << 5;
/// An alert is due; which, stands in the bits from [`ALERT_SHIFT`] on.
const ALERT: u32 = 1 << 4;
const ALERT_SHIFT: u32 = 8;

/// Between both halves: of a connection that is whole its own, of one that was split shared.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(AtomicU32);

impl Mailbox {
    /// What this one says, in one for halves that are together again.
    pub(crate) fn moved(&self) -> Self {
        Self(AtomicU32::new(self.0.load(Ordering::Acquire)))
    }

    /// Whether there is nothing here that the writer must act on.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.load(Ordering::Acquire) & (REPLY | READER_FAILED | CLOSE | ALERT) == 0
    }

    /// The reader saw a KeyUpdate; `reply`: it asks for one. Whether it came after we had asked.
    pub(crate) fn key_update_received(&self, reply: bool) -> bool {
        let before = self.0.fetch_and(!ASKED, Ordering::AcqRel);
        if reply && before & REPLY == 0 {
            self.0.fetch_or(REPLY, Ordering::AcqRel);
        }
        before & ASKED != 0
    }

    /// The writer takes the duty to reply.
    pub(crate) fn take_reply(&self) -> bool {
        self.0.load(Ordering::Acquire) & REPLY != 0 && self.0.fetch_and(!REPLY, Ordering::AcqRel) & REPLY != 0
    }

    /// Whether a reply is due.
    pub(crate) fn wants_reply(&self) -> bool {
        self.0.load(Ordering::Acquire) & REPLY != 0
    }

    /// The writer wants to ask for a KeyUpdate; false: one is asked for already.
    pub(crate) fn ask(&self) -> bool {
        self.0.fetch_or(ASKED, Ordering::AcqRel) & ASKED == 0
    }

    /// Whether we have asked for a KeyUpdate and have seen none since.
    pub(crate) fn has_asked(&self) -> bool {
        self.0.load(Ordering::Acquire) & ASKED != 0
    }

    /// Reading failed. `alert` is what the writer must still send.
    pub(crate) fn reader_failed(&self, alert: Option<AlertDescription>) {
        let alert = alert.map_or(0, |alert| ALERT | (u32::from(alert.0) << ALERT_SHIFT));
        self.0.fetch_or(READER_FAILED | alert, Ordering::AcqRel);
    }

    /// The peer has closed, and in its version that ends both directions.
    pub(crate) fn peer_closed(&self) {
        self.0.fetch_or(CLOSE, Ordering::AcqRel);
    }

    /// Whether our close_notify is due in answer to the peer's.
    pub(crate) fn wants_close(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSE != 0
    }

    /// The writer takes the duty to close.
    pub(crate) fn take_close(&self) -> bool {
        self.wants_close() && self.0.fetch_and(!CLOSE, Ordering::AcqRel) & CLOSE != 0
    }

    /// Whether reading failed.
    pub(crate) fn has_reader_failed(&self) -> bool {
        self.0.load(Ordering::Acquire) & READER_FAILED != 0
    }

    /// The alert that reading left to be sent; it is handed out once.
    pub(crate) fn take_alert(&self) -> Option<AlertDescription> {
        if self.0.load(Ordering::Acquire) & ALERT == 0 {
            return None;
        }
        let word = self.0.fetch_and(!ALERT, Ordering::AcqRel);
        let [_, description, ..] = word.to_le_bytes();
        (word & ALERT != 0).then_some(AlertDescription(description))
    }

    /// Whether an alert is due.
    pub(crate) fn wants_alert(&self) -> bool {
        self.0.load(Ordering::Acquire) & ALERT != 0
    }

    /// Writing failed.
    pub(crate) fn writer_failed(&self) {
        self.0.fetch_or(WRITER_FAILED, Ordering::AcqRel);
    }

    /// Whether writing failed.
    pub(crate) fn has_writer_failed(&self) -> bool {
        self.0.load(Ordering::Acquire) & WRITER_FAILED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_requests_are_one_reply() {
        let mailbox = Mailbox::default();
        for _ in 0..3 {
            mailbox.key_update_received(true);
        }
        assert!(mailbox.take_reply());
        assert!(!mailbox.take_reply());
    }

    #[test]
    fn one_request_of_ours_is_out_until_a_key_update_comes() {
        let mailbox = Mailbox::default();
        assert!(!mailbox.key_update_received(false), "nobody has asked");
        assert!(mailbox.ask());
        assert!(!mailbox.ask() && mailbox.has_asked());
        assert!(mailbox.key_update_received(false));
        assert!(!mailbox.has_asked() && mailbox.ask());
    }

    #[test]
    fn an_alert_is_handed_out_once() {
        let mailbox = Mailbox::default();
        mailbox.reader_failed(Some(AlertDescription::BAD_RECORD_MAC));
        assert!(mailbox.has_reader_failed());
        assert_eq!(mailbox.take_alert(), Some(AlertDescription::BAD_RECORD_MAC));
        assert_eq!(mailbox.take_alert(), None);
        assert!(mailbox.has_reader_failed());
    }
}
