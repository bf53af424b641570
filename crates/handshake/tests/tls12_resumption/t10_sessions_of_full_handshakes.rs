//! T10.7: the sessions that full handshakes leave.

use super::*;

#[test]
fn a_session_has_an_id_of_its_own_and_both_ends_the_same() {
    let (one, two) = (made(By::Id, &sessions::nothing).session(), made(By::Id, &sessions::nothing));
    let Psk::Session(client) = &*two.client else { panic!("a session") };
    let two = two.session();
    assert_eq!((one.session_id.len(), two.session_id.len()), (32, 32));
    assert_ne!(one.session_id, two.session_id);
    assert_eq!(client.session_id, two.session_id);
    assert!(client.secret == two.secret && client.suite == two.suite);
    assert_eq!(two.version, ProtocolVersion::TLS1_2);
    assert_eq!((two.made_at, two.verified_at), (NOW, NOW));
    assert_eq!(two.lifetime, defaults::TICKET_LIFETIME);
    assert!(two.extended_master_secret && two.ticket.is_empty());
    assert_eq!(two.server_name.as_deref(), Some("server.example"));
}

#[test]
fn a_ticket_is_asked_for_after_the_clients_finished_and_comes_before_ours() {
    let mut pair = pair(&STREAM, &change_to(By::Ticket, &sessions::nothing));
    full(&mut pair);
    let need = seal(&mut pair);
    assert!(need.session.session_id.is_empty() && need.session.version == ProtocolVersion::TLS1_2);
    let answer = need.answer(Some(TICKET.to_vec()));
    let row = pair.server.take_answer(answer);
    assert_eq!(row, ["S(NewSessionTicket)@In", "CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
    let message = pair.server.sent.iter().find(|m| m.typ_is(HandshakeType::NEW_SESSION_TICKET)).unwrap();
    let ticket = NewSessionTicket::parse(message.body()).unwrap();
    assert_eq!((ticket.ticket, ticket.lifetime_hint), (TICKET, 24 * 60 * 60));
    full(&mut pair);
    assert!(pair.is_done() && pair.client.outcome().session.is_some());
}

#[test]
fn a_sealer_that_fails_leaves_the_connection_unharmed() {
    let mut pair = pair(&STREAM, &change_to(By::Ticket, &sessions::nothing));
    full(&mut pair);
    let answer = seal(&mut pair).answer(None);
    pair.server.take_answer(answer);
    let message = pair.server.sent.iter().find(|m| m.typ_is(HandshakeType::NEW_SESSION_TICKET)).unwrap();
    assert_eq!(message.body(), [0; 6]);
    full(&mut pair);
    assert!(pair.is_done() && pair.client.outcome().session.is_none());
}

#[test]
fn no_session_is_made_where_none_is_wanted_or_it_could_not_be_resumed_safely() {
    let unbound: Change<'_> = &|_, _, common| common.require_extended_master_secret = false;
    let off: Change<'_> = &|_, server, _| server.resumption = false;
    for (change, without) in [(off, false), (unbound, true)] {
        for by in BOTH {
            let mut pair = pair(&STREAM, &change_to(by, change));
            pair.client.drain();
            pair.server.drain();
            let mut hello = pair.client.next_message();
            if without {
                hello = edit(&hello, |hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET));
            }
            pair.server.give(&hello);
            assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
            pair.server.answer();
            let hello = common::Hello::of(&pair.server.next_message());
            assert!(hello.session_id.is_empty(), "{by:?}");
            assert!(hello.extensions.iter().all(|(typ, _)| *typ != ExtensionType::SESSION_TICKET));
        }
    }
}

#[test]
fn a_client_that_takes_no_ticket_gets_an_id() {
    let mut pair = pair(&STREAM, &|client, server, common| {
        tls12(common);
        client.tls12_tickets = false;
        server.tls12_tickets = true;
    });
    finish(&mut pair);
    assert_eq!(pair.server.outcome().session.as_ref().unwrap().session_id.len(), 32);
}

#[test]
fn the_clients_certificate_is_part_of_the_session() {
    for by in BOTH {
        let session = made(by, &|_, server, _| server.client_auth = ClientAuth::Required).session();
        assert!(session.peer.is_some(), "{by:?}");
    }
}
