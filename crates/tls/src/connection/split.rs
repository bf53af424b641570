//! A connection in two owned halves.

use std::io::IoSlice;
use std::sync::Arc;

use oxtls_handshake::post_handshake::NewTicket;

use super::Progress;
use super::data::Data;
use super::mailbox::Mailbox;
use super::receive::ReceiveHalf;
use super::seal_error::SealError;
use super::send::SendHalf;
use crate::error::{Error, ErrorKind};
use crate::resumption::ClientSession;
use crate::trace;

/// The sending half of a connection that was split.
#[derive(Debug)]
pub struct Sender {
    half: SendHalf,
    mailbox: Arc<Mailbox>,
}

/// The receiving half of a connection that was split.
///
/// When [`feed`](Self::feed) says [`Event::PeerWantsReply`](super::Event::PeerWantsReply) or fails, the sender has
/// something to transmit and cannot know: wake it.
#[derive(Debug)]
pub struct Receiver {
    half: ReceiveHalf,
    mailbox: Arc<Mailbox>,
    failed: bool,
}

pub(super) fn split(send: SendHalf, receive: ReceiveHalf, mailbox: Mailbox) -> (Sender, Receiver) {
    let mailbox = Arc::new(mailbox);
    (Sender { half: send, mailbox: Arc::clone(&mailbox) }, Receiver { half: receive, mailbox, failed: false })
}

impl Sender {
    /// As [`Connection::seal`](super::Connection::seal).
    ///
    /// # Errors
    /// As there; [`SealError::Failed`] also when the receiver has failed.
    #[inline]
    pub fn seal(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<oxtls_record::Sealed, SealError> {
        self.half.seal(&self.mailbox, Data::Whole(plaintext), out)
    }

    /// As [`Connection::seal_vectored`](super::Connection::seal_vectored).
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_vectored(
        &mut self,
        pieces: &[IoSlice<'_>],
        out: &mut [u8],
    ) -> Result<oxtls_record::Sealed, SealError> {
        self.half.seal(&self.mailbox, Data::Pieces(pieces), out)
    }

    /// As [`Connection::transmit`](super::Connection::transmit): alerts and KeyUpdates of the receiver's making too.
    pub fn transmit(&mut self, out: &mut [u8]) -> usize {
        self.half.transmit(&self.mailbox, out)
    }

    /// As [`Connection::wants_transmit`](super::Connection::wants_transmit).
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        self.half.wants_transmit(&self.mailbox)
    }

    /// As [`Connection::sealed_len`](super::Connection::sealed_len).
    #[must_use]
    pub fn sealed_len(&self, plaintext: usize) -> usize {
        self.half.sealed_len(plaintext)
    }

    /// As [`Connection::close`](super::Connection::close).
    pub fn close(&mut self) {
        self.half.close(&self.mailbox);
    }

    /// As [`Connection::update_keys`](super::Connection::update_keys).
    ///
    /// # Errors
    /// As there.
    pub fn update_keys(&mut self, ask_peer: bool) -> Result<(), SealError> {
        self.half.update_key_now(&self.mailbox, ask_peer)
    }

    /// As [`Connection::rest`](super::Connection::rest), of this half.
    pub fn rest(&mut self) {
        self.half.rest();
    }

    /// As [`Connection::send_ticket`](super::Connection::send_ticket).
    ///
    /// # Errors
    /// As there.
    pub fn send_ticket(&mut self, ticket: NewTicket, sealed: &[u8]) -> Result<(), SealError> {
        self.half.ticket(ticket, sealed)
    }

    pub(super) fn into_half(self) -> (SendHalf, Mailbox) {
        (self.half, self.mailbox.moved())
    }

    /// Whether this and that half are of one connection.
    #[must_use]
    pub fn belongs_to(&self, receiver: &Receiver) -> bool {
        Arc::ptr_eq(&self.mailbox, &receiver.mailbox)
    }
}

impl Receiver {
    /// As [`Connection::feed`](super::Connection::feed).
    ///
    /// # Errors
    /// As there. The alert that the peer is owed is the sender's to transmit: wake it.
    #[inline]
    pub fn feed(&mut self, input: &mut [u8]) -> Result<Progress, Error> {
        if self.failed {
            return Err(Error::new(ErrorKind::Failed));
        }
        self.half.feed(&self.mailbox, input).map_err(|broken| {
            self.fail();
            self.mailbox.reader_failed(broken.alert);
            trace::failed(broken.into_error())
        })
    }

    /// As [`Connection::end_of_input`](super::Connection::end_of_input).
    ///
    /// # Errors
    /// As there.
    pub fn end_of_input(&mut self) -> Result<(), Error> {
        if self.half.is_closed() {
            return Ok(());
        }
        let inside_record = self.half.is_inside_record();
        self.fail();
        self.mailbox.reader_failed(None);
        Err(trace::failed(Error::new(ErrorKind::Truncated { handshaking: false, inside_record })))
    }

    /// As [`Connection::is_confirmed`](super::Connection::is_confirmed); a server's is from the beginning.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.half.is_confirmed()
    }

    /// As [`Connection::rest`](super::Connection::rest), of this half.
    pub fn rest(&mut self) {
        self.half.rest();
    }

    /// As [`Connection::take_session`](super::Connection::take_session).
    pub fn take_session(&mut self) -> Option<ClientSession> {
        self.half.take_session()
    }

    /// Whether the sender has failed: what the peer still sends is in answer to nothing.
    #[must_use]
    pub fn has_sender_failed(&self) -> bool {
        self.mailbox.has_writer_failed()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(super) fn into_half(self) -> ReceiveHalf {
        self.half
    }

    fn fail(&mut self) {
        self.failed = true;
        self.half.erase();
    }
}
