use super::*;

fn by_id() -> Session {
    session_tls12(b"the session's ID", b"")
}

fn by_ticket() -> Session {
    session_tls12(b"", b"the ticket")
}

#[test]
fn rows_0_to_4_by_id_and_by_ticket() {
    for (session, expected) in [(by_id(), by_id()), (by_ticket(), by_ticket())] {
        let config = config(Some(session), |_, _| ());
        let mut end = client(config, Transport::Stream, None);
        assert_eq!(end.drain(), ["S(ClientHello)@In", "R(del,no)"]);
        let hello = end.next_message();
        let mut script = ScriptTls12::resume(&hello, &expected);
        script.extensions.record_size_limit = Some(2048);
        script.extensions.alpn = Some(b"http/1.1");
        let flight = FlightTls12::new(&hello, &script);
        assert_eq!(end.give_with(&flight.server_hello, true), ["R(del,no)", "Limits"]);
        assert_eq!(end.give(&Message::change_cipher_spec()), ["R:Ap", "R(del,no)"]);
        let row = end.give(&flight.finished);
        assert_eq!(row, ["CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
        flight.take(end.sent.drain(..).collect::<Vec<_>>());
        let outcome = end.outcome();
        assert_eq!((outcome.version, outcome.suite), (TLS12, expected.suite));
        assert_eq!(outcome.peer, expected.peer);
        assert_eq!(outcome.group, None);
        assert_eq!(outcome.alpn.as_deref(), Some(&b"http/1.1"[..]), "negotiated anew");
        assert!(outcome.psk.is_some() && outcome.extended_master_secret && outcome.exporter.is_some());
        assert!(outcome.session.is_none(), "the one that was resumed is kept already");
        assert_eq!(end.key_log, [("CLIENT_RANDOM", expected.secret.as_bytes().to_vec())]);
    }
}

#[test]
fn a_renewed_ticket_is_a_new_session_of_the_same_signature() {
    for (hint, lifetime) in [(0, defaults::TICKET_LIFETIME), (77, Duration::from_secs(77))] {
        let (mut end, hello) = offering(by_ticket(), |_, _| ());
        let session = by_ticket();
        let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, hint, b"the next"));
        for message in flight.messages() {
            end.give(&message);
        }
        flight.take(end.sent.drain(..).collect::<Vec<_>>());
        let stored = end.outcome().session.as_ref().unwrap();
        assert_eq!((&stored.ticket[..], &stored.session_id[..]), (&b"the next"[..], &b""[..]));
        assert_eq!(stored.secret, session.secret);
        assert_eq!((stored.verified_at, stored.made_at), (session.verified_at, NOW));
        assert_eq!((stored.lifetime, &stored.peer), (lifetime, &session.peer));
        assert_eq!(stored.version, TLS12);
    }
}

#[test]
fn a_ticket_that_is_empty_or_not_wanted_is_not_kept() {
    for (ticket, resumption) in [(&b""[..], true), (&[1; defaults::MAX_TICKET + 1], true), (b"t", false)] {
        let (mut end, hello) = offering(by_ticket(), |config, _| config.resumption = resumption);
        let session = by_ticket();
        let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, ticket));
        for message in flight.messages() {
            end.give(&message);
        }
        flight.take(end.sent.drain(..).collect::<Vec<_>>());
        assert!(end.outcome().session.is_none());
    }
}

#[test]
fn row_2_refuses_another_suite_and_no_extended_master_secret() {
    for required in [true, false] {
        let ask = |_: &mut ClientHandshake, common: &mut Common| {
            common.require_extended_master_secret = required;
        };
        let session = by_id();
        let (mut end, hello) = offering(by_id(), ask);
        let mut script = ScriptTls12::resume(&hello, &session);
        script.suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
        end.refuses(&FlightTls12::new(&hello, &script).server_hello, IP, "In");
        let (mut end, hello) = offering(by_id(), ask);
        let mut script = ScriptTls12::resume(&hello, &session);
        script.extensions.extended_master_secret = false;
        let message = FlightTls12::new(&hello, &script).server_hello;
        end.refuses(&message, AlertDescription::HANDSHAKE_FAILURE, "In");
    }
}

#[test]
fn row_3_refuses_a_ticket_that_was_not_announced_and_wants_one_that_was() {
    let session = by_ticket();
    let (mut end, hello) = offering(by_ticket(), |_, _| ());
    let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, b"t"));
    end.give(&flight.server_hello);
    end.refuses(&Message::change_cipher_spec(), UM, "In");
    let (mut end, hello) = offering(by_ticket(), |_, _| ());
    let plain = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session));
    end.give(&plain.server_hello);
    end.refuses(flight.ticket.as_ref().unwrap(), UM, "In");
    // An announcement that nobody asked for.
    let (mut end, hello) = offering(by_id(), |config, _| config.tls12_tickets = false);
    let flight = FlightTls12::new(&hello, &ScriptTls12::renew(&hello, &session, 1, b"t"));
    end.refuses(&flight.server_hello, AlertDescription::UNSUPPORTED_EXTENSION, "In");
}

#[test]
fn rows_3_and_4_refuse_what_does_not_belong_there() {
    let session = by_id();
    let reach = |messages: usize| {
        let (mut end, hello) = offering(by_id(), |_, _| ());
        let flight = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &session));
        for message in flight.messages().iter().take(messages) {
            end.give(message);
        }
        (end, flight)
    };
    for typ in [
        HandshakeType::CERTIFICATE,
        HandshakeType::SERVER_KEY_EXCHANGE,
        HandshakeType::SERVER_HELLO_DONE,
        HandshakeType::CERTIFICATE_REQUEST,
        HandshakeType::FINISHED,
    ] {
        reach(1).0.refuses(&Message::new(Level::Initial, typ, &[0; 12]), UM, "In");
    }
    let (mut end, _) = reach(1);
    let row = end.give_with(&Message::change_cipher_spec(), true);
    assert_eq!(row, ["Failed(unexpected_message)@In"], "inside a message");
    let (mut end, _) = reach(2);
    end.refuses(&Message::change_cipher_spec(), UM, "In");
    let (mut end, flight) = reach(2);
    let mut wrong = flight.finished.clone();
    wrong.bytes[4] ^= 1;
    end.refuses(&wrong, AlertDescription::DECRYPT_ERROR, "In");
    assert!(end.sent.is_empty(), "our Finished is not sent to one that has proved nothing");
}

#[test]
fn the_id_of_compatibility_mode_names_no_session() {
    // A session of TLS 1.3 is on offer, or none, and TLS 1.2 too.
    for session in [Some(session()), None] {
        let config = config(session, |_, common| common.min_version = TLS12);
        let (mut end, hello) = started(config, Transport::Stream);
        let offered = by_ticket();
        let message = FlightTls12::new(&hello, &ScriptTls12::resume(&hello, &offered)).server_hello;
        end.refuses(&message, IP, "In");
    }
}
