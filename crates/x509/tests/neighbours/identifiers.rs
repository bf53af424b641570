//! The names of servers: RFC 9525, RFC 5280 section 4.2.1.6, RFC 1034 section 3.5, RFC 5890.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [beside_a_good_name(), hosts(), addresses(), common_names()].into_iter().flatten().collect()
}

/// A name that is no host name matches nothing; a certificate that has it beside a good one is the CA's fault.
fn beside_a_good_name() -> Vec<Case> {
    let mut cases = Vec::new();
    let long_label = format!("{}.example.com", "a".repeat(64));
    let long_name = format!("{}example.com", "a.".repeat(122));
    for dns in [
        "",
        ".",
        "a..b.example.com",
        "-a.example.com",
        "a-.example.com",
        "example.com.",
        ".example.com",
        "*",
        "*.",
        "*.*.example.com",
        "a.*.example.com",
        "*a.example.com",
        "a*.example.com",
        "a b.example.com",
        "a\0.example.com",
        "a_b.example.com",
        "a@example.com",
        "https://example.com",
        "example.com:443",
        "example.com/",
        "xn--.example.com",
        "xn--a-.example.com",
        "xn--99999999999.example.com",
        "ab--cd.example.com",
        "*.ab--cd.example.com",
        "192.0.2.1",
        "example.123",
        "[::1]",
        long_label.as_str(),
        long_name.as_str(),
    ] {
        cases.push(by_leaf(format!("dNSName {dns:?}"), leaf().dns(dns), only_strict(Rule::DnsNameSyntax)));
    }
    for dns in [
        "localhost",
        "EXAMPLE.com",
        "1.example.com",
        "a--b.example.com",
        "xn--bcher-kva.example",
        "*.xn--bcher-kva.example",
        "XN--BCHER-KVA.example",
        "3com.com",
        "example.xn--p1ai",
    ] {
        cases.push(by_leaf(format!("dNSName {dns:?}"), leaf().dns(dns), FINE));
    }
    for (what, tag, contents) in [
        ("otherName", 0xa0, &b"\x06\x03\x2a\x03\x04\xa0\x03\x0c\x01a"[..]),
        ("registeredID", 0x88, b"\x2a\x03\x04"),
        ("absolute URI", 0x86, b"urn:x:y"),
        ("mailbox", 0x81, b"a@example.com"),
    ] {
        cases.push(by_leaf(format!("{what} beside a host"), leaf().name(tag, contents), FINE));
    }
    for (what, tag, contents) in [
        ("relative URI", 0x86, &b"/path"[..]),
        ("URI of nothing", 0x86, b"http:"),
        ("empty URI", 0x86, b""),
        ("mailbox without a host", 0x81, b"a@"),
        ("mailbox without a local part", 0x81, b"@example.com"),
        ("mailbox that is a host", 0x81, b"example.com"),
        ("address of 5 octets", 0x87, b"\xc0\0\x02\x01\0"),
        ("address of none", 0x87, b""),
        ("address and mask", 0x87, b"\xc0\0\x02\x01\xff\xff\xff\xff"),
        ("address as text", 0x87, b"192.0.2.1"),
    ] {
        let case = by_leaf(what, leaf().name(tag, contents), only_strict(Rule::SubjectAltNameForm));
        cases.push(case);
    }
    cases
}

/// The host that is wanted is `www.example.com` unless it is said.
fn hosts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (dns, wanted, verdicts) in [
        ("WWW.Example.COM", HOST, FINE),
        ("*.example.com", HOST, FINE),
        ("*.EXAMPLE.com", HOST, FINE),
        ("*.example.com", "www.example.com.", FINE),
        ("*.example.com", "xn--bcher-kva.example.com", FINE),
        ("*.example.com", "example.com", both(Rule::NameMatch)),
        ("*.example.com", "a.www.example.com", both(Rule::NameMatch)),
        ("example.com", HOST, both(Rule::NameMatch)),
        ("www.example.co", HOST, both(Rule::NameMatch)),
        ("xwww.example.com", HOST, both(Rule::NameMatch)),
        ("*.com", "example.com", both(Rule::NameMatch)),
        ("www.example.com.", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        (".example.com", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("w*.example.com", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("*w.example.com", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("www.*.com", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("*.*.com", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("*", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("www.example.com\0.evil.test", HOST, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        (
            "xn--*.example.com",
            "xn--bcher-kva.example.com",
            (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax)),
        ),
    ] {
        cases.push(by_leaf(format!("{dns:?} for {wanted}"), LeafSpec::server(dns), verdicts).wants(wanted));
    }
    for (what, tag, contents) in [
        ("URI", 0x86, &b"https://www.example.com/"[..]),
        ("mailbox", 0x81, b"www@www.example.com"),
        ("otherName", 0xa0, b"\x06\x03\x2a\x03\x04\xa0\x11\x0c\x0fwww.example.com"),
        ("registeredID", 0x88, b"\x2a\x03\x04"),
    ] {
        let name = der::tlv(tag, &[contents]);
        cases.push(by_leaf(format!("a {what} for a host"), named(&[name]), both(Rule::NameMatch)));
    }
    cases
}

fn addresses() -> Vec<Case> {
    const V4: &str = "192.0.2.1";
    let v6 = b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
    let mapped = b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01";
    let compatible = b"\0\0\0\0\0\0\0\0\0\0\0\0\xc0\0\x02\x01";
    let ill_formed = (Some(Rule::NameMatch), Some(Rule::SubjectAltNameForm));
    let mut cases = Vec::new();
    for (what, tag, contents, wanted, verdicts) in [
        ("4 octets", 0x87, &b"\xc0\0\x02\x01"[..], V4, FINE),
        ("16 octets", 0x87, v6, "2001:db8::1", FINE),
        ("16 octets for a long spelling", 0x87, v6, "2001:0DB8:0:0:0:0:0:1", FINE),
        ("a mapped address for itself", 0x87, mapped, "::ffff:192.0.2.1", FINE),
        ("a mapped address for IPv4", 0x87, mapped, V4, both(Rule::NameMatch)),
        ("IPv4 for a mapped address", 0x87, b"\xc0\0\x02\x01", "::ffff:192.0.2.1", both(Rule::NameMatch)),
        ("a compatible address for IPv4", 0x87, compatible, V4, both(Rule::NameMatch)),
        ("address and mask", 0x87, b"\xc0\0\x02\x01\xff\xff\xff\xff", V4, ill_formed),
        ("3 octets", 0x87, b"\xc0\0\x02", V4, ill_formed),
        ("text as octets", 0x87, b"192.0.2.1", V4, ill_formed),
        ("a dNSName", 0x82, b"192.0.2.1", V4, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("a wildcard", 0x82, b"*.0.2.1", V4, (Some(Rule::NameMatch), Some(Rule::DnsNameSyntax))),
        ("a URI", 0x86, b"https://192.0.2.1/", V4, both(Rule::NameMatch)),
    ] {
        let name = der::tlv(tag, &[contents]);
        cases.push(by_leaf(format!("{what} for {wanted}"), named(&[name]), verdicts).wants(wanted));
    }
    cases
}

/// They are never looked at for a name. What the CA/Browser Forum says of them is the strict policy's.
fn common_names() -> Vec<Case> {
    let rule = only_strict(Rule::CommonNameInSubjectAltName);
    let mut cases = Vec::new();
    for (common, verdicts) in [
        ("www.example.com", FINE),
        ("The Server", FINE),
        ("Www.example.com", rule),
        ("b\u{fc}cher.example", rule),
        ("xn--bcher-kva.example", rule),
        ("2001:DB8::1", rule),
        ("2001:db8:0:0:0:0:0:1", rule),
        ("2001:0db8::1", rule),
        ("1:0:0:0:2::3", rule),
        ("0xc0.0.2.1", rule),
        ("0300.0.2.1", rule),
        ("192.000.002.001", rule),
    ] {
        cases.push(by_leaf(format!("CN={common}"), leaf().subject(&format!("CN={common}")), verdicts));
    }
    let no_names = LeafSpec::bare().eku(&[oxtls_test_pki::SERVER_AUTH]).subject("CN=www.example.com");
    cases.push(by_leaf("a common name alone", no_names, both(Rule::NameMatch)));
    cases
}
