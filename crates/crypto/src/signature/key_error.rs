//! Why a private key could not be loaded, in sentences that say what was found and what was wanted.

use core::fmt;

use super::KeyAlgorithm;

/// What every message about a missing private key asks for.
const WANTED: &str = "wanted one unencrypted private key, labelled PRIVATE KEY (PKCS#8), RSA PRIVATE KEY (PKCS#1) or \
     EC PRIVATE KEY (SEC 1)";

/// Why a private key could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The input is empty.
    Empty,
    /// The input has no line that begins a PEM section.
    NotPem {
        /// It begins as a DER structure does.
        looks_like_der: bool,
    },
    /// The PEM structure is broken: the text says how.
    BadPem(String),
    /// There are PEM sections, but none of them is a private key.
    NoPrivateKey {
        /// The label of each section (at most 16 of them).
        found: Vec<String>,
    },
    /// There is more than one private key, and nothing says which one is meant.
    SeveralPrivateKeys {
        /// How many.
        count: usize,
    },
    /// The private key is encrypted; this crate asks for no passwords.
    Encrypted,
    /// DER of another kind of object.
    NotAPrivateKey {
        /// What it is.
        found: &'static str,
        /// What the label or the caller promised.
        wanted: &'static str,
    },
    /// The DER is cut short, has data behind it or breaks the form that it claims.
    Malformed {
        /// The form.
        form: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A private key of an algorithm that this crate does not sign with.
    UnsupportedAlgorithm {
        /// Its object identifier, dotted, and its name if it is known.
        found: String,
    },
    /// An elliptic curve key on another curve than P-256, P-384 and P-521.
    UnsupportedCurve {
        /// Its object identifier, dotted, and its name if it is known.
        found: String,
    },
    /// An RSA key whose size is not within 2048 to 8192 bits.
    UnsupportedRsaSize {
        /// The size of its modulus in bits.
        bits: usize,
    },
    /// An RSA-PSS key restricted to parameters that TLS cannot use.
    UnsupportedPssParameters,
    /// The library refused the key: its parts are malformed or do not belong together.
    Inconsistent {
        /// The kind of the key.
        algorithm: KeyAlgorithm,
    },
    /// The library failed for a reason of its own.
    Internal(&'static str),
}

impl KeyError {
    /// What to do about it, when the mistake is a common one.
    fn hint(found: &[String]) -> &'static str {
        let has = |label: &str| found.iter().any(|found| found == label);
        if has("OPENSSH PRIVATE KEY") {
            "; convert the OpenSSH key with `ssh-keygen -p -m PKCS8`"
        } else if has("DSA PRIVATE KEY") {
            "; DSA keys are not used in TLS any more"
        } else if has("EC PARAMETERS") {
            "; EC PARAMETERS only name a curve, the key itself is a section of its own"
        } else if has("CERTIFICATE") || has("TRUSTED CERTIFICATE") {
            "; certificate and private key may have been swapped"
        } else if has("PUBLIC KEY") || has("RSA PUBLIC KEY") {
            "; this is the public half, which cannot sign"
        } else if has("CERTIFICATE REQUEST") || has("NEW CERTIFICATE REQUEST") {
            "; a certificate request does not hold the private key"
        } else {
            ""
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the private key is empty: {WANTED}"),
            Self::NotPem { looks_like_der: true } => {
                f.write_str("this is DER, not PEM: load it as DER, or convert it with `openssl pkey -inform DER`")
            }
            Self::NotPem { looks_like_der: false } => {
                write!(f, "no PEM section (`-----BEGIN ...-----`) found: {WANTED}")
            }
            Self::BadPem(reason) => write!(f, "the PEM is damaged: {reason}"),
            Self::NoPrivateKey { found } => {
                write!(f, "no private key among the PEM sections: found {}", found.join(", "))?;
                write!(f, "; {WANTED}{}", Self::hint(found))
            }
            Self::SeveralPrivateKeys { count } => {
                write!(f, "found {count} private keys and nothing to choose by: wanted exactly one")
            }
            Self::Encrypted => f.write_str(
                "the private key is encrypted: wanted an unencrypted one (`openssl pkey -in KEY -out PLAIN`)",
            ),
            Self::NotAPrivateKey { found, wanted } => write!(f, "found {found}, wanted {wanted}"),
            Self::Malformed { form, reason } => write!(f, "the private key is not valid {form}: {reason}"),
            Self::UnsupportedAlgorithm { found } => write!(
                f,
                "found a private key of the algorithm {found}: wanted RSA, RSA-PSS, ECDSA (P-256, P-384, P-521), \
                 Ed25519 or ML-DSA"
            ),
            Self::UnsupportedCurve { found } => {
                write!(f, "found a private key on the curve {found}: wanted P-256, P-384 or P-521")
            }
            Self::UnsupportedRsaSize { bits } => {
                write!(f, "found an RSA private key of {bits} bits: wanted 2048 to 8192")
            }
            Self::UnsupportedPssParameters => f.write_str(
                "found an RSA-PSS private key with parameters that TLS cannot use: wanted none, or SHA-256, SHA-384 \
                 or SHA-512 with MGF1 over the same hash and a salt no longer than the hash",
            ),
            Self::Inconsistent { algorithm } => {
                write!(f, "the {algorithm} private key is damaged: its parts are malformed or do not belong together")
            }
            Self::Internal(what) => write!(f, "internal error in the cryptographic library: {what}"),
        }
    }
}

impl core::error::Error for KeyError {}
