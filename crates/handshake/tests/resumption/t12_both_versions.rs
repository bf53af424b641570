use super::*;

fn both(_: &mut ClientHandshake, common: &mut Common) {
    (common.min_version, common.max_version) = (TLS12, TLS13);
}

#[test]
fn a_session_of_tls12_is_resumed_by_a_server_of_tls12() {
    for expected in [session_tls12(b"the ID", b""), session_tls12(b"", b"the ticket")] {
        let copy = Session::from_bytes(&expected.to_bytes().unwrap()).unwrap();
        let (mut end, hello) = offering(copy, both);
        let flight = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &expected));
        for message in flight.messages() {
            end.give(&message);
        }
        flight.take(end.sent.drain(..).collect::<Vec<_>>());
        assert_eq!(end.outcome().version, TLS12);
        assert!(end.outcome().psk.is_some());
    }
}

#[test]
fn a_session_of_tls12_goes_unused_in_tls13() {
    let answers = server_of_tls13();
    for session in [session_tls12(b"the ID", b""), session_tls12(b"", b"the ticket")] {
        let mut pair = Pair {
            client: client(config(Some(session), both), Transport::Stream, None),
            server: server(Transport::Stream, answers.clone()),
        };
        pair.run();
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(pair.client.outcome().version, TLS13);
        assert!(pair.client.outcome().psk.is_none());
    }
}

#[test]
fn a_sentinel_is_found_behind_an_echo_too() {
    let session = session_tls12(b"the ID", b"");
    let (mut end, hello) = offering(session_tls12(b"the ID", b""), both);
    let message = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session)).server_hello;
    let message = edit(&message, |hello| hello.random[24..].copy_from_slice(b"DOWNGRD\x01"));
    end.refuses(&message, IP, "In");
    assert!(matches!(end.error(), Error::Downgrade));
}

#[test]
fn a_malformed_ticket_message_is_refused() {
    let session = session_tls12(b"", b"the ticket");
    let (mut end, hello) = offering(session_tls12(b"", b"the ticket"), |_, _| ());
    let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, b"t"));
    end.give(&flight.server_hello);
    let ticket = flight.ticket.unwrap();
    end.refuses(&ticket.with_body(&ticket.body()[..6]), DE, "In");
}
