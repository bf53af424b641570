//! Which of the library's policies a flag means.

use oxtls::CipherSuite;
use oxtls::policy::{self, ProtocolPolicy};

use crate::flags::Config;

/// The policy that the flags name. The suite's say nothing of sizes of keys, and its RSA keys have 2,048 bits.
pub(crate) fn named(config: &Config) -> Option<ProtocolPolicy> {
    let policies = [
        (config.fips_202205, policy::FIPS_202205),
        (config.wpa_202304, policy::WPA3_192_202304),
        (config.cnsa1_202603, policy::CNSA_1),
        (config.cnsa2_202603, policy::CNSA_2_TRANSITION),
    ];
    let (_, named) = policies.into_iter().find(|(is_named, _)| *is_named)?;
    Some(ProtocolPolicy { min_rsa_bits: 2048, ..named })
}

/// Whether the server's order counts because of a flag.
pub(crate) fn has_an_order(config: &Config) -> bool {
    config.cnsa_202407 || named(config).is_some()
}

/// All suites. The policy of July 2024 is nothing but an order: AES-256 first.
pub(crate) fn suites(config: &Config) -> Vec<CipherSuite> {
    let mut suites = match named(config) {
        Some(policy) => policy.suites,
        None => oxtls::handshake::defaults::SUITES_TLS12,
    }
    .to_vec();
    if config.cnsa_202407 {
        suites.sort_by_key(|suite| *suite != CipherSuite::TLS_AES_256_GCM_SHA384);
    }
    suites
}
