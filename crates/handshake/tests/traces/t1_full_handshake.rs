use super::*;

const ROW_3: [&str; 9] = [
    "S(ServerHello)@In",
    "CCS",
    "W:HS",
    "R:HS",
    "R(drop,no,pa)",
    "Limits",
    "S(EncryptedExtensions)@HS",
    "S(Certificate)@HS",
    "?Sign",
];

fn until(row: u32) -> Flow {
    let mut flow = Flow::new(
        client(client_config(&GROUPS), Transport::Stream, None),
        server(Transport::Stream, server_answers(&GROUPS)),
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
        }
        1 => {
            let hello = flow.take_from_client("ClientHello");
            assert_eq!(flow.server.give(&hello), ["?ChooseConfig"]);
        }
        2 => assert_eq!(flow.server.answer(), ["?ChooseCredential"]),
        3 => assert_eq!(flow.server.answer(), ROW_3),
        4 => {
            let hello = flow.take_from_server("ServerHello");
            assert_eq!(flow.client.give(&hello), ["CCS", "W:HS", "R:HS", "R(drop,no)"]);
        }
        5 => {
            let extensions = flow.take_from_server("EncryptedExtensions");
            assert_eq!(flow.client.give(&extensions), ["Limits"]);
        }
        6 => {
            let certificate = flow.take_from_server("Certificate");
            assert_eq!(flow.client.give(&certificate), [""; 0]);
            let expected = ["S(CertificateVerify)@HS", "S(Finished)@HS", "W:Ap"];
            assert_eq!(flow.server.answer(), expected);
        }
        7 => {
            let verify = flow.take_from_server("CertificateVerify");
            assert_eq!(flow.client.give(&verify), ["?VerifyPeer"]);
        }
        8 => assert_eq!(flow.client.answer(), [""; 0]),
        9 => {
            let finished = flow.take_from_server("Finished");
            let expected = ["S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"];
            assert_eq!(flow.client.give(&finished), expected);
        }
        10 => {
            let finished = flow.take_from_client("Finished");
            assert_eq!(flow.server.give(&finished), ["R:Ap", "R(del,yes)", "Done"]);
        }
        other => panic!("no row {other}"),
    }
}

#[test]
fn every_row_yields_what_it_says_and_both_ends_agree() {
    let flow = until(11);
    let (client, server) = (flow.client.outcome(), flow.server.outcome());
    for (ours, theirs) in [(client, server), (server, client)] {
        assert_eq!(ours.version, ProtocolVersion::TLS1_3);
        assert_eq!(ours.suite, theirs.suite);
        assert_eq!(ours.group, Some(NamedGroup::X25519));
        assert_eq!(ours.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(ours.server_name.as_deref(), Some("server.example"));
        assert!(
            !ours.hello_retry_request && !ours.early_data && ours.session.is_none() && ours.psk.is_none()
        );
        assert!(ours.exporter.is_some() && ours.exporter == theirs.exporter);
    }
    let chain = &flow.server.answers.credential.as_ref().unwrap().chain;
    assert_eq!(&client.peer.as_ref().unwrap().chain[..], &chain[..]);
    assert_eq!(client.peer_signature_scheme, Some(SignatureScheme::ECDSA_SECP256R1_SHA256));
    assert_eq!(server.signature_scheme, client.peer_signature_scheme);
    assert!(server.peer.is_none() && client.signature_scheme.is_none());
    assert_eq!((flow.client.limits, flow.server.limits), (Some((4096, 4096)), Some((4096, 4096))));
}

#[test]
fn keys_are_the_same_at_both_ends_and_in_the_log() {
    let flow = until(11);
    let (read, write) = (Direction::Read, Direction::Write);
    for level in [Level::Handshake, Level::Application] {
        assert_eq!(flow.client.key(level, write), flow.server.key(level, read));
        assert_eq!(flow.client.key(level, read), flow.server.key(level, write));
        assert_ne!(flow.client.key(level, read), flow.client.key(level, write));
    }
    let labels = [
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", Level::Handshake, write),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", Level::Handshake, read),
        ("CLIENT_TRAFFIC_SECRET_0", Level::Application, write),
        ("SERVER_TRAFFIC_SECRET_0", Level::Application, read),
    ];
    for end in [&flow.client, &flow.server] {
        for (label, level, direction) in labels {
            let logged = end.key_log.iter().find(|(is, _)| *is == label).unwrap();
            assert_eq!(logged.1, flow.client.key(level, direction), "{label}");
        }
        let exporter = end.key_log.iter().find(|(is, _)| *is == "EXPORTER_SECRET").unwrap();
        let hash = end.outcome().suite.tls13().unwrap().hash;
        let expected = Exporter::tls13(hash, Secret::new(&exporter.1).unwrap());
        assert!(end.outcome().exporter.as_ref() == Some(&expected));
    }
}

#[test]
fn key_log_exporter_and_limits_are_only_there_when_wanted() {
    let plain = Arc::new(Common { exporter: false, ..Common::default() });
    let config = ClientHandshake { common: Arc::clone(&plain), ..ClientHandshake::default() };
    let mut answers = server_answers(&GROUPS);
    answers.config = Arc::new(ServerHandshake { common: plain, ..ServerHandshake::default() });
    let mut pair =
        Pair { client: client(config, Transport::Stream, None), server: server(Transport::Stream, answers) };
    pair.run();
    assert!(pair.is_done());
    for end in [&pair.client, &pair.server] {
        assert!(end.key_log.is_empty() && end.outcome().exporter.is_none() && end.limits.is_none());
        assert!(end.outcome().alpn.is_none() && end.outcome().server_name.is_none());
    }
    assert_eq!(pair.client.outcome().group, Some(NamedGroup::X25519_MLKEM768));
}

#[test]
fn without_compatibility_mode_there_is_no_session_id_and_the_server_alone_sends_change_cipher_spec() {
    let config = ClientHandshake { compatibility_mode: false, ..client_config(&GROUPS) };
    let mut flow = Flow::new(
        client(config, Transport::Stream, None),
        server(Transport::Stream, server_answers(&GROUPS)),
    );
    flow.client.drain();
    let hello = flow.take_from_client("ClientHello");
    assert!(Hello::of(&hello).session_id.is_empty());
    flow.server.drain();
    flow.server.give(&hello);
    flow.server.answer();
    assert_eq!(flow.server.answer(), ROW_3);
    let hello = flow.take_from_server("ServerHello");
    assert_eq!(flow.client.give(&hello), ["W:HS", "R:HS", "R(drop,no)"]);
}

#[test]
fn row_0_a_server_refuses_anything_but_a_client_hello() {
    let mut flow = until(1);
    let finished = Message::new(Level::Initial, HandshakeType::FINISHED, &[0; 32]);
    flow.server.refuses(&finished, UM, "In");
    let mut flow = until(1);
    flow.server.machine.input(Input::ChangeCipherSpec { more: false }).unwrap();
    assert_eq!(flow.server.drain(), ["Failed(unexpected_message)@In"]);
    assert!(matches!(flow.server.error(), Error::UnexpectedChangeCipherSpec));
}

#[test]
fn row_1_a_server_refuses_bytes_behind_a_client_hello() {
    let mut flow = until(1);
    let hello = flow.take_from_client("ClientHello");
    flow.server.refuses_with(&hello, true, UM, "In");
    assert!(matches!(flow.server.error(), Error::ExcessHandshakeData { .. }));
}

#[track_caller]
fn server_refuses(alert: AlertDescription, change: impl FnOnce(&mut Hello)) -> Error {
    let mut flow = until(1);
    let hello = edit(&flow.take_from_client("ClientHello"), change);
    let mut row = flow.server.give(&hello);
    while flow.server.failure.is_none() && flow.server.write_level == Level::Initial {
        row = flow.server.answer();
    }
    assert_eq!(row, [format!("Failed({alert})@In")], "{:?}", flow.server.failure);
    flow.server.failure.unwrap().error
}

#[test]
fn row_1_a_server_refuses_a_client_hello_that_breaks_a_rule() {
    let missing = AlertDescription::MISSING_EXTENSION;
    let version = AlertDescription::PROTOCOL_VERSION;
    server_refuses(version, |hello| hello.version = 0x0302);
    server_refuses(version, |hello| hello.version = 0);
    server_refuses(IP, |hello| hello.compression = vec![1, 0]);
    server_refuses(IP, |hello| hello.compression = vec![1]);
    server_refuses(DE, |hello| hello.compression.clear());
    server_refuses(missing, |hello| hello.remove(ExtensionType::SIGNATURE_ALGORITHMS));
    server_refuses(missing, |hello| hello.remove(ExtensionType::KEY_SHARE));
    server_refuses(missing, |hello| hello.remove(ExtensionType::SUPPORTED_GROUPS));
    server_refuses(missing, |hello| {
        hello.remove(ExtensionType::SUPPORTED_GROUPS);
        hello.remove(ExtensionType::KEY_SHARE);
    });
    server_refuses(DE, |hello| hello.session_id = vec![0; 33]);
    server_refuses(DE, |hello| {
        hello
            .extensions
            .push((ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, vec![0, 3, 2, b'h', b'2']))
    });
    server_refuses(IP, |hello| hello.extensions.push((ExtensionType::OID_FILTERS, vec![0, 0])));
}

#[test]
fn row_1_a_server_takes_a_client_hello_of_a_later_legacy_version() {
    for version in [0x0304, 0x0400] {
        let mut flow = until(1);
        let hello = edit(&flow.take_from_client("ClientHello"), |hello| hello.version = version);
        assert_eq!(flow.server.give(&hello), ["?ChooseConfig"]);
        assert_eq!(flow.server.answer(), ["?ChooseCredential"]);
    }
}

#[test]
fn row_1_a_server_refuses_bad_key_shares() {
    server_refuses(IP, |hello| {
        let mut shares = hello.get(ExtensionType::KEY_SHARE).to_vec();
        // The one share is of X25519: make it the point of order one.
        shares[6..].fill(0);
        hello.set(ExtensionType::KEY_SHARE, &shares);
    });
}

#[test]
fn row_2_a_server_says_when_there_is_nothing_in_common() {
    let failure = AlertDescription::HANDSHAKE_FAILURE;
    let error = server_refuses(failure, |hello| hello.suites = vec![0x1305, 0xc02b]);
    assert!(matches!(error, Error::NoCommonSuite { .. }) && error.fault() == Fault::Incompatible);
    let error = server_refuses(failure, |hello| {
        hello.set(ExtensionType::SUPPORTED_GROUPS, &[0, 2, 1, 0]);
        hello.set(ExtensionType::KEY_SHARE, &[0, 0]);
    });
    assert!(matches!(error, Error::NoCommonGroup { .. }));
    let error = server_refuses(AlertDescription::NO_APPLICATION_PROTOCOL, |hello| {
        hello.set(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"\0\x04\x03foo");
    });
    assert!(matches!(error, Error::NoApplicationProtocol { .. }));
}

#[test]
fn row_2_a_server_without_a_fitting_credential_fails_in_the_clear() {
    let mut flow = until(3);
    flow.server.answers.credential = None;
    assert_eq!(flow.server.answer(), ["Failed(handshake_failure)@In"]);
    assert!(matches!(flow.server.error(), Error::NoCommonSignatureScheme { .. }));
}

#[test]
fn row_2_the_outside_refuses_a_name_in_the_clear() {
    let mut flow = until(2);
    let alert = AlertDescription::UNRECOGNIZED_NAME;
    let refused = Error::Refused { alert, fault: Fault::Peer, cause: "no such name".into() };
    assert_eq!(flow.server.abort(refused), ["Failed(unrecognized_name)@In"]);
}

#[track_caller]
fn client_refuses_hello(alert: AlertDescription, change: impl FnOnce(&mut Hello)) -> Error {
    let mut flow = until(4);
    let hello = edit(&flow.take_from_server("ServerHello"), change);
    flow.client.refuses(&hello, alert, "In");
    flow.client.failure.unwrap().error
}

#[test]
fn row_4_a_client_refuses_a_server_hello_that_breaks_a_rule() {
    client_refuses_hello(IP, |hello| hello.suites = vec![0x1305]);
    client_refuses_hello(IP, |hello| hello.session_id[0] ^= 1);
    client_refuses_hello(IP, |hello| hello.session_id.clear());
    client_refuses_hello(IP, |hello| hello.compression = vec![1]);
    client_refuses_hello(AlertDescription::PROTOCOL_VERSION, |hello| hello.version = 0x0304);
    let missing = AlertDescription::MISSING_EXTENSION;
    client_refuses_hello(missing, |hello| hello.remove(ExtensionType::KEY_SHARE));
    let unsupported = AlertDescription::UNSUPPORTED_EXTENSION;
    client_refuses_hello(unsupported, |hello| hello.set(ExtensionType::PRE_SHARED_KEY, &[0, 0]));
    client_refuses_hello(unsupported, |hello| hello.set(ExtensionType(0x1234), &[]));
    client_refuses_hello(IP, |hello| hello.set(ExtensionType::SERVER_NAME, &[]));
}

#[test]
fn row_4_a_client_refuses_bad_key_shares() {
    let unsent = |hello: &mut Hello| {
        let share = [&[0, 0x17, 0, 65, 4], &[0; 64][..]].concat();
        hello.set(ExtensionType::KEY_SHARE, &share);
    };
    assert!(matches!(client_refuses_hello(IP, unsent), Error::WrongGroup));
    let short = |hello: &mut Hello| {
        hello.set(ExtensionType::KEY_SHARE, &[&[0, 0x1d, 0, 31], &[9; 31][..]].concat());
    };
    assert!(matches!(client_refuses_hello(IP, short), Error::BadKeyShare(_)));
    let zero = |hello: &mut Hello| {
        hello.set(ExtensionType::KEY_SHARE, &[&[0, 0x1d, 0, 32], &[0; 32][..]].concat());
    };
    assert!(matches!(client_refuses_hello(IP, zero), Error::BadKeyShare(_)));
}

#[test]
fn row_4_a_client_refuses_bytes_behind_a_server_hello() {
    let mut flow = until(4);
    let hello = flow.take_from_server("ServerHello");
    flow.client.refuses_with(&hello, true, UM, "In");
}

#[track_caller]
fn client_refuses_extensions(alert: AlertDescription, typ: ExtensionType, data: &[u8]) {
    let mut flow = until(5);
    let message = flow.take_from_server("EncryptedExtensions");
    let mut extensions = common::split_extensions(message.body());
    extensions.retain(|(is, _)| *is != typ);
    extensions.push((typ, data.to_vec()));
    let message = message.with_body(&common::join_extensions(&extensions));
    flow.client.refuses(&message, alert, "HS");
}

#[test]
fn row_5_a_client_refuses_extensions_that_do_not_belong() {
    let alpn = ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
    client_refuses_extensions(IP, alpn, b"\0\x04\x03foo");
    client_refuses_extensions(DE, alpn, b"\0\x06\x02h2\x02h2");
    let unsupported = AlertDescription::UNSUPPORTED_EXTENSION;
    client_refuses_extensions(unsupported, ExtensionType::KEY_SHARE, &[]);
    client_refuses_extensions(unsupported, ExtensionType::SIGNATURE_ALGORITHMS, &[0, 2, 4, 3]);
    client_refuses_extensions(unsupported, ExtensionType::EARLY_DATA, &[]);
    client_refuses_extensions(unsupported, ExtensionType::QUIC_TRANSPORT_PARAMETERS, &[]);
    client_refuses_extensions(unsupported, ExtensionType(0x0a0a), &[]);
    client_refuses_extensions(DE, ExtensionType::SERVER_NAME, &[0]);
    client_refuses_extensions(IP, ExtensionType::RECORD_SIZE_LIMIT, &[0, 63]);
    client_refuses_extensions(IP, ExtensionType::RECORD_SIZE_LIMIT, &[0x40, 2]);
}

/// An entry of Certificate.
fn entry(certificate: &[u8], extensions: &[u8]) -> Vec<u8> {
    let length = u32::try_from(certificate.len()).unwrap().to_be_bytes();
    let extensions_length = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    [&length[1..], certificate, &extensions_length, extensions].concat()
}

fn certificate_body(context: &[u8], entries: &[Vec<u8>]) -> Vec<u8> {
    let list = entries.concat();
    let length = u32::try_from(list.len()).unwrap().to_be_bytes();
    [&[u8::try_from(context.len()).unwrap()], context, &length[1..], &list].concat()
}

#[track_caller]
fn client_refuses_certificate(alert: AlertDescription, body: impl FnOnce(&[u8]) -> Vec<u8>) {
    let mut flow = until(6);
    let leaf = flow.server.answers.credential.as_ref().unwrap().chain[0].to_vec();
    let message = flow.take_from_server("Certificate");
    assert_eq!(message.body(), certificate_body(&[], &[entry(&leaf, &[])]));
    flow.client.refuses(&message.with_body(&body(&leaf)), alert, "HS");
}

#[test]
fn row_6_a_client_refuses_certificates_that_break_a_rule() {
    client_refuses_certificate(DE, |_| certificate_body(&[], &[]));
    client_refuses_certificate(DE, |_| certificate_body(&[], &[entry(&[], &[])]));
    client_refuses_certificate(IP, |leaf| certificate_body(b"context", &[entry(leaf, &[])]));
    client_refuses_certificate(IP, |leaf| certificate_body(&[], &vec![entry(leaf, &[]); 17]));
    client_refuses_certificate(DE, |_| certificate_body(&[], &[entry(b"no certificate", &[])]));
    let unusable = AlertDescription::UNSUPPORTED_CERTIFICATE;
    client_refuses_certificate(unusable, |leaf| {
        // The curve of the key becomes one that does not exist.
        let p256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let at = leaf.windows(p256.len()).position(|window| window == p256).unwrap();
        let mut leaf = leaf.to_vec();
        leaf[at + 9] = 0x7f;
        certificate_body(&[], &[entry(&leaf, &[])])
    });
    let unasked = AlertDescription::UNSUPPORTED_EXTENSION;
    let staple = [0, 5, 0, 5, 1, 0, 0, 1, 9];
    client_refuses_certificate(unasked, |leaf| certificate_body(&[], &[entry(leaf, &staple)]));
    client_refuses_certificate(IP, |leaf| certificate_body(&[], &[entry(leaf, &[0, 51, 0, 0])]));
}

#[track_caller]
fn client_refuses_verify(alert: AlertDescription, change: impl FnOnce(&mut Vec<u8>)) {
    let mut flow = until(7);
    let message = flow.take_from_server("CertificateVerify");
    let mut body = message.body().to_vec();
    change(&mut body);
    flow.client.refuses(&message.with_body(&body), alert, "HS");
}

#[test]
fn row_7_a_client_refuses_a_signature_that_proves_nothing() {
    let scheme = |scheme: SignatureScheme| {
        move |body: &mut Vec<u8>| body[..2].copy_from_slice(&scheme.0.to_be_bytes())
    };
    client_refuses_verify(IP, scheme(SignatureScheme(0x0708)));
    client_refuses_verify(IP, scheme(SignatureScheme::ECDSA_SHA1));
    client_refuses_verify(IP, scheme(SignatureScheme::RSA_PKCS1_SHA256));
    client_refuses_verify(IP, scheme(SignatureScheme::ECDSA_SECP384R1_SHA384));
    let decrypt_error = AlertDescription::DECRYPT_ERROR;
    client_refuses_verify(decrypt_error, |body| *body.last_mut().unwrap() ^= 1);
    client_refuses_verify(decrypt_error, |body| {
        body.truncate(4);
        body[2..].fill(0);
    });
}

#[test]
fn row_7_a_refused_peer_gets_the_outsides_alert_under_handshake_keys() {
    let mut flow = until(8);
    let alert = AlertDescription::UNKNOWN_CA;
    let refused = Error::Refused { alert, fault: Fault::Peer, cause: "no anchor".into() };
    assert_eq!(flow.client.abort(refused), ["Failed(unknown_ca)@HS"]);
    assert!(flow.client.error().to_string().contains("no anchor"));
}

#[test]
fn row_9_a_client_refuses_a_finished_that_does_not_verify_or_does_not_end_its_record() {
    let mut flow = until(9);
    let finished = flow.take_from_server("Finished");
    let mut body = finished.body().to_vec();
    body[31] ^= 0x80;
    let forged = finished.with_body(&body);
    flow.client.refuses(&forged, AlertDescription::DECRYPT_ERROR, "HS");
    let mut flow = until(9);
    let finished = flow.take_from_server("Finished");
    flow.client.refuses_with(&finished, true, UM, "HS");
}

#[test]
fn row_10_a_server_refuses_under_application_keys() {
    let mut flow = until(10);
    let finished = flow.take_from_client("Finished");
    let mut body = finished.body().to_vec();
    body[0] ^= 1;
    let forged = finished.with_body(&body);
    flow.server.refuses(&forged, AlertDescription::DECRYPT_ERROR, "Ap");
    let mut flow = until(10);
    let finished = flow.take_from_client("Finished");
    flow.server.refuses_with(&finished, true, UM, "Ap");
    let mut flow = until(10);
    let hello = Message { level: Level::Handshake, ..flow.messages["ClientHello"].clone() };
    flow.server.refuses(&hello, UM, "Ap");
}

#[test]
fn a_machine_that_is_done_takes_nothing_more() {
    let mut flow = until(11);
    let finished = flow.messages["Finished"].clone();
    assert_eq!(flow.client.offer(&finished, false), Err(Misuse::Ended));
    assert_eq!(flow.server.offer(&finished, false), Err(Misuse::Ended));
}

#[test]
fn every_suite_and_group_and_key_makes_a_handshake() {
    let keys = [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa65, KeyAlgorithm::Rsa];
    let suites = [(0x1301, Hash::Sha256), (0x1302, Hash::Sha384), (0x1303, Hash::Sha256)];
    let mut suites = suites.iter().cycle();
    for (i, group) in NamedGroup::SUPPORTED.iter().enumerate() {
        let (suite, hash) = suites.next().unwrap();
        let mut config = client_config(&[*group]);
        let common = Common { suites: vec![CipherSuite(*suite)], ..common_config(&[*group]) };
        config.common = Arc::new(common);
        let mut answers = server_answers(NamedGroup::SUPPORTED);
        answers.credential = Some(credential(keys[i % keys.len()]));
        let mut pair = Pair {
            client: client(config, Transport::Stream, None),
            server: server(Transport::Stream, answers),
        };
        pair.run();
        assert!(pair.is_done(), "{group}: {:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(pair.client.outcome().group, Some(*group));
        assert_eq!(pair.client.outcome().suite.tls13().unwrap().hash, *hash);
        assert_eq!(pair.client.outcome().exporter, pair.server.outcome().exporter);
    }
}
