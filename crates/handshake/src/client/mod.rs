//! The client's machine.
//!
//! [`Client::new`] queues the ClientHello; then whole handshake messages go in and the queue comes out. Sequence of
//! a TLS 1.3 handshake, one step a message (RFC 9846 section 2):
//!
//! ```text
//! ClientHello             -->                            hello.rs, our_hello.rs
//! (early data*)           ==>                            early_data.rs
//!                        [<--  HelloRetryRequest]
//! [ClientHello            -->]
//!                         <--  ServerHello
//!                         <--  {EncryptedExtensions}     tls13.rs
//!                         <--  {CertificateRequest*}
//!                         <--  {Certificate*}            Decompress*
//!                         <--  {CertificateVerify*}      VerifyPeer*
//!                         <--  {Finished}                ChooseCredential*
//! (EndOfEarlyData*)       -->                            tls13_finish.rs
//! {Certificate*}          -->                            Sign*
//! {CertificateVerify*}    -->
//! {Finished}              -->                            Done
//! ```
//!
//! A server that resumes the session that was offered (psk.rs) has no certificate and asks for none. Only then it may
//! have taken early data. With `verify_resumed` the outside is asked about the session's certificates (VerifyPeer) before
//! the server's Finished is taken: in TLS 1.3 behind EncryptedExtensions, in TLS 1.2 behind ServerHello.
//!
//! And of a TLS 1.2 handshake (RFC 5246 section 7.3), which a server that knows no better chooses:
//!
//! ```text
//! ClientHello             -->                            hello.rs
//!                         <--  ServerHello
//!                         <--  Certificate               tls12.rs
//!                         <--  CertificateStatus*
//!                         <--  ServerKeyExchange
//!                         <--  CertificateRequest*
//!                         <--  ServerHelloDone           VerifyPeer
//! Certificate*            -->                            tls12_flight.rs, ChooseCredential*
//! ClientKeyExchange       -->                            Sign*
//! CertificateVerify*      -->
//! [ChangeCipherSpec]      -->
//! {Finished}              -->
//!                         <--  NewSessionTicket*         tls12_finish.rs
//!                         <--  [ChangeCipherSpec]
//!                         <--  {Finished}                Done
//! ```
//!
//! Abbreviated, when it resumes a session:
//!
//! ```text
//! ClientHello             -->                            hello.rs
//!                         <--  ServerHello               tls12.rs, tls12_resumed.rs
//!                         <--  NewSessionTicket*         tls12_finish.rs
//!                         <--  [ChangeCipherSpec]
//!                         <--  {Finished}
//! [ChangeCipherSpec]      -->
//! {Finished}              -->                            Done
//! ```

mod early_data;
mod hello;
mod our_hello;
mod proof;
mod psk;
#[cfg(test)]
mod rfc8448;
mod session_id;
mod shares;
mod tls12;
mod tls12_finish;
mod tls12_flight;
mod tls12_resumed;
mod tls13;
mod tls13_finish;

use core::mem;
use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::signature::SignatureScheme;

use crate::config::{ClientHandshake, Common, ConfigError, PreparedClient, Told};
use crate::error::Error;
use crate::machine::{Incoming, Machine, Out, Steps, WRONG_ANSWER};
use crate::need::{AnswerKind, CredentialRequest};
use crate::session::Psk;
use crate::step::{Failure, Input, Misuse, Output, Transport};

/// A client's handshake, from ClientHello to Done.
#[derive(Debug)]
pub struct Client(Machine<State>);

impl Client {
    /// Checks the configuration, makes the key shares and queues the ClientHello. With a session that allows early data
    /// its key follows, and how much may be sent.
    ///
    /// `now` is the time since the Unix epoch, for the age of the session that is offered.
    ///
    /// # Errors
    /// [`ConfigError`] for what no handshake could be made with; nothing has been sent then.
    pub fn new(config: ClientHandshake, transport: Transport, now: Duration) -> Result<Self, ConfigError> {
        let mut config = config;
        let (server_name, session) = (config.server_name.take(), config.session.take());
        let shared = PreparedClient::over(config, matches!(transport, Transport::Quic { .. }))?;
        Self::start(Told::new(Arc::new(shared), server_name, session)?, transport, now)
    }

    /// The same of a configuration that was checked before, over records: all that is left to look at is what is this
    /// connection's own, the name to send (SNI) and the session to offer, which are as
    /// [`ClientHandshake`] has them.
    ///
    /// `now` is the time since the Unix epoch.
    ///
    /// # Errors
    /// [`ConfigError`] for a name that is none, for a key that is no session, or if no keys could be made.
    pub fn of(
        config: Arc<PreparedClient>,
        server_name: Option<String>,
        session: Option<Arc<Psk>>,
        now: Duration,
    ) -> Result<Self, ConfigError> {
        Self::start(Told::new(config, server_name, session)?, Transport::Stream, now)
    }

    fn start(config: Told, transport: Transport, now: Duration) -> Result<Self, ConfigError> {
        let mut out = Out::new(&transport);
        let quic_parameters = match transport {
            Transport::Stream => None,
            Transport::Quic { parameters } => Some(parameters),
        };
        let state = hello::start(config, quic_parameters, now, &mut out)?;
        Ok(Self(Machine::new(State::Hello(state), out)))
    }

    /// Takes one input.
    ///
    /// # Errors
    /// [`Misuse`], the machine being as it was: outputs wait, a Need is out, or it is over.
    pub fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        self.0.input(input)
    }

    /// The next output, in wire order.
    pub fn output(&mut self) -> Option<Output> {
        self.0.output()
    }
}

/// Where a client stands, and what it holds there. While it waits for one message of a flight after the other, it changes
/// in place; what begins with a flight is made of what the one before has left.
#[derive(Debug, Default)]
pub(crate) enum State {
    /// A ClientHello is out; which version it will be is not known yet.
    Hello(hello::Waiting),
    /// TLS 1.3: the server's flight.
    Tls13(tls13::Core, tls13::Due),
    /// TLS 1.3: the answer to ChooseCredential.
    Tls13Credential(Box<tls13_finish::Finishing>, Box<CredentialRequest>),
    /// TLS 1.3: the answer to Sign.
    Tls13Signature(Box<tls13_finish::Finishing>, SignatureScheme),
    /// TLS 1.2: the server's flight.
    Tls12(tls12::Core, tls12::Due),
    /// TLS 1.2: the answer to ChooseCredential.
    Tls12Credential(tls12_flight::Verified, Box<CredentialRequest>),
    /// TLS 1.2: the answer to Sign.
    Tls12Signature(tls12_flight::Keyed, SignatureScheme),
    /// TLS 1.2: the server's Finished, and what comes ahead of it.
    Tls12Finishing(tls12_finish::Finishing, tls12_finish::Due),
    /// The handshake is done, or a step is under way.
    #[default]
    Over,
}

impl State {
    /// An answer with which our flight goes on.
    fn flight(self, answer: AnswerKind, out: &mut Out) -> Result<Self, Error> {
        match self {
            Self::Tls13Credential(finishing, request) => finishing.credential(&request, answer, out),
            Self::Tls13Signature(finishing, scheme) => finishing.signature(scheme, &answer, out),
            Self::Tls12(core, due) => core.answer(due, &answer, out),
            Self::Tls12Credential(verified, request) => verified.credential(&request, answer, out),
            Self::Tls12Signature(keyed, scheme) => keyed.signature(scheme, &answer, out),
            _ => Err(WRONG_ANSWER),
        }
    }
}

impl Steps for State {
    fn message(&mut self, message: Incoming<'_>, out: &mut Out) -> Result<(), Failure> {
        match self {
            Self::Hello(_) => hello::message(self, message, out)?,
            Self::Tls13(_, tls13::Due::Finished(_)) => tls13::finished(self, message, out)?,
            Self::Tls13(core, due) => *due = core.message(mem::take(due), message, out)?,
            Self::Tls12(core, due) => *due = core.message(mem::take(due), message, out)?,
            Self::Tls12Finishing(finishing, tls12_finish::Due::Finished) => {
                finishing.finished(message, out)?;
                *self = Self::Over;
            }
            Self::Tls12Finishing(finishing, due) => *due = finishing.message(mem::take(due), message)?,
            // A Need is out in these, and the shell takes no message meanwhile.
            _ => return Err(message.unexpected("an answer").into()),
        }
        Ok(())
    }

    fn change_cipher_spec(&mut self, more: bool, out: &mut Out) -> Result<(), Failure> {
        let Self::Tls12Finishing(finishing, due) = self else {
            return Err(Error::UnexpectedChangeCipherSpec.into());
        };
        *due = finishing.change_cipher_spec(mem::take(due), more, out)?;
        Ok(())
    }

    fn answer(&mut self, answer: AnswerKind, out: &mut Out) -> Result<(), Failure> {
        match self {
            Self::Tls13(core, due) => *due = core.answer(mem::take(due), &answer)?,
            Self::Tls12Finishing(finishing, due) => *due = finishing.answer(mem::take(due), &answer)?,
            _ => *self = mem::take(self).flight(answer, out)?,
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }
}

/// The application protocol must be one that was offered (RFC 7301 section 3.2).
fn check_protocol(common: &Common, chosen: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
    match chosen {
        Some(name) if !common.alpn.iter().any(|offered| offered == name) => {
            Err(Error::IllegalParameter { what: "an application protocol that was not offered" })
        }
        chosen => Ok(chosen.map(<[u8]>::to_vec)),
    }
}
