//! One handshake message of any type, read as each of those that it may be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxtls_crypto::Hash;
use oxtls_handshake::extension::{ExtensionType, OfferedSet};
use oxtls_handshake::message::certificate::Certificate;
use oxtls_handshake::message::certificate_request::CertificateRequest;
use oxtls_handshake::message::certificate_verify::CertificateVerify;
use oxtls_handshake::message::client_hello::{ClientHello, OwnedClientHello};
use oxtls_handshake::message::compressed_certificate::CompressedCertificate;
use oxtls_handshake::message::encrypted_extensions::EncryptedExtensions;
use oxtls_handshake::message::new_session_ticket::NewSessionTicket;
use oxtls_handshake::message::server_hello::ServerHelloOrRetry;
use oxtls_handshake::message::{
    Handshake, HandshakeType, end_of_early_data, finished, hello_request, key_update, tls12,
};

/// As if everything had been asked for: what follows the extension's type is what is of interest.
fn offered(mask: u8) -> OfferedSet {
    let mut set = OfferedSet::EMPTY;
    for number in (0..=80).chain([0xff01, 0xfe0d]) {
        if mask == 0 || u16::from(mask) != number % 256 {
            set.insert(ExtensionType(number));
        }
    }
    set
}

fuzz_target!(|input: &[u8]| {
    let Some((&mask, input)) = input.split_first() else { return };
    let Ok(message) = Handshake::parse_exact(input) else { return };
    let body = message.body;
    let offered = offered(mask);
    match message.typ {
        HandshakeType::CLIENT_HELLO => {
            if let Ok(hello) = ClientHello::parse(body) {
                let _ =
                    (hello.versions(), hello.offers_tls13(), hello.check_tls13(), hello.extensions.offered());
                let owned = OwnedClientHello::new(input).expect("it was read before");
                let _ = (owned.server_name().is_some(), owned.alpn().count(), owned.versions());
            }
        }
        HandshakeType::SERVER_HELLO => {
            let _ = ServerHelloOrRetry::parse(body, offered);
            let _ = tls12::server_hello::ServerHello::parse(body, offered);
        }
        HandshakeType::CERTIFICATE => {
            let _ = Certificate::parse(body, offered, 10);
            let _ = tls12::certificate::parse(body, 10);
        }
        HandshakeType::CERTIFICATE_REQUEST => {
            let _ = CertificateRequest::parse(body).map(|request| request.certificate_schemes());
            let _ = tls12::certificate_request::CertificateRequest::parse(body);
        }
        HandshakeType::NEW_SESSION_TICKET => {
            let _ = NewSessionTicket::parse(body);
            let _ = tls12::new_session_ticket::NewSessionTicket::parse(body);
        }
        HandshakeType::ENCRYPTED_EXTENSIONS => drop(EncryptedExtensions::parse(body, offered)),
        HandshakeType::CERTIFICATE_VERIFY => drop(CertificateVerify::parse(body)),
        HandshakeType::COMPRESSED_CERTIFICATE => drop(CompressedCertificate::parse(body)),
        HandshakeType::FINISHED => drop(finished::parse(Hash::Sha256, body)),
        HandshakeType::KEY_UPDATE => drop(key_update::parse(body)),
        HandshakeType::HELLO_REQUEST => drop(hello_request::parse(body)),
        HandshakeType::END_OF_EARLY_DATA => drop(end_of_early_data::parse(body)),
        HandshakeType::SERVER_KEY_EXCHANGE => {
            drop(tls12::server_key_exchange::ServerKeyExchange::parse(body))
        }
        HandshakeType::CLIENT_KEY_EXCHANGE => drop(tls12::client_key_exchange::parse(body)),
        HandshakeType::SERVER_HELLO_DONE => drop(tls12::server_hello_done::parse(body)),
        HandshakeType::CERTIFICATE_STATUS => drop(tls12::certificate_status::parse(body)),
        _ => {}
    }
});
