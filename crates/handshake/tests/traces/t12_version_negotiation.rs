use super::*;

/// A ServerHello of TLS 1.2, as a server without TLS 1.3 answers.
fn tls12_hello(change: impl FnOnce(&mut Hello)) -> (End, Message) {
    let mut flow = Flow::new(
        client(client_config(&GROUPS), Transport::Stream, None),
        server(Transport::Stream, server_answers(&GROUPS)),
    );
    flow.client.drain();
    flow.server.drain();
    let hello = flow.take_from_client("ClientHello");
    flow.server.give(&hello);
    flow.server.settle();
    let hello = edit(&flow.take_from_server("ServerHello"), |hello| {
        hello.suites = vec![0xc02f];
        hello.extensions.clear();
        change(hello);
    });
    (flow.client, hello)
}

#[test]
fn a_server_of_tls_1_2_only_gets_protocol_version() {
    let (mut client, hello) = tls12_hello(|_| ());
    client.refuses(&hello, AlertDescription::PROTOCOL_VERSION, "In");
    let expected = [ProtocolVersion::TLS1_2];
    assert!(matches!(client.error(), Error::NoCommonVersion { peer } if peer[..] == expected));
    assert_eq!(client.error().fault(), Fault::Incompatible);
    // With no extension block at all, as TLS 1.2 allows.
    let (mut client, hello) = tls12_hello(|_| ());
    let bare = hello.with_body(&hello.body()[..hello.body().len() - 2]);
    client.refuses(&bare, AlertDescription::PROTOCOL_VERSION, "In");
}

#[test]
fn versions_of_old_get_protocol_version() {
    for version in [0x0300, 0x0301, 0x0302, 0x0304, 0x7f17] {
        let (mut client, hello) = tls12_hello(|hello| hello.version = version);
        client.refuses(&hello, AlertDescription::PROTOCOL_VERSION, "In");
    }
}

#[test]
fn a_downgrade_sentinel_is_found() {
    for sentinel in [DOWNGRADE_TLS12, DOWNGRADE_TLS11] {
        let (mut client, hello) = tls12_hello(|hello| hello.random[24..].copy_from_slice(&sentinel));
        client.refuses(&hello, IP, "In");
        assert!(matches!(client.error(), Error::Downgrade));
    }
}

#[test]
fn supported_versions_selects_tls_1_3_or_nothing() {
    for version in [[3, 3], [3, 2], [3, 5], [0x7f, 0x1c]] {
        let select = |hello: &mut Hello| hello.set(ExtensionType::SUPPORTED_VERSIONS, &version);
        let (mut client, hello) = tls12_hello(select);
        client.refuses(&hello, IP, "In");
    }
}

#[track_caller]
fn server_refuses(alert: AlertDescription, change: impl FnOnce(&mut Hello)) {
    let mut flow = Flow::new(
        client(client_config(&GROUPS), Transport::Stream, None),
        server(Transport::Stream, server_answers(&GROUPS)),
    );
    flow.client.drain();
    flow.server.drain();
    let hello = edit(&flow.take_from_client("ClientHello"), change);
    let mut row = flow.server.give(&hello);
    if row == ["?ChooseConfig"] {
        row = flow.server.answer();
    }
    assert_eq!(row, [format!("Failed({alert})@In")], "{:?}", flow.server.failure);
    assert!(matches!(flow.server.error(), Error::NoCommonVersion { .. }));
}

#[test]
fn a_client_without_tls_1_3_gets_protocol_version() {
    let version = AlertDescription::PROTOCOL_VERSION;
    let versions = ExtensionType::SUPPORTED_VERSIONS;
    server_refuses(version, |hello| hello.set(versions, &[2, 3, 3]));
    server_refuses(version, |hello| hello.set(versions, &[4, 3, 2, 0x7f, 0x1c]));
    server_refuses(version, |hello| hello.remove(versions));
    server_refuses(version, |hello| {
        hello.version = 0x0302;
        hello.remove(versions);
    });
}

#[test]
fn unknown_versions_beside_tls_1_3_are_ignored() {
    let mut pair = Pair {
        client: client(client_config(&GROUPS), Transport::Stream, None),
        server: server(Transport::Stream, server_answers(&GROUPS)),
    };
    // The server goes on by its own view of the hello; the client can't agree with what it did not send.
    pair.run_with(|to_server, message| {
        if to_server && message.typ() == HandshakeType::CLIENT_HELLO {
            *message = edit(message, |hello| {
                hello.set(ExtensionType::SUPPORTED_VERSIONS, &[6, 0x3a, 0x3a, 3, 4, 3, 3]);
            });
        }
    });
    assert!(pair.server.failure.is_none() && pair.server.write_level == Level::Application);
    assert_eq!(pair.client.alert(), AlertDescription::DECRYPT_ERROR);
}
