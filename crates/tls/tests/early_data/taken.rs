//! Early data that its server takes.

use super::*;

#[test]
fn early_data_is_taken_under_tickets_and_stored_sessions_alike() {
    for resumption in [Resumption::tickets(TicketKeys::rotating()), Resumption::stored(SessionStore::new(10))]
    {
        let (client, server) = (early_client(), early_server(resumption).build().unwrap());
        connect(&client, &server);
        for _ in 0..3 {
            let (got, client, server) = send_early(&client, &server, b"early");
            assert_eq!(got.early, b"early");
            assert_eq!((client.early_data(), server.early_data()), (accepted(5), accepted(5)));
            assert_eq!(client.info().unwrap().early_data(), accepted(5));
            assert!(is_resumed(&(client, server)));
        }
    }
}

#[test]
fn early_data_goes_on_until_the_servers_finished_has_come_and_no_further() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut client, mut server) = ends(&client, &server);
    let mut got = Got::default();
    let (_, flight) = seal_early(&mut client, b"one ");
    take(&mut server, &flight, &mut got).unwrap();
    let (_, flight) = seal_early(&mut client, b"two ");
    let answer = drain(&mut server);
    take(&mut server, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"one two ");
    feed(&mut client, &answer).unwrap();
    assert!(!client.is_handshaking());
    assert!(matches!(client.seal_early(b"three", &mut [0; 100]), Err(SealError::NoEarlyData)));
    let bytes = common::seal(&mut client, b"three");
    take(&mut server, &bytes, &mut got).unwrap();
    assert_eq!(
        (got.early.as_slice(), got.data.as_slice(), got.done),
        (&b"one two "[..], &b"three"[..], true)
    );
    assert_eq!((client.early_data(), server.early_data()), (accepted(8), accepted(8)));
}

#[test]
fn only_the_first_client_hello_bears_an_older_version() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let bytes = drain(&mut ends(&client, &server).0);
    let (mut rest, mut records) = (&bytes[..], Vec::new());
    while let [typ, major, minor, high, low, behind @ ..] = rest {
        records.push((*typ, [*major, *minor]));
        rest = &behind[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    // RFC 9846 section 5.1: the ChangeCipherSpec ahead of early data is not the hello.
    assert_eq!(records, [(22, [3, 1]), (20, [3, 3])]);
}

#[test]
fn a_server_before_its_client_has_proved_anything_answers_only_if_told_to() {
    for half_rtt in [false, true] {
        let server = early_server(Resumption::default()).half_rtt(half_rtt).build().unwrap();
        let client = early_client();
        connect(&client, &server);
        let (mut client, mut server) = ends(&client, &server);
        let (_, flight) = seal_early(&mut client, b"early");
        take(&mut server, &flight, &mut Got::default()).unwrap();
        assert_eq!(server.can_seal(), half_rtt);
        if half_rtt {
            let answer = common::seal(&mut server, b"answer");
            assert_eq!(feed(&mut client, &answer).unwrap().data, b"answer");
        }
    }
}

#[test]
fn a_session_in_hand_sends_early_data_too_and_says_what_it_allows() {
    let server = early_server(Resumption::default()).build().unwrap();
    let config = client_config().early_data(true).hand_out_sessions().build().unwrap();
    let (mut first, _) = connect(&config, &server);
    let mut session = first.take_session().unwrap();
    assert_eq!((session.max_early_data(), session.alpn()), (LIMIT, Some(&b"b"[..])));
    session.set_context("settings");
    let session = ClientSession::from_bytes(&session.to_bytes().unwrap()).unwrap();
    assert_eq!(session.context(), b"settings");
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::with_session(&config, name, session).unwrap();
    let mut server = ServerConnection::new(&server);
    let (taken, flight) = seal_early(&mut client, b"early");
    assert_eq!((taken, client.early_data_left()), (5, LIMIT - 5));
    let mut got = Got::default();
    take(&mut server, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"early");
}

#[test]
fn a_connection_that_is_dropped_with_early_data_in_it_burns_nothing_but_its_ticket() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (mut dropped, _) = ends(&client, &server);
    let _ = seal_early(&mut dropped, b"early");
    drop(dropped);
    let (got, ..) = send_early(&client, &server, b"early");
    assert_eq!(got.early, b"early");
}
