//! T11 at the server, and what T10.7 hands out: TLS 1.2 sessions by ID and by ticket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use common::{Message, NOW, Pair, edit};
use oxtls_crypto::hash::Hash;
use oxtls_crypto::secret::Secret;
use oxtls_handshake::config::ClientAuth;
use oxtls_handshake::defaults;
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::server_hello::DOWNGRADE_TLS12;
use oxtls_handshake::message::tls12::new_session_ticket::NewSessionTicket;
use oxtls_handshake::need::{Answer, Need, SealTicket, SessionOffer};
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Input, Level, Misuse, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use sessions::{Change, Made, offering, pair, tls12};

const STREAM: Transport = Transport::Stream;
const TICKET: &[u8] = b"ticket of old";

/// How the client's session is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Id,
    Ticket,
}

const BOTH: [By; 2] = [By::Id, By::Ticket];

fn change_to<'a>(
    by: By,
    change: Change<'a>,
) -> impl Fn(
    &mut oxtls_handshake::config::ClientHandshake,
    &mut oxtls_handshake::config::ServerHandshake,
    &mut oxtls_handshake::config::Common,
) + 'a {
    move |client, server, common| {
        tls12(common);
        client.tls12_tickets = by == By::Ticket;
        server.tls12_tickets = by == By::Ticket;
        change(client, server, common);
    }
}

fn seal(pair: &mut Pair) -> SealTicket {
    match pair.server.need.take() {
        Some(Need::SealTicket(need)) => need,
        other => panic!("SealTicket is due, not {other:?}"),
    }
}

/// Runs a full handshake up to where the server asks for a ticket, or to the end.
fn full(pair: &mut Pair) {
    pair.client.settle();
    pair.server.settle();
    loop {
        if matches!(pair.server.need, Some(Need::SealTicket(_))) {
            return;
        }
        if pair.server.need.is_some() {
            pair.server.answer();
        } else if pair.client.need.is_some() {
            pair.client.answer();
        } else if let Some(message) = pair.client.sent.pop_front() {
            pair.server.give(&message);
        } else if let Some(message) = pair.server.sent.pop_front() {
            pair.client.give(&message);
        } else {
            return;
        }
    }
}

/// A session as both ends have it.
fn made(by: By, change: Change<'_>) -> Made {
    let mut pair = pair(&STREAM, &change_to(by, change));
    full(&mut pair);
    let server = if by == By::Ticket {
        let need = seal(&mut pair);
        let bytes = need.session.to_bytes().unwrap().to_vec();
        let answer = need.answer(Some(TICKET.to_vec()));
        pair.server.take_answer(answer);
        full(&mut pair);
        assert!(pair.server.outcome().session.is_none());
        bytes
    } else {
        pair.server.outcome().session.as_ref().expect("a session is made").to_bytes().unwrap().to_vec()
    };
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    let (outcome, _) = pair.client.done.take().unwrap();
    let session = outcome.session.expect("the client has a session");
    Made { client: Arc::new(Psk::Session(session)), server }
}

/// A session, a server, and a hello that offers it.
fn ready(by: By, change: Change<'_>) -> (Made, Pair, Message) {
    let made = made(by, &sessions::nothing);
    let (pair, hello) = offering(&made, &STREAM, &change_to(by, change));
    (made, pair, hello)
}

fn asked(pair: &mut Pair, hello: &Message) {
    assert_eq!(pair.server.give(hello), ["?ChooseConfig"]);
    assert_eq!(pair.server.answer(), ["?FindSession"]);
}

/// The session is resumed and our flight is out.
fn resumed(by: By) -> (Made, Pair) {
    let (made, mut pair, hello) = ready(by, &sessions::nothing);
    asked(&mut pair, &hello);
    assert_eq!(pair.server.found(made.psk()), ["?AcceptSession"]);
    pair.server.resume(false);
    (made, pair)
}

fn finish(pair: &mut Pair) {
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
}

mod t10_sessions_of_full_handshakes {
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
}

mod t11_abbreviated {
    use super::*;

    #[test]
    fn every_row_yields_what_it_says_by_id_and_by_ticket() {
        for by in BOTH {
            let (made, mut pair, hello) = ready(by, &sessions::nothing);
            asked(&mut pair, &hello);
            let need = pair.server.find();
            let offered = match by {
                By::Id => SessionOffer::SessionId(made.session().session_id),
                By::Ticket => SessionOffer::Ticket(TICKET.to_vec()),
            };
            assert_eq!(need.offers, [offered]);
            let answer = need.found(0, made.psk());
            assert_eq!(pair.server.take_answer(answer), ["?AcceptSession"]);
            let need = pair.server.accept();
            assert!(need.early_data.is_none() && need.age_skew == 0);
            let answer = need.resume(false);
            let row = pair.server.take_answer(answer);
            assert_eq!(row, ["S(ServerHello)@In", "R(del,no)", "CCS", "W:Ap", "S(Finished)@Ap"]);
            let names: Vec<String> = pair.server.sent.iter().map(Message::name).collect();
            assert_eq!(names, ["ServerHello", "ChangeCipherSpec", "Finished"]);
            for _ in 0..3 {
                let message = pair.server.next_message();
                pair.client.give(&message);
            }
            let change = pair.client.next_message();
            assert_eq!(pair.server.give(&change), ["R:Ap", "R(del,no)"]);
            let finished = pair.client.next_message();
            assert_eq!(pair.server.give(&finished), ["R(del,yes)", "Done"]);
            assert!(pair.is_done());
        }
    }

    #[test]
    fn both_ends_agree_on_new_keys_of_the_same_secret() {
        for by in BOTH {
            let (made, mut pair) = resumed(by);
            finish(&mut pair);
            let (client, server) = (pair.client.outcome(), pair.server.outcome());
            assert!(server.exporter.is_some() && server.exporter == client.exporter);
            assert!(server.psk.is_some() && server.session.is_none(), "it is in the store already");
            assert!(server.group.is_none() && server.credential.is_none());
            assert_eq!(server.suite, made.session().suite);
            assert_eq!(server.alpn.as_deref(), Some(&b"h2"[..]));
            let master = &pair.server.key_log.iter().find(|(label, _)| *label == "CLIENT_RANDOM").unwrap().1;
            assert_eq!(master, made.secret().as_bytes());
        }
    }

    #[test]
    fn the_hello_has_the_clients_id_and_nothing_of_certificates() {
        for by in BOTH {
            let change: Change<'_> = &|_, _, common| {
                common.ocsp = true;
                common.sct = true;
                common.record_size_limit = Some(4096);
            };
            let (made, mut pair, hello) = ready(by, change);
            let id = common::Hello::of(&hello).session_id;
            assert_eq!(id.len(), 32);
            asked(&mut pair, &hello);
            pair.server.found(made.psk());
            let row = pair.server.resume(false);
            assert!(row.contains(&"Limits".to_owned()));
            let hello = common::Hello::of(&pair.server.sent[0]);
            assert_eq!(hello.session_id, id);
            let types: Vec<ExtensionType> = hello.extensions.iter().map(|(typ, _)| *typ).collect();
            assert_eq!(
                types,
                [
                    ExtensionType::RENEGOTIATION_INFO,
                    ExtensionType::EXTENDED_MASTER_SECRET,
                    ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
                    ExtensionType::RECORD_SIZE_LIMIT
                ]
            );
            finish(&mut pair);
        }
    }

    #[test]
    fn none_and_declined_both_lead_to_a_full_handshake_with_a_session_of_its_own() {
        for by in BOTH {
            for declined in [false, true] {
                let (made, mut pair, hello) = ready(by, &sessions::nothing);
                asked(&mut pair, &hello);
                let row = if declined {
                    pair.server.found(made.psk());
                    pair.server.decline()
                } else {
                    pair.server.none_found()
                };
                assert_eq!(row, ["?ChooseCredential"]);
                full(&mut pair);
                if by == By::Ticket {
                    let answer = seal(&mut pair).answer(Some(b"another".to_vec()));
                    pair.server.take_answer(answer);
                    full(&mut pair);
                }
                assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
                assert!(pair.server.outcome().psk.is_none());
                if by == By::Id {
                    let session = pair.server.outcome().session.as_ref().unwrap();
                    assert_ne!(session.session_id, made.session().session_id);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_resumed_here_is_as_none() {
        type Case = (&'static str, fn(&mut Session));
        let cases: &[Case] = &[
            ("a suite that is not offered", |s| s.suite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            ("another version", |s| s.version = ProtocolVersion::TLS1_3),
            ("another name", |s| s.server_name = Some("other.example".into())),
            ("its time is over", |s| s.lifetime = Duration::ZERO),
            ("its chain has ended", |s| s.expires_at = Some(NOW)),
            ("it is bound to no handshake", |s| s.extended_master_secret = false),
        ];
        for by in BOTH {
            for (what, change) in cases {
                let (made, mut pair, hello) = ready(by, &sessions::nothing);
                let hello = edit(&hello, |hello| {
                    hello.suites.retain(|suite| *suite != 0xc02f);
                });
                asked(&mut pair, &hello);
                assert_eq!(pair.server.found(made.changed(change)), ["?ChooseCredential"], "{what}");
            }
            let (_, mut pair, hello) = ready(by, &sessions::nothing);
            asked(&mut pair, &hello);
            let psk = Psk::External { secret: Secret::new(&[9; 32]).unwrap(), hash: Hash::Sha256 };
            assert_eq!(pair.server.found(psk), ["?ChooseCredential"]);
            let (made, mut pair, hello) =
                ready(by, &|_, server, _| server.client_auth = ClientAuth::Required);
            asked(&mut pair, &hello);
            assert_eq!(pair.server.found(made.psk()), ["?ChooseCredential"], "it has no certificate");
        }
    }

    /// A session is resumed under its own suite, also where another is preferred.
    #[test]
    fn the_suite_is_the_sessions() {
        let (made, mut pair, hello) = ready(By::Id, &sessions::nothing);
        asked(&mut pair, &hello);
        let other = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
        assert_ne!(made.session().suite, other);
        pair.server.found(made.changed(|session| session.suite = other));
        pair.server.resume(false);
        assert_eq!(common::Hello::of(&pair.server.next_message()).suites, [other.0]);
    }

    /// RFC 7627 section 5.3: who takes the extension out of the hello gets neither kind of handshake.
    #[test]
    fn a_bound_session_is_not_resumed_by_a_hello_that_binds_nothing() {
        for by in BOTH {
            let (made, mut pair, hello) =
                ready(by, &|_, _, common| common.require_extended_master_secret = false);
            let hello = edit(&hello, |hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET));
            asked(&mut pair, &hello);
            assert_eq!(pair.server.found(made.psk()), ["Failed(handshake_failure)@In"]);
            assert!(matches!(pair.server.error(), Error::NoExtendedMasterSecret));
        }
    }

    fn opted_out(
        _: &mut oxtls_handshake::config::ClientHandshake,
        _: &mut oxtls_handshake::config::ServerHandshake,
        common: &mut oxtls_handshake::config::Common,
    ) {
        common.require_extended_master_secret = false;
        common.resume_unbound_sessions = true;
    }

    /// RFC 7627 section 5.3, where the server has opted for it: a session without the extension is resumed by a client
    /// without it, and never by one that could make a better one.
    #[test]
    fn an_unbound_session_is_resumed_by_a_hello_that_binds_nothing_where_that_is_wanted() {
        let forgotten = |made: &Made| {
            made.changed(|session| {
                session.extended_master_secret = false;
                session.peer = None;
            })
        };
        for by in BOTH {
            let (made, mut pair, hello) = ready(by, &opted_out);
            asked(&mut pair, &hello);
            assert_eq!(pair.server.found(forgotten(&made)), ["?ChooseCredential"], "a full handshake");
            let (made, mut pair, hello) = ready(by, &opted_out);
            let hello = edit(&hello, |hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET));
            asked(&mut pair, &hello);
            assert_eq!(pair.server.found(forgotten(&made)), ["?AcceptSession"]);
            pair.server.resume(false);
            let answer = common::Hello::of(&pair.server.next_message());
            assert_eq!(answer.session_id, common::Hello::of(&hello).session_id);
            let bound = |(typ, _): &(ExtensionType, Vec<u8>)| *typ == ExtensionType::EXTENDED_MASTER_SECRET;
            assert!(!answer.extensions.iter().any(bound));
        }
    }

    #[test]
    fn an_unbound_session_says_nothing_of_who_a_client_is_and_is_not_resumed_without_being_wanted() {
        let only_allowed: Change<'_> = &|_, _, common| common.require_extended_master_secret = false;
        let asks_for_clients: Change<'_> = &|client, server, common| {
            opted_out(client, server, common);
            server.client_auth = ClientAuth::Optional;
        };
        let wanted: Change<'_> = &opted_out;
        let peer = Some(oxtls_handshake::outcome::PeerCertificates {
            chain: vec![vec![0x30].into()].into(),
            ocsp: None,
            scts: None,
        });
        for (change, peer) in [(only_allowed, None), (asks_for_clients, None), (wanted, peer)] {
            for by in BOTH {
                let (made, mut pair, hello) = ready(by, change);
                let hello = edit(&hello, |hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET));
                asked(&mut pair, &hello);
                let found = made.changed(|session| {
                    session.extended_master_secret = false;
                    session.peer.clone_from(&peer);
                });
                assert_eq!(pair.server.found(found), ["?ChooseCredential"]);
            }
        }
    }

    /// What is kept of a handshake without the extension: by either name, and only where no client is asked who it is.
    #[test]
    fn an_unbound_session_is_made_where_that_is_wanted_and_nobody_is_asked_who_he_is() {
        for by in BOTH {
            for (client_auth, kept) in [(ClientAuth::None, true), (ClientAuth::Optional, false)] {
                let mut pair = pair(
                    &STREAM,
                    &change_to(by, &|client, server, common| {
                        opted_out(client, server, common);
                        server.client_auth = client_auth;
                    }),
                );
                pair.client.drain();
                pair.server.drain();
                let hello = pair.client.next_message();
                let hello = edit(&hello, |hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET));
                pair.server.give(&hello);
                assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
                pair.server.answer();
                let hello = common::Hello::of(&pair.server.next_message());
                let ticket = hello.extensions.iter().any(|(typ, _)| *typ == ExtensionType::SESSION_TICKET);
                assert_eq!(kept, ticket || !hello.session_id.is_empty(), "{by:?}");
            }
        }
    }

    #[test]
    fn a_ticket_goes_before_an_id_and_a_long_one_is_not_looked_at() {
        let (_, mut pair, hello) = ready(By::Ticket, &sessions::nothing);
        let long = vec![7; defaults::MAX_TICKET + 1];
        let long = edit(&hello, |hello| hello.set(ExtensionType::SESSION_TICKET, &long));
        pair.server.give(&long);
        assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
        // Where tickets are off, the ID that came with one may be of a session.
        let (_, mut pair, hello) = ready(By::Ticket, &|_, server, _| server.tls12_tickets = false);
        asked(&mut pair, &hello);
        let id = common::Hello::of(&hello).session_id;
        assert_eq!(pair.server.find().offers, [SessionOffer::SessionId(id)]);
    }

    #[test]
    fn a_ticket_without_an_id_is_resumed_without_one() {
        let (made, mut pair, hello) = ready(By::Ticket, &sessions::nothing);
        let hello = edit(&hello, |hello| hello.session_id = Vec::new());
        asked(&mut pair, &hello);
        pair.server.found(made.psk());
        pair.server.resume(false);
        assert!(common::Hello::of(&pair.server.next_message()).session_id.is_empty());
    }

    #[test]
    fn a_server_of_both_versions_marks_the_downgrade_here_too() {
        let both: Change<'_> = &|client, _, common| {
            common.max_version = ProtocolVersion::TLS1_3;
            client.resumption = true;
        };
        let (made, mut pair, hello) = ready(By::Id, both);
        let hello = edit(&hello, |hello| hello.remove(ExtensionType::SUPPORTED_VERSIONS));
        asked(&mut pair, &hello);
        pair.server.found(made.psk());
        pair.server.resume(false);
        assert!(common::Hello::of(&pair.server.next_message()).random.ends_with(&DOWNGRADE_TLS12));
    }
}

mod t11_renewal {
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
}

mod hostile {
    use super::*;

    #[test]
    fn nothing_but_a_change_of_key_follows_our_flight() {
        for by in BOTH {
            for typ in 0..=255 {
                let (_, mut pair) = resumed(by);
                let message = Message::new(Level::Initial, HandshakeType(typ), &[0; 12]);
                assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"], "{typ}");
            }
            let (_, mut pair) = resumed(by);
            let row = pair.server.give_with(&Message::change_cipher_spec(), true);
            assert_eq!(row, ["Failed(unexpected_message)@Ap"], "inside a message");
        }
    }

    #[test]
    fn nothing_but_finished_follows_the_change_of_key() {
        for by in BOTH {
            for typ in (0..=255).filter(|typ| *typ != HandshakeType::FINISHED.0) {
                let (_, mut pair) = resumed(by);
                pair.server.give(&Message::change_cipher_spec());
                let message = Message::new(Level::Application, HandshakeType(typ), &[]);
                assert_eq!(pair.server.give(&message), ["Failed(unexpected_message)@Ap"], "{typ}");
            }
            let (_, mut pair) = resumed(by);
            pair.server.give(&Message::change_cipher_spec());
            assert_eq!(pair.server.give(&Message::change_cipher_spec()), ["Failed(unexpected_message)@Ap"]);
            let (_, mut pair) = resumed(by);
            pair.server.give(&Message::change_cipher_spec());
            let finished = Message::new(Level::Application, HandshakeType::FINISHED, &[0; 12]);
            assert_eq!(pair.server.give_with(&finished, true), ["Failed(unexpected_message)@Ap"]);
        }
    }

    /// Who has found a ticket has not found its secret.
    #[test]
    fn a_client_without_the_secret_is_not_let_in() {
        for by in BOTH {
            let (made, mut pair, hello) = ready(by, &sessions::nothing);
            asked(&mut pair, &hello);
            pair.server.found(made.changed(|session| session.secret = Secret::new(&[1; 48]).unwrap()));
            pair.server.resume(false);
            pair.server.give(&Message::change_cipher_spec());
            let finished = Message::new(Level::Application, HandshakeType::FINISHED, &[0; 12]);
            assert_eq!(pair.server.give(&finished), ["Failed(decrypt_error)@Ap"]);
            assert!(matches!(pair.server.error(), Error::BadFinished) && pair.server.done.is_none());
        }
    }

    #[test]
    fn a_session_whose_secret_is_no_master_secret_is_our_own_fault() {
        let (made, mut pair, hello) = ready(By::Id, &sessions::nothing);
        asked(&mut pair, &hello);
        pair.server.found(made.changed(|session| session.secret = Secret::new(&[1; 32]).unwrap()));
        let row = pair.server.resume(false);
        assert_eq!(row.last().unwrap(), "Failed(internal_error)@In");
    }

    /// Any byte of either flight changed: one end or the other says no.
    #[test]
    fn an_abbreviated_handshake_that_was_changed_is_never_accepted() {
        for by in BOTH {
            let (made, mut honest, hello) = ready(by, &sessions::nothing);
            asked(&mut honest, &hello);
            honest.server.found(made.psk());
            honest.server.resume(false);
            let flight: Vec<Message> = honest.server.sent.iter().cloned().collect();
            for (n, message) in
                flight.iter().enumerate().filter(|(_, m)| **m != Message::change_cipher_spec())
            {
                for at in (4..message.bytes.len()).step_by(3) {
                    let (made, mut pair, hello) = ready(by, &sessions::nothing);
                    asked(&mut pair, &hello);
                    pair.server.found(made.psk());
                    pair.server.resume(false);
                    if let Some(byte) = pair.server.sent[n].bytes.get_mut(at) {
                        *byte ^= 1;
                    }
                    pair.run();
                    assert!(!pair.is_done(), "byte {at} of {}", message.name());
                }
            }
        }
    }
}

mod suspension {
    use super::*;

    const STOPS: [&str; 4] = ["FindSession", "AcceptSession", "SealTicket", "Renewal"];

    fn at(stop: &str) -> (Made, Pair) {
        let (made, mut pair, hello) = ready(By::Ticket, &sessions::nothing);
        match stop {
            "SealTicket" => {
                asked(&mut pair, &hello);
                pair.server.none_found();
                full(&mut pair);
            }
            _ => {
                asked(&mut pair, &hello);
                if stop != "FindSession" {
                    pair.server.found(made.psk());
                }
                if stop == "Renewal" {
                    let answer = pair.server.accept().renew();
                    pair.server.take_answer(answer);
                }
            }
        }
        assert!(pair.server.need.is_some());
        (made, pair)
    }

    fn right(made: &Made, pair: &mut Pair) -> Answer {
        match pair.server.need.take().unwrap() {
            Need::FindSession(need) => need.found(0, made.psk()),
            Need::AcceptSession(need) => need.resume(false),
            Need::SealTicket(need) => need.answer(Some(TICKET.to_vec())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_taken_while_a_need_is_out_and_the_answer_goes_on() {
        for stop in STOPS {
            let (made, mut pair) = at(stop);
            assert_eq!(pair.server.offer(&Message::change_cipher_spec(), false), Err(Misuse::NeedIsOut));
            let any = Message::new(Level::Application, HandshakeType::FINISHED, &[0; 12]);
            assert_eq!(pair.server.offer(&any, false), Err(Misuse::NeedIsOut));
            let answer = right(&made, &mut pair);
            pair.server.take_answer(answer);
            if stop == "FindSession" {
                pair.server.resume(false);
            }
            finish(&mut pair);
        }
    }

    #[test]
    fn an_abort_fails_in_the_clear_and_a_late_answer_harms_nothing() {
        for stop in STOPS {
            let (made, mut pair) = at(stop);
            let late = right(&made, &mut pair);
            assert_eq!(pair.server.abort(Error::DeadlineExceeded), ["Failed(user_canceled)@In"], "{stop}");
            assert_eq!(pair.server.machine.input(Input::Answer(late)), Err(Misuse::Ended));
            assert!(pair.server.drain().is_empty() && pair.server.done.is_none());
        }
    }

    #[test]
    fn an_answer_to_another_need_is_refused_and_the_right_one_still_taken() {
        for stop in STOPS {
            for other in STOPS {
                let (made, mut elsewhere) = at(other);
                let stale = right(&made, &mut elsewhere);
                let (made, mut pair) = at(stop);
                let refused = pair.server.machine.input(Input::Answer(stale));
                assert_eq!(refused, Err(Misuse::StaleAnswer), "{other} at {stop}");
                let answer = right(&made, &mut pair);
                assert_eq!(pair.server.machine.input(Input::Answer(answer)), Ok(()));
            }
        }
    }

    #[test]
    fn a_dropped_token_leaves_only_the_abort() {
        for stop in STOPS {
            let (_, mut pair) = at(stop);
            drop(pair.server.need.take());
            assert_eq!(pair.server.abort(Error::Canceled), ["Failed(user_canceled)@In"]);
        }
    }
}
