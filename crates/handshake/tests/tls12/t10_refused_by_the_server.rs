use super::*;

#[track_caller]
fn refused(common: Common, change: impl FnOnce(&mut Hello)) -> End {
    let (hello, server) = before_the_hello(common);
    let server = hello_to(server, &edit(&hello, change));
    assert!(server.failure.is_some() && server.sent.is_empty());
    server
}

#[test]
fn a_client_without_extended_master_secret_unless_it_may() {
    let change = |hello: &mut Hello| hello.remove(EMS);
    let server = refused(tls12(), change);
    assert_eq!(server.alert(), HF);
    assert!(matches!(server.error(), Error::NoExtendedMasterSecret));
    assert_eq!(server.error().fault(), Fault::Incompatible);
    let (hello, server) = before_the_hello(Common { require_extended_master_secret: false, ..tls12() });
    server_hello(&hello_to(server, &edit(&hello, change)));
}

#[test]
fn a_renegotiation_info_that_is_of_a_renegotiation() {
    let server = refused(tls12(), |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[1, 0]));
    assert_eq!(server.alert(), HF);
    assert!(matches!(server.error(), Error::NoSecureRenegotiation));
}

#[test]
fn a_signalled_renegotiation_info_is_answered_and_none_is_not() {
    for (scsv, answered) in [(true, true), (false, false)] {
        let (hello, server) = before_the_hello(tls12());
        let hello = edit(&hello, |hello| {
            hello.remove(ExtensionType::RENEGOTIATION_INFO);
            hello.suites.retain(|suite| *suite != 0x00ff);
            hello.suites.extend(scsv.then_some(0x00ff));
        });
        let hello = server_hello(&hello_to(server, &hello));
        let found = hello.extensions.iter().find(|(typ, _)| *typ == ExtensionType::RENEGOTIATION_INFO);
        assert_eq!(found.map(|(_, data)| &data[..]), answered.then_some(&[0][..]));
    }
}

#[test]
fn a_fallback_from_a_version_that_both_speak() {
    let fall_back = |hello: &mut Hello| hello.suites.push(0x5600);
    let server = refused(both(TLS12, TLS13), fall_back);
    assert_eq!(server.alert(), AlertDescription::INAPPROPRIATE_FALLBACK);
    assert!(matches!(server.error(), Error::InappropriateFallback));
    let (hello, server) = before_the_hello(tls12());
    server_hello(&hello_to(server, &edit(&hello, fall_back)));
}

#[test]
fn compression_points_and_groups_that_nobody_has() {
    let server = refused(tls12(), |hello| hello.compression = vec![1]);
    assert_eq!(server.alert(), IP);
    let server = refused(tls12(), |hello| hello.set(ExtensionType::EC_POINT_FORMATS, &[1, 1]));
    assert_eq!(server.alert(), IP);
    let server = refused(tls12(), |hello| hello.remove(ExtensionType::SUPPORTED_GROUPS));
    assert_eq!(server.alert(), HF);
    // A hybrid is for TLS 1.3.
    let server = refused(tls12(), |hello| hello.set(ExtensionType::SUPPORTED_GROUPS, &[0, 2, 0x11, 0xec]));
    assert!(matches!(server.error(), Error::NoCommonGroup { .. }));
}

#[test]
fn other_compressions_beside_null_are_passed_over() {
    let (hello, server) = before_the_hello(tls12());
    let hello = edit(&hello, |hello| hello.compression = vec![1, 0]);
    assert_eq!(server_hello(&hello_to(server, &hello)).compression, [0]);
}

#[test]
fn suites_that_are_not_ecdhe_with_an_aead_are_named_in_the_error() {
    // CBC, static RSA, DHE, RC4, NULL.
    let server = refused(tls12(), |hello| hello.suites = vec![0xc013, 0x009c, 0x009e, 0x0005, 0x0001]);
    assert_eq!(server.alert(), HF);
    let Error::NoCommonSuite { peer } = server.error() else { panic!("{:?}", server.error()) };
    assert!(peer.to_string().contains("0xc013"), "{peer}");
    let server = refused(tls12(), |hello| hello.suites = vec![0x1301, 0x1302]);
    assert!(matches!(server.error(), Error::NoCommonSuite { .. }), "suites of another version");
}

/// Also by a client that offers TLS 1.3 beside it: this server does not speak that.
#[test]
fn what_only_tls13_demands_is_not_asked_of_a_hello_that_gets_tls12() {
    let Pair { mut client, server } = pair_of(both(TLS12, TLS13), tls12());
    client.drain();
    let hello = client.next_message();
    let hello = edit(&hello, |hello| {
        hello.compression = vec![1, 0];
        hello.remove(ExtensionType::KEY_SHARE);
    });
    let mut server = server;
    server.drain();
    let server = hello_to(server, &hello);
    assert_eq!(server_hello(&server).version, TLS12.0);
    // Who speaks it demands it.
    let mut newer = pair_of(tls12(), both(TLS12, TLS13)).server;
    newer.drain();
    let newer = hello_to(newer, &hello);
    assert_eq!(newer.alert(), IP);
}

#[test]
fn a_cookie_is_for_tls13_alone() {
    let (hello, mut server) = before_the_hello(tls12());
    server.answers.cookie = Some(b"crumb".to_vec());
    server_hello(&hello_to(server, &hello));
}

#[test]
fn a_client_of_old_is_told_what_would_have_worked() {
    let server = refused(both(TLS12, TLS13), |hello| {
        hello.version = 0x0301;
        hello.remove(ExtensionType::SUPPORTED_VERSIONS);
        hello.suites = vec![0xc013, 0x002f, 0x00ff];
    });
    let text = server.error().to_string();
    assert!(text.ends_with(
        "the peer offers only TLS 1.0 with CBC suites; this side takes TLS 1.2 with ECDHE AEAD suites and TLS 1.3"
    ), "{text}");
    let server = refused(tls12(), |hello| hello.suites = vec![0xc013, 0x00ff]);
    let text = server.error().to_string();
    assert!(text.contains("only CBC suites") && text.contains("takes TLS_ECDHE_ECDSA"), "{text}");
}

#[test]
fn sha1_alone_in_signatures() {
    let sha1 = [0, 4, 2, 1, 2, 3];
    let server = refused(tls12(), |hello| hello.set(ExtensionType::SIGNATURE_ALGORITHMS, &sha1));
    assert_eq!(server.alert(), HF);
    assert!(matches!(server.error(), Error::NoCommonSignatureScheme { .. }));
}

#[test]
fn a_server_whose_key_no_suite_fits() {
    let Pair { mut client, .. } = pair();
    client.drain();
    let mut server = a_server(tls12(), ClientAuth::None, credential(KeyAlgorithm::MlDsa65));
    server.drain();
    let server = hello_to(server, &client.next_message());
    assert_eq!(server.alert(), HF);
    assert!(matches!(server.error(), Error::NoCommonSignatureScheme { .. }));
}

#[test]
fn a_hello_that_more_follows() {
    let (hello, mut server) = before_the_hello(tls12());
    assert_eq!(server.give_with(&hello, true), [format!("Failed({UM})@In")]);
}

#[test]
fn a_change_of_key_that_comes_early_or_twice() {
    let change = Message::change_cipher_spec();
    let (_, mut server) = before_the_hello(tls12());
    refuses(&mut server, &[&change], UM);
    let mut pair = pair();
    second_flight(&mut pair);
    // No key has been exchanged: what was made from it would be known to everybody.
    refuses(&mut pair.server, &[&change], UM);
    assert!(matches!(pair.server.error(), Error::UnexpectedChangeCipherSpec));
    let mut pair = super::pair();
    let flight = second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[0], &change, &change], UM);
}

#[test]
fn a_change_of_key_amid_a_message_or_a_message_behind_the_key_exchange() {
    let mut pair = pair();
    let flight = second_flight(&mut pair);
    pair.server.give(&flight[0]);
    assert_eq!(pair.server.give_with(&flight[1], true), [format!("Failed({UM})@In")]);
    let mut pair = super::pair();
    let flight = second_flight(&mut pair);
    assert_eq!(pair.server.give_with(&flight[0], true), [format!("Failed({UM})@In")]);
}

#[test]
fn a_finished_in_the_clear_or_before_the_change_of_key() {
    let mut pair = pair();
    let flight = second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[0], &flight[2]], UM);
    let mut pair = super::pair();
    let flight = second_flight(&mut pair);
    let clear = Message { level: Level::Initial, ..flight[2].clone() };
    refuses(&mut pair.server, &[&flight[0], &flight[1], &clear], UM);
    assert!(matches!(pair.server.error(), Error::WrongLevel { .. }));
}

#[test]
fn a_finished_that_is_wrong_short_or_followed() {
    let mut pair = pair();
    let flight = second_flight(&mut pair);
    let mut body = flight[2].body().to_vec();
    body[0] ^= 1;
    let wrong = flight[2].with_body(&body);
    refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
    for length in [0, 11, 13] {
        let mut pair = super::pair();
        let flight = second_flight(&mut pair);
        let mut body = flight[2].body().to_vec();
        body.resize(length, 0);
        let wrong = flight[2].with_body(&body);
        refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
    }
    let mut pair = super::pair();
    let flight = second_flight(&mut pair);
    pair.server.give(&flight[0]);
    pair.server.give(&flight[1]);
    assert_eq!(pair.server.give_with(&flight[2], true), [format!("Failed({UM})@In")]);
}

#[test]
fn a_public_key_that_is_empty_cut_short_or_no_point() {
    let decode = AlertDescription::DECODE_ERROR;
    for (body, alert) in [
        (vec![], decode),
        (vec![0], decode),
        (vec![2, 1], decode),
        (vec![1, 1, 1], decode),
        ([&[31][..], &[9; 31]].concat(), IP),
        // The point of order one.
        ([&[32][..], &[0; 32]].concat(), IP),
    ] {
        let mut pair = pair();
        let flight = second_flight(&mut pair);
        let key_exchange = flight[0].with_body(&body);
        refuses(&mut pair.server, &[&key_exchange], alert);
    }
}

#[test]
fn every_other_message_in_place_of_the_key_exchange() {
    for typ in 0..=255 {
        if HandshakeType(typ) == HandshakeType::CLIENT_KEY_EXCHANGE {
            continue;
        }
        let mut pair = pair();
        second_flight(&mut pair);
        let other = Message::new(Level::Initial, HandshakeType(typ), &[0; 4]);
        refuses(&mut pair.server, &[&other], UM);
    }
}
