//! TLS 1.2 with every peer: suites, groups, signatures, client certificates, what goes through a session, refusals.

use oxtls::{AlertDescription, CipherSuite, NamedGroup, SignatureScheme};

use super::super::peer::Peer;
use super::super::spec::{
    AGREED12, Agreed, Alert, CLIENT, CLIENT12, Ending, Expect, Resumption, Role, SERVER, SERVER12, SESSION12,
    Side, Spec,
};
use super::{ECDSA_SUITES, P256, P384, P521, RSA_SUITES, X25519};

const CBC: CipherSuite = CipherSuite(0xc013);
const STATIC_RSA: CipherSuite = CipherSuite(0x009c);

const RSA12: Side = Side { identity: Some("rsa"), ..SERVER12 };
const ASKING12: Side = Side { trusts: Some("ca"), ..SERVER12 };

pub(super) fn all() -> Vec<Spec> {
    [
        suites(),
        groups(),
        certificates(),
        schemes(),
        client_certificates(),
        extensions(),
        transfers_and_endings(),
        resumptions(),
        weak(),
        nothing_in_common(),
        refused_servers(),
        refused_clients(),
    ]
    .concat()
}

fn suites() -> Vec<Spec> {
    let row = |name, suites: &'static [CipherSuite], server| Spec {
        name,
        client: Side { suites, ..CLIENT12 },
        server,
        expect: Expect::Session(Agreed { suite: Some(suites[0]), ..AGREED12 }),
        ..SESSION12
    };
    vec![
        row("1.2: suite ECDHE-ECDSA AES-128-GCM", &ECDSA_SUITES[..1], SERVER12),
        row("1.2: suite ECDHE-ECDSA AES-256-GCM", &ECDSA_SUITES[1..2], SERVER12),
        row("1.2: suite ECDHE-ECDSA ChaCha20-Poly1305", &ECDSA_SUITES[2..], SERVER12),
        row("1.2: suite ECDHE-RSA AES-128-GCM", &RSA_SUITES[..1], RSA12),
        row("1.2: suite ECDHE-RSA AES-256-GCM", &RSA_SUITES[1..2], RSA12),
        row("1.2: suite ECDHE-RSA ChaCha20-Poly1305", &RSA_SUITES[2..], RSA12),
    ]
}

/// With an RSA certificate: in TLS 1.2 the groups also say which curves certificates may have.
fn groups() -> Vec<Spec> {
    let row = |name, groups: &'static [NamedGroup; 1]| Spec {
        name,
        client: Side { groups, ..CLIENT12 },
        server: RSA12,
        expect: Expect::Session(Agreed { group: Some(groups[0]), ..AGREED12 }),
        ..SESSION12
    };
    let by_server = |name, groups: &'static [NamedGroup; 1]| Spec {
        client: CLIENT12,
        server: Side { groups, ..RSA12 },
        ..row(name, groups)
    };
    vec![
        row("1.2: group X25519", &[X25519]),
        row("1.2: group secp256r1", &[P256]),
        row("1.2: group secp384r1", &[P384]),
        row("1.2: group secp521r1", &[P521]),
        by_server("1.2: group secp384r1, all that the server has", &[P384]),
    ]
}

fn certificates() -> Vec<Spec> {
    let row = |name, identity: &'static str| Spec {
        name,
        server: Side { identity: Some(identity), ..SERVER12 },
        ..SESSION12
    };
    vec![
        row("1.2: server certificate RSA", "rsa"),
        row("1.2: server certificate RSA-PSS", "rsa-pss"),
        row("1.2: server certificate ECDSA P-384", "p384"),
        row("1.2: server certificate ECDSA P-521", "p521"),
        row("1.2: server certificate Ed25519", "ed25519"),
        row("1.2: server certificate below an intermediate authority", "deep"),
    ]
}

/// The client restricts what the server may sign with.
fn schemes() -> Vec<Spec> {
    let row = |name, schemes: &'static [SignatureScheme], server| Spec {
        name,
        client: Side { schemes, ..CLIENT12 },
        server,
        expect: Expect::Session(Agreed { scheme: Some(schemes[0]), ..AGREED12 }),
        ..SESSION12
    };
    // The authority signs with ECDSA, and some take the list for that as well.
    const PKCS1: &[SignatureScheme] =
        &[SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::ECDSA_SECP256R1_SHA256];
    const PSS: &[SignatureScheme] =
        &[SignatureScheme::RSA_PSS_RSAE_SHA256, SignatureScheme::ECDSA_SECP256R1_SHA256];
    // We choose keys by curve and hash, others need not.
    let mixed = Spec {
        name: "1.2: a P-384 key signs with SHA-256",
        roles: &[Role::Client],
        peers: &Peer::OPENSSL,
        ..row("", &[SignatureScheme::ECDSA_SECP256R1_SHA256], Side { identity: Some("p384"), ..SERVER12 })
    };
    vec![
        row("1.2: signature rsa_pkcs1_sha256", PKCS1, RSA12),
        row("1.2: signature rsa_pss_rsae_sha256", PSS, RSA12),
        mixed,
    ]
}

fn client_certificates() -> Vec<Spec> {
    let given = |name, identity: &'static str| Spec {
        name,
        client: Side { identity: Some(identity), ..CLIENT12 },
        server: ASKING12,
        expect: Expect::Session(Agreed { client: Some(Some(identity)), ..AGREED12 }),
        ..SESSION12
    };
    let missing = Spec {
        name: "1.2: client certificate optional, none given",
        server: ASKING12,
        certificate_optional: true,
        expect: Expect::Session(Agreed { client: Some(None), ..AGREED12 }),
        ..SESSION12
    };
    let unasked = Spec {
        name: "1.2: client certificate not asked for, one at hand",
        client: Side { identity: Some("p256"), ..CLIENT12 },
        server: SERVER12,
        certificate_optional: false,
        ..missing
    };
    vec![
        unasked,
        missing,
        Spec { certificate_optional: true, ..given("1.2: client certificate optional, given", "p256") },
        given("1.2: client certificate required, RSA", "rsa"),
        given("1.2: client certificate required, ECDSA P-256", "p256"),
        given("1.2: client certificate required, ECDSA P-384", "p384"),
        given("1.2: client certificate required, Ed25519", "ed25519"),
        given("1.2: client certificate required, below an intermediate authority", "deep"),
    ]
}

fn extensions() -> Vec<Spec> {
    let alpn = |name, client: &'static [&'static str], server: &'static [&'static str], agreed| Spec {
        name,
        client: Side { alpn: client, ..CLIENT12 },
        server: Side { alpn: server, ..SERVER12 },
        expect: Expect::Session(Agreed { alpn: Some(agreed), ..AGREED12 }),
        ..SESSION12
    };
    let stapled = |name, asked, stapled| Spec {
        name,
        client: Side { ocsp: asked, ..CLIENT12 },
        server: Side { identity: Some("stapled"), ocsp: stapled, ..SERVER12 },
        payload: 1000,
        ..SESSION12
    };
    let exporter = Spec {
        name: "1.2: exporter",
        export: Some(("EXPERIMENTAL interop", 48)),
        payload: 1000,
        ..SESSION12
    };
    vec![
        alpn("1.2: ALPN agreed", &["h2"], &["h2"], Some("h2")),
        alpn("1.2: ALPN agreed: one of two", &["http/1.1", "h2"], &["h2"], Some("h2")),
        alpn("1.2: ALPN offered, server without", &["h2"], &[], None),
        stapled("1.2: OCSP response asked for and stapled", true, true),
        stapled("1.2: OCSP response asked for, none at hand", true, false),
        exporter,
    ]
}

fn transfers_and_endings() -> Vec<Spec> {
    let closes = Spec { name: "1.2: the server closes first", ending: Ending::ServerCloses, ..SESSION12 };
    let at_once = Spec { name: "1.2: the client closes at once", payload: 0, peers: STREAMS, ..SESSION12 };
    let dies = Spec {
        name: "1.2: the peer dies: truncation, not a close",
        ending: Ending::PeerDies,
        peers: &Peer::OPENSSL,
        ..SESSION12
    };
    let large = Spec { name: "1.2: 4 MiB each way", payload: 4 << 20, peers: STREAMS, ..SESSION12 };
    let small = Spec {
        name: "1.2: 1 MiB each way, OpenSSL's records of 512 bytes",
        peers: &Peer::OPENSSL,
        client: Side { openssl: &["-max_send_frag", "512"], ..CLIENT12 },
        server: Side { openssl: &["-max_send_frag", "512"], ..SERVER12 },
        payload: 1 << 20,
        ..SESSION12
    };
    let asks = Spec {
        name: "1.2: a client wants to renegotiate",
        roles: &[Role::Server],
        payload: 0,
        ending: Ending::Renegotiation,
        ..SESSION12
    };
    let requests = Spec {
        name: "1.2: a server wants to renegotiate",
        roles: &[Role::Client],
        peers: &Peer::OPENSSL,
        ..asks
    };
    let captured =
        Spec { name: "1.2: key log read by tshark", captured: true, peers: &Peer::OPENSSL, ..SESSION12 };
    vec![closes, at_once, dies, large, small, asks, requests, captured]
}

/// The second connection resumes the session of the first, and in TLS 1.3 as well.
fn resumptions() -> Vec<Spec> {
    let row = |name, resumption| Spec { name, resumption: Some(resumption), payload: 1000, ..SESSION12 };
    let new = Spec {
        name: "1.3: session resumed by ticket",
        client: CLIENT,
        server: SERVER,
        ..row("", Resumption::Ticket)
    };
    vec![
        row("1.2: session resumed by identifier", Resumption::Identifier),
        row("1.2: session resumed by ticket", Resumption::Ticket),
        new,
    ]
}

/// Those whose both programs hand on any bytes.
const STREAMS: &[Peer] = &[Peer::OpenSsl30, Peer::OpenSsl35, Peer::Jsse, Peer::Go];

/// A peer that has suites alone that are not spoken here. What we say of it names them.
fn weak() -> Vec<Spec> {
    let by_us = |name, suites: &'static [CipherSuite; 1], says| Spec {
        name,
        roles: &[Role::Server],
        client: Side { suites, ..CLIENT12 },
        server: RSA12,
        expect: Expect::Explained { alert: AlertDescription::HANDSHAKE_FAILURE.0, says },
        ..SESSION12
    };
    let by_peer = |name, suites: &'static [CipherSuite; 1]| Spec {
        name,
        roles: &[Role::Client],
        client: CLIENT12,
        server: Side { suites, ..RSA12 },
        expect: Expect::Refusal {
            by: Role::Server,
            alert: Alert::same(AlertDescription::HANDSHAKE_FAILURE.0),
        },
        ..SESSION12
    };
    vec![
        by_us("1.2: refused: a client with CBC alone", &[CBC], "suite 0xc013"),
        by_us("1.2: refused: a client with static RSA alone", &[STATIC_RSA], "suite 0x009c"),
        by_peer("1.2: refused: a server with CBC alone", &[CBC]),
        by_peer("1.2: refused: a server with static RSA alone", &[STATIC_RSA]),
    ]
}

fn nothing_in_common() -> Vec<Spec> {
    let refused =
        Expect::Refusal { by: Role::Server, alert: Alert::same(AlertDescription::HANDSHAKE_FAILURE.0) };
    let no_suite = Spec {
        name: "1.2: refused: no suite in common",
        client: Side { suites: &ECDSA_SUITES[..1], ..CLIENT12 },
        server: Side { suites: &ECDSA_SUITES[2..], ..SERVER12 },
        expect: refused,
        ..SESSION12
    };
    let no_group = Spec {
        name: "1.2: refused: no group in common",
        client: Side { groups: &[X25519], ..CLIENT12 },
        server: Side { groups: &[P521], ..RSA12 },
        ..no_suite
    };
    let no_key = Spec {
        name: "1.2: refused: suites for ECDSA, a server with an RSA key",
        client: Side { suites: &ECDSA_SUITES, ..CLIENT12 },
        server: RSA12,
        ..no_suite
    };
    let no_protocol = Spec {
        name: "1.2: refused: no application protocol in common",
        client: Side { alpn: &["h3"], ..CLIENT12 },
        server: Side { alpn: &["h2"], ..SERVER12 },
        expect: Expect::Refusal {
            by: Role::Server,
            alert: Alert::same(AlertDescription::NO_APPLICATION_PROTOCOL.0),
        },
        ..SESSION12
    };
    vec![no_suite, no_group, no_key, no_protocol]
}

/// The client refuses the server's certificate.
fn refused_servers() -> Vec<Spec> {
    let shows = |name, identity, alert| Spec {
        name,
        server: Side { identity: Some(identity), ..SERVER12 },
        expect: Expect::Refusal { by: Role::Client, alert },
        ..SESSION12
    };
    let [bad, expired, unknown_ca] = [
        (AlertDescription::BAD_CERTIFICATE, &[(Peer::Jsse, 46)][..]),
        (AlertDescription::CERTIFICATE_EXPIRED, &[(Peer::GnuTls, 42), (Peer::Go, 42)]),
        (AlertDescription::UNKNOWN_CA, &[(Peer::GnuTls, 42), (Peer::Go, 42), (Peer::Jsse, 46)]),
    ]
    .map(|(alert, others)| Alert { others, ..Alert::same(alert.0) });
    vec![
        Spec { asked: "elsewhere.test", ..shows("1.2: refused: server of another name", "p256", bad) },
        shows("1.2: refused: server certificate expired", "expired", expired),
        shows("1.2: refused: server of an unknown authority", "stranger", unknown_ca),
    ]
}

/// The server refuses the client's certificate, or the lack of one: TLS 1.2 has no alert of its own for that.
fn refused_clients() -> Vec<Spec> {
    let shows = |name, identity, alert| Spec {
        name,
        client: Side { identity, ..CLIENT12 },
        server: ASKING12,
        expect: Expect::Refusal { by: Role::Server, alert },
        ..SESSION12
    };
    let [missing, unknown_ca, expired] = [
        (AlertDescription::HANDSHAKE_FAILURE, &[(Peer::GnuTls, 50), (Peer::Nss, 42), (Peer::Jsse, 42)][..]),
        (AlertDescription::UNKNOWN_CA, &[(Peer::GnuTls, 49), (Peer::Jsse, 46)]),
        (AlertDescription::CERTIFICATE_EXPIRED, &[(Peer::GnuTls, 49), (Peer::Jsse, 46)]),
    ]
    .map(|(alert, others)| Alert { others, ..Alert::same(alert.0) });
    vec![
        shows("1.2: refused: client certificate missing", None, missing),
        shows("1.2: refused: client of an unknown authority", Some("stranger"), unknown_ca),
        shows("1.2: refused: client certificate expired", Some("expired"), expired),
    ]
}
