//! TLS 1.2's key schedule (RFC 5246 sections 6.3, 7.4.9 and 8.1, RFC 7627, RFC 5705).

use oxtls_crypto::aead::{AeadAlgorithm, AeadKey, FixedIv};
use oxtls_crypto::hash::{Digest, Hash};
use oxtls_crypto::prf::prf;
use oxtls_crypto::secret::{Secret, SharedSecret};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::suite::Tls12Suite;

/// Bytes of a master secret.
pub(crate) const MASTER_SECRET_LEN: usize = 48;

/// Bytes of a Finished.
pub const VERIFY_DATA_LEN: usize = 12;

/// Whose Finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// What the master secret is bound to.
#[derive(Clone, Copy, Debug)]
pub enum Binding<'a> {
    /// extended_master_secret: the transcript up to ClientKeyExchange (RFC 7627 section 4).
    Session(&'a Digest),
    /// Both randoms only (RFC 5246 section 8.1): open to the triple handshake attack.
    Randoms {
        /// ClientHello.random.
        client: &'a [u8; 32],
        /// ServerHello.random.
        server: &'a [u8; 32],
    },
}

/// The master secret, from which everything else comes.
#[derive(Debug)]
pub struct MasterSecret {
    hash: Hash,
    secret: Secret,
}

/// The key block cut up.
#[derive(Debug)]
pub struct KeyBlock {
    /// The client's write key and its IV.
    pub client: (AeadKey, FixedIv),
    /// The server's.
    pub server: (AeadKey, FixedIv),
}

impl MasterSecret {
    /// From the key exchange.
    ///
    /// # Errors
    /// [`Error::Crypto`], which does not happen with the hashes of TLS; so in all derivations here.
    pub fn new(hash: Hash, premaster: &SharedSecret, binding: Binding<'_>) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new([0; MASTER_SECRET_LEN]);
        let premaster = premaster.as_bytes();
        match binding {
            Binding::Session(transcript) => {
                prf(hash, premaster, "extended master secret", &[transcript.as_ref()], &mut bytes[..])
            }
            Binding::Randoms { client, server } => {
                prf(hash, premaster, "master secret", &[client, server], &mut bytes[..])
            }
        }
        Self::resumed(hash, &Secret::new(&bytes[..]).map_err(Error::Crypto)?)
    }

    /// Of a session that is resumed.
    ///
    /// # Errors
    /// [`Error::Crypto`] if it has not 48 bytes.
    pub fn resumed(hash: Hash, secret: &Secret) -> Result<Self, Error> {
        if secret.len() != MASTER_SECRET_LEN {
            return Err(Error::Internal("a master secret has 48 bytes"));
        }
        Ok(Self { hash, secret: secret.duplicate() })
    }

    /// The secret itself: for a session, or a key log.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The keys of both directions.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn key_block(
        &self,
        suite: Tls12Suite,
        client: &[u8; 32],
        server: &[u8; 32],
    ) -> Result<KeyBlock, Error> {
        // Two keys and two IVs, never more than 2 * (32 + 12): no more of them than this AEAD has use for.
        let mut block = Zeroizing::new([0; 88]);
        let half = suite.aead.key_len().saturating_add(suite.aead.tls12_fixed_iv_len());
        let block = block.get_mut(..half.saturating_mul(2)).unwrap_or_default();
        prf(self.hash, self.secret.as_bytes(), "key expansion", &[server, client], block);
        cut(suite.aead, block).ok_or(Error::Internal("the key block is too short"))
    }

    /// verify_data of a Finished over the transcript so far.
    #[must_use]
    pub fn verify_data(&self, sender: Sender, transcript: &Digest) -> [u8; VERIFY_DATA_LEN] {
        let label = match sender {
            Sender::Client => "client finished",
            Sender::Server => "server finished",
        };
        let mut verify_data = [0; VERIFY_DATA_LEN];
        prf(self.hash, self.secret.as_bytes(), label, &[transcript.as_ref()], &mut verify_data);
        verify_data
    }

    /// Checks a received verify_data, in constant time.
    ///
    /// # Errors
    /// [`Error::BadFinished`].
    pub fn verify_finished(&self, sender: Sender, transcript: &Digest, received: &[u8]) -> Result<(), Error> {
        let expected = Secret::new(&self.verify_data(sender, transcript)).map_err(Error::Crypto)?;
        match Secret::new(received) {
            Ok(received) if received == expected => Ok(()),
            _ => Err(Error::BadFinished),
        }
    }
}

/// Cuts a key block (RFC 5246 section 6.3): both keys, then both IVs; AEADs have no MAC keys.
fn cut(aead: AeadAlgorithm, block: &[u8]) -> Option<KeyBlock> {
    let (client_key, rest) = block.split_at_checked(aead.key_len())?;
    let (server_key, rest) = rest.split_at_checked(aead.key_len())?;
    let (client_iv, rest) = rest.split_at_checked(aead.tls12_fixed_iv_len())?;
    let (server_iv, _) = rest.split_at_checked(aead.tls12_fixed_iv_len())?;
    let half = |key, iv| Some((AeadKey::new(aead, key).ok()?, FixedIv::new(aead, iv).ok()?));
    Some(KeyBlock { client: half(client_key, client_iv)?, server: half(server_key, server_iv)? })
}

/// Exported keying material (RFC 5705 section 4). No context and an empty one are not the same here.
pub(super) fn export(
    hash: Hash,
    master: &Secret,
    randoms: &[[u8; 32]; 2],
    label: &str,
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), Error> {
    let [client, server] = randoms;
    match context {
        None => prf(hash, master.as_bytes(), label, &[client, server], out),
        Some(context) => {
            let length = u16::try_from(context.len()).map_err(|_| Error::TooLong)?;
            prf(hash, master.as_bytes(), label, &[client, server, &length.to_be_bytes(), context], out);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::CipherSuite;

    fn master() -> MasterSecret {
        let premaster = SharedSecret::new(&[7; 32]).unwrap();
        MasterSecret::new(Hash::Sha256, &premaster, Binding::Randoms { client: &[1; 32], server: &[2; 32] })
            .unwrap()
    }

    #[test]
    fn the_master_secret_is_what_the_rfc_says() {
        let mut expected = [0; 48];
        prf(Hash::Sha256, &[7; 32], "master secret", &[&[1; 32], &[2; 32]], &mut expected);
        assert_eq!(master().secret().as_bytes(), expected);
        let transcript = Hash::Sha256.digest(b"ClientHello to ClientKeyExchange");
        let premaster = SharedSecret::new(&[7; 32]).unwrap();
        let extended = MasterSecret::new(Hash::Sha256, &premaster, Binding::Session(&transcript)).unwrap();
        prf(Hash::Sha256, &[7; 32], "extended master secret", &[transcript.as_ref()], &mut expected);
        assert_eq!(extended.secret().as_bytes(), expected);
    }

    #[test]
    fn the_key_block_is_cut_in_the_order_of_the_rfc() {
        let mut block = [0; 88];
        prf(Hash::Sha256, master().secret().as_bytes(), "key expansion", &[&[2; 32], &[1; 32]], &mut block);
        let suite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.tls12().unwrap();
        let keys = master().key_block(suite, &[1; 32], &[2; 32]).unwrap();
        assert_eq!(keys.client.0.as_bytes(), &block[..16]);
        assert_eq!(keys.server.0.as_bytes(), &block[16..32]);
        let suite = CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256.tls12().unwrap();
        let keys = master().key_block(suite, &[1; 32], &[2; 32]).unwrap();
        assert_eq!(keys.server.0.as_bytes(), &block[32..64]);
    }

    #[test]
    fn a_finished_of_the_other_side_or_another_length_is_refused() {
        let (master, transcript) = (master(), Hash::Sha256.digest(b"messages"));
        let verify_data = master.verify_data(Sender::Client, &transcript);
        master.verify_finished(Sender::Client, &transcript, &verify_data).unwrap();
        for received in [&verify_data[..11], &[], &[0; 12]] {
            assert!(matches!(
                master.verify_finished(Sender::Client, &transcript, received),
                Err(Error::BadFinished)
            ));
        }
        assert!(master.verify_finished(Sender::Server, &transcript, &verify_data).is_err());
    }
}
