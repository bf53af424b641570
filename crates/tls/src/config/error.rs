//! Why a configuration was not built.

use std::fmt;
use std::path::PathBuf;

/// Why a configuration was not built: what was found, where, and what was wanted.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file could not be read.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file was read and has not what it should.
    InFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<ConfigError>,
    },
    /// No certificate where a chain is wanted; says what was found instead.
    NoCertificate {
        /// The PEM sections found.
        found: String,
    },
    /// PEM that cannot be read.
    BadPem(String),
    /// A certificate that cannot be read.
    BadCertificate {
        /// Its place in the chain, leaf 0.
        position: usize,
        /// Why.
        error: String,
    },
    /// A private key that cannot be used.
    BadKey(oxtls_crypto::signature::KeyError),
    /// The private key is not the certificate's.
    KeyMismatch {
        /// What the certificate's key is.
        certificate: &'static str,
        /// What the private key is.
        key: &'static str,
    },
    /// Trust anchors that cannot be read.
    BadRoots(oxtls_x509::RootsError),
    /// Something required was not given.
    Missing(&'static str),
    /// A value that cannot work.
    Invalid(String),
    /// The system gives no random bytes.
    NoRandomness,
    /// The handshake cannot work with it.
    Handshake(oxtls_handshake::config::ConfigError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{} cannot be read: {error}", path.display()),
            Self::InFile { path, error } => write!(f, "{}: {error}", path.display()),
            Self::NoCertificate { found } => {
                write!(f, "found {found}; wanted a chain of CERTIFICATE sections, the leaf first")
            }
            Self::BadPem(error) => write!(f, "the PEM cannot be read: {error}"),
            Self::BadCertificate { position, error } => {
                write!(f, "certificate {position} of the chain cannot be read: {error}")
            }
            Self::BadKey(error) => write!(f, "{error}"),
            Self::KeyMismatch { certificate, key } => write!(
                f,
                "the private key ({key}) is not the one of the certificate ({certificate}); \
                 is the leaf the first certificate of the chain?"
            ),
            Self::BadRoots(error) => write!(f, "{error}"),
            Self::Missing(what) => write!(f, "{what}"),
            Self::Invalid(what) => write!(f, "{what}"),
            Self::NoRandomness => f.write_str("the system's random number generator failed"),
            Self::Handshake(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { error, .. } => Some(error),
            Self::InFile { error, .. } => error.source(),
            _ => None,
        }
    }
}

impl From<oxtls_handshake::config::ConfigError> for ConfigError {
    fn from(error: oxtls_handshake::config::ConfigError) -> Self {
        Self::Handshake(error)
    }
}

impl From<oxtls_x509::RootsError> for ConfigError {
    fn from(error: oxtls_x509::RootsError) -> Self {
        Self::BadRoots(error)
    }
}
