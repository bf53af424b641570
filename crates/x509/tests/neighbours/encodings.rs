//! Serial numbers, times, versions and what DER allows of them: RFC 5280 section 4.1, X.690.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [serials(), times(), versions(), lengths()].into_iter().flatten().collect()
}

fn serials() -> Vec<Case> {
    let odd = only_strict(Rule::SerialNumber);
    let mut cases = Vec::new();
    let root = root();
    let issued = root.issue(leaf().serial(&[0x11, 0x22, 0x33]));
    let with = |serial: &[u8]| {
        vec![root.resign(&issued.chain[0], |tbs| replace(tbs, &[2, 3, 0x11, 0x22, 0x33], serial))]
    };
    let longest = [&[0x7f][..], &[0xff; 19]].concat();
    let padded = [&[0][..], &[0xff; 20]].concat();
    for (what, octets, verdicts) in [
        ("1", &[1][..], FINE),
        ("128", &[0, 0x80], FINE),
        ("20 octets", &longest, FINE),
        ("20 octets behind a zero", &padded, odd),
        ("21 octets", &[1; 21], odd),
        ("0", &[0], odd),
        ("-1", &[0xff], odd),
        ("-128", &[0x80], odd),
    ] {
        let chain = with(&der::tlv(2, &[octets]));
        cases.push(case(format!("serial number {what}"), &root, chain, verdicts));
    }
    for (what, element) in [
        ("a long 1", &[2, 3, 0, 0, 1][..]),
        ("a long -1", &[2, 3, 0xff, 0xff, 0xff]),
        ("nothing", &[2, 0]),
        ("of another type", &[10, 3, 0x11, 0x22, 0x33]),
    ] {
        cases.push(case(format!("serial number {what}"), &root, with(element), both(Rule::Encoding)));
    }
    cases
}

/// A leaf with this Validity, contents only.
fn valid(what: &str, from: (u8, &str), until: (u8, &str), verdicts: Verdicts) -> Case {
    let validity =
        der::tlv(0x30, &[&der::tlv(from.0, &[from.1.as_bytes()]), &der::tlv(until.0, &[until.1.as_bytes()])]);
    by_edit(
        what,
        |tbs| {
            let fields = der::elements(der::contents(tbs));
            // version, serial number, algorithm, issuer, validity
            let old = fields[4].to_vec();
            let parts: Vec<_> =
                fields.iter().map(|&field| if field == old { &validity[..] } else { field }).collect();
            *tbs = der::tlv(0x30, &parts);
        },
        verdicts,
    )
}

fn times() -> Vec<Case> {
    const UTC: u8 = 0x17;
    const GENERAL: u8 = 0x18;
    let (from, until) = ((UTC, "200101000000Z"), (UTC, "491231235959Z"));
    let bad = both(Rule::TimeEncoding);
    let mut cases = vec![
        valid("to the end of 2049", from, until, FINE),
        valid("to the end of times", from, (GENERAL, "99991231235959Z"), FINE),
        valid("to 2050", from, (GENERAL, "20500101000000Z"), FINE),
        valid("from 1950", (UTC, "500101000000Z"), until, FINE),
        valid(
            "from the year 0",
            (GENERAL, "00000101000000Z"),
            until,
            only_strict(Rule::GeneralizedTimeBefore2050),
        ),
        valid(
            "to 2049 as GeneralizedTime",
            from,
            (GENERAL, "20491231235959Z"),
            only_strict(Rule::GeneralizedTimeBefore2050),
        ),
        valid(
            "from 2020 as GeneralizedTime",
            (GENERAL, "20200101000000Z"),
            until,
            only_strict(Rule::GeneralizedTimeBefore2050),
        ),
        valid("on a leap day", (UTC, "200229000000Z"), until, FINE),
        valid("ends before it begins", (UTC, "400101000000Z"), (UTC, "200101000000Z"), both(Rule::NotBefore)),
        valid("over", (UTC, "190101000000Z"), (UTC, "200101000000Z"), both(Rule::NotAfter)),
        valid("to 1999, which is not 2099", from, (UTC, "990101000000Z"), both(Rule::NotAfter)),
    ];
    for (tag, text) in [
        (UTC, "4912312359Z"),
        (UTC, "491231235959"),
        (UTC, "491231235959z"),
        (UTC, "491231235959+0000"),
        (UTC, "491231235960Z"),
        (UTC, "491231240000Z"),
        (UTC, "490230000000Z"),
        (UTC, "491301000000Z"),
        (UTC, "490001000000Z"),
        (UTC, "490100000000Z"),
        (UTC, "4912312359590Z"),
        (UTC, "49123123595 Z"),
        (UTC, ""),
        (GENERAL, "20501231235959"),
        (GENERAL, "20501231235959.5Z"),
        (GENERAL, "20501231235959,5Z"),
        (GENERAL, "20501231235959+0100"),
        (GENERAL, "205012312359Z"),
        (GENERAL, "21000229000000Z"),
        (GENERAL, "+2050123123595Z"),
    ] {
        cases.push(valid(&format!("until {text:?}"), from, (tag, text), bad));
    }
    cases.push(valid("a time of another type", from, (0x13, "491231235959Z"), both(Rule::Encoding)));
    cases
}

fn versions() -> Vec<Case> {
    let version = |what: &'static str, octets: &'static [u8], verdicts| {
        by_edit(what, move |tbs| replace(tbs, &[0xa0, 3, 2, 1, 2], octets), verdicts)
    };
    vec![
        version("version 3", &[0xa0, 3, 2, 1, 2], FINE),
        version("version 1 with extensions", &[], both(Rule::Version)),
        version("version 1 spelt out", &[0xa0, 3, 2, 1, 0], both(Rule::Version)),
        version("version 2 with extensions", &[0xa0, 3, 2, 1, 1], both(Rule::Version)),
        version("version 4", &[0xa0, 3, 2, 1, 3], both(Rule::Version)),
        version("version -1", &[0xa0, 3, 2, 1, 0xff], both(Rule::Version)),
        version("version 3 in two octets", &[0xa0, 4, 2, 2, 0, 2], both(Rule::Encoding)),
        version("two versions", &[0xa0, 6, 2, 1, 2, 2, 1, 2], both(Rule::Encoding)),
        by_edit(
            "unique identifiers",
            |tbs| before_extensions(tbs, &[0x81, 2, 0, 1]),
            only_strict(Rule::UniqueIdentifiers),
        ),
        by_edit(
            "a unique identifier that is none",
            |tbs| before_extensions(tbs, &[0x81, 2, 8, 1]),
            both(Rule::Encoding),
        ),
        by_edit(
            "unique identifiers out of order",
            |tbs| before_extensions(tbs, &[0x82, 2, 0, 1, 0x81, 2, 0, 1]),
            both(Rule::Encoding),
        ),
        by_edit(
            "extensions without one",
            |tbs| {
                let mut fields = der::elements(der::contents(tbs));
                fields.pop();
                *tbs = der::tlv(0x30, &[&fields.concat(), &[0xa3, 2, 0x30, 0]]);
            },
            both(Rule::Encoding),
        ),
    ]
}

/// Replaces octets of a signed part by others, however many.
fn replace(tbs: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let mut contents = der::contents(tbs).to_vec();
    der::replace(&mut contents, from, to);
    *tbs = der::tlv(0x30, &[&contents]);
}

/// Puts octets before the extensions, the last field.
fn before_extensions(tbs: &mut Vec<u8>, octets: &[u8]) {
    let fields = der::elements(der::contents(tbs));
    let (last, first) = fields.split_last().expect("fields");
    *tbs = der::tlv(0x30, &[&first.concat(), octets, last]);
}

fn lengths() -> Vec<Case> {
    let encoding = both(Rule::Encoding);
    let trailing = |tbs: &mut Vec<u8>| {
        let contents = der::contents(tbs).to_vec();
        *tbs = der::tlv(0x30, &[&contents, &[5, 0]]);
    };
    let mut cases = vec![by_edit("a field too many", trailing, encoding)];
    let root = root();
    let whole = root.issue(leaf()).chain[0].to_vec();
    for (what, bytes) in [
        ("a byte behind it", [&whole[..], &[0]].concat()),
        ("its last byte missing", whole[..whole.len() - 1].to_vec()),
        ("a length of three octets for two", [&whole[..1], &[0x83, 0], &whole[2..]].concat()),
        ("an indefinite length", [&whole[..1], &[0x80], &whole[4..], &[0, 0]].concat()),
        ("a SET", [&[0x31], &whole[1..]].concat()),
        ("nothing", Vec::new()),
    ] {
        cases.push(case(what, &root, vec![CertificateDer::from(bytes)], encoding));
    }
    cases
}
