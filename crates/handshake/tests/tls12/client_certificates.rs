use super::*;

#[test]
fn row_2_the_request_comes_before_the_flight_ends() {
    let Pair { mut client, mut server } = authenticated(ClientAuth::Required, None);
    client.drain();
    server.drain();
    server.give(&client.next_message());
    server.answer();
    server.answer();
    assert_eq!(server.read_mode.unwrap().max_message, defaults::MAX_MESSAGE);
    assert_eq!(
        server.answer(),
        ["S(ServerKeyExchange)@In", "S(CertificateRequest)@In", "S(ServerHelloDone)@In"]
    );
}

#[test]
fn rows_5_to_7_the_client_is_known_after_its_proof_and_the_verdict() {
    for key in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa, KeyAlgorithm::Ed25519] {
        let mut pair = authenticated(ClientAuth::Required, Some(credential(key)));
        let flight = second_flight(&mut pair);
        let Pair { client, mut server } = pair;
        assert_eq!(
            flight.iter().map(Message::name).collect::<Vec<_>>(),
            ["Certificate", "ClientKeyExchange", "CertificateVerify", "ChangeCipherSpec", "Finished"]
        );
        assert!(server.give(&flight[0]).is_empty());
        assert!(server.give(&flight[1]).is_empty());
        assert_eq!(server.give(&flight[2]), ["?VerifyPeer"]);
        assert_eq!(server.offer(&flight[3], false), Err(Misuse::NeedIsOut));
        assert!(server.answer().is_empty());
        assert_eq!(server.give(&flight[3]), ["R:Ap", "R(del,no)"]);
        assert_eq!(server.give(&flight[4]), ["CCS", "W:Ap", "S(Finished)@Ap", "R(del,yes)", "Done"]);
        let peer = server.outcome().peer.as_ref().unwrap();
        assert_eq!(peer.chain[..], client.answers.credential.as_ref().unwrap().chain[..]);
        let scheme = server.outcome().peer_signature_scheme.unwrap();
        assert!(client.answers.credential.as_ref().unwrap().schemes.contains(&scheme));
    }
}

#[test]
fn a_client_without_a_certificate_is_welcome_or_not() {
    let mut pair = authenticated(ClientAuth::Optional, None);
    pair.run();
    assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
    assert!(pair.server.outcome().peer.is_none());
    let mut pair = authenticated(ClientAuth::Required, None);
    pair.run();
    // TLS 1.2 has no alert of its own for it.
    assert_eq!(pair.server.alert(), HF);
    assert!(matches!(pair.server.error(), Error::CertificateRequired { .. }));
}

/// RFC 8422 section 5.6: a curve that the server names neither as a group nor by a scheme.
#[test]
fn a_certificate_on_a_curve_that_is_not_taken() {
    let mut other = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP384)));
    let theirs = second_flight(&mut other)[0].clone();
    let narrow = Common {
        verify_schemes: vec![SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::ED25519],
        ..tls12()
    };
    let ours = credential(KeyAlgorithm::EcdsaP256);
    let mut pair = Pair {
        client: a_client(tls12(), Some(Arc::clone(&ours))),
        server: a_server(narrow, ClientAuth::Required, ours),
    };
    second_flight(&mut pair);
    refuses(&mut pair.server, &[&theirs], IP);
}

#[test]
fn a_certificate_is_nothing_without_its_proof() {
    let mut pair = authenticated(ClientAuth::Optional, Some(credential(KeyAlgorithm::EcdsaP256)));
    let flight = second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[0], &flight[1], &flight[3]], UM);
    assert!(matches!(pair.server.error(), Error::UnexpectedChangeCipherSpec));
}

#[test]
fn a_proof_that_is_of_another_handshake_or_scheme() {
    let mut pair = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
    let flight = second_flight(&mut pair);
    let mut body = flight[2].body().to_vec();
    let last = body.len() - 1;
    body[last] ^= 1;
    let wrong = flight[2].with_body(&body);
    refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
    for scheme in [
        SignatureScheme::ECDSA_SHA1,
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::ED25519,
        SignatureScheme(0xffff),
    ] {
        let mut pair = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
        let flight = second_flight(&mut pair);
        let mut body = flight[2].body().to_vec();
        body[..2].copy_from_slice(&scheme.0.to_be_bytes());
        let wrong = flight[2].with_body(&body);
        refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], IP);
    }
    // A hash of another size than the curve's is fine in TLS 1.2, so that it is the signature that is wrong.
    let mut pair = authenticated(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
    let flight = second_flight(&mut pair);
    let mut body = flight[2].body().to_vec();
    body[..2].copy_from_slice(&SignatureScheme::ECDSA_SECP384R1_SHA384.0.to_be_bytes());
    let wrong = flight[2].with_body(&body);
    refuses(&mut pair.server, &[&flight[0], &flight[1], &wrong], AlertDescription::DECRYPT_ERROR);
}

#[test]
fn certificates_out_of_their_order() {
    let with_certificate = || authenticated(ClientAuth::Optional, Some(credential(KeyAlgorithm::EcdsaP256)));
    let mut pair = with_certificate();
    let flight = second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[1]], UM);
    let mut pair = with_certificate();
    let flight = second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[0], &flight[2]], UM);
    let mut pair = with_certificate();
    let flight = second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[0], &flight[0]], UM);
    // A proof of what nobody has shown.
    let mut pair = with_certificate();
    let flight = second_flight(&mut pair);
    let empty = flight[0].with_body(&[0, 0, 0]);
    refuses(&mut pair.server, &[&empty, &flight[1], &flight[2]], UM);
    // A certificate that nobody asked for.
    let mut pair = super::pair();
    second_flight(&mut pair);
    refuses(&mut pair.server, &[&flight[0]], UM);
}

/// RFC 7627 section 1: what somebody could splice must not say who a client is. The same handshake leaves a session if the
/// client has no certificate to show.
#[test]
fn no_session_without_extended_master_secret_is_kept_in_which_a_client_has_said_who_it_is() {
    let common =
        || Common { require_extended_master_secret: false, resume_unbound_sessions: true, ..tls12() };
    for shown in [None, Some(credential(KeyAlgorithm::EcdsaP256))] {
        let config = ClientHandshake {
            common: Arc::new(common()),
            resumption: true,
            server_name: Some("server.example".to_owned()),
            ..ClientHandshake::default()
        };
        let kept = shown.is_none();
        let mut client = client(config, Transport::Stream, shown);
        let mut server = a_server(common(), ClientAuth::Optional, credential(KeyAlgorithm::EcdsaP256));
        client.settle();
        server.settle();
        let mut seen = vec![client.next_message()];
        server.give(&edit(&seen[0], |hello| hello.remove(EMS)));
        server.settle();
        while let Some(mut message) = server.sent.pop_front() {
            if message.typ_is(HandshakeType::SERVER_HELLO) {
                message = edit(&message, |hello| hello.session_id = vec![9; 32]);
            }
            client.give(&message);
            client.settle();
            seen.push(message);
        }
        seen.extend(client.sent.drain(..).filter(|message| message.name() != "ChangeCipherSpec"));
        client.give(&Message::change_cipher_spec());
        // The server has seen another hello, so its Finished is made here.
        let transcript: Vec<u8> = seen.iter().flat_map(|message| message.bytes.clone()).collect();
        let master =
            MasterSecret::resumed(Hash::Sha256, &Secret::new(&client.key_log[0].1).unwrap()).unwrap();
        let verify_data = master.verify_data(Sender::Server, &Hash::Sha256.digest(&transcript));
        client.give(&Message::new(Level::Application, HandshakeType::FINISHED, &verify_data));
        let session = client.done.expect("it is done").0.session;
        assert_eq!(session.map(|session| session.extended_master_secret), kept.then_some(false));
    }
}
