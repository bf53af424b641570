//! Early data that its server does not take is passed over, and its client learns of it.

use super::*;

/// What a server does that refuses early data: the rest of the handshake is as ever, and the data is its client's still.
#[test]
fn refused_early_data_is_skipped_and_remains_the_clients() {
    type Change = fn(ServerConfigBuilder, Resumption) -> ServerConfigBuilder;
    let cases: [(&str, bool, Change); 5] = [
        ("another guard", true, |server, kept| server.resumption(kept.early_data(guard(), LIMIT))),
        ("early data off", true, |server, kept| server.resumption(kept)),
        ("no session", false, |server, _| {
            server.resumption(Resumption::default().early_data(guard(), LIMIT))
        }),
        ("no resumption", false, |server, _| server.no_resumption()),
        ("another group", true, |server, kept| {
            server.groups(&[NamedGroup::SECP521R1]).resumption(kept.early_data(guard(), LIMIT))
        }),
    ];
    for (case, resumed, change) in cases {
        for len in [1, 1000, usize::try_from(LIMIT).unwrap()] {
            let keys = TicketKeys::rotating();
            let client = early_client();
            let kept = Resumption::tickets(keys.clone());
            connect(&client, &early_server(kept.clone()).build().unwrap());
            let changed = change(server_config(), kept).build().unwrap();
            let (got, mut client, mut server) = send_early(&client, &changed, &vec![7; len]);
            assert_rejected(&got, &client, len);
            // Whoever asks knows; whoever does not is told once.
            let asks = len == 1000;
            if asks {
                assert_eq!(client.rejected_early_data(), 0..len);
            } else {
                let lost = client.seal(b"again", &mut [0; 100]);
                let told = u32::try_from(len).unwrap();
                assert!(matches!(lost, Err(SealError::EarlyDataRejected { bytes }) if bytes == told));
            }
            assert_eq!(client.rejected_early_data(), 0..0);
            let sealed = common::seal(&mut client, b"again");
            assert_eq!(feed(&mut server, &sealed).unwrap().data, b"again", "{case}");
            assert_eq!(server.rejected_early_data(), 0..0);
            assert_eq!(is_resumed(&(client, server)), resumed, "{case}");
        }
    }
}

#[test]
fn halves_of_a_connection_whose_early_data_was_refused_tell_of_it() {
    let keys = TicketKeys::rotating();
    let client = early_client();
    connect(&client, &early_server(Resumption::tickets(keys.clone())).build().unwrap());
    let other = early_server(Resumption::tickets(keys)).build().unwrap();
    let (_, client, _) = send_early(&client, &other, b"early");
    let (mut sender, _receiver) = client.split().unwrap();
    let mut window = [0; 100];
    let lost = sender.seal(b"on", &mut window).unwrap_err();
    assert!(matches!(lost, SealError::EarlyDataRejected { bytes: 5 }));
    assert!(lost.to_string().contains("rejected_early_data"), "{lost}");
    assert_eq!(sender.seal(b"on", &mut window).unwrap().taken, 2);
}

/// Whoever sits between can hand the early data on to the server, which takes it, and refuse it in the server's name by a
/// HelloRetryRequest: a refusal counts from the server's Finished on.
#[test]
fn early_data_is_refused_by_nobody_but_the_server() {
    let keys = TicketKeys::rotating();
    let client = early_client();
    let true_server = early_server(Resumption::tickets(keys)).build().unwrap();
    connect(&client, &true_server);
    let (mut client, mut true_server) = ends(&client, &true_server);
    let (_, flight) = seal_early(&mut client, b"pay");
    let mut got = Got::default();
    take(&mut true_server, &flight, &mut got).unwrap();
    assert_eq!(got.early, b"pay");
    let mut between =
        ServerConnection::new(&server_config().groups(&[NamedGroup::SECP521R1]).build().unwrap());
    take(&mut between, &flight, &mut Got::default()).unwrap();
    feed(&mut client, &drain(&mut between)).unwrap();
    assert!(client.is_handshaking());
    assert_eq!(client.rejected_early_data(), 0..0, "nobody has signed that");
    client.end_of_input().unwrap_err();
    assert_eq!(client.rejected_early_data(), 0..0);
    assert_eq!(client.early_data(), EarlyDataStatus::Offered { sealed: 3, left: 0 });
}

#[test]
fn early_data_that_was_taken_or_never_sent_is_not_told_of() {
    let (client, server) = (early_client(), early_server(Resumption::default()).build().unwrap());
    connect(&client, &server);
    let (_, mut accepted, _) = send_early(&client, &server, b"early");
    assert_eq!(accepted.rejected_early_data(), 0..0);
    assert!(accepted.seal(b"on", &mut [0; 100]).is_ok());
    // Offered, none sealed, and refused.
    let other = early_server(Resumption::default()).build().unwrap();
    let (_, mut empty, _) = send_early(&client, &other, b"");
    assert!(matches!(empty.early_data(), EarlyDataStatus::Rejected { bytes: 0, .. }));
    assert!(empty.seal(b"on", &mut [0; 100]).is_ok());
}

#[test]
fn early_data_of_another_protocol_is_refused() {
    let keys = TicketKeys::rotating();
    let guard = guard();
    let server = |alpn: [&str; 1]| {
        let resumption = Resumption::tickets(keys.clone()).early_data(guard.clone(), LIMIT);
        server_config().alpn(alpn).resumption(resumption).build().unwrap()
    };
    let client = early_client();
    connect(&client, &server(["b"]));
    let (got, client, server) = send_early(&client, &server(["a"]), b"early");
    assert_rejected(&got, &client, 5);
    assert_eq!(client.info().unwrap().alpn(), Some(&b"a"[..]));
    let status = server.early_data();
    assert!(
        matches!(status, EarlyDataStatus::Rejected { bytes: 0, reason: EarlyDataRejection::Alpn }),
        "{status:?}"
    );
    assert!(is_resumed(&(client, server)));
}

#[test]
fn a_server_of_tls12_ends_the_connection() {
    let keys = TicketKeys::rotating();
    let both = |builder: ServerConfigBuilder, highest| {
        builder.versions(ProtocolVersion::TLS1_2, highest).build().unwrap()
    };
    let resumption = || Resumption::tickets(keys.clone());
    let client = client_config().versions(ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
    let client = client.early_data(true).build().unwrap();
    connect(&client, &both(early_server(resumption()), ProtocolVersion::TLS1_3));
    let old = both(server_config().resumption(resumption()), ProtocolVersion::TLS1_2);
    let (mut client, mut server) = ends(&client, &old);
    let (_, flight) = seal_early(&mut client, b"early");
    let fed = feed(&mut server, &flight);
    let answer = drain(&mut server);
    // RFC 9846 appendix E: a client that gets TLS 1.2 in answer to early data gives up, and may retry without.
    assert!(feed(&mut client, &answer).is_err() || fed.is_err());
    assert_eq!(
        client.early_data(),
        EarlyDataStatus::Offered { sealed: 5, left: 0 },
        "who says so is not known"
    );
}
