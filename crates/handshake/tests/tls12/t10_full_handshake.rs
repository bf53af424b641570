use super::*;

#[test]
fn rows_0_to_2_the_servers_flight() {
    let Pair { mut client, mut server } = pair();
    // Nothing of this client looks like TLS 1.3, so there is no ChangeCipherSpec of compatibility to drop.
    assert_eq!(client.drain(), ["S(ClientHello)@In", "R(del,no)"]);
    assert_eq!(server.drain(), ["R(del,no)"]);
    assert_eq!(server.give(&client.next_message()), ["?ChooseConfig"]);
    assert_eq!(server.answer(), ["?ChooseCredential"]);
    assert_eq!(server.answer(), ["R(del,no)", "Limits", "S(ServerHello)@In", "S(Certificate)@In", "?Sign"]);
    assert_eq!(server.answer(), ["S(ServerKeyExchange)@In", "S(ServerHelloDone)@In"]);
    assert_eq!(server.read_mode.unwrap().max_message, defaults::MAX_SHORT_MESSAGE);
}

#[test]
fn rows_3_to_9_the_client_changes_its_key_first() {
    let mut pair = pair();
    let flight = second_flight(&mut pair);
    let Pair { mut client, mut server } = pair;
    let [key_exchange, change, finished] = &flight[..] else { panic!("{flight:?}") };
    assert_eq!(
        [key_exchange.name(), change.name(), finished.name()],
        ["ClientKeyExchange", "ChangeCipherSpec", "Finished"]
    );
    assert_eq!((key_exchange.level, finished.level), (Level::Initial, Level::Application));
    assert!(server.give(key_exchange).is_empty());
    assert_eq!(server.give(change), ["R:Ap", "R(del,no)"]);
    assert_eq!(server.give(finished), ["CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
    assert_eq!(names(&server), ["ChangeCipherSpec", "Finished"]);
    assert_eq!(client.give(&server.next_message()), ["R:Ap", "R(del,no)"]);
    assert_eq!(client.give(&server.next_message()), ["R(del,yes)", "Done"]);
}

#[test]
fn both_ends_have_the_same_keys_secrets_and_outcome() {
    let mut pair = pair();
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    let (client, server) = (&pair.client, &pair.server);
    let ap = Level::Application;
    assert_eq!(client.key(ap, Direction::Write), server.key(ap, Direction::Read));
    assert_eq!(client.key(ap, Direction::Read), server.key(ap, Direction::Write));
    assert_ne!(client.key(ap, Direction::Read), client.key(ap, Direction::Write));
    assert_eq!(client.key_log, server.key_log);
    let [("CLIENT_RANDOM", master)] = &server.key_log[..] else { panic!("{:?}", server.key_log) };
    assert_eq!(master.len(), 48);
    let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    for (ours, theirs) in [(client.outcome(), server.outcome()), (server.outcome(), client.outcome())] {
        assert_eq!((ours.version, ours.suite, ours.group), (TLS12, suite, Some(NamedGroup::X25519)));
        assert_eq!(ours.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(ours.server_name.as_deref(), Some("server.example"));
        assert!(ours.extended_master_secret && ours.session.is_none() && ours.psk.is_none());
        assert!(ours.exporter.is_some() && ours.exporter == theirs.exporter);
    }
    let chain = &server.answers.credential.as_ref().unwrap().chain;
    assert_eq!(&client.outcome().peer.as_ref().unwrap().chain[..], &chain[..]);
    assert_eq!(server.outcome().signature_scheme, Some(SignatureScheme::ECDSA_SECP256R1_SHA256));
    assert_eq!(client.outcome().peer_signature_scheme, server.outcome().signature_scheme);
    assert_eq!((client.limits, server.limits), (Some((4096, 4096)), Some((4096, 4096))));
}

#[test]
fn every_suite_and_group_and_key_makes_a_handshake() {
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
    let mut groups = groups.iter().cycle();
    let suites = defaults::SUITES_TLS12.iter().filter_map(|suite| suite.tls12());
    for suite in suites {
        let keys = match suite.authentication {
            Authentication::Ecdsa => {
                &[KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519][..]
            }
            Authentication::Rsa => &[KeyAlgorithm::Rsa][..],
        };
        for key in keys {
            let group = *groups.next().unwrap();
            // The curve of a certificate must be among the groups too, so the key exchange's is made the first.
            let mut all = vec![group];
            all.extend(defaults::GROUPS.iter().filter(|other| **other != group));
            let common = || Common { suites: vec![suite.suite], groups: all.clone(), ..tls12() };
            let server = a_server(common(), ClientAuth::None, credential(*key));
            let mut pair = Pair { client: a_client(common(), None), server };
            pair.run();
            assert!(pair.is_done(), "{key:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
            let outcome = pair.client.outcome();
            assert_eq!((outcome.suite, outcome.group), (suite.suite, Some(group)));
        }
    }
}

#[test]
fn the_credential_chooses_the_suite() {
    for (key, suite) in [
        (KeyAlgorithm::Rsa, CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
        (KeyAlgorithm::EcdsaP256, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        (KeyAlgorithm::Ed25519, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ] {
        let server = a_server(tls12(), ClientAuth::None, credential(key));
        let mut pair = Pair { client: a_client(tls12(), None), server };
        pair.run();
        assert!(pair.is_done(), "{key:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(pair.server.outcome().suite, suite, "{key:?}");
    }
}

/// The suite most preferred may have another hash than the credential's.
#[test]
fn the_hello_is_hashed_as_the_chosen_suite_wants() {
    let ours = [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    for (key, suite) in [(KeyAlgorithm::EcdsaP256, ours[0]), (KeyAlgorithm::Rsa, ours[1])] {
        let common = || Common { suites: ours.to_vec(), ..tls12() };
        let server = a_server(common(), ClientAuth::None, credential(key));
        let mut pair = Pair { client: a_client(common(), None), server };
        pair.run();
        assert!(pair.is_done(), "{key:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
        assert_eq!(pair.server.outcome().suite, suite, "{key:?}");
    }
}

#[test]
fn only_schemes_of_suites_and_curves_in_common_are_asked_for() {
    let schemes = |change: fn(&mut Hello)| {
        let (hello, mut server) = before_the_hello(tls12());
        server.give(&edit(&hello, change));
        server.answer();
        match server.need {
            Some(Need::ChooseCredential(need)) => need.request.schemes,
            other => panic!("{other:?} {:?}", server.failure),
        }
    };
    let all = schemes(|_| ());
    assert!(all.contains(&SignatureScheme::ECDSA_SECP256R1_SHA256));
    assert!(all.contains(&SignatureScheme::RSA_PKCS1_SHA256));
    assert!(!all.contains(&SignatureScheme::ML_DSA_65), "TLS 1.3 only");
    assert!(!all.contains(&SignatureScheme::ECDSA_SECP384R1_SHA384), "P-384 is no group of this client");
    let rsa = schemes(|hello| hello.suites = vec![0xc02f]);
    assert!(rsa.contains(&SignatureScheme::RSA_PSS_RSAE_SHA256));
    assert!(!rsa.contains(&SignatureScheme::ECDSA_SECP256R1_SHA256));
    assert!(!rsa.contains(&SignatureScheme::ED25519));
    let ecdsa = schemes(|hello| hello.suites = vec![0xc02c]);
    assert!(!ecdsa.contains(&SignatureScheme::RSA_PSS_RSAE_SHA256));
    assert!(ecdsa.contains(&SignatureScheme::ED25519));
}

#[test]
fn the_clients_order_counts_where_the_configuration_says_so() {
    for (prefer_client_order, suite, group) in [
        (false, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, NamedGroup::X25519),
        (true, CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, NamedGroup::SECP256R1),
    ] {
        let (hello, mut server) = before_the_hello(tls12());
        server.answers.config = Arc::new(ServerHandshake {
            common: Arc::new(tls12()),
            prefer_client_order,
            ..ServerHandshake::default()
        });
        let hello = edit(&hello, |hello| {
            hello.suites = vec![0x1301, 0xcca9, 0xc02b];
            hello.set(ExtensionType::SUPPORTED_GROUPS, &[0, 4, 0, 23, 0, 29]);
        });
        let server = hello_to(server, &hello);
        assert_eq!(server_hello(&server).suites, [suite.0]);
        let key_exchange = &server.sent[2];
        assert_eq!(key_exchange.typ(), HandshakeType::SERVER_KEY_EXCHANGE);
        assert_eq!(key_exchange.body()[..3], [[3].as_slice(), &group.0.to_be_bytes()].concat());
    }
}

#[test]
fn what_is_stapled_is_sent_when_it_is_asked_for() {
    let mut stapling = Arc::into_inner(credential(KeyAlgorithm::EcdsaP256)).unwrap();
    stapling.ocsp = Some(b"good".to_vec());
    stapling.scts = Some(vec![0, 5, 0, 3, 1, 2, 3]);
    let server = a_server(tls12(), ClientAuth::None, Arc::new(stapling));
    let mut pair = Pair { client: a_client(tls12(), None), server };
    let mut seen = Vec::new();
    pair.run_with(|to_server, message| {
        if !to_server {
            seen.push(message.name());
        }
    });
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    assert_eq!(seen[..3], ["ServerHello", "Certificate", "CertificateStatus"]);
    let peer = pair.client.outcome().peer.as_ref().unwrap();
    assert_eq!(peer.ocsp.as_deref(), Some(&b"good"[..]));
    assert_eq!(peer.scts.as_deref(), Some(&[0, 5, 0, 3, 1, 2, 3][..]));
}

#[test]
fn a_server_answers_nothing_that_was_not_asked() {
    let (hello, server) = before_the_hello(Common { require_extended_master_secret: false, ..tls12() });
    let hello = edit(&hello, |hello| {
        let keep = [ExtensionType::SUPPORTED_GROUPS, ExtensionType::SIGNATURE_ALGORITHMS];
        hello.extensions.retain(|(typ, _)| keep.contains(typ));
        hello.session_id = vec![7; 32];
    });
    let hello = server_hello(&hello_to(server, &hello));
    assert!(hello.extensions.is_empty(), "{:?}", hello.extensions);
    assert!(hello.session_id.is_empty(), "an echo would say that a session is resumed");
    assert_eq!((hello.version, &hello.compression[..]), (0x0303, &[0][..]));
}

#[test]
fn without_extended_master_secret_there_is_no_exporter() {
    let common = || Common { require_extended_master_secret: false, ..tls12() };
    let Pair { mut client, mut server } = pair_of(common(), common());
    client.settle();
    server.settle();
    let remove = |hello: &mut Hello| hello.remove(EMS);
    let mut messages = vec![edit(&client.next_message(), remove)];
    server.give(&messages[0]);
    server.settle();
    while let Some(message) = server.sent.pop_front() {
        client.give(&message);
        client.settle();
        messages.push(message);
    }
    assert!(Hello::of(&messages[1]).extensions.iter().all(|(typ, _)| *typ != EMS));
    messages.push(client.next_message());
    server.give(messages.last().unwrap());
    server.give(&client.next_message());
    assert_eq!(server.key_log, client.key_log, "both have bound the master secret to the randoms alone");
    // The client has hashed the hello as it was, so its Finished is made anew.
    let transcript: Vec<u8> = messages.iter().flat_map(|message| message.bytes.clone()).collect();
    let secret = Secret::new(&server.key_log[0].1).unwrap();
    let master = MasterSecret::resumed(Hash::Sha256, &secret).unwrap();
    let verify_data = master.verify_data(Sender::Client, &Hash::Sha256.digest(&transcript));
    let finished = Message::new(Level::Application, HandshakeType::FINISHED, &verify_data);
    assert_eq!(server.give(&finished).last().unwrap(), "Done");
    let outcome = server.outcome();
    assert!(!outcome.extended_master_secret && outcome.exporter.is_none() && outcome.session.is_none());
}

#[test]
fn a_suite_of_sha384_hashes_the_transcript_with_it() {
    let common = || Common { suites: vec![CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384], ..tls12() };
    let mut pair = pair_of(common(), common());
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    assert_eq!(pair.server.key(Level::Application, Direction::Read).len(), 32);
}

/// A hello of before there were extensions, or with an empty block of them.
fn without_extensions(hello: &Message, block: bool) -> Message {
    let mut bytes = edit(hello, |hello| hello.extensions.clear()).bytes;
    assert_eq!(bytes[bytes.len() - 2..], [0, 0]);
    if !block {
        bytes.truncate(bytes.len() - 2);
        let length = u32::try_from(bytes.len() - 4).unwrap();
        bytes[1..4].copy_from_slice(&length.to_be_bytes()[1..]);
    }
    Message { bytes, ..hello.clone() }
}

#[test]
fn a_client_that_knows_no_extensions_gets_none_and_the_curve_and_hash_that_it_must_have() {
    for block in [false, true] {
        for groups in [&[NamedGroup::X25519, NamedGroup::SECP256R1][..], &[NamedGroup::X25519]] {
            let common = Common { require_extended_master_secret: false, groups: groups.to_vec(), ..tls12() };
            let (hello, server) = before_the_hello(common);
            let server = hello_to(server, &without_extensions(&hello, block));
            if groups.len() == 1 {
                assert!(matches!(server.error(), Error::NoCommonGroup { .. }));
                continue;
            }
            assert!(server.failure.is_none(), "{:?}", server.failure);
            let hello = &server.sent[0].bytes;
            let id = usize::from(hello[4 + 2 + 32]);
            assert_eq!(hello.len(), 4 + 2 + 32 + 1 + id + 3, "nothing behind compression_method");
            let exchange = server.sent.iter().find(|m| m.typ_is(HandshakeType::SERVER_KEY_EXCHANGE)).unwrap();
            let exchange = ServerKeyExchange::parse(exchange.body()).unwrap();
            assert_eq!(exchange.group, NamedGroup::SECP256R1);
            assert_eq!(exchange.algorithm, SignatureScheme::ECDSA_SECP256R1_SHA256);
        }
    }
}

/// RFC 9155 takes SHA-1 away, RFC 5246's default for such a client: it is served with SHA-256, and never with SHA-1.
#[test]
fn a_client_that_names_no_signature_schemes_gets_sha256() {
    let (hello, server) = before_the_hello(tls12());
    let hello = edit(&hello, |hello| hello.remove(ExtensionType::SIGNATURE_ALGORITHMS));
    let server = hello_to(server, &hello);
    assert!(server.failure.is_none(), "{:?}", server.failure);
    let exchange = server.sent.iter().find(|m| m.typ_is(HandshakeType::SERVER_KEY_EXCHANGE)).unwrap();
    let exchange = ServerKeyExchange::parse(exchange.body()).unwrap();
    assert_eq!(exchange.algorithm, SignatureScheme::ECDSA_SECP256R1_SHA256);
}
