use oxtls_crypto::hash::{Digest, Hash};
use oxtls_crypto::secret::{Secret, SharedSecret};

use super::tls13::{EarlySecret, exporter, finished_mac, resumption_psk, verify_finished};
use crate::error::Error;
use crate::message::{Handshake, finished};
use crate::rfc8448::Trace;
use crate::transcript::Transcript;

const HASH: Hash = Hash::Sha256;

fn transcript(messages: &[&[u8]]) -> Transcript {
    let mut transcript = Transcript::new(HASH);
    messages.iter().for_each(|message| transcript.add(message));
    transcript
}

fn verify_data(message: &[u8]) -> &[u8] {
    finished::parse(HASH, Handshake::parse_exact(message).unwrap().body).unwrap()
}

fn shared(trace: &Trace) -> SharedSecret {
    SharedSecret::new(trace.get("shared secret")).unwrap()
}

/// Every secret and Finished of a trace from its messages: before ServerHello, then the server's flight, then the
/// client's.
fn check(trace: &Trace, early: EarlySecret, mut transcript: Transcript, server: &[&str], client: &[&str]) {
    transcript.add(trace.get("server ServerHello"));
    let secrets = early.into_handshake(&shared(trace), &transcript.current()).unwrap();
    assert_eq!(secrets.client.as_bytes(), trace.get("tls13 c hs traffic"));
    assert_eq!(secrets.server.as_bytes(), trace.get("tls13 s hs traffic"));

    server.iter().for_each(|name| transcript.add(trace.get(name)));
    let received = verify_data(trace.get("server Finished"));
    verify_finished(HASH, &secrets.server, &transcript.current(), received).unwrap();
    transcript.add(trace.get("server Finished"));

    let main = secrets.next.into_main();
    let application = main.application(&transcript.current(), true).unwrap();
    assert_eq!(application.client.as_bytes(), trace.get("tls13 c ap traffic"));
    assert_eq!(application.server.as_bytes(), trace.get("tls13 s ap traffic"));
    assert_eq!(application.exporter.unwrap().as_bytes(), trace.get("tls13 exp master"));

    client.iter().for_each(|name| transcript.add(trace.get(name)));
    let made = finished_mac(HASH, &secrets.client, &transcript.current()).unwrap();
    assert_eq!(finished::encode(&made).unwrap(), trace.get("client Finished"));
    transcript.add(trace.get("client Finished"));
    let resumption = main.into_resumption(&transcript.current()).unwrap();
    assert_eq!(resumption.as_bytes(), trace.get("tls13 res master"));
}

const SERVER_FLIGHT: [&str; 3] =
    ["server EncryptedExtensions", "server Certificate", "server CertificateVerify"];

#[test]
fn secrets_are_those_of_rfc8448_simple_handshake() {
    let trace = Trace::simple();
    let transcript = transcript(&[trace.get("client ClientHello")]);
    check(&trace, EarlySecret::new(HASH, None), transcript, &SERVER_FLIGHT, &[]);
    let resumption = Secret::new(trace.get("tls13 res master")).unwrap();
    let psk = resumption_psk(HASH, &resumption, &[0, 0]).unwrap();
    assert_eq!(psk.as_bytes(), trace.get("tls13 resumption"));
}

#[test]
fn secrets_are_those_of_rfc8448_hello_retry_request() {
    let trace = Trace::retry();
    let mut transcript = transcript(&[trace.get("client ClientHello")]).into_message_hash();
    transcript.add(trace.get("server HelloRetryRequest"));
    transcript.add(trace.nth("client ClientHello", 1));
    check(&trace, EarlySecret::new(HASH, None), transcript, &SERVER_FLIGHT, &[]);
}

#[test]
fn secrets_are_those_of_rfc8448_client_authentication() {
    let trace = Trace::client_auth();
    let transcript = transcript(&[trace.get("client ClientHello")]);
    let server = [
        "server EncryptedExtensions",
        "server CertificateRequest",
        "server Certificate",
        "server CertificateVerify",
    ];
    let client = ["client Certificate", "client CertificateVerify"];
    check(&trace, EarlySecret::new(HASH, None), transcript, &server, &client);
}

#[test]
fn secrets_are_those_of_rfc8448_resumption_with_early_data() {
    let trace = Trace::resumption();
    let hello = trace.get("client ClientHello");
    let psk = Secret::new(trace.get("psk")).unwrap();
    let early = EarlySecret::new(HASH, Some(&psk));
    let whole = HASH.digest(hello);
    assert_eq!(early.client_traffic(&whole).unwrap().as_bytes(), trace.get("tls13 c e traffic"));
    assert_eq!(early.exporter(&whole).unwrap().as_bytes(), trace.get("tls13 e exp master"));
    check(&trace, early, transcript(&[hello]), &["server EncryptedExtensions"], &["client EndOfEarlyData"]);
}

#[test]
fn binder_is_that_of_rfc8448_resumption() {
    let trace = Trace::resumption();
    let message = Handshake::parse_exact(trace.get("client ClientHello")).unwrap();
    let hello = crate::message::client_hello::ClientHello::parse(message.body).unwrap();
    let psks = hello.extensions.pre_shared_key.unwrap();
    let (truncated, _) = message.encoded.split_at(message.encoded.len() - psks.binders_len());
    let digest = HASH.digest(truncated);
    assert_eq!(digest.as_bytes(), trace.get("binder hash"));

    let psk = Secret::new(trace.get("psk")).unwrap();
    let early = EarlySecret::new(HASH, Some(&psk));
    let binder = finished_mac(HASH, &early.binder_key(false).unwrap(), &digest).unwrap();
    assert_eq!(binder.as_bytes(), trace.get("binder"));
    assert_eq!(psks.binders().collect::<Vec<_>>(), [trace.get("binder")]);
    let other = finished_mac(HASH, &early.binder_key(true).unwrap(), &digest).unwrap();
    assert_ne!(other.as_bytes(), trace.get("binder"), "an external PSK must not pass for a resumption PSK");
}

#[test]
fn finished_of_another_transcript_length_or_key_is_refused() {
    let key = Secret::new(&[7; 32]).unwrap();
    let digest: Digest = HASH.digest(b"transcript");
    let tag = finished_mac(HASH, &key, &digest).unwrap();
    verify_finished(HASH, &key, &digest, tag.as_bytes()).unwrap();
    let refused = |key: &Secret, digest: &Digest, data: &[u8]| {
        matches!(verify_finished(HASH, key, digest, data), Err(Error::BadFinished))
    };
    assert!(refused(&key, &HASH.digest(b"another"), tag.as_bytes()));
    assert!(refused(&Secret::new(&[8; 32]).unwrap(), &digest, tag.as_bytes()));
    assert!(refused(&key, &digest, &tag.as_bytes()[..31]));
    assert!(refused(&key, &digest, &[]));
    for i in 0..32 {
        let mut wrong = tag.as_bytes().to_vec();
        wrong[i] ^= 1;
        assert!(refused(&key, &digest, &wrong), "byte {i}");
    }
}

#[test]
fn exporter_without_context_is_the_one_with_an_empty_context() {
    let secret = Secret::new(Trace::simple().get("tls13 exp master")).unwrap();
    let export = |label: &str, context: Option<&[u8]>, len: usize| {
        let mut out = vec![0; len];
        exporter(HASH, &secret, label, context, &mut out).unwrap();
        out
    };
    assert_eq!(export("EXPORTER-test", None, 40), export("EXPORTER-test", Some(b""), 40));
    assert_ne!(export("EXPORTER-test", None, 40), export("EXPORTER-test", Some(b"x"), 40));
    assert_ne!(export("EXPORTER-test", None, 40), export("EXPORTER-other", None, 40));
    assert_ne!(
        export("EXPORTER-test", None, 40)[..32],
        export("EXPORTER-test", None, 32)[..],
        "the length is part of what is derived"
    );
    let mut too_long = vec![0; 255 * 32 + 1];
    assert!(matches!(exporter(HASH, &secret, "x", None, &mut too_long), Err(Error::Crypto(_))));
    assert!(matches!(exporter(HASH, &secret, &"x".repeat(250), None, &mut [0; 8]), Err(Error::Crypto(_))));
}
