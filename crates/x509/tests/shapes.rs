//! What real CAs issue, made on the spot by OpenSSL: all accepted under the default policy.
#![allow(clippy::expect_used, clippy::print_stderr, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::*;
use oxtls_x509::{Purpose, Roots, Verifier};
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, UnixTime};

/// A folder that goes with its owner, where OpenSSL works.
struct Workshop(PathBuf);

impl Workshop {
    fn open(name: &str) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: no openssl here");
            return None;
        }
        let path = std::env::temp_dir().join(format!("oxtls-shapes-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Some(Self(path))
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(&self.0)
            .output()
            .expect("openssl runs");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }

    fn chain(&self, files: &[&str]) -> Vec<CertificateDer<'static>> {
        let read = |name: &&str| CertificateDer::from_pem_file(self.0.join(name)).expect("a certificate");
        files.iter().map(read).collect()
    }

    fn roots(&self, file: &str) -> Roots {
        let mut roots = Roots::empty();
        roots.add_pem_file(Path::new(&self.0).join(file)).expect("a root");
        roots
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everybody's first command: one self-signed certificate, a CA by OpenSSL's default, trusted and served.
#[test]
fn openssls_default_self_signed_certificate_trusted_as_it_is() {
    let Some(shop) = Workshop::open("self") else { return };
    shop.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out own.pem -days 30 -subj /CN=www.example.com \
         -addext subjectAltName=DNS:www.example.com",
    );
    accepted(server(shop.roots("own.pem"), &shop.chain(&["own.pem"])));
}

/// A CA and a server by `openssl req` and `openssl x509`, with nothing but a subjectAltName: no keyUsage, no
/// extendedKeyUsage, no key identifiers.
#[test]
fn a_ca_by_openssl_x509_with_the_least_that_works() {
    let Some(shop) = Workshop::open("least") else { return };
    shop.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /O=Ox/CN=Least",
    );
    shop.openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /CN=x");
    shop.write("ext", "subjectAltName=DNS:www.example.com\n");
    shop.openssl(
        "x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 7 -extfile ext",
    );
    accepted(server(shop.roots("ca.pem"), &shop.chain(&["leaf.pem"])));
}

/// The usual two-step CA of step and mkcert: P-256, path length 0 in the intermediate, key identifiers everywhere.
#[test]
fn a_two_step_ca_over_p256() {
    let Some(shop) = Workshop::open("step") else { return };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    shop.openssl(&format!(
        "req -x509 {key} -keyout ca.key -out ca.pem -days 30 -subj /O=Ox/CN=Root \
        -addext basicConstraints=critical,CA:TRUE,pathlen:1 -addext keyUsage=critical,keyCertSign,cRLSign"
    ));
    shop.openssl(&format!("req {key} -keyout int.key -out int.req -subj /O=Ox/CN=Intermediate"));
    shop.write(
        "int.ext",
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    shop.openssl("x509 -req -in int.req -CA ca.pem -CAkey ca.key -CAcreateserial -out int.pem -days 9 -extfile int.ext");
    shop.openssl(&format!("req {key} -keyout key.pem -out leaf.req -subj /CN=www.example.com"));
    shop.write(
        "leaf.ext",
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\n\
         authorityKeyIdentifier=keyid\nsubjectAltName=DNS:www.example.com,IP:127.0.0.1\n",
    );
    shop.openssl("x509 -req -in leaf.req -CA int.pem -CAkey int.key -CAcreateserial -out leaf.pem -days 7 -extfile leaf.ext");
    let chain = shop.chain(&["leaf.pem", "int.pem"]);
    accepted(server(shop.roots("ca.pem"), &chain));
    accepted(client(shop.roots("ca.pem"), &chain));
}

/// Kubernetes: RSA, client identity in organization and common name, no subjectAltName; the CA's certificate names
/// itself in a subjectAltName.
#[test]
fn a_kubernetes_client_certificate() {
    let Some(shop) = Workshop::open("kube") else { return };
    shop.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=kubernetes \
         -addext keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign -addext subjectAltName=DNS:kubernetes",
    );
    shop.openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /O=system:masters/CN=kubernetes-admin");
    shop.write(
        "ext",
        "keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth\n\
         basicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\n",
    );
    shop.openssl(
        "x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 7 -extfile ext",
    );
    let path = accepted(client(shop.roots("ca.pem"), &shop.chain(&["leaf.pem"])));
    assert_eq!(path.identity().subject(), "CN=kubernetes-admin, O=system:masters");
}

/// Windows AD CS: domain components in names, Microsoft's own extensions, LDAP locations, user principal names.
#[test]
fn an_active_directory_client_certificate() {
    let Some(shop) = Workshop::open("adcs") else { return };
    shop.openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /DC=test/DC=corp/CN=corp-DC01-CA \
         -addext keyUsage=digitalSignature,keyCertSign,cRLSign -addext 1.3.6.1.4.1.311.21.1=DER:020100",
    );
    shop.openssl(
        "req -newkey rsa:2048 -nodes -keyout key.pem -out req.pem -subj /DC=test/DC=corp/CN=Users/CN=Alice",
    );
    shop.write(
        "ext",
        "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=1.3.6.1.4.1.311.10.3.4,emailProtection,clientAuth\n\
         1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:User\n1.3.6.1.4.1.311.25.2=DER:3000\n\
         subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@corp.test,email:alice@corp.test\n\
         crlDistributionPoints=URI:ldap:///CN=corp\nauthorityInfoAccess=caIssuers;URI:ldap:///CN=corp\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    shop.openssl(
        "x509 -req -in req.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 7 -extfile ext",
    );
    let path = accepted(client(shop.roots("ca.pem"), &shop.chain(&["leaf.pem"])));
    assert_eq!(path.identity().emails().collect::<Vec<_>>(), ["alice@corp.test"]);
    assert_eq!(path.identity().subject(), "CN=Alice, CN=Users, DC=corp, DC=test");
}

/// RSA-PSS (with a salt as long as the hash: OpenSSL's default is longer) and others as OpenSSL writes them.
#[test]
fn newer_signatures_as_openssl_writes_them() {
    let Some(shop) = Workshop::open("newer") else { return };
    for (name, key) in [
        ("ed", "-newkey ed25519"),
        ("pss", "-newkey rsa-pss -pkeyopt rsa_keygen_bits:2048 -sigopt rsa_pss_saltlen:-1"),
        ("rsa-pss", "-newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -sha256"),
        ("p521", "-newkey ec -pkeyopt ec_paramgen_curve:P-521 -sha512"),
    ] {
        shop.openssl(&format!(
            "req -x509 {key} -nodes -keyout {name}.key -out {name}.pem -days 9 -subj /CN=x \
             -addext subjectAltName=DNS:www.example.com"
        ));
        let file = format!("{name}.pem");
        let chain = shop.chain(&[&file]);
        let verifier = Verifier::new(shop.roots(&file), Purpose::ClientAuth);
        if let Err(report) = verifier.verify_client(&chain, UnixTime::now()) {
            panic!("{name}: {}", report.explain());
        }
    }
}
