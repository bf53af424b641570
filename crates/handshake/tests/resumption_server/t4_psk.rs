//! T4: a session is looked for, proved by its binder, and resumed.

use super::*;

#[test]
fn every_row_of_a_resumption_yields_what_it_says() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    let need = pair.server.find();
    let session = made.session();
    assert!(need.offers().eq([identity(TICKET, session.age_add)]), "the ticket is as old as the test");
    assert_eq!(need.hash, Hash::Sha256);
    let answer = need.found(0, made.psk());
    assert_eq!(pair.server.take_answer(answer), ["?AcceptSession"]);
    let need = pair.server.accept();
    assert!(need.early_data.is_none() && need.age_skew == 0);
    assert!(matches!(&*need.psk, Psk::Session(session) if session.secret == made.secret()));
    let answer = need.resume(false);
    assert_eq!(pair.server.take_answer(answer), RESUMED);
    let names: Vec<String> = pair.server.sent.iter().map(Message::name).collect();
    assert_eq!(names, ["ServerHello", "EncryptedExtensions", "Finished"]);
    for _ in 0..3 {
        let message = pair.server.next_message();
        pair.client.give(&message);
    }
    let finished = pair.client.next_message();
    assert_eq!(pair.server.give(&finished), ["R:Ap", "R(del,yes)", "Done"]);
    assert!(pair.is_done());
}

#[test]
fn both_ends_have_the_same_keys_and_say_what_was_resumed() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    pair.server.found(made.psk());
    pair.server.resume(false);
    finish(&mut pair);
    let (client, server) = (pair.client.outcome(), pair.server.outcome());
    assert!(client.psk.is_some() && server.psk.is_some() && !server.early_data);
    assert!(server.credential.is_none() && server.signature_scheme.is_none() && server.peer.is_none());
    assert_eq!((server.suite, server.group), (client.suite, client.group));
    assert_eq!((&server.alpn, &server.server_name), (&client.alpn, &client.server_name));
    assert!(server.exporter.is_some() && server.exporter == client.exporter);
    for level in [Level::Handshake, Level::Application] {
        let (read, write) = (Direction::Read, Direction::Write);
        assert_eq!(pair.client.key(level, write), pair.server.key(level, read));
        assert_eq!(pair.client.key(level, read), pair.server.key(level, write));
    }
}

#[test]
fn the_name_is_acknowledged_in_full_handshakes_alone() {
    for resumed in [false, true] {
        let (mut pair, made) = if resumed {
            let (made, mut pair, hello) = ready(&nothing);
            asked(&mut pair, &hello);
            pair.server.found(made.psk());
            pair.server.resume(false);
            (pair, Some(made))
        } else {
            (pair(&STREAM, &nothing), None)
        };
        let mut acknowledged = None;
        pair.run_with(|_, message| {
            if message.typ_is(HandshakeType::ENCRYPTED_EXTENSIONS) {
                let extensions = split_extensions(message.body());
                acknowledged = Some(extensions.iter().any(|(typ, _)| *typ == ExtensionType::SERVER_NAME));
            }
        });
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(acknowledged, Some(!resumed), "RFC 6066 section 3");
        drop(made);
    }
}

#[test]
fn a_session_of_a_session_goes_back_to_the_same_proof() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    let proved = made.session().verified_at - Duration::from_secs(1000);
    pair.server.found(made.changed(|session| session.verified_at = proved));
    pair.server.resume(false);
    finish(&mut pair);
    let next = ticket_of(&mut pair).session();
    assert_eq!((next.verified_at, next.made_at), (proved, NOW));
    assert_ne!(next.secret, made.secret());
}

#[test]
fn a_ticket_that_is_made_late_is_of_the_handshake_all_the_same() {
    let mut pair = pair(&STREAM, &nothing);
    finish(&mut pair);
    let tickets = pair.server.done.as_mut().unwrap().1.tickets.as_mut().unwrap();
    let ticket = tickets.next(NOW + Duration::from_secs(5000)).unwrap();
    assert_eq!(ticket.session().made_at, NOW + Duration::from_secs(5000));
    assert_eq!(ticket.session().verified_at, NOW, "nobody has proved anything since");
}

#[test]
fn who_the_client_was_it_still_is() {
    let required: Change<'_> = &|client, server, _| {
        client.early_data = false;
        server.client_auth = ClientAuth::Required;
    };
    let made = made(&STREAM, required);
    let chain = made.session().peer.expect("the ticket holds the client's chain");
    let (mut pair, hello) = offering(&made, &STREAM, required);
    asked(&mut pair, &hello);
    pair.server.found(made.psk());
    let row = pair.server.resume(false);
    assert_eq!(row, RESUMED, "no certificate is asked for again");
    let mode = pair.server.read_mode.unwrap();
    assert_eq!(mode.max_message, defaults::MAX_SHORT_MESSAGE, "so none is held");
    finish(&mut pair);
    assert_eq!(pair.server.outcome().peer.as_ref(), Some(&chain));
    assert!(pair.server.outcome().peer_signature_scheme.is_none());
}

#[test]
fn none_and_declined_both_lead_to_a_full_handshake() {
    for declined in [false, true] {
        let (made, mut pair, hello) = ready(&nothing);
        asked(&mut pair, &hello);
        let row = if declined {
            pair.server.found(made.psk());
            pair.server.decline()
        } else {
            pair.server.none_found()
        };
        assert_eq!(row, ["?ChooseCredential"]);
        finish(&mut pair);
        assert!(pair.server.outcome().psk.is_none() && pair.server.outcome().credential.is_some());
        assert!(pair.client.outcome().psk.is_none() && pair.client.outcome().peer.is_some());
    }
}

#[test]
fn what_cannot_be_resumed_here_is_as_none() {
    type Case = (&'static str, fn(&Made) -> (usize, Psk));
    let cases: &[Case] = &[
        ("another hash", |m| (0, m.changed(|s| s.suite = CipherSuite::TLS_AES_256_GCM_SHA384))),
        ("another version", |m| (0, m.changed(|s| s.version = ProtocolVersion::TLS1_2))),
        ("another name", |m| (0, m.changed(|s| s.server_name = Some("other.example".into())))),
        ("no name", |m| (0, m.changed(|s| s.server_name = None))),
        ("its lifetime is over", |m| (0, m.changed(|s| s.lifetime = Duration::ZERO))),
        ("its chain has ended", |m| (0, m.changed(|s| s.expires_at = Some(NOW)))),
        ("an external PSK of another hash", |_| {
            let secret = Secret::new(&[9; 48]).unwrap();
            (0, Psk::External { secret, hash: Hash::Sha384 })
        }),
        ("an offer that is not there", |m| (1, m.psk())),
    ];
    for (what, case) in cases {
        let (made, mut pair, hello) = ready(&nothing);
        asked(&mut pair, &hello);
        let (at, psk) = case(&made);
        let answer = pair.server.find().found(at, psk);
        assert_eq!(pair.server.take_answer(answer), ["?ChooseCredential"], "{what}");
        finish(&mut pair);
        assert!(pair.server.outcome().psk.is_none(), "{what}");
    }
}

#[test]
fn a_session_of_a_suite_that_is_no_longer_offered_is_as_none() {
    let of_chacha = |made: &Made| made.changed(|s| s.suite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256);
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    assert_eq!(pair.server.found(of_chacha(&made)), ["?AcceptSession"], "offered");
    // The binder is over the hello as it is: no session is looked at behind it.
    let (made, mut pair, hello) = ready(&nothing);
    let hello = rebound(&hello, &made, |hello| hello.suites = vec![CipherSuite::TLS_AES_128_GCM_SHA256.0]);
    asked(&mut pair, &hello);
    assert_eq!(pair.server.found(of_chacha(&made)), ["?ChooseCredential"], "not offered");
}

#[test]
fn a_session_without_a_certificate_is_none_where_one_is_required() {
    let (made, mut pair, hello) = ready(&|_, server, _| server.client_auth = ClientAuth::Required);
    asked(&mut pair, &hello);
    assert_eq!(pair.server.found(made.psk()), ["?ChooseCredential"]);
}

#[test]
fn a_name_is_the_same_in_capitals() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    let psk = made.changed(|session| session.server_name = Some("SERVER.example".into()));
    assert_eq!(pair.server.found(psk), ["?AcceptSession"]);
}

/// Both say so: the ticket, and the configuration that is resumed under.
#[test]
fn another_name_is_as_good_where_the_ticket_and_the_configuration_say_so() {
    for (ticket, config, resumed) in [(true, true, true), (true, false, false), (false, true, false)] {
        let (made, mut pair, hello) = ready(&|_, server, _| server.resumption_across_names = config);
        asked(&mut pair, &hello);
        let psk = made.changed(|session| {
            session.server_name = Some("other.example".into());
            session.resumption_across_names = ticket;
        });
        let expected = if resumed { "?AcceptSession" } else { "?ChooseCredential" };
        assert_eq!(pair.server.found(psk), [expected], "{ticket} {config}");
    }
}

#[test]
fn a_binder_that_does_not_verify_ends_the_handshake_before_anybody_is_asked_to_accept() {
    let (made, mut pair, hello) = ready(&nothing);
    let mut wrong = hello.clone();
    *wrong.bytes.last_mut().unwrap() ^= 1;
    asked(&mut pair, &wrong);
    assert_eq!(pair.server.found(made.psk()), ["Failed(decrypt_error)@In"]);
    assert!(matches!(pair.server.error(), Error::BadBinder));

    // Of the right PSK over another hello, and of another PSK.
    let (_, mut pair, hello) = ready(&nothing);
    let other = edit(&hello, |hello| hello.random[0] ^= 1);
    asked(&mut pair, &other);
    assert_eq!(pair.server.found(made.psk()), ["Failed(decrypt_error)@In"]);
    let (_, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    let psk = made.changed(|session| session.secret = Secret::new(&[1; 32]).unwrap());
    assert_eq!(pair.server.found(psk), ["Failed(decrypt_error)@In"]);
}

#[test]
fn a_binder_longer_than_its_hash_does_not_verify() {
    let (made, mut pair, hello) = ready(&nothing);
    let longer = edit(&hello, |hello| {
        let mut offer = hello.get(ExtensionType::PRE_SHARED_KEY).to_vec();
        let at = offer.len() - 35;
        offer.splice(at..at + 3, [0, 34, 33]);
        offer.push(0);
        hello.set(ExtensionType::PRE_SHARED_KEY, &offer);
    });
    asked(&mut pair, &longer);
    assert_eq!(pair.server.found(made.psk()), ["Failed(decrypt_error)@In"]);
}

/// What is not resumed needs no binder: it might be of another server's ticket, and this one cannot tell.
#[test]
fn the_binders_of_what_is_not_found_are_not_looked_at() {
    let (_, mut pair, hello) = ready(&nothing);
    let mut wrong = hello.clone();
    *wrong.bytes.last_mut().unwrap() ^= 1;
    asked(&mut pair, &wrong);
    assert_eq!(pair.server.none_found(), ["?ChooseCredential"]);
}

#[test]
fn an_external_psk_has_a_binder_of_its_own() {
    let secret = Secret::new(&[9; 32]).unwrap();
    for (external, row) in [(true, "?AcceptSession"), (false, "Failed(decrypt_error)@In")] {
        let (_, mut pair, hello) = ready(&nothing);
        let hello = with_psks(&hello, &[], Hash::Sha256, &[(b"name", 0, &secret)], external);
        asked(&mut pair, &hello);
        let psk = Psk::External { secret: secret.duplicate(), hash: Hash::Sha256 };
        assert_eq!(pair.server.found(psk), [row]);
        if external {
            assert_eq!(pair.server.resume(true), RESUMED);
        }
    }
}

#[test]
fn the_one_that_was_found_is_selected_by_its_place_among_all_identities() {
    let (made, mut pair, hello) = ready(&nothing);
    let (ticket, age) = offered(&hello);
    let (other, right) = (Secret::new(&[1; 32]).unwrap(), made.secret());
    // The first is longer than what is looked at.
    let long = vec![7; defaults::MAX_TICKET + 1];
    let hello = with_psks(
        &hello,
        &[],
        Hash::Sha256,
        &[(&long, 0, &other), (b"not ours", 5, &other), (&ticket, age, &right)],
        false,
    );
    asked(&mut pair, &hello);
    let need = pair.server.find();
    assert!(need.offers().eq([identity(b"not ours", 5), identity(&ticket, age)]));
    let answer = need.found(1, made.psk());
    assert_eq!(pair.server.take_answer(answer), ["?AcceptSession"]);
    assert_eq!(pair.server.resume(false), RESUMED);
    let hello = pair.server.next_message();
    let extensions = split_extensions(&hello.body()[2 + 32 + 1 + 32 + 2 + 1..]);
    let selected = extensions.iter().find(|(typ, _)| *typ == ExtensionType::PRE_SHARED_KEY);
    assert_eq!(selected.unwrap().1, [0, 2]);
}

#[test]
fn identities_over_the_limit_are_not_looked_at() {
    let (_, mut pair, hello) = ready(&nothing);
    let secret = Secret::new(&[1; 32]).unwrap();
    let psks: Vec<(&[u8], u32, &Secret)> = (0..500).map(|n| (&b"ticket"[..], n, &secret)).collect();
    let hello = with_psks(&hello, &[], Hash::Sha256, &psks, false);
    asked(&mut pair, &hello);
    let need = pair.server.find();
    assert_eq!(need.offers().count(), defaults::MAX_PSK_IDENTITIES);
}

#[test]
fn nothing_is_looked_for_where_it_could_not_be_used() {
    // Without the wish for a key exchange, where no session is kept, and where all tickets are too long.
    let (made, mut pair, hello) = ready(&nothing);
    let psk_ke = rebound(&hello, &made, |hello| hello.set(ExtensionType::PSK_KEY_EXCHANGE_MODES, &[1, 0]));
    pair.server.give(&psk_ke);
    assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
    let (_, mut pair, hello) = ready(&|_, server, _| server.resumption = false);
    pair.server.give(&hello);
    assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
    let (_, mut pair, hello) = ready(&nothing);
    let (long, secret) = (vec![7; defaults::MAX_TICKET + 1], Secret::new(&[1; 32]).unwrap());
    let hello = with_psks(&hello, &[], Hash::Sha256, &[(&long, 0, &secret)], false);
    pair.server.give(&hello);
    assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
}

#[test]
fn a_declined_client_that_cannot_take_a_certificate_is_told_what_it_left_out() {
    let (made, mut pair, hello) = ready(&nothing);
    let bare = rebound(&hello, &made, |hello| hello.remove(ExtensionType::SIGNATURE_ALGORITHMS));
    asked(&mut pair, &bare);
    pair.server.found(made.psk());
    assert_eq!(pair.server.decline(), ["Failed(missing_extension)@In"]);
    // And one that is resumed needs none.
    let (_, mut pair, _) = ready(&nothing);
    asked(&mut pair, &bare);
    pair.server.found(made.psk());
    assert_eq!(pair.server.resume(false), RESUMED);
}

#[test]
fn renewal_means_nothing_here() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    pair.server.found(made.psk());
    let answer = pair.server.accept().renew();
    assert_eq!(pair.server.take_answer(answer), RESUMED);
}

#[test]
fn the_age_of_a_ticket_is_judged_by_when_the_hello_came() {
    let (made, mut pair, hello) = ready(&nothing);
    asked(&mut pair, &hello);
    // The server made it 3 s before the client got it.
    pair.server.found(made.changed(|session| session.made_at = NOW - ms(3000)));
    assert_eq!(pair.server.accept().age_skew, -3000);
}

#[test]
fn a_server_may_speak_first_to_a_client_that_resumes() {
    for auth in [ClientAuth::None, ClientAuth::Required] {
        let change: Change<'_> = &|client, server, _| {
            client.early_data = false;
            server.half_rtt = true;
            server.client_auth = auth;
        };
        let made = made(&STREAM, change);
        let (mut pair, hello) = offering(&made, &STREAM, change);
        asked(&mut pair, &hello);
        pair.server.found(made.psk());
        let row = pair.server.resume(false);
        assert_eq!(row.last().map(String::as_str), Some("HalfRtt"), "{auth:?}");
        finish(&mut pair);
    }
}
