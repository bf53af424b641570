//! T11: tickets that are renewed.

use super::*;

fn renewing(change: impl FnOnce(&mut Session)) -> (Made, Pair, Vec<String>) {
    let (made, mut pair, hello) = ready(By::Ticket, &sessions::nothing);
    asked(&mut pair, &hello);
    pair.server.found(made.changed(change));
    let answer = pair.server.accept().renew();
    let row = pair.server.take_answer(answer);
    (made, pair, row)
}

#[test]
fn a_new_ticket_comes_with_the_abbreviated_handshake() {
    let (made, mut pair, row) = renewing(|_| ());
    assert_eq!(row, ["S(ServerHello)@In", "R(del,no)", "?SealTicket"]);
    let extensions = common::Hello::of(&pair.server.sent[0]).extensions;
    assert!(extensions.contains(&(ExtensionType::SESSION_TICKET, Vec::new())));
    let need = seal(&mut pair);
    assert!(need.session.secret == made.secret() && need.session.extended_master_secret);
    let answer = need.answer(Some(b"newer".to_vec()));
    let row = pair.server.take_answer(answer);
    assert_eq!(row, ["S(NewSessionTicket)@In", "CCS", "W:Ap", "S(Finished)@Ap"]);
    finish(&mut pair);
    let session = pair.client.outcome().session.as_ref().expect("the client has a new ticket");
    assert_eq!(session.ticket, b"newer");
}

/// A secret that is sealed again and again must still end when it would have.
#[test]
fn a_renewed_session_is_no_younger_than_it_was() {
    let hour = Duration::from_secs(3600);
    let (_, mut pair, _) = renewing(|session| {
        session.made_at = NOW - hour;
        session.lifetime = hour + Duration::from_secs(90);
        session.verified_at = NOW - hour * 5;
        session.policy = [9; 32];
    });
    let need = seal(&mut pair);
    assert_eq!(need.session.made_at, NOW - hour);
    assert_eq!(need.session.verified_at, NOW - hour * 5);
    assert_eq!(need.session.policy, [9; 32]);
    let answer = need.answer(Some(b"newer".to_vec()));
    pair.server.take_answer(answer);
    let message = pair.server.sent.iter().find(|m| m.typ_is(HandshakeType::NEW_SESSION_TICKET)).unwrap();
    assert_eq!(NewSessionTicket::parse(message.body()).unwrap().lifetime_hint, 90);
}

#[test]
fn a_sealer_that_fails_leaves_the_old_ticket() {
    let (_, mut pair, _) = renewing(|_| ());
    let answer = seal(&mut pair).answer(None);
    pair.server.take_answer(answer);
    finish(&mut pair);
}

#[test]
fn a_session_that_goes_by_its_id_is_not_renewed() {
    let (made, mut pair, hello) = ready(By::Id, &sessions::nothing);
    asked(&mut pair, &hello);
    pair.server.found(made.psk());
    let answer = pair.server.accept().renew();
    let row = pair.server.take_answer(answer);
    assert_eq!(row.last().unwrap(), "S(Finished)@Ap");
    finish(&mut pair);
}
