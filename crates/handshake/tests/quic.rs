//! T13: over QUIC (RFC 9001), without 0-RTT. Keys go to levels that live side by side, so there is neither
//! ChangeCipherSpec nor a read mode, but for the largest message; transport parameters travel instead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use common::{Answers, End, Message, Pair, client, credential, edit, server};
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::client::Client;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, ServerHandshake};
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::need::Need;
use oxtls_handshake::post_handshake::key_update;
use oxtls_handshake::step::{Direction, Level, Transport};

const CLIENT_PARAMETERS: &[u8] = b"the client's transport parameters";
const SERVER_PARAMETERS: &[u8] = b"the server's transport parameters";

fn quic(parameters: &[u8]) -> Transport {
    Transport::Quic { parameters: parameters.to_vec() }
}

fn common(change: impl FnOnce(&mut Common)) -> Arc<Common> {
    let mut common = Common { alpn: vec![b"h3".to_vec()], ..Common::default() };
    change(&mut common);
    Arc::new(common)
}

fn pair(change: impl FnOnce(&mut ServerHandshake)) -> Pair {
    let mut config = ServerHandshake { common: common(|_| ()), ..ServerHandshake::default() };
    change(&mut config);
    let answers = Answers {
        config: Arc::new(config),
        credential: Some(credential(KeyAlgorithm::EcdsaP256)),
        cookie: None,
    };
    let config = ClientHandshake { common: common(|_| ()), ..ClientHandshake::default() };
    Pair {
        client: client(config, quic(CLIENT_PARAMETERS), None),
        server: server(quic(SERVER_PARAMETERS), answers),
    }
}

/// A server that has its answers, and the hello that the client sent.
fn hello() -> (Pair, Message) {
    let mut pair = pair(|_| ());
    pair.client.drain();
    pair.server.drain();
    let hello = pair.client.next_message();
    (pair, hello)
}

fn levels(end: &End) -> Vec<(Level, Direction)> {
    end.keys.iter().map(|key| (key.level, key.direction)).collect()
}

#[test]
fn row_0_the_hello_has_parameters_and_no_session_id() {
    let mut pair = pair(|_| ());
    assert_eq!(pair.client.drain(), ["S(ClientHello)@In", "max_message"]);
    assert_eq!(pair.server.drain(), ["max_message"]);
    let hello = pair.client.next_message();
    let parts = common::Hello::of(&hello);
    assert!(parts.session_id.is_empty());
    assert_eq!(parts.get(ExtensionType::QUIC_TRANSPORT_PARAMETERS), CLIENT_PARAMETERS);
    assert_eq!(pair.server.give(&hello), ["?ChooseConfig"]);
}

#[test]
fn rows_1_to_4_keys_parameters_and_done() {
    let (Pair { mut client, mut server }, hello) = hello();
    server.give(&hello);
    assert_eq!(server.answer(), ["?ChooseCredential"]);
    assert_eq!(
        server.answer(),
        [
            "PeerParameters",
            "S(ServerHello)@In",
            "W:HS",
            "R:HS",
            "max_message",
            "S(EncryptedExtensions)@HS",
            "S(Certificate)@HS",
            "?Sign",
        ]
    );
    assert_eq!(server.peer_parameters.as_deref(), Some(CLIENT_PARAMETERS));
    assert_eq!(server.answer(), ["S(CertificateVerify)@HS", "S(Finished)@HS", "W:Ap"]);
    assert_eq!(client.give(&server.next_message()), ["W:HS", "R:HS"]);
    assert_eq!(client.give(&server.next_message()), ["PeerParameters"]);
    assert_eq!(client.peer_parameters.as_deref(), Some(SERVER_PARAMETERS));
    assert!(client.give(&server.next_message()).is_empty());
    assert_eq!(client.give(&server.next_message()), ["?VerifyPeer"]);
    assert!(client.answer().is_empty());
    assert_eq!(
        client.give(&server.next_message()),
        ["S(Finished)@HS", "W:Ap", "R:Ap", "max_message", "Done"]
    );
    // The server reads 1-RTT only now (RFC 9001 section 5.7).
    assert!(!levels(&server).contains(&(Level::Application, Direction::Read)));
    assert_eq!(server.give(&client.next_message()), ["R:Ap", "Done"]);
    for level in [Level::Handshake, Level::Application] {
        assert_eq!(client.key(level, Direction::Write), server.key(level, Direction::Read));
        assert_eq!(client.key(level, Direction::Read), server.key(level, Direction::Write));
    }
    assert_eq!(server.outcome().alpn.as_deref(), Some(&b"h3"[..]));
}

#[test]
fn row_2_half_rtt_is_an_opt_in() {
    let mut pair = pair(|config| config.half_rtt = true);
    pair.client.drain();
    pair.server.drain();
    pair.server.give(&pair.client.next_message());
    assert_eq!(pair.server.settle().last().map(String::as_str), Some("HalfRtt"));
}

#[test]
fn client_certificates_work_as_over_records() {
    let mut pair = pair(|config| config.client_auth = ClientAuth::Required);
    pair.client.answers.credential = Some(credential(KeyAlgorithm::Ed25519));
    pair.run();
    assert!(pair.is_done());
    assert!(pair.server.outcome().peer.is_some());
}

#[test]
fn a_retry_works_as_over_records_but_for_change_cipher_spec() {
    let (Pair { mut client, mut server }, hello) = hello();
    server.answers.cookie = Some(b"address validated".to_vec());
    server.give(&hello);
    assert_eq!(server.answer(), ["S(HelloRetryRequest)@In"]);
    assert_eq!(client.give(&server.next_message()), ["S(ClientHello)@In"]);
    assert_eq!(server.give(&client.next_message()), ["?ChooseCredential"]);
    let mut pair = Pair { client, server };
    pair.run();
    assert!(pair.is_done() && pair.client.outcome().hello_retry_request);
}

#[test]
fn row_0_a_session_id_breaks_the_rules_of_quic() {
    let (mut pair, hello) = hello();
    let hello = edit(&hello, |hello| hello.session_id = vec![7; 32]);
    assert_eq!(pair.server.give(&hello), ["Failed(unexpected_message)@In"]);
    assert!(matches!(pair.server.error(), Error::QuicViolation(_)));
}

#[test]
fn row_0_parameters_must_be_there_over_quic_and_nowhere_else() {
    let (mut pair, hello) = hello();
    let without = edit(&hello, |hello| hello.remove(ExtensionType::QUIC_TRANSPORT_PARAMETERS));
    assert_eq!(pair.server.give(&without), ["Failed(missing_extension)@In"]);

    let mut stream = server(Transport::Stream, pair.server.answers.clone());
    stream.drain();
    assert_eq!(stream.give(&hello), ["Failed(unsupported_extension)@In"]);
}

#[test]
fn row_0_an_application_protocol_must_be_agreed() {
    for protocols in [&b""[..], b"\0\x09\x08http/1.1"] {
        let (mut pair, hello) = hello();
        let typ = ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
        let hello = edit(&hello, |hello| match protocols {
            b"" => hello.remove(typ),
            names => hello.set(typ, names),
        });
        pair.server.give(&hello);
        assert_eq!(pair.server.answer(), ["Failed(no_application_protocol)@In"]);
    }
    // Not even a server that does not insist over records goes on without.
    let mut pair = pair(|config| {
        config.common = common(|common| common.alpn.clear());
        config.alpn_required = false;
    });
    pair.run();
    assert!(matches!(pair.server.error(), Error::NoApplicationProtocol { .. }));
    let config =
        ClientHandshake { common: common(|common| common.alpn.clear()), ..ClientHandshake::default() };
    assert!(Client::new(config, quic(CLIENT_PARAMETERS), common::NOW).is_err());
}

/// Changes EncryptedExtensions on its way; what the client then says.
fn client_meets(change: impl Fn(&mut common::Extensions)) -> End {
    let mut pair = pair(|_| ());
    pair.run_with(|_, message| {
        if message.typ() == HandshakeType::ENCRYPTED_EXTENSIONS {
            let mut extensions = common::split_extensions(message.body());
            change(&mut extensions);
            *message = message.with_body(&common::join_extensions(&extensions));
        }
    });
    pair.client
}

#[test]
fn row_3_the_client_insists_on_parameters_and_a_protocol() {
    for (typ, alert) in [
        (ExtensionType::QUIC_TRANSPORT_PARAMETERS, "missing_extension"),
        (ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, "no_application_protocol"),
    ] {
        let client = client_meets(|extensions| extensions.retain(|(is, _)| *is != typ));
        assert_eq!(client.alert().name(), alert);
    }
}

#[test]
fn row_2_bytes_behind_server_hello_at_initial_are_refused() {
    let (Pair { mut client, mut server }, hello) = hello();
    server.give(&hello);
    server.settle();
    assert_eq!(client.give_with(&server.next_message(), true), ["Failed(unexpected_message)@In"]);
}

#[test]
fn row_3_every_message_has_its_level() {
    let all = [Level::Initial, Level::Early, Level::Handshake, Level::Application];
    for at in 0..7 {
        for wrong in all {
            let mut pair = pair(|_| ());
            let mut seen = 0;
            let mut expected = None;
            pair.run_with(|to_server, message| {
                if seen == at && message.level != wrong {
                    message.level = wrong;
                    expected = Some((to_server, message.typ()));
                }
                seen += 1;
            });
            let Some((to_server, typ)) = expected else { continue };
            let end = if to_server { &pair.server } else { &pair.client };
            assert!(
                matches!(end.error(), Error::WrongLevel { received } if *received == typ),
                "{typ} at {wrong:?}: {:?}",
                end.failure
            );
            assert_eq!(end.alert().name(), "unexpected_message");
        }
    }
}

#[test]
fn row_3_end_of_early_data_breaks_the_rules_of_quic() {
    let (Pair { mut server, .. }, hello) = hello();
    server.give(&hello);
    server.settle();
    let message = Message::new(Level::Early, HandshakeType::END_OF_EARLY_DATA, &[]);
    assert_eq!(server.give(&message), ["Failed(unexpected_message)@Ap"]);
    assert!(matches!(server.error(), Error::QuicViolation(_)));
}

#[test]
fn row_4_key_update_is_quics_own_and_refused_here() {
    let mut pair = pair(|_| ());
    pair.run();
    for end in [&mut pair.client, &mut pair.server] {
        let receive = &mut end.done.as_mut().unwrap().1.receive;
        let failure = receive.message(&key_update(false), false, common::NOW).unwrap_err();
        assert_eq!(failure.alert.name(), "unexpected_message");
    }
}

#[test]
fn the_server_asks_before_it_says_anything() {
    let (mut pair, hello) = hello();
    pair.server.give(&hello);
    assert!(matches!(pair.server.need, Some(Need::ChooseConfig(_))));
    assert!(pair.server.peer_parameters.is_none(), "nothing of an unanswered hello is handed out");
}
