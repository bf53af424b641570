//! Name constraints (RFC 5280 section 4.2.1.10): which names an issuer may vouch for.

use crate::certificate::Certificate;
use crate::extension::NameConstraints;
use crate::identity::is_presentable;
use crate::name::{GeneralName, Name};
use crate::oid;
use crate::report::Position;
use crate::rules::Rule;

use super::budget::Remaining;
use super::{Detail, Fault};

/// Checks every name of `certificate` against the constraints of an issuer above it.
pub(crate) fn check<'a>(
    constraints: &NameConstraints<'_>,
    certificate: &Certificate<'a>,
    at: Position,
    budget: &mut Remaining,
) -> Result<(), Fault<'a>> {
    let subject = certificate.subject();
    if !subject.is_empty() {
        name(constraints, GeneralName::Directory(subject), at, budget)?;
    }
    let mut has_email = false;
    for alt_name in certificate.alt_names() {
        has_email |= matches!(alt_name, GeneralName::Email(_));
        name(constraints, alt_name, at, budget)?;
    }
    if has_email {
        return Ok(());
    }
    // Without a mailbox in the subjectAltName, those in the subject count.
    subject.attributes().filter(|attribute| attribute.oid == oid::EMAIL_ADDRESS).try_for_each(|attribute| {
        match core::str::from_utf8(attribute.value) {
            Ok(email) => name(constraints, GeneralName::Email(email), at, budget),
            Err(_) => Err(Fault::new(Rule::ConstraintForm, at, None)),
        }
    })
}

/// Outside every excluded subtree, and inside one of the permitted ones if there is one of the name's form.
fn name<'a>(
    constraints: &NameConstraints<'_>,
    name: GeneralName<'a>,
    at: Position,
    budget: &mut Remaining,
) -> Result<(), Fault<'a>> {
    let fault = |rule| Fault::new(rule, at, None).with(Detail::Name(name));
    for base in constraints.excluded() {
        budget.name_comparison()?;
        match compare(&name, &base) {
            Comparison::OtherForm | Comparison::Outside => {}
            Comparison::Inside | Comparison::Overlaps => return Err(fault(Rule::ExcludedSubtrees)),
            Comparison::NotUnderstood => return Err(fault(Rule::ConstraintForm)),
        }
    }
    let mut permitted = true;
    for base in constraints.permitted() {
        budget.name_comparison()?;
        match compare(&name, &base) {
            Comparison::OtherForm => {}
            Comparison::Inside => return Ok(()),
            Comparison::Outside | Comparison::Overlaps => permitted = false,
            Comparison::NotUnderstood => return Err(fault(Rule::ConstraintForm)),
        }
    }
    if permitted { Ok(()) } else { Err(fault(Rule::PermittedSubtrees)) }
}

/// Where a name stands to a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    /// The subtree constrains another form of name.
    OtherForm,
    /// All that the name stands for is in the subtree.
    Inside,
    /// A wildcard that stands for names inside and outside.
    Overlaps,
    /// Nothing that the name stands for is in the subtree.
    Outside,
    /// The name or the subtree has no meaning that could be compared.
    NotUnderstood,
}

fn inside(inside: bool) -> Comparison {
    if inside { Comparison::Inside } else { Comparison::Outside }
}

fn compare(name: &GeneralName<'_>, base: &GeneralName<'_>) -> Comparison {
    match (name, base) {
        (GeneralName::Dns(name), GeneralName::Dns(base)) => dns(name, base),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => ip(name, base),
        (GeneralName::Email(name), GeneralName::Email(base)) => email(name, base),
        (GeneralName::Uri(name), GeneralName::Uri(base)) => uri(name, base),
        (GeneralName::Directory(name), GeneralName::Directory(base)) => directory(name, base),
        (GeneralName::Other(form, _), GeneralName::Other(constrained, _)) if form == constrained => {
            Comparison::NotUnderstood
        }
        _ => Comparison::OtherForm,
    }
}

fn directory(name: &Name<'_>, base: &Name<'_>) -> Comparison {
    // Fewer parts than the base: outside, found by the walk itself.
    inside(name.is_within(base))
}

/// A subtree `host` holds the host and all below it, the empty one every name. A leading period, which the RFC does
/// not define for DNS names, is in use and leaves the host itself out.
fn dns(name: &str, base: &str) -> Comparison {
    let (bare, apex) = match base.strip_prefix('.') {
        Some(bare) => (bare, false),
        None => (base, true),
    };
    if !is_presentable(name) || !(base.is_empty() || is_presentable(bare)) {
        return Comparison::NotUnderstood;
    }
    if base.is_empty() {
        return Comparison::Inside;
    }
    match name.strip_prefix("*.") {
        None => inside(is_below(name, bare) || (apex && name.eq_ignore_ascii_case(bare))),
        // The wildcard stands for names one label below its parent.
        Some(parent) if parent.eq_ignore_ascii_case(bare) || is_below(parent, bare) => Comparison::Inside,
        Some(parent) if apex && is_one_below(bare, parent) => Comparison::Overlaps,
        Some(_) => Comparison::Outside,
    }
}

/// Whether `name` is `base` with at least one more label before it.
fn is_below(name: &str, base: &str) -> bool {
    name.len()
        .checked_sub(base.len())
        .and_then(|cut| name.split_at_checked(cut))
        .is_some_and(|(front, tail)| front.ends_with('.') && tail.eq_ignore_ascii_case(base))
}

fn is_one_below(name: &str, base: &str) -> bool {
    name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(base))
}

/// Address and mask; the mask must be a prefix (RFC 4632), or else what it holds is anyone's guess.
fn ip(name: &[u8], base: &[u8]) -> Comparison {
    let Some((address, mask)) = base.split_at_checked(base.len() / 2) else {
        return Comparison::NotUnderstood;
    };
    if !matches!(base.len(), 8 | 32) || !matches!(name.len(), 4 | 16) || !is_prefix_mask(mask) {
        return Comparison::NotUnderstood;
    }
    if name.len() != address.len() {
        return Comparison::Outside;
    }
    inside(name.iter().zip(address).zip(mask).all(|((name, address), mask)| (name ^ address) & mask == 0))
}

pub(crate) fn is_prefix_mask(mask: &[u8]) -> bool {
    let mut ended = false;
    mask.iter().all(|&byte| {
        let valid = byte.leading_ones().saturating_add(byte.trailing_zeros()) >= 8 && !(ended && byte != 0);
        ended |= byte != 0xff;
        valid
    })
}

/// A whole mailbox, all mailboxes of a host, or (leading period) of the hosts below a domain.
fn email(name: &str, base: &str) -> Comparison {
    let Some((local, host)) = name.rsplit_once('@') else {
        return Comparison::NotUnderstood;
    };
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    if local.is_empty() || (local.contains('@') && !quoted) || !is_host(host) {
        return Comparison::NotUnderstood;
    }
    if let Some((base_local, base_host)) = base.rsplit_once('@') {
        // Only the host part ignores case (RFC 5321 section 2.4).
        return inside(local == base_local && host.eq_ignore_ascii_case(base_host));
    }
    host_constraint(host, base)
}

/// The constraint is on the host; URIs without one, or with an address, can't be compared and are refused.
fn uri(name: &str, base: &str) -> Comparison {
    uri_host(name).map_or(Comparison::NotUnderstood, |host| host_constraint(host, base))
}

fn host_constraint(host: &str, base: &str) -> Comparison {
    match base.strip_prefix('.') {
        _ if base.is_empty() => Comparison::Inside,
        Some(domain) if is_host(domain) => inside(is_below(host, domain)),
        None if is_host(base) => inside(host.eq_ignore_ascii_case(base)),
        _ => Comparison::NotUnderstood,
    }
}

/// A DNS name without wildcard.
fn is_host(host: &str) -> bool {
    !host.starts_with('*') && is_presentable(host)
}

/// The host of a hierarchical URI (RFC 3986 section 3.2), if it is a DNS name.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host_port.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host_port,
    };
    let is_address = host.parse::<core::net::Ipv4Addr>().is_ok();
    (is_host(host) && !is_address).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Comparison::{Inside, NotUnderstood, Outside, Overlaps};

    #[test]
    fn dns_subtrees() {
        for (name, base, expected) in [
            ("example.com", "example.com", Inside),
            ("EXAMPLE.com", "example.COM", Inside),
            ("a.b.example.com", "example.com", Inside),
            ("notexample.com", "example.com", Outside),
            ("com", "example.com", Outside),
            ("example.com", "", Inside),
            ("a.example.com", ".example.com", Inside),
            ("example.com", ".example.com", Outside),
            ("*.example.com", "example.com", Inside),
            ("*.example.com", ".example.com", Inside),
            ("*.example.com", "foo.example.com", Overlaps),
            ("*.example.com", "a.b.example.com", Outside),
            ("*.example.com", ".foo.example.com", Outside),
            ("*.example.org", "example.com", Outside),
            ("a..example.com", "example.com", NotUnderstood),
            ("foo.*.com", "example.com", NotUnderstood),
            ("example.com", "..example.com", NotUnderstood),
            ("example.com", "exa mple.com", NotUnderstood),
        ] {
            assert_eq!(dns(name, base), expected, "{name} in {base}");
        }
    }

    #[test]
    fn ip_subtrees() {
        let base = [10, 1, 0, 0, 255, 255, 0, 0];
        assert_eq!(ip(&[10, 1, 2, 3], &base), Inside);
        assert_eq!(ip(&[10, 2, 2, 3], &base), Outside);
        assert_eq!(ip(&[0; 16], &base), Outside);
        assert_eq!(ip(&[10, 1, 2], &base), NotUnderstood);
        assert_eq!(ip(&[10, 1, 2, 3], &base[..7]), NotUnderstood);
        assert_eq!(ip(&[10, 1, 2, 3], &[10, 1, 0, 0, 255, 0, 255, 0]), NotUnderstood);
        assert_eq!(ip(&[10, 1, 2, 3], &[10, 1, 0, 0, 0xf7, 0, 0, 0]), NotUnderstood);
        assert_eq!(ip(&[1, 2, 3, 4], &[0; 8]), Inside);
        assert_eq!(ip(&[1, 2, 3, 4], &[1, 2, 3, 4, 255, 255, 255, 255]), Inside);
    }

    #[test]
    fn email_subtrees() {
        for (name, base, expected) in [
            ("a@example.com", "a@example.com", Inside),
            ("A@example.com", "a@example.com", Outside),
            ("a@EXAMPLE.com", "a@example.com", Inside),
            ("a@example.com", "example.com", Inside),
            ("a@sub.example.com", "example.com", Outside),
            ("a@sub.example.com", ".example.com", Inside),
            ("a@example.com", ".example.com", Outside),
            ("*@example.com", "*@example.com", Inside),
            ("example.com", "example.com", NotUnderstood),
            ("@example.com", "example.com", NotUnderstood),
            ("a@b@example.com", "example.com", NotUnderstood),
            ("\"a@b\"@example.com", "example.com", Inside),
        ] {
            assert_eq!(email(name, base), expected, "{name} in {base}");
        }
    }

    #[test]
    fn uri_subtrees() {
        for (name, base, expected) in [
            ("https://example.com/x", "example.com", Inside),
            ("https://user@example.com:8443/x", "example.com", Inside),
            ("https://a.example.com", "example.com", Outside),
            ("https://a.example.com", ".example.com", Inside),
            ("spiffe://example.com?x#y", ".example.com", Outside),
            ("https://[::1]/", "example.com", NotUnderstood),
            ("https://127.0.0.1/", "example.com", NotUnderstood),
            ("urn:uuid:1", "example.com", NotUnderstood),
            ("https:///x", "example.com", NotUnderstood),
        ] {
            assert_eq!(uri(name, base), expected, "{name} in {base}");
        }
    }
}
