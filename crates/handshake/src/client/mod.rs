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

use core::time::Duration;
use std::sync::Arc;

use crate::config::{ClientHandshake, Common, ConfigError, PreparedClient, Told};
use crate::error::Error;
use crate::machine::{Incoming, Machine, Out, Step, Steps};
use crate::need::AnswerKind;
use crate::session::Psk;
use crate::step::{Input, Misuse, Output, Transport};

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
        Ok(Self(Machine::new(State::Hello(Box::new(state)), out)))
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

/// Where a client stands.
#[derive(Debug)]
pub(crate) enum State {
    /// A ClientHello is out; which version it will be is not known yet.
    Hello(Box<hello::Waiting>),
    /// The server speaks TLS 1.3.
    Tls13(tls13::State),
    /// The server speaks TLS 1.2.
    Tls12(tls12::State),
}

impl Steps for State {
    fn message(self, message: Incoming<'_>, out: &mut Out) -> Step<Self> {
        match self {
            Self::Hello(state) => state.message(message, out),
            Self::Tls13(state) => Ok(state.message(message, out)?.map(Self::Tls13)),
            Self::Tls12(state) => Ok(state.message(message, out)?.map(Self::Tls12)),
        }
    }

    fn change_cipher_spec(self, more: bool, out: &mut Out) -> Step<Self> {
        match self {
            Self::Tls12(state) => Ok(Some(Self::Tls12(state.change_cipher_spec(more, out)?))),
            Self::Hello(_) | Self::Tls13(_) => Err(Error::UnexpectedChangeCipherSpec.into()),
        }
    }

    fn answer(self, answer: AnswerKind, out: &mut Out) -> Step<Self> {
        match self {
            Self::Hello(_) => Err(crate::machine::WRONG_ANSWER.into()),
            Self::Tls13(state) => Ok(state.answer(answer, out)?.map(Self::Tls13)),
            Self::Tls12(state) => Ok(Some(Self::Tls12(state.answer(answer, out)?))),
        }
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
