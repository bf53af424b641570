//! Name constraints (RFC 5280 section 4.2.1.10): which names an issuer may vouch for.

use crate::certificate::Certificate;
use crate::extension::NameConstraints;
use crate::name::GeneralName;
use crate::oid;
use crate::reference::is_presentable;
use crate::report::Position;
use crate::rules::Rule;

use super::budget::{Exhausted, Remaining};
use super::directory::directory;
use super::{Detail, Fault};

/// An issuer's constraints, their subtrees looked over once.
pub(crate) struct Limits<'l> {
    constraints: NameConstraints<'l>,
    /// A subtree of this form has no meaning: names of the form are refused.
    malformed: Forms,
}

/// Names forms whose syntax is checked, as flags.
#[derive(Clone, Copy, Default)]
struct Forms {
    dns: bool,
    ip: bool,
    email: bool,
    uri: bool,
}

impl<'l> Limits<'l> {
    pub(crate) fn new(constraints: NameConstraints<'l>, budget: &mut Remaining) -> Result<Self, Exhausted> {
        let mut malformed = Forms::default();
        for base in constraints.permitted().chain(constraints.excluded()) {
            budget.name_comparison(base.effort())?;
            match base {
                GeneralName::Dns(base) => malformed.dns |= !is_dns_base(base),
                GeneralName::Ip(base) => malformed.ip |= !is_network(base),
                GeneralName::Email(base) => malformed.email |= !is_email_base(base),
                GeneralName::Uri(base) => malformed.uri |= !is_host_base(base),
                _ => {}
            }
        }
        Ok(Self { constraints, malformed })
    }

    /// Checks every name of `certificate`.
    pub(crate) fn check<'a>(
        &self,
        certificate: &Certificate<'a>,
        at: Position,
        budget: &mut Remaining,
    ) -> Result<(), Fault<'a>> {
        let subject = certificate.subject();
        if !subject.is_empty() {
            self.name(GeneralName::Directory(subject), at, budget)?;
        }
        let mut has_email = false;
        for alt_name in certificate.alt_names() {
            has_email |= matches!(alt_name, GeneralName::Email(_));
            self.name(alt_name, at, budget)?;
        }
        if has_email {
            return Ok(());
        }
        // Without a mailbox in the subjectAltName, those in the subject count.
        let mut emails = subject.attributes().filter(|attribute| attribute.oid == oid::EMAIL_ADDRESS);
        emails.try_for_each(|attribute| match core::str::from_utf8(attribute.value) {
            Ok(email) => self.name(GeneralName::Email(email), at, budget),
            Err(_) => Err(Fault::new(Rule::ConstraintForm, at, None)),
        })
    }

    /// Outside every excluded subtree, and inside one of the permitted ones if there is one of the name's form.
    fn name<'a>(&self, name: GeneralName<'a>, at: Position, budget: &mut Remaining) -> Result<(), Fault<'a>> {
        let fault = |rule| Err(Fault::new(rule, at, None).with(Detail::Name(name)));
        let understood = self.understands(&name);
        let mut judge = |base: &GeneralName<'_>| -> Result<Comparison, Exhausted> {
            budget.name_comparison(name.effort().saturating_add(base.effort()))?;
            Ok(match compare(&name, base) {
                Comparison::OtherForm => Comparison::OtherForm,
                _ if !understood => Comparison::NotUnderstood,
                comparison => comparison,
            })
        };
        for base in self.constraints.excluded() {
            match judge(&base)? {
                Comparison::Outside if is_mapped_into(&name, &base) => return fault(Rule::ExcludedSubtrees),
                Comparison::OtherForm | Comparison::Outside => {}
                Comparison::Inside | Comparison::Overlaps => return fault(Rule::ExcludedSubtrees),
                Comparison::Undecided | Comparison::NotUnderstood => return fault(Rule::ConstraintForm),
            }
        }
        let mut permitted = true;
        for base in self.constraints.permitted() {
            match judge(&base)? {
                Comparison::OtherForm => {}
                Comparison::Inside => return Ok(()),
                Comparison::Outside | Comparison::Overlaps | Comparison::Undecided => permitted = false,
                Comparison::NotUnderstood => return fault(Rule::ConstraintForm),
            }
        }
        if permitted { Ok(()) } else { fault(Rule::PermittedSubtrees) }
    }

    /// Whether the name, and every subtree of its form, has a meaning that can be compared.
    fn understands(&self, name: &GeneralName<'_>) -> bool {
        match name {
            GeneralName::Dns(name) => is_presentable(name) && !self.malformed.dns,
            GeneralName::Ip(name) => matches!(name.len(), 4 | 16) && !self.malformed.ip,
            GeneralName::Email(name) => mailbox(name).is_some() && !self.malformed.email,
            GeneralName::Uri(name) => uri_host(name).is_some() && !self.malformed.uri,
            _ => true,
        }
    }
}

/// Where a name stands to a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The subtree constrains another form of name.
    OtherForm,
    /// All that the name stands for is in the subtree.
    Inside,
    /// A wildcard that stands for names inside and outside.
    Overlaps,
    /// Nothing that the name stands for is in the subtree.
    Outside,
    /// It may be in the subtree: values stand against each other that have no common form.
    Undecided,
    /// The name or the subtree has no meaning that could be compared.
    NotUnderstood,
}

fn inside(inside: bool) -> Comparison {
    if inside { Comparison::Inside } else { Comparison::Outside }
}

/// Compares a name with a subtree of its form, both of which are taken to be well formed.
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

/// A subtree `host` holds the host and all below it, the empty one every name. A leading period, which the RFC does
/// not define for DNS names, is in use and leaves the host itself out.
fn dns(name: &str, base: &str) -> Comparison {
    if base.is_empty() {
        return Comparison::Inside;
    }
    let (bare, apex) = match base.strip_prefix('.') {
        Some(bare) => (bare, false),
        None => (base, true),
    };
    match name.strip_prefix("*.") {
        None => inside(is_below(name, bare) || (apex && name.eq_ignore_ascii_case(bare))),
        // The wildcard stands for names one label below its parent.
        Some(parent) if parent.eq_ignore_ascii_case(bare) || is_below(parent, bare) => Comparison::Inside,
        Some(parent) if apex && is_one_below(bare, parent) => Comparison::Overlaps,
        Some(_) => Comparison::Outside,
    }
}

fn is_dns_base(base: &str) -> bool {
    base.is_empty() || is_host(base.strip_prefix('.').unwrap_or(base))
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

/// Whether an IPv4-mapped IPv6 address stands for an IPv4 address in an IPv4 subtree (RFC 4291 section 2.5.5.2).
///
/// To connect to the mapped address is to connect to the IPv4 address, so what excludes that excludes both. Nothing
/// else crosses the versions: a permitted IPv4 subtree does not permit mapped addresses, and an excluded IPv6 subtree
/// does not exclude IPv4 addresses, since CAs exclude `::/0` to say that they vouch for IPv4 only.
fn is_mapped_into(name: &GeneralName<'_>, base: &GeneralName<'_>) -> bool {
    match (name, base) {
        (GeneralName::Ip([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4 @ ..]), GeneralName::Ip(base)) => {
            v4.len() == 4 && ip(v4, base) == Comparison::Inside
        }
        _ => false,
    }
}

/// Address and mask; addresses of the other version are outside.
fn ip(name: &[u8], base: &[u8]) -> Comparison {
    match base.split_at_checked(base.len() / 2) {
        Some((address, mask)) if name.len() == address.len() => inside(
            name.iter().zip(address).zip(mask).all(|((name, address), mask)| (name ^ address) & mask == 0),
        ),
        _ => Comparison::Outside,
    }
}

/// The mask must be a prefix (RFC 4632), or else what the network holds is anyone's guess.
pub(crate) fn is_network(base: &[u8]) -> bool {
    matches!(base.len(), 8 | 32) && base.get(base.len() / 2..).is_some_and(is_prefix_mask)
}

fn is_prefix_mask(mask: &[u8]) -> bool {
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
    match base.rsplit_once('@') {
        // Only the host part ignores case (RFC 5321 section 2.4).
        Some((base_local, base_host)) => inside(local == base_local && host.eq_ignore_ascii_case(base_host)),
        None => host_constraint(host, base),
    }
}

/// Local part and host of a mailbox (RFC 5321 section 4.1.2); an `@` in the local part only within quotes.
pub(crate) fn mailbox(name: &str) -> Option<(&str, &str)> {
    let (local, host) = name.rsplit_once('@')?;
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    (!local.is_empty() && (quoted || !local.contains('@')) && is_host(host)).then_some((local, host))
}

pub(super) fn is_email_base(base: &str) -> bool {
    if base.contains('@') { mailbox(base).is_some() } else { is_host_base(base) }
}

/// The constraint is on the host; URIs without one, or with an address, can't be compared and are refused.
fn uri(name: &str, base: &str) -> Comparison {
    uri_host(name).map_or(Comparison::NotUnderstood, |host| host_constraint(host, base))
}

/// A host, or with a leading period all below a domain; the empty one holds every host.
fn host_constraint(host: &str, base: &str) -> Comparison {
    match base.strip_prefix('.') {
        _ if base.is_empty() => Comparison::Inside,
        Some(domain) => inside(is_below(host, domain)),
        None => inside(host.eq_ignore_ascii_case(base)),
    }
}

pub(crate) fn is_host_base(base: &str) -> bool {
    is_dns_base(base)
}

/// A DNS name without wildcard.
fn is_host(host: &str) -> bool {
    !host.starts_with('*') && is_presentable(host)
}

/// The host of a hierarchical URI (RFC 3986 section 3.2), if it is a DNS name.
pub(crate) fn uri_host(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    // Without this, what follows "://" anywhere (`urn:x?://host`) would pass for a host.
    let well_formed = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let rest = rest.strip_prefix("//").filter(|_| well_formed)?;
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
    use Comparison::{Inside, Outside, Overlaps};

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
            ("*.example.com", "", Inside),
            ("*.example.com", "example.com", Inside),
            ("*.example.com", ".example.com", Inside),
            ("*.example.com", "foo.example.com", Overlaps),
            ("*.example.com", "a.b.example.com", Outside),
            ("*.example.com", ".foo.example.com", Outside),
            ("*.example.org", "example.com", Outside),
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
        assert_eq!(ip(&[1, 2, 3, 4], &[0; 8]), Inside);
        assert_eq!(ip(&[1, 2, 3, 4], &[1, 2, 3, 4, 255, 255, 255, 255]), Inside);
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3];
        assert_eq!(ip(&mapped, &base), Outside);
        assert!(is_mapped_into(&GeneralName::Ip(&mapped), &GeneralName::Ip(&base)));
        for other in [[10, 2, 0, 0, 255, 255, 0, 0], [0, 0, 10, 1, 255, 255, 255, 255]] {
            assert!(!is_mapped_into(&GeneralName::Ip(&mapped), &GeneralName::Ip(&other)));
        }
        for name in [&[0; 16][..], &mapped[..15], &[10, 1, 2, 3]] {
            assert!(!is_mapped_into(&GeneralName::Ip(name), &GeneralName::Ip(&base)));
        }
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
            ("coap+tcp-1.0://example.com", "example.com", Inside),
        ] {
            assert_eq!(uri(name, base), expected, "{name} in {base}");
        }
    }

    #[test]
    fn names_and_subtrees_without_a_meaning_are_told() {
        let every = Limits { constraints: minimal(), malformed: Forms::default() };
        for name in [
            GeneralName::Dns("a..example.com"),
            GeneralName::Dns("foo.*.com"),
            GeneralName::Ip(&[10, 1, 2]),
            GeneralName::Email("example.com"),
            GeneralName::Email("@example.com"),
            GeneralName::Email("a@b@example.com"),
            GeneralName::Uri("https://[::1]/"),
            GeneralName::Uri("https://127.0.0.1/"),
            GeneralName::Uri("urn:uuid:1"),
            GeneralName::Uri("urn:x?://example.com"),
            GeneralName::Uri("x:y://example.com"),
            GeneralName::Uri("1x://example.com"),
            GeneralName::Uri("a b://example.com"),
            GeneralName::Uri("://example.com"),
            GeneralName::Uri("https:///x"),
        ] {
            assert!(!every.understands(&name), "{name:?}");
        }
        for base in ["..example.com", "exa mple.com", "*.example.com"] {
            assert!(!is_dns_base(base), "{base}");
        }
        assert!(!is_email_base("a@b@example.com"));
        for base in [
            &[10, 1, 0, 0, 255, 255, 0][..],
            &[10, 1, 0, 0, 255, 0, 255, 0],
            &[10, 1, 0, 0, 0xf7, 0, 0, 0],
            &[],
        ] {
            assert!(!is_network(base), "{base:?}");
        }
    }

    /// Constraints with one subtree that holds everything.
    fn minimal() -> NameConstraints<'static> {
        let der: &[u8] = &[0xa0, 4, 0x30, 2, 0x82, 0];
        NameConstraints::read(crate::reader::Reader::new(der, 0), true).unwrap()
    }
}
