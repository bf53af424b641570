use super::*;

const SAYS: HelloTls12<'_> =
    HelloTls12 { session_id: b"an ID of its own", ticket: false, extended_master_secret: true };

/// A client that has got the server's flight and accepted its certificate, and the server.
fn until_row_5(
    says: HelloTls12<'_>,
    change: impl FnOnce(&mut ClientHandshake, &mut Common),
) -> (End, FullTls12) {
    let config = config(None, |config, common| {
        (common.min_version, common.max_version) = (TLS12, TLS12);
        change(config, common);
    });
    let (mut end, hello) = started(config, Transport::Stream);
    let (server, messages) = FullTls12::new(&hello, says);
    for message in messages {
        end.give(&message);
        end.settle();
    }
    assert!(end.failure.is_none(), "{:?}", end.failure);
    (end, server)
}

/// The session that such a handshake leaves, and its master secret.
fn left(
    says: HelloTls12<'_>,
    ticket: Option<(u32, &[u8])>,
    change: impl FnOnce(&mut ClientHandshake, &mut Common),
) -> (Option<Box<Session>>, Secret) {
    let (mut end, server) = until_row_5(says, change);
    let (master, messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
    for message in &messages {
        end.give(message);
    }
    (end.done.expect("it is done").0.session, master)
}

#[test]
fn a_session_goes_by_the_servers_id() {
    let (session, master) = left(SAYS, None, |_, _| ());
    let session = session.unwrap();
    assert_eq!((&session.session_id[..], session.ticket.len()), (&b"an ID of its own"[..], 0));
    assert_eq!((session.secret.as_bytes(), session.version), (master.as_bytes(), TLS12));
    assert_eq!((session.made_at, session.verified_at), (NOW, NOW));
    assert_eq!(session.lifetime, defaults::SESSION_ID_LIFETIME);
    assert!(session.extended_master_secret && session.peer.is_some());
    assert_eq!(session.server_name.as_deref(), Some(NAME));
}

#[test]
fn a_session_goes_by_the_ticket_that_came_last() {
    let says = HelloTls12 { ticket: true, ..SAYS };
    let week = Duration::from_secs(7 * 24 * 3600);
    for (hint, lifetime) in [(0, defaults::TICKET_LIFETIME), (60, Duration::from_secs(60)), (u32::MAX, week)]
    {
        let (session, _) = left(says, Some((hint, b"a ticket")), |_, _| ());
        let session = session.unwrap();
        assert_eq!((&session.ticket[..], session.session_id.len()), (&b"a ticket"[..], 0));
        assert_eq!(session.lifetime, lifetime);
    }
    let (session, _) = left(says, Some((1, b"")), |_, _| ());
    assert_eq!(
        session.unwrap().session_id,
        b"an ID of its own",
        "thought better of the ticket, not of the ID"
    );
}

#[test]
fn there_is_none_that_nobody_wants_or_that_has_no_name_or_no_extended_master_secret() {
    let none =
        |says, ticket, change: fn(&mut ClientHandshake, &mut Common)| left(says, ticket, change).0.is_none();
    let ticket = Some((1, &b"t"[..]));
    let announced = HelloTls12 { ticket: true, ..SAYS };
    assert!(none(SAYS, None, |config, _| config.resumption = false));
    assert!(none(HelloTls12 { session_id: b"", ..SAYS }, None, |_, _| ()));
    assert!(none(HelloTls12 { session_id: b"", ..announced }, Some((1, b"")), |_, _| ()));
    for (says, ticket) in [(SAYS, None), (announced, ticket)] {
        let says = HelloTls12 { extended_master_secret: false, ..says };
        assert!(none(says, ticket, |_, common| common.require_extended_master_secret = false));
    }
}

/// RFC 7627 section 5.3: where the configuration has opted for it, and with the mark. That none is kept in which the client
/// has shown a certificate is tested over both machines.
#[test]
fn without_extended_master_secret_one_is_kept_where_that_is_wanted() {
    let announced = HelloTls12 { ticket: true, ..SAYS };
    for (says, ticket) in [(SAYS, None), (announced, Some((1, &b"t"[..])))] {
        let says = HelloTls12 { extended_master_secret: false, ..says };
        let (session, _) = left(says, ticket, |_, common| {
            common.require_extended_master_secret = false;
            common.resume_unbound_sessions = true;
        });
        assert!(!session.unwrap().extended_master_secret);
    }
}

#[test]
fn row_8_a_ticket_comes_where_it_was_announced_and_nowhere_else() {
    let ticket = Some((1, &b"t"[..]));
    let announced = HelloTls12 { ticket: true, ..SAYS };
    let (mut end, server) = until_row_5(announced, |_, _| ());
    let _ = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
    end.refuses(&Message::change_cipher_spec(), UM, "Ap");
    let (mut end, server) = until_row_5(SAYS, |_, _| ());
    let (_, messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
    end.refuses(&messages[0], UM, "Ap");
    // Twice, and at the wrong level.
    let (mut end, server) = until_row_5(announced, |_, _| ());
    let (_, messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), ticket);
    assert_eq!(end.give(&messages[0]), [""; 0]);
    end.refuses(&messages[0], UM, "Ap");
    let (mut end, _) = until_row_5(announced, |_, _| ());
    end.refuses(&Message { level: Level::Application, ..messages[0].clone() }, UM, "Ap");
}

#[test]
fn a_ticket_that_was_changed_on_its_way_fails_the_handshake() {
    let (mut end, server) = until_row_5(HelloTls12 { ticket: true, ..SAYS }, |_, _| ());
    let (_, mut messages) = server.end(end.sent.drain(..).collect::<Vec<_>>(), Some((1, b"ticket")));
    *messages[0].bytes.last_mut().unwrap() ^= 1;
    end.give(&messages[0]);
    end.give(&messages[1]);
    end.refuses(&messages[2], AlertDescription::DECRYPT_ERROR, "Ap");
}
