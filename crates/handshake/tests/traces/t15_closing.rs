use super::*;

fn retrying() -> Flow {
    let mut flow = Flow::new(
        client(client_config(&GROUPS), Transport::Stream, None),
        server(Transport::Stream, server_answers(&[NamedGroup::SECP256R1])),
    );
    flow.client.drain();
    flow.server.drain();
    flow
}

/// Moves one message, answering all Needs; the names of the flow so far tell the state.
fn advance(flow: &mut Flow) -> Option<String> {
    if let Some(message) = flow.client.sent.pop_front() {
        flow.server.give(&message);
        flow.server.settle();
        return Some(message.name());
    }
    let message = flow.server.sent.pop_front()?;
    flow.client.give(&message);
    flow.client.settle();
    Some(message.name())
}

/// Runs until `last` has been handed in for the `nth` time.
fn after(last: &str, nth: usize) -> Flow {
    let mut flow = retrying();
    let mut left = nth;
    while left > 0 {
        let name = advance(&mut flow).unwrap();
        if name == last {
            left -= 1;
        }
    }
    flow
}

#[track_caller]
fn cancels(end: &mut End, level: &str) {
    assert_eq!(end.abort(Error::Canceled), [format!("Failed(user_canceled)@{level}")]);
    assert_eq!(end.error().fault(), Fault::Local);
    assert_eq!(end.machine.input(Input::Abort(Error::Canceled)), Err(Misuse::Ended));
}

#[test]
fn a_client_that_cancels_tells_it_at_its_write_level() {
    cancels(&mut retrying().client, "In");
    cancels(&mut after("HelloRetryRequest", 1).client, "In");
    for last in ["ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify"] {
        cancels(&mut after(last, 1).client, "HS");
    }
}

#[test]
fn a_server_that_cancels_tells_it_at_its_write_level() {
    cancels(&mut retrying().server, "In");
    cancels(&mut after("ClientHello", 1).server, "In");
    cancels(&mut after("ClientHello", 2).server, "Ap");
}

#[test]
fn a_need_that_is_out_can_be_aborted_at_the_level_of_its_moment() {
    // The server's Needs, one after the other: before ServerHello in the clear, Sign under handshake keys.
    for (answered, level) in [(0, "In"), (1, "In"), (2, "HS")] {
        let mut flow = Flow::new(
            client(client_config(&GROUPS), Transport::Stream, None),
            server(Transport::Stream, server_answers(&GROUPS)),
        );
        flow.client.drain();
        flow.server.drain();
        let hello = flow.take_from_client("ClientHello");
        flow.server.give(&hello);
        for _ in 0..answered {
            flow.server.answer();
        }
        assert!(flow.server.need.is_some());
        assert_eq!(flow.server.offer(&hello, false), Err(Misuse::NeedIsOut));
        cancels(&mut flow.server, level);
        // The late answer is refused and harms nothing.
        let late = flow.server.need.take().unwrap();
        let answer = match late {
            oxtls_handshake::need::Need::ChooseConfig(need) => need.answer(Arc::default(), None),
            oxtls_handshake::need::Need::ChooseCredential(need) => need.none(),
            oxtls_handshake::need::Need::Sign(need) => need.answer(vec![1]),
            other => panic!("{other:?}"),
        };
        assert_eq!(flow.server.machine.input(Input::Answer(answer)), Err(Misuse::Ended));
    }
}

#[test]
fn a_deadline_is_the_callers_own() {
    let mut flow = retrying();
    assert_eq!(flow.client.abort(Error::DeadlineExceeded), ["Failed(user_canceled)@In"]);
    assert_eq!(flow.client.error().fault(), Fault::Local);
}

#[test]
fn what_was_queued_before_a_failure_is_sent_before_the_alert() {
    // The outputs of a step wait; until they are taken nothing goes in, so no alert can overtake them.
    let config = client_config(&GROUPS);
    let mut end = client(config, Transport::Stream, None);
    assert_eq!(end.machine.input(Input::Abort(Error::Canceled)), Err(Misuse::OutputsWait));
    assert_eq!(end.drain(), ["S(ClientHello)@In", "R(drop,no)"]);
    cancels(&mut end, "In");
}
