//! T9: tickets behind the handshake.

use super::*;

/// What EncryptedExtensions says, and how many are due.
fn due(change: Change<'_>, resumed: bool) -> (Option<Vec<u8>>, Option<u8>) {
    let made = made(&STREAM, &nothing);
    let mut pair = if resumed {
        let (mut pair, hello) = offering(&made, &STREAM, &|client, server, common| {
            no_early_data(client);
            change(client, server, common);
        });
        asked(&mut pair, &hello);
        pair.server.found(made.psk());
        pair.server.resume(false);
        pair
    } else {
        pair(&STREAM, change)
    };
    let mut seen = None;
    pair.run_with(|_, message| {
        if message.typ_is(HandshakeType::ENCRYPTED_EXTENSIONS) {
            let extensions = split_extensions(message.body());
            seen = extensions.into_iter().find(|(typ, _)| *typ == ExtensionType::TICKET_REQUEST);
        }
    });
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    let tickets = &pair.server.done.as_ref().unwrap().1.tickets;
    (seen.map(|(_, data)| data), tickets.as_ref().map(|tickets| tickets.due()))
}

#[test]
fn as_many_tickets_are_due_as_were_asked_for_up_to_a_limit() {
    let asking = |new_session_count, resumption_count| TicketRequest { new_session_count, resumption_count };
    for (request, resumed, expected, count) in [
        (None, false, None, Some(defaults::TICKETS)),
        (None, true, None, Some(defaults::TICKETS)),
        (Some(asking(4, 1)), false, Some(4), Some(4)),
        (Some(asking(4, 1)), true, Some(1), Some(1)),
        (Some(asking(0, 0)), false, Some(0), Some(0)),
        (Some(asking(255, 255)), true, Some(defaults::MAX_TICKETS), Some(defaults::MAX_TICKETS)),
    ] {
        let seen = due(&|client, _, _| client.ticket_request = request, resumed);
        assert_eq!(seen, (expected.map(|n| vec![n]), count), "{request:?} {resumed}");
    }
    // What is announced is what will come, whatever the limit.
    let few = due(
        &|client, server, _| {
            client.ticket_request = Some(asking(4, 4));
            server.max_tickets = 1;
        },
        false,
    );
    assert_eq!(few, (Some(vec![1]), Some(1)));
    let off = due(
        &|client, server, _| {
            client.ticket_request = Some(asking(4, 4));
            server.resumption = false;
        },
        false,
    );
    assert_eq!(off, (None, None), "who makes no tickets promises none");
}

#[test]
fn each_ticket_made_is_one_less_due() {
    let mut pair = pair(&STREAM, &nothing);
    finish(&mut pair);
    let tickets = pair.server.done.as_mut().unwrap().1.tickets.as_mut().unwrap();
    let mut due = Vec::new();
    for _ in 0..4 {
        due.push(tickets.due());
        tickets.next(NOW).unwrap();
    }
    assert_eq!(due, [2, 1, 0, 0], "more can be made");
}
