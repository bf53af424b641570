//! The traits that `x509-cert`'s builder wants of a signer, over ours.

use ::der::asn1::BitString;
use ::der::{Decode, Document};
use oxtls_crypto::signature::SigningKey;
use signature::{Keypair, Signer};
use spki::{
    AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, EncodePublicKey, SignatureBitStringEncoding,
};

/// One of our signing keys, as `x509-cert` wants it. It signs with the algorithm that suits the key in certificates.
#[derive(Clone, Copy, Debug)]
pub struct BuilderKey<'a>(pub &'a SigningKey);

/// A DER SubjectPublicKeyInfo.
#[derive(Clone, Debug)]
pub struct SpkiDer(Vec<u8>);

/// A signature's octets.
#[derive(Clone, Debug)]
pub struct RawSignature(Vec<u8>);

impl Keypair for BuilderKey<'_> {
    type VerifyingKey = SpkiDer;

    fn verifying_key(&self) -> SpkiDer {
        SpkiDer(self.0.spki().to_vec())
    }
}

impl EncodePublicKey for SpkiDer {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(Document::try_from(self.0.as_slice())?)
    }
}

impl DynSignatureAlgorithmIdentifier for BuilderKey<'_> {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        Ok(AlgorithmIdentifierOwned::from_der(self.0.algorithm_identifier_der())?)
    }
}

impl Signer<RawSignature> for BuilderKey<'_> {
    fn try_sign(&self, message: &[u8]) -> signature::Result<RawSignature> {
        self.0.sign_certificate(message).map(RawSignature).map_err(|_| signature::Error::new())
    }
}

impl SignatureBitStringEncoding for RawSignature {
    fn to_bitstring(&self) -> ::der::Result<BitString> {
        BitString::from_bytes(&self.0)
    }
}
