//! Names: RFC 9525 for servers, RFC 5280 section 4.2.1.10 for the constraints that CAs are under.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may be blunt")]

mod common;

use std::net::IpAddr;

use common::*;
use oxtls_test_pki::{Ca, CaSpec, LeafSpec, SERVER_AUTH, der};
use oxtls_x509::{Cause, Purpose, ReferenceIdentifier, Rule, Stapled, Verifier};
use pki_types::{ServerName, UnixTime};

const DNS: u8 = 0x82;
const IP: u8 = 0x87;
const EMAIL: u8 = 0x81;
const URI: u8 = 0x86;
const DIRECTORY: u8 = 0xa4;
const OTHER: u8 = 0xa0;
const REGISTERED_ID: u8 = 0x88;

/// Presented name, wanted name, whether they match.
const MATCHES: &[(&str, &str, bool)] = &[
    ("www.example.com", "www.example.com", true),
    ("WWW.Example.COM", "www.eXample.com", true),
    ("www.example.com", "www.example.com.", true),
    ("www.example.com", "example.com", false),
    ("example.com", "www.example.com", false),
    ("www.example.com", "www.example.co", false),
    ("localhost", "localhost", true),
    // A wildcard is the whole leftmost label and stands for exactly one.
    ("*.example.com", "www.example.com", true),
    ("*.EXAMPLE.com", "www.example.COM", true),
    ("*.example.com", "www.example.com.", true),
    ("*.example.com", "example.com", false),
    ("*.example.com", "a.b.example.com", false),
    ("*.example.com", "xn--bcher-kva.example.com", true),
    ("w*.example.com", "www.example.com", false),
    ("*w.example.com", "www.example.com", false),
    ("*www.example.com", "www.example.com", false),
    ("www.*.com", "www.example.com", false),
    ("*.*.com", "www.example.com", false),
    ("xn--*.example.com", "xn--bcher.example.com", false),
    ("*.com", "example.com", false),
    ("*", "localhost", false),
    ("*.", "localhost.", false),
    ("**.example.com", "www.example.com", false),
    // Presented names that no host can have.
    ("www.example.com.", "www.example.com", false),
    (".example.com", "www.example.com", false),
    ("www..example.com", "www.example.com", false),
    ("www.example.com\0.evil.org", "www.example.com", false),
    ("-www.example.com", "www.example.com", false),
    ("", "www.example.com", false),
    // Underscores are in use.
    ("a_b.example.com", "a_b.example.com", true),
    // An address in a DNS name is no address.
    ("192.0.2.1", "192.0.2.1", false),
    ("*.0.2.1", "192.0.2.1", false),
];

#[test]
fn dns_names_match_by_rfc_9525() {
    let root = root();
    for &(presented, wanted, matches) in MATCHES {
        let issued = root.issue(LeafSpec::bare().dns(presented));
        let outcome = server_named(trusting(&root), &issued.chain, wanted);
        match matches {
            true => drop(accepted(outcome)),
            false => {
                let report = refused(outcome, Rule::NameMatch, LEAF);
                assert_eq!(report.alert(), 42, "{presented} against {wanted}");
            }
        }
    }
}

#[test]
fn addresses_match_octet_by_octet() {
    let root = root();
    let v4: IpAddr = "192.0.2.1".parse().expect("an address");
    let v6: IpAddr = "2001:db8::1".parse().expect("an address");
    let issued = root.issue(LeafSpec::bare().ip(v4).ip(v6));
    for wanted in ["192.0.2.1", "2001:db8::1", "2001:DB8:0:0::1"] {
        accepted(server_named(trusting(&root), &issued.chain, wanted));
    }
    // An IPv4-mapped address is another address.
    for wanted in ["192.0.2.2", "2001:db8::2", "::ffff:192.0.2.1"] {
        refused(server_named(trusting(&root), &issued.chain, wanted), Rule::NameMatch, LEAF);
    }
    let path = accepted(server_named(trusting(&root), &issued.chain, "192.0.2.1"));
    assert_eq!(path.identity().ip_addresses().collect::<Vec<_>>(), [v4, v6]);
}

#[test]
fn the_common_name_is_not_looked_at_and_the_report_says_so() {
    let root = root();
    let issued = root.issue(LeafSpec::client(HOST).eku(&[SERVER_AUTH]));
    let report = refused(server(trusting(&root), &issued.chain), Rule::NameMatch, LEAF);
    assert!(matches!(&report.cause, Cause::NameMismatch { common_name: Some(name), .. } if name == HOST));
    assert!(report.to_string().contains("only as a common name"), "{report}");
    assert!(report.to_string().contains("RFC 9525"), "{report}");
}

#[test]
fn a_mismatch_lists_the_names_that_there_are() {
    let root = root();
    let issued = root.issue(LeafSpec::server("a.test").dns("b.test").ip([192, 0, 2, 1].into()));
    let report = refused(server(trusting(&root), &issued.chain), Rule::NameMatch, LEAF);
    assert_eq!(
        report.cause,
        Cause::NameMismatch {
            wanted: HOST.to_owned(),
            presented: ["a.test", "b.test", "192.0.2.1"].map(str::to_owned).to_vec(),
            common_name: None,
        }
    );
}

#[test]
fn identities_are_handed_out_parsed() {
    let root = root();
    let spec = LeafSpec::client("alice")
        .subject("CN=alice,O=Ox")
        .uri("spiffe://ox.test/alice")
        .email("alice@ox.test")
        .dns("alice.ox.test")
        .serial(&[0x12, 0x34]);
    let issued = root.issue(spec);
    let path = accepted(client(trusting(&root), &issued.chain));
    let identity = path.into_identity();
    let spiffe = identity.spiffe_id().expect("a SPIFFE ID");
    assert_eq!(
        (spiffe.as_str(), spiffe.trust_domain(), spiffe.path()),
        ("spiffe://ox.test/alice", "ox.test", "/alice")
    );
    assert_eq!(identity.emails().collect::<Vec<_>>(), ["alice@ox.test"]);
    assert_eq!(identity.dns_names().collect::<Vec<_>>(), ["alice.ox.test"]);
    assert_eq!(identity.serial(), [0x12, 0x34]);
    assert_eq!(identity.subject(), "CN=alice, O=Ox");
    assert_eq!(identity.fingerprint().len(), 32);
    assert_eq!(identity.to_string(), "spiffe://ox.test/alice");
}

#[test]
fn two_uris_are_no_spiffe_identity() {
    let root = root();
    let issued = root.issue(LeafSpec::client("x").uri("spiffe://a.test/x").uri("spiffe://b.test/x"));
    assert_eq!(accepted(client(trusting(&root), &issued.chain)).identity().spiffe_id(), None);
}

/// Whether a client with this name is taken for the wanted one.
fn is_taken_for(leaf: LeafSpec, wanted: &ReferenceIdentifier<'_>) -> bool {
    let root = root();
    let chain = root.issue(leaf).chain;
    let verifier = Verifier::new(trusting(&root), Purpose::ClientAuth);
    match verifier.verify_peer(&chain, wanted, Stapled::default(), UnixTime::now()) {
        Ok(_) => true,
        Err(report) => {
            assert_eq!(report.rule, Rule::NameMatch, "{}", report.explain());
            assert!(report.to_string().contains(&wanted.to_string()), "{report}");
            false
        }
    }
}

#[test]
fn uris_match_but_for_the_case_of_scheme_and_host() {
    for (presented, wanted, matches) in [
        ("spiffe://ox.test/ns/a", "spiffe://ox.test/ns/a", true),
        ("spiffe://ox.test/ns/a", "spiffe://ox.test/ns/b", false),
        ("spiffe://ox.test/ns/a", "spiffe://ox.test/ns/a/b", false),
        ("spiffe://ox.test/ns/a", "spiffe://ox.test/ns", false),
        ("spiffe://ox.test/ns/A", "spiffe://ox.test/ns/a", false),
        ("spiffe://ox.test/a", "spiffe://other.test/a", false),
        // Not well formed: a scheme or trust domain in upper case, a query.
        ("SPIFFE://ox.test/ns/a", "spiffe://ox.test/ns/a", false),
        ("spiffe://OX.test/ns/a", "spiffe://ox.test/ns/a", false),
        ("spiffe://ox.test/ns/a?b", "spiffe://ox.test/ns/a", false),
        ("https://ox.test/a", "spiffe://ox.test/a", false),
        ("HTTPS://OX.test/a", "https://ox.TEST/a", true),
        ("https://ox.test/A", "https://ox.test/a", false),
        ("https://Alice@ox.test/", "https://alice@ox.test/", false),
        ("https://ox.test:443/", "https://ox.test/", false),
        ("https://ox.test", "https://ox.test/", false),
        ("URN:uuid:6e8bc430", "urn:uuid:6e8bc430", true),
        ("urn:uuid:6e8bc430", "urn:uuid:6E8BC430", false),
        ("urn://x", "urn:x", false),
        ("relative/x", "https://relative/x", false),
    ] {
        let reference = ReferenceIdentifier::uri(wanted).expect("a URI");
        assert_eq!(
            is_taken_for(LeafSpec::client("x").uri(presented), &reference),
            matches,
            "{presented} for {wanted}"
        );
    }
    let reference = ReferenceIdentifier::uri("spiffe://ox.test/a").expect("a URI");
    assert!(is_taken_for(LeafSpec::client("x").dns("ox.test").uri("spiffe://ox.test/a"), &reference));
    let two = || LeafSpec::client("x").uri("spiffe://ox.test/a").uri("https://ox.test/a");
    assert!(!is_taken_for(two(), &reference), "a second URI makes it no SPIFFE identity");
    assert!(is_taken_for(two(), &ReferenceIdentifier::uri("https://ox.test/a").expect("a URI")));
    assert!(!is_taken_for(LeafSpec::client("spiffe://ox.test/a"), &reference), "a common name");
}

#[test]
fn services_match_by_scheme_and_host() {
    for (presented, scheme, host, matches) in [
        ("sip:voice.example.com", "sip", "voice.example.com", true),
        ("SIP:Voice.example.com", "sip", "voice.EXAMPLE.com", true),
        ("sip:alice@voice.example.com;transport=tls", "sip", "voice.example.com", true),
        ("sips:voice.example.com", "sip", "voice.example.com", false),
        ("sip:voice.example.com", "sip", "example.com", false),
        ("https://www.example.com:8443/path", "https", "www.example.com", true),
        ("https://www.example.com.evil.org/", "https", "www.example.com", false),
        ("https://evil.org/@www.example.com", "https", "www.example.com", false),
        ("sip:*.example.com", "sip", "voice.example.com", false),
        ("sip:/voice.example.com", "sip", "voice.example.com", false),
        // What stands before the `@` of a SIP URI is its user, whatever is in it (RFC 3261 section 25.1).
        ("sip:voice.example.com;x@evil.org", "sip", "voice.example.com", false),
        ("sip:voice.example.com?x@evil.org", "sip", "voice.example.com", false),
        ("sip:voice.example.com/x@evil.org", "sip", "voice.example.com", false),
        ("sip:voice.example.com;x@evil.org", "sip", "evil.org", false),
        ("sip:a@b@voice.example.com", "sip", "voice.example.com", false),
        ("sip:bob@voice.example.com;transport=tls", "sip", "voice.example.com", true),
    ] {
        let reference = ReferenceIdentifier::service(scheme, host).expect("a service");
        assert_eq!(is_taken_for(LeafSpec::client("x").uri(presented), &reference), matches, "{presented}");
    }
}

#[test]
fn mailboxes_match_but_for_the_case_of_the_host() {
    for (presented, wanted, matches) in [
        ("alice@ox.test", "alice@ox.test", true),
        ("alice@OX.test", "alice@ox.TEST", true),
        ("Alice@ox.test", "alice@ox.test", false),
        ("alice@sub.ox.test", "alice@ox.test", false),
        ("*@ox.test", "alice@ox.test", false),
        ("alice@ox.test@evil.org", "alice@ox.test", false),
        ("ox.test", "alice@ox.test", false),
    ] {
        let reference = ReferenceIdentifier::email(wanted).expect("a mailbox");
        assert_eq!(is_taken_for(LeafSpec::client("x").email(presented), &reference), matches, "{presented}");
    }
    let reference = ReferenceIdentifier::email("alice@ox.test").expect("a mailbox");
    assert!(!is_taken_for(LeafSpec::client("x").dns("ox.test").uri("mailto:alice@ox.test"), &reference));
}

#[test]
fn wanted_names_of_no_form_are_refused_when_they_are_given() {
    for uri in [
        "",
        "x",
        "/x",
        "://x",
        "1x://y",
        "https://b\u{fc}cher.test/",
        "https://a b/",
        "spiffe://ox.test/",
        "spiffe:x",
    ] {
        assert!(ReferenceIdentifier::uri(uri).is_err(), "{uri}");
    }
    for (scheme, host) in
        [("", "ox.test"), ("s p", "ox.test"), ("sip", ""), ("sip", "b\u{fc}cher.test"), ("sip", "*.test")]
    {
        assert!(ReferenceIdentifier::service(scheme, host).is_err(), "{scheme} {host}");
    }
    for mailbox in
        ["", "alice", "@ox.test", "alice@", "alice@b\u{fc}cher.test", "\u{fc}@ox.test", "a@b@ox.test"]
    {
        assert!(ReferenceIdentifier::email(mailbox).is_err(), "{mailbox}");
    }
    let error = ReferenceIdentifier::email("alice").expect_err("no mailbox");
    assert_eq!(error.to_string(), "this is no mailbox in ASCII");
}

#[test]
fn internationalised_hosts_are_a_labels_and_nothing_else() {
    assert!(ServerName::try_from("b\u{fc}cher.example.com").is_err());
    let root = root();
    let presented = |name: &str| root.issue(LeafSpec::server(name)).chain;
    accepted(server_named(
        trusting(&root),
        &presented("xn--bcher-kva.example.com"),
        "XN--bcher-KVA.example.com",
    ));
    // A U-label is no IA5String, whatever its encoding.
    for octets in [&b"b\xfccher.example.com"[..], "b\u{fc}cher.example.com".as_bytes()] {
        let chain = root.issue(LeafSpec::bare().name(DNS, octets)).chain;
        refused(
            server_named(trusting(&root), &chain, "xn--bcher-kva.example.com"),
            Rule::ExtensionEncoding,
            LEAF,
        );
    }
}

/// A client certificate with one name below a CA with one constraint.
fn constrained(ca: CaSpec, leaf: LeafSpec) -> Outcome {
    let root = root();
    let issued = root.intermediate_with(ca).issue(leaf);
    client(trusting(&root), &issued.chain)
}

fn ca() -> CaSpec {
    CaSpec::new("Constrained", P256)
}

fn alice() -> LeafSpec {
    LeafSpec::client("alice")
}

#[test]
fn names_must_lie_in_a_permitted_subtree_of_their_form() {
    let permitted = || ca().permit(DNS, b"a.test").permit(DNS, b"b.test");
    accepted(constrained(permitted(), alice().dns("x.a.test").dns("b.test")));
    // A form that is not constrained is free.
    accepted(constrained(permitted(), alice().dns("a.test").email("alice@c.test")));
    let report =
        refused(constrained(permitted(), alice().dns("a.test").dns("c.test")), Rule::PermittedSubtrees, LEAF);
    assert!(matches!(&report.cause, Cause::Constraint { name, .. } if name == "c.test"));
    refused(constrained(permitted(), alice().dns("*.test")), Rule::PermittedSubtrees, LEAF);
}

#[test]
fn names_must_lie_outside_excluded_subtrees() {
    let excluded = || ca().exclude(DNS, b"a.test");
    accepted(constrained(excluded(), alice().dns("b.test")));
    refused(constrained(excluded(), alice().dns("a.test")), Rule::ExcludedSubtrees, LEAF);
    refused(constrained(excluded(), alice().dns("x.a.test")), Rule::ExcludedSubtrees, LEAF);
    // The wildcard stands for the excluded name too.
    refused(constrained(excluded(), alice().dns("*.test")), Rule::ExcludedSubtrees, LEAF);
    let both = ca().permit(DNS, b"test").exclude(DNS, b"a.test");
    refused(constrained(both, alice().dns("x.a.test")), Rule::ExcludedSubtrees, LEAF);
}

#[test]
fn addresses_mailboxes_and_uris_are_constrained_too() {
    let net = [10, 0, 0, 0, 255, 0, 0, 0];
    accepted(constrained(ca().permit(IP, &net), alice().ip([10, 1, 2, 3].into())));
    refused(
        constrained(ca().permit(IP, &net), alice().ip([11, 1, 2, 3].into())),
        Rule::PermittedSubtrees,
        LEAF,
    );
    let host = [10, 0, 0, 1, 255, 255, 255, 255];
    refused(
        constrained(ca().exclude(IP, &host), alice().ip([10, 0, 0, 1].into())),
        Rule::ExcludedSubtrees,
        LEAF,
    );
    refused(
        constrained(ca().permit(IP, &net[..6]), alice().ip([10, 0, 0, 1].into())),
        Rule::ConstraintForm,
        LEAF,
    );
    accepted(constrained(ca().permit(EMAIL, b"ox.test"), alice().email("alice@ox.test")));
    refused(
        constrained(ca().permit(EMAIL, b"ox.test"), alice().email("alice@x.test")),
        Rule::PermittedSubtrees,
        LEAF,
    );
    accepted(constrained(ca().permit(URI, b".ox.test"), alice().uri("spiffe://a.ox.test/x")));
    refused(
        constrained(ca().exclude(URI, b"ox.test"), alice().uri("https://ox.test/")),
        Rule::ExcludedSubtrees,
        LEAF,
    );
    refused(constrained(ca().permit(URI, b"ox.test"), alice().uri("urn:x")), Rule::ConstraintForm, LEAF);
}

/// What may be excluded can't be had by writing it in another way; what is permitted must be written as it is.
#[test]
fn a_mapped_address_does_not_evade_an_excluded_ipv4_network() {
    let net = [10, 0, 0, 0, 255, 0, 0, 0];
    let mapped = |address: &str| alice().ip(address.parse().expect("an address"));
    let outcome = constrained(ca().exclude(IP, &net), mapped("::ffff:10.1.2.3"));
    refused(outcome, Rule::ExcludedSubtrees, LEAF);
    accepted(constrained(ca().exclude(IP, &net), mapped("::ffff:11.1.2.3")));
    accepted(constrained(ca().exclude(IP, &net), mapped("2001:db8::1")));
    let outcome = constrained(ca().permit(IP, &net), mapped("::ffff:10.1.2.3"));
    refused(outcome, Rule::PermittedSubtrees, LEAF);
    // `::/0` excludes IPv6, and IPv4 with it only where it is written as IPv6.
    accepted(constrained(ca().exclude(IP, &[0; 32]), alice().ip([10, 1, 2, 3].into())));
    refused(constrained(ca().exclude(IP, &[0; 32]), mapped("::ffff:10.1.2.3")), Rule::ExcludedSubtrees, LEAF);
}

#[test]
fn a_uri_without_authority_has_no_host_that_a_constraint_could_allow() {
    let outcome = constrained(ca().permit(URI, b"ox.test"), alice().uri("urn:x?://ox.test"));
    refused(outcome, Rule::ConstraintForm, LEAF);
    accepted(constrained(ca().permit(URI, b"ox.test"), alice().uri("spiffe://ox.test/x")));
}

fn organization(name: &str) -> Vec<u8> {
    organization_as(0x0c, name)
}

fn organization_as(tag: u8, name: &str) -> Vec<u8> {
    der::tlv(0x30, &[&der::tlv(0x31, &[&attribute("2.5.4.10", tag, name)])])
}

fn attribute(oid: &str, tag: u8, value: &str) -> Vec<u8> {
    der::tlv(0x30, &[&der::oid(oid), &der::tlv(tag, &[value.as_bytes()])])
}

/// RFC 5280 section 7.1 leaves other string types uncompared: an exclusion can't be evaded by choosing one.
#[test]
fn excluded_directory_names_that_cannot_be_compared_are_refused() {
    const TELETEX: u8 = 0x14;
    let named = |tag| alice().name(DIRECTORY, &organization_as(tag, "Ox"));
    let excluded = || ca().exclude(DIRECTORY, &organization("ox"));
    refused(constrained(excluded(), named(0x13)), Rule::ExcludedSubtrees, LEAF);
    refused(constrained(excluded(), named(TELETEX)), Rule::ConstraintForm, LEAF);
    let permitted = ca().permit(DIRECTORY, &organization("ox")).permit(DIRECTORY, &common_name("alice"));
    refused(constrained(permitted, named(TELETEX)), Rule::PermittedSubtrees, LEAF);
}

fn common_name(name: &str) -> Vec<u8> {
    der::tlv(0x30, &[&der::tlv(0x31, &[&attribute("2.5.4.3", 0x0c, name)])])
}

#[test]
fn excluded_parts_of_several_types_hold_in_any_order() {
    let (organization, unit) = (attribute("2.5.4.10", 0x0c, "ox"), attribute("2.5.4.11", 0x0c, "abcd"));
    let excluded = der::tlv(0x30, &[&der::tlv(0x31, &[&organization, &unit])]);
    // Spaces that do not count turn the order of the encodings around.
    let padded = attribute("2.5.4.10", 0x0c, "ox       ");
    let evading = der::tlv(0x30, &[&der::tlv(0x31, &[&unit, &padded])]);
    let outcome = constrained(ca().exclude(DIRECTORY, &excluded), alice().name(DIRECTORY, &evading));
    refused(outcome, Rule::ExcludedSubtrees, LEAF);
    // Out of order it is no DER.
    let unsorted = der::tlv(0x30, &[&der::tlv(0x31, &[&unit, &organization])]);
    let outcome = constrained(ca().exclude(DIRECTORY, &excluded), alice().name(DIRECTORY, &unsorted));
    refused(outcome, Rule::ExtensionEncoding, LEAF);
}

#[test]
fn subjects_are_constrained_by_directory_names() {
    let leaf = || LeafSpec::client("alice").subject("CN=alice,O=Ox");
    accepted(constrained(ca().permit(DIRECTORY, &organization("ox")), leaf()));
    refused(constrained(ca().permit(DIRECTORY, &organization("cow")), leaf()), Rule::PermittedSubtrees, LEAF);
    refused(constrained(ca().exclude(DIRECTORY, &organization("Ox")), leaf()), Rule::ExcludedSubtrees, LEAF);
    // An empty subject is no name.
    accepted(constrained(ca().permit(DIRECTORY, &organization("cow")), leaf().subject("").dns("a.test")));
}

#[test]
fn mailboxes_in_the_subject_are_constrained_when_there_are_no_others() {
    let leaf = || LeafSpec::client("x").subject("1.2.840.113549.1.9.1=#160b61406576696c2e74657374,CN=x");
    refused(constrained(ca().permit(EMAIL, b"ox.test"), leaf()), Rule::PermittedSubtrees, LEAF);
    accepted(constrained(ca().permit(EMAIL, b"evil.test"), leaf()));
}

#[test]
fn forms_that_are_not_understood_are_refused_only_where_they_are_used() {
    let other = der::tlv(0xa0, &[&der::tlv(0x0c, &[b"x"])]);
    let other = [der::oid("1.2.3.4"), other].concat();
    let limits = || ca().exclude(OTHER, &other);
    accepted(constrained(limits(), alice().dns("a.test")));
    refused(constrained(limits(), alice().name(OTHER, &other)), Rule::ConstraintForm, LEAF);
    let limits = ca().permit(REGISTERED_ID, &[0x2a, 3]);
    refused(constrained(limits, alice().name(REGISTERED_ID, &[0x2a, 3])), Rule::ConstraintForm, LEAF);
}

#[test]
fn constraints_reach_down_the_whole_path_but_not_self_issued_renewals() {
    let root = root();
    let cow = organization("cow");
    let top = root.intermediate_with(ca().exclude(DIRECTORY, &cow));
    let below = top.intermediate_with(CaSpec::with_subject("O=cow", P256));
    let report =
        client(trusting(&root), &below.issue(alice()).chain).expect_err("a CA of that name is excluded");
    assert_eq!((report.rule, report.certificate), (Rule::ExcludedSubtrees, FIRST));
    let cow_ca = root.intermediate_with(CaSpec::with_subject("O=cow", P256).exclude(DIRECTORY, &cow));
    let renewed = cow_ca.intermediate_with(CaSpec::with_subject("O=cow", P256));
    accepted(client(trusting(&root), &renewed.issue(alice()).chain));
    refused(
        client(trusting(&root), &renewed.issue(alice().subject("O=cow")).chain),
        Rule::ExcludedSubtrees,
        LEAF,
    );
}

#[test]
fn an_anchors_own_constraints_hold() {
    let root = Ca::with(CaSpec::new("Root", P256).permit(DNS, b"ox.test"));
    accepted(client(trusting(&root), &root.issue(alice().dns("a.ox.test")).chain));
    refused(client(trusting(&root), &root.issue(alice().dns("a.test")).chain), Rule::PermittedSubtrees, LEAF);
}

#[test]
fn another_path_is_taken_when_constraints_close_one() {
    let root = root();
    let open = root.intermediate("Twin", P256);
    let closed = Ca::with(CaSpec::new("Closed", P256).exclude(DNS, b"a.test"));
    let issued = open.issue(alice().dns("a.test"));
    let chain = [issued.chain[0].clone(), closed.cross_sign(&open), issued.chain[1].clone()];
    let roots = trusting_all([closed.certificate(), root.certificate()]);
    assert_eq!(accepted(client(roots, &chain)).positions().collect::<Vec<_>>(), [0, 2]);
}
