//! The certificates of the scenarios, made for this run, as PEM files that both sides load.
//!
//! `NAME.pem` is a chain, leaf first, `NAME.key` its key, `NAME.chain` the chain without the leaf if there is more;
//! authorities are `ca.pem` and `other.pem`. Every leaf has the common name `NAME` and is for `localhost`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use oxtls::KeyAlgorithm;
use oxtls_test_pki::{CLIENT_AUTH, Ca, Issued, LeafSpec, SERVER_AUTH, pem};

use super::Error;

const DAY: Duration = Duration::from_secs(86_400);

/// Makes all of them in `folder`.
pub(super) fn write(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder)?;
    let ca = Ca::new("Interop Authority", KeyAlgorithm::EcdsaP256);
    let other = Ca::new("Another Authority", KeyAlgorithm::EcdsaP256);
    ca.write_certificate(folder.join("ca.pem"));
    other.write_certificate(folder.join("other.pem"));
    let keys = [
        ("rsa", KeyAlgorithm::Rsa),
        ("rsa-pss", KeyAlgorithm::RsaPss),
        ("p256", KeyAlgorithm::EcdsaP256),
        ("p384", KeyAlgorithm::EcdsaP384),
        ("p521", KeyAlgorithm::EcdsaP521),
        ("ed25519", KeyAlgorithm::Ed25519),
    ];
    for (name, key) in keys {
        store(folder, name, &ca.issue(leaf(name).key(key)))?;
    }
    let intermediate = ca.intermediate("Interop Intermediate", KeyAlgorithm::EcdsaP384);
    let deeper = intermediate.intermediate("Interop Issuer", KeyAlgorithm::Rsa);
    store(folder, "deep", &deeper.issue(leaf("deep")))?;
    store(folder, "expired", &ca.issue(leaf("expired").expired(DAY)))?;
    store(folder, "stranger", &other.issue(leaf("stranger")))?;
    store(folder, "client-only", &ca.issue(leaf("client-only").eku(&[CLIENT_AUTH])))?;
    store(folder, "server-only", &ca.issue(leaf("server-only").eku(&[SERVER_AUTH])))
}

/// A leaf for either role.
fn leaf(name: &str) -> LeafSpec {
    LeafSpec::server("localhost").subject(&format!("CN={name}")).eku(&[SERVER_AUTH, CLIENT_AUTH])
}

fn store(folder: &Path, name: &str, issued: &Issued) -> Result<(), Error> {
    issued.write(folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    let above: String =
        issued.chain.iter().skip(1).map(|certificate| pem("CERTIFICATE", certificate)).collect();
    if !above.is_empty() {
        fs::write(folder.join(format!("{name}.chain")), above)?;
    }
    Ok(())
}
