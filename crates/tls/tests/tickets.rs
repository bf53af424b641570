//! Tickets and what seals them: keys that rotate, keys that are given, other peoples' tickets, the caller's own sealer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod common;

use std::time::Duration;

use common::{NAME, client_config, connect, feed, handshake, is_resumed, resumes, server_config};
use oxtls::handshake::session::{Psk, Session};
use oxtls::need::SessionOffer;
use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, ClientSession, Clock, Decision, FleetSeed, ManualClock, Need,
    ProtocolVersion, Resumption, SealError, ServerConfig, ServerConnection, TicketKeys,
};

/// No other keys.
const NONE: [[u8; 32]; 0] = [];

const HOUR: Duration = Duration::from_secs(3600);

fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

/// Both ends at one time, and the hand of their clock.
fn timed(keys: &TicketKeys) -> (ClientConfig, ServerConfig, ManualClock) {
    let (clock, hand) = Clock::manual(now());
    let resumption = Resumption::tickets(keys.clone()).tickets_per_connection(1);
    let client = client_config().clock(clock.clone()).hand_out_sessions().build().unwrap();
    (client, server_config().clock(clock).resumption(resumption).build().unwrap(), hand)
}

fn session(client: &ClientConfig, server: &ServerConfig) -> ClientSession {
    connect(client, server).0.take_session().unwrap()
}

fn resumes_with(client: &ClientConfig, server: &ServerConfig, session: ClientSession) -> bool {
    let name = ServerName::try_from(NAME).unwrap();
    let mut ends =
        (ClientConnection::with_session(client, name, session).unwrap(), ServerConnection::new(server));
    handshake(&mut ends.0, &mut ends.1).unwrap();
    is_resumed(&ends)
}

fn copy(session: &ClientSession) -> ClientSession {
    ClientSession::from_bytes(&session.to_bytes().unwrap()).unwrap()
}

/// A session with another ticket in place of its own.
fn with_ticket(session: &ClientSession, ticket: Vec<u8>) -> ClientSession {
    let mut inner = inner(session);
    inner.ticket = ticket;
    ClientSession::from_bytes(&inner.to_bytes().unwrap()).unwrap()
}

fn inner(session: &ClientSession) -> Session {
    Session::from_bytes(&session.to_bytes().unwrap()).unwrap()
}

#[test]
fn a_rotating_key_opens_for_two_periods_after_its_own_and_never_again() {
    let keys = TicketKeys::rotate_every(HOUR);
    let (client, server, hand) = timed(&keys);
    let early = session(&client, &server);
    hand.advance(HOUR * 3 / 2);
    assert!(resumes_with(&client, &server, copy(&early)), "the key before");
    let late = session(&client, &server);
    // Tickets of these keys promise two hours, so the promise ends before the key.
    assert_eq!(early.ends_at(), late.ends_at() - HOUR * 3 / 2);
    hand.advance(HOUR * 3 / 2);
    assert!(resumes_with(&client, &server, copy(&late)));
    hand.advance(10 * HOUR);
    assert!(!resumes_with(&client, &server, late), "gone");
}

#[test]
fn tickets_promise_no_more_than_their_keys_keep() {
    let keys = TicketKeys::rotate_every(HOUR);
    assert_eq!(keys.longest_lifetime(), Some(2 * HOUR));
    // At every moment of a period a ticket lives as long as it says.
    for minutes in [0, 1, 30, 59, 60, 61, 119] {
        let (client, server, hand) = timed(&keys);
        resumes(&client, &server);
        hand.advance(Duration::from_secs(minutes * 60));
        let session = session(&client, &server);
        // Others come meanwhile, and turn the keys.
        for _ in 0..11 {
            hand.advance(Duration::from_secs(10 * 60));
            resumes(&client, &server);
        }
        hand.advance(Duration::from_secs(10 * 60 - 1));
        assert!(resumes_with(&client, &server, session), "{minutes}");
    }
}

#[test]
fn a_clock_that_steps_does_not_stop_the_rotation() {
    let keys = TicketKeys::rotate_every(HOUR);
    let (client, server, hand) = timed(&keys);
    hand.advance(100_000 * HOUR);
    let (mut one, mut other) = common::ends(&client, &server);
    // The certificates have ended by then; what counts is that a key was made.
    let _ = handshake(&mut one, &mut other);
    hand.set(now());
    let fresh = session(&client, &server);
    assert!(resumes_with(&client, &server, copy(&fresh)));
    hand.advance(10 * HOUR);
    resumes(&client, &server);
    assert!(!resumes_with(&client, &server, fresh), "the keys go on turning");
}

#[test]
fn given_keys_seal_and_open_until_others_are_given() {
    let (one, two) = ([1; 32], [2; 32]);
    let keys = TicketKeys::given(one, NONE).unwrap();
    let (client, server, _) = timed(&keys);
    let of_one = session(&client, &server);
    keys.give(two, [one]).unwrap();
    assert!(resumes_with(&client, &server, copy(&of_one)));
    let of_two = session(&client, &server);
    keys.give(two, NONE).unwrap();
    assert!(!resumes_with(&client, &server, of_one));
    assert!(resumes_with(&client, &server, copy(&of_two)));
    // Another process with the same key.
    let (_, twin, _) = timed(&TicketKeys::given(two, [one]).unwrap());
    assert!(resumes_with(&client, &twin, of_two));

    assert!(TicketKeys::given([0; 31], NONE).is_err());
    assert!(keys.give(two, [[0; 33]]).is_err());
    assert!(TicketKeys::rotating().give(two, [one]).is_err());
}

#[test]
fn a_changed_or_cut_ticket_is_no_ticket() {
    let (client, server, _) = timed(&TicketKeys::rotating());
    let session = session(&client, &server);
    let ticket = inner(&session).ticket;
    assert!(resumes_with(&client, &server, copy(&session)));
    for at in (0..ticket.len()).step_by(7) {
        let mut changed = ticket.clone();
        changed[at] ^= 1;
        assert!(!resumes_with(&client, &server, with_ticket(&session, changed)), "{at}");
        if at > 0 {
            assert!(!resumes_with(&client, &server, with_ticket(&session, ticket[..at].to_vec())), "{at}");
        }
    }
}

#[test]
fn no_two_tickets_are_alike_and_their_size_hides_nothing_but_the_session() {
    let (client, server, _) = timed(&TicketKeys::rotating());
    let tickets: Vec<_> = (0..10).map(|_| inner(&session(&client, &server)).ticket).collect();
    for (n, ticket) in tickets.iter().enumerate() {
        assert_eq!(ticket.len(), tickets[0].len());
        // Layout and name of the key are the same, the salt behind them is not.
        assert_eq!(ticket[..17], tickets[0][..17]);
        assert!(tickets[..n].iter().all(|other| other[17..49] != ticket[17..49]));
    }
}

#[test]
fn virtual_hosts_and_versions_that_share_keys_do_not_open_each_others_tickets() {
    let keys = TicketKeys::rotating();
    let server = |context: &str| {
        let resumption = Resumption::tickets(keys.clone()).context(context).tls12_tickets(true);
        server_config().resumption(resumption).build().unwrap()
    };
    let client = client_config().hand_out_sessions().tls12_tickets(true).build().unwrap();
    let (a, b, a_again) = (server("a"), server("b"), server("a"));
    let of_a = session(&client, &a);
    assert!(!resumes_with(&client, &b, copy(&of_a)));
    assert!(resumes_with(&client, &a_again, copy(&of_a)));

    let old = client_config().versions(ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2);
    let old = old.hand_out_sessions().tls12_tickets(true).build().unwrap();
    let of_12 = session(&old, &a);
    assert_eq!(of_12.version(), ProtocolVersion::TLS1_2);
    // A ticket of 1.2 in the place of one of 1.3.
    assert!(!resumes_with(&client, &a, with_ticket(&of_a, inner(&of_12).ticket)));
    assert!(resumes_with(&old, &a, of_12));
}

#[test]
fn a_ticket_of_tls12_is_renewed_when_its_key_grows_old() {
    let keys = TicketKeys::rotate_every(HOUR);
    let (clock, hand) = Clock::manual(now());
    let tls12 = ProtocolVersion::TLS1_2;
    let server = server_config().versions(tls12, tls12).clock(clock.clone());
    let server = server.resumption(Resumption::tickets(keys).tls12_tickets(true)).build().unwrap();
    let client = client_config().versions(tls12, tls12).clock(clock).hand_out_sessions().tls12_tickets(true);
    let client = client.build().unwrap();
    let first = session(&client, &server);
    let name = || ServerName::try_from(NAME).unwrap();
    for (renewed, wait) in [(false, Duration::ZERO), (true, HOUR + HOUR / 2)] {
        hand.advance(wait);
        let mut ends = (
            ClientConnection::with_session(&client, name(), copy(&first)).unwrap(),
            ServerConnection::new(&server),
        );
        handshake(&mut ends.0, &mut ends.1).unwrap();
        assert!(is_resumed(&ends));
        let new = ends.0.take_session().map(|session| inner(&session).ticket);
        assert_eq!(new.is_some_and(|ticket| ticket != inner(&first).ticket), renewed);
    }
}

/// Both ends of TLS 1.2 with tickets, at one time, and the hand of their clock.
fn timed_tls12(resumption: Resumption) -> (ClientConfig, ServerConfig, ManualClock) {
    let (clock, hand) = Clock::manual(now());
    let tls12 = ProtocolVersion::TLS1_2;
    let server = server_config().versions(tls12, tls12).clock(clock.clone());
    let client = client_config().versions(tls12, tls12).clock(clock).hand_out_sessions().tls12_tickets(true);
    let server = server.resumption(resumption.tls12_tickets(true)).build().unwrap();
    (client.build().unwrap(), server, hand)
}

#[test]
fn a_ticket_of_tls12_is_promised_for_as_long_as_it_lives() {
    let seed = FleetSeed::generate(now(), HOUR).unwrap();
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for (resumption, promised) in [
        (Resumption::tickets(TicketKeys::rotating()), 24 * HOUR),
        (Resumption::tickets(TicketKeys::rotating()).lifetime(HOUR), HOUR),
        (Resumption::tickets(TicketKeys::rotate_every(HOUR)), 2 * HOUR),
        // Where clocks of a fleet differ, a promise must not be broken by one that is ahead.
        (Resumption::tickets(TicketKeys::fleet(seed)), 2 * HOUR - minutes(10)),
        (Resumption::tickets(TicketKeys::given([7; 32], NONE).unwrap()).lifetime(HOUR), HOUR - minutes(10)),
        (Resumption::tickets(TicketKeys::given([7; 32], NONE).unwrap()).lifetime(minutes(20)), minutes(15)),
    ] {
        let (client, server, hand) = timed_tls12(resumption);
        let first = session(&client, &server);
        assert_eq!(inner(&first).lifetime, promised);
        hand.advance(promised - Duration::from_secs(1));
        assert!(resumes_with(&client, &server, first), "{promised:?}");
    }
}

#[test]
fn a_renewed_ticket_of_tls12_lives_as_long_as_the_old_would_have() {
    let old_key = || Resumption::tickets(TicketKeys::rotate_every(HOUR));
    for resumption in [old_key(), old_key().max_since_verified(2 * HOUR)] {
        let (client, server, hand) = timed_tls12(resumption);
        let first = session(&client, &server);
        hand.advance(HOUR * 3 / 2);
        let name = ServerName::try_from(NAME).unwrap();
        let mut end = ClientConnection::with_session(&client, name, copy(&first)).unwrap();
        handshake(&mut end, &mut ServerConnection::new(&server)).unwrap();
        let renewed = end.take_session().expect("another ticket");
        assert_eq!(renewed.ends_at(), first.ends_at());
        hand.advance(HOUR / 2 - Duration::from_secs(1));
        assert!(resumes_with(&client, &server, renewed));
        hand.advance(Duration::from_secs(1));
        assert!(!resumes_with(&client, &server, first), "its time is over");
    }
}

/// Runs a handshake whose server answers what it is asked by `answer`.
fn asked(
    client: &mut ClientConnection,
    server: &mut ServerConnection,
    mut answer: impl FnMut(&mut ServerConnection, Need),
) {
    for _ in 0..10 {
        let mut bytes = common::drain(client);
        loop {
            let fed = feed(server, &bytes).unwrap();
            bytes = fed.rest;
            let waits = !fed.needs.is_empty();
            fed.needs.into_iter().for_each(|need| answer(server, need));
            if !waits && bytes.is_empty() {
                break;
            }
        }
        let bytes = common::drain(server);
        feed(client, &bytes).unwrap();
        if !client.is_handshaking() && !server.is_handshaking() {
            return;
        }
    }
    panic!("the handshake does not end");
}

#[test]
fn a_caller_seals_and_finds_tls13_sessions_by_itself() {
    let resumption = Resumption::elsewhere().tickets_per_connection(3);
    let server_config = server_config().resumption(resumption).build().unwrap();
    let client_config = client_config().hand_out_sessions().build().unwrap();
    let (mut client, mut server) = common::ends(&client_config, &server_config);
    handshake(&mut client, &mut server).unwrap();
    assert!(client.take_session().is_none(), "no ticket by itself");
    let mut tickets = server.take_tickets();
    assert_eq!(tickets.len(), 3);
    assert!(server.take_tickets().is_empty());
    let ticket = tickets.pop().unwrap();
    let kept = ticket.session().to_bytes().unwrap();
    // Sealing takes its time, and data flows meanwhile.
    let data = common::seal(&mut server, b"data");
    assert_eq!(feed(&mut client, &data).unwrap().data, b"data");
    assert!(matches!(server.send_ticket(tickets.pop().unwrap(), b""), Err(SealError::BadTicket)));
    server.send_ticket(ticket, b"key of mine").unwrap();
    common::deliver(&mut server, &mut client);
    let session = client.take_session().unwrap();
    assert_eq!(inner(&session).ticket, b"key of mine");

    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::with_session(&client_config, name, session).unwrap();
    let mut server = ServerConnection::new(&server_config);
    let mut asked_for = Vec::new();
    asked(&mut client, &mut server, |server, need| {
        let Need::FindSession(token) = need else { panic!("{need:?}") };
        let Some(SessionOffer::PskIdentity { identity, .. }) = token.offers().next() else { panic!() };
        asked_for.push(identity.to_vec());
        let session = Session::from_bytes(&kept).unwrap();
        server.answer(token.found(0, Psk::Session(Box::new(session)))).unwrap();
    });
    assert_eq!(asked_for, [b"key of mine"]);
    assert!(is_resumed(&(client, server)));
}

#[test]
fn a_caller_seals_and_finds_tls12_tickets_by_itself() {
    let tls12 = ProtocolVersion::TLS1_2;
    let resumption = Resumption::elsewhere().tls12_tickets(true);
    let server_config = server_config().versions(tls12, tls12).resumption(resumption).build().unwrap();
    let client_config = client_config().versions(tls12, tls12).hand_out_sessions().tls12_tickets(true);
    let client_config = client_config.build().unwrap();
    let mut kept = None;
    let (mut client, mut server) = common::ends(&client_config, &server_config);
    asked(&mut client, &mut server, |server, need| match need {
        Need::SealTicket(token) => {
            kept = Some(token.session.to_bytes().unwrap());
            server.answer(token.answer(Some(b"key of mine".to_vec()))).unwrap();
        }
        Need::FindSession(token) => drop(server.answer(token.none()).unwrap()),
        need => panic!("{need:?}"),
    });
    let session = client.take_session().unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    let mut client = ClientConnection::with_session(&client_config, name, session).unwrap();
    let mut server = ServerConnection::new(&server_config);
    asked(&mut client, &mut server, |server, need| match need {
        Need::FindSession(token) => {
            let at = token.offers().position(|offer| offer == SessionOffer::Ticket(b"key of mine"));
            let session = Session::from_bytes(kept.as_ref().unwrap()).unwrap();
            server.answer(token.found(at.unwrap(), Psk::Session(Box::new(session)))).unwrap();
        }
        need => panic!("{need:?}"),
    });
    assert!(is_resumed(&(client, server)));
}

#[test]
fn a_caller_can_judge_every_session() {
    let server_config = server_config().ask(&[Decision::AcceptSession]).build().unwrap();
    let client_config = client_config().build().unwrap();
    for (accept, resumed) in [(true, false), (true, true), (false, false)] {
        let (mut client, mut server) = common::ends(&client_config, &server_config);
        asked(&mut client, &mut server, |server, need| {
            let Need::AcceptSession(token) = need else { panic!("{need:?}") };
            if accept {
                server.answer_as_configured(Need::AcceptSession(token)).unwrap();
            } else {
                server.answer(token.decline()).unwrap();
            }
        });
        assert_eq!(is_resumed(&(client, server)), resumed);
    }
}
