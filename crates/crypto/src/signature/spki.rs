//! From a certificate to its public key, and from the public key's wrapping to its parts.

use crate::error::Error;

use super::der::{self, AlgorithmIdentifier, INTEGER, Reader, SEQUENCE, explicit};

/// The SubjectPublicKeyInfo (whole element) of a DER certificate (RFC 5280 section 4.1), without judging the rest.
///
/// This serves whoever needs a peer's public key but does not validate certificates: the handshake, which checks the
/// proof of possession, and the check that a private key belongs to a certificate. It reads the outer structure in
/// six steps, so its work does not grow with the certificate.
///
/// # Errors
/// [`Error::InvalidPublicKey`] when the certificate's outer structure is not DER or data follows it.
pub fn spki_of_certificate(certificate: &[u8]) -> Result<&[u8], Error> {
    find_spki(certificate).ok_or(Error::InvalidPublicKey("the certificate is not a DER X.509 certificate"))
}

fn find_spki(certificate: &[u8]) -> Option<&[u8]> {
    let mut tbs = Reader::new(Reader::new(der::only(certificate, SEQUENCE)?).read(SEQUENCE)?);
    tbs.optional(explicit(0))?; // version
    tbs.read(INTEGER)?; // serialNumber
    tbs.read(SEQUENCE)?; // signature
    tbs.read(SEQUENCE)?; // issuer
    tbs.read(SEQUENCE)?; // validity
    tbs.read(SEQUENCE)?; // subject
    tbs.element().filter(|element| element.tag == SEQUENCE).map(|element| element.whole)
}

/// The parts of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spki<'a> {
    pub(crate) algorithm: AlgorithmIdentifier<'a>,
    pub(crate) key: &'a [u8],
}

impl<'a> Spki<'a> {
    pub(crate) fn read(spki: &'a [u8]) -> Option<Self> {
        let mut fields = Reader::new(der::only(spki, SEQUENCE)?);
        let algorithm = AlgorithmIdentifier::read(&mut fields)?;
        let key = fields.bit_string()?;
        fields.end()?;
        Some(Self { algorithm, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's skeleton around `spki`; only the outer structure matters here.
    fn certificate(version: &[u8], spki: &[u8]) -> Vec<u8> {
        let tbs = der::encode(
            SEQUENCE,
            &[version, &[2, 1, 9], &[0x30, 0], &[0x30, 0], &[0x30, 0], &[0x30, 0], spki, &[0xa3, 0]],
        );
        der::encode(SEQUENCE, &[&tbs, &[0x30, 0], &[3, 1, 0]]).to_vec()
    }

    const SPKI: &[u8] = &[0x30, 0x0a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x01, 0x00];

    #[test]
    fn the_key_is_found_with_and_without_a_version() {
        assert_eq!(spki_of_certificate(&certificate(&[0xa0, 3, 2, 1, 2], SPKI)), Ok(SPKI));
        assert_eq!(spki_of_certificate(&certificate(&[], SPKI)), Ok(SPKI));
    }

    #[test]
    fn a_certificate_cut_anywhere_or_with_data_behind_it_is_refused() {
        let whole = certificate(&[0xa0, 3, 2, 1, 2], SPKI);
        for len in 0..whole.len() {
            assert!(spki_of_certificate(&whole[..len]).is_err(), "{len}");
        }
        assert!(spki_of_certificate(&[&whole[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_changed_byte_never_gives_bytes_from_elsewhere() {
        let whole = certificate(&[0xa0, 3, 2, 1, 2], SPKI);
        for index in 0..whole.len() {
            for value in 0..=255u8 {
                let mut mutant = whole.clone();
                mutant[index] = value;
                if let Ok(found) = spki_of_certificate(&mutant) {
                    assert_eq!(found.first(), Some(&SEQUENCE));
                    assert!(found.len() <= whole.len());
                }
            }
        }
    }

    #[test]
    fn a_public_key_info_is_exactly_an_algorithm_and_whole_bytes() {
        assert!(Spki::read(SPKI).is_some());
        assert!(Spki::read(&[SPKI, &[0]].concat()).is_none());
        let unused_bits = [0x30, 0x0a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x01, 0x01];
        assert!(Spki::read(&unused_bits).is_none());
    }
}
