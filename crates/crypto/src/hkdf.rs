//! hkdf
