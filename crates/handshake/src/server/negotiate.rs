//! What a server chooses from a ClientHello: version, suite, group, application protocol (RFC 9846 section 4.2.1).
//! Pure functions of the hello and the configuration.

use oxtls_crypto::key_exchange::{self, NamedGroup};
use oxtls_crypto::signature::{KeyAlgorithm, SignatureScheme};

use crate::codec::List16;
use crate::config::{AnnounceGroups, ClientAuth, Common, Retry, ServerHandshake};
use crate::defaults;
use crate::error::{Error, Mismatch};
use crate::extension::ExtensionType;
use crate::message::client_hello::ClientHello;
use crate::message::server_hello::{DOWNGRADE_TLS11, DOWNGRADE_TLS12};
use crate::need::CredentialRequest;
use crate::server::in_common::InCommon;
use crate::suite::{Authentication, CipherSuite, ProtocolVersion, Tls12Suite, Tls13Suite};

/// Which group, and whether the client has sent a share of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupChoice {
    /// The client sent a share of it.
    Shared(NamedGroup),
    /// It has to be asked for by a HelloRetryRequest.
    Retry(NamedGroup),
}

/// The highest common version: the server's preference decides, so that nobody is talked into an older one. What the client
/// offers is in supported_versions alone, if that is there, otherwise in legacy_version (RFC 9846 section 4.3.1).
pub(super) fn version(
    config: &ServerHandshake,
    hello: &ClientHello<'_>,
    quic: bool,
) -> Result<ProtocolVersion, Error> {
    let offers = |version| match &hello.extensions.supported_versions {
        Some(versions) => versions.contains(version),
        None => hello.legacy_version.min(ProtocolVersion::TLS1_2) == version,
    };
    // QUIC has TLS 1.3 and nothing older (RFC 9001 section 4.2).
    let ours: &[_] =
        if quic { &[ProtocolVersion::TLS1_3] } else { &[ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2] };
    ours.iter().copied().find(|version| config.common.speaks(*version) && offers(*version)).ok_or_else(|| {
        Error::NoCommonVersion {
            peer: Mismatch::new(hello.versions(), hello.cipher_suites.to_vec(), &config.common),
        }
    })
}

/// Marks the random of a server that negotiates an older version than it could speak, so that a client that could as
/// well finds out that somebody between made its offer smaller (RFC 9846 section 4.2.3). The random is part of what a
/// TLS 1.2 server signs: the mark can't be taken off.
pub(super) fn mark_downgrade(random: &mut [u8; 32], chosen: ProtocolVersion, highest: ProtocolVersion) {
    let sentinel = match chosen {
        chosen if chosen >= highest || chosen >= ProtocolVersion::TLS1_3 => return,
        ProtocolVersion::TLS1_2 => DOWNGRADE_TLS12,
        _ => DOWNGRADE_TLS11,
    };
    if let Some(last) = random.last_chunk_mut() {
        *last = sentinel;
    }
}

/// The suite: ours in our order, unless the configuration prefers the client's.
pub(super) fn suite(config: &ServerHandshake, hello: &ClientHello<'_>) -> Result<Tls13Suite, Error> {
    let theirs = &hello.cipher_suites;
    let ours = || config.common.suites.iter().copied().filter(|suite| suite.tls13().is_some());
    let chosen = if config.prefer_client_order {
        theirs.iter().find(|suite| ours().any(|other| other == *suite))
    } else {
        ours().find(|suite| theirs.contains(*suite))
    };
    chosen.and_then(CipherSuite::tls13).ok_or_else(|| no_common_suite(config, hello))
}

fn no_common_suite(config: &ServerHandshake, hello: &ClientHello<'_>) -> Error {
    Error::NoCommonSuite { peer: Mismatch::new(hello.cipher_suites.to_vec(), Vec::new(), &config.common) }
}

/// What TLS 1.2 and what secures it demand of a hello.
pub(super) fn check_tls12(config: &ServerHandshake, hello: &ClientHello<'_>) -> Result<(), Error> {
    let common = &config.common;
    // The client would have spoken a newer version, so would we, and an earlier attempt failed: not by chance
    // (RFC 7507 section 3).
    let fallback = hello.cipher_suites.contains(CipherSuite::TLS_FALLBACK_SCSV);
    if fallback && common.speaks(ProtocolVersion::TLS1_3) && !hello.offers_tls13() {
        return Err(Error::InappropriateFallback);
    }
    if !hello.compression_methods.contains(&0) {
        return Err(Error::IllegalParameter { what: "compression_methods without null" });
    }
    // What is here is never renegotiated, so a client that does not know of RFC 5746 is in no danger at this end.
    if hello.extensions.renegotiation_info.is_some_and(|info| !info.is_empty()) {
        return Err(Error::NoSecureRenegotiation);
    }
    if common.require_extended_master_secret && !hello.extensions.extended_master_secret {
        return Err(Error::NoExtendedMasterSecret);
    }
    if hello.extensions.uncompressed_points == Some(false) {
        return Err(Error::IllegalParameter { what: "ec_point_formats without uncompressed" });
    }
    let asks = config.client_auth != ClientAuth::None;
    if asks && client_schemes_tls12(common).is_empty() {
        return Err(Error::NoCommonSignatureScheme { peer: Vec::new().into() });
    }
    Ok(())
}

/// All TLS 1.2 suites in common, by our order, unless the configuration prefers the client's. Which of them it is, the
/// credential decides.
pub(super) fn suites_tls12(
    config: &ServerHandshake,
    hello: &ClientHello<'_>,
) -> Result<InCommon<Tls12Suite>, Error> {
    let theirs = &hello.cipher_suites;
    let common = InCommon::new(
        config.common.suites.iter().filter_map(|suite| suite.tls12()),
        |ours| theirs.iter().position(|suite| suite == ours.suite),
        config.prefer_client_order,
    );
    common.first().map(|_| common).ok_or_else(|| no_common_suite(config, hello))
}

/// The group of a TLS 1.2 key exchange.
pub(super) fn group_tls12(config: &ServerHandshake, hello: &ClientHello<'_>) -> Result<NamedGroup, Error> {
    let theirs = groups_tls12(hello);
    let common = InCommon::new(
        config.common.groups.iter().copied().filter(|group| is_classic(*group)),
        |ours| theirs.iter().position(|group| group == *ours),
        config.prefer_client_order,
    );
    common.first().ok_or_else(|| Error::NoCommonGroup { peer: theirs.to_vec().into() })
}

/// The client's groups. A client that names none could be given any (RFC 8422 section 4): one whose hello has no extensions
/// at all cannot name them, and gets the curve that a stack of its age has if it has one. One that has extensions, and
/// this one not, would be likely not to have it.
fn groups_tls12<'a>(hello: &ClientHello<'a>) -> List16<'a, NamedGroup> {
    const P256: &[u8] = &NamedGroup::SECP256R1.0.to_be_bytes();
    match hello.extensions.supported_groups {
        Some(groups) => groups,
        None if hello.extensions.is_empty() => List16::parse(P256, "supported_groups").unwrap_or_default(),
        None => List16::EMPTY,
    }
}

/// Hybrids are for TLS 1.3 only: TLS 1.2's messages have no room for them.
const fn is_classic(group: NamedGroup) -> bool {
    matches!(
        group,
        NamedGroup::X25519 | NamedGroup::SECP256R1 | NamedGroup::SECP384R1 | NamedGroup::SECP521R1
    )
}

/// The group: the most preferred one that the client has sent a share of, so that no round trip is spent where none
/// is needed; otherwise the most preferred common one, by a HelloRetryRequest. The configuration may want to spend
/// the round trip for a better group.
pub(super) fn group(config: &ServerHandshake, hello: &ClientHello<'_>) -> Result<GroupChoice, Error> {
    let Some(theirs) = &hello.extensions.supported_groups else {
        return Err(Error::MissingExtension(ExtensionType::SUPPORTED_GROUPS));
    };
    let common = InCommon::new(
        config.common.groups.iter().copied().filter(|group| group.is_supported()),
        |ours| theirs.iter().position(|group| group == *ours),
        config.prefer_client_order,
    );
    let worth_it = |group: &NamedGroup| match config.retry {
        Retry::WhenNeeded => true,
        Retry::ForPostQuantum => group.is_post_quantum() || !common.iter().any(NamedGroup::is_post_quantum),
        Retry::ForPreference => common.first() == Some(*group),
    };
    let candidates = || common.iter().filter(worth_it);
    let shared = candidates().find(|group| share(hello, *group).is_some());
    match (shared, candidates().next()) {
        (Some(group), _) => Ok(GroupChoice::Shared(group)),
        (None, Some(group)) => Ok(GroupChoice::Retry(group)),
        (None, None) => Err(Error::NoCommonGroup { peer: theirs.to_vec().into() }),
    }
}

/// The client's share of a group.
pub(super) fn share<'a>(hello: &ClientHello<'a>, group: NamedGroup) -> Option<&'a [u8]> {
    Some(hello.extensions.key_shares?.find(group)?.key_exchange)
}

/// Checks that the client's share of the chosen group is there and of the right form.
pub(super) fn check_share(hello: &ClientHello<'_>, group: NamedGroup) -> Result<(), Error> {
    let share = share(hello, group).ok_or(Error::WrongGroup)?;
    key_exchange::check_share(group, true, share).map_err(Error::BadKeyShare)
}

/// How many tickets a client of TLS 1.3 gets; `None` where none is of use to it.
pub(super) fn tickets(config: &ServerHandshake, hello: &ClientHello<'_>, resumed: bool) -> Option<u8> {
    let usable = hello.extensions.psk_key_exchange_modes.is_some_and(|modes| modes.psk_dhe_ke());
    if !config.resumption || !usable {
        return None;
    }
    Some(match hello.extensions.ticket_request {
        None => defaults::TICKETS.min(config.max_tickets),
        Some(asked) if resumed => asked.resumption_count.min(config.max_tickets),
        Some(asked) => asked.new_session_count.min(config.max_tickets),
    })
}

/// Whether the client gets to know our groups: so that its next first share is one that we prefer (RFC 9846
/// section 4.3.7).
pub(super) fn announces_groups(config: &ServerHandshake, chosen: NamedGroup) -> bool {
    match config.announce_groups {
        AnnounceGroups::Always => true,
        AnnounceGroups::Never => false,
        AnnounceGroups::WhenAnotherIsPreferred => {
            config.common.groups.iter().find(|group| group.is_supported()) != Some(&chosen)
        }
    }
}

/// The application protocol, by our order (RFC 7301 section 3.2). None is chosen when one side names none; over QUIC
/// that is a failure (RFC 9001 section 8.1).
pub(super) fn alpn(
    config: &ServerHandshake,
    hello: &ClientHello<'_>,
    quic: bool,
) -> Result<Option<Vec<u8>>, Error> {
    let offered = || hello.extensions.alpn.iter().flat_map(|list| list.iter());
    let chosen = config.common.alpn.iter().find(|ours| offered().any(|theirs| theirs == ours.as_slice()));
    let refusable = hello.extensions.alpn.is_some() && !config.common.alpn.is_empty() && config.alpn_required;
    if chosen.is_none() && (quic || refusable) {
        return Err(Error::NoApplicationProtocol {
            peer: offered().map(<[u8]>::to_vec).collect::<Vec<_>>().into(),
        });
    }
    Ok(chosen.cloned())
}

/// The schemes that the client takes in a TLS 1.3 CertificateVerify, its order.
pub(super) fn schemes(hello: &ClientHello<'_>) -> Result<Vec<SignatureScheme>, Error> {
    let Some(offered) = hello.extensions.signature_algorithms else {
        return Err(Error::MissingExtension(ExtensionType::SIGNATURE_ALGORITHMS));
    };
    usable_schemes(offered)
}

/// Those of them that can be used there.
pub(super) fn usable_schemes(offered: List16<'_, SignatureScheme>) -> Result<Vec<SignatureScheme>, Error> {
    let mut usable = offered.to_vec();
    usable.retain(|scheme| scheme.usable_in_tls13_handshake());
    if usable.is_empty() {
        return Err(Error::NoCommonSignatureScheme { peer: offered.to_vec().into() });
    }
    Ok(usable)
}

/// Whether this is one of [`usable_schemes`].
pub(super) fn offers_scheme(offered: List16<'_, SignatureScheme>, scheme: SignatureScheme) -> bool {
    scheme.usable_in_tls13_handshake() && offered.contains(scheme)
}

/// The schemes that the client takes in TLS 1.2, its order: those that a suite in common can be authenticated by, and
/// curves only that it names as groups too (RFC 8422 section 5.1.1). A client that names no scheme at all stands for SHA-1
/// (RFC 5246 section 7.4.1.4.1), which RFC 9155 takes away and nobody gets: it is served with SHA-256.
pub(super) fn schemes_tls12(
    hello: &ClientHello<'_>,
    suites: &InCommon<Tls12Suite>,
) -> Result<Vec<SignatureScheme>, Error> {
    const ASSUMED: [SignatureScheme; 2] =
        [SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::RSA_PKCS1_SHA256];
    let named = hello.extensions.signature_algorithms;
    let assumed = ASSUMED.into_iter().filter(|_| named.is_none());
    let offered = named.unwrap_or_default().iter().chain(assumed);
    let groups = groups_tls12(hello);
    let (p256, p384, p521) = (
        groups.contains(NamedGroup::SECP256R1),
        groups.contains(NamedGroup::SECP384R1),
        groups.contains(NamedGroup::SECP521R1),
    );
    let usable = |scheme: &SignatureScheme| {
        let authentication = Authentication::of(*scheme);
        let suite = suites.iter().any(|suite| Some(suite.authentication) == authentication);
        suite
            && match *scheme {
                SignatureScheme::ECDSA_SECP256R1_SHA256 => p256,
                SignatureScheme::ECDSA_SECP384R1_SHA384 => p384,
                SignatureScheme::ECDSA_SECP521R1_SHA512 => p521,
                _ => true,
            }
    };
    let usable: Vec<_> = offered.clone().filter(usable).collect();
    if usable.is_empty() {
        return Err(Error::NoCommonSignatureScheme { peer: offered.collect::<Vec<_>>().into() });
    }
    Ok(usable)
}

/// What the client can verify by this version, for the choice of a credential.
pub(super) fn credential_request(
    version: ProtocolVersion,
    hello: &ClientHello<'_>,
    schemes: Vec<SignatureScheme>,
) -> Box<CredentialRequest> {
    let extensions = &hello.extensions;
    // Compressed certificates are TLS 1.3's (RFC 8879 section 3).
    let compression = extensions.compress_certificate.filter(|_| version == ProtocolVersion::TLS1_3);
    Box::new(CredentialRequest {
        version,
        certificate_schemes: extensions.certificate_schemes().unwrap_or_default().to_vec(),
        schemes,
        authorities: extensions.certificate_authorities.map(|names| names.to_vec()).unwrap_or_default(),
        server_name: extensions.server_name.map(str::to_owned),
        ocsp: extensions.status_request,
        sct: extensions.signed_certificate_timestamp,
        compression: compression.unwrap_or_default().to_vec(),
        certificate_types: Vec::new(),
    })
}

/// Schemes that a TLS 1.2 client may sign with; in CertificateRequest also those for signatures inside certificates,
/// which have no list of their own in this version.
pub(super) fn client_schemes_tls12(common: &Common) -> Vec<SignatureScheme> {
    common.verify_schemes.iter().copied().filter(|scheme| scheme.usable_in_tls12_handshake()).collect()
}

/// Whether a TLS 1.2 client may have a key of this kind. A signature scheme does not bind the curve in this version, and
/// the server has no way to send its groups: the curves that it takes (RFC 8422 section 5.6) are those that it names in
/// either list.
pub(super) fn takes_curve(common: &Common, key: KeyAlgorithm) -> bool {
    let (group, scheme) = match key {
        KeyAlgorithm::EcdsaP256 => (NamedGroup::SECP256R1, SignatureScheme::ECDSA_SECP256R1_SHA256),
        KeyAlgorithm::EcdsaP384 => (NamedGroup::SECP384R1, SignatureScheme::ECDSA_SECP384R1_SHA384),
        KeyAlgorithm::EcdsaP521 => (NamedGroup::SECP521R1, SignatureScheme::ECDSA_SECP521R1_SHA512),
        _ => return true,
    };
    common.groups.contains(&group) || common.verify_schemes.contains(&scheme)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::codec::Writer;
    use crate::extension;

    /// A hello of 63 kB: 4,600 groups that nobody knows, each with a share, then P-256 over and over.
    fn hello_that_repeats_a_group() -> Vec<u8> {
        let unknown = || 0x4000_u16..0x4000 + 4600;
        let mut w = Writer::new();
        w.u16(0x0303);
        w.bytes(&[7; 32]);
        w.vec_u8(&[]);
        w.vec_u16(&[0x13, 0x01]);
        w.vec_u8(&[0]);
        w.block_u16(|w| {
            extension::write(w, ExtensionType::SUPPORTED_GROUPS, |w| {
                w.block_u16(|w| {
                    unknown().for_each(|group| w.u16(group));
                    (0..12_000).for_each(|_| w.u16(NamedGroup::SECP256R1.0));
                });
            });
            extension::write(w, ExtensionType::KEY_SHARE, |w| {
                w.block_u16(|w| {
                    unknown().for_each(|group| {
                        w.u16(group);
                        w.vec_u16(&[1]);
                    });
                });
            });
        });
        w.finish().unwrap()
    }

    #[test]
    fn work_for_a_group_grows_no_faster_than_the_hello() {
        let bytes = hello_that_repeats_a_group();
        assert!(bytes.len() > 55_000 && bytes.len() < 64 * 1024);
        let hello = ClientHello::parse(&bytes).unwrap();
        for retry in [Retry::WhenNeeded, Retry::ForPostQuantum, Retry::ForPreference] {
            for prefer_client_order in [false, true] {
                let config = ServerHandshake { prefer_client_order, retry, ..ServerHandshake::default() };
                // The hello's length squared takes seconds; once over it, milliseconds. Others use the machine too.
                let fastest = (0..5)
                    .map(|_| {
                        let start = Instant::now();
                        let chosen = group(&config, &hello);
                        assert!(
                            matches!(chosen, Ok(GroupChoice::Retry(NamedGroup::SECP256R1))),
                            "{chosen:?}"
                        );
                        start.elapsed()
                    })
                    .min();
                assert!(fastest < Some(Duration::from_millis(300)), "{retry:?}: {fastest:?}");
            }
        }
    }

    #[test]
    fn a_clients_curve_is_one_that_is_named() {
        let (p256, p384) = (KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384);
        let common = |groups: &[NamedGroup], schemes: &[SignatureScheme]| Common {
            groups: groups.to_vec(),
            verify_schemes: schemes.to_vec(),
            ..Common::default()
        };
        let schemes = [SignatureScheme::ECDSA_SECP256R1_SHA256];
        let named = common(&[NamedGroup::X25519], &schemes);
        assert!(takes_curve(&named, p256) && !takes_curve(&named, p384));
        assert!(takes_curve(&common(&[NamedGroup::SECP384R1], &schemes), p384));
        for key in [KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa] {
            assert!(takes_curve(&named, key), "no curve of ECDSA");
        }
    }

    #[test]
    fn only_a_negotiated_downgrade_is_marked() {
        let versions = [ProtocolVersion::TLS1_1, ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3];
        for highest in versions {
            for chosen in versions {
                let mut random = [0; 32];
                mark_downgrade(&mut random, chosen, highest);
                let mark: &[u8] = match chosen {
                    _ if chosen >= highest => &[0; 8],
                    ProtocolVersion::TLS1_2 => b"DOWNGRD\x01",
                    _ => b"DOWNGRD\x00",
                };
                assert_eq!((&random[..24], &random[24..]), (&[0; 24][..], mark), "{chosen} of {highest}");
            }
        }
    }
}
