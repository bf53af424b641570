//! A chain of two ECDSA certificates, validated: beside its signature checks alone, with the signatures remembered, all
//! or but for the leaf's, and beside rustls-webpki. All over the same crypto library.
//!
//! Validation of ours includes everything of RFC 5280 section 6.1 and the identity that is handed out.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use criterion::{Criterion, criterion_group, criterion_main};
use oxtls_crypto::Hash;
use oxtls_crypto::signature::{KeyAlgorithm, PublicKey, SignatureAlgorithm};
use oxtls_test_pki::{Ca, LeafSpec};
use oxtls_x509::{Certificate, Purpose, Roots, SignatureCache, Verifier};
use pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName, SignatureVerificationAlgorithm,
    UnixTime, alg_id,
};

const HOST: &str = "www.example.com";

/// What is validated.
struct Subject {
    root: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    name: ServerName<'static>,
    now: UnixTime,
}

impl Subject {
    fn new() -> Self {
        let root = Ca::new("Root", KeyAlgorithm::EcdsaP256);
        let issued = root.intermediate("Issuing", KeyAlgorithm::EcdsaP256).issue(LeafSpec::server(HOST));
        let name = ServerName::try_from(HOST).unwrap();
        Self { root: root.certificate().clone(), chain: issued.chain, name, now: UnixTime::now() }
    }

    fn verifier(&self) -> Verifier {
        let mut roots = Roots::empty();
        roots.add_der(&self.root).unwrap();
        Verifier::new(roots, Purpose::ServerAuth)
    }

    fn validate(&self, verifier: &Verifier) {
        verifier.verify_server(black_box(&self.chain), black_box(&self.name), self.now).unwrap();
    }
}

fn x509(criterion: &mut Criterion) {
    let subject = Subject::new();
    let mut group = criterion.benchmark_group("x509, chain of two, ECDSA P-256");
    let [root, middle, leaf] =
        [&subject.root, &subject.chain[1], &subject.chain[0]].map(|der| Certificate::parse(der).unwrap());
    let root_key = PublicKey::from_spki(root.spki()).unwrap();
    group.bench_function("signature checks alone", |b| {
        b.iter(|| {
            let algorithm = SignatureAlgorithm::Ecdsa(Hash::Sha256);
            black_box(&root_key).verify(algorithm, black_box(middle.tbs()), middle.signature()).unwrap();
            let key = PublicKey::from_spki(black_box(middle.spki())).unwrap();
            key.verify(algorithm, black_box(leaf.tbs()), leaf.signature()).unwrap();
        });
    });
    let verifier = subject.verifier();
    group.bench_function("reading the intermediate's key", |b| {
        b.iter(|| PublicKey::from_spki(black_box(middle.spki())).unwrap());
    });
    group.bench_function("oxtls-x509", |b| b.iter(|| subject.validate(&verifier)));
    let cached = verifier.with_signature_cache(Arc::new(SignatureCache::new(4_096).unwrap()));
    // A leaf's signature is remembered with the proof of possession: without one it is new each time.
    subject.validate(&cached);
    group.bench_function("oxtls-x509, new leaf of a known intermediate", |b| {
        b.iter(|| subject.validate(&cached));
    });
    cached.verify_server(&subject.chain, &subject.name, subject.now).unwrap().possession_proved();
    group.bench_function("oxtls-x509, signatures remembered", |b| b.iter(|| subject.validate(&cached)));
    let anchors = [webpki::anchor_from_trusted_cert(&subject.root).unwrap()];
    group.bench_function("rustls-webpki", |b| {
        b.iter(|| {
            let leaf = webpki::EndEntityCert::try_from(black_box(&subject.chain[0])).unwrap();
            leaf.verify_for_usage(
                &[&EcdsaP256Sha256],
                &anchors,
                black_box(&subject.chain[1..]),
                subject.now,
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .unwrap();
            leaf.verify_is_valid_for_subject_name(black_box(&subject.name)).unwrap();
        });
    });
    group.finish();
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

criterion_group!(benches, x509);
criterion_main!(benches);
