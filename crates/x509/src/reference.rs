//! The name that a peer is wanted to have, and whether a certificate has it (RFC 9525).

use core::fmt;
use std::net::IpAddr;

use pki_types::{DnsName, ServerName};

use crate::certificate::Certificate;
use crate::identity::escape;
use crate::name::GeneralName;
use crate::path::constraints::{mailbox, uri_host};
use crate::public_suffix::PublicSuffixes;
use crate::spiffe::SpiffeId;

/// A reference identifier: the name that the peer is wanted to have. It is looked for in the certificate's
/// subjectAltName and nowhere else; a common name never counts (RFC 9525 section 2).
///
/// | made by | matches |
/// | --- | --- |
/// | `From<ServerName>` | a DNS name (case aside, `*` for the whole leftmost label) or an IP address |
/// | [`uri`](Self::uri) | that URI: the identity of a SPIFFE workload, for instance |
/// | [`service`](Self::service) | any URI of that scheme with that host (RFC 9525 section 6.5.2: URI-ID) |
/// | [`email`](Self::email) | that mailbox |
///
/// Internationalised hosts are written with A-labels (`xn--...`) and compared as such. Others are refused when they are
/// given: what looks the same need not be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceIdentifier<'a>(Kind<'a>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind<'a> {
    Dns(DnsName<'a>),
    Ip(IpAddr),
    /// `ServerName` may grow; what is not understood is not matched.
    NotUnderstood,
    Uri(&'a str),
    Service {
        scheme: &'a str,
        host: &'a str,
    },
    Email(&'a str),
}

impl<'a> ReferenceIdentifier<'a> {
    /// A URI, as `spiffe://example.org/ns/prod/sa/web`. Scheme and host match whatever their case, the rest octet by
    /// octet. A certificate with a SPIFFE ID matches only if it is well formed and its one URI (X509-SVID section 2).
    ///
    /// # Errors
    /// If it has no scheme, is not ASCII, or is of the scheme `spiffe` without being a SPIFFE ID.
    pub fn uri(uri: &'a str) -> Result<Self, ReferenceError> {
        let parts = UriParts::split(uri).ok_or(ReferenceError("no absolute URI in ASCII"))?;
        if parts.is_spiffe() && SpiffeId::parse(uri).is_none() {
            return Err(ReferenceError("no SPIFFE ID"));
        }
        Ok(Self(Kind::Uri(uri)))
    }

    /// A service on a host, as the scheme `sip` and the host `voice.example.com`.
    ///
    /// # Errors
    /// If either is not of its syntax.
    pub fn service(scheme: &'a str, host: &'a str) -> Result<Self, ReferenceError> {
        if !is_scheme(scheme) {
            return Err(ReferenceError("no URI scheme"));
        }
        if host.starts_with('*') || !is_presentable(host) {
            return Err(ReferenceError("no host in ASCII"));
        }
        Ok(Self(Kind::Service { scheme, host }))
    }

    /// A mailbox, as `alice@example.com`: the local part octet by octet, the host whatever its case (RFC 5280 section
    /// 7.5).
    ///
    /// # Errors
    /// If it is not of the form of one, or not ASCII.
    pub fn email(mailbox_: &'a str) -> Result<Self, ReferenceError> {
        match mailbox(mailbox_) {
            Some(_) if mailbox_.is_ascii() => Ok(Self(Kind::Email(mailbox_))),
            _ => Err(ReferenceError("no mailbox in ASCII")),
        }
    }

    /// Whether the certificate has the name. Wildcards below `suffixes` don't count.
    pub(crate) fn matches(&self, certificate: &Certificate<'_>, suffixes: Option<PublicSuffixes>) -> Match {
        let found = |found: bool| if found { Match::Yes } else { Match::No };
        match &self.0 {
            Kind::Dns(wanted) => dns(certificate, wanted.as_ref(), suffixes),
            Kind::Ip(IpAddr::V4(v4)) => found(has_address(certificate, &v4.octets())),
            Kind::Ip(IpAddr::V6(v6)) => found(has_address(certificate, &v6.octets())),
            Kind::NotUnderstood => Match::No,
            Kind::Uri(wanted) => found(has_uri(certificate, wanted)),
            Kind::Service { scheme, host } => found(certificate.alt_names().any(|name| {
                let GeneralName::Uri(uri) = name else { return false };
                let same = |parts: UriParts<'_>| parts.scheme.eq_ignore_ascii_case(scheme);
                UriParts::split(uri).is_some_and(same)
                    && service_host(uri).is_some_and(|found| found.eq_ignore_ascii_case(host))
            })),
            Kind::Email(wanted) => found(certificate.alt_names().any(|name| {
                let (GeneralName::Email(presented), Some((local, host))) = (name, mailbox(wanted)) else {
                    return false;
                };
                mailbox(presented).is_some_and(|(l, h)| l == local && h.eq_ignore_ascii_case(host))
            })),
        }
    }
}

impl<'a> From<ServerName<'a>> for ReferenceIdentifier<'a> {
    fn from(name: ServerName<'a>) -> Self {
        Self(match name {
            ServerName::DnsName(name) => Kind::Dns(name),
            ServerName::IpAddress(address) => Kind::Ip(address.into()),
            _ => Kind::NotUnderstood,
        })
    }
}

impl<'a> From<&'a ServerName<'_>> for ReferenceIdentifier<'a> {
    fn from(name: &'a ServerName<'_>) -> Self {
        Self(match name {
            ServerName::DnsName(name) => Kind::Dns(name.borrow()),
            ServerName::IpAddress(address) => Kind::Ip((*address).into()),
            _ => Kind::NotUnderstood,
        })
    }
}

impl fmt::Display for ReferenceIdentifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Dns(name) => f.write_str(name.as_ref()),
            Kind::Ip(address) => address.fmt(f),
            Kind::NotUnderstood => f.write_str("(a name of an unknown form)"),
            Kind::Uri(uri) => f.write_str(&escape(uri)),
            Kind::Service { scheme, host } => write!(f, "{scheme}:{host}"),
            Kind::Email(mailbox) => f.write_str(&escape(mailbox)),
        }
    }
}

/// A text is no name of the form that it was given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReferenceError(&'static str);

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is {}", self.0)
    }
}

impl core::error::Error for ReferenceError {}

/// Whether a certificate has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// Only by a wildcard over a public suffix, where such do not count.
    PublicSuffix,
}

/// Whether the certificate names the wanted server, under the rules that every policy has.
pub(crate) fn names_server(certificate: &Certificate<'_>, wanted: &ServerName<'_>) -> bool {
    ReferenceIdentifier::from(wanted).matches(certificate, None) == Match::Yes
}

fn dns(certificate: &Certificate<'_>, wanted: &str, suffixes: Option<PublicSuffixes>) -> Match {
    let wanted = wanted.strip_suffix('.').unwrap_or(wanted);
    let mut result = Match::No;
    for name in certificate.alt_names() {
        let GeneralName::Dns(presented) = name else { continue };
        if !dns_matches(presented, wanted) {
            continue;
        }
        let below = suffixes.zip(presented.strip_prefix("*."));
        if !below.is_some_and(|(suffixes, name)| suffixes.contains(name)) {
            return Match::Yes;
        }
        result = Match::PublicSuffix;
    }
    result
}

fn has_address(certificate: &Certificate<'_>, wanted: &[u8]) -> bool {
    certificate.alt_names().any(|name| matches!(name, GeneralName::Ip(presented) if presented == wanted))
}

fn has_uri(certificate: &Certificate<'_>, wanted: &str) -> bool {
    let Some(wanted) = UriParts::split(wanted) else {
        return false;
    };
    let uris = || {
        certificate
            .alt_names()
            .filter_map(|name| if let GeneralName::Uri(uri) = name { Some(uri) } else { None })
    };
    if wanted.is_spiffe() && (uris().nth(1).is_some() || !uris().all(|uri| SpiffeId::parse(uri).is_some())) {
        return false;
    }
    uris().any(|uri| UriParts::split(uri).is_some_and(|presented| presented.is_same(&wanted)))
}

/// A URI in the parts that are compared in their own ways (RFC 3986 section 6.2.2.1).
#[derive(Clone, Copy)]
struct UriParts<'u> {
    scheme: &'u str,
    /// User information before the host.
    user: &'u str,
    /// Host and port.
    host: &'u str,
    rest: &'u str,
}

impl<'u> UriParts<'u> {
    fn split(uri: &'u str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        if !is_scheme(scheme) || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let Some(hierarchical) = rest.strip_prefix("//") else {
            return Some(Self { scheme, user: "", host: "", rest });
        };
        let end = hierarchical.find(['/', '?', '#']).unwrap_or(hierarchical.len());
        let (authority, rest) = hierarchical.split_at_checked(end)?;
        let host = authority.rfind('@').map_or(0, |at| at.saturating_add(1));
        let (user, host) = authority.split_at_checked(host)?;
        Some(Self { scheme, user, host, rest })
    }

    fn is_spiffe(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("spiffe")
    }

    fn is_same(&self, other: &UriParts<'_>) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.host.eq_ignore_ascii_case(other.host)
            && (self.user, self.rest) == (other.user, other.rest)
    }
}

/// Whether a URI is absolute and names something (RFC 5280 section 4.2.1.6).
pub(crate) fn is_absolute_uri(uri: &str) -> bool {
    UriParts::split(uri).is_some_and(|parts| !(parts.host.is_empty() && parts.rest.is_empty()))
}

/// RFC 3986 section 3.1.
fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The host of a URI-ID: of one with an authority, or what follows the scheme (and a user) in `sip:voice.example.com`.
///
/// An `@` behind the first delimiter makes it none: for one scheme what stands before is a user, with delimiters in it
/// (`sip:voice.example.com;x@evil.org` is of the host `evil.org`), for another it is the host.
fn service_host(uri: &str) -> Option<&str> {
    if let Some(host) = uri_host(uri) {
        return Some(host);
    }
    let (_, rest) = uri.split_once(':').filter(|(_, rest)| !rest.starts_with('/'))?;
    let end = rest.find(['?', ';', '/', '#']).unwrap_or(rest.len());
    let (host, _) = rest.split_at_checked(end).filter(|(_, behind)| !behind.contains('@'))?;
    let host = host.split_once('@').map_or(host, |(_, host)| host);
    (!host.starts_with('*') && is_presentable(host)).then_some(host)
}

/// RFC 9525 section 6.3: ASCII case does not count; `*` stands only for the whole leftmost label and for exactly
/// one label. `wanted` is absolute, without its final dot.
pub(crate) fn dns_matches(presented: &str, wanted: &str) -> bool {
    if !is_presentable(presented) {
        return false;
    }
    match presented.strip_prefix("*.") {
        None => presented.eq_ignore_ascii_case(wanted),
        Some(parent) => wanted
            .split_once('.')
            // A lone `*.com` would cover every site of a registry: at least two labels must be fixed.
            .is_some_and(|(first, rest)| {
                !first.is_empty() && parent.contains('.') && rest.eq_ignore_ascii_case(parent)
            }),
    }
}

/// Whether a presented DNS name has the form that matching needs: labels of 1 to 63 octets, 253 in all, no final
/// dot, `*` only as the whole leftmost label before at least one other. Underscores are let through: they are in use.
pub(crate) fn is_presentable(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= 253 && rest.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
