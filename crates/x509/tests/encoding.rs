//! Strict DER (X.690) and the form of certificates (RFC 5280 section 4): what a lax reader would let through.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may be blunt")]

mod common;

use common::*;
use oxtls_test_pki::{Ca, LeafSpec, der};
use oxtls_x509::{Certificate, GeneralName, ParseError, Rule, Version};
use pki_types::CertificateDer;
use proptest::prelude::*;

fn issued() -> (Ca, CertificateDer<'static>) {
    let root = root();
    let certificate =
        root.issue(leaf().ip([127, 0, 0, 1].into()).email("a@b.test").uri("https://b.test/")).chain[0]
            .clone();
    (root, certificate)
}

/// Reads a certificate whose signed part was edited; the edit sees the fields without the outer header.
fn edited(edit: impl FnOnce(&mut Vec<u8>)) -> Result<(), ParseError> {
    let (root, certificate) = issued();
    let edited = root.resign(&certificate, |tbs| {
        let mut fields = der::contents(tbs).to_vec();
        edit(&mut fields);
        *tbs = der::tlv(0x30, &[&fields]);
    });
    Certificate::parse(&edited).map(|_| ())
}

/// Reads a certificate with an extension more.
fn extended(oid: &str, critical: bool, value: &[u8]) -> Result<(), ParseError> {
    let issued = root().issue(LeafSpec::bare().extension(oid, critical, value));
    Certificate::parse(&issued.chain[0]).map(|_| ())
}

#[track_caller]
fn breaks(rule: Rule, outcome: Result<(), ParseError>) {
    assert_eq!(outcome.expect_err("should be refused").rule, rule);
}

#[test]
fn a_proper_certificate_is_read_in_full() {
    let (root, issued) = issued();
    let certificate = Certificate::parse(&issued).expect("a certificate");
    assert_eq!(certificate.version(), Version::V3);
    assert_eq!(certificate.issuer().to_string(), "CN=Root");
    assert!(certificate.subject().is_empty());
    assert_eq!(certificate.der(), issued.as_ref());
    assert_eq!(certificate.tbs(), der::first(der::contents(&issued)));
    assert_eq!(certificate.serial().len(), 16);
    let names: Vec<_> = certificate.alt_names().collect();
    let expected = [
        GeneralName::Dns(HOST),
        GeneralName::Ip(&[127, 0, 0, 1]),
        GeneralName::Email("a@b.test"),
        GeneralName::Uri("https://b.test/"),
    ];
    assert_eq!(names, expected);
    assert_eq!(certificate.extensions().count(), 5);
    let ca = Certificate::parse(root.certificate()).expect("a certificate");
    assert!(ca.basic_constraints().is_some_and(|constraints| constraints.ca && constraints.critical));
    assert_eq!(
        certificate.authority_key_id().and_then(|aki| aki.key_id),
        ca.subject_key_id().map(|ski| ski.key_id)
    );
}

#[test]
fn nothing_may_follow_or_be_cut_off() {
    let (_, certificate) = issued();
    let mut longer = certificate.to_vec();
    longer.push(0);
    breaks(Rule::Encoding, Certificate::parse(&longer).map(|_| ()));
    for length in 0..certificate.len() {
        assert!(Certificate::parse(&certificate[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn lengths_are_definite_and_shortest() {
    let (_, certificate) = issued();
    let contents = der::contents(&certificate).to_vec();
    let length = contents.len().to_be_bytes();
    let indefinite = [&[0x30, 0x80], contents.as_slice(), &[0, 0]].concat();
    breaks(Rule::Encoding, Certificate::parse(&indefinite).map(|_| ()));
    let long = [&[0x30, 0x83], &length[5..], contents.as_slice()].concat();
    breaks(Rule::Encoding, Certificate::parse(&long).map(|_| ()));
    let longest = [&[0x30, 0x88], &length[..], contents.as_slice()].concat();
    breaks(Rule::Encoding, Certificate::parse(&longest).map(|_| ()));
    breaks(
        Rule::Encoding,
        edited(|fields| der::replace(fields, &[0xa0, 3, 2, 1, 2], &[0xa0, 0x81, 3, 2, 1, 2])),
    );
}

#[test]
fn offsets_point_at_the_fault() {
    let (root, certificate) = issued();
    let offset = certificate.windows(2).position(|window| window == [0x17, 0x0d]).expect("a UTCTime");
    let wrong = root.resign(&certificate, |tbs| {
        let position = tbs.windows(2).position(|window| window == [0x17, 0x0d]).expect("a UTCTime");
        tbs[position + 14] = b'Y';
    });
    let error = Certificate::parse(&wrong).map(|_| ()).expect_err("a bad time");
    assert_eq!((error.rule, error.offset), (Rule::TimeEncoding, u32::try_from(offset).expect("small")));
}

#[test]
fn versions_are_as_their_fields_need() {
    let version = [0xa0, 3, 2, 1, 2];
    breaks(Rule::Version, edited(|fields| der::replace(fields, &version, &[0xa0, 3, 2, 1, 1])));
    breaks(Rule::Version, edited(|fields| der::replace(fields, &version, &[0xa0, 3, 2, 1, 3])));
    breaks(Rule::Version, edited(|fields| der::replace(fields, &version, &[0xa0, 3, 2, 1, 0])));
    breaks(Rule::Version, edited(|fields| der::replace(fields, &version, &[])));
    breaks(Rule::Encoding, edited(|fields| der::replace(fields, &version, &[0xa0, 4, 2, 2, 0, 2])));
}

#[test]
fn the_two_signature_algorithms_must_agree() {
    let outcome = edited(|fields| {
        der::replace(fields, &der::oid("1.2.840.10045.4.3.2"), &der::oid("1.2.840.10045.4.3.3"));
    });
    breaks(Rule::SignatureAlgorithmsAgree, outcome);
}

#[test]
fn integers_are_minimal() {
    let (_, certificate) = issued();
    let serial = Certificate::parse(&certificate).expect("a certificate").serial().to_vec();
    let root = root();
    let padded = root.resign(&certificate, |tbs| {
        let mut fields = der::contents(tbs).to_vec();
        der::replace(&mut fields, &der::tlv(2, &[&serial]), &der::tlv(2, &[&[0], &serial]));
        *tbs = der::tlv(0x30, &[&fields]);
    });
    breaks(Rule::Encoding, Certificate::parse(&padded).map(|_| ()));
    breaks(Rule::ExtensionEncoding, extended("2.5.29.19", true, &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 1]));
    breaks(Rule::ExtensionEncoding, extended("2.5.29.19", true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0x80]));
}

#[test]
fn booleans_are_canonical_and_defaults_left_out() {
    let constraints = |bytes: &[u8]| extended("2.5.29.19", true, bytes);
    assert_eq!(constraints(&[0x30, 3, 1, 1, 0xff]), Ok(()));
    assert_eq!(constraints(&[0x30, 0]), Ok(()));
    breaks(Rule::ExtensionEncoding, constraints(&[0x30, 3, 1, 1, 1]));
    breaks(Rule::ExtensionEncoding, constraints(&[0x30, 3, 1, 1, 0]));
    breaks(Rule::ExtensionEncoding, constraints(&[0x30, 4, 1, 2, 0xff, 0xff]));
    breaks(Rule::ExtensionEncoding, constraints(&[0x30, 3, 1, 1, 0xff, 0]));
    // critical FALSE, written out.
    breaks(
        Rule::Encoding,
        edited(|fields| {
            let usage = [0x30, 0x13, 6, 3, 0x55, 0x1d, 0x25];
            assert!(fields.windows(7).any(|window| window == usage));
            rewrite_extensions(fields, &usage, &[0x30, 0x16, 6, 3, 0x55, 0x1d, 0x25, 1, 1, 0]);
        }),
    );
}

/// Replaces bytes within the extensions and sets the lengths around them anew.
fn rewrite_extensions(fields: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let mut rest = &fields[..];
    let mut kept = Vec::new();
    while rest[0] != 0xa3 {
        let element = der::first(rest);
        kept.extend_from_slice(element);
        rest = &rest[element.len()..];
    }
    let mut extensions = der::contents(der::contents(rest)).to_vec();
    der::replace(&mut extensions, from, to);
    kept.extend(der::tlv(0xa3, &[&der::tlv(0x30, &[&extensions])]));
    *fields = kept;
}

#[test]
fn bit_strings_have_zero_padding_and_no_trailing_zero_bits() {
    let usage = |bytes: &[u8]| extended("2.5.29.15", true, bytes);
    let fresh = LeafSpec::bare().key_usage(None);
    let usage_alone = |bytes: &[u8]| {
        let issued = root().issue(fresh.clone().extension("2.5.29.15", true, bytes));
        Certificate::parse(&issued.chain[0]).map(|_| ())
    };
    assert_eq!(usage_alone(&[3, 2, 7, 0x80]), Ok(()));
    assert_eq!(usage_alone(&[3, 3, 7, 0, 0x80]), Ok(()));
    breaks(Rule::ExtensionEncoding, usage_alone(&[3, 2, 7, 0xc0]));
    breaks(Rule::ExtensionEncoding, usage_alone(&[3, 2, 0, 0x80]));
    breaks(Rule::ExtensionEncoding, usage_alone(&[3, 2, 8, 0x80]));
    breaks(Rule::ExtensionEncoding, usage_alone(&[3, 1, 7]));
    breaks(Rule::ExtensionEncoding, usage_alone(&[3, 0]));
    breaks(Rule::DuplicateExtension, usage(&[3, 2, 7, 0x80]));
}

#[test]
fn extensions_appear_once() {
    let twice = |oid: &str| {
        let issued = root().issue(leaf().extension(oid, false, &[5, 0]).extension(oid, false, &[5, 0]));
        Certificate::parse(&issued.chain[0]).map(|_| ())
    };
    breaks(Rule::DuplicateExtension, twice("1.3.6.1.4.1.99999.1"));
    breaks(Rule::DuplicateExtension, extended("2.5.29.14", false, &[4, 1, 0]));
    let mut many = LeafSpec::bare();
    for number in 0..100 {
        many = many.extension(&format!("1.3.6.1.4.1.99999.{number}"), false, &[5, 0]);
    }
    let issued = root().issue(many.clone());
    assert!(Certificate::parse(&issued.chain[0]).is_ok());
    for number in 100..200 {
        many = many.extension(&format!("1.3.6.1.4.1.99999.{number}"), false, &[5, 0]);
    }
    let outcome = Certificate::parse(&root().issue(many).chain[0]).map(|_| ());
    breaks(Rule::DuplicateExtension, outcome);
}

#[test]
fn known_extensions_have_the_form_of_their_section() {
    for (oid, value) in [
        // subjectAltName: no names; a name with non-ASCII characters; not a GeneralName; bytes behind.
        ("2.5.29.17", &[0x30, 0][..]),
        ("2.5.29.17", &[0x30, 3, 0x82, 1, 0xe9]),
        ("2.5.29.17", &[0x30, 2, 0x89, 0]),
        ("2.5.29.17", &[0x30, 3, 0x82, 1, b'a', 0]),
        ("2.5.29.17", &[4, 0]),
        // extendedKeyUsage without purposes, with a purpose cut off, or not in its shortest form.
        ("2.5.29.37", &[0x30, 0]),
        ("2.5.29.37", &[0x30, 3, 6, 1, 0x81]),
        ("2.5.29.37", &[0x30, 5, 6, 3, 0x2a, 0x80, 1]),
        ("2.5.29.37", &[0x30, 2, 6, 0]),
        // nameConstraints: empty, with empty lists, with a minimum.
        ("2.5.29.30", &[0x30, 0]),
        ("2.5.29.30", &[0x30, 2, 0xa0, 0]),
        ("2.5.29.30", &[0x30, 4, 5, 0, 5, 0]),
        ("2.5.29.30", &[0x30, 10, 0xa0, 8, 0x30, 6, 0x82, 1, b'a', 0x80, 1, 0]),
        // authorityInfoAccess without descriptions.
        ("1.3.6.1.5.5.7.1.1", &[0x30, 0]),
        ("1.3.6.1.5.5.7.1.1", &[0]),
        // policyConstraints that are no sequence.
        ("2.5.29.36", &[5, 0]),
    ] {
        let plain = LeafSpec::bare().without_key_ids().extension(oid, false, value);
        let issued = root().issue(plain);
        breaks(Rule::ExtensionEncoding, Certificate::parse(&issued.chain[0]).map(|_| ()));
    }
    let key_ids = LeafSpec::bare().without_key_ids();
    for (oid, value) in [("2.5.29.35", &[0x30, 3, 0x81, 1, 0][..]), ("2.5.29.14", &[0x30, 0])] {
        let issued = root().issue(key_ids.clone().extension(oid, false, value));
        breaks(Rule::ExtensionEncoding, Certificate::parse(&issued.chain[0]).map(|_| ()));
    }
}

#[test]
fn high_tags_and_oversized_certificates_are_refused() {
    breaks(Rule::Encoding, Certificate::parse(&[0x3f, 0x81, 0]).map(|_| ()));
    let huge = der::tlv(0x30, &[&vec![0; 256 * 1024]]);
    breaks(Rule::Encoding, Certificate::parse(&huge).map(|_| ()));
}

#[test]
fn strings_in_names_hold_what_their_type_allows() {
    let (root, _) = issued();
    let named = root.issue(leaf().subject("CN=abcdefg"));
    let with = |to: &[u8]| {
        let certificate = root.resign(&named.chain[0], |tbs| der::replace(tbs, b"\x0c\x07abcdefg", to));
        Certificate::parse(&certificate).map(|parsed| parsed.subject().to_string())
    };
    assert_eq!(with(b"\x0c\x07abcdef\n").expect("escaped"), "CN=abcdef\\u{a}");
    assert_eq!(with(b"\x0c\x07a,b+c=d").expect("escaped"), "CN=a\\,b\\+c=d");
    assert_eq!(with("\x0c\x07abcd\u{202e}".as_bytes()).expect("escaped"), "CN=abcd\\u{202e}");
    assert_eq!(with(b"\x14\x07abcd\xe9fg").expect("Latin-1"), "CN=abcdéfg");
    assert!(with(b"\x0c\x07abcde\xff\xff").is_err());
    assert!(with(b"\x13\x07abcde\xc3\xa9").is_err());
    assert!(with(b"\x1e\x07abcdefg").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes at all: an answer, never a panic.
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Certificate::parse(&bytes);
    }
}

/// Certificates with some octets changed, in every position of a chain: an answer, never a panic, and never
/// acceptance of a changed certificate.
#[test]
fn mutated_chains_never_panic_and_are_never_accepted() {
    let root = root();
    let policy = |last: u8| der::oid(&format!("1.3.6.1.4.1.5555.{last}"));
    let information = [1, 2].map(|last| der::tlv(0x30, &[&policy(last)])).concat();
    let policies = der::tlv(0x30, &[&information]);
    let mappings = der::tlv(0x30, &[&der::tlv(0x30, &[&policy(1), &policy(2)])]);
    let spec = oxtls_test_pki::CaSpec::new("Middle", P256)
        .permit(0x82, b"example.com")
        .exclude(0x87, &[10, 0, 0, 0, 255, 0, 0, 0])
        .extension("2.5.29.32", false, &policies)
        .extension("2.5.29.33", false, &mappings)
        .extension("2.5.29.36", true, &der::tlv(0x30, &[&[0x80, 1, 3, 0x81, 1, 2]]))
        .extension("2.5.29.54", true, &[2, 1, 1]);
    let leaf = leaf().ip([127, 0, 0, 1].into()).subject("CN=x").extension("2.5.29.32", false, &policies);
    let issued = root.intermediate_with(spec).issue(leaf);
    let roots = trusting(&root);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..20_000 {
        let mut chain = issued.chain.clone();
        let victim = usize::from(round % 2 == 0);
        let mut bytes = chain[victim].to_vec();
        for _ in 0..=random() % 3 {
            let at = usize::try_from(random()).expect("64 bits") % bytes.len();
            match random() % 4 {
                0 => bytes[at] = random().to_le_bytes()[0],
                1 => bytes[at] ^= 1 << (random() % 8),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, random().to_le_bytes()[0]),
            }
        }
        let changed = bytes != chain[victim].as_ref();
        chain[victim] = bytes.into();
        match server(roots.clone(), &chain) {
            Ok(_) => assert!(!changed, "accepted in round {round}"),
            Err(report) => {
                assert!(!report.to_string().is_empty());
                assert!(!report.explain().is_empty());
            }
        }
    }
}
