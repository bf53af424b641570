//! A hostile peer against every state of both machines: each message type where it does not belong, the message that
//! is due cut short at each byte, too long, repeated, at the wrong level, with bytes behind it, with bytes changed.
//! Each ends in the RFC's alert and an error that blames the peer; nothing is accepted in silence.
//!
//! States are reached by honest handshakes, driven up to the message before.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::{Arc, OnceLock};

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::step::{Input, Level, Misuse, Transport};

use common::short::{DE, IP, UM};
use common::{Answers, End, Message, Pair, client, credential, server};

/// A kind of handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// ServerHello at once, no client certificate.
    Plain,
    /// HelloRetryRequest with a cookie, a client certificate required.
    Full,
}

/// Who is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

/// A state: the machine of `role` in `flow` that waits for the message of this index of those that it gets.
#[derive(Clone, Copy, Debug)]
struct State {
    flow: Flow,
    role: Role,
    index: usize,
}

/// The messages that each role gets, in their order.
fn due(flow: Flow, role: Role) -> &'static [&'static str] {
    match (flow, role) {
        (Flow::Plain, Role::Client) => {
            &["ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished"]
        }
        (Flow::Plain, Role::Server) => &["ClientHello", "Finished"],
        (Flow::Full, Role::Client) => &[
            "HelloRetryRequest",
            "ServerHello",
            "EncryptedExtensions",
            "CertificateRequest",
            "Certificate",
            "CertificateVerify",
            "Finished",
        ],
        (Flow::Full, Role::Server) => {
            &["ClientHello", "ClientHello", "Certificate", "CertificateVerify", "Finished"]
        }
    }
}

/// All states that wait for a message.
fn states() -> Vec<State> {
    let mut states = Vec::new();
    for flow in [Flow::Plain, Flow::Full] {
        for role in [Role::Client, Role::Server] {
            states.extend((0..due(flow, role).len()).map(|index| State { flow, role, index }));
        }
    }
    states
}

fn shared_credential() -> Arc<Credential> {
    static CREDENTIAL: OnceLock<Arc<Credential>> = OnceLock::new();
    Arc::clone(CREDENTIAL.get_or_init(|| credential(KeyAlgorithm::EcdsaP256)))
}

/// Two fresh ends.
fn pair(flow: Flow) -> Pair {
    let (x25519, p256) = (NamedGroup::X25519, NamedGroup::SECP256R1);
    let common = |groups: Vec<NamedGroup>| {
        Arc::new(Common { groups, alpn: vec![b"h2".to_vec()], ..Common::default() })
    };
    let full = flow == Flow::Full;
    let config = ClientHandshake {
        common: common(vec![x25519, p256]),
        server_name: Some("server.example".to_owned()),
        ..ClientHandshake::default()
    };
    let answers = Answers {
        config: Arc::new(ServerHandshake {
            common: common(if full { vec![p256] } else { vec![x25519, p256] }),
            client_auth: if full { ClientAuth::Required } else { ClientAuth::None },
            ..ServerHandshake::default()
        }),
        cookie: full.then(|| b"cookie".to_vec()),
        credential: Some(shared_credential()),
    };
    Pair {
        client: client(config, Transport::Stream, Some(shared_credential())),
        server: server(Transport::Stream, answers),
    }
}

/// A machine in a state.
struct Reached {
    pair: Pair,
    role: Role,
    /// The honest message that is due.
    next: Message,
    /// What it got before.
    before: Vec<Message>,
}

impl Reached {
    fn end(&mut self) -> &mut End {
        match self.role {
            Role::Client => &mut self.pair.client,
            Role::Server => &mut self.pair.server,
        }
    }
}

/// Drives an honest handshake up to a state.
fn reach(State { flow, role, index }: State) -> Reached {
    let mut pair = pair(flow);
    pair.client.settle();
    pair.server.settle();
    let mut before = Vec::new();
    loop {
        let (to, message) = match pair.client.sent.pop_front() {
            Some(message) => (Role::Server, message),
            None => (Role::Client, pair.server.next_message()),
        };
        if to == role && before.len() == index {
            assert_eq!(message.name(), due(flow, role)[index]);
            return Reached { pair, role, next: message, before };
        }
        let end = match to {
            Role::Client => &mut pair.client,
            Role::Server => &mut pair.server,
        };
        end.give(&message);
        end.settle();
        if to == role {
            before.push(message);
        }
    }
}

/// A message of every type there is, TLS 1.2's and unknown ones included, with contents as honest as can be.
fn every_type() -> Vec<(HandshakeType, Vec<u8>)> {
    let mut types: Vec<(HandshakeType, Vec<u8>)> = vec![
        (HandshakeType::HELLO_REQUEST, vec![]),
        (HandshakeType::NEW_SESSION_TICKET, [&[0, 0, 0, 9, 0, 0, 0, 0, 1, 7, 0, 1, 7], &[0, 0][..]].concat()),
        (HandshakeType::END_OF_EARLY_DATA, vec![]),
        (HandshakeType::SERVER_KEY_EXCHANGE, vec![3, 0, 0x1d, 0]),
        (HandshakeType::SERVER_HELLO_DONE, vec![]),
        (HandshakeType::CLIENT_KEY_EXCHANGE, vec![1, 0]),
        (HandshakeType::CERTIFICATE_STATUS, vec![1, 0, 0, 1, 0]),
        (HandshakeType::KEY_UPDATE, vec![0]),
        (HandshakeType::COMPRESSED_CERTIFICATE, vec![0, 1, 0, 0, 9, 0, 0, 1, 0]),
        (HandshakeType::MESSAGE_HASH, vec![0; 32]),
        (HandshakeType(3), vec![0xfe, 0xfd, 0]),
        (HandshakeType(99), vec![]),
        (HandshakeType(255), vec![0; 300]),
    ];
    for (flow, role) in [(Flow::Full, Role::Client), (Flow::Full, Role::Server)] {
        for index in 0..due(flow, role).len() {
            let next = reach(State { flow, role, index }).next;
            types.push((next.typ(), next.body().to_vec()));
        }
    }
    types
}

/// Whether a state takes messages of this type.
fn is_due(state: State, typ: HandshakeType) -> bool {
    let after_extensions = state.role == Role::Client
        && due(state.flow, state.role)[state.index - usize::from(state.index > 0)] == "EncryptedExtensions"
        && state.index > 0;
    if after_extensions {
        return typ == HandshakeType::CERTIFICATE || typ == HandshakeType::CERTIFICATE_REQUEST;
    }
    let name = due(state.flow, state.role)[state.index];
    typ.to_string() == name || (name == "HelloRetryRequest" && typ == HandshakeType::SERVER_HELLO)
}

/// The level of an alert in this state.
fn alert_level(state: State) -> Level {
    match (state.role, due(state.flow, state.role)[state.index]) {
        (_, "ClientHello" | "HelloRetryRequest" | "ServerHello") => Level::Initial,
        (Role::Client, _) => Level::Handshake,
        (Role::Server, _) => Level::Application,
    }
}

/// Asserts that the machine ended with one of these alerts, at the level of its state, the peer to blame.
#[track_caller]
fn ended(state: State, end: &mut End, row: &[String], alerts: &[AlertDescription], what: &str) {
    let failure = end.failure.as_ref().unwrap_or_else(|| panic!("{state:?}, {what}: not refused: {row:?}"));
    assert!(alerts.contains(&failure.alert), "{state:?}, {what}: {failure:?}");
    let fault = failure.error.fault();
    assert!(matches!(fault, Fault::Peer | Fault::Incompatible), "{state:?}, {what}: {failure:?}");
    assert_eq!(end.write_level, alert_level(state), "{state:?}, {what}");
    assert_eq!(row.len(), 1, "{state:?}, {what}: {row:?}");
    let message = Message::new(Level::Initial, HandshakeType::CLIENT_HELLO, &[]);
    assert_eq!(end.offer(&message, false), Err(Misuse::Ended), "{state:?}, {what}");
    assert!(end.drain().is_empty());
}

#[test]
fn a_message_that_is_not_due_is_refused_in_every_state() {
    let types = every_type();
    for state in states() {
        for (typ, body) in types.iter().filter(|(typ, _)| !is_due(state, *typ)) {
            for more in [false, true] {
                let mut reached = reach(state);
                let message = Message::new(reached.next.level, *typ, body);
                let row = reached.end().give_with(&message, more);
                ended(state, reached.end(), &row, &[UM], &typ.to_string());
                let error = reached.end().error();
                assert!(
                    matches!(error, Error::UnexpectedMessage { received, .. } if received == typ),
                    "{state:?}: {error}"
                );
            }
        }
    }
}

#[test]
fn the_message_before_is_refused_when_it_is_repeated() {
    for state in states().into_iter().filter(|state| state.index > 0) {
        let mut reached = reach(state);
        let mut message = reached.before.last().unwrap().clone();
        message.level = reached.next.level;
        let name = message.name();
        let row = reached.end().give(&message);
        // The second hello is due there, and the first one again breaks its rules.
        let again =
            state.role == Role::Server && name == "ClientHello" && alert_level(state) == Level::Initial;
        let alerts: &[_] = if again { &[AlertDescription::MISSING_EXTENSION, IP] } else { &[UM] };
        ended(state, reached.end(), &row, alerts, &format!("{name} again"));
    }
}

#[test]
fn a_message_that_is_cut_short_cannot_be_decoded() {
    for state in states() {
        let honest = reach(state).next;
        for cut in 0..honest.body().len() {
            let mut reached = reach(state);
            let message =
                reached.next.with_body(&reached.next.body()[..cut.min(reached.next.body().len() - 1)]);
            let mut row = reached.end().give(&message);
            if row == ["?ChooseConfig"] {
                row = reached.end().answer();
            }
            let alerts: &[_] = if ends_before_extensions(&message) {
                // A hello of an older version may end here. It is one then, or not what the retry asked for.
                &[AlertDescription::PROTOCOL_VERSION, IP, DE]
            } else {
                &[alert_for_wrong_length(&message)]
            };
            ended(state, reached.end(), &row, alerts, &format!("{} cut to {cut} bytes", message.name()));
        }
    }
}

/// A Finished of another length is one that does not verify; everything else can't be decoded.
fn alert_for_wrong_length(message: &Message) -> AlertDescription {
    if message.typ() == HandshakeType::FINISHED { AlertDescription::DECRYPT_ERROR } else { DE }
}

/// A ClientHello or ServerHello without a block of extensions.
fn ends_before_extensions(message: &Message) -> bool {
    let body = message.body();
    let Some(session_id) = body.get(34).map(|&n| usize::from(n)) else { return false };
    let suites = 35 + session_id;
    match message.name().as_str() {
        "ServerHello" => body.len() == suites + 3,
        "ClientHello" => {
            let Some(length) = body.get(suites..suites + 2) else { return false };
            let compression = suites + 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            body.get(compression).is_some_and(|&n| body.len() == compression + 1 + usize::from(n))
        }
        _ => false,
    }
}

#[test]
fn a_message_with_a_byte_too_many_cannot_be_decoded() {
    for state in states() {
        let mut reached = reach(state);
        let longer = [reached.next.body(), &[0]].concat();
        let message = reached.next.with_body(&longer);
        let row = reached.end().give(&message);
        let due = alert_for_wrong_length(&message);
        ended(state, reached.end(), &row, &[due], &format!("{} and a byte", message.name()));
    }
}

#[test]
fn a_message_over_the_limit_is_refused_whatever_it_is() {
    for state in states() {
        let limit = match (state.role, alert_level(state)) {
            (Role::Server, Level::Initial) => defaults::MAX_CLIENT_HELLO,
            // Nothing but Finished is due at a server that asks for no certificate.
            (Role::Server, _) if state.flow == Flow::Plain => defaults::MAX_SHORT_MESSAGE,
            _ => defaults::MAX_MESSAGE,
        };
        let mode = reach(state).end().read_mode.unwrap();
        assert_eq!(mode.max_message, limit, "{state:?}: the record layer is told of the same limit");
        let body = vec![0; usize::try_from(limit).unwrap() - 3];
        for typ in [None, Some(HandshakeType(99))] {
            let mut reached = reach(state);
            let typ = typ.unwrap_or(reached.next.typ());
            let message = Message::new(reached.next.level, typ, &body);
            let row = reached.end().give(&message);
            ended(state, reached.end(), &row, &[IP], "a message over the limit");
        }
    }
}

#[test]
fn little_is_held_for_a_peer_once_the_handshake_is_done() {
    for flow in [Flow::Plain, Flow::Full] {
        let mut pair = pair(flow);
        pair.run();
        assert!(pair.is_done());
        let limit = |end: &End| end.read_mode.unwrap().max_message;
        assert_eq!(limit(&pair.server), defaults::MAX_SHORT_MESSAGE);
        assert_eq!(limit(&pair.client), defaults::MAX_TICKET_MESSAGE);
    }
}

#[test]
fn bytes_behind_a_message_that_ends_its_record_are_refused() {
    for state in states() {
        let mut reached = reach(state);
        let message = reached.next.clone();
        let row = reached.end().give_with(&message, true);
        match message.name().as_str() {
            "ClientHello" | "HelloRetryRequest" | "ServerHello" | "Finished" => {
                ended(state, reached.end(), &row, &[UM], "bytes behind it");
                assert!(matches!(reached.end().error(), Error::ExcessHandshakeData { .. }));
            }
            _ => assert!(reached.end().failure.is_none(), "{state:?}: {row:?}"),
        }
    }
}

#[test]
fn a_message_at_the_wrong_level_is_refused() {
    let levels = [Level::Initial, Level::Early, Level::Handshake, Level::Application];
    for state in states() {
        for level in levels {
            let mut reached = reach(state);
            if level == reached.next.level {
                continue;
            }
            let message = Message { level, ..reached.next.clone() };
            let row = reached.end().give(&message);
            ended(state, reached.end(), &row, &[UM], &format!("{level:?}"));
            assert!(matches!(reached.end().error(), Error::WrongLevel { .. }));
        }
    }
}

#[test]
fn a_delivered_change_cipher_spec_is_refused() {
    for state in states() {
        for more in [false, true] {
            let mut reached = reach(state);
            reached.end().machine.input(Input::ChangeCipherSpec { more }).unwrap();
            let row = reached.end().drain();
            ended(state, reached.end(), &row, &[UM], "ChangeCipherSpec");
        }
    }
}

#[test]
fn bytes_that_are_not_one_message_are_misuse_and_change_nothing() {
    for state in states() {
        let mut reached = reach(state);
        let next = reached.next.clone();
        let longer = [&next.bytes[..], &[0]].concat();
        for bytes in [&[][..], &next.bytes[..3], &next.bytes[..next.bytes.len() - 1], &longer] {
            let message = Message { level: next.level, bytes: bytes.to_vec() };
            assert_eq!(reached.end().offer(&message, false), Err(Misuse::NotOneMessage));
        }
        reached.end().give(&next);
        reached.end().settle();
        reached.pair.run();
        assert!(reached.pair.is_done(), "{state:?}");
    }
}

#[test]
fn nothing_is_taken_while_a_need_is_out_and_it_changes_nothing() {
    for flow in [Flow::Plain, Flow::Full] {
        let mut pair = pair(flow);
        pair.client.drain();
        pair.server.drain();
        let mut needs = 0;
        let junk = Message::new(Level::Initial, HandshakeType::HELLO_REQUEST, &[]);
        loop {
            for end in [&mut pair.client, &mut pair.server] {
                while end.need.is_some() {
                    needs += 1;
                    assert_eq!(end.offer(&junk, false), Err(Misuse::NeedIsOut));
                    let spec = Input::ChangeCipherSpec { more: false };
                    assert_eq!(end.machine.input(spec), Err(Misuse::NeedIsOut));
                    end.answer();
                }
            }
            let (end, message) = if let Some(message) = pair.client.sent.pop_front() {
                (&mut pair.server, message)
            } else if let Some(message) = pair.server.sent.pop_front() {
                (&mut pair.client, message)
            } else {
                break;
            };
            end.give(&message);
        }
        assert!(pair.is_done());
        // ChooseConfig, ChooseCredential, Sign; VerifyPeer; with client authentication the same three again.
        assert_eq!(needs, if flow == Flow::Full { 7 } else { 4 });
    }
}

/// Changes one message of a handshake and runs it to its end: whoever got it must not be done.
#[track_caller]
fn survives(state: State, change: impl FnOnce(&mut Vec<u8>), what: &str) {
    let mut reached = reach(state);
    let mut body = reached.next.body().to_vec();
    change(&mut body);
    if body == reached.next.body() {
        return;
    }
    let message = reached.next.with_body(&body);
    reached.end().offer(&message, false).unwrap();
    reached.end().settle();
    reached.pair.run();
    let end = reached.end();
    assert!(end.done.is_none(), "{state:?}, {what}: accepted in silence");
    for end in [&reached.pair.client, &reached.pair.server] {
        if let Some(failure) = &end.failure {
            let fault = failure.error.fault();
            assert!(matches!(fault, Fault::Peer | Fault::Incompatible), "{state:?}, {what}: {failure:?}");
        }
    }
}

#[test]
fn a_changed_byte_anywhere_is_never_accepted() {
    for state in states() {
        for at in 0..reach(state).next.body().len() {
            let mask = [0x01, 0x80, 0xff, 0x10][at % 4];
            let change = |body: &mut Vec<u8>| {
                // ECDSA signatures differ in length from one handshake to the next.
                if let Some(byte) = body.get_mut(at) {
                    *byte ^= mask;
                }
            };
            survives(state, change, &format!("byte {at} changed by {mask:#x}"));
        }
    }
}
