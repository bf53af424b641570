//! A handshake of TLS 1.2 as a script, and what plays it: with a peer, which makes the script, or from the script alone.
//!
//! Between the machine and the wire stands as much of a record layer as such a handshake takes: each message that we
//! send is one record, and after ChangeCipherSpec both sides protect one record, their Finished.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use oxtls_crypto::aead::{OpeningKey, SealingKey, TAG_LEN};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{
    ClientAuth, ClientHandshake, Common, Credential, Randomness, Recorded, ServerHandshake,
};
use oxtls_handshake::message;
use oxtls_handshake::need::Need;
use oxtls_handshake::server::Server;
use oxtls_handshake::step::{Direction, Input, KeySecret, Misuse, Output, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use pki_types::CertificateDer;

const CHANGE_CIPHER_SPEC: u8 = 20;
const HANDSHAKE: u8 = 22;
/// type, version, length
const HEADER: usize = 5;

/// Everything that a handshake depends on, and all that passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) is_client: bool,
    pub(crate) suite: u16,
    pub(crate) group: u16,
    /// The name that a client asks for.
    pub(crate) server_name: String,
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    pub(crate) private_key: Vec<u8>,
    /// Our certificates, leaf first, and what its key signs with.
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) scheme: u16,
    /// What our key signed.
    pub(crate) signature: Vec<u8>,
    /// The records, in their order; true: ours.
    pub(crate) wire: Vec<(bool, Vec<u8>)>,
}

impl Script {
    pub(crate) fn parse(text: &str) -> Self {
        let mut script = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once(' ').expect("a name and a value");
            let number = || u16::from_str_radix(value, 16).expect("a number");
            match name {
                "role" => script.is_client = value == "client",
                "suite" => script.suite = number(),
                "group" => script.group = number(),
                "scheme" => script.scheme = number(),
                "name" => script.server_name = value.to_owned(),
                "random" => script.random = bytes(value).try_into().expect("32 bytes"),
                "session_id" => script.session_id = bytes(value),
                "private_key" => script.private_key = bytes(value),
                "certificate" => script.chain.push(bytes(value)),
                "signature" => script.signature = bytes(value),
                "sent" => script.wire.push((true, bytes(value))),
                "received" => script.wire.push((false, bytes(value))),
                other => panic!("what is {other}?"),
            }
        }
        script
    }

    pub(crate) fn to_text(&self, peer: &str) -> String {
        let role = if self.is_client { "client" } else { "server" };
        let mut text = format!("# TLS 1.2 with {peer}: we are the {role}.\nrole {role}\n");
        let mut line = |name: &str, value: &str| writeln!(text, "{name} {value}").expect("text grows");
        for (name, value) in [("suite", self.suite), ("group", self.group), ("scheme", self.scheme)] {
            line(name, &format!("{value:04x}"));
        }
        line("name", &self.server_name);
        line("random", &digits(&self.random));
        line("session_id", &digits(&self.session_id));
        line("private_key", &digits(&self.private_key));
        self.chain.iter().for_each(|certificate| line("certificate", &digits(certificate)));
        line("signature", &digits(&self.signature));
        for (ours, record) in &self.wire {
            line(if *ours { "sent" } else { "received" }, &digits(record));
        }
        text
    }

    fn common(&self) -> Arc<Common> {
        Arc::new(Common {
            min_version: ProtocolVersion::TLS1_2,
            max_version: ProtocolVersion::TLS1_2,
            suites: vec![CipherSuite(self.suite)],
            // The latter is the curve of certificates.
            groups: vec![NamedGroup(self.group), NamedGroup::SECP256R1],
            verify_schemes: vec![
                SignatureScheme::ECDSA_SECP256R1_SHA256,
                SignatureScheme::RSA_PSS_RSAE_SHA256,
                SignatureScheme::RSA_PKCS1_SHA256,
            ],
            randomness: Randomness::Recorded(Recorded {
                random: self.random,
                session_id: self.session_id.clone(),
                private_keys: vec![(NamedGroup(self.group), self.private_key.clone())],
            }),
            ..Common::default()
        })
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let at = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(at).collect()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where records go and come from, and who signs.
pub(crate) trait Outside {
    fn send(&mut self, record: Vec<u8>);
    fn receive(&mut self) -> Vec<u8>;
    fn sign(&mut self, scheme: SignatureScheme, message: &[u8]) -> Vec<u8>;
}

/// How soon a Need is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// At once.
    Prompt,
    /// Only after the machine was shown that nothing else moves it.
    Late,
}

#[allow(clippy::large_enum_variant, reason = "a test has few, and not for long")]
enum Machine {
    Client(Client),
    Server(Server),
}

impl Machine {
    fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
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

/// Plays a script until the handshake is done; `now` is the time it is told. Returns how many Needs it stopped at.
pub(crate) fn play(script: &Script, now: Duration, patience: Patience, outside: &mut impl Outside) -> usize {
    let common = script.common();
    let credential = Credential {
        chain: script.chain.iter().cloned().map(CertificateDer::from).collect(),
        signer: None,
        schemes: vec![SignatureScheme(script.scheme)],
        ocsp: None,
        scts: None,
        compressed: Vec::new(),
    };
    let machine = if script.is_client {
        let config = ClientHandshake {
            common: Arc::clone(&common),
            server_name: Some(script.server_name.clone()),
            grease: false,
            shuffle_extensions: false,
            resumption: false,
            ..ClientHandshake::default()
        };
        Machine::Client(Client::new(config, Transport::Stream, now).expect("a configuration"))
    } else {
        Machine::Server(Server::new(Transport::Stream))
    };
    let config = ServerHandshake { common, client_auth: ClientAuth::Required, ..ServerHandshake::default() };
    let player = Player {
        machine,
        now,
        patience,
        config: Arc::new(config),
        credential: Arc::new(credential),
        opening: None,
        sealing: None,
        messages: Vec::new(),
        records: VecDeque::new(),
        stops: 0,
    };
    player.run(outside)
}

struct Player {
    machine: Machine,
    now: Duration,
    patience: Patience,
    config: Arc<ServerHandshake>,
    credential: Arc<Credential>,
    opening: Option<OpeningKey>,
    sealing: Option<SealingKey>,
    /// Handshake bytes that have come and were not yet handed in.
    messages: Vec<u8>,
    /// Records that were not yet opened.
    records: VecDeque<Vec<u8>>,
    stops: usize,
}

impl Player {
    fn run(mut self, outside: &mut impl Outside) -> usize {
        loop {
            while let Some(output) = self.machine.output() {
                match output {
                    Output::Send { bytes, .. } => {
                        // As they were recorded: each message in a record of its own.
                        for message in message::each(&bytes) {
                            let record = self.seal(message);
                            outside.send(record);
                        }
                    }
                    Output::SendChangeCipherSpec => outside.send(vec![CHANGE_CIPHER_SPEC, 3, 3, 0, 1, 1]),
                    Output::Keys(change) => self.install(change.direction, &change.secret, change.suite),
                    Output::Need(need) => self.stop(need, outside),
                    Output::Failed(failure) => panic!("{failure:?}"),
                    Output::Done(..) => return self.stops,
                    _ => {}
                }
            }
            if !self.hand_in() {
                if self.records.is_empty() {
                    self.records.push_back(outside.receive());
                }
                self.open();
            }
        }
    }

    /// The next whole message, if it is there.
    fn message(&self) -> Option<Vec<u8>> {
        let len = self.messages.get(1..4)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
        self.messages.get(..4 + len).map(<[u8]>::to_vec)
    }

    fn hand_in(&mut self) -> bool {
        let Some(bytes) = self.message() else { return false };
        self.messages.drain(..bytes.len());
        let (level, more) = (self.level(), !self.messages.is_empty());
        self.machine
            .input(Input::Message { level, bytes: &bytes, more, now: self.now })
            .expect("it is taken");
        true
    }

    fn level(&self) -> oxtls_handshake::step::Level {
        use oxtls_handshake::step::Level::{Application, Initial};
        if self.opening.is_some() { Application } else { Initial }
    }

    /// Opens the next record.
    fn open(&mut self) {
        let mut record = self.records.pop_front().expect("a record");
        let typ = record[0];
        let mut content = record.split_off(HEADER);
        if typ == CHANGE_CIPHER_SPEC {
            let more = !self.messages.is_empty();
            self.machine.input(Input::ChangeCipherSpec { more }).expect("it is taken");
            return;
        }
        assert_eq!(typ, HANDSHAKE, "a record of a handshake");
        if let Some(key) = &mut self.opening {
            let explicit = if content.len() == EXPLICIT_FINISHED { 8 } else { 0 };
            let nonce: Vec<u8> = content.drain(..explicit).collect();
            let aad = additional_data(key.sequence(), content.len() - TAG_LEN);
            let opened = match nonce.try_into() {
                Ok(nonce) => key.open_in_place_explicit(&aad, &mut content, nonce),
                Err(_) => key.open_in_place(&aad, &mut content),
            };
            content.truncate(opened.expect("it opens"));
        }
        self.messages.extend(content);
    }

    fn seal(&mut self, message: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        match &mut self.sealing {
            None => content.extend_from_slice(message),
            Some(key) => {
                content.extend(key.next_explicit_nonce().into_iter().flatten());
                let aad = additional_data(key.sequence(), message.len());
                let (mut sealed, mut tag) = (vec![0; message.len()], [0; TAG_LEN]);
                key.seal_scatter(&aad, message, &mut sealed, &[], &mut tag).expect("it is sealed");
                content.extend(sealed.into_iter().chain(tag));
            }
        }
        let len = u16::try_from(content.len()).expect("it fits a record").to_be_bytes();
        // A ClientHello goes out under the version that the oldest servers know (RFC 5246 appendix E.1).
        let version = if message[0] == 1 { 1 } else { 3 };
        [&[HANDSHAKE, 3, version, len[0], len[1]], content.as_slice()].concat()
    }

    fn install(&mut self, direction: Direction, secret: &KeySecret, suite: CipherSuite) {
        let KeySecret::Tls12 { key, fixed_iv } = secret else { panic!("a key of TLS 1.3") };
        let aead = suite.tls12().expect("a suite of TLS 1.2").aead;
        let nonces = fixed_iv.nonces().expect("nonces");
        match direction {
            Direction::Read => self.opening = Some(OpeningKey::new(aead, key, nonces).expect("a key")),
            Direction::Write => self.sealing = Some(SealingKey::new(aead, key, nonces).expect("a key")),
        }
    }

    fn stop(&mut self, need: Need, outside: &mut impl Outside) {
        self.stops += 1;
        if self.patience == Patience::Late {
            let bytes = self.message().unwrap_or_else(|| vec![20, 0, 0, 0]);
            let message = Input::Message { level: self.level(), bytes: &bytes, more: false, now: self.now };
            assert_eq!(self.machine.input(message), Err(Misuse::NeedIsOut));
            assert_eq!(self.machine.input(Input::ChangeCipherSpec { more: false }), Err(Misuse::NeedIsOut));
            assert!(self.machine.output().is_none(), "something behind a Need");
        }
        let answer = match need {
            Need::ChooseConfig(need) => need.answer(Arc::clone(&self.config), None),
            Need::ChooseCredential(need) => {
                need.answer(Arc::clone(&self.credential), self.credential.schemes[0])
            }
            Need::Sign(need) => {
                let signature = outside.sign(need.scheme, &need.message);
                need.answer(signature)
            }
            Need::VerifyPeer(need) => need.accept(),
            other => panic!("{other:?} is not part of these handshakes"),
        };
        self.machine.input(Input::Answer(answer)).expect("it is taken");
    }
}

/// A Finished with an explicit nonce and a tag; without the former ChaCha20-Poly1305's is shorter.
const EXPLICIT_FINISHED: usize = 8 + 16 + TAG_LEN;

/// What is authenticated with a record (RFC 5246 section 6.2.3.3).
fn additional_data(sequence: u64, len: usize) -> Vec<u8> {
    let len = u16::try_from(len).expect("it fits a record").to_be_bytes();
    [&sequence.to_be_bytes()[..], &[HANDSHAKE, 3, 3], &len].concat()
}
