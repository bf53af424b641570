//! Any bytes as any message: recorded ones that were changed, and random ones.

use super::*;

/// Parses a body as every message there is.
fn parse_as_everything(body: &[u8], offered: OfferedSet) {
    if let Ok(hello) = ClientHello::parse(body) {
        let _ = hello.check_tls13();
        let _ = format!("{hello:?}");
        assert!(hello.extensions.types_in_order().count() <= body.len());
    }
    let _ = ServerHelloOrRetry::parse(body, offered).map(|parsed| format!("{parsed:?}"));
    let _ = EncryptedExtensions::parse(body, offered).map(|parsed| format!("{parsed:?}"));
    let _ = CertificateRequest::parse(body).map(|parsed| format!("{parsed:?}"));
    let _ = Certificate::parse(body, offered, 4).map(|parsed| format!("{parsed:?}"));
    let _ = CompressedCertificate::parse(body);
    let _ = CertificateVerify::parse(body);
    let _ = NewSessionTicket::parse(body);
    let _ = finished::parse(Hash::Sha384, body);
    let _ = key_update::parse(body);
}

/// Recorded messages to mutate.
static RECORDED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let (simple, retry, client_auth) = (Trace::simple(), Trace::retry(), Trace::client_auth());
    [
        simple.get("client ClientHello"),
        simple.get("server ServerHello"),
        simple.get("server EncryptedExtensions"),
        simple.get("server Certificate"),
        simple.get("server CertificateVerify"),
        simple.get("server NewSessionTicket"),
        retry.get("server HelloRetryRequest"),
        retry.nth("client ClientHello", 1),
        client_auth.get("server CertificateRequest"),
        Trace::resumption().get("client ClientHello"),
        &full_hello(),
    ]
    .map(<[u8]>::to_vec)
    .into()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_messages_never_panic(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
        offered_all in any::<bool>(),
    ) {
        let mut bytes = which.get(&RECORDED)[4..].to_vec();
        for (at, value, kind) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes.insert(at, value),
                _ => { bytes.remove(at); }
            }
        }
        parse_as_everything(&bytes, if offered_all { everything() } else { OfferedSet::EMPTY });
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Handshake::parse_exact(&bytes);
        parse_as_everything(&bytes, everything());
    }

    #[test]
    fn what_is_read_is_what_is_written(
        session_id in proptest::collection::vec(any::<u8>(), 0..=32),
        cookie in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..100)),
        share in proptest::collection::vec(any::<u8>(), 1..100),
        suite in any::<u16>(),
        psk in any::<Option<u16>>(),
    ) {
        let hello = ServerHello {
            session_id_echo: &session_id,
            cipher_suite: CipherSuite(suite),
            key_share: Some(KeyShareEntry { group: NamedGroup(suite), key_exchange: &share }),
            pre_shared_key: psk,
            ..server_hello()
        };
        let message = hello.encode().unwrap();
        prop_assert_eq!(
            ServerHelloOrRetry::parse(&message[4..], everything()).unwrap(),
            ServerHelloOrRetry::ServerHello(hello)
        );
        let retry = HelloRetryRequest {
            session_id_echo: &session_id,
            cookie: cookie.as_deref(),
            ..hello_retry_request()
        };
        let message = retry.encode().unwrap();
        prop_assert_eq!(
            ServerHelloOrRetry::parse(&message[4..], everything()).unwrap(),
            ServerHelloOrRetry::HelloRetryRequest(retry)
        );
    }
}
