//! Which version is spoken, with each side limited to TLS 1.2, to TLS 1.3 or to neither, and who refuses when they have
//! none in common.

use oxtls::{AlertDescription, ProtocolVersion};

use super::super::peer::Peer;
use super::super::spec::{
    AGREED, Agreed, Alert, CLIENT, Expect, Role, SERVER, SESSION, Side, Spec, TLS12, TLS13, Versions,
};

const BOTH: Versions = (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
const OLD: Versions = (ProtocolVersion::TLS1_0, ProtocolVersion::TLS1_1);

/// GnuTLS judges the suites first.
const REFUSED: Expect = Expect::Refusal {
    by: Role::Server,
    alert: Alert {
        others: &[(Peer::GnuTls, AlertDescription::HANDSHAKE_FAILURE.0)],
        ..Alert::same(AlertDescription::PROTOCOL_VERSION.0)
    },
};

pub(super) fn all() -> Vec<Spec> {
    [agreed(), refused(), old()].concat()
}

const fn between(name: &'static str, client: Versions, server: Versions) -> Spec {
    Spec {
        name,
        peers: &Peer::ALL,
        client: Side { versions: client, ..CLIENT },
        server: Side { versions: server, ..SERVER },
        payload: 1000,
        ..SESSION
    }
}

fn agreed() -> Vec<Spec> {
    let row = |name, client, server, version| Spec {
        expect: Expect::Session(Agreed { version: Some(version), ..AGREED }),
        ..between(name, client, server)
    };
    let (old, new) = (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3);
    vec![
        row("versions: client 1.2, server 1.2", TLS12, TLS12, old),
        row("versions: client 1.2, server both", TLS12, BOTH, old),
        row("versions: client both, server 1.2", BOTH, TLS12, old),
        row("versions: client both, server both", BOTH, BOTH, new),
        row("versions: client both, server 1.3", BOTH, TLS13, new),
        row("versions: client 1.3, server both", TLS13, BOTH, new),
        row("versions: client 1.3, server 1.3", TLS13, TLS13, new),
    ]
}

/// A server says that it has none of the client's versions (RFC 9846 section 4.2.2).
fn refused() -> Vec<Spec> {
    let row = |name, client, server| Spec { expect: REFUSED, ..between(name, client, server) };
    vec![
        row("refused: versions: client 1.2, server 1.3", TLS12, TLS13),
        row("refused: versions: client 1.3, server 1.2", TLS13, TLS12),
    ]
}

/// A peer that has nothing newer than TLS 1.1, and one that says that it has (RFC 7507).
fn old() -> Vec<Spec> {
    let by_us = Spec {
        roles: &[Role::Server],
        expect: Expect::Explained { alert: AlertDescription::PROTOCOL_VERSION.0, says: "TLS 1.1" },
        ..between("refused: versions: client 1.0 and 1.1, server both", OLD, BOTH)
    };
    let by_peer = Spec {
        roles: &[Role::Client],
        expect: REFUSED,
        ..between("refused: versions: client both, server 1.0 and 1.1", BOTH, OLD)
    };
    let fallen = between("", TLS12, BOTH);
    let fallback = Spec {
        name: "refused: versions: client fallen back to 1.2, server both",
        peers: &Peer::OPENSSL,
        roles: &[Role::Server],
        client: Side { openssl: &["-fallback_scsv"], ..fallen.client },
        expect: Expect::Refusal {
            by: Role::Server,
            alert: Alert::same(AlertDescription::INAPPROPRIATE_FALLBACK.0),
        },
        ..fallen
    };
    vec![by_us, by_peer, fallback]
}
