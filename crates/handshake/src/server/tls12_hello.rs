//! What full and abbreviated TLS 1.2 handshakes have in common: ServerHello, the connection that comes of it, and how to
//! read (RFC 5246 section 7.4.1.3).

use core::time::Duration;
use std::sync::Arc;

use oxtls_crypto::aead::{AeadKey, FixedIv};
use oxtls_crypto::hash::Digest;
use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup};
use oxtls_crypto::secret::SharedSecret;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::Writer;
use crate::config::{ClientAuth, Common, Credential, ServerHandshake};
use crate::error::Error;
use crate::extension::record_size_limit;
use crate::key_schedule::exporter::Exporter;
use crate::key_schedule::key_log;
use crate::key_schedule::tls12::{Binding, KeyBlock, MasterSecret, Sender, VERIFY_DATA_LEN};
use crate::machine::{FinishedVerified, Incoming, Out};
use crate::message::client_hello::{ClientHello, OwnedClientHello};
use crate::message::tls12::server_hello::{ServerHello, ServerHelloExtensions};
use crate::message::tls12::{certificate, finished};
use crate::message::{HEADER_LEN, HandshakeType};
use crate::outcome::{EchStatus, Outcome};
use crate::server::in_common::InCommon;
use crate::server::negotiate;
use crate::server::peer::{Client, Who};
use crate::server::tls12_session::Keeping;
use crate::step::{ApplicationData, ChangeCipherSpec, Level, ReadMode};
use crate::suite::{CipherSuite, ProtocolVersion, Tls12Suite};
use crate::transcript::{Transcript, Unhashed};

type Result<T> = core::result::Result<T, Error>;

/// Bytes of a Finished.
const FINISHED: usize = HEADER_LEN + VERIFY_DATA_LEN;

/// Bytes of most ServerHellos, and of the record around it.
const SERVER_HELLO: usize = 144;

/// Room beside a chain for ServerKeyExchange of ECDSA and ServerHelloDone, or for these alone.
const SHORT_MESSAGES: usize = 160;

/// A hello that gets a TLS 1.2 handshake, until its suite is chosen.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) hello: OwnedClientHello,
    pub(super) suites: InCommon<Tls12Suite>,
}

/// The messages so far: the hello alone, or the hash over all that the suite is chosen with.
#[derive(Debug)]
pub(super) enum Messages {
    Hello(Choice),
    Hashed(Transcript),
    /// The last one has come.
    Over,
}

impl Messages {
    pub(super) fn hello(&self) -> Result<&Choice> {
        match self {
            Self::Hello(choice) => Ok(choice),
            _ => Err(Error::Internal("a suite is chosen once")),
        }
    }

    pub(super) fn transcript(&mut self) -> Result<&mut Transcript> {
        match self {
            Self::Hashed(transcript) => Ok(transcript),
            _ => Err(Error::Internal("a suite is chosen before it is used")),
        }
    }

    /// The hash over all, to which nothing is added any more.
    fn finish(&mut self) -> Result<Digest> {
        match core::mem::replace(self, Self::Over) {
            Self::Hashed(transcript) => Ok(transcript.finish()),
            _ => Err(Error::Internal("a suite is chosen before it is used")),
        }
    }
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

/// What a TLS 1.2 handshake holds, from the choice of the version to Done. It stays where it is: each step changes it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) config: Arc<ServerHandshake>,
    /// When the hello came, since the Unix epoch.
    pub(super) now: Duration,
    /// Until ServerHello is made, the most preferred of those in common.
    pub(super) suite: Tls12Suite,
    pub(super) client_random: [u8; 32],
    /// Zeros until ServerHello is made.
    pub(super) server_random: [u8; 32],
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) asked: Asked,
    pub(super) messages: Messages,
    /// The messages themselves, until the client's CertificateVerify says which hash it signs them by. Few servers ask for
    /// one.
    pub(super) unhashed: Option<Box<Unhashed>>,
    /// What only a full handshake has.
    pub(super) full: Option<Full>,
    pub(super) secrets: Secrets,
}

/// What is shown in a full handshake, and how the session will be known.
#[derive(Debug)]
pub(super) struct Full {
    pub(super) group: NamedGroup,
    pub(super) credential: Arc<Credential>,
    pub(super) scheme: SignatureScheme,
    pub(super) session: Keeping,
}

/// How far the two sides have come to a secret.
#[derive(Debug)]
pub(super) enum Secrets {
    /// There is nothing yet.
    Nothing,
    /// Our half of the key exchange is made.
    Ours(KeyExchange),
    /// Both sides know the keys.
    Agreed(Agreed),
}

/// The master secret, and the keys that are not in use yet.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) master: MasterSecret,
    keys: KeyBlock,
}

impl Secrets {
    pub(super) fn agreed(&self) -> Result<&Agreed> {
        match self {
            Self::Agreed(agreed) => Ok(agreed),
            _ => Err(Error::Internal("the keys are known before they are used")),
        }
    }
}

impl Agreed {
    /// The key of the client's messages, for it to be used. This one is erased where it lies, at the end.
    pub(super) fn client_key(&self) -> (AeadKey, FixedIv) {
        let (key, iv) = &self.keys.client;
        (key.duplicate(), iv.duplicate())
    }

    /// That of ours.
    fn server_key(&self) -> (AeadKey, FixedIv) {
        let (key, iv) = &self.keys.server;
        (key.duplicate(), iv.duplicate())
    }
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
    /// Begins with what the hello says, in the box in which it stays.
    pub(super) fn new(
        config: Arc<ServerHandshake>,
        now: Duration,
        (hello, parsed): (&OwnedClientHello, &ClientHello<'_>),
        suites: InCommon<Tls12Suite>,
        alpn: Option<Vec<u8>>,
    ) -> Result<Box<Self>> {
        let suite = suites.first().ok_or(Error::Internal("there is a suite in common"))?;
        Ok(Box::new(Self {
            config,
            now,
            suite,
            client_random: *parsed.random,
            server_random: [0; 32],
            alpn,
            asked: Asked::of(parsed),
            messages: Messages::Hello(Choice { hello: hello.clone(), suites }),
            unhashed: None,
            full: None,
            secrets: Secrets::Nothing,
        }))
    }

    /// All is chosen. `random`: for ServerHello.random, to be marked if the client could have had more. Gives the hello,
    /// of which only the hash is kept.
    pub(super) fn begin(&mut self, suite: Tls12Suite, random: [u8; 32]) -> Result<OwnedClientHello> {
        let hello = self.messages.hello()?.hello.clone();
        self.server_random = random;
        if self.config.common.speaks(ProtocolVersion::TLS1_3) {
            let (ours, spoken) = (ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2);
            negotiate::mark_downgrade(&mut self.server_random, spoken, ours);
        }
        self.suite = suite;
        let mut transcript = Transcript::new(suite.hash);
        transcript.add(hello.raw());
        self.messages = Messages::Hashed(transcript);
        Ok(hello)
    }

    /// What only a full handshake has.
    pub(super) fn full(&self) -> Result<&Full> {
        self.full.as_ref().ok_or(Error::Internal("this is not a session that is resumed"))
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
        self.hash(out.message(Level::Initial, SERVER_HELLO.saturating_add(shown), |w| message.write(w))?)
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
            self.unhashed = Some(Box::new(Unhashed::new(hello.raw().to_vec())));
        }
    }

    /// Sends a message in the clear.
    pub(super) fn send(&mut self, out: &mut Out, write: impl FnOnce(&mut Writer)) -> Result<()> {
        self.hash(out.message(Level::Initial, SHORT_MESSAGES, write)?)
    }

    /// Adds a message of the client to the transcript.
    pub(super) fn add(&mut self, message: &Incoming<'_>) -> Result<()> {
        self.hash(message.encoded())
    }

    fn hash(&mut self, message: &[u8]) -> Result<()> {
        self.messages.transcript()?.add(message);
        if let Some(messages) = &mut self.unhashed {
            messages.add(message);
        }
        Ok(())
    }

    /// The master secret, bound to everything up to ClientKeyExchange, or to the randoms alone where the client cannot
    /// do better and may.
    pub(super) fn master_secret(&mut self, premaster: &SharedSecret) -> Result<MasterSecret> {
        let session_hash = self.messages.transcript()?.current();
        let binding = if self.asked.extended_master_secret {
            Binding::Session(&session_hash)
        } else {
            Binding::Randoms { client: &self.client_random, server: &self.server_random }
        };
        MasterSecret::new(self.suite.hash, premaster, binding)
    }

    /// The keys that come of the master secret.
    pub(super) fn agree(&mut self, master: MasterSecret, out: &mut Out) -> Result<()> {
        out.key_log(key_log::CLIENT_RANDOM, master.secret());
        let keys = master.key_block(self.suite, &self.client_random, &self.server_random)?;
        self.secrets = Secrets::Agreed(Agreed { master, keys });
        Ok(())
    }

    /// The client's Finished: nobody has changed a word. `last`: no message comes behind it.
    pub(super) fn check_finished(&mut self, message: &Incoming<'_>, last: bool) -> Result<FinishedVerified> {
        let body = message.expect(HandshakeType::FINISHED, Level::Application, "Finished")?;
        let transcript = if last { self.messages.finish()? } else { self.messages.transcript()?.current() };
        FinishedVerified::check_tls12(&self.secrets.agreed()?.master, Sender::Client, &transcript, body)
    }

    /// Our ChangeCipherSpec and Finished.
    pub(super) fn change_cipher_spec_and_finished(&mut self, out: &mut Out) -> Result<()> {
        let (agreed, transcript) = (self.secrets.agreed()?, self.messages.transcript()?);
        out.change_cipher_spec(self.suite.suite, agreed.server_key());
        let verify_data = agreed.master.verify_data(Sender::Server, &transcript.current());
        transcript.add(out.message(Level::Application, FINISHED, |w| finished::write(w, &verify_data))?);
        Ok(())
    }

    /// What came of it all, but for what only a full handshake has. Nothing is done with the connection after this.
    pub(super) fn outcome(&mut self, client: Client) -> Result<Outcome> {
        let extended_master_secret = self.asked.extended_master_secret;
        let Who { peer, peer_signature_scheme, psk } = client.into();
        let master = &self.secrets.agreed()?.master;
        // Without the binding two connections can have the same keying material (RFC 7627 section 5.4).
        let exports = self.config.common.exporter && extended_master_secret;
        let exporter = || {
            let secret = master.secret().duplicate();
            Exporter::tls12(self.suite.hash, secret, self.client_random, self.server_random)
        };
        Ok(Outcome {
            version: ProtocolVersion::TLS1_2,
            suite: self.suite.suite,
            group: None,
            extended_master_secret,
            exporter: exports.then(exporter),
            alpn: self.alpn.take(),
            server_name: self.asked.server_name.take(),
            peer,
            peer_signature_scheme,
            signature_scheme: None,
            credential: None,
            psk,
            hello_retry_request: false,
            early_data: false,
            ech: EchStatus::NotOffered,
            session: None,
        })
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
