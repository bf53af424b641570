//! What TLS 1.3 adds to sessions: resumption under each hash and across a HelloRetryRequest, early data taken and
//! refused, and keys that change.

use oxtls::CipherSuite;

use super::super::peer::Peer;
use super::super::spec::{
    AGREED, Agreed, CLIENT, Early, Expect, Obstacle, PeerUpdate, Resumption, Role, SERVER, SESSION, Side,
    Spec,
};
use super::{AES_128, AES_256, ASKING, CHACHA20, P256, P384};

pub(super) fn all() -> Vec<Spec> {
    [resumed(), retried(), taken(), refused(), key_updates()].concat()
}

const RESUMED: Spec = Spec {
    peers: &Peer::ALL,
    client: CLIENT,
    server: SERVER,
    payload: 1000,
    resumption: Some(Resumption::Ticket),
    ..SESSION
};

/// The server's one group is not the one that the client sends a share of.
const RETRIED: Spec = Spec {
    client: Side { groups: &[P256, P384], shares: &[P256], ..CLIENT },
    server: Side { groups: &[P384], ..SERVER },
    expect: Expect::Session(Agreed { retry: Some(true), ..AGREED }),
    ..RESUMED
};

const fn of_suite(spec: Spec, name: &'static str, suites: &'static [CipherSuite; 1]) -> Spec {
    let Expect::Session(agreed) = spec.expect else { return spec };
    Spec {
        name,
        client: Side { suites, ..spec.client },
        server: Side { suites, ..spec.server },
        expect: Expect::Session(Agreed { suite: Some(suites[0]), ..agreed }),
        ..spec
    }
}

fn resumed() -> Vec<Spec> {
    let client_known = Spec {
        name: "1.3: session resumed: a client with a certificate",
        client: Side { identity: Some("p256"), ..CLIENT },
        server: ASKING,
        ..RESUMED
    };
    vec![
        of_suite(RESUMED, "1.3: session resumed: AES-128-GCM", &[AES_128]),
        of_suite(RESUMED, "1.3: session resumed: AES-256-GCM", &[AES_256]),
        of_suite(RESUMED, "1.3: session resumed: ChaCha20-Poly1305", &[CHACHA20]),
        client_known,
    ]
}

/// A binder over two ClientHellos and the HelloRetryRequest between them (RFC 9846 section 4.3.11.2).
fn retried() -> Vec<Spec> {
    let cookie = Spec {
        name: "1.3: session resumed across a HelloRetryRequest: cookie",
        // A HelloRetryRequest for a cookie alone leaves the key shares as they were (RFC 9846 section 4.2.2). GnuTLS 3.8
        // answers it by illegal_parameter: any HelloRetryRequest makes it look for the group that it names
        // (key_share_send_params: "we know the group"), and there is none. JSSE 17 makes new key shares for its second
        // hello (CHKeyShareProducer), which we refuse as other extensions than the first had.
        peers: &[Peer::OpenSsl30, Peer::OpenSsl35, Peer::Nss, Peer::Go],
        roles: &[Role::Server],
        client: CLIENT,
        server: Side { cookie: true, ..SERVER },
        ..RETRIED
    };
    vec![
        of_suite(RETRIED, "1.3: session resumed across a HelloRetryRequest: AES-128-GCM", &[AES_128]),
        of_suite(RETRIED, "1.3: session resumed across a HelloRetryRequest: AES-256-GCM", &[AES_256]),
        cookie,
    ]
}

const fn early(spec: Spec, name: &'static str, len: usize, obstacle: Option<Obstacle>) -> Spec {
    Spec { name, early: Some(Early { len, obstacle }), ..spec }
}

fn taken() -> Vec<Spec> {
    let protocol = Side { alpn: &["h2"], ..CLIENT };
    let with_protocol = Spec { client: protocol, server: Side { alpn: &["h2"], ..SERVER }, ..RESUMED };
    vec![
        early(RESUMED, "0-RTT taken: 2 bytes", 2, None),
        early(RESUMED, "0-RTT taken: 12,000 bytes", 12_000, None),
        of_suite(early(RESUMED, "", 1000, None), "0-RTT taken: AES-128-GCM", &[AES_128]),
        of_suite(early(RESUMED, "", 1000, None), "0-RTT taken: ChaCha20-Poly1305", &[CHACHA20]),
        early(with_protocol, "0-RTT taken: the session's protocol again", 1000, None),
    ]
}

fn refused() -> Vec<Spec> {
    let two = Spec {
        roles: &[Role::Server],
        client: Side { alpn: &["h2", "http/1.1"], ..CLIENT },
        server: Side { alpn: &["h2"], ..SERVER },
        ..RESUMED
    };
    let unguarded = Spec { roles: &[Role::Server], ..RESUMED };
    // With OpenSSL only: a session used twice has not been tried with GnuTLS.
    let once = Spec { peers: &Peer::OPENSSL, ..RESUMED };
    let replayed = Some(Obstacle::Replayed);
    vec![
        early(RETRIED, "0-RTT refused: a HelloRetryRequest", 1000, Some(Obstacle::Retry)),
        early(two, "0-RTT refused: another protocol", 1000, Some(Obstacle::Protocol(&["http/1.1"]))),
        early(unguarded, "0-RTT refused: a server without a guard", 1000, Some(Obstacle::NoGuard)),
        early(once, "0-RTT refused: a session used before", 1000, replayed),
    ]
}

fn key_updates() -> Vec<Spec> {
    let ours = |name, suites: &'static [CipherSuite; 1]| {
        // Not looked into: no KeyUpdate of JSSE's came in answer to ours.
        let peers = &[Peer::OpenSsl30, Peer::OpenSsl35, Peer::GnuTls, Peer::Nss, Peer::Go];
        of_suite(Spec { peers, update_keys: true, payload: 1000, ..SESSION }, name, suites)
    };
    let theirs = |name, update| Spec {
        name,
        peers: &[Peer::OpenSsl30, Peer::OpenSsl35, Peer::GnuTls],
        peer_updates: Some(update),
        payload: 0,
        ..SESSION
    };
    vec![
        ours("key update: we change ours and ask for the peer's, AES-128-GCM", &[AES_128]),
        ours("key update: we change ours and ask for the peer's, AES-256-GCM", &[AES_256]),
        theirs("key update: the peer changes its own", PeerUpdate::Own),
        theirs("key update: the peer changes its own and asks for ours", PeerUpdate::AndAsks),
    ]
}
