//! Every form of private key, and every mistake that people make with key files.

use pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::der::{
    self, AlgorithmIdentifier, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, explicit,
};
use super::tests::{ALL, KEYS, identifier, key, pss_parameters};
use super::*;
use crate::hash::Hash;

const CURVES: [KeyAlgorithm; 3] = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP521];

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * position) & 63).unwrap();
            out.push(if position <= chunk.len() { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    out
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = base64(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| core::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The key inside of a PKCS#8 structure.
fn inner(pkcs8: &[u8]) -> Vec<u8> {
    let mut fields = Reader::new(der::only(pkcs8, SEQUENCE).unwrap());
    fields.small().unwrap();
    AlgorithmIdentifier::read(&mut fields).unwrap();
    fields.read(OCTET_STRING).unwrap().to_vec()
}

fn pkcs8_of(algorithm: KeyAlgorithm) -> Vec<u8> {
    key(algorithm).to_pkcs8_der().unwrap().to_vec()
}

fn wrap(identifier: &[u8], key: &[u8]) -> Vec<u8> {
    der::encode(SEQUENCE, &[&[INTEGER, 1, 0], identifier, &der::encode(OCTET_STRING, &[key])]).to_vec()
}

pub(super) fn restricted_pss_pkcs8(key: &SigningKey, parameters: &[u8]) -> Vec<u8> {
    wrap(&identifier(oid::RSASSA_PSS, parameters), &inner(&key.to_pkcs8_der().unwrap()))
}

/// A SEC 1 key that names its curve, made from PKCS#8, where the curve stands outside.
fn sec1_of(algorithm: KeyAlgorithm, curve: &[u8]) -> Vec<u8> {
    let inner = inner(&pkcs8_of(algorithm));
    let mut fields = Reader::new(der::only(&inner, SEQUENCE).unwrap());
    assert_eq!(fields.small(), Some(1));
    let private = fields.read(OCTET_STRING).unwrap();
    assert_eq!(fields.optional(explicit(0)), Some(None), "the library writes no curve into PKCS#8");
    let public = fields.read(explicit(1)).unwrap();
    let name = der::encode(explicit(0), &[&der::encode(OBJECT_IDENTIFIER, &[curve])]);
    let private = der::encode(OCTET_STRING, &[private]);
    der::encode(SEQUENCE, &[&[INTEGER, 1, 1], &private, &name, &der::encode(explicit(1), &[public])]).to_vec()
}

fn curve_oid(algorithm: KeyAlgorithm) -> &'static [u8] {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => oid::SECP256R1,
        KeyAlgorithm::EcdsaP384 => oid::SECP384R1,
        _ => oid::SECP521R1,
    }
}

/// Loaded is the same key: same kind, same public half, and it signs what that half verifies.
#[track_caller]
fn assert_same(loaded: Result<SigningKey, KeyError>, original: &SigningKey) {
    let loaded = loaded.unwrap();
    assert_eq!(loaded.key_algorithm(), original.key_algorithm());
    assert_eq!(loaded.spki(), original.spki());
    let scheme = loaded.schemes()[0];
    let signature = loaded.sign(scheme, b"message").unwrap();
    PublicKey::from_spki(original.spki()).unwrap().verify_tls(scheme, b"message", &signature).unwrap();
}

#[test]
fn every_algorithm_loads_from_pkcs8() {
    for key in KEYS.iter() {
        let pkcs8 = key.to_pkcs8_der().unwrap();
        assert_same(SigningKey::from_pkcs8_der(&pkcs8), key);
        assert_same(SigningKey::from_any_der(&pkcs8), key);
        assert_same(SigningKey::from_pem(pem("PRIVATE KEY", &pkcs8)), key);
        let typed = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.to_vec()));
        assert_same(SigningKey::from_der(&typed), key);
        assert_same(SigningKey::from_der(&key.to_private_key_der().unwrap()), key);
    }
}

#[test]
fn rsa_loads_from_pkcs1() {
    let key = key(KeyAlgorithm::Rsa);
    let pkcs1 = inner(&key.to_pkcs8_der().unwrap());
    assert_same(SigningKey::from_pkcs1_der(&pkcs1), key);
    assert_same(SigningKey::from_any_der(&pkcs1), key);
    assert_same(SigningKey::from_pem(pem("RSA PRIVATE KEY", &pkcs1)), key);
    assert_same(SigningKey::from_der(&PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(pkcs1))), key);
}

#[test]
fn every_curve_loads_from_sec1() {
    for algorithm in CURVES {
        let sec1 = sec1_of(algorithm, curve_oid(algorithm));
        let key = key(algorithm);
        assert_same(SigningKey::from_sec1_der(&sec1), key);
        assert_same(SigningKey::from_any_der(&sec1), key);
        assert_same(SigningKey::from_pem(pem("EC PRIVATE KEY", &sec1)), key);
        assert_same(SigningKey::from_der(&PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(sec1))), key);
    }
}

#[test]
fn curve_keys_load_without_their_public_half() {
    for algorithm in CURVES {
        let sec1 = inner(&pkcs8_of(algorithm));
        let mut fields = Reader::new(der::only(&sec1, SEQUENCE).unwrap());
        fields.small().unwrap();
        let private = der::encode(OCTET_STRING, &[fields.read(OCTET_STRING).unwrap()]);
        let bare = der::encode(SEQUENCE, &[&[INTEGER, 1, 1], &private]);
        let curve = der::encode(OBJECT_IDENTIFIER, &[curve_oid(algorithm)]);
        let pkcs8 = wrap(&identifier(oid::EC_PUBLIC_KEY, &curve), &bare);
        assert_same(SigningKey::from_pkcs8_der(&pkcs8), key(algorithm));
    }
}

#[test]
fn ml_dsa_loads_from_its_seed_and_from_its_expanded_form() {
    for (algorithm, key_oid) in [
        (KeyAlgorithm::MlDsa44, oid::ML_DSA_44),
        (KeyAlgorithm::MlDsa65, oid::ML_DSA_65),
        (KeyAlgorithm::MlDsa87, oid::ML_DSA_87),
    ] {
        let key = key(algorithm);
        let seeded = key.to_pkcs8_der().unwrap();
        assert!(seeded.len() < 100, "the seed form is short: {}", seeded.len());
        let expanded = key.expanded_ml_dsa_for_tests();
        assert!(expanded.len() > 2500);
        let loaded = SigningKey::from_pkcs8_der(&expanded).unwrap();
        let again = loaded.to_pkcs8_der().unwrap();
        assert_same(Ok(loaded), key);
        assert_same(SigningKey::from_pkcs8_der(&again), key);
        // RFC 9881 section 6, "both": a seed and an expanded key that belong together, and two that do not.
        let seed = der::only(&inner(&seeded), 0x80).unwrap().to_vec();
        let both = |seed: &[u8]| {
            let seed = der::encode(OCTET_STRING, &[seed]);
            wrap(&identifier(key_oid, &[]), &der::encode(SEQUENCE, &[&seed, &inner(&expanded)]))
        };
        assert_same(SigningKey::from_pkcs8_der(&both(&seed)), key);
        let refused = SigningKey::from_pkcs8_der(&both(&[7; 32])).err();
        assert_eq!(refused, Some(KeyError::Inconsistent { algorithm }));
    }
}

#[test]
fn a_restricted_rsa_pss_key_survives_writing_and_loading() {
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let pkcs8 = restricted_pss_pkcs8(key(KeyAlgorithm::RsaPss), &pss_parameters(hash));
        let first = SigningKey::from_pkcs8_der(&pkcs8).unwrap();
        assert_eq!(first.to_pkcs8_der().unwrap().as_slice(), pkcs8);
        assert_same(SigningKey::from_pkcs8_der(&pkcs8), &first);
        assert_ne!(first.spki(), key(KeyAlgorithm::RsaPss).spki(), "the parameters belong to the public key");
    }
    let sha1 = restricted_pss_pkcs8(key(KeyAlgorithm::RsaPss), &[0x30, 0]);
    assert_eq!(SigningKey::from_pkcs8_der(&sha1).err(), Some(KeyError::UnsupportedPssParameters));
}

#[test]
fn certificates_and_parameters_beside_the_key_are_passed_over() {
    let key = key(KeyAlgorithm::EcdsaP256);
    let sec1 = sec1_of(KeyAlgorithm::EcdsaP256, oid::SECP256R1);
    let parameters = der::encode(OBJECT_IDENTIFIER, &[oid::SECP256R1]);
    let file = [
        "subject=CN = example\n",
        &pem("CERTIFICATE", &[0x30, 0]),
        &pem("EC PARAMETERS", &parameters),
        &pem("EC PRIVATE KEY", &sec1),
        &pem("DH PARAMETERS", &[0x30, 0]),
    ]
    .concat();
    assert_same(SigningKey::from_pem(&file), key);
    assert_same(SigningKey::from_pem(file.replace('\n', "\r\n")), key);
}

#[track_caller]
fn refused(result: Result<SigningKey, KeyError>, wanted: &KeyError, sentence: &[&str]) {
    let error = result.err().unwrap();
    assert_eq!(&error, wanted);
    for part in sentence {
        assert!(error.to_string().contains(part), "{error}");
    }
}

fn no_key(labels: &[&str]) -> KeyError {
    KeyError::NoPrivateKey { found: labels.iter().map(ToString::to_string).collect() }
}

#[test]
fn an_empty_file_is_called_empty() {
    for nothing in ["", "\n", " \r\n\t\n"] {
        refused(SigningKey::from_pem(nothing), &KeyError::Empty, &["empty", "wanted", "PKCS#8"]);
    }
}

#[test]
fn a_file_that_is_not_pem_is_told_from_der() {
    let not_pem = KeyError::NotPem { looks_like_der: false };
    refused(SigningKey::from_pem("hello"), &not_pem, &["no PEM section", "wanted"]);
    let der = KeyError::NotPem { looks_like_der: true };
    refused(SigningKey::from_pem(pkcs8_of(KeyAlgorithm::Ed25519)), &der, &["DER, not PEM"]);
}

#[test]
fn a_file_without_a_key_says_what_it_holds_instead() {
    let certificate = pem("CERTIFICATE", &[0x30, 0]);
    refused(
        SigningKey::from_pem(certificate.repeat(2)),
        &no_key(&["CERTIFICATE", "CERTIFICATE"]),
        &["found CERTIFICATE, CERTIFICATE", "wanted", "swapped"],
    );
    for (label, hint) in [
        ("EC PARAMETERS", "only name a curve"),
        ("PUBLIC KEY", "cannot sign"),
        ("RSA PUBLIC KEY", "cannot sign"),
        ("OPENSSH PRIVATE KEY", "ssh-keygen"),
        ("DSA PRIVATE KEY", "DSA"),
        ("CERTIFICATE REQUEST", "request"),
        ("X509 CRL", "wanted"),
    ] {
        refused(SigningKey::from_pem(pem(label, &[0x30, 0])), &no_key(&[label]), &[label, hint]);
    }
}

#[test]
fn an_encrypted_key_is_called_encrypted_in_all_its_forms() {
    let encrypted = der::encode(SEQUENCE, &[&identifier(&[0x2a, 0x03], &[0x30, 0]), &[OCTET_STRING, 1, 9]]);
    refused(
        SigningKey::from_pem(pem("ENCRYPTED PRIVATE KEY", &encrypted)),
        &KeyError::Encrypted,
        &["encrypted", "wanted an unencrypted one"],
    );
    refused(SigningKey::from_any_der(&encrypted), &KeyError::Encrypted, &[]);
    refused(SigningKey::from_pkcs8_der(&encrypted), &KeyError::Encrypted, &[]);
    let old = pem("RSA PRIVATE KEY", &[7; 60]).replacen(
        '\n',
        "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n",
        1,
    );
    refused(SigningKey::from_pem(&old), &KeyError::Encrypted, &[]);
    refused(SigningKey::from_pem(old.replace('\n', "\r\n")), &KeyError::Encrypted, &[]);
}

#[test]
fn two_keys_in_one_file_are_not_guessed_between() {
    let one = pem("PRIVATE KEY", &pkcs8_of(KeyAlgorithm::Ed25519));
    refused(
        SigningKey::from_pem(one.repeat(2)),
        &KeyError::SeveralPrivateKeys { count: 2 },
        &["exactly one"],
    );
}

#[test]
fn damaged_pem_says_how_it_is_damaged() {
    let good = pem("PRIVATE KEY", &pkcs8_of(KeyAlgorithm::Ed25519));
    for (bad, sentence) in [
        (good.replace("-----END PRIVATE KEY-----\n", ""), "no line that ends it"),
        (good.replace("BEGIN PRIVATE KEY-----", "BEGIN PRIVATE KEY---"), "five dashes"),
        (good.replacen("\nM", "\n*", 1), "base64"),
    ] {
        assert_ne!(bad, good);
        let error = SigningKey::from_pem(&bad).err().unwrap();
        assert!(matches!(error, KeyError::BadPem(_)), "{error:?}");
        assert!(error.to_string().contains(sentence), "{error}");
    }
}

#[test]
fn der_cut_anywhere_or_with_data_behind_it_is_called_malformed() {
    let pkcs1 = inner(&pkcs8_of(KeyAlgorithm::Rsa));
    let sec1 = sec1_of(KeyAlgorithm::EcdsaP256, oid::SECP256R1);
    let mut forms: Vec<Vec<u8>> = ALL.into_iter().map(pkcs8_of).collect();
    forms.extend([pkcs1, sec1]);
    for whole in forms {
        for len in (0..whole.len()).step_by(7) {
            let error = SigningKey::from_any_der(&whole[..len]).err().unwrap();
            assert!(matches!(error, KeyError::Malformed { form: "DER", .. }), "{len}: {error:?}");
            assert!(error.to_string().contains("cut short"), "{error}");
        }
        let error = SigningKey::from_any_der(&[&whole[..], &[0]].concat()).err().unwrap();
        assert!(matches!(error, KeyError::Malformed { form: "DER", .. }), "{error:?}");
    }
}

#[test]
fn a_key_under_the_wrong_label_says_what_it_is() {
    let pkcs8 = pkcs8_of(KeyAlgorithm::Rsa);
    let pkcs1 = inner(&pkcs8);
    let sec1 = sec1_of(KeyAlgorithm::EcdsaP256, oid::SECP256R1);
    let public = key(KeyAlgorithm::Rsa).spki();
    let rsa_public = spki::Spki::read(public).unwrap().key;
    let certificate = der::encode(SEQUENCE, &[&[0x30, 0], &[0x30, 0], &[3, 1, 0]]);
    let parameters = der::encode(OBJECT_IDENTIFIER, &[oid::SECP256R1]);
    for (label, der, found) in [
        (
            "PRIVATE KEY",
            &pkcs1[..],
            "found an RSA private key in PKCS#1 form, wanted a private key in PKCS#8",
        ),
        ("PRIVATE KEY", &sec1, "found an elliptic curve private key in SEC 1 form"),
        (
            "RSA PRIVATE KEY",
            &pkcs8,
            "found a private key in PKCS#8 form, wanted an RSA private key in PKCS#1",
        ),
        ("EC PRIVATE KEY", &pkcs8, "wanted an elliptic curve private key in SEC 1 form"),
        ("PRIVATE KEY", public, "found a public key (SubjectPublicKeyInfo)"),
        ("RSA PRIVATE KEY", rsa_public, "found a public key (PKCS#1 RSAPublicKey)"),
        ("PRIVATE KEY", &certificate, "found a certificate"),
        ("EC PRIVATE KEY", &parameters, "found the name of an elliptic curve"),
        ("PRIVATE KEY", &[0x30, 2, NULL, 0], "found DER of an unknown kind"),
    ] {
        let error = SigningKey::from_pem(pem(label, der)).err().unwrap();
        assert!(matches!(error, KeyError::NotAPrivateKey { .. }), "{error:?}");
        assert!(error.to_string().contains(found), "{error}");
        if !found.contains("private key in") {
            assert!(matches!(SigningKey::from_any_der(der), Err(KeyError::NotAPrivateKey { .. })));
        }
    }
}

#[test]
fn a_curve_that_is_not_supported_is_named() {
    let secp256k1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x0a];
    let wanted = KeyError::UnsupportedCurve { found: "1.3.132.0.10 (secp256k1)".into() };
    let sec1 = sec1_of(KeyAlgorithm::EcdsaP256, secp256k1);
    refused(SigningKey::from_sec1_der(&sec1), &wanted, &["secp256k1", "wanted P-256, P-384 or P-521"]);
    let curve = der::encode(OBJECT_IDENTIFIER, &[secp256k1]);
    let pkcs8 = wrap(&identifier(oid::EC_PUBLIC_KEY, &curve), &inner(&pkcs8_of(KeyAlgorithm::EcdsaP256)));
    refused(SigningKey::from_pkcs8_der(&pkcs8), &wanted, &[]);
}

#[test]
fn a_curve_must_be_named_and_be_the_keys_own() {
    let nameless = inner(&pkcs8_of(KeyAlgorithm::EcdsaP256));
    let error = SigningKey::from_sec1_der(&nameless).err().unwrap();
    assert!(error.to_string().contains("does not name its curve"), "{error}");
    let pkcs8 = wrap(&identifier(oid::EC_PUBLIC_KEY, &[]), &nameless);
    let error = SigningKey::from_pkcs8_der(&pkcs8).err().unwrap();
    assert!(error.to_string().contains("not given by name"), "{error}");
    let mut explicit_curve = sec1_of(KeyAlgorithm::EcdsaP256, oid::SECP256R1);
    let name = explicit_curve.windows(8).position(|window| window == oid::SECP256R1).unwrap() - 2;
    explicit_curve[name] = SEQUENCE;
    let error = SigningKey::from_sec1_der(&explicit_curve).err().unwrap();
    assert!(error.to_string().contains("not given by name"), "{error}");
    let other = sec1_of(KeyAlgorithm::EcdsaP256, oid::SECP384R1);
    let algorithm = KeyAlgorithm::EcdsaP384;
    refused(SigningKey::from_sec1_der(&other), &KeyError::Inconsistent { algorithm }, &["damaged"]);
}

#[test]
fn algorithms_that_cannot_sign_are_named() {
    for (oid, name) in [
        (&[0x2b, 0x65, 0x6e][..], "X25519"),
        (&[0x2b, 0x65, 0x71], "Ed448"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "DSA"),
        (&[0x2a, 0x03, 0x04], "1.2.3.4"),
    ] {
        let error = SigningKey::from_pkcs8_der(&wrap(&identifier(oid, &[]), &[4, 1, 9])).err().unwrap();
        assert!(matches!(error, KeyError::UnsupportedAlgorithm { .. }), "{error:?}");
        assert!(error.to_string().contains(name) && error.to_string().contains("wanted"), "{error}");
    }
}

/// An RSAPrivateKey around a modulus of this many bits; only its size is ever looked at.
fn rsa_of(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0x55; bits / 8];
    modulus[0] = 0x80;
    let number = der::encode(INTEGER, &[&[0], &modulus]);
    let e = [INTEGER, 3, 1, 0, 1];
    der::encode(SEQUENCE, &[&[INTEGER, 1, 0], &number, &e, &number, &e, &e, &e, &e, &e]).to_vec()
}

#[test]
fn rsa_keys_outside_of_2048_to_8192_bits_are_refused_with_their_size() {
    for bits in [512, 1024, 2040, 8200, 16384] {
        let wanted = KeyError::UnsupportedRsaSize { bits };
        let sentence = format!("{bits} bits: wanted 2048 to 8192");
        refused(SigningKey::from_pkcs1_der(&rsa_of(bits)), &wanted, &[&sentence]);
        let pkcs8 = wrap(&identifier(oid::RSA_ENCRYPTION, &[NULL, 0]), &rsa_of(bits));
        refused(SigningKey::from_pkcs8_der(&pkcs8), &wanted, &[]);
        let pss = wrap(&identifier(oid::RSASSA_PSS, &[]), &rsa_of(bits));
        refused(SigningKey::from_pkcs8_der(&pss), &wanted, &[]);
    }
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let algorithm = KeyAlgorithm::Rsa;
    refused(SigningKey::from_pkcs1_der(&rsa_of(2048)), &KeyError::Inconsistent { algorithm }, &["RSA"]);
    let mut multi_prime = rsa_of(2048);
    assert_eq!(multi_prime[4..7], [INTEGER, 1, 0]);
    multi_prime[6] = 1;
    let error = SigningKey::from_pkcs1_der(&multi_prime).err().unwrap();
    assert!(error.to_string().contains("more than two primes"), "{error}");

    // A real key with one bit of one of its numbers changed.
    let good = inner(&pkcs8_of(KeyAlgorithm::Rsa));
    for at in [20, good.len() / 2, good.len() - 20] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(SigningKey::from_pkcs1_der(&bad).is_err(), "byte {at}");
    }
    for algorithm in CURVES {
        let mut bad = sec1_of(algorithm, curve_oid(algorithm));
        *bad.last_mut().unwrap() ^= 1;
        refused(SigningKey::from_sec1_der(&bad), &KeyError::Inconsistent { algorithm }, &["damaged"]);
    }
}

#[test]
fn no_error_repeats_key_material() {
    let der = pkcs8_of(KeyAlgorithm::Ed25519);
    let text = base64(&der);
    let broken = pem("PRIVATE KEY", &der).replace("-----END", "----END");
    let error = SigningKey::from_pem(broken).err().unwrap();
    let shown = format!("{error} {error:?}");
    assert!(text.as_bytes().windows(12).all(|part| !shown.contains(core::str::from_utf8(part).unwrap())));
}

/// Hostile and accidental bytes end in an error, never in a panic.
#[test]
fn mutants_of_private_keys_never_panic() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa44] {
        let whole = pkcs8_of(algorithm);
        for index in 0..whole.len() {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut mutant = whole.clone();
                mutant[index] = value;
                let _ = SigningKey::from_any_der(&mutant);
                let _ = SigningKey::from_sec1_der(&mutant);
                let _ = SigningKey::from_pkcs1_der(&mutant);
            }
        }
    }
}
