//! What a ServerHello may say.

use super::*;

fn hello_changed(versions: Versions, change: impl FnOnce(&mut Hello)) -> End {
    changed(Setup { client: versions, ..Setup::default() }, "ServerHello", |message| edit(message, change))
}

#[test]
fn without_extended_master_secret_nothing_is_exported_and_it_must_be_allowed() {
    let remove = |hello: &mut Hello| hello.remove(ExtensionType::EXTENDED_MASTER_SECRET);
    let end = hello_changed(Versions::Both, remove);
    refused(&end, HF);
    assert!(matches!(end.error(), Error::NoExtendedMasterSecret));
    assert_eq!(end.error().fault(), Fault::Incompatible);
    let mut pair = Setup::default().pair_with(
        |common| common.require_extended_master_secret = false,
        |common| common.require_extended_master_secret = false,
    );
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&edit(&hello, remove));
    pair.server.settle();
    let hello = pair.server.next_message();
    assert!(!types(&Hello::of(&hello)).contains(&ExtensionType::EXTENDED_MASTER_SECRET));
    pair.client.give(&hello);
    assert!(pair.client.failure.is_none());
}

#[test]
fn a_sentinel_in_the_random_says_that_tls13_was_taken_out() {
    for sentinel in [DOWNGRADE_TLS12, DOWNGRADE_TLS11] {
        let end = hello_changed(Versions::Both, |hello| hello.random[24..].copy_from_slice(&sentinel));
        refused(&end, IP);
        assert!(matches!(end.error(), Error::Downgrade));
    }
    // A server that speaks TLS 1.3 too sets it, and a client that does not is served all the same.
    let setup = Setup { client: Versions::Only12, server: Versions::Both, ..Setup::default() };
    let (mut end, flight) = flight(setup);
    assert!(Hello::of(&flight[0]).random.ends_with(&DOWNGRADE_TLS12));
    assert_eq!(end.give(&flight[0]), ["R(del,no)"]);
}

#[test]
fn a_version_that_was_not_offered_is_refused() {
    for (client, version) in [
        (Versions::Both, 0x0302),
        (Versions::Both, 0x0300),
        (Versions::Both, 0x0304),
        (Versions::Only12, 0x0302),
        (Versions::Only12, 0x0304),
    ] {
        let end = hello_changed(client, |hello| hello.version = version);
        refused(&end, PV);
        assert_eq!(end.error().fault(), Fault::Incompatible);
    }
    let (_, flight) = flight(Setup::default());
    let mut end = client(client_config(Versions::Only13, |_| ()), Transport::Stream, None);
    end.settle();
    end.give(&flight[0]);
    refused(&end, PV);
    for selected in [[3, 3], [3, 2]] {
        let end = hello_changed(Versions::Both, |hello| {
            hello.extensions = vec![(ExtensionType::SUPPORTED_VERSIONS, selected.to_vec())];
        });
        refused(&end, IP);
    }
    let tls13 = |hello: &mut Hello| {
        hello.extensions = vec![(ExtensionType::SUPPORTED_VERSIONS, vec![3, 4])];
    };
    refused(&hello_changed(Versions::Only12, tls13), UE);
}

#[test]
fn nothing_asks_a_client_of_tls12_for_another_hello() {
    let end = hello_changed(Versions::Only12, |hello| hello.random = HELLO_RETRY_REQUEST_RANDOM.to_vec());
    refused(&end, UM);
}

#[test]
fn a_server_hello_says_only_what_was_asked() {
    type Change = fn(&mut Hello);
    let cases: &[(AlertDescription, Change)] = &[
        (IP, |hello| hello.compression = vec![1]),
        (IP, |hello| hello.suites = vec![0x1301]),
        (IP, |hello| hello.suites = vec![0xc030]),
        (IP, |hello| hello.suites = vec![0x009c]),
        (IP, |hello| hello.set(ExtensionType::EC_POINT_FORMATS, &[1, 1])),
        (DE, |hello| hello.set(ExtensionType::EC_POINT_FORMATS, &[0])),
        (HF, |hello| hello.remove(ExtensionType::RENEGOTIATION_INFO)),
        (HF, |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[1, 7])),
        (DE, |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[])),
        (DE, |hello| hello.set(ExtensionType::EXTENDED_MASTER_SECRET, &[0])),
        (UE, |hello| hello.set(ExtensionType::SESSION_TICKET, &[])),
        (UE, |hello| hello.set(ExtensionType::STATUS_REQUEST, &[])),
        (UE, |hello| hello.set(ExtensionType::RECORD_SIZE_LIMIT, &[0x40, 0])),
        (UE, |hello| hello.set(ExtensionType(0x1234), &[])),
        (IP, |hello| hello.set(ExtensionType::KEY_SHARE, &[0, 0x1d, 0, 0])),
        (IP, |hello| hello.set(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"\0\x04\x03foo")),
    ];
    for (i, (alert, change)) in cases.iter().enumerate() {
        let end = hello_changed(Versions::Both, change);
        assert_eq!(end.alert(), *alert, "case {i}: {}", end.error());
        assert_eq!(end.write_level, Level::Initial);
    }
    // Points in the clear, and no word on them, are fine.
    let end = hello_changed(Versions::Both, |hello| hello.remove(ExtensionType::EC_POINT_FORMATS));
    assert!(end.failure.is_none());
}

#[test]
fn a_server_without_renegotiation_info_is_met_only_where_that_is_allowed() {
    let (_, flight) = flight(Setup::default());
    type Change = fn(&mut Hello);
    let (missing, wrong): (Change, Change) = (
        |hello| hello.remove(ExtensionType::RENEGOTIATION_INFO),
        |hello| hello.set(ExtensionType::RENEGOTIATION_INFO, &[1, 7]),
    );
    for (required, change, refused) in [(true, missing, true), (false, missing, false), (false, wrong, true)]
    {
        let config = ClientHandshake {
            require_renegotiation_info: required,
            ..client_config(Versions::Only12, |_| ())
        };
        let mut end = client(config, Transport::Stream, None);
        end.settle();
        end.give(&edit(&flight[0], change));
        assert_eq!(end.failure.is_some(), refused, "required: {required}");
        if refused {
            assert_eq!(end.alert(), HF);
        }
    }
}

#[test]
fn the_id_of_compatibility_mode_is_no_session() {
    let (mut end, flight) = flight(Setup::default());
    let mut other = client(client_config(Versions::Both, |_| ()), Transport::Stream, None);
    other.settle();
    let id = Hello::of(&other.next_message()).session_id;
    let echoed = edit(&flight[0], |hello| hello.session_id.clone_from(&id));
    other.give(&echoed);
    refused(&other, IP);
    // An ID that the server made is its own affair.
    end.give(&edit(&flight[0], |hello| hello.session_id = vec![7; 32]));
    assert!(end.failure.is_none());
}

#[test]
fn record_size_limit_has_the_range_of_tls12() {
    for (theirs, limits) in [(0x4000_u16, Some((0x4000, 0x4000))), (100, Some((100, 0x4000))), (0x4001, None)]
    {
        let (_, flight) = flight(Setup::default());
        let config = client_config(Versions::Both, |common| common.record_size_limit = Some(16_385));
        let mut end = client(config, Transport::Stream, None);
        end.settle();
        end.give(&edit(&flight[0], |hello| {
            hello.set(ExtensionType::RECORD_SIZE_LIMIT, &theirs.to_be_bytes());
        }));
        assert_eq!(end.limits, limits);
        if limits.is_none() {
            refused(&end, IP);
        }
    }
}
