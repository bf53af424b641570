//! Decisions that take their time.

use super::*;

const STOPS: [&str; 2] = ["FindSession", "AcceptSession"];

fn at(stop: &str) -> (Made, Pair) {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    if stop == "AcceptSession" {
        pair.server.found(made.psk());
    }
    (made, pair)
}

fn right(made: &Made, end: &mut End) -> oxtls_handshake::need::Answer {
    match end.need.take().unwrap() {
        Need::FindSession(need) => need.found(0, made.psk()),
        Need::AcceptSession(need) => need.resume(false),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_taken_while_a_session_is_looked_for_or_judged() {
    for stop in STOPS {
        let (made, mut pair) = at(stop);
        let any = Message::new(Level::Initial, HandshakeType::CLIENT_HELLO, &[]);
        assert_eq!(pair.server.offer(&any, false), Err(Misuse::NeedIsOut));
        let change = pair.server.machine.input(Input::ChangeCipherSpec { more: false });
        assert_eq!(change, Err(Misuse::NeedIsOut));
        let answer = right(&made, &mut pair.server);
        pair.server.take_answer(answer);
        if stop == "FindSession" {
            pair.server.resume(false);
        }
        finish(&mut pair);
    }
}

#[test]
fn an_abort_fails_in_the_clear_and_a_late_answer_harms_nothing() {
    for stop in STOPS {
        let (made, mut pair) = at(stop);
        let late = right(&made, &mut pair.server);
        assert_eq!(pair.server.abort(Error::DeadlineExceeded), ["Failed(user_canceled)@In"]);
        assert_eq!(pair.server.machine.input(Input::Answer(late)), Err(Misuse::Ended));
        assert!(pair.server.drain().is_empty());
    }
}

#[test]
fn an_answer_of_another_connection_or_to_another_need_is_refused() {
    for stop in STOPS {
        for other in STOPS {
            let (made, mut elsewhere) = at(other);
            let stale = right(&made, &mut elsewhere.server);
            let (_, mut pair) = at(stop);
            let refused = pair.server.machine.input(Input::Answer(stale));
            assert_eq!(refused, Err(Misuse::StaleAnswer), "{other} at {stop}");
        }
    }
}

#[test]
fn a_dropped_token_leaves_only_the_abort() {
    for stop in STOPS {
        let (_, mut pair) = at(stop);
        drop(pair.server.need.take());
        assert_eq!(pair.server.abort(Error::Canceled), ["Failed(user_canceled)@In"]);
    }
}

#[test]
fn tokens_and_answers_travel_to_other_threads() {
    for stop in STOPS {
        let (made, mut pair) = at(stop);
        let mut server = pair.server;
        let need = server.need.take().unwrap();
        let answer = std::thread::spawn(move || match need {
            Need::FindSession(need) => need.found(0, made.psk()),
            Need::AcceptSession(need) => need.resume(false),
            other => panic!("{other:?}"),
        });
        server.take_answer(answer.join().unwrap());
        assert!(server.failure.is_none());
        pair.server = server;
    }
}
