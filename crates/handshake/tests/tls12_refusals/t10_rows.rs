//! T10 at the client, where nothing is refused.

use super::*;

#[test]
fn rows_of_a_full_handshake_are_those_of_the_trace() {
    let (mut end, flight) = flight(Setup::default());
    let names: Vec<_> = flight.iter().map(Message::name).collect();
    assert_eq!(names, ["ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"]);
    assert_eq!(end.give_with(&flight[0], true), ["R(del,no)"]);
    assert!(end.give_with(&flight[1], true).is_empty());
    assert!(end.give_with(&flight[2], true).is_empty());
    assert_eq!(end.give(&flight[3]), ["?VerifyPeer"]);
    assert_eq!(end.answer(), ["S(ClientKeyExchange)@In", "CCS", "W:Ap", "S(Finished)@Ap"]);
    assert_eq!(end.key_log[0].0, "CLIENT_RANDOM");
    assert_eq!(end.key_log[0].1.len(), 48);
}

#[test]
fn rows_with_a_client_certificate_are_those_of_the_trace() {
    for (own, expected) in [
        (
            Some(credential(KeyAlgorithm::EcdsaP384)),
            &["S(Certificate)@In", "S(ClientKeyExchange)@In", "?Sign"][..],
        ),
        (None, &["S(Certificate)@In", "S(ClientKeyExchange)@In", "CCS", "W:Ap", "S(Finished)@Ap"]),
    ] {
        let signs = own.is_some();
        let (mut end, flight) =
            flight(Setup { client_auth: ClientAuth::Optional, client_credential: own, ..Setup::default() });
        for message in &flight {
            end.give(message);
        }
        assert_eq!(end.answer(), ["?ChooseCredential"]);
        assert_eq!(end.answer(), expected);
        if signs {
            assert_eq!(end.answer(), ["S(CertificateVerify)@In", "CCS", "W:Ap", "S(Finished)@Ap"]);
        }
    }
}

#[test]
fn both_ends_of_every_handshake_agree() {
    for (client, server) in [
        (Versions::Both, Versions::Only12),
        (Versions::Only12, Versions::Only12),
        (Versions::Only12, Versions::Both),
        (Versions::Both, Versions::Both),
    ] {
        for own in [None, Some(KeyAlgorithm::EcdsaP256), Some(KeyAlgorithm::Rsa), Some(KeyAlgorithm::Ed25519)]
        {
            let client_auth = if own.is_some() { ClientAuth::Required } else { ClientAuth::None };
            let client_credential = own.map(credential);
            let mut pair =
                Setup { client, server, client_auth, client_credential, ..Setup::default() }.pair();
            pair.run();
            assert!(pair.is_done(), "{client:?} {server:?} {:?} {:?}", pair.client, pair.server);
            let (ours, theirs) = (pair.client.outcome(), pair.server.outcome());
            let both = client == Versions::Both && server == Versions::Both;
            let version = if both { ProtocolVersion::TLS1_3 } else { ProtocolVersion::TLS1_2 };
            assert_eq!((ours.version, theirs.version), (version, version));
            assert_eq!((ours.suite, ours.group), (theirs.suite, theirs.group));
            assert_eq!(ours.alpn.as_deref(), Some(&b"h2"[..]));
            assert_eq!(ours.signature_scheme, theirs.peer_signature_scheme);
            assert_eq!(ours.signature_scheme.is_some(), own.is_some());
            assert_eq!(ours.peer_signature_scheme, theirs.signature_scheme);
            assert!(ours.extended_master_secret && ours.exporter.is_some());
            let export = |outcome: &oxtls_handshake::outcome::Outcome| {
                let mut bytes = [0; 32];
                outcome.exporter.as_ref().unwrap().export("EXPERIMENTAL", Some(b"x"), &mut bytes).unwrap();
                bytes
            };
            assert_eq!(export(ours), export(theirs));
            let level = Level::Application;
            let (write, read) = (Direction::Write, Direction::Read);
            assert_eq!(pair.client.key(level, write), pair.server.key(level, read));
            assert_eq!(pair.client.key(level, read), pair.server.key(level, write));
        }
    }
}
