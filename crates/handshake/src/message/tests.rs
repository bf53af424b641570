use std::sync::LazyLock;

use oxtls_crypto::hash::Hash;
use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;
use pki_types::CertificateDer;
use proptest::prelude::*;

use super::certificate::{Certificate, NewCertificate};
use super::certificate_request::{CertificateRequest, NewCertificateRequest};
use super::certificate_verify::{CertificateVerify, SignerRole, signed_content};
use super::client_hello::{ClientHello, OwnedClientHello};
use super::compressed_certificate::CompressedCertificate;
use super::encrypted_extensions::EncryptedExtensions;
use super::new_session_ticket::NewSessionTicket;
use super::offer::{Offer, OfferedPsk, Order};
use super::server_hello::{
    DOWNGRADE_TLS11, DOWNGRADE_TLS12, HELLO_RETRY_REQUEST_RANDOM, HelloRetryRequest, ServerHello,
    ServerHelloOrRetry, check_downgrade,
};
use super::*;
use crate::alert::AlertDescription;
use crate::extension::key_share::KeyShareEntry;
use crate::extension::pre_shared_key::PskIdentity;
use crate::extension::ticket_request::TicketRequest;
use crate::extension::{self, ExtensionType, OfferedSet};
use crate::rfc8448::Trace;
use crate::suite::{CipherSuite, ProtocolVersion};

mod any_bytes;
mod client_hello;

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2];
const GROUPS: [NamedGroup; 2] = [NamedGroup::X25519_MLKEM768, NamedGroup::X25519];
const SCHEMES: [SignatureScheme; 2] = [SignatureScheme::ED25519, SignatureScheme::ECDSA_SECP256R1_SHA256];
const SUITES: [CipherSuite; 2] =
    [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_CHACHA20_POLY1305_SHA256];
const SHARE: KeyShareEntry<'static> = KeyShareEntry { group: NamedGroup::X25519, key_exchange: &[7; 32] };

/// Everything that a client can offer.
fn with_offer<T>(edit: impl FnOnce(&mut Offer<'_>), then: impl FnOnce(&Offer<'_>) -> T) -> T {
    let alpn = [b"h2".to_vec(), b"http/1.1".to_vec()];
    let authorities = [b"\x30\x00".to_vec()];
    let mut offer = Offer {
        random: &[1; 32],
        session_id: &[2; 32],
        cipher_suites: &SUITES,
        supported_versions: &VERSIONS,
        server_name: Some("example.org"),
        supported_groups: &GROUPS,
        key_shares: &[SHARE],
        signature_algorithms: &SCHEMES,
        signature_algorithms_cert: Some(&SCHEMES[..1]),
        alpn: &alpn,
        cookie: Some(b"cookie"),
        psk_dhe_ke: true,
        certificate_authorities: &authorities,
        status_request: true,
        signed_certificate_timestamp: true,
        record_size_limit: Some(16_385),
        compress_certificate: &[2],
        quic_transport_parameters: Some(b"quic"),
        ticket_request: Some(TicketRequest { new_session_count: 2, resumption_count: 1 }),
        session_ticket: Some(b"ticket of 1.2"),
        early_data: true,
        pre_shared_key: Some(OfferedPsk {
            identity: PskIdentity { identity: b"ticket", obfuscated_ticket_age: 0x0102_0304 },
            hash: Hash::Sha384,
        }),
        order: Order::FIXED,
        grease: None,
    };
    edit(&mut offer);
    then(&offer)
}

fn full_hello() -> Vec<u8> {
    with_offer(|_| {}, |offer| offer.encode().unwrap())
}

fn body(message: &[u8], typ: HandshakeType) -> &[u8] {
    let parsed = Handshake::parse_exact(message).unwrap();
    assert_eq!(parsed.typ, typ);
    assert_eq!(parsed.encoded, message);
    parsed.body
}

fn everything() -> OfferedSet {
    static EVERYTHING: LazyLock<OfferedSet> = LazyLock::new(|| (0..=u16::MAX).map(ExtensionType).collect());
    *EVERYTHING
}

#[test]
fn header_must_say_exactly_how_long_the_message_is() {
    let message = key_update::encode(true);
    assert_eq!(Handshake::parse_exact(&message).unwrap().body, [1]);
    for cut in 0..message.len() {
        assert!(matches!(Handshake::parse_exact(&message[..cut]), Err(Error::Malformed { .. })));
    }
    let longer = [&message[..], &[0]].concat();
    assert!(matches!(Handshake::parse_exact(&longer), Err(Error::Malformed { .. })));
    let unknown = Handshake::parse_exact(&[77, 0, 0, 0]).unwrap();
    assert_eq!(unknown.typ.to_string(), "unknown message 77");
    assert_eq!(HandshakeType::KEY_UPDATE.to_string(), "KeyUpdate");
}

fn server_hello() -> ServerHello<'static> {
    ServerHello {
        legacy_version: ProtocolVersion::TLS1_2,
        random: &[3; 32],
        session_id_echo: &[2; 32],
        cipher_suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        compression_method: 0,
        selected_version: Some(ProtocolVersion::TLS1_3),
        key_share: Some(SHARE),
        pre_shared_key: Some(1),
    }
}

fn hello_retry_request() -> HelloRetryRequest<'static> {
    HelloRetryRequest {
        legacy_version: ProtocolVersion::TLS1_2,
        session_id_echo: &[2; 32],
        cipher_suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        compression_method: 0,
        selected_version: Some(ProtocolVersion::TLS1_3),
        selected_group: Some(NamedGroup::SECP256R1),
        cookie: Some(b"cookie"),
        encrypted_client_hello: Some(&[9; 8]),
    }
}

#[test]
fn server_hello_comes_back_as_it_was_sent() {
    let hello = server_hello();
    let message = hello.encode().unwrap();
    let whole = body(&message, HandshakeType::SERVER_HELLO);
    assert_eq!(
        ServerHelloOrRetry::parse(whole, everything()).unwrap(),
        ServerHelloOrRetry::ServerHello(hello)
    );
    let without_extensions = 2 + 32 + 1 + 32 + 2 + 1;
    for cut in (0..whole.len()).filter(|&cut| cut != without_extensions) {
        let result = ServerHelloOrRetry::parse(&whole[..cut], everything());
        assert!(matches!(result, Err(Error::Malformed { .. })), "cut at {cut}: {result:?}");
    }
    let longer = [whole, &[0]].concat();
    assert!(matches!(ServerHelloOrRetry::parse(&longer, everything()), Err(Error::Malformed { .. })));
}

#[test]
fn hello_retry_request_is_told_by_its_random() {
    assert_eq!(HELLO_RETRY_REQUEST_RANDOM, Hash::Sha256.digest(b"HelloRetryRequest").as_bytes());
    let retry = hello_retry_request();
    let message = retry.encode().unwrap();
    let whole = body(&message, HandshakeType::SERVER_HELLO);
    assert_eq!(
        ServerHelloOrRetry::parse(whole, everything()).unwrap(),
        ServerHelloOrRetry::HelloRetryRequest(retry)
    );
    for cut in 0..whole.len() {
        let result = ServerHelloOrRetry::parse(&whole[..cut], everything());
        assert!(matches!(result, Err(Error::Malformed { .. })), "cut at {cut}: {result:?}");
    }
}

#[test]
fn server_hello_of_an_older_version_is_judged_by_its_version_first() {
    let mut w = Writer::new();
    w.u16(0x0303);
    w.bytes(&[3; 32]);
    w.vec_u8(&[]);
    w.u16(0xc02f);
    w.u8(0);
    w.block_u16(extension::renegotiation_info::write);
    let older = w.finish().unwrap();
    let ServerHelloOrRetry::ServerHello(hello) =
        ServerHelloOrRetry::parse(&older, OfferedSet::EMPTY).unwrap()
    else {
        panic!("not a HelloRetryRequest");
    };
    assert_eq!(hello.version(), ProtocolVersion::TLS1_2);
    assert!(ServerHelloOrRetry::parse(&older[..older.len() - 1], OfferedSet::EMPTY).is_err());
    let ServerHelloOrRetry::ServerHello(hello) =
        ServerHelloOrRetry::parse(&older[..38], OfferedSet::EMPTY).unwrap()
    else {
        panic!("not a HelloRetryRequest");
    };
    assert_eq!(hello.selected_version, None);
}

#[test]
fn server_hello_answers_nothing_that_was_not_offered() {
    let message = server_hello().encode().unwrap();
    let offered = OfferedSet::EMPTY.with(ExtensionType::SUPPORTED_VERSIONS).with(ExtensionType::KEY_SHARE);
    assert!(matches!(
        ServerHelloOrRetry::parse(&message[4..], offered),
        Err(Error::UnsupportedExtension(ExtensionType::PRE_SHARED_KEY))
    ));
    let message = hello_retry_request().encode().unwrap();
    assert!(matches!(
        ServerHelloOrRetry::parse(&message[4..], offered),
        Err(Error::UnsupportedExtension(ExtensionType::ENCRYPTED_CLIENT_HELLO))
    ));
}

#[test]
fn downgrade_sentinels_are_found_at_the_end_of_the_random_only() {
    for sentinel in [DOWNGRADE_TLS12, DOWNGRADE_TLS11] {
        let mut random = [0; 32];
        random[24..].copy_from_slice(&sentinel);
        assert!(matches!(check_downgrade(&random), Err(Error::Downgrade)));
        random.rotate_left(1);
        check_downgrade(&random).unwrap();
    }
    assert_eq!(DOWNGRADE_TLS12, [0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01]);
    assert_eq!(DOWNGRADE_TLS11, [0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x00]);
}

/// Checks that a message's body is malformed when cut anywhere or continued.
fn cut_is_malformed(whole: &[u8], parse: impl Fn(&[u8]) -> Result<(), Error>) {
    parse(whole).unwrap();
    for cut in 0..whole.len() {
        let result = parse(&whole[..cut]);
        assert!(matches!(result, Err(Error::Malformed { .. })), "cut at {cut}: {result:?}");
    }
    let result = parse(&[whole, &[0]].concat());
    assert!(matches!(result, Err(Error::Malformed { .. })), "continued: {result:?}");
}

#[test]
fn encrypted_extensions_come_back_as_they_were_sent() {
    let extensions = EncryptedExtensions {
        server_name: true,
        supported_groups: GROUPS.to_vec(),
        alpn: Some(b"h2"),
        record_size_limit: Some(64),
        early_data: true,
        quic_transport_parameters: Some(b"quic"),
        ticket_request: Some(2),
        encrypted_client_hello: Some(b"configs"),
    };
    let message = extensions.encode().unwrap();
    let whole = body(&message, HandshakeType::ENCRYPTED_EXTENSIONS);
    assert_eq!(EncryptedExtensions::parse(whole, everything()).unwrap(), extensions);
    cut_is_malformed(whole, |bytes| EncryptedExtensions::parse(bytes, everything()).map(|_| ()));
    let message = EncryptedExtensions::default().encode().unwrap();
    assert_eq!(message, [8, 0, 0, 2, 0, 0]);
    assert_eq!(EncryptedExtensions::parse(&message[4..], OfferedSet::EMPTY).unwrap(), <_>::default());
}

#[test]
fn encrypted_extensions_that_belong_elsewhere_are_refused() {
    for (typ, offered) in [
        (ExtensionType::KEY_SHARE, everything()),
        (ExtensionType::SUPPORTED_VERSIONS, everything()),
        (ExtensionType::PRE_SHARED_KEY, everything()),
        (ExtensionType::EXTENDED_MASTER_SECRET, everything()),
        (ExtensionType::STATUS_REQUEST, everything()),
    ] {
        let mut w = Writer::new();
        w.block_u16(|w| extension::write(w, typ, |_| {}));
        let bytes = w.finish().unwrap();
        let result = EncryptedExtensions::parse(&bytes, offered);
        assert!(matches!(result, Err(Error::UnsupportedExtension(of)) if of == typ), "{typ}");
    }
}

#[test]
fn certificate_request_comes_back_as_it_was_sent() {
    let authorities = [b"\x30\x00".to_vec(), b"\x30\x01x".to_vec()];
    let request = NewCertificateRequest {
        signature_algorithms: &SCHEMES,
        signature_algorithms_cert: Some(&SCHEMES[1..]),
        certificate_authorities: &authorities,
        status_request: true,
        signed_certificate_timestamp: true,
        compress_certificate: &[1, 2],
        grease: None,
    };
    let message = request.encode().unwrap();
    let whole = body(&message, HandshakeType::CERTIFICATE_REQUEST);
    let parsed = CertificateRequest::parse(whole).unwrap();
    assert_eq!(parsed.context, b"");
    assert_eq!(parsed.signature_algorithms.to_vec(), SCHEMES);
    assert_eq!(parsed.certificate_schemes().to_vec(), SCHEMES[1..]);
    assert_eq!(parsed.certificate_authorities.unwrap().to_vec(), authorities);
    assert!(parsed.status_request && parsed.signed_certificate_timestamp);
    assert_eq!(parsed.compress_certificate.unwrap().to_vec(), [1, 2]);
    assert!(request.offered().contains(ExtensionType::STATUS_REQUEST));
    cut_is_malformed(whole, |bytes| CertificateRequest::parse(bytes).map(|_| ()));
    let plain = NewCertificateRequest {
        signature_algorithms_cert: None,
        certificate_authorities: &[],
        status_request: false,
        signed_certificate_timestamp: false,
        compress_certificate: &[],
        ..request
    };
    let message = plain.encode().unwrap();
    let parsed = CertificateRequest::parse(&message[4..]).unwrap();
    assert_eq!(parsed.certificate_schemes().to_vec(), SCHEMES);
    assert_eq!(plain.offered(), OfferedSet::EMPTY.with(ExtensionType::SIGNATURE_ALGORITHMS));
}

#[test]
fn certificate_request_without_signature_algorithms_is_refused() {
    let result = CertificateRequest::parse(&[0, 0, 0]);
    assert!(matches!(result, Err(Error::MissingExtension(ExtensionType::SIGNATURE_ALGORITHMS))));
}

fn chain(len: usize) -> Vec<CertificateDer<'static>> {
    (0..len).map(|i| CertificateDer::from(vec![u8::try_from(i).unwrap(); 3])).collect()
}

#[test]
fn certificate_comes_back_as_it_was_sent() {
    let chain = chain(3);
    let scts = b"\x00\x05\x00\x03sct";
    let certificate =
        NewCertificate { context: b"context", chain: &chain, ocsp: Some(b"ocsp"), scts: Some(scts) };
    let message = certificate.encode().unwrap();
    let whole = body(&message, HandshakeType::CERTIFICATE);
    let parsed = Certificate::parse(whole, everything(), 3).unwrap();
    assert_eq!(parsed.context, b"context");
    let peer = parsed.peer.unwrap();
    assert_eq!(peer.chain[..], chain[..]);
    assert_eq!(peer.ocsp.as_deref(), Some(&b"ocsp"[..]));
    assert_eq!(peer.scts.as_deref(), Some(&scts[..]));
    cut_is_malformed(whole, |bytes| Certificate::parse(bytes, everything(), 3).map(|_| ()));
}

#[test]
fn empty_certificate_says_that_there_is_none() {
    let message = NewCertificate::default().encode().unwrap();
    assert_eq!(message, [11, 0, 0, 4, 0, 0, 0, 0]);
    assert_eq!(Certificate::parse(&message[4..], everything(), 3).unwrap().peer, None);
    let empty_entry = [0, 0, 0, 5, 0, 0, 0, 0, 0];
    assert!(matches!(Certificate::parse(&empty_entry, everything(), 3), Err(Error::Malformed { .. })));
}

#[test]
fn chain_of_more_certificates_than_we_take_is_refused() {
    let chain = chain(4);
    let message = NewCertificate { chain: &chain, ..NewCertificate::default() }.encode().unwrap();
    Certificate::parse(&message[4..], everything(), 4).unwrap();
    assert!(matches!(
        Certificate::parse(&message[4..], everything(), 3),
        Err(Error::IllegalParameter { .. })
    ));
}

#[test]
fn staple_that_nobody_asked_for_is_refused_on_any_certificate() {
    let mut w = Writer::new();
    w.vec_u8(&[]);
    w.block_u24(|w| {
        w.vec_u24(b"leaf");
        w.block_u16(|_| {});
        w.vec_u24(b"issuer");
        w.block_u16(|w| extension::status_request::write_response(w, b"ocsp"));
    });
    let bytes = w.finish().unwrap();
    let parsed = Certificate::parse(&bytes, everything(), 3).unwrap();
    assert_eq!(parsed.peer.unwrap().ocsp, None, "the issuer's staple is not the leaf's");
    assert!(matches!(
        Certificate::parse(&bytes, OfferedSet::EMPTY, 3),
        Err(Error::UnsupportedExtension(ExtensionType::STATUS_REQUEST))
    ));
}

#[test]
fn compressed_certificate_comes_back_as_it_was_sent() {
    let compressed = CompressedCertificate { algorithm: 2, uncompressed_length: 0xff_ffff, bytes: b"brotli" };
    let message = compressed.encode().unwrap();
    let whole = body(&message, HandshakeType::COMPRESSED_CERTIFICATE);
    assert_eq!(CompressedCertificate::parse(whole).unwrap(), compressed);
    cut_is_malformed(whole, |bytes| CompressedCertificate::parse(bytes).map(|_| ()));
    let nothing = CompressedCertificate { bytes: &[], ..compressed }.encode().unwrap();
    assert!(matches!(CompressedCertificate::parse(&nothing[4..]), Err(Error::Malformed { .. })));
}

#[test]
fn certificate_verify_comes_back_as_it_was_sent() {
    let verify = CertificateVerify { algorithm: SignatureScheme::ED25519, signature: b"signature" };
    let message = verify.encode().unwrap();
    let whole = body(&message, HandshakeType::CERTIFICATE_VERIFY);
    assert_eq!(CertificateVerify::parse(whole).unwrap(), verify);
    cut_is_malformed(whole, |bytes| CertificateVerify::parse(bytes).map(|_| ()));
}

#[test]
fn signed_content_is_that_of_the_rfc() {
    let digest = Hash::Sha256.digest(b"transcript");
    let server = signed_content(SignerRole::Server, &digest);
    let expected = [&[0x20; 64][..], b"TLS 1.3, server CertificateVerify\0", digest.as_bytes()].concat();
    assert_eq!(server, expected);
    let client = signed_content(SignerRole::Client, &digest);
    let expected = [&[0x20; 64][..], b"TLS 1.3, client CertificateVerify\0", digest.as_bytes()].concat();
    assert_eq!(client, expected);
}

#[test]
fn finished_has_the_length_of_the_hash() {
    let message = Trace::simple().get("server Finished").to_vec();
    let whole = body(&message, HandshakeType::FINISHED);
    assert_eq!(finished::parse(Hash::Sha256, whole).unwrap(), whole);
    let longer = [whole, &[0]].concat();
    for other in (0..whole.len()).map(|cut| &whole[..cut]).chain([&longer[..]]) {
        assert!(matches!(finished::parse(Hash::Sha256, other), Err(Error::BadFinished)), "{}", other.len());
    }
    assert!(matches!(finished::parse(Hash::Sha384, whole), Err(Error::BadFinished)));
}

#[test]
fn key_update_is_one_byte_that_is_zero_or_one() {
    assert_eq!(key_update::encode(false), [24, 0, 0, 1, 0]);
    assert!(!key_update::parse(&[0]).unwrap());
    assert!(key_update::parse(&[1]).unwrap());
    for value in 2..=255 {
        assert!(matches!(key_update::parse(&[value]), Err(Error::IllegalParameter { .. })));
    }
    cut_is_malformed(&[1], |bytes| key_update::parse(bytes).map(|_| ()));
}

#[test]
fn messages_without_content_are_empty() {
    end_of_early_data::parse(&[]).unwrap();
    hello_request::parse(&[]).unwrap();
    assert!(matches!(end_of_early_data::parse(&[0]), Err(Error::Malformed { .. })));
    assert!(matches!(hello_request::parse(&[0]), Err(Error::Malformed { .. })));
    assert_eq!(end_of_early_data::ENCODED, Trace::resumption().get("client EndOfEarlyData"));
}

#[test]
fn new_session_ticket_comes_back_as_it_was_sent() {
    for (max_early_data, resumption_across_names) in [(None, false), (Some(1024), false), (None, true)] {
        let ticket = NewSessionTicket {
            lifetime: 7,
            age_add: 9,
            nonce: b"nonce",
            ticket: b"ticket",
            max_early_data,
            resumption_across_names,
        };
        let message = ticket.encode().unwrap();
        let whole = body(&message, HandshakeType::NEW_SESSION_TICKET);
        assert_eq!(NewSessionTicket::parse(whole).unwrap(), ticket);
        cut_is_malformed(whole, |bytes| NewSessionTicket::parse(bytes).map(|_| ()));
    }
    let empty = [&[0; 9][..], &[0, 0, 0, 0]].concat();
    assert!(matches!(NewSessionTicket::parse(&empty), Err(Error::Malformed { .. })));
}

#[test]
fn flags_of_a_ticket_are_there_once_and_no_longer_than_needed() {
    let ticket = |flags: &[u8]| {
        let mut w = Writer::new();
        w.bytes(&[0; 8]);
        w.vec_u8(&[]);
        w.vec_u16(b"t");
        w.block_u16(|w| extension::write(w, ExtensionType::TLS_FLAGS, |w| w.vec_u8(flags)));
        w.finish().unwrap()
    };
    for (flags, across_names) in [(&[2][..], false), (&[0, 1], true), (&[0, 2], false), (&[2, 3, 0x80], true)]
    {
        let bytes = ticket(flags);
        assert_eq!(NewSessionTicket::parse(&bytes).unwrap().resumption_across_names, across_names);
    }
    assert_eq!(NewSessionTicket::parse(&ticket(&[])).unwrap_err().alert(), AlertDescription::DECODE_ERROR);
    let padded = NewSessionTicket::parse(&ticket(&[2, 0])).unwrap_err();
    assert_eq!(padded.alert(), AlertDescription::ILLEGAL_PARAMETER);
}

#[test]
fn new_session_ticket_ignores_what_it_does_not_know() {
    let mut w = Writer::new();
    w.bytes(&[0; 8]);
    w.vec_u8(&[]);
    w.vec_u16(b"t");
    w.block_u16(|w| extension::write(w, ExtensionType(0x0a0a), |w| w.u8(1)));
    assert_eq!(NewSessionTicket::parse(&w.finish().unwrap()).unwrap().max_early_data, None);
}

#[test]
fn messages_of_rfc8448_are_read() {
    let trace = Trace::simple();
    let hello = OwnedClientHello::new(trace.get("client ClientHello")).unwrap();
    assert_eq!(hello.server_name(), Some("server"));
    assert_eq!(hello.versions(), [ProtocolVersion::TLS1_3]);
    hello.parse().unwrap().check_tls13().unwrap();
    let offered = hello.parse().unwrap().extensions.offered();
    let ServerHelloOrRetry::ServerHello(answer) =
        ServerHelloOrRetry::parse(&trace.get("server ServerHello")[4..], offered).unwrap()
    else {
        panic!("not a HelloRetryRequest");
    };
    assert_eq!(answer.key_share.unwrap().group, NamedGroup::X25519);
    let extensions =
        EncryptedExtensions::parse(&trace.get("server EncryptedExtensions")[4..], offered).unwrap();
    assert_eq!(extensions.record_size_limit, Some(16_385));
    let certificate = Certificate::parse(&trace.get("server Certificate")[4..], offered, 1).unwrap();
    assert_eq!(certificate.peer.unwrap().chain.len(), 1);
    let verify = CertificateVerify::parse(&trace.get("server CertificateVerify")[4..]).unwrap();
    assert_eq!(verify.algorithm, SignatureScheme::RSA_PSS_RSAE_SHA256);
    let ticket = NewSessionTicket::parse(&trace.get("server NewSessionTicket")[4..]).unwrap();
    assert_eq!((ticket.lifetime, ticket.nonce, ticket.max_early_data), (30, &[0, 0][..], Some(1024)));

    let trace = Trace::retry();
    let hello = OwnedClientHello::new(trace.get("client ClientHello")).unwrap();
    let ServerHelloOrRetry::HelloRetryRequest(retry) = ServerHelloOrRetry::parse(
        &trace.get("server HelloRetryRequest")[4..],
        hello.parse().unwrap().extensions.offered(),
    )
    .unwrap() else {
        panic!("not a ServerHello");
    };
    assert_eq!(retry.selected_group, Some(NamedGroup::SECP256R1));
    let second = OwnedClientHello::new(trace.nth("client ClientHello", 1)).unwrap();
    assert_eq!(second.parse().unwrap().extensions.cookie, retry.cookie);

    let trace = Trace::client_auth();
    let request = CertificateRequest::parse(&trace.get("server CertificateRequest")[4..]).unwrap();
    assert!(request.signature_algorithms.contains(SignatureScheme::RSA_PSS_RSAE_SHA256));

    let hello = OwnedClientHello::new(Trace::resumption().get("client ClientHello")).unwrap();
    let hello = hello.parse().unwrap();
    hello.check_tls13().unwrap();
    assert!(hello.extensions.early_data);
    assert_eq!(hello.extensions.pre_shared_key.unwrap().identities().count(), 1);
}

#[test]
fn a_greased_ticket_is_read_like_any_other() {
    let ticket = NewSessionTicket {
        lifetime: 1,
        age_add: 2,
        nonce: b"n",
        ticket: b"t",
        max_early_data: Some(3),
        resumption_across_names: true,
    };
    let greased = ticket.encode_with(Some(extension::grease::Grease::new([5; 4]))).unwrap();
    assert_eq!(greased.len(), ticket.encode().unwrap().len() + 4);
    assert_eq!(NewSessionTicket::parse(&greased[4..]).unwrap(), ticket);
}

#[test]
fn messages_of_a_flight_are_told_apart_and_nothing_of_it_is_lost() {
    let flight = [&[20, 0, 0, 2, 7, 8][..], &[14, 0, 0, 0], &[1, 0, 0, 9, 5]].concat();
    let messages: Vec<&[u8]> = each(&flight).collect();
    assert_eq!(messages, [&[20, 0, 0, 2, 7, 8][..], &[14, 0, 0, 0], &[1, 0, 0, 9, 5]]);
    assert_eq!(each(&[]).count(), 0);
    assert_eq!(each(&[1]).collect::<Vec<_>>(), [[1]]);
}
