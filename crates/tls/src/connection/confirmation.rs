//! What tells a client that the server has accepted it.

use oxtls_handshake::outcome::Outcome;
use oxtls_handshake::suite::ProtocolVersion;

use super::{Client, Connection, SealError};

/// What would prove it, until something has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmation {
    /// A KeyUpdate after we asked for one.
    ByReply,
    /// That, or a ticket.
    ByReplyOrTicket,
    /// Application data: TLS 1.2 has no data before both are Finished.
    ByData,
    /// It is proved.
    Confirmed,
}

impl Confirmation {
    /// What a client must wait for, now that it is done. `asked`: the server asked for a certificate.
    pub(crate) fn of_client(outcome: &Outcome, asked: bool) -> Self {
        match (outcome.version >= ProtocolVersion::TLS1_3, outcome.psk.is_some()) {
            (true, _) if asked => Self::ByReplyOrTicket,
            (true, _) => Self::ByReply,
            (false, true) => Self::ByData,
            // The server's Finished was the last.
            (false, false) => Self::Confirmed,
        }
    }
}

impl Connection<Client> {
    /// Whether the server has shown that it has accepted our Finished and, with it, our certificate or that we have
    /// none.
    ///
    /// In TLS 1.3 a client is done before the server has seen its certificate: an alert that refuses it comes as an
    /// error of a later [`feed`](Self::feed), and until something else has come nobody knows. What comes proves this:
    ///
    /// | the server sends | which proves |
    /// |---|---|
    /// | KeyUpdate, after we asked for one | that it has taken our Finished: the request came behind it, under keys that are used only then |
    /// | NewSessionTicket, having asked for a certificate | the same: RFC 9846 section 4.7.1 allows it then only behind our Finished |
    /// | NewSessionTicket, not having asked | nothing: it may come with the server's own Finished |
    /// | application data | nothing: a server may send it behind its own Finished already, before ours has come (half-RTT data). If it answers what was said above TLS, that proves more than anything here, and only the application can tell |
    /// | KeyUpdate, without our asking | nothing, for the same reason |
    /// | close_notify | nothing: one that never looked at our flight may have closed |
    /// | a fatal alert | that it has refused us, or failed |
    ///
    /// So this is `false` until one of the first two has come. [`request_confirmation`](Self::request_confirmation)
    /// brings the first about. A KeyUpdate of the server's own, sent before it has our Finished, cannot be told from
    /// the answer when both are under way at once; a server has no reason to send one before it has sent some 2^24
    /// records. In TLS 1.2 the server's Finished is the last and this is `true` with
    /// [`HandshakeDone`](super::Event::HandshakeDone), but for a session that was resumed: there the server's first
    /// data proves it.
    ///
    /// That the server's TLS has accepted a certificate does not say that the application behind it will.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.receive.is_confirmed()
    }

    /// Makes the server show that it has accepted us: asks it for a KeyUpdate, once, unless it
    /// [has shown it](Self::is_confirmed). Transmit, then feed what comes. With
    /// [split](Self::split) halves [`Sender::update_keys`](super::Sender::update_keys) does the same.
    ///
    /// # Errors
    /// As [`update_keys`](Self::update_keys).
    pub fn request_confirmation(&mut self) -> Result<(), SealError> {
        if self.is_confirmed() || self.mailbox.has_asked() { Ok(()) } else { self.update_keys(true) }
    }
}
