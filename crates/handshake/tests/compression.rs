//! Compressed certificates in both directions (RFC 8879), by a compression that puts one byte ahead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::sync::Arc;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_handshake::config::{ClientAuth, ClientHandshake, Common, Credential, ServerHandshake};
use oxtls_handshake::error::Error;
use oxtls_handshake::extension::ExtensionType;
use oxtls_handshake::message::HandshakeType;
use oxtls_handshake::message::compressed_certificate::CompressedCertificate;
use oxtls_handshake::step::{Level, Misuse, Transport};

use common::{Answers, End, Message, Pair, client, credential, edit, server};

/// A credential with a form by each of these algorithms.
fn compressed_by(algorithms: &[u16]) -> Arc<Credential> {
    let mut credential = Arc::into_inner(credential(KeyAlgorithm::EcdsaP256)).unwrap();
    credential.ocsp = Some(b"a response".to_vec());
    for algorithm in algorithms {
        credential.add_compressed(*algorithm, |body| Some([&[0xcc], body].concat())).unwrap();
    }
    Arc::new(credential)
}

fn common(decompress: &[u16], ocsp: bool) -> Arc<Common> {
    let groups = vec![NamedGroup::X25519];
    Arc::new(Common { groups, decompress: decompress.to_vec(), ocsp, ..Common::default() })
}

struct Setup {
    /// What each end can undo, and what its credential is compressed by.
    client: (&'static [u16], &'static [u16]),
    server: (&'static [u16], &'static [u16]),
    ocsp: bool,
    client_auth: ClientAuth,
}

const BOTH: Setup =
    Setup { client: (&[7], &[7]), server: (&[7], &[7]), ocsp: false, client_auth: ClientAuth::Required };

impl Setup {
    fn pair(&self) -> Pair {
        let config = ClientHandshake { common: common(self.client.0, self.ocsp), ..Default::default() };
        let answers = Answers {
            config: Arc::new(ServerHandshake {
                common: common(self.server.0, self.ocsp),
                client_auth: self.client_auth,
                ..ServerHandshake::default()
            }),
            cookie: None,
            credential: Some(compressed_by(self.server.1)),
        };
        let ours = Some(compressed_by(self.client.1));
        Pair { client: client(config, Transport::Stream, ours), server: server(Transport::Stream, answers) }
    }

    /// The names of the messages with certificates, the server's first, of a handshake that must succeed.
    fn certificates(&self) -> Vec<String> {
        let mut pair = self.pair();
        let mut names = Vec::new();
        pair.run_with(|_, message| {
            if [HandshakeType::CERTIFICATE, HandshakeType::COMPRESSED_CERTIFICATE].contains(&message.typ()) {
                names.push(message.name());
            }
        });
        assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
        for (end, of) in [(&pair.client, &pair.server), (&pair.server, &pair.client)] {
            let shown = end.outcome().peer.as_ref().unwrap();
            let credential = of.answers.credential.as_ref().unwrap();
            assert_eq!(shown.chain[..], credential.chain[..]);
            assert_eq!(shown.ocsp.as_deref(), credential.ocsp.as_deref().filter(|_| self.ocsp));
        }
        names
    }

    /// The server's end when the client's certificate is due, and that message.
    fn before_client_certificate(&self) -> (End, Message) {
        let mut pair = self.pair();
        pair.client.settle();
        pair.server.settle();
        let hello = pair.client.next_message();
        pair.server.give(&hello);
        pair.server.settle();
        while let Some(message) = pair.server.sent.pop_front() {
            pair.client.give(&message);
            pair.client.settle();
        }
        let certificate = pair.client.next_message();
        (pair.server, certificate)
    }
}

#[test]
fn both_ends_send_what_the_other_can_undo() {
    for ocsp in [false, true] {
        let names = Setup { ocsp, ..BOTH }.certificates();
        assert_eq!(names, ["CompressedCertificate", "CompressedCertificate"]);
    }
}

#[test]
fn nobody_compresses_by_what_was_not_offered() {
    let names = |client, server| Setup { client, server, ..BOTH }.certificates();
    assert_eq!(names((&[], &[7]), (&[7], &[7])), ["Certificate", "CompressedCertificate"]);
    assert_eq!(names((&[7], &[7]), (&[], &[7])), ["CompressedCertificate", "Certificate"]);
    assert_eq!(names((&[8], &[7]), (&[8], &[7])), ["Certificate", "Certificate"]);
    assert_eq!(names((&[7], &[]), (&[7], &[])), ["Certificate", "Certificate"]);
}

#[test]
fn each_end_prefers_its_own_order() {
    let mut pair =
        Setup { client: (&[1, 2], &[]), server: (&[], &[2, 1]), client_auth: ClientAuth::None, ..BOTH }
            .pair();
    let mut algorithm = 0;
    pair.run_with(|_, message| {
        if message.typ() == HandshakeType::COMPRESSED_CERTIFICATE {
            algorithm = CompressedCertificate::parse(message.body()).unwrap().algorithm;
        }
    });
    assert!(pair.is_done());
    assert_eq!(algorithm, 2);
}

fn compressed(algorithm: u16, length: usize, bytes: &[u8]) -> Message {
    let uncompressed_length = u32::try_from(length).unwrap();
    let bytes = CompressedCertificate { algorithm, uncompressed_length, bytes }.encode().unwrap();
    Message { level: Level::Handshake, bytes }
}

#[test]
fn a_server_judges_a_compressed_certificate_before_it_has_it_decompressed() {
    let limit = usize::try_from(Common::default().max_message).unwrap();
    for (message, refused) in [
        (compressed(8, 100, b"small"), "Failed(illegal_parameter)@Ap"),
        (compressed(7, limit - 3, b"small"), "Failed(illegal_parameter)@Ap"),
        (compressed(7, 0x00ff_ffff, b"small"), "Failed(illegal_parameter)@Ap"),
        (compressed(7, 100, b""), "Failed(decode_error)@Ap"),
        (compressed(7, 0, b"small"), "Failed(decode_error)@Ap"),
        (compressed(7, 3, b"small"), "Failed(decode_error)@Ap"),
    ] {
        let (mut server, _) = BOTH.before_client_certificate();
        assert_eq!(server.give(&message), [refused]);
    }
    let (mut server, _) = BOTH.before_client_certificate();
    assert_eq!(server.give(&compressed(7, limit - 4, b"small")), ["?Decompress"]);
    let (mut server, _) = Setup { server: (&[], &[]), ..BOTH }.before_client_certificate();
    assert_eq!(server.give(&compressed(7, 100, b"small")), ["Failed(unexpected_message)@Ap"]);
}

#[test]
fn what_comes_out_must_be_as_long_as_it_was_said_to_be() {
    let (mut server, message) = BOTH.before_client_certificate();
    let parsed = CompressedCertificate::parse(message.body()).unwrap();
    let length = usize::try_from(parsed.uncompressed_length).unwrap();
    for wrong in [length - 1, length + 1] {
        let (mut server, _) = BOTH.before_client_certificate();
        server.give(&compressed(7, wrong, parsed.bytes));
        assert_eq!(server.answer(), ["Failed(bad_certificate)@Ap"]);
        assert!(matches!(server.error(), Error::DecompressionFailed));
    }
    server.give(&compressed(7, length, parsed.bytes));
    assert_eq!(server.abort(Error::DecompressionFailed), ["Failed(bad_certificate)@Ap"]);
}

#[test]
fn nothing_is_taken_while_a_certificate_is_being_decompressed() {
    let (mut server, message) = BOTH.before_client_certificate();
    assert_eq!(server.give(&message), ["?Decompress"]);
    assert_eq!(server.offer(&message, false), Err(Misuse::NeedIsOut));
    assert_eq!(server.answer(), [""; 0]);
}

#[test]
fn a_compressed_certificate_is_judged_like_any_other() {
    // Empty where one is required; more than a Certificate; a context.
    for (body, refused) in [
        (&[0, 0, 0, 0][..], "Failed(certificate_required)@Ap"),
        (&[0, 0, 0, 0, 0], "Failed(decode_error)@Ap"),
        (&[1, 5, 0, 0, 0], "Failed(illegal_parameter)@Ap"),
    ] {
        let (mut server, _) = BOTH.before_client_certificate();
        server.give(&compressed(7, body.len(), &[&[0xcc], body].concat()));
        assert_eq!(server.answer(), [refused]);
    }
    let (mut server, _) = Setup { client_auth: ClientAuth::Optional, ..BOTH }.before_client_certificate();
    server.give(&compressed(7, 4, &[0xcc, 0, 0, 0, 0]));
    assert_eq!(server.answer(), [""; 0], "a client may compress that it has none");
}

#[test]
fn an_algorithm_is_offered_once() {
    let mut pair = BOTH.pair();
    pair.client.settle();
    pair.server.settle();
    let hello = edit(&pair.client.next_message(), |hello| {
        hello.set(ExtensionType::COMPRESS_CERTIFICATE, &[6, 0, 7, 0, 8, 0, 7]);
    });
    assert_eq!(pair.server.give(&hello), ["Failed(illegal_parameter)@In"]);
}
