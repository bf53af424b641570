//! The scenarios. Each row stands alone and runs with each of its peers and us in each of its roles.

mod authentication;
mod negotiation;
mod post_quantum;
mod refusals;
mod resumption;
mod sessions;
mod tls12;
mod versions;

use oxtls::{CipherSuite, NamedGroup};

use super::spec::{SERVER, Side, Spec};

const AES_128: CipherSuite = CipherSuite::TLS_AES_128_GCM_SHA256;
const AES_256: CipherSuite = CipherSuite::TLS_AES_256_GCM_SHA384;
const CHACHA20: CipherSuite = CipherSuite::TLS_CHACHA20_POLY1305_SHA256;

/// Those of each version and kind of key: AES-128-GCM, AES-256-GCM, ChaCha20-Poly1305.
pub(super) const TLS13_SUITES: [CipherSuite; 3] = [AES_128, AES_256, CHACHA20];
pub(super) const ECDSA_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];
pub(super) const RSA_SUITES: [CipherSuite; 3] = [
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

const X25519: NamedGroup = NamedGroup::X25519;
const P256: NamedGroup = NamedGroup::SECP256R1;
const P384: NamedGroup = NamedGroup::SECP384R1;
const P521: NamedGroup = NamedGroup::SECP521R1;

/// A server that asks for certificates.
const ASKING: Side = Side { trusts: Some("ca"), ..SERVER };

pub(super) fn all() -> Vec<Spec> {
    let tables = [
        sessions::all,
        negotiation::all,
        authentication::all,
        post_quantum::all,
        refusals::all,
        versions::all,
        tls12::all,
        resumption::all,
    ];
    tables.into_iter().flat_map(|table| table()).collect()
}
