use super::*;

const COOKIE: &[u8] = b"a cookie";

/// The client sends a share of X25519 only; the server has P-256 only, and a cookie.
fn until(row: u32) -> Flow {
    let mut answers = server_answers(&[NamedGroup::SECP256R1]);
    answers.cookie = Some(COOKIE.to_vec());
    let mut flow = Flow::new(
        client(client_config(&GROUPS), Transport::Stream, None),
        server(Transport::Stream, answers),
    );
    for done in 0..row {
        perform(&mut flow, done);
    }
    flow
}

fn perform(flow: &mut Flow, row: u32) {
    match row {
        0 => {
            assert_eq!(flow.client.drain(), ["S(ClientHello)@In", "R(drop,no)"]);
            assert_eq!(flow.server.drain(), ["R(del,no)"]);
            let hello = flow.take_from_client("ClientHello");
            flow.messages.insert("first ClientHello".to_owned(), hello.clone());
            assert_eq!(flow.server.give(&hello), ["?ChooseConfig"]);
        }
        1 => {
            let expected = ["S(HelloRetryRequest)@In", "CCS", "R(drop,no)"];
            assert_eq!(flow.server.answer(), expected);
        }
        2 => {
            let retry = flow.take_from_server("HelloRetryRequest");
            assert_eq!(flow.client.give(&retry), ["CCS", "S(ClientHello)@In"]);
        }
        3 => {
            let hello = flow.take_from_client("ClientHello");
            assert_eq!(flow.server.give(&hello), ["?ChooseCredential"]);
        }
        4 => {
            let row = flow.server.answer();
            let expected = ["S(ServerHello)@In", "W:HS", "R:HS", "R(drop,no,pa)"];
            assert_eq!(row[..4], expected);
        }
        5 => {
            let hello = flow.take_from_server("ServerHello");
            assert_eq!(flow.client.give(&hello), ["W:HS", "R:HS", "R(drop,no)"]);
        }
        other => panic!("no row {other}"),
    }
}

#[test]
fn every_row_yields_what_it_says_and_both_ends_agree() {
    let flow = until(6);
    let mut pair = Pair { client: flow.client, server: flow.server };
    pair.run();
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.outcome().group, Some(NamedGroup::SECP256R1));
        assert!(end.outcome().hello_retry_request);
    }
    assert_eq!(pair.client.outcome().exporter, pair.server.outcome().exporter);
}

#[test]
fn the_second_hello_differs_in_share_and_cookie_only() {
    let flow = until(4);
    let mut first = Hello::of(&flow.messages["first ClientHello"]);
    let mut second = Hello::of(&flow.messages["ClientHello"]);
    assert_eq!(second.get(ExtensionType::COOKIE), [&[0, 8], COOKIE].concat());
    let share = second.get(ExtensionType::KEY_SHARE);
    assert_eq!(share[..6], [0, 69, 0, 0x17, 0, 65]);
    second.remove(ExtensionType::COOKIE);
    for hello in [&mut first, &mut second] {
        hello.remove(ExtensionType::KEY_SHARE);
    }
    assert_eq!(first.message(), second.message());
}

#[test]
fn without_a_session_id_the_server_alone_sends_change_cipher_spec() {
    let config = ClientHandshake { compatibility_mode: false, ..client_config(&GROUPS) };
    let answers = server_answers(&[NamedGroup::SECP256R1]);
    let mut flow = Flow::new(client(config, Transport::Stream, None), server(Transport::Stream, answers));
    flow.client.drain();
    flow.server.drain();
    let hello = flow.take_from_client("ClientHello");
    flow.server.give(&hello);
    assert_eq!(flow.server.answer(), ["S(HelloRetryRequest)@In", "CCS", "R(drop,no)"]);
    let retry = flow.take_from_server("HelloRetryRequest");
    assert_eq!(flow.client.give(&retry), ["S(ClientHello)@In"]);
    let hello = flow.take_from_client("ClientHello");
    flow.server.give(&hello);
    assert!(!flow.server.answer().contains(&"CCS".to_owned()), "it is sent once");
    let hello = flow.take_from_server("ServerHello");
    assert_eq!(flow.client.give(&hello), ["W:HS", "R:HS", "R(drop,no)"]);
}

#[test]
fn a_cookie_alone_keeps_the_share() {
    let mut answers = server_answers(&GROUPS);
    answers.cookie = Some(COOKIE.to_vec());
    let mut pair = Pair {
        client: client(client_config(&GROUPS), Transport::Stream, None),
        server: server(Transport::Stream, answers),
    };
    let mut shares = Vec::new();
    pair.run_with(|_, message| {
        if message.typ() == HandshakeType::CLIENT_HELLO {
            shares.push(Hello::of(message).get(ExtensionType::KEY_SHARE).to_vec());
        }
    });
    assert!(pair.is_done() && shares.len() == 2 && shares[0] == shares[1]);
    assert_eq!(pair.client.outcome().group, Some(NamedGroup::X25519));
}

#[test]
fn no_share_at_all_asks_for_a_retry() {
    let config = ClientHandshake { key_shares: KeyShares::Exactly(Vec::new()), ..client_config(&GROUPS) };
    let mut pair = Pair {
        client: client(config, Transport::Stream, None),
        server: server(Transport::Stream, server_answers(&GROUPS)),
    };
    pair.run();
    assert!(pair.is_done() && pair.client.outcome().hello_retry_request);
}

#[track_caller]
fn client_refuses(alert: AlertDescription, change: impl FnOnce(&mut Hello)) -> Error {
    let mut flow = until(2);
    let retry = edit(&flow.take_from_server("HelloRetryRequest"), change);
    flow.client.refuses(&retry, alert, "In");
    flow.client.failure.unwrap().error
}

#[test]
fn row_2_a_client_refuses_a_retry_that_breaks_a_rule() {
    client_refuses(IP, |retry| {
        retry.remove(ExtensionType::KEY_SHARE);
        retry.remove(ExtensionType::COOKIE);
    });
    let unsent = NamedGroup::SECP384R1.0.to_be_bytes();
    let group = client_refuses(IP, |retry| retry.set(ExtensionType::KEY_SHARE, &unsent));
    assert!(matches!(group, Error::WrongGroup));
    let shared = NamedGroup::X25519.0.to_be_bytes();
    let group = client_refuses(IP, |retry| retry.set(ExtensionType::KEY_SHARE, &shared));
    assert!(matches!(group, Error::WrongGroup));
    client_refuses(IP, |retry| retry.session_id[31] ^= 1);
    client_refuses(DE, |retry| retry.compression = vec![1]);
    client_refuses(IP, |retry| retry.suites = vec![0x1304]);
    client_refuses(IP, |retry| retry.set(ExtensionType::SUPPORTED_VERSIONS, &[3, 3]));
    let missing = AlertDescription::MISSING_EXTENSION;
    client_refuses(missing, |retry| retry.remove(ExtensionType::SUPPORTED_VERSIONS));
    let unsupported = AlertDescription::UNSUPPORTED_EXTENSION;
    client_refuses(unsupported, |retry| retry.set(ExtensionType::PRE_SHARED_KEY, &[0, 0]));
    client_refuses(unsupported, |retry| retry.set(ExtensionType(0x2a2a), &[]));
    client_refuses(DE, |retry| retry.set(ExtensionType::COOKIE, &[0, 0]));
}

#[test]
fn row_2_a_client_refuses_bytes_behind_a_retry() {
    let mut flow = until(2);
    let retry = flow.take_from_server("HelloRetryRequest");
    flow.client.refuses_with(&retry, true, UM, "In");
}

#[track_caller]
fn server_refuses(alert: AlertDescription, change: impl FnOnce(&mut Hello)) {
    let mut flow = until(3);
    let hello = edit(&flow.take_from_client("ClientHello"), change);
    flow.server.refuses(&hello, alert, "In");
}

#[test]
fn row_3_a_server_refuses_a_second_hello_that_does_not_follow_the_retry() {
    let missing = AlertDescription::MISSING_EXTENSION;
    server_refuses(missing, |hello| hello.remove(ExtensionType::COOKIE));
    server_refuses(IP, |hello| hello.set(ExtensionType::COOKIE, b"\0\x08a cookiE"));
    server_refuses(IP, |hello| hello.random[0] ^= 1);
    server_refuses(IP, |hello| hello.suites.truncate(1));
    server_refuses(IP, |hello| hello.session_id.clear());
    server_refuses(IP, |hello| hello.set(ExtensionType::SERVER_NAME, b"\0\x04\0\0\x01a"));
    server_refuses(IP, |hello| hello.remove(ExtensionType::RECORD_SIZE_LIMIT));
    server_refuses(IP, |hello| hello.set(ExtensionType::KEY_SHARE, &[0, 0]));
    server_refuses(IP, |hello| {
        let share = [&[0, 36, 0, 0x1d, 0, 32], &[9; 32][..]].concat();
        hello.set(ExtensionType::KEY_SHARE, &share);
    });
}

#[test]
fn row_3_a_server_passes_over_no_early_data_after_the_second_hello() {
    let mut flow = until(3);
    let again = |hello: &mut Hello| hello.extensions.insert(0, (ExtensionType::EARLY_DATA, Vec::new()));
    let hello = edit(&flow.take_from_client("ClientHello"), again);
    assert_eq!(flow.server.give(&hello), ["?ChooseCredential"]);
    // `no`: a record that does not open is refused.
    assert_eq!(flow.server.answer()[..4], ["S(ServerHello)@In", "W:HS", "R:HS", "R(drop,no,pa)"]);
}

#[test]
fn row_5_a_client_refuses_a_second_retry() {
    let mut flow = until(4);
    let retry = flow.messages["HelloRetryRequest"].clone();
    flow.client.refuses(&retry, UM, "In");
    // Also one that could not be read.
    let mut flow = until(4);
    let broken = retry.with_body(&retry.body()[..40]);
    flow.client.refuses(&broken, UM, "In");
}

#[track_caller]
fn client_refuses_hello(change: impl FnOnce(&mut Hello)) {
    let mut flow = until(5);
    let hello = edit(&flow.take_from_server("ServerHello"), change);
    flow.client.refuses(&hello, IP, "In");
}

#[test]
fn row_5_a_client_refuses_a_server_hello_that_does_not_follow_the_retry() {
    client_refuses_hello(|hello| hello.suites = vec![0x1302]);
    client_refuses_hello(|hello| hello.remove(ExtensionType::SUPPORTED_VERSIONS));
    client_refuses_hello(|hello| {
        hello.set(ExtensionType::KEY_SHARE, &[&[0, 0x1d, 0, 32], &[9; 32][..]].concat());
    });
}
