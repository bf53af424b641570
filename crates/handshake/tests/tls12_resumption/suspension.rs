//! Decisions that take their time.

use super::*;

const STOPS: [&str; 4] = ["FindSession", "AcceptSession", "SealTicket", "Renewal"];

fn at(stop: &str) -> (Made, Pair) {
    let (made, mut pair, hello) = ready(By::Ticket, &sessions::nothing);
    match stop {
        "SealTicket" => {
            asked(&mut pair, &hello);
            pair.server.none_found();
            full(&mut pair);
        }
        _ => {
            asked(&mut pair, &hello);
            if stop != "FindSession" {
                pair.server.found(made.psk());
            }
            if stop == "Renewal" {
                let answer = pair.server.accept().renew();
                pair.server.take_answer(answer);
            }
        }
    }
    assert!(pair.server.need.is_some());
    (made, pair)
}

fn right(made: &Made, pair: &mut Pair) -> Answer {
    match pair.server.need.take().unwrap() {
        Need::FindSession(need) => need.found(0, made.psk()),
        Need::AcceptSession(need) => need.resume(false),
        Need::SealTicket(need) => need.answer(Some(TICKET.to_vec())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_taken_while_a_need_is_out_and_the_answer_goes_on() {
    for stop in STOPS {
        let (made, mut pair) = at(stop);
        assert_eq!(pair.server.offer(&Message::change_cipher_spec(), false), Err(Misuse::NeedIsOut));
        let any = Message::new(Level::Application, HandshakeType::FINISHED, &[0; 12]);
        assert_eq!(pair.server.offer(&any, false), Err(Misuse::NeedIsOut));
        let answer = right(&made, &mut pair);
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
        let late = right(&made, &mut pair);
        assert_eq!(pair.server.abort(Error::DeadlineExceeded), ["Failed(user_canceled)@In"], "{stop}");
        assert_eq!(pair.server.machine.input(Input::Answer(late)), Err(Misuse::Ended));
        assert!(pair.server.drain().is_empty() && pair.server.done.is_none());
    }
}

#[test]
fn an_answer_to_another_need_is_refused_and_the_right_one_still_taken() {
    for stop in STOPS {
        for other in STOPS {
            let (made, mut elsewhere) = at(other);
            let stale = right(&made, &mut elsewhere);
            let (made, mut pair) = at(stop);
            let refused = pair.server.machine.input(Input::Answer(stale));
            assert_eq!(refused, Err(Misuse::StaleAnswer), "{other} at {stop}");
            let answer = right(&made, &mut pair);
            assert_eq!(pair.server.machine.input(Input::Answer(answer)), Ok(()));
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
