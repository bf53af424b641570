//! T3: client certificates. Each row of the trace is asserted at both machines, with no record layer between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use common::{Answers, End, Message, Pair, client, credential, server};
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};
use oxtls_handshake::alert::AlertDescription;
use oxtls_handshake::codec::Writer;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::error::{Error, Fault};
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::need::Need;
use oxtls_handshake::step::{Direction, Level, Transport};

/// A server that asks for certificates, a client that may have one; the first flights exchanged up to the server's
/// Finished, which is not given to the client yet.
struct Flight {
    client: End,
    server: End,
    finished: Message,
}

fn configured(
    auth: ClientAuth,
    change: impl FnOnce(&mut ServerHandshake, &mut Common),
) -> Arc<ServerHandshake> {
    let mut config = ServerHandshake { client_auth: auth, ..ServerHandshake::default() };
    let mut common = Common::default();
    change(&mut config, &mut common);
    config.common = Arc::new(common);
    Arc::new(config)
}

fn pair(config: Arc<ServerHandshake>, client_credential: Option<Arc<Credential>>) -> Pair {
    let answers = Answers { config, credential: Some(credential(KeyAlgorithm::EcdsaP256)), cookie: None };
    Pair {
        client: client(ClientHandshake::default(), Transport::Stream, client_credential),
        server: server(Transport::Stream, answers),
    }
}

/// Rows 0 to 8: everything but the server's Finished has been given to the client.
fn flight(auth: ClientAuth, client_credential: Option<Arc<Credential>>) -> Flight {
    flight_of(configured(auth, |_, _| ()), client_credential)
}

fn flight_of(config: Arc<ServerHandshake>, client_credential: Option<Arc<Credential>>) -> Flight {
    let Pair { mut client, mut server } = pair(config, client_credential);
    client.drain();
    server.drain();
    server.give(&client.next_message());
    server.settle();
    while server.sent.len() > 1 {
        client.give(&server.next_message());
        client.settle();
    }
    let finished = server.next_message();
    Flight { client, server, finished }
}

impl Flight {
    /// Row 9: the client's Certificate, CertificateVerify and Finished, in this order.
    fn client_messages(&mut self) -> Vec<Message> {
        self.client.give(&self.finished);
        self.client.settle();
        self.client.sent.drain(..).collect()
    }
}

fn message(typ: HandshakeType, body: impl FnOnce(&mut Writer)) -> Message {
    let mut w = Writer::new();
    body(&mut w);
    Message::new(Level::Handshake, typ, &w.finish().unwrap())
}

#[test]
fn row_3_the_request_follows_encrypted_extensions() {
    let Pair { mut client, mut server } = pair(configured(ClientAuth::Required, |_, _| ()), None);
    client.drain();
    server.drain();
    assert_eq!(server.give(&client.next_message()), ["?ChooseConfig"]);
    assert_eq!(server.answer(), ["?ChooseCredential"]);
    assert_eq!(
        server.answer(),
        [
            "S(ServerHello)@In",
            "CCS",
            "W:HS",
            "R:HS",
            "R(drop,no,pa)",
            "S(EncryptedExtensions)@HS",
            "S(CertificateRequest)@HS",
            "S(Certificate)@HS",
            "?Sign",
        ]
    );
    assert_eq!(server.answer(), ["S(CertificateVerify)@HS", "S(Finished)@HS", "W:Ap"]);
}

#[test]
fn row_5a_and_9a_the_request_is_kept_until_the_server_has_proved_itself() {
    let Pair { mut client, mut server } =
        pair(configured(ClientAuth::Required, |_, _| ()), Some(credential(KeyAlgorithm::Ed25519)));
    client.drain();
    server.drain();
    server.give(&client.next_message());
    server.settle();
    for (name, seen) in [
        ("ServerHello", &["CCS", "W:HS", "R:HS", "R(drop,no)"][..]),
        ("EncryptedExtensions", &[]),
        ("CertificateRequest", &[]),
        ("Certificate", &[]),
        ("CertificateVerify", &["?VerifyPeer"]),
    ] {
        let message = server.next_message();
        assert_eq!(
            (message.name().as_str(), &client.give(&message)[..]),
            (name, &seen.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..])
        );
    }
    assert!(client.answer().is_empty());
    assert_eq!(client.give(&server.next_message()), ["?ChooseCredential"]);
    assert_eq!(client.answer(), ["S(Certificate)@HS", "?Sign"]);
    assert_eq!(
        client.answer(),
        ["S(CertificateVerify)@HS", "S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"]
    );
}

#[test]
fn rows_9b_to_10b_the_client_is_known_after_its_proof_and_the_verdict() {
    let mut flight = flight(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP384)));
    let messages = flight.client_messages();
    let Flight { client, mut server, .. } = flight;
    assert_eq!(
        messages.iter().map(Message::name).collect::<Vec<_>>(),
        ["Certificate", "CertificateVerify", "Finished"]
    );
    assert!(server.give(&messages[0]).is_empty());
    assert_eq!(server.give(&messages[1]), ["?VerifyPeer"]);
    assert!(matches!(&server.need, Some(Need::VerifyPeer(need)) if need.peer.chain.len() == 1));
    assert!(server.answer().is_empty());
    assert_eq!(server.give(&messages[2]), ["R:Ap", "R(del,yes)", "Done"]);
    let (ours, theirs) = (server.outcome(), client.outcome());
    assert_eq!(ours.peer_signature_scheme, Some(SignatureScheme::ECDSA_SECP384R1_SHA384));
    assert_eq!(theirs.signature_scheme, ours.peer_signature_scheme);
    let chain = &ours.peer.as_ref().unwrap().chain;
    assert_eq!(chain[..], client.answers.credential.as_ref().unwrap().chain[..]);
}

#[test]
fn every_kind_of_key_authenticates_either_side() {
    for algorithm in [
        KeyAlgorithm::Rsa,
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::EcdsaP521,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::MlDsa44,
        KeyAlgorithm::MlDsa65,
        KeyAlgorithm::MlDsa87,
    ] {
        let config = configured(ClientAuth::Required, |_, _| ());
        let mut pair = pair(config, Some(credential(algorithm)));
        pair.server.answers.credential = Some(credential(algorithm));
        pair.run();
        assert!(pair.is_done(), "{algorithm:?}: {:?} {:?}", pair.client.failure, pair.server.failure);
        for end in [&pair.client, &pair.server] {
            let scheme = end.outcome().peer_signature_scheme.unwrap();
            assert!(scheme.fits_tls13(algorithm), "{algorithm:?} {scheme}");
            assert_eq!(end.outcome().signature_scheme, Some(scheme));
        }
    }
}

#[test]
fn row_9c_without_a_certificate_where_it_is_optional() {
    let mut flight = flight(ClientAuth::Optional, None);
    assert_eq!(flight.client.give(&flight.finished), ["?ChooseCredential"]);
    assert_eq!(
        flight.client.answer(),
        ["S(Certificate)@HS", "S(Finished)@HS", "W:Ap", "R:Ap", "R(del,yes)", "Done"]
    );
    assert!(flight.server.give(&flight.client.next_message()).is_empty());
    assert_eq!(flight.server.give(&flight.client.next_message()), ["R:Ap", "R(del,yes)", "Done"]);
    assert_eq!(flight.server.outcome().peer, None);
    assert_eq!(flight.server.outcome().peer_signature_scheme, None);
}

#[test]
fn row_9c_without_a_certificate_where_it_is_required() {
    let mut flight = flight(ClientAuth::Required, None);
    let messages = flight.client_messages();
    assert_eq!(flight.server.give_with(&messages[0], true), ["Failed(certificate_required)@Ap"]);
    assert_eq!(flight.server.error().fault(), Fault::Peer);
    // The client does not know: it is done, and reads the alert at Application.
    assert!(flight.client.done.is_some());
}

#[test]
fn row_9c_the_certificate_may_not_be_left_out() {
    for auth in [ClientAuth::Optional, ClientAuth::Required] {
        let mut flight = flight(auth, None);
        let messages = flight.client_messages();
        assert_eq!(flight.server.give(&messages[1]), ["Failed(unexpected_message)@Ap"]);
    }
}

#[test]
fn row_9b_a_context_that_the_request_did_not_have_is_refused() {
    let mut flight = flight(ClientAuth::Optional, None);
    let certificate = message(HandshakeType::CERTIFICATE, |w| {
        w.vec_u8(&[1]);
        w.vec_u24(&[]);
    });
    assert_eq!(flight.server.give(&certificate), ["Failed(illegal_parameter)@Ap"]);
}

#[test]
fn row_9b_a_chain_longer_than_max_message_or_max_chain_is_refused() {
    let mut long = flight(ClientAuth::Required, None);
    let limit = usize::try_from(Common::default().max_message).unwrap();
    let certificate = message(HandshakeType::CERTIFICATE, |w| w.bytes(&vec![0; limit]));
    assert_eq!(long.server.give(&certificate), ["Failed(illegal_parameter)@Ap"]);

    let mut deep = flight(ClientAuth::Required, None);
    let certificate = message(HandshakeType::CERTIFICATE, |w| {
        w.vec_u8(&[]);
        w.block_u24(|w| {
            for _ in 0..=Common::default().max_chain {
                w.vec_u24(&[0x30, 0]);
                w.vec_u16(&[]);
            }
        });
    });
    assert_eq!(deep.server.give(&certificate), ["Failed(illegal_parameter)@Ap"]);
}

#[test]
fn a_certificate_without_a_usable_key_is_refused_before_its_proof() {
    // An Ed448 key (1.3.101.113) in place of an Ed25519 key (1.3.101.112) of the same form.
    let mut certificate = credential(KeyAlgorithm::Ed25519).chain[0].to_vec();
    let oid = [0x06, 0x03, 0x2b, 0x65, 0x70];
    let at: Vec<_> = (0..certificate.len() - 4).filter(|&at| certificate[at..at + 5] == oid).collect();
    for at in at {
        certificate[at + 4] = 0x71;
    }
    let unknown_key = message(HandshakeType::CERTIFICATE, |w| {
        w.vec_u8(&[]);
        w.block_u24(|w| {
            w.vec_u24(&certificate);
            w.vec_u16(&[]);
        });
    });
    let unreadable = message(HandshakeType::CERTIFICATE, |w| {
        w.vec_u8(&[]);
        w.block_u24(|w| {
            w.vec_u24(b"no certificate");
            w.vec_u16(&[]);
        });
    });
    for (certificate, alert) in [(unknown_key, "unsupported_certificate"), (unreadable, "decode_error")] {
        let mut flight = flight(ClientAuth::Required, None);
        assert_eq!(flight.server.give_with(&certificate, true), [format!("Failed({alert})@Ap")]);
    }
}

#[test]
fn row_10a_a_proof_behind_an_empty_certificate_is_refused() {
    let mut with = flight(ClientAuth::Optional, Some(credential(KeyAlgorithm::Ed25519)));
    let verify = with.client_messages()[1].clone();
    let mut flight = flight(ClientAuth::Optional, None);
    let messages = flight.client_messages();
    flight.server.give(&messages[0]);
    assert_eq!(flight.server.give(&verify), ["Failed(unexpected_message)@Ap"]);
}

#[test]
fn row_10a_a_certificate_without_its_proof_is_refused() {
    let mut flight = flight(ClientAuth::Required, Some(credential(KeyAlgorithm::Ed25519)));
    let messages = flight.client_messages();
    flight.server.give(&messages[0]);
    assert_eq!(flight.server.give(&messages[2]), ["Failed(unexpected_message)@Ap"]);
}

#[test]
fn row_10a_a_signature_that_does_not_verify_is_refused_unasked() {
    let mut flight = flight(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
    let mut messages = flight.client_messages();
    let last = messages[1].bytes.len() - 1;
    messages[1].bytes[last] ^= 1;
    flight.server.give(&messages[0]);
    assert_eq!(flight.server.give(&messages[1]), ["Failed(decrypt_error)@Ap"]);
    assert!(matches!(flight.server.error(), Error::BadSignature));
}

/// A signature over another handshake's transcript is worth nothing here: else a certificate could be borrowed.
#[test]
fn row_10a_a_proof_of_another_handshake_is_refused() {
    let credential = credential(KeyAlgorithm::EcdsaP256);
    let elsewhere = flight(ClientAuth::Required, Some(Arc::clone(&credential))).client_messages();
    let mut here = flight(ClientAuth::Required, Some(credential));
    here.server.give(&elsewhere[0]);
    assert_eq!(here.server.give(&elsewhere[1]), ["Failed(decrypt_error)@Ap"]);
}

#[test]
fn row_10a_a_scheme_that_was_not_asked_for_or_is_not_the_keys_is_refused() {
    for scheme in [
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::ECDSA_SHA1,
        SignatureScheme(0xfefe),
    ] {
        let mut flight = flight(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
        let mut messages = flight.client_messages();
        messages[1].bytes[4..6].copy_from_slice(&scheme.0.to_be_bytes());
        flight.server.give(&messages[0]);
        assert_eq!(flight.server.give(&messages[1]), ["Failed(illegal_parameter)@Ap"], "{scheme}");
    }
    let config = configured(ClientAuth::Required, |_, common| {
        common.verify_schemes.retain(|scheme| *scheme != SignatureScheme::ECDSA_SECP256R1_SHA256);
    });
    let mut flight = flight_of(config, None);
    flight.client.answers.credential = Some(credential(KeyAlgorithm::EcdsaP256));
    let messages = flight.client_messages();
    assert_eq!(messages.len(), 2, "nothing fits, so the client sends an empty Certificate");
}

#[test]
fn row_10a_the_verdict_is_the_outsides_and_its_alert_goes_out_at_application() {
    let mut flight = flight(ClientAuth::Required, Some(credential(KeyAlgorithm::EcdsaP256)));
    let messages = flight.client_messages();
    flight.server.give(&messages[0]);
    flight.server.give(&messages[1]);
    let refused = Error::Refused {
        alert: AlertDescription::UNKNOWN_CA,
        fault: Fault::Peer,
        cause: "nobody vouches for this certificate".into(),
    };
    flight.server.need = None;
    assert_eq!(flight.server.abort(refused), ["Failed(unknown_ca)@Ap"]);
    assert!(flight.server.done.is_none());
}

#[test]
fn row_10b_a_finished_that_does_not_verify_is_refused() {
    let mut flight = flight(ClientAuth::Optional, None);
    let mut messages = flight.client_messages();
    messages[1].bytes[4] ^= 1;
    flight.server.give(&messages[0]);
    assert_eq!(flight.server.give(&messages[1]), ["Failed(decrypt_error)@Ap"]);
    assert!(matches!(flight.server.error(), Error::BadFinished));
}

#[test]
fn half_rtt_is_for_servers_that_do_not_insist_on_a_certificate() {
    for (auth, seen) in
        [(ClientAuth::None, true), (ClientAuth::Optional, true), (ClientAuth::Required, false)]
    {
        let Pair { mut client, mut server } =
            pair(configured(auth, |config, _| config.half_rtt = true), None);
        client.drain();
        server.drain();
        server.give(&client.next_message());
        assert_eq!(server.settle().contains(&"HalfRtt".to_owned()), seen, "{auth:?}");
    }
}

#[test]
fn the_request_carries_what_the_server_accepts_and_asks_to_have_stapled() {
    let authorities = vec![b"\x30\x00".to_vec(), b"\x30\x02\x31\x00".to_vec()];
    let config = configured(ClientAuth::Optional, |config, common| {
        config.authorities = authorities.clone();
        common.certificate_schemes = Some(vec![SignatureScheme::RSA_PKCS1_SHA256]);
        common.verify_schemes = vec![SignatureScheme::ED25519, SignatureScheme::RSA_PKCS1_SHA256];
        common.ocsp = true;
        common.sct = true;
    });
    let stapled = credential(KeyAlgorithm::Ed25519);
    let stapled = Arc::new(Credential {
        chain: stapled.chain.clone(),
        signer: stapled.signer.clone(),
        schemes: stapled.schemes.clone(),
        ocsp: Some(b"an OCSP response".to_vec()),
        scts: Some(b"\0\x05\0\x03sct".to_vec()),
        compressed: Vec::new(),
    });
    let mut flight = flight_of(config, Some(stapled));
    flight.client.give(&flight.finished);
    let Some(Need::ChooseCredential(need)) = &flight.client.need else { panic!("ChooseCredential is due") };
    assert_eq!(need.request.schemes, [SignatureScheme::ED25519], "PKCS #1 signs no CertificateVerify");
    assert_eq!(need.request.certificate_schemes, [SignatureScheme::RSA_PKCS1_SHA256]);
    assert_eq!(need.request.authorities, authorities);
    assert!(need.request.ocsp && need.request.sct);
    flight.client.settle();
    for message in std::mem::take(&mut flight.client.sent) {
        flight.server.give(&message);
        flight.server.settle();
    }
    let peer = flight.server.outcome().peer.as_ref().unwrap();
    assert_eq!(peer.ocsp.as_deref(), Some(&b"an OCSP response"[..]));
    assert_eq!(peer.scts.as_deref(), Some(&b"\0\x05\0\x03sct"[..]));
}

#[test]
fn a_staple_that_was_not_asked_for_is_refused() {
    let certificate = message(HandshakeType::CERTIFICATE, |w| {
        w.vec_u8(&[]);
        w.block_u24(|w| {
            w.vec_u24(&credential(KeyAlgorithm::Ed25519).chain[0]);
            w.block_u16(|w| {
                w.u16(5);
                w.vec_u16(&[1, 0, 0, 1, 0]);
            });
        });
    });
    let mut flight = flight(ClientAuth::Required, None);
    assert_eq!(flight.server.give_with(&certificate, true), ["Failed(unsupported_extension)@Ap"]);
}

/// Row 10: the client's application key is not handed out before its Finished, whoever it is.
#[test]
fn the_clients_application_key_waits_for_its_finished() {
    let flight = flight(ClientAuth::Required, None);
    let early = |key: &common::Installed| key.level == Level::Application && key.direction == Direction::Read;
    assert!(!flight.server.keys.iter().any(early));
}
