//! What governments and industries ask of TLS, as values: give one to a builder and nothing outside it is offered,
//! accepted or signed with.
//!
//! ```no_run
//! use oxtls::policy;
//!
//! let credential = oxtls::Credential::from_pem_files("server.pem", "server.key")?;
//! let config = oxtls::ServerConfig::builder().policy(policy::CNSA_1).credential(credential).build()?;
//! # Ok::<(), oxtls::ConfigError>(())
//! ```
//!
//! | value | document | versions | key exchange | AES-GCM | signatures | RSA |
//! |---|---|---|---|---|---|---|
//! | [`FIPS_202205`] | NIST SP 800-52r2 | 1.2, 1.3 | P-256, P-384 | 128, 256 | ECDSA and RSA with SHA-256 to SHA-512 | 2,048 |
//! | [`WPA3_192_202304`] | WPA3 specification, Enterprise 192-bit mode | 1.2, 1.3 | P-384 | 256 | ECDSA P-384, RSA with SHA-384 and SHA-512 | 3,072 |
//! | [`CNSA_1`] | RFC 9151 | 1.2, 1.3 | ML-KEM-1024, P-384 | 256 | ECDSA P-384 and RSA with SHA-384 | 3,072 |
//! | [`CNSA_2`] | CNSA 2.0, draft-becker-cnsa2-tls-profile | 1.3 | ML-KEM-1024 | 256 | ML-DSA-87 | none |
//! | [`CNSA_2_TRANSITION`] | CNSA 2.0, while certificates are those of CNSA 1 | 1.3 | ML-KEM-1024 | 256 | as `CNSA_1` | 3,072 |
//!
//! A policy says which algorithms are used, and nothing about who has validated their implementation: whether the
//! module that computes them has a certificate (FIPS 140) is a question about the build.
//!
//! # With other settings
//! A policy is a limit, whatever the order of the builder's calls. What else was not said comes from the policy. What
//! was said (versions, suites, groups, schemes, early data, credentials) must lie within it; what does not makes a
//! [`ConfigError`] that names it, and is never dropped in silence. A policy of one's own is made
//! from one of these:
//!
//! ```
//! use oxtls::policy::{self, ProtocolPolicy};
//!
//! const OURS: ProtocolPolicy = ProtocolPolicy { name: "ours", min_rsa_bits: 4096, ..policy::CNSA_1 };
//! ```
//!
//! # What is held to it
//! Hellos and everything negotiated; what is signed with, also where the caller chooses the credential or holds the key;
//! keys and signatures of the peer's certificates up to the anchor's key, where a verifier of the configuration judges
//! them. Where the caller judges ([`Decision::VerifyPeer`](crate::Decision::VerifyPeer)), certificates are its business:
//! [`certificate_algorithms`](ProtocolPolicy::certificate_algorithms) says what to ask for. Sessions are resumed only
//! under the policy that they were made under.

use std::fmt;

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::{KeyAlgorithm, PublicKey, SignatureAlgorithm, SignatureScheme};
use oxtls_handshake::config::Common;
use oxtls_handshake::error::Error as HandshakeError;
use oxtls_handshake::need::Need;
use oxtls_handshake::suite::{CipherSuite, ProtocolVersion};
use oxtls_x509::{AllowedAlgorithms, Verifier};

use crate::config::{ConfigError, Credential, Settings};

/// A limit on what is negotiated. See the [module](self) for those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "so that policies can be made from others")]
pub struct ProtocolPolicy {
    /// What errors call it.
    pub name: &'static str,
    /// The lowest version.
    pub min_version: ProtocolVersion,
    /// The highest version.
    pub max_version: ProtocolVersion,
    /// Suites of all versions, in order of preference.
    pub suites: &'static [CipherSuite],
    /// Groups, in order of preference.
    pub groups: &'static [NamedGroup],
    /// What the peer and we sign handshakes with, in order of preference; certificates may be signed with the same
    /// algorithms and hold the keys that fit.
    pub schemes: &'static [SignatureScheme],
    /// The fewest bits of an RSA key's modulus, ours, the peer's and its authorities'.
    pub min_rsa_bits: usize,
    /// Whether early data (0-RTT) may be sent and taken.
    pub early_data: bool,
}

/// United States federal systems: NIST SP 800-52 revision 2, sections 3.1 (versions), 3.2.1 (keys of certificates), 3.3.1
/// (suites) and 3.4 (groups and schemes), and 4.1 to 4.4, which say the same for clients.
///
/// Of what the document allows, the part that needs no defence: ECDHE with AES-GCM. Without suites of CBC and of CCM,
/// without finite fields and without P-521. The suites, groups and schemes are those that BoringSSL's policy of May 2022
/// has, and RSA keys restricted to PSS.
pub const FIPS_202205: ProtocolPolicy = ProtocolPolicy {
    name: "FIPS 202205",
    min_version: ProtocolVersion::TLS1_2,
    max_version: ProtocolVersion::TLS1_3,
    suites: &[
        CipherSuite::TLS_AES_128_GCM_SHA256,
        CipherSuite::TLS_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ],
    groups: &[NamedGroup::SECP256R1, NamedGroup::SECP384R1],
    schemes: &[
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
        SignatureScheme::RSA_PSS_PSS_SHA256,
        SignatureScheme::RSA_PSS_PSS_SHA384,
        SignatureScheme::RSA_PSS_PSS_SHA512,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ],
    min_rsa_bits: 2048,
    early_data: true,
};

/// The suites of a security level of 192 bits.
const SUITES_192: &[CipherSuite] = &[
    CipherSuite::TLS_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// Wireless networks in the 192-bit mode of WPA3-Enterprise, for EAP-TLS: the WPA3 specification of the Wi-Fi Alliance,
/// section "WPA3-Enterprise 192-bit mode". As BoringSSL's policy of April 2023, and with what that leaves to its caller:
/// P-384, or RSA of at least 3,072 bits, all along the chain.
pub const WPA3_192_202304: ProtocolPolicy = ProtocolPolicy {
    name: "WPA3-Enterprise 192-bit 202304",
    suites: SUITES_192,
    groups: &[NamedGroup::SECP384R1],
    schemes: &[
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA512,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512,
    ],
    min_rsa_bits: 3072,
    ..FIPS_202205
};

/// United States national security systems, before post-quantum signatures: RFC 9151, sections 4.1 (key establishment and
/// suites) and 4.2 (signatures), section 5 (curves, RSA, and in 5.4 certificates), sections 6 and 7 (TLS 1.2 and TLS 1.3; no
/// early data).
///
/// ML-KEM-1024, which RFC 9151 is too old to know, stands before P-384, since CNSA 2.0 has it used as soon as both ends
/// can: a server takes P-384 of a client that offers both only if that is the share it sent (see
/// [`Retry::ForPostQuantum`](crate::Retry::ForPostQuantum)).
pub const CNSA_1: ProtocolPolicy = ProtocolPolicy {
    name: "CNSA 1",
    suites: SUITES_192,
    groups: &[NamedGroup::MLKEM1024, NamedGroup::SECP384R1],
    schemes: &[
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::RSA_PSS_PSS_SHA384,
        SignatureScheme::RSA_PSS_RSAE_SHA384,
        SignatureScheme::RSA_PKCS1_SHA384,
    ],
    min_rsa_bits: 3072,
    early_data: false,
    ..FIPS_202205
};

/// United States national security systems after the transition to post-quantum algorithms: NSA's advisory
/// "Announcing the Commercial National Security Algorithm Suite 2.0" and its profile of TLS 1.3
/// (draft-becker-cnsa2-tls-profile): ML-KEM-1024, AES-256, SHA-384 and ML-DSA-87, in certificates as well.
pub const CNSA_2: ProtocolPolicy = ProtocolPolicy {
    name: "CNSA 2",
    min_version: ProtocolVersion::TLS1_3,
    suites: &[CipherSuite::TLS_AES_256_GCM_SHA384],
    groups: &[NamedGroup::MLKEM1024],
    schemes: &[SignatureScheme::ML_DSA_87],
    ..CNSA_1
};

/// [`CNSA_2`] with the signatures of [`CNSA_1`]: recordings of today's connections are safe from tomorrow's quantum
/// computers, which is what is urgent, while authorities still sign with today's keys. BoringSSL's policy "CNSA 2 202603"
/// is this.
pub const CNSA_2_TRANSITION: ProtocolPolicy =
    ProtocolPolicy { name: "CNSA 2 transition", schemes: CNSA_1.schemes, ..CNSA_2 };

/// What was said on a builder besides a policy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    pub(crate) versions: bool,
    pub(crate) groups: bool,
    pub(crate) verify_schemes: bool,
}

/// A key was to sign with what the policy does not allow.
#[derive(Debug)]
struct NotAllowed {
    policy: &'static str,
    scheme: SignatureScheme,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policy {} does not allow to sign with {}", self.policy, self.scheme)
    }
}

impl std::error::Error for NotAllowed {}

impl ProtocolPolicy {
    /// What certificates may be signed with, and the keys they may hold: for whoever verifies peers himself, by a
    /// [`Verifier`] of his own.
    #[must_use]
    pub fn certificate_algorithms(&self) -> AllowedAlgorithms {
        let mut signatures: Vec<SignatureAlgorithm> = Vec::new();
        for algorithm in self.schemes.iter().filter_map(|scheme| scheme.algorithm()) {
            if !signatures.contains(&algorithm) {
                signatures.push(algorithm);
            }
        }
        let keys = KEYS.iter().copied().filter(|key| self.allows_key(*key)).collect();
        AllowedAlgorithms { signatures, keys, min_rsa_bits: self.min_rsa_bits }
    }

    /// An ECDSA scheme means its curve, in TLS 1.2 as well.
    fn allows_key(&self, key: KeyAlgorithm) -> bool {
        self.schemes.iter().any(|scheme| scheme.fits_tls13(key))
    }

    /// Fills in what was not said, and refuses what was and lies outside.
    pub(crate) fn complete(&self, common: &mut Common, settings: &Settings) -> Result<(), ConfigError> {
        let Said { versions, groups, verify_schemes } = settings.said;
        if !versions {
            (common.min_version, common.max_version) = (self.min_version, self.max_version);
        }
        for version in [common.min_version, common.max_version] {
            if !(self.min_version..=self.max_version).contains(&version) {
                return Err(self.refuse("version", &version));
            }
        }
        if settings.suites.is_none() {
            common.suites = self.suites.to_vec();
        }
        if !groups {
            common.groups = self.groups.to_vec();
        }
        if !verify_schemes {
            common.verify_schemes = self.schemes.to_vec();
        }
        self.within("suite", &common.suites, self.suites)?;
        self.within("group", &common.groups, self.groups)?;
        self.within("signature scheme", &common.verify_schemes, self.schemes)
    }

    fn within<T: PartialEq + fmt::Display>(
        &self,
        what: &str,
        said: &[T],
        allowed: &[T],
    ) -> Result<(), ConfigError> {
        said.iter().find(|item| !allowed.contains(item)).map_or(Ok(()), |item| Err(self.refuse(what, item)))
    }

    fn refuse(&self, what: &str, item: &dyn fmt::Display) -> ConfigError {
        ConfigError::Invalid(format!("the policy {} does not allow the {what} {item}", self.name))
    }

    /// Refuses a credential that could never be shown, or must not be.
    pub(crate) fn check_credential(&self, credential: &Credential) -> Result<(), ConfigError> {
        let key = credential.key_algorithm();
        let usable = credential.shared().schemes.iter().any(|scheme| self.schemes.contains(scheme));
        if !usable || !self.allows_key(key) {
            return Err(self.refuse("key of a credential", &key.name()));
        }
        let leaf = credential.chain().first();
        let leaf = leaf.and_then(|leaf| oxtls_crypto::signature::spki_of_certificate(leaf).ok());
        let bits = leaf.and_then(|spki| PublicKey::from_spki(spki).ok()).and_then(|key| key.rsa_bits());
        match bits.filter(|bits| *bits < self.min_rsa_bits) {
            Some(bits) => Err(self.refuse("RSA key of a credential: bits", &bits)),
            None => Ok(()),
        }
    }

    /// Refuses early data that the policy has not.
    pub(crate) fn check_early_data(&self, on: bool) -> Result<(), ConfigError> {
        if on && !self.early_data { Err(self.refuse("feature", &"early data")) } else { Ok(()) }
    }

    /// The same verifier, within this and within what it had before.
    pub(crate) fn limit_verifier(&self, verifier: Verifier) -> Verifier {
        let mut allowed = self.certificate_algorithms();
        if let Some(before) = verifier.policy().allowed_algorithms() {
            allowed.signatures.retain(|algorithm| before.signatures.contains(algorithm));
            allowed.keys.retain(|key| before.keys.contains(key));
            allowed.min_rsa_bits = allowed.min_rsa_bits.max(before.min_rsa_bits);
        }
        let policy = verifier.policy().clone().with_allowed_algorithms(allowed);
        verifier.with_policy(policy)
    }

    /// Takes out of a request what we must not sign with, so that nobody chooses it; whoever did is stopped when it
    /// comes to signing.
    pub(crate) fn limit_need(&self, need: &mut Need) -> Result<(), HandshakeError> {
        match need {
            Need::ChooseCredential(token) => {
                token.request.schemes.retain(|scheme| self.schemes.contains(scheme));
                Ok(())
            }
            Need::Sign(token) if !self.schemes.contains(&token.scheme) => {
                let cause = NotAllowed { policy: self.name, scheme: token.scheme };
                Err(HandshakeError::SigningFailed(Some(Box::new(cause))))
            }
            _ => Ok(()),
        }
    }

    /// All that sessions are bound to, in bytes: no two policies that differ write the same. What it is called does not
    /// count.
    pub(crate) fn fingerprint(&self) -> Vec<u8> {
        let Self { name: _, min_version, max_version, suites, groups, schemes, min_rsa_bits, early_data } =
            self;
        format!(
            "{min_version:?} {max_version:?} {suites:?} {groups:?} {schemes:?} {min_rsa_bits} {early_data}"
        )
        .into_bytes()
    }
}

/// Every kind of key that there is.
const KEYS: [KeyAlgorithm; 9] = [
    KeyAlgorithm::Rsa,
    KeyAlgorithm::RsaPss,
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::EcdsaP521,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::MlDsa44,
    KeyAlgorithm::MlDsa65,
    KeyAlgorithm::MlDsa87,
];
