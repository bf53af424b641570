//! Name constraints on every form of name, in every odd shape: RFC 5280 section 4.2.1.10.

use super::*;

const DNS: u8 = 0x82;
const IP: u8 = 0x87;
const MAIL: u8 = 0x81;
const URI: u8 = 0x86;
const DIRECTORY: u8 = 0xa4;

pub(super) fn cases() -> Vec<Case> {
    [hosts(), addresses(), mailboxes(), uris(), directories(), unknown_forms(), shapes(), paths()]
        .into_iter()
        .flatten()
        .collect()
}

/// A subtree that cannot be understood by default, and is ill-formed by the strict policy.
const UNCLEAR: Verdicts = (Some(Rule::ConstraintForm), Some(Rule::NameConstraintsForm));
const PERMITTED: Verdicts = both(Rule::PermittedSubtrees);
const EXCLUDED: Verdicts = both(Rule::ExcludedSubtrees);

fn permit(tag: u8, base: &[u8], leaf: LeafSpec, verdicts: Verdicts) -> Case {
    let what = format!("permitted {tag:#x} {}", base.escape_ascii());
    below(what, middle().permit(tag, base), leaf, verdicts)
}

fn exclude(tag: u8, base: &[u8], leaf: LeafSpec, verdicts: Verdicts) -> Case {
    let what = format!("excluded {tag:#x} {}", base.escape_ascii());
    below(what, middle().exclude(tag, base), leaf, verdicts)
}

fn hosts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (base, verdicts) in [
        ("example.com", FINE),
        ("www.example.com", FINE),
        ("EXAMPLE.COM", FINE),
        ("com", FINE),
        ("", FINE),
        (".example.com", only_strict(Rule::NameConstraintsForm)),
        ("ample.com", PERMITTED),
        ("w.example.com", PERMITTED),
        ("a.www.example.com", PERMITTED),
        ("example.org", PERMITTED),
        ("*.example.com", UNCLEAR),
        ("example.com.", UNCLEAR),
        ("..example.com", UNCLEAR),
        (".", UNCLEAR),
        ("ex ample.com", UNCLEAR),
        ("-example.com", UNCLEAR),
        ("example.com\0", UNCLEAR),
    ] {
        cases.push(permit(DNS, base.as_bytes(), leaf(), verdicts));
    }
    for (base, verdicts) in [
        ("example.com", EXCLUDED),
        ("EXAMPLE.com", EXCLUDED),
        ("www.example.com", EXCLUDED),
        ("com", EXCLUDED),
        ("", EXCLUDED),
        ("ample.com", FINE),
        ("example.org", FINE),
        ("a.www.example.com", FINE),
        ("*.example.com", UNCLEAR),
        ("example.com.", UNCLEAR),
        (".example.com", (Some(Rule::ExcludedSubtrees), Some(Rule::NameConstraintsForm))),
    ] {
        cases.push(exclude(DNS, base.as_bytes(), leaf(), verdicts));
    }
    // A wildcard stands for what is excluded and for what is not permitted.
    let wildcard = || LeafSpec::server("*.example.com");
    cases.push(exclude(DNS, b"www.example.com", wildcard(), EXCLUDED));
    cases.push(exclude(DNS, b"a.www.example.com", wildcard(), FINE));
    cases.push(permit(DNS, b"www.example.com", wildcard(), PERMITTED));
    cases.push(permit(DNS, b"example.com", wildcard(), FINE));
    // A name that is no host name cannot be compared.
    let odd = || leaf().dns("a..example.com");
    cases.push(permit(DNS, b"example.com", odd(), (Some(Rule::ConstraintForm), Some(Rule::DnsNameSyntax))));
    cases.push(exclude(DNS, b"example.org", odd(), (Some(Rule::ConstraintForm), Some(Rule::DnsNameSyntax))));
    // One of two names outside.
    cases.push(permit(DNS, b"www.example.com", leaf().dns("example.org"), PERMITTED));
    cases
}

fn addresses() -> Vec<Case> {
    let v4 = || leaf().ip([192, 0, 2, 1].into());
    let v6 = || leaf().name(IP, b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01");
    let mut v6_net = b"\x20\x01\x0d\xb8".to_vec();
    v6_net.extend([0; 12]);
    v6_net.extend([0xff; 4]);
    v6_net.extend([0; 12]);
    vec![
        permit(IP, b"\xc0\0\x02\0\xff\xff\xff\0", v4(), FINE),
        permit(IP, b"\xc0\0\x02\x01\xff\xff\xff\xff", v4(), FINE),
        permit(IP, &[0; 8], v4(), FINE),
        // Bits of the address beyond the mask do not count.
        permit(IP, b"\xc0\0\x02\xee\xff\xff\xff\0", v4(), FINE),
        permit(IP, b"\xc0\0\x03\0\xff\xff\xff\0", v4(), PERMITTED),
        permit(IP, &v6_net, v6(), FINE),
        permit(IP, &v6_net, v4(), PERMITTED),
        permit(IP, b"\xc0\0\x02\0\xff\xff\xff\0", v6(), PERMITTED),
        permit(IP, &v6_net, leaf(), FINE),
        exclude(IP, &[0; 8], v4(), EXCLUDED),
        exclude(IP, &[0; 8], v6(), FINE),
        exclude(IP, &[0; 32], v4(), FINE),
        exclude(IP, &[0; 32], v6(), EXCLUDED),
        exclude(IP, &v6_net, v6(), EXCLUDED),
        exclude(
            IP,
            b"\xc0\0\x02\0\xff\xff\xff\0",
            leaf().name(IP, b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01"),
            EXCLUDED,
        ),
        // No prefix, or no address and mask at all.
        permit(IP, b"\xc0\0\x02\0\xff\0\xff\0", v4(), UNCLEAR),
        permit(IP, b"\xc0\0\x02\0\xff\xff\xff\x05", v4(), UNCLEAR),
        permit(IP, b"\xc0\0\x02\0\0\xff\xff\xff", v4(), UNCLEAR),
        permit(IP, b"\xc0\0\x02\0", v4(), UNCLEAR),
        permit(IP, b"", v4(), UNCLEAR),
        permit(IP, &[0; 16], v6(), UNCLEAR),
        permit(IP, &[0; 9], v4(), UNCLEAR),
        exclude(IP, b"\xc0\0\x02\0\xff\0\xff\0", v4(), UNCLEAR),
        exclude(IP, b"10.0.0.0", v4(), UNCLEAR),
        // It hits no name of this leaf: only the profile cares.
        permit(IP, b"\xc0", leaf(), only_strict(Rule::NameConstraintsForm)),
        permit(
            IP,
            &[0; 8],
            leaf().name(IP, b"\xc0\0\x02"),
            (Some(Rule::ConstraintForm), Some(Rule::SubjectAltNameForm)),
        ),
    ]
}

fn mailboxes() -> Vec<Case> {
    let alice = || leaf().email("alice@example.com");
    let mut cases = Vec::new();
    for (base, verdicts) in [
        ("alice@example.com", FINE),
        ("alice@EXAMPLE.com", FINE),
        ("example.com", FINE),
        ("", FINE),
        ("Alice@example.com", PERMITTED),
        ("bob@example.com", PERMITTED),
        (".example.com", PERMITTED),
        ("com", PERMITTED),
        ("mail.example.com", PERMITTED),
        ("@example.com", UNCLEAR),
        ("alice@", UNCLEAR),
        ("a@b@example.com", UNCLEAR),
        ("*.example.com", UNCLEAR),
        ("alice@*.example.com", UNCLEAR),
    ] {
        cases.push(permit(MAIL, base.as_bytes(), alice(), verdicts));
    }
    for (base, verdicts) in [
        ("alice@example.com", EXCLUDED),
        ("example.com", EXCLUDED),
        ("", EXCLUDED),
        (".example.com", FINE),
        ("bob@example.com", FINE),
        ("@example.com", UNCLEAR),
    ] {
        cases.push(exclude(MAIL, base.as_bytes(), alice(), verdicts));
    }
    cases.push(permit(MAIL, b".example.com", leaf().email("a@mail.example.com"), FINE));
    cases.push(permit(MAIL, b"example.com", leaf().email("a@mail.example.com"), PERMITTED));
    cases.push(permit(MAIL, b"example.com", leaf().email("\"a@b\"@example.com"), FINE));
    let ill_formed = (Some(Rule::ConstraintForm), Some(Rule::SubjectAltNameForm));
    cases.push(permit(MAIL, b"example.com", leaf().email("a@b@example.com"), ill_formed));
    cases.push(permit(MAIL, b"example.com", leaf().email("example.com"), ill_formed));
    cases
}

fn uris() -> Vec<Case> {
    let at = |uri: &str| leaf().uri(uri);
    let unclear = both(Rule::ConstraintForm);
    let mut cases = Vec::new();
    for (base, uri, verdicts) in [
        ("www.example.com", "https://www.example.com/a", FINE),
        ("www.example.com", "https://user@WWW.example.com:443/a?b#c", FINE),
        (".example.com", "https://www.example.com", FINE),
        ("", "https://www.example.com", FINE),
        ("example.com", "https://www.example.com/", PERMITTED),
        (".www.example.com", "https://www.example.com/", PERMITTED),
        ("www.example.com", "https://www.example.com.evil.test/", PERMITTED),
        ("www.example.com", "https://www.example.com@evil.test/", PERMITTED),
        ("www.example.com", "https://evil.test/?@www.example.com", PERMITTED),
        ("www.example.com", "https://evil.test#@www.example.com", PERMITTED),
        ("www.example.com", "https://192.0.2.1/", unclear),
        ("www.example.com", "https://[2001:db8::1]/", unclear),
        ("www.example.com", "https:///path", unclear),
        ("www.example.com", "urn:www.example.com", unclear),
        ("www.example.com", "mailto:a@www.example.com", unclear),
        ("*.example.com", "https://www.example.com/", UNCLEAR),
        ("https://www.example.com", "https://www.example.com/", UNCLEAR),
        ("www.example.com:443", "https://www.example.com/", UNCLEAR),
    ] {
        cases.push(permit(URI, base.as_bytes(), at(uri), verdicts));
    }
    for (base, uri, verdicts) in [
        ("www.example.com", "https://www.example.com/a", EXCLUDED),
        (".example.com", "https://www.example.com/a", EXCLUDED),
        ("example.com", "https://www.example.com/a", FINE),
        ("example.com", "https://192.0.2.1/", unclear),
        ("example.com", "urn:x:y", unclear),
    ] {
        cases.push(exclude(URI, base.as_bytes(), at(uri), verdicts));
    }
    cases
}

fn directories() -> Vec<Case> {
    let name = |text: &str| oxtls_test_pki::name_der(text);
    let ours = || leaf().subject("CN=The Server,O=Ox,C=DE");
    // Only the strict policy minds a critical subjectAltName beside a subject, which this builder does not write.
    let mut cases = Vec::new();
    for (base, verdicts) in [
        ("O=Ox,C=DE", FINE),
        ("C=DE", FINE),
        ("O=OX,C=de", FINE),
        ("CN=The Server,O=Ox,C=DE", FINE),
        ("", FINE),
        ("O=Ox", PERMITTED),
        ("C=DE,O=Ox", PERMITTED),
        ("O=Oxen,C=DE", PERMITTED),
        ("CN=x,CN=The Server,O=Ox,C=DE", PERMITTED),
    ] {
        cases.push(permit(DIRECTORY, &name(base), ours(), verdicts));
    }
    for (base, verdicts) in [("O=Ox,C=DE", EXCLUDED), ("", EXCLUDED), ("O=Ox", FINE), ("O=Other,C=DE", FINE)]
    {
        cases.push(exclude(DIRECTORY, &name(base), ours(), verdicts));
    }
    // Without a subject there is nothing to constrain, not even by the empty subtree.
    cases.push(exclude(DIRECTORY, &name(""), leaf(), FINE));
    cases.push(permit(DIRECTORY, &name("O=Ox"), leaf(), FINE));
    // directoryName in the subjectAltName counts as the subject does.
    let both_names = || leaf().name(DIRECTORY, &name("O=Other"));
    cases.push(permit(DIRECTORY, &name("O=Ox"), both_names(), PERMITTED));
    cases.push(exclude(DIRECTORY, &name("O=Other"), both_names(), EXCLUDED));
    cases
}

/// Forms that nobody here can compare: harmless until a name of the form is met.
fn unknown_forms() -> Vec<Case> {
    let mut cases = Vec::new();
    let unclear = both(Rule::ConstraintForm);
    for (what, tag, contents) in [
        ("otherName", 0xa0, &b"\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01a"[..]),
        ("registeredID", 0x88, b"\x2a\x03\x04"),
    ] {
        for (which, spec) in
            [("permitted", middle().permit(tag, contents)), ("excluded", middle().exclude(tag, contents))]
        {
            cases.push(below(format!("{which} {what}, none there"), spec.clone(), leaf(), FINE));
            cases.push(below(format!("{which} {what}"), spec, leaf().name(tag, contents), unclear));
        }
    }
    // A form that is not constrained is free.
    cases.push(permit(DNS, b"example.com", leaf().uri("https://evil.test/"), FINE));
    cases.push(permit(DNS, b"example.com", leaf().ip([192, 0, 2, 1].into()), FINE));
    cases.push(permit(URI, b"example.com", leaf(), FINE));
    cases
}

/// The extension itself.
fn shapes() -> Vec<Case> {
    let encoding = both(Rule::ExtensionEncoding);
    let dns = der::tlv(DNS, &[b"example.com"]);
    let subtree = |parts: &[&[u8]]| der::tlv(0x30, &[&der::tlv(0xa0, &[&der::tlv(0x30, parts)])]);
    let with = |what: &'static str, critical, value: Vec<u8>, verdicts| {
        by_intermediate(what, middle().extension("2.5.29.30", critical, &value), verdicts)
    };
    vec![
        with("a subtree", true, subtree(&[&dns]), FINE),
        with("a subtree, not critical", false, subtree(&[&dns]), only_strict(Rule::NameConstraintsCritical)),
        with("no subtrees", true, vec![0x30, 0], encoding),
        with("permitted without subtrees", true, vec![0x30, 2, 0xa0, 0], encoding),
        with("excluded without subtrees", true, vec![0x30, 2, 0xa1, 0], encoding),
        with("both without subtrees", true, vec![0x30, 4, 0xa0, 0, 0xa1, 0], encoding),
        with(
            "excluded before permitted",
            true,
            {
                let list = |tag| der::tlv(tag, &[&der::tlv(0x30, &[&dns])]);
                der::tlv(0x30, &[&list(0xa1), &list(0xa0)])
            },
            encoding,
        ),
        with("a minimum that is the default", true, subtree(&[&dns, &[0x80, 1, 0]]), encoding),
        with("a minimum", true, subtree(&[&dns, &[0x80, 1, 1]]), encoding),
        with("a maximum", true, subtree(&[&dns, &[0x81, 1, 9]]), encoding),
        with("an empty subtree", true, subtree(&[]), encoding),
        with("a NULL", true, vec![0x30, 2, 5, 0], encoding),
        with("an OCTET STRING", true, vec![4, 0], encoding),
        with("bytes behind it", true, [subtree(&[&dns]), vec![0]].concat(), encoding),
    ]
}

/// Whom they are for: everybody below but self-issued intermediates.
fn paths() -> Vec<Case> {
    let root = root();
    let narrow = || middle().permit(DNS, b"example.org");
    let mut cases =
        vec![by_root("a root's own", CaSpec::new("Root", P256).permit(DNS, b"example.org"), PERMITTED)];
    // A leaf that is self-issued is a leaf all the same.
    let narrow_ca = root.intermediate_with(narrow());
    let chain = narrow_ca.issue(leaf().subject("CN=Middle")).chain;
    cases.push(case("a self-issued leaf", &root, chain, PERMITTED));
    // What a CA permits, the one below cannot widen; two that do not overlap permit nothing.
    let wide = narrow_ca.intermediate_with(CaSpec::new("Wide", P256).permit(DNS, b"com"));
    cases.push(case("widened below", &root, wide.issue(leaf()).chain, PERMITTED));
    let renewed = narrow_ca.intermediate_with(CaSpec::new("Middle", P256));
    // This builder leaves authority key identifiers out of what is self-issued.
    let renewed_below = (Some(Rule::PermittedSubtrees), Some(Rule::AuthorityKeyIdentifierPresent));
    cases.push(case("renewed below", &root, renewed.issue(leaf()).chain, renewed_below));
    // The CA's own name is not below itself.
    let own = root.intermediate_with(CaSpec::new("Middle", P256).permit(DNS, b"example.com").extension(
        "2.5.29.17",
        false,
        &names(&[der::tlv(DNS, &[b"ca.example.org"])]),
    ));
    cases.push(case("its own name outside", &root, own.issue(leaf()).chain, FINE));
    let below = own.intermediate_with(CaSpec::new("Below", P256).extension(
        "2.5.29.17",
        false,
        &names(&[der::tlv(DNS, &[b"ca.example.org"])]),
    ));
    cases.push(case("the name of a CA below outside", &root, below.issue(leaf()).chain, PERMITTED));
    cases
}
