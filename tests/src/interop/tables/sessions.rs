//! What goes through a session and how it ends: data, keying material, closings, and what a third party reads.

use super::super::peer::Peer;
use super::super::spec::{CLIENT, Ending, Role, SERVER, SESSION, Side, Spec};
use super::{AES_128, AES_256, CHACHA20};

pub(super) fn all() -> Vec<Spec> {
    [transfers(), endings(), half_closes(), exporters(), captured()].concat()
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
        peers: &[Peer::OpenSsl30],
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

/// The client closes its side; the server, which owes it an answer, sends on (RFC 9846 section 6.1).
fn half_closes() -> Vec<Spec> {
    let answer = Spec {
        name: "half-close: the server answers after the client's close_notify",
        roles: &[Role::Client],
        payload: 200_000,
        ending: Ending::HalfClose,
        ..SESSION
    };
    let read_by_others = Spec {
        name: "half-close: the server answers after the client's close_notify, read by tshark",
        roles: &[Role::Server],
        payload: 20_000,
        captured: true,
        ..answer
    };
    vec![answer, read_by_others]
}

fn exporters() -> Vec<Spec> {
    let row = |name, suites, label, len| Spec {
        name,
        client: Side { suites, ..CLIENT },
        export: Some((label, len)),
        payload: 1000,
        ..SESSION
    };
    vec![
        row("exporter: tls-exporter channel binding", &[AES_128], "EXPORTER-Channel-Binding", 32),
        row("exporter: 200 bytes by SHA-384", &[AES_256], "EXPERIMENTAL interop", 200),
    ]
}

fn captured() -> Vec<Spec> {
    vec![Spec { name: "key log read by tshark", captured: true, ..SESSION }]
}
