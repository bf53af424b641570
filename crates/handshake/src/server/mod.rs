//! The server's machine.
//!
//! [`Server::new`] knows nothing but its transport: the configuration comes by the answer to ChooseConfig, when the
//! hello has said whom it wants. Sequence of a TLS 1.3 handshake, one step a message or answer (RFC 9846 section 2):
//!
//! ```text
//! ClientHello             -->                            ChooseConfig           hello.rs
//!                        [<--  HelloRetryRequest]
//! [ClientHello            -->]                           ChooseCredential
//!                         <--  ServerHello                                      tls13.rs, flight.rs
//!                         <--  {EncryptedExtensions}
//!                         <--  {CertificateRequest*}
//!                         <--  {Certificate}             Sign
//!                         <--  {CertificateVerify}
//!                         <--  {Finished}
//! {Certificate*}          -->                            Decompress*            client_certificate.rs
//! {CertificateVerify*}    -->                            VerifyPeer*
//! {Finished}              -->                            Done
//! ```
//!
//! Of one that resumes a session, with early data or without (RFC 9846 section 2.3):
//!
//! ```text
//! ClientHello + pre_shared_key  -->                      ChooseConfig           hello.rs
//!                              [<--  HelloRetryRequest]
//! [ClientHello                  -->]                     FindSession            psk.rs
//!                                                        AcceptSession          (the binder has verified)
//!                               <--  ServerHello                                tls13.rs, flight.rs
//!                               <--  {EncryptedExtensions}
//!                               <--  {Finished}
//! (application data*)           -->                                             early_data.rs
//! (EndOfEarlyData*)             -->
//! {Finished}                    -->                      Done                   tls13.rs
//! ```
//!
//! Of a TLS 1.2 one (RFC 5246 section 7.3):
//!
//! ```text
//! ClientHello             -->                            ChooseConfig           hello.rs
//!                                                        ChooseCredential       tls12.rs
//!                         <--  ServerHello
//!                         <--  Certificate
//!                         <--  CertificateStatus*        Sign
//!                         <--  ServerKeyExchange
//!                         <--  CertificateRequest*
//!                         <--  ServerHelloDone
//! Certificate*            -->
//! ClientKeyExchange       -->
//! CertificateVerify*      -->                            VerifyPeer*
//! [ChangeCipherSpec]      -->
//! {Finished}              -->                            SealTicket*
//!                         <--  NewSessionTicket*
//!                         <--  [ChangeCipherSpec]
//!                         <--  {Finished}                Done
//! ```
//!
//! And of an abbreviated one, which resumes a session:
//!
//! ```text
//! ClientHello             -->                            ChooseConfig           hello.rs
//!                                                        FindSession            tls12_resumed.rs
//!                                                        AcceptSession
//!                         <--  ServerHello               SealTicket*
//!                         <--  NewSessionTicket*
//!                         <--  [ChangeCipherSpec]
//!                         <--  {Finished}
//! [ChangeCipherSpec]      -->
//! {Finished}              -->                            Done
//! ```

mod asked;
mod client_certificate;
mod drawn;
mod early_data;
mod flight;
mod hello;
mod in_common;
mod negotiate;
mod peer;
mod psk;
mod retry;
mod tls12;
mod tls12_hello;
mod tls12_resumed;
mod tls12_session;
mod tls13;

use core::mem;

use crate::defaults;
use crate::error::Error;
use crate::machine::{Incoming, Machine, Out, Steps};
use crate::need::AnswerKind;
use crate::step::{ApplicationData, ChangeCipherSpec, Failure, Input, Misuse, Output, ReadMode, Transport};

/// A server's handshake, from ClientHello to Done.
#[derive(Debug)]
pub struct Server(Machine<State>);

impl Server {
    /// A server that waits for a ClientHello.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        let mut out = Out::new(&transport);
        out.read(ReadMode {
            // A ChangeCipherSpec before the ClientHello is refused; what comes behind it is read by a later mode.
            change_cipher_spec: ChangeCipherSpec::Deliver,
            application_data: ApplicationData::Refuse,
            plaintext_alert: false,
            max_message: defaults::MAX_CLIENT_HELLO,
        });
        let state = State::Hello(hello::State::new(transport));
        Self(Machine::new(state, out))
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

/// Where a server stands.
#[derive(Debug, Default)]
enum State {
    /// The version is being negotiated.
    Hello(hello::State),
    /// It is TLS 1.2.
    Tls12(Box<tls12_hello::Connection>, tls12::Due),
    /// It is TLS 1.3.
    Tls13(tls13::State),
    /// The handshake is done, or a step is under way.
    #[default]
    Over,
}

impl Steps for State {
    fn message(&mut self, message: Incoming<'_>, out: &mut Out) -> Result<(), Failure> {
        if let Self::Tls12(connection, due) = self {
            *due = connection.message(mem::take(due), message, out)?;
            return Ok(());
        }
        *self = match mem::take(self) {
            Self::Hello(state) => state.message(message, out)?,
            Self::Tls13(state) => state.message(message, out)?.map_or(Self::Over, Self::Tls13),
            Self::Tls12(..) | Self::Over => Self::Over,
        };
        Ok(())
    }

    fn change_cipher_spec(&mut self, more: bool, out: &mut Out) -> Result<(), Failure> {
        let Self::Tls12(connection, due) = self else {
            return Err(Error::UnexpectedChangeCipherSpec.into());
        };
        *due = connection.change_cipher_spec(mem::take(due), more, out)?;
        Ok(())
    }

    fn answer(&mut self, answer: AnswerKind, out: &mut Out) -> Result<(), Failure> {
        if let Self::Tls12(connection, due) = self {
            *due = connection.answer(mem::take(due), answer, out)?;
            return Ok(());
        }
        *self = match mem::take(self) {
            Self::Hello(state) => state.answer(answer, out)?,
            Self::Tls13(state) => Self::Tls13(state.answer(answer, out)?),
            Self::Tls12(..) | Self::Over => Self::Over,
        };
        Ok(())
    }

    fn is_over(&self) -> bool {
        matches!(self, Self::Over | Self::Tls12(_, tls12::Due::Over))
    }
}
