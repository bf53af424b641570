//! A connection: bytes in, bytes out, no I/O.

mod confirmation;
mod data;
mod early;
mod handshake;
mod info;
mod mailbox;
mod outgoing;
mod receive;
mod resume;
mod role;
mod seal_error;
mod send;
mod sessions;
mod split;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use oxtls_handshake::error::Error as HandshakeError;
use oxtls_handshake::need::{Answer, Need};
use oxtls_handshake::post_handshake::NewTicket;
use oxtls_handshake::suite::ProtocolVersion;
use oxtls_handshake::{client, server, step};
use oxtls_record::Record;
use pki_types::ServerName;

pub use early::EarlyDataStatus;
pub use info::{ChannelBinding, Info, ResumedSession};
pub use role::{Client, Role, Server};
pub use seal_error::SealError;
pub use split::{Receiver, Sender};

use crate::config::{ClientConfig, ConfigError, ServerConfig};
use crate::error::{Error, ErrorKind};
use crate::resumption::{Origin, host};
use crate::trace;
use data::Data;
use handshake::Handshaking;
use info::Identity;
use mailbox::Mailbox;
use receive::{AlertMeaning, Broken, ReceiveHalf};
use role::Sealed;
use send::SendHalf;

/// A client's connection.
pub type ClientConnection = Connection<Client>;

/// A server's connection.
pub type ServerConnection = Connection<Server>;

/// A TLS connection without I/O: what the transport received goes into [`feed`](Self::feed), what
/// [`transmit`](Self::transmit) and [`seal`](Self::seal) write goes to the transport.
///
/// ```no_run
/// # fn pump(mut conn: oxtls::ClientConnection, mut received: Vec<u8>) -> Result<(), oxtls::Error> {
/// let progress = conn.feed(&mut received)?;
/// if let Some(oxtls::Event::Data(range)) = progress.event {
///     println!("{} bytes of plaintext, where the ciphertext was", received[range].len());
/// }
/// received.drain(..progress.consumed);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connection<R: Role> {
    /// Gone once the handshake is over, and with it the connection's hold on its configuration.
    handshaking: Option<Box<Handshaking<R>>>,
    send: SendHalf,
    receive: ReceiveHalf,
    info: Option<Box<Info>>,
    rare: Option<Box<Rare>>,
    mailbox: Mailbox,
    failed: bool,
}

/// What few connections hold, and those not for long.
#[derive(Debug, Default)]
struct Rare {
    key_log: KeyLogLines,
    /// Tickets that the caller seals.
    tickets: Vec<NewTicket>,
    /// What was known of early data when the handshake failed.
    early_data: EarlyDataStatus,
}

/// Lines for a key log; printing a connection must not print its secrets.
#[derive(Default)]
struct KeyLogLines(String);

impl fmt::Debug for KeyLogLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines", self.0.lines().count())
    }
}

/// What [`Connection::feed`] did.
#[derive(Debug, Default)]
#[must_use]
pub struct Progress {
    /// Bytes at the front of the input that are done with; the others must be fed again. 0 without an event: more
    /// bytes are needed before anything can happen, or a [`Need`] is out.
    pub consumed: usize,
    /// What happened.
    pub event: Option<Event>,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Application data, at this range of the input that was fed, decrypted in place.
    Data(Range<usize>),
    /// At a server that takes it: early data (0-RTT), at this range of the input that was fed, decrypted in place. **An
    /// attacker may have sent it before or may send it again**, to this server or to another that this one's replay guard
    /// does not guard: let it have no effect that must not happen twice. All of it comes before `HandshakeDone`.
    EarlyData(Range<usize>),
    /// The handshake is complete: application data may be sealed.
    HandshakeDone,
    /// The caller must decide. Nothing is read until [`Connection::answer`] or [`Connection::abort`].
    Need(Box<Need>),
    /// The peer asked for a KeyUpdate, which waits to be transmitted: wake the sender.
    PeerWantsReply,
    /// At a client that hands sessions out: one or more wait for [`take_session`](Connection::take_session).
    SessionReceived,
    /// The peer has sent close_notify: it sends no more. Writing may go on.
    Closed,
}

impl Connection<Client> {
    /// A client of the server of this name, which the server's certificate must carry.
    ///
    /// # Errors
    /// No randomness; a configuration that this name does not go with.
    pub fn new(config: &ClientConfig, name: ServerName<'static>) -> Result<Self, ConfigError> {
        let config = config.inner();
        let (host, now) = (host(&name), config.settings.clock.now());
        let mut role = Client::new(config, name, &host);
        role.take_session(now);
        Self::start(role, host, now)
    }

    /// A client that offers the role's session, which has passed its checks. `host` is the role's name.
    fn start(role: Client, host: String, now: Duration) -> Result<Self, ConfigError> {
        let sends_name = role.config.send_server_name && matches!(role.name, ServerName::DnsName(_));
        let machine = client::Client::of(
            Arc::clone(&role.config.handshake),
            sends_name.then_some(host),
            role.offered.clone(),
            now,
        )?;
        let mut connection = Self::with(machine, role, Some(now));
        connection.send.set_plaintext_version(ProtocolVersion::TLS1_0.0);
        // A machine that has just been made has a ClientHello and a read mode to give, nothing that can fail.
        let _ = connection.drain();
        connection.send.set_plaintext_version(ProtocolVersion::TLS1_2.0);
        Ok(connection)
    }
}

impl Connection<Server> {
    /// A server of this configuration.
    #[must_use]
    pub fn new(config: &ServerConfig) -> Self {
        let machine = server::Server::new(step::Transport::Stream);
        let role = Server {
            config: config.inner(),
            identity: Identity::Unknown,
            origin: Origin::default(),
            old_key: false,
        };
        let mut connection = Self::with(machine, role, None);
        let _ = connection.drain();
        connection
    }

    /// Answers [`Need::ChooseConfig`]: this hello is served by `config`. With a `cookie` (1 to 65,535 bytes) the
    /// client is made to prove that it is reachable first, by a HelloRetryRequest.
    ///
    /// # Errors
    /// As [`Connection::answer`].
    pub fn answer_config(
        &mut self,
        token: oxtls_handshake::need::ChooseConfig,
        config: &ServerConfig,
        cookie: Option<Vec<u8>>,
    ) -> Result<Option<Event>, Error> {
        let config = config.inner();
        let handshake = Arc::clone(&config.handshake);
        self.input(step::Input::Answer(token.answer(handshake, cookie)))?;
        // Only a token of this connection's own changes what it is configured with.
        if let Some(handshaking) = self.handshaking.as_mut() {
            self.send.set_padding(config.settings.padding);
            handshaking.turn(|role| role.config = config);
        }
        self.resume()
    }
}

impl<R: Role> Connection<R> {
    fn with(machine: <R as Sealed>::Machine, role: R, now: Option<Duration>) -> Self {
        let (padding, max_fragment) = (role.settings().padding, role.settings().max_fragment);
        Self {
            handshaking: Some(Box::new(Handshaking::new(machine, role, now))),
            send: SendHalf::new(padding, max_fragment),
            receive: ReceiveHalf::new(),
            info: None,
            rare: None,
            mailbox: Mailbox::default(),
            failed: false,
        }
    }

    /// Takes in the record at the front of `input`, decrypting it in place: at most one a call.
    ///
    /// # Errors
    /// Whatever ends the connection. The alert that the peer is owed is queued: [`transmit`](Self::transmit) it.
    #[inline]
    pub fn feed(&mut self, input: &mut [u8]) -> Result<Progress, Error> {
        if self.failed {
            return Err(Error::new(ErrorKind::Failed));
        }
        if self.handshaking.is_some() {
            return self.feed_handshake(input);
        }
        match self.receive.feed(&self.mailbox, input) {
            Ok(progress) => Ok(progress),
            Err(broken) => Err(self.fail(broken)),
        }
    }

    /// Writes what waits to be sent (handshake messages, alerts, key updates) into the window; returns how many bytes.
    /// 0 means that nothing waits, or that the window is empty.
    pub fn transmit(&mut self, out: &mut [u8]) -> usize {
        self.send.transmit(&self.mailbox, out)
    }

    /// Whether [`transmit`](Self::transmit) has something to write.
    #[must_use]
    pub fn wants_transmit(&self) -> bool {
        self.send.wants_transmit(&self.mailbox)
    }

    /// Seals application data into the window, as much as fits, behind what waits to be sent. What was not taken
    /// is still the caller's. A window of some 64 KiB, reused, is fastest for long data; small pieces that are there
    /// together share records by [`seal_vectored`](Self::seal_vectored).
    ///
    /// # Errors
    /// [`SealError::TooSmall`] if nothing could be written; [`SealError::EarlyDataRejected`] once, if early data was lost
    /// and nobody has asked; otherwise a state in which nothing can be sealed.
    #[inline]
    pub fn seal(&mut self, plaintext: &[u8], out: &mut [u8]) -> Result<oxtls_record::Sealed, SealError> {
        self.send.seal(&self.mailbox, Data::Whole(plaintext), out)
    }

    /// Bytes that a window needs to take all that waits and this much plaintext sealed.
    #[must_use]
    pub fn sealed_len(&self, plaintext: usize) -> usize {
        self.send.sealed_len(plaintext)
    }

    /// Ends writing: close_notify is queued behind what waits, and the write key is erased. Reading goes on until the
    /// peer closes too. During the handshake this cancels it.
    pub fn close(&mut self) {
        if self.handshaking.is_some() && !self.send.is_open() {
            let _ = self.abort(HandshakeError::Canceled);
        } else {
            self.send.close(&self.mailbox);
        }
    }

    /// The transport has ended. `Ok` if the peer had sent close_notify before.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`]: what was received may have been cut short.
    pub fn end_of_input(&mut self) -> Result<(), Error> {
        if self.receive.is_closed() {
            return Ok(());
        }
        if self.failed {
            return Err(Error::new(ErrorKind::Failed));
        }
        let kind = ErrorKind::Truncated {
            handshaking: self.handshaking.is_some(),
            inside_record: self.receive.is_inside_record(),
        };
        self.give_up();
        Err(trace::failed(Error::new(kind)))
    }

    /// The transport broke: keys are erased and what waits is dropped. Gives the error to hand on.
    pub fn reset(&mut self) -> Error {
        self.give_up();
        trace::failed(Error::new(ErrorKind::Reset))
    }

    /// Gives the answer to the [`Need`] that is out. The event is what [`feed`](Self::feed) would have said.
    ///
    /// # Errors
    /// Whatever ends the connection; [`ErrorKind::Misuse`], which does not, for an answer to another Need.
    pub fn answer(&mut self, answer: Answer) -> Result<Option<Event>, Error> {
        self.input(step::Input::Answer(answer))?;
        self.resume()
    }

    /// Answers a [`Need`] that was handed out as the configuration would have.
    ///
    /// # Errors
    /// As [`answer`](Self::answer); [`ErrorKind::Misuse`] if the configuration cannot answer it.
    pub fn answer_as_configured(&mut self, need: Need) -> Result<Option<Event>, Error> {
        self.settle(need)?;
        self.resume()
    }

    /// Fails the handshake: the refusal of a [`Need`], a cancellation, a deadline. Gives the error to hand on, with
    /// the alert that was queued.
    pub fn abort(&mut self, error: HandshakeError) -> Error {
        if self.handshaking.is_none() {
            return Error::new(ErrorKind::Misuse("the handshake is over: there is nothing to abort"));
        }
        let alert = error.alert();
        match self.input(step::Input::Abort(error)).and_then(|()| self.drain().map(drop)) {
            Err(error) => error,
            Ok(()) => Error::with_alert(ErrorKind::Failed, alert),
        }
    }

    /// Whether the handshake is still going on.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        self.handshaking.is_some()
    }

    /// Whether a [`Need`] is out: nothing is read until it is answered.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.handshaking.as_ref().is_some_and(|handshaking| handshaking.need_is_out())
    }

    /// Whether the connection has failed: nothing more can be received.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether application data can be sealed.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        self.send.is_open()
    }

    /// Whether the peer has sent close_notify.
    #[must_use]
    pub fn is_peer_closed(&self) -> bool {
        self.receive.is_closed()
    }

    /// What was negotiated, once the handshake is done.
    #[must_use]
    pub fn info(&self) -> Option<&Info> {
        self.info.as_deref()
    }

    /// Hands [`Connection::info`] over, so that the connection holds nothing but keys and counters. Exporting is not
    /// possible after that, but from what was handed over.
    pub fn take_info(&mut self) -> Option<Box<Info>> {
        self.info.take()
    }

    /// Key log lines (RFC 9850) since the last call; empty unless the configuration keeps them.
    pub fn take_key_log(&mut self) -> String {
        self.rare.as_mut().map(|rare| std::mem::take(&mut rare.key_log.0)).unwrap_or_default()
    }

    /// How long the handshake may still take; `None` once it is done. When it has passed, call
    /// [`check_deadline`](Self::check_deadline).
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let left = |handshaking: &Handshaking<R>| handshaking.timeout().saturating_sub(handshaking.elapsed());
        self.handshaking.as_deref().map(left)
    }

    /// Fails the handshake if its deadline has passed. [`feed`](Self::feed) does the same.
    ///
    /// # Errors
    /// The deadline has passed: an alert is queued.
    pub fn check_deadline(&mut self) -> Result<(), Error> {
        self.check_elapsed().map(drop)
    }

    /// The same; how long the handshake has taken, zero once it is done.
    fn check_elapsed(&mut self) -> Result<Duration, Error> {
        let Some(handshaking) = self.handshaking.as_deref() else { return Ok(Duration::ZERO) };
        let elapsed = handshaking.elapsed();
        if elapsed < handshaking.timeout() {
            return Ok(elapsed);
        }
        Err(self.abort(HandshakeError::DeadlineExceeded))
    }

    /// Exports keying material for `label` and `context` (RFC 9846 section 7.5).
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] before the handshake is done, or if the configuration keeps no exporter.
    pub fn export(&self, label: &str, context: Option<&[u8]>, out: &mut [u8]) -> Result<(), Error> {
        let info = self.info.as_deref();
        info.ok_or_else(|| {
            Error::new(ErrorKind::Misuse("nothing can be exported before the handshake is done"))
        })?
        .export(label, context, out)
    }

    /// Goes on under a new write key (RFC 9846 section 4.7.3); with `ask_peer`, the peer is asked to do so too. It
    /// also happens by itself before a key is used too often.
    ///
    /// # Errors
    /// The handshake is not done, this side has closed, or the connection has failed.
    pub fn update_keys(&mut self, ask_peer: bool) -> Result<(), SealError> {
        // A server that may already send data is open before its handshake is done.
        if self.handshaking.is_some() {
            return Err(SealError::Handshaking);
        }
        self.send.update_key_now(&self.mailbox, ask_peer)
    }

    /// Lets go of what can be made again, for a connection that will be idle for a while: the state of its ciphers, some
    /// 1,200 bytes, which in TLS 1.3 is made again of the traffic secrets with the next record, at the price of about two
    /// small ones each way. Nothing else changes.
    pub fn rest(&mut self) {
        if self.handshaking.is_none() {
            self.send.rest();
            self.receive.rest();
        }
    }

    /// Two owned halves, for two threads or tasks, once the handshake is done. They share one atomic word and no lock.
    /// Take [`info`](Self::take_info), the [key log](Self::take_key_log) and tickets to seal out before: the halves have
    /// none of them.
    ///
    /// # Errors
    /// The connection itself, while it is handshaking or after it has failed.
    #[allow(clippy::result_large_err, reason = "the connection is given back, not lost")]
    pub fn split(self) -> Result<(Sender, Receiver), Self> {
        if self.handshaking.is_some() || self.failed {
            return Err(self);
        }
        Ok(split::split(self.send, self.receive, self.mailbox))
    }

    /// The connection that was split, whole again.
    ///
    /// # Errors
    /// The halves themselves, if they are not of one connection.
    #[allow(clippy::result_large_err, reason = "the halves are given back, not lost")]
    pub fn unsplit(sender: Sender, receiver: Receiver) -> Result<Self, (Sender, Receiver)> {
        if !sender.belongs_to(&receiver) {
            return Err((sender, receiver));
        }
        let failed = receiver.has_failed();
        let (send, mailbox) = sender.into_half();
        let receive = receiver.into_half();
        Ok(Self { handshaking: None, send, receive, info: None, rare: None, mailbox, failed })
    }

    /// Ends both directions after reading failed, and queues the alert.
    #[cold]
    fn fail(&mut self, broken: Broken) -> Error {
        match broken.alert {
            Some(alert) => self.send.fail(&self.mailbox, alert),
            None => self.send.abandon(&self.mailbox),
        }
        self.fall();
        trace::failed(broken.into_error())
    }

    /// Ends both directions without a word.
    fn give_up(&mut self) {
        self.send.abandon(&self.mailbox);
        self.fall();
    }

    fn fall(&mut self) {
        self.failed = true;
        if let Some(handshaking) = self.handshaking.take() {
            handshaking.role.fail();
            let early = &handshaking.early;
            let early_data = if R::IS_CLIENT { early.unproved() } else { early.status };
            if early_data != EarlyDataStatus::NotOffered {
                self.rare.get_or_insert_default().early_data = early_data;
            }
        }
        self.receive.erase();
    }
}

#[cfg(test)]
mod tests;
