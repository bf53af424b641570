//! Where anchors come from, and what is said when they cannot be had.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use std::path::PathBuf;

use common::*;
use oxtls_crypto::signature::PublicKey;
use oxtls_test_pki::Ca;
use oxtls_x509::{Certificate, Policy, Purpose, Roots, RootsError, Rule, Verifier};
use pki_types::UnixTime;

/// A folder that goes with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("oxtls-x509-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, contents).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_pem_file_of_two_gives_two() {
    let folder = Folder::new("two");
    let (a, b) = (Ca::new("A", P256), Ca::new("B", P256));
    let text = format!("some words before\n{}\n{}", a.certificate_pem(), b.certificate_pem());
    let mut roots = Roots::new();
    assert_eq!(roots.add_pem_file(folder.file("roots.pem", text)), Ok(2));
    assert_eq!(roots.len(), 2);
    let names: Vec<_> = roots.iter().map(|anchor| anchor.subject().to_string()).collect();
    assert_eq!(names, ["CN=A", "CN=B"]);
    accepted(server(roots, &b.issue(leaf()).chain));
}

#[test]
fn the_same_root_twice_is_one() {
    let a = Ca::new("A", P256);
    let mut roots = Roots::new();
    assert_eq!(roots.add_pem_slice(a.certificate_pem().repeat(2).as_bytes()), Ok(2));
    roots.add_der(a.certificate()).expect("a root");
    assert_eq!(roots.len(), 1);
}

#[test]
fn errors_name_the_file_and_what_it_holds() {
    let folder = Folder::new("errors");
    let ca = Ca::new("A", P256);
    let mut roots = Roots::new();
    let missing = folder.0.join("missing.pem");
    let error = roots.add_pem_file(&missing).expect_err("no such file");
    assert!(matches!(&error, RootsError::Unreadable { path, .. } if *path == missing));
    assert!(error.to_string().contains("missing.pem"), "{error}");

    let key = ca.issue(leaf()).key_pem();
    let error = roots.add_pem_file(folder.file("key.pem", key)).expect_err("a key");
    assert!(error.to_string().ends_with("key.pem holds no CERTIFICATE section, but PRIVATE KEY"), "{error}");

    let error = roots.add_pem_file(folder.file("root.der", ca.certificate())).expect_err("DER");
    assert!(matches!(&error, RootsError::Der { path: Some(path) } if path.ends_with("root.der")), "{error}");
    assert!(error.to_string().contains("root.der is a certificate in DER (binary), not in PEM"), "{error}");

    let error =
        roots.add_pem_file(folder.file("root.p12", [0x30, 0x03, 2, 1, 3])).expect_err("something else");
    assert!(error.to_string().contains("but binary data (DER, but no certificate"), "{error}");

    let trusted = ca.certificate_pem().replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
    let error = roots.add_pem_file(folder.file("trusted.pem", trusted)).expect_err("OpenSSL's own form");
    assert!(error.to_string().contains("but TRUSTED CERTIFICATE (OpenSSL's own form"), "{error}");

    let error = roots.add_pem_file(folder.file("empty.pem", "")).expect_err("nothing");
    assert!(error.to_string().ends_with("but nothing: it is empty"), "{error}");

    let broken = ca.certificate_pem().replace("-----END", "!!!!-----END");
    let error = roots.add_pem_file(folder.file("broken.pem", broken)).expect_err("not base64");
    assert!(matches!(error, RootsError::Pem { .. }), "{error}");
    assert!(roots.is_empty());
}

#[test]
fn one_malformed_certificate_of_a_file_refuses_the_file() {
    let folder = Folder::new("malformed");
    let ca = Ca::new("A", P256);
    let mut der = ca.certificate().to_vec();
    der[4] = 0x31;
    let text = ca.certificate_pem() + &oxtls_test_pki::pem("CERTIFICATE", &der);
    let mut roots = Roots::new();
    let error = roots.add_pem_file(folder.file("roots.pem", text)).expect_err("malformed");
    assert!(matches!(error, RootsError::Certificate { number: 2, .. }));
    assert!(error.to_string().contains("root certificate number 2 in "), "{error}");
    assert!(roots.is_empty(), "nothing is added from a file that is refused");
}

#[test]
fn hints_are_the_names_of_the_anchors() {
    let ca = Ca::new("A", P256);
    let hints = trusting(&ca).subjects_hints();
    assert_eq!(hints.len(), 1);
    assert_eq!(hints[0], oxtls_test_pki::der::tlv(0x30, &[&hints[0][2..]]));
    assert!(ca.certificate().windows(hints[0].len()).any(|window| window == hints[0]));
}

/// The certificates themselves, as Mozilla's program has them: the strict reader takes each, and each can stand at the
/// end of a path.
#[test]
fn every_certificate_of_the_public_roots_can_be_read_and_used() {
    let certificates = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    assert!(certificates.len() > 100, "{}", certificates.len());
    let mut roots = Roots::empty();
    for der in certificates {
        let certificate = match Certificate::parse(der) {
            Ok(certificate) => certificate,
            Err(error) => panic!("{error}: {der:02x?}"),
        };
        let subject = certificate.subject().to_string();
        assert!(certificate.is_self_issued() && !subject.is_empty(), "{subject}");
        assert!(certificate.basic_constraints().is_none_or(|constraints| constraints.ca), "{subject}");
        assert_eq!(certificate.unknown_critical(), None, "{subject}");
        let key = PublicKey::from_spki(certificate.spki());
        assert!(key.is_ok(), "{subject}: {key:?}");
        roots.add_der(der).expect("it was read before");
    }
    assert_eq!(roots.len(), certificates.len(), "no two are alike");
}

/// Each public root, taken as the peer's own certificate, is refused for what it is, and for nothing about its form.
#[test]
fn public_roots_break_no_rule_as_anchors() {
    let now = UnixTime::now();
    for der in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let mut roots = Roots::empty();
        roots.add_der(der).expect("a root");
        let policy = Policy::default().lift(Rule::DigitalSignature);
        let verifier = Verifier::new(roots, Purpose::ServerAuth).with_policy(policy);
        // A self-signed certificate that is an anchor leads to itself. Roots of version 1 are no leaves; roots of today
        // will expire some day.
        match verifier.verify_client(std::slice::from_ref(der), now) {
            Ok(path) => {
                assert_eq!(path.anchor().certificate().map(|root| root.der().to_vec()), Some(der.to_vec()))
            }
            Err(report) => assert!(
                matches!(report.rule, Rule::NotAfter | Rule::LeafVersion | Rule::SignatureAlgorithm),
                "{}",
                report.explain()
            ),
        }
    }
}

#[cfg(feature = "webpki-roots")]
#[test]
fn every_public_root_is_loaded() {
    let roots = Roots::webpki();
    assert_eq!(roots.len(), webpki_roots::TLS_SERVER_ROOTS.len());
    assert!(roots.iter().all(|anchor| !anchor.subject().is_empty()));
}

#[cfg(feature = "native-roots")]
#[test]
fn the_platforms_store_is_read_without_a_panic() {
    let (roots, errors) = Roots::native();
    assert!(roots.iter().all(|anchor| anchor.certificate().is_some()));
    assert!(errors.iter().all(|error| error.to_string().contains("root certificate")), "{errors:?}");
}
