//! The TLS 1.3 key schedule (RFC 9846 section 7.1), from top to bottom. Each stage is a type that the next one
//! consumes: a secret is derived at its point in the transcript, and its parent is erased there.
//!
//! [`EarlySecret`] → [`HandshakeSecret`] → [`MainSecret`] (whose labels still say "master") → resumption secret.

use oxtls_crypto::hash::{Digest, Hash};
use oxtls_crypto::hkdf;
use oxtls_crypto::hmac::{Tag, hmac};
use oxtls_crypto::secret::{Secret, SharedSecret};

use crate::error::Error;

/// As many zeros as the longest hash has bytes: stands for a secret that is not there.
const ZEROS: [u8; Secret::MAX_LEN] = [0; Secret::MAX_LEN];

fn zeros(hash: Hash) -> &'static [u8] {
    ZEROS.get(..hash.output_len()).unwrap_or(&ZEROS)
}

fn derive(hash: Hash, secret: &Secret, label: &str, transcript: &Digest) -> Result<Secret, Error> {
    hkdf::derive_secret(hash, secret, label, transcript).map_err(Error::Crypto)
}

/// Derive-Secret(., "derived", ""): what one stage gives to the next.
fn derived(hash: Hash, secret: &Secret) -> Result<Secret, Error> {
    derive(hash, secret, "derived", &hash.empty_digest())
}

/// What the first stage gives to the next where there is no PSK: nothing of the connection is in it, so that for the
/// hashes of TLS 1.3's suites it is a constant.
fn derived_of_no_psk(hash: Hash) -> Result<Secret, Error> {
    match hash {
        Hash::Sha256 => Secret::new(&DERIVED_OF_NO_PSK_SHA256).map_err(Error::Crypto),
        Hash::Sha384 => Secret::new(&DERIVED_OF_NO_PSK_SHA384).map_err(Error::Crypto),
        Hash::Sha512 => derived(hash, &hkdf::extract(hash, &[], zeros(hash))),
    }
}

const DERIVED_OF_NO_PSK_SHA256: [u8; 32] = [
    0x6f, 0x26, 0x15, 0xa1, 0x08, 0xc7, 0x02, 0xc5, 0x67, 0x8f, 0x54, 0xfc, 0x9d, 0xba, 0xb6, 0x97, 0x16,
    0xc0, 0x76, 0x18, 0x9c, 0x48, 0x25, 0x0c, 0xeb, 0xea, 0xc3, 0x57, 0x6c, 0x36, 0x11, 0xba,
];
const DERIVED_OF_NO_PSK_SHA384: [u8; 48] = [
    0x15, 0x91, 0xda, 0xc5, 0xcb, 0xbf, 0x03, 0x30, 0xa4, 0xa8, 0x4d, 0xe9, 0xc7, 0x53, 0x33, 0x0e, 0x92,
    0xd0, 0x1f, 0x0a, 0x88, 0x21, 0x4b, 0x44, 0x64, 0x97, 0x2f, 0xd6, 0x68, 0x04, 0x9e, 0x93, 0xe5, 0x2f,
    0x2b, 0x16, 0xfa, 0xd9, 0x22, 0xfd, 0xc0, 0x58, 0x44, 0x78, 0x42, 0x8f, 0x28, 0x2b,
];

/// The first stage: the PSK, or nothing.
#[derive(Debug)]
pub struct EarlySecret {
    hash: Hash,
    /// `None` without a PSK.
    secret: Option<Secret>,
}

impl EarlySecret {
    /// Extracts the PSK; `None` without one.
    #[must_use]
    pub fn new(hash: Hash, psk: Option<&Secret>) -> Self {
        Self { hash, secret: psk.map(|psk| hkdf::extract(hash, &[], psk.as_bytes())) }
    }

    fn derive(&self, label: &str, transcript: &Digest) -> Result<Secret, Error> {
        match &self.secret {
            Some(secret) => derive(self.hash, secret, label, transcript),
            None => derive(self.hash, &hkdf::extract(self.hash, &[], zeros(self.hash)), label, transcript),
        }
    }

    /// binder_key, whose Finished MAC proves that the client has the PSK. The label keeps a PSK of one origin from
    /// being passed off as one of the other.
    ///
    /// # Errors
    /// [`Error::Crypto`], which does not happen with the hashes of TLS; so in all derivations here.
    pub fn binder_key(&self, external: bool) -> Result<Secret, Error> {
        let label = if external { "ext binder" } else { "res binder" };
        self.derive(label, &self.hash.empty_digest())
    }

    /// client_early_traffic_secret; the transcript is that of the ClientHello.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn client_traffic(&self, client_hello: &Digest) -> Result<Secret, Error> {
        self.derive("c e traffic", client_hello)
    }

    /// early_exporter_secret; the transcript is that of the ClientHello.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn exporter(&self, client_hello: &Digest) -> Result<Secret, Error> {
        self.derive("e exp master", client_hello)
    }

    /// Goes on with the key exchange; the transcript is that of ClientHello to ServerHello.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn into_handshake(
        self,
        shared: &SharedSecret,
        server_hello: &Digest,
    ) -> Result<HandshakeSecrets, Error> {
        let hash = self.hash;
        let salt = match &self.secret {
            Some(secret) => derived(hash, secret)?,
            None => derived_of_no_psk(hash)?,
        };
        drop(self);
        let secret = hkdf::extract(hash, salt.as_bytes(), shared.as_bytes());
        Ok(HandshakeSecrets {
            client: derive(hash, &secret, "c hs traffic", server_hello)?,
            server: derive(hash, &secret, "s hs traffic", server_hello)?,
            next: HandshakeSecret { hash, derived: derived(hash, &secret)? },
        })
    }
}

/// The secrets of the handshake.
#[derive(Debug)]
pub struct HandshakeSecrets {
    /// client_handshake_traffic_secret.
    pub client: Secret,
    /// server_handshake_traffic_secret.
    pub server: Secret,
    /// What the application secrets will come from.
    pub next: HandshakeSecret,
}

/// The second stage. The Handshake Secret itself is gone by now: only what it gives to the next stage is kept.
#[derive(Debug)]
pub struct HandshakeSecret {
    hash: Hash,
    derived: Secret,
}

impl HandshakeSecret {
    /// Goes on to the Main Secret.
    #[must_use]
    pub fn into_main(self) -> MainSecret {
        let secret = hkdf::extract(self.hash, self.derived.as_bytes(), zeros(self.hash));
        MainSecret { hash: self.hash, secret }
    }
}

/// The third stage. Kept between the server's Finished and the client's, for the resumption secret.
#[derive(Debug)]
pub struct MainSecret {
    hash: Hash,
    secret: Secret,
}

impl MainSecret {
    /// The secrets of application data; the transcript is that of ClientHello to the server's Finished.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn application(&self, server_finished: &Digest, exporter: bool) -> Result<ApplicationSecrets, Error> {
        let derive = |label| derive(self.hash, &self.secret, label, server_finished);
        Ok(ApplicationSecrets {
            client: derive("c ap traffic")?,
            server: derive("s ap traffic")?,
            exporter: if exporter { Some(derive("exp master")?) } else { None },
        })
    }

    /// The resumption secret, from which tickets' PSKs come; the transcript is that of ClientHello to the client's
    /// Finished.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn into_resumption(self, client_finished: &Digest) -> Result<Secret, Error> {
        derive(self.hash, &self.secret, "res master", client_finished)
    }
}

/// The secrets of application data.
#[derive(Debug)]
pub struct ApplicationSecrets {
    /// client_application_traffic_secret_0.
    pub client: Secret,
    /// server_application_traffic_secret_0.
    pub server: Secret,
    /// exporter_secret, if it was wanted.
    pub exporter: Option<Secret>,
}

/// The PSK of a ticket (RFC 9846 section 4.7.1).
///
/// # Errors
/// [`Error::Crypto`] if `ticket_nonce` has over 255 bytes.
pub fn resumption_psk(hash: Hash, resumption: &Secret, ticket_nonce: &[u8]) -> Result<Secret, Error> {
    hkdf::expand_label_secret(hash, resumption, "resumption", ticket_nonce).map_err(Error::Crypto)
}

/// verify_data of a Finished (RFC 9846 section 4.5.3), or a PSK binder, under the traffic secret or binder key `base`.
///
/// # Errors
/// [`Error::Crypto`].
pub fn finished_mac(hash: Hash, base: &Secret, transcript: &Digest) -> Result<Tag, Error> {
    let key = hkdf::expand_label_secret(hash, base, "finished", &[]).map_err(Error::Crypto)?;
    Ok(hmac(hash, key.as_bytes(), &[transcript.as_bytes()]))
}

/// Checks a peer's verify_data in constant time.
///
/// # Errors
/// [`Error::BadFinished`].
pub fn verify_finished(
    hash: Hash,
    base: &Secret,
    transcript: &Digest,
    verify_data: &[u8],
) -> Result<(), Error> {
    finished_mac(hash, base, transcript)?.verify(verify_data).map_err(|_| Error::BadFinished)
}

/// TLS-Exporter (RFC 9846 section 7.5): fills `out`. No context is the same as an empty one.
///
/// # Errors
/// [`Error::Crypto`] if `label` has over 249 bytes or `out` over 255 times the hash's.
pub fn exporter(
    hash: Hash,
    secret: &Secret,
    label: &str,
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), Error> {
    let derived = derive(hash, secret, label, &hash.empty_digest())?;
    let context = hash.digest(context.unwrap_or_default());
    hkdf::expand_label(hash, &derived, "exporter", context.as_bytes(), out).map_err(Error::Crypto)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_psk_gives_to_the_next_stage_is_what_the_rfc_derives() {
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let early = hkdf::extract(hash, &[], zeros(hash));
            assert_eq!(derived_of_no_psk(hash).unwrap(), derived(hash, &early).unwrap(), "{hash}");
        }
    }
}
