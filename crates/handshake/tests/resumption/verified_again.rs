//! `verify_resumed`: the question of a full handshake, about the session's certificates.

use super::*;
use oxtls_handshake::need::VerifyPeer;

/// Where the question is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Tls13,
    EarlyDataTaken,
    EarlyDataRefused,
    ById,
    ByTicket,
}

/// With the level of an alert there.
const STOPS: [(Stop, &str); 5] = [
    (Stop::Tls13, "HS"),
    (Stop::EarlyDataTaken, "Ea"),
    (Stop::EarlyDataRefused, "HS"),
    (Stop::ById, "In"),
    (Stop::ByTicket, "In"),
];

impl Stop {
    fn session(self) -> Session {
        match self {
            Self::Tls13 | Self::EarlyDataTaken | Self::EarlyDataRefused => session(),
            Self::ById => session_tls12(b"the session's ID", b""),
            Self::ByTicket => session_tls12(b"", b"the ticket"),
        }
    }

    /// A client that has asked, what came of the message that it asks behind, and the rest of the server's flight.
    fn at(self) -> (End, Vec<String>, Vec<Message>) {
        let early_data = matches!(self, Self::EarlyDataTaken | Self::EarlyDataRefused);
        let (mut end, hello) = offering(self.session(), |config, _| {
            config.verify_resumed = true;
            config.early_data = early_data;
        });
        let session = self.session();
        let (row, rest) = if session.version == TLS12 {
            let flight = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session));
            let mut rest = flight.messages();
            let hello = rest.remove(0);
            (end.give_with(&hello, true), rest)
        } else {
            let script = Script::resume(&session, self == Self::EarlyDataTaken);
            let flight = Flight::new(core::slice::from_ref(&hello), &script);
            end.give(&flight.server_hello);
            (end.give(&flight.encrypted_extensions), vec![flight.finished])
        };
        (end, row, rest)
    }
}

fn asked(end: &mut End) -> VerifyPeer {
    match end.need.take() {
        Some(Need::VerifyPeer(token)) => token,
        other => panic!("VerifyPeer is due, not {other:?}"),
    }
}

fn revoked() -> Error {
    let (alert, cause) = (AlertDescription::CERTIFICATE_REVOKED, "it was revoked".into());
    Error::Refused { alert, fault: Fault::Peer, cause }
}

#[test]
fn the_sessions_server_is_asked_about_before_anything_of_ours_follows() {
    for (stop, _) in STOPS {
        let (mut end, row, rest) = stop.at();
        assert_eq!(row.last().map(String::as_str), Some("?VerifyPeer"), "{stop:?} {row:?}");
        assert!(end.sent.is_empty(), "{stop:?}: {:?}", end.sent);
        let token = asked(&mut end);
        assert!(token.resumed);
        assert_eq!(Some(&token.peer), stop.session().peer.as_ref());
        // The server does not wait: what it sends stays outside until the answer.
        let refused = end.offer(&rest[0], false);
        assert_eq!(refused, Err(Misuse::NeedIsOut), "{stop:?}");
        end.machine.input(Input::Answer(token.accept())).unwrap();
        assert!(end.drain().is_empty(), "{stop:?}");
        for message in &rest {
            end.give(message);
        }
        assert!(end.need.is_none(), "once is enough");
        let outcome = end.outcome();
        assert_eq!(outcome.peer, stop.session().peer);
        assert!(outcome.psk.is_some() && outcome.peer_signature_scheme.is_none());
        assert_eq!(outcome.early_data, stop == Stop::EarlyDataTaken);
    }
}

#[test]
fn a_refusal_fails_with_its_alert_and_a_late_answer_harms_nothing() {
    for (stop, level) in STOPS {
        let (mut end, _, rest) = stop.at();
        let late = asked(&mut end).accept();
        let failed = format!("Failed({})@{level}", AlertDescription::CERTIFICATE_REVOKED);
        assert_eq!(end.abort(revoked()), [failed], "{stop:?}");
        assert_eq!(end.machine.input(Input::Answer(late)), Err(Misuse::Ended));
        assert_eq!(end.offer(&rest[0], false), Err(Misuse::Ended));
        assert!(end.drain().is_empty() && end.sent.is_empty() && end.done.is_none());
    }
}

#[test]
fn the_answer_of_another_handshake_is_refused_and_the_right_one_still_taken() {
    for (stop, _) in STOPS {
        for (other, _) in STOPS {
            let (mut elsewhere, ..) = other.at();
            let stale = asked(&mut elsewhere).accept();
            let (mut end, ..) = stop.at();
            assert_eq!(end.machine.input(Input::Answer(stale)), Err(Misuse::StaleAnswer));
            let right = asked(&mut end).accept();
            assert_eq!(end.machine.input(Input::Answer(right)), Ok(()), "{other:?} at {stop:?}");
        }
    }
}

#[test]
fn a_dropped_token_leaves_only_the_abort() {
    for (stop, level) in STOPS {
        let (mut end, ..) = stop.at();
        drop(asked(&mut end));
        assert_eq!(end.abort(Error::Canceled), [format!("Failed(user_canceled)@{level}")], "{stop:?}");
    }
}

#[test]
fn acceptance_is_not_the_servers_finished() {
    for (stop, _) in STOPS {
        let (mut end, _, rest) = stop.at();
        let answer = asked(&mut end).accept();
        end.machine.input(Input::Answer(answer)).unwrap();
        for message in &rest {
            let mut bad = message.clone();
            if message.name() == "Finished" {
                *bad.bytes.last_mut().unwrap() ^= 1;
            }
            end.give(&bad);
        }
        let failure = end.failure.expect("it has failed");
        assert_eq!(failure.alert, AlertDescription::DECRYPT_ERROR, "{stop:?}");
    }
}

#[test]
fn a_session_of_nobody_is_not_offered() {
    for session in [session(), session_tls12(b"", b"the ticket")] {
        let extension = if session.version == TLS12 { TICKET } else { PSK };
        let nobody = || Session { peer: None, ..Session::from_bytes(&session.to_bytes().unwrap()).unwrap() };
        let (_, hello) = offering(nobody(), |_, _| ());
        assert!(Hello::of(&hello).has(extension));
        let (_, hello) = offering(nobody(), |config, _| config.verify_resumed = true);
        let ticket = Hello::of(&hello).extensions.into_iter().find(|(is, _)| *is == extension);
        assert!(ticket.is_none_or(|(_, body)| body.is_empty()));
    }
}

#[test]
fn a_full_handshake_asks_its_own_question_alone() {
    let (mut end, hello) = offering(session(), |config, _| config.verify_resumed = true);
    let mut pair = server(
        Transport::Stream,
        Answers {
            config: Arc::new(ServerHandshake {
                common: Arc::new(common_config(TLS13, TLS13)),
                ..ServerHandshake::default()
            }),
            credential: Some(credential(KeyAlgorithm::EcdsaP256)),
            cookie: None,
        },
    );
    pair.drain();
    pair.offer(&hello, false).unwrap();
    pair.settle();
    let mut questions = 0;
    for message in pair.sent.drain(..).collect::<Vec<_>>() {
        end.give(&message);
        if let Some(Need::VerifyPeer(token)) = &end.need {
            assert!(!token.resumed);
            questions += 1;
        }
        end.settle();
    }
    assert_eq!(questions, 1);
    assert!(end.done.is_some(), "{:?}", end.failure);
}
