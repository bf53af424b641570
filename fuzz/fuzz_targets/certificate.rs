//! One certificate: read, and everything in it looked at.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oxtls_x509::{Certificate, GeneralName, PeerIdentity, Roots, SpkiPin};
use pki_types::{CertificateDer, ServerName};

fuzz_target!(|input: &[u8]| {
    let der = CertificateDer::from(input);
    let certificate = match Certificate::parse(input) {
        Ok(certificate) => certificate,
        Err(error) => {
            assert!(usize::try_from(error.offset).is_ok_and(|offset| offset <= input.len()), "{error}");
            assert!(PeerIdentity::from_certificate(&der).is_err());
            return;
        }
    };
    assert_eq!(certificate.der(), input);
    for part in [certificate.tbs(), certificate.spki(), certificate.signature_algorithm_der()] {
        assert!(input.windows(part.len()).any(|window| window == part) && !part.is_empty());
    }
    let extensions = certificate.extensions().count();
    assert!(extensions <= input.len());
    let _ = (
        certificate.subject().to_string(),
        certificate.issuer().to_string(),
        certificate.validity().to_string(),
    );
    let _ = certificate.subject().common_names().count();
    for name in certificate.alt_names() {
        if let GeneralName::Directory(name) = name {
            let _ = name.to_string();
        }
    }
    if let Some(constraints) = certificate.name_constraints() {
        let _ = constraints.permitted().chain(constraints.excluded()).count();
    }
    if let Some(usage) = certificate.extended_key_usage() {
        let _ = usage.iter().map(|purpose| purpose.to_string()).count();
    }
    if let Some(access) = certificate.authority_info_access() {
        let _ = (access.ca_issuers().count(), access.ocsp().count());
    }
    for name in ["a.example.com", "192.0.2.1", "::1"] {
        let _ = certificate.is_valid_for(&ServerName::try_from(name).expect("a name"));
    }
    let identity = PeerIdentity::from_certificate(&der).expect("it was read before");
    let _ = (format!("{identity} {identity:?}"), identity.spiffe_id().is_some(), identity.fingerprint());
    assert_eq!(SpkiPin::of_certificate(&der), Ok(SpkiPin::of_spki(certificate.spki())));
    let mut roots = Roots::empty();
    roots.add_der(&der).expect("it was read before");
    assert_eq!(roots.len(), 1);
    let _ = roots.fingerprint();
});
