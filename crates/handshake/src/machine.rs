//! The shell that both roles share: one door in, one ordered queue out, and a state that each step changes.
//!
//! A role is a type that implements [`Steps`]. The shell judges whether an input may come now (nothing waits, no
//! Need is out), and lets the state take the step where it lies. A step that fails leaves no state behind: all secrets
//! that were in it are erased, and `Failed` is queued behind whatever the step had queued before.

mod proof;
mod queue;

use core::fmt;
use core::time::Duration;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::secret::Secret;

use crate::codec::Writer;
use crate::error::Error;
use crate::message::{Handshake, HandshakeType};
use crate::need::{AnswerKind, Need, Serial};
use crate::outcome::Outcome;
use crate::post_handshake::PostHandshake;
use crate::step::{
    Direction, EarlyData, Failure, Input, KeyChange, KeySecret, Level, Misuse, Output, ReadMode, Transport,
};
use crate::suite::CipherSuite;

use queue::Queue;

pub(crate) use proof::{FinishedVerified, PeerVerified, SessionAccepted};

/// What a flow leaves: where it stands next, or `None` once [`Out::done`] was called.
pub(crate) type Step<S> = Result<Option<S>, Failure>;

/// What a role holds, and does with what comes in. Each step changes it in place. What a step leaves that fails is never
/// used: it is dropped at once.
pub(crate) trait Steps {
    /// One whole handshake message.
    fn message(&mut self, message: Incoming<'_>, out: &mut Out) -> Result<(), Failure>;

    /// A ChangeCipherSpec that the read mode said to deliver. There is none in TLS 1.3.
    fn change_cipher_spec(&mut self, more: bool, out: &mut Out) -> Result<(), Failure>;

    /// The answer to the Need that this state asked; its kind is the Need's.
    fn answer(&mut self, answer: AnswerKind, out: &mut Out) -> Result<(), Failure>;

    /// [`Out::done`] was called: nothing is held any more.
    fn is_over(&self) -> bool;
}

/// A role's machine: its state and its queue.
pub(crate) struct Machine<S> {
    state: Option<S>,
    out: Out,
}

impl<S: Steps> Machine<S> {
    /// A machine in `state`, with what `out` has queued already.
    pub(crate) fn new(state: S, out: Out) -> Self {
        Self { state: Some(state), out }
    }

    /// Takes one input, or refuses it and stays as it is.
    pub(crate) fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        if !self.out.queue.is_empty() {
            return Err(Misuse::OutputsWait);
        }
        if self.state.is_none() {
            return Err(Misuse::Ended);
        }
        match input {
            Input::Message { level, bytes, more, now } => {
                self.must_not_wait()?;
                let message = Handshake::parse_exact(bytes).map_err(|_| Misuse::NotOneMessage)?;
                self.step(|state, out| {
                    out.check_size(bytes)?;
                    state.message(Incoming { message, level, more, now }, out)
                });
            }
            Input::ChangeCipherSpec { more } => {
                self.must_not_wait()?;
                self.step(|state, out| state.change_cipher_spec(more, out));
            }
            Input::Answer(answer) => {
                self.out.settle(&answer.serial, &answer.kind)?;
                self.step(|state, out| state.answer(answer.kind, out));
            }
            Input::Abort(error) => self.step(|_, _| Err(error.into())),
        }
        Ok(())
    }

    /// The next output, in wire order.
    pub(crate) fn output(&mut self) -> Option<Output> {
        self.out.queue.pop()
    }

    fn must_not_wait(&self) -> Result<(), Misuse> {
        if self.out.asked.is_some() { Err(Misuse::NeedIsOut) } else { Ok(()) }
    }

    fn step(&mut self, step: impl FnOnce(&mut S, &mut Out) -> Result<(), Failure>) {
        let Some(state) = &mut self.state else { return };
        let stepped = step(state, &mut self.out);
        if stepped.is_err() || state.is_over() {
            self.state = None;
        }
        if let Err(failure) = stepped {
            self.out.asked = None;
            self.out.queue.push(Output::Failed(failure));
        }
    }
}

impl<S> fmt::Debug for Machine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("ended", &self.state.is_none())
            .field("need", &self.out.asked)
            .field("outputs", &self.out.queue.len())
            .finish_non_exhaustive()
    }
}

/// A handshake message as it came in, not yet judged.
#[derive(Clone, Copy)]
pub(crate) struct Incoming<'a> {
    /// The message: type, body, and its bytes as the transcript wants them.
    pub(crate) message: Handshake<'a>,
    /// The level whose key opened it.
    pub(crate) level: Level,
    /// Handshake bytes follow it in its record.
    pub(crate) more: bool,
    /// When it came, since the Unix epoch: what the ages of tickets are judged by.
    pub(crate) now: Duration,
}

impl<'a> Incoming<'a> {
    /// The type of the message.
    pub(crate) fn typ(&self) -> HandshakeType {
        self.message.typ
    }

    /// Header and body, for the transcript.
    pub(crate) fn encoded(&self) -> &'a [u8] {
        self.message.encoded
    }

    /// The body, if this is the message that is due, at its level, and nothing follows a type that ends a flight.
    pub(crate) fn expect(
        &self,
        typ: HandshakeType,
        level: Level,
        due: &'static str,
    ) -> Result<&'a [u8], Error> {
        if self.message.typ != typ {
            return Err(self.unexpected(due));
        }
        if self.level != level {
            return Err(Error::WrongLevel { received: typ });
        }
        if matches!(
            typ,
            HandshakeType::CLIENT_HELLO
                | HandshakeType::SERVER_HELLO_DONE
                | HandshakeType::END_OF_EARLY_DATA
                | HandshakeType::FINISHED
                | HandshakeType::KEY_UPDATE
        ) {
            self.must_end_its_record()?;
        }
        Ok(self.message.body)
    }

    /// Refuses bytes behind a message that ends a flight or changes the read key: they would be read in the clear,
    /// or under a key that is about to go (RFC 9846 section 5.1).
    pub(crate) fn must_end_its_record(&self) -> Result<(), Error> {
        if self.more { Err(Error::ExcessHandshakeData { after: self.message.typ }) } else { Ok(()) }
    }

    /// The error for a message that is not the one due.
    pub(crate) fn unexpected(&self, due: &'static str) -> Error {
        Error::UnexpectedMessage { received: self.message.typ, expected: due }
    }
}

/// The queue out, and what decides which outputs a transport has.
pub(crate) struct Out {
    queue: Queue,
    asked: Option<Asked>,
    quic: bool,
    compatibility: Compatibility,
    max_message: Option<u32>,
    key_log: Option<[u8; 32]>,
}

/// The Need that is out.
#[derive(Debug)]
struct Asked {
    serial: Serial,
    kind: NeedKind,
}

/// Which question a Need is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NeedKind {
    OpenEch,
    ChooseConfig,
    FindSession,
    AcceptSession,
    ChooseCredential,
    Decompress,
    VerifyPeer,
    Sign,
    SealTicket,
}

/// The one ChangeCipherSpec of middlebox compatibility (RFC 9846 appendix E.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compatibility {
    Off,
    Due,
    Sent,
}

impl Out {
    /// An empty queue for this transport, compatibility mode off.
    pub(crate) fn new(transport: &Transport) -> Self {
        Self {
            queue: Queue::new(),
            asked: None,
            quic: matches!(transport, Transport::Quic { .. }),
            compatibility: Compatibility::Off,
            max_message: None,
            key_log: None,
        }
    }

    /// The transport is QUIC.
    pub(crate) fn is_quic(&self) -> bool {
        self.quic
    }

    /// Turns middlebox compatibility on, over records only: the hello carries a non-empty legacy_session_id.
    pub(crate) fn enable_compatibility(&mut self) {
        if !self.quic && self.compatibility == Compatibility::Off {
            self.compatibility = Compatibility::Due;
        }
    }

    /// Turns the key log on.
    pub(crate) fn enable_key_log(&mut self, client_random: [u8; 32]) {
        self.key_log = Some(client_random);
    }

    /// Sends the whole handshake message that `write` writes, and shows it, for the transcript. It lies in one buffer with
    /// the message in front of it, if nothing is between the two and they are of one level; if it begins a buffer, then with
    /// `room` for so many bytes, what follows included.
    ///
    /// # Errors
    /// [`Error::TooLong`] if something outgrows its length field; nothing of it is sent.
    pub(crate) fn message(
        &mut self,
        level: Level,
        room: usize,
        write: impl FnOnce(&mut Writer),
    ) -> Result<&[u8], Error> {
        if !matches!(self.queue.last(), Some(Output::Send { level: of, .. }) if *of == level) {
            self.queue.push(Output::Send { level, bytes: Vec::with_capacity(room) });
        }
        let (start, fits) = self.write_at_back(write);
        match self.queue.last() {
            Some(Output::Send { bytes, .. }) if fits => Ok(bytes.get(start..).unwrap_or_default()),
            _ => Err(Error::TooLong),
        }
    }

    /// Writes at the end of the buffer at the back. Says from where on, and whether it fits its length fields; what does not
    /// is taken back.
    fn write_at_back(&mut self, write: impl FnOnce(&mut Writer)) -> (usize, bool) {
        let Some(Output::Send { bytes, .. }) = self.queue.last_mut() else { return (0, false) };
        let start = bytes.len();
        let mut w = Writer::behind(core::mem::take(bytes));
        write(&mut w);
        let (mut written, fits) = w.into_parts();
        if !fits {
            written.truncate(start);
        }
        *bytes = written;
        if bytes.is_empty() {
            self.queue.take_back();
        }
        (start, fits)
    }

    /// Sends the compatibility ChangeCipherSpec, if the mode is on and it has not been sent.
    pub(crate) fn compatibility_change_cipher_spec(&mut self) {
        if self.compatibility == Compatibility::Due {
            self.compatibility = Compatibility::Sent;
            self.queue.push(Output::SendChangeCipherSpec);
        }
    }

    /// Hands out a TLS 1.3 traffic secret. A read key is followed at once by [`Out::read`].
    pub(crate) fn keys(&mut self, level: Level, direction: Direction, suite: CipherSuite, secret: Secret) {
        self.queue.push(Output::Keys(KeyChange {
            level,
            direction,
            suite,
            secret: KeySecret::Tls13(secret),
        }));
    }

    /// TLS 1.2: a ChangeCipherSpec and the key that everything behind it is under (RFC 5246 section 7.1).
    pub(crate) fn change_cipher_spec(&mut self, suite: CipherSuite, key: (AeadKey, FixedIv)) {
        self.queue.push(Output::SendChangeCipherSpec);
        self.keys_tls12(Direction::Write, suite, key);
    }

    /// Hands out half a TLS 1.2 key block. A read key is followed at once by [`Out::read`].
    pub(crate) fn keys_tls12(
        &mut self,
        direction: Direction,
        suite: CipherSuite,
        (key, fixed_iv): (AeadKey, FixedIv),
    ) {
        self.queue.push(Output::Keys(KeyChange {
            level: Level::Application,
            direction,
            suite,
            secret: KeySecret::Tls12 { key, fixed_iv },
        }));
    }

    /// Says how to read from here on. QUIC hears of it only when the largest message changes.
    pub(crate) fn read(&mut self, mode: ReadMode) {
        let same = self.max_message.replace(mode.max_message) == Some(mode.max_message);
        if !(self.quic && same) {
            self.queue.push(Output::Read(mode));
        }
    }

    /// Hands out the record size limits. QUIC has no records.
    pub(crate) fn limits(&mut self, send: u16, receive: u16) {
        if !self.quic {
            self.queue.push(Output::Limits { send, receive });
        }
    }

    /// Says what became of early data.
    pub(crate) fn early_data(&mut self, early_data: EarlyData) {
        self.queue.push(Output::EarlyData(early_data));
    }

    /// The server may send application data now.
    pub(crate) fn half_rtt(&mut self) {
        self.queue.push(Output::HalfRtt);
    }

    /// Hands out the peer's QUIC transport parameters.
    pub(crate) fn peer_parameters(&mut self, parameters: &[u8]) {
        self.queue.push(Output::PeerParameters(parameters.to_vec()));
    }

    /// Logs a secret, if the key log is on.
    pub(crate) fn key_log(&mut self, label: &'static str, secret: &Secret) {
        if let Some(client_random) = self.key_log {
            self.queue.push(Output::KeyLog { label, client_random, secret: Box::new(secret.duplicate()) });
        }
    }

    /// Asks the outside: `need` makes the token around its serial number.
    pub(crate) fn ask(&mut self, need: impl FnOnce(Serial) -> Need) {
        let serial = Serial::next();
        let need = need(serial);
        self.asked = Some(Asked { serial, kind: NeedKind::of(&need) });
        self.queue.push(Output::Need(need));
    }

    /// Ends the handshake well. Only a verified Finished of the peer opens this door.
    pub(crate) fn done(&mut self, _proof: FinishedVerified, outcome: Outcome, post_handshake: PostHandshake) {
        self.queue.push(Output::Done(Box::new(outcome), post_handshake));
    }

    /// Takes the Need back if this answers it.
    fn settle(&mut self, serial: &Serial, answer: &AnswerKind) -> Result<(), Misuse> {
        match &self.asked {
            Some(asked) if asked.serial == *serial && asked.kind.is_answered_by(answer) => {
                self.asked = None;
                Ok(())
            }
            _ => Err(Misuse::StaleAnswer),
        }
    }

    /// What the record layer refuses at the header (RFC 9846 leaves the limit to us), here for all others.
    fn check_size(&self, message: &[u8]) -> Result<(), Error> {
        let limit = self.max_message.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        if message.len() > limit {
            return Err(Error::IllegalParameter { what: "a handshake message longer than we take" });
        }
        Ok(())
    }
}

impl NeedKind {
    fn of(need: &Need) -> Self {
        match need {
            Need::OpenEch(_) => Self::OpenEch,
            Need::ChooseConfig(_) => Self::ChooseConfig,
            Need::FindSession(_) => Self::FindSession,
            Need::AcceptSession(_) => Self::AcceptSession,
            Need::ChooseCredential(_) => Self::ChooseCredential,
            Need::Decompress(_) => Self::Decompress,
            Need::VerifyPeer(_) => Self::VerifyPeer,
            Need::Sign(_) => Self::Sign,
            Need::SealTicket(_) => Self::SealTicket,
        }
    }

    fn is_answered_by(self, answer: &AnswerKind) -> bool {
        self == match answer {
            AnswerKind::RefuseEch { .. } => Self::OpenEch,
            AnswerKind::Config { .. } => Self::ChooseConfig,
            AnswerKind::Session(_) => Self::FindSession,
            AnswerKind::Accept(_) => Self::AcceptSession,
            AnswerKind::Credential(_) => Self::ChooseCredential,
            AnswerKind::Decompressed(_) => Self::Decompress,
            AnswerKind::PeerAccepted => Self::VerifyPeer,
            AnswerKind::Signature(_) => Self::Sign,
            AnswerKind::Ticket { .. } => Self::SealTicket,
        }
    }
}

/// An answer reached a state that asked something else. The shell checks kinds, so this is a bug of ours.
pub(crate) const WRONG_ANSWER: Error = Error::Internal("an answer reached a state that did not ask for it");

#[cfg(test)]
mod tests;
