//! TLS 1.2: the end of a client's handshake, full or abbreviated (RFC 5246 section 7.3, RFC 5077 section 3.3).
//!
//! ```text
//! full                                       abbreviated
//! [ChangeCipherSpec]  -->                         <--  NewSessionTicket*
//! {Finished}          -->                         <--  [ChangeCipherSpec]
//!                     <--  NewSessionTicket*      <--  {Finished}
//!                     <--  [ChangeCipherSpec]    -->   [ChangeCipherSpec]
//!                     <--  {Finished}            -->   {Finished}
//! ```

use core::time::Duration;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::key_exchange::NamedGroup;

use crate::client::proof::Proved;
use crate::client::tls12::{Connection, ReadKey, read_mode};
use crate::defaults;
use crate::error::Error;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::key_log;
use crate::key_schedule::tls12::{KeyBlock, MasterSecret, Sender, VERIFY_DATA_LEN};
use crate::machine::{FinishedVerified, Incoming, Out, PeerVerified, WRONG_ANSWER};
use crate::message::new_session_ticket::MAX_LIFETIME;
use crate::message::tls12::finished;
use crate::message::tls12::new_session_ticket::NewSessionTicket;
use crate::message::{HEADER_LEN, HandshakeType};
use crate::need::AnswerKind;
use crate::outcome::Outcome;
use crate::post_handshake::PostHandshake;
use crate::session::{Psk, Session};
use crate::step::{ApplicationData, Direction, Level};
use crate::suite::ProtocolVersion;
use crate::transcript::Transcript;

/// Bytes of our Finished.
const FINISHED: usize = HEADER_LEN + VERIFY_DATA_LEN;

type Result<T> = core::result::Result<T, Error>;

/// What a client holds until the server's Finished.
#[derive(Debug)]
pub(crate) struct Finishing {
    pub(super) connection: Connection,
    pub(super) proved: Proved,
    pub(super) transcript: Transcript,
    pub(super) master: MasterSecret,
    /// The group of the key exchange, which only a full handshake has.
    pub(super) group: Option<NamedGroup>,
    /// Abbreviated: our ChangeCipherSpec and Finished are still to be sent, under this key.
    pub(super) write_key: Option<(AeadKey, FixedIv)>,
    pub(super) ticket: Option<Ticket>,
}

/// What a client waits for until the server's Finished. The key is that of the server's ChangeCipherSpec.
#[derive(Debug, Default)]
pub(crate) enum Due {
    /// Only while a step is under way.
    #[default]
    Nothing,
    /// The answer to VerifyPeer about the session's server.
    SessionVerified(ReadKey),
    /// The ticket that the server has announced.
    NewSessionTicket(ReadKey),
    /// The server's ChangeCipherSpec, which brings the key.
    ChangeCipherSpec(ReadKey),
    Finished,
}

/// A ticket that the server has given us.
#[derive(Debug)]
pub(super) struct Ticket {
    ticket: Vec<u8>,
    lifetime: Duration,
}

impl Connection {
    /// The keys of both directions.
    pub(super) fn keys(&self, master: &MasterSecret, out: &mut Out) -> Result<KeyBlock> {
        out.key_log(key_log::CLIENT_RANDOM, master.secret());
        master.key_block(self.suite, &self.client_random, &self.server_random)
    }

    /// What the server sends next: a ticket if it has announced one.
    pub(super) const fn ticket_or_change_cipher_spec(&self, key: ReadKey) -> Due {
        if self.ticket { Due::NewSessionTicket(key) } else { Due::ChangeCipherSpec(key) }
    }
}

impl Finishing {
    /// What comes ahead of the server's Finished; what is due next.
    pub(super) fn message(&mut self, due: Due, message: Incoming<'_>) -> Result<Due> {
        match due {
            Due::NewSessionTicket(key) => self.new_session_ticket(key, message),
            Due::ChangeCipherSpec(_) => Err(message.unexpected("ChangeCipherSpec")),
            // A Need is out, and the shell takes no message meanwhile; Finished ends this state.
            Due::SessionVerified(_) | Due::Finished | Due::Nothing => Err(message.unexpected("an answer")),
        }
    }

    /// The answer to VerifyPeer; what is due next.
    pub(super) fn answer(&self, due: Due, answer: &AnswerKind) -> Result<Due> {
        match due {
            Due::SessionVerified(key) => {
                PeerVerified::from_answer(answer)?;
                Ok(self.connection.ticket_or_change_cipher_spec(key))
            }
            _ => Err(WRONG_ANSWER),
        }
    }

    /// Empty: the server has thought better of it (RFC 5077 section 3.3). What is too long to be kept is hashed as any.
    fn new_session_ticket(&mut self, key: ReadKey, message: Incoming<'_>) -> Result<Due> {
        let body = message.expect(HandshakeType::NEW_SESSION_TICKET, Level::Initial, "NewSessionTicket")?;
        let NewSessionTicket { lifetime_hint, ticket } = NewSessionTicket::parse(body)?;
        if self.connection.config.all().resumption && (1..=defaults::MAX_TICKET).contains(&ticket.len()) {
            let lifetime = match lifetime_hint {
                0 => defaults::TICKET_LIFETIME,
                seconds => Duration::from_secs(seconds.min(MAX_LIFETIME).into()),
            };
            self.ticket = Some(Ticket { ticket: ticket.to_vec(), lifetime });
        }
        self.transcript.add(message.encoded());
        Ok(Due::ChangeCipherSpec(key))
    }

    /// The server's ChangeCipherSpec: only where its Finished is next, and not inside a message, which would begin in the
    /// clear and end under a key (RFC 5246 section 7.1). What follows is under the server's key.
    pub(super) fn change_cipher_spec(&self, due: Due, more: bool, out: &mut Out) -> Result<Due> {
        let Due::ChangeCipherSpec(key) = due else { return Err(Error::UnexpectedChangeCipherSpec) };
        if more {
            return Err(Error::UnexpectedChangeCipherSpec);
        }
        out.keys_tls12(Direction::Read, self.connection.suite.suite, key);
        out.read(read_mode(ApplicationData::Refuse, self.max_message()));
        Ok(Due::Finished)
    }

    /// The server's Finished (RFC 5246 section 7.4.9): nobody has changed a word. In an abbreviated handshake ours
    /// answers it. What came of it all.
    pub(super) fn finished(&mut self, message: Incoming<'_>, out: &mut Out) -> Result<()> {
        let verify_data = message.expect(HandshakeType::FINISHED, Level::Application, "Finished")?;
        let transcript = self.transcript.current();
        let finished = FinishedVerified::check_tls12(&self.master, Sender::Server, &transcript, verify_data)?;
        self.transcript.add(message.encoded());
        if let Some(key) = self.write_key.take() {
            self.our_finished(key, out)?;
        }
        out.read(read_mode(ApplicationData::Accept, self.max_message()));
        let outcome = self.outcome(message.now);
        out.done(finished, outcome, PostHandshake::client_tls12());
        Ok(())
    }

    /// Our ChangeCipherSpec and Finished.
    pub(super) fn our_finished(&mut self, key: (AeadKey, FixedIv), out: &mut Out) -> Result<()> {
        out.change_cipher_spec(self.connection.suite.suite, key);
        let verify_data = self.master.verify_data(Sender::Client, &self.transcript.current());
        let message = out.message(Level::Application, FINISHED, |w| finished::write(w, &verify_data))?;
        self.transcript.add(message);
        Ok(())
    }

    fn outcome(&mut self, now: Duration) -> Outcome {
        let session = self.session(now);
        let Self { connection, proved, master, .. } = self;
        let exporter =
            (connection.config.common().exporter && connection.extended_master_secret).then(|| {
                let master = master.secret().duplicate();
                Exporter::tls12(
                    connection.suite.hash,
                    master,
                    connection.client_random,
                    connection.server_random,
                )
            });
        Outcome {
            group: self.group,
            extended_master_secret: connection.extended_master_secret,
            alpn: connection.alpn.take(),
            server_name: connection.config.server_name.take(),
            exporter,
            session,
            ..proved.outcome(ProtocolVersion::TLS1_2, connection.suite.suite)
        }
    }

    /// The session to keep: by the ticket that came with this handshake, or by the ID of a full one. A session that was
    /// resumed and got no new ticket is kept already.
    ///
    /// Without extended master secret there is none: its master secret may be known to another connection, and whoever
    /// made that so could splice the two at a resumption (RFC 7627 section 1). A configuration may keep it all the same,
    /// but none in which we have said by a certificate who we are: the splice would have us say it to another server.
    fn session(&mut self, now: Duration) -> Option<Box<Session>> {
        let connection = &self.connection;
        let ticket = self.ticket.take();
        let resumed = self.proved.session().and_then(|psk| Psk::session(psk));
        let by_id = resumed.is_none() && !connection.session_id.is_empty();
        let config = &connection.config;
        let unbound = config.common().resume_unbound_sessions && self.proved.credential.is_none();
        let wanted = config.all().resumption && (connection.extended_master_secret || unbound);
        if !wanted || (ticket.is_none() && !by_id) {
            return None;
        }
        let (ticket, session_id, lifetime) = match ticket {
            Some(Ticket { ticket, lifetime }) => (ticket, Vec::new(), lifetime),
            None => (Vec::new(), connection.session_id.as_bytes().to_vec(), defaults::SESSION_ID_LIFETIME),
        };
        Some(Box::new(Session {
            version: ProtocolVersion::TLS1_2,
            suite: connection.suite.suite,
            secret: self.master.secret().duplicate(),
            ticket,
            session_id,
            server_name: connection.config.server_name.clone(),
            alpn: connection.alpn.clone(),
            peer: self.proved.server_certificates().cloned(),
            made_at: now,
            lifetime,
            verified_at: resumed.map_or(now, |session| session.verified_at),
            age_add: 0,
            max_early_data: 0,
            extended_master_secret: connection.extended_master_secret,
            resumption_across_names: false,
            policy: [0; 32],
            expires_at: None,
            guard: None,
            context: Vec::new(),
        }))
    }

    fn max_message(&self) -> u32 {
        defaults::MAX_SHORT_MESSAGE.min(self.connection.config.common().max_message)
    }
}
