//! Work for an instruction counter: a chain of two ECDSA certificates validated again and again, or its two signatures
//! checked and nothing else, or rustls-webpki at the same work. The difference between two counts of rounds is free of what starting takes.
//!
//! ```sh
//! cargo build --release -p oxtls-benches --example x509_instructions
//! x509_instructions make DIR
//! for what in checks chain cached webpki; do for rounds in 100 200; do
//!     valgrind --tool=callgrind --callgrind-out-file=/dev/null x509_instructions $what DIR $rounds
//! done; done
//! ```
//!
//! Without arguments it does a few rounds of each and counts nothing.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, PublicKey, SignatureAlgorithm};
use oxtls_test_pki::{Ca, LeafSpec};
use oxtls_x509::{Certificate, Purpose, Roots, SignatureCache, Verifier};
use pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm,
    TrustAnchor, UnixTime, alg_id,
};

const HOST: &str = "www.example.com";
const FILES: [&str; 3] = ["leaf.der", "middle.der", "root.der"];

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder] => {
            for (file, der) in FILES.iter().zip(make()) {
                std::fs::write(Path::new(folder).join(file), der).unwrap();
            }
        }
        [what, folder, rounds] => {
            let read = |file| CertificateDer::from(std::fs::read(Path::new(folder).join(file)).unwrap());
            work(what, &FILES.map(read), rounds.parse().unwrap());
        }
        _ => {
            let certificates = make();
            for what in ["checks", "chain", "cached", "webpki"] {
                work(what, &certificates, 3);
                println!("{what}: 3 rounds");
            }
        }
    }
}

fn make() -> [CertificateDer<'static>; 3] {
    let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
    let middle = root.intermediate("Issuing", KeyAlgorithm::EcdsaP256);
    let issued = middle.issue(LeafSpec::server(HOST));
    [issued.chain[0].clone(), issued.chain[1].clone(), root.certificate().clone()]
}

fn work(what: &str, [leaf, middle, root]: &[CertificateDer<'static>; 3], rounds: u32) {
    let chain = [leaf.clone(), middle.clone()];
    let mut roots = Roots::empty();
    roots.add_der(root).unwrap();
    let mut verifier = Verifier::new(roots, Purpose::ServerAuth);
    let (name, now) = (ServerName::try_from(HOST).unwrap(), UnixTime::now());
    if what == "cached" {
        verifier = verifier.with_signature_cache(Arc::new(SignatureCache::new(1_024).unwrap()));
    }
    verifier.verify_server(&chain, &name, now).unwrap().possession_proved();
    let [leaf, middle, root] = [leaf, middle, root].map(|der| Certificate::parse(der).unwrap());
    let root_key = PublicKey::from_spki(root.spki()).unwrap();
    let root = CertificateDer::from(root.der());
    let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    for _ in 0..rounds {
        match what {
            "checks" => checks(black_box(&root_key), black_box(&middle), black_box(&leaf)),
            "webpki" => peer(black_box(&chain), &anchors, black_box(&name), now),
            _ => drop(verifier.verify_server(black_box(&chain), black_box(&name), now).unwrap()),
        }
    }
}

/// The same by rustls-webpki.
fn peer(chain: &[CertificateDer<'_>], anchors: &[TrustAnchor<'_>], name: &ServerName<'_>, now: UnixTime) {
    let usage = webpki::KeyUsage::server_auth();
    let leaf = webpki::EndEntityCert::try_from(&chain[0]).unwrap();
    leaf.verify_for_usage(&[&EcdsaP256Sha256], anchors, &chain[1..], now, usage, None, None).unwrap();
    leaf.verify_is_valid_for_subject_name(name).unwrap();
}

/// Two signatures, and the one key that is not known beforehand.
#[inline(never)]
fn checks(root: &PublicKey, middle: &Certificate<'_>, leaf: &Certificate<'_>) {
    let algorithm = SignatureAlgorithm::Ecdsa(Hash::Sha256);
    root.verify(algorithm, middle.tbs(), middle.signature()).unwrap();
    let key = PublicKey::from_spki(middle.spki()).unwrap();
    key.verify(algorithm, leaf.tbs(), leaf.signature()).unwrap();
}

/// What rustls-webpki itself makes of the same crypto library.
#[derive(Debug)]
struct EcdsaP256Sha256;

impl SignatureVerificationAlgorithm for EcdsaP256Sha256 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}
