//! Extensions: twice, empty, misplaced, of the wrong criticality; RFC 5280 section 4.2.

use super::*;

const EKU: &str = "2.5.29.37";
const USAGE: &str = "2.5.29.15";
const BASIC: &str = "2.5.29.19";
const AKI: &str = "2.5.29.35";
const SKI: &str = "2.5.29.14";
const SAN: &str = "2.5.29.17";
const ISSUER_NAMES: &str = "2.5.29.18";
const POINTS: &str = "2.5.29.31";
const FRESHEST: &str = "2.5.29.46";
const POLICIES: &str = "2.5.29.32";
const MAPPINGS: &str = "2.5.29.33";
const LIMITS: &str = "2.5.29.36";
const NO_ANY: &str = "2.5.29.54";
const ACCESS: &str = "1.3.6.1.5.5.7.1.1";
const SUBJECT_ACCESS: &str = "1.3.6.1.5.5.7.1.11";
const POISON: &str = "1.3.6.1.4.1.11129.2.4.3";

const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
const ANY: &str = "2.5.29.37.0";
const CODE: &str = "1.3.6.1.5.5.7.3.3";

pub(super) fn cases() -> Vec<Case> {
    [twice(), forms(), criticality(), purposes(), usages(), authorities(), identifiers()]
        .into_iter()
        .flatten()
        .collect()
}

fn twice() -> Vec<Case> {
    let duplicate = both(Rule::DuplicateExtension);
    let mut cases = Vec::new();
    // Once by the builder, once more; or both times here.
    for (oid, value) in [
        (EKU, &[0x30, 3, 6, 1, 0x2a][..]),
        (USAGE, &[3, 2, 7, 0x80]),
        (SAN, &[0x30, 3, 0x82, 1, b'a']),
        (SKI, &[4, 1, 7]),
        (AKI, &[0x30, 3, 0x80, 1, 7]),
    ] {
        cases.push(by_leaf(format!("{oid} twice"), leaf().extension(oid, false, value), duplicate));
    }
    for (oid, value) in [
        (BASIC, &[0x30, 0][..]),
        (ISSUER_NAMES, &[0x30, 3, 0x82, 1, b'a']),
        (POINTS, &[0x30, 7, 0x30, 5, 0xa0, 3, 0xa0, 1, 0]),
        (POLICIES, &[0x30, 5, 0x30, 3, 6, 1, 0x2a]),
        (ACCESS, &[0x30, 8, 0x30, 6, 6, 1, 0x2a, 0x86, 1, b'a']),
        ("1.3.6.1.4.1.99999.1", &[5, 0]),
        ("2.5.29.9", &[5, 0]),
    ] {
        let spec = leaf().extension(oid, false, value).extension(oid, false, value);
        let case = by_leaf(format!("{oid} twice"), spec, duplicate);
        cases.push(case);
    }
    cases
}

/// What a known extension cannot hold. Nothing tells what the CA meant: refused by everybody.
fn forms() -> Vec<Case> {
    let malformed = both(Rule::ExtensionEncoding);
    let bare = || LeafSpec::bare().dns(HOST).eku(&[]).key_usage(None).without_key_ids();
    let mut cases = Vec::new();
    for (what, oid, value) in [
        ("keyUsage with padding that is set", USAGE, &[3, 2, 7, 0x81][..]),
        ("keyUsage with trailing zero bits", USAGE, &[3, 2, 0, 0x80]),
        ("keyUsage as an OCTET STRING", USAGE, &[4, 2, 7, 0x80]),
        ("extendedKeyUsage without a purpose", EKU, &[0x30, 0]),
        ("extendedKeyUsage as a SET", EKU, &[0x31, 3, 6, 1, 0x2a]),
        ("basicConstraints with cA FALSE", BASIC, &[0x30, 3, 1, 1, 0]),
        ("basicConstraints with a TRUE of its own", BASIC, &[0x30, 3, 1, 1, 1]),
        ("basicConstraints with a negative length", BASIC, &[0x30, 6, 1, 1, 0xff, 2, 1, 0xff]),
        ("basicConstraints with a long zero", BASIC, &[0x30, 7, 1, 1, 0xff, 2, 2, 0, 0]),
        (
            "basicConstraints with a length beyond 32 bits",
            BASIC,
            &[0x30, 10, 1, 1, 0xff, 2, 5, 1, 0, 0, 0, 0],
        ),
        ("basicConstraints in the wrong order", BASIC, &[0x30, 6, 2, 1, 0, 1, 1, 0xff]),
        ("basicConstraints with more", BASIC, &[0x30, 5, 1, 1, 0xff, 5, 0]),
        ("a subjectKeyIdentifier that is none", SKI, &[3, 1, 0]),
        ("an authorityKeyIdentifier that is none", AKI, &[4, 1, 0]),
        ("an authorityKeyIdentifier with more", AKI, &[0x30, 2, 0x83, 0]),
        ("an authorityKeyIdentifier with no names", AKI, &[0x30, 2, 0xa1, 0]),
        ("an authorityKeyIdentifier with a long serial number", AKI, &[0x30, 4, 0x82, 2, 0, 1]),
        ("issuerAltName without a name", ISSUER_NAMES, &[0x30, 0]),
        ("issuerAltName with what is no name", ISSUER_NAMES, &[0x30, 2, 5, 0]),
        ("cRLDistributionPoints without a point", POINTS, &[0x30, 0]),
        ("cRLDistributionPoints as a SET", POINTS, &[0x31, 0]),
        ("certificatePolicies without a policy", POLICIES, &[0x30, 0]),
        ("policyMappings without a mapping", MAPPINGS, &[0x30, 0]),
        ("policyConstraints without a limit", LIMITS, &[0x30, 0]),
        ("a negative inhibitAnyPolicy", NO_ANY, &[2, 1, 0xff]),
        ("authorityInfoAccess without a description", ACCESS, &[0x30, 0]),
        ("authorityInfoAccess without a location", ACCESS, &[0x30, 5, 0x30, 3, 6, 1, 0x2a]),
        (
            "authorityInfoAccess with bytes behind it",
            ACCESS,
            &[0x30, 8, 0x30, 6, 6, 1, 0x2a, 0x86, 1, b'a', 0],
        ),
    ] {
        cases.push(by_leaf(what, bare().extension(oid, false, value), malformed));
    }
    for (what, value) in [
        ("subjectAltName without a name", &[0x30, 0][..]),
        ("subjectAltName with a name beyond ASCII", &[0x30, 3, 0x82, 1, 0xe9]),
        ("subjectAltName with an unknown tag", &[0x30, 3, 0x89, 1, b'a']),
        ("subjectAltName with a registeredID that is none", &[0x30, 3, 0x88, 1, 0x80]),
        ("subjectAltName with an empty registeredID", &[0x30, 2, 0x88, 0]),
        ("subjectAltName with a directoryName that is none", &[0x30, 4, 0xa4, 2, 5, 0]),
        ("subjectAltName with an implicit directoryName", &[0x30, 2, 0xa4, 0]),
    ] {
        let spec = LeafSpec::bare().subject("CN=x").eku(&[SERVER]).extension(SAN, false, value);
        cases.push(by_leaf(what, spec, malformed));
    }
    // Where its CRLs are, a path may do without.
    let points = leaf().extension(POINTS, false, &[0x30, 2, 0x30, 0]);
    cases.push(by_leaf("a distribution point of nothing", points, only_strict(Rule::DistributionPointForm)));
    let points = leaf().extension(POINTS, false, &[0x30, 6, 0x30, 4, 0x81, 2, 6, 0x40]);
    cases.push(by_leaf("a distribution point of reasons", points, only_strict(Rule::DistributionPointForm)));
    cases
}

fn criticality() -> Vec<Case> {
    let unknown = both(Rule::CriticalExtension);
    let point = der::tlv(0x86, &[b"http://a.test/crl"]);
    let point = der::tlv(0x30, &[&der::tlv(0x30, &[&der::tlv(0xa0, &[&der::tlv(0xa0, &[&point])])])]);
    let access = der::tlv(0x86, &[b"http://a.test/"]);
    let access = der::tlv(0x30, &[&der::tlv(0x30, &[&der::oid("1.3.6.1.5.5.7.48.2"), &access])]);
    let names = names(&[der::tlv(0x82, &[HOST.as_bytes()])]);
    let server = || LeafSpec::bare().eku(&[SERVER]);
    let by_ca = |what: &'static str, oid, critical, value: &[u8], verdicts| {
        by_intermediate(what, middle().extension(oid, critical, value), verdicts)
    };
    vec![
        by_leaf("an unknown extension", leaf().extension("1.2.3.4", false, b"\xff"), FINE),
        by_leaf("an unknown critical extension", leaf().extension("1.2.3.4", true, b"\x05\0"), unknown),
        by_leaf("a precertificate", leaf().extension(POISON, true, b"\x05\0"), unknown),
        by_leaf("a critical subjectInfoAccess", leaf().extension(SUBJECT_ACCESS, true, &access), unknown),
        by_leaf("a critical freshestCRL", leaf().extension(FRESHEST, true, &point), unknown),
        by_leaf("a freshestCRL", leaf().extension(FRESHEST, false, &point), FINE),
        by_leaf(
            "a critical netscape-cert-type",
            leaf().extension("2.16.840.1.113730.1.1", true, &[3, 2, 6, 0x40]),
            unknown,
        ),
        by_leaf("a critical issuerAltName", leaf().extension(ISSUER_NAMES, true, &names), FINE),
        by_leaf("distribution points", leaf().extension(POINTS, false, &point), FINE),
        by_leaf(
            "critical distribution points",
            leaf().extension(POINTS, true, &point),
            only_strict(Rule::LeafCriticality),
        ),
        by_leaf("authorityInfoAccess", leaf().extension(ACCESS, false, &access), FINE),
        by_leaf(
            "critical authorityInfoAccess",
            leaf().extension(ACCESS, true, &access),
            only_strict(Rule::AuthorityInfoAccessForm),
        ),
        by_leaf("subjectAltName, critical without a subject", server().extension(SAN, true, &names), FINE),
        by_leaf(
            "subjectAltName, not critical without a subject",
            server().extension(SAN, false, &names),
            only_strict(Rule::SubjectAltNameCriticality),
        ),
        by_leaf(
            "subjectAltName, critical beside a subject",
            server().subject("O=Ox").extension(SAN, true, &names),
            only_strict(Rule::SubjectAltNameCriticality),
        ),
        by_leaf("neither subject nor names", server(), both(Rule::SubjectPresent)),
        by_ca("an unknown critical extension in a CA", "1.2.3.4", true, b"\x05\0", unknown),
        by_ca(
            "critical authorityInfoAccess in a CA",
            ACCESS,
            true,
            &access,
            only_strict(Rule::AuthorityInfoAccessForm),
        ),
        by_ca(
            "a critical subjectAltName in a CA",
            SAN,
            true,
            &names,
            only_strict(Rule::SubjectAltNameCriticality),
        ),
        by_ca("a subjectAltName in a CA", SAN, false, &names, FINE),
        by_ca("policyConstraints", LIMITS, true, &[0x30, 3, 0x80, 1, 9], FINE),
        by_ca(
            "policyConstraints, not critical",
            LIMITS,
            false,
            &[0x30, 3, 0x80, 1, 9],
            only_strict(Rule::PolicyLimitsCritical),
        ),
        by_ca(
            "inhibitAnyPolicy, not critical",
            NO_ANY,
            false,
            &[2, 1, 9],
            only_strict(Rule::PolicyLimitsCritical),
        ),
        by_root(
            "an unknown critical extension in a root",
            CaSpec::new("Root", P256).extension("1.2.3.4", true, b"\x05\0"),
            unknown,
        ),
    ]
}

fn purposes() -> Vec<Case> {
    let wrong = both(Rule::ExtendedKeyUsage);
    let server = |purposes: &[&str]| leaf().eku(purposes);
    let value = |purposes: &[&str]| {
        let purposes: Vec<u8> = purposes.iter().flat_map(|purpose| der::oid(purpose)).collect();
        der::tlv(0x30, &[&purposes])
    };
    vec![
        by_leaf("serverAuth and clientAuth", server(&[SERVER, CLIENT]), FINE),
        by_leaf("serverAuth twice", server(&[SERVER, SERVER]), FINE),
        by_leaf("serverAuth and one that nobody knows", server(&["1.2.3.4", SERVER]), FINE),
        by_leaf("clientAuth", server(&[CLIENT]), wrong),
        by_leaf("one that nobody knows", server(&["1.2.3.4"]), wrong),
        by_leaf("any", server(&[ANY]), only_strict(Rule::AnyExtendedKeyUsage)),
        by_leaf("serverAuth and any", server(&[SERVER, ANY]), only_strict(Rule::AnyExtendedKeyUsage)),
        by_leaf(
            "serverAuth and code signing",
            server(&[SERVER, CODE]),
            only_strict(Rule::ForeignExtendedKeyUsage),
        ),
        by_leaf("none", server(&[]), only_strict(Rule::LeafExtendedKeyUsagePresent)),
        by_leaf(
            "critical",
            server(&[]).extension(EKU, true, &value(&[SERVER])),
            only_strict(Rule::LeafCriticality),
        ),
        by_intermediate("a CA for servers", middle().eku(&[SERVER]), FINE),
        by_intermediate("a CA for any purpose", middle().eku(&[ANY]), FINE),
        by_intermediate("a CA for servers and mail", middle().eku(&[SERVER, "1.3.6.1.5.5.7.3.4"]), FINE),
        by_intermediate("a CA for clients", middle().eku(&[CLIENT]), wrong),
        by_intermediate("a CA for OCSP responses", middle().eku(&["1.3.6.1.5.5.7.3.9"]), wrong),
        by_root(
            "a root for servers",
            CaSpec::new("Root", P256).eku(&[SERVER]),
            only_strict(Rule::AnchorExtendedKeyUsage),
        ),
        by_root("a root for clients", CaSpec::new("Root", P256).eku(&[CLIENT]), wrong),
    ]
}

fn usages() -> Vec<Case> {
    let usage = |bits: &[u8]| leaf().key_usage(Some(bits));
    let mut plain = middle();
    plain.key_usage = None;
    let mut crl_only = middle();
    crl_only.key_usage = None;
    let crl_only = crl_only.extension(USAGE, true, &[3, 2, 1, 2]);
    let mut root_without = CaSpec::new("Root", P256);
    root_without.key_usage = None;
    vec![
        by_leaf("digitalSignature", usage(&[3, 2, 7, 0x80]), FINE),
        by_leaf("digitalSignature and keyAgreement", usage(&[3, 2, 3, 0x88]), FINE),
        by_leaf("nine bits", usage(&[3, 3, 7, 0x80, 0x80]), FINE),
        by_leaf("none", leaf().key_usage(None), FINE),
        by_leaf("no bit", usage(&[3, 1, 0]), both(Rule::DigitalSignature)),
        by_leaf("keyEncipherment", usage(&[3, 2, 5, 0x20]), both(Rule::DigitalSignature)),
        by_leaf(
            "digitalSignature and keyCertSign, no CA",
            usage(&[3, 2, 2, 0x84]),
            only_strict(Rule::KeyUsageNeedsCa),
        ),
        by_intermediate("a CA without", plain, only_strict(Rule::KeyUsagePresent)),
        by_intermediate("a CA for CRLs", crl_only, both(Rule::KeyCertSign)),
        by_intermediate("a CA for handshakes", middle().without_cert_sign(), both(Rule::KeyCertSign)),
        by_root("a root without", root_without, FINE),
        by_root(
            "a root for handshakes",
            CaSpec::new("Root", P256).without_cert_sign(),
            both(Rule::KeyCertSign),
        ),
    ]
}

fn authorities() -> Vec<Case> {
    let basic = |critical, value: &[u8]| middle().not_a_ca().extension(BASIC, critical, value);
    let ca = &[0x30, 3, 1, 1, 0xff][..];
    let not_a_ca = both(Rule::BasicConstraints);
    let root = root();
    let short = root.intermediate_with(middle().path_len(0));
    let mut cases = vec![
        by_intermediate("cA", basic(true, ca), FINE),
        by_intermediate("cA, not critical", basic(false, ca), only_strict(Rule::BasicConstraintsCritical)),
        by_intermediate("no CA", basic(true, &[0x30, 0]), not_a_ca),
        by_intermediate("a length without cA", basic(true, &[0x30, 3, 2, 1, 0]), not_a_ca),
        by_intermediate("no basicConstraints", middle().not_a_ca(), not_a_ca),
        by_intermediate("a length of none", middle().path_len(0), FINE),
        by_intermediate("a length of 255", middle().path_len(127), FINE),
        by_root("a root that is no CA", CaSpec::new("Root", P256).not_a_ca(), not_a_ca),
        by_root("a root of length 0", CaSpec::new("Root", P256).path_len(0), FINE),
        by_intermediate("no name", middle().subject(""), both(Rule::SubjectPresent)),
        by_leaf(
            "a leaf with a length",
            leaf().extension(BASIC, true, &[0x30, 3, 2, 1, 0]),
            only_strict(Rule::PathLengthNeedsCa),
        ),
        by_leaf("a leaf that says it is none", leaf().extension(BASIC, true, &[0x30, 0]), FINE),
        by_leaf(
            "a leaf that says it is one",
            leaf().extension(BASIC, true, ca),
            both(Rule::CaSignsCertificates),
        ),
    ];
    let deep = short.intermediate("Below", P256).issue(leaf()).chain;
    cases.push(case("too long below", &root, deep, both(Rule::PathLength)));
    let renewed = short.intermediate("Middle", P256).issue(leaf()).chain;
    // This builder leaves authority key identifiers out of what is self-issued.
    let without_identifier = only_strict(Rule::AuthorityKeyIdentifierPresent);
    cases.push(case("self-issued below", &root, renewed, without_identifier));
    cases
}

fn identifiers() -> Vec<Case> {
    let absent = only_strict(Rule::AuthorityKeyIdentifierPresent);
    let form = only_strict(Rule::AuthorityKeyIdentifierForm);
    let bare = || leaf().without_key_ids();
    let serial = der::tlv(0x82, &[&[5]]);
    let issuer = der::tlv(0xa1, &[&der::tlv(0xa4, &[&oxtls_test_pki::name_der("CN=Root")])]);
    let whole = |parts: &[&[u8]]| der::tlv(0x30, parts);
    let key = der::tlv(0x80, &[b"another key"]);
    vec![
        by_leaf("none", bare(), absent),
        by_leaf("an authorityKeyIdentifier of nothing", bare().extension(AKI, false, &[0x30, 0]), absent),
        by_leaf("another key's", bare().extension(AKI, false, &whole(&[&key])), FINE),
        by_leaf("critical", bare().extension(AKI, true, &whole(&[&key])), form),
        by_leaf(
            "with issuer and serial number",
            bare().extension(AKI, false, &whole(&[&key, &issuer, &serial])),
            form,
        ),
        by_leaf("with a serial number", bare().extension(AKI, false, &whole(&[&key, &serial])), form),
        by_leaf("with an issuer", bare().extension(AKI, false, &whole(&[&key, &issuer])), form),
        by_leaf(
            "by issuer and serial number",
            bare().extension(AKI, false, &whole(&[&issuer, &serial])),
            form,
        ),
        by_leaf("no subjectKeyIdentifier", bare().extension(AKI, false, &whole(&[&key])), FINE),
        by_leaf(
            "a critical subjectKeyIdentifier",
            bare().extension(AKI, false, &whole(&[&key])).extension(SKI, true, &[4, 1, 7]),
            only_strict(Rule::SubjectKeyIdentifierPresent),
        ),
        by_intermediate(
            "a CA without either",
            middle().without_key_ids(),
            only_strict(Rule::SubjectKeyIdentifierPresent),
        ),
        by_intermediate(
            "a CA without an authorityKeyIdentifier",
            middle().without_key_ids().extension(SKI, false, &[4, 1, 7]),
            absent,
        ),
        by_intermediate(
            "a CA with a critical subjectKeyIdentifier",
            middle().without_key_ids().extension(SKI, true, &[4, 1, 7]).extension(
                AKI,
                false,
                &whole(&[&key]),
            ),
            only_strict(Rule::SubjectKeyIdentifierPresent),
        ),
        by_root(
            "a root without either",
            CaSpec::new("Root", P256).without_key_ids(),
            only_strict(Rule::SubjectKeyIdentifierPresent),
        ),
        by_root(
            "a root with a subjectKeyIdentifier alone",
            CaSpec::new("Root", P256).without_key_ids().extension(SKI, false, &[4, 1, 7]),
            FINE,
        ),
        by_root(
            "a root with another's authorityKeyIdentifier",
            CaSpec::new("Root", P256).without_key_ids().extension(SKI, false, &[4, 1, 7]).extension(
                AKI,
                false,
                &whole(&[&key]),
            ),
            form,
        ),
    ]
}
