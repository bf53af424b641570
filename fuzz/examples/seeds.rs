//! Writes the first inputs: certificates made on the spot and, where the conformance data is, its certificates and
//! chains; hellos of our own clients, and what our own servers answer.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use oxtls::pki_types::ServerName;
use oxtls::{
    ClientConfig, ClientConnection, Credential, KeyAlgorithm, Roots, ServerConfig, ServerConnection,
};
use oxtls_fuzz::{ChainInput, Judged, NOW, key};
use oxtls_test_pki::{Ca, CaSpec, CrlSpec, LeafSpec, OcspSpec, der};
use oxtls_x509::Certificate;
use pki_types::pem::PemObject;
use pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use serde_json::Value;

fn main() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, name: &str, input: &[u8]| {
        fs::create_dir_all(folder.join(target)).expect("a folder");
        fs::write(folder.join(target).join(name), input).expect("a file");
    };
    for (number, chain) in made().iter().enumerate() {
        for (place, certificate) in chain.iter().enumerate() {
            write("certificate", &format!("made-{number}-{place}"), certificate);
        }
        write_chain(&write, &format!("made-{number}"), &chain[..1], &chain[1..], 8);
    }
    for case in conformance() {
        let id = case["id"].as_str().expect("an id").replace("::", "-");
        let (roots, chain) = certificates(&case);
        for (place, pem) in case["crls"].as_array().into_iter().flatten().enumerate() {
            let text = pem.as_str().expect("PEM text").as_bytes();
            let der = CertificateRevocationListDer::from_pem_slice(text).expect("PEM");
            write("crl", &format!("{id}-{place}"), &[&[0], der.as_ref()].concat());
        }
        for (place, certificate) in chain.iter().chain(&roots).enumerate() {
            write("certificate", &format!("{id}-{place}"), certificate);
        }
        if chain.len() + roots.len() <= 10 {
            write_chain(&write, &id, &roots, &chain, 8);
        }
    }
    let judged = Judged::new();
    let serial = Certificate::parse(&judged.chain[0]).expect("a certificate").serial().to_vec();
    let time = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let list = || CrlSpec::new(7).this_update(time(NOW - 60)).next_update(Some(time(NOW + 9_000)));
    for (number, spec) in
        [list(), list().revoke(&serial), list().revoke_for(&serial, 1), list().revoke_many(20)]
            .into_iter()
            .enumerate()
    {
        let whole = judged.root.crl(spec);
        write("crl", &format!("made-{number}"), &[&[0], whole.as_slice()].concat());
        write("crl", &format!("made-tbs-{number}"), &[&[1], der::first(der::contents(&whole))].concat());
    }
    let response = || {
        OcspSpec::good(&judged.chain[0])
            .produced_at(time(NOW - 60))
            .this_update(time(NOW - 60))
            .next_update(Some(time(NOW + 9_000)))
    };
    for (number, spec) in [response(), response().sha256(), response().by_key(), response().of_other_issuer()]
        .into_iter()
        .enumerate()
    {
        let whole = judged.root.ocsp(spec);
        write("ocsp", &format!("made-{number}"), &[&[0], whole.as_slice()].concat());
        // OCSPResponse, [0], ResponseBytes; its second element is the OCTET STRING with the BasicOCSPResponse.
        let bytes = der::contents(der::contents(&der::contents(&whole)[3..]));
        let basic = der::contents(&bytes[der::first(bytes).len()..]);
        write("ocsp", &format!("made-tbs-{number}"), &[&[1], der::first(der::contents(basic))].concat());
    }
    for (number, flight) in flights().iter().enumerate() {
        let role = u8::try_from(number % 2).expect("0 or 1");
        write("connection", &format!("flight-{number}"), &[&[role, 200], flight.as_slice()].concat());
        write("record", &format!("flight-{number}"), &[&[1, 255], flight.as_slice()].concat());
        // One message in one record: without its header, a message.
        if let Some(message) = flight.get(5..) {
            write("message", &format!("flight-{number}"), &[&[0], message].concat());
        }
    }
    for typ in 0..26u8 {
        write("message", &format!("empty-{typ}"), &[0, typ, 0, 0, 0]);
    }
}

/// Roots and chains, each as root, leaf, intermediates.
fn made() -> Vec<Vec<CertificateDer<'static>>> {
    let p256 = KeyAlgorithm::EcdsaP256;
    let root = || Ca::new("Root", p256);
    let leaf = || LeafSpec::server("example.com").ip([192, 0, 2, 1].into());
    let together = |root: &Ca, chain: Vec<CertificateDer<'static>>| {
        let mut all = vec![root.certificate().clone()];
        all.extend(chain);
        all
    };
    let mut all = Vec::new();
    for algorithm in [p256, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa44, KeyAlgorithm::RsaPss] {
        let root = Ca::new("Root", algorithm);
        all.push(together(&root, root.intermediate("Middle", algorithm).issue(leaf().key(algorithm)).chain));
    }
    let narrow = root();
    let middle = narrow.intermediate_with(
        CaSpec::new("Narrow", p256)
            .path_len(0)
            .permit(0x82, b"example.com")
            .exclude(0x87, &[10, 0, 0, 0, 255, 0, 0, 0]),
    );
    all.push(together(&narrow, middle.issue(leaf().uri("spiffe://a/b").email("a@example.com")).chain));
    let (old, new) = (root(), Ca::new("New", p256));
    let mut chain = new.intermediate("Middle", p256).issue(leaf()).chain;
    chain.extend([old.cross_sign(&new), new.cross_sign(&old), new.certificate().clone()]);
    all.push(together(&old, chain));
    all
}

/// An input for the target `chain`: every key replaced by the one that signs there. Chains of other keys are left out.
fn write_chain(
    write: &impl Fn(&str, &str, &[u8]),
    name: &str,
    roots: &[CertificateDer<'_>],
    chain: &[CertificateDer<'_>],
    flags: u8,
) {
    let own = key().spki().to_vec();
    let mut parts = Vec::new();
    for der in roots.iter().chain(chain) {
        let Ok(certificate) = Certificate::parse(der) else { return };
        if certificate.spki().len() != own.len() || certificate.tbs().len() > 8_000 {
            return;
        }
        let mut tbs = certificate.tbs().to_vec();
        der::replace(&mut tbs, certificate.spki(), &own);
        parts.push(tbs);
    }
    let parts: Vec<_> = parts.iter().map(Vec::as_slice).collect();
    for flags in [flags, flags | 2] {
        let input = ChainInput { flags, roots: roots.len().min(3), parts: parts.clone() };
        write("chain", &format!("{name}-{flags}"), &input.encode());
    }
}

/// The cases of the conformance data, one in a hundred of those that are all alike.
fn conformance() -> Vec<Value> {
    let folder = std::env::var_os("OXTLS_CONFORMANCE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let mut cases = Vec::new();
    for file in ["limbo-dev.json.xz", "pkits.json.xz"] {
        let Ok(output) = Command::new("xz").arg("-dc").arg(folder.join(file)).output() else { continue };
        let Ok(mut data) = serde_json::from_slice::<Value>(&output.stdout) else {
            println!("no {file} in {}: left out", folder.display());
            continue;
        };
        let list = data["testcases"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let kept = list.into_iter().enumerate().filter(|(number, case)| {
            number % 100 == 0 || case["id"].as_str().is_some_and(|id| !id.starts_with("bettertls"))
        });
        cases.extend(kept.map(|(_, case)| case));
    }
    cases
}

fn certificates(case: &Value) -> (Vec<CertificateDer<'static>>, Vec<CertificateDer<'static>>) {
    let list = |value: &Value| -> Vec<_> {
        let texts = value.as_array().map(Vec::as_slice).unwrap_or_default().iter();
        texts.filter_map(|pem| CertificateDer::from_pem_slice(pem.as_str()?.as_bytes()).ok()).collect()
    };
    let mut chain = list(&Value::Array(vec![case["peer_certificate"].clone()]));
    chain.extend(list(&case["untrusted_intermediates"]));
    (list(&case["trusted_certs"]), chain)
}

/// What a client and a server say first.
fn flights() -> Vec<Vec<u8>> {
    let ca = Ca::new("Authority", KeyAlgorithm::EcdsaP256);
    let mut roots = Roots::empty();
    roots.add_der(ca.certificate()).expect("a root");
    let issued = ca.issue(LeafSpec::server("a.test"));
    let credential = Credential::new(issued.chain, issued.key).expect("a credential");
    let client =
        ClientConfig::builder().roots(roots).compatibility_mode(false).alpn(["a"]).build().expect("a client");
    let server = ServerConfig::builder().credential(credential).alpn(["a"]).build().expect("a server");
    let mut client =
        ClientConnection::new(&client, ServerName::try_from("a.test").expect("a name")).expect("a client");
    let mut server = ServerConnection::new(&server);
    let mut out = vec![0; 100_000];
    let length = client.transmit(&mut out);
    let mut hello = out[..length].to_vec();
    let flight = hello.clone();
    let _ = server.feed(&mut hello).expect("a hello");
    let length = server.transmit(&mut out);
    vec![flight, out[..length].to_vec()]
}
