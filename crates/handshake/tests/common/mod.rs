//! Drives machines with no record layer: the outputs of one are the inputs of the other, Needs are answered with a
//! test credential, and what a machine yields is written down in the notation of the protocol's traces
//! (`S(ClientHello)@In`, `W:HS`, `R(drop,no)`, `?Sign`, `Done`).
//!
//! While it takes outputs it checks what must hold for all of them: messages go out at the present write level, a
//! read key is followed at once by how to read, a Need is the last output, and so are Done and Failed.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test binary uses a part, and a test may be blunt"
)]

mod hello;
pub mod scripted;
pub mod short;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::{KeyAlgorithm, SigningKey};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::message::server_hello::HELLO_RETRY_REQUEST_RANDOM;
use oxtls_handshake::message::{self, Handshake, HandshakeType};
use oxtls_handshake::need::Need;
use oxtls_handshake::outcome::Outcome;
use oxtls_handshake::post_handshake::PostHandshake;
use oxtls_handshake::server::Server;
use oxtls_handshake::step::{
    ApplicationData, ChangeCipherSpec, Direction, EarlyData, Failure, Input, KeyChange, KeySecret, Level,
    Misuse, Output, ReadMode, Transport,
};
use pki_types::CertificateDer;

pub use hello::{Extensions, Hello, edit, join_extensions, split_extensions};

/// The time of all tests, since the epoch.
pub const NOW: Duration = Duration::from_secs(1_790_000_000);

/// Either role.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a test has few, and not for long")]
pub enum Machine {
    Client(Client),
    Server(Server),
}

impl Machine {
    pub fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        match self {
            Self::Client(client) => client.input(input),
            Self::Server(server) => server.input(input),
        }
    }

    fn output(&mut self) -> Option<Output> {
        match self {
            Self::Client(client) => client.output(),
            Self::Server(server) => server.output(),
        }
    }
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub level: Level,
    pub bytes: Vec<u8>,
}

impl Message {
    pub fn new(level: Level, typ: HandshakeType, body: &[u8]) -> Self {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let bytes = [&[typ.0], &length[1..], body].concat();
        Self { level, bytes }
    }

    /// Stands for the ChangeCipherSpec record of TLS 1.2, which is no message but has its place among them.
    pub fn change_cipher_spec() -> Self {
        Self { level: Level::Initial, bytes: b"ChangeCipherSpec".to_vec() }
    }

    /// It is a message of this type.
    pub fn typ_is(&self, typ: HandshakeType) -> bool {
        self.bytes.first() == Some(&typ.0)
    }

    /// Whether it stands for that record, whose content is the byte 1.
    pub fn is_change_cipher_spec(&self) -> bool {
        self.bytes == [1]
    }

    pub fn typ(&self) -> HandshakeType {
        HandshakeType(self.bytes[0])
    }

    pub fn body(&self) -> &[u8] {
        &self.bytes[4..]
    }

    /// The same message with another body.
    pub fn with_body(&self, body: &[u8]) -> Self {
        Self::new(self.level, self.typ(), body)
    }

    /// The name, HelloRetryRequest told from ServerHello.
    pub fn name(&self) -> String {
        if *self == Self::change_cipher_spec() {
            return "ChangeCipherSpec".to_owned();
        }
        let retry = self.body().get(2..34) == Some(&HELLO_RETRY_REQUEST_RANDOM);
        if self.typ() == HandshakeType::SERVER_HELLO && retry {
            return "HelloRetryRequest".to_owned();
        }
        self.typ().to_string()
    }
}

/// A key that was handed out.
#[derive(Debug)]
pub struct Installed {
    pub level: Level,
    pub direction: Direction,
    pub secret: Vec<u8>,
}

/// One end: a machine, what it yielded, and how its Needs are answered.
#[derive(Debug)]
pub struct End {
    pub machine: Machine,
    /// Sent and not yet taken by the other end.
    pub sent: VecDeque<Message>,
    /// The Need that is out.
    pub need: Option<Need>,
    pub done: Option<(Box<Outcome>, PostHandshake)>,
    pub failure: Option<Failure>,
    pub keys: Vec<Installed>,
    pub write_level: Level,
    pub read_mode: Option<ReadMode>,
    pub limits: Option<(u16, u16)>,
    pub early_exporter: Option<Vec<u8>>,
    pub peer_parameters: Option<Vec<u8>>,
    pub key_log: Vec<(&'static str, Vec<u8>)>,
    pub answers: Answers,
    quic: bool,
}

/// How the Needs of an end are answered.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub config: Arc<ServerHandshake>,
    pub cookie: Option<Vec<u8>>,
    pub credential: Option<Arc<Credential>>,
}

/// A client, its first outputs not yet taken.
pub fn client(config: ClientHandshake, transport: Transport, credential: Option<Arc<Credential>>) -> End {
    let quic = transport != Transport::Stream;
    let machine = Machine::Client(Client::new(config, transport, NOW).unwrap());
    End::new(machine, quic, Answers { credential, ..Answers::default() })
}

/// A server, its first outputs not yet taken.
pub fn server(transport: Transport, answers: Answers) -> End {
    let quic = transport != Transport::Stream;
    End::new(Machine::Server(Server::new(transport)), quic, answers)
}

impl End {
    fn new(machine: Machine, quic: bool, answers: Answers) -> Self {
        Self {
            machine,
            sent: VecDeque::new(),
            need: None,
            done: None,
            failure: None,
            keys: Vec::new(),
            write_level: Level::Initial,
            read_mode: None,
            limits: None,
            early_exporter: None,
            peer_parameters: None,
            key_log: Vec::new(),
            answers,
            quic,
        }
    }

    /// Takes all outputs and writes them down.
    pub fn drain(&mut self) -> Vec<String> {
        let mut row: Vec<String> = Vec::new();
        let mut asked = false;
        while let Some(output) = self.machine.output() {
            let ended = self.done.is_some() || self.failure.is_some();
            assert!(!ended, "{output:?} behind the last output");
            assert!(!asked, "{output:?} behind a Need");
            asked = matches!(output, Output::Need(_));
            let key_waits = !self.quic && row.last().is_some_and(|last| last.starts_with("R:"));
            assert!(!key_waits || matches!(output, Output::Read(_)), "{output:?} behind a read key");
            match output {
                Output::Send { level, bytes } => {
                    row.extend(message::each(&bytes).map(|message| self.take_message(level, message)));
                }
                output => row.extend(self.take(output)),
            }
        }
        row
    }

    /// One of the messages that were sent: each has its own place in a row.
    fn take_message(&mut self, level: Level, bytes: &[u8]) -> String {
        assert_eq!(level, self.write_level, "sent at another level than the write key's");
        assert!(Handshake::parse_exact(bytes).is_ok(), "not one whole message");
        let message = Message { level, bytes: bytes.to_vec() };
        let line = format!("S({})@{}", message.name(), short(level));
        self.sent.push_back(message);
        line
    }

    fn take(&mut self, output: Output) -> Option<String> {
        Some(match output {
            Output::Send { .. } => panic!("taken message by message"),
            Output::SendChangeCipherSpec => {
                assert!(!self.quic, "QUIC has no ChangeCipherSpec");
                "CCS".to_owned()
            }
            Output::Keys(change) => self.take_key(change),
            Output::Read(mode) => {
                self.read_mode = Some(mode);
                // Over QUIC only the largest message is of interest.
                if self.quic { "max_message".to_owned() } else { read(mode) }
            }
            Output::Limits { send, receive } => {
                self.limits = Some((send, receive));
                "Limits".to_owned()
            }
            Output::EarlyData(early_data) => self.take_early_data(early_data),
            Output::HalfRtt => "HalfRtt".to_owned(),
            Output::PeerParameters(parameters) => {
                self.peer_parameters = Some(parameters);
                "PeerParameters".to_owned()
            }
            Output::KeyLog { label, secret, .. } => {
                self.key_log.push((label, secret.as_bytes().to_vec()));
                return None;
            }
            Output::Need(need) => {
                let line = format!("?{}", need_name(&need));
                self.need = Some(need);
                line
            }
            Output::Done(outcome, post_handshake) => {
                self.done = Some((outcome, post_handshake));
                "Done".to_owned()
            }
            Output::Failed(failure) => {
                let line = format!("Failed({})@{}", failure.alert, short(self.write_level));
                assert_eq!(failure.alert, failure.error.alert());
                assert!(!failure.error.to_string().is_empty());
                self.failure = Some(failure);
                line
            }
        })
    }

    /// `Offered(1024)`, `Accepted`, `Rejected(Disabled)`.
    fn take_early_data(&mut self, early_data: EarlyData) -> String {
        match early_data {
            EarlyData::Offered { limit, exporter } => {
                assert_eq!(self.write_level, Level::Early, "no key to send it under");
                self.early_exporter = exporter.map(|secret| secret.as_bytes().to_vec());
                format!("Offered({limit})")
            }
            EarlyData::Accepted { exporter } => {
                if let Some(exporter) = exporter {
                    self.early_exporter = Some(exporter.as_bytes().to_vec());
                }
                "Accepted".to_owned()
            }
            EarlyData::Rejected(reason) => {
                // At a client this takes the key away.
                if self.write_level == Level::Early {
                    self.write_level = Level::Initial;
                }
                format!("Rejected({reason:?})")
            }
        }
    }

    fn take_key(&mut self, change: KeyChange) -> String {
        let KeyChange { level, direction, secret, .. } = change;
        let (secret, tls12) = match &secret {
            KeySecret::Tls13(secret) => (secret.as_bytes().to_vec(), false),
            KeySecret::Tls12 { key, .. } => (key.as_bytes().to_vec(), true),
        };
        self.keys.push(Installed { level, direction, secret });
        if direction == Direction::Read {
            return format!("R:{}", short(level));
        }
        if tls12 {
            self.sent.push_back(Message::change_cipher_spec());
        }
        self.write_level = level;
        format!("W:{}", short(level))
    }

    /// Hands one message in and returns what comes of it.
    pub fn give(&mut self, message: &Message) -> Vec<String> {
        self.give_with(message, false)
    }

    /// The same with the word on whether bytes follow in the record.
    pub fn give_with(&mut self, message: &Message, more: bool) -> Vec<String> {
        self.offer(message, more).unwrap();
        self.drain()
    }

    /// Hands one message in that must be refused with this alert at this level, behind which nothing goes on.
    #[track_caller]
    pub fn refuses(&mut self, message: &Message, alert: AlertDescription, level: &str) {
        self.refuses_with(message, false, alert, level);
    }

    /// The same with the word on whether bytes follow in the record.
    #[track_caller]
    pub fn refuses_with(&mut self, message: &Message, more: bool, alert: AlertDescription, level: &str) {
        assert_eq!(self.give_with(message, more), [format!("Failed({alert})@{level}")], "{:?}", self.failure);
        assert_eq!(self.offer(message, false), Err(Misuse::Ended));
        assert!(self.machine.input(Input::Abort(Error::Canceled)).is_err(), "Failed is the last");
    }

    /// Hands one message in, which may be refused as misuse.
    pub fn offer(&mut self, message: &Message, more: bool) -> Result<(), Misuse> {
        let Message { level, bytes } = message;
        if *message == Message::change_cipher_spec() {
            return self.machine.input(Input::ChangeCipherSpec { more });
        }
        self.machine.input(Input::Message { level: *level, bytes, more, now: NOW })
    }

    /// Answers the Need that is out as [`Answers`] says, and returns what comes of it.
    pub fn answer(&mut self) -> Vec<String> {
        let need = self.need.take().expect("no Need is out");
        let answer = match need {
            Need::ChooseConfig(need) => {
                need.answer(Arc::clone(&self.answers.config), self.answers.cookie.take())
            }
            Need::ChooseCredential(need) => {
                let choice = self.answers.credential.clone().and_then(|credential| {
                    let scheme =
                        credential.schemes.iter().find(|s| need.request.schemes.contains(s)).copied();
                    scheme.map(|scheme| (credential, scheme))
                });
                match choice {
                    Some((credential, scheme)) => need.answer(credential, scheme),
                    None => need.none(),
                }
            }
            Need::Sign(need) => {
                let signer = need.credential.signer.clone().unwrap();
                let signature = signer.sign(need.scheme, &need.message).unwrap();
                need.answer(signature)
            }
            Need::VerifyPeer(need) => need.accept(),
            // The only compression of these tests puts one byte ahead.
            Need::Decompress(need) => {
                let body = need.bytes[1..].to_vec();
                need.answer(body)
            }
            other => panic!("{other:?} is not part of these handshakes"),
        };
        self.machine.input(Input::Answer(answer)).unwrap();
        self.drain()
    }

    /// Answers all Needs and returns everything that comes of it.
    pub fn settle(&mut self) -> Vec<String> {
        let mut rows = self.drain();
        while self.need.is_some() {
            rows.extend(self.answer());
        }
        rows
    }

    pub fn abort(&mut self, error: Error) -> Vec<String> {
        self.machine.input(Input::Abort(error)).unwrap();
        self.drain()
    }

    /// The first message that waits to be taken.
    pub fn next_message(&mut self) -> Message {
        self.sent.pop_front().expect("nothing was sent")
    }

    pub fn outcome(&self) -> &Outcome {
        &self.done.as_ref().expect("not done").0
    }

    pub fn alert(&self) -> AlertDescription {
        self.failure.as_ref().expect("not failed").alert
    }

    pub fn error(&self) -> &Error {
        &self.failure.as_ref().expect("not failed").error
    }

    pub fn key(&self, level: Level, direction: Direction) -> &[u8] {
        let key = self.keys.iter().find(|key| key.level == level && key.direction == direction);
        &key.expect("no such key").secret
    }
}

/// Both ends of a handshake.
#[derive(Debug)]
pub struct Pair {
    pub client: End,
    pub server: End,
}

impl Pair {
    /// Runs until neither end has anything for the other.
    pub fn run(&mut self) {
        self.run_with(|_, _| ());
    }

    /// Runs, showing each message to `see` before it is handed in; true: it goes to the server.
    pub fn run_with(&mut self, mut see: impl FnMut(bool, &mut Message)) {
        self.client.settle();
        self.server.settle();
        loop {
            let (to_server, mut message) = if let Some(message) = self.client.sent.pop_front() {
                (true, message)
            } else if let Some(message) = self.server.sent.pop_front() {
                (false, message)
            } else {
                return;
            };
            see(to_server, &mut message);
            let to = if to_server { &mut self.server } else { &mut self.client };
            // An end that is over takes nothing more; its record layer would be gone.
            if to.offer(&message, false).is_ok() {
                to.settle();
            }
        }
    }

    pub fn is_done(&self) -> bool {
        self.client.done.is_some() && self.server.done.is_some()
    }
}

fn short(level: Level) -> &'static str {
    match level {
        Level::Initial => "In",
        Level::Early => "Ea",
        Level::Handshake => "HS",
        Level::Application => "Ap",
    }
}

fn read(mode: ReadMode) -> String {
    let change_cipher_spec = match mode.change_cipher_spec {
        ChangeCipherSpec::Drop => "drop",
        ChangeCipherSpec::Deliver => "del",
    };
    let application_data = match mode.application_data {
        ApplicationData::Refuse => "no".to_owned(),
        ApplicationData::Accept => "yes".to_owned(),
        other => format!("{other:?}"),
    };
    let alert = if mode.plaintext_alert { ",pa" } else { "" };
    format!("R({change_cipher_spec},{application_data}{alert})")
}

pub fn need_name(need: &Need) -> &'static str {
    match need {
        Need::OpenEch(_) => "OpenEch",
        Need::ChooseConfig(_) => "ChooseConfig",
        Need::FindSession(_) => "FindSession",
        Need::AcceptSession(_) => "AcceptSession",
        Need::ChooseCredential(_) => "ChooseCredential",
        Need::Decompress(_) => "Decompress",
        Need::VerifyPeer(_) => "VerifyPeer",
        Need::Sign(_) => "Sign",
        Need::SealTicket(_) => "SealTicket",
        _ => "unknown",
    }
}

/// A credential with a fresh key and a certificate that says nothing but whose key it is: machines look no further.
pub fn credential(algorithm: KeyAlgorithm) -> Arc<Credential> {
    let key = SigningKey::generate(algorithm).unwrap();
    let certificate = bare_certificate(&key);
    Arc::new(Credential {
        chain: vec![CertificateDer::from(certificate)],
        schemes: key.schemes().to_vec(),
        signer: Some(Arc::new(key)),
        ocsp: None,
        scts: None,
        compressed: Vec::new(),
    })
}

/// A self-signed X.509 certificate of nobody, without extensions.
pub fn bare_certificate(key: &SigningKey) -> Vec<u8> {
    let algorithm = key.algorithm_identifier_der();
    let name = der(0x30, &[]);
    let validity = der(0x30, &[der(0x17, b"260101000000Z"), der(0x17, b"490101000000Z")].concat());
    let version = der(0xa0, &der(0x02, &[2]));
    let serial = der(0x02, &[1]);
    let to_be_signed =
        der(0x30, &[&version, &serial, algorithm, &name, &validity, &name, key.spki()].concat());
    let signature = key.sign_certificate(&to_be_signed).unwrap();
    let bits = der(0x03, &[&[0], &signature[..]].concat());
    der(0x30, &[&to_be_signed, algorithm, &bits].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let header = match length {
        0..=0x7f => vec![tag, length.to_be_bytes()[1]],
        0x80..=0xff => vec![tag, 0x81, length.to_be_bytes()[1]],
        _ => [&[tag, 0x82], &length.to_be_bytes()[..]].concat(),
    };
    [&header, content].concat()
}

/// What both ends' configurations have in most tests: suites of both versions, curves that need no retry, ALPN, a limit
/// of records.
pub fn usual() -> Common {
    Common {
        suites: defaults::SUITES_TLS12.to_vec(),
        groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        record_size_limit: Some(4096),
        key_log: true,
        ..Common::default()
    }
}
