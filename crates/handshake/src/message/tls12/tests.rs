//! TLS 1.2's messages: what is written is read, what is cut or continued is malformed.

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;
use pki_types::CertificateDer;

use super::server_hello::{ServerHello, ServerHelloExtensions};
use super::server_key_exchange::ServerKeyExchange;
use super::{
    certificate, certificate_request, certificate_status, client_key_exchange, new_session_ticket,
    server_hello_done, server_key_exchange,
};
use crate::error::Error;
use crate::extension::{ExtensionType, OfferedSet};
use crate::message::Handshake;
use crate::suite::CipherSuite;

/// The body of a message, which must be read to its end: no shorter and no longer one is good.
fn exact<T: core::fmt::Debug>(message: &[u8], parse: impl Fn(&[u8]) -> Result<T, Error>) {
    let body = Handshake::parse_exact(message).unwrap().body;
    parse(body).unwrap();
    for cut in 0..body.len() {
        assert!(matches!(parse(&body[..cut]), Err(Error::Malformed { .. })), "cut at {cut}");
    }
    assert!(matches!(parse(&[body, &[0]].concat()), Err(Error::Malformed { .. })), "continued");
}

#[test]
fn messages_are_read_to_their_end_and_no_further() {
    let scheme = SignatureScheme::ECDSA_SECP256R1_SHA256;
    let params = server_key_exchange::params(NamedGroup::X25519, &[9; 32]).unwrap();
    let message = server_key_exchange::encode(&params, scheme, &[7; 70]).unwrap();
    exact(&message, |body| ServerKeyExchange::parse(body).map(|_| ()));
    exact(&client_key_exchange::encode(&[9; 32]).unwrap(), |body| {
        client_key_exchange::parse(body).map(|_| ())
    });
    exact(&server_hello_done::encode().unwrap(), server_hello_done::parse);
    let chain = [CertificateDer::from(vec![1; 10]), CertificateDer::from(vec![2; 20])];
    exact(&certificate::encode(&chain).unwrap(), |body| certificate::parse(body, 4));
    exact(&certificate_status::encode(b"response").unwrap(), |body| {
        certificate_status::parse(body).map(|_| ())
    });
    let request = certificate_request::encode(&[scheme], &[vec![0x30, 0]]).unwrap();
    exact(&request, |body| certificate_request::CertificateRequest::parse(body).map(|_| ()));
    let ticket = new_session_ticket::NewSessionTicket { lifetime_hint: 7200, ticket: b"ticket" };
    exact(&ticket.encode().unwrap(), |body| new_session_ticket::NewSessionTicket::parse(body).map(|_| ()));
}

#[test]
fn a_key_exchange_says_what_is_signed() {
    let params = server_key_exchange::params(NamedGroup::SECP256R1, &[4; 65]).unwrap();
    let scheme = SignatureScheme::RSA_PKCS1_SHA256;
    let message = server_key_exchange::encode(&params, scheme, b"signature").unwrap();
    let read = ServerKeyExchange::parse(Handshake::parse_exact(&message).unwrap().body).unwrap();
    assert_eq!((read.group, read.public, read.params), (NamedGroup::SECP256R1, &[4; 65][..], &params[..]));
    assert_eq!((read.algorithm, read.signature), (scheme, &b"signature"[..]));
    let signed = server_key_exchange::signed_content(&[1; 32], &[2; 32], &params);
    assert_eq!(signed, [&[1; 32][..], &[2; 32], &params].concat());
}

#[test]
fn a_curve_that_is_spelt_out_is_refused() {
    assert!(matches!(ServerKeyExchange::parse(&[1, 0, 0]), Err(Error::IllegalParameter { .. })));
}

#[test]
fn a_chain_is_bounded() {
    let chain = vec![CertificateDer::from(vec![1; 10]); 5];
    let message = certificate::encode(&chain).unwrap();
    let body = Handshake::parse_exact(&message).unwrap().body;
    assert_eq!(&certificate::parse(body, 5).unwrap().unwrap()[..], chain);
    assert!(matches!(certificate::parse(body, 4), Err(Error::IllegalParameter { .. })));
    assert_eq!(certificate::parse(&[0, 0, 0], 4).unwrap(), None);
}

#[test]
fn a_server_hello_comes_back_with_its_extensions() {
    let hello = ServerHello {
        random: &[3; 32],
        session_id: &[4; 32],
        cipher_suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        compression_method: 0,
        extensions: ServerHelloExtensions {
            renegotiation_info: Some(&[]),
            extended_master_secret: true,
            ec_point_formats: Some(true),
            alpn: Some(b"h2"),
            session_ticket: true,
            status_request: true,
            scts: Some(&[0, 3, 0, 1, 9]),
            record_size_limit: Some(1000),
            server_name: true,
        },
    };
    let offered: OfferedSet = [
        ExtensionType::RENEGOTIATION_INFO,
        ExtensionType::EXTENDED_MASTER_SECRET,
        ExtensionType::EC_POINT_FORMATS,
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
        ExtensionType::SESSION_TICKET,
        ExtensionType::STATUS_REQUEST,
        ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
        ExtensionType::RECORD_SIZE_LIMIT,
        ExtensionType::SERVER_NAME,
    ]
    .into_iter()
    .collect();
    let message = hello.encode().unwrap();
    let body = Handshake::parse_exact(&message).unwrap().body;
    assert_eq!(ServerHello::parse(body, offered).unwrap(), hello);
    assert!(matches!(ServerHello::parse(body, OfferedSet::EMPTY), Err(Error::UnsupportedExtension(_))));
}
