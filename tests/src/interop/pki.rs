//! The certificates of the scenarios, made for this run, as files that both sides load.
//!
//! `NAME.pem` is a chain, leaf first, `NAME.key` its key, `NAME.chain` the chain without the leaf if there is more,
//! `NAME.ocsp` an OCSP response (DER) where there is one; authorities are `ca.pem` and `other.pem`, and `ca.crl` is the
//! former's revocation list. Every leaf has the common name `NAME` and is for `localhost`.
//!
//! What says that a certificate is good or revoked is OpenSSL's own work.

use std::fs;
use std::path::Path;
use std::time::Duration;

use oxtls::KeyAlgorithm;
use oxtls::pki_types::CertificateDer;
use oxtls_test_pki::der::{oid, tlv};
use oxtls_test_pki::{CLIENT_AUTH, Ca, Issued, LeafSpec, SERVER_AUTH, pem};

use super::Error;
use super::peer::Tool;

const DAY: Duration = Duration::from_secs(86_400);

/// The common names of `ca` and `other`.
const AUTHORITIES: [(&str, &str); 2] = [("ca", "Interop Authority"), ("other", "Another Authority")];

/// Serial number of the revoked certificate, as content octets.
const REVOKED: [u8; 2] = [0x10, 0x01];
/// Serial number of the certificate with an OCSP response.
const STAPLED: [u8; 2] = [0x10, 0x02];

/// keyUsage with digitalSignature and keyEncipherment: NSS wants the latter of every RSA key, and static RSA of course.
const SIGNS_AND_DECRYPTS: [u8; 4] = [0x03, 0x02, 0x05, 0xa0];

/// Makes all of them in `folder`, which `tool` sees.
pub(super) fn write(folder: &Path, tool: &Tool) -> Result<(), Error> {
    fs::create_dir_all(folder)?;
    let [ca, other] = AUTHORITIES.map(|(name, common_name)| {
        let ca = Ca::new(common_name, KeyAlgorithm::EcdsaP256);
        ca.write_certificate(folder.join(format!("{name}.pem")));
        ca
    });
    kinds_of_key(folder, &ca)?;
    let intermediate = ca.intermediate("Interop Intermediate", KeyAlgorithm::EcdsaP384);
    let deeper = intermediate.intermediate("Interop Issuer", KeyAlgorithm::Rsa);
    store(folder, "deep", &deeper.issue(leaf("deep")))?;
    store(folder, "expired", &ca.issue(leaf("expired").expired(DAY)))?;
    store(folder, "early", &ca.issue(leaf("early").not_yet_valid(DAY)))?;
    store(folder, "stranger", &other.issue(leaf("stranger")))?;
    store(folder, "client-only", &ca.issue(leaf("client-only").eku(&[CLIENT_AUTH])))?;
    store(folder, "server-only", &ca.issue(leaf("server-only").eku(&[SERVER_AUTH])))?;
    store(folder, "forged", &forged(&ca))?;
    store(folder, "revoked", &ca.issue(leaf("revoked").serial(&REVOKED)))?;
    store(folder, "stapled", &ca.issue(leaf("stapled").serial(&STAPLED)))?;
    fs::write(folder.join("ca.key"), pem("PRIVATE KEY", &ca.key().to_pkcs8_der()?))?;
    status(folder, tool)
}

/// One leaf of each kind of key, and one below authorities of the post-quantum kind.
fn kinds_of_key(folder: &Path, ca: &Ca) -> Result<(), Error> {
    let keys = [
        ("rsa", KeyAlgorithm::Rsa),
        ("rsa-pss", KeyAlgorithm::RsaPss),
        ("p256", KeyAlgorithm::EcdsaP256),
        ("p384", KeyAlgorithm::EcdsaP384),
        ("p521", KeyAlgorithm::EcdsaP521),
        ("ed25519", KeyAlgorithm::Ed25519),
        ("ml-dsa-44", KeyAlgorithm::MlDsa44),
        ("ml-dsa-65", KeyAlgorithm::MlDsa65),
        ("ml-dsa-87", KeyAlgorithm::MlDsa87),
    ];
    for (name, key) in keys {
        let leaf = leaf(name).key(key);
        let leaf = if name == "rsa" { leaf.key_usage(Some(&SIGNS_AND_DECRYPTS)) } else { leaf };
        store(folder, name, &ca.issue(leaf))?;
    }
    let intermediate = ca.intermediate("Interop ML-DSA-87 Authority", KeyAlgorithm::MlDsa87);
    let deeper = intermediate.intermediate("Interop ML-DSA-44 Authority", KeyAlgorithm::MlDsa44);
    store(folder, "ml-dsa-deep", &deeper.issue(leaf("ml-dsa-deep").key(KeyAlgorithm::MlDsa65)))
}

/// The name (DER) of the authority that the scenarios call `name`.
pub(super) fn authority_name(name: &str) -> Option<Vec<u8>> {
    let (_, common_name) = AUTHORITIES.into_iter().find(|(authority, _)| *authority == name)?;
    let text = tlv(0x0c, &[common_name.as_bytes()]);
    Some(tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&oid("2.5.4.3"), &text])])]))
}

/// A leaf for either role.
fn leaf(name: &str) -> LeafSpec {
    LeafSpec::server("localhost").subject(&format!("CN={name}")).eku(&[SERVER_AUTH, CLIENT_AUTH])
}

/// A leaf whose signature is another's.
fn forged(ca: &Ca) -> Issued {
    let issued = ca.issue(leaf("forged"));
    let elsewhere = Ca::new("Interop Authority", KeyAlgorithm::EcdsaP256);
    let certificate: CertificateDer<'static> = elsewhere.resign(issued.certificate(), |_| ());
    Issued { chain: vec![certificate], key: issued.key }
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

/// `ca.crl` and `stapled.ocsp`, from what OpenSSL calls the database of an authority: status, end, revocation, serial,
/// file and subject.
fn status(folder: &Path, tool: &Tool) -> Result<(), Error> {
    let database = "R\t491231235959Z\t250101000000Z\t1001\tunknown\t/CN=revoked\n\
                    V\t491231235959Z\t\t1002\tunknown\t/CN=stapled\n";
    fs::write(folder.join("database"), database)?;
    fs::write(folder.join("database.attr"), "unique_subject = no\n")?;
    let file = |name: &str| tool.path(&folder.join(name)).display().to_string();
    let database = file("database");
    let config =
        format!("[ca]\ndefault_ca = interop\n[interop]\ndatabase = {database}\ndefault_md = sha256\n");
    fs::write(folder.join("ca.conf"), config)?;
    let (ca, key) = (file("ca.pem"), file("ca.key"));
    let list =
        ["ca", "-gencrl", "-config", &file("ca.conf"), "-crldays", "2", "-cert", &ca, "-keyfile", &key];
    openssl(tool, &[&list[..], &["-out", &file("ca.crl")]].concat())?;
    let response = ["ocsp", "-index", &database, "-CA", &ca, "-rsigner", &ca, "-rkey", &key, "-ndays", "2"];
    let asked = ["-issuer", &ca, "-cert", &file("stapled.pem"), "-respout", &file("stapled.ocsp")];
    openssl(tool, &[&response[..], &asked[..]].concat())
}

fn openssl(tool: &Tool, arguments: &[&str]) -> Result<(), Error> {
    let output = tool.command("openssl").args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("openssl {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into())
}
