//! Where anchors come from, and what is said when they cannot be had.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

mod common;

use std::path::PathBuf;

use common::*;
use oxtls_test_pki::Ca;
use oxtls_x509::{Roots, RootsError};

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
