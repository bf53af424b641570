//! What holds at every stop.

use super::*;

#[test]
fn nothing_is_taken_while_a_need_is_out_and_nothing_is_lost() {
    for &stop in STOPS {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        let any = Message::new(Level::Handshake, HandshakeType::FINISHED, &[0; 32]);
        assert_eq!(end.offer(&any, false), Err(Misuse::NeedIsOut), "{stop:?}");
        assert_eq!(end.offer(&Message::change_cipher_spec(), false), Err(Misuse::NeedIsOut), "{stop:?}");
        assert!(end.drain().is_empty());
        finish(pair, stop);
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
        let late = answer(need, &end.answers, stop);
        assert_eq!(end.machine.input(Input::Answer(late)), Err(Misuse::Ended), "{stop:?}");
        assert!(end.drain().is_empty() && end.done.is_none());
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

/// The answers to all Needs are tried at one machine: none of them moves it.
#[test]
fn an_answer_to_another_need_is_refused_and_the_right_one_still_taken() {
    for (i, &stop) in STOPS.iter().enumerate() {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        for &other in STOPS.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, stop)| stop) {
            let mut elsewhere = at(other);
            let theirs = other.end(&mut elsewhere);
            let stale = answer(theirs.need.take().unwrap(), &theirs.answers, other);
            let refused = end.machine.input(Input::Answer(stale));
            assert_eq!(refused, Err(Misuse::StaleAnswer), "{other:?} at {stop:?}");
        }
        let right = answer(end.need.take().unwrap(), &end.answers, stop);
        assert_eq!(end.machine.input(Input::Answer(right)), Ok(()));
        end.drain();
        finish(pair, stop);
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
                answer(end.need.take().unwrap(), &end.answers, stop)
            })
            .collect();
        let mut pair = at(stop);
        for late in late {
            let end = stop.end(&mut pair);
            assert_eq!(end.machine.input(Input::Answer(late)), Err(Misuse::StaleAnswer), "{stop:?}");
            assert!(end.drain().is_empty() && end.need.is_some());
        }
        finish(pair, stop);
    }
}

#[test]
fn tokens_and_answers_travel_to_other_threads() {
    for (version, flow) in
        [(TLS13, Full), (TLS13, Resumed), (TLS12, Full), (TLS12, Resumed), (TLS12, Renewed)]
    {
        let stops: Vec<Stop> =
            STOPS.iter().copied().filter(|stop| stop.version == version && stop.flow == flow).collect();
        let mut pair = begun(version, flow);
        let mut asked = Vec::new();
        let elsewhere = |need, answers: &Answers| {
            let (answers, stop) = (answers.clone(), stops[0]);
            thread::spawn(move || answer(need, &answers, stop)).join().unwrap()
        };
        while step(&mut pair, |need, answers| {
            asked.push(need_name(&need));
            elsewhere(need, answers)
        }) {}
        assert!(pair.is_done(), "{version} {flow:?}");
        assert_eq!(asked, stops.iter().map(|stop| stop.need).collect::<Vec<_>>(), "{version} {flow:?}");
    }
}

/// I2: the queue is drained before anything else is taken.
#[test]
fn outputs_are_taken_before_inputs() {
    let mut pair = pair_of(TLS13, Full);
    let any = Message::new(Level::Initial, HandshakeType::CLIENT_HELLO, &[]);
    for end in [&mut pair.client, &mut pair.server] {
        assert_eq!(end.offer(&any, false), Err(Misuse::OutputsWait));
        assert_eq!(end.machine.input(Input::Abort(Error::Canceled)), Err(Misuse::OutputsWait));
    }
    pair.run();
    assert!(pair.is_done());
}
