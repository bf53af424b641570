//! A server made of messages and the key schedule alone, with no machine: it resumes the session that it is told to and
//! says whatever a test wants, well or badly. And sessions to resume.

use std::time::Duration;

use oxtls_crypto::hash::{Digest, Hash};
use oxtls_crypto::key_exchange::{self, KeyExchange, NamedGroup};
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme, SigningKey};
use oxtls_handshake::extension::key_share::KeyShareEntry;
use oxtls_handshake::key_schedule::tls12::{Binding, MasterSecret, Sender};
use oxtls_handshake::key_schedule::tls13::{ApplicationSecrets, EarlySecret, MainSecret, finished_mac};
use oxtls_handshake::message::client_hello::OwnedClientHello;
use oxtls_handshake::message::encrypted_extensions::EncryptedExtensions;
use oxtls_handshake::message::finished;
use oxtls_handshake::message::server_hello::{HelloRetryRequest, ServerHello};
use oxtls_handshake::message::tls12;
use oxtls_handshake::outcome::PeerCertificates;
use oxtls_handshake::session::Session;
use oxtls_handshake::step::Level;
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use pki_types::CertificateDer;

use super::{End, Message, NOW, bare_certificate};

/// The name that all of these sessions are for.
pub const NAME: &str = "server.example";

/// ticket_age_add of all sessions here.
pub const AGE_ADD: u32 = 0xffff_f000;

/// How long ago they were made.
pub const AGE: Duration = Duration::from_millis(60_123);

/// A session of TLS 1.3, of AES-128-GCM, that allows 1,024 bytes of early data.
pub fn session() -> Session {
    Session {
        version: ProtocolVersion::TLS1_3,
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        secret: Secret::new(&[7; 32]).unwrap(),
        ticket: b"a ticket".to_vec(),
        session_id: Vec::new(),
        server_name: Some(NAME.to_owned()),
        alpn: Some(b"h2".to_vec()),
        peer: Some(PeerCertificates {
            chain: vec![CertificateDer::from(b"the server's certificate of then".to_vec())].into(),
            ocsp: None,
            scts: None,
        }),
        made_at: NOW - AGE,
        lifetime: Duration::from_secs(3600),
        verified_at: NOW - Duration::from_secs(5000),
        age_add: AGE_ADD,
        max_early_data: 1024,
        extended_master_secret: false,
        resumption_across_names: false,
        policy: [0; 32],
        expires_at: None,
        guard: None,
        context: Vec::new(),
    }
}

/// A session of TLS 1.2 that goes by this ID and this ticket.
pub fn session_tls12(session_id: &[u8], ticket: &[u8]) -> Session {
    Session {
        version: ProtocolVersion::TLS1_2,
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        secret: Secret::new(&[9; 48]).unwrap(),
        ticket: ticket.to_vec(),
        session_id: session_id.to_vec(),
        extended_master_secret: true,
        max_early_data: 0,
        ..session()
    }
}

pub fn hash_of(session: &Session) -> Hash {
    session.suite.tls13().unwrap().hash
}

/// The transcript of these messages; behind a first hello a HelloRetryRequest makes it a hash.
pub fn transcript(hash: Hash, messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        if at == 0 && messages.get(1).is_some_and(|next| next.name() == "HelloRetryRequest") {
            let digest = hash.digest(&message.bytes);
            let len = u8::try_from(hash.output_len()).unwrap();
            bytes.extend([&[254, 0, 0, len], digest.as_bytes()].concat());
        } else {
            bytes.extend_from_slice(&message.bytes);
        }
    }
    bytes
}

/// Whether the last of these messages, a ClientHello, has the right binder for this session.
pub fn binder_verifies(session: &Session, messages: &[Message]) -> bool {
    let hash = hash_of(session);
    let bytes = transcript(hash, messages);
    let hello = OwnedClientHello::new(&messages.last().unwrap().bytes).unwrap();
    let psks = hello.parse().unwrap().extensions.pre_shared_key.unwrap();
    let truncated = &bytes[..bytes.len() - psks.binders_len()];
    let key = EarlySecret::new(hash, Some(&session.secret)).binder_key(false).unwrap();
    let mac = finished_mac(hash, &key, &hash.digest(truncated)).unwrap();
    psks.binders().eq([mac.as_bytes()])
}

/// What a TLS 1.3 server says.
pub struct Script<'a> {
    /// The PSK that its key schedule begins with.
    pub psk: Option<&'a Session>,
    pub selected_identity: Option<u16>,
    pub suite: CipherSuite,
    pub extensions: EncryptedExtensions<'a>,
}

impl<'a> Script<'a> {
    /// Resumes the session, with or without its early data.
    pub fn resume(session: &'a Session, early_data: bool) -> Self {
        Self {
            psk: Some(session),
            selected_identity: Some(0),
            suite: session.suite,
            extensions: EncryptedExtensions {
                alpn: session.alpn.as_deref(),
                record_size_limit: Some(4096),
                early_data,
                ..EncryptedExtensions::default()
            },
        }
    }
}

/// The flight of a TLS 1.3 server that resumes a session, and what it knows then.
pub struct Flight {
    pub server_hello: Message,
    pub encrypted_extensions: Message,
    pub finished: Message,
    pub client_handshake: Secret,
    pub server_handshake: Secret,
    pub application: ApplicationSecrets,
    pub main: MainSecret,
    hash: Hash,
    messages: Vec<Message>,
}

impl Flight {
    /// `hellos` is all that came before ServerHello.
    pub fn new(hellos: &[Message], script: &Script<'_>) -> Self {
        let hash = script.suite.tls13().unwrap().hash;
        let mut messages = hellos.to_vec();
        let hello = OwnedClientHello::new(&messages.last().unwrap().bytes).unwrap();
        let hello = hello.parse().unwrap();
        let theirs = hello.extensions.key_shares.unwrap().iter().last().unwrap();
        let answer = key_exchange::answer(theirs.group, theirs.key_exchange).unwrap();
        let bytes = ServerHello {
            legacy_version: ProtocolVersion::TLS1_2,
            random: &[5; 32],
            session_id_echo: hello.session_id,
            cipher_suite: script.suite,
            compression_method: 0,
            selected_version: Some(ProtocolVersion::TLS1_3),
            key_share: Some(KeyShareEntry { group: theirs.group, key_exchange: &answer.share }),
            pre_shared_key: script.selected_identity,
        }
        .encode()
        .unwrap();
        let server_hello = Message { level: Level::Initial, bytes };
        messages.push(server_hello.clone());
        let digest = |messages: &[Message]| hash.digest(&transcript(hash, messages));
        let early = EarlySecret::new(hash, script.psk.map(|session| &session.secret));
        let handshake = early.into_handshake(&answer.secret, &digest(&messages)).unwrap();
        let bytes = script.extensions.encode().unwrap();
        let encrypted_extensions = Message { level: Level::Handshake, bytes };
        messages.push(encrypted_extensions.clone());
        let mac = finished_mac(hash, &handshake.server, &digest(&messages)).unwrap();
        let finished = Message { level: Level::Handshake, bytes: finished::encode(&mac).unwrap() };
        messages.push(finished.clone());
        let main = handshake.next.into_main();
        let application = main.application(&digest(&messages), true).unwrap();
        Self {
            server_hello,
            encrypted_extensions,
            finished,
            client_handshake: handshake.client,
            server_handshake: handshake.server,
            application,
            main,
            hash,
            messages,
        }
    }

    /// The messages that the client gets.
    pub fn messages(&self) -> [&Message; 3] {
        [&self.server_hello, &self.encrypted_extensions, &self.finished]
    }

    /// Gives all of them.
    pub fn give_to(&self, client: &mut End) {
        for message in self.messages() {
            client.give(message);
        }
    }

    fn digest(&self) -> Digest {
        self.hash.digest(&transcript(self.hash, &self.messages))
    }

    /// Takes what the client sends behind its hello: EndOfEarlyData, if it is there, and a Finished that must verify.
    /// The resumption secret.
    pub fn take(mut self, from_client: impl IntoIterator<Item = Message>) -> Secret {
        let mut finished = false;
        for message in from_client {
            assert!(!finished, "{} behind Finished", message.name());
            if message.name() == "Finished" {
                let mac = finished_mac(self.hash, &self.client_handshake, &self.digest()).unwrap();
                assert_eq!(message.body(), mac.as_bytes(), "the client's Finished");
                finished = true;
            }
            self.messages.push(message);
        }
        assert!(finished);
        let digest = self.digest();
        self.main.into_resumption(&digest).unwrap()
    }
}

/// A HelloRetryRequest for this hello.
pub fn retry(
    hello: &Message,
    suite: CipherSuite,
    group: Option<NamedGroup>,
    cookie: Option<&[u8]>,
) -> Message {
    let hello = OwnedClientHello::new(&hello.bytes).unwrap();
    let bytes = HelloRetryRequest {
        legacy_version: ProtocolVersion::TLS1_2,
        session_id_echo: hello.parse().unwrap().session_id,
        cipher_suite: suite,
        compression_method: 0,
        selected_version: Some(ProtocolVersion::TLS1_3),
        selected_group: group,
        cookie,
        encrypted_client_hello: None,
    }
    .encode()
    .unwrap();
    Message { level: Level::Initial, bytes }
}

/// What a TLS 1.2 server says that resumes a session.
pub struct ScriptTls12<'a> {
    pub session: &'a Session,
    pub session_id: Vec<u8>,
    pub suite: CipherSuite,
    pub extensions: tls12::server_hello::ServerHelloExtensions<'a>,
    /// Sends NewSessionTicket: lifetime_hint and ticket.
    pub ticket: Option<(u32, &'a [u8])>,
}

impl<'a> ScriptTls12<'a> {
    /// Resumes the session that this hello offers: its ID comes back.
    pub fn resume(hello: &Message, session: &'a Session) -> Self {
        let hello = OwnedClientHello::new(&hello.bytes).unwrap();
        Self {
            session,
            session_id: hello.parse().unwrap().session_id.to_vec(),
            suite: session.suite,
            extensions: tls12::server_hello::ServerHelloExtensions {
                renegotiation_info: Some(&[]),
                extended_master_secret: true,
                ..<_>::default()
            },
            ticket: None,
        }
    }

    /// The same with a new ticket.
    pub fn renew(hello: &Message, session: &'a Session, lifetime_hint: u32, ticket: &'a [u8]) -> Self {
        let mut this = Self::resume(hello, session);
        this.extensions.session_ticket = true;
        this.ticket = Some((lifetime_hint, ticket));
        this
    }
}

/// The flight of a TLS 1.2 server that resumes a session.
pub struct FlightTls12 {
    pub server_hello: Message,
    pub ticket: Option<Message>,
    pub finished: Message,
    pub master: MasterSecret,
    hash: Hash,
    transcript: Vec<u8>,
}

impl FlightTls12 {
    pub fn new(hello: &Message, script: &ScriptTls12<'_>) -> Self {
        let hash = script.suite.tls12().unwrap().hash;
        let bytes = tls12::server_hello::ServerHello {
            random: &[5; 32],
            session_id: &script.session_id,
            cipher_suite: script.suite,
            compression_method: 0,
            extensions: script.extensions,
        }
        .encode()
        .unwrap();
        let server_hello = Message { level: Level::Initial, bytes };
        let mut transcript = [&hello.bytes[..], &server_hello.bytes].concat();
        let ticket = script.ticket.map(|(lifetime_hint, ticket)| {
            let bytes =
                tls12::new_session_ticket::NewSessionTicket { lifetime_hint, ticket }.encode().unwrap();
            transcript.extend_from_slice(&bytes);
            Message { level: Level::Initial, bytes }
        });
        let master = MasterSecret::resumed(hash, &script.session.secret).unwrap();
        let verify_data = master.verify_data(Sender::Server, &hash.digest(&transcript));
        let bytes = tls12::finished::encode(&verify_data).unwrap();
        transcript.extend_from_slice(&bytes);
        let finished = Message { level: Level::Application, bytes };
        Self { server_hello, ticket, finished, master, hash, transcript }
    }

    /// The messages that the client gets.
    pub fn messages(&self) -> Vec<Message> {
        let first = [self.server_hello.clone()].into_iter().chain(self.ticket.clone());
        first.chain([Message::change_cipher_spec(), self.finished.clone()]).collect()
    }

    /// The client's ChangeCipherSpec and Finished, which must verify.
    pub fn take(&self, from_client: impl IntoIterator<Item = Message>) {
        let messages: Vec<Message> = from_client.into_iter().collect();
        let names: Vec<String> = messages.iter().map(Message::name).collect();
        assert_eq!(names, ["ChangeCipherSpec", "Finished"]);
        let verify_data = self.master.verify_data(Sender::Client, &self.hash.digest(&self.transcript));
        assert_eq!(messages[1].body(), verify_data, "the client's Finished");
    }
}

/// A TLS 1.2 server in a full handshake.
pub struct FullTls12 {
    hash: Hash,
    exchange: KeyExchange,
    client_random: [u8; 32],
    extended_master_secret: bool,
    transcript: Vec<u8>,
}

/// What it says in ServerHello.
#[derive(Clone, Copy)]
pub struct HelloTls12<'a> {
    pub session_id: &'a [u8],
    pub ticket: bool,
    pub extended_master_secret: bool,
}

impl FullTls12 {
    const RANDOM: [u8; 32] = [6; 32];

    /// From ServerHello to ServerHelloDone.
    pub fn new(hello: &Message, says: HelloTls12<'_>) -> (Self, Vec<Message>) {
        let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        let hash = suite.tls12().unwrap().hash;
        let client_random = OwnedClientHello::new(&hello.bytes).unwrap().random();
        let server_hello = tls12::server_hello::ServerHello {
            random: &Self::RANDOM,
            session_id: says.session_id,
            cipher_suite: suite,
            compression_method: 0,
            extensions: tls12::server_hello::ServerHelloExtensions {
                renegotiation_info: Some(&[]),
                extended_master_secret: says.extended_master_secret,
                session_ticket: says.ticket,
                ..<_>::default()
            },
        };
        let key = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let chain = [CertificateDer::from(bare_certificate(&key))];
        let exchange = KeyExchange::offer(NamedGroup::X25519).unwrap();
        let params = tls12::server_key_exchange::params(NamedGroup::X25519, exchange.share()).unwrap();
        let content = tls12::server_key_exchange::signed_content(&client_random, &Self::RANDOM, &params);
        let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
        let signature = key.sign(scheme, &content).unwrap();
        let messages = [
            server_hello.encode().unwrap(),
            tls12::certificate::encode(&chain).unwrap(),
            tls12::server_key_exchange::encode(&params, scheme, &signature).unwrap(),
            tls12::server_hello_done::encode().unwrap(),
        ];
        let transcript = [&hello.bytes[..], &messages.concat()].concat();
        let messages = messages.map(|bytes| Message { level: Level::Initial, bytes }).to_vec();
        let extended_master_secret = says.extended_master_secret;
        (Self { hash, exchange, client_random, extended_master_secret, transcript }, messages)
    }

    /// Takes the client's ClientKeyExchange, ChangeCipherSpec and Finished, and ends the handshake, with a ticket or
    /// without. The master secret, and what the client gets.
    pub fn end(
        mut self,
        from_client: impl IntoIterator<Item = Message>,
        ticket: Option<(u32, &[u8])>,
    ) -> (Secret, Vec<Message>) {
        let from_client: Vec<Message> = from_client.into_iter().collect();
        let names: Vec<String> = from_client.iter().map(Message::name).collect();
        assert_eq!(names, ["ClientKeyExchange", "ChangeCipherSpec", "Finished"]);
        let theirs = tls12::client_key_exchange::parse(from_client[0].body()).unwrap();
        let premaster = self.exchange.finish(theirs).unwrap();
        self.transcript.extend_from_slice(&from_client[0].bytes);
        let session_hash = self.hash.digest(&self.transcript);
        let binding = match self.extended_master_secret {
            true => Binding::Session(&session_hash),
            false => Binding::Randoms { client: &self.client_random, server: &Self::RANDOM },
        };
        let master = MasterSecret::new(self.hash, &premaster, binding).unwrap();
        let verify_data = master.verify_data(Sender::Client, &session_hash);
        assert_eq!(from_client[2].body(), verify_data, "the client's Finished");
        self.transcript.extend_from_slice(&from_client[2].bytes);
        let mut messages = Vec::new();
        if let Some((lifetime_hint, ticket)) = ticket {
            let bytes =
                tls12::new_session_ticket::NewSessionTicket { lifetime_hint, ticket }.encode().unwrap();
            self.transcript.extend_from_slice(&bytes);
            messages.push(Message { level: Level::Initial, bytes });
        }
        messages.push(Message::change_cipher_spec());
        let verify_data = master.verify_data(Sender::Server, &self.hash.digest(&self.transcript));
        let bytes = tls12::finished::encode(&verify_data).unwrap();
        messages.push(Message { level: Level::Application, bytes });
        (master.secret().duplicate(), messages)
    }
}
