//! The ClientHello: offered, read, judged, and in every order.

use super::*;

#[test]
fn client_hello_comes_back_as_it_was_offered() {
    let message = full_hello();
    let hello = ClientHello::parse(body(&message, HandshakeType::CLIENT_HELLO)).unwrap();
    assert_eq!(hello.legacy_version, ProtocolVersion::TLS1_2);
    assert_eq!((hello.random, hello.session_id), (&[1; 32], &[2; 32][..]));
    assert_eq!(hello.cipher_suites.to_vec(), SUITES);
    assert_eq!(hello.compression_methods, [0]);
    assert!(hello.offers_tls13());
    hello.check_tls13().unwrap();
    let extensions = hello.extensions;
    assert_eq!(extensions.server_name, Some("example.org"));
    assert_eq!(extensions.supported_versions.unwrap().to_vec(), VERSIONS);
    assert_eq!(extensions.supported_groups.unwrap().to_vec(), GROUPS);
    assert_eq!(extensions.key_shares.unwrap().iter().collect::<Vec<_>>(), [SHARE]);
    assert_eq!(extensions.signature_algorithms.unwrap().to_vec(), SCHEMES);
    assert_eq!(extensions.certificate_schemes().unwrap().to_vec(), SCHEMES[..1]);
    assert_eq!(extensions.alpn.unwrap().to_vec(), [&b"h2"[..], b"http/1.1"]);
    assert_eq!(extensions.cookie, Some(&b"cookie"[..]));
    assert!(extensions.psk_key_exchange_modes.unwrap().psk_dhe_ke());
    assert_eq!(extensions.certificate_authorities.unwrap().to_vec(), [b"\x30\x00"]);
    assert!(extensions.status_request && extensions.signed_certificate_timestamp);
    assert_eq!(extensions.record_size_limit, Some(16_385));
    assert_eq!(extensions.compress_certificate.unwrap().to_vec(), [2]);
    assert_eq!(extensions.quic_transport_parameters, Some(&b"quic"[..]));
    assert_eq!(extensions.ticket_request.unwrap().new_session_count, 2);
    assert!(extensions.early_data);
    assert_eq!(extensions.session_ticket, Some(&b"ticket of 1.2"[..]));
    let psks = extensions.pre_shared_key.unwrap();
    let identity = PskIdentity { identity: b"ticket", obfuscated_ticket_age: 0x0102_0304 };
    assert_eq!(psks.identities().collect::<Vec<_>>(), [identity]);
    assert_eq!(psks.binders().collect::<Vec<_>>(), [[0; 48]], "the binder's place is at the end");
    assert_eq!(psks.binders_len(), 51);
    assert_eq!(extensions.types_in_order().last(), Some(ExtensionType::PRE_SHARED_KEY));
}

#[test]
fn offered_set_is_what_the_hello_carries() {
    let check = |offer: &Offer<'_>| {
        let message = offer.encode().unwrap();
        let hello = ClientHello::parse(body(&message, HandshakeType::CLIENT_HELLO)).unwrap();
        assert_eq!(offer.offered(), hello.extensions.offered());
    };
    with_offer(|_| {}, check);
    with_offer(
        |offer| {
            *offer = Offer {
                server_name: None,
                signature_algorithms_cert: None,
                alpn: &[],
                cookie: None,
                psk_dhe_ke: false,
                certificate_authorities: &[],
                status_request: false,
                signed_certificate_timestamp: false,
                record_size_limit: None,
                compress_certificate: &[],
                quic_transport_parameters: None,
                ticket_request: None,
                session_ticket: None,
                early_data: false,
                pre_shared_key: None,
                ..*offer
            };
        },
        check,
    );
}

#[test]
fn cookie_that_leaves_no_room_is_an_error() {
    let cookie = vec![0; 0xffff];
    let result = with_offer(|_| {}, |offer| Offer { cookie: Some(&cookie), ..*offer }.encode());
    assert!(matches!(result, Err(Error::TooLong)));
}

#[test]
fn client_hello_cut_anywhere_is_malformed() {
    let message = full_hello();
    let whole = body(&message, HandshakeType::CLIENT_HELLO);
    // A hello of old times ends behind its compression methods.
    let without_extensions = 2 + 32 + 1 + 32 + 2 + 4 + 2;
    for cut in 0..whole.len() {
        let result = ClientHello::parse(&whole[..cut]);
        if cut == without_extensions {
            assert!(!result.unwrap().offers_tls13());
        } else {
            assert!(matches!(result, Err(Error::Malformed { .. })), "cut at {cut}: {result:?}");
        }
    }
    let longer = [whole, &[0]].concat();
    assert!(matches!(ClientHello::parse(&longer), Err(Error::Malformed { .. })));
}

/// A ClientHello body of these parts.
fn hello_of(version: u16, compression: &[u8], extensions: &[(ExtensionType, &[u8])]) -> Vec<u8> {
    let mut w = Writer::new();
    w.u16(version);
    w.bytes(&[0; 32]);
    w.vec_u8(&[]);
    w.vec_u16(&[0x13, 0x01]);
    w.vec_u8(compression);
    w.block_u16(|w| {
        for (typ, data) in extensions {
            extension::write(w, *typ, |w| w.bytes(data));
        }
    });
    w.finish().unwrap()
}

const VERSION_13: (ExtensionType, &[u8]) = (ExtensionType::SUPPORTED_VERSIONS, &[2, 3, 4]);
const X25519_GROUP: (ExtensionType, &[u8]) = (ExtensionType::SUPPORTED_GROUPS, &[0, 2, 0, 29]);
const NO_SHARES: (ExtensionType, &[u8]) = (ExtensionType::KEY_SHARE, &[0, 0]);
const ED25519: (ExtensionType, &[u8]) = (ExtensionType::SIGNATURE_ALGORITHMS, &[0, 2, 8, 7]);
const MODES: (ExtensionType, &[u8]) = (ExtensionType::PSK_KEY_EXCHANGE_MODES, &[1, 1]);
const EARLY: (ExtensionType, &[u8]) = (ExtensionType::EARLY_DATA, &[]);
const UNKNOWN: (ExtensionType, &[u8]) = (ExtensionType(0x0a0a), &[]);

fn psk() -> Vec<u8> {
    [&[0, 7, 0, 1, b'i', 0, 0, 0, 0, 0, 33, 32][..], &[9; 32]].concat()
}

fn check_tls13(extensions: &[(ExtensionType, &[u8])]) -> Result<(), Error> {
    ClientHello::parse(&hello_of(0x0303, &[0], extensions))?.check_tls13()
}

#[test]
fn tls13_hello_without_a_required_extension_is_refused() {
    let psk = psk();
    let psk = (ExtensionType::PRE_SHARED_KEY, &psk[..]);
    check_tls13(&[VERSION_13, X25519_GROUP, NO_SHARES, ED25519]).unwrap();
    check_tls13(&[VERSION_13, X25519_GROUP, NO_SHARES, MODES, psk]).unwrap();
    check_tls13(&[VERSION_13, X25519_GROUP, NO_SHARES, MODES, EARLY, psk]).unwrap();
    check_tls13(&[VERSION_13, MODES, psk]).unwrap();
    for (extensions, missing) in [
        (&[VERSION_13, X25519_GROUP, NO_SHARES][..], ExtensionType::SIGNATURE_ALGORITHMS),
        (&[VERSION_13, ED25519], ExtensionType::SUPPORTED_GROUPS),
        (&[VERSION_13, ED25519, X25519_GROUP], ExtensionType::KEY_SHARE),
        (&[VERSION_13, ED25519, NO_SHARES], ExtensionType::SUPPORTED_GROUPS),
        (&[VERSION_13, MODES, X25519_GROUP, psk], ExtensionType::KEY_SHARE),
        (&[VERSION_13, MODES, NO_SHARES, psk], ExtensionType::SUPPORTED_GROUPS),
        (&[VERSION_13, ED25519, X25519_GROUP, NO_SHARES, psk], ExtensionType::PSK_KEY_EXCHANGE_MODES),
    ] {
        let result = check_tls13(extensions);
        assert!(matches!(result, Err(Error::MissingExtension(typ)) if typ == missing), "{result:?}");
    }
}

#[test]
fn tls13_hello_has_the_legacy_fields_that_the_rfc_fixes() {
    let extensions = [VERSION_13, X25519_GROUP, NO_SHARES, ED25519];
    let check = |version, compression: &[u8]| {
        ClientHello::parse(&hello_of(version, compression, &extensions)).unwrap().check_tls13()
    };
    for version in [0x0303, 0x0304, 0x0400, 0xffff] {
        check(version, &[0]).unwrap();
    }
    for version in [0, 0x0300, 0x0302] {
        assert!(matches!(check(version, &[0]), Err(Error::NoCommonVersion { .. })));
    }
    for compression in [&[1][..], &[0, 1], &[1, 0], &[0, 0]] {
        assert!(matches!(check(0x0303, compression), Err(Error::IllegalParameter { .. })));
    }
    // Early data of a PSK that is not there is data to pass over.
    check_tls13(&[VERSION_13, X25519_GROUP, NO_SHARES, ED25519, EARLY]).unwrap();
}

#[test]
fn pre_shared_key_must_be_the_last_extension() {
    let psk = psk();
    let psk = (ExtensionType::PRE_SHARED_KEY, &psk[..]);
    for after in [MODES, UNKNOWN] {
        let bytes = hello_of(0x0303, &[0], &[VERSION_13, psk, after]);
        assert!(matches!(ClientHello::parse(&bytes), Err(Error::IllegalParameter { .. })));
    }
    ClientHello::parse(&hello_of(0x0303, &[0], &[VERSION_13, UNKNOWN, psk])).unwrap();
}

#[test]
fn hello_that_contradicts_itself_is_refused_when_parsed() {
    let other_group = (ExtensionType::KEY_SHARE, &[0, 5, 0, 23, 0, 1, 4][..]);
    let bytes = hello_of(0x0303, &[0], &[other_group, X25519_GROUP]);
    assert!(matches!(ClientHello::parse(&bytes), Err(Error::IllegalParameter { .. })));
    let bytes = hello_of(0x0303, &[0], &[UNKNOWN, VERSION_13, UNKNOWN]);
    assert!(
        matches!(ClientHello::parse(&bytes), Err(Error::DuplicateExtension { typ, .. }) if typ == UNKNOWN.0)
    );
    let outer = (ExtensionType::ECH_OUTER_EXTENSIONS, &[2, 0, 43][..]);
    let bytes = hello_of(0x0303, &[0], &[outer]);
    assert!(matches!(ClientHello::parse(&bytes), Err(Error::ForbiddenExtension(_))));
    let bytes = hello_of(0x0303, &[0], &[(ExtensionType::OID_FILTERS, &[0, 0])]);
    assert!(matches!(ClientHello::parse(&bytes), Err(Error::ForbiddenExtension(_))));
    let bytes = hello_of(0x0303, &[], &[]);
    assert!(matches!(ClientHello::parse(&bytes), Err(Error::Malformed { .. })));
}

#[test]
fn versions_of_a_hello_without_supported_versions_end_at_tls12() {
    let versions = |version| ClientHello::parse(&hello_of(version, &[0], &[])).unwrap().versions();
    assert_eq!(versions(0x0304), [ProtocolVersion::TLS1_2]);
    assert_eq!(versions(0x0302), [ProtocolVersion::TLS1_1]);
}

#[test]
fn owned_hello_says_what_a_configuration_is_chosen_by() {
    let message = full_hello();
    let hello = OwnedClientHello::new(&message).unwrap();
    let wish = hello.parse().unwrap().extensions.ticket_request;
    assert!(wish.is_some() && hello.ticket_request() == wish);
    assert_eq!(hello.server_name(), Some("example.org"));
    assert_eq!(hello.alpn().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
    assert_eq!(hello.versions(), VERSIONS);
    assert_eq!(hello.cipher_suites().to_vec(), SUITES);
    assert_eq!(hello.groups().to_vec(), GROUPS);
    assert_eq!(hello.signature_schemes().to_vec(), SCHEMES);
    assert_eq!(hello.random(), [1; 32]);
    assert_eq!(hello.session_id(), hello.parse().unwrap().session_id);
    assert_eq!(hello.raw(), message);
    assert_eq!(hello.body(), &message[4..]);
    assert_eq!(hello.into_raw(), message);
    assert!(matches!(OwnedClientHello::new(&key_update::encode(false)), Err(Error::Malformed { .. })));
    assert!(OwnedClientHello::new(&message[..60]).is_err());
}

#[test]
fn every_order_of_extensions_is_a_permutation_and_carries_the_same() {
    let sorted = |message: &[u8]| {
        let hello = OwnedClientHello::new(message).unwrap();
        let mut types: Vec<u16> =
            hello.parse().unwrap().extensions.types_in_order().map(|typ| typ.0).collect();
        let order = types.clone();
        types.sort_unstable();
        (order, types)
    };
    let (fixed, all) = sorted(&full_hello());
    let mut orders = std::collections::BTreeSet::from([fixed]);
    // Halves that have a choice before their point at once, and such that have none for long.
    for seed in [0, u128::MAX, 0x1234_5678_9abc_def0, 1 << 127, 3 << 96, 20_922_789_887_999].map(halves) {
        let shuffled =
            with_offer(|offer| offer.order = Order::shuffled(seed), |offer| offer.encode().unwrap());
        let (order, types) = sorted(&shuffled);
        assert_eq!(types, all);
        orders.insert(order);
        assert_eq!(
            with_offer(|o| o.order = Order::shuffled(seed), |o| o.offered()),
            with_offer(|_| {}, |o| o.offered())
        );
    }
    assert!(orders.len() >= 5, "{} orders", orders.len());
}

fn halves(seed: u128) -> [u64; 2] {
    [seed >> 64, seed & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap())
}

#[test]
fn each_extension_can_stand_anywhere() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..2000_u128 {
        let order = Order::shuffled(halves(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)));
        let message = with_offer(|offer| offer.order = order, |offer| offer.encode().unwrap());
        let hello = OwnedClientHello::new(&message).unwrap();
        firsts.insert(hello.parse().unwrap().extensions.types_in_order().next().unwrap().0);
    }
    assert_eq!(firsts.len(), 21);
}

#[test]
fn what_is_remembered_of_a_hello_lies_in_it() {
    let message = with_offer(|_| {}, |offer| offer.encode().unwrap());
    let owned = OwnedClientHello::new(&message).unwrap();
    let hello = owned.parse().unwrap();
    for bytes in
        [hello.session_id, hello.random, &owned.raw()[..0], owned.raw(), &owned.raw()[message.len()..]]
    {
        let part = owned.part(bytes).unwrap();
        assert_eq!(owned.bytes_of(part), bytes);
    }
    assert_eq!((owned.session_id(), owned.random()), (hello.session_id, *hello.random));
    let other = OwnedClientHello::new(&message).unwrap();
    for bytes in [&message[..], other.raw(), other.session_id(), &[7][..]] {
        assert!(matches!(owned.part(bytes), Err(Error::Internal(_))), "the same bytes elsewhere");
    }
}
