//! T16: while a Need is out the machine stands still. Nothing is taken but the answer or an abort; what the peer sends
//! meanwhile waits outside; the answer goes on as if it had come at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod by_need;
#[path = "../common/mod.rs"]
mod common;
mod everywhere;
#[path = "../sessions/mod.rs"]
mod sessions;

use std::sync::{Arc, OnceLock};
use std::thread;

use common::short::{TLS12, TLS13};
use common::{Answers, End, Message, Pair, credential, need_name};
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::config::ClientAuth;
use oxtls_handshake::error::Error;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::need::{Answer, Need};
use oxtls_handshake::session::Psk;
use oxtls_handshake::step::{Input, Level, Misuse, Transport};
use oxtls_handshake::suite::ProtocolVersion;
use sessions::{Made, TICKET, ticket_of, tls12};

use Flow::{Full, Renewed, Resumed};

/// What kind of handshake it is. The client's certificate is asked for in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Full,
    Resumed,
    /// Resumed, and in TLS 1.2 with a new ticket in place of the old.
    Renewed,
}

/// A place where a machine stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stop {
    version: ProtocolVersion,
    flow: Flow,
    server: bool,
    need: &'static str,
    /// The level of an alert sent there (T15's table).
    level: &'static str,
}

const fn stop(server: bool, need: &'static str, level: &'static str) -> Stop {
    Stop { version: TLS13, flow: Full, server, need, level }
}

const fn stop_tls12(server: bool, need: &'static str) -> Stop {
    Stop { version: TLS12, flow: Full, server, need, level: "In" }
}

/// Where a session is on offer, all stops are at the server and come before its first key.
const fn stop_with_session(version: ProtocolVersion, flow: Flow, need: &'static str) -> Stop {
    Stop { version, flow, server: true, need, level: "In" }
}

/// Every Need of these flows, in the order in which they come.
const STOPS: &[Stop] = &[
    stop(true, "ChooseConfig", "In"),
    stop(true, "ChooseCredential", "In"),
    stop(true, "Sign", "HS"),
    stop(false, "VerifyPeer", "HS"),
    stop(false, "ChooseCredential", "HS"),
    stop(false, "Sign", "HS"),
    stop(true, "VerifyPeer", "Ap"),
    stop_tls12(true, "ChooseConfig"),
    stop_tls12(true, "ChooseCredential"),
    stop_tls12(true, "Sign"),
    stop_tls12(false, "VerifyPeer"),
    stop_tls12(false, "ChooseCredential"),
    stop_tls12(false, "Sign"),
    stop_tls12(true, "VerifyPeer"),
    stop_tls12(true, "SealTicket"),
    stop_with_session(TLS13, Resumed, "ChooseConfig"),
    stop_with_session(TLS13, Resumed, "FindSession"),
    stop_with_session(TLS13, Resumed, "AcceptSession"),
    stop_with_session(TLS12, Resumed, "ChooseConfig"),
    stop_with_session(TLS12, Resumed, "FindSession"),
    stop_with_session(TLS12, Resumed, "AcceptSession"),
    stop_with_session(TLS12, Renewed, "ChooseConfig"),
    stop_with_session(TLS12, Renewed, "FindSession"),
    stop_with_session(TLS12, Renewed, "AcceptSession"),
    stop_with_session(TLS12, Renewed, "SealTicket"),
];

/// A handshake of whose outputs none is taken.
fn pair_of(version: ProtocolVersion, flow: Flow) -> Pair {
    sessions::pair(&Transport::Stream, &|client, server, common| {
        server.client_auth = ClientAuth::Required;
        client.early_data = false;
        if version == TLS12 {
            tls12(common);
            (client.tls12_tickets, server.tls12_tickets) = (true, true);
        }
        if flow != Full {
            client.session = Some(Arc::clone(&session(version).client));
        }
    })
}

/// A handshake whose hello is on its way.
fn begun(version: ProtocolVersion, flow: Flow) -> Pair {
    let mut pair = pair_of(version, flow);
    pair.client.drain();
    pair.server.drain();
    pair
}

/// The session of a full handshake, as both ends have it; one for all.
fn session(version: ProtocolVersion) -> &'static Made {
    static MADE: [OnceLock<Made>; 2] = [OnceLock::new(), OnceLock::new()];
    MADE[usize::from(version == TLS13)].get_or_init(|| {
        let mut pair = begun(version, Full);
        let mut sealed = Vec::new();
        while step(&mut pair, |need, answers| {
            if let Need::SealTicket(need) = &need {
                sealed = need.session.to_bytes().unwrap().to_vec();
            }
            answer(need, answers, stop(true, "", ""))
        }) {}
        if version == TLS13 {
            return ticket_of(&mut pair);
        }
        let session = pair.client.done.unwrap().0.session.unwrap();
        Made { client: Arc::new(Psk::Session(session)), server: sealed }
    })
}

/// Answers one Need, or hands over one message; false: neither is there.
fn step(pair: &mut Pair, answer: impl FnOnce(Need, &Answers) -> Answer) -> bool {
    let Pair { client, server } = pair;
    for at_server in [true, false] {
        let (end, other) =
            if at_server { (&mut *server, &mut *client) } else { (&mut *client, &mut *server) };
        if let Some(need) = end.need.take() {
            end.take_answer(answer(need, &end.answers));
            return true;
        }
        if let Some(message) = other.sent.pop_front() {
            end.give(&message);
            return true;
        }
    }
    false
}

/// Runs until this Need is out; what the other end has sent waits there.
fn at(stop: Stop) -> Pair {
    let mut pair = begun(stop.version, stop.flow);
    loop {
        if stop.end(&mut pair).need.as_ref().is_some_and(|need| need_name(need) == stop.need) {
            return pair;
        }
        assert!(step(&mut pair, |need, answers| answer(need, answers, stop)), "{stop:?} is not reached");
    }
}

/// Runs from a stop to the end.
fn finish(mut pair: Pair, stop: Stop) {
    while step(&mut pair, |need, answers| answer(need, answers, stop)) {}
    assert!(pair.is_done(), "{stop:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
}

impl Stop {
    fn end(self, pair: &mut Pair) -> &mut End {
        if self.server { &mut pair.server } else { &mut pair.client }
    }
}

/// The right answer to a Need in a handshake like that of `stop`, made without the end that asked it.
fn answer(need: Need, answers: &Answers, stop: Stop) -> Answer {
    let credential = answers.credential.clone().unwrap();
    match need {
        Need::ChooseConfig(need) => need.answer(Arc::clone(&answers.config), None),
        Need::FindSession(need) => need.found(0, session(stop.version).psk()),
        Need::AcceptSession(need) if stop.flow == Renewed => need.renew(),
        Need::AcceptSession(need) => need.resume(false),
        Need::ChooseCredential(need) => {
            let scheme =
                credential.schemes.iter().copied().find(|s| need.request.schemes.contains(s)).unwrap();
            need.answer(credential, scheme)
        }
        Need::Sign(need) => {
            let signature = credential.signer.as_ref().unwrap().sign(need.scheme, &need.message).unwrap();
            need.answer(signature)
        }
        Need::VerifyPeer(need) => need.accept(),
        Need::SealTicket(need) => need.answer(Some(TICKET.to_vec())),
        other => panic!("{other:?}"),
    }
}
