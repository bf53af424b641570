//! T11: a session is resumed, or its client goes to a full handshake.

use super::*;

#[test]
fn every_row_yields_what_it_says_by_id_and_by_ticket() {
    for by in BOTH {
        let (made, mut pair, hello) = ready(by, &sessions::nothing);
        asked(&mut pair, &hello);
        let need = pair.server.find();
        let session_id = made.session().session_id;
        let offered = match by {
            By::Id => SessionOffer::SessionId(&session_id),
            By::Ticket => SessionOffer::Ticket(TICKET),
        };
        assert!(need.offers().eq([offered]));
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
        let (made, mut pair, hello) = ready(by, &|_, server, _| server.client_auth = ClientAuth::Required);
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
    assert!(pair.server.find().offers().eq([SessionOffer::SessionId(&id)]));
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
