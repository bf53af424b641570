//! The receiving half: records opened one at a time, and what they mean once the handshake is over.

use std::ops::Range;
use std::time::Duration;

use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::error::Error as HandshakeError;
use oxtls_handshake::post_handshake::{Receive, Received};
use oxtls_handshake::session::Session;
use oxtls_handshake::step::{self, Direction, KeyChange, KeySecret, Level, ReadMode};
use oxtls_record::{
    Alert, ApplicationDataMode, ChangeCipherSpecMode, Mode, Opened, ReadKey, Reader, Reassembly, Record,
    RecordError,
};

use super::confirmation::Confirmation;
use super::mailbox::Mailbox;
use super::{Event, Progress};
use crate::defaults;
use crate::error::{Error, ErrorKind};
use crate::resumption::{ClientSession, Sink};
use crate::trace;

/// What broke reading, and the alert that the peer is owed.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) kind: ErrorKind,
    pub(crate) alert: Option<AlertDescription>,
}

impl Broken {
    pub(crate) fn into_error(self) -> Error {
        match self.alert {
            Some(alert) => Error::with_alert(self.kind, alert),
            None => Error::new(self.kind),
        }
    }

    fn flood(what: &'static str) -> Self {
        Self { kind: ErrorKind::Flood(what), alert: Some(AlertDescription::UNEXPECTED_MESSAGE) }
    }
}

impl From<RecordError> for Broken {
    #[cold]
    fn from(error: RecordError) -> Self {
        let alert = Some(AlertDescription(error.alert()));
        Self { kind: ErrorKind::Record(error), alert }
    }
}

/// What an alert of the peer means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertMeaning {
    /// Nothing; counted.
    Ignored,
    /// The peer sends no more.
    Closed,
}

/// The receiving half.
#[derive(Debug)]
pub(crate) struct ReceiveHalf {
    reader: Reader,
    reassembly: Reassembly,
    post_handshake: Option<Receive>,
    /// Where a client's sessions go.
    sink: Option<Box<Sink>>,
    closed: bool,
    /// A key of TLS 1.3 has been installed: alerts are no longer anybody's.
    protected: bool,
    /// A key of TLS 1.2 has been installed: close_notify ends both directions (RFC 5246 section 7.2.1).
    closes_both: bool,
    /// The last call ended in the middle of a record.
    inside_record: bool,
    warnings: u8,
    key_updates: u8,
    tickets: u8,
    confirmation: Confirmation,
}

impl ReceiveHalf {
    pub(crate) fn new() -> Self {
        Self {
            reader: Reader::new(),
            reassembly: Reassembly::new(),
            post_handshake: None,
            sink: None,
            closed: false,
            protected: false,
            closes_both: false,
            inside_record: false,
            warnings: 0,
            key_updates: 0,
            tickets: 0,
            confirmation: Confirmation::ByReply,
        }
    }

    /// Reads under another key from the next record on.
    pub(crate) fn install(&mut self, change: KeyChange) -> Result<(), oxtls_crypto::Error> {
        let no_suite = oxtls_crypto::Error::Internal("a key for a suite of another version");
        self.reader.install(match change.secret {
            KeySecret::Tls13(secret) => {
                let suite = change.suite.tls13().ok_or(no_suite)?;
                self.protected = true;
                let key = ReadKey::tls13(suite.aead, suite.hash, secret)?;
                if change.level == Level::Early { key.early() } else { key }
            }
            KeySecret::Tls12 { key, fixed_iv } => {
                let suite = change.suite.tls12().ok_or(no_suite)?;
                self.closes_both = true;
                ReadKey::tls12(suite.aead, &key, &fixed_iv)?
            }
        });
        Ok(())
    }

    /// Reads in another way from the next record on.
    pub(crate) fn set_mode(&mut self, mode: ReadMode) {
        self.reader.set_mode(Mode {
            change_cipher_spec: match mode.change_cipher_spec {
                step::ChangeCipherSpec::Drop => ChangeCipherSpecMode::Drop,
                step::ChangeCipherSpec::Deliver => ChangeCipherSpecMode::Deliver,
            },
            application_data: match mode.application_data {
                step::ApplicationData::Refuse => ApplicationDataMode::Refuse,
                step::ApplicationData::Accept => ApplicationDataMode::Accept,
                step::ApplicationData::Early { limit } => ApplicationDataMode::Early { limit },
                step::ApplicationData::SkipUndecryptable { limit } => {
                    ApplicationDataMode::SkipUndecryptable { limit }
                }
                step::ApplicationData::SkipUntilClientHello { limit } => {
                    ApplicationDataMode::SkipUntilClientHello { limit }
                }
            },
            plaintext_alert: mode.plaintext_alert,
            // The machine counts the 4 bytes of a message's header, the record layer does not.
            max_message: mode.max_message.saturating_sub(4),
        });
    }

    /// Lets the key rest until it opens again.
    pub(crate) fn rest(&mut self) {
        self.reader.rest();
    }

    /// Enforces our record_size_limit.
    pub(crate) fn set_record_size_limit(&mut self, limit: u16) {
        self.reader.set_record_size_limit(limit);
    }

    /// The handshake is over: what follows is judged here.
    pub(crate) fn connect(&mut self, receive: Receive, confirmation: Confirmation, sink: Option<Box<Sink>>) {
        self.post_handshake = Some(receive);
        self.confirmation = confirmation;
        self.sink = sink;
    }

    /// The oldest session that waits for the user.
    pub(crate) fn take_session(&mut self) -> Option<ClientSession> {
        self.sink.as_mut()?.take()
    }

    /// Keeps a session; whether it waits for the user now.
    fn store(&mut self, session: Box<Session>) -> bool {
        self.sink.as_mut().is_some_and(|sink| sink.put(session))
    }

    /// Whether the peer has shown that it has accepted us.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmation == Confirmation::Confirmed
    }

    /// Whether the peer has sent close_notify.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether bytes of a record, or of a message, wait for more.
    pub(crate) fn is_inside_record(&self) -> bool {
        self.inside_record || self.reassembly.has_partial()
    }

    /// Whether part of a handshake message waits.
    pub(crate) fn has_partial(&self) -> bool {
        self.reassembly.has_partial()
    }

    /// Opens the record at the front of `input`, in place.
    #[inline(always)]
    pub(crate) fn open(&mut self, input: &mut [u8]) -> Result<Opened, Broken> {
        let opened = self.reader.open(input)?;
        self.inside_record = opened.consumed == 0 && !input.is_empty();
        self.reassembly.check_interleaving(&opened)?;
        Ok(opened)
    }

    /// The next whole handshake message, `more` beside it, given to `take` while it is borrowed.
    pub(crate) fn next_message<T>(
        &mut self,
        fragment: &[u8],
        cursor: &mut usize,
        take: impl FnOnce(&[u8], bool) -> T,
    ) -> Result<Option<T>, Broken> {
        let message = self.reassembly.next(fragment, cursor, self.reader.mode().max_message)?;
        Ok(message.map(|message| take(message.bytes, message.more)))
    }

    /// Keeps the rest of a record until a decision is taken.
    pub(crate) fn hold(&mut self, rest: &[u8]) -> Result<(), Broken> {
        Ok(self.reassembly.hold(rest)?)
    }

    /// What came in after the handshake; the record's plaintext is at the event's range of `input`. One piece of code with
    /// its caller, whose result this is: moved from one place in memory to the other it would take its time.
    #[inline(always)]
    pub(crate) fn feed(&mut self, mailbox: &Mailbox, input: &mut [u8]) -> Result<Progress, Broken> {
        if self.closed {
            return Ok(Progress { consumed: 0, event: Some(Event::Closed) });
        }
        let opened = self.open(input)?;
        let event = match opened.record {
            None => None,
            Some(Record::ApplicationData(range)) => Some(self.data(range)),
            Some(Record::Handshake(range)) => self.messages(mailbox, input.get(range).unwrap_or_default())?,
            Some(Record::Alert(alert)) => match self.alert(mailbox, alert, false)? {
                AlertMeaning::Ignored => None,
                AlertMeaning::Closed => Some(Event::Closed),
            },
            Some(Record::ChangeCipherSpec) => {
                return Err(Broken {
                    kind: ErrorKind::Handshake(HandshakeError::UnexpectedChangeCipherSpec),
                    alert: Some(AlertDescription::UNEXPECTED_MESSAGE),
                });
            }
        };
        Ok(Progress { consumed: opened.consumed, event })
    }

    #[inline]
    fn data(&mut self, range: Range<usize>) -> Event {
        self.key_updates = 0;
        if self.sink.is_some() {
            self.await_tickets();
        }
        self.tickets = 0;
        if self.confirmation == Confirmation::ByData {
            self.confirmation = Confirmation::Confirmed;
        }
        Event::Data(range)
    }

    /// Data has come. Servers send their tickets in one go and early: behind them, or where there have been none for long,
    /// the connection lets go of what it would need for more, some 300 bytes and its share in the peer's chain. A user who
    /// takes sessions by hand gets those that come late too.
    fn await_tickets(&mut self) {
        let records = self.reader.key().map_or(0, ReadKey::sequence);
        let over = self.tickets > 0 || records > defaults::RECORDS_BEFORE_TICKETS;
        if over && self.sink.as_ref().is_some_and(|sink| !sink.is_users()) {
            self.sink = None;
            if let Some(receive) = &mut self.post_handshake {
                receive.keep_no_tickets();
            }
        }
    }

    /// Handshake messages after the handshake: tickets and KeyUpdate.
    #[cold]
    fn messages(&mut self, mailbox: &Mailbox, fragment: &[u8]) -> Result<Option<Event>, Broken> {
        // Only what keeps tickets asks for the time.
        let now = self.sink.as_ref().map_or(Duration::ZERO, |sink| sink.now());
        let mut cursor = 0;
        let mut event = None;
        loop {
            let Some(receive) = self.post_handshake.as_mut() else {
                return Err(RecordError::Internal("a message before the handshake is over").into());
            };
            let message = self.reassembly.next(fragment, &mut cursor, self.reader.mode().max_message)?;
            let Some(message) = message else { return Ok(event) };
            trace::message_received(message.bytes, Level::Application);
            let received = receive.message(message.bytes, message.more, now).map_err(|failure| Broken {
                alert: Some(failure.alert),
                kind: ErrorKind::Handshake(failure.error),
            })?;
            match received {
                Some(Received::KeyUpdate { reply }) => {
                    self.key_update(mailbox, reply)?;
                    if reply {
                        event = Some(Event::PeerWantsReply);
                    }
                }
                Some(Received::StoreSession(_)) | None => {
                    if let Some(Received::StoreSession(session)) = received
                        && self.store(session)
                    {
                        event = Some(Event::SessionReceived);
                    }
                    if self.confirmation == Confirmation::ByReplyOrTicket {
                        self.confirmation = Confirmation::Confirmed;
                    }
                    self.tickets = self.tickets.saturating_add(1);
                    if self.tickets > defaults::MAX_TICKETS_IN_A_ROW {
                        return Err(Broken::flood("tickets"));
                    }
                }
            }
        }
    }

    /// Reads under the next generation of the key (RFC 9846 section 4.7.3).
    fn key_update(&mut self, mailbox: &Mailbox, reply: bool) -> Result<(), Broken> {
        self.key_updates = self.key_updates.saturating_add(1);
        if self.key_updates > defaults::MAX_KEY_UPDATES_IN_A_ROW {
            return Err(Broken::flood("KeyUpdates"));
        }
        self.reader.update_key()?;
        trace::key_updated(Direction::Read);
        if mailbox.key_update_received(reply) {
            self.confirmation = Confirmation::Confirmed;
        }
        Ok(())
    }

    /// Judges an alert (RFC 9846 section 6). Level is not looked at under a 1.3 key, as the RFC says.
    pub(crate) fn alert(
        &mut self,
        mailbox: &Mailbox,
        alert: Alert,
        handshaking: bool,
    ) -> Result<AlertMeaning, Broken> {
        let description = AlertDescription(alert.description);
        if description == AlertDescription::CLOSE_NOTIFY {
            trace::close_received();
        } else {
            trace::alert_received(description);
        }
        if self.protected {
            self.check_alert_level(alert, handshaking)?;
        }
        let warning = if self.protected {
            description == AlertDescription::USER_CANCELED
        } else {
            alert.level == Alert::WARNING
        };
        if description == AlertDescription::CLOSE_NOTIFY {
            if handshaking {
                return Err(Broken { kind: ErrorKind::ClosedDuringHandshake, alert: None });
            }
            self.close();
            if self.closes_both {
                mailbox.peer_closed();
            }
            return Ok(AlertMeaning::Closed);
        }
        if !warning {
            return Err(Broken {
                kind: ErrorKind::AlertReceived { alert: description, handshaking },
                alert: None,
            });
        }
        self.warnings = self.warnings.saturating_add(1);
        if self.warnings > defaults::MAX_WARNING_ALERTS {
            return Err(Broken::flood("warning alerts"));
        }
        Ok(AlertMeaning::Ignored)
    }

    /// In TLS 1.3 the level of an alert means nothing, but it must be one (RFC 9846 section 6), and one that calls an
    /// error a warning comes from a peer that means to go on: it is told that we do not.
    fn check_alert_level(&self, alert: Alert, handshaking: bool) -> Result<(), Broken> {
        let description = AlertDescription(alert.description);
        let closure = matches!(description, AlertDescription::CLOSE_NOTIFY | AlertDescription::USER_CANCELED);
        match alert.level {
            Alert::FATAL => Ok(()),
            Alert::WARNING if closure => Ok(()),
            Alert::WARNING => Err(Broken {
                kind: ErrorKind::AlertReceived { alert: description, handshaking },
                alert: Some(AlertDescription::DECODE_ERROR),
            }),
            _ => Err(Broken {
                kind: ErrorKind::Handshake(HandshakeError::IllegalParameter { what: "AlertLevel" }),
                alert: Some(AlertDescription::ILLEGAL_PARAMETER),
            }),
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.erase();
    }

    /// Erases the key and what waits.
    pub(crate) fn erase(&mut self) {
        self.reader = Reader::new();
        self.reassembly = Reassembly::new();
        self.post_handshake = None;
    }
}
