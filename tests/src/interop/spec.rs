//! A scenario as data: both sides described alike, so that one row runs with us as client and with us as server.

use oxtls::{CertificateCompression, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use super::peer::Peer;

/// Which of the two we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Client,
    Server,
}

impl Role {
    pub(super) const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The lowest version and the highest.
pub(super) type Versions = (ProtocolVersion, ProtocolVersion);

pub(super) const TLS12: Versions = (ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_2);
pub(super) const TLS13: Versions = (ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_3);

/// One side of a scenario. Empty lists leave the implementation's own defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    /// The lowest version that it speaks, and the highest.
    pub(super) versions: Versions,
    /// Name of the certificate and key of `pki` that it shows.
    pub(super) identity: Option<&'static str>,
    /// A second one, for peers that cannot verify the first or want another authority's. OpenSSL's client has one only,
    /// and so have all other peers in either role.
    pub(super) second_identity: Option<&'static str>,
    /// Name of the authority that it trusts; none for a server: it asks for no certificate.
    pub(super) trusts: Option<&'static str>,
    /// Client: asks for an OCSP response. Server: staples that of its identity (RFC 6066 section 8).
    pub(super) ocsp: bool,
    pub(super) suites: &'static [CipherSuite],
    pub(super) groups: &'static [NamedGroup],
    /// What the other side may sign with.
    pub(super) schemes: &'static [SignatureScheme],
    /// Client: groups it sends key shares for, when not its own choice. OpenSSL before 3.5 always sends its first
    /// group's.
    pub(super) shares: &'static [NamedGroup],
    pub(super) alpn: &'static [&'static str],
    /// Looks unlike TLS 1.2: no middlebox compatibility mode (RFC 9846 appendix E.4).
    pub(super) plain: bool,
    /// Server: makes the client prove by a cookie that it is reachable.
    pub(super) cookie: bool,
    /// What it compresses its certificates by, and takes compressed ones of (RFC 8879). OpenSSL has no choice in that: it
    /// is for us.
    pub(super) compression: Option<Compression>,
    /// What it does only when it is OpenSSL, since that has an option for it.
    pub(super) special: Option<Special>,
    /// Further options when this side is OpenSSL.
    pub(super) openssl: &'static [&'static str],
}

/// An algorithm for certificates that both sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Zlib,
    Zstd,
}

impl Compression {
    /// Ours.
    pub(super) fn ours(self) -> CertificateCompression {
        match self {
            Self::Zlib => CertificateCompression::zlib(),
            Self::Zstd => CertificateCompression::zstd(),
        }
    }
}

/// What only OpenSSL does, by options that take a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// Client: names this authority in its ClientHello's certificate_authorities.
    NamesAuthority(&'static str),
    /// Consults the usual authority's revocation list.
    ChecksRevocation,
    /// Server: refuses clients that ask for another name than this.
    ServesOnly(&'static str),
}

/// What must come of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expect {
    /// A session, of which both sides say the same; `None` leaves a value open.
    Session(Agreed),
    /// This side refuses, with this alert, which the other receives.
    Refusal { by: Role, alert: Alert },
    /// We refuse with this alert, and tell our user this.
    Explained { alert: u8, says: &'static str },
}

/// What both sides must agree on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreed {
    pub(super) version: Option<ProtocolVersion>,
    pub(super) suite: Option<CipherSuite>,
    pub(super) group: Option<NamedGroup>,
    /// `Some(None)`: that no protocol is agreed.
    pub(super) alpn: Option<Option<&'static str>>,
    /// Whether a HelloRetryRequest was needed.
    pub(super) retry: Option<bool>,
    /// The identity that the client sees of the server, when not simply the one that it has.
    pub(super) server: Option<&'static str>,
    /// What the server's certificate was compressed by.
    pub(super) compression: Option<Compression>,
    /// What the server signed with.
    pub(super) scheme: Option<SignatureScheme>,
    /// The identity that the server sees of the client: `Some(None)` for none.
    pub(super) client: Option<Option<&'static str>>,
}

/// The alert of a refusal: where the RFC leaves a choice, ours and the peers'.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alert {
    pub(super) ours: u8,
    pub(super) openssl: u8,
    /// What the others send, when not what we do.
    pub(super) others: &'static [(Peer, u8)],
}

impl Alert {
    pub(super) const fn same(code: u8) -> Self {
        Self { ours: code, openssl: code, others: &[] }
    }

    /// This peer's.
    pub(super) fn of(&self, peer: Peer) -> u8 {
        let other = self.others.iter().find(|(other, _)| *other == peer);
        match other {
            Some((_, code)) => *code,
            None if peer.is_openssl() => self.openssl,
            None => self.ours,
        }
    }
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client closes first, the server answers.
    ClientCloses,
    /// The server closes first, the client answers.
    ServerCloses,
    /// The peer is killed: we must not take that for a close.
    PeerDies,
    /// The peer wants to renegotiate (TLS 1.2). A client is refused, which ends it; a server is not heard, and the client
    /// closes.
    Renegotiation,
    /// The client closes its side once it has sent; the server sends after that, and then closes its own.
    HalfClose,
}

/// What a session is resumed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resumption {
    /// Its identifier (RFC 5246 section 7.3).
    Identifier,
    /// A ticket (RFC 5077), or the PSK that TLS 1.3 makes of one.
    Ticket,
}

/// How the peer changes its keys at a command (RFC 9846 section 4.7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerUpdate {
    /// Its own alone.
    Own,
    /// Its own, and it asks us to change ours.
    AndAsks,
}

/// Data that the client of a resumed session sends before the handshake is done (RFC 9846 section 4.3.10).
#[derive(Clone, Copy, Debug)]
pub(super) struct Early {
    pub(super) len: usize,
    /// What the server refuses it for; none if it takes it.
    pub(super) obstacle: Option<Obstacle>,
}

/// Why a server does not take early data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// It needs a HelloRetryRequest: the row's groups are so.
    Retry,
    /// It chooses another protocol than the session's (this one, when it is ours).
    Protocol(&'static [&'static str]),
    /// Ours has no guard against replays any more.
    NoGuard,
    /// The session was used before; what reaches our server is the very bytes of an earlier connection.
    Replayed,
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    /// Left out of `--quick`.
    pub(super) slow: bool,
    pub(super) peers: &'static [Peer],
    pub(super) roles: &'static [Role],
    pub(super) client: Side,
    pub(super) server: Side,
    /// The name that the client asks for and checks.
    pub(super) asked: &'static str,
    /// Whether a server that trusts somebody lets clients without a certificate in.
    pub(super) certificate_optional: bool,
    /// Bytes that each side sends, we first.
    pub(super) payload: usize,
    /// We change our keys, and ask the peer to, half-way through the payload.
    pub(super) update_keys: bool,
    /// The peer changes its keys after the payload.
    pub(super) peer_updates: Option<PeerUpdate>,
    pub(super) ending: Ending,
    /// Both sides export as many bytes of keying material under this label (RFC 9846 section 7.5, RFC 5705).
    pub(super) export: Option<(&'static str, usize)>,
    /// A second connection resumes the session of the first.
    pub(super) resumption: Option<Resumption>,
    /// Early data of the second connection.
    pub(super) early: Option<Early>,
    /// Wireshark's tools record it and read it with our key log.
    pub(super) captured: bool,
    pub(super) expect: Expect,
}

/// Names of suites that the library does not have: they are for peers, to be refused.
const WEAK: [(CipherSuite, &str); 2] = [
    (CipherSuite(0x009c), "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (CipherSuite(0xc013), "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
];

/// The registry's name.
pub(super) fn suite_name(suite: CipherSuite) -> &'static str {
    let weak = || WEAK.iter().find(|(weak, _)| *weak == suite).map(|(_, name)| *name);
    suite.name().or_else(weak).unwrap_or_default()
}

impl Spec {
    /// The side of this role.
    pub(super) fn side(&self, role: Role) -> &Side {
        match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }

    /// Connections that the peer takes part in.
    pub(super) fn connections(&self, we_are: Role) -> usize {
        let obstacle = self.early.and_then(|early| early.obstacle);
        match self.resumption {
            None => 1,
            Some(_) if we_are == Role::Client && obstacle == Some(Obstacle::Replayed) => 3,
            Some(_) => 2,
        }
    }

    /// What OpenSSL prints of its own accord about exporters, resumption and OCSP, it prints among the data that it hands on.
    pub(super) fn is_talkative(&self, we_are: Role) -> bool {
        // When it is quiet, its server takes no commands either.
        let renegotiates = self.ending == Ending::Renegotiation && we_are == Role::Client;
        let commanded = renegotiates || self.peer_updates.is_some();
        let asked = self.client.ocsp && we_are == Role::Server;
        self.export.is_some() || self.resumption.is_some() || asked || commanded
    }
}

/// A session between a client that trusts the usual authority and a server that shows a P-256 certificate of it.
pub(super) const SESSION: Spec = Spec {
    name: "",
    slow: false,
    peers: &Peer::OPENSSL,
    roles: &Role::BOTH,
    client: CLIENT,
    server: SERVER,
    asked: "localhost",
    certificate_optional: false,
    payload: 20_000,
    update_keys: false,
    peer_updates: None,
    ending: Ending::ClientCloses,
    export: None,
    resumption: None,
    early: None,
    captured: false,
    expect: Expect::Session(AGREED),
};

/// The same in TLS 1.2, with every peer.
pub(super) const SESSION12: Spec = Spec {
    peers: &Peer::ALL,
    client: CLIENT12,
    server: SERVER12,
    expect: Expect::Session(AGREED12),
    ..SESSION
};

pub(super) const CLIENT12: Side = Side { versions: TLS12, ..CLIENT };
pub(super) const SERVER12: Side = Side { versions: TLS12, ..SERVER };
pub(super) const AGREED12: Agreed = Agreed { version: Some(ProtocolVersion::TLS1_2), ..AGREED };

pub(super) const CLIENT: Side = Side { trusts: Some("ca"), ..NOTHING };
pub(super) const SERVER: Side = Side { identity: Some("p256"), ..NOTHING };
pub(super) const AGREED: Agreed = Agreed {
    version: None,
    suite: None,
    group: None,
    alpn: None,
    retry: None,
    server: None,
    compression: None,
    scheme: None,
    client: None,
};

const NOTHING: Side = Side {
    versions: TLS13,
    identity: None,
    second_identity: None,
    trusts: None,
    ocsp: false,
    suites: &[],
    groups: &[],
    schemes: &[],
    shares: &[],
    alpn: &[],
    plain: false,
    cookie: false,
    compression: None,
    special: None,
    openssl: &[],
};
