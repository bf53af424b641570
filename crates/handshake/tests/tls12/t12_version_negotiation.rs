use super::*;

fn random_of_server_hello(pair: &mut Pair) -> Vec<u8> {
    let mut random = Vec::new();
    pair.run_with(|to_server, message| {
        if !to_server && message.typ_is(HandshakeType::SERVER_HELLO) {
            random = Hello::of(message).random;
        }
    });
    random
}

#[test]
fn the_highest_version_in_common_is_spoken_and_marked_if_older_than_ours() {
    let ranges = [(TLS12, TLS12), (TLS12, TLS13), (TLS13, TLS13)];
    for (client_min, client_max) in ranges {
        for (server_min, server_max) in ranges {
            let mut pair = pair_of(both(client_min, client_max), both(server_min, server_max));
            let random = random_of_server_hello(&mut pair);
            let highest = client_max.min(server_max);
            if highest < client_min.max(server_min) {
                assert_eq!(pair.server.alert(), AlertDescription::PROTOCOL_VERSION);
                continue;
            }
            assert!(pair.is_done(), "{:?} {:?}", pair.client.failure, pair.server.failure);
            assert_eq!(pair.client.outcome().version, highest);
            assert_eq!(pair.server.outcome().version, highest);
            assert_eq!(random.ends_with(&DOWNGRADE_TLS12), highest < server_max);
            assert!(!random.ends_with(&DOWNGRADE_TLS11));
        }
    }
}

#[test]
fn a_version_without_suites_is_not_spoken() {
    let without = Common { suites: defaults::SUITES.to_vec(), ..both(TLS12, TLS13) };
    let (hello, server) = before_the_hello(without);
    let server = hello_to(server, &hello);
    assert_eq!(server.alert(), AlertDescription::PROTOCOL_VERSION);
}

#[test]
fn what_took_tls13_out_of_the_offer_is_found_by_the_client() {
    let mut pair = pair_of(both(TLS12, TLS13), both(TLS12, TLS13));
    pair.client.settle();
    pair.server.settle();
    let hello = pair.client.next_message();
    pair.server.give(&edit(&hello, |hello| hello.remove(ExtensionType::SUPPORTED_VERSIONS)));
    pair.server.settle();
    pair.client.give(&pair.server.next_message());
    assert_eq!(pair.client.alert(), IP);
    assert!(matches!(pair.client.error(), Error::Downgrade));
}

#[test]
fn older_versions_are_refused_by_name() {
    for version in [0x0300, 0x0301, 0x0302] {
        let (hello, mut server) = before_the_hello(both(TLS12, TLS13));
        let hello = edit(&hello, |hello| {
            hello.remove(ExtensionType::SUPPORTED_VERSIONS);
            hello.version = version;
        });
        // Which versions are spoken, the configuration says.
        assert_eq!(server.give(&hello), ["?ChooseConfig"]);
        assert_eq!(server.answer(), [format!("Failed({})@In", AlertDescription::PROTOCOL_VERSION)]);
        let name = ProtocolVersion(version).to_string();
        assert!(server.error().to_string().contains(&name), "{}", server.error());
    }
}
