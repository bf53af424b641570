//! RFC 8448's traces: section 3 (simple 1-RTT), 4 (resumed 0-RTT), 5 (HelloRetryRequest), 6 (client authentication), 7
//! (compatibility mode).
//!
//! The server machine is fed the recorded ClientHellos, with the recorded random and ECDH keys, and must make every
//! message, secret, key and Finished again, byte for byte. Its RSA-1024 signatures are answered from the trace: our
//! cryptographic library makes none under 2,048 bits, and PSS is random anyway.
//!
//! Three things can't be run through the machines:
//! - The client of section 6 has an RSA-1024 certificate. Our library verifies no such key, so the server's machine
//!   refuses it (`unsupported_certificate`), as it must: there is no hook that would skip the proof of possession.
//!   Up to there everything is the machine's; the client's Finished and what follows are checked by the key schedule.
//! - The server of section 4 acknowledges a name that it has acknowledged before. Ours does not, so that its
//!   EncryptedExtensions, and what hangs on them, are others.
//! - The recorded client's hellos hold extensions that ours does not send, so our client can't make them. Its side is
//!   the key schedule over the recorded messages: the client's ECDH key, every secret, both Finished, all traffic keys.
//!   Section 4, which has no certificate, goes through the client machine from its hello on: that test is beside the
//!   machine (`src/client/rfc8448.rs`), as no caller can give a machine a hello that it has not made.
//!
//! `tests/data` has the octets. Records are the record layer's to check.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may be blunt"
)]

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::{Answers, End, Message, NOW, server};
use oxtls_crypto::hash::{Digest, Hash};
use oxtls_crypto::hkdf;
use oxtls_crypto::key_exchange::{KeyExchange, NamedGroup};
use oxtls_crypto::secret::Secret;
use oxtls_crypto::signature::{PublicKey, SignatureScheme, spki_of_certificate};
use oxtls_handshake::config::{
    AnnounceGroups, ClientAuth, Common, Credential, Randomness, Recorded, Retry, ServerHandshake,
};
use oxtls_handshake::error::Error;
use oxtls_handshake::key_schedule::exporter::Exporter;
use oxtls_handshake::key_schedule::tls13::{EarlySecret, finished_mac, resumption_psk};
use oxtls_handshake::message::certificate_verify::{CertificateVerify, SignerRole, signed_content};
use oxtls_handshake::message::finished;
use oxtls_handshake::message::new_session_ticket::NewSessionTicket;
use oxtls_handshake::need::{Need, SessionOffer};
use oxtls_handshake::session::{Psk, Session};
use oxtls_handshake::step::{Direction, Input, Level, Transport};
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use pki_types::CertificateDer;

const HASH: Hash = Hash::Sha256;

/// One section of the data file.
struct Trace(HashMap<String, Vec<Vec<u8>>>);

impl Trace {
    fn load(section: &str) -> Self {
        let text = concat!(include_str!("data/rfc8448.txt"), include_str!("data/rfc8448-resumption.txt"));
        let mut values: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        let mut here = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                here = name == section;
            } else if let Some((name, hex)) = line.split_once(" = ").filter(|_| here) {
                let bytes =
                    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
                values.entry(name.into()).or_default().push(bytes.collect());
            }
        }
        assert!(!values.is_empty(), "no section {section}");
        Self(values)
    }

    fn get(&self, name: &str) -> &[u8] {
        self.all(name).first().unwrap_or_else(|| panic!("no {name}"))
    }

    fn all(&self, name: &str) -> &[Vec<u8>] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    fn secret(&self, name: &str) -> Secret {
        Secret::new(self.get(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The signature in a recorded CertificateVerify, and its scheme.
    fn signature(&self, name: &str) -> (SignatureScheme, &[u8]) {
        let verify = CertificateVerify::parse(&self.get(name)[4..]).unwrap();
        (verify.algorithm, verify.signature)
    }

    /// The transcript from the first hello to `last`, which is included.
    fn transcript(&self, last: &str) -> Digest {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let hellos = self.all("client ClientHello");
        if let [first, second] = hellos {
            let hash = HASH.digest(first);
            messages.push([&[254, 0, 0, 32], hash.as_bytes()].concat());
            messages.push(self.get("server HelloRetryRequest").to_vec());
            messages.push(second.clone());
        } else {
            messages.push(hellos[0].clone());
        }
        for name in ORDER {
            messages.extend(self.all(name).iter().cloned());
            if *name == last {
                break;
            }
        }
        HASH.digest(&messages.concat())
    }
}

const ORDER: &[&str] = &[
    "server ServerHello",
    "server EncryptedExtensions",
    "server CertificateRequest",
    "server Certificate",
    "server CertificateVerify",
    "server Finished",
    "client EndOfEarlyData",
    "client Certificate",
    "client CertificateVerify",
    "client Finished",
];

/// What the recorded endpoints accept, in their words: SHA-1 and DSA included, which we name but do not speak.
const SCHEMES: &[u16] = &[
    0x0403, 0x0503, 0x0603, 0x0203, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201, 0x0402, 0x0502,
    0x0602, 0x0202,
];

/// The recorded server as a configuration of ours.
fn config(trace: &Trace) -> Arc<ServerHandshake> {
    let retry = trace.has("server HelloRetryRequest");
    let groups: &[u16] = if retry {
        &[0x17, 0x18, 0x1d]
    } else {
        &[0x1d, 0x17, 0x18, 0x19, 0x100, 0x101, 0x102, 0x103, 0x104]
    };
    let group = if retry { NamedGroup::SECP256R1 } else { NamedGroup::X25519 };
    let common = Common {
        groups: groups.iter().map(|group| NamedGroup(*group)).collect(),
        verify_schemes: SCHEMES.iter().map(|scheme| SignatureScheme(*scheme)).collect(),
        record_size_limit: Some(0x4001),
        key_log: true,
        randomness: Randomness::Recorded(Recorded {
            random: trace.get("server ServerHello")[6..38].try_into().unwrap(),
            session_id: Vec::new(),
            private_keys: vec![(group, trace.get("server private key").to_vec())],
        }),
        ..Common::default()
    };
    let asks = trace.has("server CertificateRequest");
    Arc::new(ServerHandshake {
        common: Arc::new(common),
        announce_groups: AnnounceGroups::Always,
        retry: Retry::ForPreference,
        resumption: true,
        early_data: trace.has("client EndOfEarlyData"),
        client_auth: if asks { ClientAuth::Required } else { ClientAuth::None },
        ..ServerHandshake::default()
    })
}

/// The one certificate of a recorded Certificate message: behind the header, an empty context and two lengths.
fn leaf<'a>(trace: &'a Trace, name: &str) -> &'a [u8] {
    let message = trace.get(name);
    &message[11..message.len() - 2]
}

fn message(level: Level, bytes: &[u8]) -> Message {
    Message { level, bytes: bytes.to_vec() }
}

/// Runs the server up to its Finished; every message that it sends must be the recorded one.
fn server_flight(trace: &Trace) -> End {
    let (scheme, signature) = trace.signature("server CertificateVerify");
    let credential = Arc::new(Credential {
        chain: vec![CertificateDer::from(leaf(trace, "server Certificate").to_vec())],
        signer: None,
        schemes: vec![scheme],
        ocsp: None,
        scts: None,
        compressed: Vec::new(),
    });
    let cookie = trace.has("server HelloRetryRequest").then(|| {
        // key_share comes first, then the cookie: type, length, length, cookie.
        let message = trace.get("server HelloRetryRequest");
        let length = usize::from(u16::from_be_bytes([message[54], message[55]]));
        message[56..56 + length].to_vec()
    });
    let answers = Answers { config: config(trace), cookie, credential: Some(credential) };
    let mut server = server(Transport::Stream, answers);
    server.drain();
    let hellos = trace.all("client ClientHello");
    server.give(&message(Level::Initial, &hellos[0]));
    server.answer();
    if let Some(second) = hellos.get(1) {
        assert_eq!(server.next_message().bytes, trace.get("server HelloRetryRequest"));
        server.give(&message(Level::Initial, second));
    }
    server.answer();
    let Some(Need::Sign(sign)) = server.need.take() else { panic!("Sign is due") };
    let signed = signed_content(SignerRole::Server, &trace.transcript("server Certificate"));
    assert_eq!((sign.scheme, &sign.message), (scheme, &signed));
    server.machine.input(Input::Answer(sign.answer(signature.to_vec()))).unwrap();
    server.drain();
    for name in ORDER.iter().filter(|name| name.starts_with("server") && trace.has(name)) {
        assert_eq!(server.next_message().bytes, trace.get(name), "{name}");
    }
    assert!(server.sent.is_empty());
    server
}

/// The secrets that a server has handed out by its Finished, and the traffic keys that follow from them.
fn check_secrets(server: &End, trace: &Trace) {
    for (level, direction, label, keys) in [
        (Level::Handshake, Direction::Read, "tls13 c hs traffic", "client handshake"),
        (Level::Handshake, Direction::Write, "tls13 s hs traffic", "server handshake"),
        (Level::Application, Direction::Write, "tls13 s ap traffic", "server application"),
    ] {
        assert_eq!(server.key(level, direction), trace.get(label), "{label}");
        check_traffic_key(&trace.secret(label), trace, keys);
    }
    for (logged, label) in [
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "tls13 c hs traffic"),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "tls13 s hs traffic"),
        ("CLIENT_TRAFFIC_SECRET_0", "tls13 c ap traffic"),
        ("SERVER_TRAFFIC_SECRET_0", "tls13 s ap traffic"),
        ("EXPORTER_SECRET", "tls13 exp master"),
    ] {
        assert!(server.key_log.contains(&(logged, trace.get(label).to_vec())), "{logged}");
    }
}

/// RFC 9846 section 7.3.
fn check_traffic_key(secret: &Secret, trace: &Trace, whose: &str) {
    let (mut key, mut iv) = ([0; 16], [0; 12]);
    hkdf::expand_label(HASH, secret, "key", &[], &mut key).unwrap();
    hkdf::expand_label(HASH, secret, "iv", &[], &mut iv).unwrap();
    assert_eq!(key, trace.get(&format!("{whose} key")), "{whose}");
    assert_eq!(iv, trace.get(&format!("{whose} iv")), "{whose}");
}

/// The recorded client's Finished ends the server's handshake.
fn server_to_done(section: &str) -> End {
    let trace = Trace::load(section);
    let mut server = server_flight(&trace);
    check_secrets(&server, &trace);
    let seen = server.give(&message(Level::Handshake, trace.get("client Finished")));
    assert_eq!(seen, ["R:Ap", "R(del,yes)", "Done"]);
    assert_eq!(server.key(Level::Application, Direction::Read), trace.get("tls13 c ap traffic"));
    check_traffic_key(&trace.secret("tls13 c ap traffic"), &trace, "client application");
    let exporter = Exporter::tls13(HASH, trace.secret("tls13 exp master"));
    assert_eq!(server.outcome().exporter, Some(exporter));
    // The resumption secret shows in the first ticket's PSK, whose nonce is of our making.
    let tickets = server.done.as_mut().unwrap().1.tickets.as_mut().unwrap();
    let psk = resumption_psk(HASH, &trace.secret("tls13 res master"), &[0; 4]).unwrap();
    assert_eq!(tickets.next(NOW).unwrap().session().secret, psk);
    server
}

#[test]
fn simple_1_rtt_comes_out_of_the_server_byte_for_byte() {
    let server = server_to_done("simple");
    assert_eq!(server.limits, Some((0x4001, 0x4001)));
    assert_eq!(server.outcome().server_name.as_deref(), Some("server"));
}

#[test]
fn hello_retry_request_comes_out_of_the_server_byte_for_byte() {
    let server = server_to_done("retry");
    assert!(server.outcome().hello_retry_request);
    assert_eq!(server.outcome().group, Some(NamedGroup::SECP256R1));
}

#[test]
fn compatibility_mode_comes_out_of_the_server_byte_for_byte() {
    server_to_done("compatibility");
}

#[test]
fn client_authentication_comes_out_of_the_server_up_to_the_rsa_1024_certificate() {
    let trace = Trace::load("client-auth");
    let mut server = server_flight(&trace);
    check_secrets(&server, &trace);
    let certificate = message(Level::Handshake, trace.get("client Certificate"));
    assert_eq!(server.give_with(&certificate, true), ["Failed(unsupported_certificate)@Ap"]);
    assert!(matches!(server.error(), Error::UnusableCertificateKey(_)));
}

/// The client's side of every trace, by the key schedule over the recorded messages.
#[test]
fn every_secret_and_finished_comes_out_of_the_key_schedule() {
    for section in ["simple", "retry", "client-auth", "compatibility"] {
        let trace = Trace::load(section);
        let group = if section == "retry" { NamedGroup::SECP256R1 } else { NamedGroup::X25519 };
        let private = trace.all("client private key").last().unwrap();
        let hello = trace.get("server ServerHello");
        // key_share is the first extension, behind an echoed session ID of any length.
        let share = &hello[39 + usize::from(hello[38]) + 13..][..group.answer_len()];
        let shared = KeyExchange::from_private_key(group, private).unwrap().finish(share).unwrap();
        assert_eq!(shared.as_bytes(), trace.get("shared secret"));

        let handshake = EarlySecret::new(HASH, None)
            .into_handshake(&shared, &trace.transcript("server ServerHello"))
            .unwrap();
        assert_eq!(handshake.client, trace.secret("tls13 c hs traffic"));
        assert_eq!(handshake.server, trace.secret("tls13 s hs traffic"));
        check_traffic_key(&handshake.client, &trace, "client handshake");
        check_traffic_key(&handshake.server, &trace, "server handshake");
        let mac =
            finished_mac(HASH, &handshake.server, &trace.transcript("server CertificateVerify")).unwrap();
        assert_eq!(mac.as_bytes(), &trace.get("server Finished")[4..]);

        let main = handshake.next.into_main();
        let application = main.application(&trace.transcript("server Finished"), true).unwrap();
        assert_eq!(application.client, trace.secret("tls13 c ap traffic"));
        assert_eq!(application.server, trace.secret("tls13 s ap traffic"));
        assert_eq!(application.exporter, Some(trace.secret("tls13 exp master")));
        check_traffic_key(&application.client, &trace, "client application");
        check_traffic_key(&application.server, &trace, "server application");
        let before_client_finished =
            if trace.has("client Certificate") { "client CertificateVerify" } else { "server Finished" };
        let mac = finished_mac(HASH, &handshake.client, &trace.transcript(before_client_finished)).unwrap();
        assert_eq!(mac.as_bytes(), &trace.get("client Finished")[4..]);
        let resumption = main.into_resumption(&trace.transcript("client Finished")).unwrap();
        assert_eq!(resumption, trace.secret("tls13 res master"));
    }
}

/// The one recorded signature whose key our library takes: section 6's server has a P-256 certificate.
#[test]
fn the_p_256_signature_of_the_client_authentication_trace_verifies() {
    let trace = Trace::load("client-auth");
    let key = PublicKey::from_spki(spki_of_certificate(leaf(&trace, "server Certificate")).unwrap()).unwrap();
    let (scheme, signature) = trace.signature("server CertificateVerify");
    let signed = signed_content(SignerRole::Server, &trace.transcript("server Certificate"));
    key.verify_tls(scheme, &signed, signature).unwrap();
}

/// Section 4: the server resumes the session of section 3 and reads early data. The recorded server acknowledges the
/// client's name a second time, which RFC 6066 section 3 forbids: ours does not. So everything up to the handshake's keys
/// is that of the trace, and what hangs on EncryptedExtensions is checked by the keys of the trace.
#[test]
fn resumed_0_rtt_comes_out_of_the_server_byte_for_byte_but_for_a_name_acknowledged_twice() {
    let trace = Trace::load("resumption");
    let answers = Answers { config: config(&trace), cookie: None, credential: None };
    let mut server = server(Transport::Stream, answers);
    server.drain();
    server.give(&message(Level::Initial, trace.get("client ClientHello")));
    assert_eq!(server.answer(), ["?FindSession"]);
    let Some(Need::FindSession(need)) = server.need.take() else { panic!("FindSession is due") };
    let [SessionOffer::PskIdentity { identity, obfuscated_age }] = need.offers().collect::<Vec<_>>()[..]
    else {
        panic!("one PSK")
    };
    let session = session_of_section_3(identity.to_vec());
    assert_eq!((need.hash, obfuscated_age.wrapping_sub(session.age_add)), (HASH, AGE_MS));
    let found = need.found(0, Psk::Session(Box::new(session)));
    server.machine.input(Input::Answer(found)).unwrap();
    assert_eq!(server.drain(), ["?AcceptSession"]);
    let Some(Need::AcceptSession(need)) = server.need.take() else { panic!("AcceptSession is due") };
    assert_eq!(need.early_data.as_ref().unwrap().0, trace.get("binder"));
    assert_eq!(need.age_skew, 0);
    server.machine.input(Input::Answer(need.resume(true))).unwrap();
    server.drain();
    let mut messages = trace.get("client ClientHello").to_vec();
    let mut expect = |server: &mut End, message: &[u8]| {
        assert_eq!(server.next_message().bytes, message);
        messages.extend_from_slice(message);
        HASH.digest(&messages)
    };
    expect(&mut server, trace.get("server ServerHello"));
    let (client, ours) = (trace.secret("tls13 c hs traffic"), trace.secret("tls13 s hs traffic"));
    let transcript = expect(&mut server, &without_server_name(trace.get("server EncryptedExtensions")));
    let finished = finished::encode(&finished_mac(HASH, &ours, &transcript).unwrap()).unwrap();
    expect(&mut server, &finished);
    assert!(server.sent.is_empty());
    assert_eq!(server.key(Level::Handshake, Direction::Write), trace.get("tls13 s hs traffic"));
    assert_eq!(server.early_exporter.as_deref(), Some(trace.get("tls13 e exp master")));
    assert_eq!(server.key(Level::Early, Direction::Read), trace.get("tls13 c e traffic"));
    check_traffic_key(&trace.secret("tls13 c e traffic"), &trace, "client early");

    let seen = server.give(&message(Level::Early, trace.get("client EndOfEarlyData")));
    assert_eq!(seen, ["R:HS", "R(drop,no)"]);
    assert_eq!(server.key(Level::Handshake, Direction::Read), trace.get("tls13 c hs traffic"));
    messages.extend_from_slice(trace.get("client EndOfEarlyData"));
    let finished = finished_mac(HASH, &client, &HASH.digest(&messages)).unwrap();
    let seen = server.give(&message(Level::Handshake, &finished::encode(&finished).unwrap()));
    assert_eq!(seen, ["R:Ap", "R(del,yes)", "Done"]);
    assert!(server.outcome().early_data && server.outcome().psk.is_some());
}

/// EncryptedExtensions whose empty server_name is taken out.
fn without_server_name(message: &[u8]) -> Vec<u8> {
    let empty = [0, 0, 0, 0];
    let at = message.windows(4).rposition(|extension| extension == empty).unwrap();
    let mut message = [&message[..at], &message[at + 4..]].concat();
    message[3] -= 4;
    message[5] -= 4;
    message
}

/// The age of the ticket in the recorded hello, ms.
const AGE_MS: u32 = 5;

/// What section 3's NewSessionTicket says, made as long ago as section 4's hello has it.
fn session_of_section_3(ticket: Vec<u8>) -> Session {
    let simple = Trace::load("simple");
    let message = NewSessionTicket::parse(&simple.get("server NewSessionTicket")[4..]).unwrap();
    assert_eq!(message.ticket, ticket);
    Session {
        version: ProtocolVersion::TLS1_3,
        suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        secret: Trace::load("resumption").secret("psk"),
        ticket,
        session_id: Vec::new(),
        server_name: Some("server".into()),
        alpn: None,
        peer: None,
        made_at: NOW - Duration::from_millis(AGE_MS.into()),
        lifetime: Duration::from_secs(message.lifetime.into()),
        verified_at: NOW - Duration::from_millis(AGE_MS.into()),
        age_add: message.age_add,
        max_early_data: message.max_early_data.unwrap(),
        extended_master_secret: false,
        resumption_across_names: false,
        policy: [0; 32],
        expires_at: None,
        guard: Some([0; 16]),
        context: Vec::new(),
    }
}
