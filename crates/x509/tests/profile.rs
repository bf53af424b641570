//! The optional rules one by one: accepted by default, refused by the strict policy for exactly this rule, accepted again
//! once it is lifted.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod common;

use std::collections::BTreeSet;

use common::*;
use oxtls_crypto::signature::KeyAlgorithm;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, SERVER_AUTH, der};
use oxtls_x509::{Certificate, Policy, Position, Roots, Rule};
use pki_types::CertificateDer;

type Chain = Vec<CertificateDer<'static>>;

/// A chain that breaks one rule, and the certificate that does.
struct Deviation {
    rule: Rule,
    at: Position,
    roots: Roots,
    chain: Chain,
}

/// By the leaf.
fn by_leaf(rule: Rule, spec: LeafSpec) -> Deviation {
    let root = root();
    Deviation { rule, at: LEAF, roots: trusting(&root), chain: root.issue(spec).chain }
}

/// By an edit of the fields of the leaf.
fn by_edit(rule: Rule, edit: impl FnOnce(&mut Vec<Vec<u8>>)) -> Deviation {
    let root = root();
    let certificate = root.resign(&root.issue(leaf()).chain[0], |tbs| edit_fields(tbs, edit));
    Deviation { rule, at: LEAF, roots: trusting(&root), chain: vec![certificate] }
}

fn by_intermediate(rule: Rule, spec: CaSpec) -> Deviation {
    let root = root();
    let chain = root.intermediate_with(spec).issue(leaf()).chain;
    Deviation { rule, at: FIRST, roots: trusting(&root), chain }
}

fn by_root(rule: Rule, spec: CaSpec) -> Deviation {
    let root = Ca::with(spec);
    Deviation { rule, at: ANCHOR, roots: trusting(&root), chain: root.issue(leaf()).chain }
}

fn edit_fields(tbs: &mut Vec<u8>, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut fields: Vec<_> = der::elements(der::contents(tbs)).into_iter().map(<[u8]>::to_vec).collect();
    edit(&mut fields);
    *tbs = der::tlv(0x30, &[&fields.concat()]);
}

// Places in a TBSCertificate of version 3.
const SERIAL: usize = 1;
const VALIDITY: usize = 4;
const SPKI: usize = 6;

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = der::tlv(0x30, &[&der::tlv(2, &[modulus]), &der::tlv(2, &[exponent])]);
    let algorithm = der::tlv(0x30, &[&der::oid("1.2.840.113549.1.1.1"), &[5, 0]]);
    der::tlv(0x30, &[&algorithm, &der::tlv(3, &[&[0], &key])])
}

fn key_id() -> Vec<u8> {
    der::tlv(0x30, &[&der::tlv(0x80, &[b"12345678"])])
}

fn subscribers() -> Vec<Deviation> {
    let basic = |ca: bool, length: Option<u8>| {
        let ca = if ca { vec![1, 1, 0xff] } else { vec![] };
        der::tlv(0x30, &[&ca, &length.map_or(vec![], |length| vec![2, 1, length])])
    };
    let access = der::tlv(0x30, &[&der::oid("1.3.6.1.5.5.7.48.2"), &der::tlv(0x86, &[b"http://ca.test/"])]);
    let access = der::tlv(0x30, &[&access]);
    vec![
        by_leaf(Rule::LeafExtendedKeyUsagePresent, leaf().eku(&[])),
        by_leaf(Rule::AnyExtendedKeyUsage, leaf().eku(&[SERVER_AUTH, "2.5.29.37.0"])),
        by_leaf(Rule::ForeignExtendedKeyUsage, leaf().eku(&[SERVER_AUTH, "1.3.6.1.5.5.7.3.3"])),
        by_leaf(
            Rule::LeafCriticality,
            leaf().eku(&[]).extension("2.5.29.37", true, &der::tlv(0x30, &[&der::oid(SERVER_AUTH)])),
        ),
        by_leaf(Rule::AuthorityKeyIdentifierPresent, leaf().without_key_ids()),
        by_leaf(
            Rule::AuthorityKeyIdentifierForm,
            leaf().without_key_ids().extension("2.5.29.35", true, &key_id()),
        ),
        by_leaf(Rule::PathLengthNeedsCa, leaf().extension("2.5.29.19", true, &basic(false, Some(0)))),
        by_leaf(Rule::KeyUsageNeedsCa, leaf().key_usage(Some(&[3, 2, 2, 0x84]))),
        by_leaf(Rule::DistributionPointForm, leaf().extension("2.5.29.31", false, &[0x30, 2, 0x30, 0])),
        by_leaf(Rule::CaSignsCertificates, leaf().extension("2.5.29.19", true, &basic(true, None))),
        by_leaf(Rule::DnsNameSyntax, leaf().dns("a_b.example.com")),
        by_leaf(Rule::DnsNameSyntax, leaf().dns("xn--a-.example.com")),
        by_leaf(Rule::DnsNameSyntax, leaf().dns("ab--c.example.com")),
        by_leaf(Rule::DnsNameSyntax, leaf().dns("a.*.example.com")),
        by_leaf(Rule::SubjectAltNameForm, leaf().name(0x87, &[192, 0, 2, 0, 255, 255, 255, 0])),
        by_leaf(Rule::SubjectAltNameForm, leaf().uri("//relative/x")),
        by_leaf(Rule::SubjectAltNameForm, leaf().email("nobody")),
        by_leaf(Rule::CommonNameInSubjectAltName, leaf().subject("CN=WWW.example.com")),
        by_leaf(Rule::CommonNameInSubjectAltName, leaf().subject("CN=xn--p1ai.example.com")),
        by_leaf(Rule::CommonNameInSubjectAltName, leaf().subject("CN=0x7f.0.0.1")),
        by_leaf(Rule::CommonNameInSubjectAltName, leaf().subject("CN=2130706433").ip([127, 0, 0, 1].into())),
        by_leaf(Rule::PublicKeyAlgorithm, leaf().key(KeyAlgorithm::Ed25519)),
        by_leaf(Rule::AuthorityInfoAccessForm, leaf().extension("1.3.6.1.5.5.7.1.1", true, &access)),
        by_leaf(
            Rule::SubjectKeyIdentifierPresent,
            leaf().without_key_ids().extension("2.5.29.35", false, &key_id()).extension(
                "2.5.29.14",
                true,
                &der::tlv(4, &[b"key"]),
            ),
        ),
    ]
}

fn edited() -> Vec<Deviation> {
    let mut whole = vec![0xc1; 256];
    let odd = [&[0x0f], &whole[..]].concat();
    whole.insert(0, 0);
    vec![
        by_edit(Rule::RsaModulusWholeOctets, |fields| fields[SPKI] = rsa(&odd, &[1, 0, 1])),
        by_edit(Rule::RsaExponent, |fields| fields[SPKI] = rsa(&whole, &[3])),
        by_edit(Rule::SerialNumber, |fields| fields[SERIAL] = der::tlv(2, &[&[0x7f; 21]])),
        by_edit(Rule::SerialNumber, |fields| fields[SERIAL] = vec![2, 1, 0]),
        by_edit(Rule::SerialNumber, |fields| fields[SERIAL] = vec![2, 1, 0x80]),
        by_edit(Rule::UniqueIdentifiers, |fields| fields.insert(SPKI + 1, vec![0x82, 2, 0, 1])),
        by_edit(Rule::GeneralizedTimeBefore2050, |fields| {
            let time = |text: &[u8]| der::tlv(0x18, &[text]);
            fields[VALIDITY] = der::tlv(0x30, &[&time(b"20200101000000Z"), &time(b"20490101000000Z")]);
        }),
    ]
}

fn issuers() -> Vec<Deviation> {
    let cas = |edit: fn(&mut CaSpec)| {
        let mut spec = CaSpec::new("Middle", P256);
        edit(&mut spec);
        spec
    };
    let yes = der::tlv(0x30, &[&[1, 1, 0xff]]);
    let permitted = der::tlv(0x30, &[&der::tlv(0x82, &[b"example.com"])]);
    let permitted = der::tlv(0x30, &[&der::tlv(0xa0, &[&permitted])]);
    let inhibited = der::tlv(0x30, &[&[0x81, 1, 0]]);
    let root = root();
    let v1 = root.resign(root.certificate(), |tbs| {
        edit_fields(tbs, |fields| {
            fields.truncate(SPKI + 1);
            fields.remove(0);
        });
    });
    assert!(Certificate::parse(&v1).is_ok());
    let old = Deviation {
        rule: Rule::AnchorVersion,
        at: ANCHOR,
        roots: trusting_all([&v1]),
        chain: root.issue(leaf()).chain,
    };
    let foreign_name =
        |name: &str| CaSpec::new(name, P256).permit(0x82, b".example.com").permit(0x82, b"example.com");
    vec![
        old,
        by_intermediate(
            Rule::AuthorityKeyIdentifierPresent,
            CaSpec::new("Middle", P256).without_key_ids().extension(
                "2.5.29.14",
                false,
                &der::tlv(4, &[b"key"]),
            ),
        ),
        by_intermediate(Rule::KeyUsagePresent, cas(|spec| spec.key_usage = None)),
        by_intermediate(
            Rule::BasicConstraintsCritical,
            cas(|spec| spec.basic_constraints = false).extension("2.5.29.19", false, &yes),
        ),
        by_intermediate(
            Rule::PolicyLimitsCritical,
            CaSpec::new("Middle", P256).extension("2.5.29.36", false, &inhibited),
        ),
        by_intermediate(
            Rule::NameConstraintsCritical,
            CaSpec::new("Middle", P256).extension("2.5.29.30", false, &permitted),
        ),
        by_intermediate(Rule::NameConstraintsForm, foreign_name("Middle")),
        by_root(Rule::NameConstraintsForm, foreign_name("Root")),
        by_root(Rule::AnchorExtendedKeyUsage, CaSpec::new("Root", P256).eku(&[SERVER_AUTH])),
        by_root(Rule::SubjectKeyIdentifierPresent, CaSpec::new("Root", P256).without_key_ids()),
        by_root(
            Rule::AuthorityKeyIdentifierForm,
            CaSpec::new("Root", P256).extension("2.5.29.35", false, &key_id()),
        ),
    ]
}

/// A subject without a name goes with a critical subjectAltName, one with a name with one that is not.
fn criticalities() -> Vec<Deviation> {
    let names = der::tlv(0x30, &[&der::tlv(0x82, &[HOST.as_bytes()])]);
    let spec = |subject: &str, critical| {
        LeafSpec::bare().subject(subject).eku(&[SERVER_AUTH]).extension("2.5.29.17", critical, &names)
    };
    let rule = Rule::SubjectAltNameCriticality;
    vec![by_leaf(rule, spec("", false)), by_leaf(rule, spec("O=Ox", true))]
}

#[test]
fn each_optional_rule_refuses_what_it_is_about_and_can_be_lifted() {
    let mut seen = BTreeSet::new();
    for Deviation { rule, at, roots, chain } in
        [subscribers(), edited(), issuers(), criticalities()].into_iter().flatten()
    {
        seen.insert(rule);
        accepted(server_with(roots.clone(), &chain, Policy::default().lift(rule)));
        let report = refused(server_with(roots.clone(), &chain, Policy::strict()), rule, at);
        let der_length = match at {
            Position::Chain(number) => chain[number].len(),
            _ => usize::MAX,
        };
        assert!(
            report.offset.is_some_and(
                |offset| offset > 0 && usize::try_from(offset).is_ok_and(|offset| offset < der_length)
            ),
            "{rule}"
        );
        refused(server_with(roots.clone(), &chain, Policy::default().require(rule)), rule, at);
        accepted(server_with(roots, &chain, Policy::strict().lift(rule)));
    }
    let elsewhere = [
        Rule::DigitalSignature,
        Rule::CaAsLeaf,
        Rule::NameConstraintsNeedCa,
        Rule::KeyUsageNotEmpty,
        Rule::PublicSuffixWildcard,
        Rule::CrlAuthorityKeyIdentifier,
    ];
    seen.extend(elsewhere);
    let optional: BTreeSet<_> = Rule::ALL.iter().copied().filter(|rule| rule.is_optional()).collect();
    assert_eq!(seen, optional);
}

/// RFC 5280 lets it; whoever goes by the CA/Browser Forum asks for the rule.
#[test]
fn a_ca_certificate_may_stand_last_unless_the_rule_is_asked_for() {
    let root = root();
    let names = der::tlv(0x30, &[&der::tlv(0x82, &[HOST.as_bytes()])]);
    let spec = CaSpec::new("Middle", P256).extension("2.5.29.17", false, &names);
    let chain = [root.intermediate_with(spec).certificate().clone()];
    // What this is about is not its keyUsage.
    let judged = |policy: Policy| server_with(trusting(&root), &chain, policy.lift(Rule::DigitalSignature));
    accepted(judged(Policy::default()));
    accepted(judged(Policy::strict()));
    refused(judged(Policy::strict().require(Rule::CaAsLeaf)), Rule::CaAsLeaf, LEAF);
}

#[test]
fn name_constraints_in_a_peers_certificate_are_refused_by_default_and_can_be_lifted() {
    let root = root();
    let permitted = der::tlv(0x30, &[&der::tlv(0x82, &[b"example.com"])]);
    let permitted = der::tlv(0x30, &[&der::tlv(0xa0, &[&permitted])]);
    let chain = root.issue(leaf().extension("2.5.29.30", true, &permitted)).chain;
    refused(server(trusting(&root), &chain), Rule::NameConstraintsNeedCa, LEAF);
    accepted(server_with(trusting(&root), &chain, Policy::default().lift(Rule::NameConstraintsNeedCa)));
}

/// Only where it is by such a wildcard that the name matches: whoever owns the suffix may have one for itself.
#[test]
fn wildcards_over_public_suffixes_match_nothing_under_the_strict_policy() {
    let root = root();
    let judged = |spec: LeafSpec, name: &str, policy: Policy| {
        let name = pki_types::ServerName::try_from(name.to_owned()).expect("a name");
        oxtls_x509::Verifier::new(trusting(&root), oxtls_x509::Purpose::ServerAuth)
            .with_policy(policy)
            .verify_server(&root.issue(spec).chain, &name, pki_types::UnixTime::now())
    };
    let wildcard = || LeafSpec::server("*.co.uk").dns("co.uk");
    accepted(judged(wildcard(), "example.co.uk", Policy::default()));
    accepted(judged(wildcard(), "co.uk", Policy::strict()));
    accepted(judged(LeafSpec::server("*.example.co.uk"), "www.example.co.uk", Policy::strict()));
    // That `co.uk` is a registry's, a list must say, and the policy ask that list.
    accepted(judged(wildcard(), "example.co.uk", Policy::strict()));
    #[cfg(feature = "public-suffix")]
    {
        let listed = || Policy::strict().with_public_suffixes(oxtls_x509::PublicSuffixes::List);
        refused(judged(wildcard(), "example.co.uk", listed()), Rule::PublicSuffixWildcard, LEAF);
        accepted(judged(wildcard(), "example.co.uk", listed().lift(Rule::PublicSuffixWildcard)));
        accepted(judged(wildcard().dns("example.co.uk"), "example.co.uk", listed()));
    }
}

/// The root that is not self-signed, but the work of another: as an anchor it needs what any other certificate needs.
#[test]
fn a_cross_signed_anchor_needs_an_authority_key_identifier() {
    let (old, new) = (Ca::new("Old", P256), Ca::new("New", P256));
    let chain = new.issue(leaf()).chain;
    let crossed = old.cross_sign(&new);
    accepted(server_with(trusting_all([&crossed]), &chain, Policy::strict()));
    let bare = old.intermediate_with(CaSpec::new("Bare", P256).without_key_ids().extension(
        "2.5.29.14",
        false,
        &der::tlv(4, &[b"key"]),
    ));
    let chain = bare.issue(leaf()).chain;
    let outcome = server_with(trusting(&bare), &chain[..1], Policy::strict());
    refused(outcome, Rule::AuthorityKeyIdentifierPresent, ANCHOR);
    accepted(server(trusting(&bare), &chain[..1]));
}

/// By default it is TLS that refuses such a key: whoever lifts that rule lifts no rule about CAs' work.
#[test]
fn a_key_usage_without_a_usage_is_refused() {
    let root = root();
    let chain = root.issue(leaf().key_usage(Some(&[3, 1, 0]))).chain;
    let judged = |policy: Policy| server_with(trusting(&root), &chain, policy.lift(Rule::DigitalSignature));
    accepted(judged(Policy::default()));
    refused(judged(Policy::default().require(Rule::KeyUsageNotEmpty)), Rule::KeyUsageNotEmpty, LEAF);
    refused(judged(Policy::strict()), Rule::KeyUsageNotEmpty, LEAF);
    accepted(judged(Policy::strict().lift(Rule::KeyUsageNotEmpty)));
}
