//! ML-KEM and ML-DSA, and what happens between a side that has them and one that has not.

use oxtls::{AlertDescription, NamedGroup, SignatureScheme};

use super::super::peer::Peer;
use super::super::spec::{AGREED, Agreed, Alert, CLIENT, Expect, Role, SERVER, SESSION, Side, Spec};
use super::{AES_256, ASKING, P256, X25519};

/// Who has them.
const ABLE: &[Peer] = &[Peer::OpenSsl35];
const UNABLE: &[Peer] = &[Peer::OpenSsl30];

const X25519_768: NamedGroup = NamedGroup::X25519_MLKEM768;
const P256_768: NamedGroup = NamedGroup::SECP256R1_MLKEM768;
const P384_1024: NamedGroup = NamedGroup::SECP384R1_MLKEM1024;

pub(super) fn all() -> Vec<Spec> {
    [groups(), retries(), certificates(), client_certificates(), both(), unable()].concat()
}

fn groups() -> Vec<Spec> {
    let row = |name, groups: &'static [NamedGroup; 1]| Spec {
        name,
        peers: ABLE,
        client: Side { groups, ..CLIENT },
        // Beside X25519MLKEM768 no server of OpenSSL has any by default.
        server: Side { groups, ..SERVER },
        expect: Expect::Session(Agreed { group: Some(groups[0]), retry: Some(false), ..AGREED }),
        ..SESSION
    };
    let by_server = |name, groups: &'static [NamedGroup; 1]| Spec {
        name,
        client: Side { groups: &[P256_768, X25519_768, P384_1024], shares: groups, ..CLIENT },
        ..row("", groups)
    };
    let default = Spec {
        name: "group of two sides without preferences: X25519MLKEM768",
        client: CLIENT,
        server: SERVER,
        ..row("", &[X25519_768])
    };
    let classical = Spec {
        name: "shares of X25519MLKEM768 and X25519, server without the former",
        client: Side { groups: &[X25519_768, X25519], shares: &[X25519_768, X25519], ..CLIENT },
        ..row("", &[X25519])
    };
    vec![
        row("group X25519MLKEM768", &[X25519_768]),
        row("group SecP256r1MLKEM768", &[P256_768]),
        row("group SecP384r1MLKEM1024", &[P384_1024]),
        row("group MLKEM768", &[NamedGroup::MLKEM768]),
        row("group MLKEM1024", &[NamedGroup::MLKEM1024]),
        by_server("group X25519MLKEM768, all that the server has", &[X25519_768]),
        by_server("group SecP256r1MLKEM768, all that the server has", &[P256_768]),
        by_server("group SecP384r1MLKEM1024, all that the server has", &[P384_1024]),
        default,
        classical,
    ]
}

/// To a hybrid, from one, and between two.
fn retries() -> Vec<Spec> {
    let row = |name, client: &'static [NamedGroup], server: &'static [NamedGroup; 1]| Spec {
        name,
        peers: ABLE,
        client: Side { groups: client, shares: &client[..1], ..CLIENT },
        server: Side { groups: server, ..SERVER },
        expect: Expect::Session(Agreed { group: Some(server[0]), retry: Some(true), ..AGREED }),
        ..SESSION
    };
    vec![
        row("HelloRetryRequest for X25519MLKEM768", &[X25519, X25519_768], &[X25519_768]),
        row("HelloRetryRequest for SecP256r1MLKEM768", &[P256, P256_768], &[P256_768]),
        row("HelloRetryRequest for SecP384r1MLKEM1024", &[X25519_768, P384_1024], &[P384_1024]),
        row("HelloRetryRequest for X25519 after X25519MLKEM768", &[X25519_768, X25519], &[X25519]),
    ]
}

fn certificates() -> Vec<Spec> {
    let row = |name, identity: &'static str, scheme| Spec {
        name,
        peers: ABLE,
        server: Side { identity: Some(identity), ..SERVER },
        expect: Expect::Session(Agreed { scheme: Some(scheme), ..AGREED }),
        ..SESSION
    };
    let deep =
        row("server certificate ML-DSA below ML-DSA authorities", "ml-dsa-deep", SignatureScheme::ML_DSA_65);
    let two = |name, schemes: &'static [SignatureScheme; 1], chosen| Spec {
        name,
        peers: ABLE,
        client: Side { schemes, ..CLIENT },
        server: Side { identity: Some("p256"), second_identity: Some("ml-dsa-65"), ..SERVER },
        expect: Expect::Session(Agreed { scheme: Some(schemes[0]), server: Some(chosen), ..AGREED }),
        ..SESSION
    };
    vec![
        row("server certificate ML-DSA-44", "ml-dsa-44", SignatureScheme::ML_DSA_44),
        row("server certificate ML-DSA-65", "ml-dsa-65", SignatureScheme::ML_DSA_65),
        row("server certificate ML-DSA-87", "ml-dsa-87", SignatureScheme::ML_DSA_87),
        deep,
        two("two certificates, ECDSA wanted, not ML-DSA", &[SignatureScheme::ECDSA_SECP256R1_SHA256], "p256"),
        two("two certificates, ML-DSA wanted", &[SignatureScheme::ML_DSA_65], "ml-dsa-65"),
    ]
}

fn client_certificates() -> Vec<Spec> {
    let row = |name, identity: &'static str| Spec {
        name,
        peers: ABLE,
        client: Side { identity: Some(identity), ..CLIENT },
        server: ASKING,
        expect: Expect::Session(Agreed { client: Some(Some(identity)), ..AGREED }),
        ..SESSION
    };
    vec![
        row("client certificate required, ML-DSA-44", "ml-dsa-44"),
        row("client certificate required, ML-DSA-65", "ml-dsa-65"),
        row("client certificate required, ML-DSA-87", "ml-dsa-87"),
        row("client certificate required, ML-DSA below ML-DSA authorities", "ml-dsa-deep"),
    ]
}

/// Post-quantum from end to end: key exchange and both certificates, with the long hash.
fn both() -> Vec<Spec> {
    vec![Spec {
        name: "SecP384r1MLKEM1024 with ML-DSA-87 on both sides",
        peers: ABLE,
        client: Side { identity: Some("ml-dsa-87"), groups: &[P384_1024], suites: &[AES_256], ..CLIENT },
        server: Side { identity: Some("ml-dsa-87"), groups: &[P384_1024], ..ASKING },
        expect: Expect::Session(Agreed {
            suite: Some(AES_256),
            group: Some(P384_1024),
            scheme: Some(SignatureScheme::ML_DSA_87),
            client: Some(Some("ml-dsa-87")),
            ..AGREED
        }),
        ..SESSION
    }]
}

/// We have them, the other side has not.
fn unable() -> Vec<Spec> {
    let default = Spec {
        name: "group of two sides without preferences: X25519",
        peers: UNABLE,
        expect: Expect::Session(Agreed { group: Some(X25519), retry: Some(false), ..AGREED }),
        ..SESSION
    };
    let hybrid_only = Spec {
        name: "refused: a client with hybrids only by a server without",
        peers: UNABLE,
        roles: &[Role::Client],
        client: Side { groups: &[X25519_768, P384_1024], ..CLIENT },
        expect: Expect::Refusal {
            by: Role::Server,
            alert: Alert::same(AlertDescription::HANDSHAKE_FAILURE.0),
        },
        ..SESSION
    };
    let hybrid_server = Spec {
        name: "refused: a client without hybrids by a server with hybrids only",
        roles: &[Role::Server],
        client: CLIENT,
        server: Side { groups: &[X25519_768, P384_1024], ..SERVER },
        ..hybrid_only
    };
    let signed = Spec {
        name: "refused: a client without ML-DSA by a server with nothing else",
        client: CLIENT,
        server: Side { identity: Some("ml-dsa-65"), ..SERVER },
        ..hybrid_server
    };
    let chosen = Spec {
        name: "two certificates, ML-DSA first, client without",
        peers: UNABLE,
        roles: &[Role::Server],
        server: Side { identity: Some("ml-dsa-65"), second_identity: Some("p384"), ..SERVER },
        expect: Expect::Session(Agreed { server: Some("p384"), ..AGREED }),
        ..SESSION
    };
    vec![default, hybrid_only, hybrid_server, signed, chosen]
}
