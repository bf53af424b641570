use super::*;

fn ticket(lifetime: u32, nonce: &[u8]) -> Vec<u8> {
    NewSessionTicket {
        lifetime,
        age_add: 3,
        nonce,
        ticket: b"next",
        max_early_data: Some(9),
        resumption_across_names: false,
    }
    .encode()
    .unwrap()
}

/// A resumed connection, its resumption secret, and what its first ticket is kept as, a minute later.
fn after_resumption(resumption: bool) -> (Secret, Option<Session>) {
    let (mut end, hello) = offering(session(), |config, _| config.resumption = resumption);
    let session = session();
    let flight = Flight::new(&[hello], &Script::resume(&session, false));
    flight.give_to(&mut end);
    let sent: Vec<_> = end.sent.drain(..).collect();
    let secret = flight.take(sent);
    let (_, post_handshake) = end.done.as_mut().unwrap();
    let later = NOW + Duration::from_secs(60);
    let stored = match post_handshake.receive.message(&ticket(99, b"nonce"), false, later).unwrap() {
        Some(Received::StoreSession(session)) => Some(*session),
        None => None,
        Some(other) => panic!("{other:?}"),
    };
    (secret, stored)
}

#[test]
fn a_ticket_becomes_a_session_that_goes_back_to_the_same_signature() {
    let (secret, stored) = after_resumption(true);
    let stored = stored.unwrap();
    let hash = oxtls_crypto::hash::Hash::Sha256;
    assert_eq!(stored.secret, resumption_psk(hash, &secret, b"nonce").unwrap());
    assert_eq!(stored.verified_at, session().verified_at, "nobody has signed anything since");
    assert_eq!(stored.made_at, NOW + Duration::from_secs(60));
    assert_eq!(stored.peer, session().peer);
    assert_eq!(stored.server_name.as_deref(), Some(NAME));
    assert_eq!((&stored.ticket[..], stored.age_add, stored.max_early_data), (&b"next"[..], 3, 9));
}

#[test]
fn a_client_that_wants_no_session_keeps_none() {
    assert!(after_resumption(false).1.is_none());
}
