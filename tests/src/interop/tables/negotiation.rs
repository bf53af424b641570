//! What is negotiated: suites, groups, retries, middlebox compatibility, application protocols.

use oxtls::{AlertDescription, CipherSuite, NamedGroup};

use super::super::spec::{AGREED, Agreed, Alert, CLIENT, Expect, Role, SERVER, SESSION, Side, Spec};
use super::{AES_128, AES_256, CHACHA20, P256, P384, P521, X25519};

pub(super) fn all() -> Vec<Spec> {
    [suites(), groups(), retries(), compatibility(), application_protocols()].concat()
}

/// Whichever side restricts itself, the other follows: the client here, the server next.
fn suites() -> Vec<Spec> {
    let row = |name, suites: &'static [CipherSuite; 1]| Spec {
        name,
        client: Side { suites, ..CLIENT },
        expect: Expect::Session(Agreed { suite: Some(suites[0]), ..AGREED }),
        ..SESSION
    };
    let by_server = |name, suites: &'static [CipherSuite; 1]| Spec {
        name,
        server: Side { suites, ..SERVER },
        expect: Expect::Session(Agreed { suite: Some(suites[0]), ..AGREED }),
        ..SESSION
    };
    vec![
        row("suite TLS_AES_128_GCM_SHA256", &[AES_128]),
        row("suite TLS_AES_256_GCM_SHA384", &[AES_256]),
        row("suite TLS_CHACHA20_POLY1305_SHA256", &[CHACHA20]),
        by_server("suite TLS_AES_128_GCM_SHA256, all that the server has", &[AES_128]),
        by_server("suite TLS_AES_256_GCM_SHA384, all that the server has", &[AES_256]),
        by_server("suite TLS_CHACHA20_POLY1305_SHA256, all that the server has", &[CHACHA20]),
    ]
}

fn groups() -> Vec<Spec> {
    let row = |name, groups: &'static [NamedGroup; 1]| Spec {
        name,
        client: Side { groups, ..CLIENT },
        expect: Expect::Session(Agreed { group: Some(groups[0]), retry: Some(false), ..AGREED }),
        ..SESSION
    };
    vec![
        row("group X25519", &[X25519]),
        row("group secp256r1", &[P256]),
        row("group secp384r1", &[P384]),
        row("group secp521r1", &[P521]),
    ]
}

/// The client has the server's group but sent no share of it: one HelloRetryRequest (RFC 9846 section 4.2.4).
fn retries() -> Vec<Spec> {
    let row = |name, client: &'static [NamedGroup], server: &'static [NamedGroup; 1]| Spec {
        name,
        client: Side { groups: client, shares: &client[..1], ..CLIENT },
        server: Side { groups: server, ..SERVER },
        expect: Expect::Session(Agreed { group: Some(server[0]), retry: Some(true), ..AGREED }),
        ..SESSION
    };
    // OpenSSL's stateless server cannot read a client's compatibility ChangeCipherSpec, not even its own client's.
    let cookie = Spec {
        name: "HelloRetryRequest with a cookie",
        client: Side { plain: true, ..CLIENT },
        server: Side { cookie: true, ..SERVER },
        expect: Expect::Session(Agreed { retry: Some(true), ..AGREED }),
        ..SESSION
    };
    let cookie_and_group = Spec {
        name: "HelloRetryRequest with a cookie and another group",
        roles: &[Role::Server],
        client: Side { groups: &[X25519, P384], ..CLIENT },
        server: Side { cookie: true, groups: &[P384], ..SERVER },
        expect: Expect::Session(Agreed { retry: Some(true), group: Some(P384), ..AGREED }),
        ..SESSION
    };
    let to_x25519 = Spec {
        name: "HelloRetryRequest for X25519, the only group of the server",
        client: Side { groups: &[P256, X25519], shares: &[P256], ..CLIENT },
        server: Side { groups: &[X25519], ..SERVER },
        expect: Expect::Session(Agreed { group: Some(X25519), retry: Some(true), ..AGREED }),
        ..SESSION
    };
    let suite = Spec {
        name: "HelloRetryRequest with SHA-384 in the transcript",
        client: Side { suites: &[AES_256], groups: &[X25519, P384], shares: &[X25519], ..CLIENT },
        server: Side { groups: &[P384], ..SERVER },
        expect: Expect::Session(Agreed {
            group: Some(P384),
            suite: Some(AES_256),
            retry: Some(true),
            ..AGREED
        }),
        ..SESSION
    };
    vec![
        row("HelloRetryRequest for secp256r1", &[X25519, P256], &[P256]),
        row("HelloRetryRequest for secp384r1", &[X25519, P384], &[P384]),
        row("HelloRetryRequest for secp521r1", &[X25519, P521], &[P521]),
        to_x25519,
        suite,
        cookie,
        cookie_and_group,
    ]
}

/// With and without the records and the session id that only middleboxes need.
fn compatibility() -> Vec<Spec> {
    let plain = |name, client, server| Spec {
        name,
        client: Side { plain: client, ..CLIENT },
        server: Side { plain: server, ..SERVER },
        ..SESSION
    };
    let plain_retry = Spec {
        name: "HelloRetryRequest without middlebox compatibility",
        client: Side { plain: true, groups: &[X25519, P256], shares: &[X25519], ..CLIENT },
        server: Side { groups: &[P256], ..SERVER },
        expect: Expect::Session(Agreed { group: Some(P256), retry: Some(true), ..AGREED }),
        ..SESSION
    };
    vec![
        plain("no middlebox compatibility, client", true, false),
        plain("no middlebox compatibility, both", true, true),
        plain_retry,
    ]
}

fn application_protocols() -> Vec<Spec> {
    let row = |name, client: &'static [&'static str], server: &'static [&'static str], agreed| Spec {
        name,
        client: Side { alpn: client, ..CLIENT },
        server: Side { alpn: server, ..SERVER },
        expect: Expect::Session(Agreed { alpn: Some(agreed), ..AGREED }),
        ..SESSION
    };
    let refused = Spec {
        expect: Expect::Refusal {
            by: Role::Server,
            alert: Alert::same(AlertDescription::NO_APPLICATION_PROTOCOL.0),
        },
        ..row("ALPN refused: nothing in common", &["h3"], &["h2", "http/1.1"], None)
    };
    vec![
        row("ALPN agreed: the only one", &["h2"], &["h2"], Some("h2")),
        row("ALPN agreed: the server's preference", &["http/1.1", "h2"], &["h2", "http/1.1"], Some("h2")),
        row("ALPN offered, server without", &["h2"], &[], None),
        row("ALPN not offered, server with", &[], &["h2"], None),
        refused,
    ]
}
