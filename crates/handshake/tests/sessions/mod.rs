//! Sessions for tests of resumption: made by honest handshakes, kept as bytes at the server, offered again by the client,
//! and hellos whose binders are made anew after they were changed.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "each test binary uses a part, and a test may be blunt"
)]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::config::{ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::key_schedule::tls13::{EarlySecret, finished_mac};
use oxtls_handshake::message::client_hello::ClientHello;
use oxtls_handshake::need::{AcceptSession, Answer, FindSession, Need, SessionOffer};
use oxtls_handshake::post_handshake::Received;
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Input, Transport};
use oxtls_handshake::suite::ProtocolVersion;

use crate::common::{Answers, End, Message, NOW, Pair, client, credential, edit, server};

pub const TICKET: &[u8] = b"a ticket";
pub const GUARD: [u8; 16] = [3; 16];

/// Changes to the configurations of both ends.
pub type Change<'a> = &'a dyn Fn(&mut ClientHandshake, &mut ServerHandshake, &mut Common);

pub fn nothing(_: &mut ClientHandshake, _: &mut ServerHandshake, _: &mut Common) {}

fn shared(algorithm: KeyAlgorithm) -> Arc<Credential> {
    static OURS: OnceLock<Arc<Credential>> = OnceLock::new();
    static THEIRS: OnceLock<Arc<Credential>> = OnceLock::new();
    let cell = if algorithm == KeyAlgorithm::EcdsaP256 { &OURS } else { &THEIRS };
    Arc::clone(cell.get_or_init(|| credential(algorithm)))
}

/// Both ends with resumption, of TLS 1.3 unless `change` says otherwise.
pub fn pair(transport: &Transport, change: Change<'_>) -> Pair {
    let mut ours = ClientHandshake {
        server_name: Some("server.example".into()),
        resumption: true,
        early_data: true,
        ..ClientHandshake::default()
    };
    let mut theirs = ServerHandshake { resumption: true, early_data: true, ..ServerHandshake::default() };
    let mut common = Common {
        groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
        alpn: vec![b"h2".to_vec(), b"other".to_vec()],
        key_log: true,
        ..Common::default()
    };
    change(&mut ours, &mut theirs, &mut common);
    let common = Arc::new(common);
    ours.common = Arc::clone(&common);
    theirs.common = common;
    let answers =
        Answers { config: Arc::new(theirs), credential: Some(shared(KeyAlgorithm::EcdsaP256)), cookie: None };
    Pair {
        client: client(ours, transport.clone(), Some(shared(KeyAlgorithm::Ed25519))),
        server: server(transport.clone(), answers),
    }
}

/// Makes both ends speak TLS 1.2 alone.
pub fn tls12(common: &mut Common) {
    common.min_version = ProtocolVersion::TLS1_2;
    common.max_version = ProtocolVersion::TLS1_2;
    common.suites = defaults::SUITES_TLS12.to_vec();
}

/// A session as both ends have it.
pub struct Made {
    pub client: Arc<Psk>,
    /// The server's, as a ticket or a store would have it.
    pub server: Vec<u8>,
}

impl Made {
    pub fn session(&self) -> Session {
        Session::from_bytes(&self.server).unwrap()
    }

    pub fn psk(&self) -> Psk {
        Psk::Session(Box::new(self.session()))
    }

    pub fn secret(&self) -> Secret {
        self.session().secret
    }

    /// The server's session, changed.
    pub fn changed(&self, change: impl FnOnce(&mut Session)) -> Psk {
        let mut session = self.session();
        change(&mut session);
        Psk::Session(Box::new(session))
    }
}

/// The session of a ticket of TLS 1.3 with room for early data.
pub fn made(transport: &Transport, change: Change<'_>) -> Made {
    let mut pair = pair(transport, change);
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    ticket_of(&mut pair)
}

/// A ticket of a connection that is done.
pub fn ticket_of(pair: &mut Pair) -> Made {
    let tickets = pair.server.done.as_mut().unwrap().1.tickets.as_mut().expect("tickets are due");
    tickets.set_max_early_data(defaults::MAX_EARLY_DATA);
    let mut ticket = tickets.next(NOW).unwrap();
    ticket.session_mut().guard = Some(GUARD);
    let server = ticket.session().to_bytes().unwrap().to_vec();
    let message = ticket.message(TICKET).unwrap();
    let receive = &mut pair.client.done.as_mut().unwrap().1.receive;
    match receive.message(&message, false, NOW).unwrap() {
        Some(Received::StoreSession(session)) => Made { client: Arc::new(Psk::Session(session)), server },
        other => panic!("{other:?}"),
    }
}

/// A fresh server, and the hello of a client that offers the session.
pub fn offering(made: &Made, transport: &Transport, change: Change<'_>) -> (Pair, Message) {
    let mut pair = pair(transport, &|client, server, common| {
        client.session = Some(Arc::clone(&made.client));
        change(client, server, common);
    });
    pair.client.drain();
    pair.server.drain();
    let hello = pair.client.next_message();
    (pair, hello)
}

impl End {
    /// Hands in the answer, and returns what comes of it.
    pub fn take_answer(&mut self, answer: Answer) -> Vec<String> {
        self.machine.input(Input::Answer(answer)).unwrap();
        self.drain()
    }

    pub fn find(&mut self) -> FindSession {
        match self.need.take() {
            Some(Need::FindSession(need)) => need,
            other => panic!("FindSession is due, not {other:?}"),
        }
    }

    pub fn accept(&mut self) -> AcceptSession {
        match self.need.take() {
            Some(Need::AcceptSession(need)) => need,
            other => panic!("AcceptSession is due, not {other:?}"),
        }
    }

    pub fn found(&mut self, psk: Psk) -> Vec<String> {
        let answer = self.find().found(0, psk);
        self.take_answer(answer)
    }

    pub fn none_found(&mut self) -> Vec<String> {
        let answer = self.find().none();
        self.take_answer(answer)
    }

    pub fn resume(&mut self, early_data: bool) -> Vec<String> {
        let answer = self.accept().resume(early_data);
        self.take_answer(answer)
    }

    pub fn decline(&mut self) -> Vec<String> {
        let answer = self.accept().decline();
        self.take_answer(answer)
    }
}

/// An identity on offer, its age as it should be.
pub fn identity(identity: &[u8], obfuscated_age: u32) -> SessionOffer<'_> {
    SessionOffer::PskIdentity { identity, obfuscated_age }
}

/// The hello with this offer of PSKs in place of its own. `retry`: the transcript before it, message_hash and
/// HelloRetryRequest. Each PSK: identity, age, secret.
pub fn with_psks(
    hello: &Message,
    retry: &[u8],
    hash: Hash,
    psks: &[(&[u8], u32, &Secret)],
    external: bool,
) -> Message {
    let identities: Vec<u8> = psks
        .iter()
        .flat_map(|(identity, age, _)| {
            let length = u16::try_from(identity.len()).unwrap().to_be_bytes();
            [&length[..], identity, &age.to_be_bytes()].concat()
        })
        .collect();
    let binder_len = hash.output_len();
    let empty = vec![0; (binder_len + 1) * psks.len()];
    let offer = |binders: &[u8]| {
        let vec = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        [vec(&identities), vec(binders)].concat()
    };
    let put = |binders: &[u8]| {
        edit(hello, |hello| {
            hello.remove(ExtensionType::PRE_SHARED_KEY);
            hello.set(ExtensionType::PRE_SHARED_KEY, &offer(binders));
        })
    };
    // The binders' list and its length are the last of the message.
    let template = put(&empty).bytes;
    let covered = &template[..template.len() - empty.len() - 2];
    let truncated = hash.digest_parts(&[retry, covered]);
    let binders: Vec<u8> = psks
        .iter()
        .flat_map(|(_, _, secret)| {
            let key = EarlySecret::new(hash, Some(secret)).binder_key(external).unwrap();
            let binder = finished_mac(hash, &key, &truncated).unwrap();
            [&[u8::try_from(binder_len).unwrap()], binder.as_bytes()].concat()
        })
        .collect();
    put(&binders)
}

/// The hello changed, and its only binder made anew.
pub fn rebound(hello: &Message, made: &Made, change: impl FnOnce(&mut crate::common::Hello)) -> Message {
    let (ticket, age) = offered(hello);
    let changed = edit(hello, change);
    let hash = made.session().suite.tls13().unwrap().hash;
    with_psks(&changed, &[], hash, &[(&ticket, age, &made.secret())], false)
}

/// Identity and age that a hello offers first.
pub fn offered(hello: &Message) -> (Vec<u8>, u32) {
    let parsed = ClientHello::parse(hello.body()).unwrap();
    let psks = parsed.extensions.pre_shared_key.expect("a PSK is offered");
    let first = psks.identities().next().unwrap();
    (first.identity.to_vec(), first.obfuscated_ticket_age)
}

/// Milliseconds.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
