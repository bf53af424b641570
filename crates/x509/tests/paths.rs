//! Every rule of path validation, kept and broken: which rule is reported, and of which certificate.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unreachable, reason = "a test may be blunt")]

mod common;

use std::time::Duration;

use common::*;
use oxtls_crypto::signature::{KeyAlgorithm, SigningKey};
use oxtls_test_pki::{CLIENT_AUTH, Ca, CaSpec, LeafSpec, SERVER_AUTH, der};
use oxtls_x509::{
    Budget, Cause, Certificate, Policy, PolicyInputs, Position, Purpose, Roots, Rule, Verifier,
};
use pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_leaf_below_a_root_is_accepted() {
    let root = root();
    let issued = root.issue(leaf());
    let path = accepted(server(trusting(&root), &issued.chain));
    assert_eq!(path.positions().collect::<Vec<_>>(), [0]);
    assert_eq!(path.anchor().subject().to_string(), "CN=Root");
    assert_eq!(path.identity().dns_names().collect::<Vec<_>>(), [HOST]);
    assert_eq!(path.identity().certificate_der(), issued.chain[0].as_ref());
}

#[test]
fn every_algorithm_signs_and_is_certified() {
    for algorithm in [
        KeyAlgorithm::Rsa,
        KeyAlgorithm::RsaPss,
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::EcdsaP521,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::MlDsa44,
        KeyAlgorithm::MlDsa65,
        KeyAlgorithm::MlDsa87,
    ] {
        let root = Ca::new("Root", algorithm);
        let issued = root.intermediate("Middle", algorithm).issue(leaf().key(algorithm));
        let path = accepted(server(trusting(&root), &issued.chain));
        assert_eq!(path.positions().collect::<Vec<_>>(), [0, 1], "{algorithm:?}");
    }
}

#[test]
fn unordered_and_superfluous_intermediates_do_no_harm() {
    let root = root();
    let (first, stranger) = (root.intermediate("A", P256), Ca::new("Stranger", P256));
    let second = first.intermediate("B", P256);
    let issued = second.issue(leaf());
    let [leaf, b, a] = &issued.chain[..] else { unreachable!("a chain of three") };
    let malformed = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
    let chain = [
        leaf.clone(),
        stranger.certificate().clone(),
        a.clone(),
        malformed,
        b.clone(),
        root.certificate().clone(),
        a.clone(),
    ];
    let path = accepted(server(trusting(&root), &chain));
    assert_eq!(path.positions().collect::<Vec<_>>(), [0, 4, 2]);
}

#[test]
fn an_intermediate_can_be_an_anchor() {
    let middle = root().intermediate("Middle", P256);
    let issued = middle.issue(leaf());
    assert_eq!(accepted(server(trusting(&middle), &issued.chain)).positions().count(), 1);
}

#[test]
fn cross_signing_finds_the_way_to_either_root() {
    let (old, new) = (Ca::new("Old Root", P256), Ca::new("New Root", P256));
    let issued = new.intermediate("Middle", P256).issue(leaf());
    let mut chain = issued.chain.clone();
    chain.push(old.cross_sign(&new));
    assert_eq!(accepted(server(trusting(&old), &chain)).positions().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(accepted(server(trusting(&new), &chain)).positions().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn mutual_cross_signing_is_no_endless_loop() {
    let (a, b) = (Ca::new("A", P256), Ca::new("B", P256));
    let issued = a.issue(leaf());
    let chain = [issued.chain[0].clone(), a.cross_sign(&b), b.cross_sign(&a)];
    accepted(server(trusting(&b), &chain));
    let report = refused(server(trusting(&root()), &chain), Rule::IssuerKnown, Position::Chain(1));
    assert_eq!(report.alert(), 48);
}

#[test]
fn an_expired_cross_signature_does_not_spoil_another_path() {
    let (old, new) = (Ca::with(CaSpec::new("Old", P256).expired(HOUR)), Ca::new("New", P256));
    let issued = new.issue(leaf());
    let chain = [issued.chain[0].clone(), old.cross_sign(&new)];
    accepted(server(trusting_all([old.certificate(), new.certificate()]), &chain));
}

#[test]
fn roots_of_one_name_and_two_keys_are_both_tried() {
    let (first, second) = (root(), root());
    let issued = second.issue(leaf().without_key_ids());
    let roots = trusting_all([first.certificate(), second.certificate()]);
    assert_eq!(accepted(server(roots, &issued.chain)).anchor().spki(), second.key().spki());
}

#[test]
fn an_unknown_issuer_is_named() {
    let issued = root().issue(leaf());
    let report = refused(server(trusting(&Ca::new("Other", P256)), &issued.chain), Rule::IssuerKnown, LEAF);
    assert!(
        matches!(&report.cause, Cause::UnknownIssuer { issuer, anchors: 1, key_id: Some(_), .. } if issuer == "CN=Root")
    );
    assert_eq!(report.alert(), 48);
}

#[test]
fn a_missing_intermediate_is_told_from_an_unknown_root() {
    let root = root();
    let location = der::tlv(0x86, &[b"http://ca.example/middle.cer"]);
    let description = der::tlv(0x30, &[&der::oid("1.3.6.1.5.5.7.48.2"), &location]);
    let access = der::tlv(0x30, &[&description]);
    let spec = leaf().extension("1.3.6.1.5.5.7.1.1", false, &access);
    let issued = root.intermediate("Middle", P256).issue(spec);
    let report = refused(server(trusting(&root), &issued.chain[..1]), Rule::IssuerKnown, LEAF);
    let Cause::MissingIntermediate { issuer, locations } = &report.cause else {
        unreachable!("{}", report.explain())
    };
    assert_eq!((issuer.as_str(), locations[0].as_str()), ("CN=Middle", "http://ca.example/middle.cer"));
    assert!(report.to_string().contains("must send its full chain"), "{report}");
}

#[test]
fn self_signed_certificates_are_reported_as_such() {
    let own = Ca::with(CaSpec::new("Own", P256));
    let report =
        refused(server(trusting(&root()), &[own.certificate().clone()]), Rule::DigitalSignature, LEAF);
    assert_eq!(report.alert(), 43);
    let spec = CaSpec::new("Own", P256).not_a_ca().without_cert_sign();
    let own = Ca::with(spec);
    let report = refused(server(trusting(&root()), &[own.certificate().clone()]), Rule::IssuerKnown, LEAF);
    assert!(matches!(report.cause, Cause::SelfSigned { leaf: true, .. }));
    let stranger = Ca::new("Stranger", P256);
    let chain = [stranger.issue(leaf()).chain[0].clone(), stranger.certificate().clone()];
    let report = refused(server(trusting(&root()), &chain), Rule::IssuerKnown, FIRST);
    assert!(matches!(report.cause, Cause::SelfSigned { leaf: false, anchors: 1 }));
}

#[test]
fn a_self_signed_certificate_that_is_no_ca_is_no_anchor_for_itself() {
    let own = Ca::with(CaSpec::new("Own", P256).not_a_ca().without_cert_sign());
    refused(server(trusting(&own), &[own.certificate().clone()]), Rule::BasicConstraints, ANCHOR);
}

#[test]
fn no_roots_at_all_is_said_so() {
    let issued = root().issue(leaf());
    let report = refused(server(Roots::empty(), &issued.chain), Rule::IssuerKnown, LEAF);
    assert!(report.to_string().contains("no root certificates are loaded"), "{report}");
}

#[test]
fn an_empty_chain_is_refused() {
    let report = refused(server(trusting(&root()), &[]), Rule::ChainPresent, LEAF);
    assert_eq!(report.cause, Cause::EmptyChain);
}

#[test]
fn an_altered_certificate_is_refused() {
    let root = root();
    let issued = root.issue(leaf());
    let mut altered = issued.chain[0].to_vec();
    der::replace(&mut altered, b"www.example.com", b"www.example.org");
    let report = refused(server(trusting(&root), &[altered.into()]), Rule::Signature, LEAF);
    assert_eq!(report.alert(), 42);
    assert!(report.offset.is_some());
}

#[test]
fn a_root_of_the_same_name_and_another_key_is_told_by_its_key_identifier() {
    let issued = root().issue(leaf());
    let report = refused(server(trusting(&root()), &issued.chain), Rule::Signature, LEAF);
    assert!(matches!(&report.cause, Cause::OtherKey { anchor: true, .. }), "{report}");
    let bare = root().issue(leaf().without_key_ids());
    let report = refused(server(trusting(&root()), &bare.chain), Rule::Signature, LEAF);
    assert!(report.to_string().contains("new key under its old name"), "{report}");
}

#[test]
fn validity_includes_both_of_its_ends() {
    let root = root();
    let now = UnixTime::now().as_secs();
    let issued = root.issue(leaf().valid_from(at(now - 100)).valid_until(at(now + 100)));
    let verifier = Verifier::new(trusting(&root), Purpose::ServerAuth);
    let name = ServerName::try_from(HOST).expect("a name");
    let verify = |time| verifier.verify_server(&issued.chain, &name, at(time));
    let path = accepted(verify(now - 100));
    assert_eq!(path.earliest_expiry(), at(now + 100));
    accepted(verify(now + 100));
    let report = refused(verify(now - 101), Rule::NotBefore, LEAF);
    assert!(matches!(report.cause, Cause::NotYetValid { ahead: 1, .. }));
    let report = refused(verify(now + 101), Rule::NotAfter, LEAF);
    assert!(matches!(report.cause, Cause::Expired { ago: 1, .. }));
    assert_eq!(report.alert(), 45);
}

#[test]
fn expired_issuers_are_refused_wherever_they_stand() {
    let root = root();
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).expired(HOUR));
    refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::NotAfter, FIRST);
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).not_yet_valid(HOUR));
    refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::NotBefore, FIRST);
    let root = Ca::with(CaSpec::new("Root", P256).expired(HOUR));
    let report = refused(server(trusting(&root), &root.issue(leaf()).chain), Rule::NotAfter, ANCHOR);
    assert!(report.to_string().contains("replace the expired root"), "{report}");
}

#[test]
fn dates_before_1970_and_after_2049_are_understood() {
    let root = root();
    let issued = root.issue(leaf().valid_from(at(0)).valid_until(at(4_102_444_800)));
    let early = root.resign(&issued.chain[0], |tbs| der::replace(tbs, b"700101000000Z", b"500101000000Z"));
    let parsed = Certificate::parse(&early).expect("a certificate");
    assert_eq!(parsed.validity().not_before, -631_152_000);
    assert_eq!(parsed.validity().not_after, 4_102_444_800);
    assert_eq!(parsed.validity().to_string(), "1950-01-01 00:00:00 UTC until 2100-01-01 00:00:00 UTC");
    accepted(server(trusting(&root), &[early]));
}

#[test]
fn issuers_must_be_cas() {
    let root = root();
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).not_a_ca());
    let report = refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::BasicConstraints, FIRST);
    assert_eq!(report.cause, Cause::NotACa);
    let mut spec = CaSpec::new("Middle", P256);
    spec.ca = false;
    let middle = root.intermediate_with(spec);
    refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::BasicConstraints, FIRST);
}

#[test]
fn issuers_must_be_allowed_to_sign_certificates() {
    let root = root();
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).without_cert_sign());
    refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::KeyCertSign, FIRST);
    let mut spec = CaSpec::new("Middle", P256);
    spec.key_usage = None;
    accepted(server(trusting(&root), &root.intermediate_with(spec).issue(leaf()).chain));
}

#[test]
fn version_1_certificates_issue_nothing_and_are_no_peers() {
    let root = root();
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).without_key_ids());
    let issued = middle.issue(leaf());
    // Without the version in front and everything behind the key.
    let to_v1 = |certificate: &CertificateDer<'_>| {
        let spki = Certificate::parse(certificate).expect("a certificate").spki().to_vec();
        root.resign(certificate, |tbs| {
            let fields = der::contents(tbs);
            let key = fields.windows(spki.len()).position(|window| window == spki).expect("the key");
            *tbs = der::tlv(0x30, &[&fields[5..key + spki.len()]]);
        })
    };
    let chain = [issued.chain[0].clone(), to_v1(&issued.chain[1])];
    refused(server(trusting(&root), &chain), Rule::BasicConstraints, FIRST);
    let own = root.issue(leaf());
    refused(server(trusting(&root), &[to_v1(&own.chain[0])]), Rule::LeafVersion, LEAF);
    // A version 1 root says nothing about itself and is taken at the configuration's word.
    let old = to_v1(root.certificate());
    accepted(server(trusting_all([&old]), &own.chain));
}

#[test]
fn path_lengths_count_intermediates_that_are_not_self_issued() {
    let root = root();
    let limited = root.intermediate_with(CaSpec::new("Limited", P256).path_len(0));
    accepted(server(trusting(&root), &limited.issue(leaf()).chain));
    let below = limited.intermediate("Below", P256);
    let report =
        refused(server(trusting(&root), &below.issue(leaf()).chain), Rule::PathLength, Position::Chain(2));
    assert_eq!(report.cause, Cause::PathTooLong { limit: 0 });
    // The CA renews its key under its own name: that step does not count.
    let renewed = limited.intermediate("Limited", P256);
    accepted(server(trusting(&root), &renewed.issue(leaf()).chain));
    let limited_root = Ca::with(CaSpec::new("Root", P256).path_len(0));
    let issued = limited_root.intermediate("Middle", P256).issue(leaf());
    refused(server(trusting(&limited_root), &issued.chain), Rule::PathLength, ANCHOR);
}

#[test]
fn a_name_and_key_without_a_certificate_has_no_limits_of_its_own() {
    let limited_root = Ca::with(CaSpec::new("Root", P256).path_len(0).expired(HOUR));
    let issued = limited_root.intermediate("Middle", P256).issue(leaf());
    let certificate = Certificate::parse(limited_root.certificate()).expect("a certificate");
    let mut roots = Roots::empty();
    let anchor = TrustAnchor {
        subject: certificate.subject().contents().into(),
        subject_public_key_info: der::contents(certificate.spki()).into(),
        name_constraints: None,
    };
    roots.add_trust_anchor(&anchor).expect("an anchor");
    accepted(server(roots, &issued.chain));
    let constraints = der::tlv(0xa0, &[&der::tlv(0x30, &[&der::tlv(0x82, &[b"example.org"])])]);
    let mut roots = Roots::empty();
    let anchor = TrustAnchor { name_constraints: Some(constraints.into()), ..anchor };
    roots.add_trust_anchor(&anchor).expect("an anchor");
    refused(server(roots, &issued.chain), Rule::PermittedSubtrees, LEAF);
}

#[test]
fn the_peers_key_usage_must_allow_signatures() {
    let root = root();
    let encipherment_only: &[u8] = &[0x03, 0x02, 0x05, 0x20];
    let issued = root.issue(leaf().key_usage(Some(encipherment_only)));
    let report = refused(server(trusting(&root), &issued.chain), Rule::DigitalSignature, LEAF);
    assert!(matches!(report.cause, Cause::NotForPurpose { purpose: "digital signatures", .. }));
    accepted(server_with(trusting(&root), &issued.chain, Policy::default().lift(Rule::DigitalSignature)));
    accepted(server(trusting(&root), &root.issue(leaf().key_usage(None)).chain));
}

#[test]
fn extended_key_usage_limits_the_peer_and_everything_below_a_ca() {
    let root = root();
    let any = "2.5.29.37.0";
    accepted(server(trusting(&root), &root.issue(leaf().eku(&[])).chain));
    accepted(server(trusting(&root), &root.issue(leaf().eku(&[any])).chain));
    accepted(server(trusting(&root), &root.issue(leaf().eku(&[CLIENT_AUTH, SERVER_AUTH])).chain));
    let report = refused(
        server(trusting(&root), &root.issue(leaf().eku(&[CLIENT_AUTH])).chain),
        Rule::ExtendedKeyUsage,
        LEAF,
    );
    assert_eq!(report.alert(), 43);
    let client_only = root.issue(LeafSpec::client("alice"));
    accepted(client(trusting(&root), &client_only.chain));
    refused(client(trusting(&root), &root.issue(leaf()).chain), Rule::ExtendedKeyUsage, LEAF);
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).eku(&[CLIENT_AUTH]));
    refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::ExtendedKeyUsage, FIRST);
    accepted(client(trusting(&root), &middle.issue(LeafSpec::client("alice")).chain));
    let limited = Ca::with(CaSpec::new("Root", P256).eku(&[CLIENT_AUTH]));
    refused(server(trusting(&limited), &limited.issue(leaf()).chain), Rule::ExtendedKeyUsage, ANCHOR);
}

#[test]
fn unknown_critical_extensions_refuse_whom_they_stand_in() {
    let root = root();
    let oid = "1.3.6.1.4.1.99999.1";
    accepted(server(trusting(&root), &root.issue(leaf().extension(oid, false, &[5, 0])).chain));
    let report = refused(
        server(trusting(&root), &root.issue(leaf().extension(oid, true, &[5, 0])).chain),
        Rule::CriticalExtension,
        LEAF,
    );
    assert_eq!(report.cause, Cause::UnknownCritical { extension: oid.to_owned() });
    let middle = root.intermediate_with(CaSpec::new("Middle", P256).extension(oid, true, &[5, 0]));
    refused(server(trusting(&root), &middle.issue(leaf()).chain), Rule::CriticalExtension, FIRST);
}

/// The leaf of this chain with another key.
fn with_key(root: &Ca, leaf: &CertificateDer<'_>, key: &[u8]) -> [CertificateDer<'static>; 1] {
    let spki = Certificate::parse(leaf).expect("a certificate").spki().to_vec();
    let certificate = root.resign(leaf, |tbs| {
        let mut fields = der::contents(tbs).to_vec();
        der::replace(&mut fields, &spki, key);
        *tbs = der::tlv(0x30, &[&fields]);
    });
    [certificate]
}

#[test]
fn weak_and_unknown_keys_are_refused_before_they_are_used() {
    let root = root();
    let issued = root.issue(leaf());
    let spki = Certificate::parse(&issued.chain[0]).expect("a certificate").spki().to_vec();
    let with_key = |key: &[u8]| with_key(&root, &issued.chain[0], key);
    let rsa = |octets: usize| {
        let modulus = der::tlv(0x02, &[&[0], &vec![0xc1; octets]]);
        let key = der::tlv(0x30, &[&modulus, &[0x02, 0x03, 1, 0, 1]]);
        let algorithm = der::tlv(0x30, &[&der::oid("1.2.840.113549.1.1.1"), &[5, 0]]);
        der::tlv(0x30, &[&algorithm, &der::tlv(0x03, &[&[0], &key])])
    };
    let report = refused(server(trusting(&root), &with_key(&rsa(128))), Rule::KeyStrength, LEAF);
    assert_eq!(report.cause, Cause::WeakKey { key: "an RSA key of 1024 bits".to_owned() });
    refused(server(trusting(&root), &with_key(&rsa(1025))), Rule::KeyStrength, LEAF);
    accepted(server(trusting(&root), &with_key(&rsa(256))));
    let mut p192 = spki.clone();
    der::replace(&mut p192, &der::oid("1.2.840.10045.3.1.7"), &der::oid("1.2.840.10045.3.1.1"));
    refused(server(trusting(&root), &with_key(&p192)), Rule::KeyAlgorithm, LEAF);
    let dsa = der::tlv(
        0x30,
        &[&der::tlv(0x30, &[&der::oid("1.2.840.10040.4.1")]), &der::tlv(0x03, &[&[0, 2, 1, 1]])],
    );
    refused(server(trusting(&root), &with_key(&dsa)), Rule::KeyAlgorithm, LEAF);
}

#[test]
fn keys_have_the_form_and_the_parameters_of_their_algorithm() {
    let root = root();
    let issued = root.issue(leaf());
    let spki = Certificate::parse(&issued.chain[0]).expect("a certificate").spki().to_vec();
    let with_key = |key: &[u8]| with_key(&root, &issued.chain[0], key);
    let rsa_with = |modulus: &[u8], exponent: &[u8], parameters: &[u8]| {
        let key = der::tlv(0x30, &[&der::tlv(2, &[modulus]), &der::tlv(2, &[exponent])]);
        let algorithm = der::tlv(0x30, &[&der::oid("1.2.840.113549.1.1.1"), parameters]);
        with_key(&der::tlv(0x30, &[&algorithm, &der::tlv(0x03, &[&[0], &key])]))
    };
    let (modulus, null) = ([&[0][..], &[0xc1; 256]].concat(), &[5, 0][..]);
    let even = [&modulus[..256], &[0xc2]].concat();
    accepted(server(trusting(&root), &rsa_with(&modulus, &[3], null)));
    for chain in [
        // An exponent of 1 makes every number a signature of itself.
        rsa_with(&modulus, &[1], null),
        rsa_with(&modulus, &[2], null),
        rsa_with(&modulus, &[0xfd], null),
        rsa_with(&modulus[1..], &[3], null),
        rsa_with(&even, &[3], null),
        rsa_with(&modulus, &[3], &[]),
        rsa_with(&modulus, &[3], &[5, 0, 5, 0]),
        rsa_with(&modulus, &[3], &[0x30, 0]),
    ] {
        refused(server(trusting(&root), &chain), Rule::KeyAlgorithm, LEAF);
    }
    let ec = |curve: &str, more: &[u8], point: &[u8]| {
        let algorithm = der::tlv(0x30, &[&der::oid("1.2.840.10045.2.1"), &der::oid(curve), more]);
        with_key(&der::tlv(0x30, &[&algorithm, &der::tlv(0x03, &[&[0], point])]))
    };
    let point = &spki[26..];
    accepted(server(trusting(&root), &ec("1.2.840.10045.3.1.7", &[], point)));
    let (compressed, hybrid) = ([&[2], &point[1..33]].concat(), [&[6], &point[1..]].concat());
    for chain in [
        ec("1.2.840.10045.3.1.7", &[5, 0], point),
        ec("1.2.840.10045.3.1.7", &[], &point[..64]),
        ec("1.2.840.10045.3.1.7", &[], &compressed),
        ec("1.2.840.10045.3.1.7", &[], &hybrid),
        ec("1.3.132.0.34", &[], point),
        ec("1.3.132.0.10", &[], point),
        with_key(&der::tlv(
            0x30,
            &[&der::tlv(0x30, &[&der::oid("1.3.101.112"), &[5, 0]]), &der::tlv(3, &[&[0; 33]])],
        )),
        with_key(&der::tlv(0x30, &[&der::tlv(0x30, &[&der::oid("1.3.101.112")]), &der::tlv(3, &[&[0; 32]])])),
    ] {
        refused(server(trusting(&root), &chain), Rule::KeyAlgorithm, LEAF);
    }
}

#[test]
fn an_issuer_whose_point_is_not_on_its_curve_is_refused() {
    let root = root();
    let middle = root.intermediate("Middle", P256);
    let issued = middle.issue(leaf());
    let point = middle.key().spki()[26..].to_vec();
    let off = root.resign(&issued.chain[1], |tbs| {
        let mut wrong = point.clone();
        wrong[40] ^= 1;
        der::replace(tbs, &point, &wrong);
    });
    let report = refused(server(trusting(&root), &[issued.chain[0].clone(), off]), Rule::KeyAlgorithm, FIRST);
    assert!(matches!(report.cause, Cause::UnsupportedKey { .. }));
}

#[test]
fn broken_signature_algorithms_are_refused_by_name() {
    let root = root();
    let issued = root.issue(leaf());
    let sha256 = der::oid("1.2.840.10045.4.3.2");
    for (algorithm, name) in [
        (der::oid("1.2.840.10045.4.1"), "ecdsa-with-SHA1"),
        (der::oid("1.2.840.113549.1.1.5"), "sha1WithRSAEncryption"),
        (der::oid("1.2.840.113549.1.1.4"), "md5WithRSAEncryption"),
        (der::oid("1.2.3.4"), "1.2.3.4"),
    ] {
        let identifier = der::tlv(0x30, &[&algorithm]);
        let tbs = der::first(der::contents(&issued.chain[0]));
        let mut fields = der::contents(tbs).to_vec();
        der::replace(&mut fields, &der::tlv(0x30, &[&sha256]), &identifier);
        let certificate =
            der::tlv(0x30, &[&der::tlv(0x30, &[&fields]), &identifier, &der::tlv(0x03, &[&[0, 1]])]);
        let report = refused(server(trusting(&root), &[certificate.into()]), Rule::SignatureAlgorithm, LEAF);
        assert_eq!(report.cause, Cause::Algorithm { algorithm: name.to_owned() });
    }
}

#[test]
fn too_many_intermediates_are_refused() {
    let root = root();
    let mut ca = root.intermediate("0", P256);
    for number in 1..4 {
        ca = ca.intermediate(&number.to_string(), P256);
    }
    let issued = ca.issue(leaf());
    let limit = |depth| Policy::default().with_budget(Budget { depth, ..Budget::default() });
    accepted(server_with(trusting(&root), &issued.chain, limit(4)));
    let report = server_with(trusting(&root), &issued.chain, limit(3)).expect_err("too long");
    assert_eq!((report.rule, &report.cause), (Rule::PathDepth, &Cause::PathTooLong { limit: 3 }));
}

#[test]
fn names_of_cas_compare_without_case_and_spaces() {
    let root = Ca::with(CaSpec::with_subject("CN=Test  root,O=Ox", P256));
    let issued = root.issue(leaf());
    let renamed = |from: &[u8], to: &[u8]| [root.resign(&issued.chain[0], |tbs| der::replace(tbs, from, to))];
    accepted(server(trusting(&root), &renamed(b"Test  root", b"TEST root ")));
    refused(server(trusting(&root), &renamed(b"Test  root", b"Test  toor")), Rule::IssuerKnown, LEAF);
}

#[test]
fn key_identifiers_are_hints_and_never_proof() {
    let root = root();
    let middle = root.intermediate("Middle", P256);
    let issued = middle.issue(leaf());
    let mut spoiled = issued.chain[0].to_vec();
    let key_id =
        Certificate::parse(&issued.chain[0]).expect("a certificate").authority_key_id().expect("an AKI");
    let key_id = key_id.key_id.expect("a key identifier").to_vec();
    der::replace(&mut spoiled, &key_id, &[7; 20]);
    let spoiled = middle.resign(&spoiled.into(), |_| {});
    accepted(server(trusting(&root), &[spoiled, issued.chain[1].clone()]));
}

#[test]
fn strict_policy_refuses_what_only_profiles_forbid_and_each_rule_can_be_lifted() {
    let root = root();
    let issued = root.issue(leaf().without_key_ids());
    let report = server_with(trusting(&root), &issued.chain, Policy::strict()).expect_err("no AKI");
    assert_eq!(report.rule, Rule::AuthorityKeyIdentifierPresent, "{report}");
    accepted(server_with(
        trusting(&root),
        &issued.chain,
        Policy::strict().lift(Rule::AuthorityKeyIdentifierPresent),
    ));
    let required = Policy::default().require(Rule::AuthorityKeyIdentifierPresent);
    refused(server_with(trusting(&root), &issued.chain, required), Rule::AuthorityKeyIdentifierPresent, LEAF);
    // A rule of validation itself can't be lifted.
    let stranger = Ca::new("Stranger", P256).issue(leaf());
    let lifted = Policy::default().lift(Rule::IssuerKnown).lift(Rule::Signature);
    refused(server_with(trusting(&root), &stranger.chain, lifted), Rule::IssuerKnown, LEAF);
}

#[test]
fn what_the_test_pki_issues_passes_the_strict_policy() {
    let root = root();
    let issued = root.intermediate("Middle", P256).issue(leaf());
    accepted(server_with(trusting(&root), &issued.chain, Policy::strict()));
}

#[test]
fn fingerprints_of_verifiers_tell_what_decides_verdicts() {
    let (a, b) = (root(), Ca::new("B", P256));
    let print =
        |roots: Roots, purpose, policy| Verifier::new(roots, purpose).with_policy(policy).fingerprint();
    let server = Purpose::ServerAuth;
    let base = print(trusting_all([a.certificate(), b.certificate()]), server, Policy::default());
    assert_eq!(base, print(trusting_all([b.certificate(), a.certificate()]), server, Policy::default()));
    assert_ne!(base, print(trusting(&a), server, Policy::default()));
    assert_ne!(
        base,
        print(trusting_all([a.certificate(), b.certificate()]), Purpose::ClientAuth, Policy::default())
    );
    assert_ne!(base, print(trusting_all([a.certificate(), b.certificate()]), server, Policy::strict()));
}

/// Every input of a policy, each changed alone.
#[test]
fn fingerprints_tell_every_input_of_a_policy() {
    let root = root();
    let base = PolicyInputs::default();
    let set = |list: &[&str]| Some(list.iter().map(|text| text.parse().expect("an identifier")).collect());
    let with = |inputs: PolicyInputs| Policy::default().with_policy_inputs(inputs);
    let budget = Budget::default();
    let constraints = |base: &[u8]| {
        let list = der::tlv(0xa1, &[&der::tlv(0x30, &[&der::tlv(0x82, &[base])])]);
        Policy::default().with_name_constraints(&der::tlv(0x30, &[&list])).expect("constraints")
    };
    let policies = [
        Policy::default(),
        Policy::strict(),
        Policy::default().require(Rule::CaAsLeaf),
        Policy::default().lift(Rule::DigitalSignature),
        with(PolicyInputs { initial_policy_set: set(&[]), ..base.clone() }),
        with(PolicyInputs { initial_policy_set: set(&["1.2.3"]), ..base.clone() }),
        with(PolicyInputs { initial_policy_set: set(&["1.2.3", "1.2.4"]), ..base.clone() }),
        with(PolicyInputs { initial_explicit_policy: true, ..base.clone() }),
        with(PolicyInputs { initial_policy_mapping_inhibit: true, ..base.clone() }),
        with(PolicyInputs { initial_any_policy_inhibit: true, ..base.clone() }),
        Policy::default().with_required_policies(["1.2.3".parse().expect("an identifier")]),
        Policy::default().with_max_depth(1),
        Policy::default().with_budget(Budget { signatures: 1, ..budget }),
        Policy::default().with_budget(Budget { nodes: 1, ..budget }),
        Policy::default().with_budget(Budget { name_comparisons: 1, ..budget }),
        Policy::default().with_budget(Budget { policies: 1, ..budget }),
        constraints(b"a.test"),
        constraints(b"b.test"),
        #[cfg(feature = "public-suffix")]
        Policy::default().with_public_suffixes(oxtls_x509::PublicSuffixes::List),
    ];
    let print = |policy: &Policy| {
        Verifier::new(trusting(&root), Purpose::ServerAuth).with_policy(policy.clone()).fingerprint()
    };
    let prints: std::collections::BTreeSet<_> = policies.iter().map(print).collect();
    assert_eq!(prints.len(), policies.len());
    // The order of a set and what is in it twice decide nothing.
    let mixed = with(PolicyInputs { initial_policy_set: set(&["1.2.4", "1.2.3", "1.2.4"]), ..base });
    assert_eq!(print(&mixed), print(&policies[6]));
}

#[test]
fn depth_counts_intermediates_that_are_not_self_issued() {
    let root = root();
    let middle = root.intermediate("Middle", P256);
    let renewed = middle.intermediate("Middle", P256);
    let below = middle.intermediate("Below", P256);
    let judged = |issuer: &Ca, depth| {
        server_with(trusting(&root), &issuer.issue(leaf()).chain, Policy::default().with_max_depth(depth))
    };
    accepted(judged(&root, 0));
    refused(judged(&middle, 0), Rule::PathDepth, FIRST);
    accepted(judged(&middle, 1));
    accepted(judged(&renewed, 1));
    let report = refused(judged(&below, 1), Rule::PathDepth, Position::Chain(2));
    assert_eq!(report.cause, Cause::PathTooLong { limit: 1 });
    accepted(judged(&below, 2));
}

/// RFC 5280 section 6.1.1 (h) and (i): subtrees that no anchor need know of.
#[test]
fn initial_subtrees_hold_for_every_path() {
    let root = root();
    let subtrees = |tag: u8, base: &[u8]| {
        let list = der::tlv(tag, &[&der::tlv(0x30, &[&der::tlv(0x82, &[base])])]);
        der::tlv(0x30, &[&list])
    };
    let judged = |der: &[u8]| {
        let policy = Policy::default().with_name_constraints(der).expect("constraints");
        server_with(trusting(&root), &root.intermediate("Middle", P256).issue(leaf()).chain, policy)
    };
    accepted(judged(&subtrees(0xa0, b"example.com")));
    refused(judged(&subtrees(0xa0, b"example.org")), Rule::PermittedSubtrees, LEAF);
    refused(judged(&subtrees(0xa1, b"example.com")), Rule::ExcludedSubtrees, LEAF);
    accepted(judged(&subtrees(0xa1, b"example.org")));
    for wrong in [&[][..], &[0x30, 0], &[0x30, 2, 0xa0, 0], &[5, 0]] {
        assert!(Policy::default().with_name_constraints(wrong).is_err(), "{wrong:?}");
    }
    let trailing = [&subtrees(0xa0, b"example.com")[..], &[0]].concat();
    assert!(Policy::default().with_name_constraints(&trailing).is_err());
}

#[test]
fn a_peer_without_any_name_is_nobody() {
    let root = root();
    let nobody = root.issue(LeafSpec::bare().eku(&[CLIENT_AUTH]));
    refused(client(trusting(&root), &nobody.chain), Rule::SubjectPresent, LEAF);
    accepted(client(trusting(&root), &root.issue(LeafSpec::client("x")).chain));
    accepted(client(trusting(&root), &root.issue(LeafSpec::bare().eku(&[CLIENT_AUTH]).uri("urn:x")).chain));
}

#[test]
fn one_key_for_two_names_is_fine() {
    let root = root();
    let key = SigningKey::generate(P256).expect("a key");
    let spki = key.spki().to_vec();
    let issued = root.issue_for(leaf(), key);
    assert_eq!(Certificate::parse(&issued.chain[0]).expect("a certificate").spki(), spki);
    accepted(server(trusting(&root), &issued.chain));
}
