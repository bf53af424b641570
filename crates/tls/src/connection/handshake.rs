//! Driving the machine: records become its inputs, its outputs become records, keys and questions.

use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use oxtls_crypto::secret::Secret;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::error::{Error as HandshakeError, Fault};
use oxtls_handshake::need::Need;
use oxtls_handshake::outcome::Outcome;
use oxtls_handshake::post_handshake::PostHandshake;
use oxtls_handshake::step::{Direction, EarlyData, Failure, Input, KeyChange, Level, Output};
use oxtls_record::RecordError;

use super::confirmation::Confirmation;
use super::early::{EarlyDataStatus, EarlyState};
use super::role::{Machine, Sealed, Settled};
use super::sessions::Left;
use super::{AlertMeaning, Broken, Connection, Error, ErrorKind, Event, Info, Progress, Record, Role};
use crate::clock::Started;
use crate::trace;

/// What a connection holds only while it shakes hands.
pub(crate) struct Handshaking<R: Role> {
    machine: <R as Sealed>::Machine,
    pub(crate) role: R,
    started: Started,
    /// When it started, since the Unix epoch, once that was wanted: the clock is asked for the date once in a handshake.
    epoch: Option<Duration>,
    level: Level,
    need_is_out: bool,
    pub(super) early: EarlyState,
    /// A choice of a credential was asked of us: at a client, by a CertificateRequest.
    certificate_asked_for: bool,
}

impl<R: Role> Handshaking<R> {
    /// A handshake that starts now: at this time since the Unix epoch, where the clock was asked already.
    pub(crate) fn new(machine: <R as Sealed>::Machine, role: R, now: Option<Duration>) -> Self {
        let started = role.settings().clock.start();
        Self {
            machine,
            role,
            started,
            epoch: now,
            level: Level::Initial,
            need_is_out: false,
            early: EarlyState::default(),
            certificate_asked_for: false,
        }
    }

    /// How long it has taken by now.
    pub(super) fn elapsed(&self) -> Duration {
        self.role.settings().clock.since(&self.started)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.role.settings().handshake_timeout
    }

    /// Goes on under another configuration, whose clock is asked from here on.
    pub(super) fn turn(&mut self, role: impl FnOnce(&mut R)) {
        role(&mut self.role);
        self.epoch = None;
    }

    pub(crate) fn need_is_out(&self) -> bool {
        self.need_is_out
    }
}

impl<R: Role> fmt::Debug for Handshaking<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshaking")
            .field("machine", &self.machine)
            .field("level", &self.level)
            .field("need_is_out", &self.need_is_out)
            .finish_non_exhaustive()
    }
}

impl<R: Role> Connection<R> {
    /// [`Connection::feed`] while the handshake goes on. Nothing is opened while a Need is out: no record is ever
    /// read under a key or mode that the answer was going to change.
    #[cold]
    pub(super) fn feed_handshake(&mut self, input: &mut [u8]) -> Result<Progress, Error> {
        let elapsed = self.check_elapsed()?;
        if self.handshaking.as_ref().is_some_and(|handshaking| handshaking.need_is_out) {
            return Ok(Progress::default());
        }
        let opened = self.receive.open(input).map_err(|broken| self.abort_broken(broken))?;
        let event = match opened.record {
            None => None,
            Some(Record::Handshake(range)) => self.messages(input.get(range).unwrap_or_default(), elapsed)?,
            Some(Record::Alert(alert)) => {
                match self
                    .receive
                    .alert(&self.mailbox, alert, true)
                    .map_err(|broken| self.abort_broken(broken))?
                {
                    AlertMeaning::Ignored | AlertMeaning::Closed => None,
                }
            }
            Some(Record::ChangeCipherSpec) => {
                trace::change_cipher_spec_received();
                let more = self.receive.has_partial();
                self.input(Input::ChangeCipherSpec { more })?;
                self.drain()?
            }
            // Only a read mode that the machine asked for lets data through before the handshake is done.
            Some(Record::ApplicationData(range)) => Some(self.early_data_received(range)?),
        };
        Ok(Progress { consumed: opened.consumed, event })
    }

    /// Early data, of which the machine has said that it is taken.
    fn early_data_received(&mut self, range: Range<usize>) -> Result<Event, Error> {
        let early = self.handshaking.as_mut().map(|handshaking| &mut handshaking.early);
        match early.filter(|early| matches!(early.status, EarlyDataStatus::Accepted { .. })) {
            Some(early) => {
                early.count(range.len());
                Ok(Event::EarlyData(range))
            }
            None => Err(self.abort_broken(RecordError::ApplicationDataRefused.into())),
        }
    }

    /// Gives the machine every whole message of a fragment, or, with an empty one, those that were held back. They have come
    /// `elapsed` after the start.
    fn messages(&mut self, fragment: &[u8], elapsed: Duration) -> Result<Option<Event>, Error> {
        let mut cursor = 0;
        loop {
            let Some(handshaking) = self.handshaking.as_mut() else {
                // The machine is done and has refused whatever came behind the Finished in its record.
                return Ok(None);
            };
            let Handshaking { machine, role, level, epoch, .. } = &mut **handshaking;
            let level = *level;
            let taken = self.receive.next_message(fragment, &mut cursor, |bytes, more| {
                trace::message_received(bytes, level);
                let start = || role.settings().clock.now().saturating_sub(elapsed);
                let now = epoch.get_or_insert_with(start).saturating_add(elapsed);
                machine.input(Input::Message { level, bytes, more, now })
            });
            match taken.map_err(|broken| self.abort_broken(broken))? {
                None => return Ok(None),
                Some(Err(_)) => return Err(self.bug("the handshake refused to take a message")),
                Some(Ok(())) => {}
            }
            if let Some(event) = self.drain()? {
                if matches!(event, Event::Need(_)) {
                    let rest = fragment.get(cursor..).unwrap_or_default();
                    self.receive.hold(rest).map_err(|broken| self.abort_broken(broken))?;
                }
                return Ok(Some(event));
            }
        }
    }

    /// Goes on after an answer: first the machine's outputs, then the messages that were held back.
    pub(super) fn resume(&mut self) -> Result<Option<Event>, Error> {
        match self.drain()? {
            Some(event) => Ok(Some(event)),
            None => {
                let elapsed = self.handshaking.as_ref().map(|handshaking| handshaking.elapsed());
                self.messages(&[], elapsed.unwrap_or_default())
            }
        }
    }

    /// Gives the machine an input that is not a message.
    pub(super) fn input(&mut self, input: Input<'_>) -> Result<(), Error> {
        let Some(handshaking) = self.handshaking.as_mut() else {
            return Err(Error::new(ErrorKind::Misuse("the handshake is over")));
        };
        if let Input::Answer(answer) = &input {
            trace::answered(answer);
        }
        match handshaking.machine.input(input) {
            Ok(()) => {
                handshaking.need_is_out = false;
                Ok(())
            }
            Err(_) => {
                Err(Error::new(ErrorKind::Misuse("this answers another Need than the one that is out")))
            }
        }
    }

    /// Answers a Need from the configuration; the caller's choice to be asked is past.
    pub(super) fn settle(&mut self, need: Need) -> Result<(), Error> {
        let Some(handshaking) = self.handshaking.as_mut() else {
            return Err(Error::new(ErrorKind::Misuse("the handshake is over")));
        };
        match handshaking.role.settle(need) {
            Ok(Settled::Answer(answer)) => self.input(Input::Answer(answer)),
            Ok(Settled::Ask(_)) => {
                Err(Error::new(ErrorKind::Misuse("the configuration has no answer to this Need")))
            }
            Err(error) => self.input(Input::Abort(error)),
        }
    }

    /// Acts on the machine's outputs until it waits for input or for the caller.
    pub(super) fn drain(&mut self) -> Result<Option<Event>, Error> {
        while let Some(output) =
            self.handshaking.as_mut().and_then(|handshaking| handshaking.machine.output())
        {
            if let Some(event) = self.act(output)? {
                self.flush()?;
                return Ok(Some(event));
            }
        }
        self.flush()?;
        Ok(None)
    }

    fn act(&mut self, output: Output) -> Result<Option<Event>, Error> {
        match output {
            Output::Send { bytes, level } => {
                trace::messages_sent(&bytes, level);
                self.send.message(bytes);
            }
            Output::SendChangeCipherSpec => {
                trace::change_cipher_spec_sent();
                if self.send.change_cipher_spec().is_err() {
                    return Err(self.bug("a ChangeCipherSpec could not be sent"));
                }
            }
            Output::Keys(change) => self.install(change)?,
            Output::Read(mode) => self.receive.set_mode(mode),
            Output::Limits { send, receive } => {
                self.send.set_record_size_limit(send);
                self.receive.set_record_size_limit(receive);
            }
            Output::HalfRtt => self.send.open(),
            Output::EarlyData(news) => self.early_data_turns(news)?,
            Output::PeerParameters(_) => {}
            Output::KeyLog { label, client_random, secret } => self.log_key(label, &client_random, &secret),
            Output::Need(need) => return self.need(need),
            Output::Done(outcome, post_handshake) => {
                return Ok(Some(self.done(outcome, post_handshake)));
            }
            Output::Failed(failure) => return Err(self.failed(failure)),
        }
        Ok(None)
    }

    /// The handshake is over, and with it the hold on the configuration.
    fn done(&mut self, mut outcome: Box<Outcome>, post_handshake: PostHandshake) -> Event {
        let PostHandshake { mut receive, tickets } = post_handshake;
        let mut handshaking = self.handshaking.take();
        let confirmation = if R::IS_CLIENT {
            let asked = handshaking.as_ref().is_some_and(|handshaking| handshaking.certificate_asked_for);
            Confirmation::of_client(&outcome, asked)
        } else {
            // The client's Finished was the last.
            Confirmation::Confirmed
        };
        trace::done(&outcome);
        let left = handshaking.as_mut().map(|handshaking| handshaking.role.leave(&mut outcome, tickets));
        let Left { messages, tickets, sink, peer } = left.unwrap_or_default();
        if let Some(peer) = peer {
            receive.share_peer(peer);
        }
        let early = handshaking.as_mut().map(|handshaking| std::mem::take(&mut handshaking.early));
        if let Some(EarlyState { status: EarlyDataStatus::Rejected { bytes, .. }, .. }) = &early
            && R::IS_CLIENT
        {
            self.send.refuse(*bytes);
        }
        let identity = handshaking.map(|mut handshaking| handshaking.role.take_identity());
        let identity = identity.unwrap_or_default();
        let info = Info::new(outcome, identity, early.unwrap_or_default(), R::IS_CLIENT);
        self.info = Some(Box::new(info));
        self.receive.connect(receive, confirmation, sink);
        for message in messages {
            trace::message_sent(&message, Level::Application);
            self.send.message(message);
        }
        self.send.open();
        if !tickets.is_empty() {
            self.rare.get_or_insert_default().tickets = tickets;
        }
        Event::HandshakeDone
    }

    /// What became of early data. At a client a rejection takes the early write key away: what follows is in the clear
    /// until the next key.
    fn early_data_turns(&mut self, news: EarlyData) -> Result<(), Error> {
        let removed = R::IS_CLIENT && matches!(news, EarlyData::Rejected(_));
        if let Some(handshaking) = self.handshaking.as_mut() {
            handshaking.early.turn(news);
        }
        if removed && self.send.remove_key().is_err() {
            return Err(self.bug("a handshake message could not be sent"));
        }
        Ok(())
    }

    fn install(&mut self, change: KeyChange) -> Result<(), Error> {
        trace::key_installed(&change);
        let level = change.level;
        let installed = match change.direction {
            Direction::Write => {
                if let Some(handshaking) = self.handshaking.as_mut().filter(|_| level != Level::Early) {
                    handshaking.early.end();
                }
                self.send.install(change).is_ok()
            }
            Direction::Read => {
                if let Some(handshaking) = self.handshaking.as_mut() {
                    handshaking.level = level;
                }
                self.receive.install(change).is_ok()
            }
        };
        if installed { Ok(()) } else { Err(self.bug("a key could not be installed")) }
    }

    /// Answers a Need at once if the configuration can and its caller does not want to.
    fn need(&mut self, mut need: Need) -> Result<Option<Event>, Error> {
        let Some(handshaking) = self.handshaking.as_mut() else { return Ok(None) };
        handshaking.role.note(&mut need);
        handshaking.certificate_asked_for |= matches!(need, Need::ChooseCredential(_));
        let asked = handshaking.role.settings().ask.iter().any(|decision| decision.covers(&need));
        trace::asked(&need, asked);
        let limited =
            handshaking.role.settings().policy.map_or(Ok(()), |policy| policy.limit_need(&mut need));
        let settled = match limited {
            Err(error) => Err(error),
            Ok(()) if asked => Ok(Settled::Ask(need)),
            Ok(()) => handshaking.role.settle(need),
        };
        match settled {
            Ok(Settled::Answer(answer)) => self.input(Input::Answer(answer))?,
            Err(error) => self.input(Input::Abort(error))?,
            Ok(Settled::Ask(need)) => {
                handshaking.need_is_out = true;
                return Ok(Some(Event::Need(Box::new(need))));
            }
        }
        Ok(None)
    }

    fn log_key(&mut self, label: &str, client_random: &[u8; 32], secret: &Secret) {
        let hex = |out: &mut String, bytes: &[u8]| {
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
        };
        let lines = &mut self.rare.get_or_insert_default().key_log.0;
        lines.push_str(label);
        lines.push(' ');
        hex(lines, client_random);
        lines.push(' ');
        hex(lines, secret.as_bytes());
        lines.push('\n');
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.send.flush_flight().is_err() {
            return Err(self.bug("a handshake message could not be sent"));
        }
        Ok(())
    }

    /// The machine has failed: the alert goes out behind what it had queued.
    fn failed(&mut self, failure: Failure) -> Error {
        let Failure { alert, error, .. } = failure;
        self.send.fail(&self.mailbox, alert);
        self.fall();
        trace::failed(Error::with_alert(kind_of(error), alert))
    }

    /// Reading failed during the handshake. The machine knows at which place in the queue the alert belongs.
    fn abort_broken(&mut self, broken: Broken) -> Error {
        let Some(alert) = broken.alert else { return self.fail(broken) };
        let cause = Carried(broken.kind);
        self.abort(HandshakeError::Refused { alert, fault: Fault::Peer, cause: Box::new(cause) })
    }

    fn bug(&mut self, what: &'static str) -> Error {
        self.fail(Broken {
            kind: ErrorKind::Handshake(HandshakeError::Internal(what)),
            alert: Some(AlertDescription::INTERNAL_ERROR),
        })
    }
}

/// A cause of ours on its way through the machine, which puts its alert in order.
#[derive(Debug)]
struct Carried(ErrorKind);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reading failed")
    }
}

impl std::error::Error for Carried {}

/// What the caller is told: the cause itself, if it was one of ours.
fn kind_of(error: HandshakeError) -> ErrorKind {
    match error {
        HandshakeError::Refused { alert, fault, cause } => match cause.downcast::<Carried>() {
            Ok(carried) => carried.0,
            Err(cause) => ErrorKind::Handshake(HandshakeError::Refused { alert, fault, cause }),
        },
        error => ErrorKind::Handshake(error),
    }
}
