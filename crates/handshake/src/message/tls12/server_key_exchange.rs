//! ServerKeyExchange (RFC 8422 section 5.4): the server's ephemeral public key, signed together with both randoms.

use oxtls_crypto::key_exchange::NamedGroup;
use oxtls_crypto::signature::SignatureScheme;

use crate::codec::{Reader, Writer};
use crate::error::Error;
use crate::message::{HandshakeType, encoded, message};

/// ECCurveType named_curve; explicit curves are history (RFC 8422 section 5.4).
const NAMED_CURVE: u8 = 3;

/// A received ServerKeyExchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerKeyExchange<'a> {
    /// The group that the server chose.
    pub group: NamedGroup,
    /// Its public key.
    pub public: &'a [u8],
    /// ServerECDHParams as received: what is signed behind the randoms.
    pub params: &'a [u8],
    /// What it was signed with.
    pub algorithm: SignatureScheme,
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> ServerKeyExchange<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Error::IllegalParameter`] for a curve that is spelt out.
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut r = Reader::new(body, "ServerKeyExchange");
        if r.u8()? != NAMED_CURVE {
            return Err(Error::IllegalParameter { what: "ECParameters.curve_type" });
        }
        let group = NamedGroup(r.u16()?);
        let public = r.vec_u8()?;
        let params = body.get(..public.len().saturating_add(4)).unwrap_or_default();
        let algorithm = SignatureScheme(r.u16()?);
        let signature = r.vec_u16()?;
        r.finish()?;
        Ok(Self { group, public, params, algorithm, signature })
    }
}

/// ServerECDHParams to send and to sign.
///
/// # Errors
/// [`Error::TooLong`] if the key has over 255 bytes.
pub fn params(group: NamedGroup, public: &[u8]) -> Result<Vec<u8>, Error> {
    let mut w = Writer::with_capacity(public.len().saturating_add(4));
    w.u8(NAMED_CURVE);
    w.u16(group.0);
    w.vec_u8(public);
    w.finish()
}

/// What is signed: both randoms and the parameters.
#[must_use]
pub fn signed_content(client_random: &[u8; 32], server_random: &[u8; 32], params: &[u8]) -> Vec<u8> {
    [client_random.as_slice(), server_random, params].concat()
}

/// The whole message.
///
/// # Errors
/// [`Error::TooLong`] if the signature has over 65,535 bytes.
pub fn encode(params: &[u8], algorithm: SignatureScheme, signature: &[u8]) -> Result<Vec<u8>, Error> {
    encoded(|w| write(w, params, algorithm, signature))
}

/// Writes the whole message.
pub fn write(w: &mut Writer, params: &[u8], algorithm: SignatureScheme, signature: &[u8]) {
    message(w, HandshakeType::SERVER_KEY_EXCHANGE, |w| {
        w.bytes(params);
        w.u16(algorithm.0);
        w.vec_u16(signature);
    });
}
