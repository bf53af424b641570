//! What the authorities make is what others read: OpenSSL, where it is installed, agrees.

use std::process::Command;

use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec};

const ALGORITHMS: [KeyAlgorithm; 9] = [
    KeyAlgorithm::Rsa,
    KeyAlgorithm::RsaPss,
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::EcdsaP521,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::MlDsa44,
    KeyAlgorithm::MlDsa65,
    KeyAlgorithm::MlDsa87,
];

#[test]
fn every_key_algorithm_can_issue_and_be_issued() {
    for algorithm in ALGORITHMS {
        let root = Ca::new("Root", algorithm);
        let issued =
            root.intermediate("Intermediate", algorithm).issue(LeafSpec::server("a.test").key(algorithm));
        assert_eq!(issued.chain.len(), 2, "{algorithm:?}");
        assert!(issued.key_pem().starts_with("-----BEGIN PRIVATE KEY-----"), "{algorithm:?}");
    }
}

#[test]
fn openssl_verifies_the_classic_algorithms() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("SKIPPED: no openssl here");
        return;
    }
    let folder = std::env::temp_dir().join(format!("oxtls-test-pki-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for PEM files");
    for algorithm in &ALGORITHMS[..6] {
        let root = Ca::with(CaSpec::new("Root", *algorithm).path_len(1));
        let middle = root.intermediate_with(CaSpec::new("Middle", *algorithm).permit(0x82, b"test"));
        let issued = middle.issue(LeafSpec::server("a.test").key(*algorithm).ip([127, 0, 0, 1].into()));
        root.write_certificate(folder.join("root.pem"));
        middle.write_certificate(folder.join("middle.pem"));
        issued.write(folder.join("chain.pem"), folder.join("key.pem"));
        let verified = Command::new("openssl")
            .current_dir(&folder)
            .args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "a.test"])
            .args(["-CAfile", "root.pem", "-untrusted", "middle.pem", "chain.pem"])
            .output()
            .expect("openssl runs");
        assert!(verified.status.success(), "{algorithm:?}: {}", String::from_utf8_lossy(&verified.stderr));
    }
    std::fs::remove_dir_all(&folder).expect("the folder can go");
}
