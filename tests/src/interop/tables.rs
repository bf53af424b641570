//! The scenarios. Each row stands alone and runs with us in each of its roles.

use oxtls::{AlertDescription, CipherSuite, NamedGroup, SignatureScheme};

use super::spec::{AGREED, Agreed, Alert, CLIENT, Ending, Expect, Role, SERVER, SESSION, Side, Spec};

const AES_128: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
const AES_256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
const CHACHA20: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

const X25519: NamedGroup = NamedGroup::X25519;
const P256: NamedGroup = NamedGroup::SECP256R1;
const P384: NamedGroup = NamedGroup::SECP384R1;
const P521: NamedGroup = NamedGroup::SECP521R1;

pub(super) fn all() -> Vec<Spec> {
    let mut all = Vec::new();
    all.extend(suites());
    all.extend(groups());
    all.extend(retries());
    all.extend(compatibility());
    all.extend(certificates());
    all.extend(schemes());
    all.extend(client_certificates());
    all.extend(application_protocols());
    all.extend(transfers());
    all.extend(endings());
    all.extend(nothing_in_common());
    all.extend(refused_servers());
    all.extend(refused_clients());
    all
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

fn certificates() -> Vec<Spec> {
    let row = |name, identity: &'static str| Spec {
        name,
        server: Side { identity: Some(identity), ..SERVER },
        ..SESSION
    };
    vec![
        row("server certificate RSA", "rsa"),
        row("server certificate RSA-PSS", "rsa-pss"),
        row("server certificate ECDSA P-256", "p256"),
        row("server certificate ECDSA P-384", "p384"),
        row("server certificate ECDSA P-521", "p521"),
        row("server certificate Ed25519", "ed25519"),
        row("server certificate below an intermediate authority", "deep"),
    ]
}

/// The client restricts what the server may sign with; the server may have to choose its certificate by that.
fn schemes() -> Vec<Spec> {
    let row = |name, schemes: &'static [SignatureScheme; 1], server: Side, chosen: &'static str| Spec {
        name,
        client: Side { schemes, ..CLIENT },
        server,
        expect: Expect::Session(Agreed { scheme: Some(schemes[0]), server: Some(chosen), ..AGREED }),
        ..SESSION
    };
    let rsa = Side { identity: Some("rsa"), ..SERVER };
    let both = Side { identity: Some("p256"), second_identity: Some("rsa"), ..SERVER };
    vec![
        row("signature rsa_pss_rsae_sha256", &[SignatureScheme::RSA_PSS_RSAE_SHA256], rsa, "rsa"),
        row("signature rsa_pss_rsae_sha384", &[SignatureScheme::RSA_PSS_RSAE_SHA384], rsa, "rsa"),
        row("signature rsa_pss_rsae_sha512", &[SignatureScheme::RSA_PSS_RSAE_SHA512], rsa, "rsa"),
        row("two certificates, RSA wanted", &[SignatureScheme::RSA_PSS_RSAE_SHA256], both, "rsa"),
        row("two certificates, ECDSA wanted", &[SignatureScheme::ECDSA_SECP256R1_SHA256], both, "p256"),
    ]
}

const ASKING: Side = Side { trusts: Some("ca"), ..SERVER };

fn client_certificates() -> Vec<Spec> {
    let given = |name, identity: &'static str| Spec {
        name,
        client: Side { identity: Some(identity), ..CLIENT },
        server: ASKING,
        expect: Expect::Session(Agreed { client: Some(Some(identity)), ..AGREED }),
        ..SESSION
    };
    let unasked = Spec {
        name: "client certificate not asked for, one at hand",
        client: Side { identity: Some("p256"), ..CLIENT },
        expect: Expect::Session(Agreed { client: Some(None), ..AGREED }),
        ..SESSION
    };
    let missing = Spec {
        name: "client certificate optional, none given",
        server: ASKING,
        certificate_optional: true,
        expect: Expect::Session(Agreed { client: Some(None), ..AGREED }),
        ..SESSION
    };
    vec![
        Spec { name: "client certificate not asked for, none at hand", client: CLIENT, ..unasked },
        unasked,
        missing,
        Spec { certificate_optional: true, ..given("client certificate optional, given", "p256") },
        given("client certificate required, RSA", "rsa"),
        given("client certificate required, RSA-PSS", "rsa-pss"),
        given("client certificate required, ECDSA P-256", "p256"),
        given("client certificate required, ECDSA P-384", "p384"),
        given("client certificate required, ECDSA P-521", "p521"),
        given("client certificate required, Ed25519", "ed25519"),
        given("client certificate required, below an intermediate authority", "deep"),
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

const MIB: usize = 1 << 20;

fn transfers() -> Vec<Spec> {
    // Debian's OpenSSL reads and writes whole records of 16 KiB; small ones try the other end.
    let small = Spec {
        name: "1 MiB each way, OpenSSL's records of 512 bytes",
        client: Side { openssl: &["-max_send_frag", "512"], ..CLIENT },
        server: Side { openssl: &["-max_send_frag", "512"], ..SERVER },
        payload: MIB,
        ..SESSION
    };
    let large = |name, suites| Spec {
        name,
        slow: true,
        client: Side { suites, ..CLIENT },
        payload: 64 * MIB,
        ..SESSION
    };
    vec![
        Spec { name: "one byte each way", payload: 1, ..SESSION },
        small,
        Spec {
            name: "4 MiB each way, keys updated half-way",
            payload: 4 * MIB,
            update_keys: true,
            ..SESSION
        },
        large("64 MiB each way, AES-128-GCM", &[AES_128]),
        large("64 MiB each way, ChaCha20-Poly1305", &[CHACHA20]),
    ]
}

fn endings() -> Vec<Spec> {
    vec![
        Spec { name: "the client closes first", ending: Ending::ClientCloses, ..SESSION },
        Spec { name: "the server closes first", ending: Ending::ServerCloses, ..SESSION },
        Spec { name: "the client closes at once", ending: Ending::ClientCloses, payload: 0, ..SESSION },
        Spec { name: "the server closes at once", ending: Ending::ServerCloses, payload: 0, ..SESSION },
        Spec { name: "OpenSSL dies: truncation, not a close", ending: Ending::PeerDies, ..SESSION },
    ]
}

const fn refusal(by: Role, alert: AlertDescription) -> Expect {
    Expect::Refusal { by, alert: Alert::same(alert.0) }
}

fn nothing_in_common() -> Vec<Spec> {
    let no_suite = Spec {
        name: "refused: no suite in common",
        client: Side { suites: &[AES_128], ..CLIENT },
        server: Side { suites: &[CHACHA20], ..SERVER },
        expect: refusal(Role::Server, AlertDescription::HANDSHAKE_FAILURE),
        ..SESSION
    };
    let no_group = Spec {
        name: "refused: no group in common",
        client: Side { groups: &[X25519], ..CLIENT },
        server: Side { groups: &[P521], ..SERVER },
        expect: refusal(Role::Server, AlertDescription::HANDSHAKE_FAILURE),
        ..SESSION
    };
    let old = Side { openssl: &["-tls1_2"], ..CLIENT };
    let no_version = Spec {
        name: "refused: no version in common",
        client: old,
        server: Side { openssl: &["-tls1_2"], ..SERVER },
        expect: refusal(Role::Server, AlertDescription::PROTOCOL_VERSION),
        ..SESSION
    };
    let no_scheme = Spec {
        name: "refused: no signature scheme for the server's key in common",
        client: Side { schemes: &[SignatureScheme::ECDSA_SECP384R1_SHA384], ..CLIENT },
        expect: refusal(Role::Server, AlertDescription::HANDSHAKE_FAILURE),
        ..SESSION
    };
    vec![no_suite, no_group, no_version, no_scheme]
}

/// The client refuses the server's certificate.
fn refused_servers() -> Vec<Spec> {
    let shows = |name, identity, alert| Spec {
        name,
        server: Side { identity: Some(identity), ..SERVER },
        expect: Expect::Refusal { by: Role::Client, alert },
        ..SESSION
    };
    let unknown_ca = Alert::same(AlertDescription::UNKNOWN_CA.0);
    let expired = Alert::same(AlertDescription::CERTIFICATE_EXPIRED.0);
    let purpose = Alert::same(AlertDescription::UNSUPPORTED_CERTIFICATE.0);
    let bad = Alert::same(AlertDescription::BAD_CERTIFICATE.0);
    vec![
        Spec { asked: "elsewhere.test", ..shows("refused: server of another name", "p256", bad) },
        shows("refused: server certificate expired", "expired", expired),
        Spec {
            client: Side { trusts: Some("other"), ..CLIENT },
            ..shows("refused: server of an unknown authority", "p256", unknown_ca)
        },
        shows("refused: server certificate is for clients only", "client-only", purpose),
    ]
}

/// The server refuses the client's certificate, or the lack of one.
fn refused_clients() -> Vec<Spec> {
    let shows = |name, identity, alert| Spec {
        name,
        client: Side { identity, ..CLIENT },
        server: ASKING,
        expect: Expect::Refusal { by: Role::Server, alert: Alert::same(alert) },
        ..SESSION
    };
    vec![
        shows("refused: client certificate missing", None, AlertDescription::CERTIFICATE_REQUIRED.0),
        shows("refused: client of an unknown authority", Some("stranger"), AlertDescription::UNKNOWN_CA.0),
        shows(
            "refused: client certificate expired",
            Some("expired"),
            AlertDescription::CERTIFICATE_EXPIRED.0,
        ),
        Spec {
            certificate_optional: true,
            ..shows(
                "refused: client of an unknown authority, certificate optional",
                Some("stranger"),
                AlertDescription::UNKNOWN_CA.0,
            )
        },
        shows(
            "refused: client certificate is for servers only",
            Some("server-only"),
            AlertDescription::UNSUPPORTED_CERTIFICATE.0,
        ),
    ]
}
