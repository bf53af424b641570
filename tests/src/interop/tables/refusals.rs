//! Refusals, each by its alert: nothing in common, servers and clients that are not believed.

use oxtls::{AlertDescription, SignatureScheme};

use super::super::spec::{Alert, CLIENT, Expect, Role, SERVER, SESSION, Side, Spec, Special};
use super::{AES_128, ASKING, CHACHA20, P521, X25519};

pub(super) fn all() -> Vec<Spec> {
    [nothing_in_common(), refused_servers(), refused_clients(), refused_by_openssl()].concat()
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
    let no_scheme = Spec {
        name: "refused: no signature scheme for the server's key in common",
        client: Side { schemes: &[SignatureScheme::ECDSA_SECP384R1_SHA384], ..CLIENT },
        expect: refusal(Role::Server, AlertDescription::HANDSHAKE_FAILURE),
        ..SESSION
    };
    vec![no_suite, no_group, no_scheme]
}

/// The client refuses the server's certificate.
fn refused_servers() -> Vec<Spec> {
    let shows = |name, identity, alert| Spec {
        name,
        server: Side { identity: Some(identity), ..SERVER },
        expect: Expect::Refusal { by: Role::Client, alert },
        ..SESSION
    };
    // RFC 9846 section 6.2 has no alert for the former and, for the latter, leaves the choice.
    let not_yet = Alert { ours: 45, openssl: 42, others: &[] };
    let forged = Alert { ours: 42, openssl: 51, others: &[] };
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
        shows("refused: server certificate not yet valid", "early", not_yet),
        shows("refused: server certificate forged", "forged", forged),
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

/// What OpenSSL alone can be told to refuse.
fn refused_by_openssl() -> Vec<Spec> {
    let revoked_server = Spec {
        name: "refused: server certificate revoked",
        roles: &[Role::Server],
        client: Side { special: Some(Special::ChecksRevocation), ..CLIENT },
        server: Side { identity: Some("revoked"), ..SERVER },
        expect: refusal(Role::Client, AlertDescription::CERTIFICATE_REVOKED),
        ..SESSION
    };
    let revoked_client = Spec {
        name: "refused: client certificate revoked",
        roles: &[Role::Client],
        client: Side { identity: Some("revoked"), ..CLIENT },
        server: Side { special: Some(Special::ChecksRevocation), ..ASKING },
        expect: refusal(Role::Server, AlertDescription::CERTIFICATE_REVOKED),
        ..SESSION
    };
    let small_key = Spec {
        name: "refused: server's RSA key too small for the client",
        roles: &[Role::Server],
        client: Side { openssl: &["-cipher", "DEFAULT:@SECLEVEL=3"], ..CLIENT },
        server: Side { identity: Some("rsa"), ..SERVER },
        expect: refusal(Role::Client, AlertDescription::BAD_CERTIFICATE),
        ..SESSION
    };
    let unrecognized = Spec {
        name: "refused: name that the server does not serve",
        roles: &[Role::Client],
        server: Side { special: Some(Special::ServesOnly("elsewhere.test")), ..SERVER },
        expect: refusal(Role::Server, AlertDescription::UNRECOGNIZED_NAME),
        ..SESSION
    };
    vec![revoked_server, revoked_client, small_key, unrecognized]
}
