//! Bytes changed and cut, windows too small, answers that take their time.

use super::*;

#[test]
fn whatever_is_changed_in_early_data_ends_the_connection() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    let hello = drain(&mut client);
    let (_, mut early) = seal_early(&mut client, b"early");
    let last = early.len() - 1;
    early[last] ^= 1;
    let mut got = Got::default();
    take(&mut server, &hello, &mut got).unwrap();
    let error = take(&mut server, &early, &mut got).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Record(RecordError::DecryptFailed)), "{error}");
    assert_eq!(got.early, b"");
}

#[test]
fn however_the_bytes_are_cut_early_data_is_the_same() {
    for refused in [false, true] {
        let keys = TicketKeys::rotating();
        let client = early_client();
        connect(&client, &early_server(Resumption::tickets(keys.clone())).build().unwrap());
        let server = early_server(Resumption::tickets(keys.clone()));
        // Another guard refuses; the one that made the ticket does not.
        let first = server.build().unwrap();
        if !refused {
            connect(&client, &first);
        }
        let (mut client, mut server) = ends(&client, &first);
        let (_, flight) = seal_early(&mut client, b"early");
        let mut got = Got::default();
        trickle(&mut server, &flight, &mut got);
        let answer = drain(&mut server);
        trickle(&mut client, &answer, &mut Got::default());
        let bytes = drain(&mut client);
        trickle(&mut server, &bytes, &mut got);
        assert!(!client.is_handshaking() && got.done && !got.early_after_done);
        assert_eq!(got.early, if refused { &b""[..] } else { b"early" });
        assert!(is_resumed(&(client, server)));
    }
}

/// One byte more at each call.
fn trickle<R: Role>(connection: &mut Connection<R>, bytes: &[u8], got: &mut Got) {
    let mut input = Vec::new();
    for byte in bytes {
        input.push(*byte);
        let progress = connection.feed(&mut input).unwrap();
        match progress.event {
            Some(Event::EarlyData(range)) => got.early.extend_from_slice(&input[range]),
            Some(Event::Data(range)) => got.data.extend_from_slice(&input[range]),
            Some(Event::HandshakeDone) => got.done = true,
            _ => {}
        }
        input.drain(..progress.consumed);
    }
    assert!(input.is_empty());
}

#[test]
fn early_data_in_a_window_that_is_too_small_is_not_lost() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    let data = b"early data in little pieces";
    let (mut taken, mut flight) = (0, Vec::new());
    // The hello goes first, piece by piece, through the same window.
    let mut window = [0; 30];
    while taken < data.len() {
        let sealed = client.seal_early(&data[taken..], &mut window).unwrap();
        assert!(sealed.written > 0);
        taken += sealed.taken;
        flight.extend_from_slice(&window[..sealed.written]);
    }
    assert!(matches!(client.seal_early(b"x", &mut [0; 10]), Err(SealError::TooSmall { .. })));
    let mut got = Got::default();
    take(&mut server, &flight, &mut got).unwrap();
    assert_eq!(got.early, data);
}

#[test]
fn decisions_about_sessions_can_take_their_time_and_only_the_right_answer_counts() {
    let decisions = [Decision::FindSession, Decision::AcceptSession];
    let (client, server) =
        (early_client(), early_server(Resumption::default()).ask(&decisions).build().unwrap());
    let mut stale = Vec::new();
    for round in 0..3 {
        let (mut client, mut server) = ends(&client, &server);
        let (_, flight) = seal_early(&mut client, b"early");
        let (mut input, mut got, mut asked) = (flight, Got::default(), Vec::new());
        while !input.is_empty() || client.is_handshaking() || server.is_handshaking() {
            let progress = server.feed(&mut input).unwrap();
            let mut event = progress.event;
            if let Some(Event::EarlyData(range)) = &event {
                got.early.extend_from_slice(&input[range.clone()]);
            }
            input.drain(..progress.consumed);
            while let Some(Event::Need(need)) = event {
                // Nothing moves, however often it is fed and whatever answer of old comes.
                assert_eq!(server.feed(&mut input).unwrap().consumed, 0);
                if let Some(answer) = stale.pop() {
                    let refused = server.answer(answer).unwrap_err();
                    assert!(matches!(refused.kind(), ErrorKind::Misuse(_)));
                }
                assert!(server.is_waiting());
                asked.push(need.name());
                event = server.answer_as_configured(*need).unwrap();
            }
            let answer = drain(&mut server);
            feed(&mut client, &answer).unwrap();
            input.extend(drain(&mut client));
        }
        let answer = drain(&mut server);
        feed(&mut client, &answer).unwrap();
        if round > 0 {
            assert_eq!(
                (asked.as_slice(), got.early.as_slice()),
                (&["FindSession", "AcceptSession"][..], &b"early"[..])
            );
        }
        // An answer to a Need of a connection that is gone.
        stale.extend(lost_answer(&decisions));
    }
}

fn server_of(decisions: &[Decision]) -> ServerConfig {
    early_server(Resumption::default()).ask(decisions).build().unwrap()
}

/// The answer to a FindSession of a connection that was dropped.
fn lost_answer(decisions: &[Decision]) -> Option<oxtls::need::Answer> {
    let (config, server) = (early_client(), server_of(decisions));
    let (mut client, mut first) = ends(&config, &server);
    handshake(&mut client, &mut first).unwrap();
    common::deliver(&mut first, &mut client);
    let (mut client, mut gone) = ends(&config, &server);
    match common::deliver(&mut client, &mut gone).needs.pop() {
        Some(Need::FindSession(token)) => Some(token.none()),
        other => panic!("{other:?}"),
    }
}
