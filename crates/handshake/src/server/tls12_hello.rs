//! What full and abbreviated TLS 1.2 handshakes have in common: ServerHello, the connection that comes of it, and how to
//! read (RFC 5246 section 7.4.1.3).

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::secret::SharedSecret;

use crate::codec::Writer;
use crate::config::{ClientAuth, Common, Credential, ServerHandshake};
use crate::error::Error;
use crate::extension::record_size_limit;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::tls12::{Binding, MasterSecret};
use crate::machine::{Incoming, Out};
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::tls12::certificate;
use crate::message::tls12::server_hello::{ServerHello, ServerHelloExtensions};
use crate::outcome::{EchStatus, Outcome};
use crate::server::in_common::InCommon;
use crate::server::negotiate;
use crate::server::peer::{Client, Who};
use crate::step::{ApplicationData, ChangeCipherSpec, Level, ReadMode};
use crate::suite::{CipherSuite, ProtocolVersion, Tls12Suite};
use crate::transcript::{Transcript, Unhashed};

type Result<T> = core::result::Result<T, Error>;

/// Bytes of most ServerHellos, and of the record around it.
const SERVER_HELLO: usize = 144;

/// Room beside a chain for ServerKeyExchange of ECDSA and ServerHelloDone, or for these alone.
const SHORT_MESSAGES: usize = 160;

/// A hello that gets a TLS 1.2 handshake, and what was chosen from it, whichever handshake that is.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) config: Arc<ServerHandshake>,
    pub(super) hello: OwnedClientHello,
    /// When it came, since the Unix epoch.
    pub(super) now: Duration,
    pub(super) suites: InCommon<Tls12Suite>,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) asked: Asked,
    /// The session that is looked for goes by a ticket.
    pub(super) by_ticket: bool,
}

/// What the hello asks for that ServerHello answers.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server_name: Option<String>,
    pub(super) extended_master_secret: bool,
    secure_renegotiation: bool,
    uncompressed_points: Option<bool>,
    pub(super) status_request: bool,
    signed_certificate_timestamp: bool,
    record_size_limit: Option<u16>,
    pub(super) session_ticket: bool,
}

impl Asked {
    pub(super) fn of(hello: &ClientHello<'_>) -> Self {
        let asked = &hello.extensions;
        let scsv = CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV;
        Self {
            server_name: asked.server_name.map(str::to_owned),
            extended_master_secret: asked.extended_master_secret,
            secure_renegotiation: asked.renegotiation_info.is_some() || hello.cipher_suites.contains(scsv),
            uncompressed_points: asked.uncompressed_points,
            status_request: asked.status_request,
            signed_certificate_timestamp: asked.signed_certificate_timestamp,
            record_size_limit: asked.record_size_limit,
            session_ticket: asked.session_ticket.is_some(),
        }
    }
}

/// What holds from ServerHello to Done.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) config: Arc<ServerHandshake>,
    pub(super) suite: Tls12Suite,
    pub(super) client_random: [u8; 32],
    pub(super) server_random: [u8; 32],
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) asked: Asked,
    pub(super) transcript: Transcript,
    /// The messages themselves, until the client's CertificateVerify says which hash it signs them by.
    pub(super) messages: Option<Unhashed>,
}

/// What a ServerHello says of sessions and certificates.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Says<'a> {
    /// The session's ID; the client's own resumes.
    pub(super) session_id: &'a [u8],
    /// A ticket will come.
    pub(super) ticket: bool,
    /// In a full handshake: the credential that is shown.
    pub(super) credential: Option<&'a Credential>,
}

impl Connection {
    /// `random`: for ServerHello.random, to be marked if the client could have had more.
    pub(super) fn new(chosen: Chosen, suite: Tls12Suite, mut random: [u8; 32]) -> Self {
        let Chosen { config, hello, alpn, asked, .. } = chosen;
        if config.common.speaks(ProtocolVersion::TLS1_3) {
            negotiate::mark_downgrade(&mut random, ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
        }
        let mut transcript = Transcript::new(suite.hash);
        transcript.add(hello.raw());
        Self {
            suite,
            client_random: hello.random(),
            server_random: random,
            alpn,
            asked,
            transcript,
            messages: None,
            config,
        }
    }

    /// ServerHello: answers to what the hello asked, nothing else. Of a session that is resumed its name, its
    /// certificate and what goes with that are not spoken of again (RFC 6066 section 3, RFC 6962 section 3.3.1).
    pub(super) fn server_hello(&mut self, says: Says<'_>, out: &mut Out) -> Result<()> {
        let asked = &self.asked;
        let Says { session_id, ticket, credential } = says;
        let message = ServerHello {
            random: &self.server_random,
            session_id,
            cipher_suite: self.suite.suite,
            compression_method: 0,
            extensions: ServerHelloExtensions {
                renegotiation_info: asked.secure_renegotiation.then_some(&[]),
                extended_master_secret: asked.extended_master_secret,
                ec_point_formats: asked.uncompressed_points.filter(|_| credential.is_some()),
                alpn: self.alpn.as_deref(),
                session_ticket: ticket,
                status_request: asked.status_request && credential.is_some_and(|shown| shown.ocsp.is_some()),
                scts: credential
                    .and_then(|shown| shown.scts.as_deref())
                    .filter(|_| asked.signed_certificate_timestamp),
                record_size_limit: asked.record_size_limit.and(our_limit(&self.config.common)),
                server_name: asked.server_name.is_some() && credential.is_some(),
            },
        };
        let shown =
            credential.map_or(0, |shown| certificate::len(&shown.chain).saturating_add(SHORT_MESSAGES));
        self.hash(out.message(Level::Initial, SERVER_HELLO.saturating_add(shown), |w| message.write(w))?);
        Ok(())
    }

    /// Record size limits hold when both name one (RFC 8449 section 4).
    pub(super) fn limits(&self, out: &mut Out) {
        let limits = self.asked.record_size_limit.zip(our_limit(&self.config.common));
        if let Some((theirs, ours)) = limits {
            out.limits(theirs.min(MAX_RECORD_SIZE_LIMIT), ours);
        }
    }

    /// Keeps the messages themselves from here on, where the client may sign them.
    pub(super) fn keep_messages(&mut self, hello: &OwnedClientHello) {
        if self.config.client_auth != ClientAuth::None {
            self.messages = Some(Unhashed::new(hello.raw().to_vec()));
        }
    }

    /// Sends a message in the clear.
    pub(super) fn send(&mut self, out: &mut Out, write: impl FnOnce(&mut Writer)) -> Result<()> {
        self.hash(out.message(Level::Initial, SHORT_MESSAGES, write)?);
        Ok(())
    }

    /// Adds a message of the client to the transcript.
    pub(super) fn add(&mut self, message: &Incoming<'_>) {
        self.hash(message.encoded());
    }

    pub(super) fn hash(&mut self, message: &[u8]) {
        self.transcript.add(message);
        if let Some(messages) = &mut self.messages {
            messages.add(message);
        }
    }

    /// The master secret, bound to everything up to ClientKeyExchange, or to the randoms alone where the client cannot
    /// do better and may.
    pub(super) fn master_secret(&mut self, premaster: &SharedSecret) -> Result<MasterSecret> {
        let session_hash = self.transcript.current();
        let binding = if self.asked.extended_master_secret {
            Binding::Session(&session_hash)
        } else {
            Binding::Randoms { client: &self.client_random, server: &self.server_random }
        };
        MasterSecret::new(self.suite.hash, premaster, binding)
    }

    /// What came of it all, but for what only a full handshake has.
    pub(super) fn outcome(self, client: Client, master: &MasterSecret) -> Outcome {
        let Self { client_random, server_random, .. } = self;
        let Asked { server_name, extended_master_secret, .. } = self.asked;
        let Who { peer, peer_signature_scheme, psk } = client.into();
        // Without the binding two connections can have the same keying material (RFC 7627 section 5.4).
        let exports = self.config.common.exporter && extended_master_secret;
        let hash = self.suite.hash;
        let exporter = || Exporter::tls12(hash, master.secret().duplicate(), client_random, server_random);
        Outcome {
            version: ProtocolVersion::TLS1_2,
            suite: self.suite.suite,
            group: None,
            extended_master_secret,
            alpn: self.alpn,
            server_name,
            peer,
            peer_signature_scheme,
            signature_scheme: None,
            credential: None,
            psk,
            hello_retry_request: false,
            early_data: false,
            ech: EchStatus::NotOffered,
            exporter: exports.then(exporter),
            session: None,
        }
    }
}

/// TLS 1.2's limit counts no content type.
const MAX_RECORD_SIZE_LIMIT: u16 = record_size_limit::MAX - 1;

/// Our record_size_limit.
fn our_limit(common: &Common) -> Option<u16> {
    common.record_size_limit.map(|limit| limit.min(MAX_RECORD_SIZE_LIMIT))
}

/// Every ChangeCipherSpec is judged by the state.
pub(super) const fn read_mode(application_data: ApplicationData, max_message: u32) -> ReadMode {
    ReadMode {
        change_cipher_spec: ChangeCipherSpec::Deliver,
        application_data,
        plaintext_alert: false,
        max_message,
    }
}
