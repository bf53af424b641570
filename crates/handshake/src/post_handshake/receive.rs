//! Messages that arrive after the handshake.

use core::time::Duration;

use super::{QUIC_MAX_EARLY_DATA, Resumption};
use crate::defaults;
use crate::error::Error;
use crate::message::new_session_ticket::{MAX_LIFETIME, NewSessionTicket};
use crate::message::{Handshake, HandshakeType, hello_request, key_update};
use crate::outcome::PeerCertificates;
use crate::session::Session;
use crate::step::Failure;

/// Takes the messages that come after the handshake.
#[derive(Debug)]
pub struct Receive {
    /// What a client's sessions are made of; `None`: it keeps no tickets.
    resumption: Option<Box<Resumption>>,
    role: Role,
    quic: bool,
}

#[derive(Debug)]
enum Role {
    Client,
    Server,
    ClientTls12 { hello_requests: u8 },
    ServerTls12,
}

/// What a message after the handshake means. At most one thing each.
#[derive(Debug)]
pub enum Received {
    /// The peer's next record is under its next key; with `reply`, it asks for the same of us.
    KeyUpdate {
        /// The peer asked.
        reply: bool,
    },
    /// A session to resume later.
    StoreSession(Box<Session>),
}

impl Receive {
    pub(super) const fn client(resumption: Option<Box<Resumption>>, quic: bool) -> Self {
        Self { resumption, role: Role::Client, quic }
    }

    pub(super) const fn server(quic: bool) -> Self {
        Self { resumption: None, role: Role::Server, quic }
    }

    pub(super) const fn client_tls12() -> Self {
        Self { resumption: None, role: Role::ClientTls12 { hello_requests: 0 }, quic: false }
    }

    pub(super) const fn server_tls12() -> Self {
        Self { resumption: None, role: Role::ServerTls12, quic: false }
    }

    /// Keeps no tickets from here on: the resumption secret is erased, and the hold on the peer's chain is gone.
    pub fn keep_no_tickets(&mut self) {
        self.resumption = None;
    }

    /// Holds the peer's certificates here, in an allocation that others share, instead of its own equal ones.
    pub fn share_peer(&mut self, peer: PeerCertificates) {
        if let Some(resumption) = &mut self.resumption
            && resumption.peer.as_ref() == Some(&peer)
        {
            resumption.peer = Some(peer);
        }
    }

    /// Takes one whole message, header included. `more`: handshake bytes follow it in the record that ended it;
    /// `now`: time since the Unix epoch.
    ///
    /// # Errors
    /// A [`Failure`] with the alert to send: [`Error::Malformed`], [`Error::IllegalParameter`],
    /// [`Error::UnexpectedMessage`], [`Error::ExcessHandshakeData`] behind a KeyUpdate, [`Error::QuicViolation`],
    /// [`Error::Renegotiation`] for a second ClientHello in TLS 1.2: the connection ends.
    pub fn message(&mut self, bytes: &[u8], more: bool, now: Duration) -> Result<Option<Received>, Failure> {
        let message = Handshake::parse_exact(bytes)?;
        Ok(match (message.typ, &mut self.role) {
            (_, Role::ClientTls12 { hello_requests }) => {
                client_tls12(&message, hello_requests)?;
                None
            }
            (received, Role::ServerTls12) => return Err(server_tls12(received).into()),
            (HandshakeType::KEY_UPDATE, _) if !self.quic => {
                // What follows would be under the old key and read as if it were under the new one.
                if more {
                    return Err(Error::ExcessHandshakeData { after: message.typ }.into());
                }
                Some(Received::KeyUpdate { reply: key_update::parse(message.body)? })
            }
            (HandshakeType::NEW_SESSION_TICKET, Role::Client) => {
                let ticket = NewSessionTicket::parse(message.body)?;
                check_early_data(&ticket, self.quic)?;
                match &self.resumption {
                    Some(resumption)
                        if ticket.lifetime > 0 && ticket.ticket.len() <= defaults::MAX_TICKET =>
                    {
                        Some(Received::StoreSession(Box::new(store(resumption, &ticket, now)?)))
                    }
                    _ => None,
                }
            }
            (received, Role::Client) => {
                let expected = if self.quic { "NewSessionTicket" } else { "NewSessionTicket or KeyUpdate" };
                return Err(Error::UnexpectedMessage { received, expected }.into());
            }
            (received, Role::Server) => {
                let expected = if self.quic { "no handshake message" } else { "KeyUpdate" };
                return Err(Error::UnexpectedMessage { received, expected }.into());
            }
        })
    }
}

fn check_early_data(ticket: &NewSessionTicket<'_>, quic: bool) -> Result<(), Error> {
    if quic && ticket.max_early_data.is_some_and(|size| size != QUIC_MAX_EARLY_DATA) {
        return Err(Error::QuicViolation("max_early_data_size of a ticket is not 0xffffffff"));
    }
    Ok(())
}

/// A TLS 1.2 server may ask for a renegotiation, and a client may ignore it (RFC 5246 section 7.4.1.1).
fn client_tls12(message: &Handshake<'_>, hello_requests: &mut u8) -> Result<(), Error> {
    let unexpected = Error::UnexpectedMessage { received: message.typ, expected: "no handshake message" };
    if message.typ != HandshakeType::HELLO_REQUEST || *hello_requests >= defaults::MAX_HELLO_REQUESTS {
        return Err(unexpected);
    }
    hello_request::parse(message.body)?;
    *hello_requests = hello_requests.saturating_add(1);
    Ok(())
}

/// A TLS 1.2 client may want to renegotiate, which is never done: what was said before and after would be taken for one
/// conversation with one peer.
const fn server_tls12(received: HandshakeType) -> Error {
    match received {
        HandshakeType::CLIENT_HELLO => Error::Renegotiation,
        _ => Error::UnexpectedMessage { received, expected: "no handshake message" },
    }
}

/// What a client remembers of a ticket.
fn store(resumption: &Resumption, ticket: &NewSessionTicket<'_>, now: Duration) -> Result<Session, Error> {
    Ok(Session {
        ticket: ticket.ticket.to_vec(),
        lifetime: Duration::from_secs(ticket.lifetime.min(MAX_LIFETIME).into()),
        age_add: ticket.age_add,
        max_early_data: ticket.max_early_data.unwrap_or_default(),
        resumption_across_names: ticket.resumption_across_names,
        ..resumption.session(ticket.nonce, now)?
    })
}
