//! What is a matter of one Need.

use super::*;

/// The read mode of what follows a hello is part of the answer: opened before it, a ChangeCipherSpec or early data
/// would be judged by the mode that is right before a hello.
#[test]
fn how_to_read_on_is_said_by_the_answer() {
    let mut pair = begun(TLS13, Full);
    assert_eq!(pair.server.give(&pair.client.next_message()), ["?ChooseConfig"]);
    assert_eq!(pair.server.answer(), ["?ChooseCredential"]);
    assert!(pair.server.answer().contains(&"R(drop,no,pa)".to_owned()));
}

/// Sign at a server: what can go out goes out while the signature is being made.
#[test]
fn a_slow_signature_does_not_hold_back_what_needs_none() {
    let mut pair = at(stop(true, "Sign", "HS"));
    let sent: Vec<String> = pair.server.sent.iter().map(Message::name).collect();
    assert_eq!(sent, ["ServerHello", "EncryptedExtensions", "CertificateRequest", "Certificate"]);
    pair.client.give(&pair.server.next_message());
    assert!(pair.client.failure.is_none());
}

/// VerifyPeer at a client: the Finished behind it waits, and nothing of the server's application data can be opened,
/// since its key comes with Done.
#[test]
fn nothing_can_be_read_from_a_server_that_is_not_yet_accepted() {
    let mut pair = at(stop(false, "VerifyPeer", "HS"));
    assert!(pair.client.keys.iter().all(|key| key.level == Level::Handshake));
    let finished = pair.server.next_message();
    assert_eq!(pair.client.offer(&finished, false), Err(Misuse::NeedIsOut));
    assert!(pair.client.answer().is_empty());
    assert_eq!(pair.client.give(&finished), ["?ChooseCredential"]);
}

/// ChooseCredential at a client: no application key either way until everything is answered.
#[test]
fn a_client_that_is_asked_for_a_certificate_is_not_done_before_its_answer() {
    for need in ["ChooseCredential", "Sign"] {
        let pair = at(stop(false, need, "HS"));
        assert!(pair.client.done.is_none());
        assert!(pair.client.keys.iter().all(|key| key.level == Level::Handshake));
    }
}

/// An answer that no peer could take is the fault of whoever answers.
#[test]
fn a_credential_that_the_peer_did_not_ask_for_is_refused() {
    for &stop in STOPS.iter().filter(|stop| stop.need == "ChooseCredential") {
        for scheme in [SignatureScheme::ED25519, SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme(0xfefe)] {
            let mut pair = at(stop);
            let end = stop.end(&mut pair);
            let Some(Need::ChooseCredential(need)) = end.need.take() else { panic!("{stop:?}") };
            let credential = credential(KeyAlgorithm::EcdsaP384);
            end.machine.input(Input::Answer(need.answer(credential, scheme))).unwrap();
            assert_eq!(end.drain(), [format!("Failed(internal_error)@{}", stop.level)], "{stop:?} {scheme}");
        }
    }
}

#[test]
fn no_credential_is_an_alert_of_a_server() {
    let mut pair = at(stop(true, "ChooseCredential", "In"));
    pair.server.answers.credential = None;
    assert_eq!(pair.server.answer(), ["Failed(handshake_failure)@In"]);
    assert!(matches!(pair.server.error(), Error::NoCommonSignatureScheme { peer } if !peer.is_empty()));
}

#[test]
fn an_empty_signature_is_not_sent() {
    for &stop in STOPS.iter().filter(|stop| stop.need == "Sign") {
        let mut pair = at(stop);
        let end = stop.end(&mut pair);
        let Some(Need::Sign(need)) = end.need.take() else { panic!("{stop:?}") };
        end.machine.input(Input::Answer(need.answer(Vec::new()))).unwrap();
        assert_eq!(end.drain(), [format!("Failed(internal_error)@{}", stop.level)]);
    }
}

/// TLS 1.2: what arrives while the client's certificate is judged is a ChangeCipherSpec, and waits like a message.
#[test]
fn a_change_of_key_waits_for_the_verdict() {
    let mut pair = at(stop_tls12(true, "VerifyPeer"));
    // Without its certificate the client would be done: no key of it is in use before the verdict.
    assert!(pair.server.keys.is_empty());
    while pair.client.need.is_some() {
        pair.client.answer();
    }
    let waiting: Vec<String> = pair.client.sent.iter().map(Message::name).collect();
    assert_eq!(waiting, ["ChangeCipherSpec", "Finished"]);
    let change = pair.client.next_message();
    assert_eq!(pair.server.offer(&change, false), Err(Misuse::NeedIsOut));
    pair.server.answer();
    assert_eq!(pair.server.give(&change), ["R:Ap", "R(del,no)"]);
}
