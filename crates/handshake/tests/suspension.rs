//! T16: while a Need is out the machine stands still. Nothing is taken but the answer or an abort; what the peer sends
//! meanwhile waits outside; the answer goes on as if it had come at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;
use std::thread;

use common::{Answers, End, Message, Pair, client, credential, server};
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, ServerHandshake};
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::need::{Answer, Need};
use oxtls_handshake::step::{Input, Level, Misuse, Transport};
use oxtls_handshake::suite::ProtocolVersion;

/// A place where a machine stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stop {
    version: ProtocolVersion,
    server: bool,
    need: &'static str,
    /// The level of an alert sent there (T15's table).
    level: &'static str,
}

const fn stop(server: bool, need: &'static str, level: &'static str) -> Stop {
    Stop { version: ProtocolVersion::TLS1_3, server, need, level }
}

const fn stop_tls12(server: bool, need: &'static str) -> Stop {
    Stop { version: ProtocolVersion::TLS1_2, server, need, level: "In" }
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
];

fn pair() -> Pair {
    pair_of(ProtocolVersion::TLS1_3)
}

fn pair_of(version: ProtocolVersion) -> Pair {
    let common = Arc::new(Common {
        min_version: version,
        max_version: version,
        suites: defaults::SUITES_TLS12.to_vec(),
        ..Common::default()
    });
    let config = ServerHandshake {
        client_auth: ClientAuth::Required,
        common: Arc::clone(&common),
        ..ServerHandshake::default()
    };
    let answers = Answers {
        config: Arc::new(config),
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        cookie: None,
    };
    let credential = Some(credential(KeyAlgorithm::Ed25519));
    Pair {
        client: client(
            ClientHandshake { common, ..ClientHandshake::default() },
            Transport::Stream,
            credential,
        ),
        server: server(Transport::Stream, answers),
    }
}

fn name(need: &Need) -> &'static str {
    match need {
        Need::ChooseConfig(_) => "ChooseConfig",
        Need::ChooseCredential(_) => "ChooseCredential",
        Need::Sign(_) => "Sign",
        Need::VerifyPeer(_) => "VerifyPeer",
        _ => "another",
    }
}

/// Runs until this Need is out and returns the end that asked it; what the other has sent waits in the other.
fn at(stop: Stop) -> Pair {
    let mut pair = pair_of(stop.version);
    pair.client.drain();
    pair.server.drain();
    for _ in 0..64 {
        let (end, other) = if stop.server {
            (&mut pair.server, &mut pair.client)
        } else {
            (&mut pair.client, &mut pair.server)
        };
        if end.need.as_ref().is_some_and(|need| name(need) == stop.need) {
            return pair;
        }
        if end.need.is_some() {
            end.answer();
        } else if let Some(message) = other.sent.pop_front() {
            end.give(&message);
        } else if other.need.is_some() {
            other.answer();
        } else if let Some(message) = end.sent.pop_front() {
            other.give(&message);
        }
    }
    panic!("{stop:?} is not reached");
}

impl Stop {
    fn end(self, pair: &mut Pair) -> &mut End {
        if self.server { &mut pair.server } else { &mut pair.client }
    }
}

/// The right answer to a Need, made without the end that asked it.
fn answer(need: Need, answers: &Answers) -> Answer {
    let credential = answers.credential.clone().unwrap();
    match need {
        Need::ChooseConfig(need) => need.answer(Arc::clone(&answers.config), None),
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
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_taken_while_a_need_is_out_and_nothing_is_lost() {
    for &stop in STOPS {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        let any = Message::new(Level::Handshake, HandshakeType::FINISHED, &[0; 32]);
        assert_eq!(end.offer(&any, false), Err(Misuse::NeedIsOut), "{stop:?}");
        assert_eq!(
            end.machine.input(Input::ChangeCipherSpec { more: false }),
            Err(Misuse::NeedIsOut),
            "{stop:?}"
        );
        assert!(end.drain().is_empty());
        pair.run();
        assert!(pair.is_done(), "{stop:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
    }
}

#[test]
fn an_abort_fails_at_the_level_then_in_force() {
    for &stop in STOPS {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        let need = end.need.take().unwrap();
        let seen = end.abort(Error::DeadlineExceeded);
        assert_eq!(seen, [format!("Failed(user_canceled)@{}", stop.level)], "{stop:?}");
        // The answer comes too late, and harms nothing.
        let late = answer(need, &end.answers);
        assert_eq!(end.machine.input(Input::Answer(late)), Err(Misuse::Ended), "{stop:?}");
        assert!(end.drain().is_empty());
    }
}

#[test]
fn a_dropped_token_leaves_only_the_abort() {
    for &stop in STOPS {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        drop(end.need.take());
        let any = Message::new(Level::Handshake, HandshakeType::FINISHED, &[0; 32]);
        assert_eq!(end.offer(&any, false), Err(Misuse::NeedIsOut));
        assert_eq!(end.abort(Error::Canceled), [format!("Failed(user_canceled)@{}", stop.level)]);
    }
}

#[test]
fn an_answer_to_another_need_is_refused_and_the_right_one_still_taken() {
    for (i, &stop) in STOPS.iter().enumerate() {
        for &other in STOPS.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, stop)| stop) {
            let mut elsewhere = at(other);
            let theirs = other.end(&mut elsewhere);
            let stale = answer(theirs.need.take().unwrap(), &theirs.answers);
            let mut pair = at(stop);
            let end = stop.end(&mut pair);
            assert_eq!(
                end.machine.input(Input::Answer(stale)),
                Err(Misuse::StaleAnswer),
                "{other:?} at {stop:?}"
            );
        }
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        let right = answer(end.need.take().unwrap(), &end.answers);
        assert_eq!(end.machine.input(Input::Answer(right)), Ok(()));
        end.drain();
        pair.run();
        assert!(pair.is_done(), "{stop:?}");
    }
}

/// The connection that asked has gone, and an application that keeps connections by number hands its late answer to
/// the next one of that number.
#[test]
fn an_answer_for_a_connection_that_has_gone_opens_no_other_at_the_same_place() {
    for &stop in STOPS {
        let late: Vec<Answer> = (0..4)
            .map(|_| {
                let mut gone = at(stop);
                let end = stop.end(&mut gone);
                answer(end.need.take().unwrap(), &end.answers)
            })
            .collect();
        let mut pair = at(stop);
        for late in late {
            let end = stop.end(&mut pair);
            assert_eq!(end.machine.input(Input::Answer(late)), Err(Misuse::StaleAnswer), "{stop:?}");
            assert!(end.drain().is_empty() && end.need.is_some());
        }
        pair.run();
        assert!(pair.is_done(), "{stop:?}");
    }
}

#[test]
fn tokens_and_answers_travel_to_other_threads() {
    for version in [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3] {
        travel_to_other_threads(version);
    }
}

fn travel_to_other_threads(version: ProtocolVersion) {
    let mut pair = pair_of(version);
    pair.client.drain();
    pair.server.drain();
    let mut asked = Vec::new();
    for _ in 0..64 {
        for server in [true, false] {
            let (end, other) = if server {
                (&mut pair.server, &mut pair.client)
            } else {
                (&mut pair.client, &mut pair.server)
            };
            if let Some(need) = end.need.take() {
                asked.push(name(&need));
                let answers = end.answers.clone();
                let answer = thread::spawn(move || answer(need, &answers)).join().unwrap();
                end.machine.input(Input::Answer(answer)).unwrap();
                end.drain();
            } else if let Some(message) = other.sent.pop_front() {
                end.give(&message);
            }
        }
    }
    assert!(pair.is_done());
    let stops = STOPS.iter().filter(|stop| stop.version == version);
    assert_eq!(asked, stops.map(|stop| stop.need).collect::<Vec<_>>());
}

/// I2: the queue is drained before anything else is taken.
#[test]
fn outputs_are_taken_before_inputs() {
    let mut pair = pair();
    let any = Message::new(Level::Initial, HandshakeType::CLIENT_HELLO, &[]);
    for end in [&mut pair.client, &mut pair.server] {
        assert_eq!(end.offer(&any, false), Err(Misuse::OutputsWait));
        assert_eq!(end.machine.input(Input::Abort(Error::Canceled)), Err(Misuse::OutputsWait));
    }
    pair.run();
    assert!(pair.is_done());
}

/// The read mode of what follows a hello is part of the answer: opened before it, a ChangeCipherSpec or early data
/// would be judged by the mode that is right before a hello.
#[test]
fn how_to_read_on_is_said_by_the_answer() {
    let mut pair = pair();
    pair.client.drain();
    pair.server.drain();
    assert_eq!(pair.server.give(&pair.client.next_message()), ["?ChooseConfig"]);
    assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
    assert!(pair.server.answer().contains(&"R(drop,no,pa)".to_owned()));
}

/// Sign at a server: what can go out goes out while the signature is being made.
#[test]
fn a_slow_signature_does_not_hold_back_what_needs_none() {
    let mut pair = at(stop(true, "Sign", "HS"));
    let sent: Vec<String> = pair.server.sent.iter().map(Message::name).collect();
    assert_eq!(sent, ["ServerHello", "EncryptedExtensions", "CertificateRequest", "Certificate"]);
    pair.client.give(&pair.server.next_message());
    assert!(pair.client.failure.is_none());
}

/// VerifyPeer at a client: the Finished behind it waits, and nothing of the server's application data can be opened,
/// since its key comes with Done.
#[test]
fn nothing_can_be_read_from_a_server_that_is_not_yet_accepted() {
    let mut pair = at(stop(false, "VerifyPeer", "HS"));
    assert!(pair.client.keys.iter().all(|key| key.level == Level::Handshake));
    let finished = pair.server.next_message();
    assert_eq!(pair.client.offer(&finished, false), Err(Misuse::NeedIsOut));
    assert!(pair.client.answer().is_empty());
    assert_eq!(pair.client.give(&finished), ["?ChooseCredential"]);
}

/// ChooseCredential at a client: no application key either way until everything is answered.
#[test]
fn a_client_that_is_asked_for_a_certificate_is_not_done_before_its_answer() {
    for need in ["ChooseCredential", "Sign"] {
        let pair = at(stop(false, need, "HS"));
        assert!(pair.client.done.is_none());
        assert!(pair.client.keys.iter().all(|key| key.level == Level::Handshake));
    }
}

/// An answer that no peer could take is the fault of whoever answers.
#[test]
fn a_credential_that_the_peer_did_not_ask_for_is_refused() {
    for &stop in STOPS.iter().filter(|stop| stop.need == "ChooseCredential") {
        for scheme in [SignatureScheme::ED25519, SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme(0xfefe)] {
            let mut pair = at(stop);
            let end = stop.end(&mut pair);
            let Some(Need::ChooseCredential(need)) = end.need.take() else { panic!("{stop:?}") };
            let credential = credential(KeyAlgorithm::EcdsaP384);
            end.machine.input(Input::Answer(need.answer(credential, scheme))).unwrap();
            assert_eq!(end.drain(), [format!("Failed(internal_error)@{}", stop.level)], "{stop:?} {scheme}");
        }
    }
}

#[test]
fn no_credential_is_an_alert_of_a_server() {
    let mut pair = at(stop(true, "ChooseCredential", "In"));
    pair.server.answers.credential = None;
    assert_eq!(pair.server.answer(), ["Failed(handshake_failure)@In"]);
    assert!(matches!(pair.server.error(), Error::NoCommonSignatureScheme { peer } if !peer.is_empty()));
}

#[test]
fn an_empty_signature_is_not_sent() {
    for &stop in STOPS.iter().filter(|stop| stop.need == "Sign") {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        let Some(Need::Sign(need)) = end.need.take() else { panic!("{stop:?}") };
        end.machine.input(Input::Answer(need.answer(Vec::new()))).unwrap();
        assert_eq!(end.drain(), [format!("Failed(internal_error)@{}", stop.level)]);
    }
}

/// TLS 1.2: what arrives while the client's certificate is judged is a ChangeCipherSpec, and waits like a message.
#[test]
fn a_change_of_key_waits_for_the_verdict() {
    let mut pair = at(stop_tls12(true, "VerifyPeer"));
    // Without its certificate the client would be done: no key of it is in use before the verdict.
    assert!(pair.server.keys.is_empty());
    while pair.client.need.is_some() {
        pair.client.answer();
    }
    let waiting: Vec<String> = pair.client.sent.iter().map(Message::name).collect();
    assert_eq!(waiting, ["ChangeCipherSpec", "Finished"]);
    let change = pair.client.next_message();
    assert_eq!(pair.server.offer(&change, false), Err(Misuse::NeedIsOut));
    pair.server.answer();
    assert_eq!(pair.server.give(&change), ["R:Ap", "R(del,no)"]);
}
