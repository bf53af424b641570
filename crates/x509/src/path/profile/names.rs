//! Profile rules about names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::certificate::Certificate;
use crate::identity::{describe_name, ip_address};
use crate::idna;
use crate::name::GeneralName;
use crate::path::constraints::{is_email_base, is_host_base, is_network, mailbox};
use crate::reference::{is_absolute_uri, is_presentable};
use crate::rules::Rule;

use super::{Checked, Profile};

/// The subjectAltName of any certificate.
pub(super) fn alt_names<'a>(profile: &Profile<'_>, certificate: &Certificate<'a>) -> Checked<'a> {
    let Some(san) = certificate.subject_alt_name() else {
        return Ok(());
    };
    let offset = san.offset;
    profile.refuse_if(Rule::SubjectAltNameCriticality, offset, || {
        san.critical != certificate.subject().is_empty()
    })?;
    profile.refuse_if(Rule::DnsNameSyntax, offset, || {
        san.names().any(|name| matches!(name, GeneralName::Dns(dns) if !is_preferred_syntax(dns)))
    })?;
    profile.refuse_if(Rule::SubjectAltNameForm, offset, || san.names().any(|name| !is_well_formed(&name)))
}

/// RFC 1034 section 3.5 as RFC 1123 section 2.1 relaxes it, with A-labels that are such (BR section 1.6.1: P-labels and
/// non-reserved LDH labels). The last label is never a number alone, or the name would be read as an address.
fn is_preferred_syntax(dns: &str) -> bool {
    let labels = dns.strip_prefix("*.").unwrap_or(dns);
    let numeric =
        labels.rsplit('.').next().is_some_and(|last| last.bytes().all(|octet| octet.is_ascii_digit()));
    let plain = !dns.contains('_') && is_presentable(dns) && !numeric;
    plain && labels.split('.').all(idna::is_unreserved_or_a_label)
}

fn is_well_formed(name: &GeneralName<'_>) -> bool {
    match name {
        GeneralName::Ip(octets) => matches!(octets.len(), 4 | 16),
        GeneralName::Uri(uri) => is_absolute_uri(uri),
        GeneralName::Email(email) => mailbox(email).is_some(),
        _ => true,
    }
}

/// Whether a subtree says something that every reader understands alike.
pub(super) fn is_well_formed_subtree(base: &GeneralName<'_>) -> bool {
    match base {
        GeneralName::Dns(base) => base.is_empty() || (!base.starts_with('*') && is_presentable(base)),
        GeneralName::Ip(base) => is_network(base),
        GeneralName::Email(base) => is_email_base(base),
        GeneralName::Uri(base) => is_host_base(base),
        _ => true,
    }
}

/// A common name may be anything (a product, a person, even another host: it is never looked at). One that spells a host
/// or address of the subjectAltName in another way is what the rule is against, and so is one that spells a host or
/// address as nobody should: they look like names that were vouched for.
pub(super) fn common_names_are_copies(certificate: &Certificate<'_>) -> bool {
    let subject = certificate.subject();
    subject.common_names().take(8).all(|common| {
        let copied = certificate.alt_names().any(|name| describe_name(&name) == common);
        let deviates = || {
            is_internationalised(&common)
                || is_misspelt_address(&common)
                || certificate.alt_names().any(|name| spells(&common, &name))
        };
        copied || !deviates()
    })
}

/// A host name with U-labels, which have no place in certificates, or with A-labels that nothing vouches for.
fn is_internationalised(common: &str) -> bool {
    let is_host = common.contains('.') && !common.contains(char::is_whitespace);
    is_host && (!common.is_ascii() || idna::has_a_label(common))
}

/// An address in another form than RFC 3986 section 3.2.2 and RFC 5952 section 4 give it.
fn is_misspelt_address(common: &str) -> bool {
    let v6 = common.parse::<Ipv6Addr>().is_ok_and(|address| address.to_string() != common);
    let dotted = common.split('.').count() == 4;
    v6 || (dotted && loose_v4(common).is_some() && common.parse::<Ipv4Addr>().is_err())
}

fn spells(common: &str, name: &GeneralName<'_>) -> bool {
    match name {
        GeneralName::Dns(dns) => dns.eq_ignore_ascii_case(common),
        GeneralName::Ip(octets) => match ip_address(octets) {
            Some(IpAddr::V4(address)) => {
                let decimal = common.split('.').map(|part| part.parse().ok());
                decimal.eq(address.octets().map(Some)) || loose_v4(common) == Some(address)
            }
            Some(IpAddr::V6(address)) => common.parse() == Ok(address),
            None => false,
        },
        _ => false,
    }
}

/// An IPv4 address as `inet_aton` reads it: one to four numbers, each decimal, octal or hexadecimal, the last of which
/// fills what the others leave.
fn loose_v4(text: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| {
        let (digits, radix) = match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
            Some(hexadecimal) => (hexadecimal, 16),
            None if part.len() > 1 && part.starts_with('0') => (part, 8),
            None => (part, 10),
        };
        let plain = digits.starts_with(|first: char| first.is_ascii_hexdigit());
        u32::from_str_radix(digits, radix).ok().filter(|_| plain)
    };
    let parts: Vec<_> = text.split('.').take(5).map(number).collect::<Option<_>>()?;
    let (last, octets) = parts.split_last().filter(|(_, octets)| octets.len() < 4)?;
    let mut address = 0u32;
    for &octet in octets {
        address = address << 8 | u32::from(u8::try_from(octet).ok()?);
    }
    let left = 32u32.checked_sub(u32::try_from(octets.len()).ok()?.checked_mul(8)?)?;
    let last = u64::from(*last);
    let whole = u64::from(address) << left | last;
    (last >> left == 0).then(|| u32::try_from(whole).ok().map(Ipv4Addr::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_addresses_are_read() {
        let address = Some(Ipv4Addr::new(192, 168, 1, 1));
        for text in [
            "192.168.1.1",
            "192.168.001.001",
            "0xc0.0xA8.1.1",
            "0xC0A80101",
            "3232235777",
            "192.168.257",
            "192.11010305",
            "0300.0250.01.01",
        ] {
            assert_eq!(loose_v4(text), address, "{text}");
        }
        for text in [
            "",
            ".",
            "192.168.1.",
            "192.168.1.256",
            "192.168.1.1.1",
            "192.168.65536",
            "256.1",
            "a",
            "0x",
            "0xg",
            "4294967296",
            "+1.2.3.4",
            "example.com",
        ] {
            assert_eq!(loose_v4(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_have_one_spelling() {
        for text in [
            "2001:DB8::1",
            "2001:0db8::1",
            "2001:db8:0:0:0:0:0:1",
            "1:0::2",
            "192.168.001.001",
            "0xc0.168.1.1",
        ] {
            assert!(is_misspelt_address(text), "{text}");
        }
        for text in ["2001:db8::1", "::1", "192.168.1.1", "example.com", "1.2.3", "1234", "Version 1.2.3.4"] {
            assert!(!is_misspelt_address(text), "{text}");
        }
    }
}
