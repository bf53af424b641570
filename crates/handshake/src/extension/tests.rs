use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;
use proptest::prelude::*;

use super::key_share::{KeyShareEntry, KeyShareList};
use super::ticket_request::TicketRequest;
use super::*;
use crate::suite::ProtocolVersion;

const CONTEXTS: [Context; 8] = [
    Context::ClientHello,
    Context::ServerHello,
    Context::ServerHelloTls12,
    Context::HelloRetryRequest,
    Context::EncryptedExtensions,
    Context::Certificate,
    Context::CertificateRequest,
    Context::NewSessionTicket,
];

/// Table 1 of RFC 9846 section 4.3, copied row by row.
const RFC_TABLE: &[(u16, &str)] = &[
    (0, "CH, EE, CR"),
    (5, "CH, CR, CT"),
    (10, "CH, EE"),
    (13, "CH, CR"),
    (14, "CH, EE"),
    (15, "CH, EE"),
    (16, "CH, EE"),
    (19, "CH, EE"),
    (20, "CH, EE"),
    (21, "CH"),
    (27, "CH, CR"),
    (28, "CH, EE"),
    (34, "CH, CR, CT"),
    (39, "CH, EE"),
    (41, "CH, SH"),
    (42, "CH, EE, NST"),
    (43, "CH, SH, HRR"),
    (44, "CH, HRR"),
    (45, "CH"),
    (47, "CH, CR"),
    (48, "CR"),
    (49, "CH"),
    (50, "CH, CR"),
    (51, "CH, SH, HRR"),
    (52, "CH, CR, CT"),
    (55, "CH, EE"),
    (56, "CH, EE"),
    (57, "CH, EE"),
    (58, "CH, EE"),
    (64768, "CH"),
    (65037, "CH, HRR, EE"),
];

fn abbreviation(context: Context) -> Option<&'static str> {
    match context {
        Context::ClientHello => Some("CH"),
        Context::ServerHello => Some("SH"),
        Context::HelloRetryRequest => Some("HRR"),
        Context::EncryptedExtensions => Some("EE"),
        Context::Certificate => Some("CT"),
        Context::CertificateRequest => Some("CR"),
        Context::NewSessionTicket => Some("NST"),
        Context::ServerHelloTls12 => None,
    }
}

/// A block of these extensions, each with the data given.
fn block(extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut w = Writer::new();
    w.block_u16(|w| {
        extensions.iter().for_each(|(typ, data)| write(w, ExtensionType(*typ), |w| w.bytes(data)))
    });
    w.finish().unwrap()
}

fn read_all(bytes: &[u8], context: Context, offered: OfferedSet) -> Result<Vec<ExtensionType>, Error> {
    let mut visited = Vec::new();
    let mut r = Reader::new(bytes, "test");
    read(&mut r, context, offered, |typ, r| {
        visited.push(typ);
        r.rest();
        Ok(())
    })?;
    r.finish()?;
    Ok(visited)
}

fn everything() -> OfferedSet {
    TABLE.iter().map(|row| row.typ).collect()
}

#[test]
fn legality_table_is_that_of_rfc9846() {
    for &(typ, allowed) in RFC_TABLE {
        for context in CONTEXTS {
            let Some(short) = abbreviation(context) else { continue };
            let expected = allowed.split(", ").any(|message| message == short);
            assert_eq!(ExtensionType(typ).allowed_in(context), Some(expected), "{typ} in {context:?}");
        }
    }
}

#[test]
fn what_only_tls12_has_is_legal_in_both_hellos_alone() {
    for typ in [11, 17, 22, 23, 35, 0xff01_u16] {
        for context in CONTEXTS {
            let expected = matches!(context, Context::ClientHello | Context::ServerHelloTls12);
            assert_eq!(ExtensionType(typ).allowed_in(context), Some(expected), "{typ} in {context:?}");
        }
    }
}

#[test]
fn table_is_sorted_and_fits_a_64_bit_set() {
    assert!(TABLE.len() <= 64);
    assert!(TABLE.is_sorted_by(|a, b| a.typ.0 < b.typ.0));
    let mut set = OfferedSet::EMPTY;
    for row in TABLE {
        assert!(!set.contains(row.typ));
        set.insert(row.typ);
        assert!(set.contains(row.typ));
    }
}

#[test]
fn offered_set_leaves_out_what_is_not_recognised() {
    assert_eq!(OfferedSet::EMPTY.with(ExtensionType(0x0a0a)), OfferedSet::EMPTY);
    let set = OfferedSet::EMPTY.with(ExtensionType::KEY_SHARE);
    assert!(!set.contains(ExtensionType::COOKIE));
    assert_eq!(format!("{set:?}"), "{key_share}");
}

#[test]
fn recognised_extension_is_refused_wherever_the_table_does_not_allow_it() {
    for row in TABLE {
        for context in CONTEXTS {
            let result = read_all(&block(&[(row.typ.0, &[])]), context, everything());
            if row.typ.allowed_in(context) == Some(true) {
                assert_eq!(result.unwrap(), [row.typ]);
                continue;
            }
            // In EncryptedExtensions what belongs elsewhere is an answer to nothing.
            let refused = match result {
                Err(Error::UnsupportedExtension(typ)) => {
                    context == Context::EncryptedExtensions && typ == row.typ
                }
                Err(Error::ForbiddenExtension(typ)) => {
                    context != Context::EncryptedExtensions && typ == row.typ
                }
                _ => false,
            };
            assert!(refused, "{} in {context:?}", row.typ);
        }
    }
}

#[test]
fn response_to_what_was_not_sent_is_unsupported() {
    let cookie = |context| read_all(&block(&[(44, &[])]), context, OfferedSet::EMPTY);
    assert_eq!(
        cookie(Context::HelloRetryRequest).unwrap(),
        [ExtensionType::COOKIE],
        "a cookie comes unasked"
    );
    for context in CONTEXTS.into_iter().filter(|context| context.is_response()) {
        for typ in TABLE.iter().map(|row| row.typ).chain([ExtensionType(0x1234), ExtensionType(0x0a0a)]) {
            if typ == ExtensionType::COOKIE && context == Context::HelloRetryRequest {
                continue;
            }
            let result = read_all(&block(&[(typ.0, &[])]), context, OfferedSet::EMPTY);
            assert!(
                matches!(result, Err(Error::UnsupportedExtension(of)) if of == typ),
                "{typ} in {context:?}"
            );
        }
    }
}

#[test]
fn unknown_extension_in_a_request_is_ignored_unread() {
    for context in CONTEXTS.into_iter().filter(|context| !context.is_response()) {
        let bytes = block(&[(0x0a0a, b"anything"), (0x1234, b"")]);
        assert_eq!(read_all(&bytes, context, OfferedSet::EMPTY).unwrap(), []);
    }
}

#[test]
fn duplicate_is_refused_known_or_not() {
    for typ in [0_u16, 43, 0x0a0a, 0x1234] {
        let bytes = block(&[(typ, &[]), (51, &[]), (typ, &[])]);
        let result = read_all(&bytes, Context::ClientHello, OfferedSet::EMPTY);
        assert!(matches!(result, Err(Error::DuplicateExtension { typ: of, .. }) if of.0 == typ), "{typ}");
    }
}

#[test]
fn duplicate_is_found_before_a_stranger_and_its_alert_is_the_messages() {
    for context in CONTEXTS {
        let hello = matches!(
            context,
            Context::ClientHello
                | Context::ServerHello
                | Context::ServerHelloTls12
                | Context::EncryptedExtensions
        );
        let due = if hello { AlertDescription::DECODE_ERROR } else { AlertDescription::ILLEGAL_PARAMETER };
        for typ in [0x1234_u16, 43, 48] {
            let bytes = block(&[(typ, &[]), (typ, &[])]);
            let error = read_all(&bytes, context, OfferedSet::EMPTY).unwrap_err();
            assert!(matches!(error, Error::DuplicateExtension { .. }), "{typ} in {context:?}: {error:?}");
            assert_eq!(error.alert(), due, "{context:?}");
        }
    }
}

#[test]
fn a_block_that_is_wrong_as_a_whole_is_refused_for_that_wherever_else_it_is_wrong() {
    let refuse = |_: ExtensionType, _: &mut Reader<'_>| Err(Error::IllegalParameter { what: "first" });
    let read =
        |bytes: &[u8]| read(&mut Reader::new(bytes, "test"), Context::ClientHello, OfferedSet::EMPTY, refuse);
    let good = block(&[(43, b"wrong"), (51, b"")]);
    assert!(matches!(read(&good), Err(Error::IllegalParameter { what: "first" })));
    for typ in [51, 0x1234, 43] {
        let twice = block(&[(43, b"wrong"), (typ, b""), (0, b""), (typ, b"")]);
        assert!(
            matches!(read(&twice), Err(Error::DuplicateExtension { typ: of, .. }) if of.0 == typ),
            "{typ}"
        );
    }
    let mut cut = block(&[(43, b"wrong"), (51, b"four")]);
    let length = cut.len() - 5;
    cut[length] = 5;
    assert!(matches!(read(&cut), Err(Error::Malformed { what: "test" })));
}

#[test]
fn every_type_is_found_where_the_table_has_it_and_has_a_bit_of_its_own() {
    assert!(TABLE.len() <= 64 && TABLE.is_sorted_by_key(|row| row.typ.0));
    let mut seen = 0;
    for typ in (0..=u16::MAX).map(ExtensionType) {
        let place = TABLE.iter().position(|row| row.typ == typ);
        assert_eq!(typ.row().map(|(at, _)| at), place, "{typ}");
        if let Some(place) = place {
            assert_eq!((bit(place).count_ones(), bit(place) & seen), (1, 0), "{typ}");
            seen |= bit(place);
        }
    }
}

#[test]
fn data_left_over_is_malformed() {
    let bytes = block(&[(43, &[3, 4, 0])]);
    let mut r = Reader::new(&bytes, "test");
    let result = read(&mut r, Context::ServerHello, everything(), |_, r| {
        supported_versions::parse_selected(r)?;
        Ok(())
    });
    assert!(matches!(result, Err(Error::Malformed { what: "supported_versions" })));
}

#[test]
fn block_cut_anywhere_is_malformed() {
    let bytes = block(&[(0, b"abc"), (0x0a0a, b"d"), (51, b"")]);
    for cut in 0..bytes.len() {
        let result = read_all(&bytes[..cut], Context::ClientHello, OfferedSet::EMPTY);
        assert!(matches!(result, Err(Error::Malformed { .. })), "cut at {cut}");
        assert!(check_form(&mut Reader::new(&bytes[..cut], "test")).is_err(), "cut at {cut}");
    }
    check_form(&mut Reader::new(&bytes, "test")).unwrap();
}

#[test]
fn block_of_as_many_extensions_as_fit_is_read_in_linear_time() {
    let extensions: Vec<(u16, &[u8])> = (0x3000..0x3000 + 16_383).map(|typ| (typ, &[][..])).collect();
    assert_eq!(read_all(&block(&extensions), Context::ClientHello, OfferedSet::EMPTY).unwrap(), []);
}

/// What `write` wrote, without type and length.
fn data(expected: ExtensionType, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::new();
    write(&mut w);
    let bytes = w.finish().unwrap();
    let mut r = Reader::new(&bytes, "test");
    assert_eq!(ExtensionType(r.u16().unwrap()), expected);
    let data = r.vec_u16().unwrap().to_vec();
    r.finish().unwrap();
    data
}

/// Parses what was written, whole; and checks that it is malformed when cut anywhere or continued.
fn parsed<'a, T: fmt::Debug>(
    data: &'a [u8],
    parse: impl Fn(&mut Reader<'a>) -> Result<T, Error>,
    cuts_parse: bool,
) -> T {
    for cut in 0..data.len() {
        let mut r = Reader::new(&data[..cut], "test");
        let result = parse(&mut r).and_then(|_| r.finish());
        assert!(cuts_parse || matches!(result, Err(Error::Malformed { .. })), "cut at {cut}: {result:?}");
    }
    let mut r = Reader::new(data, "test");
    let value = parse(&mut r).unwrap();
    r.finish().unwrap();
    value
}

#[test]
fn lists_come_back_as_they_were_written() {
    let groups = [NamedGroup::X25519_MLKEM768, NamedGroup::X25519];
    let bytes = data(ExtensionType::SUPPORTED_GROUPS, |w| supported_groups::write(w, &groups));
    assert_eq!(parsed(&bytes, supported_groups::parse, false).to_vec(), groups);

    let schemes = [SignatureScheme::ED25519, SignatureScheme::ML_DSA_44];
    let bytes = data(ExtensionType::SIGNATURE_ALGORITHMS, |w| signature_algorithms::write(w, &schemes));
    assert_eq!(parsed(&bytes, signature_algorithms::parse, false).to_vec(), schemes);
    let bytes =
        data(ExtensionType::SIGNATURE_ALGORITHMS_CERT, |w| signature_algorithms::write_cert(w, &schemes));
    assert_eq!(parsed(&bytes, signature_algorithms::parse, false).to_vec(), schemes);

    let versions = [ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2];
    let bytes = data(ExtensionType::SUPPORTED_VERSIONS, |w| supported_versions::write(w, &versions));
    assert_eq!(parsed(&bytes, supported_versions::parse, false).to_vec(), versions);

    let protocols = [b"h2".to_vec(), b"http/1.1".to_vec()];
    let bytes = data(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, |w| {
        application_layer_protocol_negotiation::write(w, &protocols);
    });
    let list = parsed(&bytes, application_layer_protocol_negotiation::parse, false);
    assert_eq!(list.to_vec(), protocols);
    assert!(list.contains(b"h2") && !list.contains(b"h3"));

    let names = [b"\x30\x00".to_vec(), b"\x30\x03abc".to_vec()];
    let bytes = data(ExtensionType::CERTIFICATE_AUTHORITIES, |w| certificate_authorities::write(w, &names));
    assert_eq!(parsed(&bytes, certificate_authorities::parse, false).to_vec(), names);

    let bytes = data(ExtensionType::COMPRESS_CERTIFICATE, |w| compress_certificate::write(w, &[2, 3]));
    assert_eq!(parsed(&bytes, compress_certificate::parse, false).to_vec(), [2, 3]);
}

#[test]
fn single_values_come_back_as_they_were_written() {
    let bytes = data(ExtensionType::SERVER_NAME, |w| server_name::write(w, "example.org"));
    assert_eq!(parsed(&bytes, server_name::parse, false), Some("example.org"));
    let bytes = data(ExtensionType::COOKIE, |w| cookie::write(w, b"cookie"));
    assert_eq!(parsed(&bytes, cookie::parse, false), b"cookie");
    let bytes = data(ExtensionType::RECORD_SIZE_LIMIT, |w| record_size_limit::write(w, 64));
    assert_eq!(parsed(&bytes, record_size_limit::parse, false), 64);
    let greased =
        data(ExtensionType::PSK_KEY_EXCHANGE_MODES, |w| psk_key_exchange_modes::write(w, Some(0x2a)));
    assert_eq!(greased, [2, 0x2a, 1]);
    let bytes = data(ExtensionType::PSK_KEY_EXCHANGE_MODES, |w| psk_key_exchange_modes::write(w, None));
    assert!(parsed(&bytes, psk_key_exchange_modes::parse, false).psk_dhe_ke());
    let bytes = data(ExtensionType::EARLY_DATA, |w| early_data::write_max_size(w, 7));
    assert_eq!(parsed(&bytes, early_data::parse_max_size, false), 7);
    let bytes = data(ExtensionType::PRE_SHARED_KEY, |w| pre_shared_key::write_selected(w, 1));
    assert_eq!(parsed(&bytes, pre_shared_key::parse_selected, false), 1);
    let request = TicketRequest { new_session_count: 2, resumption_count: 1 };
    let bytes = data(ExtensionType::TICKET_REQUEST, |w| ticket_request::write(w, request));
    assert_eq!(parsed(&bytes, ticket_request::parse, false), request);
    let bytes = data(ExtensionType::TICKET_REQUEST, |w| ticket_request::write_hint(w, 3));
    assert_eq!(parsed(&bytes, ticket_request::parse_hint, false), 3);
    let bytes = data(ExtensionType::STATUS_REQUEST, status_request::write_request);
    assert!(parsed(&bytes, status_request::parse_request, false));
    let bytes = data(ExtensionType::STATUS_REQUEST, status_request::write_certificate_request);
    assert!(parsed(&bytes, status_request::parse_certificate_request, false));
    let bytes = data(ExtensionType::STATUS_REQUEST, |w| status_request::write_response(w, b"ocsp"));
    assert_eq!(parsed(&bytes, status_request::parse_response, false), b"ocsp");
    let encoded = b"\x00\x05\x00\x03sct";
    let bytes = data(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, |w| {
        signed_certificate_timestamp::write_response(w, encoded);
    });
    assert_eq!(parsed(&bytes, signed_certificate_timestamp::parse_response, false), encoded);
    let bytes = data(ExtensionType::EC_POINT_FORMATS, ec_point_formats::write);
    assert!(parsed(&bytes, ec_point_formats::parse, false));
    let bytes = data(ExtensionType::RENEGOTIATION_INFO, renegotiation_info::write);
    assert_eq!(parsed(&bytes, renegotiation_info::parse, false), b"");
    let bytes = data(ExtensionType::PADDING, |w| padding::write(w, 5));
    parsed(&bytes, padding::parse, true);
    assert_eq!(bytes, [0; 5]);
}

#[test]
fn extensions_without_content_are_empty() {
    type Write = fn(&mut Writer);
    let cases: [(ExtensionType, Write); 5] = [
        (ExtensionType::SERVER_NAME, server_name::write_acknowledgement),
        (ExtensionType::EARLY_DATA, early_data::write),
        (ExtensionType::EXTENDED_MASTER_SECRET, extended_master_secret::write),
        (ExtensionType::POST_HANDSHAKE_AUTH, post_handshake_auth::write),
        (ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, signed_certificate_timestamp::write_request),
    ];
    for (typ, write) in cases {
        assert_eq!(data(typ, write), b"", "{typ}");
    }
    assert_eq!(data(ExtensionType::SESSION_TICKET, |w| session_ticket::write(w, b"t")), b"t");
    let parameters = |w: &mut Writer| quic_transport_parameters::write(w, b"q");
    assert_eq!(data(ExtensionType::QUIC_TRANSPORT_PARAMETERS, parameters), b"q");
    let contents = |w: &mut Writer| encrypted_client_hello::write(w, b"e");
    assert_eq!(data(ExtensionType::ENCRYPTED_CLIENT_HELLO, contents), b"e");
}

#[test]
fn empty_lists_and_items_are_malformed() {
    fn refused<T: fmt::Debug>(bytes: &[u8], parse: impl Fn(&mut Reader<'_>) -> Result<T, Error>) -> bool {
        matches!(parse(&mut Reader::new(bytes, "test")), Err(Error::Malformed { .. }))
    }
    assert!(refused(&[0, 0], |r| supported_groups::parse(r).map(|_| ())));
    assert!(refused(&[0, 0], |r| signature_algorithms::parse(r).map(|_| ())));
    assert!(refused(&[0], |r| supported_versions::parse(r).map(|_| ())));
    assert!(refused(&[0], |r| compress_certificate::parse(r).map(|_| ())));
    assert!(refused(&[0], |r| psk_key_exchange_modes::parse(r).map(|_| ())));
    assert!(refused(&[0], ec_point_formats::parse));
    assert!(refused(&[0, 0], |r| cookie::parse(r).map(|_| ())));
    assert!(refused(&[0, 0], |r| certificate_authorities::parse(r).map(|_| ())));
    assert!(refused(&[0, 2, 0, 0], |r| certificate_authorities::parse(r).map(|_| ())));
    assert!(refused(&[0, 0], |r| application_layer_protocol_negotiation::parse(r).map(|_| ())));
    assert!(refused(&[0, 3, 1, b'a', 0], |r| application_layer_protocol_negotiation::parse(r).map(|_| ())));
    assert!(refused(&[0, 4, 1, b'a', 1, b'b'], |r| {
        application_layer_protocol_negotiation::parse_selected(r).map(|_| ())
    }));
    assert!(refused(&[0, 0], |r| signed_certificate_timestamp::parse_response(r).map(|_| ())));
    assert!(refused(&[0, 2, 0, 0], |r| signed_certificate_timestamp::parse_response(r).map(|_| ())));
    assert!(refused(&[1, 0, 0, 0], |r| status_request::parse_response(r).map(|_| ())));
    assert!(refused(&[0, 3, 0, 0, 0], oid_filters::parse));
    assert!(!refused(&[0, 4, 1, 9, 0, 0], oid_filters::parse));
}

fn name(bytes: &[u8]) -> Result<Option<String>, Error> {
    let mut w = Writer::new();
    w.block_u16(|w| {
        w.u8(0);
        w.vec_u16(bytes);
    });
    let data = w.finish().unwrap();
    server_name::parse(&mut Reader::new(&data, "test")).map(|name| name.map(str::to_owned))
}

#[test]
fn server_name_is_a_dns_name_or_refused() {
    for good in
        ["a", "example.org", "xn--bcher-kva.example", "_sip.example.org", "1.example", "A.b-C.d", "localhost"]
    {
        assert_eq!(name(good.as_bytes()).unwrap().as_deref(), Some(good));
    }
    let long_label = "a".repeat(64);
    let long_name = ["a".repeat(63).as_str(); 4].join(".");
    assert_eq!(long_name.len(), 255);
    for bad in [
        "example.org.",
        ".example.org",
        "a..b",
        "exa mple.org",
        "example.org\0.evil",
        "b\u{fc}cher.example",
        "-a.b",
        "a-.b",
        "*.example.org",
        &long_label,
        &long_name,
        "a/b",
        "[::1]",
    ] {
        assert!(matches!(name(bad.as_bytes()), Err(Error::IllegalParameter { .. })), "{bad:?}");
    }
    assert!(matches!(name(b"\xff"), Err(Error::IllegalParameter { .. })));
    assert!(matches!(name(b""), Err(Error::Malformed { .. })));
}

#[test]
fn server_name_with_an_address_is_as_good_as_none() {
    assert_eq!(name(b"192.0.2.1").unwrap(), None);
    assert_eq!(name(b"2001:db8::1").unwrap(), None);
}

#[test]
fn server_name_has_one_name_of_a_known_type() {
    let parse = |bytes: &[u8]| server_name::parse(&mut Reader::new(bytes, "test")).map(|_| ());
    assert!(matches!(parse(&[0, 4, 1, 0, 1, b'a']), Err(Error::IllegalParameter { .. })));
    assert!(matches!(parse(&[0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b']), Err(Error::IllegalParameter { .. })));
    assert!(matches!(parse(&[0, 0]), Err(Error::Malformed { .. })));
}

fn shares(groups: &[u16]) -> Vec<u8> {
    let entries: Vec<_> =
        groups.iter().map(|&group| KeyShareEntry { group: NamedGroup(group), key_exchange: b"x" }).collect();
    data(ExtensionType::KEY_SHARE, |w| key_share::write(w, &entries))
}

fn check_shares(supported: &[u16], shared: &[u16]) -> Result<(), Error> {
    let groups: Vec<u8> = supported.iter().flat_map(|group| group.to_be_bytes()).collect();
    let shares = shares(shared);
    let list: KeyShareList<'_> = key_share::parse(&mut Reader::new(&shares, "test"))?;
    assert_eq!(list.iter().map(|entry| entry.group.0).collect::<Vec<_>>(), shared);
    list.check(&crate::codec::List16::parse(&groups, "test")?)
}

#[test]
fn key_shares_are_an_ordered_part_of_supported_groups() {
    check_shares(&[1, 2, 3], &[]).unwrap();
    check_shares(&[1, 2, 3], &[1, 3]).unwrap();
    check_shares(&[1, 2, 3], &[1, 2, 3]).unwrap();
    for (supported, shared) in [
        (&[1_u16, 2, 3][..], &[4_u16][..]),
        (&[1, 2, 3], &[3, 1]),
        (&[1, 2, 3], &[1, 1]),
        (&[1, 1], &[1, 1]),
        (&[1, 2, 3], &[1, 2, 3, 4]),
    ] {
        let result = check_shares(supported, shared);
        assert!(matches!(result, Err(Error::IllegalParameter { .. })), "{supported:?} {shared:?}");
    }
}

#[test]
fn key_share_forms_come_back_as_they_were_written() {
    let bytes = shares(&[29, 23]);
    let list = parsed(&bytes, key_share::parse, false);
    assert_eq!(list.find(NamedGroup::SECP256R1).unwrap().key_exchange, b"x");
    assert!(list.find(NamedGroup::SECP384R1).is_none());
    assert!(!list.is_empty() && parsed(&shares(&[]), |r| Ok(key_share::parse(r)?.is_empty()), false));
    let share = KeyShareEntry { group: NamedGroup::X25519, key_exchange: b"share" };
    let bytes = data(ExtensionType::KEY_SHARE, |w| key_share::write_server(w, share));
    assert_eq!(parsed(&bytes, key_share::parse_server, false), share);
    let bytes = data(ExtensionType::KEY_SHARE, |w| key_share::write_retry(w, NamedGroup::X25519));
    assert_eq!(parsed(&bytes, key_share::parse_retry, false), NamedGroup::X25519);
    let empty_share = [0, 4, 0, 29, 0, 0];
    assert!(matches!(key_share::parse(&mut Reader::new(&empty_share, "test")), Err(Error::Malformed { .. })));
}

fn psks(identities: &[&[u8]], binders: &[&[u8]]) -> Result<(), Error> {
    let mut w = Writer::new();
    w.block_u16(|w| {
        for identity in identities {
            w.vec_u16(identity);
            w.u32(9);
        }
    });
    w.block_u16(|w| binders.iter().for_each(|binder| w.vec_u8(binder)));
    let bytes = w.finish().unwrap();
    let mut r = Reader::new(&bytes, "test");
    let psks = pre_shared_key::parse(&mut r)?;
    r.finish()?;
    assert_eq!(psks.identities().map(|psk| psk.identity).collect::<Vec<_>>(), identities);
    assert!(psks.identities().all(|psk| psk.obfuscated_ticket_age == 9));
    assert_eq!(psks.binders().collect::<Vec<_>>(), binders);
    Ok(())
}

#[test]
fn pre_shared_key_has_a_binder_for_each_identity() {
    let binder: &[u8] = &[1; 32];
    psks(&[b"a"], &[binder]).unwrap();
    psks(&[b"a", b"bc"], &[binder, &[2; 48]]).unwrap();
    let unequal = |identities: &[&[u8]], binders: &[&[u8]]| {
        matches!(psks(identities, binders), Err(Error::IllegalParameter { .. }))
    };
    assert!(unequal(&[b"a"], &[binder, binder]));
    assert!(unequal(&[b"a", b"b"], &[binder]));
    let malformed = |identities: &[&[u8]], binders: &[&[u8]]| {
        matches!(psks(identities, binders), Err(Error::Malformed { .. }))
    };
    assert!(malformed(&[], &[binder]));
    assert!(malformed(&[b"a"], &[]));
    assert!(malformed(&[b""], &[binder]));
    // The MAC of no hash, which does not verify: that is another error than a list that cannot be read.
    psks(&[b"a"], &[&[1; 31]]).unwrap();
}

#[test]
fn values_out_of_range_are_illegal() {
    let limit = |value: u16| record_size_limit::parse(&mut Reader::new(&value.to_be_bytes(), "test"));
    assert!(matches!(limit(63), Err(Error::IllegalParameter { .. })));
    assert_eq!(limit(u16::MAX).unwrap(), u16::MAX);
    assert!(matches!(padding::parse(&mut Reader::new(&[0, 1], "test")), Err(Error::IllegalParameter { .. })));
    let mut other_status = Reader::new(&[2, 0, 0, 1, 9], "test");
    assert!(matches!(status_request::parse_response(&mut other_status), Err(Error::IllegalParameter { .. })));
    assert!(!status_request::parse_request(&mut Reader::new(&[2, 9, 9], "test")).unwrap());
    let psk_ke = &mut Reader::new(&[1, psk_key_exchange_modes::PSK_KE], "test");
    assert!(!psk_key_exchange_modes::parse(psk_ke).unwrap().psk_dhe_ke());
}

proptest! {
    #[test]
    fn reading_a_block_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..200), context in 0..8_usize) {
        let _ = read_all(&bytes, CONTEXTS[context], everything());
        let _ = read_all(&bytes, CONTEXTS[context], OfferedSet::EMPTY);
    }

    #[test]
    fn host_names_that_are_accepted_are_printable_ascii(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(Some(name)) = name(&bytes) {
            prop_assert!(name.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(name.as_bytes(), &bytes[..]);
        }
    }
}
