//! A hostile server against a client that offers a session, in every state of a resumed handshake: each message type
//! where it does not belong, the message that is due cut short at each byte, too long, repeated, at the wrong level, with
//! bytes behind it, with bits changed. Each ends in the RFC's alert at the right level, and nothing is accepted in silence.
//!
//! The hellos are recorded ones, so that one flight of the server, made of messages alone, does for all attacks on it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use common::scripted::{Flight, FlightTls12, NAME, Script, ScriptTls12, retry, session, session_tls12};
use common::short::UM;
use common::{End, Message, client};
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::config::{ClientHandshake, Common, Randomness, Recorded};
use oxtls_handshake::defaults;
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Input, Level, Misuse, Transport};
use oxtls_handshake::suite::ProtocolVersion;

/// A kind of resumed handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// TLS 1.3 without early data.
    Resumed,
    /// With early data, accepted.
    Early,
    /// Refused.
    EarlyRefused,
    /// Refused by a HelloRetryRequest, the session resumed all the same.
    EarlyRetried,
    /// TLS 1.2 by session ID.
    ById,
    /// By ticket, which the server renews.
    Renewed,
}

const FLOWS: [Flow; 6] =
    [Flow::Resumed, Flow::Early, Flow::EarlyRefused, Flow::EarlyRetried, Flow::ById, Flow::Renewed];

impl Flow {
    const fn tls12(self) -> bool {
        matches!(self, Self::ById | Self::Renewed)
    }

    fn session(self) -> Session {
        match self {
            Self::ById => session_tls12(b"the session's ID", b""),
            Self::Renewed => session_tls12(b"", b"the ticket"),
            _ => session(),
        }
    }

    /// The level of our alerts while the message of this index is due.
    fn level(self, index: usize) -> &'static str {
        match (self, index) {
            (Self::Early, _) | (Self::EarlyRefused, 0 | 1) | (Self::EarlyRetried, 0) => "Ea",
            (Self::Resumed | Self::EarlyRefused, 1 | 2) | (Self::EarlyRetried, 2 | 3) => "HS",
            _ => "In",
        }
    }

    /// A client of this flow that has sent its hello, always the same one.
    fn client(self) -> End {
        let mut key = [7; 32];
        key[31] = 0x40;
        let version = if self.tls12() { ProtocolVersion::TLS1_2 } else { ProtocolVersion::TLS1_3 };
        let common = Common {
            min_version: version,
            max_version: version,
            suites: defaults::SUITES_TLS12.to_vec(),
            groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
            alpn: vec![b"h2".to_vec()],
            record_size_limit: Some(4096),
            randomness: Randomness::Recorded(Recorded {
                random: [1; 32],
                session_id: vec![2; 32],
                private_keys: vec![(NamedGroup::X25519, key.to_vec())],
            }),
            ..Common::default()
        };
        let config = ClientHandshake {
            common: Arc::new(common),
            server_name: Some(NAME.to_owned()),
            resumption: true,
            session: Some(Arc::new(Psk::Session(Box::new(self.session())))),
            early_data: matches!(self, Self::Early | Self::EarlyRefused | Self::EarlyRetried),
            tls12_tickets: true,
            ..ClientHandshake::default()
        };
        let mut end = client(config, Transport::Stream, None);
        end.drain();
        end
    }

    /// What an honest server sends.
    fn flight(self) -> Vec<Message> {
        let mut end = self.client();
        let hello = end.next_message();
        let session = self.session();
        match self {
            Self::ById => FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session)).messages(),
            Self::Renewed => {
                FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 9, b"the next")).messages()
            }
            Self::EarlyRetried => {
                let request = retry(&hello, session.suite, None, Some(b"cookie"));
                end.give(&request);
                let hellos = [hello, request.clone(), end.next_message()];
                let flight = Flight::new(&hellos, &Script::resume(&session, false));
                [&request].into_iter().chain(flight.messages()).cloned().collect()
            }
            _ => {
                let script = Script::resume(&session, self == Self::Early);
                Flight::new(&[hello], &script).messages().map(Message::clone).to_vec()
            }
        }
    }

    /// A client that has got so many messages of this flight.
    fn reach(self, flight: &[Message], index: usize) -> End {
        let mut end = self.client();
        end.sent.clear();
        for message in &flight[..index] {
            let row = end.give(message);
            assert!(end.failure.is_none(), "{self:?}: {} {row:?} {:?}", message.name(), end.failure);
            assert!(!row.iter().any(|output| output.starts_with('?')), "nothing is asked in a resumption");
        }
        end.sent.clear();
        end
    }
}

/// Calls `attack` for every state: the flow, its flight, and the index of the message that is due.
fn for_every_state(mut attack: impl FnMut(Flow, &[Message], usize)) {
    for flow in FLOWS {
        let flight = flow.flight();
        for index in 0..flight.len() {
            attack(flow, &flight, index);
        }
        assert!(flow.reach(&flight, flight.len()).done.is_some(), "{flow:?} is honest");
    }
}

/// The end has failed in this way, blames the server, and is over.
#[track_caller]
fn refused(end: &End, row: &[String], alert: AlertDescription, level: &str, what: &str) {
    assert_eq!(row.last(), Some(&format!("Failed({alert})@{level}")), "{what}: {:?}", end.failure);
    assert_eq!(end.error().fault(), Fault::Peer, "{what}");
    assert!(end.done.is_none() && end.sent.is_empty(), "{what}");
}

/// A message of every type, with contents that some parser takes.
fn every_type() -> Vec<(HandshakeType, Vec<u8>)> {
    let mut types: Vec<_> = (0..=255).map(|typ| (HandshakeType(typ), vec![0; 12])).collect();
    for flow in FLOWS {
        for message in flow.flight() {
            if message != Message::change_cipher_spec() {
                types.push((message.typ(), message.body().to_vec()));
            }
        }
    }
    types
}

#[test]
fn a_message_that_is_not_due_is_unexpected() {
    let types = every_type();
    for_every_state(|flow, flight, index| {
        let due = &flight[index];
        for (typ, body) in &types {
            // A client of TLS 1.2 passes over requests to renegotiate.
            let ignored = flow.tls12() && *typ == HandshakeType::HELLO_REQUEST;
            if (*due != Message::change_cipher_spec() && due.typ_is(*typ)) || ignored {
                continue;
            }
            let mut end = flow.reach(flight, index);
            let row = end.give(&Message::new(due.level, *typ, body));
            refused(&end, &row, UM, flow.level(index), &format!("{flow:?} {index}: {typ}"));
        }
    });
}

#[test]
fn a_change_cipher_spec_that_is_not_due_is_unexpected() {
    for_every_state(|flow, flight, index| {
        let due = flight[index] == Message::change_cipher_spec();
        for more in [false, true] {
            let mut end = flow.reach(flight, index);
            end.machine.input(Input::ChangeCipherSpec { more }).unwrap();
            let row = end.drain();
            if due && !more {
                assert_eq!(row, ["R:Ap", "R(del,no)"]);
            } else {
                refused(&end, &row, UM, flow.level(index), &format!("{flow:?} {index}, more: {more}"));
            }
        }
    });
}

#[test]
fn a_message_cut_short_or_longer_is_refused() {
    for_every_state(|flow, flight, index| {
        let due = &flight[index];
        if *due == Message::change_cipher_spec() {
            return;
        }
        let cuts = (0..due.body().len()).map(|length| due.body()[..length].to_vec());
        let longer = [[due.body(), &[0]].concat(), [due.body(), &[0; 40]].concat()];
        for body in cuts.chain(longer) {
            let mut end = flow.reach(flight, index);
            let message = due.with_body(&body);
            end.give(&message);
            let what = format!("{flow:?}: {} of {} bytes", due.name(), body.len());
            // An older ServerHello may end early, and is refused for what it is then.
            let failure = end.failure.as_ref().unwrap_or_else(|| panic!("{what}"));
            assert_ne!(failure.error.fault(), Fault::Internal, "{what}");
            assert!(end.done.is_none(), "{what}");
        }
    });
}

#[test]
fn a_message_comes_at_its_level_alone() {
    for_every_state(|flow, flight, index| {
        let due = &flight[index];
        if *due == Message::change_cipher_spec() {
            return;
        }
        for level in [Level::Initial, Level::Early, Level::Handshake, Level::Application] {
            if level == due.level {
                continue;
            }
            let mut end = flow.reach(flight, index);
            let row = end.give(&Message { level, bytes: due.bytes.clone() });
            refused(&end, &row, UM, flow.level(index), &format!("{flow:?}: {} at {level:?}", due.name()));
        }
    });
}

#[test]
fn nothing_follows_a_message_that_changes_a_key_or_ends_the_flight() {
    for_every_state(|flow, flight, index| {
        let due = &flight[index];
        if *due == Message::change_cipher_spec() {
            return;
        }
        let hello = due.typ_is(HandshakeType::SERVER_HELLO) && !flow.tls12();
        let mut end = flow.reach(flight, index);
        let row = end.give_with(due, true);
        if hello || due.typ_is(HandshakeType::FINISHED) {
            refused(&end, &row, UM, flow.level(index), &format!("{flow:?}: {}", due.name()));
        } else {
            assert!(end.failure.is_none(), "{flow:?}: {}", due.name());
        }
    });
}

#[test]
fn a_message_that_comes_twice_is_refused() {
    for_every_state(|flow, flight, index| {
        let mut end = flow.reach(flight, index + 1);
        let before = &flight[index];
        if end.done.is_some() {
            assert_eq!(end.offer(before, false), Err(Misuse::Ended));
            return;
        }
        let row = end.give(before);
        refused(&end, &row, UM, flow.level(index + 1), &format!("{flow:?}: {} twice", before.name()));
    });
}

#[test]
fn an_abort_fails_at_the_level_then_in_force() {
    for_every_state(|flow, flight, index| {
        let mut end = flow.reach(flight, index);
        let row = end.abort(Error::DeadlineExceeded);
        assert_eq!(row, [format!("Failed(user_canceled)@{}", flow.level(index))], "{flow:?} {index}");
    });
}

/// Every bit of every message: whatever is changed, the handshake does not complete, since the server's Finished covers
/// it. The alert is never one that blames ourselves.
#[test]
fn no_bit_of_a_flight_can_be_changed() {
    let mut mutants = 0;
    for_every_state(|flow, flight, index| {
        let due = &flight[index];
        if *due == Message::change_cipher_spec() {
            return;
        }
        for at in 4..due.bytes.len() {
            for bit in 0..8 {
                let mut changed = due.clone();
                changed.bytes[at] ^= 1 << bit;
                let mut end = flow.reach(flight, index);
                end.give(&changed);
                for message in &flight[index + 1..] {
                    if end.failure.is_some() || end.offer(message, false).is_err() {
                        break;
                    }
                    end.drain();
                }
                let what = format!("{flow:?}: bit {bit} of byte {at} of {}", due.name());
                assert!(end.done.is_none(), "{what}");
                if let Some(failure) = &end.failure {
                    assert_ne!(failure.error.fault(), Fault::Internal, "{what}: {}", failure.error);
                }
                mutants += 1;
            }
        }
    });
    assert!(mutants > 7000, "{mutants}");
}
