//! T4 across a HelloRetryRequest.

use super::*;

fn retried(cookie: bool) -> (Made, Pair) {
    let (made, mut pair, hello) = ready(&|client, _, _| {
        client.key_shares = KeyShares::Exactly(vec![NamedGroup::X25519]);
    });
    if cookie {
        pair.server.answers.cookie = Some(b"crumb".to_vec());
    } else {
        let config = Arc::get_mut(&mut pair.server.answers.config).unwrap();
        let mut common = oxtls_handshake::config::Common {
            alpn: config.common.alpn.clone(),
            ..oxtls_handshake::config::Common::default()
        };
        common.groups = vec![NamedGroup::SECP256R1];
        config.common = Arc::new(common);
    }
    pair.server.give(&hello);
    let row = pair.server.answer();
    assert_eq!(row, ["S(HelloRetryRequest)@In", "CCS", "R(drop,no)"], "nothing is looked for yet");
    pair.client.give(&pair.server.next_message());
    (made, pair)
}

#[test]
fn the_second_hello_is_looked_at_and_its_binder_covers_all_before_it() {
    for cookie in [false, true] {
        let (made, mut pair) = retried(cookie);
        let second = pair.client.next_message();
        assert_eq!(pair.server.give(&second), ["?FindSession"]);
        assert_eq!(pair.server.found(made.psk()), ["?AcceptSession"]);
        let row = pair.server.resume(false);
        assert_eq!(row[..4], ["S(ServerHello)@In", "W:HS", "R:HS", "R(drop,no,pa)"], "{row:?}");
        finish(&mut pair);
        assert!(pair.server.outcome().hello_retry_request && pair.server.outcome().psk.is_some());
    }
}

#[test]
fn a_binder_over_the_second_hello_alone_does_not_verify() {
    let (made, mut pair) = retried(false);
    let second = pair.client.next_message();
    let alone = rebound(&second, &made, |_| ());
    assert_eq!(pair.server.give(&alone), ["?FindSession"]);
    assert_eq!(pair.server.found(made.psk()), ["Failed(decrypt_error)@In"]);
}

#[test]
fn a_client_that_drops_an_offer_which_is_still_good_is_refused() {
    let (_, mut pair) = retried(false);
    let second = pair.client.next_message();
    let without = edit(&second, |hello| hello.remove(ExtensionType::PRE_SHARED_KEY));
    assert_eq!(pair.server.give(&without), ["Failed(missing_extension)@In"]);
}
