//! What real CAs issue, made on the spot by OpenSSL: all accepted under the default policy.
#![allow(clippy::expect_used, clippy::print_stderr, clippy::panic, reason = "a test may be blunt")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::*;
use oxtls_x509::{Policy, Purpose, ReferenceIdentifier, Roots, Rule, Stapled, Verifier};
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

const P256_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
const RSA_KEY: &str = "-newkey rsa:2048 -nodes";

impl Workshop {
    /// A self-signed CA, `name.pem` and `name.key`.
    fn ca(&self, name: &str, key: &str, subject: &str, extensions: &str) {
        self.write(
            "ca.cnf",
            &format!("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n{extensions}"),
        );
        self.openssl(&format!(
            "req -x509 {key} -config ca.cnf -keyout {name}.key -out {name}.pem -days 3650 -utf8 -subj {subject}"
        ));
    }

    /// A certificate by `issuer`, `name.pem` and `name.key`.
    fn issue(&self, name: &str, issuer: &str, key: &str, subject: &str, extensions: &str) {
        self.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n");
        self.openssl(&format!(
            "req {key} -config req.cnf -keyout {name}.key -out {name}.req -utf8 -subj {subject}"
        ));
        self.write("ext", extensions);
        self.openssl(&format!(
            "x509 -req -in {name}.req -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial -out {name}.pem -days 90 -extfile ext"
        ));
    }
}

/// mkcert: an RSA-3072 root of path length 0 with a long organizational unit, leaves without a common name.
#[test]
fn mkcerts_root_and_its_leaves() {
    let Some(shop) = Workshop::open("mkcert") else { return };
    shop.ca(
        "root",
        "-newkey rsa:3072 -nodes",
        "/O=mkcert-development-CA/OU=dev@host",
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n",
    );
    shop.issue(
        "leaf",
        "root",
        RSA_KEY,
        "/O=mkcert-development-certificate/OU=dev@host",
        "keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n\
         authorityKeyIdentifier=keyid\n\
         subjectAltName=DNS:www.example.com,DNS:*.example.com,DNS:localhost,IP:127.0.0.1,IP:::1,email:dev@host.test,URI:https://ox.test/\n",
    );
    accepted(server(shop.roots("root.pem"), &shop.chain(&["leaf.pem"])));
    accepted(server_named(shop.roots("root.pem"), &shop.chain(&["leaf.pem"]), "::1"));
    accepted(client(shop.roots("root.pem"), &shop.chain(&["leaf.pem"])));
}

/// step-ca: its provisioner's extension in leaves that live for a day.
#[test]
fn a_leaf_by_step_ca_with_its_provisioner() {
    let Some(shop) = Workshop::open("stepca") else { return };
    let usage = "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
    shop.ca(
        "root",
        P256_KEY,
        "/O=Ox/CN=Ox-Root-CA",
        &format!("basicConstraints=critical,CA:TRUE,pathlen:1\n{usage}"),
    );
    shop.issue(
        "int",
        "root",
        P256_KEY,
        "/O=Ox/CN=Ox-Intermediate-CA",
        &format!("basicConstraints=critical,CA:TRUE,pathlen:0\nauthorityKeyIdentifier=keyid\n{usage}"),
    );
    shop.issue(
        "leaf",
        "int",
        P256_KEY,
        "/CN=www.example.com",
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\n\
         authorityKeyIdentifier=keyid\nsubjectAltName=DNS:www.example.com\n\
         1.3.6.1.4.1.37476.9000.64.1=DER:301102010104026f7804080102030405060708\n",
    );
    accepted(server(shop.roots("root.pem"), &shop.chain(&["leaf.pem", "int.pem"])));
    // Some send the root as well, some the intermediate twice.
    let sent = shop.chain(&["leaf.pem", "int.pem", "root.pem", "int.pem"]);
    accepted(client(shop.roots("root.pem"), &sent));
}

/// Kubernetes: the API server's names and addresses, a kubelet's groups, a service's SPIFFE ID (Istio's CA).
#[test]
fn kubernetes_servers_kubelets_and_meshes() {
    let Some(shop) = Workshop::open("kube2") else { return };
    shop.ca(
        "ca",
        RSA_KEY,
        "/CN=kubernetes",
        "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign\nbasicConstraints=critical,CA:TRUE\n\
         subjectKeyIdentifier=hash\nsubjectAltName=DNS:kubernetes\n",
    );
    shop.issue(
        "api",
        "ca",
        RSA_KEY,
        "/CN=kube-apiserver",
        "keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n\
         basicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\n\
         subjectAltName=DNS:kubernetes,DNS:kubernetes.default.svc.cluster.local,DNS:node_1,IP:10.96.0.1\n",
    );
    let roots = || shop.roots("ca.pem");
    for name in ["kubernetes", "kubernetes.default.svc.cluster.local", "10.96.0.1"] {
        accepted(server_named(roots(), &shop.chain(&["api.pem"]), name));
    }
    shop.issue(
        "kubelet",
        "ca",
        P256_KEY,
        "/O=system:nodes/CN=system:node:node-1",
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\n\
         authorityKeyIdentifier=keyid\n",
    );
    let path = accepted(client(roots(), &shop.chain(&["kubelet.pem"])));
    assert_eq!(path.identity().subject(), "CN=system:node:node-1, O=system:nodes");
    shop.ca(
        "mesh",
        RSA_KEY,
        "/O=cluster.local",
        "keyUsage=critical,keyCertSign\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n",
    );
    shop.issue(
        "workload",
        "mesh",
        P256_KEY,
        "/",
        "keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n\
         basicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\n\
         subjectAltName=critical,URI:spiffe://cluster.local/ns/default/sa/web\n",
    );
    let chain = shop.chain(&["workload.pem"]);
    let wanted = ReferenceIdentifier::uri("spiffe://cluster.local/ns/default/sa/web").expect("a URI");
    for purpose in [Purpose::ServerAuth, Purpose::ClientAuth] {
        let verifier = Verifier::new(shop.roots("mesh.pem"), purpose);
        accepted(verifier.verify_peer(&chain, &wanted, Stapled::default(), UnixTime::now()));
    }
}

/// Windows AD CS of two tiers: version and template extensions, application policies, certificate policies with a CPS
/// pointer and a notice, LDAP and HTTP locations, domain components, a server by the WebServer template.
#[test]
fn an_active_directory_server_below_an_issuing_ca() {
    let Some(shop) = Workshop::open("adcs2") else { return };
    let usage = "keyUsage=digitalSignature,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
    let version = "1.3.6.1.4.1.311.21.1=DER:020100\n";
    shop.ca(
        "root",
        RSA_KEY,
        "/CN=Corp-Root-CA",
        &format!("basicConstraints=critical,CA:TRUE\n{usage}{version}"),
    );
    let locations = "crlDistributionPoints=URI:ldap:///CN=Corp-Root-CA?certificateRevocationList,URI:http://pki.corp.test/root.crl\n\
                     authorityInfoAccess=caIssuers;URI:ldap:///CN=Corp-Root-CA?cACertificate,caIssuers;URI:http://pki.corp.test/root.crt\n";
    shop.issue(
        "issuing",
        "root",
        RSA_KEY,
        "/DC=test/DC=corp/CN=Corp-Issuing-CA",
        &format!(
            "basicConstraints=critical,CA:TRUE\n{usage}{version}{locations}authorityKeyIdentifier=keyid\n\
             1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:SubCA\ncertificatePolicies=@p1\n\
             [p1]\npolicyIdentifier=1.3.6.1.4.1.311.21.8.1\nCPS.1=http://pki.corp.test/cps\nuserNotice.1=@n\n\
             [n]\nexplicitText=UTF8:Corp\n"
        ),
    );
    shop.issue(
        "web",
        "issuing",
        RSA_KEY,
        "/C=DE/O=Corp/CN=www.example.com",
        &format!(
            "keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\n{locations}\
             subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=DNS:www.example.com\n\
             certificatePolicies=1.3.6.1.4.1.311.21.8.1\n\
             1.3.6.1.4.1.311.21.7=DER:300f06072b060104018237020101020102\n\
             1.3.6.1.4.1.311.21.10=DER:300c300a06082b06010505070301\n"
        ),
    );
    let path = accepted(server(shop.roots("root.pem"), &shop.chain(&["web.pem", "issuing.pem"])));
    let policies: Vec<_> = path.policies().map(|policy| policy.to_string()).collect();
    assert_eq!(policies, ["1.3.6.1.4.1.311.21.8.1"]);
}

/// easy-rsa: key identifiers with the issuer's name and serial number, Netscape comments, nothing critical, clients with
/// nothing but a common name.
#[test]
fn an_easy_rsa_ca_and_its_client() {
    let Some(shop) = Workshop::open("easyrsa") else { return };
    shop.ca(
        "ca",
        RSA_KEY,
        "/CN=Easy-RSA-CA",
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always,issuer:always\nbasicConstraints=CA:TRUE\n\
         keyUsage=cRLSign,keyCertSign\n",
    );
    shop.issue(
        "client",
        "ca",
        RSA_KEY,
        "/CN=client1",
        "basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer:always\n\
         extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nnsCertType=client\nnsComment=Easy-RSA\n",
    );
    let path = accepted(client(shop.roots("ca.pem"), &shop.chain(&["client.pem"])));
    assert_eq!(path.identity().to_string(), "CN=client1");
}

/// Vault and cfssl: critical keyUsage with keyAgreement, an intermediate that was cross-signed by a second root, and roots
/// that outlive the century.
#[test]
fn a_vault_like_ca_that_was_cross_signed() {
    let Some(shop) = Workshop::open("vault") else { return };
    let usage = "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\n";
    shop.write("ca.cnf", &format!("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n{usage}"));
    for name in ["old", "new"] {
        shop.openssl(&format!(
            "req -x509 {P256_KEY} -config ca.cnf -keyout {name}.key -out {name}.pem -days 2900000 -subj /CN={name}.example.com"
        ));
    }
    shop.issue("int", "new", P256_KEY, "/CN=Intermediate", &format!("{usage}authorityKeyIdentifier=keyid\n"));
    shop.write("ext", &format!("{usage}authorityKeyIdentifier=keyid\n"));
    shop.openssl("x509 -req -in int.req -CA old.pem -CAkey old.key -CAcreateserial -out crossed.pem -days 90 -extfile ext");
    shop.issue(
        "leaf",
        "int",
        P256_KEY,
        "/CN=www.example.com",
        "keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement\nextendedKeyUsage=serverAuth,clientAuth\n\
         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName=DNS:www.example.com\n",
    );
    let chain = shop.chain(&["leaf.pem", "crossed.pem", "int.pem"]);
    accepted(server(shop.roots("old.pem"), &chain));
    accepted(server(shop.roots("new.pem"), &chain));
}

/// An RSA CA of an office with its constraints written as OpenSSL's documentation and Windows have them: all names below.
#[test]
fn a_ca_whose_constraints_begin_with_a_period() {
    let Some(shop) = Workshop::open("period") else { return };
    let usage = "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\n";
    shop.ca(
        "ca",
        P256_KEY,
        "/O=Ox/CN=Office",
        &format!("{usage}nameConstraints=critical,permitted;DNS:.example.com,excluded;DNS:.mil\n"),
    );
    let leaf = |name: &str, dns: &str| {
        shop.issue(
            name,
            "ca",
            P256_KEY,
            "/",
            &format!("extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectAltName=critical,DNS:{dns}\n"),
        );
        shop.chain(&[&format!("{name}.pem")])
    };
    let below = leaf("below", "www.example.com");
    accepted(server(shop.roots("ca.pem"), &below));
    refused(server_with(shop.roots("ca.pem"), &below, strict()), Rule::NameConstraintsForm, ANCHOR);
    // The narrower meaning: not the domain itself.
    let itself = leaf("itself", "example.com");
    refused(server_named(shop.roots("ca.pem"), &itself, "example.com"), Rule::PermittedSubtrees, LEAF);
}

/// Host names of containers and of Windows: mkcert issues for them, and so does OpenSSL.
#[test]
fn a_host_name_with_an_underscore() {
    let Some(shop) = Workshop::open("underscore") else { return };
    shop.ca(
        "ca",
        P256_KEY,
        "/O=mkcert-development-CA",
        "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n",
    );
    shop.issue(
        "leaf",
        "ca",
        P256_KEY,
        "/O=mkcert-development-certificate",
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n\
         subjectAltName=DNS:www.example.com,DNS:project_db_1.example.com\n",
    );
    let chain = shop.chain(&["leaf.pem"]);
    accepted(server_named(shop.roots("ca.pem"), &chain, "project_db_1.example.com"));
    refused(server_with(shop.roots("ca.pem"), &chain, strict()), Rule::DnsNameSyntax, LEAF);
}

/// `step certificate create NAME` and `openssl req -subj /CN=NAME` keep what was typed as the common name; step puts the
/// same into the subjectAltName in its one form, and OpenSSL can't do otherwise with addresses.
#[test]
fn common_names_are_kept_as_they_were_typed() {
    let Some(shop) = Workshop::open("typed") else { return };
    let usage = "keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\n";
    shop.ca("ca", P256_KEY, "/O=Ox/CN=Root", usage);
    for (number, (typed, san, name)) in [
        ("WWW.Example.COM", "DNS:www.example.com", "www.example.com"),
        ("b\u{fc}cher.example", "DNS:xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("2001:DB8::8A2E", "IP:2001:DB8::8A2E", "2001:db8::8a2e"),
        ("2001:0db8:0:0:0:0:0:1", "IP:2001:0db8:0:0:0:0:0:1", "2001:db8::1"),
        ("192.168.001.001", "IP:192.168.1.1", "192.168.1.1"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("leaf{number}");
        shop.issue(
            &file,
            "ca",
            P256_KEY,
            &format!("/CN={typed}"),
            &format!(
                "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\n\
                 authorityKeyIdentifier=keyid\nsubjectAltName={san}\n"
            ),
        );
        let chain = shop.chain(&[&format!("{file}.pem")]);
        accepted(server_named(shop.roots("ca.pem"), &chain, name));
        let wanted = pki_types::ServerName::try_from(name).expect("a name");
        let verifier = Verifier::new(shop.roots("ca.pem"), Purpose::ServerAuth).with_policy(strict());
        let outcome = verifier.verify_server(&chain, &wanted, UnixTime::now());
        refused(outcome, Rule::CommonNameInSubjectAltName, LEAF);
    }
}

/// The strict policy, but for what OpenSSL 3.0's random serial numbers and roots without key identifiers would break first.
fn strict() -> Policy {
    Policy::strict().lift(Rule::AuthorityKeyIdentifierPresent)
}

/// A certificate that says it is a CA's and that it signs no certificates contradicts itself: nobody can mean it.
#[test]
fn a_certificate_that_contradicts_itself_is_refused() {
    let Some(shop) = Workshop::open("contradiction") else { return };
    let usage = "keyUsage=critical,keyCertSign,cRLSign\nbasicConstraints=critical,CA:TRUE\n";
    shop.ca("ca", P256_KEY, "/O=Ox/CN=Root", usage);
    for (name, usage, fine) in
        [("signs", "digitalSignature,keyCertSign", true), ("contradicts", "digitalSignature", false)]
    {
        let extensions =
            format!("keyUsage={usage}\nbasicConstraints=CA:TRUE\nsubjectAltName=DNS:www.example.com\n");
        shop.issue(name, "ca", P256_KEY, "/CN=www.example.com", &extensions);
        let outcome = server(shop.roots("ca.pem"), &shop.chain(&[&format!("{name}.pem")]));
        if fine {
            accepted(outcome);
        } else {
            refused(outcome, Rule::CaSignsCertificates, LEAF);
        }
    }
}

/// What OpenSSL will still make and nobody should take.
#[test]
fn what_is_unsafe_is_refused_by_name() {
    let Some(shop) = Workshop::open("unsafe") else { return };
    let name = "-addext subjectAltName=DNS:www.example.com";
    for (file, key, rule) in [
        ("sha1", "-newkey rsa:2048 -sha1", Rule::SignatureAlgorithm),
        ("md5", "-newkey rsa:2048 -md5", Rule::SignatureAlgorithm),
        ("short", "-newkey rsa:1024", Rule::KeyStrength),
        (
            "explicit",
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            Rule::KeyAlgorithm,
        ),
        ("p192", "-newkey ec -pkeyopt ec_paramgen_curve:prime192v1", Rule::KeyAlgorithm),
        ("k256", "-newkey ec -pkeyopt ec_paramgen_curve:secp256k1", Rule::KeyAlgorithm),
        ("ed448", "-newkey ed448", Rule::KeyAlgorithm),
    ] {
        shop.openssl(&format!(
            "req -x509 {key} -nodes -keyout {file}.key -out {file}.pem -days 9 -subj /CN=x {name}"
        ));
        let file = format!("{file}.pem");
        let report = server(shop.roots(&file), &shop.chain(&[&file])).expect_err("unsafe");
        // What is signed with a key that is not supported names an algorithm that is not, first.
        let also = file == "ed448.pem" && report.rule == Rule::SignatureAlgorithm;
        assert!(report.rule == rule || also, "{}", report.explain());
    }
    shop.openssl(&format!(
        "req -x509 {RSA_KEY} -keyout cn.key -out cn.pem -days 9 -subj /CN=www.example.com"
    ));
    refused(server(shop.roots("cn.pem"), &shop.chain(&["cn.pem"])), Rule::NameMatch, LEAF);
}
